//! The authoritative store and its one writer.

use std::hash::{BuildHasher, RandomState};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use redb::{Database, WriteTransaction};

use super::backup::{self, CommitChanges};
use super::disk::Disk;
use super::edition::{Edition, Standing};
use super::engine::{self, Held, OpenState};
use super::error::StoreError;
use super::files;
use super::guard::run_guarded;
use super::keys;
use super::learning::{LearningCommit, put_learning};
use super::location::Location;
use super::lock::RunLock;
use super::lost;
use super::records::{MetaRecord, RunRecord};
use super::reported::{self, ReportedMark};
use super::seal::Sealing;
use super::snapshot::Snapshot;
use super::space::Space;
use super::stamp::Stamping;
use super::tables;
use super::view::{self, View};
use super::writer::{ChangedRows, Heads, Writer};

/// A store is not written anew for unused space before its file is as large.
const WASTE_BYTES_MIN: u64 = 4 << 20;

/// The right to write a store, taken before there is anything to write.
#[derive(Debug)]
pub struct Claim {
    location: Location,
    _lock: RunLock,
}

impl Claim {
    /// Returns the right to write that a lock gives.
    pub(super) fn of(location: Location, lock: RunLock) -> Self {
        Self { location, _lock: lock }
    }

    /// Opens the store; see [`Store::open`].
    pub fn open(self, now_ms: i64) -> Result<Store, StoreError> {
        Store::open_claimed(self, now_ms)
    }

    /// Returns which store it is, and as of which commit; `None` where there is none yet, or none that can be read.
    pub fn edition(&self) -> Option<Edition> {
        engine::glance_at_edition(&self.location.dir.join(files::STATE)).ok()
    }

    /// Publishes what an earlier run stored and could not publish any more, so that readers have it from now on and not
    /// only when this run ends.
    ///
    /// Errors: those of [`Store::open`]
    pub fn publish_what_waits(self, now_ms: i64) -> Result<Self, StoreError> {
        let Some(stored) = self.edition() else { return Ok(self) };
        let shown = View::open_as_it_is(&self.location.dir).and_then(|view| view.read()?.edition());
        match shown {
            Ok(shown) if shown.against(&stored) == Standing::Same => Ok(self),
            _ => Ok(self.open(now_ms)?.into_claim()),
        }
    }

    /// Opens a store that was just put in its place, and publishes it: whatever is there belongs to the one before.
    pub(super) fn open_restored(self, now_ms: i64) -> Result<Store, StoreError> {
        let store = Store::prove(self, now_ms)?;
        store.publish_view()?;
        for profile in store.read()?.profiles()? {
            store.report_done(&profile)?;
        }
        Ok(store)
    }
}

/// The store, open for the one writer. Readers use [`super::View`].
#[derive(Debug)]
pub struct Store {
    db: Held<Database>,
    disk: Disk,
    path: PathBuf,
    store_uuid: [u8; 16],
    poisoned: AtomicBool,
    /// Rows that readers do not have yet.
    unpublished: Mutex<ChangedRows>,
    is_proved_anew: bool,
    // Dropped when the database is closed.
    stamping: Stamping,
    sealing: Sealing,
    // Dropped last: the lock outlives them.
    claim: Claim,
}

impl Store {
    /// Opens the store of a directory, or creates both.
    ///
    /// The whole file and every row are verified. A copy for readers that is missing or behind is published; one that is
    /// no earlier copy of this store is kept aside first.
    ///
    /// Errors: `Busy` when another process has it open, `NeedsRepair` or `Damaged` when the file is not whole,
    ///         `TooNew` when a newer program wrote it, `Lost` when it is missing beside others of its store; a file that is
    ///         refused is left as it is.
    pub fn open(location: impl Into<Location>, now_ms: i64) -> Result<Self, StoreError> {
        Self::claim(location, now_ms)?.open(now_ms)
    }

    /// Keeps other writers out of a directory, which is created if need be, without touching what is stored there.
    ///
    /// Errors: `Busy` when another process still has it after the location's time to wait; `Lost` as when it is opened
    pub fn claim(location: impl Into<Location>, now_ms: i64) -> Result<Claim, StoreError> {
        let location = location.into();
        files::create_directory(&location.disk(), &location.dir)?;
        let lock = RunLock::take(&location, now_ms)?;
        lost::expect_none_lost(&location.dir)?;
        Ok(Claim::of(location, lock))
    }

    fn open_claimed(claim: Claim, now_ms: i64) -> Result<Self, StoreError> {
        let (disk, dir) = (claim.location.disk(), claim.location.dir.clone());
        let path = dir.join(files::STATE);
        files::remove_temporary(&disk, &dir);
        if !files::file_exists(&path)? {
            lost::expect_none_lost(&dir)?;
            create(&disk, &dir, &path, now_ms).map_err(|error| disk.explain(error))?;
        }
        let mut store = Self::prove(claim, now_ms)?;
        if store.is_proved_anew && store.is_wasteful()? {
            store = Self::prove(store.rewrite()?, now_ms)?;
        }
        match store.has_current_copy(now_ms)? {
            true => store.stamping.note(true),
            false => store.publish_view()?,
        }
        Ok(store)
    }

    /// Returns whether readers have what the store has. Their copy is verified whole when the store is.
    fn has_current_copy(&self, now_ms: i64) -> Result<bool, StoreError> {
        let snapshot = self.read()?;
        let is_known = self.stamping.was_current() && !self.is_proved_anew;
        if is_known && view::is_still_current(self.dir(), &snapshot)? {
            return Ok(true);
        }
        view::is_current(&self.disk, self.dir(), &snapshot, now_ms)
    }

    /// Returns whether more than half of a file that is not small is unused, and there is space to write it anew.
    fn is_wasteful(&self) -> Result<bool, StoreError> {
        let found = std::fs::metadata(&self.path);
        let bytes = found.map_err(|error| StoreError::io(&self.path, "look at", error))?.len();
        if bytes < WASTE_BYTES_MIN || files::check_free_space(&self.path).is_err() {
            return Ok(false);
        }
        let Space { stored, metadata, fragmented } = self.read()?.space()?;
        Ok(2 * (stored + metadata + fragmented) < bytes)
    }

    /// Opens a store that is there, and proves it whole or that its bytes are those that were proved.
    fn prove(claim: Claim, now_ms: i64) -> Result<Self, StoreError> {
        let (disk, path) = (claim.location.disk(), claim.location.dir.join(files::STATE));
        let stamping = Stamping::begin(&claim.location.dir);
        let opened = engine::open_sealed(&disk, &claim.location.dir, &path, now_ms);
        let OpenState { db, sealing, is_proved_anew } = opened.map_err(|error| disk.explain(error))?;
        let store_uuid = run_guarded(&path, || Ok(Snapshot::begin(&*db, &path)?.meta()?.store_uuid))?;
        let (poisoned, unpublished) = (AtomicBool::new(false), Mutex::default());
        Ok(Self {
            db,
            disk,
            path,
            store_uuid,
            poisoned,
            unpublished,
            is_proved_anew,
            stamping,
            sealing,
            claim,
        })
    }

    /// Closes the store and keeps the right to write it.
    pub fn into_claim(self) -> Claim {
        let Self { db, stamping, sealing, claim, .. } = self;
        drop(db);
        drop(stamping);
        drop(sealing);
        claim
    }

    fn dir(&self) -> &Path {
        &self.claim.location.dir
    }

    /// Returns the runs of a profile that were stored and not reported, oldest first: what they did may not have been
    /// told to anybody.
    pub fn not_reported(&self, profile: &str) -> Result<Vec<(u64, RunRecord)>, StoreError> {
        let Some(mark) = reported::read_mark(self.dir(), profile, &self.store_uuid) else {
            return Ok(Vec::new());
        };
        let mut runs = self.read()?.runs(profile, mark.run + 1.., usize::MAX)?;
        runs.reverse();
        Ok(runs)
    }

    /// Notes that the last run of a profile was published and told.
    ///
    /// Errors: it could not be noted; it will be told again
    pub fn report_done(&self, profile: &str) -> Result<(), StoreError> {
        let snapshot = self.read()?;
        let last = snapshot.run_ids(profile)?.first().copied().unwrap_or(0);
        reported::write_mark(&self.disk, self.dir(), profile, &ReportedMark::new(&snapshot.edition()?, last))
    }

    /// Returns the store as it is now, to read from.
    pub fn read(&self) -> Result<Snapshot<'_>, StoreError> {
        self.usable()?;
        self.watch(Snapshot::begin(&*self.db, &self.path))
    }

    /// Writes everything a run learned in one transaction and returns the id of the run.
    ///
    /// Runs of a profile are numbered from 1 without gaps. Beyond `RUNS_MAX` the oldest are removed with
    /// their decisions, beyond `TRIAL_RUNS_MAX` their trials, series and work; beyond as many whole runs as the location asks
    /// for, those that changed nothing are reduced to their summary. Readers see it after [`Store::publish_view`].
    ///
    /// Where the location asks for backups, one is made of the result; that it could not be made is a warning.
    ///
    /// Errors: on any error nothing has changed, except that after `Io` the store has to be opened again to
    ///         know.
    pub fn commit(&mut self, learning: LearningCommit) -> Result<u64, StoreError> {
        let before = self.read()?;
        let (heads, edition): (Heads, Edition) = (before.heads()?.into_iter().collect(), before.edition()?);
        drop(before);
        let (now_ms, profile) =
            (learning.run.started_at_ms, keys::profile_key(&learning.profile)?.to_owned());
        files::check_free_space(&self.path)?;
        self.begin_to_report(&profile)?;
        self.stamping.note(false);
        self.sealing.note(false);
        let committed = run_guarded(&self.path, || {
            engine::transact(&self.db, &self.path, |transaction| {
                let mut writer = Writer::new(transaction, &self.path, self.store_uuid, heads);
                let run = put_learning(&mut writer, learning, self.claim.location.full_runs)?;
                Ok((run, writer.finish()?))
            })
        });
        let (run, changed) = self.watch(committed)?;
        self.unpublished().extend(changed.iter().cloned());
        let changes = CommitChanges { before: &edition, rows: &changed };
        if let Err(error) = self.back_up(changes, &profile, now_ms) {
            // Somebody should know, whatever they asked to be spared.
            tracing::error!("what was stored is safe, but no backup of it could be made: {error}");
        }
        Ok(run)
    }

    /// Makes sure that the run about to be stored counts as not reported. Those before the first mark were told by a program
    /// that set none; a mark beyond the last run is of a history that is no longer there.
    fn begin_to_report(&self, profile: &str) -> Result<(), StoreError> {
        let last = self.read()?.run_ids(profile)?.first().copied().unwrap_or(0);
        match reported::read_mark(self.dir(), profile, &self.store_uuid) {
            Some(mark) if mark.run <= last => Ok(()),
            _ => self.report_done(profile),
        }
    }

    fn back_up(&self, changes: CommitChanges<'_>, profile: &str, now_ms: i64) -> Result<(), StoreError> {
        match self.claim.location.backups {
            0 => Ok(()),
            keep => {
                let kept = (keep, now_ms);
                backup::write_backup(&self.disk, self.dir(), &self.read()?, changes, profile, kept)
            }
        }
    }

    /// Publishes the store for readers: a verified copy that replaces the last one at once.
    pub fn publish_view(&self) -> Result<(), StoreError> {
        let snapshot = self.read()?;
        files::check_free_space(&self.path)?;
        let mut changed = self.unpublished();
        self.watch(run_guarded(&self.path, || {
            let hashes = self.sealing.hashes(&self.disk)?;
            view::publish_copy(&self.disk, self.dir(), &snapshot, &hashes, &changed)
        }))?;
        // What was written was read back, from the disk.
        changed.clear();
        self.sealing.note(true);
        self.stamping.note(true);
        Ok(())
    }

    fn unpublished(&self) -> std::sync::MutexGuard<'_, ChangedRows> {
        self.unpublished.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Publishes the store with a run that was just stored. Where that fails it is said that the run is not lost.
    ///
    /// Errors: those of [`Store::publish_view`]; the next run publishes it then, and reports it
    pub fn publish_run(&self, run: u64) -> Result<(), StoreError> {
        self.publish_view().inspect_err(|_| {
            tracing::error!(
                "run {run} is stored, and could not be published: the next run publishes and reports it"
            );
        })
    }

    /// Writes the store anew, without the space that nothing uses, and puts the verified copy in its place. A copy that is not
    /// smaller is thrown away.
    ///
    /// Errors: whatever happens, one of old and new is there and whole
    pub(super) fn rewrite(self) -> Result<Claim, StoreError> {
        files::check_free_space(&self.path)?;
        let new = self.dir().join(files::STATE_NEW);
        view::write_copy(&self.disk, &self.read()?, &new)?;
        let size = |path: &Path| {
            let found = std::fs::metadata(path).map_err(|error| StoreError::io(path, "look at", error));
            found.map(|found| found.len())
        };
        let smaller = size(&new)? < size(&self.path)?;
        // The lock is let go last.
        let Self { db, disk, path, stamping, sealing, claim, .. } = self;
        drop(db);
        match smaller {
            true => {
                // The seal would be of the file before.
                sealing.note(false);
                files::rename(&disk, &new, &path)
            }
            false => files::remove(&disk, &new),
        }?;
        drop(stamping);
        drop(sealing);
        Ok(claim)
    }

    fn usable(&self) -> Result<(), StoreError> {
        match self.poisoned.load(Ordering::Relaxed) {
            false => Ok(()),
            true => Err(StoreError::Poisoned { path: self.path.clone() }),
        }
    }

    /// Closes the store to further use when the operating system has refused something or a file turned out damaged.
    fn watch<T>(&self, result: Result<T, StoreError>) -> Result<T, StoreError> {
        let result = result.map_err(|error| self.disk.explain(error));
        let refused = matches!(
            result,
            Err(StoreError::Io { .. }
                | StoreError::NoSpace { .. }
                | StoreError::NeedsRepair { .. }
                | StoreError::Poisoned { .. })
        );
        if refused {
            self.poisoned.store(true, Ordering::Relaxed);
            self.sealing.note(false);
        }
        result
    }
}

/// Creates the store beside its final name, so that a file of that name is always complete.
pub(super) fn create(disk: &Disk, dir: &Path, path: &Path, now_ms: i64) -> Result<(), StoreError> {
    files::check_free_space(path)?;
    let new = dir.join(files::STATE_NEW);
    let file = files::create_fresh(disk, &new)?;
    let settled = file.try_clone().map_err(|error| StoreError::io(&new, "open", error))?;
    let meta = MetaRecord {
        store_format: tables::STORE_FORMAT,
        min_reader_format: tables::MIN_READER_FORMAT,
        store_uuid: draw_uuid(),
        app_version: env!("CARGO_PKG_VERSION").to_owned(),
        created_at_ms: now_ms,
    };
    let db = engine::begin_file(disk, &new, file, engine::STATE_CACHE_BYTES)?;
    engine::transact(&db, &new, |transaction: &WriteTransaction| Writer::create(transaction, &new, &meta))?;
    drop(db);
    files::settle_file(disk, &new, &settled)?;
    files::rename(disk, &new, path)
}

/// Returns 128 bits that no other store has. They tell stores apart; they are no secret.
fn draw_uuid() -> [u8; 16] {
    let half = || RandomState::new().hash_one(std::process::id()).to_le_bytes();
    let mut uuid = [0; 16];
    uuid[..8].copy_from_slice(&half());
    uuid[8..].copy_from_slice(&half());
    uuid
}

#[cfg(test)]
mod tests {
    use super::super::View;
    use super::super::envelope::{RowAddress, seal_payload};
    use super::super::records::Record;
    use super::super::seal::{self, BlockHashes, PROOF_DAYS, Seal};
    use super::super::written_blocks::WrittenBlocks;
    use super::*;
    use crate::model::DAY_MS;

    /// Writes a row behind the store's back, with a tag that is right.
    fn insert(path: &Path, table: &tables::TableInfo, key: &str, version: u16, payload: &[u8]) {
        let db = engine::open_state(&Disk::default(), path).expect("whole");
        let meta = Snapshot::begin(&*db, path).and_then(|snapshot| snapshot.meta()).expect("readable");
        let store_uuid = if table.name == "meta" { [0; 16] } else { meta.store_uuid };
        let row = seal_payload(
            RowAddress { store_uuid: &store_uuid, table, key },
            table.record.type_id,
            version,
            payload,
        );
        engine::transact(&db, path, |transaction| {
            let mut open = transaction.open_table(table.definition()).expect("there");
            open.insert(key, row.as_slice()).expect("writable");
            Ok(())
        })
        .expect("committed");
    }

    #[test]
    fn what_a_newer_program_wrote_is_refused_by_writer_and_readers() {
        let parent = tempfile::tempdir().expect("a temporary directory");
        let (formats, rows) = (parent.path().join("formats"), parent.path().join("rows"));
        for (dir, what) in [(&formats, "store format"), (&rows, "row version")] {
            drop(Store::open(dir, 5).expect("a new store"));
            for name in [files::STATE, files::VIEW] {
                let path = dir.join(name);
                if what == "store format" {
                    let db = engine::open_state(&Disk::default(), &path).expect("whole");
                    let meta = Snapshot::begin(&*db, &path).and_then(|s| s.meta()).expect("readable");
                    drop(db);
                    let newer = MetaRecord { store_format: 3, min_reader_format: 2, ..meta };
                    let payload = postcard::to_stdvec(&newer).expect("encodable");
                    insert(&path, &tables::META.info, keys::META_KEY, MetaRecord::VERSION, &payload);
                } else {
                    let key = keys::run_key("default", 1).expect("a key");
                    insert(&path, &tables::RUNS.info, &key, RunRecord::VERSION + 1, b"whatever comes");
                }
            }
            let opened = [Store::open(dir, 6).map(drop), View::open(dir).map(drop)];
            for result in opened {
                let error = result.expect_err("it is newer");
                let known = if what == "store format" { 1 } else { u32::from(RunRecord::VERSION) };
                let StoreError::TooNew { what: said, found, supported, .. } = &error else {
                    panic!("{error}")
                };
                assert_eq!((*said, *found, *supported), (what, known + 1, known), "{error}");
            }
        }
    }

    #[test]
    fn rows_are_proved_a_week_after_the_last_proof_and_by_who_examines_the_store() {
        let parent = tempfile::tempdir().expect("a temporary directory");
        let (dir, path) = (parent.path(), parent.path().join(files::STATE));
        drop(Store::open(dir, 5).expect("a new store"));
        // A row that no head counts, in bytes that a seal vouches for: no start sees it in the bytes.
        let payload = postcard::to_stdvec(&RunRecord::default()).expect("encodable");
        let key = keys::run_key("default", 1).expect("a key");
        insert(&path, &tables::RUNS.info, &key, RunRecord::VERSION, &payload);
        let vouch = || {
            let hashes = BlockHashes::of(&Disk::default(), &path).expect("readable");
            drop(Sealing::new(dir, Seal { hashes, proved_at_ms: 5 }, WrittenBlocks::default()));
        };
        let opened = |now_ms: i64| Store::open(dir, now_ms).map(drop);
        vouch();
        assert!(opened(5).is_ok() && opened(4 + PROOF_DAYS * DAY_MS).is_ok(), "sealed again each time");
        for now_ms in [5 + PROOF_DAYS * DAY_MS, 4, i64::MIN, i64::MAX] {
            vouch();
            let error = opened(now_ms).expect_err("rows are proved");
            assert!(error.to_string().contains("section history has 1 rows"), "{error}");
        }
        vouch();
        let doctor = engine::look_at_state(&path, |_| Ok(())).expect_err("rows are proved");
        assert!(matches!(doctor, StoreError::NeedsRepair { .. }), "{doctor}");
        // A program that knows other formats proves them itself.
        vouch();
        let seal = dir.join(seal::FILE);
        let mut bytes = std::fs::read(&seal).expect("sealed");
        bytes[20] ^= 1;
        std::fs::write(&seal, bytes).expect("written");
        assert!(opened(5).is_err());
    }

    #[test]
    fn nothing_is_written_to_a_full_disk() {
        // The file system there has no free space at all.
        let error = files::check_free_space(Path::new("/proc/self/stat")).expect_err("it is full");
        assert!(
            matches!(error, StoreError::DiskFull { free: 0, needed, .. } if needed == 64 << 20),
            "{error}"
        );
    }

    #[test]
    fn write_transactions_begin_in_one_place() {
        let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store");
        let entries = |folder: PathBuf| {
            std::fs::read_dir(folder).expect("readable").map(|entry| entry.expect("readable").path())
        };
        let below = |path: PathBuf| if path.is_dir() { entries(path).collect() } else { vec![path] };
        let begins = entries(sources).flat_map(below).filter(|path| {
            let text = std::fs::read_to_string(path).expect("text");
            text.contains(concat!(".begin_", "write(")) || text.contains(concat!(".com", "pact("))
        });
        let names: Vec<_> = begins.map(|path| path.file_name().expect("a file").to_owned()).collect();
        assert_eq!(names, ["engine.rs"]);
    }
}
