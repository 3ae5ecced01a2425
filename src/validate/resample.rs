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

/// Returns a stationary bootstrap of the days 0..days whose draws belong to calendar days, as runs [from, to).
///
/// Whether a block begins on a day, and where it then jumps to, is drawn for (replicate, calendar day) alone; a jump goes to the day
/// of the window that is congruent to the draw, so that a window which slides by a day keeps its draws but for those that touched
/// the day it left. A p-value then moves from day to day because the data do, not because the draws do.
///
/// Shape: `first` the calendar day of day 0; no run wraps around the end
/// Source: Politis and Romano (1994); block lengths are geometric, starts uniform
pub fn calendar_runs(first: i32, days: usize, mean_block: f64, seed: u64, replicate: u64) -> Vec<(u32, u32)> {
    let mut runs: Vec<(u32, u32)> = Vec::new();
    let first = i64::from(first);
    let mut day = 0;
    for at in 0..days {
        let mut draws = RandomStream::new(mixed(seed, replicate, (first + at as i64) as u64));
        let begins = (draws.next_u64() >> 11) as f64 / (1_u64 << 53) as f64 * mean_block < 1.0;
        day = if at == 0 || begins {
            let drawn = ((u128::from(draws.next_u64()) * days as u128) >> 64) as i64;
            (drawn - first).rem_euclid(days as i64) as usize
        } else {
            (day + 1) % days
        };
        match runs.last_mut() {
            Some((_, end)) if *end as usize == day && day > 0 => *end += 1,
            _ => runs.push((day as u32, day as u32 + 1)),
        }
    }
    runs
}

/// Returns a seed for a replicate and a calendar day; multipliers are those of SplitMix64.
fn mixed(seed: u64, replicate: u64, day: u64) -> u64 {
    let replicate = replicate.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    seed ^ replicate.rotate_left(17) ^ day.wrapping_add(1).wrapping_mul(0xbf58_476d_1ce4_e5b9)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days_of(runs: &[(u32, u32)]) -> Vec<u32> {
        runs.iter().flat_map(|(from, to)| *from..*to).collect()
    }

    #[test]
    fn a_window_that_slides_by_a_day_keeps_its_draws() {
        let (days, mut changed) = (365, 0);
        for replicate in 0..200 {
            let calendar = |first: i32| -> Vec<i32> {
                let runs = calendar_runs(first, days, 5.0, 7, replicate);
                assert!(runs.iter().all(|(from, to)| from < to && *to as usize <= days));
                days_of(&runs).iter().map(|day| first + *day as i32).collect()
            };
            let (today, tomorrow) = (calendar(20_000), calendar(20_001));
            assert_eq!((today.len(), tomorrow.len()), (days, days));
            changed += today[1..].iter().zip(&tomorrow).filter(|(a, b)| a != b).count();
        }
        // A block from the first day on, one that touched the day left, and one that wraps: a few days of 365.
        assert!(changed < 200 * 20, "{changed}");
    }

    #[test]
    fn blocks_are_geometric_and_every_day_is_drawn_alike() {
        let (days, replicates) = (100, 4_000);
        let (mut counts, mut breaks) = (vec![0_u32; days], 0);
        for replicate in 0..replicates {
            let drawn = days_of(&calendar_runs(-3, days, 4.0, 11, replicate));
            drawn.iter().for_each(|day| counts[*day as usize] += 1);
            let follows = |pair: &&[u32]| pair[1] != (pair[0] + 1) % days as u32;
            breaks += drawn.windows(2).filter(follows).count();
        }
        // A jump that happens to go to the next day is no break.
        let share = breaks as f64 / (replicates as usize * (days - 1)) as f64;
        assert!((share - 0.25 * 0.99).abs() < 0.005, "{share}");
        let mean = replicates as f64;
        assert!(
            counts.iter().all(|count| (f64::from(*count) - mean).abs() < 6.0 * 3.0 * mean.sqrt()),
            "{counts:?}"
        );
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
