//! Returns as exact integers, so that sums do not depend on order or thread count.

use std::fmt;

/// A return in parts per million of the entry price (1 % = 10 000 ppm).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct ReturnPpm(pub i32);

impl ReturnPpm {
    /// The largest magnitude a return is held at: +/- 100 000 %.
    ///
    /// A larger one is not a trade but a broken price; holding it there keeps every sum of squares of a
    /// million trades inside 128 bits and every plain sum inside 64.
    pub const LIMIT: i32 = 1_000_000_000;

    /// Returns a fraction of the entry price as ppm, rounded half to even, held at `LIMIT`.
    ///
    /// Units: fraction (0.01 = 1 %); must be finite.
    #[inline]
    pub fn from_fraction(fraction: f64) -> Self {
        assert!(fraction.is_finite(), "a return is a finite number");
        let limit = f64::from(Self::LIMIT);
        // Beside this number neighbouring doubles are one apart, so the addition itself rounds, half to even, and the whole
        // number stands in the lowest bits of the sum; the library's function is a call on processors without an instruction
        // for it.
        const WHOLE: f64 = 6_755_399_441_055_744.0;
        let ppm = (fraction * 1e6).clamp(-limit, limit);
        Self((ppm + WHOLE).to_bits() as i32)
    }

    /// Everything that was put into a trade: the least it comes to.
    pub const TOTAL_LOSS: Self = Self(-1_000_000);

    /// Returns what a trade came to: a fraction of the entry price as ppm; see [`Self::from_fraction`].
    ///
    /// A short whose price doubles is liquidated: without leverage no position loses more than its notional.
    #[inline]
    pub fn of_trade(fraction: f64) -> Self {
        Self::from_fraction(fraction).max(Self::TOTAL_LOSS)
    }

    /// Returns the sum of a day as tests against luck hold it, which more than 214,748 % of the entry price do not change.
    pub fn of_day(sum_ppm: i64) -> i32 {
        sum_ppm.clamp(-i64::from(i32::MAX), i64::from(i32::MAX)) as i32
    }

    /// Returns the value in percent of the entry price.
    pub fn percent(self) -> f64 {
        f64::from(self.0) / 10_000.0
    }
}

impl fmt::Display for ReturnPpm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:+.4} %", self.percent())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_half_to_even_once() {
        assert_eq!(ReturnPpm::from_fraction(0.000_000_5).0, 0);
        assert_eq!(ReturnPpm::from_fraction(0.000_001_5).0, 2);
        assert_eq!(ReturnPpm::from_fraction(-0.01).0, -10_000);
        assert_eq!(ReturnPpm::from_fraction(1e9).0, ReturnPpm::LIMIT);
    }

    #[test]
    fn no_trade_loses_more_than_its_notional_and_no_day_more_than_is_held() {
        assert_eq!(
            [-0.999, -1.0, -9.0, -1e12].map(|lost| ReturnPpm::of_trade(lost).0),
            [-999_000, -1_000_000, -1_000_000, -1_000_000]
        );
        assert_eq!(ReturnPpm::of_trade(2.5).0, 2_500_000);
        assert_eq!([5, i64::MAX, i64::MIN].map(ReturnPpm::of_day), [5, i32::MAX, -i32::MAX]);
    }

    proptest::proptest! {
        #[test]
        fn it_rounds_as_the_library_does(fraction in -2000.0_f64..2000.0, halves in -4_000_000_i32..4_000_000) {
            for fraction in [fraction, f64::from(halves) * 0.5e-6] {
                let limit = f64::from(ReturnPpm::LIMIT);
                let wanted = (fraction * 1e6).round_ties_even().clamp(-limit, limit) as i32;
                proptest::prop_assert_eq!(ReturnPpm::from_fraction(fraction).0, wanted);
            }
        }
    }
}
