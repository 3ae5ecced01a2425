//! What is different between two runs: parameters, verdicts, figures, configuration, input.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use super::{InspectError, Listed, RunRef};
use crate::config::rename_keys;
use crate::documents::change::ChangePart;
use crate::documents::document::shown_parameter;
use crate::documents::document::{Document, params_object};
use crate::documents::evidence::EvidencePart;
use crate::documents::listing::{Cell, ColumnKind, Listing};
use crate::documents::metrics::MetricsPart;
use crate::documents::style::{CandidatePart, StyleDecisionPart, StylePart};
use crate::fingerprint::Fingerprint;
use crate::model::{Style, rfc3339};
use crate::run::recall::style_results;
use crate::store::Snapshot;
use crate::store::records::{RunRecord, StoredParameterSet};

/// Two runs of a profile, `a` the old and `b` the new.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct InspectDiffDocument {
    pub profile: String,
    pub a: DiffRunPart,
    pub b: DiffRunPart,
    /// Whether both saw the same candles.
    pub same_data: bool,
    /// Whether everything else that decides the answer is the same.
    pub same_plan: bool,
    /// Active parameters after each run, where they differ; the scope is a style.
    pub parameters: Vec<ChangePart>,
    /// Parameters of the best set that each run found, where they differ.
    pub candidates: Vec<ChangePart>,
    /// What each run said of its best set: verdict, outcome, EDGE and SWITCH.
    pub verdicts: Vec<ChangePart>,
    /// Figures of the best set of each run.
    pub figures: Vec<DiffFigurePart>,
    /// Keys of the configuration that differ; the scope is the section.
    pub configuration: Vec<ChangePart>,
    /// What was read, where it differs.
    pub input: Vec<ChangePart>,
}

impl Document for InspectDiffDocument {
    const KIND: &'static str = "inspect_diff";
    const VERSION: u32 = 2;
}

/// One of the two runs.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct DiffRunPart {
    pub id: u64,
    pub started_at: String,
    pub result: String,
    pub app_version: String,
    pub data_fingerprint: String,
    pub plan_fingerprint: String,
}

/// A figure in both runs.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct DiffFigurePart {
    /// Style and part of the days (`all`, `in_sample`, `out_of_sample`), `judgement` or `evidence`.
    pub scope: String,
    pub key: String,
    pub old: Option<f64>,
    pub new: Option<f64>,
    /// New less old, where both are defined.
    pub difference: Option<f64>,
}

/// What is known about one of the runs.
struct RunFacts {
    id: u64,
    record: RunRecord,
    styles: BTreeMap<Style, KnownStyle>,
}

#[derive(Default)]
struct KnownStyle {
    in_force: Option<StoredParameterSet>,
    part: Option<StylePart>,
}

impl KnownStyle {
    fn decision(&self) -> Option<&StyleDecisionPart> {
        self.part.as_ref()?.decision.as_ref()
    }

    fn evidence(&self) -> Option<&EvidencePart> {
        self.part.as_ref()?.evidence.as_ref()
    }
}

impl RunFacts {
    fn read(snapshot: &Snapshot<'_>, profile: &str, run: RunRef) -> Result<Self, InspectError> {
        let id = run.resolve(snapshot, profile)?;
        let record = snapshot.run(profile, id)?.unwrap_or_default();
        let mut styles = BTreeMap::new();
        let results = style_results(snapshot, profile, id, &record.styles)?;
        for style in Style::ALL {
            let known = KnownStyle {
                in_force: in_force_after(snapshot, profile, id, style)?,
                part: results.iter().find(|result| result.style == style).map(StylePart::from),
            };
            styles.insert(style, known);
        }
        Ok(Self { id, record, styles })
    }

    fn part(&self) -> DiffRunPart {
        DiffRunPart {
            id: self.id,
            started_at: rfc3339(self.record.started_at_ms),
            result: self.record.result.clone(),
            app_version: self.record.app_version.clone(),
            data_fingerprint: Fingerprint(self.record.data_fingerprint).to_string(),
            plan_fingerprint: Fingerprint(self.record.plan_fingerprint).to_string(),
        }
    }
}

/// Returns the parameters of a style that were active after a run: what the last run up to it that decided on the
/// style left.
fn in_force_after(
    snapshot: &Snapshot<'_>,
    profile: &str,
    run: u64,
    style: Style,
) -> Result<Option<StoredParameterSet>, InspectError> {
    for id in snapshot.run_ids(profile)?.into_iter().filter(|id| *id <= run) {
        let decision = snapshot.decisions(profile, id)?.into_iter().find(|(own, _)| *own == style);
        if let Some((_, decision)) = decision {
            let left = if decision.adopted { decision.candidate } else { decision.incumbent };
            return Ok(left.map(|left| left.set));
        }
    }
    Ok(None)
}

impl InspectDiffDocument {
    /// Compares two runs.
    ///
    /// Errors: those of reading the store; an unknown profile or run.
    pub fn read(snapshot: &Snapshot<'_>, profile: &str, a: RunRef, b: RunRef) -> Result<Self, InspectError> {
        let (a, b) = (RunFacts::read(snapshot, profile, a)?, RunFacts::read(snapshot, profile, b)?);
        let mut found = Self {
            profile: profile.to_owned(),
            a: a.part(),
            b: b.part(),
            same_data: a.record.data_fingerprint == b.record.data_fingerprint,
            same_plan: a.record.plan_fingerprint == b.record.plan_fingerprint,
            parameters: Vec::new(),
            candidates: Vec::new(),
            verdicts: Vec::new(),
            figures: Vec::new(),
            configuration: configuration_differences(&a.record, &b.record),
            input: input_differences(&a.record, &b.record),
        };
        for style in Style::ALL {
            found.add(style.as_str(), &a.styles[&style], &b.styles[&style]);
        }
        Ok(found)
    }

    fn add(&mut self, style: &str, a: &KnownStyle, b: &KnownStyle) {
        let set = |set: Option<&StoredParameterSet>| set.map(params_object).unwrap_or_default();
        let candidate = |known: &KnownStyle| {
            let candidate = known.decision().and_then(|decision| decision.candidate.as_ref());
            candidate.map(|candidate| candidate.params.clone()).unwrap_or_default()
        };
        self.parameters.extend(differing_keys(style, &set(a.in_force.as_ref()), &set(b.in_force.as_ref())));
        self.candidates.extend(differing_keys(style, &candidate(a), &candidate(b)));
        for ((key, old), (_, new)) in verdicts(a).into_iter().zip(verdicts(b)) {
            if old.is_some() || new.is_some() {
                let (scope, key) = (style.to_owned(), key.to_owned());
                self.verdicts.push(ChangePart { scope, key, old, new });
            }
        }
        let (old, new) = (figures_of_run(style, a), figures_of_run(style, b));
        let mut keys: Vec<&(String, String)> = old.iter().map(|(key, _)| key).collect();
        keys.extend(new.iter().map(|(key, _)| key).filter(|key| !old.iter().any(|(own, _)| own == *key)));
        let value = |figures: &[((String, String), Option<f64>)], key| {
            figures.iter().find(|(own, _)| own == key).and_then(|(_, value)| *value)
        };
        for key in keys {
            let (old, new) = (value(&old, key), value(&new, key));
            if old.is_some() || new.is_some() {
                let difference = old.zip(new).map(|(old, new)| new - old);
                let (scope, key) = key.clone();
                self.figures.push(DiffFigurePart { scope, key, old, new, difference });
            }
        }
    }
}

impl Listed for InspectDiffDocument {
    /// Everything in one list, section by section.
    fn listing(&self) -> Listing {
        let mut rows: Vec<(&str, ChangePart, Option<f64>)> = Vec::new();
        for (section, changes) in [
            ("parameters", &self.parameters),
            ("candidates", &self.candidates),
            ("verdicts", &self.verdicts),
            ("configuration", &self.configuration),
            ("input", &self.input),
        ] {
            rows.extend(changes.iter().map(|change| (section, change.clone(), None)));
        }
        rows.extend(self.figures.iter().map(|figure| {
            let text = |value: Option<f64>| value.map(|value| value.to_string());
            let (scope, key) = (figure.scope.clone(), figure.key.clone());
            let change = ChangePart { scope, key, old: text(figure.old), new: text(figure.new) };
            ("figures", change, figure.difference)
        }));
        Listing::of(&rows)
            .column("section", "Section", ColumnKind::Text, |row| Cell::text(row.0))
            .column("scope", "Scope", ColumnKind::Text, |row| Cell::text(row.1.scope.as_str()))
            .column("key", "Key", ColumnKind::Text, |row| Cell::text(row.1.key.as_str()))
            .column("old", "Old", ColumnKind::Prose, |row| Cell::maybe(row.1.old.as_deref()))
            .column("new", "New", ColumnKind::Prose, |row| Cell::maybe(row.1.new.as_deref()))
            .column("difference", "Difference", ColumnKind::Number, |row| Cell::number(row.2, 4))
            .done()
    }
}

/// Returns the keys whose values differ, in the order of the old, then of the new.
fn differing_keys(scope: &str, old: &Map<String, Value>, new: &Map<String, Value>) -> Vec<ChangePart> {
    let keys = old.keys().chain(new.keys().filter(|key| !old.contains_key(*key)));
    let changed = keys.filter(|key| old.get(*key) != new.get(*key));
    let change = |key: &String| ChangePart {
        scope: scope.to_owned(),
        key: key.clone(),
        old: old.get(key).map(shown_parameter),
        new: new.get(key).map(shown_parameter),
    };
    changed.map(change).collect()
}

/// Returns what a run said of a style, always the same keys.
fn verdicts(known: &KnownStyle) -> [(&'static str, Option<String>); 6] {
    let (decision, evidence) = (known.decision(), known.evidence());
    let edge = evidence.and_then(|evidence| evidence.edge.as_ref());
    let switch = evidence.and_then(|evidence| evidence.switch.as_ref());
    let lacks = |lacks: &[String]| Some(lacks.join(", ")).filter(|lacks| !lacks.is_empty());
    [
        ("verdict", decision.map(|decision| decision.verdict.clone())),
        ("outcome", decision.map(|decision| decision.outcome.clone())),
        ("edge", edge.map(|edge| edge.assurance.clone())),
        ("edge lacks", edge.and_then(|edge| lacks(&edge.lacks))),
        ("switch", switch.map(|switch| switch.assurance.clone())),
        ("switch lacks", switch.and_then(|switch| lacks(&switch.lacks))),
    ]
}

/// Returns the figures of a run's best set by scope and key.
fn figures_of_run(style: &str, known: &KnownStyle) -> Vec<((String, String), Option<f64>)> {
    let mut figures = Vec::new();
    let mut add = |part: &str, key: &str, value: Option<f64>| {
        figures.push(((format!("{style}, {part}"), key.to_owned()), value));
    };
    if let Some(decision) = known.decision() {
        for (key, value) in [
            ("stability", decision.stability),
            ("degradation", decision.degradation),
            ("win_rate_ratio", decision.win_rate_ratio),
        ] {
            add("judgement", key, value);
        }
        add("in_sample", "score", decision.candidate.as_ref().and_then(|candidate| candidate.score));
        let parts = |candidate| {
            let CandidatePart { out_of_sample, metrics, .. }: &CandidatePart = candidate;
            [("out_of_sample", out_of_sample), ("all", metrics)]
        };
        for (part, metrics) in decision.candidate.iter().flat_map(parts) {
            add(part, "trades", Some(metrics.trades as f64));
            for (key, value) in key_figures(metrics) {
                add(part, key, value);
            }
        }
    }
    for (name, value) in known.evidence().iter().flat_map(|evidence| &evidence.figures) {
        add("evidence", name, Some(*value));
    }
    figures
}

/// Returns the metrics that are compared.
fn key_figures(metrics: &MetricsPart) -> [(&'static str, Option<f64>); 6] {
    [
        ("win_rate", metrics.win_rate),
        ("expectancy_pct", metrics.expectancy_pct),
        ("profit_factor", metrics.profit_factor),
        ("total_return_pct", metrics.total_return_pct),
        ("max_drawdown_pct", metrics.max_drawdown_pct),
        ("sharpe_daily", metrics.sharpe_daily),
    ]
}

/// Returns the keys of the configuration that differ.
fn configuration_differences(a: &RunRecord, b: &RunRecord) -> Vec<ChangePart> {
    let flat = |record: &RunRecord| {
        let mut keys = BTreeMap::new();
        // Text that is not TOML was never written by a run; such a record has no keys to compare.
        if let Ok(mut table) = record.config_toml.parse::<toml::Table>() {
            // A key that has another name since is no difference.
            rename_keys(&mut table);
            flatten_table("", &table, &mut keys);
        }
        keys
    };
    let (a, b) = (flat(a), flat(b));
    let keys: BTreeSet<&(String, String)> = a.keys().chain(b.keys()).collect();
    let changed = keys.into_iter().filter(|key| a.get(*key) != b.get(*key));
    changed
        .map(|key| ChangePart {
            scope: key.0.clone(),
            key: key.1.clone(),
            old: a.get(key).cloned(),
            new: b.get(key).cloned(),
        })
        .collect()
}

/// Puts every value of a table under its section and key.
fn flatten_table(section: &str, table: &toml::Table, into: &mut BTreeMap<(String, String), String>) {
    for (key, value) in table {
        match value {
            toml::Value::Table(table) => {
                let dot = if section.is_empty() { "" } else { "." };
                flatten_table(&format!("{section}{dot}{key}"), table, into);
            }
            value => drop(into.insert((section.to_owned(), key.clone()), value.to_string())),
        }
    }
}

/// Returns what differs in what was read.
fn input_differences(a: &RunRecord, b: &RunRecord) -> Vec<ChangePart> {
    let facts = |record: &RunRecord| {
        let day = |day: &String| Some(day.clone()).filter(|day| !day.is_empty());
        [
            ("files", Some(record.files.to_string())),
            ("candles", Some(record.candles.to_string())),
            ("days", Some(record.days.to_string())),
            ("first day", day(&record.first_day)),
            ("last day", day(&record.last_day)),
            ("first day asked for", day(&record.asked_first_day)),
            ("end of the days asked for", day(&record.asked_end_day)),
            ("issues", Some(record.issues.len().to_string())),
        ]
    };
    let mut changes: Vec<ChangePart> = facts(a)
        .into_iter()
        .zip(facts(b))
        .filter(|((_, old), (_, new))| old != new)
        .map(|((key, old), (_, new))| ChangePart { scope: "input".to_owned(), key: key.to_owned(), old, new })
        .collect();
    let only = |one: &RunRecord, other: &RunRecord| -> Vec<String> {
        one.symbols.iter().filter(|symbol| !other.symbols.contains(symbol)).cloned().collect()
    };
    let missing = only(a, b).into_iter().map(|symbol| (symbol, Some("read".to_owned()), None));
    let added = only(b, a).into_iter().map(|symbol| (symbol, None, Some("read".to_owned())));
    changes.extend(missing.chain(added).map(|(key, old, new)| {
        let scope = "symbol".to_owned();
        ChangePart { scope, key, old, new }
    }));
    for style in Style::ALL {
        let signals = |record: &RunRecord| {
            let found = record.styles.iter().find(|found| found.style == style.as_str());
            found.map(|found| found.signals.to_string())
        };
        let (old, new) = (signals(a), signals(b));
        if old != new {
            let (scope, key) = (style.to_string(), "signals".to_owned());
            changes.push(ChangePart { scope, key, old, new });
        }
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_of_the_configuration_are_compared_key_by_key() {
        let run = |toml: &str| RunRecord { config_toml: toml.to_owned(), ..RunRecord::default() };
        let found = configuration_differences(
            &run(
                "# style = both\n[search]\nscore = \"balanced\"\ntop = 20\n[style.swing.space]\na = [1, 2]\n",
            ),
            &run("[search]\nscore = \"sharpe\"\ntop = 20\n[limits]\ncache = \"0\"\n"),
        );
        let rows: Vec<(&str, &str, Option<&str>, Option<&str>)> = found
            .iter()
            .map(|row| (row.scope.as_str(), row.key.as_str(), row.old.as_deref(), row.new.as_deref()))
            .collect();
        assert_eq!(
            rows,
            [
                ("limits", "cache", None, Some("\"0\"")),
                ("search", "score", Some("\"balanced\""), Some("\"sharpe\"")),
                ("style.swing.space", "a", Some("[1, 2]"), None),
            ]
        );
    }
}
