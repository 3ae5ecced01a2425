//! `optimizer metrics`: where every profile stands, in the text format of Prometheus. Reads the published view; never writes the store.

use std::path::{Path, PathBuf};

use super::context::Context;
use super::failure::{Failure, code};
use super::replace::replace_file;
use crate::documents::status::{StatusAsked, StatusDocument};

#[derive(Debug, clap::Args)]
pub(crate) struct MetricsArguments {
    /// File to put in its place whole, for node_exporter's textfile collector (name it *.prom); "-" for stdout
    #[arg(short, long, default_value = "-", value_name = "FILE")]
    output: PathBuf,
}

pub(crate) fn run(context: &Context, arguments: &MetricsArguments) -> Result<u8, Failure> {
    let is_file = arguments.output != Path::new("-");
    if is_file && context.global.json {
        return Err(Failure::new(
            code::USAGE,
            "--json prints the document: it does not go with --output FILE",
        ));
    }
    let document = status(context)?;
    if !is_file {
        context.print(document, |document| document.prometheus(None, None).trim_end().to_owned())?;
        return Ok(0);
    }
    write_metrics(&arguments.output, &document, None)?;
    if !context.global.quiet {
        super::output::print_result(&format!("wrote {}", arguments.output.display()))?;
    }
    Ok(0)
}

/// Reads where every profile stands.
pub(super) fn status(context: &Context) -> Result<StatusDocument, Failure> {
    let asked = asked(context)?;
    let view = crate::store::View::open_for_a_look(&context.store())?;
    Ok(StatusDocument::read(&context.store(), &view, &asked)?)
}

/// Returns what the configuration and the clock say.
pub(super) fn asked(context: &Context) -> Result<StatusAsked, Failure> {
    let config = context.config(&[])?;
    Ok(StatusAsked {
        profile: context.global.profile.clone(),
        expect_every: config.expect_every()?,
        memory_limit_bytes: config.memory_bytes()?,
        memory_warning_bytes: config.memory_alarms()?.warning_bytes,
        now_ms: context.now_ms,
    })
}

/// Puts a file of metrics in its place, readable for the collector; `day` is the exit code of the day that writes it.
pub(super) fn write_metrics(path: &Path, document: &StatusDocument, day: Option<u8>) -> Result<(), Failure> {
    replace_file(path, document.prometheus(None, day).as_bytes()).map_err(|error| {
        Failure::new(code::IO, format!("cannot write `{}`: {error}", path.display()))
            .hint("check the folder, its permissions and the disk; what was there is as it was")
    })
}
