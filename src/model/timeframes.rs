//! The intervals a run can be made of: its base, and the two higher timeframes on which it sees trends as well.

use super::time::Interval;

/// A base interval with the two higher timeframes that belong to it.
///
/// Invariant: both are multiples of the base, so that their candles are made of whole base candles
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timeframes {
    /// What signals, entries and exits are computed on.
    pub base: Interval,
    /// About four base intervals.
    pub middle: Interval,
    /// About sixteen base intervals.
    pub high: Interval,
}

/// Minutes of base, middle and high timeframe: 4 and 16 base intervals, or the nearest candle that exchanges offer where
/// they offer none of that length. 8h has three days, not the nearer week: 50 candles come before the first signal.
const MINUTES: [[u32; 3]; 12] = [
    [1, 5, 15],
    [3, 15, 60],
    [5, 15, 60],
    [15, 60, 240],
    [30, 120, 480],
    [60, 240, 720],
    [120, 480, 1_440],
    [240, 720, 4_320],
    [360, 1_440, 4_320],
    [480, 1_440, 4_320],
    [720, 4_320, 10_080],
    [1_440, 4_320, 10_080],
];

impl Timeframes {
    /// Returns the timeframes of every interval that can be the base of a run, the finest first.
    pub fn all() -> impl Iterator<Item = Self> {
        MINUTES.iter().map(|minutes| {
            let [base, middle, high] = minutes.map(Interval::from_minutes);
            Self { base, middle, high }
        })
    }

    /// Returns the timeframes of a base interval; `None` where it can be no base of a run.
    pub fn of(base: Interval) -> Option<Self> {
        Self::all().find(|timeframes| timeframes.base == base)
    }

    /// Returns the timeframes of candles of any interval: those of [`Timeframes::of`], else 4 and 16 intervals.
    pub fn over(base: Interval) -> Self {
        Self::of(base).unwrap_or(Self { base, middle: base.times(4), high: base.times(16) })
    }

    /// Returns the intervals that can be the base of a run, as a text: `1m, 3m, ... or 1d`.
    pub fn bases() -> String {
        let names: Vec<String> = Self::all().map(|timeframes| timeframes.base.to_string()).collect();
        let (last, others) = names.split_last().expect("there are some");
        format!("{} or {last}", others.join(", "))
    }

    /// Returns the finest base that candles of an interval can be put together to: the interval itself where it can be one.
    pub fn base_for(candles: Interval) -> Option<Interval> {
        let mut bases = Self::all().map(|timeframes| timeframes.base);
        bases.find(|base| base.divided_by(candles).is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interval(text: &str) -> Interval {
        text.parse().expect("an interval")
    }

    #[test]
    fn higher_timeframes_are_made_of_whole_base_candles_and_ascend() {
        for Timeframes { base, middle, high } in Timeframes::all() {
            assert!(base < middle && middle < high, "{base}");
            assert!(middle.divided_by(base).is_some() && high.divided_by(base).is_some(), "{base}");
            assert!(interval("1d").divided_by(base).is_some(), "{base}: a day is whole candles");
        }
        assert_eq!(
            Timeframes::over(Interval::M15),
            Timeframes { base: Interval::M15, middle: interval("1h"), high: interval("4h") }
        );
        assert_eq!(Timeframes::over(interval("10m")).high, interval("160m"));
    }

    #[test]
    fn what_can_be_no_base_is_none() {
        for text in ["2m", "10m", "45m", "90m", "3h", "2d", "3d", "1w"] {
            assert_eq!(Timeframes::of(interval(text)), None, "{text}");
        }
        assert_eq!(Timeframes::bases(), "1m, 3m, 5m, 15m, 30m, 1h, 2h, 4h, 6h, 8h, 12h or 1d");
    }

    #[test]
    fn candles_name_the_base_they_can_serve() {
        let base = |text| Timeframes::base_for(interval(text)).map(|base| base.to_string());
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(
            ["1h", "10m", "4m", "3h", "7m", "1w"].map(base),
            [some("1h"), some("30m"), some("1h"), some("6h"), None, None]
        );
    }
}
