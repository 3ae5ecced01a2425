//! `optimizer check`: a look at data without running anything.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::context::{Context, shell_quoted};
use super::failure::{Failure, code};
use super::files::FileArguments;
use super::incremental::{BadRows, ConflictArgument, on_conflict};
use super::lookahead;
use crate::documents::check::{
    CheckDataDocument, CheckedSymbolPart, FilePart, PassedOverPart, SignalsFilePart,
};
use crate::ingest::{
    Catalog, IngestError, IngestOptions, OnConflict, SignalsFile, identical_files, load_symbol, survey,
};
use crate::model::{Day, GivenSignals, Symbol};
use crate::run::given_signals::signals_outside;
use crate::run::room_at_first;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum CheckCommand {
    /// Report every candle file, and a file of signals: what it holds and what is wrong with it
    Data {
        /// File or folder of candles; repeatable
        #[arg(required_unless_present = "signals", value_name = "PATH")]
        paths: Vec<PathBuf>,
        /// CSV or Parquet file of signals; with candles, what lies outside them is counted
        #[arg(long, value_name = "FILE")]
        signals: Option<PathBuf>,
        /// What to do with differing candles for one symbol and time
        #[arg(long, value_enum, value_name = "POLICY")]
        on_conflict: Option<ConflictArgument>,
        #[command(flatten)]
        bad_rows: BadRows,
        #[command(flatten)]
        files: FileArguments,
    },
    /// Look for knowledge of the future: compute what was known at instants drawn from your candles once more without
    /// the candles after them; exit 1 when anything differs, or a column of your signals looks like hindsight
    Lookahead(lookahead::LookaheadArguments),
}

pub(crate) fn run(context: &Context, command: &CheckCommand) -> Result<u8, Failure> {
    let (paths, signals, flag, bad_rows, files) = match command {
        CheckCommand::Data { paths, signals, on_conflict, bad_rows, files } => {
            (paths, signals, on_conflict, bad_rows, files)
        }
        CheckCommand::Lookahead(arguments) => return lookahead::run(context, arguments),
    };
    let config = files.config(context, bad_rows.flags(), paths)?;
    let options = IngestOptions {
        base_interval: config.interval()?,
        on_conflict: on_conflict(*flag, &config),
        symbols: config.symbols()?,
        selection: config.selection()?,
        as_of_ms: context.now_ms,
        room_bytes: config.memory_bytes()?.map(room_at_first),
        reading: config.reading()?,
    };
    let read =
        |file: &PathBuf| SignalsFile::read(file, options.base_interval, &options.reading, options.room_bytes);
    let file = signals.as_ref().map(read).transpose()?;
    let mut catalog = survey(paths, &options)?;
    signals.iter().for_each(|file| catalog.leave_out(file));
    let (mut document, days) = look_at_data(&catalog, &options)?;
    if let Some(file) = &file {
        let outside = |symbol: &Symbol, given: &GivenSignals| {
            let missing = || signals_outside(given, days.get(symbol).copied(), options.base_interval);
            (!paths.is_empty()).then(missing)
        };
        let part = SignalsFilePart::new(file, &config.style.signals_columns(), outside);
        document.usable = (document.usable || paths.is_empty()) && !part.symbols.is_empty();
        document.signals = Some(part);
    }
    let usable = document.usable;
    if usable && !paths.is_empty() {
        let data = paths.iter().map(|path| format!(" --data {}", shell_quoted(path)));
        let given = signals.iter().map(|file| format!(" --signals {}", shell_quoted(file)));
        let next: String = std::iter::once("incremental".to_owned()).chain(data).chain(given).collect();
        context.print_step(document, CheckDataDocument::text, &next)?;
    } else {
        context.print(document, CheckDataDocument::text)?;
    }
    Ok(if usable { 0 } else { code::DATA })
}

/// First and last day with candles, by symbol.
type Days = BTreeMap<Symbol, (Day, Day)>;

fn look_at_data(catalog: &Catalog, options: &IngestOptions) -> Result<(CheckDataDocument, Days), Failure> {
    let mut reports = Vec::new();
    let mut symbols = Vec::new();
    let mut days = Days::new();
    let mut conflicts: Vec<String> = catalog.conflicts.iter().map(ToString::to_string).collect();
    for sources in &catalog.symbols {
        let one_market = catalog.conflicts.iter().all(|conflict| conflict.symbol != sources.symbol);
        let loaded = match load_symbol(sources, options) {
            Err(IngestError::Conflict(conflict)) => {
                // Reported, then read on with the later line, to show the rest of what is wrong.
                conflicts.extend(one_market.then(|| conflict.to_string()));
                load_symbol(sources, &IngestOptions { on_conflict: OnConflict::Look, ..options.clone() })?
            }
            loaded => loaded?,
        };
        let times = loaded.series.bars().open_time;
        if let (Some(first), Some(last)) = (times.first(), times.last())
            && one_market
        {
            days.insert(sources.symbol.clone(), (Day::of(*first), Day::of(*last)));
            symbols.push(CheckedSymbolPart::new(&loaded));
        }
        reports.extend(loaded.files);
    }
    let identities: Vec<_> =
        reports.iter().map(|report: &crate::ingest::FileReport| report.identity()).collect();
    for (index, issue) in identical_files(&identities) {
        reports[index].issues.push(issue);
    }
    let document = CheckDataDocument {
        usable: !symbols.is_empty() && conflicts.is_empty(),
        files: reports.iter().map(FilePart::new).collect(),
        symbols,
        skipped: catalog.passed_over.iter().map(PassedOverPart::new).collect(),
        conflicts,
        signals: None,
    };
    Ok((document, days))
}
