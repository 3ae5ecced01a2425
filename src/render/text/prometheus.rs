//! The status of every profile in the text format of Prometheus (version 0.0.4).
//!
//! Labels are profiles, styles, words and symbols, never a symbol with a parameter; there are at most [`SERIES_MAX`] series, and what
//! is left out is counted. Names of symbols and profiles are foreign text: they stand escaped within quotes.

use std::fmt::Write as _;

use crate::documents::status::{CandleAgePart, ProfileStatusPart, StatusDocument, StyleStatusPart};
use crate::validate::assessment::Assurance;
use crate::validate::verdict::Verdict;

/// Most series that are printed.
pub const SERIES_MAX: usize = 200;

/// Every metric: its name, whether it only rises, and what it says.
pub const METRICS: [(&str, bool, &str); 27] = [
    ("optimizer_build_info", false, "1; the version of the program is a label"),
    ("optimizer_last_run_timestamp_seconds", false, "When the last run that looked at candles began"),
    ("optimizer_last_run_exit_code", false, "Its exit code: 0, 10, 11 or 12"),
    ("optimizer_last_run_duration_seconds", false, "How long it took"),
    ("optimizer_last_run_peak_rss_bytes", false, "Its largest resident memory"),
    ("optimizer_last_run_units_new", false, "Symbol-days that it evaluated"),
    ("optimizer_last_run_units_reused", false, "Symbol-days that it reused"),
    ("optimizer_daily_exit_code", false, "Exit code of the day that wrote the file (optimizer daily)"),
    ("optimizer_run_expected_every_seconds", false, "How often a run is expected (serve.expect_every)"),
    ("optimizer_run_late", false, "1 when the last run is a quarter longer ago than that, or there is none"),
    ("optimizer_parameters_changed_timestamp_seconds", false, "When the active parameters changed last"),
    ("optimizer_parameters_held_back", false, "1 when an export would hold the active parameters back"),
    ("optimizer_verdict", false, "1; the verdict of the last run is a label"),
    ("optimizer_significance", false, "1; what EDGE says of the last run is a label"),
    ("optimizer_forward_days", false, "Days that nobody had seen when the active set was chosen"),
    ("optimizer_forward_return_ratio", false, "What they came to, of the notional"),
    (
        "optimizer_export_in_sync",
        false,
        "1 when every exported file says what is active, 0 when one does not",
    ),
    (
        "optimizer_candle_age_seconds",
        false,
        "Seconds since the newest candle of the last run closed; the oldest symbols",
    ),
    ("optimizer_notify_queue_length", false, "Messages that wait to be sent"),
    ("optimizer_store_bytes", false, "Size of the store by part"),
    ("optimizer_store_free_bytes", false, "Free disk beside the store"),
    ("optimizer_store_pending", false, "1 when a run is stored that was interrupted before it was published"),
    (
        "optimizer_memory_limit_bytes",
        false,
        "Memory that a run may take (limits.memory), else memory.warning",
    ),
    ("optimizer_series_omitted", false, "Series that are left out, beyond 200"),
    ("process_resident_memory_bytes", false, "Resident memory of the server"),
    ("optimizer_serve_requests_total", true, "Requests answered, by status"),
    ("optimizer_serve_view_reopened_total", true, "Times that the server opened a newly published view"),
];

/// What a server says of itself besides.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ServerFigures {
    /// Resident bytes; `None` where the system does not say.
    pub resident_bytes: Option<u64>,
    /// Requests by status.
    pub requests: Vec<(u16, u64)>,
    /// Times that a new view was opened.
    pub reopened: u64,
}

/// A label with its value.
type Label<'a> = (&'static str, &'a str);

/// Series in the making, metric by metric.
struct Exposition {
    metrics: Vec<Vec<String>>,
    series: usize,
    omitted: u64,
}

impl Exposition {
    /// Adds a series; beyond the bound it is counted only.
    fn add(&mut self, name: &'static str, labels: &[Label<'_>], value: Option<f64>) {
        let Some(value) = value.filter(|value| value.is_finite()) else { return };
        // One place is kept for the count itself.
        if self.series + 1 >= SERIES_MAX {
            self.omitted += 1;
            return;
        }
        self.put(name, labels, value);
    }

    fn put(&mut self, name: &'static str, labels: &[Label<'_>], value: f64) {
        let place = METRICS.iter().position(|(known, ..)| *known == name).expect("a metric of the table");
        let labels: Vec<String> =
            labels.iter().map(|(key, value)| format!("{key}=\"{}\"", escaped_label(value))).collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        self.metrics[place].push(format!("{name}{labels} {value}"));
        self.series += 1;
    }

    fn text(mut self) -> String {
        let omitted = self.omitted as f64;
        self.put("optimizer_series_omitted", &[], omitted);
        let mut text = String::new();
        for ((name, rises, help), lines) in METRICS.iter().zip(&self.metrics) {
            if lines.is_empty() {
                continue;
            }
            let kind = if *rises { "counter" } else { "gauge" };
            let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n{}", lines.join("\n"));
        }
        text
    }
}

/// Returns the value of a label as it stands within quotes. Control characters, which no name needs, become blanks.
fn escaped_label(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for c in value.chars() {
        match c {
            '\\' => text += "\\\\",
            '"' => text += "\\\"",
            '\n' => text += "\\n",
            c if c.is_control() || c == '\u{2028}' || c == '\u{2029}' => text.push(' '),
            c => text.push(c),
        }
    }
    text
}

impl StatusDocument {
    /// Returns the metrics; of a server with what it says of itself, and of a day with its exit code.
    pub fn prometheus(&self, server: Option<&ServerFigures>, day: Option<u8>) -> String {
        let mut out = Exposition { metrics: vec![Vec::new(); METRICS.len()], series: 0, omitted: 0 };
        out.add("optimizer_build_info", &[("version", &self.app_version)], Some(1.0));
        self.add_installation(&mut out);
        if let Some(server) = server {
            let count = |count: u64| Some(count as f64);
            out.add("process_resident_memory_bytes", &[], server.resident_bytes.and_then(count));
            for (code, answered) in &server.requests {
                out.add("optimizer_serve_requests_total", &[("code", &code.to_string())], count(*answered));
            }
            out.add("optimizer_serve_view_reopened_total", &[], count(server.reopened));
        }
        out.add("optimizer_daily_exit_code", &[("profile", &self.profile)], day.map(f64::from));
        self.profiles.iter().for_each(|profile| profile.add_to(&mut out));
        self.add_candles(&mut out);
        out.text()
    }

    fn add_installation(&self, out: &mut Exposition) {
        let found = &self.installation;
        let parts = [
            ("state", found.state_bytes),
            ("view", found.view_bytes),
            ("evals", found.evals_bytes),
            ("backups", found.backups_bytes),
        ];
        for (part, bytes) in parts {
            out.add("optimizer_store_bytes", &[("part", part)], Some(bytes as f64));
        }
        out.add("optimizer_store_free_bytes", &[], found.free_bytes.map(|bytes| bytes as f64));
        out.add("optimizer_store_pending", &[], Some(f64::from(u8::from(self.is_pending))));
        out.add("optimizer_notify_queue_length", &[], found.notify_queue_length.map(|count| count as f64));
        let limit = found.memory_limit_bytes.unwrap_or(found.memory_warning_bytes);
        out.add("optimizer_memory_limit_bytes", &[], Some(limit as f64));
    }

    /// Adds the oldest symbols, as many as there is room for.
    fn add_candles(&self, out: &mut Exposition) {
        let profiles = self.profiles.iter();
        let mut all: Vec<(&str, &CandleAgePart)> = profiles
            .flat_map(|profile| profile.candles.iter().map(|candle| (profile.profile.as_str(), candle)))
            .collect();
        all.sort_by_key(|(_, candle)| std::cmp::Reverse(candle.age_seconds));
        for (profile, candle) in all {
            let labels = [("profile", profile), ("symbol", candle.symbol.as_str())];
            out.add("optimizer_candle_age_seconds", &labels, Some(candle.age_seconds as f64));
        }
    }
}

impl ProfileStatusPart {
    fn add_to(&self, out: &mut Exposition) {
        let own = [("profile", self.profile.as_str())];
        let yes = |is: bool| Some(f64::from(u8::from(is)));
        if let Some(run) = &self.last_run {
            let count = |count: Option<u64>| count.map(|count| count as f64);
            out.add("optimizer_last_run_timestamp_seconds", &own, Some(run.started_unix_seconds as f64));
            out.add("optimizer_last_run_exit_code", &own, Some(f64::from(run.exit_code)));
            out.add("optimizer_last_run_duration_seconds", &own, Some(run.duration_ms as f64 / 1000.0));
            out.add("optimizer_last_run_peak_rss_bytes", &own, Some(run.peak_rss_bytes as f64));
            out.add("optimizer_last_run_units_new", &own, count(run.units_new));
            out.add("optimizer_last_run_units_reused", &own, count(run.units_reused));
        }
        let every = self.expect_every_seconds as f64;
        out.add("optimizer_run_expected_every_seconds", &own, Some(every));
        out.add("optimizer_run_late", &own, yes(self.is_late));
        out.add("optimizer_export_in_sync", &own, self.is_in_sync().and_then(yes));
        for (name, style) in &self.styles {
            let held = self.held_back.iter().any(|held| held.style == *name);
            style.add_to(out, &self.profile, name, held);
        }
    }

    /// Returns whether every exported file says what is active; `None` where none was exported, or none can be read from here.
    pub fn is_in_sync(&self) -> Option<bool> {
        let known: Vec<bool> = self
            .bot_files
            .iter()
            .filter(|file| file.state != "unknown")
            .map(|file| file.state == "in_sync")
            .collect();
        (!known.is_empty()).then(|| known.iter().all(|is| *is))
    }
}

impl StyleStatusPart {
    fn add_to(&self, out: &mut Exposition, profile: &str, style: &str, held: bool) {
        let own = [("profile", profile), ("style", style)];
        let changed = self.changed_unix_seconds.map(|seconds| seconds as f64);
        out.add("optimizer_parameters_changed_timestamp_seconds", &own, changed);
        out.add("optimizer_parameters_held_back", &own, Some(f64::from(u8::from(held))));
        let word = |known: &[&'static str], found: &str| {
            let known = known.iter().copied().find(|word| *word == found);
            known.map_or_else(|| "OTHER".to_owned(), str::to_owned)
        };
        let verdict = word(&Verdict::ALL.map(Verdict::as_str), &self.verdict);
        let significance = word(&Assurance::ALL.map(Assurance::as_str), &self.significance);
        for (name, word) in [("optimizer_verdict", verdict), ("optimizer_significance", significance)] {
            out.add(name, &[own[0], own[1], ("word", &word)], Some(1.0));
        }
        if let Some(forward) = &self.forward {
            out.add("optimizer_forward_days", &own, Some(forward.days as f64));
            out.add("optimizer_forward_return_ratio", &own, Some(forward.net_pct / 100.0));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::documents::status::InstallationPart;

    const HOSTILE: &str = "a\"} 1\n# TYPE x\\{evil=\"";

    fn document(profiles: usize, symbols: usize) -> StatusDocument {
        let candle = |index: usize| CandleAgePart {
            symbol: format!("{HOSTILE}{index}"),
            age_seconds: index as u64,
            age: "fresh".to_owned(),
        };
        let profile = |index: usize| ProfileStatusPart {
            profile: format!("{HOSTILE}{index}"),
            expect_every_seconds: 86_400,
            is_late: true,
            last_run: None,
            last_change: None,
            styles: BTreeMap::new(),
            bot_files: Vec::new(),
            held_back: Vec::new(),
            candles: (0..symbols).map(candle).collect(),
        };
        StatusDocument {
            app_version: "0.1.0".to_owned(),
            directory: "d".to_owned(),
            profile: "default".to_owned(),
            is_pending: false,
            profiles: (0..profiles).map(profile).collect(),
            installation: InstallationPart {
                state_bytes: 1,
                view_bytes: 2,
                evals_bytes: 3,
                backups_bytes: 4,
                free_bytes: None,
                notify_queue_length: None,
                memory_limit_bytes: None,
                memory_warning_bytes: 5,
            },
        }
    }

    /// Reads a line by the grammar of the format: a name, labels whose values are quoted and escaped, a number.
    fn parse(line: &str) -> (String, Vec<(String, String)>, f64) {
        let named = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
        let end = line.find(|c| !named(c)).expect("a name ends");
        let (name, mut rest) = line.split_at(end);
        let mut labels = Vec::new();
        if let Some(within) = rest.strip_prefix('{') {
            rest = within;
            loop {
                let (key, quoted) = rest.split_once("=\"").expect("a label");
                assert!(key.chars().all(named), "{line}");
                let (mut value, mut chars) = (String::new(), quoted.char_indices());
                let end = loop {
                    match chars.next().expect("the quote is closed") {
                        (_, '\\') => match chars.next().expect("something is escaped").1 {
                            'n' => value.push('\n'),
                            c @ ('\\' | '"') => value.push(c),
                            c => panic!("{c} is escaped: {line}"),
                        },
                        (at, '"') => break at,
                        (_, c) => value.push(c),
                    }
                };
                labels.push((key.to_owned(), value));
                rest = &quoted[end + 1..];
                match rest.strip_prefix(',') {
                    Some(more) => rest = more,
                    None => break rest = rest.strip_prefix('}').expect("the labels are closed"),
                }
            }
        }
        let value = rest.strip_prefix(' ').expect("a blank").parse().expect("a number");
        (name.to_owned(), labels, value)
    }

    #[test]
    fn hostile_names_stay_within_their_quotes() {
        let text = document(2, 3).prometheus(None, None);
        let mut seen = BTreeSet::new();
        for line in text.lines() {
            if let Some(comment) = line.strip_prefix("# ") {
                let mut words = comment.split(' ');
                assert!(["HELP", "TYPE"].contains(&words.next().expect("a word")), "{line}");
                let name = words.next().expect("a name");
                assert!(METRICS.iter().any(|(known, ..)| *known == name), "{line}");
                continue;
            }
            let (name, labels, _) = parse(line);
            assert!(METRICS.iter().any(|(known, ..)| *known == name), "{line}");
            assert!(seen.insert((name, labels.clone())), "twice: {line}");
            for (key, value) in labels.iter().filter(|(key, _)| key == "symbol" || key == "profile") {
                assert!(value.starts_with(HOSTILE), "{key} {value:?}");
            }
        }
        assert!(text.ends_with('\n') && seen.len() > 10);
    }

    #[test]
    fn series_are_bounded_and_what_is_left_out_is_counted() {
        let text = document(3, 400).prometheus(Some(&ServerFigures::default()), None);
        let series: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).map(parse).collect();
        assert_eq!(series.len(), SERIES_MAX);
        let omitted = series.iter().find(|(name, ..)| name == "optimizer_series_omitted").expect("said");
        let candles: Vec<f64> = series
            .iter()
            .filter(|(name, ..)| name == "optimizer_candle_age_seconds")
            .map(|(.., value)| *value)
            .collect();
        assert_eq!(omitted.2 as usize, 1200 - candles.len());
        assert!(candles.iter().all(|age| *age > 300.0), "the oldest are kept: {candles:?}");
    }
}
