//! One symbol of a run: read its candles if they may have changed, reuse the units that still hold, evaluate the rest.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::day::DayBlock;
use super::notes::{FileNote, IssueNote};
use super::plan::{DayLimits, Plan};
use super::report::SymbolReport;
use super::reuse::{DayPrints, Reason, Treatment, UnitKeys, costs_fingerprint, encode, treat};
use super::shelf::Shelf;
use super::unit::{Context, Unit, evaluate};
use crate::exits::{ExitPlan, TradeCosts};
use crate::features::frame::Market;
use crate::fingerprint::{Fingerprint, of_candles};
use crate::ingest::{
    IngestError, IngestOptions, LoadedSymbol, OnConflict, Source, SymbolSources, load_symbol,
};
use crate::model::{Bars, CandleSeries, Day, ExitRule, Interval, Symbol};
use crate::signals::candidates::candidates;
use crate::store::{CacheBatch, CachedSymbol, StoreError, UnitKey};

/// Reused units per symbol that are evaluated again as a check, when the candles are at hand anyway.
const CHECKED_UNITS: usize = 2;
/// Exit rules a cached unit holds at most; beyond it the oldest grid's rules are dropped.
const RULES_MAX: usize = 256;
/// A file changed so recently that a further change could leave the same time of modification; ms.
const RACY_MS: i64 = 2_000;

/// How a symbol is to be evaluated.
#[derive(Clone, Copy)]
pub(super) struct Job<'a> {
    pub(super) plan: &'a Plan,
    pub(super) ingest: &'a IngestOptions,
    /// Where earlier results are and new ones go; `None` computes everything and keeps nothing.
    pub(super) shelf: Option<&'a Shelf>,
    /// Ignore earlier results.
    pub(super) full: bool,
    /// The symbol whose files are read in any case, so that every run checks something that it reuses.
    pub(super) checked: Option<&'a Symbol>,
    pub(super) now_ms: i64,
}

/// What became of a symbol's units: symbol-days in all, and those evaluated by reason.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UnitCounts {
    /// Symbol-days.
    pub total: u64,
    /// Symbol-days of which at least one style was evaluated, with the reason of the first.
    pub evaluated: Vec<(Day, Reason)>,
    /// Units evicted from the cache to make room.
    pub evicted: u64,
    /// Units evaluated again as a check of what was reused.
    pub checked: u64,
    /// Whether the files had to be read.
    pub read: bool,
}

/// A symbol of a run.
pub(super) struct EvaluatedSymbol {
    pub(super) report: SymbolReport,
    pub(super) files: Vec<FileNote>,
    pub(super) blocks: Vec<DayBlock>,
    pub(super) units: UnitCounts,
}

/// Why a symbol could not be evaluated.
#[derive(Debug, thiserror::Error)]
pub(super) enum SymbolError {
    #[error(transparent)]
    Ingest(#[from] IngestError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a file looked like when it was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Stamp {
    path: String,
    entry: Option<String>,
    size: u64,
    modified_ns: i128,
    inode: u64,
}

/// What is remembered of a symbol's files, so that unchanged ones are not read again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Memory {
    interval_ms: i64,
    last_wins: bool,
    stamps: Vec<Stamp>,
    files: Vec<FileNote>,
    issues: Vec<IssueNote>,
    /// Fingerprint of each day's candles.
    days: Vec<(i32, [u8; 32])>,
    candles: u64,
    last_open: i64,
    fingerprint: [u8; 32],
    /// Styles (by ordinal) with the first and last day ever evaluated.
    evaluated: Vec<(u8, i32, i32)>,
}

/// Evaluates a symbol.
///
/// The result is that of reading and evaluating everything, whatever is cached: a unit is reused only when all that it
/// depends on has the same fingerprint, files are skipped only when they look exactly as when they were read.
pub(super) fn evaluate_symbol(
    job: &Job<'_>,
    sources: &SymbolSources,
) -> Result<EvaluatedSymbol, SymbolError> {
    let name = sources.symbol.as_str();
    let cached = match job.shelf.and_then(Shelf::cache) {
        Some(cache) => cache.symbol(name)?,
        None => CachedSymbol::default(),
    };
    let stamps = stamps(&sources.sources, job.now_ms);
    let memory = cached.symbol.as_deref().and_then(|row| postcard::from_bytes::<Memory>(row).ok());
    let remembered = memory.as_ref().filter(|memory| memory.is_of(job, stamps.as_deref()));
    let mut desk = Desk { job, symbol: &sources.symbol, sources, candles: None };
    let mut known = match remembered {
        Some(memory) => memory.clone(),
        None => desk.read(stamps.clone())?,
    };
    known.evaluated = memory.map(|memory| memory.evaluated).unwrap_or_default();
    let mut sorted = desk.sort(&known, &cached)?;
    let wanted = !sorted.todo.is_empty() || job.checked == Some(&sources.symbol);
    if wanted && desk.candles.is_none() {
        let again = desk.read(stamps)?;
        if again.fingerprint != known.fingerprint {
            // The files changed under our eyes: what they hold now counts.
            known = Memory { evaluated: known.evaluated, ..again };
            sorted = desk.sort(&known, &cached)?;
        }
    }
    desk.finish(known, sorted, &cached)
}

/// Returns the stamps of all files, or `None` when one cannot be trusted to show its next change.
fn stamps(sources: &[Source], now_ms: i64) -> Option<Vec<Stamp>> {
    sources.iter().map(|source| stamp(&source.path, source.entry.as_ref(), now_ms)).collect()
}

fn stamp(path: &Path, entry: Option<&String>, now_ms: i64) -> Option<Stamp> {
    let meta = std::fs::metadata(path).ok()?;
    let modified_ns = i128::from(meta.mtime()) * 1_000_000_000 + i128::from(meta.mtime_nsec());
    let old_enough = modified_ns / 1_000_000 < i128::from(now_ms - RACY_MS);
    old_enough.then(|| Stamp {
        path: path.display().to_string(),
        entry: entry.cloned(),
        size: meta.len(),
        modified_ns,
        inode: meta.ino(),
    })
}

impl Memory {
    /// Returns whether the files look as when this was written, and were read in the same way.
    fn is_of(&self, job: &Job<'_>, stamps: Option<&[Stamp]>) -> bool {
        let unfinished = self.files.iter().flat_map(|file| &file.issues).any(|i| i.kind == "unfinished");
        stamps.is_some_and(|stamps| stamps == self.stamps)
            && self.interval_ms == job.plan.interval.ms()
            && self.last_wins == (job.ingest.on_conflict == OnConflict::Last)
            && job.plan.days.end.is_none()
            && !unfinished
            && self.last_open + self.interval_ms <= job.ingest.as_of_ms
            && !job.full
    }

    fn prints(&self) -> DayPrints {
        let days: Vec<(Day, Fingerprint)> =
            self.days.iter().map(|(day, print)| (Day(*day), Fingerprint(*print))).collect();
        DayPrints::new(&days, self.last_open)
    }

    fn span(&self) -> Option<(Day, Day)> {
        Some((Day(self.days.first()?.0), Day(self.days.last()?.0)))
    }
}

/// A unit that has to be evaluated, wholly or for some rules.
struct Todo {
    day: Day,
    style: usize,
    reason: Reason,
    partly: Option<(Unit, Arc<Context>)>,
}

/// The units of a symbol: what is reused, what is to do.
struct Sorted {
    days: Vec<Day>,
    reused: BTreeMap<(Day, usize), (Unit, Arc<Context>)>,
    todo: Vec<Todo>,
    keys: BTreeMap<(Day, usize), UnitKeys>,
}

struct Desk<'a> {
    job: &'a Job<'a>,
    symbol: &'a Symbol,
    sources: &'a SymbolSources,
    candles: Option<CandleSeries>,
}

impl Desk<'_> {
    /// Reads the symbol's files.
    fn read(&mut self, stamps: Option<Vec<Stamp>>) -> Result<Memory, SymbolError> {
        let LoadedSymbol { series, files, issues, .. } = load_symbol(self.sources, self.job.ingest)?;
        let bars = within(series.bars(), &self.job.plan.days);
        let memory = Memory {
            interval_ms: self.job.plan.interval.ms(),
            last_wins: self.job.ingest.on_conflict == OnConflict::Last,
            stamps: stamps.unwrap_or_default(),
            files: files.iter().map(FileNote::from).collect(),
            issues: issues.iter().map(IssueNote::from).collect(),
            days: day_prints(bars),
            candles: bars.len() as u64,
            last_open: bars.open_time.last().copied().unwrap_or(0),
            fingerprint: of_candles(bars).0,
            evaluated: Vec::new(),
        };
        self.candles = Some(series);
        Ok(memory)
    }

    /// Tells apart what can be reused and what has to be evaluated.
    fn sort(&self, known: &Memory, cached: &CachedSymbol) -> Result<Sorted, SymbolError> {
        let plan = self.job.plan;
        let mut sorted =
            Sorted { days: Vec::new(), reused: BTreeMap::new(), todo: Vec::new(), keys: BTreeMap::new() };
        let Some((first, last)) = known.span() else { return Ok(sorted) };
        let from = first_day(&plan.days, first, last);
        sorted.days = (from.0..=last.0).map(Day).collect();
        let prints = known.prints();
        let contexts = self.contexts()?;
        for (index, style) in plan.styles.iter().enumerate() {
            let needs = Context::of(style);
            let costs = costs_fingerprint(&plan.costs, self.symbol, style);
            for day in &sorted.days {
                let keys = prints.keys(*day, style, plan, costs);
                sorted.keys.insert((*day, index), keys);
                let unit_key = (style.space.style() as u8, day.0);
                let treatment = match cached.units.get(&unit_key) {
                    _ if self.job.full => Treatment::Evaluate(Reason::Forced),
                    Some(row) => treat(row, &keys, &needs, |print| contexts.get(&print.0).cloned()),
                    None => Treatment::Evaluate(missing(unit_key, known, cached)),
                };
                let (day, style) = (*day, index);
                match treatment {
                    Treatment::Reuse(unit, context) => {
                        drop(sorted.reused.insert((day, style), (unit, context)))
                    }
                    Treatment::Extend(unit, context, reason) => {
                        sorted.todo.push(Todo { day, style, reason, partly: Some((unit, context)) });
                    }
                    Treatment::Evaluate(reason) => {
                        sorted.todo.push(Todo { day, style, reason, partly: None })
                    }
                }
            }
        }
        Ok(sorted)
    }

    fn contexts(&self) -> Result<BTreeMap<[u8; 32], Arc<Context>>, SymbolError> {
        let Some(cache) = self.job.shelf.and_then(Shelf::cache) else { return Ok(BTreeMap::new()) };
        let rows = cache.contexts()?;
        let decoded = rows.into_iter().filter_map(|(print, row)| {
            let context = decode_context(&row).filter(|context| context.fingerprint().0 == print)?;
            Some((print, Arc::new(context)))
        });
        Ok(decoded.collect())
    }

    /// Evaluates what is to do, checks a sample of what is reused, stores, and puts the symbol's blocks together.
    fn finish(
        self,
        mut known: Memory,
        mut sorted: Sorted,
        cached: &CachedSymbol,
    ) -> Result<EvaluatedSymbol, SymbolError> {
        let plan = self.job.plan;
        let costs = plan.costs.of(self.symbol);
        let mut units = UnitCounts { total: sorted.days.len() as u64, ..UnitCounts::default() };
        units.read = self.candles.is_some();
        let mut done: Vec<(Day, usize, Unit, Arc<Context>)> = Vec::new();
        if let Some(series) = &self.candles {
            let market = Market::new(within(series.bars(), &plan.days));
            units.checked = self.check(&market, &mut sorted, &costs)?;
            done = evaluate_all(&market, &sorted.todo, plan, &costs);
        }
        for todo in &sorted.todo {
            if units.evaluated.iter().all(|(day, _)| *day != todo.day) {
                units.evaluated.push((todo.day, todo.reason.clone()));
            }
        }
        units.evaluated.sort();
        units.evicted = self.store(&mut known, &sorted, &done, cached)?;
        let mut parts = sorted.reused;
        for (day, style, unit, context) in done {
            parts.insert((day, style), (unit, context));
        }
        let block = |day: &Day| DayBlock {
            day: *day,
            styles: (0..plan.styles.len())
                .map(|style| {
                    let (unit, context) = &parts[&(*day, style)];
                    unit.style_day(context, &plan.styles[style]).expect("its context was just checked")
                })
                .collect(),
        };
        let report = SymbolReport {
            name: self.symbol.to_string(),
            candles: known.candles,
            days: known.span(),
            issues: known.issues,
            fingerprint: Fingerprint(known.fingerprint),
        };
        let blocks = sorted.days.par_iter().with_min_len(64).map(block).collect();
        Ok(EvaluatedSymbol { report, files: known.files, blocks, units })
    }

    /// Evaluates a few reused units again; a mismatch makes the whole symbol be evaluated anew.
    fn check(
        &self,
        market: &Market<'_>,
        sorted: &mut Sorted,
        costs: &TradeCosts,
    ) -> Result<u64, SymbolError> {
        let count = sorted.reused.len();
        if count == 0 {
            return Ok(0);
        }
        let plan = self.job.plan;
        // Other places every time the candles change, the same for the same candles.
        let seed = sorted
            .keys
            .values()
            .next_back()
            .map_or(0, |keys| u64::from(keys.ahead.0[0]) * 256 + u64::from(keys.candles.0[0]));
        let picks = (0..CHECKED_UNITS.min(count)).map(|i| (seed as usize * 31 + i * (count / 2 + 1)) % count);
        let mut sound = true;
        let bytes = |unit: &Unit| {
            let mut bytes = Vec::new();
            unit.encode(&mut bytes);
            bytes
        };
        for pick in picks {
            let ((day, style), (unit, context)) = sorted.reused.iter().nth(pick).expect("a place within");
            let style = &plan.styles[*style];
            let fresh = evaluate(market, *day, &candidates(market, *day), style, plan, costs);
            sound &= bytes(&unit.narrowed(context, &Context::of(style))) == bytes(&fresh);
        }
        if sound {
            return Ok(CHECKED_UNITS.min(count) as u64);
        }
        tracing::warn!(symbol = %self.symbol, "a cached result does not repeat: all of the symbol is evaluated anew");
        if let Some(cache) = self.job.shelf.and_then(Shelf::cache) {
            cache.forget(self.symbol.as_str())?;
        }
        let again = std::mem::take(&mut sorted.reused).into_keys();
        sorted.todo.extend(again.map(|(day, style)| Todo {
            day,
            style,
            reason: Reason::Corrupt,
            partly: None,
        }));
        Ok(CHECKED_UNITS.min(count) as u64)
    }

    /// Stores what was evaluated; returns how many units made room.
    fn store(
        &self,
        known: &mut Memory,
        sorted: &Sorted,
        done: &[(Day, usize, Unit, Arc<Context>)],
        cached: &CachedSymbol,
    ) -> Result<u64, SymbolError> {
        let Some(shelf) = self.job.shelf else { return Ok(0) };
        // Nothing read, nothing evaluated: nothing new. No candles: nothing to keep.
        if self.candles.is_none() && done.is_empty() || sorted.days.is_empty() {
            return Ok(0);
        }
        let Some(cache) = shelf.begin()? else { return Ok(0) };
        let mut batch = CacheBatch::default();
        for (day, style, unit, context) in done {
            let print = context.fingerprint();
            if batch.contexts.iter().all(|(known, _)| *known != print.0) {
                batch.contexts.push((print.0, encode_context(context)));
            }
            let ordinal = self.job.plan.styles[*style].space.style() as u8;
            batch.units.push(((ordinal, day.0), encode(&sorted.keys[&(*day, *style)], print, unit)));
        }
        batch.removed = cached.corrupt.clone();
        self.remember(known, &sorted.days);
        batch.symbol = postcard::to_stdvec(known).ok();
        // A cache that cannot be written costs time, never a result.
        Ok(cache.put(self.symbol.as_str(), &batch, self.job.now_ms).unwrap_or_else(|error| {
            tracing::warn!("what was evaluated is not kept for the next run: {error}");
            0
        }))
    }

    /// Widens the range of days that were ever evaluated.
    fn remember(&self, known: &mut Memory, days: &[Day]) {
        let (Some(first), Some(last)) = (days.first(), days.last()) else { return };
        for style in &self.job.plan.styles {
            let ordinal = style.space.style() as u8;
            match known.evaluated.iter_mut().find(|(style, _, _)| *style == ordinal) {
                Some((_, from, to)) => (*from, *to) = ((*from).min(first.0), (*to).max(last.0)),
                None => known.evaluated.push((ordinal, first.0, last.0)),
            }
        }
    }
}

/// Why a unit is not cached.
fn missing(key: UnitKey, known: &Memory, cached: &CachedSymbol) -> Reason {
    if cached.corrupt.contains(&key) {
        return Reason::Corrupt;
    }
    let was_there =
        known.evaluated.iter().any(|(style, from, to)| *style == key.0 && (*from..=*to).contains(&key.1));
    if was_there { Reason::Evicted } else { Reason::New }
}

fn evaluate_all(
    market: &Market<'_>,
    todo: &[Todo],
    plan: &Plan,
    costs: &TradeCosts,
) -> Vec<(Day, usize, Unit, Arc<Context>)> {
    let full: Vec<Arc<Context>> = plan.styles.iter().map(|style| Arc::new(Context::of(style))).collect();
    let mut by_day: BTreeMap<Day, Vec<&Todo>> = BTreeMap::new();
    todo.iter().for_each(|todo| by_day.entry(todo.day).or_default().push(todo));
    let by_day: Vec<(Day, Vec<&Todo>)> = by_day.into_iter().collect();
    let day = |(day, todos): &(Day, Vec<&Todo>)| {
        let whole = todos.iter().any(|todo| todo.partly.is_none());
        let found = if whole { candidates(market, *day) } else { Vec::new() };
        let one = |todo: &&Todo| {
            let style = &plan.styles[todo.style];
            match &todo.partly {
                None => {
                    let unit = evaluate(market, *day, &found, style, plan, costs);
                    (*day, todo.style, unit, full[todo.style].clone())
                }
                Some((unit, context)) => {
                    let (unit, context) = extend(
                        market,
                        unit,
                        context,
                        &full[todo.style],
                        style.exits.hold_bars_max(),
                        plan.interval,
                        costs,
                    );
                    (*day, todo.style, unit, context)
                }
            }
        };
        todos.iter().map(one).collect::<Vec<_>>()
    };
    by_day.par_iter().with_min_len(16).flat_map_iter(day).collect()
}

/// Evaluates the rules that a unit lacks, and keeps those it has for grids to come.
fn extend(
    market: &Market<'_>,
    unit: &Unit,
    context: &Arc<Context>,
    needs: &Context,
    horizon_bars: usize,
    interval: Interval,
    costs: &TradeCosts,
) -> (Unit, Arc<Context>) {
    let missing: Vec<ExitRule> =
        needs.rules.iter().filter(|rule| !context.rules.contains(rule)).copied().collect();
    let more = ExitPlan::new(missing.clone(), interval).expect("the plan's rules were checked");
    let unit = unit.with_rules(market, context, &more, horizon_bars, costs);
    let rules: Vec<ExitRule> = context.rules.iter().copied().chain(missing).collect();
    let wide = Context { columns: context.columns.clone(), rules };
    if wide.rules.len() <= RULES_MAX {
        return (unit, Arc::new(wide));
    }
    let narrow = Context { columns: wide.columns.clone(), rules: needs.rules.clone() };
    (unit.narrowed(&wide, &narrow), Arc::new(narrow))
}

/// Cuts the candles to what the run may see: nothing from the end day on.
fn within<'a>(bars: Bars<'a>, days: &DayLimits) -> Bars<'a> {
    let end = days.end.map_or(bars.len(), |day| bars.index_at(day.start_ms()));
    bars.slice(0..end)
}

/// Returns the first day whose signals count.
pub(super) fn first_day(limits: &DayLimits, first: Day, last: Day) -> Day {
    let windowed = limits.window_days.map_or(first, |days| Day(last.0 + 1 - days));
    first.max(windowed).max(limits.first.unwrap_or(first))
}

/// Returns the fingerprint of every day with candles.
fn day_prints(bars: Bars<'_>) -> Vec<(i32, [u8; 32])> {
    let mut days = Vec::new();
    let mut start = 0;
    while start < bars.len() {
        let day = Day::of(bars.open_time[start]);
        let end = bars.index_at(day.end_ms());
        days.push((day.0, of_candles(bars.slice(start..end)).0));
        start = end;
    }
    days
}

#[derive(Serialize, Deserialize)]
struct ContextRow {
    columns: Vec<String>,
    rules: Vec<[f64; 3]>,
}

fn encode_context(context: &Context) -> Vec<u8> {
    let rule = |rule: &ExitRule| [rule.take_profit_atr, rule.stop_atr, rule.hold_hours];
    let row =
        ContextRow { columns: context.columns.clone(), rules: context.rules.iter().map(rule).collect() };
    postcard::to_stdvec(&row).expect("plain values are always encodable")
}

fn decode_context(row: &[u8]) -> Option<Context> {
    let row: ContextRow = postcard::from_bytes(row).ok()?;
    let rule = |[take_profit_atr, stop_atr, hold_hours]: [f64; 3]| ExitRule {
        take_profit_atr,
        stop_atr,
        hold_hours,
    };
    let finite = row.rules.iter().flatten().all(|value| value.is_finite());
    finite.then(|| Context { columns: row.columns, rules: row.rules.into_iter().map(rule).collect() })
}
