//! Decimal rounding as the legacy system's documents and columns show it.
//!
//! Several legacy features exist only in rounded form and are compared with thresholds afterwards, so a value
//! rounded the other way at a tie is a different signal. Invariant: the result is the double nearest to the
//! rounded decimal, as if printed and read back. Not here: rounding of money or returns (see `model`).

/// From here on doubles have no fraction left after scaling.
const WHOLE: f64 = 4_503_599_627_370_496.0;

/// Returns a value rounded to so many decimals, half to even, judged on its exact binary value.
///
/// Shape:     decimals 0..=15
/// Units:     those of the value; never a negative zero
/// Cost:      O(1), no allocation
/// Source:    the behaviour of Python's `round(x, n)`; a value of 2^52 / 10^n or more, and one that is not
///            finite, is returned as it is
pub fn round_decimals(value: f64, decimals: u32) -> f64 {
    assert!(decimals <= 15, "a double holds at most 15 decimals");
    let scale = 10f64.powi(decimals as i32);
    let scaled = value * scale;
    if scaled.is_nan() || scaled.abs() >= WHOLE {
        return value;
    }
    let floor = scaled.floor();
    let fraction = scaled - floor;
    let up = if fraction == 0.5 {
        // The product may have been rounded onto the tie: its exact error tells on which side it was.
        let error = value.mul_add(scale, -scaled);
        if error == 0.0 { floor % 2.0 != 0.0 } else { error > 0.0 }
    } else {
        fraction > 0.5
    };
    (floor + f64::from(u8::from(up))) / scale
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ties_are_judged_on_the_binary_value() {
        // 1.005 and 2.675 lie just below their tie, 0.125 and 2.25 exactly on it.
        for (value, decimals, want) in [
            (1.005, 2, 1.0),
            (2.675, 2, 2.67),
            (0.125, 2, 0.12),
            (0.375, 2, 0.38),
            (2.25, 1, 2.2),
            (0.75, 1, 0.8),
            (-0.125, 2, -0.12),
            (2.5, 0, 2.0),
            (1e300, 2, 1e300),
        ] {
            assert_eq!(round_decimals(value, decimals), want, "{value} to {decimals} decimals");
        }
        assert!(round_decimals(-0.001, 2).is_sign_positive());
        assert!(round_decimals(f64::NAN, 2).is_nan());
    }

    proptest! {
        #[test]
        fn agrees_with_exact_decimal_text(value in -1e6f64..1e6, decimals in 0u32..6) {
            let text: f64 = format!("{value:.*}", decimals as usize).parse().unwrap();
            prop_assert_eq!(round_decimals(value, decimals), text);
        }

        #[test]
        fn agrees_with_exact_decimal_text_near_ties(thousandths in -2_000_000i32..2_000_000) {
            let value = f64::from(thousandths) / 1000.0;
            let text: f64 = format!("{value:.2}").parse().unwrap();
            prop_assert_eq!(round_decimals(value, 2), text);
        }
    }
}
