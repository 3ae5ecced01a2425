//! What a channel did not take, in a file in the store's directory until it does.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{Channel, Message};

/// Name of the file in the store's directory.
pub const QUEUE_FILE: &str = "notify-queue.json";
/// Most messages that wait, all channels together; the oldest go first.
pub const QUEUE_MESSAGES_MAX: usize = 20;
/// Most bytes of the file.
pub const QUEUE_BYTES_MAX: usize = 1 << 20;

#[derive(Debug, Serialize, Deserialize)]
struct Waiting {
    channel: Channel,
    message: Message,
}

/// The messages that wait, for this process alone while it is open.
#[derive(Debug)]
pub(super) struct Queue {
    folder: PathBuf,
    waiting: Vec<Waiting>,
    was_empty: bool,
    /// Held until the queue is closed; `None` where there is no folder.
    lock: Option<File>,
}

impl Queue {
    /// Opens the queue of a store; without a directory there is nothing in it. A file that cannot be read counts as
    /// empty and is replaced: messages are worth less than the run that sends them.
    pub(super) fn open(folder: &Path) -> Self {
        let lock = File::open(folder).ok().filter(|folder| folder.lock().is_ok());
        let path = folder.join(QUEUE_FILE);
        let small = fs::metadata(&path).is_ok_and(|found| found.len() <= QUEUE_BYTES_MAX as u64);
        let bytes = if small { fs::read(&path).ok() } else { None };
        let waiting: Vec<Waiting> =
            bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
        Self { folder: folder.to_owned(), was_empty: !path.exists(), waiting, lock }
    }

    /// Takes out what waits for a channel, oldest first.
    pub(super) fn take(&mut self, channel: Channel) -> Vec<Message> {
        let of_channel = self.waiting.extract_if(.., |waiting| waiting.channel == channel);
        of_channel.map(|waiting| waiting.message).collect()
    }

    pub(super) fn add(&mut self, channel: Channel, message: Message) {
        self.waiting.push(Waiting { channel, message });
    }

    /// Writes down what waits.
    ///
    /// Errors: why it could not be
    pub(super) fn close(mut self) -> Result<(), String> {
        let path = self.folder.join(QUEUE_FILE);
        if self.waiting.is_empty() {
            return match fs::remove_file(&path) {
                Err(error) if !self.was_empty && error.kind() != ErrorKind::NotFound => {
                    Err(format!("cannot remove `{}`: {error}", path.display()))
                }
                _ => Ok(()),
            };
        }
        if self.lock.is_none() {
            return Err(format!("there is no store in `{}` yet", self.folder.display()));
        }
        let excess = self.waiting.len().saturating_sub(QUEUE_MESSAGES_MAX);
        self.waiting.drain(..excess);
        let mut text = serde_json::to_string(&self.waiting).map_err(|error| error.to_string())?;
        while text.len() > QUEUE_BYTES_MAX {
            self.waiting.remove(0);
            text = serde_json::to_string(&self.waiting).map_err(|error| error.to_string())?;
        }
        write(&path, text.as_bytes()).map_err(|error| format!("cannot write `{}`: {error}", path.display()))
    }
}

fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let beside = path.with_extension("json.tmp");
    let mut file =
        fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&beside, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(subject: &str, text: &str) -> Message {
        let [html, json] = [String::new(), String::new()];
        Message { subject: subject.to_owned(), text: text.to_owned(), html, json, urgent: false }
    }

    #[test]
    fn what_waits_is_bounded_and_in_order() {
        let folder = tempfile::tempdir().expect("a folder");
        for number in 0..30 {
            let mut queue = Queue::open(folder.path());
            let channel = if number % 2 == 0 { Channel::Email } else { Channel::Bark };
            queue.add(channel, message(&number.to_string(), "x"));
            queue.close().expect("written");
        }
        let mut queue = Queue::open(folder.path());
        let subjects: Vec<String> = queue.take(Channel::Email).into_iter().map(|m| m.subject).collect();
        assert_eq!(subjects, ["10", "12", "14", "16", "18", "20", "22", "24", "26", "28"]);
        assert_eq!(queue.take(Channel::Bark).len(), 10);
        queue.close().expect("removed");
        assert!(!folder.path().join(QUEUE_FILE).exists());
    }

    #[test]
    fn the_file_stays_small_and_a_broken_one_is_replaced() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(QUEUE_FILE);
        fs::write(&path, b"{ broken").expect("written");
        let mut queue = Queue::open(folder.path());
        (0..3).for_each(|_| queue.add(Channel::Webhook, message("big", &"x".repeat(QUEUE_BYTES_MAX / 2))));
        queue.close().expect("written");
        assert!(fs::metadata(&path).expect("a file").len() <= QUEUE_BYTES_MAX as u64);
        assert_eq!(Queue::open(folder.path()).take(Channel::Webhook).len(), 1);
        let missing = folder.path().join("missing");
        let mut queue = Queue::open(&missing);
        queue.add(Channel::Email, message("a", "b"));
        assert!(queue.close().is_err_and(|reason| reason.contains("no store")) && !missing.exists());
    }
}
