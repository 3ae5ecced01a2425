//! The daily run: ingest -> features -> signals -> outcomes -> search -> validate -> decide -> save.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use rayon::prelude::*;

use super::active::{ActiveParameters, EarlierParameters};
use super::clock;
use super::error::RunError;
use super::event::RunEvent;
use super::freshness::{Freshness, LastRun, Surroundings};
use super::halt::Halt;
use super::input_report::{InputReport, SymbolReport};
use super::options::RunOptions;
use super::records;
use super::report::{RunReport, StyleReport};
use super::resources::{room_at_first, room_bytes, spare_bytes, study_bytes, symbols_in_flight};
use super::style::study_style;
use crate::decide::{Fallback, RunResult};
use crate::engine::outcome_spill::OutcomeStore;
use crate::engine::plan::Plan;
use crate::fingerprint::{Canonical, Fingerprint};
use crate::ingest::{Catalog, IngestOptions, SymbolSources};
use crate::model::{Day, ParameterSet, Style, Symbol};
use crate::run::file_summary::IssueNote;
use crate::run::given_signals::{SignalsBySymbol, columns_of};
use crate::run::issue_detail::IssueDetail;
use crate::run::memoised;
use crate::run::store_handle::StoreHandle;
use crate::run::symbol_evaluator::{
    EvaluatedSymbol, SpotCheck, evaluate_symbol, newest_remembered, recall_symbol, spot_check,
};
use crate::run::symbol_job::SymbolJob;
use crate::run::unit_counts::{FilesRead, UnitCounts};
use crate::run::unreported::unreported_runs;
use crate::run::window::first_day;
use crate::search::strategy::{STARTS_MAX, Strategy};
use crate::store::records::InsightsRecord;
use crate::store::{Cache, Snapshot, Store, StoreError, report_done};
use crate::study::assembly::SymbolDays;

/// The part of a memory limit that a batch of units may take.
const BATCH_SHARE: u64 = 32;

/// Carries out a daily run.
///
/// All changes to what was learned are committed in one transaction at the end; before it, nothing is touched.
/// The answer depends on the candles, the plan and the active parameters, and on nothing else: not on threads, order
/// of files, time or earlier runs.
///
/// Who gets the report is the one who wanted to know: the run counts as reported.
///
/// Errors: see [`RunError`]; the store is as it was
pub fn incremental(
    plan: &Plan,
    options: &RunOptions,
    stop: &AtomicBool,
    on_event: &(dyn Fn(RunEvent) + Sync),
) -> Result<RunReport, RunError> {
    let report = incremental_to_tell(plan, options, stop, on_event)?;
    if let (Some(location), Some(run)) = (&options.store, report.run)
        && let Err(error) = report_done(location.clone(), &options.profile, run)
    {
        tracing::debug!(%error, "the run will be reported once more");
    }
    Ok(report)
}

/// Carries out a daily run for somebody who passes its report on, and notes with [`report_done`] that this was done. Until
/// then the run counts as not reported, and the next one says so.
///
/// Errors: see [`RunError`]; the store is as it was
pub fn incremental_to_tell(
    plan: &Plan,
    options: &RunOptions,
    stop: &AtomicBool,
    on_event: &(dyn Fn(RunEvent) + Sync),
) -> Result<RunReport, RunError> {
    let began = Instant::now();
    let given = read_given_signals(plan, options)?;
    // Other writers are kept out before the work; the store is opened, or created, when there is something to say.
    let shelf = options
        .store
        .clone()
        .map(|location| StoreHandle::open(location, options.cache_bytes, options.now_ms));
    let shelf = shelf.transpose()?;
    let cache = shelf.as_ref().and_then(StoreHandle::cache);
    let written_ms = cache.map(Cache::last_written_ms).transpose()?.flatten();
    let halt = Halt::new(stop, options.time_budget.map(|budget| began + budget));
    let outcomes = options.outcome_store();
    let (given, shelf_ref) = (given.as_ref(), shelf.as_ref());
    let work =
        RunContext { plan, options, given, shelf: shelf_ref, outcomes: &outcomes, halt: &halt, on_event };
    let mut catalog = crate::ingest::discover(&options.data, &options.ingest(plan))?;
    options.signals.iter().for_each(|file| catalog.leave_out(file));
    on_event(RunEvent::Discovered { symbols: catalog.symbols.len() });
    let mut store = None;
    let answered = match work.recall_answer(&catalog, &mut store)? {
        Recall::Answered(answered) => *answered,
        Recall::Unknown => work.find_answer(&catalog, None, &mut store)?,
        Recall::Distrusted(symbol) => work.find_answer(&catalog, Some(&symbol), &mut store)?,
    };
    halt.check()?;
    let Answered { input, units, mut styles, memory, data_fingerprint } = answered;
    some_used(&input, &styles)?;
    if let Some(last_ms) = memory.latest_run_ms.filter(|last| clock::is_set_back(options.now_ms, *last)) {
        let clock = clock::set_back(options.now_ms, last_ms);
        styles.iter_mut().for_each(|style| style.hold_back_by_clock(clock));
        clock::say_set_back(clock);
    }
    let around = Surroundings {
        plan,
        now_ms: options.now_ms,
        last_run: memory.last_run.as_ref(),
        newest_run_ms: memory.latest_run_ms,
    };
    let freshness = Freshness::of(&input, around);
    if let Some(reason) = freshness.holds_back(plan.age) {
        styles.iter_mut().for_each(|style| style.hold_back(reason));
    }
    let mut result = RunResult::of(styles.iter().map(|style| style.decision.outcome));
    if styles.iter().any(|style| !style.applied_changes().is_empty()) {
        result = RunResult::Changed;
    }
    if memory.same_as.is_some() && result != RunResult::Changed {
        result = RunResult::Unchanged;
    }
    let mut report = RunReport {
        run: None,
        profile: options.profile.clone(),
        started_at_ms: options.now_ms,
        duration_ms: began.elapsed().as_millis() as u64,
        threads: rayon::current_num_threads() as u32,
        peak_rss_bytes: super::resources::peak_rss_bytes(),
        data_fingerprint,
        plan_fingerprint: plan.fingerprint(),
        same_as: memory.same_as,
        // What was kept after the last recorded run, an interrupted one left behind.
        resumed: written_ms.is_some_and(|written| memory.last_run_ms.is_none_or(|last| last < written)),
        input,
        freshness,
        units,
        cached: shelf.as_ref().and_then(StoreHandle::cache).map(Cache::size).transpose()?,
        styles,
        score_name: plan.search.score.to_string(),
        asked_days: (plan.days.first, plan.days.end),
        result,
        overdue: Vec::new(),
    };
    if let Some(store) = &mut store {
        let untold = unreported_runs(store, &options.profile)?;
        let (known, earlier) = (memory.insights, memory.in_force.earlier);
        let run =
            store.commit(records::learning_commit(&report, plan, &options.config_toml, &known, &earlier))?;
        on_event(RunEvent::Committed { run });
        report.run = Some(run);
        store.publish_run(run)?;
        if let Some(shelf) = &shelf {
            shelf.stamp(store);
        }
        report.overdue = untold;
    }
    report.duration_ms = began.elapsed().as_millis() as u64;
    Ok(report)
}

/// Reads the signals of the run, if it is on given ones.
pub(crate) fn read_given_signals(
    plan: &Plan,
    options: &RunOptions,
) -> Result<Option<SignalsBySymbol>, RunError> {
    if let Some(path) = &options.signals {
        let room_bytes = options.memory_bytes.map(room_at_first);
        return Ok(Some(SignalsBySymbol::read(path, plan, room_bytes)?));
    }
    let reads = |style: &crate::engine::plan::StylePlan| {
        let column = columns_of(style).next()?.to_owned();
        Some(RunError::NoSignals { style: style.space.style(), column })
    };
    plan.styles.iter().find_map(reads).map_or(Ok(None), Err)
}

/// The answer of a run with what it rests on.
struct Answered {
    input: InputReport,
    units: Vec<UnitCounts>,
    styles: Vec<StyleReport>,
    memory: PriorState,
    data_fingerprint: Fingerprint,
}

/// What an earlier run says to the same question.
enum Recall {
    Answered(Box<Answered>),
    Unknown,
    /// It cannot be believed: cached units of this symbol do not repeat.
    Distrusted(Symbol),
}

/// What a run read and evaluated.
struct Evaluated {
    input: InputReport,
    symbols: Vec<SymbolDays>,
    units: Vec<UnitCounts>,
}

/// A run at work.
#[derive(Clone, Copy)]
pub(crate) struct RunContext<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) options: &'a RunOptions,
    pub(crate) given: Option<&'a SignalsBySymbol>,
    pub(crate) shelf: Option<&'a StoreHandle>,
    /// Where outcomes wait for the search.
    pub(crate) outcomes: &'a OutcomeStore,
    pub(crate) halt: &'a Halt<'a>,
    pub(crate) on_event: &'a (dyn Fn(RunEvent) + Sync),
}

impl RunContext<'_> {
    pub(crate) fn job<'j>(
        &'j self,
        ingest: &'j IngestOptions,
        catalog: &'j Catalog,
        distrusted: Option<&'j Symbol>,
    ) -> Result<SymbolJob<'j>, StoreError> {
        let symbols = catalog.symbols.iter().map(|sources| &sources.symbol);
        let newest_open = newest_remembered(self.shelf.and_then(StoreHandle::cache), symbols)?;
        // Another symbol every day.
        let today = Day::of(self.options.now_ms).0.unsigned_abs() as usize;
        let checked = catalog.symbols.get(today % catalog.symbols.len().max(1));
        Ok(SymbolJob {
            newest_open,
            plan: self.plan,
            ingest,
            given: self.given,
            shelf: self.shelf,
            outcomes: self.outcomes,
            batch_bytes: self.options.memory_bytes.map(|limit| (limit / BATCH_SHARE) as usize),
            full: self.options.full,
            checked: checked.map(|sources| &sources.symbol),
            distrusted,
            now_ms: self.options.now_ms,
            halt: self.halt,
            on_event: self.on_event,
        })
    }

    /// Returns the answer of an earlier run to the same question, if no file changed and a sample of the units that it
    /// rests on repeats.
    fn recall_answer(&self, catalog: &Catalog, store: &mut Option<Store>) -> Result<Recall, RunError> {
        let Some(shelf) = self.shelf else { return Ok(Recall::Unknown) };
        let (Some(cache), false) = (shelf.cache(), self.options.full) else { return Ok(Recall::Unknown) };
        let ingest = self.options.ingest(self.plan);
        let job = self.job(&ingest, catalog, None)?;
        let mut input = InputReport { passed_over: catalog.passed_over.clone(), ..InputReport::default() };
        let mut units = Vec::new();
        for sources in &catalog.symbols {
            let Some(known) = recall_symbol(&job, sources)? else { return Ok(Recall::Unknown) };
            input.files.extend(known.files);
            if known.report.candles > 0 {
                input.symbols.push(known.report);
                units.push(known.units);
            }
        }
        if has_days(self.plan, self.options, &input).is_err() {
            return Ok(Recall::Unknown);
        }
        note_ends(self.plan, &mut input);
        for (symbol, units) in input.symbols.iter().zip(&mut units) {
            units.total = days_used(self.plan, &input, symbol);
        }
        input.signals = self.given.map(|given| given.note(self.plan, &input));
        let data_fingerprint = data_fingerprint(&input);
        let opened = store.insert(shelf.store()?);
        let memory = PriorState::recall(Some(&opened.read()?), self.options, self.plan, data_fingerprint)?;
        let question = memoised::cache_key(self.plan, data_fingerprint, &memory.in_force);
        let Some(styles) = cache.answer(&question.0)?.and_then(|row| memoised::decode_answer(&row)) else {
            return Ok(Recall::Unknown);
        };
        let known = |sources: &&SymbolSources| job.checked == Some(&sources.symbol);
        if let Some(sources) = catalog.symbols.iter().find(known) {
            let checked = match spot_check(&job, sources)? {
                SpotCheck::Sound(checked) => checked,
                SpotCheck::Changed => return Ok(Recall::Unknown),
                SpotCheck::Mismatch => return Ok(Recall::Distrusted(sources.symbol.clone())),
            };
            let place = input.symbols.iter().position(|symbol| symbol.name == sources.symbol.as_str());
            if let Some(units) = place.map(|place| &mut units[place]) {
                (units.checked, units.read) = (checked, FilesRead::Whole);
            }
        }
        note_identical_files(&mut input);
        Ok(Recall::Answered(Box::new(Answered { input, units, styles, memory, data_fingerprint })))
    }

    /// Finds the answer, in as many stages as the plan has, and keeps it.
    fn find_answer(
        &self,
        catalog: &Catalog,
        distrusted: Option<&Symbol>,
        store: &mut Option<Store>,
    ) -> Result<Answered, RunError> {
        let mut answered = self.study(catalog, distrusted, store)?;
        let last_stage = self.plan.last_stage(|style| self.starts(&answered, style))?;
        if let Some(plan) = &last_stage {
            self.halt.check()?;
            (self.on_event)(RunEvent::Discovered { symbols: catalog.symbols.len() });
            let last = RunContext { plan, ..*self }.study(catalog, None, store)?;
            let units = answered.units.into_iter().zip(last.units).map(|(first, last)| first.then(last));
            answered = Answered { units: units.collect(), ..last };
        }
        let kept = self.shelf.and_then(StoreHandle::cache).zip(memoised::encode_answer(&answered.styles));
        if let Some((cache, bytes)) = kept {
            let question =
                memoised::cache_key(self.plan, answered.data_fingerprint, &answered.memory.in_force);
            if let Err(error) = cache.keep_answer(&question.0, &bytes, self.options.now_ms) {
                tracing::warn!("the answer is not kept for the next run: {error}");
            }
        }
        Ok(answered)
    }

    /// Returns where the last stage of a style starts from: the active parameters, then the first stage's best.
    fn starts(&self, first: &Answered, style: Style) -> Vec<ParameterSet> {
        let place = self.plan.styles.iter().position(|planned| planned.space.style() == style);
        let in_force = place.and_then(|place| first.memory.in_force.styles[place].clone());
        let coarse = self.plan.search.stages.strategy == Strategy::CoarseFine;
        let report = first.styles.iter().find(|report| coarse && report.style == style);
        let best = report.into_iter().flat_map(|report| &report.study.top).map(|best| best.set.clone());
        in_force.into_iter().chain(best).take(STARTS_MAX).collect()
    }

    /// Reads, evaluates and studies; what was evaluated before is reused.
    fn study(
        &self,
        catalog: &Catalog,
        distrusted: Option<&Symbol>,
        store: &mut Option<Store>,
    ) -> Result<Answered, RunError> {
        let evaluated = self.evaluate(catalog, distrusted);
        let Evaluated { input, symbols, units } = evaluated.map_err(|error| self.named(error))?;
        if let (None, Some(shelf)) = (&store, self.shelf) {
            *store = Some(shelf.store()?);
        }
        let data_fingerprint = data_fingerprint(&input);
        let snapshot = store.as_ref().map(Store::read).transpose()?;
        let memory = PriorState::recall(snapshot.as_ref(), self.options, self.plan, data_fingerprint)?;
        self.halt.check()?;
        let days = days_of(self.plan, &input);
        let study_one = |index: usize| {
            let report = study_style(self.plan, index, &symbols, days.clone(), &input, &memory.in_force);
            (self.on_event)(RunEvent::StudyDone { style: report.style, sets: report.study.sets });
            report
        };
        let styles = 0..self.plan.styles.len();
        // One grid in memory at a time where memory is short.
        let styles: Vec<StyleReport> = match self.options.memory_bytes {
            Some(_) => styles.map(study_one).collect(),
            None => styles.into_par_iter().map(study_one).collect(),
        };
        if let Some(source) = self.outcomes.failure() {
            return Err(RunError::Spill { source });
        }
        Ok(Answered { input, units, styles, memory, data_fingerprint })
    }

    /// Says which budget is used up.
    fn named(&self, error: RunError) -> RunError {
        match (error, self.options.time_budget) {
            (RunError::Stopped, Some(budget)) if self.halt.is_out_of_time() => RunError::OutOfTime { budget },
            (error, _) => error,
        }
    }

    /// Reads and evaluates every symbol; symbols in parallel, in memory only those in flight.
    fn evaluate(&self, catalog: &Catalog, distrusted: Option<&Symbol>) -> Result<Evaluated, RunError> {
        let ingest = self.options.ingest(self.plan);
        let job = self.job(&ingest, catalog, distrusted)?;
        let sizes: Vec<u64> = catalog.symbols.iter().map(SymbolSources::decoded_bytes).collect();
        let held = self.given.map_or(0, SignalsBySymbol::bytes) + study_bytes(self.plan, self.given);
        let at_once = symbols_in_flight(sizes.iter().copied(), held, self.options.memory_bytes)?;
        let spare = spare_bytes(&sizes, held, at_once, self.options.memory_bytes);
        let with_room = |sources: &SymbolSources| IngestOptions {
            room_bytes: room_bytes(sources, spare),
            ..ingest.clone()
        };
        let evaluate_one = |sources: &SymbolSources| {
            self.halt.check()?;
            let ingest = with_room(sources);
            let done = evaluate_symbol(&SymbolJob { ingest: &ingest, ..job }, sources)?;
            (self.on_event)(RunEvent::SymbolDone {
                symbol: done.report.name.clone(),
                candles: done.report.candles,
                units: done.units.clone(),
            });
            Ok(done)
        };
        let mut evaluated: Vec<Result<EvaluatedSymbol, RunError>> = Vec::new();
        for group in catalog.symbols.chunks(at_once) {
            evaluated.par_extend(group.par_iter().with_max_len(1).map(evaluate_one));
        }
        self.end_stopped(&job, catalog, &with_room, &mut evaluated)?;
        let mut all = Evaluated {
            input: InputReport { passed_over: catalog.passed_over.clone(), ..InputReport::default() },
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
        note_identical_files(&mut all.input);
        all.input.signals = self.given.map(|given| given.note(self.plan, &all.input));
        has_days(self.plan, self.options, &all.input)?;
        note_ends(self.plan, &mut all.input);
        // Of a symbol that ended early a window of its own was evaluated: what lies before the run's is not used.
        let from = days_of(self.plan, &all.input).start;
        for (days, units) in all.symbols.iter_mut().zip(&mut all.units) {
            days.blocks.retain(|block| block.day >= from);
            units.total = days.blocks.len() as u64;
            units.evaluated.retain(|(day, _)| *day >= from);
        }
        Ok(all)
    }

    /// Evaluates symbols again of which only the newest candle of all says whether they have stopped.
    fn end_stopped(
        &self,
        job: &SymbolJob<'_>,
        catalog: &Catalog,
        ingest_of: &dyn Fn(&SymbolSources) -> IngestOptions,
        evaluated: &mut [Result<EvaluatedSymbol, RunError>],
    ) -> Result<(), RunError> {
        let reports = evaluated.iter().flatten().map(|symbol| &symbol.report);
        let last_opens = reports.filter(|report| report.candles > 0).map(|report| report.last_open);
        let newest_open = last_opens.max().unwrap_or(i64::MIN);
        let again = SymbolJob { newest_open, on_event: &|_| (), ..*job };
        for (sources, symbol) in catalog.symbols.iter().zip(evaluated) {
            let Ok(known) = symbol else { continue };
            let last_open = known.report.last_open;
            let differs = self.plan.is_stopped(last_open, newest_open)
                != self.plan.is_stopped(last_open, job.newest_open);
            if known.report.candles > 0 && differs {
                self.halt.check()?;
                let first = std::mem::take(&mut known.units);
                let mut ended =
                    evaluate_symbol(&SymbolJob { ingest: &ingest_of(sources), ..again }, sources)?;
                ended.units = first.then(ended.units);
                *symbol = Ok(ended);
            }
        }
        Ok(())
    }
}

pub(crate) fn note_identical_files(input: &mut InputReport) {
    let identities: Vec<_> = input.files.iter().map(|file| file.identity.clone()).collect();
    for (index, issue) in crate::ingest::identical_files(&identities) {
        input.files[index].issues.push(IssueNote::from(&issue));
    }
}

/// Returns nothing if there are candles on days that count.
///
/// Errors: `RunError::NoCandles`, `RunError::NoDays`
pub(crate) fn has_days(plan: &Plan, options: &RunOptions, input: &InputReport) -> Result<(), RunError> {
    let Some((first, last)) = input.days() else {
        return Err(RunError::NoCandles { paths: options.data.clone(), input: Box::new(input.clone()) });
    };
    match plan.days.first.filter(|asked| *asked > last) {
        Some(asked) => Err(RunError::NoDays { asked, first, last, end: plan.days.end }),
        None => Ok(()),
    }
}

/// Returns nothing if signals are derived, or some of those given are used.
///
/// Errors: `RunError::NoSignalUsed`
fn some_used(input: &InputReport, styles: &[StyleReport]) -> Result<(), RunError> {
    let Some(signals) = input.signals.as_ref().filter(|_| styles.iter().all(|style| style.in_lattice == 0))
    else {
        return Ok(());
    };
    let rows = signals.unused().map(|(count, what)| format!("{count} {what}"));
    let unused =
        styles.iter().flat_map(|style| style.unused().into_iter().map(|unused| (style.style, unused)));
    let unused = unused.map(|(style, (_, count, what))| format!("{style}: {count} {what}"));
    let reasons: Vec<String> = rows.chain(unused).collect();
    Err(RunError::NoSignalUsed { signals: Box::new(signals.clone()), reasons: reasons.join(", ") })
}

/// The entry days of a run: from the first that counts to the last with candles.
pub(crate) fn days_of(plan: &Plan, input: &InputReport) -> Range<Day> {
    let (first, last) = input.days().unwrap_or((Day(0), Day(-1)));
    // A signal on the last candle of a day enters on the next.
    first_day(&plan.days, first, last)..Day(last.0 + 2)
}

/// Returns how many days of a symbol the run uses.
fn days_used(plan: &Plan, input: &InputReport, symbol: &SymbolReport) -> u64 {
    let days = symbol.days.map(|(first, last)| (first_day(&plan.days, first, last), last));
    let from = days_of(plan, input).start;
    days.map_or(0, |(first, last)| u64::try_from(last.0 + 1 - first.max(from).0).unwrap_or(0))
}

/// Notes the symbols that have stopped, and those that ended before the window.
pub(crate) fn note_ends(plan: &Plan, input: &mut InputReport) {
    let (newest, from) = (input.newest_open(), days_of(plan, input).start);
    for symbol in &mut input.symbols {
        if !plan.is_stopped(symbol.last_open, newest) {
            continue;
        }
        let last_open_ms = symbol.last_open;
        let detail = match symbol.days {
            Some((_, last_day)) if last_day < from => {
                IssueDetail::EndsBefore { last_open_ms, from: from.to_string() }
            }
            _ => IssueDetail::Stopped { last_open_ms, newest_open_ms: newest },
        };
        symbol.issues.push(IssueNote { kind: "stopped".to_owned(), count: 1, line: None, detail });
    }
}

pub(crate) fn data_fingerprint(input: &InputReport) -> Fingerprint {
    let InputReport {
        symbols,
        signals: given,
        // The candles that were made of them count.
        files: _,
        passed_over: _,
    } = input;
    let hash = Canonical::new("retune data v1").count(symbols.len() as u64);
    let add = |hash: Canonical, symbol: &SymbolReport| {
        let SymbolReport {
            name,
            fingerprint,
            // Of the candles that the fingerprint covers. Of issues an answer knows gaps and new scales only, which are theirs as well.
            candles: _,
            days: _,
            issues: _,
            last_open: _,
            closes: _,
            newest_close_ms: _,
        } = symbol;
        hash.text(name).nested(*fingerprint)
    };
    let candles = symbols.iter().fold(hash, add);
    let given = given.as_ref();
    given.map_or(candles.clone(), |given| candles.text("signals").nested(given.fingerprint)).finish()
}

/// Runs among which the last one that read candles is looked for: others were decisions by hand.
const RUNS_LOOKED_AT: usize = 20;

/// What earlier runs left behind.
pub(crate) struct PriorState {
    pub(crate) in_force: ActiveParameters,
    /// The last run, if it had the same candles and plan and its parameters are still active.
    same_as: Option<u64>,
    /// Start of the last run of any profile; UTC ms.
    last_run_ms: Option<i64>,
    /// The latest beginning of the last runs of all profiles; UTC ms.
    latest_run_ms: Option<i64>,
    /// The last run of the profile that read candles.
    last_run: Option<LastRun>,
    /// What was learned, for people; the answer does not depend on it.
    insights: BTreeMap<Style, InsightsRecord>,
}

impl PriorState {
    pub(crate) fn recall(
        snapshot: Option<&Snapshot<'_>>,
        options: &RunOptions,
        plan: &Plan,
        data: Fingerprint,
    ) -> Result<Self, StoreError> {
        let plan_print = plan.fingerprint();
        let mut in_force =
            ActiveParameters { styles: vec![None; plan.styles.len()], ..ActiveParameters::default() };
        let mut insights = BTreeMap::new();
        let none = Self {
            in_force: in_force.clone(),
            same_as: None,
            last_run_ms: None,
            latest_run_ms: None,
            last_run: None,
            insights: insights.clone(),
        };
        let Some(snapshot) = snapshot else { return Ok(none) };
        for (scope, record) in snapshot.params_all(&options.profile)? {
            let set = super::recall::parameter_set(&record.set);
            match plan.styles.iter().position(|style| style.space.style().as_str() == scope) {
                Some(index) => {
                    let chosen = snapshot.run(&options.profile, record.run)?;
                    // What was put there by hand nobody had seen the day after.
                    let day = chosen.and_then(|run| Day::parse(&run.last_day));
                    let day = day.unwrap_or(Day::of(record.adopted_at_ms));
                    in_force.chosen_on.insert(plan.styles[index].space.style(), day);
                    in_force.styles[index] = Some(set);
                }
                None => drop(in_force.symbols.insert(scope, set)),
            }
        }
        in_force.barred = super::adopt::barred_sets(snapshot, &options.profile)?;
        if plan.search.decayed == Fallback::Previous {
            for style in plan.styles.iter().map(|style| style.space.style()) {
                let found = super::adopt::parameters_before(snapshot, &options.profile, style)?;
                let earlier = found.map(|(run, record)| {
                    let set = super::recall::parameter_set(&record.set);
                    EarlierParameters { run, record, set }
                });
                in_force.earlier.extend(earlier.map(|earlier| (style, earlier)));
            }
        }
        let (grids, looks) = snapshot.grids_and_looks(&options.profile)?;
        in_force.grids = grids;
        for (style, (day, run)) in looks {
            // A look at the same candles is the same look.
            let looked = snapshot.run(&options.profile, run)?;
            if looked.is_none_or(|run| run.data_fingerprint != data.0) {
                in_force.first_looks.insert(style, day);
            }
        }
        // Handing parameters over by force changes nothing, and does not happen twice in a row.
        let last = snapshot.runs(&options.profile, .., 2)?;
        let last = last.into_iter().find(|(_, run)| run.result != super::adopt::EXPORTED);
        let same_as = last
            .filter(|(_, run)| run.data_fingerprint == data.0 && run.plan_fingerprint == plan_print.0)
            .map(|(id, _)| id);
        let recent = snapshot.runs(&options.profile, .., RUNS_LOOKED_AT)?;
        let last_run = recent.into_iter().find(|(_, run)| !run.symbols.is_empty()).map(|(id, run)| LastRun {
            id,
            started_at_ms: run.started_at_ms,
            symbols: run.symbols,
            last_day: Day::parse(&run.last_day),
        });
        let mut last_run_ms = None;
        for profile in snapshot.profiles()? {
            let newest = snapshot.runs(&profile, .., 1)?.into_iter().next();
            last_run_ms = last_run_ms.max(newest.map(|(_, run)| run.started_at_ms));
        }
        let latest_run_ms = clock::latest_run_ms(snapshot)?;
        for style in Style::ALL {
            insights.extend(snapshot.insights(&options.profile, style)?.map(|record| (style, record)));
        }
        Ok(Self { in_force, same_as, last_run_ms, latest_run_ms, last_run, insights })
    }
}
