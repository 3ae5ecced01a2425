//! What a book needs of a unit: its signals in the lattice of a plan, and their outcomes under the plan's exit rules.

use std::sync::Arc;

use crate::engine::day::{DayBlock, DaySignal, StyleDay};
use crate::engine::entries::EntrySource;
use crate::engine::outcome_bytes::ByteReader;
use crate::engine::plan::{Plan, StylePlan};
use crate::engine::unit::{Unit, evaluate_unit};
use crate::engine::unit_bytes::UnitLayout;
use crate::engine::unit_schema::{UnitSchema, columns_of};
use crate::exits::TradeCosts;
use crate::features::catalog::SCORE_EVIDENCE;
use crate::features::frame::MarketSeries;
use crate::features::score::ScoreEvidence;
use crate::model::{Day, ExitReason, GivenSignals, OutcomeRow, Outcomes};

/// Evaluates one day of one symbol from candles, and from the symbol's signals where such are given; see [`evaluate_unit`].
pub fn evaluate_day(
    market: &MarketSeries<'_>,
    day: Day,
    given: Option<&GivenSignals>,
    plan: &Plan,
    costs: &TradeCosts,
) -> DayBlock {
    let found = EntrySource::on(market, day, given);
    let part = |style| {
        let unit = evaluate_unit(market, day, &found, style, plan, costs);
        unit.style_day(&UnitSchema::of(style), style)
    };
    DayBlock { day, styles: plan.styles.iter().map(part).collect() }
}

impl Unit {
    /// Returns what a book needs of the unit under its own plan.
    pub fn style_day(&self, context: &UnitSchema, style: &StylePlan) -> StyleDay {
        let mut bytes = Vec::new();
        self.encode(&mut bytes);
        let fit = SchemaProjection::new(Arc::new(context.clone()), style);
        fit.style_day(&bytes, style).expect("a unit holds what its own plan needs")
    }
}

/// How a context serves a style's plan.
#[derive(Debug, Clone)]
pub struct SchemaProjection {
    /// The context.
    pub context: Arc<UnitSchema>,
    /// Where the column of each dimension stands in the context; `None` where one is missing.
    columns: Option<Vec<usize>>,
    /// Where each rule of the space stands in the context; `None` where one is missing.
    rules: Option<Vec<usize>>,
    missing_rules: usize,
    /// Where the evidence of the score stands, if there is any.
    evidence: Option<usize>,
    missing_columns: Vec<String>,
}

impl SchemaProjection {
    /// Looks up a plan's columns and rules in a context.
    pub fn new(context: Arc<UnitSchema>, style: &StylePlan) -> Self {
        let column = |name: &str| context.columns.iter().position(|known| known == name);
        let columns = style.space.dimensions().iter().map(|d| column(d.source().name())).collect();
        let rule = |rule| context.rules.iter().position(|known| known == rule);
        let rules: Vec<Option<usize>> = style.space.rules().iter().map(rule).collect();
        let missing_rules = rules.iter().filter(|place| place.is_none()).count();
        let rules = rules.into_iter().collect();
        let missing = columns_of(style).filter(|name| column(name).is_none());
        let missing_columns = missing.map(str::to_owned).collect();
        let evidence = style.space.weights().and_then(|_| column(SCORE_EVIDENCE.name));
        Self { context, columns, rules, missing_rules, evidence, missing_columns }
    }

    /// Returns the columns of the plan that the context lacks.
    pub fn missing_columns(&self) -> &[String] {
        &self.missing_columns
    }

    /// Returns how many rules of the plan the context lacks.
    pub fn missing_rules(&self) -> usize {
        self.missing_rules
    }

    /// Reads what a book needs from an encoded unit: coordinates of the signals that pass, and their outcomes only.
    ///
    /// Returns `None` when the bytes are no unit of the context, or the context lacks something.
    pub fn style_day(&self, bytes: &[u8], style: &StylePlan) -> Option<StyleDay> {
        let (columns, rules) = (self.columns.as_deref()?, self.rules.as_deref()?);
        let layout = UnitLayout::of(bytes, &self.context)?;
        let mut day = StyleDay {
            sealed: layout.sealed,
            pending: layout.pending,
            lost: layout.lost,
            blind: layout.blind,
            ..StyleDay::default()
        };
        let (mut signals, mut outcomes) = (ByteReader(layout.signals), ByteReader(layout.outcomes));
        let column_row = 8 * self.context.columns.len();
        let mut picked = Outcomes::new(rules.len());
        let mut row = Outcomes::new(self.context.rules.len());
        for index in 0..layout.count {
            let signal = signals.signal()?;
            if !style.sides.allow(signal.direction) {
                outcomes.row_bytes(self.context.rules.len())?;
                continue;
            }
            let values = &layout.columns[index * column_row..(index + 1) * column_row];
            let coordinates = lattice_coordinates(values, columns, style);
            let evidence = match self.evidence {
                Some(place) => score_evidence(&values[8 * place..], style)?,
                None => None,
            };
            let coordinates = coordinates.filter(|_| self.evidence.is_none() || evidence.is_some());
            day.signals.push(DaySignal {
                entry_ms: signal.entry_ms,
                direction: signal.direction,
                setup: signal.setup,
                in_lattice: coordinates.is_some(),
            });
            let Some(coordinates) = coordinates else {
                outcomes.row_bytes(self.context.rules.len())?;
                continue;
            };
            day.coordinates.extend(coordinates);
            day.evidence.extend(evidence);
            row.clear();
            outcomes.row(&mut row)?;
            picked.push_picked(row.row(0), rules);
        }
        let cut = |row: &OutcomeRow<'_>| row.ends.iter().any(|end| end.reason == ExitReason::DataEnd);
        day.cut = picked.rows().filter(cut).count() as u32;
        day.opportunities = layout.opportunities()?.on_sides(style.sides);
        day.outcomes = picked.into();
        Some(day)
    }
}

/// Returns a signal's evidence of the score, where it has a feature row; `None` when the bytes are no evidence.
fn score_evidence(value: &[u8], style: &StylePlan) -> Option<Option<ScoreEvidence>> {
    let number = ByteReader(value).float()?;
    match number.is_nan() {
        true => Some(None),
        false => ScoreEvidence::from_number(number, style.space.style()).map(Some),
    }
}

/// Returns a signal's coordinates from its row of columns; that of a score whose weights are not known yet is 0.
fn lattice_coordinates(values: &[u8], columns: &[usize], style: &StylePlan) -> Option<Vec<u8>> {
    let dimensions = style.space.dimensions().iter().zip(columns);
    dimensions
        .map(|(dimension, column)| {
            if style.space.weights().is_some() && dimension.reads_score() {
                return Some(0);
            }
            let value = ByteReader(&values[8 * column..]).float()?;
            dimension.coordinate(Some(value).filter(|v| !v.is_nan()))
        })
        .collect()
}
