//! The evidence on a style's candidate: every set that was tried counts, day by day, after costs.

use serde::{Deserialize, Serialize};

use crate::engine::plan::{Plan, StylePlan};
use crate::evaluate::daily::DailyColumns;
use crate::evaluate::outcome_table::{OutcomeTable, Window};
use crate::evaluate::replay::{Pick, Tally, replay_set};
use crate::model::{Day, ReturnPpm};
use crate::search::weights::LearnedWeights;
use crate::study::captures::{Capture, Captures};
use crate::study::portfolio::{Traded, simulate_best_sets};
use crate::study::regimes::{Regimes, results_by_regime};
use crate::study::series::Series;
use crate::study::{EvaluationContext, Study};
use crate::validate::assessment::{
    Assessment, Assurance, FailedCondition, Findings, assess_findings, cost_buffer, wealth_of_bet,
};
use crate::validate::bootstrap::{self, confidence_interval};
use crate::validate::dependence::automatic_block;
use crate::validate::grid::{
    CrossValidation, GridResult, GridTests, Halves, Ranks, Replicates, TestPlan, add_ranks,
    studentised_statistic,
};
use crate::validate::pair::{SharpeDifference, sharpe_difference};
use crate::validate::sharpe::{DAYS_PER_YEAR, Moments, equivalent_trials};

const PPM_PER_PERCENT: f64 = 10_000.0;
/// Longest mean block of the bootstrap; days.
const BLOCK_MAX: f64 = 10.0;

/// Choosing again and again in the past, each time without knowing what follows.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct WalkForward {
    pub choices: u64,
    /// Sharpe ratio of a year, of what the choices earned afterwards.
    pub sharpe_year: f64,
    pub t: f64,
    /// Share of the choices that earned something.
    pub positive: f64,
    /// What was earned over what training promised.
    pub efficiency: f64,
    /// Share of the choices that differ from the one before.
    pub turnover: f64,
}

/// What the active parameters did since they are active: days that nobody had seen when they were chosen.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Forward {
    pub days: u64,
    pub net_pct: f64,
    /// Evidence for a positive mean; 20 at any time is evidence at 5 %.
    pub e_edge: f64,
    /// Evidence for a negative mean.
    pub e_decay: f64,
}

/// How learned weights of the signal score compare with the active ones; areas under the curve.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct WeightFigures {
    pub signals_won: u64,
    pub signals_lost: u64,
    /// `None` where there is too little to search.
    pub compared: Option<WeightsCompared>,
}

/// Areas under the curve of the weights found and of the active ones.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct WeightsCompared {
    /// Whether the weights found replace the active ones.
    pub replaced: bool,
    /// Of the weights that a search without the fold's days finds, on these days.
    pub auc: f64,
    /// Of the active weights, on the same days.
    pub auc_active: f64,
    /// Standard error of the difference.
    pub auc_error: f64,
    /// Of the weights that a search on all in-sample days finds, on the days it saw.
    pub auc_seen: f64,
}

impl From<&LearnedWeights> for WeightFigures {
    fn from(learned: &LearnedWeights) -> Self {
        let [signals_won, signals_lost] = learned.signals;
        let compared = learned.compared.map(|compared| WeightsCompared {
            replaced: learned.replaced,
            auc: compared.found_ppm as f64 / 1e6,
            auc_active: compared.in_force_ppm as f64 / 1e6,
            auc_error: compared.error_ppm / 1e6,
            auc_seen: compared.seen_ppm as f64 / 1e6,
        });
        Self { signals_won, signals_lost, compared }
    }
}

/// Everything that is known about the candidate of a style; `None` where a figure is not defined.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Evidence {
    pub days: usize,
    pub active_days: usize,
    pub trades: u64,
    /// Parameter sets tried, all grids of the profile and those declared together.
    pub trials: u64,
    /// Sets with returns of their own that were tested.
    pub columns: u64,
    pub sharpe_year: Option<f64>,
    /// Probability that the true Sharpe ratio is positive, before counting what was tried.
    pub probabilistic_sharpe: Option<f64>,
    /// Sharpe ratio of a year that luck over all sets reaches on average.
    pub luck_sharpe_year: Option<f64>,
    /// Probability that the true Sharpe ratio exceeds what luck reaches.
    pub deflated_sharpe: Option<f64>,
    /// Independent tries that would be as lucky as this grid.
    pub equivalent_trials: Option<f64>,
    /// Further days until it could be told from zero, at this rate.
    pub days_needed: Option<f64>,
    /// Probability that luck over all trials does as well as the candidate, against zero and against the active set.
    pub p_luck: Option<f64>,
    pub p_luck_switch: Option<f64>,
    /// The same for the best set of the grid, against zero.
    pub p_luck_best: Option<f64>,
    /// White's Reality Check of the candidate, against zero.
    pub p_reality: Option<f64>,
    pub walk_forward: Option<WalkForward>,
    /// t statistic of what walking forward earned more than the active set.
    pub walk_forward_switch_t: Option<f64>,
    pub cross_validation: Option<CrossValidation>,
    /// Mean Sharpe ratio of the neighbours over its own.
    pub plateau_ratio: Option<f64>,
    /// Sharpe ratio of the candidate less that of the active set, as a test of these two alone.
    pub sharpe_difference: Option<SharpeDifference>,
    /// 90 % interval of the mean day return, percent; of this set alone, not corrected for choosing it.
    pub mean_interval_pct: Option<(f64, f64)>,
    pub worst_case_pct: f64,
    pub best_case_pct: f64,
    pub ambiguous_share: Option<f64>,
    /// Costs at which it breaks even, over the costs assumed.
    pub cost_buffer: Option<f64>,
    pub forward: Option<Forward>,
    /// The best sets as a bot trades them.
    pub traded: Option<Traded>,
    /// The candidate by kind of market.
    pub regimes: Option<Regimes>,
    /// The weights of the signal score that it was found under, where they are learned.
    pub weights: Option<WeightFigures>,
    /// What the candidate and the active set made of the moves that hindsight knows; no assessment looks at it.
    pub captures: Option<Captures>,
    /// Is there anything here at all?
    pub edge: Option<Assessment>,
    /// Is it better than what is active? `None` where nothing is, or the candidate is.
    pub switch: Option<Assessment>,
}

impl Evidence {
    /// Answers "is there anything here at all?" in a line.
    pub fn edge_line(&self) -> String {
        self.line(self.edge.as_ref(), self.p_luck, "zero")
    }

    /// Answers "is it better than what is active?" in a line.
    pub fn switch_line(&self) -> String {
        let line = self.line(self.switch.as_ref(), self.p_luck_switch, "the active parameters");
        let is_tested = self.switch.as_ref().is_some_and(|switch| switch.assurance != Assurance::Untested);
        match self.sharpe_difference.filter(|_| is_tested) {
            Some(found) => format!(
                "{line}; yearly Sharpe {:+.1} against them, p = {:.2}",
                found.difference * DAYS_PER_YEAR.sqrt(),
                found.p
            ),
            None => line,
        }
    }

    fn line(&self, assessment: Option<&Assessment>, p_luck: Option<f64>, against: &str) -> String {
        let too_little = || {
            format!(
                "{} days, {} of them with trades, {} trades: 60, 40 and 100 are needed to say anything",
                self.days, self.active_days, self.trades
            )
        };
        let lacks = |lack| assessment.is_some_and(|assessment| assessment.lacks.contains(&lack));
        match assessment.map(|assessment| assessment.assurance) {
            Some(Assurance::NotEnoughData) => return too_little(),
            Some(Assurance::Untested) if lacks(FailedCondition::Quick) => {
                let more = if lacks(FailedCondition::Evidence) {
                    format!("; {}", too_little())
                } else {
                    String::new()
                };
                return format!("the tests against luck were left out (--quick, validate.quick){more}");
            }
            Some(Assurance::Untested) => {
                return "no parameter set trades on enough days to be tested".to_owned();
            }
            _ => {}
        }
        let mut parts = Vec::new();
        if let Some(p) = p_luck {
            parts.push(format!(
                "after {} tries, noise did at least as well against {against} in {:.0} of 100 simulations",
                self.trials,
                (100.0 * p).max(1.0)
            ));
        }
        if let Some(walk) = self.walk_forward {
            parts.push(format!(
                "walk-forward re-optimisation earned a yearly Sharpe ratio of {:.1} ({:.0} % of {} choices earned)",
                walk.sharpe_year,
                100.0 * walk.positive,
                walk.choices
            ));
        }
        if let Some((expected, own)) = self.expected_sharpe_year().zip(self.sharpe_year) {
            let (expected, own) = (one_digit(expected), one_digit(own));
            parts.push(format!("expected Sharpe after selection {expected} per year (in-sample {own})"));
        }
        if parts.is_empty() {
            parts.push("its returns do not vary enough to be tested".to_owned());
        }
        parts.join("; ")
    }

    /// Returns the Sharpe ratio of a year that is left of the candidate's own once what choosing adds is taken off; never more than its
    /// own.
    pub fn expected_sharpe_year(&self) -> Option<f64> {
        let optimism = self.cross_validation?.optimism * DAYS_PER_YEAR.sqrt();
        self.sharpe_year.map(|own| own - optimism)
    }
}

/// What the evidence rests on besides the book.
pub(crate) struct Question<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) style: &'a StylePlan,
    /// What the active parameters are measured on.
    pub(crate) theirs: EvaluationContext<'a>,
    pub(crate) study: &'a Study,
    pub(crate) series: &'a Series,
    /// Distinct grids tried in this profile, this one included; one whose score weights were learned as often as it might
    /// have been another's.
    pub(crate) grids: u64,
    /// What was learned about score weights, where they are.
    pub(crate) weights: Option<&'a LearnedWeights>,
    /// Last day of the candles that the active parameters were chosen on.
    pub(crate) chosen_on: Option<Day>,
    /// Last closes of the symbol that stands for the market.
    pub(crate) closes: &'a [(Day, f64)],
}

impl Question<'_> {
    /// Answers it.
    pub(crate) fn evidence(&self, book: &OutcomeTable) -> Evidence {
        let study = self.study;
        let tried = (study.sets as u64).saturating_mul(self.grids);
        let mut evidence = Evidence {
            trials: tried.saturating_add(self.plan.search.declared_trials),
            forward: self.forward(),
            traded: simulate_best_sets(
                EvaluationContext { style: self.style, book },
                self.theirs,
                study,
                self.plan,
            ),
            weights: self.weights.map(WeightFigures::from),
            ..Evidence::default()
        };
        let place = study.top.first().and_then(|best| self.style.space.find(&best.set));
        let Some((rule, cell)) = place else {
            if self.plan.search.quick {
                evidence.edge = Some(self.assessed(&evidence, &Findings::default()));
            }
            return evidence;
        };
        let window = book.window(study.days.clone());
        let tally = self.tally(&window, rule, cell);
        let in_force = study.incumbent.as_ref().and_then(|measured| self.style.space.find(&measured.set));
        evidence.captures = Some(Captures {
            best: Capture::from(&tally),
            in_force: in_force.map(|(rule, cell)| Capture::from(&self.tally(&window, rule, cell))),
        });
        self.describe(&mut evidence, &tally);
        evidence.plateau_ratio = self.plateau_ratio(&window, rule, cell, evidence.sharpe_year);
        let found = self.found(&evidence);
        if found.are_enough() && !self.plan.search.quick {
            self.test(&mut evidence, &window);
        }
        self.conclude(&mut evidence);
        evidence
    }

    /// Assesses findings; what was not tested is neither luck nor proof.
    fn assessed(&self, evidence: &Evidence, found: &Findings) -> Assessment {
        let lack = |lacks: bool, lack| lacks.then_some(lack);
        match (self.plan.search.quick, found.are_enough()) {
            (true, enough) => Assessment {
                assurance: Assurance::Untested,
                lacks: [Some(FailedCondition::Quick), lack(!enough, FailedCondition::Evidence)]
                    .into_iter()
                    .flatten()
                    .collect(),
            },
            (false, true) if evidence.columns == 0 => {
                Assessment { assurance: Assurance::Untested, lacks: vec![FailedCondition::Evidence] }
            }
            (false, _) => assess_findings(found),
        }
    }

    fn tally(&self, window: &Window<'_>, rule: usize, cell: usize) -> Tally {
        let levels = self.style.space.lattice().levels(cell);
        replay_set(window, Pick { rule, levels: Some(&levels) })
    }

    /// What can be said of the candidate alone.
    fn describe(&self, evidence: &mut Evidence, tally: &Tally) {
        let daily = &self.series.candidate_ppm;
        evidence.days = daily.len();
        evidence.active_days = tally.daily_ppm.len();
        evidence.trades = u64::from(tally.point.trades);
        let net = tally.point.net_ppm();
        evidence.worst_case_pct = net as f64 / PPM_PER_PERCENT;
        evidence.best_case_pct = tally.best_case_ppm as f64 / PPM_PER_PERCENT;
        let trades = f64::from(tally.point.trades);
        evidence.ambiguous_share = (trades > 0.0).then(|| tally.ambiguous as f64 / trades);
        evidence.cost_buffer = cost_buffer(tally.gross_ppm as f64, net as f64);
        let (returns, in_force) = (percent(daily), percent(&self.series.incumbent_ppm));
        let moments = Moments::of(&returns);
        evidence.sharpe_year = moments.map(|m| m.sharpe() * DAYS_PER_YEAR.sqrt());
        evidence.probabilistic_sharpe = moments.and_then(|m| m.probabilistic_sharpe(0.0));
        let needed = moments.and_then(|m| m.min_track_record(0.0, 0.95));
        evidence.days_needed =
            needed.filter(|days| days.is_finite()).map(|days| (days - returns.len() as f64).max(0.0).ceil());
        evidence.regimes = results_by_regime(daily, self.study.days.start, self.closes);
        let mean_block = self.tests().mean_block;
        let interval = moments.and_then(|_| confidence_interval(&returns, mean_block, bootstrap::mean));
        evidence.mean_interval_pct = interval.map(|found| (found.low, found.high));
        if !in_force.is_empty() {
            evidence.sharpe_difference = sharpe_difference(&returns, &in_force, mean_block as usize);
        }
    }

    fn tests(&self) -> TestPlan {
        test_plan(self.plan, self.style, self.series)
    }

    /// Compares the candidate with the sets one step away on one axis.
    fn plateau_ratio(&self, window: &Window<'_>, rule: usize, cell: usize, own: Option<f64>) -> Option<f64> {
        let own = own.filter(|own| *own > 0.0)? / DAYS_PER_YEAR.sqrt();
        let space = &self.style.space;
        let sharpe = |(rule, cell)| {
            let point = self.tally(window, rule, cell).point;
            point.sharpe_daily(window.day_count()).unwrap_or(0.0)
        };
        let neighbours = space.neighbours(rule, cell);
        let mean = neighbours.iter().copied().map(sharpe).sum::<f64>() / neighbours.len().max(1) as f64;
        (!neighbours.is_empty()).then(|| mean / own)
    }

    /// Tests the whole grid.
    fn test(&self, evidence: &mut Evidence, window: &Window<'_>) {
        let plan = self.tests();
        let (candidate, incumbent) = (&self.series.candidate_ppm, &self.series.incumbent_ppm);
        let zero = vec![0_i64; plan.days];
        let narrow = |daily: &[i64]| daily.iter().copied().map(ReturnPpm::of_day).collect();
        let mut benchmarks: Vec<Vec<i32>> = vec![narrow(&zero)];
        if !incumbent.is_empty() {
            benchmarks.push(narrow(incumbent));
        }
        let (result, cross_validation) = test_grid(window, &plan, &benchmarks);
        evidence.columns = result.columns() as u64;
        let many = |p: f64| (p * self.grids as f64 * self.declared_factor()).min(1.0);
        let own = studentised_statistic(candidate, &zero).and_then(|own| result.luck_of(0, own, &plan));
        evidence.p_luck = own.map(|luck| many(luck.p_spa));
        evidence.p_reality = own.map(|luck| many(luck.p_reality));
        evidence.p_luck_best = result.luck(0, &plan).map(|luck| many(luck.p_spa));
        if let Some(luck) = own {
            let moments = Moments::of(&percent(candidate));
            evidence.luck_sharpe_year = Some(luck.luck_sharpe * DAYS_PER_YEAR.sqrt());
            evidence.deflated_sharpe = moments.and_then(|m| m.probabilistic_sharpe(luck.luck_sharpe));
            evidence.equivalent_trials = Some(equivalent_trials(luck.luck_sharpe, plan.days));
        }
        if !incumbent.is_empty() {
            let own =
                studentised_statistic(candidate, incumbent).and_then(|own| result.luck_of(1, own, &plan));
            evidence.p_luck_switch = own.map(|luck| many(luck.p_spa));
        }
        (evidence.walk_forward, evidence.walk_forward_switch_t) = walk_forward(&result, &plan, incumbent);
        evidence.cross_validation = cross_validation;
    }

    /// Trials made elsewhere count as so many grids more.
    fn declared_factor(&self) -> f64 {
        1.0 + self.plan.search.declared_trials as f64 / (self.study.sets as f64 * self.grids as f64)
    }

    /// Returns what is known of the candidate against zero, before its own past counts.
    fn found(&self, evidence: &Evidence) -> Findings {
        let cross = evidence.cross_validation;
        Findings {
            days: evidence.days,
            active_days: evidence.active_days,
            trades: evidence.trades,
            p_luck: evidence.p_luck,
            walk_forward_t: evidence.walk_forward.map(|walk| walk.t),
            p_loss: cross.map(|cross| cross.p_loss),
            plateau_ratio: evidence.plateau_ratio,
            worst_case: evidence.worst_case_pct,
            cost_buffer: evidence.cost_buffer,
            decay_e: 1.0,
            overlap: evidence.traded.clone().unwrap_or_default().overlap(),
            daily_look: true,
        }
    }

    fn conclude(&self, evidence: &mut Evidence) {
        let found = self.found(evidence);
        let (candidate, incumbent) = (&self.series.candidate_ppm, &self.series.incumbent_ppm);
        let is_in_force = !incumbent.is_empty() && candidate == incumbent;
        let decay_e = evidence.forward.filter(|_| is_in_force).map_or(1.0, |forward| forward.e_decay);
        evidence.edge = Some(self.assessed(evidence, &Findings { decay_e, ..found }));
        if !incumbent.is_empty() && candidate != incumbent {
            let switch = Findings {
                p_luck: evidence.p_luck_switch,
                walk_forward_t: evidence.walk_forward_switch_t,
                overlap: evidence.traded.clone().unwrap_or_default().overlap_of_switch(),
                ..found
            };
            evidence.switch = Some(self.assessed(evidence, &switch));
        }
    }

    /// Follows the active parameters from the first day that was not known when they were chosen.
    fn forward(&self) -> Option<Forward> {
        let daily = &self.series.incumbent_ppm;
        let from = usize::try_from(self.chosen_on?.0 + 1 - self.study.days.start.0).ok()?;
        let (before, after) = daily.split_at_checked(from).filter(|(_, after)| !after.is_empty())?;
        let (before, after) = (percent(before), percent(after));
        let losses = |days: &[f64]| -> Vec<f64> { days.iter().map(|day| -day).collect() };
        // Fixed before the first forward day, by what was known then.
        let (for_edge, for_decay) = (bet_scale(&before)?, bet_scale(&losses(&before))?);
        Some(Forward {
            days: after.len() as u64,
            net_pct: after.iter().sum(),
            e_edge: wealth_of_bet(&after, for_edge),
            e_decay: wealth_of_bet(&losses(&after), for_decay),
        })
    }
}

/// Returns what a day's result is held against by who bets on it: four standard deviations, or half of the worst plausible
/// day where that is more, so that a bet of half the wealth cannot lose more than there is. The worst day known so far is
/// plausible.
///
/// Errors: none; `None` where results do not vary
fn bet_scale(known: &[f64]) -> Option<f64> {
    let worst = known.iter().fold(0.0_f64, |worst, day| worst.max(-day));
    Some((4.0 * Moments::of(known)?.sd).max(worst / 2.0))
}

/// Returns the tests of a style: blocks are as long as the days of the active set depend on each other.
pub(crate) fn test_plan(plan: &Plan, style: &StylePlan, series: &Series) -> TestPlan {
    let gap = usize::try_from(style.horizon_days(plan.interval)).unwrap_or(1);
    let block = automatic_block(&percent(&series.incumbent_ppm)).unwrap_or(0.0).ceil();
    let tests = TestPlan::new(series.candidate_ppm.len(), gap);
    TestPlan { mean_block: tests.mean_block.max(block.min(BLOCK_MAX)), ..tests }
}

/// Returns a number with one digit; never `-0.0`.
fn one_digit(value: f64) -> String {
    let text = format!("{value:.1}");
    if text == "-0.0" { "0.0".to_owned() } else { text }
}

/// Returns results in percent.
pub(crate) fn percent(ppm: &[i64]) -> Vec<f64> {
    ppm.iter().map(|ppm| *ppm as f64 / PPM_PER_PERCENT).collect()
}

/// Looks at every set, and once more to rank; branches of the grid in parallel, merged in the order of the sets.
fn test_grid(
    window: &Window<'_>,
    plan: &TestPlan,
    benchmarks: &[Vec<i32>],
) -> (GridResult, Option<CrossValidation>) {
    let (result, cross_validation, _) = test_columns(&DailyColumns::new(window), plan, benchmarks);
    (result, cross_validation)
}

/// The same of prepared columns; also returns how many sets stand below and beside the best of each half.
pub(crate) fn test_columns(
    columns: &DailyColumns<'_>,
    plan: &TestPlan,
    benchmarks: &[Vec<i32>],
) -> (GridResult, Option<CrossValidation>, Vec<(usize, usize)>) {
    let replicates = Replicates::draw(plan);
    let (folds, halves) = (plan.folds(), Halves::new(plan));
    let empty = || GridTests::new(plan, &replicates, benchmarks, &folds, &halves);
    let parts = columns.look(|tile, branch| {
        let mut tests = empty();
        tile.for_each(branch, |column, returns| tests.push(column, returns));
        tests.finish()
    });
    let result = parts.into_iter().reduce(GridResult::merge).unwrap_or_else(|| empty().finish());
    let parts = columns.look(|tile, branch| {
        let mut ranks = Ranks::new(plan, &halves, &result);
        tile.for_each(branch, |_, returns| ranks.push(returns));
        ranks.finish()
    });
    let none = || Ranks::new(plan, &halves, &result).finish();
    let ranks = parts.into_iter().reduce(add_ranks).unwrap_or_else(none);
    let cross_validation = result.cross_validation(&halves, &ranks);
    (result, cross_validation, ranks)
}

/// Sums up the walk: returns scaled by the training's deviation, so that a change of size is no result.
fn walk_forward(
    result: &GridResult,
    plan: &TestPlan,
    incumbent: &[i64],
) -> (Option<WalkForward>, Option<f64>) {
    let folds: Vec<_> = result.folds().collect();
    let (mut scaled, mut against) = (Vec::new(), Vec::new());
    let tests = plan.folds();
    let mut positive = 0_usize;
    for fold in &folds {
        let days = fold.test_ppm.iter().map(|ppm| f64::from(*ppm) / fold.train_sd);
        positive += usize::from(fold.test_ppm.iter().map(|ppm| i64::from(*ppm)).sum::<i64>() > 0);
        scaled.extend(days);
    }
    if !incumbent.is_empty() && folds.len() == tests.len() {
        for (fold, (_, test)) in folds.iter().zip(&tests) {
            let theirs = &incumbent[test.clone()];
            against.extend(
                fold.test_ppm.iter().zip(theirs).map(|(own, theirs)| f64::from(*own) - *theirs as f64),
            );
        }
    }
    let t = |m: Moments| m.sharpe() * (m.days as f64).sqrt();
    let moments = Moments::of(&scaled);
    let count = folds.len() as f64;
    let promised = folds.iter().map(|fold| fold.train_sharpe).sum::<f64>() / count.max(1.0);
    let changed = folds.windows(2).filter(|pair| pair[0].column != pair[1].column).count();
    let walk = moments.map(|m| WalkForward {
        choices: folds.len() as u64,
        sharpe_year: m.sharpe() * DAYS_PER_YEAR.sqrt(),
        t: t(m),
        positive: positive as f64 / count,
        efficiency: if promised > 0.0 { m.sharpe() / promised } else { 0.0 },
        turnover: changed as f64 / (count - 1.0).max(1.0),
    });
    (walk, Moments::of(&against).map(t))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bet_allows_for_the_worst_day_that_is_known() {
        let calm = [1.0, -1.0, 1.0, -1.0, 1.0, -1.0];
        let sd = Moments::of(&calm).expect("they vary").sd;
        assert_eq!(bet_scale(&calm), Some(4.0 * sd));
        let mut days = vec![0.1; 400];
        days.extend([-0.1; 400]);
        days.push(-30.0);
        let sd = Moments::of(&days).expect("they vary").sd;
        assert!(4.0 * sd < 15.0, "{sd}");
        assert_eq!(bet_scale(&days), Some(15.0), "half of the worst day");
        // With it no day as bad as the worst known can cost more than the wealth; without it the floor would hide that.
        let scale = bet_scale(&days).expect("they vary");
        assert!(1.0 + 0.5 * (-30.0 / scale) >= 0.0 && 1.0 + 0.5 * (-30.0 / (4.0 * sd)) < 0.0);
        let gains: Vec<f64> = days.iter().map(|day| -day).collect();
        assert_eq!(bet_scale(&gains), Some(4.0 * sd), "a day that gains is no danger to who bets on gains");
        assert_eq!(bet_scale(&[0.0; 10]), None);
    }
}
