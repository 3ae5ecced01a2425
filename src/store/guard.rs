//! What the database engine panics on becomes an error.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use super::error::StoreError;

thread_local! {
    /// Whether a panic of this thread becomes an error.
    pub(super) static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Runs something the engine may panic on when a file is damaged, and turns that into an error.
pub(super) fn run_guarded<T>(
    path: &Path,
    work: impl FnOnce() -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let outer = GUARDED.replace(true);
    let done = catch_unwind(AssertUnwindSafe(work));
    GUARDED.set(outer);
    done.unwrap_or_else(|panic| {
        // What a panic says is for who works on the engine.
        tracing::debug!(path = %path.display(), panic = first_line(&*panic), "the database engine stopped");
        Err(damaged_error(path, "the database engine cannot make sense of its content"))
    })
}

/// Returns the first line of what a panic says.
fn first_line(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.and_then(|text| text.lines().next()).unwrap_or("without a word")
}

/// Keeps the engine's panics about damaged files, which become errors, from being printed as well.
///
/// For programs: it replaces the panic hook of the process, which still gets every other panic.
pub fn print_no_guarded_panics() {
    let print = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if !GUARDED.get() {
            print(panic);
        }
    }));
}

/// Says that a file cannot be used.
pub(super) fn damaged_error(path: &Path, reason: impl Into<String>) -> StoreError {
    StoreError::NeedsRepair { path: path.to_owned(), reason: reason.into() }
}
