//! A JSON document by HTTP, for the channels that take one.

use std::io::Read;
use std::time::Duration;

use super::NotifyError;
use super::channel::Until;
use super::secret::Secret;
use crate::net::{Clocked, Deadline, Endpoint, Fault, agent, reason, retry_after, usable_proxy};

/// Most bytes of an answer that are read.
const ANSWER_BYTES: u64 = 4 << 10;

/// A JSON document on its way.
pub(super) struct Post<'a> {
    pub(super) endpoint: &'a Endpoint,
    pub(super) path: &'a str,
    pub(super) bearer: Option<&'a Secret>,
    pub(super) json: String,
}

/// What was answered.
pub(super) struct PostAnswer {
    pub(super) status: u16,
    /// How long the other side asks to wait.
    pub(super) retry_after: Option<Duration>,
    /// The beginning of the body, where it is wanted.
    pub(super) body: Vec<u8>,
}

impl Post<'_> {
    /// Posts the document; returns the body of the answer where it is wanted. Who takes the document need not end the answer.
    ///
    /// Errors: anything but a success, by its number
    pub(super) fn send(self, until: &Until<'_>, wants_body: bool) -> Result<Vec<u8>, NotifyError> {
        let endpoint = self.endpoint;
        let answered = self.ask(until, wants_body)?;
        match answered.status {
            200..300 => Ok(answered.body),
            status => Err(refusal(endpoint, status, "", answered.retry_after)),
        }
    }

    /// Posts the document; returns what was answered, whatever it is.
    ///
    /// Errors: no answer
    pub(super) fn ask(self, until: &Until<'_>, wants_body: bool) -> Result<PostAnswer, NotifyError> {
        let origin = self.endpoint.origin();
        usable_proxy(self.endpoint).map_err(|error| NotifyError::Refused(format!("{origin}: {error}")))?;
        let endpoint = self.endpoint.clone();
        let url = if self.path.is_empty() { endpoint.url().to_owned() } else { endpoint.join(self.path) };
        let bearer = self.bearer.map(|token| format!("Bearer {}", token.reveal()));
        let json = self.json;
        let ask = move |deadline: &Deadline| -> Result<PostAnswer, Fault> {
            let mut request =
                agent(&endpoint, deadline.left()?, 0).post(&url).content_type("application/json");
            if let Some(bearer) = bearer {
                request = request.header("Authorization", bearer);
            }
            let mut response = request.send(json).map_err(|error| Fault::of_http(&error))?;
            let (status, retry_after) = (response.status().as_u16(), retry_after(response.headers()));
            let mut body = Vec::new();
            if wants_body {
                let mut reader = Clocked::new(response.body_mut().as_reader(), deadline).take(ANSWER_BYTES);
                reader.read_to_end(&mut body).map_err(|error| Fault::of_io(&error))?;
            }
            Ok(PostAnswer { status, retry_after, body })
        };
        let answered = until.call(ask).and_then(|answered| answered);
        answered.map_err(|fault| NotifyError::of_fault(&origin, fault))
    }
}

/// Returns what an answer other than a success comes to: whether the same message may be taken later.
pub(super) fn refusal(
    endpoint: &Endpoint,
    status: u16,
    before: &str,
    asked: Option<Duration>,
) -> NotifyError {
    let said = format!("{}: {before}{}", endpoint.origin(), reason(status));
    match status {
        // It is malformed, too large, of a type or content that is not taken.
        400 | 406 | 411 | 413 | 415 | 422 | 431 => NotifyError::Rejected(said),
        // A time-out, too early, too many: these pass, and some say when.
        408 | 425 | 429 | 503 => {
            asked.map_or(NotifyError::Refused(said.clone()), |after| NotifyError::Later { said, after })
        }
        // The address or who asks may be wrong, which can be mended.
        400..500 => NotifyError::Denied(said),
        _ => NotifyError::Refused(said),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_refused_for_good_is_told_from_what_may_be_taken_later() {
        let endpoint = Endpoint::parse("https://hooks.example/T0KEN").expect("an address");
        let of = |status| refusal(&endpoint, status, "", None);
        assert_eq!(of(404).to_string(), "https://hooks.example/…: 404 Not Found");
        assert!(matches!(of(413), NotifyError::Rejected(_)));
        let asked = refusal(&endpoint, 429, "", Some(Duration::from_secs(3)));
        assert!(matches!(asked, NotifyError::Later { after, .. } if after == Duration::from_secs(3)));
        assert!([401, 404, 410].map(of).iter().all(|error| matches!(error, NotifyError::Denied(_))));
        assert!([0, 302, 408, 429, 500, 503].map(of).iter().all(|e| matches!(e, NotifyError::Refused(_))));
    }
}
