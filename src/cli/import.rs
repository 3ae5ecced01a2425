//! `optimizer import-json`: the way over from the old system.

use std::path::PathBuf;

use super::context::Context;
use super::failure::{Failure, code};
use crate::bot::import::{ImportError, import_document};
use crate::documents::by_hand::ImportDocument;
use crate::ingest::read_legacy_config;

#[derive(Debug, clap::Args)]
pub(crate) struct ImportArguments {
    /// The learning_config.json of the old system
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

pub(crate) fn run(context: &Context, arguments: &ImportArguments) -> Result<u8, Failure> {
    let document = read_legacy_config(&arguments.file)
        .map_err(|error| Failure::new(code::DATA, super::failure::chain(&error)))?;
    let source = arguments.file.display().to_string();
    let (store, profile) = (context.location()?, context.global.profile.as_str());
    let done = import_document(store, profile, &document, &source, context.now_ms)?;
    let (changed, run, overdue) = (!done.changes.is_empty(), done.run, done.overdue.clone());
    super::overdue::say_unreported(&overdue);
    let data = if context.config(&[])?.data.paths.is_empty() { " --data PATH" } else { "" };
    let next = format!("incremental{data}");
    context.print_step(ImportDocument::new(profile, done), ImportDocument::text, &next)?;
    super::overdue::told_by_hand(context, Some(run), &overdue);
    Ok(if changed { code::CHANGED } else { 0 })
}

impl From<ImportError> for Failure {
    fn from(error: ImportError) -> Self {
        match error {
            ImportError::Store(error) => error.into(),
            error => {
                Self::new(code::DATA, error.to_string()).hint("nothing was imported; the store is as it was")
            }
        }
    }
}
