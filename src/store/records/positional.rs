//! First versions of the records that hold parameter sets and metrics, which had them by position; as they were written.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    CandidateRecord, ChangeRecord, CombinationRecord, DecisionRecord, FeaturesRecord, Invalid, NamedNumber,
    ParamsRecord, ReasonRecord, Record, StoredFilter, StoredMetrics, StoredParameterSet, StoredValue,
    TrialRecord, TrialsRecord,
};

/// Metrics by position.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[expect(missing_docs, reason = "see the table of metrics")]
pub struct PositionalMetrics {
    pub trades: u64,
    pub win_rate: Option<f64>,
    pub expectancy_pct: Option<f64>,
    pub avg_win_pct: Option<f64>,
    pub avg_loss_pct: Option<f64>,
    pub payoff_ratio: Option<f64>,
    pub profit_factor: Option<f64>,
    pub total_return_pct: Option<f64>,
    pub max_drawdown_pct: Option<f64>,
    pub sharpe_daily: Option<f64>,
    pub best_case_return_pct: Option<f64>,
    pub gross_return_pct: Option<f64>,
    pub avg_hold_hours: Option<f64>,
    pub taken_share: Option<f64>,
    pub capture_rate: Option<f64>,
    pub capture_precision: Option<f64>,
    pub capture_lift: Option<f64>,
    pub ambiguous_exits: u64,
}

impl From<PositionalMetrics> for StoredMetrics {
    fn from(before: PositionalMetrics) -> Self {
        let PositionalMetrics {
            trades,
            win_rate,
            expectancy_pct,
            avg_win_pct,
            avg_loss_pct,
            payoff_ratio,
            profit_factor,
            total_return_pct,
            max_drawdown_pct,
            sharpe_daily,
            best_case_return_pct,
            gross_return_pct,
            avg_hold_hours,
            taken_share,
            capture_rate,
            capture_precision,
            capture_lift,
            ambiguous_exits,
        } = before;
        // The names that came later are undefined.
        let mut metrics = Self::default();
        (metrics.trades, metrics.ambiguous_exits) = (trades, ambiguous_exits);
        metrics.win_rate = win_rate;
        metrics.expectancy_pct = expectancy_pct;
        metrics.avg_win_pct = avg_win_pct;
        metrics.avg_loss_pct = avg_loss_pct;
        metrics.payoff_ratio = payoff_ratio;
        metrics.profit_factor = profit_factor;
        metrics.total_return_pct = total_return_pct;
        metrics.max_drawdown_pct = max_drawdown_pct;
        metrics.sharpe_daily = sharpe_daily;
        metrics.best_case_return_pct = best_case_return_pct;
        metrics.gross_return_pct = gross_return_pct;
        metrics.avg_hold_hours = avg_hold_hours;
        metrics.taken_share = taken_share;
        metrics.capture_rate = capture_rate;
        metrics.capture_precision = capture_precision;
        metrics.capture_lift = capture_lift;
        metrics
    }
}

/// A parameter set with the numbers of three axes by position, and the mechanisms that are on among its filters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[expect(missing_docs, reason = "see the newest version")]
pub struct PositionalSet {
    pub atr_tp_multiplier: f64,
    pub atr_stop_multiplier: f64,
    pub max_holding_hours: f64,
    pub filters: Vec<StoredFilter>,
}

/// Mechanisms that could stand among filters.
const MECHANISMS: [&str; 8] = [
    "trailing_stop_distance",
    "trailing_stop_activation",
    "tp1_atr_multiplier",
    "tp1_close_pct",
    "breakeven_atr",
    "dynamic_atr_strength",
    "hard_stop_pct",
    "volume_surge_exit",
];

impl From<PositionalSet> for StoredParameterSet {
    fn from(before: PositionalSet) -> Self {
        let PositionalSet { atr_tp_multiplier, atr_stop_multiplier, max_holding_hours, filters } = before;
        let mut exits = vec![
            named("atr_tp_multiplier", atr_tp_multiplier),
            named("atr_stop_multiplier", atr_stop_multiplier),
            named("max_holding_hours", max_holding_hours),
        ];
        let mut others = Vec::new();
        for filter in filters {
            match filter.value {
                StoredValue::Number(value) if MECHANISMS.contains(&filter.name.as_str()) => {
                    exits.push(named(&filter.name, value));
                }
                _ => others.push(filter),
            }
        }
        Self { exits, filters: others }
    }
}

fn named(key: &str, value: f64) -> NamedNumber {
    NamedNumber { name: key.to_owned(), value }
}

/// The first version of [`ParamsRecord`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[expect(missing_docs, reason = "see the newest version")]
pub struct ParamsRecordV1 {
    pub set: PositionalSet,
    pub score_name: String,
    pub score: Option<f64>,
    pub metrics: PositionalMetrics,
    pub verdict: String,
    pub run: u64,
    pub adopted_at_ms: i64,
    pub generation: u64,
    pub source: String,
}

impl From<ParamsRecordV1> for ParamsRecord {
    fn from(before: ParamsRecordV1) -> Self {
        let ParamsRecordV1 {
            set,
            score_name,
            score,
            metrics,
            verdict,
            run,
            adopted_at_ms,
            generation,
            source,
        } = before;
        let (set, metrics) = (set.into(), metrics.into());
        Self { set, score_name, score, metrics, verdict, run, adopted_at_ms, generation, source }
    }
}

/// The first version of [`CombinationRecord`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[expect(missing_docs, reason = "see the newest version")]
pub struct CombinationRecordV1 {
    pub set: PositionalSet,
    pub score: f64,
    pub metrics: PositionalMetrics,
}

impl From<CombinationRecordV1> for CombinationRecord {
    fn from(before: CombinationRecordV1) -> Self {
        let CombinationRecordV1 { set, score, metrics } = before;
        Self { set: set.into(), score, metrics: metrics.into() }
    }
}

/// The first version of [`FeaturesRecord`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[expect(missing_docs, reason = "see the newest version")]
pub struct FeaturesRecordV1 {
    pub run: u64,
    pub computed_at_ms: i64,
    pub signals: u64,
    pub weights: Vec<NamedNumber>,
    pub weights_name: String,
    pub avg_holding_hours: Option<f64>,
    pub avg_profit_pct: Option<f64>,
    pub avg_density: Option<f64>,
    pub high_density_threshold: Option<f64>,
    pub baseline: PositionalMetrics,
    pub optimal_take_profit_atr: Option<f64>,
    pub optimal_stop_atr: Option<f64>,
    pub top_combinations: Vec<CombinationRecordV1>,
}

impl From<FeaturesRecordV1> for FeaturesRecord {
    fn from(before: FeaturesRecordV1) -> Self {
        let FeaturesRecordV1 {
            run,
            computed_at_ms,
            signals,
            weights,
            weights_name,
            avg_holding_hours,
            avg_profit_pct,
            avg_density,
            high_density_threshold,
            baseline,
            optimal_take_profit_atr,
            optimal_stop_atr,
            top_combinations,
        } = before;
        Self {
            run,
            computed_at_ms,
            signals,
            weights,
            weights_name,
            avg_holding_hours,
            avg_profit_pct,
            avg_density,
            high_density_threshold,
            baseline: baseline.into(),
            optimal_take_profit_atr,
            optimal_stop_atr,
            top_combinations: top_combinations.into_iter().map(Into::into).collect(),
        }
    }
}

/// The first version of [`CandidateRecord`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[expect(missing_docs, reason = "see the newest version")]
pub struct CandidateRecordV1 {
    pub set: PositionalSet,
    pub score: Option<f64>,
    pub full: PositionalMetrics,
    pub early: PositionalMetrics,
    pub late: PositionalMetrics,
}

impl From<CandidateRecordV1> for CandidateRecord {
    fn from(before: CandidateRecordV1) -> Self {
        let CandidateRecordV1 { set, score, full, early, late } = before;
        Self { set: set.into(), score, full: full.into(), early: early.into(), late: late.into() }
    }
}

/// The first version of [`DecisionRecord`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[expect(missing_docs, reason = "see the newest version")]
pub struct DecisionRecordV1 {
    pub verdict: String,
    pub adopted: bool,
    pub changed: bool,
    pub outcome: String,
    pub reasons: Vec<String>,
    pub score_name: String,
    pub candidate: Option<CandidateRecordV1>,
    pub incumbent: Option<CandidateRecordV1>,
    pub stability: Option<f64>,
    pub degradation: Option<f64>,
    pub win_rate_ratio: Option<f64>,
    pub early_first_day: String,
    pub early_last_day: String,
    pub late_first_day: String,
    pub late_last_day: String,
    pub changes: Vec<ChangeRecord>,
}

impl From<DecisionRecordV1> for DecisionRecord {
    fn from(before: DecisionRecordV1) -> Self {
        let DecisionRecordV1 {
            verdict,
            adopted,
            changed,
            outcome,
            reasons,
            score_name,
            candidate,
            incumbent,
            stability,
            degradation,
            win_rate_ratio,
            early_first_day,
            early_last_day,
            late_first_day,
            late_last_day,
            changes,
        } = before;
        Self {
            verdict,
            adopted,
            changed,
            outcome,
            reasons: reasons.into_iter().map(ReasonRecord::told).collect(),
            score_name,
            candidate: candidate.map(Into::into),
            incumbent: incumbent.map(Into::into),
            stability,
            degradation,
            win_rate_ratio,
            early_first_day,
            early_last_day,
            late_first_day,
            late_last_day,
            changes,
        }
    }
}

/// The first version of [`TrialRecord`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[expect(missing_docs, reason = "see the newest version")]
pub struct TrialRecordV1 {
    pub rank: u32,
    pub set: PositionalSet,
    pub score: f64,
    pub metrics: PositionalMetrics,
}

/// The first version of [`TrialsRecord`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[expect(missing_docs, reason = "see the newest version")]
pub struct TrialsRecordV1 {
    pub trials: Vec<TrialRecordV1>,
}

impl From<TrialsRecordV1> for TrialsRecord {
    fn from(before: TrialsRecordV1) -> Self {
        let trial = |TrialRecordV1 { rank, set, score, metrics }| TrialRecord {
            rank,
            set: set.into(),
            score,
            metrics: metrics.into(),
        };
        Self { trials: before.trials.into_iter().map(trial).collect() }
    }
}

macro_rules! first_version {
    ($before:ty, $newest:ty) => {
        impl Record for $before {
            type Earlier = Self;
            const NAME: &'static str = <$newest>::NAME;
            const TYPE_ID: u16 = <$newest>::TYPE_ID;
            const VERSION: u16 = 1;
            const BYTES_MAX: usize = <$newest>::BYTES_MAX;

            fn validate(&self) -> Result<(), Invalid> {
                // The same rules.
                <$newest>::from(self.clone()).validate()
            }
        }
    };
}

first_version!(ParamsRecordV1, ParamsRecord);
first_version!(FeaturesRecordV1, FeaturesRecord);
first_version!(DecisionRecordV1, DecisionRecord);
first_version!(TrialsRecordV1, TrialsRecord);
