//! `optimizer demo`: a first run, on made-up candles with something to find or nothing.

mod market;

use std::path::{Path, PathBuf};

use clap::Parser;

use super::context::{Context, shell_quoted};
use super::failure::{Failure, code};
use super::incremental::{self, IncrementalArguments};
use super::output::print_result;
use crate::store::make_folders;
use market::{DRIFT, DRIFT_HOURS, DemoMarket, SCORE_KNOWS, end_ms};

#[derive(Debug, clap::Args)]
pub(crate) struct DemoArguments {
    /// Candles and signals with nothing to find, for contrast
    #[arg(long)]
    noise: bool,
    /// Folder for candles, signals, configuration, store and report; it must not hold anything yet [default: a new
    /// one among the temporary files]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

/// What `incremental` is asked for, as if it had been typed.
#[derive(Debug, Parser)]
struct Typed {
    #[command(flatten)]
    arguments: IncrementalArguments,
}

/// Tries for a name of a folder that nobody has.
const NAMES_MAX: u32 = 1_000;

pub(crate) fn run(context: &Context, arguments: &DemoArguments) -> Result<u8, Failure> {
    let folder = match &arguments.dir {
        Some(folder) => empty_folder(folder)?,
        None => new_folder()?,
    };
    let market = DemoMarket::new(!arguments.noise);
    let config = folder.join("optimizer.toml");
    write_inputs(&folder, &config, &market)?;
    let is_text = !context.global.json && !context.global.quiet;
    if is_text {
        print_result(&introduction(arguments, &folder, &market))?;
    }
    let inside = context.apart(config, folder.join("store"), end_ms());
    let typed = Typed::try_parse_from(["incremental", "--style", "swing", "--no-notify"]);
    let typed = typed.map_err(|error| Failure::new(code::INTERNAL, error.to_string()))?;
    let ended = incremental::run(&inside, &typed.arguments)?;
    let expected = if arguments.noise { [11, 12] } else { [10, 10] };
    if !expected.contains(&ended) {
        let message = format!("expected the demonstration to exit {}, found {ended}", expected[1]);
        return Err(Failure::new(code::INTERNAL, message));
    }
    let report = write_report(&inside, &folder)?;
    if is_text {
        print_result(&last_lines(context, arguments, report.as_deref()))?;
    }
    Ok(0)
}

/// Makes a folder of the user's choice, or takes one that holds nothing.
fn empty_folder(folder: &Path) -> Result<PathBuf, Failure> {
    let unusable = |found: &str| {
        let message =
            format!("--dir: expected a folder that holds nothing yet, found {found} `{}`", folder.display());
        Failure::new(code::USAGE, message).hint("name another one, or remove it first")
    };
    match std::fs::read_dir(folder).map(|mut entries| entries.next().is_some()) {
        Ok(true) => return Err(unusable("files in")),
        Ok(false) => (),
        Err(_) if folder.symlink_metadata().is_ok() => return Err(unusable("something else at")),
        Err(_) => make_folders(folder, 0o777).map_err(|error| unwritten(folder, &error))?,
    }
    std::path::absolute(folder).map_err(|error| unwritten(folder, &error))
}

/// Makes a folder among the temporary files; nobody else's is taken.
fn new_folder() -> Result<PathBuf, Failure> {
    let parent = std::env::temp_dir();
    let mut builder = std::fs::DirBuilder::new();
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    for number in 1..=NAMES_MAX {
        let folder = parent.join(format!("optimizer-demo-{number}"));
        match builder.create(&folder) {
            Ok(()) => return Ok(folder),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => (),
            Err(error) => return Err(unwritten(&folder, &error)),
        }
    }
    let message =
        format!("expected room for a folder `optimizer-demo-N` in `{}`, found {NAMES_MAX}", parent.display());
    Err(Failure::new(code::IO, message)
        .hint("remove those of earlier demonstrations, or name a folder with --dir"))
}

fn unwritten(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(code::IO, format!("cannot write `{}`: {error}", path.display()))
        .hint("--dir names another folder; check its permissions and the disk")
}

fn write_inputs(folder: &Path, config: &Path, market: &DemoMarket) -> Result<(), Failure> {
    let candles = folder.join("candles");
    make_folders(&candles, 0o777).map_err(|error| unwritten(&candles, &error))?;
    let write = |path: &Path, text: &str| std::fs::write(path, text).map_err(|error| unwritten(path, &error));
    for file in &market.candles {
        write(&candles.join(&file.name), &file.csv)?;
    }
    let signals = folder.join("signals.csv");
    write(&signals, &market.signals)?;
    write(config, &configuration(&candles, &signals))
}

/// Returns the configuration: a small grid of exits, and the score as a filter.
fn configuration(candles: &Path, signals: &Path) -> String {
    let quoted = |path: &Path| toml::Value::String(path.display().to_string());
    format!(
        "# Made by `optimizer demo`.\n[data]\npaths = [{}]\nbase_interval = \"1h\"\n\n[signals]\nfile = {}\n\n\
         [style.swing.space]\natr_tp_multiplier = [2.0, 4.0]\natr_stop_multiplier = [2.0, 4.0]\n\
         max_holding_hours = [6, 12, 24]\n\n[[style.swing.filters]]\nkey = \"min_score\"\n\
         column = \"signals.score\"\nat_least = [0.0, 0.4, 0.6, 0.8]\n\n[symbols]\nown_parameters = false\n\n\
         [limits]\npriority = \"normal\"\n",
        quoted(candles),
        quoted(signals)
    )
}

fn introduction(arguments: &DemoArguments, folder: &Path, market: &DemoMarket) -> String {
    let planted = match arguments.noise {
        true => "nothing: prices do not care about the signals".to_owned(),
        false => format!(
            "after a score of {SCORE_KNOWS} and more prices drift {:.1} % to the signal's side within {DRIFT_HOURS} hours",
            100.0 * DRIFT
        ),
    };
    format!(
        "made-up market in {}: {} symbols, {} signals with a score\nplanted: {planted}\n",
        folder.display(),
        market.candles.len(),
        market.signal_count
    )
}

/// Writes the report, where this program writes pages; returns where it is.
#[cfg(feature = "html")]
fn write_report(inside: &Context, folder: &Path) -> Result<Option<PathBuf>, Failure> {
    let page = folder.join("report.html");
    super::report::write_last(inside, &page)?;
    Ok(Some(page))
}

#[cfg(not(feature = "html"))]
fn write_report(_: &Context, _: &Path) -> Result<Option<PathBuf>, Failure> {
    Ok(None)
}

/// Returns where the report is, and what to type next: the contrast, then one's own candles.
fn last_lines(context: &Context, arguments: &DemoArguments, report: Option<&Path>) -> String {
    let page = report.map(|page| format!("report: {}\n", shell_quoted(page))).unwrap_or_default();
    let next = match arguments.noise {
        true => context.plain_command("init"),
        false => context.plain_command("demo --noise"),
    };
    format!("{page}next: {next}")
}
