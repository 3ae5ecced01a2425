//! Turns a run's report into the records the store keeps. Formats and decides nothing.

use std::collections::BTreeMap;

use serde::Serialize;

use super::active::EarlierParameters;
use super::freshness::{Freshness, SymbolAge};
use super::input_report::SignalsNote;
use super::issues::{InputIssue, all_issues};
use super::lessons::remember_lessons;
use super::losses::SymbolLosses;
use super::report::{RunReport, StyleReport};
use super::result::StyleDecision;
use super::work::{SymbolWork, WorkSpan};
use crate::decide::DecisionOutcome;
use crate::decide::insights::Lesson;
use crate::engine::plan::Plan;
use crate::engine::unit::SkipCounts;
use crate::evaluate::metrics::Metrics;
use crate::features::score::{ScoreTerm, ScoreWeights};
use crate::model::{Day, Style};
use crate::search::rank::Surface;
use crate::search::weights::Weighting;
use crate::store::LearningCommit;
use crate::store::records::{
    AssessmentRecord, CandidateRecord, ChangeRecord, CombinationRecord, DecisionRecord, EvidenceRecord,
    ExtentRecord, FeaturesRecord, FreshnessRecord, InsightsRecord, IssueRecord, LessonRecord, LossRecord,
    NamedNumber, OwnSetRecord, ParamsRecord, ReasonRecord, RunRecord, RunStyleRecord, SensitivityRecord,
    SeriesRecord, SignalsRecord, SurfaceCellRecord, SurfaceRecord, SymbolAgeRecord, SymbolTradesRecord,
    SymbolWorkRecord, TrialRecord, TrialsRecord, WorkRecord, WorkSpanRecord,
};
use crate::study::Measured;
use crate::study::evidence::Evidence;
use crate::study::named::named_values;
use crate::study::per_symbol::{OwnSet, scope_of};
use crate::study::series::SymbolTrades;
use crate::validate::assessment::Assessment;

/// Issues kept per run; the report holds them all.
const ISSUES_KEPT: usize = 200;
/// Surfaces kept per run and style, and the most levels of their axes.
const SURFACES_KEPT: usize = 200;
const SURFACE_LEVELS_KEPT: usize = 64;
/// Combinations kept among the features.
const COMBINATIONS_KEPT: usize = 5;

/// Returns everything a run has to remember; `known` is what earlier runs learned, `earlier` what was active before.
pub(crate) fn learning_commit(
    report: &RunReport,
    plan: &Plan,
    config_toml: &str,
    known: &BTreeMap<Style, InsightsRecord>,
    earlier: &BTreeMap<Style, EarlierParameters>,
) -> LearningCommit {
    let mut learning = LearningCommit::new(&report.profile, run_record(report, config_toml));
    learning.work = Some(work_record(report).capped());
    for style in &report.styles {
        learning.decisions.insert(style.style, decision_record(&style.decided(&report.score_name)));
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
        let now_active = match style.decision.outcome {
            DecisionOutcome::Adopted => {
                let best = style.study.top.first();
                best.map(|best| Some(params_record(style, best, plan, report.started_at_ms)))
            }
            DecisionOutcome::Restored => earlier.get(&style.style).map(|earlier| {
                Some(ParamsRecord { adopted_at_ms: report.started_at_ms, ..earlier.record.clone() })
            }),
            DecisionOutcome::Withdrawn => Some(None),
            DecisionOutcome::Unchanged | DecisionOutcome::NotConvincing | DecisionOutcome::Rejected => None,
        };
        learning.params.extend(now_active.map(|params| (style.style.to_string(), params)));
        for own in style.own.iter().filter(|own| !own.changes.is_empty()) {
            let set = own.measured.as_ref();
            let params = set.map(|set| params_record(style, set, plan, report.started_at_ms));
            learning.params.insert(scope_of(&own.symbol, style.style), params);
        }
    }
    learning
}

fn run_record(report: &RunReport, config_toml: &str) -> RunRecord {
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
        issues: all_issues(report).iter().take(ISSUES_KEPT).map(issue_record).collect(),
        asked_first_day: asked(report.asked_days.0),
        asked_end_day: asked(report.asked_days.1),
        resumed: Some(report.resumed),
        same_as: report.same_as,
        days_new: Some(report.days_new()),
        signals: report.input.signals.as_ref().map(signals_record),
        freshness: Some(freshness_record(&report.freshness)),
    }
}

fn signals_record(note: &SignalsNote) -> SignalsRecord {
    SignalsRecord {
        file: note.file.clone(),
        rows: note.rows,
        counted: note.counted,
        duplicates: note.duplicates,
        without_candles: note.without_candles,
        before_candles: note.before_candles,
        after_candles: note.after_candles,
        outside_window: note.outside_window,
        other_styles: note.other_styles,
        fingerprint: note.fingerprint.0,
    }
}

fn freshness_record(freshness: &Freshness) -> FreshnessRecord {
    let symbol = |symbol: &SymbolAge| SymbolAgeRecord {
        symbol: symbol.symbol.clone(),
        newest_close_ms: symbol.newest_close_ms,
        age: symbol.age.as_str().to_owned(),
    };
    FreshnessRecord {
        limit_ms: freshness.limit_ms,
        clock: freshness.clock.as_str().to_owned(),
        clock_reason: freshness.clock.reason().map(reason_record),
        symbols: freshness.symbols.iter().map(symbol).collect(),
    }
}

/// Returns what a run evaluated and why, as it is kept.
fn work_record(report: &RunReport) -> WorkRecord {
    let cached = report.cached.unwrap_or_default();
    WorkRecord {
        symbols: report.work().into_iter().map(symbol_work_record).collect(),
        evicted: report.units.iter().map(|units| units.evicted).sum(),
        cached_units: cached.units,
        cached_bytes: cached.bytes,
        budget_bytes: cached.budget_bytes,
    }
}

fn symbol_work_record(work: SymbolWork) -> SymbolWorkRecord {
    let span = |span: WorkSpan| {
        let WorkSpan { first_day, last_day, days, kind, detail } = span;
        WorkSpanRecord { first_day, last_day, days, kind, detail }
    };
    let SymbolWork { symbol, days, evaluated, checked, files_read, spans } = work;
    let spans = spans.into_iter().map(span).collect();
    SymbolWorkRecord { symbol, days, evaluated, checked, files_read, spans }
}

/// Returns an issue as it is kept.
pub(super) fn issue_record(issue: &InputIssue) -> IssueRecord {
    let InputIssue { file, line, kind, count, detail } = issue;
    IssueRecord {
        file: file.clone(),
        line: *line,
        kind: kind.clone(),
        count: *count,
        detail: reason_record(detail),
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

fn candidate_record(measured: &Measured) -> CandidateRecord {
    CandidateRecord {
        set: (&measured.set).into(),
        score: measured.score,
        full: (&measured.full).into(),
        early: (&measured.early).into(),
        late: (&measured.late).into(),
    }
}

pub(super) fn decision_record(decided: &StyleDecision) -> DecisionRecord {
    let split = decided.split.as_ref();
    let first = |days: &std::ops::Range<Day>| days.start.to_string();
    let last = |days: &std::ops::Range<Day>| Day(days.end.0 - 1).to_string();
    DecisionRecord {
        verdict: decided.verdict.clone(),
        adopted: decided.adopted,
        changed: decided.changed,
        outcome: decided.outcome.clone(),
        reasons: decided.reasons.iter().map(reason_record).collect(),
        score_name: decided.score_name.clone(),
        candidate: decided.candidate.as_ref().map(candidate_record),
        incumbent: decided.incumbent.as_ref().map(candidate_record),
        stability: decided.stability,
        degradation: decided.degradation,
        win_rate_ratio: decided.win_rate_ratio,
        early_first_day: split.map(|s| first(&s.early)).unwrap_or_default(),
        early_last_day: split.map(|s| last(&s.early)).unwrap_or_default(),
        late_first_day: split.map(|s| first(&s.late)).unwrap_or_default(),
        late_last_day: split.map(|s| last(&s.late)).unwrap_or_default(),
        changes: decided.changes.iter().map(change_record).collect(),
    }
}

/// Returns a reason as it is kept: its kind by name, and its values by name.
pub(crate) fn reason_record(reason: &impl Serialize) -> ReasonRecord {
    let value = serde_json::to_value(reason).expect("reasons hold text keys and finite numbers only");
    match value {
        serde_json::Value::Object(object) => object
            .into_iter()
            .map(|(code, values)| ReasonRecord { code, values: values.to_string() })
            .next()
            .unwrap_or_default(),
        code => ReasonRecord { code: code.as_str().unwrap_or_default().to_owned(), values: String::new() },
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

/// Returns the evidence as it is kept; `grid` is the fingerprint of what was searched.
fn evidence_record(evidence: &Evidence, grid: [u8; 32]) -> EvidenceRecord {
    let assessment = |assessment: &Assessment| AssessmentRecord {
        assurance: assessment.assurance.to_string(),
        lacks: assessment.lacks.iter().map(|lack| lack.as_str().to_owned()).collect(),
        told: None,
    };
    let figures = named_values(evidence).into_iter();
    EvidenceRecord {
        grid,
        trials: evidence.trials,
        edge: evidence.edge.as_ref().map(assessment),
        candidate: evidence.candidate.as_ref().map(assessment),
        switch: evidence.switch.as_ref().map(assessment),
        vetoes: evidence.vetoes.iter().map(|veto| veto.as_str().to_owned()).collect(),
        figures: figures.map(|(name, value)| NamedNumber { name, value }).collect(),
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
    let extent = ExtentRecord {
        asked: style.study.asked,
        rated: style.study.rated as u64,
        in_lattice: style.in_lattice,
        losses: style.losses.iter().map(loss_record).collect(),
        own: style.own.iter().map(own_set_record).collect(),
    };
    SeriesRecord {
        first_day: style.study.days.start.to_string(),
        candidate_ppm: style.series.candidate_ppm.clone(),
        incumbent_ppm: style.series.incumbent_ppm.clone(),
        symbols: style.series.symbols.iter().map(symbol).collect(),
        surfaces: surfaces.collect(),
        extent: Some(extent),
    }
}

fn loss_record(losses: &SymbolLosses) -> LossRecord {
    let SymbolLosses { symbol, lost: SkipCounts { no_entry, no_atr, rescaled }, blind, cut } = losses;
    LossRecord {
        symbol: symbol.clone(),
        no_entry: *no_entry,
        no_atr: *no_atr,
        rescaled: *rescaled,
        cut: *cut,
        blind: *blind,
    }
}

/// Returns what a symbol trades as it is kept; what changes is kept with the decision.
fn own_set_record(own: &OwnSet) -> OwnSetRecord {
    let OwnSet { symbol, measured, reason, changes: _ } = own;
    OwnSetRecord {
        symbol: symbol.clone(),
        own: measured.as_ref().map(candidate_record),
        reason: reason_record(reason),
    }
}

/// Returns the metrics of a set on the days that chose.
fn chosen_on<'a>(style: &StyleReport, measured: &'a Measured) -> &'a Metrics {
    if style.evidence.gate.is_some() { &measured.full } else { &measured.early }
}

fn trials_record(style: &StyleReport) -> TrialsRecord {
    let trial = |(index, measured): (usize, &Measured)| TrialRecord {
        rank: index as u32 + 1,
        set: (&measured.set).into(),
        score: measured.score.expect("a ranked set has a score"),
        metrics: chosen_on(style, measured).into(),
    };
    TrialsRecord { trials: style.study.top.iter().enumerate().map(trial).collect() }
}

fn features_record(style: &StyleReport, now_ms: i64) -> FeaturesRecord {
    let best = style.study.top.first();
    let full = best.map(|best| &best.full);
    let profit = full.and_then(|metrics| metrics.expectancy_pct.ok());
    let hours = full.and_then(|metrics| metrics.avg_hold_hours.ok());
    let weights = style.weights.as_ref().map(|learned| learned.weights);
    let weights = weights.unwrap_or(ScoreWeights::default_of(style.style));
    let is_default = weights == ScoreWeights::default_of(style.style);
    let weight = |(term, weight): (ScoreTerm, u8)| NamedNumber {
        name: term.as_str().to_owned(),
        value: weight.into(),
    };
    let combination = |measured: &Measured| CombinationRecord {
        set: (&measured.set).into(),
        score: measured.score.expect("a ranked set has a score"),
        metrics: chosen_on(style, measured).into(),
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
        optimal_take_profit_atr: best.and_then(|best| best.set.exit.take_profit_atr),
        optimal_stop_atr: best.and_then(|best| best.set.exit.stop_atr),
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
