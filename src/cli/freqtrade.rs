//! `optimizer export-freqtrade`: the active parameters of a style in a strategy's parameter file, and the word to the bot.

#[cfg(feature = "notify")]
mod bot;
pub(crate) mod import;

use std::path::{Path, PathBuf};

use super::context::Context;
use super::export::{existing_file, held_back, is_known};
use super::failure::{Failure, code};
use super::replace::{backup_of, replace_and_keep, replace_none};
use crate::bot::export_gate::{Doubt, find_doubts, force};
use crate::bot::freqtrade::{FreqtradeMap, MapError, ParamsFile, ParamsFileError, class_in, params_id};
use crate::documents::export_freqtrade::ExportFreqtradeDocument;
use crate::documents::inspect::require_profile;
use crate::ingest::read_whole;
use crate::model::{ParameterSet, Style};
use crate::run::recall::parameter_set;
use crate::store::records::ParamsRecord;

/// Most bytes of a map, and of a strategy's source.
const TEXT_BYTES_MAX: u64 = 4 << 20;
/// Exit code when open trades keep the file as it is.
const WAITS: u8 = 11;
/// Exit code when nothing is active, what is active was judged to be bad, or the file is somebody else's.
const REFUSED: u8 = 12;

/// When a file may be written that a bot reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum ExportWhen {
    /// At once
    Now,
    /// Only while the bot has no open trade (asks it; needs --api)
    Flat,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ExportFreqtradeArguments {
    /// Class of the strategy; the file must be its own, or the bot would not start
    #[arg(long, value_name = "NAME")]
    strategy: String,
    /// TOML file that says which filter goes to which parameter
    #[arg(long, value_name = "FILE")]
    map: PathBuf,
    /// Parameter file of the strategy, beside its source: user_data/strategies/NAME.json
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// Style whose parameters are handed over [default: the only one that has any]
    #[arg(long, value_name = "STYLE")]
    style: Option<String>,
    /// Write nothing; exit 1 when the file does not hold the active parameters
    #[arg(long)]
    check: bool,
    /// Write nothing; show each value that would change; exit 1 when there is one
    #[arg(long, conflicts_with = "check")]
    diff: bool,
    /// Also over a file that was not written by an export, which is kept as FILE.bak, and active parameters that were judged to be
    /// bad; the history will say so
    #[arg(long, conflicts_with_all = ["check", "diff"])]
    force: bool,
    /// Address of the bot's API, e.g. http://127.0.0.1:8080; it reads the file again after a change (user and password in
    /// OPTIMIZER_FREQTRADE_USER and OPTIMIZER_FREQTRADE_PASSWORD)
    #[arg(long, value_name = "URL")]
    api: Option<String>,
    /// When to write
    #[arg(long, value_enum, default_value_t = ExportWhen::Now, value_name = "WHEN")]
    when: ExportWhen,
    /// Do not bring a stop nearer while the bot has open trades (asks it; needs --api)
    #[arg(long)]
    never_tighten: bool,
}

pub(crate) fn run(context: &Context, arguments: &ExportFreqtradeArguments) -> Result<u8, Failure> {
    let (profile, path) = (context.global.profile.as_str(), arguments.output.as_path());
    if arguments.api.is_none() && (arguments.when == ExportWhen::Flat || arguments.never_tighten) {
        let flag = if arguments.when == ExportWhen::Flat { "--when flat" } else { "--never-tighten" };
        return Err(Failure::new(
            code::USAGE,
            format!("{flag}: expected --api, the bot that is asked, found none"),
        ));
    }
    let map = FreqtradeMap::parse(&text_of(&arguments.map)?)
        .map_err(|error| map_failure(&arguments.map, &error))?;
    has_class(path, &arguments.strategy)?;
    let view = context.current_view()?;
    require_profile(&view.read()?, profile)?;
    let all = view.read()?.params_all(profile)?;
    let active = Active::find(&all, arguments.style.as_deref(), profile)?;
    let spaces = map.spaces_of(&active.set).map_err(|error| map_failure(&arguments.map, &error))?;
    let found = existing_file(path, arguments.check || arguments.diff)?;
    let old = match &found {
        Some(bytes) => {
            Some(ParamsFile::parse(bytes, &arguments.strategy).map_err(|error| file_failure(path, &error))?)
        }
        None => None,
    };
    let before = old.clone().unwrap_or_else(|| ParamsFile::new(&arguments.strategy));
    let wanted = before.with(&spaces);
    let changes = before.changes_to(&wanted);
    let mut document = ExportFreqtradeDocument {
        profile: profile.to_owned(),
        file: path.display().to_string(),
        strategy: arguments.strategy.clone(),
        style: active.style.to_string(),
        params_id: params_id(&active.set),
        exists: old.is_some(),
        changes,
        written: false,
        reloaded: false,
    };
    if arguments.check || arguments.diff {
        let differs = document.is_due();
        if arguments.diff || context.global.json {
            context.print(document, ExportFreqtradeDocument::text)?;
        }
        return Ok(if differs { code::ATTENTION } else { 0 });
    }
    if document.is_due() {
        let doubts = find_doubts(&view.read()?, profile)?.into_iter();
        let doubts: Vec<Doubt> = doubts.filter(|doubt| doubt.style == active.style).collect();
        let foreign = old.as_ref().is_some_and(|old| !old.is_ours())
            && !found.as_ref().is_some_and(|bytes| is_known(context, bytes));
        if !arguments.force {
            may_write(&doubts, path, foreign)?;
        }
        if let Some(waits) = held_by_open_trades(arguments, &before, &wanted)? {
            return Err(waits);
        }
        if arguments.force && !doubts.is_empty() {
            force(
                context.location()?,
                profile,
                &[active.style],
                &path.display().to_string(),
                context.now_ms,
            )?;
        }
        let text = wanted.text(&document.params_id, active.record.adopted_at_ms, context.now_ms);
        let written = match &found {
            Some(old) => replace_and_keep(path, text.as_bytes(), old),
            None => replace_none(path, text.as_bytes()),
        };
        written.map_err(|error| {
            Failure::new(code::IO, format!("cannot write `{}`: {error}", path.display()))
                .hint("the file is as it was; check the folder, its permissions and the disk")
        })?;
        document.written = true;
        document.reloaded = reload(arguments)?;
    }
    if !context.global.quiet || context.global.json {
        context.print(document, ExportFreqtradeDocument::text)?;
    }
    Ok(0)
}

/// Active parameters of a style.
struct Active<'a> {
    style: Style,
    record: &'a ParamsRecord,
    set: ParameterSet,
}

impl<'a> Active<'a> {
    fn find(all: &'a [(String, ParamsRecord)], asked: Option<&str>, profile: &str) -> Result<Self, Failure> {
        let of_styles = Style::ALL.into_iter().filter_map(|style| {
            all.iter().find(|(scope, _)| scope == style.as_str()).map(|(_, record)| (style, record))
        });
        let known: Vec<(Style, &ParamsRecord)> = of_styles.collect();
        let names: Vec<&str> = known.iter().map(|(style, _)| style.as_str()).collect();
        let wanted = match asked {
            Some(asked) => known.iter().find(|(style, _)| style.as_str() == asked),
            None if known.len() > 1 => {
                let message = format!(
                    "--style: expected one of {}, which all have active parameters",
                    names.join(", ")
                );
                return Err(Failure::new(code::USAGE, message).hint("a strategy trades one of them"));
            }
            None => known.first(),
        };
        let Some((style, record)) = wanted else {
            let of = asked.map_or_else(String::new, |asked| format!(" of style {asked}"));
            let message =
                format!("profile {profile:?} has no active parameters{of}, so there is nothing to export");
            return Err(Failure::new(REFUSED, message)
                .hint("`optimizer adopt` activates the candidate of a run; `optimizer inspect` says what the last run found"));
        };
        Ok(Self { style: *style, record, set: parameter_set(&record.set) })
    }
}

/// Returns nothing where a file may be written without force.
fn may_write(doubts: &[Doubt], path: &Path, foreign: bool) -> Result<(), Failure> {
    if !doubts.is_empty() {
        return Err(held_back(doubts));
    }
    if foreign {
        let message =
            format!("`{}` was written by somebody else, and some of its values would change", path.display());
        let hint = format!(
            "nothing was written; --diff shows what would change, --force writes it and keeps `{}`",
            backup_of(path).display()
        );
        return Err(Failure::new(REFUSED, message).hint(hint));
    }
    Ok(())
}

/// A file that names a class which is not there keeps the bot from starting.
fn has_class(path: &Path, strategy: &str) -> Result<(), Failure> {
    let is_name = !strategy.is_empty() && strategy.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !is_name {
        let message = format!("--strategy: expected the name of a class, found {strategy:?}");
        return Err(Failure::new(code::USAGE, message));
    }
    let source = path.with_extension("py");
    let bytes = match read_whole(&source, TEXT_BYTES_MAX) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let message = format!(
                "-o: expected the parameter file beside the strategy's source, found no `{}`",
                source.display()
            );
            return Err(Failure::new(code::USAGE, message).hint(
                "freqtrade reads NAME.json beside NAME.py, the file that holds the class; write it there, or name it after the file",
            ));
        }
        Err(error) => {
            return Err(Failure::new(code::IO, format!("cannot read `{}`: {error}", source.display())));
        }
    };
    match class_in(&String::from_utf8_lossy(&bytes), strategy) {
        true => Ok(()),
        false => {
            let message =
                format!("--strategy: expected a class of `{}`, found no class {strategy}", source.display());
            Err(Failure::new(code::USAGE, message)
                .hint("with another name in its parameter file the bot would not start"))
        }
    }
}

fn text_of(path: &Path) -> Result<String, Failure> {
    let bytes = read_whole(path, TEXT_BYTES_MAX).map_err(|error| {
        Failure::new(code::IO, format!("cannot read the map `{}`: {error}", path.display()))
            .hint("it is a TOML file of your own; docs/howto/freqtrade.md describes it")
    })?;
    String::from_utf8(bytes).map_err(|_| {
        Failure::new(
            code::CONFIGURATION,
            format!("{}: expected UTF-8 text, found other bytes", path.display()),
        )
    })
}

fn map_failure(map: &Path, error: &MapError) -> Failure {
    Failure::new(code::CONFIGURATION, format!("{}: {error}", map.display()))
        .hint("nothing was written; docs/howto/freqtrade.md describes the map")
}

fn file_failure(path: &Path, error: &ParamsFileError) -> Failure {
    Failure::new(code::DATA, format!("{}: {error}", path.display()))
        .hint("nothing was written; move the file away, or name the strategy that it is of")
}

/// Returns why open trades keep the file as it is, if they do.
fn held_by_open_trades(
    arguments: &ExportFreqtradeArguments,
    before: &ParamsFile,
    wanted: &ParamsFile,
) -> Result<Option<Failure>, Failure> {
    let tightens = match (before.stop(), wanted.stop()) {
        (Some(old), Some(new)) => new > old,
        _ => false,
    };
    if arguments.when == ExportWhen::Now && !(arguments.never_tighten && tightens) {
        return Ok(None);
    }
    let open = open_trades(arguments)?;
    if open == 0 {
        return Ok(None);
    }
    let trades = if open == 1 { "1 open trade".to_owned() } else { format!("{open} open trades") };
    let message = match arguments.when {
        ExportWhen::Flat => format!("the bot has {trades}: the file waits until it has none (--when flat)"),
        ExportWhen::Now => format!("the bot has {trades}, and the new stop is nearer (--never-tighten)"),
    };
    Ok(Some(Failure::new(WAITS, message).hint("nothing was written; run the command again later")))
}

#[cfg(feature = "notify")]
fn open_trades(arguments: &ExportFreqtradeArguments) -> Result<usize, Failure> {
    bot::Bot::of(arguments.api.as_deref().unwrap_or_default())?.open_trades()
}

#[cfg(feature = "notify")]
fn reload(arguments: &ExportFreqtradeArguments) -> Result<bool, Failure> {
    let Some(api) = arguments.api.as_deref() else { return Ok(false) };
    bot::Bot::of(api)?.reload().map(|()| true)
}

#[cfg(not(feature = "notify"))]
fn open_trades(_: &ExportFreqtradeArguments) -> Result<usize, Failure> {
    Err(without_notify())
}

#[cfg(not(feature = "notify"))]
fn reload(arguments: &ExportFreqtradeArguments) -> Result<bool, Failure> {
    if arguments.api.is_some() { Err(without_notify()) } else { Ok(false) }
}

#[cfg(not(feature = "notify"))]
fn without_notify() -> Failure {
    Failure::new(code::USAGE, "--api: expected a program with the feature `notify`, found one without")
}
