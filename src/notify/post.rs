//! Channels that take a JSON document by HTTP: Bark and a webhook.

use std::io::Read;
use std::time::Duration;

use serde_json::{Value, json};

use super::secret::Secret;
use super::{Message, NotifyError};
use crate::net::{self, Endpoint, agent, usable_proxy};

/// Most bytes of an answer that are read, and characters that are shown.
const ANSWER_BYTES: u64 = 4 << 10;
const ANSWER_CHARS: usize = 200;
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
    pub(super) fn send(&self, message: &Message, timeout: Duration) -> Result<(), NotifyError> {
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
        let answer = post(&self.endpoint, "push", None, &body.to_string(), timeout, Some(&key))?;
        // The server answers 200 and says in the body that it failed.
        let said: Value = serde_json::from_str(&answer).unwrap_or_default();
        let code = said.get("code").and_then(Value::as_i64);
        match code {
            Some(200) => Ok(()),
            _ => Err(refusal(
                code.and_then(|code| code.try_into().ok()).unwrap_or(0),
                format!("expected code 200, found {}", net::said(&answer, ANSWER_CHARS)),
            )),
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
    pub(super) fn send(&self, message: &Message, timeout: Duration) -> Result<(), NotifyError> {
        let token = Secret::find("OPTIMIZER_WEBHOOK_TOKEN")?;
        post(&self.endpoint, "", token.as_ref(), &message.json, timeout, token.as_ref()).map(drop)
    }
}

/// Posts JSON and returns the answer, blotted; anything but a success is an error.
fn post(
    endpoint: &Endpoint,
    path: &str,
    bearer: Option<&Secret>,
    json: &str,
    timeout: Duration,
    blot: Option<&Secret>,
) -> Result<String, NotifyError> {
    let clean = |text: &str| blot.map_or_else(|| text.to_owned(), |secret| secret.blot(text));
    let refused = |text: String| NotifyError::Refused(format!("{}: {}", endpoint.origin(), clean(&text)));
    let url = if path.is_empty() { endpoint.url().to_owned() } else { endpoint.join(path) };
    usable_proxy(endpoint).map_err(|error| refused(error.to_string()))?;
    let mut request = agent(endpoint, timeout, 0).post(&url).content_type("application/json");
    if let Some(token) = bearer {
        request = request.header("Authorization", format!("Bearer {}", token.reveal()));
    }
    let mut response = request.send(json).map_err(|error| refused(endpoint.hide(&error.to_string())))?;
    let status = response.status().as_u16();
    let mut answer = Vec::new();
    // Whatever can be read of it.
    let _ = response.body_mut().as_reader().take(ANSWER_BYTES).read_to_end(&mut answer);
    let answer = clean(&String::from_utf8_lossy(&answer));
    match status {
        200..300 => Ok(answer),
        _ => {
            let said = clean(&format!("{status} {}", net::said(&answer, ANSWER_CHARS)));
            Err(refusal(status, format!("{}: {said}", endpoint.origin())))
        }
    }
}

/// Returns what an answer other than a success comes to: whether the same message may be taken later.
fn refusal(status: u16, said: String) -> NotifyError {
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
        let of = |status| refusal(status, String::new());
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
