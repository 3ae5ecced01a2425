//! Passwords and keys: from the environment, or from a file that it names.

use std::fmt;
use std::fs::OpenOptions;
use std::io::Read;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};

#[cfg(feature = "cli")]
use base64::Engine;
#[cfg(feature = "cli")]
use base64::engine::general_purpose::STANDARD;
use rustix::fs::OFlags;

/// Longest secret; a longer file is something else.
const BYTES_MAX: u64 = 4 << 10;

/// A password or key. It is shown nowhere.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Why there is no secret.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum SecretError {
    #[error("expected a secret in {name} or in a file named by {name}_FILE, found neither")]
    Missing { name: &'static str },
    #[error("expected {name} or {name}_FILE, found both")]
    Both { name: &'static str },
    #[error("{name}: expected UTF-8 text, found other bytes")]
    NotUnicode { name: String },
    #[error("{name}: expected one line of text, found none")]
    Empty { name: &'static str },
    #[error("{name}_FILE: cannot read `{path}`: {source}")]
    Read { name: &'static str, path: String, source: std::io::Error },
    #[error("{name}_FILE: expected a file of at most 4 KiB of text, found `{path}`")]
    NotText { name: &'static str, path: String },
    #[error(
        "{name}_FILE: expected a file that only its owner may read, found mode {mode:o} of `{path}` (chmod 600)"
    )]
    Open { name: &'static str, path: String, mode: u32 },
}

impl Secret {
    /// Reads a secret from the environment variable, or from the file that `<name>_FILE` names.
    ///
    /// Errors: neither or both; other bytes than text; a file that others may read
    pub fn read(name: &'static str) -> Result<Self, SecretError> {
        Self::find(name)?.ok_or(SecretError::Missing { name })
    }

    /// Reads a secret that need not be there.
    pub fn find(name: &'static str) -> Result<Option<Self>, SecretError> {
        let named = |name: String| match std::env::var_os(&name).filter(|value| !value.is_empty()) {
            None => Ok(None),
            Some(value) => value.into_string().map(Some).map_err(|_| SecretError::NotUnicode { name }),
        };
        let text = match (named(name.to_owned())?, named(format!("{name}_FILE"))?) {
            (None, None) => return Ok(None),
            (Some(_), Some(_)) => return Err(SecretError::Both { name }),
            (Some(text), None) => text,
            (None, Some(path)) => from_file(name, path)?,
        };
        let text = text.trim_end_matches(['\n', '\r']);
        match text.is_empty() || text.contains(['\n', '\r']) {
            true => Err(SecretError::Empty { name }),
            false => Ok(Some(Self(text.to_owned()))),
        }
    }

    /// Returns the header by which a user with a password says who it is.
    #[cfg(feature = "cli")]
    pub(crate) fn basic_authorization(user: &Self, password: &Self) -> String {
        format!("Basic {}", STANDARD.encode(format!("{}:{}", user.0, password.0)))
    }

    /// Returns the secret itself, for the one who asks for it.
    pub(super) fn reveal(&self) -> &str {
        &self.0
    }
}

fn from_file(name: &'static str, path: String) -> Result<String, SecretError> {
    let read_error = |source| SecretError::Read { name, path: path.clone(), source };
    // Permissions of what was opened, not of what has the name by then.
    // Nor is a pipe waited for.
    let opened = OpenOptions::new().read(true).custom_flags(OFlags::NONBLOCK.bits() as i32).open(&path);
    let mut file = opened.map_err(read_error)?;
    let metadata = file.metadata().map_err(read_error)?;
    let mode = metadata.mode() & 0o777;
    if !metadata.is_file() || metadata.len() > BYTES_MAX {
        return Err(SecretError::NotText { name, path });
    }
    if mode & 0o077 != 0 {
        return Err(SecretError::Open { name, path, mode });
    }
    let mut bytes = Vec::new();
    (&mut file).take(BYTES_MAX).read_to_end(&mut bytes).map_err(read_error)?;
    String::from_utf8(bytes).map_err(|_| SecretError::NotText { name, path })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_not_shown() {
        let secret = Secret("hunter22".to_owned());
        assert_eq!(format!("{secret:?}"), "Secret(…)");
    }
}
