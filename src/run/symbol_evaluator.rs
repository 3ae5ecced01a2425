//! One symbol of a run: read its candles if they may have changed, reuse the units that still hold, evaluate the rest.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::error::SymbolError;
use super::event::RunEvent;
use super::input_report::SymbolReport;
use super::issue_detail::FUTURE;
use super::symbol_job::SymbolJob;
use super::unit_counts::{FilesRead, UnitCounts};
use super::window::{first_day, within_window};
use crate::engine::day::{DayBlock, StyleDay};
use crate::engine::entries::EntrySource;
use crate::engine::evaluation::{EvaluatedUnit, WorkItem, evaluate_all};
use crate::engine::parcel::rows_of;
use crate::engine::pending::{SymbolScope, WorkPlan, known_schemas, pending_units};
use crate::engine::plan::StylePlan;
use crate::engine::reuse::{Reason, unit_of};
use crate::engine::unit::{Unit, evaluate_unit};
use crate::engine::unit_schema::UnitSchema;
use crate::exits::TradeCosts;
use crate::features::frame::{MarketSeries, lookback_days};
use crate::ingest::{FileReport, LoadedSymbol, SymbolSources, load_symbol};
use crate::model::{CandleSeries, Day, GivenSignals, Symbol};
use crate::run::append_read::{read_grown, span_of};
use crate::run::file_summary::{FileNote, IssueNote};
use crate::run::prior_state::{
    FileStamp, SymbolManifest, day_closes, day_prints, reading_print, series_print, stamps_of_files,
};
use crate::run::store_handle::StoreHandle;
use crate::store::{Cache, CacheBatch, StoreError, UnitKey};

/// Reused units per symbol that are evaluated again as a check, when the candles are at hand anyway.
const CHECKED_UNITS: usize = 2;
/// Units that are evaluated, kept in memory and committed together: what a killed run loses at most, per symbol in
/// flight.
const BATCH_UNITS: usize = 512;
/// Units of the first batch below a ceiling: they tell how large the next ones may be.
const FIRST_UNITS: usize = 8;

/// A symbol of a run.
pub(crate) struct EvaluatedSymbol {
    pub(crate) report: SymbolReport,
    pub(crate) files: Vec<FileNote>,
    pub(crate) blocks: Vec<DayBlock>,
    pub(crate) units: UnitCounts,
}

/// Evaluates a symbol.
///
/// The result is that of reading and evaluating everything, whatever is cached: a unit is reused only when all that it
/// depends on has the same fingerprint, files are skipped only when they look exactly as when they were read.
pub(crate) fn evaluate_symbol(
    job: &SymbolJob<'_>,
    sources: &SymbolSources,
) -> Result<EvaluatedSymbol, SymbolError> {
    let PreparedSymbol { desk, known, sorted } = prepare_symbol(job, sources)?;
    desk.finish(known, sorted)
}

/// A symbol before anything of it is evaluated.
pub(crate) struct PreparedSymbol<'a> {
    pub(crate) desk: SymbolEvaluator<'a>,
    pub(crate) known: SymbolManifest,
    pub(crate) sorted: WorkPlan,
}

/// Reads what may have changed of a symbol's files and tells apart what can be reused. Nothing is written.
pub(crate) fn prepare_symbol<'a>(
    job: &'a SymbolJob<'a>,
    sources: &'a SymbolSources,
) -> Result<PreparedSymbol<'a>, SymbolError> {
    let row = match job.shelf.and_then(StoreHandle::cache) {
        Some(cache) => cache.symbol(sources.symbol.as_str())?,
        None => None,
    };
    let stamps = stamps_of_files(&sources.sources, job.now_ms);
    let memory = row.and_then(|row| SymbolManifest::decode(&row));
    let remembered = memory.as_ref().filter(|memory| memory.is_of(job, stamps.as_deref()));
    let mut desk =
        SymbolEvaluator { job, symbol: &sources.symbol, sources, candles: None, covers: Day(i32::MIN) };
    let mut known = match (remembered, &memory) {
        (Some(memory), _) => memory.clone(),
        (None, Some(memory)) => match desk.read_grown(memory, stamps.as_deref())? {
            Some(grown) => grown,
            None => desk.read(stamps.clone())?,
        },
        (None, None) => desk.read(stamps.clone())?,
    };
    known.evaluated = memory.map(|memory| memory.evaluated).unwrap_or_default();
    let mut sorted = desk.sort(&known)?;
    let wanted = !sorted.todo.is_empty() || job.checked == Some(&sources.symbol);
    let covered = desk.candles.is_some() && sorted.todo.iter().all(|todo| todo.day >= desk.covers);
    if wanted && !covered {
        let again = desk.read(stamps)?;
        if again.fingerprint != known.fingerprint {
            // The files changed under our eyes: what they hold now counts.
            known = SymbolManifest { evaluated: known.evaluated, ..again };
            sorted = desk.sort(&known)?;
        }
    }
    Ok(PreparedSymbol { desk, known, sorted })
}

/// A symbol whose files did not change since an earlier run.
pub(crate) struct RecalledSymbol {
    pub(crate) report: SymbolReport,
    pub(crate) files: Vec<FileNote>,
    pub(crate) units: UnitCounts,
}

/// Returns what an earlier run knew of a symbol, if its files look exactly as then.
pub(crate) fn recall_symbol(
    job: &SymbolJob<'_>,
    sources: &SymbolSources,
) -> Result<Option<RecalledSymbol>, SymbolError> {
    let Some(memory) = remembered_manifest(job, sources)? else { return Ok(None) };
    let days = memory.span().map(|(first, last)| (first_day(&job.plan.days, first, last), last));
    let total = days.map_or(0, |(from, last)| u64::try_from(last.0 + 1 - from.0).unwrap_or(0));
    let units = UnitCounts { total, ..UnitCounts::default() };
    Ok(Some(RecalledSymbol { report: memory.report(&sources.symbol, job), files: memory.files, units }))
}

/// Returns a symbol's report and blocks from the cache alone, or `None` where something would have to be evaluated.
pub(crate) fn stored_symbol(
    job: &SymbolJob<'_>,
    sources: &SymbolSources,
) -> Result<Option<(SymbolReport, Vec<DayBlock>)>, SymbolError> {
    let Some(cache) = job.shelf.and_then(StoreHandle::cache) else { return Ok(None) };
    let row = cache.symbol(sources.symbol.as_str())?;
    let Some(memory) = row.and_then(|row| SymbolManifest::decode(&row)) else { return Ok(None) };
    let desk =
        SymbolEvaluator { job, symbol: &sources.symbol, sources, candles: None, covers: Day(i32::MIN) };
    let mut sorted = desk.sort(&memory)?;
    if !sorted.todo.is_empty() {
        return Ok(None);
    }
    let blocks = sorted.blocks();
    Ok(Some((memory.report(&sources.symbol, job), blocks)))
}

/// Returns the open time of the newest candle that is remembered of some symbols.
pub(crate) fn newest_remembered<'s>(
    cache: Option<&Cache>,
    symbols: impl Iterator<Item = &'s Symbol>,
) -> Result<i64, StoreError> {
    let Some(cache) = cache else { return Ok(i64::MIN) };
    let mut newest = i64::MIN;
    for symbol in symbols {
        let memory = cache.symbol(symbol.as_str())?.and_then(|row| SymbolManifest::decode(&row));
        newest = newest
            .max(memory.filter(|memory| memory.candles > 0).map_or(i64::MIN, |memory| memory.last_open));
    }
    Ok(newest)
}

fn remembered_manifest(
    job: &SymbolJob<'_>,
    sources: &SymbolSources,
) -> Result<Option<SymbolManifest>, SymbolError> {
    let Some(cache) = job.shelf.and_then(StoreHandle::cache) else { return Ok(None) };
    let row = cache.symbol(sources.symbol.as_str())?;
    let stamps = stamps_of_files(&sources.sources, job.now_ms);
    let memory = row.and_then(|row| SymbolManifest::decode(&row));
    Ok(memory.filter(|memory| memory.is_of(job, stamps.as_deref())))
}

/// What a spot check found.
pub(crate) enum SpotCheck {
    /// So many units repeat.
    Sound(u64),
    /// The files are not what they were.
    Changed,
    /// A cached unit is not what its candles give.
    Mismatch,
}

/// Reads a symbol and evaluates a few of its cached units again.
///
/// After a mismatch nothing of the symbol is left in the cache, nor any answer.
pub(crate) fn spot_check(job: &SymbolJob<'_>, sources: &SymbolSources) -> Result<SpotCheck, SymbolError> {
    let (Some(cache), Some(known)) =
        (job.shelf.and_then(StoreHandle::cache), remembered_manifest(job, sources)?)
    else {
        return Ok(SpotCheck::Changed);
    };
    let mut desk =
        SymbolEvaluator { job, symbol: &sources.symbol, sources, candles: None, covers: Day(i32::MIN) };
    let again = desk.read(None)?;
    let (Some(series), Some((first, last))) = (&desk.candles, known.span()) else {
        return Ok(SpotCheck::Changed);
    };
    if again.fingerprint != known.fingerprint {
        return Ok(SpotCheck::Changed);
    }
    let market = MarketSeries::new(series.bars()).ended(job.is_stopped(known.last_open));
    let contexts = desk.contexts()?;
    let costs = job.plan.costs.of(desk.symbol);
    let first = first_day(&job.plan.days, first, last);
    let days = u64::try_from(last.0 + 1 - first.0).unwrap_or(0).max(1);
    let mut checked = 0;
    for pick in 0..CHECKED_UNITS as u64 {
        let day = Day(first.0 + ((spot_check_seed(job) + pick * (days / 2 + 1)) % days) as i32);
        let style = &job.plan.styles[pick as usize % job.plan.styles.len()];
        if cache.unit(desk.symbol.as_str(), (job.ordinal(style), day.0))?.is_none() {
            continue;
        }
        if !desk.repeats(&market, day, style, cache, &contexts, &costs)? {
            tracing::warn!(symbol = %desk.symbol, "a cached result does not repeat: the symbol is evaluated again");
            cache.forget(desk.symbol.as_str())?;
            return Ok(SpotCheck::Mismatch);
        }
        checked += 1;
    }
    Ok(SpotCheck::Sound(checked))
}

/// Other places every day.
fn spot_check_seed(job: &SymbolJob<'_>) -> u64 {
    u64::from(Day::of(job.now_ms).0.unsigned_abs()) * 7919
}

/// A symbol at work.
pub(crate) struct SymbolEvaluator<'a> {
    job: &'a SymbolJob<'a>,
    symbol: &'a Symbol,
    sources: &'a SymbolSources,
    pub(crate) candles: Option<CandleSeries>,
    /// The first day whose look-back lies within `candles`.
    covers: Day,
}

impl SymbolEvaluator<'_> {
    /// Returns the symbol's signals, where such are given.
    pub(crate) fn given(&self) -> Option<&GivenSignals> {
        self.job.given.map(|given| given.of(self.symbol))
    }

    /// Reads the symbol's files.
    pub(crate) fn read(&mut self, stamps: Option<Vec<FileStamp>>) -> Result<SymbolManifest, SymbolError> {
        let LoadedSymbol { mut series, files, issues, .. } = load_symbol(self.sources, self.job.ingest)?;
        let bars = within_window(series.bars(), &self.job.plan.days);
        let days = day_prints(bars);
        // Without stamps it is never taken for the whole of the files: a run as of an earlier day saw a part only.
        let stamps = stamps.filter(|_| self.job.plan.days.end.is_none());
        let memory = SymbolManifest {
            interval_ms: self.job.plan.interval.ms(),
            reading: reading_print(self.job.ingest),
            stamps: stamps.unwrap_or_default(),
            files: files.iter().map(|file| self.noted(file)).collect(),
            issues: issues.iter().map(IssueNote::from).collect(),
            fingerprint: series_print(&days).0,
            days,
            candles: bars.len() as u64,
            last_open: bars.open_time.last().copied().unwrap_or(0),
            evaluated: Vec::new(),
            spans: files.iter().map(span_of).collect(),
            closes: day_closes(bars),
        };
        // Years before the window are only read to know that they are what they were.
        if let Some((first, last)) = memory.span() {
            let counts_from = first_day(&self.job.plan.days, first, last);
            series.forget_before(Day(counts_from.0 - lookback_days(self.job.plan.interval)).start_ms());
        }
        self.candles = Some(series);
        self.covers = Day(i32::MIN);
        Ok(memory)
    }

    /// Returns what is kept of a file. Candles from the end of the days on were not asked for.
    fn noted(&self, file: &FileReport) -> FileNote {
        let mut note = FileNote::from(file);
        if self.job.ingest.as_of_ms < self.job.now_ms {
            note.issues.retain(|issue| !matches!(issue.kind.as_str(), "unfinished" | FUTURE));
        }
        note
    }

    /// Takes in files that gained candles; `None` where everything has to be read.
    fn read_grown(
        &mut self,
        old: &SymbolManifest,
        stamps: Option<&[FileStamp]>,
    ) -> Result<Option<SymbolManifest>, SymbolError> {
        let Some((memory, series)) = read_grown(self.job, self.sources, old, stamps)? else {
            return Ok(None);
        };
        // The first day may begin in the middle; the look-back of a day must lie behind it.
        let lookback_days = lookback_days(self.job.plan.interval);
        self.covers = Day(Day::of(series.bars().open_time[0]).0 + 1 + lookback_days);
        self.candles = Some(series);
        Ok(Some(memory))
    }

    /// Tells apart what can be reused and what has to be evaluated.
    fn sort(&self, known: &SymbolManifest) -> Result<WorkPlan, SymbolError> {
        let plan = self.job.plan;
        let Some((first, last)) = known.span() else { return Ok(WorkPlan::default()) };
        let scope = SymbolScope {
            plan,
            symbol: self.symbol,
            given: self.given(),
            prints: known.prints().stopped(self.job.is_stopped(known.last_open)),
            days: (first_day(&plan.days, first, last), last),
        };
        let cache = self.job.shelf.and_then(StoreHandle::cache).filter(|_| !self.job.full);
        pending_units(&scope, cache, &|key| self.missing(key, known), &|part| self.keep(part))
    }

    /// Why a unit is not cached.
    fn missing(&self, (style, day): UnitKey, known: &SymbolManifest) -> Reason {
        if self.job.full {
            return Reason::Forced;
        }
        if self.job.distrusted == Some(self.symbol) {
            return Reason::Corrupt;
        }
        let was_there =
            known.evaluated.iter().any(|(known, from, to)| *known == style && (*from..=*to).contains(&day));
        if was_there { Reason::Evicted } else { Reason::New }
    }

    fn contexts(&self) -> Result<BTreeMap<[u8; 32], Arc<UnitSchema>>, SymbolError> {
        Ok(known_schemas(self.job.shelf.and_then(StoreHandle::cache))?)
    }

    /// Evaluates what is to do, checks a sample of what is reused, stores, and puts the symbol's blocks together.
    fn finish(
        mut self,
        mut known: SymbolManifest,
        mut sorted: WorkPlan,
    ) -> Result<EvaluatedSymbol, SymbolError> {
        let plan = self.job.plan;
        let costs = plan.costs.of(self.symbol);
        let mut units = UnitCounts { total: sorted.days.len() as u64, ..UnitCounts::default() };
        units.read = self.read_so_far();
        let (checked, sound) = self.check(&sorted, &costs)?;
        units.checked = checked;
        if !sound {
            self.distrust(&mut sorted)?;
        }
        (self.job.on_event)(RunEvent::SymbolSorted { todo: sorted.todo.len() });
        if let (Some(series), false) = (&self.candles, sorted.days.is_empty()) {
            let market = MarketSeries::new(within_window(series.bars(), &plan.days)).ended(sorted.stopped);
            sorted.todo.sort_by_key(|todo| todo.day);
            let cached = |todo: &WorkItem, context: &Arc<UnitSchema>| self.cached(todo, context);
            let (mut next, mut units_at_once) =
                (0, self.job.batch_bytes.map_or(BATCH_UNITS, |_| FIRST_UNITS));
            while next < sorted.todo.len() {
                // What came before is committed; units that only told the size of the others are no reason to stop.
                if next > FIRST_UNITS && self.job.halt.after_commit() {
                    return Err(SymbolError::Stopped);
                }
                let batch = &sorted.todo[next..sorted.todo.len().min(next + units_at_once)];
                next += batch.len();
                let done = evaluate_all(&market, batch, self.given(), plan, &costs, cached);
                (self.job.on_event)(RunEvent::Evaluated { units: done.len() });
                let removed = std::mem::take(&mut sorted.corrupt);
                units.evicted += self.put(&CacheBatch { removed, ..rows_of(&done) })?;
                if let Some(bytes_max) = self.job.batch_bytes {
                    let bytes: u64 = done.iter().map(|done| done.unit.outcomes.bytes()).sum();
                    let per_unit = usize::try_from(bytes).unwrap_or(usize::MAX) / done.len().max(1);
                    units_at_once = (bytes_max / per_unit.max(1)).clamp(1, BATCH_UNITS);
                }
                for EvaluatedUnit { work, unit, context } in &done {
                    let WorkItem { day, style, .. } = work;
                    let place = sorted.place(*day).expect("evaluated days are days of the run");
                    sorted.parts[*style][place] =
                        Some(self.keep(unit.style_day(context, &plan.styles[*style]))?);
                }
            }
            self.remember(&mut known, &sorted.days);
            let removed = std::mem::take(&mut sorted.corrupt);
            let symbol = Some(known.encode());
            self.put(&CacheBatch { symbol, removed, ..CacheBatch::default() })?;
            if !sorted.todo.is_empty() && self.job.halt.after_commit() {
                return Err(SymbolError::Stopped);
            }
        }
        units.evaluated = sorted.reasons();
        let report = known.report(self.symbol, self.job);
        let blocks = sorted.blocks();
        Ok(EvaluatedSymbol { report, files: known.files, blocks, units })
    }

    /// Keeps the outcomes of a day where there is room for them.
    fn keep(&self, part: StyleDay) -> Result<StyleDay, SymbolError> {
        let outcomes = self.job.outcomes.keep(part.outcomes).map_err(SymbolError::Spill)?;
        Ok(StyleDay { outcomes, ..part })
    }

    pub(crate) fn read_so_far(&self) -> FilesRead {
        match (&self.candles, self.covers > Day(i32::MIN)) {
            (None, _) => FilesRead::Nothing,
            (Some(_), true) => FilesRead::Growth,
            (Some(_), false) => FilesRead::Whole,
        }
    }

    /// Evaluates a few reused units again, where candles are at hand; returns how many, and whether they repeat.
    pub(crate) fn check(&self, sorted: &WorkPlan, costs: &TradeCosts) -> Result<(u64, bool), SymbolError> {
        let covered = |(_, place): &(usize, usize)| sorted.days[*place] >= self.covers;
        let reused: Vec<(usize, usize)> = sorted.reused().into_iter().filter(covered).collect();
        let cache = self.job.shelf.and_then(StoreHandle::cache);
        let (Some(cache), Some(series), false) = (cache, &self.candles, reused.is_empty()) else {
            return Ok((0, true));
        };
        let market =
            MarketSeries::new(within_window(series.bars(), &self.job.plan.days)).ended(sorted.stopped);
        let contexts = self.contexts()?;
        let picks = CHECKED_UNITS.min(reused.len());
        let seed = spot_check_seed(self.job) as usize;
        let mut sound = true;
        for (style, place) in (0..picks).map(|i| reused[(seed + i * (reused.len() / 2 + 1)) % reused.len()]) {
            let style = &self.job.plan.styles[style];
            sound &= self.repeats(&market, sorted.days[place], style, cache, &contexts, costs)?;
        }
        Ok((picks as u64, sound))
    }

    /// Gives up everything cached of the symbol: it is evaluated again, from all of its candles.
    fn distrust(&mut self, sorted: &mut WorkPlan) -> Result<(), SymbolError> {
        tracing::warn!(symbol = %self.symbol, "a cached result does not repeat: the symbol is evaluated again");
        if let Some(cache) = self.job.shelf.and_then(StoreHandle::cache) {
            cache.forget(self.symbol.as_str())?;
        }
        for (style, place) in sorted.reused() {
            sorted.parts[style][place] = None;
            let work = sorted.item(style, place, Reason::Corrupt, None);
            sorted.todo.push(work);
        }
        if self.covers > Day(i32::MIN) {
            self.read(None)?;
        }
        Ok(())
    }

    /// Returns whether a cached unit is what its candles give.
    fn repeats(
        &self,
        market: &MarketSeries<'_>,
        day: Day,
        style: &StylePlan,
        cache: &Cache,
        contexts: &BTreeMap<[u8; 32], Arc<UnitSchema>>,
        costs: &TradeCosts,
    ) -> Result<bool, SymbolError> {
        let row = cache.unit(self.symbol.as_str(), (self.job.ordinal(style), day.0))?;
        let cached = row.and_then(|row| unit_of(&row, |print| contexts.get(&print.0).cloned()));
        let Some((unit, context)) = cached else { return Ok(false) };
        let found = EntrySource::on(market, day, self.given());
        let fresh = evaluate_unit(market, day, &found, style, self.job.plan, costs);
        let bytes = |unit: &Unit| {
            let mut bytes = Vec::new();
            unit.encode(&mut bytes);
            bytes
        };
        let own = UnitSchema::of(style);
        Ok(bytes(&unit.narrowed(&context, &own)) == bytes(&fresh.narrowed(&own, &own)))
    }

    /// Returns the cached unit that lacks some rules: the row that was looked at before, as this run alone writes.
    pub(crate) fn cached(&self, todo: &WorkItem, context: &Arc<UnitSchema>) -> Option<Unit> {
        let cache = self.job.shelf.and_then(StoreHandle::cache)?;
        let row = cache.unit(self.symbol.as_str(), todo.row()).ok().flatten()?;
        unit_of(&row, |_| Some(context.clone())).map(|(unit, _)| unit)
    }

    /// Stores rows; returns how many units were evicted.
    fn put(&self, batch: &CacheBatch) -> Result<u64, SymbolError> {
        let Some(shelf) = self.job.shelf else { return Ok(0) };
        let Some(cache) = shelf.begin()? else { return Ok(0) };
        // A cache that cannot be written costs time, never a result.
        Ok(cache.put(self.symbol.as_str(), batch, self.job.now_ms).unwrap_or_else(|error| {
            tracing::warn!("what was evaluated is not kept for the next run: {error}");
            0
        }))
    }

    /// Widens the range of days that were ever evaluated.
    fn remember(&self, known: &mut SymbolManifest, days: &[Day]) {
        let (Some(first), Some(last)) = (days.first(), days.last()) else { return };
        for style in &self.job.plan.styles {
            let ordinal = self.job.ordinal(style);
            match known.evaluated.iter_mut().find(|(style, _, _)| *style == ordinal) {
                Some((_, from, to)) => (*from, *to) = ((*from).min(first.0), (*to).max(last.0)),
                None => known.evaluated.push((ordinal, first.0, last.0)),
            }
        }
    }
}
