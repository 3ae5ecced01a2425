//! The names of the files in the directory of a store.

/// Held by the one writer.
pub(super) const LOCK: &str = "run.lock";
/// The authoritative store.
pub(super) const STATE: &str = "state.redb";
/// The authoritative store before its first commit is complete.
pub(super) const STATE_NEW: &str = ".state.redb.new";
/// The published copy for readers.
pub(super) const VIEW: &str = "view.redb";
/// The next copy while it is written.
pub(super) const VIEW_NEW: &str = ".view.redb.new";

/// The next stamp of the copy while it is written.
pub(super) const STAMP_NEW: &str = ".view.stamp.new";
/// The next seal of the store while it is written.
pub(super) const SEAL_NEW: &str = ".state.seal.new";
/// Evaluated units.
pub(super) const EVALS: &str = "evals.redb";
