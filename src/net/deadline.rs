//! The end of an operation: an instant, and a signal that may come before it.
//!
//! Invariant: nothing under a deadline waits longer than it, and nothing goes on for longer than [`LOOK_EVERY`] after the signal.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use super::fault::Fault;

/// How often somebody who waits looks at the signal.
pub(super) const LOOK_EVERY: Duration = Duration::from_millis(20);
/// How long work that is out of time may take to say where it was.
const LAST_WORD: Duration = Duration::from_millis(100);
/// The longest time of an operation: instants cannot lie in any future.
const LONGEST: Duration = Duration::from_secs(366 * 86_400);

/// When an operation has to end, whatever the other side does: at an instant, or when a flag is raised.
#[derive(Debug, Clone)]
pub struct Deadline<F = Arc<AtomicBool>> {
    ends_at: Instant,
    stop: F,
}

impl<F: Deref<Target = AtomicBool>> Deadline<F> {
    /// Returns the end of an operation that begins now.
    pub fn after(time: Duration, stop: F) -> Self {
        Self { ends_at: Instant::now() + time.min(LONGEST), stop }
    }

    /// Returns the time that is left, which is more than none.
    ///
    /// Errors: `Stopped` when the flag is raised, `OutOfTime` when the time is up
    pub fn left(&self) -> Result<Duration, Fault> {
        if self.stop.load(Ordering::Relaxed) {
            return Err(Fault::Stopped);
        }
        let left = self.ends_at.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(Fault::OutOfTime) } else { Ok(left) }
    }

    /// Waits.
    ///
    /// Errors: `OutOfTime` at once where less time is left; `Stopped` as soon as the flag is raised
    pub fn sleep(&self, wait: Duration) -> Result<(), Fault> {
        if wait > self.left()? {
            return Err(Fault::OutOfTime);
        }
        let until = Instant::now() + wait;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            std::thread::sleep(left.min(LOOK_EVERY));
            if self.stop.load(Ordering::Relaxed) {
                return Err(Fault::Stopped);
            }
        }
    }

    /// Does something that may block, on a thread of its own, and waits for it. Who has left says so by the flag of the deadline
    /// that the work is given; the work may then still wait for the system, but has nobody to tell.
    ///
    /// Errors: those of [`Deadline::left`]; `Failed` where no thread can be had, or it panicked
    pub fn call<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Deadline) -> T + Send + 'static,
    ) -> Result<T, Fault> {
        self.left()?;
        let left_alone = Raised(Arc::new(AtomicBool::new(false)));
        let inner = Deadline { ends_at: self.ends_at, stop: Arc::clone(&left_alone.0) };
        let (sender, receiver) = channel();
        let thread = std::thread::Builder::new().name("net".to_owned());
        let started = thread.spawn(move || drop(sender.send(work(&inner))));
        started.map_err(|error| Fault::Failed(error.kind()))?;
        loop {
            match receiver.recv_timeout(LOOK_EVERY) {
                Ok(done) => return Ok(done),
                Err(RecvTimeoutError::Timeout) => match self.left() {
                    Ok(_) => {}
                    // The work ends at the same instant and knows better what it waited for.
                    Err(Fault::OutOfTime) => {
                        return receiver.recv_timeout(LAST_WORD).map_err(|_| Fault::OutOfTime);
                    }
                    Err(fault) => return Err(fault),
                },
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(Fault::Failed(std::io::ErrorKind::Other));
                }
            }
        }
    }
}

/// A flag that is raised when this is dropped.
struct Raised(Arc<AtomicBool>);

impl Drop for Raised {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(600);

    #[test]
    fn a_wait_ends_by_the_deadline_or_the_signal() {
        let stop = AtomicBool::new(false);
        let short = Deadline::after(Duration::from_millis(40), &stop);
        assert_eq!(short.sleep(LONG), Err(Fault::OutOfTime), "at once: it would not end in time");
        assert_eq!(short.sleep(Duration::from_millis(5)), Ok(()));
        assert_eq!(short.call(|_| std::thread::sleep(Duration::from_millis(400))), Err(Fault::OutOfTime));
        assert_eq!(short.left(), Err(Fault::OutOfTime));
        let long = Deadline::after(Duration::MAX, &stop);
        assert_eq!(long.call(|inner| inner.left().is_ok()), Ok(true));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(Duration::from_millis(60));
                stop.store(true, Ordering::Relaxed);
            });
            assert_eq!(long.sleep(LONG), Err(Fault::Stopped));
        });
        assert_eq!(long.call(|_| ()), Err(Fault::Stopped), "not even begun");
    }

    #[test]
    fn who_works_for_nobody_is_told() {
        let stop = AtomicBool::new(false);
        let (sender, receiver) = channel();
        let short = Deadline::after(Duration::from_millis(30), &stop);
        let left = short.call(move |inner| {
            while inner.left() != Err(Fault::Stopped) {
                std::thread::sleep(Duration::from_millis(1));
            }
            sender.send(()).expect("somebody listens");
        });
        assert_eq!(left, Err(Fault::OutOfTime));
        assert_eq!(receiver.recv_timeout(Duration::from_secs(20)), Ok(()));
        let panicked = Deadline::after(LONG, &stop).call(|_| panic!("on purpose"));
        assert!(matches!(panicked, Err(Fault::Failed(_))), "{panicked:?}");
    }
}
