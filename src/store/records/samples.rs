//! One value of every record, for tests: every number with a fraction is [`FRACTION`], every list has entries,
//! every option is there.

use super::*;
use crate::evaluate::metric_table::MetricField;
use crate::model::ExitRule;

/// The only fraction in the samples; its bytes do not occur by accident.
pub(crate) const FRACTION: f64 = 0.1;

/// A record with a sample value.
pub(crate) trait Sample: Record + PartialEq + std::fmt::Debug {
    /// Returns the sample.
    fn sample() -> Self;
}

fn text(name: &str) -> String {
    name.to_owned()
}

fn filters() -> Vec<StoredFilter> {
    let number = StoredFilter { name: text("min_risk_reward"), value: StoredValue::Number(FRACTION) };
    let name = StoredFilter { name: text("allowed_mkt_struct"), value: StoredValue::Name(text("all")) };
    vec![number, name]
}

pub(crate) fn set() -> StoredParameterSet {
    StoredParameterSet::of(&ExitRule::new(FRACTION, FRACTION, FRACTION), filters())
}

fn positional_set() -> PositionalSet {
    PositionalSet {
        atr_tp_multiplier: FRACTION,
        atr_stop_multiplier: FRACTION,
        max_holding_hours: FRACTION,
        filters: filters(),
    }
}

pub(crate) fn metrics() -> StoredMetrics {
    let mut metrics = StoredMetrics { trades: 300, ambiguous_exits: 7, ..StoredMetrics::default() };
    for metric in &StoredMetrics::METRICS {
        if let MetricField::Number(_, place, _) = metric.field {
            *place(&mut metrics) = Some(FRACTION);
        }
    }
    metrics
}

fn positional_metrics() -> PositionalMetrics {
    let defined = Some(FRACTION);
    PositionalMetrics {
        trades: 300,
        win_rate: defined,
        expectancy_pct: defined,
        avg_win_pct: defined,
        avg_loss_pct: defined,
        payoff_ratio: defined,
        profit_factor: defined,
        total_return_pct: defined,
        max_drawdown_pct: defined,
        sharpe_daily: defined,
        best_case_return_pct: defined,
        gross_return_pct: defined,
        avg_hold_hours: defined,
        taken_share: defined,
        capture_rate: defined,
        capture_precision: defined,
        capture_lift: defined,
        ambiguous_exits: 7,
    }
}

fn candidate() -> CandidateRecord {
    CandidateRecord { set: set(), score: Some(FRACTION), full: metrics(), early: metrics(), late: metrics() }
}

impl Sample for MetaRecord {
    fn sample() -> Self {
        let (store_uuid, app_version) = ([0xAB; 16], text("0.1.0"));
        Self { store_format: 1, min_reader_format: 1, store_uuid, app_version, created_at_ms: -5 }
    }
}

impl Sample for HeadRecord {
    fn sample() -> Self {
        Self { generation: 300, rows: 2, set_hash: [0xCD; 16] }
    }
}

impl Sample for ParamsRecord {
    fn sample() -> Self {
        Self {
            set: set(),
            score_name: text("expectancy"),
            score: Some(FRACTION),
            metrics: metrics(),
            verdict: text("REAL"),
            run: 412,
            adopted_at_ms: 1_735_689_600_000,
            generation: 3,
            source: text("run"),
        }
    }
}

impl Sample for FeaturesRecord {
    fn sample() -> Self {
        Self {
            run: 412,
            computed_at_ms: 1_735_689_600_000,
            signals: 900,
            weights: vec![NamedNumber { name: text("volume"), value: FRACTION }],
            weights_name: text("correlation"),
            avg_holding_hours: Some(FRACTION),
            avg_profit_pct: Some(FRACTION),
            avg_density: Some(FRACTION),
            high_density_threshold: Some(FRACTION),
            baseline: metrics(),
            optimal_take_profit_atr: Some(FRACTION),
            optimal_stop_atr: Some(FRACTION),
            top_combinations: vec![CombinationRecord { set: set(), score: FRACTION, metrics: metrics() }],
        }
    }
}

impl Sample for InsightsRecordV1 {
    fn sample() -> Self {
        let sensitivity = SensitivityRecord {
            dimension: text("min_consensus"),
            importance: FRACTION,
            effect: FRACTION,
            best_value: text("2"),
        };
        Self {
            run: 412,
            date: text("20250131"),
            lessons: vec![text("wait for the pullback")],
            focus: text("exits"),
            best_contexts: vec![text("trend up")],
            sensitivities: vec![sensitivity],
            updated_at_ms: 1_735_689_600_000,
        }
    }
}

impl Sample for InsightsRecord {
    fn sample() -> Self {
        let lesson = LessonRecord {
            kind: text("context"),
            topic: text("pullback"),
            claim: text("earns"),
            text: text("wait for the pullback"),
            first_day: text("2025-01-20"),
            last_day: text("2025-01-31"),
            confirmed: 7,
        };
        Self { memory: vec![lesson], ..InsightsRecordV1::sample().into() }
    }
}

impl Sample for RunRecordV1 {
    fn sample() -> Self {
        let style = RunStyleRecord {
            style: text("swing"),
            signals: 900,
            pending: 4,
            parameter_sets: 68_958,
            opportunities: 120,
        };
        let issue =
            IssueRecordV1 { file: text("a.csv"), kind: text("gap"), count: 2, detail: text("2025-01-03") };
        Self {
            started_at_ms: 1_735_689_600_000,
            duration_ms: 48,
            app_version: text("0.1.0"),
            result: text("changed"),
            exit_code: 10,
            data_fingerprint: [1; 32],
            plan_fingerprint: [2; 32],
            config_toml: text("[search]\n"),
            files: 7,
            symbols: vec![text("BTCUSDT")],
            candles: 60_000,
            days: 90,
            first_day: text("2025-01-01"),
            last_day: text("2025-03-31"),
            styles: vec![style],
            threads: 2,
            peak_rss_bytes: 21 << 20,
            issues: vec![issue],
        }
    }
}

impl Sample for RunRecordV2 {
    fn sample() -> Self {
        Self {
            asked_first_day: text("2025-01-01"),
            asked_end_day: text("2025-04-01"),
            ..RunRecordV1::sample().into()
        }
    }
}

impl Sample for RunRecordV3 {
    fn sample() -> Self {
        let detail = ReasonRecord { code: text("not_used"), values: text("\"no_symbol\"") };
        let rejected =
            IssueRecord { file: text("b.csv"), line: Some(3), kind: text("rejected"), count: 1, detail };
        let before = Self::from(RunRecordV2::sample());
        let signals = SignalsRecord {
            file: text("signals.csv"),
            rows: 21,
            counted: 6,
            duplicates: 5,
            without_candles: 4,
            before_candles: 3,
            after_candles: 2,
            outside_window: 1,
            other_styles: 0,
            fingerprint: [3; 32],
        };
        let age = SymbolAgeRecord {
            symbol: text("BTCUSDT"),
            newest_close_ms: Some(1_735_689_600_000),
            age: text("stale"),
        };
        let freshness = FreshnessRecordV1 {
            limit_ms: 129_600_000,
            clock: text("behind"),
            clock_reason: Some(text("candles of tomorrow")),
            symbols: vec![age],
        };
        Self {
            issues: [before.issues.clone(), vec![rejected]].concat(),
            resumed: Some(true),
            same_as: Some(411),
            days_new: Some(7),
            signals: Some(signals),
            freshness: Some(freshness),
            ..before
        }
    }
}

impl Sample for RunRecord {
    fn sample() -> Self {
        let before = Self::from(RunRecordV3::sample());
        let reason = ReasonRecord { code: text("too_early"), values: text("{\"now_ms\":1000000000000}") };
        let freshness = before.freshness.clone();
        let freshness = freshness.map(|known| FreshnessRecord { clock_reason: Some(reason), ..known });
        Self { freshness, ..before }
    }
}

impl Sample for DecisionRecord {
    fn sample() -> Self {
        let change = ChangeRecord {
            scope: text("swing"),
            key: text("min_risk_reward"),
            old: Some(text("2")),
            new: None,
        };
        Self {
            verdict: text("REAL"),
            adopted: true,
            changed: true,
            outcome: text("adopted"),
            reasons: vec![ReasonRecord::told(text("better on both parts"))],
            score_name: text("expectancy"),
            candidate: Some(candidate()),
            incumbent: Some(candidate()),
            stability: Some(FRACTION),
            degradation: Some(FRACTION),
            win_rate_ratio: Some(FRACTION),
            early_first_day: text("2025-01-01"),
            early_last_day: text("2025-02-28"),
            late_first_day: text("2025-03-01"),
            late_last_day: text("2025-03-31"),
            changes: vec![change],
        }
    }
}

impl Sample for WorkRecord {
    fn sample() -> Self {
        let span = WorkSpanRecord {
            first_day: text("2025-01-01"),
            last_day: text("2025-01-31"),
            days: 31,
            kind: text("new"),
            detail: text("never evaluated before"),
        };
        let symbol = SymbolWorkRecord {
            symbol: text("BTCUSDT"),
            days: 365,
            evaluated: 31,
            checked: 2,
            files_read: text("whole"),
            spans: vec![span],
        };
        Self {
            symbols: vec![symbol],
            evicted: 5,
            cached_units: 700,
            cached_bytes: 1 << 20,
            budget_bytes: 256 << 20,
        }
    }
}

impl Sample for CarriedRecord {
    fn sample() -> Self {
        Self { json: text("{\"version\":\"2.1\"}"), imported_at_ms: 1_735_689_600_000 }
    }
}

impl Sample for EvidenceRecord {
    fn sample() -> Self {
        let assessment = AssessmentRecord {
            assurance: text("PROMISING"),
            lacks: vec![text("LUCK")],
            told: Some(text("one line")),
        };
        Self {
            grid: [0xCD; 32],
            trials: 139_968,
            edge: Some(assessment.clone()),
            candidate: Some(assessment.clone()),
            switch: Some(assessment),
            vetoes: vec![text("OVERLAP")],
            figures: vec![NamedNumber { name: text("p_edge"), value: FRACTION }],
        }
    }
}

impl Sample for EvidenceRecordV1 {
    fn sample() -> Self {
        let assessment = AssessmentRecordV1 {
            assurance: text("PROMISING"),
            lacks: vec![text("LUCK")],
            sentence: text("one line"),
        };
        Self {
            grid: [0xCD; 32],
            trials: 139_968,
            edge: Some(assessment.clone()),
            switch: Some(assessment),
            figures: vec![NamedNumber { name: text("p_luck"), value: FRACTION }],
        }
    }
}

impl Sample for SeriesRecordV1 {
    fn sample() -> Self {
        let surface = SurfaceRecord {
            x: text("atr_tp_multiplier"),
            y: text("min_consensus"),
            x_levels: vec![text("1")],
            y_levels: vec![text("0")],
            cells: vec![SurfaceCellRecord { mean: Some(FRACTION) }],
        };
        let symbol = SymbolTradesRecord { symbol: text("BTCUSDT"), trades: 30, wins: 17, net_ppm: -12_345 };
        Self {
            first_day: text("2025-01-01"),
            candidate_ppm: vec![0, 10_000, -5_000],
            incumbent_ppm: vec![0, 1, 2],
            symbols: vec![symbol],
            surfaces: vec![surface],
        }
    }
}

impl Sample for SeriesRecord {
    fn sample() -> Self {
        let losses =
            LossRecord { symbol: text("BTCUSDT"), no_entry: 1, no_atr: 2, rescaled: 3, cut: 4, blind: 5 };
        let own = |own| OwnSetRecord {
            symbol: text("BTCUSDT"),
            own,
            reason: ReasonRecord { code: text("pooled_is_best"), values: String::new() },
        };
        let extent = ExtentRecord {
            asked: 139_968,
            rated: 68_000,
            in_lattice: 890,
            losses: vec![losses],
            own: vec![own(Some(candidate())), own(None)],
        };
        Self { extent: Some(extent), ..SeriesRecordV1::sample().into() }
    }
}

impl Sample for TrialsRecord {
    fn sample() -> Self {
        Self { trials: vec![TrialRecord { rank: 1, set: set(), score: FRACTION, metrics: metrics() }] }
    }
}

impl Sample for ParamsRecordV1 {
    fn sample() -> Self {
        Self {
            set: positional_set(),
            score_name: text("expectancy"),
            score: Some(FRACTION),
            metrics: positional_metrics(),
            verdict: text("REAL"),
            run: 412,
            adopted_at_ms: 1_735_689_600_000,
            generation: 3,
            source: text("run"),
        }
    }
}

impl Sample for FeaturesRecordV1 {
    fn sample() -> Self {
        Self {
            run: 412,
            computed_at_ms: 1_735_689_600_000,
            signals: 900,
            weights: vec![NamedNumber { name: text("volume"), value: FRACTION }],
            weights_name: text("correlation"),
            avg_holding_hours: Some(FRACTION),
            avg_profit_pct: Some(FRACTION),
            avg_density: Some(FRACTION),
            high_density_threshold: Some(FRACTION),
            baseline: positional_metrics(),
            optimal_take_profit_atr: Some(FRACTION),
            optimal_stop_atr: Some(FRACTION),
            top_combinations: vec![CombinationRecordV1 {
                set: positional_set(),
                score: FRACTION,
                metrics: positional_metrics(),
            }],
        }
    }
}

impl Sample for DecisionRecordV1 {
    fn sample() -> Self {
        let change = ChangeRecord {
            scope: text("swing"),
            key: text("min_risk_reward"),
            old: Some(text("2")),
            new: None,
        };
        let metrics = positional_metrics;
        let (full, early, late) = (metrics(), metrics(), metrics());
        let candidate = CandidateRecordV1 { set: positional_set(), score: Some(FRACTION), full, early, late };
        Self {
            verdict: text("REAL"),
            adopted: true,
            changed: true,
            outcome: text("adopted"),
            reasons: vec![text("better on both parts")],
            score_name: text("expectancy"),
            candidate: Some(candidate.clone()),
            incumbent: Some(candidate),
            stability: Some(FRACTION),
            degradation: Some(FRACTION),
            win_rate_ratio: Some(FRACTION),
            early_first_day: text("2025-01-01"),
            early_last_day: text("2025-02-28"),
            late_first_day: text("2025-03-01"),
            late_last_day: text("2025-03-31"),
            changes: vec![change],
        }
    }
}

impl Sample for TrialsRecordV1 {
    fn sample() -> Self {
        Self {
            trials: vec![TrialRecordV1 {
                rank: 1,
                set: positional_set(),
                score: FRACTION,
                metrics: positional_metrics(),
            }],
        }
    }
}
