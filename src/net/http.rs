//! What is read of an HTTP answer beside its content.

use std::io::{self, Read};
use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822;
use ureq::http::{HeaderMap, StatusCode};

use super::deadline::Deadline;
use super::fault::Fault;

/// Returns a status with its usual name: what the server calls it may be anything.
pub fn reason(status: u16) -> String {
    let name = StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
    name.map_or_else(|| status.to_string(), |name| format!("{status} {name}"))
}

/// Returns how long a server asks to wait: a number of seconds, or a date, which is held against the server's own clock where it
/// tells it. A number that is too large is the longest time there is; of what is neither, nothing is known.
pub fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get("retry-after")?.to_str().ok()?.trim();
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        return Some(Duration::from_secs(text.parse().unwrap_or(u64::MAX)));
    }
    let at_ms = rfc2822::parse(text).ok()?.timestamp().as_millisecond();
    let now_ms = instant_ms(headers).unwrap_or_else(|| Timestamp::now().as_millisecond());
    Some(Duration::from_millis(u64::try_from(at_ms.saturating_sub(now_ms)).unwrap_or(0)))
}

/// Returns the instant in the `Date` header; UTC ms.
pub fn instant_ms(headers: &HeaderMap) -> Option<i64> {
    let text = headers.get("date")?.to_str().ok()?;
    rfc2822::parse(text).ok().map(|instant| instant.timestamp().as_millisecond())
}

/// A body that ends by a deadline, whoever reads it.
pub struct Clocked<'a, R> {
    body: R,
    deadline: &'a Deadline,
}

impl<'a, R: Read> Clocked<'a, R> {
    /// Puts a body under a deadline.
    pub fn new(body: R, deadline: &'a Deadline) -> Self {
        Self { body, deadline }
    }
}

impl<R: Read> Read for Clocked<'_, R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.deadline.left().map_err(Fault::into_io)?;
        self.body.read(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(retry_after_text: &str, date: Option<&str>) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        headers.insert("retry-after", retry_after_text.parse().expect("a value"));
        if let Some(date) = date {
            headers.insert("date", date.parse().expect("a value"));
        }
        retry_after(&headers)
    }

    #[test]
    fn what_a_server_asks_for_is_a_time_whatever_it_writes() {
        const DATE: &str = "Fri, 31 Jan 2025 12:00:00 GMT";
        for (text, seconds) in [
            ("0", Some(0)),
            (" 7 ", Some(7)),
            ("18446744073709551615", Some(u64::MAX)),
            ("99999999999999999999999999", Some(u64::MAX)),
            ("Fri, 31 Jan 2025 12:01:30 GMT", Some(90)),
            ("Thu, 30 Jan 2025 12:01:30 GMT", Some(0)),
            ("-1", None),
            ("+5", None),
            ("1.5", None),
            ("", None),
            ("soon", None),
            ("Fri, 99 Jan 2025 12:01:30 GMT", None),
        ] {
            assert_eq!(asked(text, Some(DATE)), seconds.map(Duration::from_secs), "{text:?}");
        }
        assert_eq!(asked("Fri, 31 Jan 2025 12:01:30 GMT", None), Some(Duration::ZERO), "by our own clock");
    }

    #[test]
    fn statuses_have_their_own_names() {
        assert_eq!([404, 599].map(reason), ["404 Not Found", "599"]);
    }
}
