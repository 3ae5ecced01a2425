//! The bytes of the authoritative file as they were when it was closed and known to be whole, so that the next start need not
//! read every row again to know that they still are.
//!
//! A seal holds a hash of every block of the file, when every row of it was last proved, and what this program knows of tables
//! and rows. The next start reads the whole file against it: bytes that are those that were proved are proved. Where any of it
//! does not fit, or the last proof of rows is a week old, every row is proved as if there were no seal; so it decides what a
//! start costs and never what is believed. Who opens the file removes it first, so that a killed run leaves none.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use rustix::fs::OFlags;

use super::disk::{Disk, Step};
use super::error::StoreError;
use super::files;
use super::tables;
use super::written_blocks::{BLOCK_BYTES, WrittenBlocks};
use crate::model::DAY_MS;

/// The seal, beside the store.
pub(super) const FILE: &str = "state.seal";
/// Days after which every row is proved again, whatever the seal says.
pub const PROOF_DAYS: i64 = 7;
/// What it begins with.
const MAGIC: &[u8] = b"retune seal 1\n";
const HASH_BYTES: usize = 32;
/// More than this is no seal: that of a file of 64 GiB.
const BYTES_MAX: u64 = 32 << 20;

type Hash = [u8; HASH_BYTES];

/// A hash of every block of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct BlockHashes {
    length: u64,
    blocks: Vec<Hash>,
}

impl BlockHashes {
    /// Reads a whole file.
    pub(super) fn of(disk: &Disk, path: &Path) -> Result<Self, StoreError> {
        let file = open(path)?;
        let length = length(path, &file)?;
        let mut buffer = vec![0; BLOCK_BYTES as usize];
        let blocks = (0..length.div_ceil(BLOCK_BYTES))
            .map(|number| hash_block(disk, path, &file, length, number, &mut buffer));
        Ok(Self { length, blocks: blocks.collect::<Result<_, _>>()? })
    }

    /// Returns the hashes of the file as it is now, when nothing but some of its blocks was written since.
    pub(super) fn renewed(
        &self,
        disk: &Disk,
        path: &Path,
        written: &WrittenBlocks,
    ) -> Result<Self, StoreError> {
        let file = open(path)?;
        let length = length(path, &file)?;
        let mut buffer = vec![0; BLOCK_BYTES as usize];
        let written = written.lock();
        let mut blocks = Vec::new();
        for number in 0..length.div_ceil(BLOCK_BYTES) {
            let is_written =
                written.blocks.contains(&number) || written.from.is_some_and(|from| number >= from);
            let known = self.blocks.get(number as usize).filter(|_| !is_written);
            blocks.push(match known {
                Some(known) => *known,
                None => hash_block(disk, path, &file, length, number, &mut buffer)?,
            });
        }
        Ok(Self { length, blocks })
    }

    /// Reads a whole file and returns whether its bytes are these.
    pub(super) fn is_of(&self, disk: &Disk, path: &Path) -> Result<bool, StoreError> {
        let file = open(path)?;
        let length = length(path, &file)?;
        if length != self.length || length.div_ceil(BLOCK_BYTES) != self.blocks.len() as u64 {
            return Ok(false);
        }
        let mut buffer = vec![0; BLOCK_BYTES as usize];
        for (number, known) in (0..).zip(&self.blocks) {
            if hash_block(disk, path, &file, length, number, &mut buffer)? != *known {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

fn hash_block(
    disk: &Disk,
    path: &Path,
    file: &File,
    length: u64,
    number: u64,
    buffer: &mut [u8],
) -> Result<Hash, StoreError> {
    disk.pass(path, "read", Step::Read)?;
    let start = number * BLOCK_BYTES;
    let part = &mut buffer[..(length - start).min(BLOCK_BYTES) as usize];
    file.read_exact_at(part, start).map_err(|error| StoreError::io(path, "read", error))?;
    Ok(blake3::hash(part).into())
}

/// Opens a file to read it, never through a symbolic link.
pub(super) fn open(path: &Path) -> Result<File, StoreError> {
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits() as i32;
    let opened = OpenOptions::new().read(true).custom_flags(flags).open(path);
    opened.map_err(|error| StoreError::io(path, "open", error))
}

fn length(path: &Path, file: &File) -> Result<u64, StoreError> {
    file.metadata().map(|found| found.len()).map_err(|error| StoreError::io(path, "look at", error))
}

/// What a file looked like when it was closed, and when every row of it was proved last; UTC ms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seal {
    pub hashes: BlockHashes,
    pub proved_at_ms: i64,
}

impl Seal {
    /// Takes the seal of a directory away and returns what it says, if it is one of this program.
    pub(super) fn take(dir: &Path) -> Option<Self> {
        let path = dir.join(FILE);
        let found = read(&path);
        // Where it cannot be removed it does not hold any more as soon as something is changed.
        let _ = fs::remove_file(&path);
        found.and_then(|bytes| Self::parse(&bytes))
    }

    /// Returns whether a file is as it was, and its rows were proved not too long ago.
    pub(super) fn holds(&self, disk: &Disk, path: &Path, now_ms: i64) -> Result<bool, StoreError> {
        let age_ms = now_ms.saturating_sub(self.proved_at_ms);
        match (0..PROOF_DAYS * DAY_MS).contains(&age_ms) {
            true => self.hashes.is_of(disk, path),
            false => Ok(false),
        }
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = [MAGIC, &tables::known_formats(), &self.proved_at_ms.to_le_bytes()].concat();
        bytes.extend(self.hashes.length.to_le_bytes());
        bytes.extend(self.hashes.blocks.iter().flatten());
        let hash: Hash = blake3::hash(&bytes).into();
        bytes.extend(hash);
        bytes
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let (body, hash) = bytes.split_last_chunk::<HASH_BYTES>()?;
        if Hash::from(blake3::hash(body)) != *hash {
            return None;
        }
        let rest = body.strip_prefix(MAGIC)?.strip_prefix(&tables::known_formats()[..])?;
        let (proved_at_ms, rest) = rest.split_first_chunk::<8>()?;
        let (length, rest) = rest.split_first_chunk::<8>()?;
        let (blocks, rest) = rest.as_chunks::<HASH_BYTES>();
        let hashes = BlockHashes { length: u64::from_le_bytes(*length), blocks: blocks.to_vec() };
        let seal = Self { hashes, proved_at_ms: i64::from_le_bytes(*proved_at_ms) };
        rest.is_empty().then_some(seal)
    }
}

fn read(path: &Path) -> Option<Vec<u8>> {
    let file = open(path).ok()?;
    let found = file.metadata().ok().filter(|found| found.is_file() && found.len() <= BYTES_MAX)?;
    let mut bytes = Vec::with_capacity(found.len() as usize);
    file.take(BYTES_MAX).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

/// Seals the store when it is dropped, if it is known to be whole then. It stands in the store behind the database, which is
/// closed by then, and before the lock.
#[derive(Debug)]
pub(super) struct Sealing {
    dir: PathBuf,
    seal: Seal,
    written: WrittenBlocks,
    is_whole: Mutex<bool>,
}

impl Sealing {
    /// Begins with a file whose bytes are known and proved.
    pub(super) fn new(dir: &Path, seal: Seal, written: WrittenBlocks) -> Self {
        Self { dir: dir.to_owned(), seal, written, is_whole: Mutex::new(true) }
    }

    /// Notes whether what was written since is known to be what was meant.
    pub(super) fn note(&self, is_whole: bool) {
        *self.is_whole.lock().unwrap_or_else(PoisonError::into_inner) = is_whole;
    }

    /// Returns the hashes of the file as it is now.
    pub(super) fn hashes(&self, disk: &Disk) -> Result<BlockHashes, StoreError> {
        self.seal.hashes.renewed(disk, &self.dir.join(files::STATE), &self.written)
    }

    fn write(&self) -> io::Result<()> {
        let hashes = self.hashes(&Disk::default()).map_err(io::Error::other)?;
        let bytes = Seal { hashes, ..self.seal.clone() }.bytes();
        let (path, new) = (self.dir.join(FILE), self.dir.join(files::SEAL_NEW));
        let _ = fs::remove_file(&new);
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
        let _ = files::hand_over(&new);
        file.write_all(&bytes)?;
        fs::rename(&new, &path)
    }
}

impl Drop for Sealing {
    fn drop(&mut self) {
        if *self.is_whole.lock().unwrap_or_else(PoisonError::into_inner)
            && let Err(error) = self.write()
        {
            tracing::debug!(%error, "the next start proves every row of the store");
        }
    }
}
