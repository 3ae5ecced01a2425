//! `optimizer inspect`: browse what is stored. Reads the published view only, and writes nothing.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use clap::builder::{PossibleValuesParser, TypedValueParser};

use super::context::Context;
use super::failure::{Failure, chain, code};
use super::incremental::on_conflict;
use crate::ingest::{
    IngestOptions, LegacyOpportunitiesError, LegacyRecord, LegacyTradesError, coin_of, instant,
    read_legacy_config, read_legacy_opportunities, read_legacy_trades,
};
use crate::legacy::report::{ReportParams, report};
use crate::legacy::timing::{TimedOpportunity, TimingLimits};
use crate::model::{Day, HOUR_MS, MINUTE_MS, Style};
use crate::present::inspect::{
    HistoryFilter, InspectCacheDocument, InspectChangesDocument, InspectError, InspectLegacyDocument,
    InspectOverviewDocument, InspectParamsDocument, InspectRunDocument, InspectRunsDocument,
    InspectStoreDocument, InspectTopDocument, InspectTradesDocument, SortKey, StoreFilePart, TopFilter,
};
use crate::run::plan::DayLimits;
use crate::run::trade_review::{ReviewOptions, review};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    topic: Option<Topic>,
}

#[derive(Debug, clap::Subcommand)]
enum Topic {
    /// Where every profile stands, and what to type next (the default)
    Overview,
    /// The runs, newest first
    Runs(History),
    /// Everything about one run; -v adds its configuration
    Run {
        /// Number of the run
        id: u64,
    },
    /// The parameters in force
    Params {
        /// Only this style
        #[arg(long, value_parser = style(), value_name = "STYLE")]
        style: Option<Style>,
    },
    /// What changed in the parameters, newest first; --limit counts adoptions
    Changes(History),
    /// The best trials of a run
    Top(Top),
    /// What is kept of evaluated units, and why the last run evaluated some
    Cache,
    /// Tables, files and identity of the store
    Store,
    /// What the legacy system says about its own opportunities; needs no store
    Legacy(Legacy),
    /// Pauses, entries and exits of the trades a bot wrote down; needs no store
    Trades(Trades),
}

#[derive(Debug, clap::Args)]
struct Trades {
    /// The bot's `trades_history.csv`, or the same as JSON
    file: PathBuf,
    /// File or folder of candles, to look after exits and for opportunities; repeatable [default: data.paths of the
    /// configuration]
    #[arg(long, value_name = "PATH")]
    data: Vec<PathBuf>,
    /// Take the opportunities from this JSON file of the legacy system instead
    #[arg(long, value_name = "FILE")]
    opportunities: Option<PathBuf>,
    /// Look for opportunities of this style
    #[arg(long, default_value = "scalping", value_parser = style(), value_name = "STYLE")]
    style: Style,
    /// What the account is worth, in the currency of the profits; without it every pause is of level 1
    #[arg(long, value_parser = amount, value_name = "AMOUNT")]
    account: Option<f64>,
    /// Review as of this instant, e.g. "2025-06-30 12:00" [default: now]
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// What the bot's clock is ahead of UTC, e.g. +08:00
    #[arg(long, default_value = "+00:00", value_parser = offset_ms, allow_hyphen_values = true, value_name = "+HH:MM")]
    utc_offset: i64,
    /// A trade belongs to a signal or an opportunity so many minutes before or after it
    #[arg(long, default_value = "5", value_parser = clap::value_parser!(u16).range(0..=1440), value_name = "N")]
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
struct History {
    /// At most so many
    #[arg(long, default_value = "20", value_name = "N")]
    limit: NonZeroUsize,
    /// Only runs that began on this day (UTC) or later
    #[arg(long, value_parser = day, value_name = "YYYY-MM-DD")]
    since: Option<Day>,
    /// Only this style
    #[arg(long, value_parser = style(), value_name = "STYLE")]
    style: Option<Style>,
}

#[derive(Debug, clap::Args)]
struct Top {
    /// Of this run [default: the last]
    #[arg(long, value_name = "ID")]
    run: Option<u64>,
    /// Only this style
    #[arg(long, value_parser = style(), value_name = "STYLE")]
    style: Option<Style>,
    /// At most so many per style
    #[arg(long, default_value = "10", value_name = "N")]
    limit: NonZeroUsize,
    /// Only the best of each style
    #[arg(long, conflicts_with = "limit")]
    best: bool,
    /// Only trials with so many trades
    #[arg(long, value_name = "N")]
    min_trades: Option<u64>,
    /// Only trials whose drawdown is not deeper, in percent
    #[arg(long, value_parser = drawdown, value_name = "PCT")]
    max_drawdown: Option<f64>,
    /// What comes first: the most, but for max_drawdown the least
    #[arg(long, default_value = "score", value_parser = sort_key(), value_name = "KEY")]
    sort: SortKey,
}

pub(crate) fn style() -> impl TypedValueParser<Value = Style> {
    let named = |name: String| Style::ALL.into_iter().find(|style| style.as_str() == name);
    PossibleValuesParser::new(Style::ALL.map(Style::as_str))
        .map(move |name| named(name).expect("every possible value is a style"))
}

fn sort_key() -> impl TypedValueParser<Value = SortKey> {
    let named = |name: String| SortKey::ALL.into_iter().find(|key| key.as_str() == name);
    PossibleValuesParser::new(SortKey::ALL.map(SortKey::as_str))
        .map(move |name| named(name).expect("every possible value is a key"))
}

fn day(text: &str) -> Result<Day, String> {
    Day::parse(text).ok_or_else(|| "expected a day such as 2025-01-31".to_owned())
}

fn drawdown(text: &str) -> Result<f64, String> {
    let percent = text.parse().ok().filter(|percent: &f64| *percent >= 0.0 && percent.is_finite());
    percent.ok_or_else(|| "expected percent, such as 25".to_owned())
}

fn amount(text: &str) -> Result<f64, String> {
    let amount = text.parse().ok().filter(|amount: &f64| *amount > 0.0 && amount.is_finite());
    amount.ok_or_else(|| "expected an amount such as 250".to_owned())
}

/// Parses `+08:00` or `-03:30`.
fn offset_ms(text: &str) -> Result<i64, String> {
    let (sign, clock) = match text.split_at_checked(1) {
        Some(("+", clock)) => (1, clock),
        Some(("-", clock)) => (-1, clock),
        _ => (1, text),
    };
    let (hours, minutes) = clock.split_once(':').unwrap_or((clock, "0"));
    let within = |text: &str, most: i64| text.parse().ok().filter(|value: &i64| (0..=most).contains(value));
    let parts = within(hours, 14).zip(within(minutes, 59));
    let offset = parts.map(|(hours, minutes)| sign * (hours * HOUR_MS + minutes * MINUTE_MS));
    offset.ok_or_else(|| "expected hours and minutes ahead of UTC such as +08:00".to_owned())
}

impl History {
    fn filter(&self) -> HistoryFilter {
        HistoryFilter { limit: self.limit.get(), since: self.since, style: self.style }
    }
}

impl Top {
    fn filter(&self) -> TopFilter {
        TopFilter {
            run: self.run,
            style: self.style,
            limit: if self.best { 1 } else { self.limit.get() },
            trades_min: self.min_trades,
            drawdown_max_pct: self.max_drawdown,
            sort: self.sort,
        }
    }
}

impl From<InspectError> for Failure {
    fn from(error: InspectError) -> Self {
        match error {
            InspectError::Store(error) => error.into(),
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
        Some(path) => ReportParams::from_config(&read_legacy_config(path)?),
        None => ReportParams::default(),
    };
    let (file, params_file) = (
        arguments.file.display().to_string(),
        arguments.params.as_ref().map(|path| path.display().to_string()),
    );
    Ok(InspectLegacyDocument::new(file, params_file, &report(&records, &params)))
}

fn trades(context: &Context, arguments: &Trades) -> Result<InspectTradesDocument, Failure> {
    let (config, offset_ms) = (context.config(&[])?, arguments.utc_offset);
    let at_ms = match &arguments.at {
        Some(text) => instant(text, 0).ok_or_else(|| {
            Failure::new(
                code::USAGE,
                format!("--at: expected a time such as \"2025-06-30 12:00\", found {text:?}"),
            )
        })?,
        None => context.now_ms,
    };
    let found = read_legacy_trades(&arguments.file, offset_ms)?;
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
            as_of_ms: at_ms.min(context.now_ms),
        },
        opportunities: records.map(|records| records.iter().filter_map(timed).collect()),
        account: arguments.account,
        at_ms,
        limits: TimingLimits {
            match_ms: i64::from(arguments.match_minutes) * MINUTE_MS,
            ..TimingLimits::default()
        },
    };
    let plan = config.plan(&[arguments.style], DayLimits::default())?;
    let review = review(&found, &plan, &options)?;
    Ok(InspectTradesDocument::new(arguments.file.display().to_string(), at_ms, &review))
}

pub(crate) fn run(context: &Context, arguments: &Arguments) -> Result<u8, Failure> {
    let topic = arguments.topic.as_ref().unwrap_or(&Topic::Overview);
    if let Topic::Trades(arguments) = topic {
        context.print(trades(context, arguments)?, InspectTradesDocument::text)?;
        return Ok(0);
    }
    if let Topic::Legacy(arguments) = topic {
        context.print(legacy(arguments)?, InspectLegacyDocument::text)?;
        return Ok(0);
    }
    let view = context.view()?;
    let snapshot = view.read()?;
    let (profile, now_ms) = (context.global.profile.as_str(), context.now_ms);
    let store = context.store();
    let directory = store.display().to_string();
    match topic {
        Topic::Overview => {
            let command = command(&directory);
            let found = InspectOverviewDocument::read(&snapshot, directory, profile, &command, now_ms)?;
            context.print(found, InspectOverviewDocument::text)?;
        }
        Topic::Runs(history) => {
            let found = InspectRunsDocument::read(&snapshot, profile, &history.filter())?;
            context.print(found, InspectRunsDocument::text)?;
        }
        Topic::Run { id } => {
            let found = InspectRunDocument::read(&snapshot, profile, *id)?;
            context.print(found, |found| found.text(context.global.verbose > 0))?;
        }
        Topic::Params { style } => {
            let found = InspectParamsDocument::read(&snapshot, profile, *style, now_ms)?;
            context.print(found, InspectParamsDocument::text)?;
        }
        Topic::Changes(history) => {
            let found = InspectChangesDocument::read(&snapshot, profile, &history.filter())?;
            context.print(found, InspectChangesDocument::text)?;
        }
        Topic::Top(top) => {
            let found = InspectTopDocument::read(&snapshot, profile, &top.filter())?;
            context.print(found, InspectTopDocument::text)?;
        }
        Topic::Cache => {
            let found = InspectCacheDocument::read(&snapshot, profile)?;
            context.print(found, InspectCacheDocument::text)?;
        }
        Topic::Store => {
            let found = InspectStoreDocument::read(&snapshot, directory, files(&store)?)?;
            context.print(found, InspectStoreDocument::text)?;
        }
        // Answered before the store is opened.
        Topic::Legacy(_) | Topic::Trades(_) => {}
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
