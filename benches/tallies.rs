//! What do the exact statistics of the whole grid cost, drawdown in trade order of every set included?
//!
//! Workload: a seeded random walk of 15m candles, a signal on every twelfth candle in either direction, over the
//! default lattice of scalping: 27 exit rules x 5,184 cells = 139,968 parameter sets; levels drawn so that about half
//! the signals of a dimension pass its next level. Timed: outcomes of every exit rule (one pass over the 48 candles of
//! the horizon), book, sweep (sums, drawdown, daily squares), metrics, score, the ten best; one thread. Medians of
//! several runs.
//!
//! Baseline (2-core EPYC VM, 2026-11-21, one thread): see the table in docs/benchmarks.md.
//!
//! `cargo bench --bench tallies -- 648` runs only the workload with so many exit rules or signals. Under `cargo test` it runs once
//! with 200 signals.

use std::time::Instant;

use retune::evaluate::metrics::Circumstances;
use retune::evaluate::outcome_table::{Entry, OutcomeTable};
use retune::evaluate::score::Score;
use retune::evaluate::sweep::sweep_window;
use retune::exits::{Costs, ExitPlan, Position};
use retune::model::{Candle, CandleSeries, Day, Direction, Interval, Outcomes, Setup, Style, Symbol};
use retune::search::rank::{Objective, RankBy, rank_sets};
use retune::search::space::{Bound, Dimension, ExitAxes, ExitAxisValue, SearchSpace, number_levels};

/// One candle in twelve is a signal.
const CANDLES_PER_SIGNAL: usize = 12;

fn main() {
    let full = std::env::args().any(|argument| argument == "--bench");
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("one thread");
    let default = || SearchSpace::default_of(Style::Scalping);
    let workloads: Vec<(SearchSpace, usize, usize)> = match full {
        true => vec![(default(), 4_000, 15), (default(), 100_000, 5), (peers(), 19_836, 5)],
        false => vec![(default(), 200, 1), (peers(), 50, 1)],
    };
    let chosen = std::env::args().skip(1).find_map(|argument| argument.parse::<usize>().ok());
    for (space, count, runs) in workloads {
        if chosen.is_some_and(|chosen| chosen != count && chosen != space.rules().len()) {
            continue;
        }
        let plan = ExitPlan::new(space.rules().to_vec(), Interval::M15).expect("sound");
        let candles = walk(count * CANDLES_PER_SIGNAL + plan.hold_bars_max() + 1);
        let signals = signals(&space, count);
        let mut times: Vec<[f64; 4]> =
            (0..runs).map(|_| pool.install(|| time(&space, &plan, &candles, &signals))).collect();
        times.sort_by(|a, b| a[..3].iter().sum::<f64>().total_cmp(&b[..3].iter().sum()));
        let [outcomes, sums, scores, ground] = times[runs / 2];
        print(&format!(
            "{count} signals x {} parameter sets ({} exit rules): {:.1} ms = outcomes {outcomes:.1} + statistics {sums:.1} + \
             scores {scores:.1}; ranked by the highest smoothed score {ground:.1} more",
            space.sets(),
            space.rules().len(),
            outcomes + sums + scores,
        ));
    }
}

/// The grid that other programs were measured on: 6 x 6 filter levels, 6 take-profits, stops and holding times, 3 trailing
/// stops. A tuned numba program needs four to six times as long for it, with sums and drawdown only.
fn peers() -> SearchSpace {
    let levels = |values: [f64; 6]| number_levels(&values);
    let score = levels([0.0, 30.0, 40.0, 50.0, 60.0, 70.0]);
    let consensus = levels([0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
    let dimensions = [("min_signal_score", "signal_score", score), ("min_consensus", "consensus", consensus)];
    let dimensions = dimensions
        .into_iter()
        .map(|(key, column, levels)| Dimension::new(key, column, Bound::AtLeast, levels).expect("sound"));
    let mut exits = ExitAxes::new(
        &[0.75, 1.0, 1.5, 2.0, 3.0, 4.0],
        &[0.5, 0.75, 1.0, 1.5, 2.0, 3.0],
        &[2.0, 4.0, 8.0, 12.0, 24.0, 48.0],
    );
    let trailing = vec![ExitAxisValue::Off, ExitAxisValue::At(1.5), ExitAxisValue::At(3.0)];
    assert!(exits.set("trailing_stop_distance", trailing), "an axis");
    assert!(exits.set("trailing_stop_activation", vec![ExitAxisValue::At(0.0)]), "an axis");
    SearchSpace::new(Style::Scalping, &exits, dimensions.collect()).expect("sound")
}

/// A signal of the workload: candle of the signal, side, levels.
struct Drawn {
    candle: usize,
    direction: Direction,
    levels: Vec<u8>,
}

/// Returns the milliseconds of outcomes and book, of the statistics, of scores and ranking, and of what ranking by the highest
/// ground adds.
fn time(space: &SearchSpace, plan: &ExitPlan, candles: &CandleSeries, signals: &[Drawn]) -> [f64; 4] {
    let costs = Costs::default().of(&Symbol::parse("BTCUSDT").expect("a name"));
    let clock = Instant::now();
    let bars = candles.bars();
    let mut book = OutcomeTable::new(space.lattice().clone(), space.rules().len());
    book.reserve(signals.len());
    let mut pass = plan.pass();
    let mut outcomes = Outcomes::new(space.rules().len());
    for signal in signals {
        let entry = signal.candle + 1;
        let position = Position {
            bars,
            entry,
            direction: signal.direction,
            atr: bars.close[signal.candle] * 0.004,
            score: None,
            exit_at: None,
        };
        outcomes.clear();
        pass.outcomes(&position, &costs, &mut outcomes);
        let entry = Entry {
            entry_ms: bars.open_time[entry],
            symbol: 0,
            direction: signal.direction,
            setup: Setup::Pullback,
        };
        book.push(entry, &signal.levels, outcomes.row(0));
    }
    let kept = clock.elapsed();
    let window = book.window(Day(0)..Day(100_000));
    let objective = Objective {
        score: Score::Balanced,
        by: RankBy::Peak,
        constraints: &[],
        around: Circumstances {
            candidates: window.candidates,
            days: bars.len() / 96 + 1,
            trades_min: 10,
            position_ratio: 0.2,
        },
        reach: None,
    };
    let sweep = sweep_window(&window);
    let swept = clock.elapsed();
    let ranking = rank_sets(&sweep, space, &objective, 10);
    let ranked = clock.elapsed();
    assert!(ranking.rated > 0 && !ranking.top.is_empty(), "something was ranked");
    let ground = rank_sets(&sweep, space, &Objective { by: RankBy::Plateau, ..objective }, 10);
    let smoothed = clock.elapsed() - ranked;
    assert!(ground.rated == ranking.rated, "the same sets were ranked");
    [kept, swept - kept, ranked - swept, smoothed.saturating_sub(ranked - swept)]
        .map(|part| 1000.0 * part.as_secs_f64())
}

/// Numbers that are the same in every run.
struct Draw(u64);

impl Draw {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 >> 11
    }

    /// Between -1 and 1, more often near 0.
    fn step(&mut self) -> f64 {
        let unit = |n: u64| (n % 20_001) as f64 / 10_000.0 - 1.0;
        (unit(self.next()) + unit(self.next()) + unit(self.next())) / 3.0
    }
}

/// A random walk; a candle's range is about 0.4 %.
fn walk(count: usize) -> CandleSeries {
    let mut draw = Draw(0x9e37_79b9_7f4a_7c15);
    let mut series = CandleSeries::new(Interval::M15);
    let mut price = 30_000.0_f64;
    for i in 0..count {
        let open = price;
        price *= 1.0 + 0.005 * draw.step();
        let (up, down) = (1.0 + 0.002 * draw.step().abs(), 1.0 - 0.002 * draw.step().abs());
        series.push(Candle {
            open_time: i as i64 * Interval::M15.ms(),
            open,
            high: open.max(price) * up,
            low: open.min(price) * down,
            close: price,
            volume: 1.0,
        });
    }
    series
}

fn signals(space: &SearchSpace, count: usize) -> Vec<Drawn> {
    let mut draw = Draw(0x2545_f491_4f6c_dd1d);
    let mut level = |size: &usize| (draw.next().trailing_ones() as usize).min(size - 1) as u8;
    let drawn = |i: usize| Drawn {
        candle: i * CANDLES_PER_SIGNAL,
        direction: if i.is_multiple_of(3) { Direction::Short } else { Direction::Long },
        levels: space.lattice().sizes().iter().map(&mut level).collect(),
    };
    (0..count).map(drawn).collect()
}

#[expect(clippy::print_stdout, reason = "a bench prints its figures")]
fn print(text: &str) {
    println!("{text}");
}
