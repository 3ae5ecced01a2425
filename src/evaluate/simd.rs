//! Inner loops on the widest vectors a processor has: one program for all, and the one place that asks.
//!
//! AVX2 or what every processor has. AVX-512 made the sweep slower (`cargo bench --bench tallies`, statistics 5.4 against 3.1 ms).

/// Runs a computation, compiled for the processor at hand.
///
/// Results are the same everywhere: no step is fused with another, and lanes never mix. The work must be inlined
/// (`#[inline(always)]`, also what it calls) for the compiler to see it.
#[inline]
pub fn run_widest<R>(work: impl FnOnce() -> R) -> R {
    #[cfg(target_arch = "x86_64")]
    {
        #[expect(unsafe_code, reason = "the processor was just asked; the function itself is safe code")]
        // SAFETY: the processor has the feature that the function is compiled for.
        if std::arch::is_x86_feature_detected!("avx2") {
            return unsafe { with_avx2(work) };
        }
    }
    work()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn with_avx2<R>(work: impl FnOnce() -> R) -> R {
    work()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_widest_vectors_give_what_plain_code_gives() {
        let values: Vec<i32> = (0..1000_i32).map(|i| i.wrapping_mul(2_654_435)).collect();
        let work =
            || values.iter().fold(0_i64, |sum, v| sum.wrapping_mul(3).wrapping_add(i64::from(*v).pow(2)));
        assert_eq!(run_widest(work), work());
        let floats = || values.iter().fold(0.0, |sum, v| sum / 3.0 + f64::from(*v) * f64::from(*v));
        assert_eq!(run_widest(floats).to_bits(), floats().to_bits());
    }
}
