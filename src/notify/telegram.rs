//! Telegram: messages of a bot.

use std::time::Duration;

use serde_json::{Value, json};

use super::channel::{Channel, ChannelSettings, Until, Unusable, cut, endpoint};
use super::post::{Post, refusal};
use super::secret::Secret;
use super::{Message, NotifyError};
use crate::config::network::TelegramConfig;
use crate::net::Endpoint;

/// Longer messages are refused.
const TEXT_CHARS: usize = 4_000;

impl ChannelSettings for TelegramConfig {
    fn channel(&self, _: Option<&str>) -> Result<Box<dyn Channel>, Unusable> {
        let is_name = |text: &str| text.strip_prefix('@').is_some_and(|name| !name.is_empty());
        let is_number = |text: &str| text.parse::<i64>().is_ok();
        if !is_name(&self.chat) && !is_number(&self.chat) {
            return Err(Unusable {
                key: "telegram.chat",
                expected: "the number of a chat such as \"123456789\", or \"@channel\"",
                found: format!("{} other characters", self.chat.chars().count()),
            });
        }
        Ok(Box::new(Telegram { endpoint: endpoint("telegram.url", &self.url)?, chat: self.chat.clone() }))
    }
}

/// A chat; the bot's token comes from `OPTIMIZER_TELEGRAM_TOKEN` or `OPTIMIZER_TELEGRAM_TOKEN_FILE`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Telegram {
    /// Address of the interface.
    endpoint: Endpoint,
    /// Who is told.
    chat: String,
}

impl Channel for Telegram {
    fn name(&self) -> &'static str {
        "telegram"
    }

    fn send(&self, message: &Message, until: &Until<'_>) -> Result<(), NotifyError> {
        let token = Secret::read("OPTIMIZER_TELEGRAM_TOKEN")?;
        let is_plain = |b: u8| b.is_ascii_alphanumeric() || b":_-".contains(&b);
        if !token.reveal().bytes().all(is_plain) {
            let expected =
                "expected a token such as 123456:ABC-def in OPTIMIZER_TELEGRAM_TOKEN, found other characters";
            return Err(NotifyError::Message(expected.to_owned()));
        }
        // Plain text: nothing in it means anything. The first line is what a watch shows.
        let body = json!({
            "chat_id": self.chat,
            "text": cut(&format!("{}\n\n{}", message.subject, message.text), TEXT_CHARS),
            "link_preview_options": {"is_disabled": true},
            "disable_notification": !message.urgent,
        });
        let path = format!("bot{}/sendMessage", token.reveal());
        let post = Post { endpoint: &self.endpoint, path: &path, bearer: None, json: body.to_string() };
        let answered = post.ask(until, true)?;
        let said: Value = serde_json::from_slice(&answered.body).unwrap_or_default();
        // What is wrong may be said with a success as well.
        let code = said.get("error_code").and_then(Value::as_u64).and_then(|code| u16::try_from(code).ok());
        let status = code.filter(|code| (400..600).contains(code)).unwrap_or(answered.status);
        let asked = said.pointer("/parameters/retry_after").and_then(Value::as_u64).map(Duration::from_secs);
        let before = "expected ok, found ";
        match status {
            200..300 if said.get("ok") == Some(&Value::Bool(true)) => Ok(()),
            200..300 => {
                let origin = self.endpoint.origin();
                Err(NotifyError::Refused(format!(
                    "{origin}: expected ok, found an answer that does not say so"
                )))
            }
            // A chat that is not there, or does not want to hear, is a matter of settings.
            400 => Err(NotifyError::Denied(refusal(&self.endpoint, status, before, None).to_string())),
            status => Err(refusal(&self.endpoint, status, before, asked.or(answered.retry_after))),
        }
    }
}
