//! Bark: push messages to a phone.

use serde_json::{Value, json};

use super::channel::{Channel, ChannelSettings, Until, Unusable, cut, endpoint};
use super::post::{Post, refusal};
use super::secret::Secret;
use super::{Message, NotifyError};
use crate::config::network::BarkConfig;
use crate::net::Endpoint;

/// Push messages are cut off at 4 KiB on their way.
const PUSH_CHARS: usize = 1_000;

impl ChannelSettings for BarkConfig {
    fn channel(&self, report: Option<&str>) -> Result<Box<dyn Channel>, Unusable> {
        let link = report.filter(|report| report.starts_with("https://")).map(str::to_owned);
        Ok(Box::new(Bark { endpoint: endpoint("bark.url", &self.url)?, link }))
    }
}

/// The server of a phone; the key comes from `OPTIMIZER_BARK_KEY` or `OPTIMIZER_BARK_KEY_FILE`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Bark {
    /// Address of the server.
    endpoint: Endpoint,
    /// What a tap on the message opens.
    link: Option<String>,
}

impl Channel for Bark {
    fn name(&self) -> &'static str {
        "bark"
    }

    fn send(&self, message: &Message, until: &Until<'_>) -> Result<(), NotifyError> {
        let key = Secret::read("OPTIMIZER_BARK_KEY")?;
        let mut body = json!({
            "device_key": key.reveal(),
            "title": message.subject,
            "body": cut(&message.text, PUSH_CHARS),
            "group": "optimizer",
            "level": if message.urgent { "timeSensitive" } else { "active" },
        });
        if let Some(link) = &self.link {
            body["url"] = Value::from(link.as_str());
        }
        let post = Post { endpoint: &self.endpoint, path: "push", bearer: None, json: body.to_string() };
        let answer = post.send(until, true)?;
        // The server answers 200 and says in the body that it failed. A number that is no status may be anything.
        let said: Value = serde_json::from_slice(&answer).unwrap_or_default();
        let code = said.get("code").and_then(Value::as_u64).and_then(|code| u16::try_from(code).ok());
        match code.filter(|code| (100..600).contains(code)) {
            Some(200) => Ok(()),
            Some(code) => Err(refusal(&self.endpoint, code, "expected code 200, found code ", None)),
            None => {
                let said =
                    format!("{}: expected code 200, found an answer without a code", self.endpoint.origin());
                Err(NotifyError::Refused(said))
            }
        }
    }
}
