//! What is said about the legacy's files and rules: a document each, and its text.

mod opportunities;
mod resolve;
mod trades;

pub use opportunities::{
    InspectLegacyDocument, LegacyFilterPart, LegacyHalfPart, LegacyMetricsPart, LegacyProfitsPart,
    LegacyScopePart, LegacyValidationPart,
};
pub use resolve::{InspectResolveDocument, ResolveOrderPart, ResolveStepPart, ResolvedPart};
pub use trades::{
    EntriesPart, ExitsPart, InspectTradesDocument, MissedPart, OpportunitiesPart, TradeRecordPart,
    TradeSignalsPart,
};
