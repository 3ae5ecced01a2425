//! What was learned, remembered: active parameters, features, insights, history.
//!
//! A store is a directory. `state.redb` is authoritative and has one writer ([`Store`]), guarded by `run.lock`;
//! `view.redb` is its published copy for readers ([`View`]). Both give a [`Snapshot`]. Everything a run learned
//! goes in by one [`LearningCommit`]: all of it or nothing.
//!
//! Invariants: a file that cannot be read is never taken for a new store, overwritten or removed; a row is only
//! decoded after its tag has proved that it is what was written at this place; a section whose rows are not
//! those its head counts is refused; only `engine` opens databases and begins transactions.
//!
//! What does not belong here: judging what is worth remembering (`decide`), showing it (`present`), evaluation
//! results that can be computed again (a disposable cache file of its own).

mod backup;
mod beside;
pub mod bot_file;
mod cache;
mod disk;
mod edition;
mod engine;
mod envelope;
mod error;
mod file_names;
mod files;
#[cfg(any(test, fuzzing))]
#[path = "../../tests/fuzz/store.rs"]
pub(crate) mod fuzz;
mod guard;
pub mod health;
mod keys;
mod learning;
mod location;
mod lock;
mod look;
mod lost;
mod owner;
pub mod records;
mod reported;
#[cfg(test)]
#[path = "../../tests/schemas/store.rs"]
mod schema;
mod seal;
mod sizes;
mod snapshot;
mod space;
mod stamp;
mod state;
mod tables;
mod view;
mod writer;
mod written_blocks;

#[cfg(test)]
mod format_tests;

pub use backup::{Backup, BackupContent, Restored, begin_anew, list_backups, own_store, restore_backup};
pub use beside::Beside;
pub use cache::{Cache, CacheBatch, CacheSize, EVALS_CACHE_BYTES, UnitKey};
pub use disk::{Gate, Step};
pub use edition::{Edition, Standing};
pub use engine::{STATE_CACHE_BYTES, VIEW_CACHE_BYTES};
pub use envelope::RowError;
pub use error::StoreError;
pub use files::{hand_over, make_folders};
pub use guard::print_no_guarded_panics;
pub use keys::is_profile;
pub use learning::{FULL_RUNS, LearningCommit, RUNS_MAX, TRIAL_RUNS_MAX};
pub use location::Location;
pub use reported::report_done;
pub use seal::PROOF_DAYS;
pub use sizes::{StoreSizes, store_sizes};
pub use snapshot::{Snapshot, TableSize};
pub use state::{Claim, Store};
pub use tables::{Class, Section};
pub use view::View;
