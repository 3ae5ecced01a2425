//! The best sets of a study traded as a bot trades them, beside the independent trades the grid is searched with.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::engine::plan::{Plan, StylePlan};
use crate::evaluate::outcome_table::Window;
use crate::evaluate::portfolio::{SkipReason, follow_signals};
use crate::evaluate::replay::{Pick, results_of_trades, taken_signals};
use crate::evaluate::sweep::GridPoint;
use crate::evaluate::uniqueness::effective_trades;
use crate::model::ParameterSet;
use crate::study::{EvaluationContext, Study};
use crate::validate::agreement::rank_agreement;
use crate::validate::assessment::Overlap;

/// The best sets that are traded, at most; their neighbours come on top.
const SHORTLIST: usize = 20;
/// Fewest sets whose ranks are compared: among fewer, two that change places decide.
const COMPARED_MIN: usize = 10;

/// What some trades came to; `None` where there is none.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct TradeResults {
    pub trades: u64,
    pub win_rate: Option<f64>,
    pub mean_pct: Option<f64>,
    pub net_pct: f64,
    pub drawdown_pct: f64,
}

impl From<&GridPoint> for TradeResults {
    fn from(point: &GridPoint) -> Self {
        Self {
            trades: point.trades.into(),
            win_rate: point.win_rate().ok(),
            mean_pct: point.expectancy_pct().ok(),
            net_pct: point.total_return_pct(),
            drawdown_pct: point.max_drawdown_pct(),
        }
    }
}

/// One set, on all days of the study.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct BothWays {
    /// Every signal is a trade of its own.
    pub independent: TradeResults,
    /// As the portfolio allows.
    pub traded: TradeResults,
    /// Signals lost, by reason in the order of [`SkipReason::ALL`].
    pub lost: [u64; SkipReason::ALL.len()],
}

/// A study's best sets, traded.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Traded {
    /// The best set.
    pub best: BothWays,
    /// The active set, where it was measured.
    pub in_force: Option<BothWays>,
    /// Sets compared, those with the same trades once: the best, the neighbours of the very best, the one active, and
    /// every signal under the middle exit rule.
    pub sets: u64,
    /// What the best set's independent trades are worth in trades that do not overlap.
    pub effective_trades: f64,
    /// Rank correlation of the net results of these sets, independent and traded; `None` where they are few.
    pub agreement: Option<f64>,
}

/// Trades the best sets of a study, those one step from the very best, and the one active, over all its days.
///
/// Causality: positions are carried over midnight, none is open when the study begins
/// Cost:      O(sets x signals), sets in parallel
pub(crate) fn simulate_best_sets(
    ground: EvaluationContext<'_>,
    theirs: EvaluationContext<'_>,
    study: &Study,
    plan: &Plan,
) -> Option<Traded> {
    let EvaluationContext { style, book } = ground;
    let place = |set: &ParameterSet| style.space.find(set);
    let best = place(&study.top.first()?.set)?;
    let incumbent = study.incumbent.as_ref().map(|measured| &measured.set);
    // One of other score weights is in no cell here.
    let in_force = incumbent.and_then(place);
    let top = study.top.iter().take(SHORTLIST).filter_map(|measured| place(&measured.set));
    let sets = top.chain(in_force).chain(style.space.neighbours(best.0, best.1));
    let everything = (style.space.rules().len() / 2, None);
    let mut places: Vec<(usize, Option<usize>)> = Vec::new();
    for place in sets.map(|(rule, cell)| (rule, Some(cell))).chain([everything]) {
        if !places.contains(&place) {
            places.push(place);
        }
    }
    let window = book.window(study.days.clone());
    let walk = |(rule, cell): &(usize, Option<usize>)| SetSimulation::new(&window, *rule, *cell, style, plan);
    // Rules that are loaded are loaded one after the other.
    let walks: Vec<SetSimulation> = match book.is_held() {
        true => places.par_iter().map(walk).collect(),
        false => places.iter().map(walk).collect(),
    };
    let of = |(rule, cell): (usize, usize)| {
        let index = places.iter().position(|place| *place == (rule, Some(cell)));
        index.map(|index| walks[index].both_ways())
    };
    // Sets with the same trades are one set.
    let mut compared: Vec<&SetSimulation> = Vec::new();
    for walk in &walks {
        if !compared.contains(&walk) {
            compared.push(walk);
        }
    }
    let nets = |of: fn(&SetSimulation) -> &GridPoint| -> Vec<i64> {
        compared.iter().map(|walk| of(walk).net_ppm()).collect()
    };
    let agreement = rank_agreement(&nets(|walk| &walk.independent), &nets(|walk| &walk.traded));
    let levels = style.space.lattice().levels(best.1);
    let signals = taken_signals(&window, Pick { rule: best.0, levels: Some(&levels) });
    Some(Traded {
        effective_trades: effective_trades(book, best.0, &signals, plan.interval.ms()),
        best: of(best)?,
        in_force: in_force.and_then(of).or_else(|| {
            let (rule, cell) = theirs.style.space.find(incumbent?)?;
            let window = theirs.book.window(study.days.clone());
            Some(SetSimulation::new(&window, rule, Some(cell), theirs.style, plan).both_ways())
        }),
        sets: compared.len() as u64,
        agreement: agreement.filter(|_| compared.len() >= COMPARED_MIN),
    })
}

/// One set walked through both ways.
#[derive(Debug, Clone, PartialEq, Eq)]
struct SetSimulation {
    independent: GridPoint,
    traded: GridPoint,
    lost: [u64; SkipReason::ALL.len()],
}

impl SetSimulation {
    /// Walks a set through a window; without a cell every signal.
    fn new(window: &Window<'_>, rule: usize, cell: Option<usize>, style: &StylePlan, plan: &Plan) -> Self {
        let levels = cell.map(|cell| style.space.lattice().levels(cell));
        let signals = taken_signals(window, Pick { rule, levels: levels.as_deref() });
        let course = follow_signals(window.book, rule, &signals, &plan.portfolio, plan.interval.ms());
        let (independent, _) = results_of_trades(window.book, rule, &signals);
        let (traded, _) = results_of_trades(window.book, rule, &course.trades);
        Self { independent, traded, lost: course.lost }
    }

    fn both_ways(&self) -> BothWays {
        let [independent, traded] = [&self.independent, &self.traded].map(TradeResults::from);
        BothWays { independent, traded, lost: self.lost }
    }
}

impl Traded {
    /// Returns what the best set's results say of its independent trades.
    pub fn overlap(&self) -> Overlap {
        let BothWays { independent, traded, .. } = self.best;
        Overlap { independent: independent.net_pct, traded: traded.net_pct, agreement: self.agreement }
    }

    /// Returns the same for what the best set gains over the one active.
    pub fn overlap_of_switch(&self) -> Overlap {
        let than = self.in_force.unwrap_or_default();
        let gain = |of: fn(&BothWays) -> f64| of(&self.best) - of(&than);
        Overlap {
            independent: gain(|both| both.independent.net_pct),
            traded: gain(|both| both.traded.net_pct),
            agreement: self.agreement,
        }
    }

    /// Returns the signals of the best set that are lost, by reason.
    pub fn lost(&self) -> impl Iterator<Item = (SkipReason, u64)> + use<> {
        SkipReason::ALL.into_iter().zip(self.best.lost)
    }
}
