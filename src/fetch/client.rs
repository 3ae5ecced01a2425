//! Asking the exchange: tries, pauses, and an ear for the signal to stop.
//!
//! A question has one deadline, all its tries and pauses included ([`Limits::of_a_question`]). What the exchange asks to wait for is
//! obeyed up to the longest pause and no further, and only where it means something (418, 429, 503).
//!
//! Everything that may be better in a while (no connection, time out, 5xx, a body cut short, "too many requests") is
//! tried again, with pauses that double and have no chance in them; everything else ends at once.

use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use ureq::{Agent, Body};

use super::error::FetchError;
use super::exchange::Exchange;
use super::{FetchEvent, Request, plan};
use crate::config::network::Limits;
use crate::model::MINUTE_MS;
use crate::net::{Clocked, Deadline, Endpoint, Fault, agent, instant_ms, pause_after, retry_after};

/// Most bytes of an error's body that are read.
const MESSAGE_BYTES: u64 = 4 << 10;
/// Most characters of it that are shown.
const MESSAGE_CHARS: usize = 200;
/// The archive's address may point to where the files are.
const REDIRECTS: u32 = 3;

impl Limits {
    /// Returns the longest time until a question is answered or given up: every try and every pause at its longest, and the minute that
    /// its weight may cost.
    fn of_a_question(&self) -> Duration {
        let tries = (self.timeout.saturating_add(self.longest_wait)).saturating_mul(self.attempts);
        tries.saturating_add(Duration::from_millis(MINUTE_MS.unsigned_abs()))
    }
}

/// Why a body was not taken in.
pub(super) enum Trouble {
    /// It may be better next time.
    Again(String),
    /// It will not.
    Fatal(FetchError),
}

impl From<Fault> for Trouble {
    fn from(fault: Fault) -> Self {
        Self::Again(fault.to_string())
    }
}

/// One answer.
struct Reply<B> {
    status: u16,
    /// The exchange's clock.
    server_ms: Option<i64>,
    used_weight: Option<u64>,
    retry_after: Option<Duration>,
    /// The body of a success, the message of anything else.
    body: Result<B, Trouble>,
}

pub(super) struct Client<'a> {
    agent: Agent,
    endpoint: Endpoint,
    limits: Limits,
    exchange: &'static dyn Exchange,
    weight_per_minute: u64,
    stop: &'a AtomicBool,
    on_event: &'a dyn Fn(FetchEvent<'_>),
    /// Not to ask before this.
    ready_at: Option<Instant>,
    pub(super) requests: u64,
}

impl<'a> Client<'a> {
    pub(super) fn new(
        request: &Request,
        limits: Limits,
        stop: &'a AtomicBool,
        on_event: &'a dyn Fn(FetchEvent<'_>),
    ) -> Self {
        let (exchange, endpoint) = (request.exchange, request.endpoint.clone());
        Self {
            agent: agent(&endpoint, limits.timeout, REDIRECTS),
            weight_per_minute: exchange.weight_per_minute(request.market),
            exchange,
            endpoint,
            limits,
            stop,
            on_event,
            ready_at: None,
            requests: 0,
        }
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
        let deadline = Deadline::after(self.limits.of_a_question(), self.stop);
        let mut tries = 0;
        loop {
            self.be_ready(&deadline)?;
            tries += 1;
            self.requests += 1;
            let (asked, trouble) = match self.once(&url, &read, &deadline)? {
                Err(trouble) => (None, trouble),
                Ok(reply) => {
                    self.mind_the_weight(&reply);
                    match (reply.status, reply.body) {
                        (200, body) => match body.and_then(|body| check(body, reply.server_ms)) {
                            Ok(checked) => return Ok(Some(checked)),
                            Err(trouble) => (None, trouble),
                        },
                        (404, _) => return Ok(None),
                        (status, body) => {
                            let message = body.err().unwrap_or(Trouble::Again("without a word".to_owned()));
                            (self.obeyed(status, reply.retry_after)?, refused(what, status, message))
                        }
                    }
                }
            };
            let last = match trouble {
                Trouble::Fatal(error) => return Err(error),
                Trouble::Again(last) => last,
            };
            let gave_up = || FetchError::GaveUp { what: what.to_owned(), tries, last: last.clone() };
            if tries >= self.limits.attempts {
                return Err(gave_up());
            }
            let ours = pause_after(tries, self.limits.first_wait, self.limits.longest_wait);
            self.pause(asked.map_or(ours, |asked| asked.max(ours)), &last, &deadline, gave_up)?;
        }
    }

    /// Returns how long the exchange asks to wait, where it may ask for that.
    ///
    /// Errors: longer than anybody waits
    fn obeyed(&self, status: u16, asked: Option<Duration>) -> Result<Option<Duration>, FetchError> {
        let asked = asked.filter(|_| matches!(status, 418 | 429 | 503));
        match asked {
            Some(asked) if asked > self.limits.longest_wait => {
                let longest_s = self.limits.longest_wait.as_secs();
                Err(FetchError::Throttled { status, asked_s: asked.as_secs(), longest_s })
            }
            asked => Ok(asked),
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

    fn be_ready(&mut self, deadline: &Deadline<&AtomicBool>) -> Result<(), FetchError> {
        match self.ready_at.take() {
            Some(ready) => {
                let left = ready.saturating_duration_since(Instant::now());
                let why = "most of this minute's requests are used";
                let late =
                    || FetchError::GaveUp { what: "a request".to_owned(), tries: 0, last: why.to_owned() };
                self.pause(left, why, deadline, late)
            }
            None if self.stopped() => Err(FetchError::Stopped),
            None => Ok(()),
        }
    }

    fn pause(
        &self,
        wait: Duration,
        why: &str,
        deadline: &Deadline<&AtomicBool>,
        late: impl FnOnce() -> FetchError,
    ) -> Result<(), FetchError> {
        (self.on_event)(FetchEvent::Waiting { wait, why });
        deadline.sleep(wait).map_err(|fault| match fault {
            Fault::Stopped => FetchError::Stopped,
            _ => late(),
        })
    }

    /// Asks once.
    fn once<B, R>(
        &self,
        url: &str,
        read: &Arc<R>,
        deadline: &Deadline<&AtomicBool>,
    ) -> Result<Result<Reply<B>, Trouble>, FetchError>
    where
        B: Send + 'static,
        R: Fn(&mut dyn Read) -> Result<B, Trouble> + Send + Sync + 'static,
    {
        let (agent, url, read) = (self.agent.clone(), url.to_owned(), Arc::clone(read));
        let (exchange, may_show) = (self.exchange, self.endpoint.is_open());
        let left = deadline.left().and_then(|left| {
            let one = Deadline::after(self.limits.timeout.min(left), self.stop);
            one.call(move |inner| ask(&agent, &url, (exchange, may_show), read.as_ref(), inner))
        });
        match left {
            Ok(answered) => Ok(answered),
            Err(Fault::Stopped) => Err(FetchError::Stopped),
            Err(fault) => Ok(Err(fault.into())),
        }
    }
}

/// Returns what a status other than a success comes to.
fn refused(what: &str, status: u16, said: Trouble) -> Trouble {
    match (status, said) {
        (418 | 429, _) => Trouble::Again(format!("{status} too many requests")),
        (500.., Trouble::Again(message)) => Trouble::Again(format!("{status} {message}")),
        (_, Trouble::Again(message)) => {
            Trouble::Fatal(FetchError::Refused { what: what.to_owned(), status, message })
        }
        (_, fatal) => fatal,
    }
}

fn ask<B>(
    agent: &Agent,
    url: &str,
    (exchange, may_show): (&dyn Exchange, bool),
    read: &dyn Fn(&mut dyn Read) -> Result<B, Trouble>,
    deadline: &Deadline,
) -> Result<Reply<B>, Trouble> {
    let mut response = agent.get(url).call().map_err(|error| Trouble::from(Fault::of_http(&error)))?;
    let status = response.status().as_u16();
    let headers = response.headers();
    let (server_ms, used_weight, retry_after) =
        (instant_ms(headers), exchange.used_weight(headers), retry_after(headers));
    let body = match status {
        200 => read(&mut Clocked::new(response.body_mut().as_reader(), deadline)),
        _ if may_show => Err(Trouble::Again(message(exchange, response.body_mut(), deadline))),
        _ => Err(Trouble::Again("(what it says may repeat the address, which may be a secret)".to_owned())),
    };
    Ok(Reply { status, server_ms, used_weight, retry_after, body })
}

/// Returns what a refusal says: the exchange's own message, else the beginning of the text.
fn message(exchange: &dyn Exchange, body: &mut Body, deadline: &Deadline) -> String {
    let mut bytes = Vec::new();
    // What there is of a message is better than none.
    let _ = Clocked::new(body.as_reader(), deadline).take(MESSAGE_BYTES).read_to_end(&mut bytes);
    let text = String::from_utf8_lossy(&bytes);
    let parsed = serde_json::from_str::<serde_json::Value>(&text).ok();
    let said = parsed.as_ref().and_then(|json| exchange.message(json));
    crate::net::said_or_nothing(said.as_deref().unwrap_or(&text), MESSAGE_CHARS)
}
