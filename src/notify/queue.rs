//! What is to be said and was not yet taken, in a file in the store's directory until it is.
//!
//! A message is written down before it is sent, so that one that is interrupted is sent by the next run. Each channel has
//! places of its own: one that never answers costs the others none.

use std::fs::{self, File, TryLockError};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use rustix::fs::OFlags;
use serde::{Deserialize, Serialize};

use super::Message;
use crate::net::Deadline;
use crate::store::hand_over;

/// Name of the file in the store's directory.
pub const QUEUE_FILE: &str = "notify-queue.json";
/// What a channel refused for good is kept here, for people.
pub const REFUSED_FILE: &str = "notify-refused.json";
/// Held while a process works on the two files.
const LOCK_FILE: &str = "notify.lock";
/// Most messages that wait for a channel, or were refused by it; the oldest go first.
pub const QUEUE_MESSAGES_MAX: usize = 20;
/// Most bytes of what waits for a channel, or was refused by it.
pub const QUEUE_BYTES_MAX: usize = 1 << 20;
/// Most channels that anything waits for, and most bytes of a file.
const CHANNELS_MAX: usize = 8;
const FILE_BYTES_MAX: u64 = (CHANNELS_MAX * QUEUE_BYTES_MAX) as u64 + 16;
/// How long another process is waited for, and how often it is looked.
const LOCK_WAIT: Duration = Duration::from_secs(5);
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// A message with whom it is for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Waiting {
    channel: String,
    pub(super) message: Message,
    /// Runs that it was refused in, by an answer that says so and not by silence.
    #[serde(default)]
    pub(super) refusals: u32,
}

/// The messages that wait, for this process alone while it is open.
#[derive(Debug)]
pub(super) struct Queue {
    folder: PathBuf,
    waiting: Vec<Waiting>,
    /// Held until the queue is closed; the error says why it is not.
    lock: Result<File, String>,
}

impl Queue {
    /// Opens the queue of a store; without a directory there is nothing in it. A file that cannot be read counts as
    /// empty and is replaced: messages are worth less than the run that sends them.
    pub(super) fn open(folder: &Path, stop: &AtomicBool) -> Self {
        let lock = lock(folder, stop);
        // What another process works on is its own.
        let waiting = if lock.is_ok() { read(&folder.join(QUEUE_FILE)) } else { Vec::new() };
        Self { folder: folder.to_owned(), waiting, lock }
    }

    /// Returns the oldest message for a channel.
    pub(super) fn first(&mut self, channel: &str) -> Option<&mut Waiting> {
        self.waiting.iter_mut().find(|waiting| waiting.channel == channel)
    }

    /// Takes out the oldest message for a channel.
    pub(super) fn take_first(&mut self, channel: &str) -> Option<Message> {
        let place = self.waiting.iter().position(|waiting| waiting.channel == channel)?;
        Some(self.waiting.remove(place).message)
    }

    /// Returns how many messages wait for a channel.
    pub(super) fn count(&self, channel: &str) -> usize {
        self.waiting.iter().filter(|waiting| waiting.channel == channel).count()
    }

    /// Adds a message for a channel, whose oldest make room for it.
    pub(super) fn add(&mut self, channel: &str, message: Message) {
        self.waiting.push(Waiting { channel: channel.to_owned(), message, refusals: 0 });
        bound(&mut self.waiting, channel);
    }

    /// Writes down what waits.
    ///
    /// Errors: why it could not be
    pub(super) fn save(&self) -> Result<(), String> {
        let path = self.folder.join(QUEUE_FILE);
        if let (Err(reason), false) = (&self.lock, self.waiting.is_empty()) {
            return Err(reason.clone());
        }
        if !self.waiting.is_empty() {
            return write(&path, &self.waiting);
        }
        match fs::remove_file(&path) {
            Err(error) if self.lock.is_ok() && error.kind() != ErrorKind::NotFound => {
                Err(format!("cannot remove `{}`: {error}", path.display()))
            }
            _ => Ok(()),
        }
    }

    /// Keeps a message that its channel refused for good, for people.
    ///
    /// Errors: why it could not be kept
    pub(super) fn set_aside(&self, channel: &str, message: Message) -> Result<(), String> {
        self.lock.as_ref().map_err(Clone::clone)?;
        let path = self.folder.join(REFUSED_FILE);
        let mut refused = read(&path);
        refused.push(Waiting { channel: channel.to_owned(), message, refusals: 0 });
        bound(&mut refused, channel);
        write(&path, &refused)
    }
}

/// Takes the lock of the files in a folder, which has to be there.
fn lock(folder: &Path, stop: &AtomicBool) -> Result<File, String> {
    if !folder.is_dir() {
        return Err(format!("there is no store in `{}` yet", folder.display()));
    }
    let path = folder.join(LOCK_FILE);
    let failed = |error: std::io::Error| format!("cannot lock `{}`: {error}", path.display());
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(false).mode(0o600);
    // A pipe in its place is not waited for.
    let file = options.custom_flags(OFlags::NONBLOCK.bits() as i32).open(&path).map_err(failed)?;
    hand_over(&path).map_err(|error| error.to_string())?;
    let deadline = Deadline::after(LOCK_WAIT, stop);
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if deadline.sleep(LOOK_EVERY).is_ok() => {}
            Err(TryLockError::WouldBlock) => {
                return Err(format!("another process works on the messages in `{}`", folder.display()));
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
    }
}

/// Drops the oldest messages of a channel that are too many or too much.
fn bound(messages: &mut Vec<Waiting>, channel: &str) {
    let size =
        |waiting: &Waiting| serde_json::to_vec(waiting).map_or(QUEUE_BYTES_MAX, |bytes| bytes.len() + 1);
    let own = messages.iter().filter(|waiting| waiting.channel == channel);
    let mut sizes: Vec<usize> = own.map(size).collect();
    while sizes.len() > QUEUE_MESSAGES_MAX || sizes.iter().sum::<usize>() > QUEUE_BYTES_MAX {
        sizes.remove(0);
        if let Some(place) = messages.iter().position(|waiting| waiting.channel == channel) {
            messages.remove(place);
        }
    }
}

/// Returns the messages in a file, as many as there may be; none where it is no such file.
fn read(path: &Path) -> Vec<Waiting> {
    let small =
        fs::symlink_metadata(path).is_ok_and(|found| found.is_file() && found.len() <= FILE_BYTES_MAX);
    let bytes = if small { fs::read(path).ok() } else { None };
    let mut found: Vec<Waiting> =
        bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
    let mut channels: Vec<String> = Vec::new();
    for waiting in &found {
        if !channels.contains(&waiting.channel) {
            channels.push(waiting.channel.clone());
        }
    }
    // Nobody has so many; what is not known here may be known to another version.
    channels.truncate(CHANNELS_MAX);
    found.retain(|waiting| channels.contains(&waiting.channel));
    channels.iter().for_each(|channel| bound(&mut found, channel));
    found
}

fn write(path: &Path, messages: &[Waiting]) -> Result<(), String> {
    let write = || -> std::io::Result<()> {
        let beside = path.with_extension("json.tmp");
        // Never through a link that somebody put there.
        match fs::remove_file(&beside) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
        file.write_all(&serde_json::to_vec(messages)?)?;
        file.sync_all()?;
        hand_over(&beside).map_err(std::io::Error::other)?;
        fs::rename(&beside, path)?;
        File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
    };
    write().map_err(|error| format!("cannot write `{}`: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHANNELS: [&str; 3] = ["email", "bark", "webhook"];

    fn open(folder: &Path) -> Queue {
        Queue::open(folder, &AtomicBool::new(false))
    }

    fn message(subject: &str, text: &str) -> Message {
        let [html, json] = [String::new(), String::new()];
        Message { subject: subject.to_owned(), text: text.to_owned(), html, json, urgent: false }
    }

    fn subjects(queue: &mut Queue, channel: &str) -> Vec<String> {
        std::iter::from_fn(|| queue.take_first(channel)).map(|message| message.subject).collect()
    }

    #[test]
    fn what_waits_is_bounded_for_each_channel_and_in_order() {
        let folder = tempfile::tempdir().expect("a folder");
        for number in 0..60 {
            let mut queue = open(folder.path());
            // Two channels that do not answer leave the third its places.
            let channel = CHANNELS[if number == 7 { 2 } else { number % 2 }];
            queue.add(channel, message(&number.to_string(), "x"));
            queue.save().expect("written");
        }
        let mut queue = open(folder.path());
        let expected: Vec<String> = (20..60).filter(|n| n % 2 == 0).map(|n| n.to_string()).collect();
        assert_eq!(subjects(&mut queue, "email"), expected);
        assert_eq!(subjects(&mut queue, "bark").len(), QUEUE_MESSAGES_MAX);
        assert_eq!(subjects(&mut queue, "webhook"), ["7"]);
        queue.save().expect("removed");
        assert!(!folder.path().join(QUEUE_FILE).exists());
    }

    #[test]
    fn a_channel_that_is_not_known_keeps_what_waits_for_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut queue = open(folder.path());
        for number in 0..2 * CHANNELS_MAX {
            queue.add(&format!("channel {number}"), message("a", "b"));
        }
        queue.save().expect("written");
        drop(queue);
        let queue = open(folder.path());
        let counts =
            [0, CHANNELS_MAX - 1, CHANNELS_MAX].map(|number| queue.count(&format!("channel {number}")));
        assert_eq!(counts, [1, 1, 0]);
    }

    #[test]
    fn the_file_stays_small_and_a_broken_one_is_replaced() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(QUEUE_FILE);
        fs::write(&path, b"{ broken").expect("written");
        let mut queue = open(folder.path());
        (0..3).for_each(|_| queue.add("webhook", message("big", &"x".repeat(QUEUE_BYTES_MAX / 2))));
        queue.save().expect("written");
        assert!(fs::metadata(&path).expect("a file").len() <= QUEUE_BYTES_MAX as u64);
        drop(queue);
        assert_eq!(open(folder.path()).count("webhook"), 1);
        let missing = folder.path().join("missing");
        let mut queue = open(&missing);
        queue.add("email", message("a", "b"));
        assert!(queue.save().is_err_and(|reason| reason.contains("no store")) && !missing.exists());
    }

    #[test]
    fn what_is_refused_for_good_is_kept_apart_and_a_lock_on_the_folder_holds_nobody_up() {
        let folder = tempfile::tempdir().expect("a folder");
        let held = File::open(folder.path()).expect("a folder");
        held.lock().expect("locked");
        let queue = open(folder.path());
        for number in 0..30 {
            queue.set_aside("bark", message(&number.to_string(), "x")).expect("kept");
        }
        let kept = read(&folder.path().join(REFUSED_FILE));
        assert_eq!((kept.len(), kept[0].message.subject.as_str()), (QUEUE_MESSAGES_MAX, "10"));
        assert!(!folder.path().join(QUEUE_FILE).exists());
    }
}
