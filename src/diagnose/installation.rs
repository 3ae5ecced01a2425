//! What an installation takes and has left on its disk, and what waits to be told.

use std::path::Path;

use serde::de::IgnoredAny;

use crate::ingest::read_whole;
use crate::store::{StoreSizes, store_sizes};

/// The file of what could not be sent yet, in the store's directory; there in a program that sends nothing, too.
const QUEUE_FILE: &str = "notify-queue.json";
/// More than this is not read of it.
const QUEUE_BYTES_MAX: u64 = 16 << 20;

/// An installation as its disk shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Installation {
    /// Bytes of the store.
    pub sizes: StoreSizes,
    /// Free bytes beside the store; `None` where the system does not say.
    pub free_bytes: Option<u64>,
    /// Messages that wait to be sent; `None` where their file cannot be read.
    pub queue_length: Option<u64>,
}

/// Looks at the directory of a store; changes nothing and opens no database.
pub fn look_at(dir: &Path) -> Installation {
    let free = rustix::fs::statvfs(dir).ok().map(|stat| stat.f_bavail.saturating_mul(stat.f_frsize));
    Installation { sizes: store_sizes(dir), free_bytes: free, queue_length: queue_length(dir) }
}

fn queue_length(dir: &Path) -> Option<u64> {
    match read_whole(&dir.join(QUEUE_FILE), QUEUE_BYTES_MAX) {
        Ok(bytes) => serde_json::from_slice::<Vec<IgnoredAny>>(&bytes).ok().map(|list| list.len() as u64),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Some(0),
        Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_is_counted_and_what_cannot_be_read_is_not_nothing() {
        let dir = tempfile::tempdir().expect("a folder");
        let queue = |text: &str| {
            std::fs::write(dir.path().join(QUEUE_FILE), text).expect("written");
            look_at(dir.path()).queue_length
        };
        assert_eq!(look_at(dir.path()).queue_length, Some(0));
        assert_eq!(queue(r#"[{"channel": "email"}, {"channel": "bark"}]"#), Some(2));
        assert_eq!(queue("[{"), None);
        std::fs::write(dir.path().join("state.redb"), [0; 100]).expect("written");
        let found = look_at(dir.path());
        assert_eq!((found.sizes.state, found.sizes.evals), (100, 0));
        assert!(found.free_bytes > Some(0));
        assert_eq!(look_at(&dir.path().join("none")).sizes, StoreSizes::default());
    }

    #[test]
    #[cfg(feature = "notify")]
    fn the_queue_is_that_of_the_messages() {
        assert_eq!(QUEUE_FILE, crate::notify::QUEUE_FILE);
    }
}
