//! Which store a file is of, and as of which commit: the files of a store are held against each other by it.

/// Which store a file is of, and as of which commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Edition {
    /// The store.
    pub store_uuid: [u8; 16],
    /// Commits of the store; a restored one counts on from the highest number that was known.
    pub generation: u64,
    /// A hash over what the heads of all sections count: two files with the same one hold the same rows.
    pub content: [u8; 16],
}

/// How a file stands to the authoritative one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It is of the same commit.
    Same,
    /// It is of an earlier commit.
    Behind,
    /// It is of a later commit: the authoritative file is an older one that was put back.
    Ahead,
    /// It is of the same number but another commit: an older file was put back and run on.
    Parted,
    /// It is of another store.
    Foreign,
}

impl Edition {
    /// Returns how a file of this edition stands to the authoritative one.
    pub fn against(&self, state: &Self) -> Standing {
        match self.generation.cmp(&state.generation) {
            _ if self.store_uuid != state.store_uuid => Standing::Foreign,
            _ if self.content == state.content => Standing::Same,
            std::cmp::Ordering::Less => Standing::Behind,
            std::cmp::Ordering::Greater => Standing::Ahead,
            std::cmp::Ordering::Equal => Standing::Parted,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn editions_are_told_apart() {
        let state = Edition { store_uuid: [1; 16], generation: 5, content: [5; 16] };
        let of = |generation, content| Edition { generation, content: [content; 16], ..state };
        assert_eq!(of(5, 5).against(&state), Standing::Same);
        assert_eq!(of(4, 4).against(&state), Standing::Behind);
        assert_eq!(of(6, 6).against(&state), Standing::Ahead);
        assert_eq!(of(5, 6).against(&state), Standing::Parted);
        assert_eq!(Edition { store_uuid: [2; 16], ..state }.against(&state), Standing::Foreign);
    }
}
