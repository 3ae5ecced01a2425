//! A panic is a bug of ours, or the standard library's answer to a system call that cannot fail but did: it ends with the
//! exit code that is promised for that, whichever thread it was in.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

use super::failure::{Failure, code};

/// Whether there was a panic that nothing turned into an error.
static NOTED: AtomicBool = AtomicBool::new(false);

/// Notes panics besides printing them. Before the hooks for guarded ones, which keep theirs to themselves.
pub(super) fn note_unguarded() {
    let print = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        NOTED.store(true, Ordering::SeqCst);
        print(panic);
    }));
}

/// Runs the program; a panic in this thread, in a worker of a pool or in a thread of its own is an internal error.
pub(super) fn end_as_internal_errors(work: impl FnOnce() -> ExitCode) -> ExitCode {
    match outcome_of(work, || NOTED.load(Ordering::SeqCst)) {
        Ok(code) => code,
        Err(failure) => failure.report(),
    }
}

fn outcome_of<T>(work: impl FnOnce() -> T, is_noted: impl Fn() -> bool) -> Result<T, Failure> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(_) if is_noted() => Err(internal_failure("a part of the program stopped")),
        Ok(done) => Ok(done),
        Err(panic) => Err(internal_failure(said_by_panic(&*panic))),
    }
}

fn internal_failure(what: &str) -> Failure {
    Failure::new(code::INTERNAL, format!("internal error: {what}")).hint(
        "what was stored before is safe; where a limit of the system is named (threads, memory, open files), raise it, else \
         please report this with the output of `optimizer --version` and of the same command with -vv",
    )
}

/// Returns the first line of what a panic says.
fn said_by_panic(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.and_then(|text| text.lines().next()).unwrap_or("no message")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn internal_error(work: impl FnOnce()) -> String {
        let failure = outcome_of(work, || false).expect_err("a panic");
        assert_eq!(failure.code, 70);
        assert!(failure.hint.is_some_and(|hint| hint.contains("please report")));
        failure.message
    }

    #[test]
    fn a_panic_is_an_internal_error_wherever_it_is() {
        let formatted = format!("a number: {}", 7);
        assert_eq!(internal_error(|| panic!("{formatted}\nmore")), "internal error: a number: 7");
        let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().expect("a pool");
        let in_worker = || pool.install(|| rayon::join(|| (), || panic!("in a worker")).0);
        assert_eq!(internal_error(in_worker), "internal error: in a worker");
        let scoped = || std::thread::scope(|scope| drop(scope.spawn(|| panic!("in a thread"))));
        assert!(internal_error(scoped).contains("internal error"), "scopes pass panics on");
    }

    #[test]
    fn a_panic_of_a_thread_nobody_waits_for_counts_too() {
        assert_eq!(outcome_of(|| 0, || false).ok(), Some(0));
        let failure = outcome_of(|| 0, || true).expect_err("noted");
        assert_eq!(
            (failure.code, failure.message.as_str()),
            (70, "internal error: a part of the program stopped")
        );
    }
}
