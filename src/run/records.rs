//! Turns a run's report into the records the store keeps. Formats and decides nothing.

use std::collections::BTreeMap;

use super::freshness::{Age, Freshness, SymbolAge};
use super::lessons::remember_lessons;
use super::report::{InputReport, RunReport, StyleReport, SymbolReport};
use crate::decide::DecisionOutcome;
use crate::decide::insights::Lesson;
use crate::engine::plan::Plan;
use crate::engine::reuse::Reason;
use crate::features::score::{ScoreTerm, ScoreWeights};
use crate::model::{Day, ParameterSet, Style, rfc3339};
use crate::run::file_summary::{self, FileNote, IssueNote};
use crate::run::symbol_evaluator::UnitCounts;
use crate::search::rank::Surface;
use crate::search::weights::Weighting;
use crate::store::LearningCommit;
use crate::store::records::{
    AssessmentRecord, CandidateRecord, ChangeRecord, CombinationRecord, DecisionRecord, EvidenceRecord,
    FeaturesRecord, InsightsRecord, IssueRecord, LessonRecord, NamedNumber, ParamsRecord, RunRecord,
    RunStyleRecord, SensitivityRecord, SeriesRecord, StoredParameterSet, SurfaceCellRecord, SurfaceRecord,
    SymbolTradesRecord, SymbolWorkRecord, TrialRecord, TrialsRecord, WorkRecord, WorkSpanRecord,
};
use crate::study::Measured;
use crate::study::evidence::Evidence;
use crate::study::per_symbol::scope_of;
use crate::study::series::SymbolTrades;
use crate::validate::assessment::Assessment;

/// Issues kept per run; the report holds them all.
const ISSUES_KEPT: usize = 200;
/// Surfaces kept per run and style, and the most levels of their axes.
const SURFACES_KEPT: usize = 200;
const SURFACE_LEVELS_KEPT: usize = 64;
/// Combinations kept among the features.
const COMBINATIONS_KEPT: usize = 5;

/// Returns everything a run has to remember; `known` is what earlier runs learned.
pub fn learning_commit(
    report: &RunReport,
    plan: &Plan,
    config_toml: &str,
    known: &BTreeMap<Style, InsightsRecord>,
) -> LearningCommit {
    let mut learning = LearningCommit::new(&report.profile, run_record(report, plan, config_toml));
    learning.work = Some(work_record(report).capped());
    for style in &report.styles {
        learning.decisions.insert(style.style, decision_record(style, plan));
        learning.trials.insert(style.style, trials_record(style));
        learning.features.insert(style.style, features_record(style, report.started_at_ms));
        learning.series.insert(style.style, series_record(style));
        let grid = plan.styles.iter().find(|planned| planned.space.style() == style.style);
        if let Some(planned) = grid {
            learning.evidence.insert(
                style.style,
                evidence_record(&style.evidence, planned.grid_fingerprint(&plan.search.stages).0),
            );
        }
        let last_day = report.input.days().map(|(_, last)| last);
        let memory = remember_lessons(known.get(&style.style), &style.insights, last_day);
        learning.insights.insert(style.style, insights_record(style, report.started_at_ms, memory));
        if let (DecisionOutcome::Adopted, Some(best)) = (style.decision.outcome, style.study.top.first()) {
            let params = params_record(style, best, plan, report.started_at_ms);
            learning.params.insert(style.style.to_string(), Some(params));
        }
        for own in style.own.iter().filter(|own| !own.changes.is_empty()) {
            let set = own.measured.as_ref();
            let params = set.map(|set| params_record(style, set, plan, report.started_at_ms));
            learning.params.insert(scope_of(&own.symbol, style.style), params);
        }
    }
    learning
}

/// Returns the model's form of a stored set. Every record was validated when it was decoded.
pub fn parameter_set(stored: &StoredParameterSet) -> ParameterSet {
    ParameterSet::try_from(stored).expect("the store hands out validated sets only")
}

fn run_record(report: &RunReport, plan: &Plan, config_toml: &str) -> RunRecord {
    let days = report.input.days();
    let asked = |day: Option<Day>| day.map(|day| day.to_string()).unwrap_or_default();
    let day = |pick: fn((Day, Day)) -> Day| days.map(|span| pick(span).to_string()).unwrap_or_default();
    RunRecord {
        started_at_ms: report.started_at_ms,
        duration_ms: report.duration_ms,
        app_version: env!("CARGO_PKG_VERSION").to_owned(),
        result: report.result.as_str().to_owned(),
        exit_code: report.result.exit_code().into(),
        data_fingerprint: report.data_fingerprint.0,
        plan_fingerprint: report.plan_fingerprint.0,
        config_toml: config_toml.to_owned(),
        files: report.input.files.len() as u64,
        symbols: report.input.symbols.iter().map(|symbol| symbol.name.clone()).collect(),
        candles: report.input.candles(),
        days: days.map_or(0, |(first, last)| u64::from(last.0.abs_diff(first.0)) + 1),
        first_day: day(|(first, _)| first),
        last_day: day(|(_, last)| last),
        styles: report.styles.iter().map(run_style_record).collect(),
        threads: report.threads,
        peak_rss_bytes: report.peak_rss_bytes.unwrap_or(0),
        issues: age_issues(&report.freshness)
            .into_iter()
            .chain(lost_records(&report.styles))
            .chain(issue_records(&report.input).into_iter().map(|(issue, _)| issue))
            .take(ISSUES_KEPT)
            .collect(),
        asked_first_day: asked(plan.days.first),
        asked_end_day: asked(plan.days.end),
    }
}

/// Returns what a run evaluated and why.
pub fn work_record(report: &RunReport) -> WorkRecord {
    let cached = report.cached.unwrap_or_default();
    WorkRecord {
        symbols: report
            .input
            .symbols
            .iter()
            .zip(&report.units)
            .map(|(of, units)| symbol_work(of, units))
            .collect(),
        evicted: report.units.iter().map(|units| units.evicted).sum(),
        cached_units: cached.units,
        cached_bytes: cached.bytes,
        budget_bytes: cached.budget_bytes,
    }
}

/// Returns what becomes of a symbol's units: days in succession with one kind of reason in one span.
pub fn symbol_work(symbol: &SymbolReport, units: &UnitCounts) -> SymbolWorkRecord {
    let span = |days: &[(Day, Reason)]| {
        let ((first, reason), (last, _)) = (&days[0], &days[days.len() - 1]);
        WorkSpanRecord {
            first_day: first.to_string(),
            last_day: last.to_string(),
            days: days.len() as u64,
            kind: reason.kind().to_owned(),
            detail: reason.to_string(),
        }
    };
    let together = |a: &(Day, Reason), b: &(Day, Reason)| a.1.kind() == b.1.kind() && b.0.0 == a.0.0 + 1;
    SymbolWorkRecord {
        symbol: symbol.name.clone(),
        days: units.total,
        evaluated: units.evaluated.len() as u64,
        checked: units.checked,
        files_read: units.read.as_str().to_owned(),
        spans: units.evaluated.chunk_by(together).map(span).collect(),
    }
}

fn run_style_record(style: &StyleReport) -> RunStyleRecord {
    RunStyleRecord {
        style: style.style.to_string(),
        signals: style.signals,
        pending: style.pending,
        parameter_sets: style.study.sets as u64,
        opportunities: style.opportunities,
    }
}

/// Returns what missing candles, and prices in another scale, cost each symbol in each style.
pub fn lost_records(styles: &[StyleReport]) -> impl Iterator<Item = IssueRecord> {
    let losses = styles.iter().flat_map(|style| style.losses.iter().map(|losses| (style.style, losses)));
    losses.flat_map(|(style, losses)| {
        losses.told().map(move |(name, count, what)| IssueRecord {
            file: losses.symbol.clone(),
            kind: format!("lost_{name}"),
            count,
            detail: format!("{style}: {count} {what}"),
        })
    })
}

/// Returns every issue of the input once, with the first line concerned: files skipped and rejected, then issues of files, of
/// given signals, of symbols. What concerns the candles of a symbol (see [`is_of_series`]) is told of the symbol.
pub fn issue_records(input: &InputReport) -> Vec<(IssueRecord, Option<u64>)> {
    let record = |file: String, kind: &str, count: u64, detail: String| IssueRecord {
        file,
        kind: kind.to_owned(),
        count,
        detail,
    };
    let name = |path: &std::path::Path, entry: &Option<String>| {
        let path = path.display().to_string();
        file_summary::file_name(&path, entry.as_deref())
    };
    let mut all = Vec::new();
    for passed in &input.passed_over {
        let file = name(&passed.path, &passed.entry);
        all.push((record(file, "passed_over", 1, passed.reason.to_string()), None));
    }
    for file in &input.files {
        if let Some(reason) = &file.rejected {
            all.push((record(file.name(), "rejected", 1, reason.clone()), None));
        }
    }
    let of = |file: String, issue: &IssueNote| {
        (record(file, &issue.kind, issue.count, issue.detail.clone()), issue.line)
    };
    for file in &input.files {
        let own = file.issues.iter().filter(|issue| !is_of_series(&issue.kind));
        all.extend(own.map(|issue| of(file.name(), issue)));
    }
    if let Some(signals) = &input.signals {
        all.extend(signals.issues.iter().map(|issue| of(signals.file.clone(), issue)));
    }
    for symbol in &input.symbols {
        let files: Vec<&FileNote> =
            input.files.iter().filter(|file| file.identity.symbol == symbol.name).collect();
        for issue in symbol.issues.iter().filter(|issue| is_told_of_symbol(&issue.kind, &files)) {
            let (record, _) = of(symbol.name.clone(), issue);
            all.push((record, line_of(&issue.kind, &files)));
        }
    }
    all
}

/// Returns whether a kind of issue concerns the candles of a symbol rather than a file: what one file lacks another may hold.
pub fn is_of_series(kind: &str) -> bool {
    matches!(kind, "gap" | "zero_volume")
}

/// Returns whether an issue of a symbol is news: files without a column of volumes say so themselves.
fn is_told_of_symbol(kind: &str, files: &[&FileNote]) -> bool {
    let lacks_volumes = |file: &&FileNote| file.issues.iter().any(|issue| issue.kind == "no_volume");
    kind != "zero_volume" || files.is_empty() || !files.iter().all(lacks_volumes)
}

/// Returns the first line concerned, where a symbol is in one file.
fn line_of(kind: &str, files: &[&FileNote]) -> Option<u64> {
    let [file] = files else { return None };
    file.issues.iter().find(|issue| issue.kind == kind)?.line
}

/// Returns what is told about the age of candles and the clock as issues of the run.
pub fn age_issues(freshness: &Freshness) -> Vec<IssueRecord> {
    let record = |file: &str, kind: &str, count: usize, detail: String| IssueRecord {
        file: file.to_owned(),
        kind: kind.to_owned(),
        count: count as u64,
        detail,
    };
    let clock = freshness
        .clock
        .reason()
        .map(|reason| record("clock", &format!("clock_{}", freshness.clock.as_str()), 1, reason.to_owned()));
    let of_symbol = |symbol: &SymbolAge| {
        let newest = symbol.newest_close_ms.map(rfc3339);
        let detail = match (symbol.age, newest, freshness.last_run) {
            (Age::Fresh, ..) => return None,
            (_, Some(newest), _) => format!("its newest candle closed {newest}"),
            (_, None, Some(run)) => format!("run {run} had candles of it, now there are none"),
            (_, None, None) => "there are no candles of it".to_owned(),
        };
        Some(record(&symbol.symbol, symbol.age.as_str(), 1, detail))
    };
    clock.into_iter().chain(freshness.symbols.iter().filter_map(of_symbol)).collect()
}

fn candidate_record(measured: &Measured) -> CandidateRecord {
    CandidateRecord {
        set: (&measured.set).into(),
        score: measured.score,
        full: (&measured.full).into(),
        early: (&measured.early).into(),
        late: (&measured.late).into(),
    }
}

fn decision_record(style: &StyleReport, plan: &Plan) -> DecisionRecord {
    let judgement = &style.study.judgement;
    let adopted = style.decision.outcome == DecisionOutcome::Adopted;
    let split = style.study.split.as_ref();
    let first = |days: &std::ops::Range<Day>| days.start.to_string();
    let last = |days: &std::ops::Range<Day>| Day(days.end.0 - 1).to_string();
    DecisionRecord {
        verdict: judgement.verdict.to_string(),
        adopted,
        changed: !style.applied_changes().is_empty(),
        outcome: style.decision.outcome.as_str().to_owned(),
        reasons: style.decision.reasons.clone(),
        score_name: plan.search.score.to_string(),
        candidate: style.study.top.first().map(candidate_record),
        incumbent: style.study.incumbent.as_ref().map(candidate_record),
        stability: judgement.stability,
        degradation: judgement.degradation,
        win_rate_ratio: judgement.win_rate_ratio,
        early_first_day: split.map(|s| first(&s.early)).unwrap_or_default(),
        early_last_day: split.map(|s| last(&s.early)).unwrap_or_default(),
        late_first_day: split.map(|s| first(&s.late)).unwrap_or_default(),
        late_last_day: split.map(|s| last(&s.late)).unwrap_or_default(),
        changes: style
            .decision
            .changes
            .iter()
            .chain(style.own.iter().flat_map(|own| &own.changes))
            .map(change_record)
            .collect(),
    }
}

pub(crate) fn change_record(change: &crate::decide::ParameterChange) -> ChangeRecord {
    ChangeRecord {
        scope: change.scope.clone(),
        key: change.key.clone(),
        old: change.old.clone(),
        new: change.new.clone(),
    }
}

fn params_record(style: &StyleReport, best: &Measured, plan: &Plan, now_ms: i64) -> ParamsRecord {
    ParamsRecord {
        set: (&best.set).into(),
        score_name: plan.search.score.to_string(),
        score: best.score,
        metrics: (&best.full).into(),
        verdict: style.study.judgement.verdict.to_string(),
        run: 0,
        adopted_at_ms: now_ms,
        generation: 0,
        source: "run".to_owned(),
    }
}

/// Returns the evidence as it is kept and shown; `grid` is the fingerprint of what was searched.
pub fn evidence_record(evidence: &Evidence, grid: [u8; 32]) -> EvidenceRecord {
    let assessment = |assessment: &Assessment, sentence: String| AssessmentRecord {
        assurance: assessment.assurance.to_string(),
        lacks: assessment.lacks.iter().map(|lack| lack.as_str().to_owned()).collect(),
        sentence,
    };
    let figure = |(name, value): (&str, f64)| NamedNumber { name: name.to_owned(), value };
    EvidenceRecord {
        grid,
        trials: evidence.trials,
        edge: evidence.edge.as_ref().map(|edge| assessment(edge, evidence.edge_line())),
        switch: evidence.switch.as_ref().map(|switch| assessment(switch, evidence.switch_line())),
        figures: evidence.figures().into_iter().filter(|(_, value)| value.is_finite()).map(figure).collect(),
    }
}

fn series_record(style: &StyleReport) -> SeriesRecord {
    let symbol = |symbol: &SymbolTrades| SymbolTradesRecord {
        symbol: symbol.symbol.clone(),
        trades: symbol.trades,
        wins: symbol.wins,
        net_ppm: symbol.net_ppm,
    };
    let surface = |surface: &Surface| SurfaceRecord {
        x: surface.x.clone(),
        y: surface.y.clone(),
        x_levels: surface.x_levels.clone(),
        y_levels: surface.y_levels.clone(),
        cells: surface.mean.iter().map(|mean| SurfaceCellRecord { mean: *mean }).collect(),
    };
    let fits = |surface: &&Surface| surface.x_levels.len().max(surface.y_levels.len()) <= SURFACE_LEVELS_KEPT;
    let surfaces = style.study.surfaces.iter().filter(fits).take(SURFACES_KEPT).map(surface);
    SeriesRecord {
        first_day: style.study.days.start.to_string(),
        candidate_ppm: style.series.candidate_ppm.clone(),
        incumbent_ppm: style.series.incumbent_ppm.clone(),
        symbols: style.series.symbols.iter().map(symbol).collect(),
        surfaces: surfaces.collect(),
    }
}

fn trials_record(style: &StyleReport) -> TrialsRecord {
    let trial = |(index, measured): (usize, &Measured)| TrialRecord {
        rank: index as u32 + 1,
        set: (&measured.set).into(),
        score: measured.score.expect("a ranked set has a score"),
        metrics: (&measured.early).into(),
    };
    TrialsRecord { trials: style.study.top.iter().enumerate().map(trial).collect() }
}

fn features_record(style: &StyleReport, now_ms: i64) -> FeaturesRecord {
    let best = style.study.top.first();
    let full = best.map(|best| &best.full);
    let profit = full.and_then(|metrics| metrics.expectancy_pct.ok());
    let hours = full.and_then(|metrics| metrics.avg_hold_hours.ok());
    let weights = style.evidence.weights.as_ref().map(|learned| learned.weights);
    let weights = weights.unwrap_or(ScoreWeights::default_of(style.style));
    let is_default = weights == ScoreWeights::default_of(style.style);
    let weight = |(term, weight): (ScoreTerm, u8)| NamedNumber {
        name: term.as_str().to_owned(),
        value: weight.into(),
    };
    let combination = |measured: &Measured| CombinationRecord {
        set: (&measured.set).into(),
        score: measured.score.expect("a ranked set has a score"),
        metrics: (&measured.early).into(),
    };
    FeaturesRecord {
        run: 0,
        computed_at_ms: now_ms,
        signals: style.signals,
        weights: weights.pairs().map(weight).collect(),
        weights_name: if is_default { Weighting::Default } else { Weighting::Learned }.to_string(),
        avg_holding_hours: hours,
        avg_profit_pct: profit,
        avg_density: profit.zip(hours).map(|(profit, hours)| profit / hours.max(0.25)),
        high_density_threshold: None,
        baseline: (&style.study.baseline).into(),
        optimal_take_profit_atr: best.map(|best| best.set.exit.take_profit_atr),
        optimal_stop_atr: best.map(|best| best.set.exit.stop_atr),
        top_combinations: style.study.top.iter().take(COMBINATIONS_KEPT).map(combination).collect(),
    }
}

fn insights_record(style: &StyleReport, now_ms: i64, memory: Vec<LessonRecord>) -> InsightsRecord {
    let sensitivity = |importance: &crate::search::rank::Importance| SensitivityRecord {
        dimension: importance.key.clone(),
        importance: importance.share,
        effect: importance.effect,
        best_value: importance.best_level.clone(),
    };
    InsightsRecord {
        run: 0,
        date: Day::of(now_ms).to_string().replace('-', ""),
        lessons: lesson_texts(&style.insights.lessons),
        focus: style.insights.focus.clone(),
        best_contexts: lesson_texts(&style.insights.best_contexts),
        sensitivities: style.study.importances.iter().map(sensitivity).collect(),
        updated_at_ms: now_ms,
        memory,
    }
}

fn lesson_texts(lessons: &[Lesson]) -> Vec<String> {
    lessons.iter().map(|lesson| lesson.text.clone()).collect()
}
