//! What the whole grid says: every set is tested again, in other ways than a daily run tests it.

use rayon::prelude::*;

use super::around::{overlap_finding, plateau_finding};
use super::walk::chosen_again;
use super::{MethodFinding, Subject};
use crate::evaluate::daily::DailyColumns;
use crate::evaluate::outcome_table::{OutcomeTable, Window};
use crate::model::{Day, ReturnPpm};
use crate::study::evidence::{test_columns, test_plan};
use crate::validate::dependence::automatic_block;
use crate::validate::grid::{GridResult, GridTests, Halves, Replicates, TestPlan, studentised_statistic};
use crate::validate::multiple::{Adjustment, haircut_sharpe, two_sided};
use crate::validate::paths::{PathPlan, Paths};
use crate::validate::resample::Random;
use crate::validate::sharpe::DAYS_PER_YEAR;
use crate::validate::spectrum::Spectrum;
use crate::validate::stepdown::{StepdownSet, stepdown_p_values};

/// Sets that are judged one by one; the others only as what luck reaches.
const JUDGED: usize = 1_000;
/// What counts as evidence.
const ALPHA: f64 = 0.05;
/// Worlds with shuffled filters.
const WORLDS: usize = 100;
/// Blocks of the long cross-validation: 12,870 halves.
const BLOCKS: usize = 16;
/// Longest embargo after a test; days.
const EMBARGO_MAX: f64 = 5.0;

/// Returns what can be said from the book; with `full`, also what takes long.
pub(super) fn grid_findings(subject: &Subject<'_>, book: &OutcomeTable, full: bool) -> Vec<MethodFinding> {
    let window = book.window(subject.days());
    let tests = test_plan(subject.plan, subject.style, &subject.series);
    let grid = Grid::new(subject, &window, tests);
    let mut all = Vec::new();
    all.extend(plateau_finding(subject, &window));
    all.push(overlap_finding(subject, &window));
    if grid.standings.is_empty() {
        return all;
    }
    all.push(grid.also_real());
    all.push(grid.indistinguishable());
    all.extend(grid.adjusted());
    all.push(grid.histories());
    all.push(chosen_again(subject, book, &grid.tests));
    if full {
        all.extend(grid.all_halves());
        all.extend(grid.spectrum());
        all.push(grid.placebo());
    }
    all
}

/// Every set of a window, with its statistic against zero, the highest first.
struct Grid<'a> {
    subject: &'a Subject<'a>,
    window: &'a Window<'a>,
    columns: DailyColumns<'a>,
    tests: TestPlan,
    standings: Vec<(f64, usize)>,
}

impl<'a> Grid<'a> {
    fn new(subject: &'a Subject<'_>, window: &'a Window<'a>, tests: TestPlan) -> Self {
        let columns = DailyColumns::new(window);
        let standings = tested_sets(&columns, &tests);
        Self { subject, window, columns, tests, standings }
    }

    /// Looks at every tested set, branches of the grid in parallel, and merges in one order whatever the threads.
    fn look<T: Send>(
        &self,
        new: impl Fn() -> T + Sync,
        push: impl Fn(&mut T, usize, &[i32]) + Sync,
        merge: impl Fn(T, T) -> T,
    ) -> T {
        look_at_columns(&self.columns, &self.tests, new, push, merge)
    }

    /// Returns the day returns of given sets, ascending.
    fn returns(&self, wanted: &[usize]) -> Vec<(usize, Vec<i64>)> {
        let mut found = self.look(
            Vec::new,
            |found, column, returns| {
                if wanted.binary_search(&column).is_ok() {
                    found.push((column, returns.iter().map(|ppm| i64::from(*ppm)).collect()));
                }
            },
            |mut all: Vec<(usize, Vec<i64>)>, mut later| {
                all.append(&mut later);
                all
            },
        );
        found.sort_by_key(|(column, _)| *column);
        found
    }

    /// Returns what luck reaches with the columns that a map gives.
    fn lucky(
        &self,
        replicates: &Replicates,
        map: impl Fn(usize, &[i32]) -> Option<Vec<i32>> + Sync,
    ) -> GridResult {
        let plan = TestPlan { active_min: 0, blocks: 1, ..self.tests };
        let (zero, halves) = (vec![vec![0; plan.days]], Halves::new(&plan));
        let parts = self.columns.look(|tile, branch| {
            let mut tests = GridTests::new(&plan, replicates, &zero, &[], &halves);
            tile.for_each(branch, |column, returns| {
                if let Some(mapped) = self.tests.is_eligible(returns).then(|| map(column, returns)).flatten()
                {
                    tests.push(column, &mapped);
                }
            });
            tests.finish()
        });
        let none = || GridTests::new(&plan, replicates, &zero, &[], &halves).finish();
        parts.into_iter().reduce(GridResult::merge).unwrap_or_else(none)
    }

    /// Which sets hold up besides the best?
    fn also_real(&self) -> MethodFinding {
        let mut columns: Vec<usize> = self.standings.iter().take(JUDGED).map(|(_, column)| *column).collect();
        columns.sort_unstable();
        let replicates = Replicates::draw(&self.tests);
        let rest =
            self.lucky(&replicates, |column, r| columns.binary_search(&column).is_err().then(|| r.to_vec()));
        let zero = vec![0; self.tests.days];
        let judge =
            |(column, returns): (usize, Vec<i64>)| StepdownSet::new(column, &returns, &zero, &replicates);
        let mut judged: Vec<StepdownSet> = self.returns(&columns).into_par_iter().filter_map(judge).collect();
        judged.sort_by(|a, b| b.statistic.total_cmp(&a.statistic).then(a.column.cmp(&b.column)));
        let adjusted = stepdown_p_values(&judged, rest.lucky(0));
        let passing = adjusted.iter().filter(|p| **p <= ALPHA).count();
        let own = self.candidate();
        let place = own.and_then(|own| judged.iter().position(|set| set.statistic <= own));
        let row = |name: &str, place: Option<usize>| {
            let t = place.map(|place| judged[place].statistic);
            (name.to_owned(), vec![t, place.map(|place| adjusted[place])])
        };
        let rows = vec![row("best set", (!judged.is_empty()).then_some(0)), row("candidate", place)];
        let all = self.standings.len();
        let sentence = match passing {
            0 => format!("none of {all} sets stands out from what luck does with all of them"),
            passing if passing == judged.len() && passing < all => {
                format!("at least {passing} of {all} sets stand out from luck, counting all of them")
            }
            passing => format!("{passing} of {all} sets stand out from luck, counting all of them"),
        };
        MethodFinding::new("also_real", &["t", "p_adjusted"], rows, sentence)
    }

    /// Returns the statistic of the candidate.
    fn candidate(&self) -> Option<f64> {
        studentised_statistic(&self.subject.series.candidate_ppm, &vec![0; self.tests.days])
            .map(|(own, _)| own)
    }

    /// Which sets cannot be told from the best?
    fn indistinguishable(&self) -> MethodFinding {
        let best = self.returns(&[self.standings[0].1]).pop().map(|(_, returns)| returns).unwrap_or_default();
        let narrow = ReturnPpm::of_day;
        let behind = |returns: &[i32]| -> Vec<i32> {
            best.iter().zip(returns).map(|(best, own)| narrow(best - i64::from(*own))).collect()
        };
        let replicates = Replicates::draw(&self.tests);
        let lucky = self.lucky(&replicates, |_, returns| Some(behind(returns)));
        let mut reached: Vec<f32> = lucky.lucky(0).to_vec();
        reached.sort_by(f32::total_cmp);
        let limit = f64::from(reached[(reached.len() * 95).div_ceil(100) - 1]);
        let count = |count: &mut usize, _: usize, returns: &[i32]| {
            let own: Vec<i64> = returns.iter().map(|ppm| i64::from(*ppm)).collect();
            *count +=
                usize::from(studentised_statistic(&best, &own).is_none_or(|(behind, _)| behind <= limit));
        };
        let same = self.look(|| 0, count, |a, b| a + b);
        let all = self.standings.len();
        let own = studentised_statistic(&best, &self.subject.series.candidate_ppm)
            .is_none_or(|(own, _)| own <= limit);
        let sentence = format!(
            "{same} of {all} sets cannot be told from the best; the candidate {} one of them",
            if own { "is" } else { "is not" }
        );
        let row = ("all sets".to_owned(), vec![Some(all as f64), Some(same as f64), Some(limit)]);
        MethodFinding::new("indistinguishable", &["sets", "not_worse", "limit_t"], vec![row], sentence)
    }

    /// What is left of the candidate's Sharpe ratio by five ways to count all sets.
    fn adjusted(&self) -> Option<MethodFinding> {
        let own = self.candidate().filter(|own| *own > 0.0)?;
        let mut sorted: Vec<f64> = self.standings.iter().map(|(t, _)| two_sided(*t)).collect();
        sorted.sort_by(f64::total_cmp);
        let place = sorted.partition_point(|p| *p < two_sided(own)).min(sorted.len() - 1);
        let (days, year) = (self.tests.days, DAYS_PER_YEAR.sqrt());
        let sharpe = own / (days as f64).sqrt();
        let row = |how: Adjustment| {
            let p = how.adjust(&sorted)[place];
            (how.as_str().to_owned(), vec![Some(p), Some(haircut_sharpe(sharpe, days, p) * year)])
        };
        let rows: Vec<_> = Adjustment::ALL.map(row).to_vec();
        let left = rows.iter().filter_map(|(_, values)| values[1]).fold(0.0, f64::max);
        let sentence = format!(
            "counted as {} separate tests, at most {left:.1} of its yearly Sharpe of {:.1} is left",
            sorted.len(),
            sharpe * year
        );
        Some(MethodFinding::new("adjusted", &["p", "sharpe"], rows, sentence))
    }

    /// Histories that might have been.
    fn histories(&self) -> MethodFinding {
        let block = automatic_block(&crate::study::evidence::percent(&self.subject.series.candidate_ppm));
        let embargo = block.unwrap_or(1.0).ceil().clamp(1.0, EMBARGO_MAX) as usize;
        let plan = PathPlan::new(self.tests.days, self.tests.gap, embargo, self.tests.active_min);
        let paths = self.look(
            || Paths::new(&plan),
            |paths, _, returns| paths.push(returns),
            |all, later| all.merge(later),
        );
        let mut sharpes: Vec<f64> =
            paths.sharpes().into_iter().map(|sharpe| sharpe * DAYS_PER_YEAR.sqrt()).collect();
        sharpes.sort_by(f64::total_cmp);
        let sentence = match (sharpes.first(), sharpes.last()) {
            (Some(worst), Some(best)) => format!(
                "choosing on eight tenths of the days for the other two, put together to {} histories: yearly Sharpe {worst:.1} \
                 to {best:.1}, {} of them negative",
                sharpes.len(),
                sharpes.iter().filter(|sharpe| **sharpe < 0.0).count()
            ),
            _ => "too few days to leave some of them out".to_owned(),
        };
        let row = |(i, sharpe): (usize, f64)| (format!("history {}", i + 1), vec![Some(sharpe)]);
        MethodFinding::new(
            "histories",
            &["sharpe"],
            sharpes.into_iter().enumerate().map(row).collect(),
            sentence,
        )
    }

    /// Cross-validation over all halves of sixteen blocks.
    fn all_halves(&self) -> Option<MethodFinding> {
        let plan = TestPlan { blocks: BLOCKS, replicates: 0, ..self.tests };
        let (_, found, ranks) = test_columns(&self.columns, &plan, &[vec![0; plan.days]]);
        let found = found?;
        let all = (self.standings.len() + 1) as f64;
        let mut tenths = [0_usize; 10];
        for (below, equal) in &ranks {
            let rank = (*below as f64 + (*equal as f64 + 1.0) / 2.0) / all;
            tenths[((10.0 * rank) as usize).min(9)] += 1;
        }
        let row = |(tenth, count): (usize, &usize)| {
            (
                format!("{} to {} %", 10 * tenth, 10 * tenth + 10),
                vec![Some(*count as f64 / ranks.len() as f64)],
            )
        };
        let rows = tenths.iter().enumerate().map(row).collect();
        let sentence = format!(
            "the best set of one half of the days is in the lower half of the ranking on the other in {:.0} % of {} splits, \
             loses in {:.0} %, and earns a yearly Sharpe of {:.1}",
            100.0 * found.overfit,
            ranks.len(),
            100.0 * found.p_loss,
            found.outside_sharpe * DAYS_PER_YEAR.sqrt()
        );
        Some(MethodFinding::new("all_halves", &["share_of_splits"], rows, sentence))
    }

    /// How many independent tries the grid is worth.
    fn spectrum(&self) -> Option<MethodFinding> {
        let found = self
            .look(
                || Spectrum::new(self.tests.days),
                |spectrum, _, returns| spectrum.push(returns),
                Spectrum::merge,
            )
            .effective_trials()?;
        let rows = [
            ("mean correlation", found.mean_correlation),
            ("sets by mean correlation", found.by_correlation),
            ("sets by entropy", found.by_entropy),
            ("sets by participation", found.by_participation),
            ("sets by Galwey", found.by_galwey),
        ];
        let rows = rows.map(|(name, value)| (name.to_owned(), vec![Some(value)])).to_vec();
        let sentence = format!(
            "{} sets have so much in common (mean correlation {:.2}) that they act like {:.0} to {:.0} tries; a diagnosis, no \
             verdict rests on it",
            found.columns,
            found.mean_correlation,
            found.by_participation.min(found.by_entropy),
            found.by_galwey.max(found.by_entropy)
        );
        Some(MethodFinding::new("effective_tries", &["value"], rows, sentence))
    }

    /// Worlds in which filters know nothing: their values change places among the signals of a symbol and month.
    fn placebo(&self) -> MethodFinding {
        let book = self.window.book;
        let mut groups: std::collections::BTreeMap<(u16, String), Vec<usize>> =
            std::collections::BTreeMap::new();
        for signal in self.window.signals.clone() {
            let entry = &book.entries()[signal];
            let month = Day::of(entry.entry_ms).to_string().chars().take(7).collect();
            groups.entry((entry.symbol, month)).or_default().push(signal);
        }
        let observed = self.standings[0].0;
        let mut as_good = 0;
        for world in 0..WORLDS {
            let mut random = Random::new(self.tests.seed + world as u64);
            let mut order: Vec<usize> = (0..book.entries().len()).collect();
            for signals in groups.values() {
                for last in (1..signals.len()).rev() {
                    order.swap(signals[last], signals[random.below(last + 1)]);
                }
            }
            let shuffled = book.reordered(&order);
            let window = shuffled.window(self.window.days.clone());
            let found = tested_sets(&DailyColumns::new(&window), &self.tests);
            as_good += usize::from(found.first().is_some_and(|(t, _)| *t >= observed));
        }
        let p = (1 + as_good) as f64 / (1 + WORLDS) as f64;
        let row = ("shuffled filters".to_owned(), vec![Some(WORLDS as f64), Some(as_good as f64), Some(p)]);
        let sentence = format!(
            "shuffled filters do as well in {as_good} of {WORLDS} worlds: {}",
            if p <= ALPHA { "the filters know something" } else { "the filters may know nothing" }
        );
        MethodFinding::new("placebo", &["worlds", "as_good", "p"], vec![row], sentence)
    }
}

fn look_at_columns<T: Send>(
    columns: &DailyColumns<'_>,
    tests: &TestPlan,
    new: impl Fn() -> T + Sync,
    push: impl Fn(&mut T, usize, &[i32]) + Sync,
    merge: impl Fn(T, T) -> T,
) -> T {
    let parts = columns.look(|tile, branch| {
        let mut part = new();
        tile.for_each(branch, |column, returns| {
            if tests.is_eligible(returns) {
                push(&mut part, column, returns);
            }
        });
        part
    });
    parts.into_iter().reduce(merge).unwrap_or_else(new)
}

/// Returns every tested set by its statistic against zero, the highest first, then the first.
fn tested_sets(columns: &DailyColumns<'_>, tests: &TestPlan) -> Vec<(f64, usize)> {
    let zero = vec![0; tests.days];
    let mut all: Vec<(f64, usize)> = look_at_columns(
        columns,
        tests,
        Vec::new,
        |found, column, returns| {
            let wide: Vec<i64> = returns.iter().map(|ppm| i64::from(*ppm)).collect();
            found.extend(studentised_statistic(&wide, &zero).map(|(t, _)| (t, column)));
        },
        |mut all: Vec<(f64, usize)>, mut later| {
            all.append(&mut later);
            all
        },
    );
    all.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    all
}
