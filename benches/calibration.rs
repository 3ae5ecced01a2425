//! How often does the optimizer call it an edge where there is none, and how often does it find one that is there?
//!
//! Workload: made-up markets of a year, each a fresh one: six symbols of 15-minute candles whose volatility clusters and
//! moves together; without any drift, or with drifts that last two days on average and are that strong in daily standard
//! deviations. Each is written to files and goes through `incremental` as it is: candidates, the default grid of 139,968 sets
//! of both styles, the choice in sample, the tests of the whole window, the assessment of a daily look. Costs
//! are next to nothing, so that a set without an edge really earns nothing: with ordinary costs every set of a market without
//! an edge loses, and nothing is ever adopted. The chosen set is then followed through another year of the same
//! making, which says what it is really worth.
//!
//! Worlds: 200 without an edge, 50 for each edge, or as many as asked for: `cargo bench --bench calibration -- 40` makes 40
//! and 10. Shares are of worlds and styles with enough trades to say anything.
//!
//! Eight parts, all of them unless some are named (`cargo bench --bench calibration -- 40 rank`). `surface`, `looks`, `daily`, `windows`
//! and `decay` are in `surrogate/`: books without candles, so that hundreds are judged in minutes. `edge` is the above; `rank`
//! compares choosing by plateau with choosing by peak on the same worlds; `switch` puts a random set of a smaller grid
//! active in worlds without an edge and looks at it on 60 days in succession, one symbol-year of three symbols before each.
//!
//! Baseline of `rank` (2026-11-21, 24 worlds for each edge, 48 choices), true yearly Sharpe by plateau / by peak, and the
//! paired difference: without an edge -0.11 / -0.19 (+0.09 +- 0.13); with drifts of one daily deviation 1.88 / 1.18 (+0.70 +-
//! 0.18), of two 5.82 / 4.16 (+1.66 +- 0.27). On the out-of-sample part likewise: +0.04, +0.54, +1.71.
//!
//! Baseline of `edge`, chosen by peak (2026-11-21, 200 and twice 50 worlds): without an edge 0 of 400 real, 1 promising, where accepting the best early
//! set that earns late accepts 44.5 %; with a true yearly Sharpe of 1.4 / 4.1, 4 / 45 % real and 23 / 82 % promising.
//!
//! Baseline of `switch` (2026-11-21, 60 worlds, 3,600 looks): SWITCH promising at 0.9 % of the looks and some time in 3.3 % of
//! the worlds, never real; another set would have become active in 1.7 % of the worlds, by the out-of-sample part alone in 55 %.
//!
//! Under `cargo test` it runs once, on two symbols and a third of a year.

mod surrogate;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use rayon::prelude::*;
use retune::decide::DecisionOutcome;
use retune::engine::plan::{DayLimits, Plan, SearchSettings};
use retune::exits::Costs;
use retune::model::{Day, FilterValue, Interval, ParameterSet, Style};
use retune::run::report::{RunReport, StyleReport};
use retune::run::{RunOptions, incremental};
use retune::search::rank::RankBy;
use retune::search::space::{Dimension, ExitAxes, SearchSpace, ThresholdLevel};
use retune::search::strategy::SpaceAxes;
use retune::store::records::{ParamsRecord, RunRecord, StoredMetrics};
use retune::store::{LearningCommit, Location, Store};
use retune::study::Measured;
use retune::validate::assessment::Assurance;
use retune::validate::normal::quantile;
use retune::validate::resample::Random;
use retune::validate::sharpe::DAYS_PER_YEAR;

/// 2025-01-01.
const FIRST_OPEN_MS: i64 = 1_735_689_600_000;
const STEP_MS: i64 = 15 * 60_000;
const BARS_PER_DAY: usize = 96;
const SUBSTEPS: usize = 4;
/// Days before those that count: for the averages to settle.
const SETTLING_DAYS: usize = 31;
/// Volatility of a day, as a fraction, and how much of a symbol's variance is the market's.
const DAY_SIGMA: f64 = 0.03;
const COMMON_SHARE: f64 = 0.5;
/// Mean length of a drift in days.
const DRIFT_DAYS: f64 = 2.0;
const EDGES: [f64; 3] = [0.0, 1.0, 2.0];
/// Most that may be called real or promising where there is nothing.
const REAL_MAX: f64 = 0.05;
const PROMISING_MAX: f64 = 0.15;

/// How large the markets are.
struct Size {
    symbols: usize,
    days: usize,
}

/// A part of the bench: whether it runs in full, and how many worlds are asked for.
type Part = fn(bool, Option<usize>);

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let full = arguments.iter().any(|argument| argument == "--bench");
    let asked = arguments.iter().find_map(|argument| argument.parse::<usize>().ok());
    let parts: [(&str, Part); 8] = [
        ("surface", surrogate::surfaces),
        ("looks", surrogate::looks),
        ("daily", surrogate::daily_looks),
        ("windows", surrogate::windows),
        ("decay", surrogate::decays),
        ("edge", edges),
        ("rank", ranks),
        ("switch", switches),
    ];
    let wanted = |name: &str| arguments.iter().any(|argument| argument == name);
    let all = !parts.iter().any(|(name, _)| wanted(name));
    for (_, part) in parts.iter().filter(|(name, _)| all || wanted(name)) {
        part(full, asked);
    }
}

/// How often which rule accepts the chosen set.
fn edges(full: bool, asked: Option<usize>) {
    let size = if full { Size { symbols: 6, days: 365 } } else { Size { symbols: 2, days: 120 } };
    let worlds = if full { asked.unwrap_or(200) } else { 1 };
    for edge in EDGES {
        let count = if edge == 0.0 { worlds } else { worlds.div_ceil(4) };
        let mut table = Table::default();
        for world in 0..count as u64 {
            let seed = 1_000_003 * (1 + (100.0 * edge) as u64) + 2 * world;
            let report = run(&size, edge, seed, &plan(Style::ALL.map(SpaceAxes::default_of).to_vec()));
            let truths = truths(&size, edge, seed + 1, &report);
            for style in &report.styles {
                table.add(style, truths.get(&style.style).copied().flatten());
            }
        }
        print(&table.text(edge, count));
        assert_eq!(table.seen, 2 * count, "every world is a run of both styles");
        let judged = table.judged as f64;
        if full && edge == 0.0 && table.judged >= 200 {
            let share = |rule: &str| table.accepted.get(rule).copied().unwrap_or(0) as f64 / judged;
            assert!(share(REAL) <= REAL_MAX, "noise is called real in {} of the worlds", share(REAL));
            assert!(share(PROMISING) <= PROMISING_MAX, "and promising in {}", share(PROMISING));
        }
    }
}

/// Which choice earns more afterwards: the highest score, or the highest smoothed score.
fn ranks(full: bool, asked: Option<usize>) {
    let size = if full { Size { symbols: 6, days: 365 } } else { Size { symbols: 2, days: 120 } };
    let worlds = if full { asked.unwrap_or(50) } else { 1 };
    for edge in EDGES {
        // Per way of ranking: yearly Sharpe ratios out of sample and in another year.
        let (mut late, mut true_ones) = ([Vec::new(), Vec::new()], [Vec::new(), Vec::new()]);
        for world in 0..worlds as u64 {
            let seed = 7_000_003 * (1 + (100.0 * edge) as u64) + 2 * world;
            let found = [RankBy::Neighbours, RankBy::Peak].map(|rank| {
                let mut plan = plan(Style::ALL.map(SpaceAxes::default_of).to_vec());
                (plan.search.rank, plan.search.quick) = (rank, true);
                let report = run(&size, edge, seed, &plan);
                let truths = truths(&size, edge, seed + 1, &report);
                (report, truths)
            });
            for style in Style::ALL {
                let of_style = |(report, truths): &(RunReport, BTreeMap<Style, Option<f64>>)| {
                    let report = report.styles.iter().find(|report| report.style == style)?;
                    let daily = report.study.top.first()?.late.sharpe_daily.ok()?;
                    Some((daily * DAYS_PER_YEAR.sqrt(), truths.get(&style).copied().flatten()?))
                };
                let [Some(neighbours), Some(peak)] = [of_style(&found[0]), of_style(&found[1])] else {
                    continue;
                };
                for (way, (on_late, truth)) in [neighbours, peak].into_iter().enumerate() {
                    late[way].push(on_late);
                    true_ones[way].push(truth);
                }
            }
        }
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len().max(1) as f64;
        let line = |what: &str, [neighbours, peak]: &[Vec<f64>; 2]| {
            let differences: Vec<f64> = neighbours.iter().zip(peak).map(|(a, b)| a - b).collect();
            let (n, m) = (differences.len() as f64, mean(&differences));
            let variance = differences.iter().map(|d| (d - m) * (d - m)).sum::<f64>() / (n - 1.0).max(1.0);
            format!(
                "  {what:<18} neighbours {:5.2}, peak {:5.2}: {m:+.2} +- {:.2}\n",
                mean(neighbours),
                mean(peak),
                (variance / n.max(1.0)).sqrt()
            )
        };
        let head = format!(
            "drifts of {edge} daily standard deviations: {worlds} worlds, {} choices\n",
            late[0].len()
        );
        print(&(head + &line("on the last days", &late) + &line("in another year", &true_ones)));
    }
}

/// How often daily looks would put another active set where none is better.
fn switches(full: bool, asked: Option<usize>) {
    let worlds = if full { asked.unwrap_or(60) } else { 1 };
    let (looks, window, symbols) = if full { (LOOKS, LOOK_WINDOW_DAYS, 3) } else { (2, 120, 1) };
    let seeds: Vec<u64> = (0..worlds as u64).map(|world| 9_000_011 + 2 * world).collect();
    let found: Vec<_> = seeds.par_iter().map(|seed| Switches::world(*seed, looks, window, symbols)).collect();
    let mut table = Switches::default();
    found.iter().for_each(|looks| table.add(looks));
    print(&table.text());
    assert_eq!(table.looks, worlds * looks, "every look answered");
}

const REAL: &str = "EDGE is REAL";
const PROMISING: &str = "EDGE is PROMISING or better";
const ADOPTED: &str = "adopted at the first look (require = promising)";

/// What would have been accepted by which rule.
#[derive(Default)]
struct Table {
    seen: usize,
    judged: usize,
    accepted: BTreeMap<&'static str, usize>,
    /// Sums of yearly Sharpe ratios: in the window, forecast, in another year; and of how many.
    sharpes: [(f64, usize); 3],
}

/// The rules in the order of the table: what one might do first, then the parts, then what a first look adopts.
const RULES: [&str; 9] = [
    "the last 30 % of the days earn",
    "legacy verdict (PASSED or WARNING)",
    "t of the chosen set > 1.645",
    "deflated Sharpe >= 0.95",
    "cross-fit t > 1.645",
    "walk-forward t > 1.645",
    PROMISING,
    REAL,
    ADOPTED,
];

impl Table {
    fn add(&mut self, style: &StyleReport, truth: Option<f64>) {
        self.seen += 1;
        let evidence = &style.evidence;
        let (Some(best), Some(edge)) = (style.study.top.first(), &evidence.edge) else { return };
        if edge.assurance == Assurance::NotEnoughData {
            return;
        }
        self.judged += 1;
        let walk = evidence.walk_forward.map_or(f64::NEG_INFINITY, |walk| walk.t);
        let fitted = evidence.cross_fit.map_or(f64::NEG_INFINITY, |fit| fit.t);
        let t = evidence.sharpe_year.unwrap_or(0.0) * (evidence.days as f64 / DAYS_PER_YEAR).sqrt();
        let passed = [
            best.late.expectancy_pct.ok().is_some_and(|expectancy| expectancy > 0.0),
            style.study.judgement.verdict.is_good(),
            t > 1.645,
            evidence.deflated_sharpe.is_some_and(|p| p >= 0.95),
            fitted > 1.645,
            walk > 1.645,
            edge.assurance >= Assurance::Promising,
            edge.assurance == Assurance::Real,
            style.decision.outcome == DecisionOutcome::Adopted,
        ];
        for (rule, passed) in RULES.iter().zip(passed) {
            *self.accepted.entry(rule).or_default() += usize::from(passed);
        }
        let forecast = evidence.cross_fit.map(|fit| fit.sharpe_year);
        for (sum, value) in self.sharpes.iter_mut().zip([evidence.sharpe_year, forecast, truth]) {
            *sum = (sum.0 + value.unwrap_or(0.0), sum.1 + usize::from(value.is_some()));
        }
    }

    fn text(&self, edge: f64, worlds: usize) -> String {
        let mut text = match edge {
            0.0 => "no edge".to_owned(),
            edge => format!("drifts of {edge} daily standard deviations"),
        };
        let _ = writeln!(text, ": {worlds} worlds, {} of {} styles judged", self.judged, self.seen);
        let mean = |(sum, count): (f64, usize)| if count > 0 { sum / count as f64 } else { f64::NAN };
        let [own, forecast, truth] = self.sharpes.map(mean);
        let _ = writeln!(
            text,
            "  yearly Sharpe of the chosen set: {own:.2} in the window, {forecast:.2} forecast, {truth:.2} in another year"
        );
        for rule in RULES {
            let count = self.accepted.get(rule).copied().unwrap_or(0);
            let share = 100.0 * count as f64 / self.judged.max(1) as f64;
            let _ = writeln!(text, "  {rule:<50} {share:5.1} %  ({count})");
        }
        text
    }
}

/// Days in succession on which an active set is put to the question.
const LOOKS: usize = 60;
const LOOK_WINDOW_DAYS: usize = 365;

/// What daily looks at noise would have done to an active set that is as good as any other.
#[derive(Default)]
struct Switches {
    worlds: usize,
    looks: usize,
    /// Per rule: looks, and worlds with such a look.
    found: BTreeMap<&'static str, (usize, usize)>,
}

const SWITCH_RULES: [&str; 4] = [
    "better out of sample, legacy verdict good",
    "SWITCH is PROMISING or better",
    "both: adopted with require = promising",
    "SWITCH is REAL and better late: require = real",
];

impl Switches {
    /// Looks at a world day after day.
    fn world(seed: u64, looks: usize, window: usize, symbols: usize) -> Vec<[bool; SWITCH_RULES.len()]> {
        let size = Size { symbols, days: window + looks };
        let folder = tempfile::tempdir().expect("a folder");
        write_market(folder.path(), &size, 0.0, seed);
        let mut plan = plan(vec![small_axes()]);
        // The active set stays: every look asks the same question.
        plan.search.min_improvement = f64::MAX;
        let space = &plan.styles[0].space;
        let mut random = Random::new(seed ^ 0x5157);
        // Not so strict that it hardly trades.
        let loose = |random: &mut Random, size: &usize| random.below(size.div_ceil(2)) as u8;
        let levels: Vec<u8> = space.lattice().sizes().iter().map(|size| loose(&mut random, size)).collect();
        let set = space.set(random.below(space.rules().len()), space.lattice().cell(&levels));
        let state = tempfile::tempdir().expect("a folder");
        put_in_force(state.path(), &set);
        let first = Day::of(FIRST_OPEN_MS).0 + (SETTLING_DAYS + window) as i32;
        (first..first + looks as i32)
            .map(|end| {
                plan.days.end = Some(Day(end));
                let report = run_on(folder.path(), window, &plan, Some(state.path().to_path_buf()));
                let style = &report.styles[0];
                let late = |set: Option<&Measured>| set.and_then(|set| set.late_score);
                let (best, own) = (late(style.study.top.first()), late(style.study.incumbent.as_ref()));
                assert!(style.study.incumbent.is_some(), "it is in the grid");
                let better = style.study.judgement.verdict.is_good()
                    && best.is_some_and(|best| own.is_none_or(|own| best > own));
                let switch = style.evidence.switch.as_ref().map(|switch| switch.assurance);
                let promising = switch >= Some(Assurance::Promising);
                [better, promising, better && promising, better && switch == Some(Assurance::Real)]
            })
            .collect()
    }

    fn add(&mut self, looks: &[[bool; SWITCH_RULES.len()]]) {
        self.worlds += 1;
        self.looks += looks.len();
        for (place, rule) in SWITCH_RULES.iter().enumerate() {
            let count = looks.iter().filter(|look| look[place]).count();
            let found = self.found.entry(rule).or_default();
            *found = (found.0 + count, found.1 + usize::from(count > 0));
        }
    }

    /// Returns the share of looks and of worlds.
    fn share(&self, rule: &str) -> (f64, f64) {
        let (looks, worlds) = self.found.get(rule).copied().unwrap_or_default();
        (looks as f64 / self.looks.max(1) as f64, worlds as f64 / self.worlds.max(1) as f64)
    }

    fn text(&self) -> String {
        let mut text = format!(
            "an active set without an edge, among others without: {} worlds, {} looks\n",
            self.worlds, self.looks
        );
        for rule in SWITCH_RULES {
            let (look, world) = self.share(rule);
            let _ = writeln!(
                text,
                "  {rule:<50} {:5.1} % of the looks, {:5.1} % of the worlds at some time",
                100.0 * look,
                100.0 * world
            );
        }
        text
    }
}

/// 8 exit rules and a lattice of a few hundred cells, so that a look costs little.
fn small_axes() -> SpaceAxes {
    let dimensions = SearchSpace::default_dimensions(Style::Scalping).into_iter().take(5).collect();
    SpaceAxes::new(Style::Scalping, ExitAxes::new(&[1.0, 2.0], &[0.8, 1.5], &[4.0, 8.0]), dimensions)
}

fn put_in_force(store: &Path, set: &ParameterSet) {
    let params = ParamsRecord {
        set: set.into(),
        score_name: String::new(),
        score: None,
        metrics: StoredMetrics::default(),
        verdict: "imported".to_owned(),
        run: 0,
        adopted_at_ms: 0,
        generation: 0,
        source: "import".to_owned(),
    };
    let mut learning =
        LearningCommit::new("bench", RunRecord { result: "imported".to_owned(), ..RunRecord::default() });
    learning.params.insert(Style::Scalping.to_string(), Some(params));
    Store::open(store, FIRST_OPEN_MS).expect("a store").commit(learning).expect("committed");
}

/// Searches and judges as the defaults do, but for a set's 100 trades in sample: fewer say nothing.
fn plan(axes: Vec<SpaceAxes>) -> Plan {
    let costs = Costs { taker_fee: 1e-5, maker_fee: 1e-5, ..Costs::free() };
    let search = SearchSettings { trades_min: 100, ..SearchSettings::default() };
    Plan::new(Interval::M15, axes, costs, search, DayLimits::default()).expect("the defaults are sound")
}

/// Returns what the chosen sets earn in another year of the same making: yearly Sharpe ratios.
fn truths(size: &Size, edge: f64, seed: u64, report: &RunReport) -> BTreeMap<Style, Option<f64>> {
    let chosen = report.styles.iter().filter_map(|style| style.study.top.first().map(|best| (style, best)));
    let spaces: Vec<SpaceAxes> = chosen.map(|(style, best)| only(style.style, &best.set)).collect();
    if spaces.is_empty() {
        return BTreeMap::new();
    }
    let mut plan = plan(spaces);
    plan.search.quick = true;
    let found = run(size, edge, seed, &plan);
    // Without a filter to choose, every signal of the book is a trade of the set.
    let sharpe = |style: &StyleReport| {
        let daily = style.study.baseline.sharpe_daily.ok()?;
        Some(daily * DAYS_PER_YEAR.sqrt())
    };
    found.styles.iter().map(|style| (style.style, sharpe(style))).collect()
}

/// Returns the axes of the space that holds one set only.
fn only(style: Style, set: &ParameterSet) -> SpaceAxes {
    let chosen = |dimension: &Dimension| {
        let value: &FilterValue = set.filter(dimension.key()).expect("a set of the default space");
        let level = dimension.levels().iter().find(|level| level.shown == *value).cloned();
        let levels: Vec<ThresholdLevel> = level.into_iter().collect();
        Dimension::new(dimension.key(), dimension.source().name(), dimension.bound(), levels)
            .expect("a level")
    };
    let dimensions = SearchSpace::default_dimensions(style).iter().map(chosen).collect();
    let [take_profit, stop, hours] = set.exit.first();
    let exits = ExitAxes::new(&[take_profit], &[stop], &[hours]);
    SpaceAxes::new(style, exits, dimensions)
}

fn run(size: &Size, edge: f64, seed: u64, plan: &Plan) -> RunReport {
    let folder = tempfile::tempdir().expect("a folder");
    write_market(folder.path(), size, edge, seed);
    run_on(folder.path(), size.days, plan, None)
}

fn run_on(folder: &Path, window_days: usize, plan: &Plan, store: Option<PathBuf>) -> RunReport {
    let mut plan = plan.clone();
    plan.days.window_days = Some(window_days as i32);
    let cache_bytes = if store.is_some() { 256 << 20 } else { 0 };
    let options = RunOptions {
        store: store.map(Location::from),
        profile: "bench".to_owned(),
        cache_bytes,
        ..RunOptions::over(vec![folder.to_path_buf()], FIRST_OPEN_MS + 1_000 * 86_400_000)
    };
    incremental(&plan, &options, &AtomicBool::new(false), &|_| ()).expect("a run")
}

/// A drift that turns now and then, and volatility that comes in clusters.
struct Mood {
    drift: f64,
    log_volatility: f64,
}

impl Mood {
    fn new(random: &mut Random) -> Self {
        Self { drift: if random.below(2) == 0 { 1.0 } else { -1.0 }, log_volatility: 0.0 }
    }

    /// Goes on by a candle; returns its volatility as a multiple of the usual.
    fn next(&mut self, random: &mut Random) -> f64 {
        if random.unit() < 1.0 / (DRIFT_DAYS * BARS_PER_DAY as f64) {
            *self = Self { log_volatility: self.log_volatility, ..Self::new(random) };
        }
        self.log_volatility = 0.995 * self.log_volatility + 0.05 * normal(random);
        (self.log_volatility + 0.3 * normal(random) - 0.17).exp()
    }
}

fn normal(random: &mut Random) -> f64 {
    quantile(random.unit().max(1e-12))
}

/// Returns how far up and down a continuous path gets that ends at `change`, by the law of the Brownian bridge. With the
/// ends of the steps alone, stops would be filled at prices that were jumped over: an edge out of nothing.
fn reach(change: f64, deviation: f64, random: &mut Random) -> (f64, f64) {
    let mut beyond = || {
        let tail = -2.0 * deviation * deviation * (1.0 - random.unit()).ln();
        (change * change + tail).sqrt()
    };
    (0.5 * (change + beyond()), 0.5 * (change - beyond()))
}

/// Writes a file of candles per symbol.
fn write_market(folder: &Path, size: &Size, edge: f64, seed: u64) {
    let bars = (size.days + SETTLING_DAYS) * BARS_PER_DAY;
    let mut random = Random::new(seed);
    let mut mood = Mood::new(&mut random);
    let sigma = DAY_SIGMA / ((BARS_PER_DAY * SUBSTEPS) as f64).sqrt();
    // Drift of a substep in units of a day's deviation.
    let drift = |mood: &Mood| edge * mood.drift * DAY_SIGMA / (BARS_PER_DAY * SUBSTEPS) as f64;
    let market: Vec<(f64, [f64; SUBSTEPS])> = (0..bars)
        .map(|_| {
            let volatility = mood.next(&mut random);
            (volatility, std::array::from_fn(|_| sigma * volatility * normal(&mut random) + drift(&mood)))
        })
        .collect();
    for symbol in 0..size.symbols {
        let mut own = Random::new(seed.wrapping_mul(31).wrapping_add(symbol as u64));
        let mut price: f64 = 100.0;
        let mut text = "open_time,open,high,low,close,volume\n".to_owned();
        for (bar, (volatility, steps)) in market.iter().enumerate() {
            let (open, mut high, mut low) = (price, price, price);
            for step in steps {
                let alone = sigma * volatility * normal(&mut own);
                let change = COMMON_SHARE.sqrt() * step + (1.0 - COMMON_SHARE).sqrt() * alone;
                let (up, down) = reach(change, sigma * volatility, &mut own);
                (high, low) = (high.max(price * up.exp()), low.min(price * down.exp()));
                price *= change.exp();
            }
            let volume = 1_000.0 * volatility * (0.5 + own.unit()) * (1.0 + 20.0 * (high / low - 1.0));
            let time = FIRST_OPEN_MS + bar as i64 * STEP_MS;
            let _ = writeln!(text, "{time},{open:.8},{high:.8},{low:.8},{price:.8},{volume:.3}");
        }
        fs::write(folder.join(format!("S{symbol}USDT-15m.csv")), text).expect("written");
    }
}

#[expect(clippy::print_stdout, reason = "a bench prints its figures")]
fn print(text: &str) {
    println!("{text}");
}
