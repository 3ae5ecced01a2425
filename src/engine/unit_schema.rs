//! The schema of a unit: which columns and exit rules it holds, by name, so that units of other grids can be told apart and used.

use crate::engine::plan::StylePlan;
use crate::features::catalog::{SCORE_EVIDENCE, SIGNAL_SCORE};
use crate::fingerprint::{Canonical, Fingerprint};
use crate::model::ExitRule;

/// Which values and exit rules a unit holds, in order.
#[derive(Debug, Clone, PartialEq)]
pub struct UnitSchema {
    /// Names of feature columns, and of columns of given signals.
    pub columns: Vec<String>,
    /// Exit rules.
    pub rules: Vec<ExitRule>,
}

impl UnitSchema {
    /// Returns the context a style's plan needs.
    pub fn of(style: &StylePlan) -> Self {
        let mut columns: Vec<String> = columns_of(style).map(str::to_owned).collect();
        columns.sort();
        columns.dedup();
        Self { columns, rules: style.space.rules().to_vec() }
    }

    /// Returns the fingerprint of columns and rules.
    pub fn fingerprint(&self) -> Fingerprint {
        let Self { columns, rules } = self;
        let hash = Canonical::new("retune context v1").count(columns.len() as u64);
        let hash = columns.iter().fold(hash, |hash, column| hash.text(column)).count(rules.len() as u64);
        rules.iter().fold(hash, |hash, rule| hash.floats(&rule.numbers())).finish()
    }
}

/// Returns the columns that the dimensions, exit rules and score weights of a style read.
pub(super) fn columns_of(style: &StylePlan) -> impl Iterator<Item = &str> {
    let score = style.exits.reads_score().then_some(SIGNAL_SCORE);
    let evidence = style.space.weights().map(|_| SCORE_EVIDENCE.name);
    let dimensions = style.space.dimensions().iter().map(|dimension| dimension.source().name());
    dimensions.chain(score).chain(evidence)
}
