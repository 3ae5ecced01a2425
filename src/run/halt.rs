//! When a run stops before its end: on request at once, for lack of time at a commit.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use super::error::RunError;

/// Asked at every place where a run may stop.
#[derive(Debug)]
pub(crate) struct Halt<'a> {
    stop: &'a AtomicBool,
    deadline: Option<Instant>,
    out_of_time: AtomicBool,
}

impl<'a> Halt<'a> {
    pub(crate) fn new(stop: &'a AtomicBool, deadline: Option<Instant>) -> Self {
        Self { stop, deadline, out_of_time: AtomicBool::new(false) }
    }

    /// Stops if somebody asked for it, or if another symbol found that time is up.
    pub(crate) fn check(&self) -> Result<(), RunError> {
        let stopped = self.stop.load(Ordering::Relaxed) || self.is_out_of_time();
        if stopped { Err(RunError::Stopped) } else { Ok(()) }
    }

    /// Says that evaluated units were just committed; returns whether to stop here. Only here time can be up, so that no
    /// run ends without having got on.
    pub(crate) fn after_commit(&self) -> bool {
        if self.deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            self.out_of_time.store(true, Ordering::Relaxed);
        }
        self.stop.load(Ordering::Relaxed) || self.is_out_of_time()
    }

    pub(crate) fn is_out_of_time(&self) -> bool {
        self.out_of_time.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_up_at_a_commit_only() {
        let stop = AtomicBool::new(false);
        let halt = Halt::new(&stop, Some(Instant::now()));
        assert!(halt.check().is_ok() && !halt.is_out_of_time());
        assert!(halt.after_commit() && halt.is_out_of_time());
        assert!(halt.check().is_err(), "the others stop with it");
        let unhurried = Halt::new(&stop, None);
        assert!(!unhurried.after_commit());
        stop.store(true, Ordering::Relaxed);
        assert!(unhurried.check().is_err() && unhurried.after_commit() && !unhurried.is_out_of_time());
    }
}
