//! Resampling of days: the stationary bootstrap (Politis and Romano 1994), with random numbers of its own so that
//! every machine and every number of threads draws the same.

use crate::search::random::RandomStream;

/// xoshiro256++ (Blackman and Vigna 2019), seeded with SplitMix64, as its authors advise.
#[derive(Debug, Clone)]
pub struct Random([u64; 4]);

impl Random {
    /// Returns the generator of a seed.
    pub fn new(seed: u64) -> Self {
        let mut draws = RandomStream::new(seed);
        Self(std::array::from_fn(|_| draws.next_u64()))
    }

    /// Returns 64 random bits.
    pub fn bits(&mut self) -> u64 {
        let s = &mut self.0;
        let result = s[0].wrapping_add(s[3]).rotate_left(23).wrapping_add(s[0]);
        let t = s[1] << 17;
        s[2] ^= s[0];
        s[3] ^= s[1];
        s[1] ^= s[2];
        s[0] ^= s[3];
        s[2] ^= t;
        s[3] = s[3].rotate_left(45);
        result
    }

    /// Returns a number below n.
    pub fn below(&mut self, n: usize) -> usize {
        ((u128::from(self.bits()) * n as u128) >> 64) as usize
    }

    /// Returns a number in [0, 1).
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// Replicate r of the days 0..days, as runs [from, to) that follow each other; no run wraps around the end.
///
/// Replicate b uses the seed `master + b`; a new block begins with probability 1 / mean block length.
pub fn stationary_runs(days: usize, mean_block: f64, seed: u64) -> Vec<(u32, u32)> {
    let mut random = Random::new(seed);
    let mut runs: Vec<(u32, u32)> = Vec::new();
    let mut day = random.below(days);
    for drawn in 0..days {
        if drawn > 0 {
            day = if random.unit() < 1.0 / mean_block { random.below(days) } else { (day + 1) % days };
        }
        match runs.last_mut() {
            Some((_, end)) if *end as usize == day && day > 0 => *end += 1,
            _ => runs.push((day as u32, day as u32 + 1)),
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Figures of the fixture f07.
    #[test]
    fn the_same_days_everywhere() {
        let mut random = Random([1, 2, 3, 4]);
        assert_eq!(
            [random.bits(), random.bits(), random.bits()],
            [41_943_041, 58_720_359, 3_588_806_011_781_223]
        );
        let mut seeded = Random::new(0);
        assert_eq!(seeded.bits(), 5_987_356_902_031_041_503);
        assert_eq!(
            Random::new(42).0,
            [
                13_679_457_532_755_275_413,
                2_949_826_092_126_892_291,
                5_139_283_748_462_763_858,
                6_349_198_060_258_255_764
            ]
        );
        let days: Vec<u32> = stationary_runs(20, 5.0, 42).into_iter().flat_map(|(a, b)| a..b).collect();
        assert_eq!(days[..19], [16, 17, 18, 19, 0, 1, 12, 13, 14, 15, 16, 17, 8, 9, 10, 11, 12, 17, 18]);
        assert_eq!(days.len(), 20);
    }
}
