//! How the bytes of a file are used.

/// How the bytes of a file are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Space {
    /// Keys and rows.
    pub stored: u64,
    /// What the engine needs to find them.
    pub metadata: u64,
    /// Unused parts of pages in use.
    pub fragmented: u64,
}

impl Space {
    /// Adds what the engine says of a table.
    pub(super) fn add(&mut self, table: &redb::TableStats) {
        self.stored += table.stored_bytes();
        self.metadata += table.metadata_bytes();
        self.fragmented += table.fragmented_bytes();
    }
}
