//! `optimizer export-json`: the legacy file, written atomically.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::context::Context;
use super::failure::{Failure, code};
use super::replace::replace;
use crate::present::learning_config;
use crate::run::export::{Doubt, doubts, force};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// File to write; "-" for stdout
    #[arg(short, long, default_value = "learning_config.json", value_name = "FILE")]
    output: PathBuf,
    /// Write nothing; exit 1 when the file does not hold the parameters in force
    #[arg(long)]
    check: bool,
    /// Also parameters in force that were judged to be bad; the history will say so
    #[arg(long, conflicts_with = "check")]
    force: bool,
}

/// Exit code of `--check` when the file differs.
const DIFFERS: u8 = 1;
/// Exit code when what is in force was judged to be bad.
const REJECTED: u8 = 12;

pub(crate) fn run(context: &Context, arguments: &Arguments) -> Result<u8, Failure> {
    if arguments.check && arguments.output == Path::new("-") {
        let message = "--check: expected a file to compare with, found \"-\" for stdout";
        return Err(Failure::new(code::USAGE, message));
    }
    let profile = context.global.profile.as_str();
    let mut view = context.view()?;
    let found = if arguments.check { Vec::new() } else { doubts(&view.read()?, profile)? };
    if !found.is_empty() {
        if !arguments.force {
            return Err(refusal(&found));
        }
        let target = arguments.output.display().to_string();
        force(context.location()?, profile, &target, context.now_ms)?;
        view = context.view()?;
    }
    let stamp = crate::model::rfc3339(context.now_ms).replace('T', " ").replace('Z', "");
    let config = learning_config(&view.read()?, profile, &stamp)?;
    let text = format!("{:#}\n", config);
    if arguments.check {
        return check(&config, &arguments.output);
    }
    if arguments.output == Path::new("-") {
        super::output::result(&text)?;
        return Ok(0);
    }
    replace(&arguments.output, text.as_bytes()).map_err(|error| {
        Failure::new(code::IO, format!("cannot write `{}`: {error}", arguments.output.display()))
            .hint("the file is as it was; check the folder, its permissions and the disk")
    })?;
    if !context.global.quiet {
        super::output::result(&format!("wrote {}", arguments.output.display()))?;
    }
    Ok(0)
}

/// Returns why parameters in force are held back.
fn refusal(doubts: &[Doubt]) -> Failure {
    let line = |doubt: &Doubt| {
        let Doubt { style, run, verdict, reason } = doubt;
        format!("the {style} parameters in force are {verdict} by run {run}: {reason}")
    };
    let lines: Vec<String> = doubts.iter().map(line).collect();
    Failure::new(REJECTED, lines.join("\n")).hint(
        "nothing was written; `optimizer rollback` goes back to earlier parameters, --force writes these all the same \
         and the history will say so",
    )
}

/// Compares the file with what would be written, times aside.
fn check(config: &Value, path: &Path) -> Result<u8, Failure> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            super::output::result(&format!("differs: {} does not exist", path.display()))?;
            return Ok(DIFFERS);
        }
        Err(error) => {
            return Err(Failure::new(code::IO, format!("cannot read `{}`: {error}", path.display())));
        }
    };
    let written: Value = serde_json::from_str(&text).map_err(|error| {
        Failure::new(code::DATA, format!("expected JSON in `{}`, found {error}", path.display()))
            .hint("run `optimizer export-json` to replace it")
    })?;
    let differing = differing_keys(&written, config);
    if differing.is_empty() {
        super::output::result("up to date")?;
        return Ok(0);
    }
    super::output::result(&format!("differs: {}", differing.join(", ")))?;
    Ok(DIFFERS)
}

/// Returns the top-level keys whose values differ, the time of writing aside.
fn differing_keys(written: &Value, wanted: &Value) -> Vec<String> {
    let empty = serde_json::Map::new();
    let wanted = wanted.as_object().unwrap_or(&empty);
    let differs = |key: &String| key != "last_update" && written.get(key) != wanted.get(key);
    wanted.keys().filter(|key| differs(key)).cloned().collect()
}
