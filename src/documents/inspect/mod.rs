//! What a store holds, topic by topic: a document each.
//!
//! Every topic reads one snapshot and takes its filters as a value. Nothing here writes, and nothing here knows about
//! arguments or exit codes.

mod changes;
mod diff;
mod entries;
mod learned;
mod overview;
mod params;
mod run;
mod runs;
mod space;
mod store;
mod top;
mod trials;
mod work;

pub use changes::{AdoptionPart, InspectChangesDocument};
pub use diff::{DiffFigurePart, DiffRunPart, InspectDiffDocument};
pub use entries::{EntryPart, InspectSetTradesDocument, InspectSignalsDocument, SetTradePart, SignalPart};
pub use learned::{
    FeaturesPart, ImportancePart, InsightsPart, InspectFeaturesDocument, InspectImportanceDocument,
    InspectInsightsDocument, NamedFigurePart, PromptPart,
};
pub use overview::{InspectOverviewDocument, LastRunPart, ProfilePart, ScopeLinePart};
pub use params::{InspectParamsDocument, ScopePart};
pub use run::InspectRunDocument;
pub use runs::verdicts_of_run;
pub use runs::{InspectRunsDocument, RunLinePart, StyleVerdictPart};
pub(crate) use space::axes_listing;
pub use space::{AxisPart, InspectSpaceDocument, SpacePart};
pub use store::{InspectStoreDocument, StoreFilePart, StoreTablePart};
pub(crate) use top::trials_listing;
pub use top::{InspectTopDocument, SortKey, TopFilter, TopStylePart, TrialPart};
pub use trials::{HistoricTrialPart, InspectTrialsDocument, TrialsFilter};
pub use work::{CacheSymbolPart, ExplainDocument, InspectCacheDocument, SymbolWorkPart, WorkSpanPart};

use std::str::FromStr;

use super::document::Document;
use super::listing::{Listing, UnknownColumn};
use crate::bot::BotFileError;
use crate::model::{Day, Style};
use crate::run::adopt::is_by_hand;
use crate::store::records::RunRecord;
use crate::store::{Snapshot, StoreError};

/// A document that is a list at heart.
pub trait Listed: Document {
    /// Returns its rows under named columns.
    fn listing(&self) -> Listing;
}

/// Why there is nothing to show.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InspectError {
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What is active is nothing that the bot's file can say.
    #[error(transparent)]
    BotFile(#[from] BotFileError),
    /// A profile that is not in the store.
    #[error("expected a profile of the store ({}), found {found:?}", known_profiles(known))]
    Profile {
        /// The profile asked for.
        found: String,
        /// Those in the store, sorted.
        known: Vec<String>,
    },
    /// A run that is not in the store.
    #[error("expected a run of profile {profile:?} from {first} to {last}, found {found}")]
    Run {
        /// The profile.
        profile: String,
        /// The run asked for.
        found: u64,
        /// The oldest run kept.
        first: u64,
        /// The newest.
        last: u64,
    },
    /// A run whose work is no longer kept.
    #[error("run {run} no longer says what it evaluated")]
    NoWork {
        /// The run.
        run: u64,
    },
    /// A symbol that was not in the run.
    #[error("expected a symbol of the run ({}), found {found:?}", known.join(", "))]
    Symbol {
        /// The symbol asked for.
        found: String,
        /// Those of the run.
        known: Vec<String>,
    },
    /// A column that the listing does not have.
    #[error(transparent)]
    Column(#[from] UnknownColumn),
    /// A profile with one run only.
    #[error("expected a run before the last one of profile {profile:?}, found run {last} only")]
    NoPrevious {
        /// The profile.
        profile: String,
        /// Its only run.
        last: u64,
    },
    /// A run whose configuration this program cannot read, or one that had none.
    #[error("the configuration of run {run} cannot be used: {reason}")]
    Configuration {
        /// The run.
        run: u64,
        /// Why.
        reason: String,
    },
    /// A profile with parameters but without a run.
    #[error("expected runs of profile {profile:?}, found none")]
    NoRuns {
        /// The profile.
        profile: String,
    },
}

impl InspectError {
    /// Returns what to do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Store(error) => error.hint(),
            Self::Profile { known, .. } if !known.is_empty() => {
                Some("name one of them with --profile, or run `optimizer incremental` to begin a new one")
            }
            Self::Profile { .. } | Self::NoRuns { .. } => {
                Some("run `optimizer incremental --data PATH` first")
            }
            Self::NoWork { .. } => {
                Some("the newest runs of a profile do, as many as store.keep_full_runs says")
            }
            Self::NoPrevious { .. } => Some("run `optimizer incremental` again, or name two runs"),
            Self::Configuration { .. } => Some("name another run with --run"),
            Self::Symbol { .. } | Self::Column(_) | Self::BotFile(_) => None,
            Self::Run { .. } => Some("`optimizer inspect runs` lists them; the oldest are removed in time"),
        }
    }
}

fn known_profiles(known: &[String]) -> String {
    if known.is_empty() { "it has none yet".to_owned() } else { known.join(", ") }
}

/// A run as people name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunRef {
    /// By its number.
    Id(u64),
    /// The newest.
    Last,
    /// The one before the newest.
    Previous,
}

impl FromStr for RunRef {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "last" => Ok(Self::Last),
            "previous" => Ok(Self::Previous),
            number => {
                let id = number
                    .parse()
                    .map_err(|_| "expected the number of a run such as 3, `last` or `previous`");
                Ok(Self::Id(id?))
            }
        }
    }
}

impl RunRef {
    /// Returns the number of the run in a profile.
    ///
    /// Errors: those of reading the store; a run that is not there, or no longer
    pub fn resolve(self, snapshot: &Snapshot<'_>, profile: &str) -> Result<u64, InspectError> {
        require_profile(snapshot, profile)?;
        let ids = snapshot.run_ids(profile)?;
        let Some(last) = ids.first() else {
            return Err(InspectError::NoRuns { profile: profile.to_owned() });
        };
        match self {
            Self::Last => Ok(*last),
            Self::Previous => {
                let profile = profile.to_owned();
                ids.get(1).copied().ok_or(InspectError::NoPrevious { profile, last: *last })
            }
            Self::Id(id) if ids.contains(&id) => Ok(id),
            Self::Id(id) => Err(unknown_run(snapshot, profile, id)?),
        }
    }
}

/// Which rows of a history are shown, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryFilter {
    /// At most so many.
    pub limit: usize,
    /// None that began before this day.
    pub since: Option<Day>,
    /// Only those that concern this style.
    pub style: Option<Style>,
    /// Only those that concern this symbol.
    pub symbol: Option<String>,
}

impl HistoryFilter {
    /// Returns a filter that lets the newest pass.
    pub const fn newest(limit: usize) -> Self {
        Self { limit, since: None, style: None, symbol: None }
    }

    fn in_time(&self, started_at_ms: i64) -> bool {
        self.since.is_none_or(|day| started_at_ms >= day.start_ms())
    }

    fn concerns(&self, style: Style) -> bool {
        self.style.is_none_or(|wanted| wanted == style)
    }

    /// Returns whether a run read the symbol asked for.
    fn read_it(&self, run: &RunRecord) -> bool {
        self.symbol.as_ref().is_none_or(|symbol| run.symbols.contains(symbol))
    }
}

/// Puts rows into the order of a column of their listing, where one is named.
fn sort_rows<T>(
    rows: Vec<T>,
    by: Option<&str>,
    listing: impl Fn(&[T]) -> Listing,
) -> Result<Vec<T>, UnknownColumn> {
    let Some(name) = by else { return Ok(rows) };
    let order = listing(&rows).order(name)?;
    let mut rows: Vec<Option<T>> = rows.into_iter().map(Some).collect();
    Ok(order.into_iter().filter_map(|index| rows[index].take()).collect())
}

/// Checks that a profile is in the store.
///
/// Errors: those of reading the store; an unknown profile
pub fn require_profile(snapshot: &Snapshot<'_>, profile: &str) -> Result<(), InspectError> {
    match snapshot.has_profile(profile)? {
        true => Ok(()),
        false => Err(InspectError::Profile { found: profile.to_owned(), known: snapshot.profiles()? }),
    }
}

/// Returns a run of a profile: the one asked for, else the last that looked at candles.
pub fn run_of(
    snapshot: &Snapshot<'_>,
    profile: &str,
    run: Option<u64>,
) -> Result<(u64, RunRecord), InspectError> {
    require_profile(snapshot, profile)?;
    let Some(run) = run else {
        let runs = snapshot.runs(profile, .., usize::MAX)?;
        // A decision by hand has no candidate of its own.
        let last = runs.into_iter().find(|(_, record)| !is_by_hand(&record.result));
        return last.ok_or_else(|| InspectError::NoRuns { profile: profile.to_owned() });
    };
    match snapshot.run(profile, run)? {
        Some(record) => Ok((run, record)),
        None => Err(unknown_run(snapshot, profile, run)?),
    }
}

/// Returns the number of a run that somebody named; `None` leaves the choice to [`run_of`] and its like: the last that
/// there is something to say about.
///
/// Errors: those of [`RunRef::resolve`]
pub fn number_of(
    snapshot: &Snapshot<'_>,
    profile: &str,
    run: Option<RunRef>,
) -> Result<Option<u64>, InspectError> {
    let run = run.filter(|run| *run != RunRef::Last);
    run.map(|run| run.resolve(snapshot, profile)).transpose()
}

/// Returns the error for a run that is not there.
fn unknown_run(snapshot: &Snapshot<'_>, profile: &str, found: u64) -> Result<InspectError, StoreError> {
    let runs = snapshot.run_ids(profile)?;
    let profile = profile.to_owned();
    Ok(match (runs.last(), runs.first()) {
        (Some(first), Some(last)) => InspectError::Run { profile, found, first: *first, last: *last },
        _ => InspectError::NoRuns { profile },
    })
}
