//! What somebody should know of the age of the candles and of the data, a line each.

use std::collections::BTreeMap;

use crate::model::{DAY_MS, Day, HOUR_MS, MINUTE_MS, rfc3339};
use crate::run::freshness::{Age, ClockState, Freshness, SymbolAge};
use crate::run::issues::InputIssue;

/// Names shown of many.
const NAMES_SHOWN: usize = 3;

/// Returns what somebody should know about the age of the candles and the clock, a line each; nothing where all is well.
pub(super) fn age_lines(freshness: &Freshness) -> Vec<String> {
    let mut lines = Vec::new();
    match &freshness.clock {
        ClockState::Sound => {}
        ClockState::Behind { reason, left_out } => {
            let more = if *left_out { "; they are left out and nothing is adopted" } else { "" };
            lines.push(format!(
                "the clock is behind: {reason}{more}: set the clock, or look whether the times in the files are UTC"
            ));
        }
        ClockState::Ahead { reason } => lines
            .push(format!("the clock is ahead: {reason}: set the clock, or look why the download stopped")),
    }
    lines.extend(stale_line(freshness));
    lines.extend(lagging_line(freshness));
    lines.extend(vanished_line(freshness));
    lines
}

fn stale_line(freshness: &Freshness) -> Option<String> {
    let stale: Vec<&SymbolAge> = freshness.of_age(Age::Stale).collect();
    let newest_ms = stale.iter().filter_map(|symbol| symbol.newest_close_ms).max()?;
    let oldest_ms = stale.iter().filter_map(|symbol| symbol.newest_close_ms).min()?;
    let (first, last) = (end_of_candles(oldest_ms, freshness), end_of_candles(newest_ms, freshness));
    let days = if first == last { last } else { format!("{first} to {last}") };
    let old = time_in_words(freshness.as_of_ms - newest_ms);
    // Where no symbol is fresh, the clock may be what is wrong.
    let doubt = match freshness.is_all_stale() {
        true => "download stopped, or clock ahead?",
        false => "has the download stopped?",
    };
    let who = match stale.len() {
        all if all > 1 && all == freshness.symbols.len() => format!("all {all} symbols"),
        _ => names_of(stale.iter().map(|symbol| symbol.symbol.as_str())),
    };
    let verb = if stale.len() == 1 { "ends" } else { "end" };
    Some(format!("stale candles: {who} {verb} {days}, {old} ago: {doubt}"))
}

/// Returns when candles ended: the day, or the minute where the limit is shorter than a day.
fn end_of_candles(close_ms: i64, freshness: &Freshness) -> String {
    match freshness.limit_ms < DAY_MS {
        true => format!("{}Z", &rfc3339(close_ms)[..16]),
        false => Day::of(close_ms - 1).to_string(),
    }
}

fn lagging_line(freshness: &Freshness) -> Option<String> {
    let lagging: Vec<&SymbolAge> = freshness.of_age(Age::Lagging).collect();
    let newest_ms = freshness.symbols.iter().filter_map(|symbol| symbol.newest_close_ms).max()?;
    let shown: Vec<String> = lagging
        .iter()
        .take(NAMES_SHOWN)
        .filter_map(|symbol| {
            Some(format!("{} ends {}", symbol.symbol, end_of_candles(symbol.newest_close_ms?, freshness)))
        })
        .collect();
    (!shown.is_empty()).then(|| {
        format!(
            "lagging: {}{}, the others {}: has a download stopped, or is it no longer traded?",
            shown.join(", "),
            more_of(lagging.len()),
            end_of_candles(newest_ms, freshness)
        )
    })
}

fn vanished_line(freshness: &Freshness) -> Option<String> {
    let vanished: Vec<&str> = freshness.of_age(Age::Vanished).map(|symbol| symbol.symbol.as_str()).collect();
    let run = freshness.last_run.filter(|_| !vanished.is_empty())?;
    Some(format!(
        "vanished: {}: run {run} had candles, now there are none; `--symbols` or data.symbols leaves symbols out on purpose",
        names_of(vanished.into_iter())
    ))
}

/// Returns what is wrong with the data, a line per kind, the symbols or files folded.
pub(super) fn issue_lines(issues: &[InputIssue]) -> Vec<String> {
    let mut kinds: BTreeMap<&str, Vec<&InputIssue>> = BTreeMap::new();
    for issue in issues {
        kinds.entry(&issue.kind).or_default().push(issue);
    }
    let line = |(kind, issues): (&str, Vec<&InputIssue>)| {
        let count: u64 = issues.iter().map(|issue| issue.count).sum();
        let mut places: Vec<&str> = issues.iter().map(|issue| issue.file.as_str()).collect();
        places.dedup();
        let first = if places.len() > 1 { "the first: " } else { "" };
        format!("{kind} x {count} in {}: {first}{}", names_of(places.into_iter()), issues[0].detail)
    };
    kinds.into_iter().map(line).collect()
}

fn names_of<'a>(all: impl ExactSizeIterator<Item = &'a str>) -> String {
    let count = all.len();
    format!("{}{}", all.take(NAMES_SHOWN).collect::<Vec<_>>().join(", "), more_of(count))
}

fn more_of(count: usize) -> String {
    match count.saturating_sub(NAMES_SHOWN) {
        0 => String::new(),
        more => format!(" and {more} more"),
    }
}

/// Returns a time in whole days, or hours, or minutes.
pub(super) fn time_in_words(ms: i64) -> String {
    match ms {
        ms if ms >= 2 * DAY_MS => format!("{}d", ms / DAY_MS),
        ms if ms >= 2 * HOUR_MS => format!("{}h", ms / HOUR_MS),
        ms => format!("{}m", ms / MINUTE_MS),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::issue_detail::{ClockReason, IssueDetail};

    const NOW: i64 = 1_748_736_000_000;

    fn freshness(symbols: &[(&str, Option<i64>, Age)], clock: ClockState) -> Freshness {
        let symbol = |(name, days, age): &(&str, Option<i64>, Age)| SymbolAge {
            symbol: (*name).to_owned(),
            newest_close_ms: days.map(|days| NOW - days * DAY_MS),
            age: *age,
        };
        Freshness {
            as_of_ms: NOW,
            limit_ms: 2 * DAY_MS,
            clock,
            symbols: symbols.iter().map(symbol).collect(),
            last_run: Some(4),
        }
    }

    #[test]
    fn symbols_are_folded_into_a_line_of_each_kind() {
        let lines = |symbols: &[(&str, Option<i64>, Age)]| age_lines(&freshness(symbols, ClockState::Sound));
        assert_eq!(lines(&[("A", Some(0), Age::Fresh)]), [""; 0]);
        assert_eq!(
            lines(&[("A", Some(500), Age::Stale), ("B", Some(500), Age::Stale)]),
            ["stale candles: all 2 symbols end 2024-01-17, 500d ago: download stopped, or clock ahead?"]
        );
        let many: Vec<(String, Option<i64>, Age)> =
            (3..8).map(|days| (format!("S{days}"), Some(days), Age::Stale)).collect();
        let mut all: Vec<(&str, Option<i64>, Age)> =
            many.iter().map(|(name, days, age)| (name.as_str(), *days, *age)).collect();
        all.push(("Z", Some(0), Age::Fresh));
        all.push(("L", Some(9), Age::Lagging));
        all.push(("V", None, Age::Vanished));
        let found = lines(&all);
        assert_eq!(found.len(), 3, "{found:?}");
        assert_eq!(
            found[0],
            "stale candles: S3, S4, S5 and 2 more end 2025-05-24 to 2025-05-28, 3d ago: has the download stopped?"
        );
        assert!(found[1].starts_with("lagging: L ends 2025-05-22, the others 2025-05-31: "), "{found:?}");
        assert!(found[2].starts_with("vanished: V: run 4 had candles"), "{found:?}");
        let reason = "it says so".to_owned();
        let behind = ClockState::Behind { reason: ClockReason::Told(reason.clone()), left_out: true };
        let found = age_lines(&freshness(&[("A", Some(0), Age::Fresh)], behind));
        assert!(
            found[0].contains("clock is behind: it says so; they are left out and nothing is adopted"),
            "{found:?}"
        );
        let found = age_lines(&freshness(&[], ClockState::Ahead { reason: ClockReason::Told(reason) }));
        assert!(found[0].starts_with("the clock is ahead: it says so"), "{found:?}");
    }

    #[test]
    fn issues_are_folded_by_kind() {
        let issue = |file: &str, kind: &str, count: u64| {
            InputIssue::new(file, kind, count, IssueDetail::Told(format!("{count} of {file}")))
        };
        let issues = [
            issue("A", "gap", 3),
            issue("B", "gap", 4),
            issue("a.csv", "bad_row", 1),
            issue("C", "gap", 1),
            issue("D", "gap", 1),
        ];
        assert_eq!(
            issue_lines(&issues),
            ["bad_row x 1 in a.csv: 1 of a.csv", "gap x 9 in A, B, C and 1 more: the first: 3 of A"]
        );
    }
}
