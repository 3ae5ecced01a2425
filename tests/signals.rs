//! Signals that are given: the same answer as when they are derived, the same promises of reuse, and every row counted.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::atomic::AtomicBool;

use retune::config::Config;
use retune::documents::run::RunDocument;
use retune::engine::day::DayBlock;
use retune::engine::entries::EntrySource;
use retune::engine::plan::{DayLimits, Plan};
use retune::engine::projection::evaluate_day;
use retune::exits::Costs;
use retune::features::frame::MarketSeries;
use retune::ingest::{IngestOptions, OnConflict, ReadingOptions, SignalsFile, discover, load_symbol};
use retune::model::{
    Bars, Candle, CandleSeries, Day, Direction, GivenSignal, GivenSignals, Interval, MINUTE_MS, Setup, Style,
    Symbol, rfc3339,
};
use retune::run::losses::SymbolLosses;
use retune::run::report::RunReport;
use retune::run::{RunOptions, incremental};
use retune::search::space::SearchSpace;
use retune::signals::candidates::candidates_of_day;
use retune::signals::given::given_of_day;

use crate::command::{StoreDir, text};
use crate::incremental::{assert_same, copy_without_cache};
use crate::pipeline::sample_dir;

/// 2027-01-01: after every candle, and long after every file of these tests was written.
const NOW_MS: i64 = 1_798_761_600_000;

/// The candles of the sample.
fn sample() -> Vec<(Symbol, CandleSeries)> {
    let options = IngestOptions::new(Interval::M15, NOW_MS);
    let catalog = discover(&[sample_dir()], &options).expect("the sample is there");
    let load = |sources| {
        let loaded = load_symbol(sources, &options).expect("the sample loads");
        (loaded.symbol, loaded.series)
    };
    catalog.symbols.iter().map(load).collect()
}

fn given_sample() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/signals.csv")
}

/// Returns the lines of the given sample: the header, and the rows.
fn given_rows() -> (String, Vec<String>) {
    let text = fs::read_to_string(given_sample()).expect("the committed signals");
    let mut lines = text.lines().map(str::to_owned);
    (lines.next().expect("a header"), lines.collect())
}

struct Lab {
    folder: tempfile::TempDir,
}

impl Lab {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder") }
    }

    fn signals(&self) -> PathBuf {
        self.folder.path().join("given.csv")
    }

    fn write(&self, header: &str, rows: &[String]) {
        fs::write(self.signals(), format!("{header}\n{}\n", rows.join("\n"))).expect("written");
    }

    fn store(&self) -> PathBuf {
        self.folder.path().join("store")
    }

    fn run_with(&self, plan: &Plan, signals: Option<PathBuf>, remember: bool) -> RunReport {
        self.run_in(plan, signals, remember.then(|| self.store()))
    }

    fn run_in(&self, plan: &Plan, signals: Option<PathBuf>, store: Option<PathBuf>) -> RunReport {
        let options = RunOptions {
            data: vec![sample_dir()],
            signals,
            store: store.map(Into::into),
            profile: "default".to_owned(),
            on_conflict: OnConflict::Refuse,
            now_ms: NOW_MS,
            config_toml: String::new(),
            full: false,
            cache_bytes: 64 << 20,
            memory_bytes: None,
            time_budget: None,
        };
        incremental(plan, &options, &AtomicBool::new(false), &|_| ()).expect("a run")
    }

    fn run(&self, plan: &Plan) -> RunReport {
        self.run_with(plan, Some(self.signals()), true)
    }

    /// Runs, and asserts that on a store without a cache it is the same.
    fn run_as_from_scratch(&self, plan: &Plan, when: &str) -> RunReport {
        let beside = self.folder.path().join("beside");
        copy_without_cache(&self.store(), &beside);
        let scratch = self.run_in(plan, Some(self.signals()), Some(beside));
        let run = self.run(plan);
        assert_same(&run, &scratch, when);
        run
    }

    fn scratch(&self, plan: &Plan) -> RunReport {
        self.run_with(plan, Some(self.signals()), false)
    }
}

fn plan_of(text: &str, days: DayLimits) -> Plan {
    let text = format!(
        "[decide]\nrequire = \"stable\"\n[search]\nscore = \"balanced\"\nrank = \"plateau\"\nmin_trades = 10\n{text}"
    );
    let config = Config::from_texts(&[("test".to_owned(), text)]).expect("sound");
    config.plan(&Style::ALL, days).expect("sound")
}

/// A plan on given signals with levels of the user's own score in both styles.
fn plan(levels: &str) -> Plan {
    let filter = |style: &str| {
        format!("[[style.{style}.filters]]\ncolumn = \"signals.my_score\"\nat_least = {levels}\n")
    };
    let text = format!("[signals]\nfile = \"x\"\n{}{}", filter("scalping"), filter("swing"));
    plan_of(&text, DayLimits::default())
}

fn reasons(report: &RunReport) -> Vec<(&'static str, u64)> {
    report.reasons().into_iter().collect()
}

/// The default dimensions by name, so that they act on given signals as they do on derived ones.
fn default_space_by_name() -> String {
    let mut text = "[signals]\nfile = \"x\"\n".to_owned();
    for style in Style::ALL {
        text.push_str(&format!("[style.{style}.space]\n"));
        for dimension in SearchSpace::default_dimensions(style) {
            let shown = |level: &retune::search::space::ThresholdLevel| match &level.shown {
                retune::model::FilterValue::Number(value) => format!("{value:?}"),
                retune::model::FilterValue::Name(name) => format!("{name:?}"),
            };
            let levels: Vec<String> = dimension.levels().iter().map(shown).collect();
            text.push_str(&format!("{} = [{}]\n", dimension.key(), levels.join(", ")));
        }
    }
    text
}

/// Derived signals of some candles as rows of a file, with the time as `time_of` writes it.
fn derived_rows(symbol: &Symbol, bars: Bars<'_>, time_of: fn(i64) -> String) -> Vec<String> {
    let market = MarketSeries::new(bars);
    let days = Day::of(bars.open_time[0]).0..=Day::of(bars.open_time[bars.len() - 1]).0;
    let row = |candidate: &retune::signals::candidates::Candidate| {
        let time = time_of(candidate.row.candle.open_time);
        let side = if candidate.direction == Direction::Long { "buy" } else { "sell" };
        format!("{symbol},{time},{side},{}", candidate.setup.style().expect("a derived signal has one"))
    };
    days.flat_map(|day| candidates_of_day(&market, Day(day)).iter().map(row).collect::<Vec<_>>()).collect()
}

#[test]
fn derived_signals_written_out_and_read_back_give_the_same_answer() {
    let lab = Lab::new();
    let symbols = sample();
    let built_in = lab.run_with(&plan_of("", DayLimits::default()), None, false);
    // As decision times, and as the open of the signal candle: the same signals.
    let decision: fn(i64) -> String = |open| rfc3339(open + Interval::M15.ms());
    let open: fn(i64) -> String = |open| open.to_string();
    for (column, time_of) in [("time", decision), ("open_time", open)] {
        let rows: Vec<String> = symbols
            .iter()
            .flat_map(|(symbol, series)| derived_rows(symbol, series.bars(), time_of))
            .collect();
        lab.write(&format!("symbol,{column},direction,style"), &rows);
        let given = lab.scratch(&plan_of(&default_space_by_name(), DayLimits::default()));
        assert_eq!(given.result, built_in.result);
        assert_eq!(given.plan_fingerprint, built_in.plan_fingerprint, "the same space");
        for (given, built_in) in given.styles.iter().zip(&built_in.styles) {
            assert!(built_in.signals > 500, "there is something to compare");
            assert_eq!(given.study, built_in.study);
            assert_eq!(given.decision, built_in.decision);
            assert_eq!((given.signals, given.pending), (built_in.signals, built_in.pending));
            assert_eq!(given.evidence, built_in.evidence);
            assert_eq!(given.own, built_in.own);
        }
    }
}

/// Drops what a given signal does not know: the setup that the rules named.
fn without_setups(mut block: DayBlock) -> DayBlock {
    let signals = block.styles.iter_mut().flat_map(|style| &mut style.signals);
    signals.for_each(|signal| signal.setup = Setup::Given);
    block
}

#[test]
fn units_of_given_signals_are_those_of_derived_ones() {
    let (symbol, series) = sample().remove(0);
    let market = MarketSeries::new(series.bars());
    let plan = plan_of("", DayLimits::default());
    let costs = Costs::default().of(&symbol);
    let mut compared = 0;
    for day in (0..150).step_by(7).map(|day| Day(Day::of(series.bars().open_time[0]).0 + day)) {
        let mut given = GivenSignals::none(Vec::new().into());
        let found = candidates_of_day(&market, day);
        for candidate in &found {
            let signal = GivenSignal {
                time_ms: candidate.row.candle.open_time + Interval::M15.ms(),
                direction: candidate.direction,
                style: candidate.setup.style(),
                atr: None,
                exit_ms: None,
            };
            given.push(signal, std::iter::empty());
        }
        let mut built_in = evaluate_day(&market, day, None, &plan, &costs);
        // Given signals are not looked for.
        built_in.styles.iter_mut().for_each(|style| style.blind = 0);
        let read_back = evaluate_day(&market, day, Some(&given), &plan, &costs);
        assert_eq!(read_back, without_setups(built_in), "{day}");
        compared += found.len();
    }
    assert!(compared > 100, "{compared}");
}

#[test]
fn what_follows_a_signal_changes_nothing_that_was_known_then() {
    let (_, series) = sample().remove(0);
    let bars = series.bars();
    let open_ms = bars.open_time[40 * 96 + 37];
    for minutes in [0, 1, 7, 14, 15] {
        let time_ms = open_ms + minutes * MINUTE_MS;
        let mut given = GivenSignals::none(Vec::new().into());
        let signal =
            GivenSignal { time_ms, direction: Direction::Long, style: None, atr: None, exit_ms: None };
        given.push(signal, std::iter::empty());
        let day = signal.day(Interval::M15);
        // Every candle that has not closed by then is another one.
        let scrambled: CandleSeries = (0..bars.len())
            .map(|i| bars.get(i))
            .map(|candle| match candle.open_time + Interval::M15.ms() > time_ms {
                true => Candle { high: candle.high * 3.0, close: candle.high * 2.0, volume: 1.0, ..candle },
                false => candle,
            })
            .collect();
        let (market, other) = (MarketSeries::new(bars), MarketSeries::new(scrambled.bars()));
        let (known, same) = (given_of_day(&market, day, &given), given_of_day(&other, day, &given));
        assert_eq!(known, same, "{minutes} minutes into the candle");
        let place = &known[0];
        let row = place.row.expect("warm");
        assert!(row.candle.open_time + Interval::M15.ms() <= time_ms);
        assert_eq!(place.atr, Some(row.pulse.indicators.atr_14));
        let entry_ms = bars.open_time[place.entry.expect("there are candles")];
        assert_eq!(entry_ms, open_ms + if minutes == 0 { 0 } else { Interval::M15.ms() });
    }
}

#[test]
fn a_given_signal_needs_its_candles_and_takes_its_own_atr() {
    let (symbol, series) = sample().remove(0);
    let bars = series.bars();
    let missing = 50 * 96 + 10;
    let holed: CandleSeries = (0..bars.len()).filter(|i| *i != missing).map(|i| bars.get(i)).collect();
    let at = |index: usize, atr| GivenSignal {
        time_ms: bars.open_time[index],
        direction: Direction::Short,
        style: Some(Style::Scalping),
        atr,
        exit_ms: None,
    };
    let unit = |signal: GivenSignal| {
        let mut given = GivenSignals::none(Vec::new().into());
        given.push(signal, std::iter::empty());
        let market = MarketSeries::new(holed.bars());
        let plan = plan_of("[signals]\nfile = \"x\"\n", DayLimits::default());
        let costs = Costs::default().of(&symbol);
        let block = evaluate_day(&market, signal.day(Interval::M15), Some(&given), &plan, &costs);
        assert_eq!(block.styles[1].signals, [], "not a signal of swing");
        block.styles[0].clone()
    };
    let counted = |index, atr| {
        let unit = unit(at(index, atr));
        (unit.signals.len(), unit.lost.no_entry, unit.lost.no_atr, unit.cut)
    };
    // The entry candle is missing; the one that ATR is known at is; a candle within the trade is.
    assert_eq!(counted(missing, None), (0, 1, 0, 0));
    for index in [missing + 1, missing + 15] {
        assert_eq!(counted(index, None), (0, 0, 1, 0), "ATR reads 15 candles");
    }
    assert_eq!(counted(missing - 1, Some(100.0)), (1, 0, 0, 1), "closed at the close of its first candle");
    assert_eq!(counted(missing - 1, Some(0.01)), (1, 0, 0, 0), "over before the gap");
    for (index, atr) in [(missing + 1, Some(0.01)), (missing + 16, None), (missing - 200, None)] {
        assert_eq!(counted(index, atr), (1, 0, 0, 0), "{index} needs no more than it reads");
    }
    let (narrow, wide) = (unit(at(missing - 200, Some(1.0))), unit(at(missing - 200, Some(1_000.0))));
    assert_ne!(narrow.outcomes, wide.outcomes, "exits are measured in it");
}

#[test]
fn appended_corrected_and_refiltered_signals_evaluate_what_they_must() {
    let lab = Lab::new();
    let (header, rows) = given_rows();
    let day_of = |row: &String| {
        let time_ms: i64 = row.split(',').nth(1).and_then(|cell| cell.parse().ok()).expect("a time");
        let (direction, style, atr) = (Direction::Long, None, None);
        GivenSignal { time_ms, direction, style, atr, exit_ms: None }.day(Interval::M15)
    };
    let last_day = Day::parse("2025-06-20").expect("a day");
    let wide = plan("[0.0, 0.5]");
    lab.write(&header, &rows.iter().filter(|row| day_of(row) < last_day).cloned().collect::<Vec<_>>());
    let first = lab.run_as_from_scratch(&wide, "first");
    assert_eq!(reasons(&first), [("new", first.units_total())]);

    // A day's signals more.
    let until: Vec<String> = rows.iter().filter(|row| day_of(row) <= last_day).cloned().collect();
    let added: Vec<&String> = until.iter().filter(|row| day_of(row) == last_day).collect();
    let symbols: std::collections::BTreeSet<&str> =
        added.iter().filter_map(|row| row.split(',').next()).collect();
    assert!(!symbols.is_empty(), "the sample has signals on that day");
    lab.write(&header, &until);
    let more = lab.run_as_from_scratch(&wide, "a day's signals more");
    assert_eq!(reasons(&more), [("signals_changed", symbols.len() as u64)]);
    assert!(more.units.iter().flat_map(|units| &units.evaluated).all(|(day, _)| *day == last_day));

    // Other levels evaluate nothing; another column is taken in with a reason of its own.
    let narrow = plan("[0.1, 0.3, 0.5, 0.7]");
    let levels = lab.run_as_from_scratch(&narrow, "other levels");
    assert_eq!(reasons(&levels), []);
    let spread = "[signals]\nfile = \"x\"\n[[style.swing.filters]]\nkey = \"max_spread\"\n\
                  column = \"signals.spread_bps\"\nat_most = [10, 5]\n";
    let spread = plan_of(spread, DayLimits::default());
    let other = lab.run_as_from_scratch(&spread, "another column");
    assert_eq!(reasons(&other), [("columns_added", other.units_total())]);
    lab.run(&narrow);

    // A corrected row evaluates its day, with both fingerprints in the reason.
    let mut corrected = until.clone();
    let cells: Vec<&str> = corrected[5].split(',').collect();
    let (symbol, day) = (cells[0].to_owned(), day_of(&corrected[5]));
    corrected[5] = [&cells[..4], &["0.99"], &cells[5..]].concat().join(",");
    lab.write(&header, &corrected);
    let run = lab.run_as_from_scratch(&narrow, "a corrected row");
    let said: Vec<(Day, String)> = run
        .input
        .symbols
        .iter()
        .zip(&run.units)
        .filter(|(report, _)| report.name == symbol)
        .flat_map(|(_, units)| units.evaluated.iter().map(|(day, reason)| (*day, reason.to_string())))
        .collect();
    assert_eq!(run.units_evaluated(), 1);
    assert_eq!(said[0].0, day);
    assert!(said[0].1.starts_with("signals of the day changed: ") && said[0].1.contains(" -> "), "{said:?}");

    // Rows in another order are the same signals; derived ones lie beside them.
    corrected.reverse();
    lab.write(&header, &corrected);
    let reversed = lab.run(&narrow);
    assert_eq!((reasons(&reversed), reversed.same_as.is_some()), (Vec::new(), true));
    let derived = plan_of("", DayLimits::default());
    lab.run_with(&derived, None, true);
    assert_eq!(reasons(&lab.run_with(&derived, None, true)), []);
    assert_eq!(reasons(&lab.run(&narrow)), [], "neither drives the other out");
}

/// Take-profit and stop are off: what ends a position is its signal's exit, or the holding time.
#[test]
fn exits_of_signals_close_positions_and_are_evaluated_when_they_change() {
    let lab = Lab::new();
    let (header, rows) = given_rows();
    let header = format!("{header},exit_time");
    let cells = |row: &String| row.split(',').map(str::to_owned).collect::<Vec<String>>();
    let known_ms = |row: &String| cells(row)[1].parse::<i64>().expect("a time");
    // Every second signal has one, an hour and a half later or more.
    let with_exits = |later_ms: i64| -> Vec<String> {
        let exit = |(index, row): (usize, &String)| match index % 2 {
            0 => format!("{row},{}", known_ms(row) + later_ms + 60_000 * (index as i64 % 90)),
            _ => format!("{row},"),
        };
        rows.iter().enumerate().map(exit).collect()
    };
    let space = |values: &str| {
        let style = |style: &str| {
            format!(
                "[style.{style}.space]\natr_tp_multiplier = \"off\"\natr_stop_multiplier = \"off\"\nmax_holding_hours = [8, 24]\n{values}"
            )
        };
        let text = format!("[signals]\nfile = \"x\"\n{}{}", style("scalping"), style("swing"));
        plan_of(&text, DayLimits::default())
    };
    let (without, both) = (space(""), space("exit_signal = [true, false]\n"));
    lab.write(&header, &with_exits(5_400_000));
    lab.run_as_from_scratch(&without, "exits that no rule follows");
    let followed = lab.run_as_from_scratch(&both, "rules that follow them");
    assert_eq!(reasons(&followed), [("exit_rules_added", followed.units_total())]);
    let alive = |report: &RunReport| {
        report.styles.iter().all(|style| {
            let axis = style.study.importances.iter().find(|axis| axis.key == "exit_signal");
            axis.is_some_and(|axis| axis.effect > 0.0)
        })
    };
    assert!(alive(&followed));
    assert_eq!(reasons(&lab.run_as_from_scratch(&both, "again")), []);
    let mut moved = with_exits(5_400_000);
    let last = cells(&moved[0]).pop().expect("an exit").parse::<i64>().expect("a time");
    moved[0] = format!("{},{}", rows[0], last + 7_200_000);
    lab.write(&header, &moved);
    let run = lab.run_as_from_scratch(&both, "an exit that is another");
    assert_eq!(reasons(&run).iter().map(|(kind, _)| *kind).collect::<Vec<_>>(), ["signals_changed"]);
    assert!((1..=2).contains(&run.units_evaluated()));
    // Without any exit there is nothing to follow.
    lab.write(&header, &rows.iter().map(|row| format!("{row},")).collect::<Vec<_>>());
    let options = RunOptions { signals: Some(lab.signals()), ..RunOptions::over(vec![sample_dir()], NOW_MS) };
    let refused =
        incremental(&both, &options, &AtomicBool::new(false), &|_| ()).expect_err("none").to_string();
    assert!(refused.contains("expected a column `exit_time`"), "{refused}");
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let lab = Lab::new();
    let (header, rows) = given_rows();
    lab.write(&header, &rows);
    let plan = plan("[0.0, 0.3, 0.5, 0.7]");
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        RunReport { threads: 1, ..pool.install(|| lab.scratch(&plan)) }
    };
    assert_same(&on(1), &on(4), "on one thread and on four");
}

#[test]
fn a_prefix_of_the_signals_gives_a_prefix_of_the_units() {
    let (symbol, series) = sample().remove(0);
    let bars = series.bars();
    let read = SignalsFile::read(&given_sample(), Interval::M15, &ReadingOptions::default(), None)
        .expect("the committed signals");
    let whole = &read.symbols[&symbol];
    let plan = plan("[0.0, 0.5]");
    let costs = Costs::default().of(&symbol);
    let cut_day = Day(Day::of(bars.open_time[0]).0 + 100);
    let mut prefix = GivenSignals::none(whole.columns().to_vec().into());
    for (index, signal) in whole.signals().iter().enumerate().filter(|(_, s)| s.day(Interval::M15) < cut_day)
    {
        prefix.push(*signal, whole.values(index).iter().copied());
    }
    let (market, known) =
        (MarketSeries::new(bars), MarketSeries::new(bars.slice(0..bars.index_at(cut_day.start_ms()))));
    let mut sealed = 0;
    for day in (40..100).map(|day| Day(Day::of(bars.open_time[0]).0 + day)) {
        let (then, now) = (
            evaluate_day(&known, day, Some(&prefix), &plan, &costs),
            evaluate_day(&market, day, Some(whole), &plan, &costs),
        );
        for (then, now) in then.styles.iter().zip(&now.styles).filter(|(then, _)| then.sealed) {
            assert_eq!(then, now, "{day}");
            sealed += then.signals.len();
        }
        let found = |market: &MarketSeries<'_>, given: &GivenSignals| {
            let found = EntrySource::on(market, day, Some(given));
            found
                .of_style(market, Style::Swing)
                .iter()
                .map(|lead| (lead.direction, lead.atr))
                .collect::<Vec<_>>()
        };
        assert_eq!(found(&known, &prefix), found(&market, whole), "{day}");
    }
    assert!(sealed > 20, "{sealed}");
}

#[test]
fn every_row_is_counted_in_one_place() {
    let lab = Lab::new();
    let (header, mut rows) = given_rows();
    let sample_rows = rows.len() as u64;
    rows.push(rows[3].clone());
    for (symbol, time, style) in [
        ("NOSUCHUSDT", "2025-03-01", ""),
        ("ALPHAUSDT", "2024-12-31", ""),
        ("ALPHAUSDT", "2025-08-01T10:00:00Z", "swing"),
        ("ALPHAUSDT", "2025-08-02T10:00:00Z", "swing"),
    ] {
        rows.push(format!("{symbol},{time},long,{style},0.5,1"));
    }
    lab.write(&header, &rows);
    let report = lab.scratch(&plan("[0.0, 0.5]"));
    let note = report.input.signals.as_ref().expect("signals were given");
    assert_eq!((note.rows, note.duplicates, note.counted), (sample_rows + 5, 1, sample_rows));
    assert_eq!((note.without_candles, note.before_candles, note.after_candles), (1, 1, 2));
    let read =
        SignalsFile::read(&lab.signals(), Interval::M15, &ReadingOptions::default(), None).expect("sound");
    for style in &report.styles {
        let own = read.symbols.iter().filter(|(symbol, _)| symbol.as_str() != "NOSUCHUSDT");
        let own =
            own.flat_map(|(_, given)| given.signals()).filter(|signal| signal.is_of(style.style)).count();
        let outside = if style.style == Style::Swing { 3 } else { 1 };
        assert_eq!(
            style.signals + style.pending + SymbolLosses::sum(&style.losses).lost.all() + outside,
            own as u64,
            "{}",
            style.style
        );
    }
    let document = RunDocument::new(&report);
    let kinds: Vec<&str> = document.input.issues.iter().map(|issue| issue.kind.as_str()).collect();
    for kind in ["duplicate", "signals_without_candles", "signals_before_candles", "signals_after_candles"] {
        assert!(kinds.contains(&kind), "{kinds:?}");
    }
    let text = retune::render::text::run::run_text(&report);
    assert!(text.contains(" on days that count, 1 repeated, 1 without candles, 1 before"), "{text}");

    // Within a window, and for one style.
    let days = DayLimits { window_days: Some(30), ..DayLimits::default() };
    let windowed = plan_of("[signals]\nfile = \"x\"\n", days);
    let swing = Plan { styles: windowed.styles[1..].to_vec(), ..windowed };
    let note = lab.scratch(&swing).input.signals.expect("signals were given");
    assert!(note.outside_window > 0 && note.other_styles > 0, "{note:?}");
    let outside = note.without_candles + note.before_candles + note.after_candles + note.outside_window;
    assert_eq!(note.counted + note.duplicates + note.other_styles + outside, note.rows);
}

fn optimizer(store: &StoreDir, arguments: &[&str]) -> Output {
    store.run(&[arguments, &["--progress", "none"]].concat())
}

#[test]
fn the_chosen_level_of_an_own_column_goes_wherever_parameters_go() {
    let store = StoreDir::missing();
    let sample = ["incremental", "--data", "tests/sample", "--signals", "tests/fixtures/signals.csv"];
    let filter =
        "style.scalping.filters=[{column=\"signals.my_score\", at_least={min=0.3, max=0.7, step=0.1}}]";
    let few =
        ["--set", filter, "--set", "search.min_trades=20", "--set", "validate.min_out_of_sample_trades=5"];
    let run = optimizer(&store, &[&sample[..], &few, &["--explain", "-v"]].concat());
    assert!(matches!(run.status.code(), Some(0 | 10)), "{}{}", text(&run.stdout), text(&run.stderr));
    assert!(
        text(&run.stdout).contains("signals given in `tests/fixtures/signals.csv`"),
        "{}",
        text(&run.stdout)
    );
    let params = store.json(&["inspect", "params"]);
    let scopes = params["data"]["scopes"].as_array().expect("scopes");
    let scalping = scopes.iter().find(|scope| scope["scope"] == "scalping").expect("adopted");
    let level = scalping["params"]["my_score"].as_f64().expect("the chosen level");
    assert!((0.3..=0.7).contains(&level), "{level}");
    let exported = store.stdout(&["export-json", "-o", "-"]);
    let exported: serde_json::Value = serde_json::from_str(&exported).expect("a document");
    assert_eq!(exported["scalping_params"]["my_score"].as_f64(), Some(level));
    let changes = store.stdout(&["inspect", "changes"]);
    assert!(changes.contains("my_score"), "{changes}");
    let folder = tempfile::tempdir().expect("a folder");
    let page = folder.path().join("report.html");
    store.stdout(&["report", "1", "-o", page.to_str().expect("a plain path")]);
    assert!(fs::read_to_string(&page).expect("a page").contains("my_score"));

    // The same question again; then a column that is not there, and none to filter on.
    let again = optimizer(&store, &[&sample[..], &few].concat());
    assert_eq!(again.status.code(), Some(0), "{}", text(&again.stderr));
    let wrong = ["--set", "style.scalping.filters=[{column=\"signals.my_scroe\", at_least=1}]"];
    let (code, stderr) = store.failure(&[&sample[..], &wrong].concat());
    assert_eq!(code, Some(4));
    assert!(
        stderr.contains("column \"my_scroe\": expected numbers to filter on, found no such column"),
        "{stderr}"
    );
    let (code, stderr) = store.failure(&["incremental", "--data", "tests/sample", "--set", filter]);
    assert_eq!(code, Some(3));
    assert!(stderr.contains("expected a file with the column \"my_score\""), "{stderr}");
}

#[test]
fn check_data_describes_signals_with_and_without_candles() {
    let store = StoreDir::missing();
    let alone = store.json(&["check", "data", "--signals", "tests/fixtures/signals.csv"]);
    let signals = &alone["data"]["signals"];
    assert_eq!((&alone["data"]["usable"], &signals["duplicates"]), (&true.into(), &0.into()));
    assert!(signals["symbols"][0]["outside"].is_null());
    let columns: Vec<&str> =
        signals["columns"].as_array().expect("columns").iter().filter_map(|c| c["name"].as_str()).collect();
    assert_eq!(columns, ["my_score", "spread_bps"]);
    assert!(signals["columns"][0]["max"].as_f64().is_some_and(|max| max <= 1.0));
    let both = store.stdout(&["check", "data", "tests/sample", "--signals", "tests/fixtures/signals.csv"]);
    assert!(both.contains("tests/fixtures/signals.csv: signals, "), "{both}");
    assert!(both.contains("  column \"my_score\": 0") && both.contains("  ALPHAUSDT: "), "{both}");
    let folder = tempfile::tempdir().expect("a folder");
    let bad = folder.path().join("bad.csv");
    fs::write(&bad, "symbol,time,direction\nBTCUSDT,2025-01-01,up\n").expect("written");
    let (code, stderr) = store.failure(&["check", "data", "--signals", bad.to_str().expect("a plain path")]);
    assert_eq!(code, Some(4));
    assert!(
        stderr.contains("line 2, column \"direction\": expected long, short, buy, sell, 1 or -1"),
        "{stderr}"
    );
}

#[cfg(feature = "columnar")]
#[test]
fn a_table_of_signals_gives_the_run_that_its_csv_gives() {
    use std::sync::Arc;

    use arrow_array::{ArrayRef, Float64Array, RecordBatch, StringArray, TimestampMicrosecondArray};

    let (header, rows) = given_rows();
    assert_eq!(header, "symbol,time,direction,style,my_score,spread_bps");
    let cells: Vec<Vec<&str>> = rows.iter().map(|row| row.split(',').collect()).collect();
    let text = |place: usize| -> ArrayRef {
        let cell = |row: &Vec<&str>| Some(row[place].to_owned()).filter(|cell| !cell.is_empty());
        Arc::new(cells.iter().map(cell).collect::<StringArray>())
    };
    let numbers = |place: usize| -> ArrayRef {
        Arc::new(cells.iter().map(|row| row[place].parse::<f64>().ok()).collect::<Float64Array>())
    };
    let time = |row: &Vec<&str>| row[1].parse::<i64>().expect("milliseconds") * 1_000;
    let times: ArrayRef = Arc::new(TimestampMicrosecondArray::from_iter_values(cells.iter().map(time)));
    let columns = [
        ("time", times),
        ("my_score", numbers(4)),
        ("symbol", text(0)),
        ("direction", text(2)),
        ("spread_bps", numbers(5)),
        ("style", text(3)),
    ];
    let batch = RecordBatch::try_from_iter(columns).expect("columns of one length");
    let folder = tempfile::tempdir().expect("a folder");
    let table = folder.path().join("signals.parquet");
    let file = fs::File::create(&table).expect("writable");
    let mut writer = parquet::arrow::ArrowWriter::try_new(file, batch.schema(), None).expect("a file begins");
    writer.write(&batch).expect("written");
    writer.close().expect("the file ends");
    let run = |file: &Path| {
        let file = file.to_str().expect("text");
        let arguments = ["incremental", "--data", "tests/sample", "--signals", file, "--no-save", "--quick"];
        let output = StoreDir::missing()
            .run(&[&arguments[..], &["--exit-zero", "--progress", "none", "--json"]].concat());
        assert!(output.status.success(), "{}", crate::command::text(&output.stderr));
        serde_json::from_slice::<serde_json::Value>(&output.stdout).expect("a document")["data"].clone()
    };
    let (csv, table) = (run(&given_sample()), run(&table));
    assert_eq!(table["styles"], csv["styles"]);
    let print = |data: &serde_json::Value| data["input"]["signals"]["fingerprint"].clone();
    assert!(print(&csv).is_string() && print(&table) == print(&csv));
}
