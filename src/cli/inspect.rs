//! `optimizer inspect`: browse what is stored. Reads the published view only, and writes nothing.

mod entries;

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use super::browser;
use super::context::Context;
use super::failure::{Failure, chain, code};
use super::files::FileArguments;
use super::incremental::{BadRows, on_conflict};
use super::values;
use crate::documents::inspect::{
    HistoryFilter, InspectCacheDocument, InspectChangesDocument, InspectDiffDocument, InspectError,
    InspectFeaturesDocument, InspectImportanceDocument, InspectInsightsDocument, InspectOverviewDocument,
    InspectParamsDocument, InspectRunDocument, InspectRunsDocument, InspectSpaceDocument,
    InspectStoreDocument, InspectTopDocument, InspectTrialsDocument, Listed, RunRef, SortKey, StoreFilePart,
    TopFilter, TrialsFilter,
};
use crate::documents::listing::UnknownColumn;
use crate::engine::plan::DayLimits;
use crate::ingest::{
    IngestOptions, LegacyOpportunitiesError, LegacyRecord, LegacyTradesError, coin_of, instant,
    read_bot_trades, read_legacy_config, read_legacy_opportunities,
};
use crate::legacy::documents::{InspectLegacyDocument, InspectResolveDocument, InspectTradesDocument};
use crate::legacy::review::{ReviewOptions, review_trades};
use crate::legacy::rules::report::{ReportParams, opportunities_report};
use crate::legacy::rules::timing::{TimedOpportunity, TimingLimits};
use crate::model::{Day, MINUTE_MS, Style};
use crate::run::room_at_first;

#[derive(Debug, clap::Args)]
pub(crate) struct InspectArguments {
    /// Print the overview even on a terminal, where the browser opens otherwise
    #[arg(long)]
    no_browser: bool,
    #[command(subcommand)]
    topic: Option<Topic>,
}

#[derive(Debug, clap::Subcommand)]
enum Topic {
    /// Where every profile stands, and what to type next (the default, but on a terminal)
    Overview,
    /// The runs, newest first
    Runs(RunsArguments),
    /// Everything about one run; -v adds its configuration
    Run {
        /// Number of the run, `last` or `previous`
        #[arg(default_value = "last")]
        id: RunRef,
    },
    /// The active parameters
    Params(Params),
    /// What changed in the parameters, newest first; --limit counts adoptions
    Changes(Changes),
    /// What is different between two runs: parameters, verdicts, figures, configuration, input
    Diff(DiffArguments),
    /// What was learned about the parts of the signal score
    Features(LearnedArguments),
    /// What was learned, in sentences
    Insights(LearnedArguments),
    /// How much each axis of the space mattered in the last search
    Importance(LearnedArguments),
    /// The best trials of all runs that keep theirs; --limit counts trials
    Trials(Trials),
    /// The best trials of a run
    Top(TopArguments),
    /// What a run searched: every axis with its values
    Space(SpaceArguments),
    /// What is kept of evaluated units, and why a run evaluated some
    Cache(CacheArguments),
    /// Tables, files and identity of the store
    Store,
    /// What the legacy system says about its own opportunities; needs no store
    Legacy(Legacy),
    /// Every entry of a style on candles, with all that was known at it and what became of it
    Signals(entries::SignalsArguments),
    /// The trades of a set of a run (--run and --rank); or pauses, entries and exits of the trades a bot wrote down (FILE, which needs
    /// no store)
    Trades(TradesArguments),
}

#[derive(Debug, clap::Args)]
struct TradesArguments {
    /// The bot's `trades_history.csv`, or the same as JSON; or freqtrade's: the zip or JSON of a backtest, what `/api/v1/trades` answers
    #[arg(required_unless_present_any = ["run", "rank"], conflicts_with_all = ["run", "rank"])]
    file: Option<PathBuf>,
    /// The trades of a set of this run: its number, `last` or `previous` [default with --rank: last]
    #[arg(long, value_name = "RUN")]
    run: Option<RunRef>,
    /// Rank of that set, as `inspect top` lists it
    #[arg(long, value_name = "N", default_value = "1", value_parser = values::number::<u32>("the rank of a set such as 1; `optimizer inspect top` lists them"))]
    rank: u32,
    #[command(flatten)]
    shape: ListingShape,
    /// File or folder of candles, to look after exits and for opportunities; repeatable [default: data.paths of the
    /// configuration]
    #[arg(long, value_name = "PATH")]
    data: Vec<PathBuf>,
    #[command(flatten)]
    bad_rows: BadRows,
    #[command(flatten)]
    files: FileArguments,
    /// Take the opportunities from this JSON file of the legacy system instead
    #[arg(long, value_name = "FILE")]
    opportunities: Option<PathBuf>,
    /// Look for opportunities of this style [default: scalping]; with --run, trades of this style [default: the only one of the run]
    #[arg(long, value_parser = values::style(), value_name = "STYLE")]
    style: Option<Style>,
    /// What the account is worth, in the currency of the profits; without it every pause is of level 1
    #[arg(long, value_parser = values::amount, value_name = "AMOUNT")]
    account: Option<f64>,
    /// Review as of this instant, e.g. "2025-06-30 12:00" [default: now]
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// What the bot's clock is ahead of UTC, e.g. +08:00
    #[arg(long, default_value = "+00:00", value_parser = values::offset_ms, allow_hyphen_values = true, value_name = "+HH:MM")]
    utc_offset: i64,
    /// A trade belongs to a signal or an opportunity so many minutes before or after it
    #[arg(long, default_value = "5", value_parser = values::minutes_of_day, value_name = "N")]
    match_minutes: u16,
}

#[derive(Debug, clap::Args)]
struct Legacy {
    /// JSON file with the opportunities
    file: PathBuf,
    /// Take the parameters from this `learning_config.json` [default: those the legacy takes for absent keys]
    #[arg(long, value_name = "FILE")]
    params: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
struct HistoryArguments {
    /// At most so many
    #[arg(long, default_value = "20", value_name = "N", value_parser = values::limit())]
    limit: NonZeroUsize,
    /// Only runs that began on this day (UTC) or later
    #[arg(long, value_parser = values::day, value_name = "YYYY-MM-DD")]
    since: Option<Day>,
    /// Only this style
    #[arg(long, value_parser = values::style(), value_name = "STYLE")]
    style: Option<Style>,
    /// Only what concerns this symbol
    #[arg(long, value_name = "NAME")]
    symbol: Option<String>,
}

/// How a listing is printed.
#[derive(Debug, clap::Args)]
struct ListingShape {
    /// These columns, by name; a wrong name lists them all
    #[arg(long, value_name = "NAME,..", value_delimiter = ',')]
    columns: Option<Vec<String>>,
    /// As CSV: every column unless --columns says which, numbers in full
    #[arg(long)]
    csv: bool,
}

#[derive(Debug, clap::Args)]
struct RunsArguments {
    #[command(flatten)]
    history: HistoryArguments,
    /// By this column: numbers from the most to the least, text from a to z [default: newest first]
    #[arg(long, value_name = "COLUMN")]
    sort: Option<String>,
    #[command(flatten)]
    shape: ListingShape,
}

#[derive(Debug, clap::Args)]
struct Changes {
    #[command(flatten)]
    history: HistoryArguments,
    #[command(flatten)]
    shape: ListingShape,
}

#[derive(Debug, clap::Args)]
struct Params {
    /// Only this style
    #[arg(long, value_parser = values::style(), value_name = "STYLE")]
    style: Option<Style>,
    /// Only the scopes of this symbol
    #[arg(long, value_name = "NAME")]
    symbol: Option<String>,
    /// Show instead what the bot's rules make of the export for this symbol, e.g. BTCUSDT
    #[arg(long, value_name = "SYMBOL", conflicts_with_all = ["style", "symbol", "columns", "csv"])]
    resolve: Option<String>,
    /// How many trades the bot has closed [default: enough to be no beginner]
    #[arg(long, value_name = "N", requires = "resolve", value_parser = values::trades())]
    closed_trades: Option<u64>,
    /// Count the closed trades of this file, the bot's `trades_history.csv` or the same as JSON
    #[arg(long, value_name = "FILE", requires = "resolve", conflicts_with = "closed_trades")]
    trades: Option<PathBuf>,
    #[command(flatten)]
    shape: ListingShape,
}

impl Params {
    /// Returns how many trades the bot has closed, where that is said.
    fn closed_trades(&self) -> Result<Option<u64>, Failure> {
        let Some(file) = &self.trades else { return Ok(self.closed_trades) };
        // The bot's clock makes no difference here.
        let closed = read_bot_trades(file, 0)?.iter().filter(|trade| trade.profit.is_some()).count();
        Ok(Some(closed as u64))
    }
}

#[derive(Debug, clap::Args)]
struct LearnedArguments {
    /// Only this style
    #[arg(long, value_parser = values::style(), value_name = "STYLE")]
    style: Option<Style>,
    #[command(flatten)]
    shape: ListingShape,
}

#[derive(Debug, clap::Args)]
struct DiffArguments {
    /// The old run: its number, `last` or `previous`
    #[arg(default_value = "previous", value_name = "OLD")]
    old: RunRef,
    /// The new run
    #[arg(default_value = "last", value_name = "NEW")]
    new: RunRef,
    #[command(flatten)]
    shape: ListingShape,
}

#[derive(Debug, clap::Args)]
struct SpaceArguments {
    /// Of this run: its number, `last` or `previous` [default: the last that searched]
    #[arg(long, value_name = "RUN")]
    run: Option<RunRef>,
    /// Only this style
    #[arg(long, value_parser = values::style(), value_name = "STYLE")]
    style: Option<Style>,
    #[command(flatten)]
    shape: ListingShape,
}

#[derive(Debug, clap::Args)]
struct CacheArguments {
    /// Only the days of this symbol
    #[arg(long, value_name = "NAME")]
    symbol: Option<String>,
    #[command(flatten)]
    shape: ListingShape,
}

#[derive(Debug, clap::Args)]
struct Trials {
    #[command(flatten)]
    history: HistoryArguments,
    /// Only the best of each run and style
    #[arg(long)]
    best: bool,
    #[command(flatten)]
    quality: Quality,
    #[command(flatten)]
    shape: ListingShape,
}

/// Which trials are good enough, and their order.
#[derive(Debug, clap::Args)]
struct Quality {
    /// Only trials with so many trades
    #[arg(long, value_name = "N", value_parser = values::trades())]
    min_trades: Option<u64>,
    /// Only trials whose drawdown is not deeper, in percent
    #[arg(long, value_parser = values::drawdown, value_name = "PCT")]
    max_drawdown: Option<f64>,
    /// What comes first: the most, but for max_drawdown the least [default: rank in a run, score among all]
    #[arg(long, value_parser = values::sort_key(), value_name = "KEY")]
    sort: Option<SortKey>,
}

#[derive(Debug, clap::Args)]
struct TopArguments {
    /// Of this run: its number, `last` or `previous` [default: the last that searched]
    #[arg(long, value_name = "RUN")]
    run: Option<RunRef>,
    /// Only this style
    #[arg(long, value_parser = values::style(), value_name = "STYLE")]
    style: Option<Style>,
    /// At most so many per style
    #[arg(long, default_value = "10", value_name = "N", value_parser = values::limit())]
    limit: NonZeroUsize,
    /// Only the best of each style
    #[arg(long, conflicts_with = "limit")]
    best: bool,
    #[command(flatten)]
    quality: Quality,
    #[command(flatten)]
    shape: ListingShape,
}

impl HistoryArguments {
    fn filter(&self) -> HistoryFilter {
        HistoryFilter {
            limit: self.limit.get(),
            since: self.since,
            style: self.style,
            symbol: self.symbol.clone(),
        }
    }
}

impl Trials {
    fn filter(&self) -> TrialsFilter {
        TrialsFilter {
            history: self.history.filter(),
            best: self.best,
            trades_min: self.quality.min_trades,
            drawdown_max_pct: self.quality.max_drawdown,
            sort: self.quality.sort.unwrap_or(SortKey::Score),
        }
    }
}

impl TopArguments {
    fn filter(&self) -> TopFilter {
        TopFilter {
            run: self.run,
            style: self.style,
            limit: if self.best { 1 } else { self.limit.get() },
            trades_min: self.quality.min_trades,
            drawdown_max_pct: self.quality.max_drawdown,
            sort: self.quality.sort.unwrap_or(SortKey::Rank),
        }
    }
}

impl From<UnknownColumn> for Failure {
    fn from(error: UnknownColumn) -> Self {
        Self::new(code::USAGE, error.to_string())
    }
}

impl ListingShape {
    /// Prints a list as CSV, as the table of the columns asked for, as JSON, or as its text.
    fn print<T: Listed>(&self, context: &Context, data: T, text: fn(&T) -> String) -> Result<(), Failure> {
        if self.columns.is_none() && !self.csv {
            return context.print(data, text);
        }
        if context.global.json {
            let message = "--json holds every column: it goes with neither --columns nor --csv";
            return Err(Failure::new(code::USAGE, message));
        }
        let listing = data.listing();
        let listing =
            self.columns.as_ref().map_or_else(|| Ok(listing.clone()), |names| listing.select(names))?;
        match self.csv {
            true => super::output::print_verbatim(&listing.csv()),
            false if listing.rows() == 0 => super::output::print_result(&text(&data)),
            false => super::output::print_result(&listing.text()),
        }
    }
}

impl From<InspectError> for Failure {
    fn from(error: InspectError) -> Self {
        match error {
            InspectError::Store(error) => error.into(),
            InspectError::BotFile(error) => error.into(),
            error => {
                let failure = Self::new(code::USAGE, error.to_string());
                error.hint().into_iter().fold(failure, Self::hint)
            }
        }
    }
}

impl From<LegacyTradesError> for Failure {
    fn from(error: LegacyTradesError) -> Self {
        Self::new(code::DATA, chain(&error))
    }
}

impl From<LegacyOpportunitiesError> for Failure {
    fn from(error: LegacyOpportunitiesError) -> Self {
        Self::new(code::DATA, chain(&error))
    }
}

fn legacy(arguments: &Legacy) -> Result<InspectLegacyDocument, Failure> {
    let records = read_legacy_opportunities(&arguments.file)?;
    let params = match &arguments.params {
        Some(path) => ReportParams::from_config(&read_legacy_config(path)?.document),
        None => ReportParams::default(),
    };
    let (file, params_file) = (
        arguments.file.display().to_string(),
        arguments.params.as_ref().map(|path| path.display().to_string()),
    );
    Ok(InspectLegacyDocument::new(file, params_file, &opportunities_report(&records, &params)))
}

fn trades(
    context: &Context,
    arguments: &TradesArguments,
    file: &Path,
) -> Result<InspectTradesDocument, Failure> {
    let config = arguments.files.config(context, arguments.bad_rows.flags(), &arguments.data)?;
    let offset_ms = arguments.utc_offset;
    let at_ms = match &arguments.at {
        Some(text) => instant(text, 0).ok_or_else(|| {
            Failure::new(
                code::USAGE,
                format!("--at: expected a time such as \"2025-06-30 12:00\", found {text:?}"),
            )
        })?,
        None => context.now_ms,
    };
    let found = read_bot_trades(file, offset_ms)?;
    let records = arguments.opportunities.as_ref().map(|path| read_legacy_opportunities(path)).transpose()?;
    let timed = |record: &LegacyRecord| {
        let potential = record.max_potential_profit.or(record.objective_profit);
        Some(TimedOpportunity {
            coin: coin_of(&record.coin)?,
            at_ms: instant(&record.timestamp, offset_ms)?,
            potential_pct: potential.unwrap_or(0.0),
        })
    };
    let options = ReviewOptions {
        data: if arguments.data.is_empty() { config.data.paths.clone() } else { arguments.data.clone() },
        ingest: IngestOptions {
            base_interval: config.interval()?,
            on_conflict: on_conflict(None, &config),
            symbols: None,
            selection: config.selection()?,
            as_of_ms: at_ms.min(context.now_ms),
            room_bytes: config.memory_bytes()?.map(room_at_first),
            reading: config.reading()?,
        },
        opportunities: records.map(|records| records.iter().filter_map(timed).collect()),
        account: arguments.account,
        at_ms,
        limits: TimingLimits {
            match_ms: i64::from(arguments.match_minutes) * MINUTE_MS,
            ..TimingLimits::default()
        },
    };
    let style = arguments.style.unwrap_or(Style::ALL[0]);
    let plan = config.plan(&[style], DayLimits::default())?;
    let review = review_trades(&found, &plan, &options)?;
    Ok(InspectTradesDocument::new(file.display().to_string(), at_ms, &review))
}

pub(crate) fn run(context: &Context, arguments: &InspectArguments) -> Result<u8, Failure> {
    let topic = arguments.topic.as_ref().unwrap_or(&Topic::Overview);
    if let Topic::Trades(arguments) = topic {
        match (&arguments.file, arguments.run) {
            (Some(file), _) => {
                context.print(trades(context, arguments, file)?, InspectTradesDocument::text)?
            }
            (None, run) => {
                let of = (run.unwrap_or(RunRef::Last), arguments.rank, arguments.style);
                entries::set_trades(context, of, &arguments.shape)?;
            }
        }
        return Ok(0);
    }
    if let Topic::Signals(arguments) = topic {
        entries::signals(context, arguments)?;
        return Ok(0);
    }
    if let Topic::Legacy(arguments) = topic {
        context.print(legacy(arguments)?, InspectLegacyDocument::text)?;
        return Ok(0);
    }
    let view = context.view()?;
    let snapshot = view.read()?;
    let (profile, now_ms) = (context.global.profile.as_str(), context.now_ms);
    let may_browse = arguments.topic.is_none() && !arguments.no_browser && !context.global.json;
    if may_browse
        && browser::is_possible()
        && let Some(code) = browser::browse(view.read()?, profile)?
    {
        return Ok(code);
    }
    let store = context.store();
    let directory = store.display().to_string();
    match topic {
        Topic::Overview => {
            let command = command(&directory);
            let found = InspectOverviewDocument::read(&snapshot, directory, profile, &command, now_ms)?;
            context.print(found, InspectOverviewDocument::text)?;
        }
        Topic::Runs(RunsArguments { history, sort, shape }) => {
            let found = InspectRunsDocument::read(&snapshot, profile, &history.filter(), sort.as_deref())?;
            shape.print(context, found, InspectRunsDocument::text)?;
        }
        Topic::Run { id } => {
            let id = id.resolve(&snapshot, profile)?;
            let found = InspectRunDocument::read(&snapshot, profile, id)?;
            context.print(found, |found| found.text(context.global.verbose > 0))?;
        }
        Topic::Params(params @ Params { resolve: Some(symbol), .. }) => {
            let closed = params.closed_trades()?;
            let found = InspectResolveDocument::read(&snapshot, profile, symbol, closed)?;
            context.print(found, InspectResolveDocument::text)?;
        }
        Topic::Params(Params { style, symbol, shape, .. }) => {
            let found = InspectParamsDocument::read(&snapshot, profile, *style, symbol.as_deref(), now_ms)?;
            shape.print(context, found, InspectParamsDocument::text)?;
        }
        Topic::Changes(Changes { history, shape }) => {
            let found = InspectChangesDocument::read(&snapshot, profile, &history.filter())?;
            shape.print(context, found, InspectChangesDocument::text)?;
        }
        Topic::Diff(DiffArguments { old, new, shape }) => {
            let found = InspectDiffDocument::read(&snapshot, profile, *old, *new)?;
            shape.print(context, found, InspectDiffDocument::text)?;
        }
        Topic::Features(LearnedArguments { style, shape }) => {
            let found = InspectFeaturesDocument::read(&snapshot, profile, *style)?;
            shape.print(context, found, InspectFeaturesDocument::text)?;
        }
        Topic::Insights(LearnedArguments { style, shape }) => {
            let found = InspectInsightsDocument::read(&snapshot, profile, *style)?;
            shape.print(context, found, InspectInsightsDocument::text)?;
        }
        Topic::Importance(LearnedArguments { style, shape }) => {
            let found = InspectImportanceDocument::read(&snapshot, profile, *style)?;
            shape.print(context, found, InspectImportanceDocument::text)?;
        }
        Topic::Trials(trials) => {
            let found = InspectTrialsDocument::read(&snapshot, profile, &trials.filter())?;
            trials.shape.print(context, found, InspectTrialsDocument::text)?;
        }
        Topic::Top(top) => {
            let found = InspectTopDocument::read(&snapshot, profile, &top.filter())?;
            top.shape.print(context, found, InspectTopDocument::text)?;
        }
        Topic::Space(SpaceArguments { run, style, shape }) => {
            let found = InspectSpaceDocument::read(&snapshot, profile, *run, *style)?;
            shape.print(context, found, InspectSpaceDocument::text)?;
        }
        Topic::Cache(CacheArguments { symbol, shape }) => {
            let found = InspectCacheDocument::read(&snapshot, profile, None, symbol.as_deref())?;
            shape.print(context, found, InspectCacheDocument::text)?;
        }
        Topic::Store => {
            let found = InspectStoreDocument::read(&snapshot, directory, files(&store)?)?;
            context.print(found, InspectStoreDocument::text)?;
        }
        // Answered before the store is opened.
        Topic::Legacy(_) | Topic::Trades(_) | Topic::Signals(_) => {}
    }
    Ok(0)
}

/// Returns how the program is called for a store, to be typed.
fn command(directory: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    match directory {
        "optimizer-state" => "optimizer".to_owned(),
        directory if directory.chars().all(plain) => format!("optimizer --store {directory}"),
        directory => format!("optimizer --store '{}'", directory.replace('\'', r"'\''")),
    }
}

/// Lists the files of the store's directory, by name.
fn files(directory: &Path) -> Result<Vec<StoreFilePart>, Failure> {
    let listed = || -> std::io::Result<Vec<StoreFilePart>> {
        let mut files = Vec::new();
        for entry in std::fs::read_dir(directory)? {
            let entry = entry?;
            let found = entry.metadata()?;
            if found.is_file() {
                let name = entry.file_name().to_string_lossy().into_owned();
                files.push(StoreFilePart { name, bytes: found.len() });
            }
        }
        files.sort();
        Ok(files)
    };
    listed()
        .map_err(|error| Failure::new(code::IO, format!("cannot list `{}`: {error}", directory.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_to_type_survives_the_shell() {
        assert_eq!(command("optimizer-state"), "optimizer");
        assert_eq!(command("/var/lib/bot"), "optimizer --store /var/lib/bot");
        assert_eq!(command("it's here"), r"optimizer --store 'it'\''s here'");
    }
}
