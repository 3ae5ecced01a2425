//! The sections of the configuration about the network: `[fetch]` and `[notify]`. Secrets are no configuration.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::quantity;
use crate::config::{ConfigError, value_error};
use crate::decide::RunResult;

pub use super::channels::{
    BarkConfig, EmailConfig, HeartbeatConfig, NtfyConfig, Security, TelegramConfig, WebhookConfig,
};

/// Longest time that can be asked for: a day.
const LONGEST: Duration = Duration::from_secs(86_400);

/// How patient to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Longest time of one request, the body included.
    pub timeout: Duration,
    /// Tries of one request.
    pub attempts: u32,
    /// Pause after the first try; it doubles with each.
    pub first_wait: Duration,
    /// Longest pause, also of those that the exchange asks for.
    pub longest_wait: Duration,
}

/// How patient `optimizer fetch` is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FetchConfig {
    /// How long one request may take; at most a day, as all times here.
    #[serde(deserialize_with = "quantity::text")]
    #[schemars(extend("x-quantity" = "a time"))]
    pub timeout: String,
    /// Tries of a request; 1 to 20.
    #[schemars(extend("x-unit" = "tries"))]
    pub attempts: u32,
    /// Pause after the first try; it doubles from try to try.
    #[serde(deserialize_with = "quantity::text")]
    #[schemars(extend("x-quantity" = "a time"))]
    pub first_wait: String,
    /// The longest pause.
    #[serde(deserialize_with = "quantity::text")]
    #[schemars(extend("x-quantity" = "a time"))]
    pub longest_wait: String,
}

impl Default for FetchConfig {
    fn default() -> Self {
        let text = |text: &str| text.to_owned();
        Self { timeout: text("30s"), attempts: 6, first_wait: text("1s"), longest_wait: text("2m") }
    }
}

impl FetchConfig {
    /// Returns how patient to be.
    pub fn limits(&self) -> Result<Limits, ConfigError> {
        if !(1..=20).contains(&self.attempts) {
            return Err(value_error("fetch.attempts", "1 to 20", self.attempts));
        }
        Ok(Limits {
            timeout: patience("fetch.timeout", &self.timeout)?,
            attempts: self.attempts,
            first_wait: patience("fetch.first_wait", &self.first_wait)?,
            longest_wait: patience("fetch.longest_wait", &self.longest_wait)?,
        })
    }
}

/// What is worth telling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Occasion {
    /// Parameters changed.
    Change,
    /// A candidate was rejected, or its verdict was not good enough.
    Rejection,
    /// The run failed.
    Failure,
    /// Candles are stale, a symbol lags or has vanished, or the clock is wrong.
    Stale,
    /// Every run.
    Always,
}

/// What is told at the end of a run, and how. Secrets come from the environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NotifyConfig {
    /// What is told.
    pub when: Vec<Occasion>,
    /// How long one step of sending may take; at most a day.
    #[serde(deserialize_with = "quantity::text")]
    #[schemars(extend("x-quantity" = "a time"))]
    pub timeout: String,
    /// Where the report can be seen: an address or a path, mentioned in messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub report: Option<String>,
    /// Messages by e-mail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<EmailConfig>,
    /// Messages by Telegram.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub telegram: Option<TelegramConfig>,
    /// Messages by ntfy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ntfy: Option<NtfyConfig>,
    /// Messages by Bark.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bark: Option<BarkConfig>,
    /// Messages to a webhook.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub webhook: Option<WebhookConfig>,
    /// Signs of life.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub heartbeat: Option<HeartbeatConfig>,
}

impl Default for NotifyConfig {
    fn default() -> Self {
        Self {
            when: vec![Occasion::Change, Occasion::Failure, Occasion::Stale],
            timeout: "10s".to_owned(),
            report: None,
            email: None,
            telegram: None,
            ntfy: None,
            bark: None,
            webhook: None,
            heartbeat: None,
        }
    }
}

impl NotifyConfig {
    /// Returns whether a result is worth telling, of a run on stale candles or not; `None` stands for a run that failed.
    pub fn tells(&self, result: Option<RunResult>, is_stale: bool) -> bool {
        let occasion = match result {
            None => Some(Occasion::Failure),
            Some(RunResult::Changed) => Some(Occasion::Change),
            Some(RunResult::Rejected | RunResult::NotConvincing) => Some(Occasion::Rejection),
            Some(RunResult::Unchanged) => None,
        };
        let is_occasion = |when: &Occasion| match when {
            Occasion::Always => true,
            Occasion::Stale => is_stale,
            when => Some(*when) == occasion,
        };
        self.when.iter().any(is_occasion)
    }

    /// Returns how long sending one message may take.
    pub fn patience(&self) -> Result<Duration, ConfigError> {
        patience("notify.timeout", &self.timeout)
    }
}

/// Reads how long one step may take: more than nothing, at most a day.
fn patience(key: &str, text: &str) -> Result<Duration, ConfigError> {
    let time = quantity::duration(text).filter(|time| !time.is_zero() && *time <= LONGEST);
    time.ok_or_else(|| value_error(key, "a time such as 30s, 2m or 100ms, of at most a day", text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notify(text: &str) -> Result<NotifyConfig, ConfigError> {
        let config = crate::config::Config::from_texts(&[("test.toml".to_owned(), text.to_owned())])?;
        config.notify_timeout()?;
        Ok(config.notify)
    }

    #[test]
    fn what_is_worth_telling_is_a_list() {
        let of = |when: &str, is_stale: bool| {
            let notify = notify(&format!("notify.when = {when}")).expect("sound");
            [
                Some(RunResult::Changed),
                Some(RunResult::NotConvincing),
                Some(RunResult::Rejected),
                Some(RunResult::Unchanged),
                None,
            ]
            .map(|result| notify.tells(result, is_stale))
        };
        let tells = |when: &str| of(when, false);
        assert_eq!(of(r#"["stale"]"#, true), [true; 5]);
        assert_eq!(of(r#"["failure"]"#, true), [false, false, false, false, true]);
        assert_eq!(NotifyConfig::default().when, [Occasion::Change, Occasion::Failure, Occasion::Stale]);
        assert_eq!(tells(r#"["stale"]"#), [false; 5]);
        assert_eq!(tells(r#"["change", "failure"]"#), [true, false, false, false, true]);
        assert_eq!(tells(r#"["rejection"]"#), [false, true, true, false, false]);
        assert_eq!(tells(r#"["always"]"#), [true; 5]);
        assert_eq!(tells("[]"), [false; 5]);
    }

    #[test]
    fn nobody_waits_for_nothing_or_for_more_than_a_day() {
        let seconds = |text: &str| patience("fetch.timeout", text).map(|time| time.as_secs_f64());
        let taken = ["100ms", "2m", "24h", "1d"].map(|text| seconds(text).expect("sound"));
        assert_eq!(taken, [0.1, 120.0, 86_400.0, 86_400.0]);
        for text in ["", "30", "0", "0s", "25h", "2d"] {
            let error = seconds(text).expect_err(text).to_string();
            assert!(
                error.starts_with("fetch.timeout: expected a time such as 30s") && error.contains("a day")
            );
        }
    }
}
