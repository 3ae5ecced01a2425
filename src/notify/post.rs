//! Channels that take a JSON document by HTTP: Bark and a webhook.

use std::io::Read;

use serde_json::{Value, json};

use super::secret::Secret;
use super::{Message, NotifyError, Until};
use crate::net::{Clocked, Deadline, Endpoint, Fault, agent, reason, usable_proxy};

/// Most bytes of an answer that are read.
const ANSWER_BYTES: u64 = 4 << 10;
/// Push messages are cut off at 4 KiB on their way.
const PUSH_CHARS: usize = 1_000;

/// Bark: push messages to a phone; the key comes from `OPTIMIZER_BARK_KEY` or `OPTIMIZER_BARK_KEY_FILE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bark {
    /// Address of the server.
    pub endpoint: Endpoint,
    /// What a tap on the message opens.
    pub link: Option<String>,
}

impl Bark {
    pub(super) fn send(&self, message: &Message, until: &Until<'_>) -> Result<(), NotifyError> {
        let key = Secret::read("OPTIMIZER_BARK_KEY")?;
        let mut body = json!({
            "device_key": key.reveal(),
            "title": message.subject,
            "body": cut(&message.text, PUSH_CHARS),
            "group": "optimizer",
            "level": if message.urgent { "timeSensitive" } else { "active" },
        });
        if let Some(link) = &self.link {
            body["url"] = Value::from(link.as_str());
        }
        let post = Post { endpoint: &self.endpoint, path: "push", bearer: None, json: body.to_string() };
        let answer = post.send(until, true)?;
        // The server answers 200 and says in the body that it failed. A number that is no status may be anything.
        let said: Value = serde_json::from_slice(&answer).unwrap_or_default();
        let code = said.get("code").and_then(Value::as_u64).and_then(|code| u16::try_from(code).ok());
        match code.filter(|code| (100..600).contains(code)) {
            Some(200) => Ok(()),
            Some(code) => Err(refusal(&self.endpoint, code, "expected code 200, found code ")),
            None => {
                let said =
                    format!("{}: expected code 200, found an answer without a code", self.endpoint.origin());
                Err(NotifyError::Refused(said))
            }
        }
    }
}

/// A webhook: gets the digest as a document; a token for it may come from `OPTIMIZER_WEBHOOK_TOKEN` or
/// `OPTIMIZER_WEBHOOK_TOKEN_FILE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// Where to post.
    pub endpoint: Endpoint,
}

impl Webhook {
    pub(super) fn send(&self, message: &Message, until: &Until<'_>) -> Result<(), NotifyError> {
        let token = Secret::find("OPTIMIZER_WEBHOOK_TOKEN")?;
        let bearer = token.as_ref();
        let post = Post { endpoint: &self.endpoint, path: "", bearer, json: message.json.clone() };
        post.send(until, false).map(drop)
    }
}

/// A JSON document on its way.
struct Post<'a> {
    endpoint: &'a Endpoint,
    path: &'a str,
    bearer: Option<&'a Secret>,
    json: String,
}

impl Post<'_> {
    /// Posts the document; returns the body of the answer where it is wanted. Who takes the document need not end the answer.
    ///
    /// Errors: anything but a success, by its number
    fn send(self, until: &Until<'_>, wants_body: bool) -> Result<Vec<u8>, NotifyError> {
        let origin = self.endpoint.origin();
        usable_proxy(self.endpoint).map_err(|error| NotifyError::Refused(format!("{origin}: {error}")))?;
        let endpoint = self.endpoint.clone();
        let url = if self.path.is_empty() { endpoint.url().to_owned() } else { endpoint.join(self.path) };
        let bearer = self.bearer.map(|token| format!("Bearer {}", token.reveal()));
        let json = self.json;
        let ask = move |deadline: &Deadline| -> Result<(u16, Vec<u8>), Fault> {
            let mut request =
                agent(&endpoint, deadline.left()?, 0).post(&url).content_type("application/json");
            if let Some(bearer) = bearer {
                request = request.header("Authorization", bearer);
            }
            let mut response = request.send(json).map_err(|error| Fault::of_http(&error))?;
            let status = response.status().as_u16();
            let mut body = Vec::new();
            if wants_body && (200..300).contains(&status) {
                let mut reader = Clocked::new(response.body_mut().as_reader(), deadline).take(ANSWER_BYTES);
                reader.read_to_end(&mut body).map_err(|error| Fault::of_io(&error))?;
            }
            Ok((status, body))
        };
        match until.call(ask).and_then(|answered| answered) {
            Ok((200..300, body)) => Ok(body),
            Ok((status, _)) => Err(refusal(self.endpoint, status, "")),
            Err(fault) => Err(NotifyError::of_fault(&origin, fault)),
        }
    }
}

/// Returns what an answer other than a success comes to: whether the same message may be taken later.
fn refusal(endpoint: &Endpoint, status: u16, before: &str) -> NotifyError {
    let said = format!("{}: {before}{}", endpoint.origin(), reason(status));
    match status {
        // It is malformed, too large, of a type or content that is not taken.
        400 | 406 | 411 | 413 | 415 | 422 | 431 => NotifyError::Rejected(said),
        // A time-out, too early, too many: these pass.
        408 | 425 | 429 => NotifyError::Refused(said),
        // The address or who asks may be wrong, which can be mended.
        400..500 => NotifyError::Denied(said),
        _ => NotifyError::Refused(said),
    }
}

/// Returns text of so many characters at most.
fn cut(text: &str, chars: usize) -> String {
    match text.char_indices().nth(chars) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_refused_for_good_is_told_from_what_may_be_taken_later() {
        let endpoint = Endpoint::parse("https://hooks.example/T0KEN").expect("an address");
        let of = |status| refusal(&endpoint, status, "");
        assert_eq!(of(404).to_string(), "https://hooks.example/…: 404 Not Found");
        assert!(matches!(of(413), NotifyError::Rejected(_)));
        assert!([401, 404, 410].map(of).iter().all(|error| matches!(error, NotifyError::Denied(_))));
        assert!([0, 302, 408, 429, 500, 503].map(of).iter().all(|e| matches!(e, NotifyError::Refused(_))));
    }

    #[test]
    fn long_text_is_cut_between_characters() {
        assert_eq!(cut("äöü", 3), "äöü");
        assert_eq!(cut("äöü!", 2), "äö…");
    }
}
