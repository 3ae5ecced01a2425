//! `/debug/memory/…`: what the old service told of its memory, as far as it means something here. There is no garbage collector:
//! what can be given back is what was drawn and what is open.

use hyper::StatusCode;
use serde_json::{Value, json};

use super::answer::Answer;
use super::open_view::LIBRARY_BYTES_MAX;
use super::state::ServerState;
use crate::diagnose::process::{MemorySample, memory_trend, sample};
use crate::documents::document::Envelope;
use crate::store::VIEW_CACHE_BYTES;

/// What does something, and is posted.
pub(super) const ACTIONS: [&str; 3] = ["gc", "snapshot", "clear_caches"];
/// What only looks.
pub(super) const LOOKS: [&str; 6] = ["status", "top", "objects", "containers", "caches", "leaks"];

fn resident(now_ms: i64) -> u64 {
    sample(std::process::id(), now_ms).map_or(0, |sample| sample.rss_bytes)
}

/// Answers a look.
pub(super) fn look(server: &mut ServerState, name: &str, now_ms: i64) -> Answer {
    let value = match name {
        "status" => status(server, now_ms),
        "top" => {
            let reason = "allocation sites are known to a program built with `--features heap-profile` only: run it with \
                          `--heap-profile FILE`";
            return Answer::json(StatusCode::NOT_IMPLEMENTED, &json!({ "error": reason }));
        }
        "objects" => objects(server),
        "containers" => json!({
            "library_entries": server.library.len(),
            "library_bytes": server.library.bytes,
            "library_bytes_max": LIBRARY_BYTES_MAX,
            "views_open": u8::from(server.view.is_open()),
            "view_cache_bytes_max": VIEW_CACHE_BYTES,
            "connections_max": super::CONNECTIONS_MAX,
        }),
        "caches" => json!({
            "library_hits": server.library.hits,
            "library_misses": server.library.misses,
            "view_reopened": server.view.reopened,
        }),
        "leaks" => leaks(server),
        _ => {
            let text = format!("expected GET of {} or POST of {}", LOOKS.join(", "), ACTIONS.join(", "));
            return Answer::said(StatusCode::NOT_FOUND, text);
        }
    };
    Answer::json(StatusCode::OK, &value)
}

fn status(server: &ServerState, now_ms: i64) -> Value {
    let found = sample(std::process::id(), now_ms).unwrap_or_default();
    json!({
        "rss_bytes": found.rss_bytes,
        "peak_rss_bytes": found.peak_rss_bytes,
        "anonymous_bytes": found.anonymous_bytes,
        "file_bytes": found.file_bytes,
        "swap_bytes": found.swap_bytes,
        "threads": found.threads,
        "uptime_seconds": (now_ms - server.started_ms).max(0) / 1000,
    })
}

fn objects(server: &ServerState) -> Value {
    let sizes = server.view.get().ok().and_then(|(view, _)| view.read().ok()?.table_sizes().ok());
    let table = |size: crate::store::TableSize| json!({ "table": size.name, "rows": size.rows, "bytes_on_disk": size.bytes });
    json!({ "tables": sizes.unwrap_or_default().into_iter().map(table).collect::<Vec<_>>() })
}

fn leaks(server: &ServerState) -> Value {
    let samples: Vec<MemorySample> = server
        .memory
        .samples()
        .map(|(at_ms, rss_bytes)| MemorySample {
            at_ms: *at_ms,
            rss_bytes: *rss_bytes,
            ..MemorySample::default()
        })
        .collect();
    let trend = memory_trend(&samples, server.options.alarms.growth_per_hour_bytes as f64);
    json!({
        "samples": samples.len(),
        "median_slope_bytes_per_hour": server.memory.slope(),
        "line_bytes_per_hour": trend.bytes_per_hour,
        "growth": trend.growth.as_str(),
    })
}

/// Does what was posted. Nothing of it is stored.
pub(super) fn act(server: &mut ServerState, name: &str, now_ms: i64) -> Answer {
    let before = resident(now_ms);
    match name {
        "gc" => {
            server.forget();
            server.view.close();
            let after = resident(now_ms);
            let note = "the view is closed until it is asked for; there is no garbage collector";
            let value = json!({ "rss_bytes_before": before, "rss_bytes_after": after, "returned_bytes": before.saturating_sub(after), "note": note });
            Answer::json(StatusCode::OK, &value)
        }
        "snapshot" => {
            let profile = server.options.asked.profile.clone();
            match server.memory_report(&profile, now_ms) {
                Ok(report) => Answer::document(Envelope::new(report, now_ms).to_json()),
                Err(_) => Answer::said(StatusCode::SERVICE_UNAVAILABLE, "nothing was published here yet"),
            }
        }
        _ => {
            let (entries, bytes) = (server.library.len(), server.library.bytes);
            server.forget();
            server.view.close();
            Answer::json(StatusCode::OK, &json!({ "dropped_entries": entries, "dropped_bytes": bytes }))
        }
    }
}
