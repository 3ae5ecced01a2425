//! The token that a reader of the pages has to know: from the environment, else from a file of its own beside the store's.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::ingest::open_regular;
use crate::store::hand_over;

/// The file in the store's directory.
pub const TOKEN_FILE: &str = "serve.token";
/// The variable that takes its place; with `_FILE` it names a file.
pub const TOKEN_VARIABLE: &str = "OPTIMIZER_SERVE_TOKEN";
/// Bytes that are drawn for a token.
const DRAWN_BYTES: usize = 32;
/// Fewest and most characters of a token.
const CHARS: std::ops::RangeInclusive<usize> = 16..=256;
/// Key derivation context of what a browser keeps instead of the token.
const COOKIE_CONTEXT: &str = "retune 2026-12 serve cookie v1";

/// A token. It is shown once, in the address that is printed at the start.
#[derive(Clone, PartialEq, Eq)]
pub struct ServeToken(String);

impl fmt::Debug for ServeToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ServeToken(…)")
    }
}

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum ServeTokenError {
    #[error("{source_name}: expected 16 to 256 letters, digits and `-._~`, found something else")]
    Form { source_name: String },
    #[error("expected {TOKEN_VARIABLE} or {TOKEN_VARIABLE}_FILE, found both")]
    Both,
    #[error("expected a file that only its owner may read, found mode {mode:o} of `{path}` (chmod 600)")]
    Open { path: String, mode: u32 },
    #[error("cannot {what} `{path}`: {source}")]
    Io { what: &'static str, path: String, source: std::io::Error },
}

impl ServeToken {
    /// Takes a token that somebody chose.
    pub fn parse(text: &str, source: &str) -> Result<Self, ServeTokenError> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        match CHARS.contains(&text.len()) && text.bytes().all(plain) {
            true => Ok(Self(text.to_owned())),
            false => Err(ServeTokenError::Form { source_name: source.to_owned() }),
        }
    }

    /// Returns the token of the environment, else that of the store's directory, where it is drawn unless it is there.
    pub fn find(dir: &Path) -> Result<Self, ServeTokenError> {
        let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        let file_variable = format!("{TOKEN_VARIABLE}_FILE");
        match (variable(TOKEN_VARIABLE), variable(&file_variable)) {
            (Some(_), Some(_)) => Err(ServeTokenError::Both),
            (Some(text), None) => Self::parse(&text.to_string_lossy(), TOKEN_VARIABLE),
            (None, Some(path)) => Self::read(&PathBuf::from(path)),
            (None, None) => Self::of_store(dir),
        }
    }

    fn of_store(dir: &Path) -> Result<Self, ServeTokenError> {
        let path = dir.join(TOKEN_FILE);
        match Self::read(&path) {
            Err(ServeTokenError::Io { source, .. }) if source.kind() == ErrorKind::NotFound => {
                Self::draw(&path)
            }
            read => read,
        }
    }

    fn read(path: &Path) -> Result<Self, ServeTokenError> {
        let shown = path.display().to_string();
        let failed = |source| ServeTokenError::Io { what: "read", path: shown.clone(), source };
        let file = open_regular(path).map_err(failed)?;
        let mode = file.metadata().map_err(failed)?.mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(ServeTokenError::Open { path: shown, mode });
        }
        let mut text = Vec::new();
        file.take(4 << 10).read_to_end(&mut text).map_err(failed)?;
        Self::parse(String::from_utf8_lossy(&text).trim_end_matches(['\n', '\r']), &shown)
    }

    /// Draws a token and keeps it in a file that nobody else may read. Of two that start at once the first one's counts.
    fn draw(path: &Path) -> Result<Self, ServeTokenError> {
        let failed = |what, source| ServeTokenError::Io { what, path: path.display().to_string(), source };
        let mut bytes = [0; DRAWN_BYTES];
        let mut source = File::open("/dev/urandom").map_err(|source| failed("draw a token for", source))?;
        source.read_exact(&mut bytes).map_err(|source| failed("draw a token for", source))?;
        let token: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
            Ok(mut file) => {
                file.write_all(format!("{token}\n").as_bytes())
                    .and_then(|()| file.sync_all())
                    .map_err(|source| failed("write", source))?;
                // Not every disk lets files be given away.
                let _ = hand_over(path);
                Ok(Self(token))
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Self::read(path),
            Err(error) => Err(failed("write", error)),
        }
    }

    /// Returns it for the address that is printed.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Returns whether text is the token; how long that takes says nothing of where it differs.
    pub fn is(&self, text: &str) -> bool {
        blake3::hash(self.0.as_bytes()) == blake3::hash(text.as_bytes())
    }

    /// Returns what a browser keeps: it opens the pages and does not tell the token.
    pub fn cookie(&self) -> String {
        blake3::Hash::from(blake3::derive_key(COOKIE_CONTEXT, self.0.as_bytes())).to_hex().to_string()
    }

    /// Returns whether text is what a browser keeps.
    pub fn is_cookie(&self, text: &str) -> bool {
        blake3::hash(self.cookie().as_bytes()) == blake3::hash(text.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_token_is_drawn_once_and_kept_from_others() {
        let dir = tempfile::tempdir().expect("a folder");
        let token = ServeToken::of_store(dir.path()).expect("drawn");
        assert_eq!(token.reveal().len(), 2 * DRAWN_BYTES);
        assert_eq!(ServeToken::of_store(dir.path()).expect("read"), token);
        let path = dir.path().join(TOKEN_FILE);
        assert_eq!(fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o600);
        assert!(token.is(token.reveal()) && !token.is("") && !token.is(&token.cookie()));
        assert!(token.is_cookie(&token.cookie()) && !token.is_cookie(token.reveal()));
        assert_eq!(format!("{token:?}"), "ServeToken(…)");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("set");
        assert!(matches!(ServeToken::of_store(dir.path()), Err(ServeTokenError::Open { mode: 0o644, .. })));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("set");
        for text in ["", "short", "with a blank in the middle", "é-is-no-letter-of-these-here"] {
            fs::write(&path, text).expect("written");
            assert!(
                matches!(ServeToken::of_store(dir.path()), Err(ServeTokenError::Form { .. })),
                "{text:?}"
            );
        }
        let other = tempfile::tempdir().expect("a folder");
        assert_ne!(ServeToken::of_store(other.path()).expect("drawn"), token);
    }
}
