//! Opening files that others made, or may have put there: regular files only, at once, and no more of them than expected.
//!
//! Opening a named pipe waits for somebody who writes, a device may never end, and what a name leads to can change between
//! a look and the opening. So what was opened is asked what it is, and every file that is read as a whole has a bound.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::fs::OFlags;

use super::error::IngestError;

/// How long a pipe that a shell handed over may keep us waiting for its end.
const PIPE_WAIT: Duration = Duration::from_secs(10);
/// Time between two looks at it.
const PIPE_LOOK_EVERY: Duration = Duration::from_millis(10);

/// Returns what something is that is no regular file, for messages: opening it may wait for ever.
pub(super) fn not_regular(metadata: &Metadata) -> Option<&'static str> {
    let kind = metadata.file_type();
    match () {
        () if kind.is_file() => None,
        () if kind.is_dir() => Some("a folder"),
        () if kind.is_fifo() => Some("a named pipe"),
        () if kind.is_socket() => Some("a socket"),
        () => Some("a device"),
    }
}

/// Opens a regular file for reading, to be read as a stream.
///
/// Errors: the disk; anything else than a regular file, at once
pub fn open_regular(path: &Path) -> io::Result<File> {
    check_regular(&fs::metadata(path)?)?;
    // What has the name may be another thing by now.
    let file = open_at_once(path)?;
    check_regular(&file.metadata()?)?;
    Ok(file)
}

/// Reads a file as a whole. Besides regular files, a pipe without a name, as `<(command)` hands it over, and `/dev/null`
/// are read.
///
/// Errors: the disk; anything else that is no regular file, and (`FileTooLarge`) more than so many bytes: both at once; a
///         pipe that does not end in ten seconds
pub fn read_whole(path: &Path, bytes_max: u64) -> io::Result<Vec<u8>> {
    let found = fs::metadata(path)?;
    let mut bytes = Vec::new();
    if is_null(&found) {
        return Ok(bytes);
    }
    if found.file_type().is_fifo() && has_no_name(path) {
        let open = open_at_once(path)?.take(bytes_max.saturating_add(1));
        read_pipe(open, &mut bytes)?;
    } else {
        if let Some(kind) = not_regular(&found) {
            return Err(refused(format!(
                "expected at most {} of a regular file, found {kind}",
                size(bytes_max)
            )));
        }
        let file = open_regular(path)?;
        if file.metadata()?.len() > bytes_max {
            return Err(too_large(bytes_max));
        }
        file.take(bytes_max.saturating_add(1)).read_to_end(&mut bytes)?;
    }
    match bytes.len() as u64 > bytes_max {
        true => Err(too_large(bytes_max)),
        false => Ok(bytes),
    }
}

/// Opens a file without waiting for anybody on its other side.
fn open_at_once(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).custom_flags(OFlags::NONBLOCK.bits() as i32).open(path)
}

fn check_regular(metadata: &Metadata) -> io::Result<()> {
    match not_regular(metadata) {
        None => Ok(()),
        Some(kind) => Err(refused(format!("expected a regular file, found {kind}"))),
    }
}

fn refused(text: String) -> io::Error {
    io::Error::new(ErrorKind::InvalidInput, text)
}

fn too_large(bytes_max: u64) -> io::Error {
    io::Error::new(ErrorKind::FileTooLarge, format!("expected at most {}, found more", size(bytes_max)))
}

fn size(bytes: u64) -> String {
    const MIB: u64 = 1 << 20;
    if bytes > MIB && bytes.is_multiple_of(MIB) {
        format!("{} MiB", bytes / MIB)
    } else {
        format!("{bytes} bytes")
    }
}

fn is_null(metadata: &Metadata) -> bool {
    metadata.file_type().is_char_device() && metadata.rdev() == rustix::fs::makedev(1, 3)
}

/// Returns whether a pipe lies in no folder: then it was handed over open.
fn has_no_name(path: &Path) -> bool {
    fs::canonicalize(path).is_err_and(|error| error.kind() == ErrorKind::NotFound)
}

/// Reads a pipe to its end.
fn read_pipe(mut pipe: impl Read, bytes: &mut Vec<u8>) -> io::Result<()> {
    let clock = Instant::now();
    loop {
        match pipe.read_to_end(bytes) {
            Ok(_) => return Ok(()),
            Err(error) if error.kind() == ErrorKind::WouldBlock && clock.elapsed() < PIPE_WAIT => {
                std::thread::sleep(PIPE_LOOK_EVERY);
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                let seconds = PIPE_WAIT.as_secs();
                return Err(io::Error::new(
                    ErrorKind::TimedOut,
                    format!("expected the end of the pipe within {seconds} s, found it open still"),
                ));
            }
            Err(error) => return Err(error),
        }
    }
}

/// Opens a file for reading.
pub(super) fn open_source(path: &Path) -> Result<File, IngestError> {
    open_regular(path).map_err(|source| IngestError::Read { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn only_regular_files_are_opened_and_no_more_than_expected_is_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        fs::write(at("file"), "12345").expect("written");
        std::os::unix::fs::symlink("file", at("link")).expect("linked");
        let pipe = std::process::Command::new("mkfifo").arg(at("pipe")).status().expect("mkfifo");
        assert!(pipe.success());
        let _socket = std::os::unix::net::UnixListener::bind(at("socket")).expect("bound");
        let sparse = File::create(at("sparse")).expect("made");
        sparse.set_len(2 << 30).expect("grown");
        assert_eq!(read_whole(&at("link"), 5).expect("fits"), b"12345");
        assert_eq!(read_whole(Path::new("/dev/null"), 5).expect("nothing"), b"");
        for (name, bytes_max, kind, wanted) in [
            ("file", 4, ErrorKind::FileTooLarge, "expected at most 4 bytes, found more"),
            ("sparse", 64 << 20, ErrorKind::FileTooLarge, "expected at most 64 MiB, found more"),
            (
                "pipe",
                5,
                ErrorKind::InvalidInput,
                "expected at most 5 bytes of a regular file, found a named pipe",
            ),
            (
                "socket",
                5,
                ErrorKind::InvalidInput,
                "expected at most 5 bytes of a regular file, found a socket",
            ),
            (".", 5, ErrorKind::InvalidInput, "expected at most 5 bytes of a regular file, found a folder"),
            (
                "/dev/zero",
                5,
                ErrorKind::InvalidInput,
                "expected at most 5 bytes of a regular file, found a device",
            ),
        ] {
            let error = read_whole(&at(name), bytes_max).expect_err(name);
            assert_eq!((error.kind(), error.to_string().as_str()), (kind, wanted), "{name}");
        }
        for (name, wanted) in
            [("pipe", "a named pipe"), ("socket", "a socket"), (".", "a folder"), ("/dev/zero", "a device")]
        {
            let error = open_regular(&at(name)).expect_err(name).to_string();
            assert_eq!(error, format!("expected a regular file, found {wanted}"), "{name}");
        }
        assert_eq!(read_whole(&at("none"), 5).expect_err("none").kind(), ErrorKind::NotFound);
    }

    #[test]
    fn a_pipe_that_was_handed_over_is_read_to_its_end() {
        let (reader, mut writer) = io::pipe().expect("a pipe");
        let number = std::os::fd::AsRawFd::as_raw_fd(&reader);
        let path = format!("/proc/self/fd/{number}");
        std::thread::scope(|scope| {
            let read = scope.spawn(|| read_whole(Path::new(&path), 10));
            writer.write_all(b"12").expect("written");
            std::thread::sleep(Duration::from_millis(30));
            writer.write_all(b"345").expect("written");
            drop(writer);
            assert_eq!(read.join().expect("it ends").expect("read"), b"12345");
        });
    }
}
