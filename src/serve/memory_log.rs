//! Resident memory of the server over a day.

use std::collections::VecDeque;

use crate::diagnose::process::sample;

/// Time between two samples, and how many are kept: a day of minutes.
const SAMPLE_EVERY_MS: i64 = 60_000;
const SAMPLES_MAX: usize = 1_440;
/// Samples that slopes are taken between.
const SLOPE_POINTS_MAX: usize = 180;

/// Resident memory over the last day, a sample a minute.
#[derive(Debug, Default)]
pub(super) struct MemoryLog {
    samples: VecDeque<(i64, u64)>,
}

impl MemoryLog {
    /// Takes a sample, unless the last one is younger than a minute.
    pub(super) fn take(&mut self, now_ms: i64) {
        let is_due = self.samples.back().is_none_or(|(at_ms, _)| now_ms - at_ms >= SAMPLE_EVERY_MS);
        if let (true, Ok(found)) = (is_due, sample(std::process::id(), now_ms)) {
            if self.samples.len() == SAMPLES_MAX {
                self.samples.pop_front();
            }
            self.samples.push_back((now_ms, found.rss_bytes));
        }
    }

    /// Returns the samples, the oldest first: when, and resident bytes.
    pub(super) fn samples(&self) -> impl Iterator<Item = &(i64, u64)> {
        self.samples.iter()
    }

    /// Returns the median of the slopes between pairs of samples (Theil 1950, Sen 1968), in bytes per hour; at most
    /// [`SLOPE_POINTS_MAX`] evenly chosen samples take part.
    pub(super) fn slope(&self) -> Option<f64> {
        let step = self.samples.len().div_ceil(SLOPE_POINTS_MAX).max(1);
        let points: Vec<(f64, f64)> = self
            .samples
            .iter()
            .step_by(step)
            .map(|(at_ms, bytes)| (*at_ms as f64 / 3_600_000.0, *bytes as f64))
            .collect();
        let mut slopes = Vec::new();
        for (place, one) in points.iter().enumerate() {
            slopes.extend(points[place + 1..].iter().map(|other| (other.1 - one.1) / (other.0 - one.0)));
        }
        slopes.sort_by(f64::total_cmp);
        slopes.get(slopes.len() / 2).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slope_is_that_of_most_pairs() {
        let log = |bytes: &[u64]| MemoryLog {
            samples: bytes
                .iter()
                .enumerate()
                .map(|(hour, bytes)| (hour as i64 * 3_600_000, *bytes))
                .collect(),
        };
        assert_eq!(log(&[]).slope(), None);
        assert_eq!(log(&[10, 20, 30, 40]).slope(), Some(10.0));
        assert_eq!(log(&[10, 10, 900, 10, 10]).slope(), Some(0.0), "one peak is no growth");
        let day: Vec<u64> = (0..SAMPLES_MAX as u64).map(|minute| minute * 2).collect();
        assert_eq!(log(&day).slope(), Some(2.0));
    }
}
