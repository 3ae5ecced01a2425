//! What every conversation over the network shares: which addresses may be used, and an HTTP client with limits.
//!
//! Certificates are always verified; plain connections are for this machine only, so that nobody on the way can read
//! or change what passes.

mod endpoint;
mod proxy;

use std::time::Duration;

use ureq::Agent;

pub use endpoint::{Endpoint, EndpointError, is_loopback, origin};
pub use proxy::{ProxyError, usable_proxy};

/// Returns an HTTP client for an endpoint: a whole call ends within the time, statuses are no errors, and no redirect
/// leads from an encrypted connection to a plain one.
///
/// Proxies are taken from the environment (`HTTPS_PROXY`, `NO_PROXY`), but not for this machine; whoever calls this has made sure by
/// [`usable_proxy`] that what stands there is one.
pub fn agent(endpoint: &Endpoint, timeout: Duration, redirects: u32) -> Agent {
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .https_only(endpoint.is_encrypted())
        .max_redirects(redirects)
        .timeout_global(Some(timeout))
        .user_agent(concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")));
    let config = if endpoint.is_loopback() { config.proxy(None) } else { config };
    config.build().new_agent()
}

/// Returns an error with everything behind it, on one line.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}

/// Returns what somebody else says as it may be printed (see [`printable`]); of an answer without a word, that.
pub fn said(text: &str, chars: usize) -> String {
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
        assert_eq!([said(" \n", 9), said("no", 9)], ["without a word", "no"]);
    }
}
