//! Equal questions have equal answers: what the studies of a run depend on, as one fingerprint, and their reports as
//! bytes. An answer spares reading every unit when nothing changed since it was found.

use super::active::{ActiveParameters, BarredSets};
use super::report::StyleReport;
use crate::decide::key_values;
use crate::engine::plan::Plan;
use crate::evaluate::metric_table::METRICS_VERSION;
use crate::fingerprint::{Canonical, Fingerprint};
use crate::model::EXIT_AXES;

/// Version of the answer: raise its number when a field of a style's report changes, or a sentence in it.
pub(super) const ANSWER_FORMAT: u64 = 17 + ENTRIES_SINCE;

/// Exit axes and metrics since then: an answer has them by place, and is another with one more.
const ENTRIES_SINCE: u64 = (EXIT_AXES.len() as u64 - 11) + (METRICS_VERSION as u64 - 1);

/// Returns the fingerprint of all that the studies of a run depend on.
pub(crate) fn cache_key(plan: &Plan, data: Fingerprint, in_force: &ActiveParameters) -> Fingerprint {
    let ActiveParameters {
        styles,
        symbols,
        barred: BarredSets { vetoed, decayed },
        earlier: went_back,
        chosen_on,
        // How many of them there are counts, with the style's own.
        grids: _,
        // Whether it was before the days of this run counts, with the style's own.
        first_looks,
    } = in_force;
    let mut hash = Canonical::new("retune question v1")
        .count(ANSWER_FORMAT)
        .text(env!("CARGO_PKG_VERSION"))
        .nested(plan.fingerprint())
        .nested(data)
        .count(styles.len() as u64);
    let styles = styles.iter().map(|set| ("style", set.as_ref()));
    let symbols = symbols.iter().map(|(scope, set)| (scope.as_str(), Some(set)));
    let vetoed = vetoed.values().map(|set| ("vetoed", Some(set)));
    let decayed = decayed.values().flatten().map(|set| ("decayed", Some(set)));
    let earlier = went_back.values().map(|earlier| ("earlier", Some(&earlier.set)));
    for (scope, set) in styles.chain(symbols).chain(vetoed).chain(decayed).chain(earlier) {
        let values = set.map(key_values).unwrap_or_default();
        hash = hash.text(scope).count(u64::from(set.is_some())).count(values.len() as u64);
        hash = values.iter().fold(hash, |hash, (key, value)| hash.text(key).text(value));
    }
    hash = went_back.values().fold(hash, |hash, earlier| hash.count(earlier.run));
    for style in &plan.styles {
        let chosen_on = chosen_on.get(&style.space.style()).map_or(i64::MIN, |day| day.0.into());
        let first_look = first_looks.get(&style.space.style()).map_or(i64::MIN, |day| day.0.into());
        hash =
            hash.count(in_force.grids_with(style, &plan.search.stages)).signed(chosen_on).signed(first_look);
    }
    hash.finish()
}

/// Returns an answer as bytes.
pub(crate) fn encode_answer(styles: &[StyleReport]) -> Option<Vec<u8>> {
    postcard::to_stdvec(styles).ok()
}

/// Reads an answer; `None` when the bytes are not exactly one.
pub(crate) fn decode_answer(bytes: &[u8]) -> Option<Vec<StyleReport>> {
    let (styles, rest) = postcard::take_from_bytes::<Vec<StyleReport>>(bytes).ok()?;
    rest.is_empty().then_some(styles)
}
