//! Telling what earlier runs stored and nobody was told, and noting what was told.

use super::context::Context;
use crate::model::rfc3339;
use crate::run::unreported::Overdue;
use crate::store::report_done;

/// Changes that are printed of a run; `inspect changes` has them all.
const CHANGES_SHOWN: usize = 20;

/// Says what earlier runs changed, whatever else is to be quiet: nobody was told.
pub(super) fn say_unreported(overdue: &[Overdue]) {
    for earlier in overdue {
        super::output::error_line("not reported until now", &line(earlier));
    }
}

fn line(earlier: &Overdue) -> String {
    let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
    let mut text = format!(
        "run {} of {} ended as {} and was interrupted before it was reported",
        earlier.run,
        rfc3339(earlier.started_at_ms),
        earlier.result
    );
    for change in earlier.changes.iter().take(CHANGES_SHOWN) {
        let (old, new) = (value(&change.old), value(&change.new));
        text.push_str(&format!("\n  {} {}: {old} -> {new}", change.scope, change.key));
    }
    let more = earlier.changes.len().saturating_sub(CHANGES_SHOWN);
    if more > 0 {
        text.push_str(&format!("\n  and {more} more"));
    }
    text
}

/// Notes that everything up to a run was told.
pub(super) fn note_told(context: &Context, run: Option<u64>) {
    let Some(run) = run else { return };
    let noted = context.location().map(|location| report_done(location, &context.global.profile, run));
    if let Ok(Err(error)) = noted {
        tracing::warn!("run {run} will be reported once more: {error}");
    }
}

/// Notes that a decision by hand was told. What a run before it left is left for the next run, which tells it over every
/// channel.
pub(super) fn told_by_hand(context: &Context, run: Option<u64>, overdue: &[Overdue]) {
    if overdue.is_empty() {
        note_told(context, run);
    }
}
