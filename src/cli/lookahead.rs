//! `optimizer check lookahead`: whether anything that is known depends on what comes later.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use rayon::prelude::*;

use super::context::Context;
use super::failure::{Failure, code};
use super::files::FileArguments;
use super::incremental::BadRows;
use super::values;
use crate::diagnose::hindsight::Followed;
use crate::diagnose::lookahead::{Compared, LookaheadDifference, Sampling, look_ahead};
use crate::documents::lookahead::CheckLookaheadDocument;
use crate::engine::plan::{DayLimits, Plan};
use crate::ingest::{IngestError, IngestOptions, discover, load_symbol};
use crate::model::{CandleSeries, Style, Symbol};
use crate::run::given_signals::SignalsBySymbol;
use crate::run::room_at_first;

#[derive(Debug, clap::Args)]
pub(crate) struct LookaheadArguments {
    /// File or folder of candles; repeatable
    #[arg(long, required = true, value_name = "PATH")]
    data: Vec<PathBuf>,
    #[command(flatten)]
    files: FileArguments,
    /// CSV of signals: their columns are looked at as well [default: signals.file of the configuration]
    #[arg(long, value_name = "FILE")]
    signals: Option<PathBuf>,
    #[command(flatten)]
    bad_rows: BadRows,
    /// Instants drawn per symbol
    #[arg(long, default_value = "100", value_name = "N", value_parser = values::number::<NonZeroUsize>("a number of instants such as 100, at least 1"))]
    samples: NonZeroUsize,
    /// The lot they are drawn by
    #[arg(long, default_value = "1", value_name = "N", value_parser = values::number::<u64>("a whole number such as 1"))]
    seed: u64,
}

pub(super) fn run(context: &Context, arguments: &LookaheadArguments) -> Result<u8, Failure> {
    let quoted = |file: &PathBuf| toml::Value::String(file.to_string_lossy().into_owned()).to_string();
    let file = arguments.signals.iter().map(|file| ("signals.file", quoted(file)));
    let flags: Vec<_> = file.chain(arguments.bad_rows.flags()).collect();
    let config = arguments.files.config(context, flags, &arguments.data)?;
    let plan = config.plan(&Style::ALL, DayLimits::default())?;
    let options = IngestOptions {
        base_interval: plan.interval,
        on_conflict: super::incremental::on_conflict(None, &config),
        symbols: config.symbols()?,
        selection: config.selection()?,
        as_of_ms: context.now_ms,
        room_bytes: config.memory_bytes()?.map(room_at_first),
        reading: plan.reading.clone(),
    };
    let given = config
        .signals
        .file
        .as_deref()
        .map(|file| SignalsBySymbol::read(file, &plan, options.room_bytes))
        .transpose()?;
    let mut catalog = discover(&arguments.data, &options)?;
    config.signals.file.iter().for_each(|file| catalog.leave_out(file));
    let load = |sources| -> Result<(Symbol, CandleSeries), IngestError> {
        let loaded = load_symbol(sources, &options)?;
        Ok((loaded.symbol, loaded.series))
    };
    let sampling = Sampling { samples: arguments.samples.get(), seed: arguments.seed };
    let (symbols, found) = context.pool()?.install(|| {
        let loaded: Vec<_> = catalog.symbols.par_iter().map(load).collect::<Result<_, _>>()?;
        let found = looks(&loaded, given.as_ref(), &plan, sampling);
        Ok::<_, IngestError>((loaded, found))
    })?;
    if symbols.iter().all(|(_, series)| series.is_empty()) {
        return Err(Failure::new(code::DATA, "expected candles, found none")
            .hint("`optimizer check data PATH` lists every file and what is wrong with it"));
    }
    let columns = given.as_ref().map(|given| {
        let mut followed = Followed::new(given.columns(), &plan);
        symbols.iter().for_each(|(symbol, series)| followed.add(symbol, series.bars(), given.of(symbol)));
        followed.looks()
    });
    let names = symbols.iter().map(|(symbol, _)| symbol.to_string());
    let compared: Vec<(String, Compared)> = names.zip(found.iter().map(|(compared, _)| *compared)).collect();
    let differences: Vec<LookaheadDifference> =
        found.into_iter().flat_map(|(_, differences)| differences).collect();
    let document = CheckLookaheadDocument::new(sampling, &compared, &differences, columns.as_deref());
    let clean = document.clean;
    context.print(document, CheckLookaheadDocument::text)?;
    Ok(if clean { 0 } else { code::ATTENTION })
}

fn looks(
    symbols: &[(Symbol, CandleSeries)],
    given: Option<&SignalsBySymbol>,
    plan: &Plan,
    sampling: Sampling,
) -> Vec<(Compared, Vec<LookaheadDifference>)> {
    let one = |(symbol, series): &(Symbol, CandleSeries)| {
        look_ahead(symbol, series.bars(), given.map(|given| given.of(symbol)), plan, sampling)
    };
    symbols.par_iter().map(one).collect()
}
