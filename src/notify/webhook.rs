//! A webhook: a program of one's own, or a chat service by a template.

use super::channel::{Channel, ChannelSettings, Until, Unusable};
use super::post::Post;
use super::secret::Secret;
use super::template::{Template, said_failure};
use super::{Message, NotifyError};
use crate::config::network::WebhookConfig;
use crate::net::Endpoint;

impl ChannelSettings for WebhookConfig {
    fn channel(&self, _: Option<&str>) -> Result<Box<dyn Channel>, Unusable> {
        // Some services have their key in the query; nothing of the address is shown.
        let endpoint = Endpoint::with_query(&self.url).map_err(|error| Unusable {
            key: "webhook.url",
            expected: error.expected,
            found: format!("{:?}", error.found),
        })?;
        let template = self.template.as_deref().map(Template::parse).transpose();
        let template = template.map_err(|expected| Unusable {
            key: "webhook.template",
            expected,
            found: "other text".to_owned(),
        })?;
        if self.text_chars == 0 {
            let (key, expected) = ("webhook.text_chars", "at least 1");
            return Err(Unusable { key, expected, found: "0".to_owned() });
        }
        Ok(Box::new(Webhook { endpoint, template, text_chars: self.text_chars as usize }))
    }
}

/// Who gets the digest as a document, or in a document of its own kind; a token for it may come from `OPTIMIZER_WEBHOOK_TOKEN` or
/// `OPTIMIZER_WEBHOOK_TOKEN_FILE`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Webhook {
    /// Where to post.
    endpoint: Endpoint,
    /// What to post; the digest's document where there is none.
    template: Option<Template>,
    /// Most characters of a text in a template.
    text_chars: usize,
}

impl Channel for Webhook {
    fn name(&self) -> &'static str {
        "webhook"
    }

    fn send(&self, message: &Message, until: &Until<'_>) -> Result<(), NotifyError> {
        let token = Secret::find("OPTIMIZER_WEBHOOK_TOKEN")?;
        let bearer = token.as_ref();
        let json = match &self.template {
            Some(template) => template.filled(message, self.text_chars),
            None => message.json.clone(),
        };
        let post = Post { endpoint: &self.endpoint, path: "", bearer, json };
        let answer = post.send(until, self.template.is_some())?;
        match said_failure(&answer) {
            Some(code) => {
                let origin = self.endpoint.origin();
                Err(NotifyError::Denied(format!("{origin}: expected code 0, found code {code}")))
            }
            None => Ok(()),
        }
    }
}
