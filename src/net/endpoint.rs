//! Addresses of services: encrypted, or on this machine.

use ureq::http::Uri;

use crate::model::{is_loopback, origin};

/// The address of a service: `https://`, or `http://` to this machine; without user, query or fragment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    url: String,
    host: String,
    encrypted: bool,
}

/// An address that is not used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected}, found {found:?}")]
pub struct EndpointError {
    /// What it must be.
    pub expected: &'static str,
    /// What it is, without what may be a secret.
    pub found: String,
}

impl Endpoint {
    /// Parses an address; a `/` at the end does not count.
    ///
    /// Errors: text that is no URL, a plain connection to another machine, a user or password, a query
    pub fn parse(text: &str) -> Result<Self, EndpointError> {
        match text.contains('?') {
            true => Err(EndpointError { expected: "an address without a query", found: origin(text) }),
            false => Self::with_query(text),
        }
    }

    /// Parses an address that may have a query, which is asked as it stands.
    ///
    /// Errors: as [`Endpoint::parse`], the query aside
    pub fn with_query(text: &str) -> Result<Self, EndpointError> {
        let fail = |expected| Err(EndpointError { expected, found: origin(text) });
        let Ok(uri) = text.parse::<Uri>() else { return fail("an address such as https://example.com") };
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return fail("an address such as https://example.com");
        };
        if authority.as_str().contains('@') {
            return fail("an address without user and password (secrets come from the environment)");
        }
        if text.contains('#') {
            return fail("an address without a query");
        }
        let host = authority.host().trim_matches(['[', ']']).to_owned();
        let encrypted = match scheme {
            "https" => true,
            "http" if is_loopback(&host) => false,
            _ => return fail("https:// (http:// only to this machine)"),
        };
        Ok(Self { url: text.trim_end_matches('/').to_owned(), host, encrypted })
    }

    /// Returns the whole address, which may be somebody's secret.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns what may be shown of it: scheme, host and port. The rest of a webhook's address is often a secret.
    pub fn origin(&self) -> String {
        origin(&self.url)
    }

    /// Returns whether all of the address may be shown: one with a path may be somebody's secret, and who answers there may repeat it.
    pub fn is_open(&self) -> bool {
        origin(&self.url) == self.url
    }

    /// Returns the address with something behind it.
    pub fn join(&self, path: &str) -> String {
        format!("{}/{}", self.url, path.trim_start_matches('/'))
    }

    /// Returns whether the connection is encrypted.
    pub fn is_encrypted(&self) -> bool {
        self.encrypted
    }

    /// Returns whether the service is on this machine.
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.host)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_encrypted_or_local_addresses_pass() {
        for good in
            ["https://api.example.com", "https://example.com/a/b/", "http://127.0.0.1:8080", "http://[::1]:1"]
        {
            assert!(Endpoint::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "example.com",
            "http://example.com",
            "ftp://127.0.0.1",
            "https://a?b=1",
            "http://127.0.0.1.evil.com",
        ] {
            assert!(Endpoint::parse(bad).is_err(), "{bad}");
        }
        let error = Endpoint::parse("https://me:hunter2@example.com").expect_err("no users");
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }

    #[test]
    fn an_address_with_a_path_may_be_a_secret() {
        let open = |text: &str| Endpoint::parse(text).map(|endpoint| endpoint.is_open());
        assert_eq!(open("https://a.example:1/"), Ok(true));
        assert_eq!(open("https://a.example/T0KEN"), Ok(false));
    }

    #[test]
    fn paths_are_joined_with_one_slash() {
        let joined = |base: &str| Endpoint::parse(base).map(|endpoint| endpoint.join("/x/y"));
        assert_eq!(joined("https://a.example/"), Ok("https://a.example/x/y".to_owned()));
        assert_eq!(joined("https://a.example/b"), Ok("https://a.example/b/x/y".to_owned()));
    }
}
