//! Telling somebody: e-mail, Telegram, ntfy, Bark and a webhook.
//!
//! Invariants:
//! - what is said is written down before it is sent, and said again until it is taken: at least once;
//! - a channel that fails never fails anything else, nor costs another its places; what it should have said is kept, bounded,
//!   and said next time; what it refuses for good is set aside and told, and holds nothing up;
//! - a password or key is in no message, file, log or error: it is read when it is needed, and of what comes back only a number is
//!   told, in our own words, because a server may repeat a secret in any form;
//! - a message is sent or not within its time limit, whatever the other side does, and a signal ends that at once; a channel that does
//!   not answer costs its time limit once, however much is waiting for it.
//!
//! It does not know what is worth telling, nor how it reads.

mod bark;
mod channel;
mod email;
#[cfg(any(test, fuzzing))]
#[path = "../../tests/fuzz/notify.rs"]
pub(crate) mod fuzz;
mod heartbeat;
mod ntfy;
mod post;
mod queue;
mod secret;
mod smtp;
mod telegram;
mod template;
mod webhook;

use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use channel::{Channel, ChannelSettings, Until, Unusable};
pub use heartbeat::Heartbeat;
pub use queue::{QUEUE_BYTES_MAX, QUEUE_FILE, QUEUE_MESSAGES_MAX, REFUSED_FILE};
pub use secret::{Secret, SecretError};

use crate::config::{Config, ConfigError, value_error};
use crate::net::{Deadline, Fault, pause_after};

/// What is said, in the forms that channels need.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// One line.
    pub subject: String,
    /// Plain text.
    pub text: String,
    /// An HTML page.
    pub html: String,
    /// A JSON document.
    pub json: String,
    /// Whether it should be noticed at once.
    pub urgent: bool,
}

/// The pause after a first try that came to nothing.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// Runs in which a channel may deny a message before it is set aside.
const REFUSALS_MAX: u32 = 3;

/// The channels that are configured.
#[derive(Debug)]
pub struct Channels {
    /// They, in the order in which they are told.
    pub list: Vec<Box<dyn Channel>>,
    /// Longest time that sending one message may take, from looking for the server to its last answer.
    pub timeout: Duration,
}

/// Why a channel did not take a message.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the messages say it")]
pub enum NotifyError {
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// It may be taken later.
    #[error("{0}")]
    Refused(String),
    /// It may be taken after the time that the other side asks for.
    #[error("{said}")]
    Later { said: String, after: Duration },
    /// It was refused for a reason that may lie with the account or the address: worth some more tries.
    #[error("{0}")]
    Denied(String),
    /// It was refused for what it is: trying again is of no use.
    #[error("{0}")]
    Rejected(String),
    #[error("cannot make the message: {0}")]
    Message(String),
    /// A signal came before it was taken.
    #[error("stopped by a signal")]
    Stopped,
}

impl NotifyError {
    /// Returns what a conversation that came to nothing means for the message.
    fn of_fault(at: &str, fault: Fault) -> Self {
        match fault {
            Fault::Stopped => Self::Stopped,
            fault => Self::Refused(format!("{at}: {fault}")),
        }
    }
}

/// What became of the messages of one channel.
#[derive(Debug)]
pub struct Delivery {
    /// The channel's name.
    pub channel: &'static str,
    /// Messages it took.
    pub sent: usize,
    /// Messages that wait for the next time.
    pub waiting: usize,
    /// Messages that it refused for good, which are not sent again.
    pub set_aside: usize,
    /// Why it took no more, or refused one.
    pub error: Option<NotifyError>,
    /// Why what waits could not be kept, or what waited not be read.
    pub not_kept: Option<String>,
}

impl Channels {
    /// Returns the channels that are configured.
    pub fn of(config: &Config) -> Result<Self, ConfigError> {
        fn settings<S: ChannelSettings>(section: &Option<S>) -> Option<&dyn ChannelSettings> {
            section.as_ref().map(|section| section as &dyn ChannelSettings)
        }
        let notify = &config.notify;
        let sections = [
            settings(&notify.email),
            settings(&notify.telegram),
            settings(&notify.ntfy),
            settings(&notify.bark),
            settings(&notify.webhook),
        ];
        let channel = |section: &dyn ChannelSettings| section.channel(notify.report.as_deref());
        let list: Result<Vec<_>, _> = sections.into_iter().flatten().map(channel).collect();
        let list = list.map_err(|bad| value_error(&format!("notify.{}", bad.key), bad.expected, bad.found));
        Ok(Self { list: config.traced(list)?, timeout: config.notify_timeout()? })
    }

    /// Says one thing over one channel, or ends when `stop` is raised. What may be taken in a while is tried again as long as there is
    /// time, with pauses that double, or as long as the other side asks for.
    ///
    /// Errors: those of the channel
    pub fn send(
        &self,
        channel: &dyn Channel,
        message: &Message,
        stop: &AtomicBool,
    ) -> Result<(), NotifyError> {
        let until = Deadline::after(self.timeout, stop);
        let mut tries = 0;
        loop {
            tries += 1;
            let error = match channel.send(message, &until) {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            let ours = pause_after(tries, FIRST_PAUSE, self.timeout);
            let pause = match &error {
                NotifyError::Refused(_) => ours,
                NotifyError::Later { after, .. } => ours.max(*after),
                _ => return Err(error),
            };
            match until.sleep(pause) {
                Ok(()) => {}
                Err(Fault::Stopped) => return Err(NotifyError::Stopped),
                // No time is left for another try.
                Err(_) => return Err(error),
            }
        }
    }

    /// Says over every channel what waits for it in a store, oldest first, and then something new.
    ///
    /// All of it is written down in the store's directory before it is sent, and what a channel does not take waits there for
    /// the next time. When `stop` is raised the rest waits as well.
    pub fn deliver(&self, new: &[Message], store: &Path, stop: &AtomicBool) -> Vec<Delivery> {
        if self.list.is_empty() {
            return Vec::new();
        }
        let mut queue = queue::Queue::open(store, stop);
        for message in new {
            self.list.iter().for_each(|channel| queue.add(channel.name(), message.clone()));
        }
        let mut kept = queue.save();
        let mut deliveries = Vec::new();
        for channel in &self.list {
            deliveries.push(self.deliver_over(channel.as_ref(), &mut queue, stop));
            // What was taken is not to be sent again, whatever becomes of the other channels.
            kept = queue.save();
        }
        if let Err(reason) = kept {
            let waiting = deliveries.iter_mut().filter(|delivery| delivery.waiting > 0);
            waiting.for_each(|delivery| delivery.not_kept = Some(reason.clone()));
        }
        deliveries
    }

    fn deliver_over(&self, channel: &dyn Channel, queue: &mut queue::Queue, stop: &AtomicBool) -> Delivery {
        let name = channel.name();
        let mut delivery =
            Delivery { channel: name, sent: 0, waiting: 0, set_aside: 0, error: None, not_kept: None };
        while let Some(waiting) = queue.first(name) {
            let error = match self.send(channel, &waiting.message, stop) {
                Ok(()) => {
                    delivery.sent += 1;
                    drop(queue.take_first(name));
                    continue;
                }
                Err(error) => error,
            };
            waiting.refusals += u32::from(matches!(error, NotifyError::Denied(_)));
            let is_final = matches!(error, NotifyError::Rejected(_)) || waiting.refusals >= REFUSALS_MAX;
            delivery.error = Some(error);
            if !is_final {
                break;
            }
            delivery.set_aside += 1;
            let message = queue.take_first(name);
            let kept = message.map_or(Ok(()), |message| queue.set_aside(name, message));
            delivery.not_kept = kept.err().or(delivery.not_kept);
        }
        delivery.waiting = queue.count(name);
        delivery
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn channels(text: &str) -> Result<Channels, ConfigError> {
        Channels::of(&Config::from_texts(&[("`my.toml`".to_owned(), text.to_owned())])?)
    }

    #[test]
    fn passwords_never_go_over_plain_connections_to_others() {
        let email = |more: &str| {
            channels(&format!("[notify.email]\nfrom = \"a@b.example\"\nto = [\"c@d.example\"]\n{more}"))
                .is_ok()
        };
        assert!(email("host = \"smtp.example.com\""));
        assert!(email("host = \"127.0.0.1\"\nsecurity = \"none\"\nusername = \"me\""));
        assert!(!email("host = \"smtp.example.com\"\nsecurity = \"none\""));
        assert!(email("host = \"relay.lan\"\nsecurity = \"none\"\ninsecure = true"));
        assert!(!email("host = \"relay.lan\"\nsecurity = \"none\"\ninsecure = true\nusername = \"me\""));
        assert!(!email("host = \"a b\""));
    }

    #[test]
    fn addresses_with_secrets_are_shown_without_them() {
        let text = "[notify.webhook]\nurl = \"https://hooks.example/T0KEN\"\n[notify.bark]\nurl = \"https://x.example/K\"";
        let config = Config::from_texts(&[("x".to_owned(), text.to_owned())]).expect("sound");
        let shown = config.to_toml();
        assert!(shown.contains("https://hooks.example/…") && !shown.contains("T0KEN"), "{shown}");
        let error = channels("[notify.webhook]\nurl = \"http://hooks.example/T0KEN\"").expect_err("plain");
        assert!(!error.to_string().contains("T0KEN"), "{error}");
    }

    #[test]
    fn a_channel_that_cannot_be_used_is_named_with_its_place() {
        let error = channels("[notify.webhook]\n\nurl = \"x\"\n").expect_err("no address").to_string();
        assert!(error.ends_with("(`my.toml`, line 3)"), "{error}");
    }
}
