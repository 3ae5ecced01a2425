//! ntfy: push messages to whoever subscribed to a topic.

use serde_json::{Value, json};

use super::channel::{Channel, ChannelSettings, Until, Unusable, cut, endpoint};
use super::post::Post;
use super::secret::Secret;
use super::{Message, NotifyError};
use crate::config::network::NtfyConfig;
use crate::net::Endpoint;

/// Longer messages become attachments.
const TEXT_CHARS: usize = 3_000;

impl ChannelSettings for NtfyConfig {
    fn channel(&self, report: Option<&str>) -> Result<Box<dyn Channel>, Unusable> {
        let whole = endpoint("ntfy.url", &self.url)?;
        let (server, topic) = whole.url().rsplit_once('/').unwrap_or_default();
        let is_topic = |b: u8| b.is_ascii_alphanumeric() || b"_-".contains(&b);
        if whole.is_open() || topic.is_empty() || !topic.bytes().all(is_topic) {
            return Err(Unusable {
                key: "ntfy.url",
                expected: "an address with a topic such as https://ntfy.sh/my-topic",
                found: format!("{:?}", whole.origin()),
            });
        }
        let link = report.filter(|report| report.starts_with("https://")).map(str::to_owned);
        Ok(Box::new(Ntfy { endpoint: endpoint("ntfy.url", server)?, topic: topic.to_owned(), link }))
    }
}

/// A topic, whose name is as good as a password; a token may come from `OPTIMIZER_NTFY_TOKEN` or `OPTIMIZER_NTFY_TOKEN_FILE`.
#[derive(Clone, PartialEq, Eq)]
struct Ntfy {
    /// Address of the server.
    endpoint: Endpoint,
    /// What is published to.
    topic: String,
    /// What a tap on the message opens.
    link: Option<String>,
}

impl std::fmt::Debug for Ntfy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Ntfy({})", self.endpoint.origin())
    }
}

impl Channel for Ntfy {
    fn name(&self) -> &'static str {
        "ntfy"
    }

    fn send(&self, message: &Message, until: &Until<'_>) -> Result<(), NotifyError> {
        let token = Secret::find("OPTIMIZER_NTFY_TOKEN")?;
        let mut body = json!({
            "topic": self.topic,
            "title": message.subject,
            "message": cut(&message.text, TEXT_CHARS),
            "priority": if message.urgent { 4 } else { 3 },
        });
        if let Some(link) = &self.link {
            body["click"] = Value::from(link.as_str());
        }
        let bearer = token.as_ref();
        let post = Post { endpoint: &self.endpoint, path: "", bearer, json: body.to_string() };
        post.send(until, false).map(drop)
    }
}
