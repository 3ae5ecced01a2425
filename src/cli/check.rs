//! `optimizer check`: a look at data without running anything.

use std::path::PathBuf;

use super::context::Context;
use super::failure::{Failure, code};
use super::incremental::{Conflict, on_conflict};
use crate::ingest::{IngestError, IngestOptions, OnConflict, discover, identical_files, load_symbol};
use crate::present::check::{CheckDataDocument, FilePart, PassedOverPart, SymbolPart};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Report every candle file: what it holds and what is wrong with it
    Data {
        /// File or folder of candles; repeatable
        #[arg(required = true, value_name = "PATH")]
        paths: Vec<PathBuf>,
        /// What to do with differing candles for one symbol and time
        #[arg(long, value_enum, value_name = "POLICY")]
        on_conflict: Option<Conflict>,
    },
}

pub(crate) fn run(context: &Context, command: &Command) -> Result<u8, Failure> {
    let Command::Data { paths, on_conflict: flag } = command;
    let config = context.config(&[])?;
    let options = IngestOptions {
        base_interval: config.interval()?,
        on_conflict: on_conflict(*flag, &config),
        symbols: config.symbols()?,
        as_of_ms: context.now_ms,
    };
    let document = look(paths, &options)?;
    let usable = document.usable && document.conflicts.is_empty();
    context.print(document, CheckDataDocument::text)?;
    Ok(if usable { 0 } else { code::DATA })
}

fn look(paths: &[PathBuf], options: &IngestOptions) -> Result<CheckDataDocument, Failure> {
    let catalog = discover(paths, options)?;
    let mut reports = Vec::new();
    let mut symbols = Vec::new();
    let mut conflicts = Vec::new();
    for sources in &catalog.symbols {
        let loaded = match load_symbol(sources, options) {
            Err(IngestError::Conflict(conflict)) => {
                // Reported, then read on with the later line, to show the rest of what is wrong.
                conflicts.push(conflict.to_string());
                load_symbol(sources, &IngestOptions { on_conflict: OnConflict::Last, ..options.clone() })?
            }
            loaded => loaded?,
        };
        if !loaded.series.is_empty() {
            symbols.push(SymbolPart::new(&loaded));
        }
        reports.extend(loaded.files);
    }
    let identities: Vec<_> =
        reports.iter().map(|report: &crate::ingest::FileReport| report.identity()).collect();
    for (index, issue) in identical_files(&identities) {
        reports[index].issues.push(issue);
    }
    Ok(CheckDataDocument {
        usable: !symbols.is_empty(),
        files: reports.iter().map(FilePart::new).collect(),
        symbols,
        passed_over: catalog.passed_over.iter().map(PassedOverPart::new).collect(),
        conflicts,
    })
}
