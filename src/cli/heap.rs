//! `--heap-profile`: which places of the program ask for how much memory. Only in a program that was built for it.

use std::path::Path;

use super::failure::{Failure, code};

/// Frames of a call stack that are kept: enough to get from library code to our own.
#[cfg(feature = "heap-profile")]
const FRAMES: usize = 24;

/// Records every allocation from here on; the profile is written when it is dropped.
#[cfg(feature = "heap-profile")]
pub(super) fn record(file: &Path) -> Result<dhat::Profiler, Failure> {
    // What cannot be written is told before the work, not after.
    std::fs::File::create(file).map_err(|error| {
        Failure::new(code::IO, format!("cannot write the heap profile `{}`: {error}", file.display()))
    })?;
    Ok(dhat::Profiler::builder().file_name(file).trim_backtraces(Some(FRAMES)).build())
}

/// Refuses: allocations are not followed in this program.
#[cfg(not(feature = "heap-profile"))]
pub(super) fn record(_file: &Path) -> Result<std::convert::Infallible, Failure> {
    let message = "--heap-profile: expected a program built with heap profiles, found one without";
    let hint = "build it with `cargo build --release --features heap-profile`; `optimizer memory watch` needs no such program";
    Err(Failure::new(code::USAGE, message).hint(hint))
}
