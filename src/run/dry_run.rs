//! What a run would do, without doing it: the units it would evaluate and why, and about what it would cost.
//!
//! Units are exact: files are read and reuse is decided as in a run, of an open store nothing changes. Cost is estimated
//! from what the runs before recorded, per unit; without such runs from a few units evaluated and one search over copies
//! of them.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use rayon::prelude::*;

use super::active::ActiveParameters;
use super::adopt::is_by_hand;
use super::error::RunError;
use super::halt::Halt;
use super::incremental::{
    PriorState, RunContext, data_fingerprint, days_of, has_days, note_ends, note_identical_files,
    read_given_signals,
};
use super::input_report::{InputReport, SymbolReport};
use super::options::RunOptions;
use super::resources::{
    expected_peak, peak_rss_bytes, room_bytes, spare_bytes, study_bytes, symbols_in_flight,
};
use super::style::study_style;
use crate::engine::day::{DayBlock, DaySignal, StyleDay};
use crate::engine::evaluation::{WorkItem, evaluate_all};
use crate::engine::parcel::rows_of;
use crate::engine::plan::Plan;
use crate::engine::unit_schema::UnitSchema;
use crate::features::frame::MarketSeries;
use crate::ingest::{IngestOptions, SymbolSources};
use crate::model::{DAY_MS, Day};
use crate::run::error::SymbolError;
use crate::run::file_summary::FileNote;
use crate::run::given_signals::SignalsBySymbol;
use crate::run::memoised;
use crate::run::store_handle::StoreHandle;
use crate::run::symbol_evaluator::{PreparedSymbol, prepare_symbol, recall_symbol};
use crate::run::symbol_job::SymbolJob;
use crate::run::unit_counts::UnitCounts;
use crate::run::window::within_window;
use crate::run::work::SymbolWork;
use crate::store::records::{RunRecord, WorkRecord};
use crate::store::{Snapshot, StoreError, View};
use crate::study::assembly::SymbolDays;

/// Days per symbol that are evaluated to see how long one takes, and searched as copies. With few, sets differ less than
/// they would, and a search that leaves out repetitions is over too soon.
const SAMPLED_DAYS: usize = 128;
/// Units of the sample that are evaluated together: few enough to stay on one thread.
const SAMPLED_TOGETHER: usize = 16;
/// Earlier runs that are looked at.
const RUNS_READ: usize = 30;

/// What an estimate rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Basis {
    /// The answer is known: the run looks at the files and says it again.
    Answer,
    /// Earlier runs with the same plan.
    Runs(usize),
    /// A few units, evaluated, and one search over copies of them.
    Sample,
}

/// What a run would do.
#[derive(Debug, Clone, PartialEq)]
pub struct Forecast {
    /// What was read.
    pub input: InputReport,
    /// What would become of each symbol's units, in the order of the symbols.
    pub units: Vec<UnitCounts>,
    /// Parameter sets of all styles.
    pub parameter_sets: u64,
    /// About how long the run would take.
    pub duration_ms: u64,
    /// About how much memory it would take at its peak.
    pub peak_rss_bytes: u64,
    /// What both rest on.
    pub basis: Basis,
}

impl Forecast {
    /// Returns the symbol-days of the run.
    pub fn units_total(&self) -> u64 {
        self.units.iter().map(|units| units.total).sum()
    }

    /// Returns the symbol-days that would be evaluated.
    pub fn units_evaluated(&self) -> u64 {
        self.units.iter().map(|units| units.evaluated.len() as u64).sum()
    }

    /// Returns what would become of each symbol's units.
    pub fn work(&self) -> Vec<SymbolWork> {
        let pairs = self.input.symbols.iter().zip(&self.units);
        pairs.map(|(symbol, units)| SymbolWork::of(symbol, units)).collect()
    }
}

/// Says what [`super::incremental()`] would do; nothing is written, and other runs are not kept out.
///
/// Errors: those of a run, before it evaluates anything; `Busy` while another run has the cache open
pub fn estimate_run(plan: &Plan, options: &RunOptions, stop: &AtomicBool) -> Result<Forecast, RunError> {
    let clock = Instant::now();
    let given = read_given_signals(plan, options)?;
    let look = |location| StoreHandle::look(location, options.cache_bytes, options.now_ms);
    let shelf = options.store.clone().map(look).transpose()?;
    let halt = Halt::new(stop, None);
    let outcomes = options.outcome_store();
    let work = RunContext {
        plan,
        options,
        given: given.as_ref(),
        shelf: shelf.as_ref(),
        outcomes: &outcomes,
        halt: &halt,
        on_event: &|_| (),
    };
    let ingest = options.ingest(plan);
    let mut catalog = crate::ingest::discover(&options.data, &ingest)?;
    options.signals.iter().for_each(|file| catalog.leave_out(file));
    let job = work.job(&ingest, &catalog, None)?;
    let decoded: Vec<u64> = catalog.symbols.iter().map(SymbolSources::decoded_bytes).collect();
    let held = given.as_ref().map_or(0, SignalsBySymbol::bytes) + study_bytes(plan, given.as_ref());
    let at_once = symbols_in_flight(decoded.iter().copied(), held, options.memory_bytes)?;
    let spare = spare_bytes(&decoded, held, at_once, options.memory_bytes);
    let mut looked: Vec<Result<Looked, RunError>> = Vec::new();
    for group in catalog.symbols.chunks(at_once) {
        looked.par_extend(group.par_iter().with_max_len(1).map(|sources| {
            halt.check()?;
            let ingest = IngestOptions { room_bytes: room_bytes(sources, spare), ..ingest.clone() };
            Ok(look_at(&SymbolJob { ingest: &ingest, ..job }, sources)?)
        }));
    }
    let mut input = InputReport { passed_over: catalog.passed_over.clone(), ..InputReport::default() };
    let mut symbols = Vec::new();
    for symbol in looked {
        let mut symbol = symbol?;
        input.files.append(&mut symbol.files);
        if symbol.report.candles > 0 {
            input.symbols.push(symbol.report.clone());
            symbols.push(symbol);
        }
    }
    note_identical_files(&mut input);
    input.signals = given.as_ref().map(|given| given.note(plan, &input));
    has_days(plan, options, &input)?;
    note_ends(plan, &mut input);
    let view = options.store.as_ref().map(|store| published_parameters(&store.dir)).transpose()?.flatten();
    let snapshot = view.as_ref().map(View::read).transpose()?;
    let data = data_fingerprint(&input);
    let memory = PriorState::recall(snapshot.as_ref(), options, plan, data)?;
    let lanes = at_once.min(rayon::current_num_threads());
    let read = symbols.iter().map(|symbol| symbol.read_bytes).collect();
    let mut forecast = Forecast {
        units: symbols.iter().map(|symbol| symbol.units.clone()).collect(),
        parameter_sets: plan.styles.iter().map(|style| style.space.sets() as u64).sum(),
        duration_ms: 0,
        peak_rss_bytes: expected_peak(read, decoded.iter().sum(), held, lanes),
        basis: Basis::Answer,
        input,
    };
    let question = memoised::cache_key(plan, data, &memory.in_force);
    if is_answered(&job, &catalog.symbols, &question.0)? {
        forecast.duration_ms = clock.elapsed().as_millis() as u64;
        return Ok(forecast);
    }
    let evaluation_ms = symbols.iter().map(Looked::evaluation_ms).sum::<f64>() / threads();
    let past = snapshot.as_ref().map(|snapshot| Past::read(snapshot, &options.profile, plan)).transpose()?;
    if let Some(past) = past.filter(|past| !past.runs.is_empty()) {
        forecast.basis = Basis::Runs(past.runs.len());
        let (total, evaluated) = (forecast.units_total(), forecast.units_evaluated());
        let unit_ms = if evaluated > 0 { evaluation_ms / evaluated as f64 } else { past.unit_ms() };
        forecast.duration_ms = (past.carried_ms(unit_ms) * total as f64 + evaluation_ms).ceil() as u64;
        forecast.peak_rss_bytes = past.peak_rss_bytes(total, evaluated).unwrap_or(forecast.peak_rss_bytes);
        return Ok(forecast);
    }
    forecast.basis = Basis::Sample;
    let copies = copied_days(&mut symbols);
    time_search(plan, options, &copies, &forecast.input, &memory.in_force);
    drop(copies);
    forecast.duration_ms = (clock.elapsed().as_secs_f64() * 1000.0 + evaluation_ms).ceil() as u64;
    forecast.peak_rss_bytes = forecast.peak_rss_bytes.max(peak_rss_bytes().unwrap_or(0));
    Ok(forecast)
}

fn threads() -> f64 {
    rayon::current_num_threads() as f64
}

fn published_parameters(dir: &Path) -> Result<Option<View>, StoreError> {
    match View::open_for_a_look(dir) {
        Ok(view) => Ok(Some(view)),
        Err(StoreError::NoStore { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Returns whether a run would find its answer in the cache, without a study.
fn is_answered(
    job: &SymbolJob<'_>,
    symbols: &[SymbolSources],
    question: &[u8; 32],
) -> Result<bool, RunError> {
    let Some(cache) = job.shelf.and_then(StoreHandle::cache).filter(|_| !job.full) else { return Ok(false) };
    for sources in symbols {
        if recall_symbol(job, sources)?.is_none() {
            return Ok(false);
        }
    }
    Ok(cache.answer(question)?.is_some())
}

/// A symbol as it was found.
struct Looked {
    report: SymbolReport,
    files: Vec<FileNote>,
    units: UnitCounts,
    /// Bytes of its files that a run would read, decoded.
    read_bytes: u64,
    /// Milliseconds of one thread per symbol-day, of those evaluated for a sample.
    unit_ms: f64,
    /// Symbol-days of the sample.
    blocks: Vec<DayBlock>,
}

impl Looked {
    /// Returns how long one thread would evaluate what is left.
    fn evaluation_ms(&self) -> f64 {
        self.unit_ms * self.units.evaluated.len() as f64
    }
}

fn look_at(job: &SymbolJob<'_>, sources: &SymbolSources) -> Result<Looked, SymbolError> {
    let PreparedSymbol { desk, known, mut sorted } = prepare_symbol(job, sources)?;
    let evaluated = sorted.reasons();
    let units = UnitCounts {
        total: sorted.days.len() as u64,
        read: desk.read_so_far(),
        evaluated,
        ..UnitCounts::default()
    };
    let bars = desk.candles.as_ref().map_or(0, |series| series.bars().len() as u64);
    let all = known.candles.max(bars).max(1);
    let mut looked = Looked {
        report: known.report(&sources.symbol, job),
        files: known.files,
        read_bytes: sources.decoded_bytes() / 1024 * (bars * 1024 / all),
        unit_ms: 0.0,
        blocks: Vec::new(),
        units,
    };
    let wanted: Vec<Day> = looked.units.evaluated.iter().map(|(day, _)| *day).collect();
    let picked = if wanted.is_empty() { spread_days(&sorted.days) } else { spread_days(&wanted) };
    sorted.todo.retain(|todo| picked.binary_search(&todo.day).is_ok());
    let mut parts = std::mem::take(&mut sorted.parts);
    if let (Some(series), false) = (&desk.candles, sorted.todo.is_empty()) {
        let market = MarketSeries::new(within_window(series.bars(), &job.plan.days));
        let clock = Instant::now();
        sorted.todo.sort_by_key(|todo| todo.day);
        for batch in sorted.todo.chunks(SAMPLED_TOGETHER) {
            let costs = job.plan.costs.of(&sources.symbol);
            let cached = |todo: &WorkItem, context: &Arc<UnitSchema>| desk.cached(todo, context);
            let done = evaluate_all(&market, batch, desk.given(), job.plan, &costs, cached);
            drop(rows_of(&done));
            for done in &done {
                let place = sorted.place(done.work.day).expect("evaluated days are days of the run");
                let part = done.unit.style_day(&done.context, &job.plan.styles[done.work.style]);
                parts[done.work.style][place] = Some(part);
            }
        }
        looked.unit_ms = clock.elapsed().as_secs_f64() * 1000.0 / picked.len() as f64;
    }
    for day in picked {
        let place = sorted.place(day).expect("picked days are days of the run");
        let styles: Option<Vec<StyleDay>> = parts.iter_mut().map(|parts| parts[place].take()).collect();
        looked.blocks.extend(styles.map(|styles| DayBlock { day, styles }));
    }
    Ok(looked)
}

/// Returns a few of some days, ascending, evenly spread.
fn spread_days(days: &[Day]) -> Vec<Day> {
    let count = days.len().min(SAMPLED_DAYS);
    (0..count).map(|place| days[place * days.len() / count]).collect()
}

/// Returns as many days as the run has, each a copy of one of the sample; the sample is used up.
fn copied_days(symbols: &mut [Looked]) -> Vec<SymbolDays> {
    let mut sample: Vec<DayBlock> = Vec::new();
    for symbol in &mut *symbols {
        sample.append(&mut symbol.blocks);
    }
    let copy = |(index, looked): (usize, &Looked)| {
        let last = looked.report.days.map_or(Day(0), |(_, last)| last);
        let first = last.0 + 1 - looked.units.total as i32;
        let block = |(place, day): (usize, i32)| {
            // Symbols begin at different places, or they would all trade the same days.
            let block = sample.get((index * SAMPLED_DAYS + place) % sample.len().max(1));
            block.map(|block| moved_block(block, Day(day)))
        };
        let blocks = (first..=last.0).enumerate().filter_map(block).collect();
        SymbolDays { symbol: index as u16, blocks }
    };
    symbols.iter().enumerate().map(copy).collect()
}

/// Returns a symbol-day as if it had been on another day. Opportunities, which cost next to nothing, are left out.
fn moved_block(block: &DayBlock, day: Day) -> DayBlock {
    let later_ms = i64::from(day.0 - block.day.0) * DAY_MS;
    let signal = |signal: &DaySignal| DaySignal { entry_ms: signal.entry_ms + later_ms, ..*signal };
    let part = |part: &StyleDay| StyleDay {
        sealed: part.sealed,
        pending: part.pending,
        lost: part.lost,
        blind: part.blind,
        cut: part.cut,
        signals: part.signals.iter().map(signal).collect(),
        coordinates: part.coordinates.clone(),
        evidence: part.evidence.clone(),
        outcomes: part.outcomes.clone(),
        opportunities: Default::default(),
    };
    DayBlock { day, styles: block.styles.iter().map(part).collect() }
}

/// Searches as a run does, for the time it takes.
fn time_search(
    plan: &Plan,
    options: &RunOptions,
    days: &[SymbolDays],
    input: &InputReport,
    in_force: &ActiveParameters,
) {
    let span = days_of(plan, input);
    let one = |index| drop(study_style(plan, index, days, span.clone(), input, in_force));
    match options.memory_bytes {
        Some(_) => (0..plan.styles.len()).for_each(one),
        None => (0..plan.styles.len()).into_par_iter().for_each(one),
    }
}

/// Earlier runs that searched: same plan, same threads.
struct Past {
    runs: Vec<(RunRecord, Worked)>,
}

/// The symbol-days of an earlier run.
#[derive(Clone, Copy)]
struct Worked {
    total: u64,
    evaluated: u64,
}

impl Past {
    fn read(snapshot: &Snapshot<'_>, profile: &str, plan: &Plan) -> Result<Self, StoreError> {
        let plan_print = plan.fingerprint().0;
        let mut found = Vec::new();
        let all = snapshot.runs(profile, .., RUNS_READ)?;
        for (place, (id, run)) in all.iter().enumerate() {
            let comparable = run.plan_fingerprint == plan_print
                && run.threads as usize == rayon::current_num_threads()
                && !is_by_hand(&run.result);
            let Some(work) = snapshot.work(profile, *id)?.filter(|_| comparable) else { continue };
            let worked = Worked::of(&work);
            // Such a run may have found its answer ready.
            let before = all.get(place + 1).map(|(_, before)| before.data_fingerprint);
            if worked.total > 0 && (worked.evaluated > 0 || before != Some(run.data_fingerprint)) {
                found.push((run.clone(), worked));
            }
        }
        Ok(Self { runs: found })
    }

    /// Returns the milliseconds of a symbol-day evaluated, from the runs that evaluated most and least.
    fn unit_ms(&self) -> f64 {
        let by_evaluated = |(_, worked): &&(RunRecord, Worked)| worked.evaluated;
        let (most, least) =
            (self.runs.iter().max_by_key(by_evaluated), self.runs.iter().min_by_key(by_evaluated));
        most.zip(least).map_or(0.0, |(most, least)| {
            let units = most.1.evaluated - least.1.evaluated;
            let ms = most.0.duration_ms.saturating_sub(least.0.duration_ms);
            if units * 4 > most.1.total { ms as f64 / units as f64 } else { 0.0 }
        })
    }

    /// Returns the milliseconds of everything but evaluation per symbol-day: reading, reusing, searching, storing.
    fn carried_ms(&self, unit_ms: f64) -> f64 {
        let per_day = |(run, worked): &(RunRecord, Worked)| {
            (run.duration_ms as f64 - unit_ms * worked.evaluated as f64).max(0.0) / worked.total as f64
        };
        let mut all: Vec<f64> = self.runs.iter().map(per_day).collect();
        all.sort_by(f64::total_cmp);
        all.get(all.len() / 2).copied().unwrap_or(0.0)
    }

    /// Returns the largest peak of the runs that evaluated as much of what they had: most of it, or little.
    fn peak_rss_bytes(&self, total: u64, evaluated: u64) -> Option<u64> {
        let most = |worked: Worked| worked.evaluated * 2 > worked.total;
        let alike = self.runs.iter().filter(|(_, worked)| most(*worked) == most(Worked { total, evaluated }));
        alike.map(|(run, _)| run.peak_rss_bytes).filter(|bytes| *bytes > 0).max()
    }
}

impl Worked {
    fn of(work: &WorkRecord) -> Self {
        Self {
            total: work.symbols.iter().map(|symbol| symbol.days).sum(),
            evaluated: work.symbols.iter().map(|symbol| symbol.evaluated).sum(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(duration_ms: u64, total: u64, evaluated: u64, peak: u64) -> (RunRecord, Worked) {
        let run = RunRecord { duration_ms, peak_rss_bytes: peak, ..RunRecord::default() };
        (run, Worked { total, evaluated })
    }

    #[test]
    fn earlier_runs_tell_what_a_unit_costs() {
        let past = Past { runs: vec![run(120, 110, 10, 40), run(1090, 100, 100, 90), run(110, 100, 0, 30)] };
        assert!((past.unit_ms() - 9.8).abs() < 1e-9);
        assert!((past.carried_ms(9.8) - 1.1).abs() < 1e-9);
        assert_eq!(past.peak_rss_bytes(100, 80), Some(90));
        assert_eq!(past.peak_rss_bytes(100, 3), Some(40));
        let alike = Past { runs: vec![run(120, 100, 10, 0), run(90, 100, 2, 0)] };
        assert_eq!((alike.unit_ms(), alike.peak_rss_bytes(10, 1)), (0.0, None));
    }

    #[test]
    fn days_are_spread_evenly() {
        let days: Vec<Day> = (100..300).map(Day).collect();
        let some = spread_days(&days);
        assert_eq!((some.len(), some[0], some[127]), (SAMPLED_DAYS, Day(100), Day(298)));
        assert_eq!(spread_days(&days[..3]), days[..3]);
        assert!(spread_days(&[]).is_empty());
    }
}
