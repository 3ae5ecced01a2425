//! What the fingerprints of a run cover: the question that is remembered with its answer, data, files, given signals.

use std::collections::BTreeSet;

use super::active::{ActiveParameters, BarredSets, EarlierParameters};
use super::given_signals::SignalsBySymbol;
use super::incremental::data_fingerprint;
use super::input_report::{InputReport, SignalsNote, SymbolReport};
use super::memoised::cache_key;
use super::prior_state::{day_prints, reading_print, series_print};
use crate::engine::fingerprint_tests::{assert_pinned, default_plan};
use crate::engine::plan::{DayLimits, Plan, SearchSettings};
use crate::exits::Costs;
use crate::fingerprint::{Fingerprint, of_candles};
use crate::ingest::{EmptyCandles, IngestOptions, OnBadRows, OnConflict, StatedColumns};
use crate::model::{Candle, CandleSeries, Day, ExitRule, FilterValue, Interval, ParameterSet, Style};
use crate::search::strategy::{Search, SpaceAxes, Strategy};
use crate::store::records::{ParamsRecord, StoredMetrics};

fn set(score: f64) -> ParameterSet {
    let filters = vec![
        ("min_signal_score".to_owned(), FilterValue::Number(score)),
        ("allowed".to_owned(), FilterValue::Name("all".to_owned())),
    ];
    ParameterSet { exit: ExitRule { surge_factor: Some(3.0), ..ExitRule::new(2.0, 1.5, 8.0) }, filters }
}

fn earlier(run: u64, score: f64) -> EarlierParameters {
    let record = ParamsRecord {
        set: (&set(score)).into(),
        score_name: "sharpe".to_owned(),
        score: None,
        metrics: StoredMetrics::default(),
        verdict: "PASSED".to_owned(),
        run,
        adopted_at_ms: 0,
        generation: 0,
        source: "previous".to_owned(),
    };
    EarlierParameters { run, record, set: set(score) }
}

fn in_force() -> ActiveParameters {
    ActiveParameters {
        styles: vec![None, Some(set(50.0))],
        symbols: [("symbol/BTCUSDT/swing".to_owned(), set(60.0))].into(),
        barred: BarredSets {
            vetoed: [(Style::Scalping, set(70.0))].into(),
            decayed: [(Style::Scalping, vec![set(72.0)])].into(),
        },
        earlier: [(Style::Scalping, earlier(3, 73.0))].into(),
        chosen_on: [(Style::Swing, Day(20_000))].into(),
        grids: [(Style::Swing, [7; 32])].into(),
        first_looks: [(Style::Swing, Day(19_000))].into(),
    }
}

#[test]
fn a_question_covers_the_plan_the_data_and_all_that_is_in_force() {
    let plan = default_plan();
    let asked = |change: &dyn Fn(&mut ActiveParameters)| {
        let mut active = in_force();
        change(&mut active);
        cache_key(&plan, Fingerprint([1; 32]), &active)
    };
    let mut other = plan.clone();
    other.search.declared_trials = 1;
    let prints = [
        asked(&|_| ()),
        cache_key(&other, Fingerprint([1; 32]), &in_force()),
        cache_key(&plan, Fingerprint([2; 32]), &in_force()),
        asked(&|active| active.styles[1] = None),
        asked(&|active| active.styles[1] = Some(set(51.0))),
        asked(&|active| active.styles.swap(0, 1)),
        asked(&|active| active.symbols.clear()),
        asked(&|active| drop(active.symbols.insert("symbol/BTCUSDT/scalping".to_owned(), set(60.0)))),
        asked(&|active| drop(active.symbols.insert("symbol/BTCUSDT/swing".to_owned(), set(61.0)))),
        asked(&|active| active.barred.vetoed.clear()),
        asked(&|active| drop(active.barred.vetoed.insert(Style::Scalping, set(71.0)))),
        asked(&|active| active.barred.decayed.clear()),
        asked(&|active| drop(active.barred.decayed.insert(Style::Scalping, vec![set(74.0)]))),
        asked(&|active| active.earlier.clear()),
        asked(&|active| drop(active.earlier.insert(Style::Scalping, earlier(4, 73.0)))),
        asked(&|active| drop(active.earlier.insert(Style::Scalping, earlier(3, 75.0)))),
        asked(&|active| active.chosen_on.clear()),
        asked(&|active| active.chosen_on.extend([(Style::Swing, Day(20_001))])),
        asked(&|active| active.chosen_on.extend([(Style::Scalping, Day(20_000))])),
        asked(&|active| active.grids.clear()),
        asked(&|active| active.grids.extend([(Style::Swing, [8; 32])])),
        asked(&|active| active.grids.extend([(Style::Scalping, [7; 32])])),
        asked(&|active| active.first_looks.clear()),
        asked(&|active| active.first_looks.extend([(Style::Scalping, Day(19_000))])),
    ];
    assert_eq!(prints.iter().collect::<BTreeSet<_>>().len(), prints.len(), "each is another question");
    let staged = Search { strategy: Strategy::Random, budget: 1_000, seed: 1 };
    let search = SearchSettings { stages: staged, ..SearchSettings::default() };
    let axes = vec![SpaceAxes::default_of(Style::Swing)];
    let part = Plan::new(Interval::M15, axes, Costs::default(), search, DayLimits::default()).expect("sound");
    let parts = part.styles[0].asked().1;
    assert!(parts > 100, "{parts}");
    assert_eq!(in_force().grids_with(&part.styles[0], &staged), 1 + parts, "a part counts as all of them");
    // A grid that was tried before is the plan's own, or counts once more.
    let own = plan.styles[1].grid_fingerprint(&plan.search.stages).0;
    assert_eq!(prints[0], asked(&|active| active.grids.extend([(Style::Swing, own)])));
}

fn candles(from: i64, count: i64) -> CandleSeries {
    let candle = |i: i64| {
        let open = 100.0 + (i % 7) as f64;
        let open_time = from + i * 900_000;
        Candle { open_time, open, high: open + 2.0, low: open - 1.5, close: open + 0.5, volume: i as f64 }
    };
    (0..count).map(candle).collect()
}

#[test]
fn candles_and_days_have_pinned_fingerprints() {
    let series = candles(Day(20_000).start_ms(), 200);
    let bars = series.bars();
    assert_pinned(&[
        ("no candles", of_candles(bars.slice(0..0)), "0ac426e2daa50801"),
        ("candles", of_candles(bars), "799ff8f6c16b9c73"),
        ("series", series_print(&day_prints(bars)), "22e955f734891539"),
    ]);
    let print = |change: &dyn Fn(&mut Candle)| {
        let change = |i: usize| {
            let mut candle = bars.get(i);
            if i + 1 == bars.len() {
                change(&mut candle);
            }
            candle
        };
        of_candles((0..bars.len()).map(change).collect::<CandleSeries>().bars())
    };
    let prints = [
        print(&|_| ()),
        print(&|candle| candle.open_time += 900_000),
        print(&|candle| candle.open += 0.25),
        print(&|candle| candle.high += 0.25),
        print(&|candle| candle.low += 0.25),
        print(&|candle| candle.close += 0.25),
        print(&|candle| candle.volume += 0.25),
    ];
    assert_eq!(prints.iter().collect::<BTreeSet<_>>().len(), prints.len(), "every column counts");
    assert_eq!(prints[0], of_candles(bars));
}

fn symbol(name: &str, print: u8) -> SymbolReport {
    SymbolReport {
        name: name.to_owned(),
        candles: 5,
        days: Some((Day(1), Day(2))),
        issues: Vec::new(),
        last_open: 6,
        closes: vec![(Day(1), 2.5)],
        fingerprint: Fingerprint([print; 32]),
        newest_close_ms: 7,
    }
}

#[test]
fn the_data_of_a_run_is_its_symbols_candles_and_signals() {
    let note = SignalsNote {
        file: "signals.csv".to_owned(),
        rows: 1,
        counted: 2,
        duplicates: 3,
        without_candles: 4,
        before_candles: 5,
        after_candles: 6,
        outside_window: 7,
        other_styles: 8,
        fingerprint: Fingerprint([9; 32]),
        issues: Vec::new(),
    };
    let of = |symbols: &[SymbolReport], signals: Option<&SignalsNote>| {
        let (symbols, signals) = (symbols.to_vec(), signals.cloned());
        data_fingerprint(&InputReport { symbols, signals, ..InputReport::default() })
    };
    let both = [symbol("AUSDT", 1), symbol("BUSDT", 2)];
    assert_pinned(&[
        ("nothing", of(&[], None), "0b8263b3281d9c57"),
        ("candles", of(&both, None), "71d62dd4c16e6a01"),
        ("candles and signals", of(&both, Some(&note)), "472703a6d5b6bad7"),
    ]);
    let prints = [
        of(&both, None),
        of(&both, Some(&note)),
        of(&both[..1], None),
        of(&[symbol("AUSDT", 1), symbol("BUSDT", 3)], None),
        of(&[symbol("AUSDT", 1), symbol("CUSDT", 2)], None),
        of(&both, Some(&SignalsNote { fingerprint: Fingerprint([8; 32]), ..note.clone() })),
    ];
    assert_eq!(prints.iter().collect::<BTreeSet<_>>().len(), prints.len());
}

#[test]
fn the_way_files_are_read_has_a_fingerprint_of_all_that_changes_candles() {
    let read = |change: &dyn Fn(&mut IngestOptions)| {
        let mut options = IngestOptions::new(Interval::M15, 0);
        change(&mut options);
        Fingerprint(reading_print(&options))
    };
    let columns = |names: &str| {
        let words: Vec<String> = names.split(' ').map(str::to_owned).collect();
        Some(StatedColumns::parse(&words).expect("known names"))
    };
    let zone = jiff::tz::TimeZone::get("Asia/Tokyo").expect("a zone");
    let found = [
        ("as it is", read(&|_| ()), "7f6d26b6e8e7e32a"),
        ("the later counts", read(&|options| options.on_conflict = OnConflict::Last), "41f20407ba4d8cf9"),
        ("bad rows", read(&|options| options.reading.on_bad_rows = OnBadRows::Skip), "7c807a1936e9be50"),
        ("zone", read(&|options| options.reading.timezone = Some(zone.clone())), "c3ce74689285c96d"),
        (
            "columns",
            read(&|options| options.reading.columns = columns("time open high low close")),
            "3cf60b1a3961a2e6",
        ),
        (
            "other columns",
            read(&|options| options.reading.columns = columns("time open low high close")),
            "7c07722178e4732e",
        ),
        ("flat", read(&|options| options.reading.empty_candles = EmptyCandles::Flat), "719b248fc1f69c62"),
    ];
    assert_eq!(found.iter().map(|(_, print, _)| print).collect::<BTreeSet<_>>().len(), found.len());
    assert_pinned(&found);
    let other = read(&|options| {
        options.as_of_ms = 5;
        options.room_bytes = Some(5);
    });
    assert_eq!(other, found[0].1, "when and in how much memory they are read gives no other candles");
}

#[test]
fn all_given_signals_together_have_a_pinned_fingerprint() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("signals.csv");
    let read = |rows: &str| {
        std::fs::write(&file, format!("symbol,time,direction,style,score\n{rows}")).expect("written");
        let signals = SignalsBySymbol::read(&file, &default_plan(), None).expect("signals");
        signals.note(&default_plan(), &InputReport::default()).fingerprint
    };
    let rows = "AUSDT,1739268000000,short,scalping,0.04\nBUSDT,1739297700000,long,,0.71\n";
    assert_pinned(&[("signals", read(rows), "030d48cf6fc26d9e")]);
    assert_ne!(read(rows), read(&rows.replace("BUSDT", "CUSDT")));
    assert_ne!(read(rows), read(&rows.replace("0.71", "0.72")));
}
