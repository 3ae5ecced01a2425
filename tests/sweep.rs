//! The sweep against the plain loop, on random spaces, levels and signals; windows against fresh books.

use proptest::prelude::*;
use retune::evaluate::daily::DailyColumns;
use retune::evaluate::lattice::Lattice;
use retune::evaluate::outcome_table::{Entry, OutcomeColumns, OutcomeSource, OutcomeTable, Window};
use retune::evaluate::replay::{Pick, replay_set};
use retune::evaluate::sweep::{GridPoint, draw_figures, sweep_window};
use retune::model::{DAY_MS, Day, Direction, ExitReason, Outcome, Outcomes, ReturnPpm, Setup};
use retune::validate::grid::{GridResult, GridTests, Halves, Ranks, Replicates, TestPlan};

fn outcome(net: i32) -> Outcome {
    Outcome {
        net: ReturnPpm(net),
        best_case: ReturnPpm(net.saturating_add(7)),
        gross: ReturnPpm(net.saturating_add(9)),
        bars_held: 3,
        reason: if net > 0 { ExitReason::TakeProfit } else { ExitReason::Stop },
        ambiguous: net % 2 == 0,
    }
}

#[derive(Debug, Clone)]
struct Signal {
    /// Hours after the signal before.
    wait_hours: i64,
    levels: Vec<u8>,
    net: Vec<i32>,
}

fn book(sizes: &[usize], rules: usize, signals: &[Signal]) -> OutcomeTable {
    let mut book = OutcomeTable::new(Lattice::new(sizes.to_vec()), rules);
    let mut entry_ms = 0;
    for signal in signals {
        entry_ms += signal.wait_hours * 3_600_000;
        let entry = Entry { entry_ms, symbol: 0, direction: Direction::Long, setup: Setup::Pullback };
        let mut outcomes = Outcomes::new(rules);
        outcomes.push_each(&signal.net.iter().map(|net| outcome(*net)).collect::<Vec<_>>());
        book.push(entry, &signal.levels, outcomes.row(0));
    }
    book
}

/// Sizes of the dimensions, number of exit rules, signals; `reach` is the largest return in ppm.
fn spaces(reach: i32) -> impl Strategy<Value = (Vec<usize>, usize, Vec<Signal>)> {
    // As many rules as are followed at once, and more.
    let rules = prop_oneof![3 => 1_usize..20, 1 => 60_usize..150];
    (prop::collection::vec(1_usize..4, 0..4), rules).prop_flat_map(move |(sizes, rules)| {
        let levels: Vec<_> = sizes.iter().map(|size| 0..*size as u8).collect();
        let signal = (0_i64..30, levels, prop::collection::vec(-reach..=reach, rules))
            .prop_map(|(wait_hours, levels, net)| Signal { wait_hours, levels, net });
        (Just(sizes), Just(rules), prop::collection::vec(signal, 0..60))
    })
}

fn sweep_equals_replay(sizes: &[usize], rules: usize, signals: &[Signal]) {
    let book = book(sizes, rules, signals);
    let end = signals.iter().map(|s| s.wait_hours * 3_600_000).sum::<i64>() / DAY_MS;
    for days in [Day(0)..Day(end as i32 + 1), Day(1)..Day(end as i32)] {
        let window = book.window(days);
        let sweep = sweep_window(&window);
        assert_eq!(sweep.len(), rules * book.lattice().cells());
        for (cell, points) in sweep.cells().enumerate() {
            let levels = book.lattice().levels(cell);
            for (rule, point) in points.iter().enumerate() {
                let naive = replay_set(&window, Pick { rule, levels: Some(&levels) });
                assert_eq!(*point, naive.point, "rule {rule}, cell {cell}");
                assert_eq!(sweep.point(rule, cell), point);
            }
        }
    }
}

/// Figures that are drawn from what sets have before some days, and on all, are those of sweeps of these days alone.
fn figures_equal_sweeps(sizes: &[usize], rules: usize, signals: &[Signal], cuts: &[Day]) {
    for book in [book(sizes, rules, signals), lent(sizes, rules, signals)] {
        let days = Day(0)..Day(2_000);
        let stretches = cuts.len() + 1;
        let draw = |before: &[GridPoint], figures: &mut [f64]| {
            for (n, point) in before.iter().enumerate() {
                figures[n] = point.net_ppm() as f64;
                figures[stretches + n] = point.drawdown_ppm as f64 + f64::from(point.wins);
                figures[2 * stretches + n] = point.day_square_ppm2 as f64;
            }
        };
        let drawn = draw_figures(&book.window(days.clone()), cuts, 3 * stretches, draw);
        for (n, end) in cuts.iter().copied().chain([days.end]).enumerate() {
            let sweep = sweep_window(&book.window(days.start..end));
            for (cell, points) in sweep.cells().enumerate() {
                assert_eq!(drawn.trades(cell)[n], points[0].trades, "cell {cell} before {end:?}");
                for (rule, point) in points.iter().enumerate() {
                    let found = |figure: usize| drawn.figures[figure * stretches + n][cell * rules + rule];
                    assert_eq!(found(0), point.net_ppm() as f64, "rule {rule}, cell {cell} before {end:?}");
                    assert_eq!(found(1), point.drawdown_ppm as f64 + f64::from(point.wins));
                    assert_eq!(found(2), point.day_square_ppm2 as f64);
                }
            }
        }
    }
}

/// Every column of day returns is that of a plain replay, and those left out are columns of a looser cell.
fn columns_equal_replay(sizes: &[usize], rules: usize, signals: &[Signal]) {
    let book = book(sizes, rules, signals);
    let days = book.entries().first().map_or(Day(0), |entry| Day::of(entry.entry_ms))
        ..book.entries().last().map_or(Day(1), |entry| Day(Day::of(entry.entry_ms).0 + 1));
    let window = book.window(days.clone());
    let plain = |rule: usize, cell: usize| {
        let levels = book.lattice().levels(cell);
        let mut daily = vec![0_i32; window.day_count()];
        for (day, ppm) in replay_set(&window, Pick { rule, levels: Some(&levels) }).daily_ppm {
            daily[(day.0 - days.start.0) as usize] = ppm as i32;
        }
        daily
    };
    let columns = DailyColumns::new(&window);
    let mut seen = std::collections::BTreeMap::new();
    let parts = columns.look(|tile, branch| {
        let mut part = Vec::new();
        tile.for_each(branch, |column, returns| part.push((column, returns.to_vec())));
        part
    });
    for part in parts {
        assert!(part.is_sorted_by_key(|(column, _)| *column));
        for (column, returns) in part {
            assert!(seen.insert(column, returns).is_none(), "once");
        }
    }
    let distinct: std::collections::BTreeSet<&Vec<i32>> = seen.values().collect();
    for cell in 0..book.lattice().cells() {
        for rule in 0..rules {
            let wanted = plain(rule, cell);
            match seen.get(&(cell * rules + rule)) {
                Some(found) => assert_eq!(*found, wanted, "rule {rule}, cell {cell}"),
                None => assert!(
                    wanted.iter().all(|ppm| *ppm == 0) || distinct.contains(&wanted),
                    "rule {rule}, cell {cell} is left out and no other's"
                ),
            }
        }
    }
}

/// Outcomes that lie elsewhere.
#[derive(Debug)]
struct Lent {
    signals: Vec<Signal>,
}

impl OutcomeSource for Lent {
    fn load(&self, rules: std::ops::Range<usize>) -> OutcomeColumns {
        let mut table = OutcomeColumns::new(rules.len());
        for signal in &self.signals {
            let mut outcomes = Outcomes::new(rules.len());
            let own = signal.net[rules.clone()].iter().map(|net| outcome(*net)).collect::<Vec<_>>();
            outcomes.push_each(&own);
            table.push(outcomes.row(0));
        }
        table
    }
}

/// The same book with its outcomes elsewhere.
fn lent(sizes: &[usize], rules: usize, signals: &[Signal]) -> OutcomeTable {
    let held = book(sizes, rules, signals);
    let mut lent = OutcomeTable::new(Lattice::new(sizes.to_vec()), rules);
    for (entry, signal) in held.entries().iter().zip(signals) {
        lent.push_signal(*entry, &signal.levels);
    }
    lent.set_source(Box::new(Lent { signals: signals.to_vec() }));
    lent
}

/// Returns what the tests against luck find, looking at so many bytes of outcomes at a time.
fn luck(window: &Window<'_>, bytes_max: usize) -> (GridResult, Vec<(usize, usize)>) {
    let plan =
        TestPlan { replicates: 20, active_min: 1, train: 4, step: 2, ..TestPlan::new(window.day_count(), 0) };
    let (replicates, halves, folds) = (Replicates::draw(&plan), Halves::new(&plan), plan.folds());
    let benchmarks = vec![vec![0; plan.days], vec![3; plan.days]];
    let columns = DailyColumns::in_tiles(window, bytes_max);
    let empty = || GridTests::new(&plan, &replicates, &benchmarks, &folds, &halves);
    let parts = columns.look(|tile, branch| {
        let mut tests = empty();
        tile.for_each(branch, |column, returns| tests.push(column, returns));
        tests.finish()
    });
    let result = parts.into_iter().reduce(GridResult::merge).unwrap_or_else(|| empty().finish());
    let ranks = columns.look(|tile, branch| {
        let mut ranks = Ranks::new(&plan, &halves, &result);
        tile.for_each(branch, |_, returns| ranks.push(returns));
        ranks.finish()
    });
    let sum = |mut all: Vec<(usize, usize)>, part: Vec<(usize, usize)>| {
        all.iter_mut().zip(part).for_each(|(all, part)| *all = (all.0 + part.0, all.1 + part.1));
        all
    };
    let ranks = ranks.into_iter().reduce(sum).unwrap_or_default();
    (result, ranks)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Outcomes that are brought in some exit rules at a time give the same bits: sums, day returns, tests against luck.
    #[test]
    fn the_answer_is_the_same_however_outcomes_are_cut((sizes, rules, signals) in spaces(50_000)) {
        let (held, lent) = (book(&sizes, rules, &signals), lent(&sizes, rules, &signals));
        let days = Day(0)..Day(30);
        let (whole, cut) = (held.window(days.clone()), lent.window(days));
        prop_assert_eq!(sweep_window(&whole), sweep_window(&cut));
        for rule in 0..rules {
            let pick = Pick { rule, levels: None };
            prop_assert_eq!(replay_set(&whole, pick), replay_set(&cut, pick));
        }
        let wanted = luck(&whole, usize::MAX);
        prop_assert_eq!(&luck(&whole, 1), &wanted);
        prop_assert_eq!(&luck(&cut, 1), &wanted);
    }

    #[test]
    fn every_point_of_the_sweep_equals_the_plain_loop((sizes, rules, signals) in spaces(50_000)) {
        sweep_equals_replay(&sizes, rules, &signals);
    }

    #[test]
    fn every_column_of_day_returns_equals_the_plain_loop((sizes, rules, signals) in spaces(50_000)) {
        columns_equal_replay(&sizes, rules, &signals);
    }

    /// Returns so large that 32-bit sums would overflow: the wide lanes give the same answer.
    #[test]
    fn wide_sums_equal_the_plain_loop((sizes, rules, signals) in spaces(ReturnPpm::LIMIT)) {
        sweep_equals_replay(&sizes, rules, &signals);
        figures_equal_sweeps(&sizes, rules, &signals, &[Day(7), Day(31)]);
    }

    #[test]
    fn what_is_known_before_a_cut_is_the_sweep_of_the_days_before(
        (sizes, rules, signals) in spaces(50_000),
        cuts in prop::collection::vec(0_i32..80, 0..4),
    ) {
        let mut cuts: Vec<Day> = cuts.into_iter().map(Day).collect();
        cuts.sort_unstable();
        figures_equal_sweeps(&sizes, rules, &signals, &cuts);
    }

    #[test]
    fn one_thread_equals_several((sizes, rules, signals) in spaces(50_000)) {
        let book = book(&sizes, rules, &signals);
        let window = book.window(Day(0)..Day(10_000));
        let with = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
            pool.install(|| sweep_window(&window))
        };
        prop_assert_eq!(with(1), with(4));
    }
}

#[test]
fn a_known_book_has_known_statistics() {
    let signal = |wait_hours, level, net| Signal { wait_hours, levels: vec![level], net: vec![net] };
    // Day 0: +100, -300; day 1: +50, -20 (strict), +500 (strict).
    let signals =
        [signal(1, 0, 100), signal(1, 1, -300), signal(30, 0, 50), signal(1, 1, -20), signal(1, 1, 500)];
    let book = book(&[2], 1, &signals);
    let window = book.window(Day(0)..Day(2));
    let sweep = sweep_window(&window);
    let loose = sweep.point(0, 0);
    assert_eq!((loose.trades, loose.wins, loose.win_ppm, loose.loss_ppm), (5, 3, 650, -320));
    // 100, -200, -150, -170, 330: the fall from 100 to -200.
    assert_eq!((loose.drawdown_ppm, loose.day_square_ppm2), (300, 200 * 200 + 530 * 530));
    let strict = sweep.point(0, 1);
    assert_eq!((strict.trades, strict.wins, strict.drawdown_ppm), (3, 1, 320));
}
