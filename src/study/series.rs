//! Daily returns of the best set and of the active set, and the best set symbol by symbol.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::engine::plan::StylePlan;
use crate::evaluate::outcome_table::OutcomeTable;
use crate::evaluate::replay::{Pick, replay_set, taken_signals};
use crate::model::{Day, ParameterSet};
use crate::study::{EvaluationContext, Study};

/// The trades of one symbol under a set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct SymbolTrades {
    pub symbol: String,
    pub trades: u64,
    pub wins: u64,
    /// Sum of net returns; ppm of the entry price.
    pub net_ppm: i64,
}

/// What pictures of a style are drawn from.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Series {
    /// Sum of net returns of each entry day of the study under the best set; ppm.
    pub candidate_ppm: Vec<i64>,
    /// The same under the active set; empty when it was not measured.
    pub incumbent_ppm: Vec<i64>,
    /// The best set, symbol by symbol.
    pub symbols: Vec<SymbolTrades>,
}

/// Replays the best set of a study, and the one active, over all its days.
pub(crate) fn replay_series(
    ground: EvaluationContext<'_>,
    theirs: EvaluationContext<'_>,
    study: &Study,
    names: &[&str],
) -> Series {
    let place = |ground: EvaluationContext<'_>, set: &ParameterSet| ground.style.space.find(set);
    let best = study.top.first().and_then(|best| place(ground, &best.set));
    let in_force = study.incumbent.as_ref().and_then(|measured| place(theirs, &measured.set));
    let daily = |ground: EvaluationContext<'_>, place: Option<(usize, usize)>| {
        let daily = |place| daily(ground.book, study.days.clone(), ground.style, place);
        place.map(daily).unwrap_or_default()
    };
    Series {
        candidate_ppm: daily(ground, best),
        incumbent_ppm: daily(theirs, in_force),
        symbols: best.map(|place| symbol_series(ground, study, place, names)).unwrap_or_default(),
    }
}

/// Returns the sum of net returns of every day under a set; ppm.
pub(crate) fn daily(
    book: &OutcomeTable,
    days: Range<Day>,
    style: &StylePlan,
    (rule, cell): (usize, usize),
) -> Vec<i64> {
    let levels = style.space.lattice().levels(cell);
    let tally = replay_set(&book.window(days.clone()), Pick { rule, levels: Some(&levels) });
    let mut all = vec![0; usize::try_from(days.end.0 - days.start.0).unwrap_or(0)];
    for (day, net_ppm) in &tally.daily_ppm {
        all[(day.0 - days.start.0) as usize] = *net_ppm;
    }
    all
}

fn symbol_series(
    EvaluationContext { style, book }: EvaluationContext<'_>,
    study: &Study,
    (rule, cell): (usize, usize),
    names: &[&str],
) -> Vec<SymbolTrades> {
    let none = |name: &&str| SymbolTrades { symbol: (*name).to_owned(), trades: 0, wins: 0, net_ppm: 0 };
    let mut all: Vec<SymbolTrades> = names.iter().map(none).collect();
    let levels = style.space.lattice().levels(cell);
    let outcomes = book.under(rule);
    for signal in taken_signals(&book.window(study.days.clone()), Pick { rule, levels: Some(&levels) }) {
        let net = outcomes.net(signal).0;
        let own = &mut all[usize::from(book.entries()[signal].symbol)];
        own.trades += 1;
        own.wins += u64::from(net > 0);
        own.net_ppm += i64::from(net);
    }
    all
}
