//! Equal questions have equal answers: what the studies of a run depend on, as one fingerprint, and their reports as
//! bytes. An answer spares reading every unit when nothing changed since it was found.

use super::plan::Plan;
use super::report::StyleReport;
use crate::decide::key_values;
use crate::fingerprint::{Canonical, Fingerprint};
use crate::model::ParameterSet;

/// Version of the answer's encoding; raise it when a field of a style's report changes.
const ANSWER_FORMAT: u64 = 1;

/// Returns the fingerprint of all that the studies of a run depend on.
pub(super) fn question(plan: &Plan, data: Fingerprint, incumbents: &[Option<ParameterSet>]) -> Fingerprint {
    let mut hash = Canonical::new("retune question v1")
        .count(ANSWER_FORMAT)
        .text(env!("CARGO_PKG_VERSION"))
        .nested(plan.fingerprint())
        .nested(data)
        .count(incumbents.len() as u64);
    for incumbent in incumbents {
        let values = incumbent.as_ref().map(key_values).unwrap_or_default();
        hash = hash.count(u64::from(incumbent.is_some())).count(values.len() as u64);
        hash = values.iter().fold(hash, |hash, (key, value)| hash.text(key).text(value));
    }
    hash.finish()
}

/// Returns an answer as bytes.
pub(super) fn encode(styles: &[StyleReport]) -> Option<Vec<u8>> {
    postcard::to_stdvec(styles).ok()
}

/// Reads an answer; `None` when the bytes are not exactly one.
pub(super) fn decode(bytes: &[u8]) -> Option<Vec<StyleReport>> {
    let (styles, rest) = postcard::take_from_bytes::<Vec<StyleReport>>(bytes).ok()?;
    rest.is_empty().then_some(styles)
}
