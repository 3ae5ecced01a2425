//! The default axes of a style: those of the legacy system on 15m candles, and what they are on other base intervals.
//!
//! Most axes are in ATR, candles or points and mean the same on every interval. Three are not: holding times, ages in hours
//! and price changes in percent. They are stated here for every base, so that a filter lets pass about as much of it.

use super::dimension::{Bound, Dimension, ThresholdLevel, number_levels};
use super::exit_axes::ExitAxes;
use crate::features::market_structure::age_in_hours;
use crate::model::{FilterValue, Interval, Style};

/// The default axes of a style.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Defaults {
    pub exits: ExitAxes,
    pub dimensions: Vec<Dimension>,
}

/// What depends on the length of a candle.
struct Lengths {
    minutes: u32,
    /// Longest holding times in hours: scalping, swing. 15 to 50 and 120 to 360 candles up to 1h, fewer on longer candles: a
    /// label must end some time, and no more than a month lies between choosing and judging.
    hold_hours: [[f64; 3]; 2],
    /// Price change over the ten candles of the context, in percent: 0.5, 1 and 1.5 on 15m, and with the square root of
    /// the length of a candle elsewhere, as prices wander.
    price_chg_pct: [f64; 3],
}

const fn lengths(minutes: u32, scalping: [f64; 3], swing: [f64; 3], price_chg_pct: [f64; 3]) -> Lengths {
    Lengths { minutes, hold_hours: [scalping, swing], price_chg_pct }
}

static LENGTHS: [Lengths; 12] = [
    lengths(1, [0.25, 0.5, 0.75], [2.0, 4.0, 6.0], [0.13, 0.26, 0.39]),
    lengths(3, [0.75, 1.5, 2.25], [6.0, 12.0, 18.0], [0.22, 0.44, 0.66]),
    lengths(5, [1.5, 3.0, 4.5], [10.0, 20.0, 30.0], [0.3, 0.6, 0.9]),
    lengths(15, [4.0, 8.0, 12.0], [30.0, 60.0, 90.0], [0.5, 1.0, 1.5]),
    lengths(30, [8.0, 16.0, 24.0], [60.0, 120.0, 180.0], [0.7, 1.4, 2.1]),
    lengths(60, [16.0, 32.0, 48.0], [120.0, 240.0, 360.0], [1.0, 2.0, 3.0]),
    lengths(120, [24.0, 48.0, 72.0], [144.0, 288.0, 432.0], [1.4, 2.8, 4.2]),
    lengths(240, [48.0, 96.0, 144.0], [192.0, 384.0, 576.0], [2.0, 4.0, 6.0]),
    lengths(360, [60.0, 120.0, 180.0], [240.0, 480.0, 720.0], [2.5, 5.0, 7.5]),
    lengths(480, [72.0, 144.0, 216.0], [240.0, 480.0, 720.0], [2.8, 5.6, 8.4]),
    lengths(720, [96.0, 192.0, 288.0], [240.0, 480.0, 720.0], [3.5, 7.0, 10.5]),
    lengths(1_440, [120.0, 240.0, 360.0], [240.0, 480.0, 720.0], [5.0, 10.0, 15.0]),
];

/// What a style has on every base: the points of three axes.
struct StyleLevels {
    take_profit_atr: [f64; 3],
    risk_reward: [f64; 3],
    /// Candles since the last swing.
    age_bars: [u32; 2],
}

/// The levels of every style.
const LEVELS: [StyleLevels; Style::COUNT] = [
    StyleLevels { take_profit_atr: [1.0, 2.0, 3.0], risk_reward: [0.5, 1.0, 1.5], age_bars: [2, 4] },
    StyleLevels { take_profit_atr: [1.5, 3.0, 4.5], risk_reward: [0.6, 1.2, 1.8], age_bars: [4, 8] },
];

impl Defaults {
    /// Returns the default axes of a style on a base interval; `None` where it can be no base of a run.
    ///
    /// Source: legacy section 2; the three points of each exit axis are the centre and half as much again on both
    /// sides, inside the bounds, rounded half to even
    pub fn of(style: Style, base: Interval) -> Option<Self> {
        let lengths = LENGTHS.iter().find(|lengths| Interval::from_minutes(lengths.minutes) == base)?;
        let StyleLevels { take_profit_atr, risk_reward, age_bars } = &LEVELS[style.index()];
        let exits = ExitAxes::new(take_profit_atr, &[0.8, 1.5, 2.2], &lengths.hold_hours[style.index()]);
        let age_hours = age_bars.map(|bars| age_in_hours(bars as usize, base));
        let at_least = |key, column, values: &[f64]| (key, column, Bound::AtLeast, number_levels(values));
        let named =
            |threshold, name: &str| ThresholdLevel { threshold, shown: FilterValue::Name(name.to_owned()) };
        let structures = vec![named(0.0, "all"), named(1.0, "trend_only")];
        let dimensions = [
            at_least("min_risk_reward", "risk_reward", risk_reward),
            at_least("min_signal_score", "signal_score", &[40.0, 50.0, 60.0]),
            at_least("min_consensus_score", "consensus_score", &[0.0, 10.0, 20.0, 30.0]),
            at_least("min_consensus", "consensus", &[0.0, 1.0, 2.0]),
            at_least("min_kline_bullish_ratio", "kline_bullish_ratio_sided", &[0.6, 0.7]),
            at_least("min_price_chg_pct", "kline_price_chg_abs_pct", &lengths.price_chg_pct),
            ("allowed_mkt_struct", "mkt_struct_is_trend", Bound::AtLeast, structures),
            at_least("min_trend_age_hours", "mkt_struct_age_hours", &age_hours),
            ("max_sr_test_count", "sr_test_count_sided", Bound::AtMost, number_levels(&[5.0, 999.0])),
        ]
        .into_iter()
        .map(|(key, column, bound, levels)| {
            Dimension::new(key, column, bound, levels).expect("the default dimensions are sound")
        });
        Some(Self { exits, dimensions: dimensions.collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Timeframes;
    use crate::search::space::SearchSpace;

    #[test]
    fn every_base_has_a_grid_of_the_same_size_in_whole_candles() {
        for (base, style) in Timeframes::all().flat_map(|of| Style::ALL.map(|style| (of.base, style))) {
            let Defaults { exits, dimensions } = Defaults::of(style, base).expect("a base");
            let space = SearchSpace::new(style, &exits, dimensions).expect("sound");
            assert_eq!(space.sets(), 139_968, "{style} on {base}");
            for rule in space.rules() {
                assert!(base.is_whole_in_hours(rule.hold_hours), "{style} on {base}: {}", rule.hold_hours);
                let bars = base.bars_in_hours(rule.hold_hours);
                assert!((5..=360).contains(&bars) && rule.hold_hours <= 720.0, "{style} on {base}: {bars}");
            }
        }
        assert_eq!(Defaults::of(Style::Swing, Interval::from_minutes(10)), None);
    }

    #[test]
    fn ages_are_told_apart_by_candles_on_every_base() {
        for (base, bars) in Timeframes::all().flat_map(|of| [2, 4, 8].map(|bars| (of.base, bars))) {
            let level = age_in_hours(bars, base);
            assert!(age_in_hours(bars - 1, base) < level, "{base}: {bars} candles are {level} h");
        }
    }
}
