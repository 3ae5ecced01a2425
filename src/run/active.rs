//! What is active when a run begins, what was before, and what must not become active again.

use std::collections::{BTreeMap, BTreeSet};

use crate::engine::plan::StylePlan;
use crate::model::{Day, ParameterSet, Style};
use crate::search::strategy::Search;
use crate::store::records::ParamsRecord;
use crate::study::per_symbol::scope_of;

/// What is active.
#[derive(Debug, Clone, Default)]
pub(crate) struct ActiveParameters {
    /// Per style of the plan.
    pub(crate) styles: Vec<Option<ParameterSet>>,
    /// Own sets of symbols, by scope.
    pub(crate) symbols: BTreeMap<String, ParameterSet>,
    /// Sets that no run puts back.
    pub(crate) barred: BarredSets,
    /// What was active before, by style, where decaying parameters go back to it.
    pub(crate) earlier: BTreeMap<Style, EarlierParameters>,
    /// Last day of the candles that the active sets were chosen on, by style.
    pub(crate) chosen_on: BTreeMap<Style, Day>,
    /// Fingerprints of the grids tried before, by style.
    pub(crate) grids: BTreeSet<(Style, [u8; 32])>,
    /// Last day of the first window that was tested, by style.
    pub(crate) first_looks: BTreeMap<Style, Day>,
}

impl ActiveParameters {
    /// Returns whether no earlier run tested a style on fewer days than those before an end.
    pub(crate) fn is_first_look(&self, style: Style, end: Day) -> bool {
        self.first_looks.get(&style).is_none_or(|first| first.0 + 1 >= end.0)
    }

    /// Returns how many distinct grids of a style were tried, that of the plan included; a part of a larger space counts as
    /// all the parts that might have been chosen in its place.
    pub(crate) fn grids_with(&self, style: &StylePlan, search: &Search) -> u64 {
        let own = (style.space.style(), style.grid_fingerprint(search).0);
        let before = self.grids.iter().filter(|(of, print)| *of == own.0 && *print != own.1).count();
        (before as u64).saturating_add(style.asked().1)
    }
}

/// What was active before the active parameters.
#[derive(Debug, Clone)]
pub(crate) struct EarlierParameters {
    /// The run that judged them.
    pub(crate) run: u64,
    /// As they were kept.
    pub(crate) record: ParamsRecord,
    /// The set.
    pub(crate) set: ParameterSet,
}

/// Sets that no run puts back into use.
#[derive(Debug, Clone, Default)]
pub(crate) struct BarredSets {
    /// Those deactivated by hand last, by style.
    pub(crate) vetoed: BTreeMap<Style, ParameterSet>,
    /// Those that decayed, by style, the latest last.
    pub(crate) decayed: BTreeMap<Style, Vec<ParameterSet>>,
}

/// Returns whether a scope is that of own parameters of a symbol in a style.
pub(crate) fn is_symbol_of(scope: &str, style: Style) -> bool {
    let symbol = scope.strip_prefix("symbol/").and_then(|rest| rest.split_once('/'));
    symbol.is_some_and(|(symbol, _)| scope == scope_of(symbol, style))
}
