//! Published archives: kept as they are once they match their checksum.

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

use sha2::{Digest, Sha256};

use super::client::{Client, Trouble};
use super::error::FetchError;
use super::held::io_error;
use super::splice::{beside, create_beside, put};
use crate::net::Fault;

/// Most bytes of an archive: a month of one-minute candles takes 3 MB.
const ARCHIVE_BYTES_MAX: u64 = 256 << 20;
/// Most bytes of a file with a checksum.
const CHECKSUM_BYTES_MAX: u64 = 1 << 10;
const CHUNK_BYTES: usize = 64 << 10;
/// Times an archive is asked for before a wrong checksum is believed.
const DOWNLOADS: u32 = 2;

/// Downloads an archive and puts it in its place if it matches its published checksum; `false` if there is none.
///
/// Errors: those of the client; a checksum that does not match, after another try
pub(super) fn download(
    client: &mut Client<'_>,
    path: &str,
    name: &str,
    target: &Path,
) -> Result<bool, FetchError> {
    let mut tries = 0;
    loop {
        tries += 1;
        let Some(expected) = checksum(client, path, name)? else { return Ok(false) };
        let Some((file, found)) = content(client, path, name, target)? else { return Ok(false) };
        if found == expected {
            put(&file, &beside(target), target)?;
            return Ok(true);
        }
        // Nothing of it is kept.
        let _ = std::fs::remove_file(beside(target));
        if tries >= DOWNLOADS {
            return Err(FetchError::Checksum { file: name.to_owned(), expected, found });
        }
    }
}

/// Returns the published SHA-256 in small letters.
fn checksum(client: &mut Client<'_>, path: &str, name: &str) -> Result<Option<String>, FetchError> {
    let what = format!("{name}.CHECKSUM");
    let read = |body: &mut dyn Read| {
        let mut text = String::new();
        let read = body.take(CHECKSUM_BYTES_MAX).read_to_string(&mut text);
        read.map(|_| text).map_err(|error| Trouble::from(Fault::of_io(&error)))
    };
    client.get(&format!("{path}.CHECKSUM"), &what, read, |text, _| {
        let hash = published_hash(&text, name);
        hash.ok_or_else(|| Trouble::Again("expected a SHA-256 and the name of the archive".to_owned()))
    })
}

/// Returns the SHA-256 of an archive in the text published beside it; `None` for a text that is of something else.
pub(super) fn published_hash(text: &str, name: &str) -> Option<String> {
    let mut words = text.split_whitespace();
    let hash = words.next()?.to_ascii_lowercase();
    let sound = hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_hexdigit());
    let of_this = words.next().is_none_or(|file| file.trim_start_matches('*') == name);
    (sound && of_this).then_some(hash)
}

/// Downloads an archive beside its place; returns the file and its SHA-256.
fn content(
    client: &mut Client<'_>,
    path: &str,
    name: &str,
    target: &Path,
) -> Result<Option<(File, String)>, FetchError> {
    let beside = beside(target);
    let to = target.to_owned();
    let read = move |body: &mut dyn Read| save(body, &to);
    let done = client.get(path, name, read, |saved, _| Ok(saved));
    if !matches!(done, Ok(Some(_))) {
        // It may not exist.
        let _ = std::fs::remove_file(&beside);
    }
    done
}

fn save(body: &mut dyn Read, to: &Path) -> Result<(File, String), Trouble> {
    let disk = |error| Trouble::Fatal(io_error(to)(error));
    let mut file = create_beside(to).map_err(Trouble::Fatal)?;
    let mut hash = Sha256::new();
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut bytes = 0;
    loop {
        let read = body.read(&mut chunk).map_err(|error| Trouble::from(Fault::of_io(&error)))?;
        if read == 0 {
            break;
        }
        bytes += read as u64;
        if bytes > ARCHIVE_BYTES_MAX {
            return Err(Trouble::Again(format!("expected at most {ARCHIVE_BYTES_MAX} bytes, found more")));
        }
        hash.update(&chunk[..read]);
        file.write_all(&chunk[..read]).map_err(disk)?;
    }
    let hex = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok((file, hex))
}
