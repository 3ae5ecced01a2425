//! The sections of the channels below `[notify]`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};

use crate::model::origin;

/// Messages by e-mail; the password is `OPTIMIZER_SMTP_PASSWORD`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Default)]
#[serde(default, deny_unknown_fields)]
pub struct EmailConfig {
    /// Name of the mail server; needed.
    pub host: String,
    /// Its port, unless the usual one of `security`: 587, 465 or 25.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// How the connection is protected.
    pub security: Security,
    /// Address of the sender; needed.
    pub from: String,
    /// Addresses of who is told; at least one.
    pub to: Vec<String>,
    /// Name to log in with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// Whether a plain connection may leave this machine; only without a username.
    pub insecure: bool,
}

/// How a connection is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Default)]
#[serde(rename_all = "lowercase")]
pub enum Security {
    /// Plain at first, encrypted before anything is said; refused if the server cannot.
    #[default]
    Starttls,
    /// Encrypted from the start.
    Tls,
    /// Plain: to this machine, or another with `insecure` and no username.
    None,
}

/// Messages by Bark; the key is `OPTIMIZER_BARK_KEY`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct BarkConfig {
    /// Address of the server.
    #[serde(serialize_with = "only_origin")]
    pub url: String,
}

impl Default for BarkConfig {
    fn default() -> Self {
        Self { url: "https://api.day.app".to_owned() }
    }
}

/// Messages to a webhook; a token, where it needs one, is `OPTIMIZER_WEBHOOK_TOKEN`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Default)]
#[serde(default, deny_unknown_fields)]
pub struct WebhookConfig {
    /// Address to post to; needed. What follows the host is never shown.
    #[serde(serialize_with = "only_origin")]
    pub url: String,
}

/// Writes what may be shown of an address: the effective configuration is printed and stored.
fn only_origin<S: Serializer>(url: &str, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&origin(url))
}
