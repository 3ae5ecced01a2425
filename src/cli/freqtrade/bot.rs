//! A running freqtrade, by its REST API.

use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use crate::cli::failure::{Failure, code};
use crate::net::{Clocked, Deadline, Endpoint, Fault, agent, reason, usable_proxy};
use crate::notify::Secret;

/// Longest conversation.
const PATIENCE: Duration = Duration::from_secs(10);
/// Most bytes of an answer: every open trade with its orders.
const ANSWER_BYTES_MAX: u64 = 16 << 20;
const USER: &str = "OPTIMIZER_FREQTRADE_USER";
const PASSWORD: &str = "OPTIMIZER_FREQTRADE_PASSWORD";

pub(super) struct Bot {
    endpoint: Endpoint,
    authorization: String,
}

impl Bot {
    /// Returns a bot at an address, with user and password from the environment.
    pub(super) fn of(url: &str) -> Result<Self, Failure> {
        let endpoint =
            Endpoint::parse(url).map_err(|error| Failure::new(code::USAGE, format!("--api: {error}")))?;
        usable_proxy(&endpoint)
            .map_err(|error| Failure::new(code::USAGE, format!("--api {}: {error}", endpoint.origin())))?;
        let secret =
            |name| Secret::read(name).map_err(|error| Failure::new(code::CONFIGURATION, error.to_string()));
        let authorization = Secret::basic_authorization(&secret(USER)?, &secret(PASSWORD)?);
        Ok(Self { endpoint, authorization })
    }

    /// Returns how many trades are open.
    pub(super) fn open_trades(&self) -> Result<usize, Failure> {
        let body = self.ask("api/v1/status", false)?;
        let trades: Vec<serde::de::IgnoredAny> = serde_json::from_slice(&body)
            .map_err(|_| self.failure("expected a list of open trades, found another answer"))?;
        Ok(trades.len())
    }

    /// Lets it read configuration, strategy and parameters again.
    pub(super) fn reload(&self) -> Result<(), Failure> {
        self.ask("api/v1/reload_config", true).map(drop).map_err(|failure| {
            failure.hint("the file is written and the bot does not know; type `/reload_config` to it")
        })
    }

    fn ask(&self, path: &str, posts: bool) -> Result<Vec<u8>, Failure> {
        let (endpoint, url) = (self.endpoint.clone(), self.endpoint.join(path));
        let authorization = self.authorization.clone();
        let ask = move |deadline: &Deadline| -> Result<(u16, Vec<u8>), Fault> {
            let agent = agent(&endpoint, deadline.left()?, 0);
            let sent = match posts {
                true => agent.post(&url).header("Authorization", authorization).send_empty(),
                false => agent.get(&url).header("Authorization", authorization).call(),
            };
            let mut response = sent.map_err(|error| Fault::of_http(&error))?;
            let status = response.status().as_u16();
            let mut body = Vec::new();
            let reader = Clocked::new(response.body_mut().as_reader(), deadline);
            reader.take(ANSWER_BYTES_MAX).read_to_end(&mut body).map_err(|error| Fault::of_io(&error))?;
            Ok((status, body))
        };
        match Deadline::after(PATIENCE, Arc::new(AtomicBool::new(false)))
            .call(ask)
            .and_then(|answered| answered)
        {
            Ok((200..300, body)) => Ok(body),
            Ok((status, _)) => Err(self.failure(&format!("expected an answer, found {}", reason(status)))),
            Err(fault) => Err(self.failure(&fault.to_string())),
        }
    }

    fn failure(&self, what: &str) -> Failure {
        Failure::new(code::IO, format!("the bot at {}: {what}", self.endpoint.origin()))
    }
}
