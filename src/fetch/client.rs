//! Asking the exchange: tries, pauses, and an ear for the signal to stop.
//!
//! Everything that may be better in a while (no connection, time out, 5xx, a body cut short, "too many requests") is
//! tried again, with pauses that double and have no chance in them; everything else ends at once.

use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use jiff::fmt::rfc2822;
use ureq::http::HeaderMap;
use ureq::{Agent, Body};

use super::FetchEvent;
use super::error::FetchError;
use super::plan;
use crate::net::{Endpoint, agent};

/// How often the signal to stop is looked at.
const STOP_LOOK: Duration = Duration::from_millis(20);
/// Most bytes of an error's body that are read.
const MESSAGE_BYTES: u64 = 4 << 10;
/// Most characters of it that are shown.
const MESSAGE_CHARS: usize = 200;
/// The archive's address may point to where the files are.
const REDIRECTS: u32 = 3;

/// How patient to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Longest time of one request, the body included.
    pub timeout: Duration,
    /// Tries of one request.
    pub attempts: u32,
    /// Pause after the first try; it doubles with each.
    pub first_wait: Duration,
    /// Longest pause, also of those that the exchange asks for.
    pub longest_wait: Duration,
}

/// Why a body was not taken in.
pub(super) enum Trouble {
    /// It may be better next time.
    Again(String),
    /// It will not.
    Fatal(FetchError),
}

/// One answer.
struct Reply<B> {
    status: u16,
    /// The exchange's clock.
    server_ms: Option<i64>,
    used_weight: Option<u64>,
    retry_after_s: Option<u64>,
    /// The body of a success, the message of anything else.
    body: Result<B, Trouble>,
}

pub(super) struct Client<'a> {
    agent: Agent,
    endpoint: Endpoint,
    limits: Limits,
    weight_per_minute: u64,
    stop: &'a AtomicBool,
    on_event: &'a dyn Fn(FetchEvent<'_>),
    /// Not to ask before this.
    ready_at: Option<Instant>,
    pub(super) requests: u64,
}

impl<'a> Client<'a> {
    pub(super) fn new(
        endpoint: &Endpoint,
        limits: Limits,
        weight_per_minute: u64,
        stop: &'a AtomicBool,
        on_event: &'a dyn Fn(FetchEvent<'_>),
    ) -> Self {
        let agent = agent(endpoint, limits.timeout, REDIRECTS);
        let endpoint = endpoint.clone();
        Self { agent, endpoint, limits, weight_per_minute, stop, on_event, ready_at: None, requests: 0 }
    }

    /// Returns whether the signal to stop was given.
    pub(super) fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Asks until there is an answer; `None` for 404.
    ///
    /// `read` takes in the body (on a thread of its own, so that a signal need not wait for it); `check` makes something
    /// of it, given the exchange's clock.
    pub(super) fn get<B: Send + 'static, T>(
        &mut self,
        path: &str,
        what: &str,
        read: impl Fn(&mut dyn Read) -> Result<B, Trouble> + Send + Sync + 'static,
        check: impl Fn(B, Option<i64>) -> Result<T, Trouble>,
    ) -> Result<Option<T>, FetchError> {
        let read = Arc::new(read);
        let url = self.endpoint.join(path);
        let mut tries = 0;
        loop {
            self.be_ready()?;
            tries += 1;
            self.requests += 1;
            let reply = self.once(&url, &read)?;
            let mut asked = None;
            let trouble = match reply {
                Err(trouble) => trouble,
                Ok(reply) => {
                    self.mind_the_weight(&reply);
                    asked = reply.retry_after_s;
                    match (reply.status, reply.body) {
                        (200, Ok(body)) => match check(body, reply.server_ms) {
                            Ok(checked) => return Ok(Some(checked)),
                            Err(trouble) => trouble,
                        },
                        (404, _) => return Ok(None),
                        (status @ (418 | 429), _) => self.throttled(status, asked)?,
                        (500.., Err(Trouble::Again(message))) => {
                            Trouble::Again(format!("{} {message}", reply.status))
                        }
                        (200, Err(trouble)) => trouble,
                        (status, body) => {
                            let message = match body {
                                Err(Trouble::Again(message)) => message,
                                _ => "without a word".to_owned(),
                            };
                            return Err(FetchError::Refused { what: what.to_owned(), status, message });
                        }
                    }
                }
            };
            let last = match trouble {
                Trouble::Fatal(error) => return Err(error),
                Trouble::Again(last) => last,
            };
            if tries >= self.limits.attempts {
                return Err(FetchError::GaveUp { what: what.to_owned(), tries, last });
            }
            let ours = plan::wait(tries, self.limits.first_wait, self.limits.longest_wait);
            self.pause(asked.map_or(ours, |seconds| Duration::from_secs(seconds).max(ours)), &last)?;
        }
    }

    /// Returns how to go on after "too many requests".
    fn throttled(&self, status: u16, asked: Option<u64>) -> Result<Trouble, FetchError> {
        let longest_s = self.limits.longest_wait.as_secs();
        match asked {
            Some(asked_s) if Duration::from_secs(asked_s) > self.limits.longest_wait => {
                Err(FetchError::Throttled { status, asked_s, longest_s })
            }
            _ => Ok(Trouble::Again(format!("{status} too many requests"))),
        }
    }

    /// Puts the next request off when most of the minute's weight is used.
    fn mind_the_weight<B>(&mut self, reply: &Reply<B>) {
        let pause = reply
            .used_weight
            .zip(reply.server_ms)
            .and_then(|(used, server_ms)| plan::pause(used, self.weight_per_minute, server_ms));
        self.ready_at = pause.map(|pause| Instant::now() + pause);
    }

    fn be_ready(&mut self) -> Result<(), FetchError> {
        match self.ready_at.take() {
            Some(ready) => {
                let left = ready.saturating_duration_since(Instant::now());
                self.pause(left, "most of this minute's requests are used")
            }
            None if self.stopped() => Err(FetchError::Stopped),
            None => Ok(()),
        }
    }

    fn pause(&self, wait: Duration, why: &str) -> Result<(), FetchError> {
        (self.on_event)(FetchEvent::Waiting { wait, why });
        let until = Instant::now() + wait;
        loop {
            if self.stopped() {
                return Err(FetchError::Stopped);
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            std::thread::sleep(left.min(STOP_LOOK));
        }
    }

    /// Asks once, on a thread of its own that is left behind when the signal to stop comes.
    fn once<B, R>(&self, url: &str, read: &Arc<R>) -> Result<Result<Reply<B>, Trouble>, FetchError>
    where
        B: Send + 'static,
        R: Fn(&mut dyn Read) -> Result<B, Trouble> + Send + Sync + 'static,
    {
        let (sender, receiver) = channel();
        let (agent, url, read) = (self.agent.clone(), url.to_owned(), Arc::clone(read));
        let thread = std::thread::Builder::new().name("fetch".to_owned());
        let started = thread.spawn(move || drop(sender.send(ask(&agent, &url, read.as_ref()))));
        started.map_err(|source| FetchError::Io { path: "a thread".into(), source })?;
        loop {
            match receiver.recv_timeout(STOP_LOOK) {
                Ok(reply) => return Ok(reply),
                Err(RecvTimeoutError::Timeout) if !self.stopped() => {}
                Err(RecvTimeoutError::Timeout) => return Err(FetchError::Stopped),
                Err(RecvTimeoutError::Disconnected) => {
                    return Ok(Err(Trouble::Again("the request ended without an answer".to_owned())));
                }
            }
        }
    }
}

fn ask<B>(
    agent: &Agent,
    url: &str,
    read: &dyn Fn(&mut dyn Read) -> Result<B, Trouble>,
) -> Result<Reply<B>, Trouble> {
    let mut response = agent.get(url).call().map_err(|error| Trouble::Again(error.to_string()))?;
    let status = response.status().as_u16();
    let headers = response.headers();
    let (server_ms, used_weight, retry_after_s) =
        (server_ms(headers), number(headers, "x-mbx-used-weight-1m"), number(headers, "retry-after"));
    let body = match status {
        200 => read(&mut response.body_mut().as_reader()),
        _ => Err(Trouble::Again(message(response.body_mut()))),
    };
    Ok(Reply { status, server_ms, used_weight, retry_after_s, body })
}

fn number(headers: &HeaderMap, name: &str) -> Option<u64> {
    headers.get(name)?.to_str().ok()?.trim().parse().ok()
}

/// Returns the instant in the `Date` header; UTC ms.
fn server_ms(headers: &HeaderMap) -> Option<i64> {
    let text = headers.get("date")?.to_str().ok()?;
    rfc2822::parse(text).ok().map(|instant| instant.timestamp().as_millisecond())
}

/// Returns what a refusal says: the exchange's own message, else the beginning of the text.
fn message(body: &mut Body) -> String {
    let mut bytes = Vec::new();
    // What there is of a message is better than none.
    let _ = body.as_reader().take(MESSAGE_BYTES).read_to_end(&mut bytes);
    let text = String::from_utf8_lossy(&bytes);
    let parsed = serde_json::from_str::<serde_json::Value>(&text).ok();
    let said = parsed.as_ref().and_then(|json| {
        let message = json.get("msg")?.as_str()?;
        Some(json.get("code").map_or_else(|| message.to_owned(), |code| format!("{message} (code {code})")))
    });
    crate::net::said(said.as_deref().unwrap_or(&text), MESSAGE_CHARS)
}
