//! The interval of a file: what its name claims, verified against what its rows show.

use std::collections::BTreeMap;

use super::rejection::Rejection;
use crate::model::{Interval, MINUTE_MS};

/// A claim holds if at least one in so many steps is the interval claimed; the others are gaps.
const STEPS_PER_CLAIM: u64 = 4;

/// Returns the interval of open times in ascending order (repetitions allowed).
///
/// The interval measured is the most frequent step, the shorter of two that are equally frequent. A single
/// candle shows nothing, and the claim is believed.
pub(super) fn settle_interval(
    claimed: Option<Interval>,
    open_times: impl Iterator<Item = i64>,
) -> Result<Interval, Rejection> {
    let (steps, candles) = count_steps(open_times);
    let measured =
        steps.iter().min_by_key(|(step, count)| (std::cmp::Reverse(**count), **step)).map(|(step, _)| *step);
    match (claimed, measured) {
        (Some(named), None) => Ok(named),
        (None, None) => Err(Rejection::NoInterval { candles }),
        (Some(named), Some(step)) => {
            let as_claimed = steps.get(&named.ms()).copied().unwrap_or(0);
            let total: u64 = steps.values().sum();
            if step == named.ms() || as_claimed * STEPS_PER_CLAIM >= total {
                return Ok(named);
            }
            Err(Rejection::WrongInterval { named, found: step_text(step) })
        }
        (None, Some(step)) => from_ms(step).ok_or_else(|| Rejection::NotMinutes { found: step_text(step) }),
    }
}

/// Returns how often each step between different open times occurs, and the number of different open times.
fn count_steps(open_times: impl Iterator<Item = i64>) -> (BTreeMap<i64, u64>, u64) {
    let mut steps = BTreeMap::new();
    let (mut last, mut run, mut candles) = (None, (0, 0), 0);
    for time in open_times {
        let step = last.replace(time).map_or(1, |last| time - last);
        if step == 0 {
            continue;
        }
        candles += 1;
        if candles == 1 {
            continue;
        }
        if run.0 == step {
            run.1 += 1;
            continue;
        }
        *steps.entry(run.0).or_insert(0) += run.1;
        run = (step, 1);
    }
    *steps.entry(run.0).or_insert(0) += run.1;
    steps.remove(&0);
    (steps, candles)
}

fn from_ms(step: i64) -> Option<Interval> {
    let minutes = u32::try_from(step / MINUTE_MS).ok()?;
    (step % MINUTE_MS == 0 && minutes > 0).then(|| Interval::from_minutes(minutes))
}

fn step_text(step: i64) -> String {
    from_ms(step).map_or_else(|| format!("{} s", step as f64 / 1e3), |interval| interval.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settle_minutes(claimed: Option<u32>, minutes: &[i64]) -> Result<Interval, Rejection> {
        settle_interval(claimed.map(Interval::from_minutes), minutes.iter().map(|m| m * MINUTE_MS))
    }

    #[test]
    fn the_most_frequent_step_is_the_interval() {
        let m15 = Ok(Interval::M15);
        assert_eq!(settle_minutes(None, &[0, 15, 30, 30, 75, 90]), m15);
        assert_eq!(settle_minutes(None, &[0, 30, 45]), m15);
        assert_eq!(settle_minutes(Some(15), &[0]), m15);
        assert_eq!(settle_minutes(Some(15), &[]), m15);
        assert_eq!(settle_minutes(Some(15), &[0, 30, 60, 75]), m15);
        assert_eq!(settle_minutes(None, &[0, 0]), Err(Rejection::NoInterval { candles: 1 }));
        assert_eq!(
            settle_interval(None, [0, 500, 1000].into_iter()),
            Err(Rejection::NotMinutes { found: "0.5 s".to_owned() })
        );
    }

    #[test]
    fn a_claim_the_data_contradict_is_refused() {
        for (minutes, found) in [(&[0, 5, 10, 15, 20][..], "5m"), (&[0, 60, 120], "1h"), (&[0, 1440], "1d")] {
            let expected = Rejection::WrongInterval { named: Interval::M15, found: found.to_owned() };
            assert_eq!(settle_minutes(Some(15), minutes), Err(expected), "{minutes:?}");
        }
    }
}
