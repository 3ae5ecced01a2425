//! Seeded draws: the same seed draws the same numbers everywhere. The legacy drew without one, so that two runs gave
//! different parameters (D19).

/// A small generator of evenly spread 64-bit numbers; the same seed gives the same numbers everywhere.
///
/// Source:    G. Steele et al., Fast splittable pseudorandom number generators (2014): SplitMix64
#[derive(Debug, Clone)]
pub struct RandomStream(u64);

impl RandomStream {
    /// Returns the generator of a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Returns the next number.
    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Returns a number below a bound, which is positive.
    pub fn below(&mut self, bound: u64) -> u64 {
        assert!(bound > 0, "there is a number below the bound");
        ((u128::from(self.next_u64()) * u128::from(bound)) >> 64) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Figures of the published program, whose seed is 1234567.
    #[test]
    fn the_same_numbers_everywhere() {
        let mut draws = RandomStream::new(1_234_567);
        let drawn: [u64; 5] = std::array::from_fn(|_| draws.next_u64());
        assert_eq!(
            drawn,
            [
                6_457_827_717_110_365_317,
                3_203_168_211_198_807_973,
                9_817_491_932_198_370_423,
                4_593_380_528_125_082_431,
                16_408_922_859_458_223_821
            ]
        );
    }

    #[test]
    fn draws_are_even() {
        let mut draws = RandomStream::new(3);
        let low = (0..10_000).filter(|_| draws.below(10) < 3).count();
        assert!((2_800..3_200).contains(&low), "{low}");
    }
}
