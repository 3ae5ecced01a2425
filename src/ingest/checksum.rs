//! SHA-256 digests as public archives put them beside their files: `X.CHECKSUM` holds `<64 hex digits>  X`.
//!
//! A digest covers the bytes as stored. It is compared before anything is decoded; where there is none, nothing is
//! verified (zip and gzip carry checksums of their own).

use std::fs;
use std::io::{self, Read};
use std::path::Path;
use std::sync::{Arc, OnceLock};

use sha2::{Digest as _, Sha256};

use super::error::IngestError;
use super::opening::{not_regular, open_source};
use super::rejection::Rejection;
use super::report::excerpt_of_bytes;

/// A SHA-256 digest.
pub(super) type Digest = [u8; 32];

/// The digest that stands beside a file, and what came of comparing it: once for all symbols that read the file.
#[derive(Debug, Clone)]
pub(super) struct Claimed {
    pub(super) digest: Digest,
    verdict: Arc<OnceLock<Result<(), Rejection>>>,
}

impl PartialEq for Claimed {
    fn eq(&self, other: &Self) -> bool {
        self.digest == other.digest
    }
}

impl Eq for Claimed {}

impl Claimed {
    fn new(digest: Digest) -> Self {
        Self { digest, verdict: Arc::default() }
    }

    /// Compares a file with its digest, unless that has been done; see [`verify_checksum`].
    pub(super) fn verify(&self, path: &Path) -> Result<Result<(), Rejection>, IngestError> {
        if let Some(verdict) = self.verdict.get() {
            return Ok(verdict.clone());
        }
        let found = verify_checksum(path, &self.digest)?;
        Ok(self.verdict.get_or_init(|| found).clone())
    }
}

/// What stands behind the name of the file that a digest is of.
const EXTENSION: &str = ".CHECKSUM";
/// So much of a checksum file is read: a line takes about a hundred bytes.
const CHECKSUM_BYTES_MAX: u64 = 64 << 10;
const CHUNK_BYTES: usize = 256 << 10;

/// Returns the digest that stands beside a file, `None` where there is none; a rejection where it cannot be made out.
///
/// Errors: `IngestError::Read` where the disk fails
pub(super) fn beside(path: &Path) -> Result<Result<Option<Claimed>, Rejection>, IngestError> {
    let Some(name) = path.file_name() else { return Ok(Ok(None)) };
    let mut checksum_name = name.to_owned();
    checksum_name.push(EXTENSION);
    let checksum_path = path.with_file_name(checksum_name);
    if let Some(found) = fs::metadata(&checksum_path).ok().and_then(|metadata| not_regular(&metadata)) {
        return Ok(Err(Rejection::BadChecksum { found: found.to_owned() }));
    }
    let file = match open_source(&checksum_path) {
        Ok(file) => file,
        Err(IngestError::Read { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            return Ok(Ok(None));
        }
        Err(error) => return Err(error),
    };
    let mut text = Vec::new();
    let read = file.take(CHECKSUM_BYTES_MAX).read_to_end(&mut text);
    read.map_err(|source| IngestError::Read { path: checksum_path, source })?;
    let digest = digest_of(&String::from_utf8_lossy(&text), &name.to_string_lossy());
    Ok(digest
        .map(|digest| Some(Claimed::new(digest)))
        .ok_or_else(|| Rejection::BadChecksum { found: excerpt_of_bytes(&text) }))
}

/// Compares a file with its digest.
///
/// Errors: `IngestError::Read` where the disk fails; another digest is a rejection
fn verify_checksum(path: &Path, expected: &Digest) -> Result<Result<(), Rejection>, IngestError> {
    let read_error = |source| IngestError::Read { path: path.to_owned(), source };
    let mut file = open_source(path)?;
    let mut hasher = Sha256::new();
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        match file.read(&mut chunk) {
            Ok(0) => break,
            Ok(count) => hasher.update(&chunk[..count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(read_error(error)),
        }
    }
    let found: Digest = hasher.finalize().into();
    if found == *expected {
        return Ok(Ok(()));
    }
    Ok(Err(Rejection::OtherChecksum { expected: hex(expected), found: hex(&found) }))
}

/// Finds the digest of a file among lines of `<hex>  <name>`; a line without a name is of the file it stands beside.
pub(super) fn digest_of(text: &str, name: &str) -> Option<Digest> {
    text.lines().find_map(|line| {
        let (digest, named) = line.trim().split_once(char::is_whitespace).unwrap_or((line.trim(), name));
        // `*` marks digests taken in binary mode.
        let named = named.trim_start().trim_start_matches('*');
        let same = named.rsplit(['/', '\\']).next() == Some(name);
        if same { from_hex(digest) } else { None }
    })
}

fn from_hex(text: &str) -> Option<Digest> {
    let mut digest = [0; 32];
    if text.len() != 2 * digest.len() || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    for (byte, place) in digest.iter_mut().zip((0..text.len()).step_by(2)) {
        *byte = u8::from_str_radix(&text[place..place + 2], 16).ok()?;
    }
    Some(digest)
}

pub(super) fn hex(digest: &Digest) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn lines_as_tools_write_them() {
        let digest: Digest = Sha256::digest(b"abc").into();
        assert_eq!(hex(&digest), HEX);
        for line in [
            format!("{HEX}  a.zip\n"),
            format!("{HEX} *a.zip\r\n"),
            format!("{}\ta.zip", HEX.to_ascii_uppercase()),
            format!("{HEX}\n"),
            format!("{HEX}  ./out/a.zip"),
            format!("{}  b.zip\n{HEX}  a.zip\n", HEX.replace('b', "0")),
        ] {
            assert_eq!(digest_of(&line, "a.zip"), Some(digest), "{line:?}");
        }
        for line in ["", "a.zip", &HEX[1..], &format!("{HEX}  b.zip"), &format!("{}é", &HEX[2..])] {
            assert_eq!(digest_of(line, "a.zip"), None, "{line:?}");
        }
    }
}
