//! What a run searched: every axis with its values.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use super::{InspectError, Listed, RunRef};
use crate::config::Config;
use crate::documents::document::shown_parameter;
use crate::documents::document::{Document, number, params_object};
use crate::documents::listing::{Cell, ColumnKind, Listing};
use crate::engine::plan::DayLimits;
use crate::model::{EXIT_AXES, FilterValue, Style};
use crate::search::space::{Bound, Dimension, SearchSpace};
use crate::store::Snapshot;

/// The space that a run searched, per style.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct InspectSpaceDocument {
    pub profile: String,
    pub run: u64,
    pub styles: BTreeMap<String, SpacePart>,
}

impl Document for InspectSpaceDocument {
    const KIND: &'static str = "inspect_space";
}

/// The space of a style.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct SpacePart {
    pub parameter_sets: u64,
    /// Exit axes, then filters.
    pub axes: Vec<AxisPart>,
}

/// One axis.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct AxisPart {
    pub key: String,
    /// `exit`, `at_least` or `at_most`
    pub kind: String,
    /// The feature column that a filter reads.
    pub column: Option<String>,
    /// Numbers, names, or `off`; filters from loose to strict.
    pub values: Vec<Value>,
    /// What the best set of the run has.
    pub best: Option<Value>,
    /// Share of the variance of the score that it explains; null where a later run has replaced what this one knew.
    pub importance: Option<f64>,
}

impl InspectSpaceDocument {
    /// Reads what a run searched, or the last one that searched.
    ///
    /// Errors: those of reading the store; an unknown profile or run; a run without a configuration, as decisions by
    /// hand are, or with one of another version
    pub fn read(
        snapshot: &Snapshot<'_>,
        profile: &str,
        run: Option<RunRef>,
        style: Option<Style>,
    ) -> Result<Self, InspectError> {
        let run = match run {
            Some(run) => run.resolve(snapshot, profile)?,
            None => last_search(snapshot, profile)?,
        };
        let record = snapshot.run(profile, run)?.unwrap_or_default();
        let failed = |reason: String| InspectError::Configuration { run, reason };
        if record.config_toml.is_empty() {
            return Err(failed("it searched nothing".to_owned()));
        }
        let searched = |style: &Style| record.styles.iter().any(|found| found.style == style.as_str());
        let wanted = |own: &Style| style.is_none_or(|wanted| wanted == *own);
        let styles: Vec<Style> = Style::ALL.into_iter().filter(searched).filter(wanted).collect();
        let config = Config::from_texts(&[(format!("run {run}"), record.config_toml.clone())]);
        let plan = config.and_then(|config| config.plan(&styles, DayLimits::default()));
        let plan = plan.map_err(|error| failed(error.to_string()))?;
        let decisions = snapshot.decisions(profile, run)?;
        let mut parts = BTreeMap::new();
        for space in plan.styles.iter().map(|planned| &planned.space) {
            let style = space.style();
            let decision = decisions.iter().find(|(own, _)| *own == style).map(|(_, decision)| decision);
            let best = decision.and_then(|decision| decision.candidate.as_ref());
            let best = best.map(|best| params_object(&best.set)).unwrap_or_default();
            let insights = snapshot.insights(profile, style)?.filter(|insights| insights.run == run);
            let shares = insights.map(|insights| insights.sensitivities).unwrap_or_default();
            let shares = shares.into_iter().map(|share| (share.dimension, share.importance)).collect();
            parts.insert(style.to_string(), SpacePart::new(space, &best, &shares));
        }
        Ok(Self { profile: profile.to_owned(), run, styles: parts })
    }
}

/// Returns the last run that searched; decisions by hand do not.
pub(super) fn last_search(snapshot: &Snapshot<'_>, profile: &str) -> Result<u64, InspectError> {
    let last = RunRef::Last.resolve(snapshot, profile)?;
    for run in snapshot.run_ids(profile)? {
        if snapshot.run(profile, run)?.is_some_and(|record| !record.config_toml.is_empty()) {
            return Ok(run);
        }
    }
    Ok(last)
}

impl SpacePart {
    fn new(space: &SearchSpace, best: &Map<String, Value>, shares: &BTreeMap<String, f64>) -> Self {
        let of_key = |key: &str| (best.get(key).cloned(), shares.get(key).copied());
        let mut axes = Vec::new();
        for axis in &EXIT_AXES {
            let mut values: Vec<Value> = Vec::new();
            for rule in space.rules() {
                let value = axis.value(rule).map_or_else(|| Value::from("off"), number);
                if !values.contains(&value) {
                    values.push(value);
                }
            }
            if values.iter().any(Value::is_number) {
                let (best, importance) = of_key(axis.key);
                let (key, kind) = (axis.key.to_owned(), "exit".to_owned());
                axes.push(AxisPart { key, kind, column: None, values, best, importance });
            }
        }
        axes.extend(space.dimensions().iter().map(|dimension| {
            let (best, importance) = of_key(dimension.key());
            filter(dimension, best, importance)
        }));
        Self { parameter_sets: space.sets() as u64, axes }
    }
}

fn filter(dimension: &Dimension, best: Option<Value>, importance: Option<f64>) -> AxisPart {
    let kind = match dimension.bound() {
        Bound::AtLeast => "at_least",
        Bound::AtMost => "at_most",
    };
    let value = |shown: &FilterValue| match shown {
        FilterValue::Number(value) => number(*value),
        FilterValue::Name(name) => Value::from(name.as_str()),
    };
    AxisPart {
        key: dimension.key().to_owned(),
        kind: kind.to_owned(),
        column: Some(dimension.source().name().to_owned()),
        values: dimension.levels().iter().map(|level| value(&level.shown)).collect(),
        best,
        importance,
    }
}

impl Listed for InspectSpaceDocument {
    fn listing(&self) -> Listing {
        let of = |style| move |axis| (style, axis);
        let rows: Vec<(&str, &AxisPart)> =
            self.styles.iter().flat_map(|(style, part)| part.axes.iter().map(of(style.as_str()))).collect();
        axes_listing(&rows, true)
    }
}

pub(crate) fn axes_listing(rows: &[(&str, &AxisPart)], with_style: bool) -> Listing {
    let values = |axis: &AxisPart| axis.values.iter().map(shown_parameter).collect::<Vec<_>>().join(", ");
    let begun = Listing::of(rows);
    let begun = match with_style {
        true => begun.column("style", "Style", ColumnKind::Text, |row| Cell::text(row.0)),
        false => begun,
    };
    begun
        .column("key", "Axis", ColumnKind::Text, |row| Cell::text(row.1.key.as_str()))
        .column("kind", "Kind", ColumnKind::Text, |row| Cell::text(row.1.kind.as_str()))
        .column("values", "Values", ColumnKind::Prose, |row| Cell::text(values(row.1)))
        .column("best", "Best set", ColumnKind::Text, |row| Cell::parameter(row.1.best.as_ref()))
        .column("importance", "Share %", ColumnKind::Number, |row| Cell::share(row.1.importance))
        .more("column", "Column", ColumnKind::Text, |row| Cell::maybe(row.1.column.as_deref()))
        .done()
}
