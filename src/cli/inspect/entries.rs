//! `optimizer inspect signals` and `inspect trades --run`: entries with what was known at them, and the trades of a set.

use std::path::PathBuf;

use super::{ListingShape, RunRef};
use crate::cli::context::Context;
use crate::cli::failure::{Failure, code};
use crate::cli::files::FileArguments;
use crate::cli::incremental::{BadRows, on_conflict};
use crate::cli::values;
use crate::config::Config;
use crate::documents::inspect::{InspectSetTradesDocument, InspectSignalsDocument, number_of, run_of};
use crate::engine::plan::DayLimits;
use crate::ingest::SignalsFile;
use crate::model::{ParameterSet, Style};
use crate::run::RunOptions;
use crate::run::deep_validation::{ScrutinyOptions, trades_of_set};
use crate::run::entry_list::{columns_on, list_entries};
use crate::run::recall::parameter_set;
use crate::run::units::UnitCandles;
use crate::store::Snapshot;

#[derive(Debug, clap::Args)]
pub(super) struct SignalsArguments {
    /// File or folder of candles; repeatable [default: data.paths of the configuration]
    #[arg(long, value_name = "PATH")]
    data: Vec<PathBuf>,
    /// File of signals to list, instead of those derived from candles [default: signals.file of the configuration]
    #[arg(long, value_name = "FILE")]
    signals: Option<PathBuf>,
    /// Entries of this style
    #[arg(long, value_parser = values::style(), value_name = "STYLE")]
    style: Style,
    /// Outcomes under the exits of a set of this run: its number, `last` or `previous` [default: of the active parameters]
    #[arg(long, value_name = "RUN")]
    run: Option<RunRef>,
    /// Rank of that set, as `inspect top` lists it
    #[arg(long, value_name = "N", default_value = "1", requires = "run", value_parser = values::number::<u32>("the rank of a set such as 1; `optimizer inspect top` lists them"))]
    rank: u32,
    #[command(flatten)]
    bad_rows: BadRows,
    #[command(flatten)]
    files: FileArguments,
    #[command(flatten)]
    shape: ListingShape,
    /// Write every column to this Parquet file instead
    #[arg(long, value_name = "FILE", conflicts_with_all = ["csv", "columns"])]
    parquet: Option<PathBuf>,
}

/// Lists the entries of a style on candles.
pub(super) fn signals(context: &Context, arguments: &SignalsArguments) -> Result<(), Failure> {
    let quoted = |file: &PathBuf| toml::Value::String(file.to_string_lossy().into_owned()).to_string();
    let file = arguments.signals.iter().map(|file| ("signals.file", quoted(file)));
    let flags = file.chain(arguments.bad_rows.flags()).collect();
    let config = arguments.files.config(context, flags, &arguments.data)?;
    let style = arguments.style;
    let set = {
        let view = context.view()?;
        let snapshot = view.read()?;
        let profile = context.global.profile.as_str();
        match arguments.run {
            Some(run) => {
                let run = run.resolve(&snapshot, profile)?;
                set_of_rank(&snapshot, (profile, run, style), arguments.rank)?
            }
            None => active_set(&snapshot, profile, style)?,
        }
    };
    let paths = if arguments.data.is_empty() { &config.data.paths } else { &arguments.data };
    if paths.is_empty() {
        let message = "expected candles: --data PATH, or data.paths in a configuration file";
        return Err(Failure::new(code::USAGE, message));
    }
    let plan = config.plan(&[style], DayLimits::default())?;
    let given = match &config.signals.file {
        None => Vec::new(),
        Some(file) => {
            let read = SignalsFile::read(file, plan.interval, &plan.reading, None)?;
            read.numeric_columns().map(str::to_owned).collect()
        }
    };
    let columns = columns_on(&plan, given.iter().map(String::as_str));
    let plan = plan
        .listing(&set.exit, &columns)
        .map_err(|error| Failure::new(code::CONFIGURATION, error.to_string()))?;
    let options = RunOptions {
        signals: config.signals.file.clone(),
        on_conflict: on_conflict(None, &config),
        ..RunOptions::over(paths.clone(), context.now_ms)
    };
    let list = context.pool()?.install(|| -> Result<_, Failure> {
        Ok(list_entries(&plan, &UnitCandles::read(&plan, &options)?))
    })?;
    let document = InspectSignalsDocument::new(style.as_str(), &set, &list);
    match &arguments.parquet {
        None => arguments.shape.print(context, document, InspectSignalsDocument::text),
        Some(path) => write_parquet(context, &document, path),
    }
}

#[cfg(feature = "columnar")]
fn write_parquet(
    context: &Context,
    document: &InspectSignalsDocument,
    path: &std::path::Path,
) -> Result<(), Failure> {
    let bytes = crate::render::parquet::parquet_of(&crate::documents::inspect::Listed::listing(document));
    let bytes =
        bytes.map_err(|error| Failure::new(code::INTERNAL, format!("cannot write Parquet: {error}")))?;
    crate::cli::replace::replace_file(path, &bytes).map_err(|error| {
        Failure::new(code::IO, format!("cannot write `{}`: {error}", path.display()))
            .hint("check the folder, its permissions and the disk")
    })?;
    match context.global.quiet {
        true => Ok(()),
        false => crate::cli::output::print_result(&format!(
            "wrote {} entries to {}",
            document.entries.len(),
            path.display()
        )),
    }
}

#[cfg(not(feature = "columnar"))]
fn write_parquet(_: &Context, _: &InspectSignalsDocument, _: &std::path::Path) -> Result<(), Failure> {
    Err(Failure::new(
        code::USAGE,
        "--parquet: expected a program with the feature `columnar`, found one without",
    ))
}

/// Lists the trades of a set of a stored run.
pub(super) fn set_trades(
    context: &Context,
    (run, rank, style): (RunRef, u32, Option<Style>),
    shape: &ListingShape,
) -> Result<(), Failure> {
    let view = context.view()?;
    let snapshot = view.read()?;
    let profile = context.global.profile.as_str();
    let run = number_of(&snapshot, profile, Some(run))?;
    let (run, record) = run_of(&snapshot, profile, run)?;
    let of_run = |style: &Style| record.styles.iter().any(|known| known.style == style.as_str());
    let styles: Vec<Style> = Style::ALL.into_iter().filter(of_run).collect();
    let style = match (style, &styles[..]) {
        (Some(style), _) => style,
        (None, [style]) => *style,
        (None, all) => {
            let all: Vec<&str> = all.iter().map(|style| style.as_str()).collect();
            let message =
                format!("--style: expected one of those of run {run}: {}, found none", all.join(", "));
            return Err(Failure::new(code::USAGE, message));
        }
    };
    let set = set_of_rank(&snapshot, (profile, run, style), rank)?;
    let (first, end) = record.asked_days();
    let config =
        Config::from_texts(&[(format!("the configuration of run {run}"), record.config_toml.clone())])?;
    let plan = config.plan(&styles, DayLimits { first, end, window_days: None })?;
    let options = ScrutinyOptions {
        store: context.store(),
        profile: profile.to_owned(),
        run,
        style: Some(style),
        signals: config.signals.file.clone(),
        full: false,
        now_ms: context.now_ms,
    };
    let found = context.pool()?.install(|| trades_of_set(&record, &plan, style, &set, &options))?;
    let trades = found.map_err(|why| {
        Failure::new(code::USAGE, format!("the trades of run {run} cannot be told again: {why}"))
            .hint("a run keeps the units of its days until later ones need the room")
    })?;
    let document = InspectSetTradesDocument::new(profile, (run, style.as_str(), rank), &set, &trades);
    shape.print(context, document, InspectSetTradesDocument::text)
}

/// Returns a set by its rank among the trials that a run keeps.
fn set_of_rank(
    snapshot: &Snapshot<'_>,
    (profile, run, style): (&str, u64, Style),
    rank: u32,
) -> Result<ParameterSet, Failure> {
    let trials = snapshot.trials(profile, run, style)?.map(|found| found.trials).unwrap_or_default();
    let found = trials.iter().find(|trial| trial.rank == rank);
    found.map(|trial| parameter_set(&trial.set)).ok_or_else(|| {
        let kept = match trials.len() {
            0 => format!("no trials of {style} in run {run}"),
            count => format!("1 to {count} of {style} in run {run}"),
        };
        Failure::new(
            code::USAGE,
            format!("--rank: expected the rank of a set that is kept, found {rank}; there are {kept}"),
        )
        .hint("`optimizer inspect top --run RUN` lists them")
    })
}

/// Returns the active parameters of a style.
fn active_set(snapshot: &Snapshot<'_>, profile: &str, style: Style) -> Result<ParameterSet, Failure> {
    let active = snapshot.params(profile, style.as_str())?;
    active.map(|record| parameter_set(&record.set)).ok_or_else(|| {
        Failure::new(
            code::USAGE,
            format!("expected active {style} parameters, whose exits make the outcomes, found none in profile {profile:?}"),
        )
        .hint("--run RUN and --rank N name the set of a run")
    })
}
