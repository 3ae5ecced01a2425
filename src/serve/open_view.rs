//! The published view, kept open while it is the one that has its name, and the answers that were drawn of it.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use lru::LruCache;

use super::answer::Answer;
use crate::store::{StoreError, View};

/// Bytes of answers that are kept.
pub(super) const LIBRARY_BYTES_MAX: usize = 2 << 20;
/// How long what cannot be opened is left alone, and how often the store itself is glanced at; ms.
const RETRY_AFTER_MS: i64 = 1_000;
const GLANCE_AFTER_MS: i64 = 30_000;

/// What changes when a file is another one.
type FileTrace = Option<(u64, i64, i64, u64)>;

fn trace(path: &Path) -> FileTrace {
    let found = fs::symlink_metadata(path).ok()?;
    Some((found.ino(), found.ctime(), found.ctime_nsec(), found.len()))
}

/// The view of a store.
pub(super) struct OpenView {
    dir: PathBuf,
    view: Option<(View, String)>,
    seen: [FileTrace; 2],
    looked_at_ms: i64,
    failure: Option<String>,
    /// Times that another view was opened than the first.
    pub(super) reopened: u64,
    has_opened: bool,
}

/// Why there is nothing to show.
#[derive(Debug)]
pub(super) enum Closed {
    /// No run was published yet.
    NoStore,
    /// It cannot be read.
    Unreadable(String),
}

impl OpenView {
    pub(super) fn new(dir: &Path) -> Self {
        Self {
            dir: dir.to_owned(),
            view: None,
            seen: [None; 2],
            looked_at_ms: i64::MIN,
            failure: None,
            reopened: 0,
            has_opened: false,
        }
    }

    /// Opens the view unless the one that is open is still the published one; returns whether it is another.
    pub(super) fn refresh(&mut self, now_ms: i64) -> bool {
        let found = [trace(&self.dir.join("view.redb")), trace(&self.dir.join("state.redb"))];
        let is_other = self.view.is_none() || self.seen[0] != found[0];
        let since_ms = now_ms.saturating_sub(self.looked_at_ms);
        let waited = match (self.failure.is_some() && self.seen[0] == found[0], is_other) {
            (true, _) => since_ms >= RETRY_AFTER_MS,
            (false, true) => true,
            // A run that was stored and interrupted before it was published is told.
            (false, false) => self.seen[1] != found[1] && since_ms >= GLANCE_AFTER_MS,
        };
        if !waited {
            return false;
        }
        self.looked_at_ms = now_ms;
        let is_new_file = self.seen[0] != found[0];
        self.seen = found;
        match open(&self.dir) {
            Ok(opened) => {
                self.reopened += u64::from(self.has_opened && is_new_file);
                self.has_opened = true;
                self.view = Some(opened);
                self.failure = None;
                true
            }
            Err(StoreError::NoStore { .. } | StoreError::Unpublished { .. }) => {
                self.failure = None;
                self.view.take().is_some()
            }
            // What was shown before was sound when it was opened, and still is what was published then.
            Err(error) => {
                self.failure = Some(error.to_string());
                false
            }
        }
    }

    /// Returns the view and the name of what it holds.
    pub(super) fn get(&self) -> Result<(&View, &str), Closed> {
        match (&self.view, &self.failure) {
            (Some((view, tag)), _) => Ok((view, tag)),
            (None, Some(failure)) => Err(Closed::Unreadable(failure.clone())),
            (None, None) => Err(Closed::NoStore),
        }
    }

    /// Returns why what is shown is not what is on the disk.
    pub(super) fn failure(&self) -> Option<&str> {
        self.failure.as_deref()
    }

    /// Closes it until it is asked for.
    pub(super) fn close(&mut self) {
        self.view = None;
    }

    pub(super) fn is_open(&self) -> bool {
        self.view.is_some()
    }
}

fn open(dir: &Path) -> Result<(View, String), StoreError> {
    let view = View::open_for_a_look(dir)?;
    let edition = view.read()?.edition()?;
    let content: String = edition.content.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    let tag = format!("{}-{content}{}", edition.generation, if view.is_pending() { "-pending" } else { "" });
    Ok((view, tag))
}

/// Answers that were drawn, by what was asked; what was seen longest ago makes room.
pub(super) struct PageLibrary {
    kept: LruCache<String, (Answer, i64)>,
    pub(super) bytes: usize,
    pub(super) hits: u64,
    pub(super) misses: u64,
}

impl PageLibrary {
    pub(super) fn new() -> Self {
        Self { kept: LruCache::unbounded(), bytes: 0, hits: 0, misses: 0 }
    }

    /// Returns an answer that was drawn before and is not too old.
    pub(super) fn get(&mut self, key: &str, now_ms: i64) -> Option<Answer> {
        let found =
            self.kept.get(key).filter(|(_, until_ms)| now_ms < *until_ms).map(|(answer, _)| answer.clone());
        match found {
            Some(_) => self.hits += 1,
            None => self.misses += 1,
        }
        found
    }

    pub(super) fn put(&mut self, key: String, answer: &Answer, until_ms: i64) {
        let size = |key: &str, answer: &Answer| key.len() + answer.body.len() + 256;
        let own = size(&key, answer);
        if own > LIBRARY_BYTES_MAX / 2 {
            return;
        }
        if let Some((old, _)) = self.kept.pop(&key) {
            self.bytes -= size(&key, &old);
        }
        while self.bytes + own > LIBRARY_BYTES_MAX {
            let Some((key, (old, _))) = self.kept.pop_lru() else { break };
            self.bytes -= size(&key, &old);
        }
        self.bytes += own;
        self.kept.put(key, (answer.clone(), until_ms));
    }

    pub(super) fn clear(&mut self) {
        self.kept = LruCache::unbounded();
        self.bytes = 0;
    }

    pub(super) fn len(&self) -> usize {
        self.kept.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serve::answer::TEXT;

    #[test]
    fn answers_make_room_for_answers() {
        let mut library = PageLibrary::new();
        let answer = |length: usize| Answer::ok(TEXT, "x".repeat(length));
        library.put("large".to_owned(), &answer(LIBRARY_BYTES_MAX), i64::MAX);
        assert_eq!((library.len(), library.bytes), (0, 0), "too large to be kept");
        for number in 0..100 {
            library.put(number.to_string(), &answer(100_000), 10);
            assert!(library.bytes <= LIBRARY_BYTES_MAX);
        }
        assert!(library.len() >= 20 && library.get("99", 9).is_some() && library.get("0", 9).is_none());
        assert!(library.get("99", 10).is_none(), "too old");
        library.put("99".to_owned(), &answer(1), 20);
        assert!(library.get("99", 19).is_some_and(|answer| answer.body.len() == 1));
        library.clear();
        assert_eq!((library.len(), library.bytes), (0, 0));
    }
}
