//! Where earlier results lie: the claim on the store's directory and the cache in it.
//!
//! Both are taken at the start where the directory exists, and made with the first result where it does not, so that a
//! run that finds nothing leaves nothing.

use std::sync::{Mutex, OnceLock, PoisonError};

use crate::store::{Cache, Claim, Edition, Location, Store, StoreError};

/// The claim, from hand to hand.
#[derive(Debug)]
enum ClaimState {
    NotYet,
    Here(Claim),
    /// The open store has it.
    WithStore,
    /// Nobody takes it: this is only a look.
    Never,
}

/// A claim on a directory and its cache.
#[derive(Debug)]
pub(crate) struct StoreHandle {
    location: Location,
    cache_bytes: u64,
    now_ms: i64,
    claim: Mutex<ClaimState>,
    cache: OnceLock<Option<Cache>>,
}

impl StoreHandle {
    /// Takes what is there; keeps other writers out of a directory that exists, and publishes what an interrupted run left
    /// unpublished.
    pub(crate) fn open(location: Location, cache_bytes: u64, now_ms: i64) -> Result<Self, StoreError> {
        let exists = location.dir.exists();
        let shelf = Self {
            location,
            cache_bytes,
            now_ms,
            claim: Mutex::new(ClaimState::NotYet),
            cache: OnceLock::new(),
        };
        if exists {
            shelf.begin()?;
        }
        Ok(shelf)
    }

    /// Looks at what is there; nothing is made, changed or kept from others.
    pub(crate) fn look(location: Location, cache_bytes: u64, now_ms: i64) -> Result<Self, StoreError> {
        let found = if cache_bytes > 0 { Cache::look(&location.dir, cache_bytes)? } else { None };
        Ok(Self {
            location,
            cache_bytes,
            now_ms,
            claim: Mutex::new(ClaimState::Never),
            cache: OnceLock::from(found),
        })
    }

    /// Returns the cache, if there is one already.
    pub(crate) fn cache(&self) -> Option<&Cache> {
        self.cache.get()?.as_ref()
    }

    /// Returns the cache, made if need be; `None` where none is wanted.
    pub(crate) fn begin(&self) -> Result<Option<&Cache>, StoreError> {
        let mut claim = self.claim.lock().unwrap_or_else(PoisonError::into_inner);
        let mut store = None;
        if matches!(*claim, ClaimState::NotYet) {
            let taken = Store::claim(self.location.clone(), self.now_ms)?.publish_what_waits(self.now_ms)?;
            store = taken.edition();
            *claim = ClaimState::Here(taken);
        }
        if self.cache.get().is_none() {
            let wanted = (self.cache_bytes > 0).then(|| self.open_cache(store.as_ref()));
            // Only the holder of the claim's mutex sets it.
            let _ = self.cache.set(wanted.transpose()?.flatten());
        }
        Ok(self.cache())
    }

    /// Opens the cache; one that may not be read or written is done without, because it changes no result.
    fn open_cache(&self, store: Option<&Edition>) -> Result<Option<Cache>, StoreError> {
        let cache = match Cache::open_of(self.location.clone(), self.cache_bytes, store) {
            Ok(cache) => cache,
            Err(error) if error.is_denied() => {
                tracing::warn!("the cache is done without, everything is evaluated: {error}");
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        let later = cache.stamp()?.zip(store).filter(|(stamp, store)| stamp.generation > store.generation);
        if let Some((stamp, store)) = later {
            // Somebody should know, whatever they asked to be spared.
            tracing::error!(
                "the store ends before its cache does: it is at commit {}, the cache is of commit {}; if an older one was put \
                 back by mistake, `optimizer restore` lists newer backups",
                store.generation,
                stamp.generation
            );
        }
        Ok(Some(cache))
    }

    /// Notes in the cache which store it belongs to, and as of which commit.
    pub(crate) fn stamp(&self, store: &Store) {
        let Some(cache) = self.cache() else { return };
        let stamped = store.read().and_then(|snapshot| snapshot.edition());
        if let Err(error) = stamped.and_then(|edition| cache.put_stamp(&edition)) {
            tracing::debug!(%error, "the cache does not say to which commit it belongs");
        }
    }

    /// Opens the store under the claim.
    pub(crate) fn store(&self) -> Result<Store, StoreError> {
        self.begin()?;
        let mut hold = self.claim.lock().unwrap_or_else(PoisonError::into_inner);
        match std::mem::replace(&mut *hold, ClaimState::WithStore) {
            ClaimState::Here(claim) => claim.open(self.now_ms),
            ClaimState::NotYet | ClaimState::WithStore | ClaimState::Never => {
                unreachable!("a run opens its store once, after claiming it")
            }
        }
    }
}
