//! What became of messages.

use schemars::JsonSchema;
use serde::Serialize;

use super::document::Document;
use crate::notify::Delivery;

/// The result of `notify test`.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct NotifyDocument {
    /// The channels that are configured.
    pub channels: Vec<DeliveryPart>,
}

impl Document for NotifyDocument {
    const KIND: &'static str = "notify";
}

/// One channel.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct DeliveryPart {
    /// `email`, `bark` or `webhook`.
    pub channel: String,
    /// Messages that it took.
    pub sent: u64,
    /// Why it took no more; null if it took all.
    pub error: Option<String>,
}

impl NotifyDocument {
    /// Returns the document of what was delivered.
    pub fn new(deliveries: &[Delivery]) -> Self {
        let part = |delivery: &Delivery| DeliveryPart {
            channel: delivery.channel.to_owned(),
            sent: delivery.sent as u64,
            error: delivery.error.as_ref().map(ToString::to_string),
        };
        Self { channels: deliveries.iter().map(part).collect() }
    }
}
