//! The cache: evaluated units of symbol-days in a file of their own, disposable as a whole.
//!
//! Nothing here is the truth: a row that does not verify is no row, a file that cannot be opened or read is removed and
//! rebuilt, and what is missing is evaluated again. Results never depend on what is cached. Only the holder of the run's
//! claim opens it.

mod room;
mod row;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use redb::{
    Database, ReadableDatabase, ReadableTable, ReadableTableMetadata, TableDefinition, WriteTransaction,
};

use self::room::{make_room, remove_units};
use self::row::{seal_row, unit_name, unseal_row};
use super::disk::Disk;
use super::edition::Edition;
use super::engine::{self, DisposableLook, Held};
use super::error::StoreError;
use super::files;
use super::guard::{damaged_error, run_guarded};
use super::location::Location;
use super::look::Watch;
use super::space::Space;

/// The file in the store's directory.
pub(super) use super::file_names::EVALS as FILE;
/// Version of tables and rows; another one begins the file anew.
const FORMAT: u64 = 2;
/// Page cache of evaluated units.
pub const EVALS_CACHE_BYTES: usize = 4 << 20;

/// Where `meta` says for which store it was written last: the halves of its name, the commit, the halves of its content.
const STAMP: [&str; 5] = ["store_1", "store_2", "generation", "content_1", "content_2"];

const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");
const SYMBOLS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("symbols");
const CONTEXTS: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("contexts");
const UNITS: TableDefinition<'_, (&str, u8, i32), &[u8]> = TableDefinition::new("units");
/// Answers by the fingerprint of all they depend on, with when they were last used (UTC ms).
const ANSWERS: TableDefinition<'_, &[u8], (i64, &[u8])> = TableDefinition::new("answers");
/// Answers kept.
const ANSWERS_MAX: usize = 8;
/// Per symbol: when it was last used (UTC ms) and the bytes of its units.
const USED: TableDefinition<'_, &str, (i64, u64)> = TableDefinition::new("used");

/// The file, open to write or to look only.
enum Opened {
    Write(Database),
    /// Without a lock, so that no run waits for who looks, however long he does: what was read counts only while nobody writes.
    Look(DisposableLook, Watch),
}

impl Opened {
    /// Opens a file to look only, as a run would find it.
    fn look(path: &Path) -> Result<Self, StoreError> {
        let watch = Watch::begin(path)?;
        let opened = engine::look_at_disposable(path);
        // What is wrong with a file that somebody writes to is nothing.
        watch.expect_unchanged()?;
        Ok(Self::Look(opened?, watch))
    }

    fn begin_read(&self) -> Result<redb::ReadTransaction, redb::TransactionError> {
        match self {
            Self::Write(db) => db.begin_read(),
            Self::Look(DisposableLook::Closed(db), _) => db.begin_read(),
            Self::Look(DisposableLook::Left(db), _) => db.begin_read(),
        }
    }
}

/// The cache, open.
pub struct Cache {
    db: Held<Opened>,
    disk: Disk,
    /// Set when the system refused something: the engine then refuses everything, and once is enough to be told.
    closed: AtomicBool,
    path: PathBuf,
    budget_bytes: u64,
}

/// A unit's place: style ordinal and day number.
pub type UnitKey = (u8, i32);

/// Rows to write for one symbol, in one transaction.
#[derive(Debug, Clone, Default)]
pub struct CacheBatch {
    /// The symbol's own row.
    pub symbol: Option<Vec<u8>>,
    /// Contexts by their fingerprint.
    pub contexts: Vec<([u8; 32], Vec<u8>)>,
    /// Units to put.
    pub units: Vec<(UnitKey, Vec<u8>)>,
    /// Units to remove.
    pub removed: Vec<UnitKey>,
}

/// How much is cached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CacheSize {
    /// Symbols.
    pub symbols: u64,
    /// Units.
    pub units: u64,
    /// Bytes of the units.
    pub bytes: u64,
    /// The budget for them.
    pub budget_bytes: u64,
}

impl std::fmt::Debug for Cache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cache").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Cache {
    /// Returns whether a directory has a cache.
    pub fn exists(dir: &Path) -> Result<bool, StoreError> {
        files::file_exists(&dir.join(FILE))
    }

    /// Opens the cache of a directory, whatever store it was written for; see [`Cache::open_of`].
    pub fn open(location: impl Into<Location>, budget_bytes: u64) -> Result<Self, StoreError> {
        Self::open_of(location, budget_bytes, None)
    }

    /// Opens the cache of a directory, or begins it. What cannot be used is removed: it can be computed again. So is what
    /// another store evaluated than the one given.
    ///
    /// Errors: the disk refuses even a new file; `Watched` while somebody holds it who only looks at it
    pub fn open_of(
        location: impl Into<Location>,
        budget_bytes: u64,
        store: Option<&Edition>,
    ) -> Result<Self, StoreError> {
        let location = location.into();
        let (disk, path) = (location.disk(), location.dir.join(FILE));
        if files::file_exists(&path)? {
            let opened = Self::open_file(&disk, &path, budget_bytes).and_then(|cache| cache.of_store(store));
            match opened {
                Ok(cache) => return Ok(cache),
                // Nothing is known against it.
                Err(error @ (StoreError::Busy { .. } | StoreError::Watched { .. } | StoreError::Stopped)) => {
                    return Err(error);
                }
                Err(error) => {
                    tracing::warn!("the cache cannot be used and is rebuilt: {error}");
                    // Reading it may have shown the damage, and removed it.
                    if files::file_exists(&path)? {
                        files::remove(&disk, &path)?;
                    }
                }
            }
        }
        Self::open_file(&disk, &path, budget_bytes)
    }

    fn open_file(disk: &Disk, path: &Path, budget_bytes: u64) -> Result<Self, StoreError> {
        let file = files::open_private(disk, path, true)?;
        let is_new = file.metadata().map_err(|error| StoreError::io(path, "look at", error))?.len() == 0;
        let db = run_guarded(path, || engine::begin_file(disk, path, file, EVALS_CACHE_BYTES));
        let db = Held::new(Opened::Write(db.map_err(|error| disk.explain(error))?), path);
        let (disk, closed) = (disk.clone(), AtomicBool::new(false));
        let cache = Self { db, disk, closed, path: path.to_owned(), budget_bytes };
        if is_new {
            cache.transact(|transaction| {
                transaction.open_table(META)?.insert("format", FORMAT)?;
                transaction.open_table(SYMBOLS)?;
                transaction.open_table(CONTEXTS)?;
                transaction.open_table(UNITS)?;
                transaction.open_table(USED)?;
                transaction.open_table(ANSWERS)?;
                Ok(())
            })?;
        }
        cache.of_this_format()
    }

    /// Opens the cache of a directory to look only: nothing of it changes, not even one that cannot be used.
    ///
    /// Returns `None` where there is none, or none that can be used: a run would begin it anew.
    /// Errors: `Busy` while a run has it open
    pub fn look(dir: &Path, budget_bytes: u64) -> Result<Option<Self>, StoreError> {
        let path = dir.join(FILE);
        if !files::file_exists(&path)? {
            return Ok(None);
        }
        let opened = run_guarded(&path, || {
            let db = Opened::look(&path)?;
            Self::looking(db, &path, budget_bytes).of_this_format()
        });
        match opened {
            Ok(cache) => Ok(Some(cache)),
            Err(error @ StoreError::Busy { .. }) => Err(error),
            Err(error @ StoreError::Io { .. }) if !error.is_denied() => Err(error),
            Err(error) => {
                tracing::warn!("the cache cannot be looked at: {error}");
                Ok(None)
            }
        }
    }

    fn looking(db: Opened, path: &Path, budget_bytes: u64) -> Self {
        let (disk, closed) = (Disk::default(), AtomicBool::new(false));
        Self { db: Held::new(db, path), disk, closed, path: path.to_owned(), budget_bytes }
    }

    /// Verifies every row of the cache of a directory, which has to be there; returns how its bytes are used.
    pub(super) fn examine(dir: &Path) -> Result<Space, StoreError> {
        let path = dir.join(FILE);
        run_guarded(&path, || {
            let db = Opened::look(&path)?;
            let cache = Self::looking(db, &path, 0).of_this_format()?;
            let (space, damaged) = cache.read(|transaction| {
                let mut space = Space::default();
                let mut damaged = 0_u64;
                let units = transaction.open_table(UNITS)?;
                for row in units.iter()? {
                    let (key, value) = row?;
                    let (symbol, style, day) = key.value();
                    damaged +=
                        u64::from(unseal_row(&unit_name(symbol, (style, day)), value.value()).is_none());
                }
                space.add(&units.stats()?);
                space.add(&transaction.open_table(META)?.stats()?);
                space.add(&transaction.open_table(SYMBOLS)?.stats()?);
                space.add(&transaction.open_table(CONTEXTS)?.stats()?);
                space.add(&transaction.open_table(USED)?.stats()?);
                space.add(&transaction.open_table(ANSWERS)?.stats()?);
                Ok((space, damaged))
            })?;
            match damaged {
                0 => Ok(space),
                damaged => Err(damaged_error(&path, format!("{damaged} units do not verify"))),
            }
        })
    }

    /// Gives the unused space of the cache of a directory back to the file system. Only the holder of the claim may.
    pub(super) fn compact(dir: &Path) -> Result<(), StoreError> {
        let Self { mut db, path, .. } = Self::open(dir, u64::MAX)?;
        match &mut *db {
            Opened::Write(db) => run_guarded(&path, || engine::compact_disposable(db, &path)),
            Opened::Look(..) => unreachable!("it was opened to write"),
        }
    }

    /// Returns which store the cache of a directory was written for last, and as of which commit; `None` where none says so.
    pub(super) fn stamp_of(dir: &Path) -> Option<Edition> {
        let path = dir.join(FILE);
        let read = || {
            if !files::file_exists(&path)? {
                return Ok(None);
            }
            let db = Opened::look(&path)?;
            Self::looking(db, &path, 0).of_this_format()?.stamp()
        };
        // What cannot be read says nothing; a run begins it anew.
        run_guarded(&path, read).ok()?
    }

    /// Returns which store it was written for last, and as of which commit.
    pub fn stamp(&self) -> Result<Option<Edition>, StoreError> {
        self.read(|transaction| {
            let meta = transaction.open_table(META)?;
            let mut found = [0; STAMP.len()];
            for (value, key) in found.iter_mut().zip(STAMP) {
                let Some(row) = meta.get(key)? else { return Ok(None) };
                *value = row.value();
            }
            let [first, second, generation, third, fourth] = found;
            let halves = |a: u64, b: u64| (u128::from(a) << 64 | u128::from(b)).to_be_bytes();
            Ok(Some(Edition {
                store_uuid: halves(first, second),
                generation,
                content: halves(third, fourth),
            }))
        })
    }

    /// Notes for which store, and as of which commit, it was written.
    pub fn put_stamp(&self, edition: &Edition) -> Result<(), StoreError> {
        if self.closed.load(Ordering::Relaxed) {
            return Ok(());
        }
        let (uuid, content) = (u128::from_be_bytes(edition.store_uuid), u128::from_be_bytes(edition.content));
        let values =
            [(uuid >> 64) as u64, uuid as u64, edition.generation, (content >> 64) as u64, content as u64];
        self.transact(|transaction| {
            let mut meta = transaction.open_table(META)?;
            STAMP.iter().zip(values).try_for_each(|(key, value)| meta.insert(*key, value).map(drop))?;
            Ok(())
        })
    }

    /// Refuses what another store evaluated. One that is not known yet may be any.
    fn of_store(self, store: Option<&Edition>) -> Result<Self, StoreError> {
        let stamp = self.stamp()?;
        match stamp.zip(store) {
            Some((stamp, store)) if stamp.store_uuid != store.store_uuid => {
                Err(damaged_error(&self.path, "another store evaluated what it holds"))
            }
            _ => Ok(self),
        }
    }

    fn of_this_format(self) -> Result<Self, StoreError> {
        let format =
            self.read(|transaction| Ok(transaction.open_table(META)?.get("format")?.map(|f| f.value())))?;
        match format {
            Some(FORMAT) => Ok(self),
            found => {
                Err(damaged_error(&self.path, format!("cache format {FORMAT} expected, found {found:?}")))
            }
        }
    }

    /// Returns a symbol's own row, if there is one that verifies.
    pub fn symbol(&self, symbol: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.read(|transaction| {
            let row = transaction.open_table(SYMBOLS)?.get(symbol)?;
            Ok(row.and_then(|row| unseal_row(symbol.as_bytes(), row.value()).map(<[u8]>::to_vec)))
        })
    }

    /// Calls back for every cached unit of a symbol and style, days ascending; with `None` for a row that does not
    /// verify. Rows are read in place, none is kept.
    pub fn for_each_unit(
        &self,
        symbol: &str,
        style: u8,
        mut visit: impl FnMut(i32, Option<&[u8]>),
    ) -> Result<(), StoreError> {
        self.read(|transaction| {
            let units = transaction.open_table(UNITS)?;
            for row in units.range((symbol, style, i32::MIN)..=(symbol, style, i32::MAX))? {
                let (key, value) = row?;
                let day = key.value().2;
                visit(day, unseal_row(&unit_name(symbol, (style, day)), value.value()));
            }
            Ok(())
        })
    }

    /// Returns a unit, if there is one that verifies.
    pub fn unit(&self, symbol: &str, key: UnitKey) -> Result<Option<Vec<u8>>, StoreError> {
        self.read(|transaction| {
            let row = transaction.open_table(UNITS)?.get((symbol, key.0, key.1))?;
            Ok(row.and_then(|row| unseal_row(&unit_name(symbol, key), row.value()).map(<[u8]>::to_vec)))
        })
    }

    /// Returns the contexts that verify, by fingerprint.
    pub fn contexts(&self) -> Result<BTreeMap<[u8; 32], Vec<u8>>, StoreError> {
        self.read(|transaction| {
            let mut contexts = BTreeMap::new();
            for row in transaction.open_table(CONTEXTS)?.iter()? {
                let (key, value) = row?;
                let verified = unseal_row(key.value(), value.value());
                if let (Ok(key), Some(bytes)) = (<[u8; 32]>::try_from(key.value()), verified) {
                    contexts.insert(key, bytes.to_vec());
                }
            }
            Ok(contexts)
        })
    }

    /// Returns how much is cached.
    pub fn size(&self) -> Result<CacheSize, StoreError> {
        self.read(|transaction| {
            let mut size = CacheSize { budget_bytes: self.budget_bytes, ..CacheSize::default() };
            for row in transaction.open_table(USED)?.iter()? {
                size.symbols += 1;
                size.bytes += row?.1.value().1;
            }
            size.units = transaction.open_table(UNITS)?.len()?;
            Ok(size)
        })
    }

    /// Returns when rows were last written; UTC ms.
    pub fn last_written_ms(&self) -> Result<Option<i64>, StoreError> {
        self.read(|transaction| {
            let mut last = None;
            for row in transaction.open_table(USED)?.iter()? {
                last = last.max(Some(row?.1.value().0));
            }
            Ok(last)
        })
    }

    /// Writes a symbol's rows and, in the same transaction, makes room for them. Returns how many units were evicted.
    /// Does nothing after an error of the system.
    pub fn put(&self, symbol: &str, batch: &CacheBatch, now_ms: i64) -> Result<u64, StoreError> {
        if self.closed.load(Ordering::Relaxed) {
            return Ok(0);
        }
        self.transact(|transaction| {
            if let Some(row) = &batch.symbol {
                let sealed = seal_row(symbol.as_bytes(), row);
                transaction.open_table(SYMBOLS)?.insert(symbol, sealed.as_slice())?;
            }
            for (key, row) in &batch.contexts {
                let sealed = seal_row(key, row);
                transaction.open_table(CONTEXTS)?.insert(key.as_slice(), sealed.as_slice())?;
            }
            let mut used = transaction.open_table(USED)?;
            let mut bytes = used.get(symbol)?.map_or(0, |row| row.value().1);
            {
                let mut units = transaction.open_table(UNITS)?;
                for (style, day) in &batch.removed {
                    let old = units.remove((symbol, *style, *day))?;
                    bytes -= old.map_or(0, |row| row.value().len() as u64).min(bytes);
                }
                for ((style, day), row) in &batch.units {
                    let sealed = seal_row(&unit_name(symbol, (*style, *day)), row);
                    bytes += sealed.len() as u64;
                    let old = units.insert((symbol, *style, *day), sealed.as_slice())?;
                    bytes -= old.map_or(0, |row| row.value().len() as u64).min(bytes);
                }
            }
            used.insert(symbol, (now_ms, bytes))?;
            drop(used);
            make_room(transaction, symbol, self.budget_bytes)
        })
    }

    /// Returns the answer to a question, if there is one that verifies.
    pub fn answer(&self, question: &[u8; 32]) -> Result<Option<Vec<u8>>, StoreError> {
        self.read(|transaction| {
            let row = transaction.open_table(ANSWERS)?.get(question.as_slice())?;
            Ok(row.and_then(|row| unseal_row(question, row.value().1).map(<[u8]>::to_vec)))
        })
    }

    /// Keeps an answer; the one that was written first makes room. Does nothing after an error of the system.
    pub fn keep_answer(&self, question: &[u8; 32], answer: &[u8], now_ms: i64) -> Result<(), StoreError> {
        if self.closed.load(Ordering::Relaxed) {
            return Ok(());
        }
        self.transact(|transaction| {
            let mut answers = transaction.open_table(ANSWERS)?;
            answers.insert(question.as_slice(), (now_ms, seal_row(question, answer).as_slice()))?;
            let mut kept: Vec<(i64, Vec<u8>)> = Vec::new();
            for row in answers.iter()? {
                let (key, value) = row?;
                kept.push((value.value().0, key.value().to_vec()));
            }
            kept.sort();
            for (_, key) in kept.iter().take(kept.len().saturating_sub(ANSWERS_MAX)) {
                answers.remove(key.as_slice())?;
            }
            Ok(())
        })
    }

    /// Forgets a symbol's units, and every answer: one of them rests on these units.
    ///
    /// Errors: the disk refuses it; a damaged file is removed as a whole instead
    pub fn forget(&self, symbol: &str) -> Result<(), StoreError> {
        let forgotten = self.transact(|transaction| {
            transaction.open_table(ANSWERS)?.retain(|_, _| false)?;
            transaction.open_table(SYMBOLS)?.remove(symbol)?;
            remove_units(transaction, symbol)?;
            Ok(())
        });
        match forgotten {
            Err(error) if !error.is_unreadable() => Err(error),
            _ => Ok(()),
        }
    }

    /// Reads something; what cannot be read is not there.
    fn read<T: Default>(
        &self,
        work: impl FnOnce(&redb::ReadTransaction) -> Result<T, redb::Error>,
    ) -> Result<T, StoreError> {
        if self.closed.load(Ordering::Relaxed) {
            return Ok(T::default());
        }
        let done = run_guarded(&self.path, || {
            let transaction =
                self.db.begin_read().map_err(|error| StoreError::engine(&self.path, "begin", error))?;
            work(&transaction).map_err(|error| StoreError::engine(&self.path, "read", error))
        });
        if let Opened::Look(_, watch) = &*self.db {
            watch.expect_unchanged()?;
            return done;
        }
        Ok(done.unwrap_or_else(|error| {
            let error = self.give_up(error);
            tracing::warn!("what earlier runs evaluated cannot be read and is evaluated again: {error}");
            T::default()
        }))
    }

    /// Uses the cache no more; the next run begins a damaged one anew.
    fn give_up(&self, error: StoreError) -> StoreError {
        self.closed.store(true, Ordering::Relaxed);
        if error.is_unreadable()
            && let Err(error) = files::remove(&self.disk, &self.path)
        {
            tracing::warn!("the damaged cache cannot be removed: {error}");
        }
        self.disk.explain(error)
    }

    fn transact<T>(
        &self,
        work: impl FnOnce(&WriteTransaction) -> Result<T, redb::Error>,
    ) -> Result<T, StoreError> {
        let Opened::Write(db) = &*self.db else {
            return Err(StoreError::io(&self.path, "write", std::io::ErrorKind::ReadOnlyFilesystem));
        };
        let done = run_guarded(&self.path, || {
            engine::transact(db, &self.path, |transaction| {
                work(transaction).map_err(|error| StoreError::engine(&self.path, "write", error))
            })
        });
        done.map_err(|error| self.give_up(error))
    }
}

#[cfg(test)]
mod tests;
