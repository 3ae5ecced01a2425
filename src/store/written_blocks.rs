//! The blocks of a file that the engine wrote to.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

/// Bytes of a block.
pub(super) const BLOCK_BYTES: u64 = 64 << 10;

/// The blocks of a file that the engine wrote to since somebody asked.
#[derive(Debug, Clone, Default)]
pub(super) struct WrittenBlocks(Arc<Mutex<BlocksWritten>>);

#[derive(Debug, Default)]
pub(super) struct BlocksWritten {
    pub(super) blocks: BTreeSet<u64>,
    /// From here on, because the file was cut or grown there.
    pub(super) from: Option<u64>,
}

impl WrittenBlocks {
    /// Notes bytes that are about to be written.
    pub(super) fn note(&self, offset: u64, bytes: usize) {
        let end = offset.saturating_add(bytes as u64).div_ceil(BLOCK_BYTES);
        self.lock().blocks.extend(offset / BLOCK_BYTES..end);
    }

    /// Notes that the file is about to get another length.
    pub(super) fn note_length(&self, length: u64) {
        let mut written = self.lock();
        let from = length / BLOCK_BYTES;
        written.from = Some(written.from.map_or(from, |before| before.min(from)));
    }

    pub(super) fn lock(&self) -> std::sync::MutexGuard<'_, BlocksWritten> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
