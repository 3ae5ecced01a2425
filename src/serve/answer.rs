//! An answer: its status, its headers, its bytes.

use hyper::StatusCode;
use hyper::body::Bytes;
use hyper::header::{HeaderName, HeaderValue};
use serde_json::Value;

/// The kinds of content.
pub(super) const HTML: &str = "text/html; charset=utf-8";
pub(super) const TEXT: &str = "text/plain; charset=utf-8";
pub(super) const JSON: &str = "application/json";
pub(super) const CSV: &str = "text/csv; charset=utf-8";
pub(super) const PROMETHEUS: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What every answer says to a browser: nothing from elsewhere, nothing for elsewhere.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// An answer to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    kind: &'static str,
    pub(super) body: Bytes,
    /// Names the content while it stays the same.
    pub(super) tag: Option<String>,
    /// Whether it may be kept for ever.
    is_immutable: bool,
    more: Vec<(&'static str, String)>,
}

impl Answer {
    pub(super) fn new(status: StatusCode, kind: &'static str, body: impl Into<Bytes>) -> Self {
        Self { status, kind, body: body.into(), tag: None, is_immutable: false, more: Vec::new() }
    }

    pub(super) fn ok(kind: &'static str, body: impl Into<Bytes>) -> Self {
        Self::new(StatusCode::OK, kind, body)
    }

    /// Returns a sentence with a status.
    pub(super) fn said(status: StatusCode, text: impl Into<String>) -> Self {
        Self::new(status, TEXT, text.into() + "\n")
    }

    /// Returns a JSON value.
    pub(super) fn json(status: StatusCode, value: &Value) -> Self {
        Self::new(status, JSON, format!("{value:#}\n"))
    }

    /// Returns a document as JSON.
    pub(super) fn document(text: String) -> Self {
        Self::ok(JSON, text + "\n")
    }

    /// Returns a file of this program, under a name that changes with it.
    pub(super) fn immutable(kind: &'static str, text: &'static str) -> Self {
        Self { is_immutable: true, ..Self::ok(kind, text) }
    }

    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.more.push((name, value.into()));
        self
    }

    pub(super) fn tagged(mut self, tag: String) -> Self {
        self.tag = Some(tag);
        self
    }

    /// Returns that nothing is other than what was fetched before.
    pub(super) fn not_modified(&self) -> Self {
        Self { status: StatusCode::NOT_MODIFIED, body: Bytes::new(), ..self.clone() }
    }

    /// Returns the headers.
    pub(super) fn headers(&self) -> Vec<(HeaderName, HeaderValue)> {
        let cached = if self.is_immutable { "private, max-age=31536000, immutable" } else { "no-store" };
        let fixed = [
            ("content-type", self.kind),
            ("cache-control", cached),
            ("content-security-policy", POLICY),
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-resource-policy", "same-origin"),
            ("cross-origin-opener-policy", "same-origin"),
        ];
        let tag = self.tag.iter().map(|tag| ("etag", format!("W/\"{tag}\"")));
        let all = fixed.iter().map(|(name, value)| (*name, (*value).to_owned())).chain(tag);
        let all = all.chain(self.more.iter().cloned());
        // What is no header value would be ours, from foreign text: it is left out.
        all.filter_map(|(name, value)| {
            Some((HeaderName::from_static(name), HeaderValue::from_str(&value).ok()?))
        })
        .collect()
    }
}
