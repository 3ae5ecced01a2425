//! A webhook: a program of one's own.

use super::channel::{Channel, ChannelSettings, Until, Unusable, endpoint};
use super::post::Post;
use super::secret::Secret;
use super::{Message, NotifyError};
use crate::config::network::WebhookConfig;
use crate::net::Endpoint;

impl ChannelSettings for WebhookConfig {
    fn channel(&self, _: Option<&str>) -> Result<Box<dyn Channel>, Unusable> {
        Ok(Box::new(Webhook { endpoint: endpoint("webhook.url", &self.url)? }))
    }
}

/// Who gets the digest as a document; a token for it may come from `OPTIMIZER_WEBHOOK_TOKEN` or
/// `OPTIMIZER_WEBHOOK_TOKEN_FILE`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Webhook {
    /// Where to post.
    endpoint: Endpoint,
}

impl Channel for Webhook {
    fn name(&self) -> &'static str {
        "webhook"
    }

    fn send(&self, message: &Message, until: &Until<'_>) -> Result<(), NotifyError> {
        let token = Secret::find("OPTIMIZER_WEBHOOK_TOKEN")?;
        let bearer = token.as_ref();
        let post = Post { endpoint: &self.endpoint, path: "", bearer, json: message.json.clone() };
        post.send(until, false).map(drop)
    }
}
