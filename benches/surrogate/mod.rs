//! Made-up books whose truth is known: no candles, no files, so that hundreds of worlds are judged in minutes.
//!
//! Seven symbols whose 15-minute prices move together (half of the variance is common) with volatility that clusters; about twelve
//! signals a day in the direction of the last four hours; 648 filter cells, 27 exits on each path, closed at the price reached, so that
//! nothing earns without a drift. An edge is a drift over the eight hours after a signal, the stronger the higher its first filter
//! value, and weaker where the second and the third are low. The truth of a set is its Sharpe ratio over forty further years.

mod change;

pub(crate) use change::{decays, windows};

use std::fmt::Write as _;
use std::ops::Range;

use rayon::prelude::*;
use retune::engine::plan::{DayLimits, Plan, SearchSettings};
use retune::evaluate::outcome_table::{Entry, OutcomeTable};
use retune::evaluate::sweep::{Sweep, sweep_window};
use retune::exits::Costs;
use retune::model::{
    DAY_MS, Day, Direction, ExitReason, Interval, Outcome, Outcomes, ReturnPpm, Setup, Style,
};
use retune::search::space::{Bound, Dimension, ExitAxes, number_levels};
use retune::search::strategy::SpaceAxes;
use retune::study::EvaluationContext;
use retune::study::evidence::judge_book;
use retune::validate::assessment::{AdoptionGate, Assurance};
use retune::validate::normal::{cdf, quantile};
use retune::validate::resample::Random;
use retune::validate::sharpe::DAYS_PER_YEAR;

use super::{PROMISING_MAX, REAL_MAX};

const SIZES: [usize; 5] = [6, 6, 3, 3, 2];
const RULES: usize = 27;
const SYMBOL_NAMES: [&str; SYMBOLS] = ["a", "b", "c", "d", "e", "f", "g"];
const SYMBOLS: usize = 7;
const BARS: usize = 96;
/// Bars after a signal: those of its drift, and all that are looked at.
const DRIFT_BARS: usize = 32;
const AHEAD: usize = 64;
const BEFORE: usize = 16;
const SIGNALS_A_DAY: f64 = 12.0;
/// Drifts a bar in its standard deviations with the yearly Sharpe ratio of the best set that comes of each.
const EDGES: [(f64, &str); 4] = [(0.0165, "2"), (0.0235, "2.8"), (0.034, "4"), (0.052, "6")];
const YEAR: usize = 365;
/// Years of the truth.
const TRUE_YEARS: u64 = 40;

/// How a world without an edge comes about.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Noise {
    /// Nothing was planted.
    Driftless,
    /// An edge was, and the sign of each day's results is tossed.
    DaySigns,
    /// The same for blocks of five days.
    BlockSigns,
}

/// A world: so many days, with a drift on some of them.
struct World {
    seed: u64,
    days: usize,
    drift: f64,
    /// Days with the drift.
    planted: std::ops::Range<usize>,
    /// Days on which the edge is where the first filter value is low.
    turned: std::ops::Range<usize>,
    noise: Option<Noise>,
}

fn plan() -> Plan {
    let exits = ExitAxes::new(&[1.0, 2.0, 3.0], &[1.0, 1.5, 2.0], &[4.0, 8.0, 16.0]);
    let dimension = |(at, size): (usize, &usize)| {
        let levels: Vec<f64> = (0..*size).map(|level| level as f64).collect();
        Dimension::new(&format!("filter_{at}"), "consensus", Bound::AtLeast, number_levels(&levels))
            .expect("sound")
    };
    let axes = SpaceAxes::new(Style::Scalping, exits, SIZES.iter().enumerate().map(dimension).collect());
    let search = SearchSettings { own: None, trades_min: 50, ..SearchSettings::default() };
    Plan::new(Interval::M15, vec![axes], Costs::default(), search, DayLimits::default())
        .expect("a sound plan")
}

fn normal(random: &mut Random) -> f64 {
    quantile(random.unit().clamp(1e-12, 1.0 - 1e-12))
}

impl World {
    fn of(seed: u64, days: usize, drift: f64) -> Self {
        Self { seed, days, drift, planted: 0..days, turned: 0..0, noise: None }
    }

    /// Returns its book; the first day is day 0.
    fn book(&self, plan: &Plan) -> OutcomeTable {
        let mut random = Random::new(self.seed);
        let bars = (self.days + 2) * BARS;
        let (mut level, mut volatility) = (0.0, vec![0.0; self.days + 2]);
        let mut prices = vec![vec![0.0_f32; bars]; SYMBOLS];
        let half = 0.5_f64.sqrt();
        for (day, own) in volatility.iter_mut().enumerate() {
            level = 0.97 * level + 0.12 * normal(&mut random);
            *own = 0.03 / (BARS as f64).sqrt() * f64::exp(level);
            for bar in day * BARS..(day + 1) * BARS {
                let common = normal(&mut random);
                for price in &mut prices {
                    price[bar] = ((half * common + half * normal(&mut random)) * *own) as f32;
                }
            }
        }
        let space = &plan.styles[0].space;
        assert_eq!((space.rules().len(), space.lattice().sizes()), (RULES, SIZES.as_slice()));
        let mut book = OutcomeTable::new(space.lattice().clone(), RULES);
        for (day, volatility) in volatility.iter().copied().enumerate().take(self.days) {
            let sign = self.sign(day);
            let mut entries: Vec<(usize, usize)> = Vec::new();
            for symbol in 0..SYMBOLS {
                let rate = SIGNALS_A_DAY / SYMBOLS as f64;
                let count = rate as usize + usize::from(random.unit() < rate.fract());
                entries.extend((0..count).map(|_| (random.below(BARS), symbol)));
            }
            entries.sort_unstable();
            for (bar, symbol) in entries {
                let at = day * BARS + bar;
                if at < BEFORE {
                    continue;
                }
                let values = SIZES.map(|size| random.below(size) as u8);
                let price = &prices[symbol];
                let past: f32 = price[at - BEFORE..at].iter().sum();
                let direction = if past >= 0.0 { 1.0 } else { -1.0 };
                let first = if self.turned.contains(&day) { 5 - values[0] } else { values[0] };
                let strength = f64::from(first) / 5.0
                    * if values[1] >= 2 { 1.0 } else { 0.25 }
                    * if values[2] >= 1 { 1.0 } else { 0.5 };
                let drift = if self.planted.contains(&day) { self.drift * strength } else { 0.0 };
                let ahead = &price[at + 1..(at + 1 + AHEAD).min(bars)];
                let row = outcomes(ahead, direction, drift as f32, volatility as f32, sign);
                let mut outcomes = Outcomes::new(RULES);
                outcomes.push_each(&row);
                let entry_ms = day as i64 * DAY_MS + bar as i64 * 900_000;
                let entry = Entry {
                    entry_ms,
                    symbol: symbol as u16,
                    direction: Direction::Long,
                    setup: Setup::Given,
                };
                book.push(entry, &values, outcomes.row(0));
            }
        }
        book
    }

    fn sign(&self, day: usize) -> i32 {
        let tossed =
            |block: usize| if Random::new(self.seed ^ (block as u64 + 1)).bits() & 1 == 0 { 1 } else { -1 };
        match self.noise {
            Some(Noise::DaySigns) => tossed(day),
            Some(Noise::BlockSigns) => tossed(day / 5),
            Some(Noise::Driftless) | None => 1,
        }
    }
}

/// Follows a path under all exits: closed at the price reached, which is fair without a drift.
fn outcomes(ahead: &[f32], direction: f32, drift: f32, volatility: f32, sign: i32) -> Vec<Outcome> {
    let atr = 4.0 * volatility;
    let mut found = [None; RULES];
    let mut reached = 0.0_f32;
    for (bar, step) in (1..).zip(ahead) {
        reached += step * direction + if bar <= DRIFT_BARS { drift * volatility } else { 0.0 };
        for (rule, own) in found.iter_mut().enumerate().filter(|(_, own)| own.is_none()) {
            // Of the product of the axes: holding time outermost, stop innermost.
            let (hold, target, stop) =
                ([16, 32, 64][rule / 9], [1.0, 2.0, 3.0][rule / 3 % 3], [1.0, 1.5, 2.0][rule % 3]);
            if reached >= target * atr || reached <= -stop * atr || bar == hold {
                *own = Some(reached);
            }
        }
    }
    let outcome = |own: Option<f32>| {
        let net = ReturnPpm(sign * (1e6 * own.unwrap_or(reached)) as i32);
        let gross = ReturnPpm(net.0 + 1);
        Outcome { net, best_case: net, gross, bars_held: 1, reason: ExitReason::Time, ambiguous: false }
    };
    found.into_iter().map(outcome).collect()
}

/// The yearly Sharpe ratio of every set of an edge over many years.
struct Truth {
    sweeps: Vec<Sweep>,
}

impl Truth {
    fn of(plan: &Plan, drift: f64, years: u64) -> Self {
        Self::of_edge(plan, drift, years, false)
    }

    fn of_edge(plan: &Plan, drift: f64, years: u64, turned: bool) -> Self {
        let year = |year: u64| {
            let turned = if turned { 0..YEAR } else { 0..0 };
            let book = World { turned, ..World::of(0x7000_0000 + year, YEAR, drift) }.book(plan);
            sweep_window(&book.window(Day(0)..Day(YEAR as i32)))
        };
        Self { sweeps: (0..years).into_par_iter().map(year).collect() }
    }

    fn sharpe(&self, rule: usize, cell: usize) -> f64 {
        let all = self.sweeps.iter().map(|sweep| *sweep.point(rule, cell)).reduce(|a, b| a.joined(&b));
        let days = self.sweeps.len() * YEAR;
        let year = |point| retune::evaluate::sweep::GridPoint::sharpe_daily(point, days).unwrap_or(0.0);
        all.as_ref().map_or(0.0, year) * DAYS_PER_YEAR.sqrt()
    }

    /// Returns the best set that trades on a fifth of the days or more.
    fn best(&self, plan: &Plan) -> (usize, usize) {
        let (cells, least) = (plan.styles[0].space.lattice().cells(), (YEAR / 5) as u32);
        let places = (0..cells).flat_map(|cell| (0..RULES).map(move |rule| (rule, cell)));
        let often = places.filter(|(rule, cell)| self.sweeps[0].point(*rule, *cell).trades >= least);
        let sharpes = often.map(|place| (self.sharpe(place.0, place.1), place));
        sharpes.max_by(|a, b| a.0.total_cmp(&b.0)).expect("a set that trades").1
    }
}

/// What one world came to.
struct Look {
    p: Option<f64>,
    oracle_p: f64,
    word: Assurance,
    expected: Option<f64>,
    truth: f64,
    adopted: bool,
}

fn look(plan: &Plan, world: &World, truth: Option<(&Truth, (usize, usize))>) -> Look {
    let book = world.book(plan);
    let style = &plan.styles[0];
    let days = Day(0)..Day(world.days as i32);
    let ground = EvaluationContext { style, book: &book };
    let (study, evidence) = judge_book(ground, days.clone(), plan, &SYMBOL_NAMES);
    let place = study.top.first().and_then(|best| style.space.find(&best.set));
    let of_choice = truth.zip(place).map_or(0.0, |((truth, _), (rule, cell))| truth.sharpe(rule, cell));
    let oracle = truth.map_or(0.0, |(_, (rule, cell))| {
        let point = *sweep_window(&book.window(days)).point(rule, cell);
        point.sharpe_daily(world.days).unwrap_or(0.0) * (world.days as f64).sqrt()
    });
    let gate = AdoptionGate::of(Assurance::Promising, true);
    let passes = evidence.p_luck.is_some_and(|p| p <= gate.edge_p);
    let earns = evidence.cross_fit.is_some_and(|fit| fit.t > 0.0);
    Look {
        p: evidence.p_luck,
        oracle_p: cdf(-oracle),
        word: evidence.edge.as_ref().map_or(Assurance::Untested, |edge| edge.assurance),
        expected: evidence.expected_sharpe_year(),
        truth: of_choice,
        adopted: passes && earns && evidence.vetoes.is_empty(),
    }
}

/// How often noise and edges get which word at one look, and what is adopted.
pub(crate) fn surfaces(full: bool, asked: Option<usize>) {
    let plan = plan();
    let worlds = if full { asked.unwrap_or(100) } else { 2 };
    let lengths: &[usize] = if full { &[YEAR, 5 * YEAR / 2] } else { &[120] };
    let mut text =
        String::from("one look: p of EDGE, its words, and what a first look adopts (require = promising)\n");
    for days in lengths {
        for noise in [Noise::Driftless, Noise::DaySigns, Noise::BlockSigns] {
            let drift = if noise == Noise::Driftless { 0.0 } else { EDGES[2].0 };
            let one = |n: u64| {
                let world = World { noise: Some(noise), ..World::of(1_000 + 7 * n, *days, drift) };
                look(&plan, &world, None)
            };
            let looks: Vec<Look> = (0..worlds as u64).into_par_iter().map(one).collect();
            let _ = writeln!(text, "  {days} days, noise {noise:?}: {}", summary(&looks));
            if full && worlds >= 100 {
                for (word, most) in [(Assurance::Real, REAL_MAX), (Assurance::Promising, PROMISING_MAX)] {
                    let share = looks.iter().filter(|look| look.word >= word).count() as f64 / worlds as f64;
                    let margin = 2.5 * (most * (1.0 - most) / worlds as f64).sqrt();
                    assert!(share <= most + margin, "noise is {word} too often\n{text}");
                }
            }
        }
        for (drift, name) in EDGES {
            let truth = Truth::of(&plan, drift, if full { TRUE_YEARS } else { 1 });
            let best = truth.best(&plan);
            let one = |n: u64| look(&plan, &World::of(2_000_000 + 7 * n, *days, drift), Some((&truth, best)));
            let looks: Vec<Look> = (0..worlds.div_ceil(2) as u64).into_par_iter().map(one).collect();
            let _ = writeln!(
                text,
                "  {days} days, best set {name} ({:.2}): {}",
                truth.sharpe(best.0, best.1),
                summary(&looks)
            );
        }
    }
    super::print(&text);
}

fn summary(looks: &[Look]) -> String {
    let n = looks.len() as f64;
    let share =
        |passes: &dyn Fn(&Look) -> bool| 100.0 * looks.iter().filter(|look| passes(look)).count() as f64 / n;
    let mean = |value: &dyn Fn(&Look) -> f64| looks.iter().map(value).sum::<f64>() / n;
    format!(
        "REAL {:.1} %, PROMISING or better {:.1} %; p at most 0.05 {:.0} %, 0.15 {:.0} % (oracle {:.0} / {:.0} %); chosen: true Sharpe {:.2}, expected {:.2}; adopted {:.0} %, worth {:.2}",
        share(&|look| look.word >= Assurance::Real),
        share(&|look| look.word >= Assurance::Promising),
        share(&|look| look.p.is_some_and(|p| p <= REAL_MAX)),
        share(&|look| look.p.is_some_and(|p| p <= PROMISING_MAX)),
        share(&|look| look.oracle_p <= REAL_MAX),
        share(&|look| look.oracle_p <= PROMISING_MAX),
        mean(&|look| look.truth),
        mean(&|look| look.expected.unwrap_or(0.0)),
        share(&|look| look.adopted),
        mean(&|look| if look.adopted { look.truth } else { 0.0 }),
    )
}

/// How a year of weekly looks at a window that slides spends its size, how soon an edge is adopted that is there, or is born, at the
/// looks.
pub(crate) fn looks(full: bool, asked: Option<usize>) {
    let (worlds, window, year) = if full { (asked.unwrap_or(60), YEAR, YEAR) } else { (1, 100, 14) };
    let born = window..window + year;
    let cases = [
        ("noise", 0.0, 0..0),
        ("edge of 2.8, all along", EDGES[1].0, 0..window + year),
        ("edge of 4, all along", EDGES[2].0, 0..window + year),
        ("edge of 2.8, born at the first look", EDGES[1].0, born.clone()),
        ("edge of 4, born at the first look", EDGES[2].0, born),
    ];
    year_of_looks(&cases, worlds, window, year, 7);
}

/// The same with a look every day, as a daily run has it, and noise alone: how often it is adopted some time in a year.
pub(crate) fn daily_looks(full: bool, asked: Option<usize>) {
    let (worlds, window, year) = if full { (asked.unwrap_or(30), YEAR, YEAR) } else { (1, 100, 2) };
    year_of_looks(&[("noise", 0.0, 0..0)], worlds, window, year, 1);
}

/// One line for each case (name, drift, days of it) and each gate. Noise gets all worlds, an edge a third.
fn year_of_looks(
    cases: &[(&str, f64, Range<usize>)],
    worlds: usize,
    window: usize,
    year: usize,
    step: usize,
) {
    let plan = plan();
    let mut text = format!("a look every {step} days for {year} days, window of {window} days\n");
    for (name, drift, planted) in cases {
        let path = |n: u64| {
            let world =
                World { planted: planted.clone(), ..World::of(3_000_000 + 7 * n, window + year, *drift) };
            let book = world.book(&plan);
            let style = &plan.styles[0];
            let p = |from: usize| {
                let days = Day(from as i32)..Day((from + window) as i32);
                let (_, evidence) =
                    judge_book(EvaluationContext { style, book: &book }, days, &plan, &SYMBOL_NAMES);
                evidence.p_luck.unwrap_or(1.0)
            };
            (0..=year / step).map(|look| p(look * step)).collect::<Vec<f64>>()
        };
        let count = if *drift == 0.0 { worlds } else { worlds.div_ceil(3) };
        let paths: Vec<Vec<f64>> = (0..count as u64).into_par_iter().map(path).collect();
        for least in [Assurance::Promising, Assurance::Real] {
            let passes = |look: usize, p: f64| p <= AdoptionGate::of(least, look == 0).edge_p;
            let first = |path: &Vec<f64>| {
                path.iter().enumerate().find(|(look, p)| passes(*look, **p)).map(|(look, _)| look * step)
            };
            let mut when: Vec<usize> = paths.iter().filter_map(first).collect();
            when.sort_unstable();
            let median = when.get(when.len() / 2).map_or("-".to_owned(), ToString::to_string);
            let _ = writeln!(
                text,
                "  {name}: EDGE passes the gate of {least} within the year in {:.0} % of {count} worlds, median day {median}",
                100.0 * when.len() as f64 / count as f64
            );
        }
    }
    super::print(&text);
}
