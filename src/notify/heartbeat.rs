//! A sign of life for a service that raises an alarm where it stays out. It is sent or not: one that comes late would be a lie.

use std::sync::atomic::AtomicBool;
use std::time::Duration;

use super::NotifyError;
use super::post::refusal;
use crate::config::network::HeartbeatConfig;
use crate::config::{Config, ConfigError, value_error};
use crate::net::{Deadline, Endpoint, Fault, agent, usable_proxy};

/// Where signs of life go.
#[derive(Debug)]
pub struct Heartbeat {
    well: Endpoint,
    /// Where it is said that something went wrong; `None` where silence has to say it.
    unwell: Option<Endpoint>,
    timeout: Duration,
}

impl Heartbeat {
    /// Returns where signs of life go, if anywhere.
    ///
    /// Errors: an address that cannot be used
    pub fn of(config: &Config) -> Result<Option<Self>, ConfigError> {
        let Some(HeartbeatConfig { url, fail_url }) = &config.notify.heartbeat else { return Ok(None) };
        let endpoint = |key: &str, url: &str| {
            let bad = |error: crate::net::EndpointError| {
                value_error(key, error.expected, format!("{:?}", error.found))
            };
            config.traced(Endpoint::with_query(url).map_err(bad))
        };
        let well = endpoint("notify.heartbeat.url", url)?;
        let unwell = match fail_url {
            Some(url) => Some(endpoint("notify.heartbeat.fail_url", url)?),
            // As such services have it; behind a query it would mean nothing.
            None if !url.contains('?') => Some(endpoint("notify.heartbeat.url", &well.join("fail"))?),
            None => None,
        };
        Ok(Some(Self { well, unwell, timeout: config.notify_timeout()? }))
    }

    /// Gives a sign of life, or ends when `stop` is raised.
    ///
    /// Errors: it was not taken
    pub fn beat(&self, is_well: bool, stop: &AtomicBool) -> Result<(), NotifyError> {
        let Some(endpoint) = (if is_well { Some(&self.well) } else { self.unwell.as_ref() }) else {
            return Ok(());
        };
        let origin = endpoint.origin();
        usable_proxy(endpoint).map_err(|error| NotifyError::Refused(format!("{origin}: {error}")))?;
        let asked = endpoint.clone();
        let ask = move |deadline: &Deadline| -> Result<u16, Fault> {
            let answer = agent(&asked, deadline.left()?, 0).get(asked.url()).call();
            Ok(answer.map_err(|error| Fault::of_http(&error))?.status().as_u16())
        };
        match Deadline::after(self.timeout, stop).call(ask).and_then(|answered| answered) {
            Ok(200..300) => Ok(()),
            Ok(status) => Err(refusal(endpoint, status, "", None)),
            Err(fault) => Err(NotifyError::of_fault(&origin, fault)),
        }
    }
}
