//! `[serve]`: the page for the morning.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::quantity;
use super::{ConfigError, value_error};

/// Longest time between two runs that can be expected: ten years.
const LONGEST: Duration = Duration::from_secs(3_650 * 86_400);

/// The page of `optimizer serve`, and when its metrics call a run late.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ServeConfig {
    /// How often a run is expected; one that is a quarter longer ago is late.
    #[serde(deserialize_with = "quantity::text")]
    #[schemars(extend("x-quantity" = "a time"))]
    pub expect_every: String,
    /// Names by which a browser may ask, beside numbers, `localhost` and names that end with `.local`; without a port.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<String>,
}

impl Default for ServeConfig {
    fn default() -> Self {
        Self { expect_every: "1d".to_owned(), hosts: Vec::new() }
    }
}

impl ServeConfig {
    pub(super) fn expect_every(&self) -> Result<Duration, ConfigError> {
        let text = &self.expect_every;
        let time =
            quantity::duration(text).filter(|time| *time >= Duration::from_secs(1) && *time <= LONGEST);
        time.ok_or_else(|| {
            value_error("serve.expect_every", "a time such as 6h or 1d, of at most 3650d", text)
        })
    }

    pub(super) fn hosts(&self) -> Result<Vec<String>, ConfigError> {
        let name = |host: &String| {
            let plain = |c: u8| c.is_ascii_alphanumeric() || b".-_".contains(&c);
            match !host.is_empty() && host.len() <= 253 && host.bytes().all(plain) {
                true => Ok(host.to_ascii_lowercase()),
                false => Err(value_error(
                    "serve.hosts",
                    "names of hosts without a port, such as box.example.net",
                    host,
                )),
            }
        };
        self.hosts.iter().map(name).collect()
    }
}
