//! A symbol's own set by the in-sample and the out-of-sample part: where the verdict of these decides, or the score reads the order of
//! trades.

use super::{OwnResult, PooledSet};
use crate::decide::reason::OwnReason;
use crate::engine::plan::OwnSettings;
use crate::evaluate::outcome_table::{OutcomeTable, Window};
use crate::evaluate::sweep::{Sweep, sweep_window};
use crate::search::own::{Scored, best_own, shrunk_score};
use crate::search::rank::Trial;
use crate::study::{MeasuredParts, Measurer};
use crate::validate::verdict::{TradeMinimums, Verdict, judge_candidate};

/// The in-sample days of all symbols, and every set on them.
pub(super) struct OwnByParts<'a> {
    pooled: PooledSet<'a>,
    whole: MeasuredParts<'a>,
    sweep: Sweep,
}

impl<'a> OwnByParts<'a> {
    pub(super) fn new(pooled: PooledSet<'a>, book: &'a OutcomeTable) -> Self {
        let whole = pooled.parts(book);
        // Once more: holding the first one meanwhile would cost more memory than this costs time.
        let sweep = sweep_window(&whole.early.window);
        Self { pooled, whole, sweep }
    }

    /// Chooses on a symbol's in-sample days; what is chosen must pass on its out-of-sample days, and beat the pooled set there.
    pub(super) fn own_set(&self, book: &OutcomeTable) -> OwnResult {
        let PooledSet { plan, place: (rule, cell), settings, .. } = self.pooled;
        let (parts, measure) = (self.pooled.parts(book), self.pooled.measurer());
        let pooled = Pooled { window: &self.whole.early.window, sweep: &self.sweep };
        let best = better_than_pooled(&measure, &parts.early.window, pooled, (rule, cell), settings)?;
        let (measured, early, late) = measure.set(best.rule, best.cell, &parts);
        let (pooled_measured, ..) = measure.set(rule, cell, &parts);
        let evidence = TradeMinimums {
            early_trades_min: settings.trades_min,
            late_trades_min: plan.search.late_trades_min,
        };
        let judgement =
            judge_candidate(&early.point, &late.point, pooled_measured.late.expectancy_pct.ok(), evidence);
        if judgement.verdict != Verdict::Passed {
            let reason = judgement.reasons.into_iter().next();
            return Err(OwnReason::OwnFails { verdict: judgement.verdict, reason });
        }
        let beaten = pooled_measured.late_score.zip(measured.late_score).is_some_and(|(all, own)| own <= all);
        if beaten {
            return Err(OwnReason::PooledScoresAsWell);
        }
        Ok((measured, OwnReason::OwnPasses(judgement.reasons)))
    }
}

/// The in-sample days of all symbols, and every set on them.
#[derive(Clone, Copy)]
struct Pooled<'a> {
    window: &'a Window<'a>,
    sweep: &'a Sweep,
}

/// Returns the set with the best shrunk score on a symbol, unless that is the set of all symbols.
///
/// Each score has the circumstances of what it is a score on: that on the symbol counts the symbol's candidates, that on
/// all symbols counts all.
fn better_than_pooled(
    measure: &Measurer<'_>,
    symbol: &Window<'_>,
    pooled: Pooled<'_>,
    (rule, cell): (usize, usize),
    settings: OwnSettings,
) -> Result<Trial, OwnReason> {
    let swept = sweep_window(symbol);
    let own = Scored { sweep: &swept, objective: &measure.objective(symbol, settings.trades_min) };
    let objective = measure.objective(pooled.window, measure.plan.search.trades_min);
    let whole = Scored { sweep: pooled.sweep, objective: &objective };
    let few = || OwnReason::TooFewTrades { trades_min: settings.trades_min };
    let best = best_own(own, whole, settings.prior_trades).ok_or_else(few)?;
    let here = swept.point(rule, cell);
    let scores = own.objective.rate(here).zip(objective.rate(pooled.sweep.point(rule, cell)));
    let pooled_score = scores.map(|(own, all)| shrunk_score(own, here.trades, all, settings.prior_trades));
    match (best.rule, best.cell) == (rule, cell) || pooled_score.is_some_and(|score| best.score <= score) {
        true => Err(OwnReason::PooledIsBest),
        false => Ok(best),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::engine::plan::{DayLimits, Plan};
    use crate::evaluate::metrics::Circumstances;
    use crate::evaluate::outcome_table::Entry;
    use crate::model::{
        DAY_MS, Day, Direction, ExitReason, HOUR_MS, Outcome, Outcomes, ReturnPpm, Setup, Style,
    };
    use crate::search::rank::Objective;

    fn outcome(net: i32) -> Outcome {
        let net = ReturnPpm(net);
        Outcome { net, best_case: net, gross: net, bars_held: 1, reason: ExitReason::Time, ambiguous: false }
    }

    /// A book of two exit rules and one filter of two levels, with as many candidates again that no set takes.
    fn book(plan: &Plan, signals: usize, idle: usize) -> OutcomeTable {
        let space = &plan.styles[0].space;
        let mut book = OutcomeTable::new(space.lattice().clone(), space.rules().len());
        for n in 0..signals {
            let entry_ms = n as i64 * 5 * HOUR_MS;
            let nets = [4_000, 9_000, -3_000, -2_000, 6_000, -1_000];
            let row: Vec<Outcome> =
                (0..space.rules().len()).map(|rule| outcome(nets[(n + rule) % 6] + n as i32)).collect();
            let mut outcomes = Outcomes::new(row.len());
            outcomes.push_each(&row);
            let entry = Entry { entry_ms, symbol: 0, direction: Direction::Long, setup: Setup::Pullback };
            let levels: Vec<u8> = space.lattice().sizes().iter().map(|size| (n % size) as u8).collect();
            book.push(entry, &levels, outcomes.row(0));
            (0..idle).for_each(|_| book.count_candidate(entry_ms));
        }
        book
    }

    #[test]
    fn each_score_counts_the_candidates_it_is_a_score_on() {
        let space = "[style.scalping.space]\natr_tp_multiplier = [2, 3]\natr_stop_multiplier = [1]\n\
                     max_holding_hours = [8]\nmin_signal_score = [40, 50]\nmin_risk_reward = [0]\n\
                     min_consensus_score = [0]\nmin_consensus = [0]\nmin_kline_bullish_ratio = [0]\n\
                     min_price_chg_pct = [0]\nallowed_mkt_struct = [\"all\"]\nmin_trend_age_hours = [0]\n\
                     max_sr_test_count = [999]\n[search]\nscore = \"balanced\"\nmin_trades = 5\n";
        let config = Config::from_texts(&[("a".to_owned(), space.to_owned())]).expect("sound");
        let plan = config.plan(&[Style::Scalping], DayLimits::default()).expect("sound");
        let measure = Measurer { style: &plan.styles[0], plan: &plan };
        let settings = OwnSettings { trades_min: 5, prior_trades: 40 };
        let days = Day(0)..Day(40);
        assert_eq!(Day(0).start_ms() + 40 * DAY_MS, days.end.start_ms());
        let (own, whole) = (book(&plan, 60, 0), book(&plan, 60, 14));
        let (own, whole) = (own.window(days.clone()), whole.window(days));
        assert_eq!((own.candidates, whole.candidates), (60, 900), "fifteen times as many");
        let swept = sweep_window(&whole);
        let by_hand = |window: &Window<'_>, trades_min: u32| Objective {
            around: Circumstances {
                candidates: window.candidates,
                days: window.day_count(),
                trades_min,
                position_ratio: plan.search.position_ratio,
            },
            ..measure.objective(window, trades_min)
        };
        let (on_symbol, on_all) = (by_hand(&own, 5), by_hand(&whole, 5));
        let own_swept = sweep_window(&own);
        let mut stated: Vec<(f64, (usize, usize))> = Vec::new();
        for cell in 0..own_swept.cells().count() {
            for rule in 0..2 {
                let (here, all) = (own_swept.point(rule, cell), swept.point(rule, cell));
                let (Some(own), Some(all)) = (on_symbol.rate(here), on_all.rate(all)) else { continue };
                let n = f64::from(here.trades);
                stated.push(((n * own + 40.0 * all) / (n + 40.0), (rule, cell)));
            }
        }
        stated.sort_by(|a, b| b.0.total_cmp(&a.0));
        assert!(stated.len() >= 3, "{stated:?}");
        let (worst, place) = *stated.last().expect("some");
        let pooled = Pooled { window: &whole, sweep: &swept };
        let best = better_than_pooled(&measure, &own, pooled, place, settings).expect("a better one");
        assert_eq!(((best.rule, best.cell), best.score), (stated[0].1, stated[0].0));
        assert!(best.score > worst);
        let with_its_own_count = Pooled { window: &own, sweep: &swept };
        let otherwise =
            better_than_pooled(&measure, &own, with_its_own_count, place, settings).expect("some");
        assert_ne!(otherwise.score, best.score, "the count of candidates matters");
    }
}
