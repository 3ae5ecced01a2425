//! The evidence on a style's candidate: every set that was tried counts, day by day, after costs.

use serde::{Deserialize, Serialize};

use crate::engine::plan::{Plan, StylePlan};
use crate::evaluate::daily::DailyColumns;
use crate::evaluate::outcome_table::{OutcomeTable, Window};
use crate::evaluate::replay::{Pick, Tally, replay_set};
use crate::model::Day;
use crate::search::weights::LearnedWeights;
use crate::study::captures::{Capture, Captures};
use crate::study::cross_fit::{CrossFit, Walk};
use crate::study::portfolio::{Traded, simulate_best_sets};
use crate::study::regimes::{Regimes, results_by_regime};
use crate::study::series::Series;
use crate::study::surface::test_surface;
use crate::study::{EvaluationContext, Study};
use crate::validate::answer::{EdgeGrounds, answer_line, one_digit, p_text};
use crate::validate::assessment::{
    AdoptionGate, Assessment, Assurance, FailedCondition, Fragility, SampleSize, assess_candidate,
    assess_edge, assess_switch, combined_p, cost_buffer, decay_wealth, wealth_of_bet,
};
use crate::validate::bootstrap::{self, BlockDraws, confidence_interval};
use crate::validate::dependence::{automatic_block, effective_days};
use crate::validate::grid::{
    CrossValidation, GridResult, GridTests, Halves, Ranks, Replicates, TestPlan, add_ranks,
};
use crate::validate::normal::cdf;
use crate::validate::pair::{SharpeDifference, sharpe_difference};
use crate::validate::sharpe::{DAYS_PER_YEAR, Moments, equivalent_trials};
use crate::validate::surface::SurfacePlan;

const PPM_PER_PERCENT: f64 = 10_000.0;
/// Replicates of the test of the surface, and the seed of their draws.
const REPLICATES: usize = 999;
const SEED: u64 = 20_240_611;
/// Weight of the cross-fit beside the surface in the p-value of EDGE. The surface has more power over a whole grid, and what is combined
/// is called an edge on noise a little more often the more the cross-fit has to say (docs/explanation/validation.md has the figures);
/// what the surface has no column for only choosing again can see.
pub(crate) const CHOICE_WEIGHT: f64 = 0.05;
/// Fewest days before a forward record: they say how much results vary.
const SCALE_DAYS: usize = 60;
/// Longest mean block of the bootstrap; days.
const BLOCK_MAX: f64 = 10.0;

/// What choosing by the same rule, without the days it was then measured on, came to.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct CrossFitted {
    pub folds: u64,
    /// Sharpe ratio of a year: what is expected of the candidate.
    pub sharpe_year: f64,
    /// 90 % interval of it.
    pub low_year: f64,
    pub high_year: f64,
    pub t: f64,
    /// Share of the folds that earned.
    pub earning: f64,
    /// Distinct sets among the choices.
    pub distinct: u64,
}

impl CrossFitted {
    /// Sums up what choosing earned on days that it did not know; `None` where that does not vary.
    ///
    /// Shape: draws of as many days as the folds have
    pub(crate) fn of(fit: &CrossFit, draws: &BlockDraws) -> Option<Self> {
        let (moments, year) = (Moments::of(&fit.days)?, DAYS_PER_YEAR.sqrt());
        let interval = confidence_interval(&fit.days, draws, bootstrap::sharpe)?;
        // Days that depend on each other say less than as many that do not.
        let all = fit.days.len() as f64;
        let days = effective_days(&fit.days, draws.mean_block()).unwrap_or(all).min(all);
        Some(Self {
            folds: fit.folds as u64,
            sharpe_year: moments.sharpe() * year,
            low_year: interval.low * year,
            high_year: interval.high * year,
            t: moments.sharpe() * days.sqrt(),
            earning: fit.earning as f64 / fit.folds as f64,
            distinct: fit.distinct as u64,
        })
    }
}

/// Returns the p-value of EDGE, of one grid: that of the surface, in which choosing on days that it did not know has a say.
pub(crate) fn edge_p(surface: Option<f64>, cross_fit: Option<CrossFitted>) -> Option<f64> {
    let p_choice = cross_fit.map(|fit| cdf(-fit.t));
    let both = [(surface, 1.0 - CHOICE_WEIGHT), (p_choice, CHOICE_WEIGHT)];
    let both: Vec<(f64, f64)> = both.into_iter().filter_map(|(p, weight)| Some((p?, weight))).collect();
    combined_p(&both)
}

/// Choosing by the same rule in the past, each time without knowing what follows.
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
    /// Days with trades, and trades, of the loosest cell of the grid.
    pub grid_active_days: usize,
    pub grid_trades: u64,
    /// Parameter sets tried, all grids of the profile and those declared together.
    pub trials: u64,
    /// Cells whose columns were tested.
    pub columns: u64,
    pub sharpe_year: Option<f64>,
    /// Probability that the true Sharpe ratio is positive, before counting what was tried.
    pub probabilistic_sharpe: Option<f64>,
    /// Largest yearly Sharpe ratio of a cell, and the largest that noise over all cells reaches on average.
    pub surface_sharpe_year: Option<f64>,
    pub luck_sharpe_year: Option<f64>,
    /// Probability that the candidate's true Sharpe ratio exceeds what noise reaches.
    pub deflated_sharpe: Option<f64>,
    /// Independent tries that would be as lucky as this surface.
    pub equivalent_trials: Option<f64>,
    /// Further days until it could be told from zero, at this rate.
    pub days_needed: Option<f64>,
    /// Probability that noise over everything tried does as well as the surface and as choosing did on days it did not know.
    pub p_luck: Option<f64>,
    /// The same of the surface alone.
    pub p_surface: Option<f64>,
    /// Probability that the rule of choice is no better than the active set on days it did not know.
    pub p_luck_switch: Option<f64>,
    /// What the rule of choice earned on days it did not know.
    pub cross_fit: Option<CrossFitted>,
    pub walk_forward: Option<WalkForward>,
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
    /// What forbids the candidate whatever the evidence says.
    pub vetoes: Vec<FailedCondition>,
    /// The greatest p-values at which the decision adopts; `None` where it does not rest on them.
    pub gate: Option<AdoptionGate>,
    /// Last day of the window of this look, as a number.
    pub look_day: Option<u64>,
    /// Is there anything here at all?
    pub edge: Option<Assessment>,
    /// Does the rule of choice share in it?
    pub candidate: Option<Assessment>,
    /// Is it better than what is active? `None` where nothing is, or the candidate is.
    pub switch: Option<Assessment>,
}

impl Evidence {
    /// Returns what "is there anything here at all?" is answered by.
    pub fn edge_grounds(&self) -> EdgeGrounds {
        EdgeGrounds {
            assessment: self.edge.clone(),
            sample: SampleSize {
                days: self.days,
                active_days: self.grid_active_days,
                trades: self.grid_trades,
            },
            trials: self.trials,
            p: self.p_luck,
            p_surface: self.p_surface,
            surface_sharpe_year: self.surface_sharpe_year,
            luck_sharpe_year: self.luck_sharpe_year,
        }
    }

    /// Answers "is it better than what is active?" in a line.
    pub fn switch_line(&self) -> String {
        let said = self.p_luck_switch.map(|p| {
            let against = self.sharpe_difference.map_or_else(String::new, |found| {
                format!("; in-sample yearly Sharpe {:+.1} against them", found.difference * DAYS_PER_YEAR.sqrt())
            });
            format!("p = {} that choosing is no better than the active parameters on days it did not know{against}", p_text(p))
        });
        answer_line(self.switch.as_ref(), sample_of(self), said)
    }

    /// Answers "does the rule of choice share in it?" in a line.
    pub fn candidate_line(&self) -> String {
        let known = self.cross_fit.zip(self.sharpe_year).zip(self.expected_sharpe_year());
        let said = known.map(|((fitted, own), expected)| format!(
            "expected Sharpe after selection {} per year, 90 % between {} and {} (in-sample {}); choosing without a fifth of the days \
             earned on it in {:.0} of {} folds",
            one_digit(expected),
            one_digit(fitted.low_year),
            one_digit(fitted.high_year),
            one_digit(own),
            fitted.earning * fitted.folds as f64,
            fitted.folds
        ));
        answer_line(self.candidate.as_ref(), sample_of(self), said)
    }

    /// Returns the Sharpe ratio of a year that is expected of the candidate: what the rule of choice earned on days it did not know;
    /// never more than its own.
    pub fn expected_sharpe_year(&self) -> Option<f64> {
        Some(self.cross_fit?.sharpe_year.min(self.sharpe_year?))
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
    /// Whether no earlier run of the profile tested this style on earlier days.
    pub(crate) is_first_look: bool,
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
            gate: self.plan.search.require.least().map(|least| AdoptionGate::of(least, self.is_first_look)),
            ..Evidence::default()
        };
        let place = study.top.first().and_then(|best| self.style.space.find(&best.set));
        let Some((rule, cell)) = place else {
            if self.plan.search.quick {
                evidence.edge =
                    Some(self.answered(&evidence, assess_edge(SampleSize::default(), None, None)));
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
        let draws = BlockDraws::new(self.series.candidate_ppm.len(), self.mean_block());
        self.describe(&mut evidence, &tally, &draws);
        let grid = self.surface_size(&window);
        (evidence.grid_active_days, evidence.grid_trades) = (grid.active_days, grid.trades);
        evidence.plateau_ratio = self.plateau_ratio(&window, rule, cell, evidence.sharpe_year);
        if grid.is_enough() && !self.plan.search.quick {
            self.test(&mut evidence, &window, &draws);
        }
        self.conclude(&mut evidence, grid);
        evidence
    }

    /// Returns how much there is to judge of the surface: what the loosest cell trades.
    fn surface_size(&self, window: &Window<'_>) -> SampleSize {
        let entries = &window.book.entries()[window.signals.clone()];
        let mut days: Vec<i32> = entries.iter().map(|entry| Day::of(entry.entry_ms).0).collect();
        days.dedup();
        SampleSize { days: window.day_count(), active_days: days.len(), trades: entries.len() as u64 }
    }

    /// Returns an answer as it is given: what was not tested is neither luck nor proof.
    fn answered(&self, evidence: &Evidence, found: Assessment) -> Assessment {
        if !self.plan.search.quick {
            return found;
        }
        let few = (!sample_of(evidence).is_enough()).then_some(FailedCondition::Evidence);
        let lacks = [Some(FailedCondition::Quick), few].into_iter().flatten().collect();
        Assessment { assurance: Assurance::Untested, lacks }
    }

    fn tally(&self, window: &Window<'_>, rule: usize, cell: usize) -> Tally {
        let levels = self.style.space.lattice().levels(cell);
        replay_set(window, Pick { rule, levels: Some(&levels) })
    }

    /// What can be said of the candidate alone.
    fn describe(&self, evidence: &mut Evidence, tally: &Tally, draws: &BlockDraws) {
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
        let interval = moments.and_then(|_| confidence_interval(&returns, draws, bootstrap::mean));
        evidence.mean_interval_pct = interval.map(|found| (found.low, found.high));
        if !in_force.is_empty() {
            evidence.sharpe_difference = sharpe_difference(&returns, &in_force, draws.mean_block() as usize);
        }
    }

    /// Returns the mean length of a bootstrap block; days.
    fn mean_block(&self) -> f64 {
        test_plan(self.plan, self.style, self.series).mean_block
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

    /// Tests the surface, and what choosing is worth.
    fn test(&self, evidence: &mut Evidence, window: &Window<'_>, draws: &BlockDraws) {
        let plan = SurfacePlan {
            first_day: self.study.days.start.0,
            days: window.day_count(),
            replicates: REPLICATES,
            mean_block: draws.mean_block(),
            seed: SEED,
        };
        let surface = test_surface(window, &plan);
        let (root, year) = ((plan.days as f64).sqrt(), DAYS_PER_YEAR.sqrt());
        let many = |p: f64| (p * self.grids as f64 * self.declared_factor()).min(1.0);
        evidence.columns = surface.columns() as u64;
        evidence.p_surface = surface.p().map(many);
        evidence.surface_sharpe_year = surface.largest().map(|(t, _)| t / root * year);
        evidence.look_day = (surface.columns() > 0)
            .then_some(self.study.days.end.0 - 1)
            .and_then(|day| u64::try_from(day).ok());
        if let Some(luck) = surface.lucky_t().map(|t| t / root) {
            let moments = Moments::of(&percent(&self.series.candidate_ppm));
            evidence.luck_sharpe_year = Some(luck * year);
            evidence.deflated_sharpe = moments.and_then(|m| m.probabilistic_sharpe(luck));
            evidence.equivalent_trials = Some(equivalent_trials(luck, plan.days));
        }
        evidence.cross_fit = self.study.cross_fit.as_ref().and_then(|fit| CrossFitted::of(fit, draws));
        evidence.p_luck = edge_p(surface.p(), evidence.cross_fit).map(many);
        evidence.walk_forward = self.study.walk.as_ref().and_then(walk_forward);
        evidence.p_luck_switch = self.study.cross_fit.as_ref().and_then(|fit| self.switch_p(fit)).map(many);
    }

    /// Returns the probability of what the rule of choice earned more than the active set, on the same days, where it is no better: one
    /// sided, by the difference of Sharpe ratios; `None` without an active set, or where it is the candidate.
    fn switch_p(&self, fit: &CrossFit) -> Option<f64> {
        let incumbent = &self.series.incumbent_ppm;
        if incumbent.is_empty()
            || *incumbent == self.series.candidate_ppm
            || incumbent.len() != fit.days.len()
        {
            return None;
        }
        let found = sharpe_difference(&fit.days, &percent(incumbent), self.mean_block() as usize)?;
        Some(cdf(-found.t))
    }

    /// Trials made elsewhere count as so many grids more.
    fn declared_factor(&self) -> f64 {
        1.0 + self.plan.search.declared_trials as f64 / (self.study.sets as f64 * self.grids as f64)
    }

    fn conclude(&self, evidence: &mut Evidence, surface: SampleSize) {
        let (candidate, incumbent) = (&self.series.candidate_ppm, &self.series.incumbent_ppm);
        let is_active = !incumbent.is_empty() && candidate == incumbent;
        let asks_switch = !incumbent.is_empty() && !is_active;
        let (sample, t) = (sample_of(evidence), evidence.cross_fit.map(|fit| fit.t));
        let overlap = evidence.traded.clone().unwrap_or_default();
        evidence.vetoes = Fragility {
            plateau_ratio: evidence.plateau_ratio,
            worst_case: evidence.worst_case_pct,
            cost_buffer: evidence.cost_buffer,
            decay_e: evidence.forward.filter(|_| is_active).map_or(1.0, |forward| forward.e_decay),
            overlap: if asks_switch { overlap.overlap_of_switch() } else { overlap.overlap() },
        }
        .vetoes();
        evidence.edge = Some(self.answered(evidence, assess_edge(surface, evidence.p_luck, t)));
        evidence.candidate = Some(self.answered(evidence, assess_candidate(sample, t)));
        if asks_switch {
            evidence.switch = Some(self.answered(evidence, assess_switch(sample, evidence.p_luck_switch)));
        }
    }

    /// Follows the active parameters from the first day that was not known when they were chosen, and no earlier than from the third month
    /// of the window on: what a bet is held against takes two months to know.
    fn forward(&self) -> Option<Forward> {
        let daily = &self.series.incumbent_ppm;
        let from = i64::from(self.chosen_on?.0) + 1 - i64::from(self.study.days.start.0);
        let from = usize::try_from(from).unwrap_or(0).max(SCALE_DAYS);
        let (before, after) = daily.split_at_checked(from).filter(|(_, after)| !after.is_empty())?;
        let (before, after) = (percent(before), percent(after));
        let losses = |days: &[f64]| -> Vec<f64> { days.iter().map(|day| -day).collect() };
        // Fixed before the first forward day, by what was known then.
        let (for_edge, for_decay) = (bet_scale(&before)?, bet_scale(&losses(&before))?);
        Some(Forward {
            days: after.len() as u64,
            net_pct: after.iter().sum(),
            e_edge: wealth_of_bet(&after, for_edge),
            e_decay: decay_wealth(&losses(&after), for_decay),
        })
    }
}

/// Studies a book and returns what is known of its candidate, at the first look at one grid with nothing active: what a calibration
/// asks of made-up worlds. Symbols are named in the order of their numbers in the book.
///
/// Causality: as [`study_parameters`](super::study_parameters)
pub fn judge_book(
    ground: EvaluationContext<'_>,
    days: std::ops::Range<Day>,
    plan: &Plan,
    symbols: &[&str],
) -> (Study, Evidence) {
    let study = super::study_parameters(ground, ground, days, plan, None);
    let series = super::series::replay_series(ground, ground, &study, symbols);
    let question = Question {
        plan,
        style: ground.style,
        theirs: ground,
        study: &study,
        series: &series,
        grids: 1,
        weights: None,
        chosen_on: None,
        closes: &[],
        is_first_look: true,
    };
    let evidence = question.evidence(ground.book);
    (study, evidence)
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

/// Returns results in percent.
pub(crate) fn percent(ppm: &[i64]) -> Vec<f64> {
    ppm.iter().map(|ppm| *ppm as f64 / PPM_PER_PERCENT).collect()
}

/// Looks at every set of prepared columns, and once more to rank; branches of the grid in parallel, merged in the order of the sets.
/// Also returns how many sets stand below and beside the best of each half.
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
fn walk_forward(walk: &Walk) -> Option<WalkForward> {
    let moments = Moments::of(&walk.days)?;
    Some(WalkForward {
        choices: walk.choices as u64,
        sharpe_year: moments.sharpe() * DAYS_PER_YEAR.sqrt(),
        t: moments.sharpe() * (moments.days as f64).sqrt(),
        positive: walk.earning as f64 / walk.choices as f64,
        efficiency: if walk.promised > 0.0 { moments.sharpe() / walk.promised } else { 0.0 },
    })
}

/// Returns how much there is to judge of a candidate.
fn sample_of(evidence: &Evidence) -> SampleSize {
    SampleSize { days: evidence.days, active_days: evidence.active_days, trades: evidence.trades }
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
