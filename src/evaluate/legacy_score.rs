//! The legacy system's score, as one scoring rule among others for those who must stay comparable; it is no good guide.
//!
//! Its drawdown is in percentage points, but is judged as if it were a fraction, so nearly every profitable set scores 0,
//! below losing sets, which score up to 0.05 (defects D07, D08). Invariant: nothing here is NaN for finite inputs.

/// What the legacy score is made of.
///
/// Units:     rates in [0, 1], expectancy in percent, drawdown in percentage points of summed profit
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(missing_docs, reason = "the names are those of the metrics")]
pub struct LegacyInputs {
    pub captured_count: u64,
    pub capture_rate: f64,
    pub win_rate: f64,
    pub profit_loss_ratio: f64,
    pub expectancy: f64,
    pub max_drawdown: f64,
}

/// Returns the legacy score, larger is better.
///
/// Units:     0 if nothing was captured, 0.01 to 0.05 for a loss, else 0 to 1.35
/// Cost:      O(1)
/// Source:    legacy score, section 3 of the legacy specification, with its defects D07 and D08
pub fn legacy_score(inputs: &LegacyInputs) -> f64 {
    if inputs.captured_count == 0 {
        return 0.0;
    }
    if inputs.expectancy <= 0.0 {
        return (0.01 + (inputs.expectancy + 5.0) / 5.0 * 0.04).max(0.01);
    }
    let ratio_points = match inputs.profit_loss_ratio {
        ratio if ratio < 1.5 => -20.0 * (1.5 - ratio),
        ratio if ratio >= 2.0 => (10.0 * (ratio - 2.0)).min(20.0),
        _ => 0.0,
    };
    let win_points = match inputs.win_rate {
        rate if rate < 0.30 => -50.0 * (0.30 - rate),
        rate if rate >= 0.60 && inputs.profit_loss_ratio < 1.5 => -10.0,
        _ => 0.0,
    };
    let drawdown_points = -100.0 * (inputs.max_drawdown - 0.20).max(0.0);
    let points = (20.0 * inputs.expectancy).min(100.0)
        + ratio_points
        + win_points
        + drawdown_points
        + 15.0 * inputs.capture_rate;
    (points / 100.0).max(0.0)
}
