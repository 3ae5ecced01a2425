//! Prices and volumes from bytes.

/// Powers of ten a `f64` holds exactly.
const POWERS_OF_TEN: [f64; 20] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
    1e19,
];
/// Above this a `f64` does not hold every integer.
const EXACT_MAX: u64 = 1 << 53;

/// Returns the number in a cell, rounded exactly as `str::parse` does; NaN and infinity if that is what it says.
///
/// Plain decimals of up to 19 characters take a short way: both the digits and the power of ten are exact, so
/// that one division rounds once.
pub(super) fn parse_number(cell: &[u8]) -> Option<f64> {
    if cell.len() > 19 {
        return parse_any(cell);
    }
    let (mut mantissa, mut digits, mut fraction, mut dotted) = (0_u64, 0_usize, 0_usize, false);
    for byte in cell {
        let digit = byte.wrapping_sub(b'0');
        if digit < 10 {
            mantissa = mantissa * 10 + u64::from(digit);
            digits += 1;
            fraction += usize::from(dotted);
        } else if *byte == b'.' && !dotted {
            dotted = true;
        } else {
            return parse_any(cell);
        }
    }
    if digits == 0 || mantissa > EXACT_MAX {
        return parse_any(cell);
    }
    Some(mantissa as f64 / POWERS_OF_TEN[fraction])
}

/// Returns an integer with so many of its digits behind the point, rounded once, as its text would be.
#[cfg(feature = "columnar")]
pub(super) fn of_decimal(digits: i128, scale: i8) -> f64 {
    let power = usize::try_from(scale).ok().and_then(|scale| POWERS_OF_TEN.get(scale));
    match power.filter(|_| digits.unsigned_abs() <= u128::from(EXACT_MAX)) {
        Some(power) => digits as f64 / power,
        None => format!("{digits}e{}", -i32::from(scale)).parse().unwrap_or(f64::NAN),
    }
}

/// How programs write that there is nothing.
const NOTHING: [&str; 9] = ["", "nan", "na", "n/a", "null", "none", "-", "--", "<na>"];

/// Returns whether a cell says that it holds nothing.
pub(super) fn is_nothing(cell: &[u8]) -> bool {
    cell.len() <= 4 && NOTHING.iter().any(|word| cell.eq_ignore_ascii_case(word.as_bytes()))
}

/// Returns what a cell says of yes or no; `None` for anything else.
pub(super) fn parse_flag(cell: &[u8]) -> Option<bool> {
    let is = |words: &[&str]| words.iter().any(|word| cell.eq_ignore_ascii_case(word.as_bytes()));
    if is(&["1", "true", "t", "yes", "y", "1.0"]) {
        Some(true)
    } else if is(&["0", "false", "f", "no", "n", "0.0"]) {
        Some(false)
    } else {
        None
    }
}

fn parse_any(cell: &[u8]) -> Option<f64> {
    std::str::from_utf8(cell).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_as_exchanges_write_them() {
        let cases: [(&[u8], f64); 7] = [
            (b"3703.59000000", 3703.59),
            (b"0.00002853", 0.000_028_53),
            (b"9.417e-05", 9.417e-5),
            (b"1E+1", 10.0),
            (b"1921.2419999999997", 1_921.241_999_999_999_7),
            (b".5", 0.5),
            (b"5.", 5.0),
        ];
        for (text, number) in cases {
            assert_eq!(parse_number(text), Some(number), "{}", String::from_utf8_lossy(text));
        }
        for text in ["", ".", "NULL", "1.2.3", "1,5", "0x10", "1 2", "--1"] {
            assert_eq!(parse_number(text.as_bytes()), None, "{text:?} is no number");
        }
    }

    proptest! {
        #[test]
        #[cfg(feature = "columnar")]
        fn decimals_are_read_as_their_text(digits in any::<i128>(), shift in 0_u32..127, scale in -30_i8..60) {
            let digits = digits >> shift;
            let text = format!("{digits}e{}", -i32::from(scale));
            prop_assert_eq!(Some(of_decimal(digits, scale)), text.parse::<f64>().ok());
        }

        #[test]
        fn the_short_way_rounds_as_the_standard_library(text in "[0-9]{0,12}\\.?[0-9]{0,12}") {
            prop_assert_eq!(parse_number(text.as_bytes()), text.parse::<f64>().ok());
        }
    }
}
