//! Which thresholds hold for a symbol: careful ones while there are few trades, its own once there are enough, else
//! the general ones with the margin of its risk class.

use crate::bot::keys::TRADES_LEARNED_MIN;

/// The thresholds that are resolved.
///
/// Units:     ATR multiples, points 0..=100, share of the account, hours
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(missing_docs, reason = "the names are the keys")]
pub struct SymbolParams {
    pub min_risk_reward: f64,
    pub min_signal_score: f64,
    pub min_indicator_consensus: f64,
    pub atr_stop_multiplier: f64,
    pub base_position_ratio: f64,
    pub max_total_positions: f64,
    pub max_hold_time_hours: f64,
}

impl Default for SymbolParams {
    /// Returns what the legacy takes for keys its general parameters lack.
    fn default() -> Self {
        Self {
            min_risk_reward: 1.5,
            min_signal_score: 55.0,
            min_indicator_consensus: 2.0,
            atr_stop_multiplier: 1.5,
            base_position_ratio: 0.2,
            max_total_positions: 3.0,
            max_hold_time_hours: 24.0,
        }
    }
}

/// How experienced the bot is, by closed trades.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Experience {
    /// Fewer than 5.
    Beginner,
    /// Fewer than 20.
    Learning,
    /// Fewer than 50.
    Growing,
    /// 50 or more.
    Seasoned,
}

impl Experience {
    /// Returns the experience of so many closed trades.
    pub fn of(closed_trades: u64) -> Self {
        match closed_trades {
            0..5 => Self::Beginner,
            5..20 => Self::Learning,
            20..50 => Self::Growing,
            _ => Self::Seasoned,
        }
    }
}

/// How far careful parameters go beyond the general ones: a factor and a floor, or a bonus and a bound.
struct Care {
    risk_reward: (f64, f64),
    stop: (f64, f64),
    consensus_floor: f64,
    consensus_cap: f64,
    score_bonus: f64,
    score_cap: f64,
    position_ratio: f64,
    positions: f64,
    hours: f64,
}

/// Returns the careful parameters of little experience, `None` with enough of it.
///
/// Source:    section 13 of the legacy specification; the order path overwrote them (D40)
pub fn safe_params(experience: Experience, general: &SymbolParams) -> Option<SymbolParams> {
    let care = match experience {
        Experience::Beginner => Care {
            risk_reward: (1.5, 2.5),
            stop: (1.3, 2.0),
            consensus_floor: 4.0,
            consensus_cap: 5.0,
            score_bonus: 35.0,
            score_cap: 90.0,
            position_ratio: 0.10,
            positions: 1.0,
            hours: 12.0,
        },
        Experience::Learning => Care {
            risk_reward: (1.3, 2.0),
            stop: (1.2, 1.8),
            consensus_floor: 3.0,
            consensus_cap: 4.0,
            score_bonus: 25.0,
            score_cap: 85.0,
            position_ratio: 0.15,
            positions: 2.0,
            hours: 18.0,
        },
        Experience::Growing => Care {
            risk_reward: (1.1, 1.5),
            stop: (1.05, 1.6),
            consensus_floor: 2.0,
            consensus_cap: f64::INFINITY,
            score_bonus: 10.0,
            score_cap: 70.0,
            position_ratio: 0.18,
            positions: 2.0,
            hours: 24.0,
        },
        Experience::Seasoned => return None,
    };
    let raised = |base: f64, (factor, floor): (f64, f64)| (factor * base).max(floor);
    Some(SymbolParams {
        min_risk_reward: raised(general.min_risk_reward, care.risk_reward),
        min_signal_score: (general.min_signal_score + care.score_bonus).min(care.score_cap),
        min_indicator_consensus: general
            .min_indicator_consensus
            .max(care.consensus_floor)
            .min(care.consensus_cap),
        atr_stop_multiplier: raised(general.atr_stop_multiplier, care.stop),
        base_position_ratio: care.position_ratio,
        max_total_positions: care.positions,
        max_hold_time_hours: care.hours,
    })
}

/// How risky a symbol is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[expect(missing_docs, reason = "the names say it")]
pub enum RiskClass {
    Low,
    /// That of unknown symbols.
    #[default]
    Medium,
    High,
}

impl RiskClass {
    /// Returns the legacy name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low_risk",
            Self::Medium => "medium_risk",
            Self::High => "high_risk",
        }
    }

    /// Returns the class of a legacy name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Low, Self::Medium, Self::High].into_iter().find(|class| class.as_str() == name)
    }
}

/// The margin of a risk class over the general parameters. `None` leaves what is general.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(missing_docs, reason = "the names are the keys")]
pub struct RiskMargin {
    pub min_risk_reward_multiplier: f64,
    pub min_signal_score_bonus: f64,
    /// The least that holds, whatever the general parameters.
    pub min_risk_reward: f64,
    pub min_signal_score: f64,
    pub atr_stop_multiplier: Option<f64>,
    pub min_indicator_consensus: Option<f64>,
    pub base_position_ratio: Option<f64>,
}

impl Default for RiskMargin {
    fn default() -> Self {
        Self {
            min_risk_reward_multiplier: 1.0,
            min_signal_score_bonus: 0.0,
            min_risk_reward: 1.5,
            min_signal_score: 55.0,
            atr_stop_multiplier: None,
            min_indicator_consensus: None,
            base_position_ratio: None,
        }
    }
}

impl RiskMargin {
    /// Returns the general parameters with this margin.
    pub fn apply(&self, general: &SymbolParams) -> SymbolParams {
        let risk_reward = general.min_risk_reward * self.min_risk_reward_multiplier;
        let score = general.min_signal_score + self.min_signal_score_bonus;
        SymbolParams {
            min_risk_reward: risk_reward.max(self.min_risk_reward),
            min_signal_score: score.max(self.min_signal_score),
            min_indicator_consensus: self.min_indicator_consensus.unwrap_or(general.min_indicator_consensus),
            atr_stop_multiplier: self.atr_stop_multiplier.unwrap_or(general.atr_stop_multiplier),
            base_position_ratio: self.base_position_ratio.unwrap_or(general.base_position_ratio),
            ..*general
        }
    }
}

/// Parameters learned for one symbol; `None` where nothing was.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[expect(missing_docs, reason = "the names are the keys")]
pub struct LearnedParams {
    /// Trades they were learned from.
    pub sample_count: u64,
    pub min_risk_reward: Option<f64>,
    pub min_signal_score: Option<f64>,
    pub min_indicator_consensus: Option<f64>,
    pub atr_stop_multiplier: Option<f64>,
    pub base_position_ratio: Option<f64>,
}

impl LearnedParams {
    /// Returns these parameters over those of the class; what was not learned is the class's.
    pub fn over(&self, class: &SymbolParams) -> SymbolParams {
        SymbolParams {
            min_risk_reward: self.min_risk_reward.unwrap_or(class.min_risk_reward),
            min_signal_score: self.min_signal_score.unwrap_or(class.min_signal_score),
            min_indicator_consensus: self.min_indicator_consensus.unwrap_or(class.min_indicator_consensus),
            atr_stop_multiplier: self.atr_stop_multiplier.unwrap_or(class.atr_stop_multiplier),
            base_position_ratio: self.base_position_ratio.unwrap_or(class.base_position_ratio),
            ..*class
        }
    }
}

/// Where resolved parameters come from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ParamsSource {
    /// There is little experience.
    Careful(Experience),
    /// The symbol's own.
    Learned,
    /// The general ones with the margin of its class.
    Class(RiskClass),
}

/// What is known for the resolution.
#[derive(Debug, Clone, Copy)]
#[expect(missing_docs, reason = "the names say it")]
pub struct SymbolInputs<'a> {
    pub closed_trades: u64,
    pub general: &'a SymbolParams,
    pub learned: Option<&'a LearnedParams>,
    pub class: RiskClass,
    pub margin: &'a RiskMargin,
}

/// Returns the parameters of a symbol and where they come from.
///
/// A value that was not learned is the class's. (The legacy left it out, so that its reader fell back to defaults of its
/// own.)
///
/// Source:    section 13 of the legacy specification
pub fn resolve_parameters(inputs: &SymbolInputs<'_>) -> (SymbolParams, ParamsSource) {
    let experience = Experience::of(inputs.closed_trades);
    if let Some(careful) = safe_params(experience, inputs.general) {
        return (careful, ParamsSource::Careful(experience));
    }
    let class = inputs.margin.apply(inputs.general);
    match inputs.learned.filter(|learned| learned.sample_count >= TRADES_LEARNED_MIN) {
        Some(learned) => (learned.over(&class), ParamsSource::Learned),
        None => (class, ParamsSource::Class(inputs.class)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn learned_values_count_from_enough_trades_on() {
        let general = SymbolParams::default();
        let margin = RiskMargin { min_risk_reward_multiplier: 2.0, ..RiskMargin::default() };
        let learned = |sample_count| LearnedParams {
            sample_count,
            min_risk_reward: Some(1.0),
            ..LearnedParams::default()
        };
        let of = |closed_trades, learned: &LearnedParams| {
            let (general, margin) = (&general, &margin);
            resolve_parameters(&SymbolInputs {
                closed_trades,
                general,
                learned: Some(learned),
                class: RiskClass::Low,
                margin,
            })
        };
        let (own, source) = of(60, &learned(5));
        assert_eq!((own.min_risk_reward, source), (1.0, ParamsSource::Learned));
        assert_eq!(own.min_signal_score, 55.0, "what was not learned is the class's");
        assert_eq!(of(60, &learned(4)).1, ParamsSource::Class(RiskClass::Low));
        assert_eq!(of(4, &learned(5)).1, ParamsSource::Careful(Experience::Beginner));
    }
}
