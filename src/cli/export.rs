//! `optimizer export-json`: the bot's file, written atomically, and only where nothing of somebody else's is lost.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::context::Context;
use super::failure::{Failure, code};
use super::replace::{backup_of, replace_and_keep, replace_none};
use crate::bot::export_gate::{Doubt, find_doubts, force, has_active};
use crate::bot::{BotFile, bot_file, find_differences};
use crate::documents::export::ExportDiffDocument;
use crate::documents::inspect::require_profile;
use crate::ingest::{LEGACY_FILE_BYTES_MAX, LegacyConfig, parse_legacy_config, read_whole};
use crate::model::Style;
use crate::store::bot_file::{self, FileOrigin, Mark};

#[derive(Debug, clap::Args)]
pub(crate) struct ExportArguments {
    /// File to write; "-" for stdout
    #[arg(short, long, default_value = "learning_config.json", value_name = "FILE")]
    output: PathBuf,
    /// Write nothing; exit 1 when the file does not hold the active parameters
    #[arg(long)]
    check: bool,
    /// Write nothing; show each value that would change, with the reason; exit 1 when there is one
    #[arg(long, conflicts_with = "check")]
    diff: bool,
    /// Also over a file that this profile does not know, which is kept as FILE.bak, and active parameters that were
    /// judged to be bad; the history will say so
    #[arg(long, conflicts_with_all = ["check", "diff"])]
    force: bool,
}

pub(crate) fn run(context: &Context, arguments: &ExportArguments) -> Result<u8, Failure> {
    let (profile, path) = (context.global.profile.as_str(), arguments.output.as_path());
    let (is_look, is_stdout) = (arguments.check || arguments.diff, path == Path::new("-"));
    if is_look && is_stdout {
        let flag = if arguments.check { "--check" } else { "--diff" };
        let message = format!("{flag}: expected a file to compare with, found \"-\" for stdout");
        return Err(Failure::new(code::USAGE, message));
    }
    let mut view = context.current_view()?;
    require_profile(&view.read()?, profile)?;
    if !has_active(&view.read()?, profile)? {
        return Err(nothing_active(profile, path));
    }
    let found = if is_stdout { None } else { existing_file(path, is_look)? };
    let stamp = crate::model::rfc3339(context.now_ms).replace('T', " ").replace('Z', "");
    if is_look {
        let wanted = bot_file(&view.read()?, profile, &stamp)?;
        return print_differences(context, arguments, found, &wanted);
    }
    let is_ours = found.as_ref().is_none_or(|bytes| is_known(context, bytes));
    let doubted = find_doubts(&view.read()?, profile)?;
    let wanted = bot_file(&view.read()?, profile, &stamp)?;
    if !arguments.force {
        if !doubted.is_empty() {
            return Err(held_back(&doubted));
        }
        // Nothing is lost where nothing would change.
        let changed = found.as_deref().and_then(|bytes| changed_values(bytes, path, &wanted));
        if !is_ours && changed != Some(0) {
            return Err(not_ours(profile, path, changed));
        }
    } else if !doubted.is_empty() {
        force(context.location()?, profile, &Style::ALL, &path.display().to_string(), context.now_ms)?;
        view = context.current_view()?;
    }
    let wanted = bot_file(&view.read()?, profile, &stamp)?;
    write(context, path, found.as_deref(), &wanted)
}

/// Returns the bytes of the file that would be replaced or is looked at; `None` where there is none, or nothing would be
/// lost: what is no file is written to.
pub(super) fn existing_file(path: &Path, is_look: bool) -> Result<Option<Vec<u8>>, Failure> {
    if !is_look && fs::metadata(path).is_ok_and(|found| !found.is_file()) {
        return Ok(None);
    }
    match read_whole(path, LEGACY_FILE_BYTES_MAX) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Failure::new(code::IO, format!("cannot read `{}`: {error}", path.display()))),
    }
}

/// Returns whether the profile imported a content or exported it last.
pub(super) fn is_known(context: &Context, bytes: &[u8]) -> bool {
    let hash = blake3::hash(bytes).to_hex();
    bot_file::is_known(&context.global.store, &context.global.profile, &hash)
}

/// Returns how many values that matter would change; `None` where the file cannot be read.
fn changed_values(bytes: &[u8], path: &Path, wanted: &BotFile) -> Option<usize> {
    let found = parse_legacy_config(bytes, path).ok()?;
    Some(find_differences(&found, wanted).iter().filter(|difference| difference.is_due).count())
}

fn nothing_active(profile: &str, path: &Path) -> Failure {
    let kept = if path.exists() { format!("; `{}` is as it was", path.display()) } else { String::new() };
    let message =
        format!("profile {profile:?} has no active parameters, so there is nothing to export{kept}");
    Failure::new(code::REFUSED, message).hint(
        "`optimizer adopt` activates the candidate of a run, `optimizer import-json` imports those of the bot; \
         `optimizer inspect` says what the last run found",
    )
}

/// Returns why a file is left alone.
fn not_ours(profile: &str, path: &Path, changed: Option<usize>) -> Failure {
    let change = match changed {
        Some(count) => format!("{count} of its values would change"),
        None => "it cannot be read as JSON".to_owned(),
    };
    let message = format!(
        "`{}` is neither what profile {profile:?} imported nor what it exported last; {change}",
        path.display()
    );
    let hint = format!(
        "nothing was written; --diff shows what would change, `optimizer import-json` takes the file over first, --force \
         writes it and keeps `{}`",
        backup_of(path).display()
    );
    Failure::new(code::REFUSED, message).hint(hint)
}

/// Returns why active parameters are held back.
pub(super) fn held_back(doubts: &[Doubt]) -> Failure {
    let line = |doubt: &Doubt| {
        let Doubt { style, run, verdict, finding } = doubt;
        format!("the active {style} parameters are {verdict} by run {run}: {finding}")
    };
    let lines: Vec<String> = doubts.iter().map(line).collect();
    Failure::new(code::REFUSED, lines.join("\n")).hint(
        "nothing was written; `optimizer rollback` goes back to earlier parameters, --force writes these all the same \
         and the history will say so",
    )
}

/// Writes the file, unless it says the same already.
fn write(context: &Context, path: &Path, found: Option<&[u8]>, wanted: &BotFile) -> Result<u8, Failure> {
    let text = wanted.text();
    if path == Path::new("-") {
        super::output::print_result(text.trim_end())?;
        return Ok(0);
    }
    if found.is_some_and(|bytes| changed_values(bytes, path, wanted) == Some(0)) {
        if !context.global.quiet {
            super::output::print_result(&format!("unchanged: {} says the same", path.display()))?;
        }
        return Ok(0);
    }
    let hash = |bytes: &[u8]| blake3::hash(bytes).to_hex().to_string();
    let file = path.display().to_string();
    let (location, profile) = (context.location()?, &context.global.profile);
    let mut mark = Mark::new(FileOrigin::Export, &file, &hash(text.as_bytes()), context.now_ms);
    // Until it is written the file is what it was: a crash in between must leave it known.
    let mut both = mark.clone();
    both.hashes.extend(found.filter(|bytes| is_known(context, bytes)).map(hash));
    bot_file::remember(&location, profile, both)?;
    let written = match found {
        Some(old) => replace_and_keep(path, text.as_bytes(), old),
        None => replace_none(path, text.as_bytes()),
    };
    written.map_err(|error| {
        Failure::new(code::IO, format!("cannot write `{}`: {error}", path.display()))
            .hint("the file is as it was; check the folder, its permissions and the disk")
    })?;
    mark.hashes.truncate(1);
    if let Err(error) = bot_file::remember(&location, profile, mark) {
        tracing::warn!(%error, "the content before this export counts as known as well");
    }
    if !context.global.quiet {
        let kept = found.map(|_| format!(", what was there is {}", backup_of(path).display()));
        super::output::print_result(&format!("wrote {file}{}", kept.unwrap_or_default()))?;
    }
    Ok(0)
}

/// Compares the file with what would be written.
fn print_differences(
    context: &Context,
    arguments: &ExportArguments,
    found: Option<Vec<u8>>,
    wanted: &BotFile,
) -> Result<u8, Failure> {
    let path = arguments.output.as_path();
    let read =
        found.as_deref().map(|bytes| parse_legacy_config(bytes, path)).transpose().map_err(|error| {
            Failure::new(code::DATA, super::failure::chain(&error))
                .hint("`optimizer export-json --force` replaces the file and keeps it beside")
        })?;
    let document = ExportDiffDocument {
        profile: context.global.profile.clone(),
        file: path.display().to_string(),
        exists: found.is_some(),
        is_known: found.is_some_and(|bytes| is_known(context, &bytes)),
        differences: find_differences(&read.unwrap_or_else(LegacyConfig::default), wanted),
    };
    let code = if document.is_due() { code::ATTENTION } else { 0 };
    match arguments.diff {
        true => context.print(document, ExportDiffDocument::text)?,
        false => super::output::print_result(&checked(&document))?,
    }
    Ok(code)
}

/// Returns what `--check` says.
fn checked(document: &ExportDiffDocument) -> String {
    if !document.exists {
        return format!("differs: {} does not exist", document.file);
    }
    let mut keys: Vec<&str> = Vec::new();
    for difference in document.differences.iter().filter(|difference| difference.is_due) {
        let key = difference.place.split(['.', '[']).next().unwrap_or_default();
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    if keys.is_empty() { "up to date".to_owned() } else { format!("differs: {}", keys.join(", ")) }
}
