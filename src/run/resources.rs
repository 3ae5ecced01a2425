//! What the process uses, and how a run keeps below a ceiling.

use crate::engine::plan::{Plan, StylePlan};
use crate::ingest::SymbolSources;
use crate::run::given_signals::SignalsBySymbol;

/// What a run needs besides its symbols: program, page caches, one style's grid.
const BASE_BYTES: u64 = 22 << 20;
/// What a symbol in flight needs per byte of its files: rows, candles, a batch of units, the transaction.
const PER_FILE_BYTE: u64 = 3;
/// The same for a symbol beside it: on a thread of its own, whose freed buffers the first cannot use.
const PER_FILE_BYTE_BESIDE: u64 = 5;
/// What stays of every symbol until the end: one byte per so many bytes of its files.
const FILE_BYTES_PER_KEPT: u64 = 8;

/// Of the base: what is not in use yet while files are read, so that small ones need not be reckoned closely.
const READING_BYTES: u64 = 8 << 20;
/// Parameter sets of a style that the base pays for, and bytes for each one more: sums, scores and their neighbours'.
const SETS_IN_BASE: u64 = 150_000;
const SET_BYTES: u64 = 100;
/// The same for each set where choices are cross-fitted: its statistics on the days of a fold beside those on all days.
const TESTED_SET_BYTES: u64 = 64;
/// Bytes per given signal while a style is studied: its place in the book and its outcomes under one group of exit rules.
const SIGNAL_BYTES: u64 = 360;

/// Returns what a study of the most demanding style needs beyond the base, its outcomes being brought in group by group of
/// exit rules; bytes.
pub(crate) fn study_bytes(plan: &Plan, given: Option<&SignalsBySymbol>) -> u64 {
    let more_sets = |style: &StylePlan| (style.space.sets() as u64).saturating_sub(SETS_IN_BASE);
    let sets = plan.styles.iter().map(more_sets).max().unwrap_or(0);
    let tested = match plan.search.quick {
        true => 0,
        false => plan.styles.iter().map(|style| style.space.sets() as u64).max().unwrap_or(0),
    };
    sets * SET_BYTES + tested * TESTED_SET_BYTES + given.map_or(0, SignalsBySymbol::signals) * SIGNAL_BYTES
}

/// A ceiling that is too low.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected a memory limit of at least {} MiB for these files, signals and parameter sets, found {} MiB",
    needed.div_ceil(1 << 20),
    limit >> 20
)]
pub struct TooLittleMemory {
    /// Bytes that the run needs with one symbol at a time.
    pub needed: u64,
    /// Bytes allowed.
    pub limit: u64,
}

/// Returns the peak resident memory of this process, where the system tells.
pub(super) fn peak_rss_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib * 1024)
}

/// Returns how many symbols may be in flight at once below a memory limit; the largest decide.
///
/// Shape:     decoded bytes of each symbol's files, bytes held besides, and the limit in bytes
/// The estimate was measured (`cargo bench --bench incremental` prints what its limits led to).
/// Errors: [`TooLittleMemory`] where not even one symbol fits: better told before than killed in between
pub(crate) fn symbols_in_flight(
    symbol_bytes: impl Iterator<Item = u64>,
    held_bytes: u64,
    limit: Option<u64>,
) -> Result<usize, TooLittleMemory> {
    let mut sizes: Vec<u64> = symbol_bytes.collect();
    let Some(limit) = limit else { return Ok(sizes.len().max(1)) };
    sizes.sort_by_key(|bytes| std::cmp::Reverse(*bytes));
    let base = BASE_BYTES + held_bytes + sizes.iter().sum::<u64>() / FILE_BYTES_PER_KEPT;
    let needs = sizes.iter().enumerate().scan(base, |need, (place, bytes)| {
        *need += bytes * if place == 0 { PER_FILE_BYTE } else { PER_FILE_BYTE_BESIDE };
        Some(*need)
    });
    let needs: Vec<u64> = needs.collect();
    let needed = needs.first().copied().unwrap_or(base);
    match needs.iter().take_while(|need| **need <= limit).count() {
        0 if limit < needed => Err(TooLittleMemory { needed, limit }),
        fitting => Ok(fitting.max(1)),
    }
}

/// Returns about how much memory a run takes at its peak; the measured constants of [`symbols_in_flight`].
///
/// Shape:     decoded bytes of each symbol's files that are read, the bytes of all files, bytes held besides, and symbols
///            at once
pub(crate) fn expected_peak(mut read: Vec<u64>, all: u64, held_bytes: u64, at_once: usize) -> u64 {
    read.sort_by_key(|bytes| std::cmp::Reverse(*bytes));
    let in_flight = read.iter().take(at_once).enumerate();
    let per_byte = |place| if place == 0 { PER_FILE_BYTE } else { PER_FILE_BYTE_BESIDE };
    BASE_BYTES
        + held_bytes
        + all / FILE_BYTES_PER_KEPT
        + in_flight.map(|(place, bytes)| bytes * per_byte(place)).sum::<u64>()
}

/// Returns what is left of a memory limit beside so many symbols in flight, for each of them; `None` without a limit.
pub(crate) fn spare_bytes(sizes: &[u64], held_bytes: u64, at_once: usize, limit: Option<u64>) -> Option<u64> {
    let used = expected_peak(sizes.to_vec(), sizes.iter().sum(), held_bytes, at_once);
    let lanes = at_once.min(rayon::current_num_threads()).max(1) as u64;
    limit.map(|limit| limit.saturating_sub(used) / lanes)
}

/// Returns what reading a symbol may take: what was reckoned for its files, and what is to spare. Files may hold more than
/// their size says; then there is an error instead of a process without memory.
pub(crate) fn room_bytes(sources: &SymbolSources, spare: Option<u64>) -> Option<u64> {
    spare.map(|spare| sources.decoded_bytes() * PER_FILE_BYTE + READING_BYTES + spare)
}

/// Returns what may be taken below a limit before any symbol is in flight.
pub fn room_at_first(limit: u64) -> u64 {
    limit.saturating_sub(BASE_BYTES).max(READING_BYTES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_expected_fits_the_limit_that_was_needed() {
        let sizes = [4, 1, 8].map(|mib| mib << 20);
        assert_eq!(
            expected_peak(sizes.to_vec(), 13 << 20, 0, 2),
            (22 << 20) + (13 << 17) + ((8 * 3 + 4 * 5) << 20)
        );
        assert_eq!(expected_peak(Vec::new(), 8 << 20, 1 << 20, 2), 24 << 20);
    }

    #[test]
    fn the_limit_decides_how_many_symbols_are_in_flight() {
        let in_flight = |limit| symbols_in_flight([4, 1, 8].map(|mib| mib << 20).into_iter(), 0, limit);
        assert_eq!(in_flight(None), Ok(3));
        assert_eq!(in_flight(Some(1 << 30)), Ok(3));
        assert_eq!(in_flight(Some(70 << 20)), Ok(2));
        assert_eq!(in_flight(Some(50 << 20)), Ok(1));
        let beside_signals = |limit| symbols_in_flight([8 << 20].into_iter(), 10 << 20, Some(limit));
        assert_eq!(beside_signals(57 << 20), Ok(1));
        assert!(beside_signals(56 << 20).is_err(), "signals are held all the time");
        let error = in_flight(Some(40 << 20)).expect_err("too little");
        assert_eq!(
            error.to_string(),
            "expected a memory limit of at least 48 MiB for these files, signals and parameter sets, found 40 MiB"
        );
        assert_eq!(symbols_in_flight(std::iter::empty(), 0, Some(30 << 20)), Ok(1));
    }
}
