//! In which surroundings captured trades earn: profits grouped by a label, and the three groupings of the legacy.

use retune::features::rounding::round_decimals;
use retune::legacy::rules::metrics::LegacyOpportunity;
use retune::model::Direction;

/// The trades of one surrounding.
///
/// Units:     profit in percent, rate in [0, 1]; nothing is rounded
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ContextGroup {
    pub label: String,
    pub count: u64,
    pub avg_profit: f64,
    pub win_rate: f64,
}

impl ContextGroup {
    /// Returns the mean profit with one decimal, by which the legacy compares groups.
    pub(crate) fn avg_profit_shown(&self) -> f64 {
        round_decimals(self.avg_profit, 1)
    }
}

/// Groups profits by label, in the order in which labels first occur.
///
/// Units:     profits in percent
/// Cost:      O(profits x labels)
pub(crate) fn group_by_label<'a>(profits: impl IntoIterator<Item = (&'a str, f64)>) -> Vec<ContextGroup> {
    let mut groups: Vec<(&str, u64, f64, u64)> = Vec::new();
    for (label, profit) in profits {
        let won = u64::from(profit > 0.0);
        match groups.iter_mut().find(|(known, ..)| *known == label) {
            Some((_, count, sum, wins)) => (*count, *sum, *wins) = (*count + 1, *sum + profit, *wins + won),
            None => groups.push((label, 1, profit, won)),
        }
    }
    let group = |(label, count, sum, wins): (&str, u64, f64, u64)| ContextGroup {
        label: label.to_owned(),
        count,
        avg_profit: sum / count as f64,
        win_rate: wins as f64 / count as f64,
    };
    groups.into_iter().map(group).collect()
}

/// Returns the group that earns most, judged with one decimal; the first of equals.
pub(crate) fn best(groups: &[ContextGroup]) -> Option<&ContextGroup> {
    groups.iter().reduce(
        |best, group| {
            if group.avg_profit_shown() > best.avg_profit_shown() { group } else { best }
        },
    )
}

/// What the share of bullish candles is measured against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum BullishRatio {
    /// The share as it is, also for shorts: those with few bullish candles fall out (D21).
    #[default]
    AsRead,
    /// The share of candles in the direction of the trade.
    InDirection,
}

/// The three groupings of captured opportunities.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct ContextAnalysis {
    /// By the share of bullish candles before the entry; below 0.6 is left out.
    pub kline_context: Vec<ContextGroup>,
    /// By swing structure, in the order of first occurrence.
    pub market_structure: Vec<ContextGroup>,
    /// By how often the level behind the trade was tested before; untested ones are left out.
    pub sr_history: Vec<ContextGroup>,
}

/// Labels of the shares of bullish candles.
const RATIO_LABELS: [&str; 3] = ["0.6-0.7", "0.7-0.8", "0.8-1.0"];
/// Labels of the numbers of tests.
const TEST_LABELS: [&str; 3] = ["1-2次", "3-5次", "5次+"];

/// Groups captured opportunities by their surroundings.
///
/// Cost:      O(captured)
/// Source:    section 4 of the legacy specification
pub(crate) fn context_analysis(captured: &[LegacyOpportunity], ratio: BullishRatio) -> ContextAnalysis {
    let labelled = |label: fn(&LegacyOpportunity, BullishRatio) -> Option<&'static str>| {
        group_by_label(captured.iter().filter_map(|o| Some((label(o, ratio)?, o.profit_pct()))))
    };
    ContextAnalysis {
        kline_context: in_order(labelled(ratio_label), &RATIO_LABELS),
        market_structure: labelled(|o, _| Some(o.mkt_struct_swing.map_or("unknown", |swing| swing.label()))),
        sr_history: in_order(labelled(|o, _| test_label(o)), &TEST_LABELS),
    }
}

fn ratio_label(opportunity: &LegacyOpportunity, ratio: BullishRatio) -> Option<&'static str> {
    let bullish = opportunity.kline_ctx_bullish_ratio.unwrap_or(0.0);
    let share = match (ratio, opportunity.direction) {
        (BullishRatio::InDirection, Direction::Short) => 1.0 - bullish,
        _ => bullish,
    };
    match share {
        share if (0.6..0.7).contains(&share) => Some(RATIO_LABELS[0]),
        share if (0.7..0.8).contains(&share) => Some(RATIO_LABELS[1]),
        share if (0.8..=1.0).contains(&share) => Some(RATIO_LABELS[2]),
        _ => None,
    }
}

fn test_label(opportunity: &LegacyOpportunity) -> Option<&'static str> {
    let tests = match opportunity.direction {
        Direction::Long => opportunity.support_hist_test_cnt,
        Direction::Short => opportunity.resist_hist_test_cnt,
    };
    match tests.unwrap_or(0.0) {
        tests if tests > 5.0 => Some(TEST_LABELS[2]),
        tests if tests >= 3.0 => Some(TEST_LABELS[1]),
        tests if tests >= 1.0 => Some(TEST_LABELS[0]),
        _ => None,
    }
}

fn in_order(mut groups: Vec<ContextGroup>, labels: &[&str]) -> Vec<ContextGroup> {
    groups.sort_by_key(|group| labels.iter().position(|label| *label == group.label));
    groups
}

impl ContextAnalysis {
    /// Returns the legacy sentence about the best group of each grouping, `None` where it is empty.
    pub(crate) fn conclusions(&self) -> [Option<String>; 3] {
        let sentence = |groups: &[ContextGroup], text: fn(&str) -> String| {
            let best = best(groups)?;
            Some(format!("{}效果最好（平均利润{:.1}%）", text(&best.label), best.avg_profit_shown()))
        };
        [
            sentence(&self.kline_context, |label| format!("阳线比例{label}时")),
            sentence(&self.market_structure, |label| format!("{label}结构")),
            sentence(&self.sr_history, |label| format!("S/R测试{label}时")),
        ]
    }

    /// Returns the conclusions as the legacy insights.
    pub(crate) fn key_insights(&self) -> Vec<String> {
        self.conclusions().into_iter().flatten().map(|conclusion| format!("💡 {conclusion}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_equals_is_best_after_rounding() {
        let groups = group_by_label([("a", 1.04), ("b", 0.96), ("a", 1.0), ("c", -3.0)]);
        assert_eq!(groups.len(), 3);
        assert_eq!((groups[0].count, groups[0].win_rate, groups[2].win_rate), (2, 1.0, 0.0));
        assert_eq!(best(&groups).map(|group| group.label.as_str()), Some("a"), "1.02 and 0.96 both show 1.0");
        assert_eq!(best(&[]), None);
    }
}
