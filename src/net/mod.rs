//! What every conversation over the network shares: which addresses may be used, when it ends, and what is told of one that came to
//! nothing.
//!
//! Invariants:
//! - certificates are always verified; plain connections are for this machine only, so that nobody on the way can read or change what
//!   passes;
//! - every operation has one [`Deadline`], which a signal brings forward: no read, write, search for an address or pause lasts longer;
//! - what is read is bounded in bytes, lines and headers before it is kept;
//! - a [`Fault`] is told in our own words: what the other side says may repeat a secret.

mod deadline;
mod endpoint;
mod fault;
mod http;
mod proxy;
mod stream;

use std::time::Duration;

use ureq::Agent;

pub use deadline::Deadline;
pub use endpoint::{Endpoint, EndpointError};
pub use fault::Fault;
pub use http::{Clocked, instant_ms, reason, retry_after};
pub use proxy::{ProxyError, usable_proxy};
pub use stream::Stream;

/// Returns how long to wait before trying again: twice as long each time, up to the longest; there is no chance in it.
pub fn pause_after(tries: u32, first: Duration, longest: Duration) -> Duration {
    first.saturating_mul(1_u32.checked_shl(tries.saturating_sub(1)).unwrap_or(u32::MAX)).min(longest)
}

/// Most bytes of an answer before its body.
const HEADER_BYTES_MAX: usize = 32 << 10;

/// Returns an HTTP client for an endpoint: a whole call ends within the time, statuses are no errors, and no redirect
/// leads from an encrypted connection to a plain one.
///
/// Proxies are taken from the environment (`HTTPS_PROXY`, `NO_PROXY`), but not for this machine; whoever calls this has made sure by
/// [`usable_proxy`] that what stands there is one.
pub fn agent(endpoint: &Endpoint, timeout: Duration, redirects: u32) -> Agent {
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .max_response_header_size(HEADER_BYTES_MAX)
        .https_only(endpoint.is_encrypted())
        .max_redirects(redirects)
        .timeout_global(Some(timeout))
        .user_agent(concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")));
    let config = if endpoint.is_loopback() { config.proxy(None) } else { config };
    config.build().new_agent()
}

/// Returns what somebody else says as it may be printed (see [`printable`]); of an answer without a word, that.
pub fn said_or_nothing(text: &str, chars: usize) -> String {
    match printable(text, chars) {
        nothing if nothing.is_empty() => "without a word".to_owned(),
        said => said,
    }
}

/// Returns text from somebody else as it may be printed: one line, no control characters, so long at most.
pub fn printable(text: &str, chars: usize) -> String {
    let plain = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    let line: String = plain.take(chars).collect();
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_is_one_short_line() {
        assert_eq!(printable("a\r\n\u{1b}[31mb   c", 100), "a [31mb c");
        assert_eq!(printable("ääää", 2), "ää");
        assert_eq!([said_or_nothing(" \n", 9), said_or_nothing("no", 9)], ["without a word", "no"]);
    }
}
