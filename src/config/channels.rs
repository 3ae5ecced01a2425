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

/// Messages by a bot of Telegram; its token is `OPTIMIZER_TELEGRAM_TOKEN`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TelegramConfig {
    /// Who is told: the number of a chat, as text, or `@channel`; needed.
    pub chat: String,
    /// Address of the interface.
    #[serde(serialize_with = "only_origin")]
    pub url: String,
}

impl Default for TelegramConfig {
    fn default() -> Self {
        Self { chat: String::new(), url: "https://api.telegram.org".to_owned() }
    }
}

/// Messages to a topic of ntfy; a token, where it needs one, is `OPTIMIZER_NTFY_TOKEN`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Default)]
#[serde(default, deny_unknown_fields)]
pub struct NtfyConfig {
    /// Address with the topic, such as `https://ntfy.sh/my-topic`; needed. What follows the host is never shown.
    #[serde(serialize_with = "only_origin")]
    pub url: String,
}

/// A sign of life after every run and every day, for a service that raises an alarm where it stays out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Default)]
#[serde(default, deny_unknown_fields)]
pub struct HeartbeatConfig {
    /// Address that is asked where all is done; needed. What follows the host is never shown.
    #[serde(serialize_with = "only_origin")]
    pub url: String,
    /// Address that is asked where something failed, unless `url` with `/fail` behind it.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "only_origin_of")]
    pub fail_url: Option<String>,
}

/// Messages to a webhook; a token, where it needs one, is `OPTIMIZER_WEBHOOK_TOKEN`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct WebhookConfig {
    /// Address to post to; needed. What follows the host is never shown.
    #[serde(serialize_with = "only_origin")]
    pub url: String,
    /// The document to post, as JSON with `{subject}` and `{text}` in its texts, for chat services; else the digest as JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// Most characters of `{text}`.
    #[schemars(extend("x-unit" = "characters"))]
    pub text_chars: u32,
}

impl Default for WebhookConfig {
    fn default() -> Self {
        Self { url: String::new(), template: None, text_chars: 1_500 }
    }
}

fn only_origin_of<S: Serializer>(url: &Option<String>, serializer: S) -> Result<S::Ok, S::Error> {
    url.as_deref().map(origin).serialize(serializer)
}

/// Writes what may be shown of an address: the effective configuration is printed and stored.
fn only_origin<S: Serializer>(url: &str, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&origin(url))
}
