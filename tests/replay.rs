//! Sets traded as a bot trades them: against plain walks, against what is known only later, on the sample.

use std::collections::BTreeSet;
use std::path::Path;

use proptest::prelude::*;
use retune::config::Config;
use retune::engine::plan::DayLimits;
use retune::engine::projection::evaluate_day;
use retune::evaluate::lattice::Lattice;
use retune::evaluate::outcome_table::{Entry, OutcomeTable};
use retune::evaluate::portfolio::{Cooldown, Course, PortfolioLimits, SkipReason, follow_signals};
use retune::evaluate::replay::{Pick, replay_set, results_of_trades, taken_signals};
use retune::evaluate::uniqueness::{average_uniqueness, effective_trades};
use retune::features::frame::MarketSeries;
use retune::ingest::{IngestOptions, discover, load_symbol};
use retune::model::{
    Bars, CandleSeries, Day, Direction, ExitReason, ExitRule, HOUR_MS, Interval, Outcome, Outcomes,
    ReturnPpm, Setup, Style,
};
use retune::signals::candidates::candidates_of_day;
use retune::study::assembly::{SymbolDays, outcome_table_of};
use retune::study::portfolio::Traded;
use serde_json::Value;

use crate::command::StoreDir;
use crate::pipeline::{run, sample_dir};

const BAR_MS: i64 = HOUR_MS;

#[derive(Debug, Clone, Copy)]
struct Signal {
    wait_bars: i64,
    symbol: u16,
    bars_held: u16,
    net: i32,
}

/// A book of one exit rule; entries ascend by time, then symbol.
fn book(signals: &[Signal]) -> OutcomeTable {
    let mut now = 0;
    let mut placed = Vec::new();
    for signal in signals {
        now += signal.wait_bars * BAR_MS;
        placed.push((now, signal.symbol, signal));
    }
    placed.sort_by_key(|(at, symbol, _)| (*at, *symbol));
    let mut book = OutcomeTable::new(Lattice::new(Vec::new()), 1);
    for (entry_ms, symbol, signal) in placed {
        let entry = Entry { entry_ms, symbol, direction: Direction::Long, setup: Setup::Pullback };
        let outcome = Outcome {
            net: ReturnPpm(signal.net),
            best_case: ReturnPpm(signal.net),
            gross: ReturnPpm(signal.net),
            bars_held: signal.bars_held,
            reason: ExitReason::Time,
            ambiguous: false,
        };
        let mut outcomes = Outcomes::new(1);
        outcomes.push_each(&[outcome]);
        book.push(entry, &[], outcomes.row(0));
    }
    book
}

fn walk(book: &OutcomeTable, limits: &PortfolioLimits) -> Course {
    let all: Vec<usize> = (0..book.entries().len()).collect();
    follow_signals(book, 0, &all, limits, BAR_MS)
}

fn until_ms(book: &OutcomeTable, signal: usize) -> i64 {
    book.entries()[signal].entry_ms + i64::from(book.under(0).of(signal).bars_held) * BAR_MS
}

/// The same walk, with the whole past looked through for every signal.
fn plain_walk(book: &OutcomeTable, limits: &PortfolioLimits) -> Vec<usize> {
    let mut trades: Vec<usize> = Vec::new();
    let symbol = |signal: &usize| book.entries()[*signal].symbol;
    let net = |signal: &usize| i64::from(book.under(0).net(*signal).0);
    for signal in 0..book.entries().len() {
        let now = book.entries()[signal].entry_ms;
        let (mut closed, open): (Vec<usize>, Vec<usize>) =
            trades.iter().copied().partition(|trade| until_ms(book, *trade) <= now);
        closed.sort_by_key(|trade| (until_ms(book, *trade), symbol(trade), *trade));
        let own = |trade: &&usize| symbol(trade) == symbol(&signal);
        let (mut losses, mut paused_until) = (0, 0);
        for trade in closed.iter().filter(own) {
            losses = if net(trade) < 0 { losses + 1 } else { 0 };
            if let Some(cooldown) = limits.cooldown.filter(|cooldown| cooldown.losses == losses) {
                (losses, paused_until) = (0, until_ms(book, *trade) + cooldown.pause_ms);
            }
        }
        let today = closed.iter().filter(|trade| Day::of(until_ms(book, **trade) - 1) == Day::of(now));
        let loss = -today.map(net).sum::<i64>();
        let room = |count: usize, limit: Option<u32>| limit.is_none_or(|limit| count < limit as usize);
        if room(open.iter().filter(own).count(), limits.per_symbol)
            && room(open.len(), limits.positions)
            && now >= paused_until
            && limits.day_loss_ppm.is_none_or(|limit| loss < limit)
        {
            trades.push(signal);
        }
    }
    trades
}

fn signals() -> impl Strategy<Value = Vec<Signal>> {
    let signal = (0_i64..4, 0_u16..3, 1_u16..9, -20_000..=20_000)
        .prop_map(|(wait_bars, symbol, bars_held, net)| Signal { wait_bars, symbol, bars_held, net });
    prop::collection::vec(signal, 0..80)
}

fn limits() -> impl Strategy<Value = PortfolioLimits> {
    let count = || prop::option::of(1_u32..4);
    let cooldown = (1_u32..4, 1_i64..30)
        .prop_map(|(losses, bars)| Cooldown { losses, pause_ms: bars * BAR_MS - BAR_MS / 2 });
    (count(), count(), prop::option::of(cooldown), prop::option::of(1_i64..60_000)).prop_map(
        |(per_symbol, positions, cooldown, day_loss_ppm)| PortfolioLimits {
            per_symbol,
            positions,
            cooldown,
            day_loss_ppm,
        },
    )
}

proptest! {
    #[test]
    fn a_walk_equals_one_that_looks_through_the_whole_past(signals in signals(), limits in limits()) {
        let book = book(&signals);
        let course = walk(&book, &limits);
        prop_assert_eq!(&course.trades, &plain_walk(&book, &limits));
        let lost: u64 = course.lost.iter().sum();
        prop_assert_eq!(course.trades.len() as u64 + lost, signals.len() as u64);
    }

    #[test]
    fn what_comes_later_changes_nothing_before(signals in signals(), limits in limits(), cut in 0_usize..80) {
        let book = book(&signals);
        let all: Vec<usize> = (0..book.entries().len()).collect();
        let known = &all[..cut.min(all.len())];
        let early = follow_signals(&book, 0, known, &limits, BAR_MS).trades;
        let whole = walk(&book, &limits).trades;
        prop_assert_eq!(&early, &whole[..whole.partition_point(|trade| *trade < known.len())]);
    }

    #[test]
    fn without_limits_every_signal_is_a_trade(signals in signals()) {
        let book = book(&signals);
        let window = book.window(Day(0)..Day(i32::MAX));
        let pick = Pick { rule: 0, levels: None };
        let course = walk(&book, &PortfolioLimits::NONE);
        prop_assert_eq!(&course.trades, &taken_signals(&window, pick));
        prop_assert_eq!(course.lost, [0; SkipReason::ALL.len()]);
        let independent = replay_set(&window, pick);
        prop_assert_eq!(results_of_trades(&book, 0, &course.trades), (independent.point, independent.daily_ppm));
    }
}

#[test]
fn each_limit_loses_signals_for_its_own_reason() {
    let signal = |wait_bars, symbol, bars_held, net| Signal { wait_bars, symbol, bars_held, net };
    // Symbol 0 loses, loses, wins, wins; the second signal falls into its first trade. Symbol 1 trades beside it.
    let book = book(&[
        signal(0, 0, 2, -10),
        signal(1, 0, 1, 5),
        signal(0, 1, 9, 7),
        signal(1, 0, 1, -10),
        signal(1, 0, 1, 5),
        signal(3, 0, 1, 5),
    ]);
    let of = |limits: PortfolioLimits| {
        let course = walk(&book, &limits);
        (course.trades, course.lost)
    };
    assert_eq!(of(PortfolioLimits::NONE), (vec![0, 1, 2, 3, 4, 5], [0, 0, 0, 0]));
    assert_eq!(of(PortfolioLimits::default()), (vec![0, 2, 3, 4, 5], [1, 0, 0, 0]));
    let cooldown = Some(Cooldown { losses: 2, pause_ms: 3 * BAR_MS });
    assert_eq!(
        of(PortfolioLimits { cooldown, ..PortfolioLimits::default() }),
        (vec![0, 2, 3, 5], [1, 1, 0, 0])
    );
    assert_eq!(
        of(PortfolioLimits { positions: Some(1), ..PortfolioLimits::default() }),
        (vec![0, 3, 4, 5], [1, 0, 1, 0])
    );
    let day_loss_ppm = Some(20);
    assert_eq!(
        of(PortfolioLimits { day_loss_ppm, ..PortfolioLimits::default() }),
        (vec![0, 2, 3], [1, 0, 0, 2])
    );
}

/// The one-position case of the fixture f12: entry and exit bars, and what is taken.
#[test]
fn the_one_position_case_agrees() {
    const SPANS: [(i64, i64); 15] = [
        (6, 16),
        (17, 19),
        (25, 27),
        (36, 45),
        (38, 43),
        (40, 48),
        (42, 48),
        (43, 53),
        (46, 48),
        (51, 59),
        (52, 54),
        (54, 57),
        (54, 63),
        (55, 59),
        (57, 67),
    ];
    let case = |spans: &[(i64, i64)]| {
        let mut before = 0;
        let signal = |(from, to): &(i64, i64)| {
            let wait_bars = from - before;
            before = *from;
            Signal { wait_bars, symbol: 0, bars_held: (to - from) as u16, net: 1 }
        };
        walk(&book(&spans.iter().map(signal).collect::<Vec<_>>()), &PortfolioLimits::default()).trades
    };
    assert_eq!(case(&SPANS), [0, 1, 2, 3, 8, 9]);
    let fixture = "../shared/fixtures/statistics/f12_overlap.json";
    let Ok(text) = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(fixture)) else {
        return;
    };
    let document: Value = serde_json::from_str(&text).expect("JSON");
    let one = &document["one_position"];
    let numbers = |value: &Value| -> Vec<i64> {
        value.as_array().expect("a list").iter().map(|v| v.as_i64().expect("a number")).collect()
    };
    let spans: Vec<(i64, i64)> = one["signals_entry_exit"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|span| (numbers(span)[0], numbers(span)[1]))
        .collect();
    let wanted: Vec<usize> = numbers(&one["taken"]).into_iter().map(|n| n as usize).collect();
    assert_eq!(case(&spans), wanted);
    for case in ["afml", "random"] {
        let case = &document[case];
        // The fixture's spans hold their last bar.
        let spans: Vec<(i64, i64)> = case["spans"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|span| (numbers(span)[0], numbers(span)[1] + 1))
            .collect();
        let wanted = case["uniq"].as_array().expect("a list").iter().filter_map(Value::as_f64);
        for (found, wanted) in average_uniqueness(&spans).into_iter().zip(wanted) {
            assert!((found - wanted).abs() < 1e-12, "{found} is not {wanted}");
        }
    }
}

#[test]
fn trades_that_overlap_are_worth_less_and_only_on_one_symbol() {
    let signal = |wait_bars, symbol| Signal { wait_bars, symbol, bars_held: 4, net: 1 };
    let worth = |signals: &[Signal]| {
        let book = book(signals);
        let all: Vec<usize> = (0..signals.len()).collect();
        effective_trades(&book, 0, &all, BAR_MS)
    };
    assert_eq!(worth(&[signal(0, 0), signal(4, 0)]), 2.0);
    assert_eq!(worth(&[signal(0, 0), signal(0, 1)]), 2.0);
    assert_eq!(worth(&[signal(0, 0), signal(0, 0)]), 1.0);
    assert_eq!(worth(&[signal(0, 0), signal(2, 0)]), 1.5);
}

/// Follows one symbol candle by candle: a position at most, closed by a price or by time. Returns entry times.
fn candle_walk(bars: Bars<'_>, signals: &[(i64, Direction, f64)], rule: &ExitRule) -> Vec<i64> {
    let hold_bars = Interval::M15.bars_in_hours(rule.hold_hours);
    let mut entries = Vec::new();
    let mut position: Option<(usize, Direction, f64)> = None;
    for i in 0..bars.len() {
        if position.is_none() {
            let signal = signals.iter().find(|(at, _, _)| *at == bars.open_time[i]);
            position = signal.map(|(at, direction, atr)| {
                entries.push(*at);
                (i, *direction, *atr)
            });
        }
        let Some((entry, direction, atr)) = position else { continue };
        let side = direction.sign();
        let (best, worst) = match direction {
            Direction::Long => (bars.high[i], bars.low[i]),
            Direction::Short => (bars.low[i], bars.high[i]),
        };
        let open = bars.open[entry];
        let target = side * best > side * (open + side * rule.take_profit_atr.expect("in ATR") * atr);
        let stop = side * worst <= side * (open - side * rule.stop_atr.expect("in ATR") * atr);
        if target || stop || i + 1 - entry == hold_bars {
            position = None;
        }
    }
    entries
}

#[test]
fn one_position_per_symbol_is_what_a_walk_along_the_candles_gives() {
    let plan = Config::default().plan(&Style::ALL, DayLimits::default()).expect("sound");
    let options = IngestOptions::new(Interval::M15, 1_767_225_600_000);
    let catalog = discover(&[sample_dir()], &options).expect("the sample is there");
    let loaded: Vec<CandleSeries> = catalog
        .symbols
        .iter()
        .map(|sources| load_symbol(sources, &options).expect("the sample loads").series)
        .collect();
    let mut symbols = Vec::new();
    let mut found = Vec::new();
    for (index, (series, sources)) in loaded.iter().zip(&catalog.symbols).enumerate() {
        let (market, costs) = (MarketSeries::new(series.bars()), plan.costs.of(&sources.symbol));
        let first = Day::of(series.bars().open_time[0]).0;
        let days: Vec<Day> = (first + 40..first + 120).map(Day).collect();
        let blocks = days.iter().map(|day| evaluate_day(&market, *day, None, &plan, &costs)).collect();
        symbols.push(SymbolDays { symbol: index as u16, blocks });
        found.push(days.iter().flat_map(|day| candidates_of_day(&market, *day)).collect::<Vec<_>>());
    }
    let mut lost = 0;
    for (index, style) in plan.styles.iter().enumerate() {
        let book = outcome_table_of(&symbols, index, style);
        let everything: Vec<usize> = (0..book.entries().len()).collect();
        for rule in [0, 13, 26] {
            let trades =
                follow_signals(&book, rule, &everything, &PortfolioLimits::default(), plan.interval.ms())
                    .trades;
            assert!(trades.len() > 50, "{} trades", trades.len());
            lost += everything.len() - trades.len();
            for (symbol, series) in loaded.iter().enumerate() {
                let own = |signal: &&usize| usize::from(book.entries()[**signal].symbol) == symbol;
                let atr = |entry: &Entry| {
                    let candidate = found[symbol].iter().find(|candidate| {
                        let at = series.bars().open_time[candidate.row.pulse.index] + plan.interval.ms();
                        (at, candidate.direction, candidate.setup)
                            == (entry.entry_ms, entry.direction, entry.setup)
                    });
                    candidate.expect("every signal is a candidate").row.pulse.indicators.atr_14
                };
                let signals: Vec<(i64, Direction, f64)> = everything
                    .iter()
                    .filter(own)
                    .map(|signal| &book.entries()[*signal])
                    .map(|entry| (entry.entry_ms, entry.direction, atr(entry)))
                    .collect();
                let walked = candle_walk(series.bars(), &signals, &style.space.rules()[rule]);
                let traded: Vec<i64> =
                    trades.iter().filter(own).map(|signal| book.entries()[*signal].entry_ms).collect();
                assert_eq!(traded, walked, "rule {rule} on symbol {symbol}");
            }
        }
    }
    assert!(lost > 20, "{lost} signals fall into open positions");
}

#[test]
fn kinds_of_market_are_those_of_the_symbol_asked_for_or_of_the_first() {
    let of = |symbol: &str| {
        let text = format!("[validate]\nquick = true\nregime_symbol = \"{symbol}\"");
        let config = Config::from_texts(&[("test".to_owned(), text)]).expect("sound");
        let plan = config.plan(&[Style::Swing], DayLimits::default()).expect("sound");
        let report = run(&[sample_dir()], None, &plan, 2);
        let style = &report.styles[0];
        (style.evidence.regimes.expect("known after 90 days"), style.series.candidate_ppm.clone())
    };
    let (alpha, daily) = of("ALPHAUSDT");
    let days: u64 = alpha.results.iter().map(|results| results.days).sum();
    // The first 90 days of the candles tell what is usual.
    assert_eq!(days as usize, daily.len() - 90);
    let net: f64 = alpha.results.iter().map(|results| results.net_pct).sum();
    let known: i64 = daily[90..].iter().sum();
    assert!((net - known as f64 / 10_000.0).abs() < 1e-9);
    assert_eq!(of("BTCUSDT").0, alpha, "not among the symbols");
    assert_ne!(of("BRAVOUSDT").0, alpha);
}

#[test]
fn a_stored_run_says_what_the_run_said() {
    let store = StoreDir::missing();
    let arguments = ["incremental", "--data", "tests/sample", "--exit-zero", "--progress", "none"];
    let output = store.run(&[arguments.as_slice(), &["--json"]].concat());
    let said: Value = serde_json::from_slice(&output.stdout).expect("a document");
    let stored = store.json(&["inspect", "run", "1"]);
    for style in ["scalping", "swing"] {
        let evidence = &said["data"]["styles"][style]["evidence"];
        assert_eq!(*evidence, stored["data"]["styles"][style]["evidence"]);
        let best = &evidence["portfolio_simulation"]["candidate"];
        let metrics = &said["data"]["styles"][style]["decision"]["candidate"]["metrics"];
        for (own, other) in [
            ("trades", "trades"),
            ("win_rate", "win_rate"),
            ("mean_pct", "expectancy_pct"),
            ("net_pct", "total_return_pct"),
            ("drawdown_pct", "max_drawdown_pct"),
        ] {
            assert_eq!(best["independent"][own], metrics[other], "{own}");
        }
        assert!(best["traded"]["trades"].as_u64() < best["independent"]["trades"].as_u64());
        assert_eq!(evidence["regimes"]["regimes"].as_object().map(serde_json::Map::len), Some(4));
        let text = store.stdout(&["inspect", "run", "1"]);
        assert!(text.contains("candidate, traded") && text.contains("PORTFOLIO SIMULATION:"), "{text}");
        assert!(text.contains("REGIMES earns in"), "{text}");
    }
}

/// Returns what becomes of the best sets of the sample under a configuration, by style.
fn traded(portfolio: &str) -> Vec<Traded> {
    let text = format!("[validate]\nquick = true\n[portfolio]\n{portfolio}");
    let config = Config::from_texts(&[("test".to_owned(), text)]).expect("sound");
    let plan = config.plan(&Style::ALL, DayLimits::default()).expect("sound");
    let report = run(&[sample_dir()], None, &plan, 2);
    report.styles.into_iter().map(|style| style.evidence.traded.expect("a best set")).collect()
}

#[test]
fn every_limit_matters_somewhere_on_the_sample() {
    let portfolios = [
        "",
        "positions_per_symbol = 0",
        "max_positions = 1",
        "cooldown_losses = 1",
        "cooldown_losses = 2",
        "cooldown_losses = 1\ncooldown = \"2d\"",
        "max_daily_loss_pct = 0.1",
    ];
    let results: Vec<Vec<Traded>> = portfolios.iter().map(|text| traded(text)).collect();
    for (a, one) in results.iter().enumerate() {
        for (b, other) in results.iter().enumerate().skip(a + 1) {
            assert_ne!(one, other, "{:?} and {:?}", portfolios[a], portfolios[b]);
        }
        for (style, first) in one.iter().zip(&results[0]) {
            assert_eq!(style.best.independent, first.best.independent, "the search knows no portfolio");
            let lost: u64 = style.best.lost.iter().sum();
            assert_eq!(style.best.traded.trades + lost, style.best.independent.trades);
        }
    }
    let free = &results[1];
    assert!(free.iter().all(|style| style.best.traded == style.best.independent));
    let reasons: BTreeSet<usize> = results
        .iter()
        .flatten()
        .flat_map(|style| (0..SkipReason::ALL.len()).filter(|reason| style.best.lost[*reason] > 0))
        .collect();
    assert_eq!(reasons.len(), SkipReason::ALL.len(), "every reason occurs");
}
