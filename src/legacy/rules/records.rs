//! What each legacy stage reads of an opportunity that was saved.

use super::metrics::LegacyOpportunity;
use super::phase4::ValidatedOpportunity;
use crate::features::market_structure::SwingStructure;
use crate::ingest::LegacyRecord;

impl From<&LegacyRecord> for LegacyOpportunity {
    fn from(record: &LegacyRecord) -> Self {
        Self {
            direction: record.direction,
            signal_score: record.signal_score,
            consensus_score: record.consensus_score,
            consensus: record.consensus,
            indicator_consensus: record.indicator_consensus,
            actual_risk_reward: record.actual_risk_reward,
            risk_reward: record.risk_reward,
            actual_profit_pct: record.actual_profit_pct,
            objective_profit: record.objective_profit,
            kline_ctx_bullish_ratio: record.kline_ctx_bullish_ratio,
            kline_ctx_price_chg_pct: record.kline_ctx_price_chg_pct,
            mkt_struct_swing: record.mkt_struct_swing.as_deref().and_then(SwingStructure::parse),
            mkt_struct_age_hours: record.mkt_struct_age_hours,
            support_hist_test_cnt: record.support_hist_test_cnt,
            support_hist_false_bd: record.support_hist_false_bd,
            resist_hist_test_cnt: record.resist_hist_test_cnt,
            resist_hist_false_bo: record.resist_hist_false_bo,
        }
    }
}

impl From<&LegacyRecord> for ValidatedOpportunity {
    fn from(record: &LegacyRecord) -> Self {
        Self {
            timestamp: record.timestamp.clone(),
            signal_score: record.signal_score,
            indicator_consensus: record.indicator_consensus.unwrap_or(0.0),
            entry_price: record.entry_price.unwrap_or(0.0),
            atr: record.atr.unwrap_or(0.0),
            max_potential_profit: record.max_potential_profit.unwrap_or(0.0),
        }
    }
}
