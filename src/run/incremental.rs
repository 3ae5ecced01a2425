//! The daily run: ingest -> features -> signals -> outcomes -> search -> validate -> decide -> save.

use std::ops::Range;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use rayon::prelude::*;

use super::book::{SymbolDays, book_of};
use super::notes::IssueNote;
use super::plan::Plan;
use super::records;
use super::report::{InputReport, RunReport, RunResult, StyleReport};
use super::shelf::Shelf;
use super::study::{Study, study};
use super::symbol::{EvaluatedSymbol, Job, SymbolError, UnitCounts, evaluate_symbol, first_day};
use crate::decide::insights::{TradeContext, insights};
use crate::decide::{Contender, decide};
use crate::evaluate::book::Book;
use crate::fingerprint::{Canonical, Fingerprint};
use crate::ingest::{IngestError, IngestOptions, OnConflict, SymbolSources};
use crate::model::{Day, ParameterSet, Style};
use crate::store::{Store, StoreError};

/// What a run needs besides its plan.
#[derive(Debug, Clone)]
pub struct RunOptions {
    /// Files and folders of candles.
    pub data: Vec<PathBuf>,
    /// The store's directory; `None` computes without remembering.
    pub store: Option<PathBuf>,
    /// Whose state it is.
    pub profile: String,
    /// What to do with candles that contradict each other.
    pub on_conflict: OnConflict,
    /// The instant of the run; UTC ms.
    pub now_ms: i64,
    /// The effective configuration, for the record.
    pub config_toml: String,
    /// Evaluate everything, whatever earlier runs left.
    pub full: bool,
    /// Bytes of evaluated units kept beside the store; 0 keeps none.
    pub cache_bytes: u64,
}

/// Something that happened in a run.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum RunEvent {
    /// Files were listed.
    Discovered {
        /// Symbols with files.
        symbols: usize,
    },
    /// A symbol was read and evaluated.
    SymbolDone {
        /// Its name.
        symbol: String,
        /// Candles at the base interval.
        candles: u64,
        /// What became of its units.
        units: UnitCounts,
    },
    /// A style was studied.
    StudyDone {
        /// The style.
        style: Style,
        /// Parameter sets evaluated.
        sets: usize,
    },
    /// All changes of the run were committed.
    Committed {
        /// Its number.
        run: u64,
    },
}

/// Why a run ended without a result.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The candles cannot be read.
    #[error(transparent)]
    Ingest(#[from] IngestError),
    /// Files were found, but no usable candle.
    #[error("expected candles, found none that can be used in {}", list(paths))]
    NoCandles {
        /// The paths given.
        paths: Vec<PathBuf>,
        /// What was read and why it was of no use.
        input: Box<InputReport>,
    },
    /// The store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The run was asked to stop; nothing of it was stored.
    #[error("stopped on request before anything was stored")]
    Stopped,
}

fn list(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| format!("`{}`", path.display())).collect::<Vec<_>>().join(", ")
}

/// Carries out a daily run.
///
/// All changes to what was learned are committed in one transaction at the end; before it, nothing is touched.
/// The answer depends on the candles, the plan and the parameters in force, and on nothing else: not on threads, order
/// of files, time or earlier runs.
///
/// Errors: see [`RunError`]; the store is as it was
pub fn incremental(
    plan: &Plan,
    options: &RunOptions,
    stop: &AtomicBool,
    on_event: &(dyn Fn(RunEvent) + Sync),
) -> Result<RunReport, RunError> {
    let clock = Instant::now();
    // Other writers are kept out before the work; the store is opened, or created, when there is something to say.
    let shelf = options.store.clone().map(|dir| Shelf::open(dir, options.cache_bytes, options.now_ms));
    let shelf = shelf.transpose()?;
    let Evaluated { input, symbols, units } = evaluate(plan, options, shelf.as_ref(), stop, on_event)?;
    let mut store = shelf.as_ref().map(Shelf::store).transpose()?;
    let data_fingerprint = data_fingerprint(&input);
    let plan_fingerprint = plan.fingerprint();
    let memory = Memory::recall(store.as_ref(), options, plan, data_fingerprint, plan_fingerprint)?;
    let mut styles = Vec::with_capacity(plan.styles.len());
    for (index, incumbent) in memory.incumbents.iter().enumerate() {
        check_stop(stop)?;
        styles.push(study_style(plan, index, &symbols, &input, incumbent.as_ref()));
        on_event(RunEvent::StudyDone {
            style: plan.styles[index].space.style(),
            sets: plan.styles[index].space.sets(),
        });
    }
    check_stop(stop)?;
    let mut result = RunResult::of(styles.iter().map(|style| style.decision.outcome));
    if memory.same_as.is_some() && result != RunResult::Changed {
        result = RunResult::Unchanged;
    }
    let mut report = RunReport {
        run: None,
        profile: options.profile.clone(),
        started_at_ms: options.now_ms,
        duration_ms: clock.elapsed().as_millis() as u64,
        threads: rayon::current_num_threads() as u32,
        peak_rss_bytes: super::resources::peak_rss_bytes(),
        data_fingerprint,
        plan_fingerprint,
        same_as: memory.same_as,
        input,
        units,
        styles,
        result,
    };
    if let Some(store) = &mut store {
        let run = store.commit(records::learning(&report, plan, &options.config_toml))?;
        on_event(RunEvent::Committed { run });
        report.run = Some(run);
        store.publish_view()?;
    }
    report.duration_ms = clock.elapsed().as_millis() as u64;
    Ok(report)
}

fn check_stop(stop: &AtomicBool) -> Result<(), RunError> {
    if stop.load(Ordering::Relaxed) { Err(RunError::Stopped) } else { Ok(()) }
}

/// What a run read and evaluated.
struct Evaluated {
    input: InputReport,
    symbols: Vec<SymbolDays>,
    units: Vec<UnitCounts>,
}

/// Reads and evaluates every symbol; symbols in parallel, in memory only those in flight.
fn evaluate(
    plan: &Plan,
    options: &RunOptions,
    shelf: Option<&Shelf>,
    stop: &AtomicBool,
    on_event: &(dyn Fn(RunEvent) + Sync),
) -> Result<Evaluated, RunError> {
    let ingest = IngestOptions {
        base_interval: plan.interval,
        on_conflict: options.on_conflict,
        symbols: plan.symbols.clone(),
        as_of_ms: plan.days.end.map_or(options.now_ms, |day| day.start_ms().min(options.now_ms)),
    };
    let catalog = crate::ingest::discover(&options.data, &ingest)?;
    on_event(RunEvent::Discovered { symbols: catalog.symbols.len() });
    // Another symbol every day.
    let today = Day::of(options.now_ms).0.unsigned_abs() as usize;
    let checked = catalog.symbols.get(today % catalog.symbols.len().max(1)).map(|sources| &sources.symbol);
    let job = Job { plan, ingest: &ingest, shelf, full: options.full, checked, now_ms: options.now_ms };
    let evaluate_one = |sources: &SymbolSources| {
        check_stop(stop)?;
        let done = evaluate_symbol(&job, sources).map_err(|error| match error {
            SymbolError::Ingest(error) => RunError::Ingest(error),
            SymbolError::Store(error) => RunError::Store(error),
        })?;
        on_event(RunEvent::SymbolDone {
            symbol: done.report.name.clone(),
            candles: done.report.candles,
            units: done.units.clone(),
        });
        Ok(done)
    };
    let evaluated: Vec<Result<EvaluatedSymbol, RunError>> =
        catalog.symbols.par_iter().with_max_len(1).map(evaluate_one).collect();
    let mut all = Evaluated {
        input: InputReport { passed_over: catalog.passed_over, ..InputReport::default() },
        symbols: Vec::new(),
        units: Vec::new(),
    };
    for done in evaluated {
        let symbol = done?;
        all.input.files.extend(symbol.files);
        if symbol.report.candles > 0 {
            all.symbols.push(SymbolDays { symbol: all.symbols.len() as u16, blocks: symbol.blocks });
            all.input.symbols.push(symbol.report);
            all.units.push(symbol.units);
        }
    }
    let identities: Vec<_> = all.input.files.iter().map(|file| file.identity.clone()).collect();
    for (index, issue) in crate::ingest::identical_files(&identities) {
        all.input.files[index].issues.push(IssueNote::from(&issue));
    }
    if all.symbols.is_empty() {
        let paths = options.data.clone();
        return Err(RunError::NoCandles { paths, input: Box::new(all.input) });
    }
    Ok(all)
}

/// The entry days of a run: from the first that counts to the last with candles.
fn days_of(plan: &Plan, input: &InputReport) -> Range<Day> {
    let (first, last) = input.days().unwrap_or((Day(0), Day(-1)));
    // A signal on the last candle of a day enters on the next.
    first_day(&plan.days, first, last)..Day(last.0 + 2)
}

fn data_fingerprint(input: &InputReport) -> Fingerprint {
    let hash = Canonical::new("retune data v1").count(input.symbols.len() as u64);
    input
        .symbols
        .iter()
        .fold(hash, |hash, symbol| hash.text(&symbol.name).nested(symbol.fingerprint))
        .finish()
}

/// What earlier runs left behind.
struct Memory {
    /// Parameters in force, one per style of the plan.
    incumbents: Vec<Option<ParameterSet>>,
    /// The last run, if it had the same candles and plan and its parameters are still in force.
    same_as: Option<u64>,
}

impl Memory {
    fn recall(
        store: Option<&Store>,
        options: &RunOptions,
        plan: &Plan,
        data: Fingerprint,
        plan_print: Fingerprint,
    ) -> Result<Self, StoreError> {
        let none = Self { incumbents: vec![None; plan.styles.len()], same_as: None };
        let Some(store) = store else { return Ok(none) };
        let snapshot = store.read()?;
        let mut incumbents = Vec::new();
        for style in &plan.styles {
            let stored = snapshot.params(&options.profile, style.space.style().as_str())?;
            incumbents.push(stored.map(|record| records::parameter_set(&record.set)));
        }
        let last = snapshot.runs(&options.profile, .., 1)?.into_iter().next();
        let same_as = last
            .filter(|(_, run)| run.data_fingerprint == data.0 && run.plan_fingerprint == plan_print.0)
            .map(|(id, _)| id);
        Ok(Self { incumbents, same_as })
    }
}

fn study_style(
    plan: &Plan,
    index: usize,
    symbols: &[SymbolDays],
    input: &InputReport,
    incumbent: Option<&ParameterSet>,
) -> StyleReport {
    let style = &plan.styles[index];
    let book = book_of(symbols, index, style);
    let parts = || symbols.iter().flat_map(|days| &days.blocks).map(|block| &block.styles[index]);
    let study = study(&book, entry_days(days_of(plan, input), symbols, index), style, plan, incumbent);
    let best = study.top.first();
    let candidate = best.map(|best| Contender { set: &best.set, late_score: best.late_score });
    let in_force = incumbent.map(|set| Contender {
        set,
        late_score: study.incumbent.as_ref().and_then(|measured| measured.late_score),
    });
    let mut decision = decide(style.space.style(), candidate, in_force, &study.judgement);
    if incumbent.is_some() && study.incumbent.is_none() {
        let reason = "the parameters in force are no longer in the space, so they could not be measured";
        decision.reasons.push(reason.to_owned());
    }
    let insights = learn(&book, &study, input);
    StyleReport {
        style: style.space.style(),
        signals: parts().map(|part| part.signals.len() as u64).sum(),
        in_lattice: book.entries().len() as u64,
        pending: parts().map(|part| u64::from(part.pending)).sum(),
        broken: parts().map(|part| u64::from(part.broken)).sum(),
        opportunities: parts().map(|part| part.opportunities.for_capture().len() as u64).sum(),
        study,
        decision,
        insights,
    }
}

/// Ends the days after the last one that is sealed for any symbol, and entered from.
fn entry_days(days: Range<Day>, symbols: &[SymbolDays], style: usize) -> Range<Day> {
    let sealed = symbols.iter().flat_map(|s| &s.blocks).filter(|block| block.styles[style].sealed);
    let end = sealed.map(|block| Day(block.day.0 + 2)).max().unwrap_or(days.start);
    days.start..end.min(days.end).max(days.start)
}

fn learn(book: &Book, study: &Study, input: &InputReport) -> crate::decide::insights::Insights {
    let Some(best) = study.top.first() else {
        return insights(&[], &study.importances, study.judgement.verdict.as_str());
    };
    let context = |signal: &usize| {
        let entry = &book.entries()[*signal];
        TradeContext {
            symbol: &input.symbols[usize::from(entry.symbol)].name,
            direction: entry.direction,
            setup: entry.setup,
            net: book.outcome(*signal, best.rule),
        }
    };
    let trades: Vec<TradeContext<'_>> = best.taken.iter().map(context).collect();
    insights(&trades, &study.importances, study.judgement.verdict.as_str())
}
