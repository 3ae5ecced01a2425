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

/// Returns the runs [from, to) of the days 0..days that keep their sign in a replicate; the others have the other sign.
///
/// Blocks of days have their sign together: whether a block begins on a day, and its sign, is drawn for (replicate, calendar day) alone.
/// A window that slides by a day keeps its draws but for the block that it left, so a p-value moves from day to day because the data
/// do, not because the draws do.
///
/// Shape: `first` the calendar day of day 0
/// Source: block lengths are geometric, as those of the stationary bootstrap (Politis and Romano 1994)
pub fn calendar_signs(
    first: i32,
    days: usize,
    mean_block: f64,
    seed: u64,
    replicate: u64,
) -> Vec<(u32, u32)> {
    let mut kept: Vec<(u32, u32)> = Vec::new();
    let mut keeps = false;
    for day in 0..days {
        let mut draws = RandomStream::new(mixed(seed, replicate, (i64::from(first) + day as i64) as u64));
        let begins = (draws.next_u64() >> 11) as f64 / (1_u64 << 53) as f64 * mean_block < 1.0;
        if day == 0 || begins {
            keeps = draws.next_u64() >> 63 == 0;
        }
        match kept.last_mut() {
            Some((_, end)) if keeps && *end as usize == day => *end += 1,
            _ if keeps => kept.push((day as u32, day as u32 + 1)),
            _ => {}
        }
    }
    kept
}

/// Returns a seed for a replicate and a calendar day; multipliers are those of SplitMix64.
fn mixed(seed: u64, replicate: u64, day: u64) -> u64 {
    let replicate = replicate.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    seed ^ replicate.rotate_left(17) ^ day.wrapping_add(1).wrapping_mul(0xbf58_476d_1ce4_e5b9)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signs_of(kept: &[(u32, u32)], days: usize) -> Vec<bool> {
        (0..days as u32).map(|day| kept.iter().any(|(from, to)| (*from..*to).contains(&day))).collect()
    }

    #[test]
    fn a_window_that_slides_by_a_day_keeps_its_signs() {
        let (days, mut changed) = (365, 0);
        for replicate in 0..200 {
            let calendar = |first: i32| {
                let kept = calendar_signs(first, days, 5.0, 7, replicate);
                assert!(kept.iter().all(|(from, to)| from < to && *to as usize <= days));
                assert!(kept.windows(2).all(|pair| pair[0].1 < pair[1].0), "runs are apart, in order");
                signs_of(&kept, days)
            };
            let (today, tomorrow) = (calendar(20_000), calendar(20_001));
            changed += today[1..].iter().zip(&tomorrow).filter(|(a, b)| a != b).count();
        }
        // Half of the first blocks, of five days on average.
        assert!((1..200 * 5).contains(&changed), "{changed}");
    }

    #[test]
    fn blocks_are_geometric_and_every_day_keeps_its_sign_half_of_the_time() {
        let (days, replicates) = (100, 4_000);
        let (mut counts, mut breaks) = (vec![0_u32; days], 0);
        for replicate in 0..replicates {
            let signs = signs_of(&calendar_signs(-3, days, 4.0, 11, replicate), days);
            signs.iter().zip(&mut counts).for_each(|(keeps, count)| *count += u32::from(*keeps));
            breaks += signs.windows(2).filter(|pair| pair[0] != pair[1]).count();
        }
        // Half of the blocks begin with the sign of the one before.
        let share = breaks as f64 / (replicates as usize * (days - 1)) as f64;
        assert!((share - 0.25 * 0.5).abs() < 0.005, "{share}");
        let (mean, sd) = (replicates as f64 / 2.0, (replicates as f64 / 4.0).sqrt());
        assert!(counts.iter().all(|count| (f64::from(*count) - mean).abs() < 5.0 * sd), "{counts:?}");
    }

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
