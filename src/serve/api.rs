//! `/api/v1/KIND`: the documents that `--json` prints, of the same kinds.

use serde::Serialize;

use super::answer::Answer;
use super::asked::PageRequest;
use super::state::{Holds, Refusal, ServerState};
use crate::documents::document::{Document, Envelope};
use crate::documents::inspect::{
    HistoryFilter, InspectCacheDocument, InspectChangesDocument, InspectDiffDocument,
    InspectFeaturesDocument, InspectImportanceDocument, InspectInsightsDocument, InspectParamsDocument,
    InspectRunDocument, InspectRunsDocument, InspectSpaceDocument, InspectTopDocument, RunRef, SortKey,
    TopFilter,
};

/// Kinds of documents that are served.
pub const API_KINDS: [&str; 13] = [
    "status",
    "memory_report",
    "inspect_runs",
    "inspect_run",
    "inspect_params",
    "inspect_changes",
    "inspect_diff",
    "inspect_top",
    "inspect_space",
    "inspect_features",
    "inspect_insights",
    "inspect_importance",
    "inspect_cache",
];
/// Most rows of a list.
const ROWS_MAX: usize = 500;

/// Returns a document; `run`, `a`, `b`, `symbol` and `limit` choose what it shows.
pub(super) fn draw(
    server: &mut ServerState,
    asked: &PageRequest<'_>,
    profile: &str,
    kind: &str,
    now_ms: i64,
) -> Result<(Answer, Holds), Refusal> {
    match kind {
        "status" => return Ok((document(server.status(now_ms)?, now_ms), Holds::Shortly)),
        "memory_report" => {
            return Ok((document(server.memory_report(profile, now_ms)?, now_ms), Holds::Once));
        }
        _ => {}
    }
    let (view, _) = server.view.get().map_err(Refusal::Closed)?;
    let snapshot = view.read()?;
    let run = |key: &str, other: RunRef| match asked.value(key) {
        None => Ok(other),
        Some(text) => text.parse().map_err(|error: String| Refusal::Wrong(format!("{key}: {error}"))),
    };
    let limit = match asked.value("limit") {
        None => ROWS_MAX,
        Some(text) => text
            .parse()
            .ok()
            .filter(|limit| (1..=ROWS_MAX).contains(limit))
            .ok_or_else(|| Refusal::Wrong(format!("limit: expected a number of 1 to {ROWS_MAX}")))?,
    };
    let symbol = asked.value("symbol");
    let filter = HistoryFilter { symbol: symbol.map(str::to_owned), ..HistoryFilter::newest(limit) };
    let own = &snapshot;
    let answer = match kind {
        "inspect_runs" => document(InspectRunsDocument::read(own, profile, &filter, None)?, now_ms),
        "inspect_run" => {
            let id = run("run", RunRef::Last)?.resolve(own, profile)?;
            document(InspectRunDocument::read(own, profile, id)?, now_ms)
        }
        "inspect_params" => {
            document(InspectParamsDocument::read(own, profile, None, symbol, now_ms)?, now_ms)
        }
        "inspect_changes" => document(InspectChangesDocument::read(own, profile, &filter)?, now_ms),
        "inspect_diff" => {
            let (a, b) = (run("a", RunRef::Previous)?, run("b", RunRef::Last)?);
            document(InspectDiffDocument::read(own, profile, a, b)?, now_ms)
        }
        "inspect_top" => {
            let named = asked.value("run").map(|_| run("run", RunRef::Last)).transpose()?;
            let filter = TopFilter {
                run: named,
                style: None,
                limit,
                trades_min: None,
                drawdown_max_pct: None,
                sort: SortKey::Rank,
            };
            document(InspectTopDocument::read(own, profile, &filter)?, now_ms)
        }
        "inspect_space" => document(InspectSpaceDocument::read(own, profile, None, None)?, now_ms),
        "inspect_features" => document(InspectFeaturesDocument::read(own, profile, None)?, now_ms),
        "inspect_insights" => document(InspectInsightsDocument::read(own, profile, None)?, now_ms),
        "inspect_importance" => document(InspectImportanceDocument::read(own, profile, None)?, now_ms),
        "inspect_cache" => document(InspectCacheDocument::read(own, profile, None, symbol)?, now_ms),
        _ => return Err(Refusal::NotFound(format!("expected one of {}", API_KINDS.join(", ")))),
    };
    // Days since something are told.
    let holds = if kind == "inspect_params" { Holds::Shortly } else { Holds::WithView };
    Ok((answer, holds))
}

fn document<T: Document + Serialize>(data: T, now_ms: i64) -> Answer {
    Answer::document(Envelope::new(data, now_ms).to_json())
}
