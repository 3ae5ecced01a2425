//! The fills of freqtrade: against cases worked out by hand from its rules, and against trades that it made.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use retune::exits::{Costs, ExitPlan, Fills, Position, TradeCosts};
use retune::model::{
    Candle, CandleSeries, Direction, ExitReason, ExitRule, Interval, Outcome, Outcomes, Symbol,
};
use serde_json::Value;

fn costs(fee: f64, funding_per_8h: f64, fills: Fills) -> TradeCosts {
    let costs = Costs { taker_fee: fee, maker_fee: fee, funding_per_8h, fills, ..Costs::free() };
    costs.of(&Symbol::parse("X").expect("a name"))
}

fn series(candles: impl Iterator<Item = (i64, [f64; 4])>) -> CandleSeries {
    let mut series = CandleSeries::new(Interval::M15);
    for (open_time, [open, high, low, close]) in candles {
        series.push(Candle { open_time, open, high, low, close, volume: 1.0 });
    }
    series
}

fn outcome(
    series: &CandleSeries,
    entry: usize,
    direction: Direction,
    rule: ExitRule,
    costs: &TradeCosts,
    exit_at: Option<u16>,
) -> Outcome {
    let position = Position { bars: series.bars(), entry, direction, atr: 1.0, score: None, exit_at };
    let mut found = Outcomes::new(1);
    ExitPlan::new(vec![rule], Interval::M15).expect("a plan").pass().outcomes(&position, costs, &mut found);
    *found.row(0).of(0)
}

/// Targets, stop and trailing stop in percent of the stake.
fn plain() -> ExitRule {
    ExitRule { take_profit_pct: Some(4.0), stop_loss_pct: Some(3.0), ..ExitRule::holding(1.0) }
}

fn trailing() -> ExitRule {
    ExitRule {
        trailing_pct: Some(1.0),
        trailing_offset_pct: Some(2.0),
        trailing_only_offset: Some(1.0),
        ..plain()
    }
}

/// Entry at 100, a fee of 0.1 % a side. A long that is closed at a price p has p x 0.999 of 100.1, a short 1.001 p of 99.9.
#[test]
fn the_cases_worked_out_by_hand_agree() {
    use Direction::{Long, Short};
    use ExitReason::{ExitSignal, Roi, Stop, StopGap, Time, TrailingStop};
    const QUIET: [f64; 4] = [100.0, 100.5, 99.5, 100.2];
    let step =
        |minutes, target| ExitRule { roi_minutes_2: Some(minutes), roi_pct_2: Some(target), ..plain() };
    let leveraged =
        ExitRule { take_profit_pct: Some(20.0), stop_loss_pct: Some(15.0), leverage: Some(5.0), ..plain() };
    let soon = ExitRule { trailing_only_offset: Some(0.0), ..trailing() };
    let with_step = ExitRule { roi_minutes_2: Some(15.0), roi_pct_2: Some(2.0), ..trailing() };
    let bare = ExitRule { take_profit_pct: None, stop_loss_pct: None, exit_signal: Some(1.0), ..plain() };
    type Case<'a> = (Direction, ExitRule, &'a [[f64; 4]], (i32, u16, ExitReason));
    let cases: &[Case<'_>] = &[
        // A target is a net profit: 104.204 closes at 104.1 of 100.1; 104.2 makes 3.99 %.
        (Long, plain(), &[[100.0, 104.21, 99.9, 104.0]], (39_960, 1, Roi)),
        (Long, plain(), &[[100.0, 104.2, 99.9, 104.0]], (37_922, 1, Time)),
        (Short, plain(), &[[100.0, 100.1, 95.7, 96.0]], (40_040, 1, Roi)),
        (Long, leveraged, &[[100.0, 104.21, 99.9, 104.0]], (39_960, 1, Roi)),
        // A stop is filled at its price, 97, though the candle opens beyond, unless all of it lies beyond.
        (Long, plain(), &[QUIET, [96.0, 98.0, 95.0, 97.5]], (-31_938, 2, Stop)),
        (Long, plain(), &[QUIET, [96.0, 96.5, 95.0, 96.0]], (-41_918, 2, StopGap)),
        (Long, leveraged, &[QUIET, [98.0, 98.0, 95.0, 97.5]], (-31_938, 2, Stop)),
        // 103 of a short.
        (Short, plain(), &[QUIET, [100.0, 103.5, 99.0, 103.0]], (-32_062, 2, Stop)),
        // The stop before the target.
        (Long, plain(), &[[100.0, 105.0, 96.5, 101.0]], (-31_938, 1, Stop)),
        // The high moves the stop to 101.97 before the low is looked at; in the entry candle it is worth 101 at most.
        (Long, trailing(), &[QUIET, [100.2, 103.0, 100.1, 102.8]], (17_663, 2, TrailingStop)),
        (Long, trailing(), &[[100.0, 103.0, 99.5, 102.5]], (7_982, 1, TrailingStop)),
        // 102.1 is less than 2 % after fees, and does not move it.
        (Long, trailing(), &[QUIET, [100.2, 102.1, 100.1, 102.0]], (17_962, 2, Time)),
        // Without waiting the stop itself trails: 3 % below 102, 98.94.
        (
            Long,
            soon,
            &[QUIET, [100.2, 102.0, 99.5, 101.0], [100.0, 100.5, 98.5, 99.0]],
            (-12_577, 3, TrailingStop),
        ),
        // The target comes before a stop that has moved.
        (Long, with_step, &[QUIET, [100.2, 103.0, 100.1, 102.8]], (19_980, 2, Roi)),
        // A step that begins with the candle is filled at its open, one that began within the last at its price or the low.
        (Long, step(15.0, 1.0), &[QUIET, [102.0, 102.5, 101.5, 102.0]], (17_962, 2, Roi)),
        (Long, step(14.0, 1.0), &[QUIET, [102.0, 102.5, 101.5, 102.0]], (12_972, 2, Roi)),
        (Long, bare, &[QUIET, [101.0, 120.0, 50.0, 102.0]], (7_982, 2, ExitSignal)),
    ];
    let costs = costs(0.001, 0.0, Fills::Freqtrade);
    for (direction, rule, candles, (net, bars, reason)) in cases {
        let rule = ExitRule { hold_hours: candles.len() as f64 / 4.0, ..*rule };
        let series = series(candles.iter().enumerate().map(|(i, candle)| (i as i64 * 900_000, *candle)));
        let found = outcome(&series, 0, *direction, rule, &costs, Some(1));
        assert_eq!((found.bars_held, found.reason), (*bars, *reason), "{rule:?} {candles:?}");
        assert!((found.net.0 - net).abs() <= 1, "{} is not {net}: {rule:?} {candles:?}", found.net.0);
        assert_eq!((found.best_case, found.ambiguous), (found.net, false));
    }
}

/// At the instant of the entry too, by longs to shorts, of what the position is worth then.
#[test]
fn funding_is_paid_by_longs_and_received_by_shorts() {
    let costs = costs(0.001, 0.001, Fills::Freqtrade);
    let rule = ExitRule { hold_hours: 0.25, ..plain() };
    let series = series([(0, [100.0, 100.5, 99.5, 100.0])].into_iter());
    for (direction, net) in [(Direction::Long, -2_997), (Direction::Short, -1_001)] {
        let found = outcome(&series, 0, direction, rule, &costs, None);
        assert!((found.net.0 - net).abs() <= 1, "{direction:?}: {}", found.net.0);
    }
}

#[test]
fn what_freqtrade_does_not_have_is_filled_as_ever() {
    let candles = [[100.0, 101.5, 99.5, 101.2], [99.0, 99.5, 96.0, 97.0]];
    let series = series(candles.into_iter().enumerate().map(|(i, candle)| (i as i64 * 900_000, candle)));
    let rule = ExitRule { break_even_atr: Some(1.0), hold_hours: 0.5, ..ExitRule::new(5.0, 2.0, 0.5) };
    let of = |fills| outcome(&series, 0, Direction::Long, rule, &costs(0.001, 0.0, fills), None);
    assert_eq!(of(Fills::Freqtrade), of(Fills::Pessimistic));
    assert_eq!(of(Fills::Freqtrade).reason, ExitReason::StopGap);
}

/// The trades of a real backtest of 31 days: targets that fall, stop, trailing stop, funding of 0.01 %. Every one ends in the same candle
/// for the same reason. Returns differ by the exchange's price steps, which freqtrade rounds exits to and which no candle file has.
#[test]
fn the_trades_of_a_real_backtest_agree() {
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared");
    let file = shared.join("fixtures/freqtrade/backtest-result-2026-11-30_02-38-45.zip");
    let Ok(file) = std::fs::File::open(file) else { return };
    let mut archive = zip::ZipArchive::new(file).expect("a zip");
    let mut text = String::new();
    let mut member = archive.by_name("backtest-result-2026-11-30_02-38-45.json").expect("the result");
    member.read_to_string(&mut text).expect("text");
    let result: Value = serde_json::from_str(&text).expect("JSON");
    let trades = result["strategy"]["DemoStrat"]["trades"].as_array().expect("trades").clone();
    let mut candles: BTreeMap<String, CandleSeries> = BTreeMap::new();
    let rule = ExitRule {
        roi_pct: Some(4.0),
        roi_minutes_2: Some(60.0),
        roi_pct_2: Some(2.0),
        roi_minutes_3: Some(240.0),
        roi_pct_3: Some(0.0),
        take_profit_pct: None,
        hold_hours: 48.0,
        ..trailing()
    };
    let costs = costs(0.0005, 0.0001, Fills::Freqtrade);
    let mut widest: f64 = 0.0;
    for trade in &trades {
        let pair = trade["pair"].as_str().expect("a pair").replace("/USDT:USDT", "USDT");
        let series = candles.entry(pair.clone()).or_insert_with(|| {
            let path = shared.join(format!("data/candles/binance-um/{pair}-15m.csv"));
            let text = std::fs::read_to_string(path).expect("the candles of the backtest");
            let row = |line: &str| {
                let cells: Vec<&str> = line.split(',').collect();
                let price = |at: usize| cells[at].parse().expect("a price");
                (cells[0].parse().expect("a time"), [1, 2, 3, 4].map(price))
            };
            series(text.lines().skip(1).map(row))
        });
        let bars = series.bars();
        let at = bars.index_at(trade["open_timestamp"].as_i64().expect("a time"));
        let direction = if trade["is_short"] == true { Direction::Short } else { Direction::Long };
        let found = outcome(series, at, direction, rule, &costs, None);
        let reason = match found.reason {
            ExitReason::Roi => "roi",
            ExitReason::Stop | ExitReason::StopGap => "stop_loss",
            ExitReason::TrailingStop => "trailing_stop_loss",
            _ => "another",
        };
        let closed = bars.open_time[at + usize::from(found.bars_held) - 1];
        let expected = (trade["exit_reason"].as_str(), trade["close_timestamp"].as_i64());
        assert_eq!((Some(reason), Some(closed)), expected, "{trade}");
        let profit = trade["profit_ratio"].as_f64().expect("a profit");
        widest = widest.max((f64::from(found.net.0) / 1e6 - profit).abs());
    }
    assert_eq!(trades.len(), 122);
    // A step of SOL is a hundredth of some 130.
    assert!(widest < 0.01 / 110.0, "{widest}");
}
