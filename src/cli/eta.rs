//! How long a run will still evaluate, by what is left to do: what is reused takes no time worth mentioning.

use std::time::Duration;

/// What is known of the work of a run so far. A unit is one style of a symbol-day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Outlook {
    /// Symbols of the run.
    symbols: u64,
    /// Symbols of which is known what has to be evaluated.
    sorted: u64,
    /// Units of those that have to be evaluated; reused ones do not count.
    todo: u64,
    /// Units evaluated.
    done: u64,
}

impl Outlook {
    pub(crate) fn new(symbols: usize) -> Self {
        Self { symbols: symbols as u64, ..Self::default() }
    }

    /// Takes in that a symbol has so many units to evaluate.
    pub(crate) fn sorted(&mut self, todo: u64) {
        self.sorted += 1;
        self.todo += todo;
    }

    /// Takes in that so many units were evaluated.
    pub(crate) fn evaluated(&mut self, units: u64) {
        self.done += units;
    }

    /// Returns how long the rest will take, after so long; `None` while nothing says so. Symbols that nothing is known
    /// about yet are taken for like the others.
    pub(crate) fn left(&self, elapsed: Duration) -> Option<Duration> {
        if self.sorted == 0 || (self.done == 0 && self.todo > 0) {
            return None;
        }
        let expected = self.todo as f64 * self.symbols.max(self.sorted) as f64 / self.sorted as f64;
        let left = (expected - self.done as f64).max(0.0);
        let per_unit = if self.done > 0 { elapsed.as_secs_f64() / self.done as f64 } else { 0.0 };
        Duration::try_from_secs_f64(left * per_unit).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn only_what_is_evaluated_takes_time() {
        let mut outlook = Outlook::new(4);
        assert_eq!(outlook.left(SECOND), None, "nothing is known yet");
        outlook.sorted(100);
        assert_eq!(outlook.left(SECOND), None, "nothing is evaluated yet");
        outlook.evaluated(50);
        assert_eq!(outlook.left(SECOND), Some(7 * SECOND), "three more symbols like this one");
        // The others are reused: however many units they have, they are not waited for.
        (0..3).for_each(|_| outlook.sorted(0));
        assert_eq!(outlook.left(SECOND), Some(SECOND));
        outlook.evaluated(50);
        assert_eq!(outlook.left(SECOND), Some(Duration::ZERO));
    }

    #[test]
    fn a_run_that_reuses_everything_is_as_good_as_done() {
        let mut outlook = Outlook::new(7);
        outlook.sorted(0);
        assert_eq!(outlook.left(SECOND), Some(Duration::ZERO));
    }
}
