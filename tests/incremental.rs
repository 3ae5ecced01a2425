//! The promise of the engine: a run that reuses what earlier runs evaluated gives the same document, bit for bit, as
//! one from scratch, and says why it evaluated what it did.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use retune::config::Config;
use retune::documents::document::Envelope;
use retune::documents::run::RunDocument;
use retune::engine::plan::{DayLimits, Plan};
use retune::ingest::{IngestOptions, OnConflict, discover, load_symbol};
use retune::model::{Bars, Candle, CandleSeries, DAY_MS, Day, Interval, Style};
use retune::run::report::RunReport;
use retune::run::{FilesRead, RunError, RunEvent, RunOptions, UnitCounts, incremental};
use retune::store::{Cache, CacheBatch};

use crate::pipeline::sample_dir;

/// 2027-01-01: long after every file of these tests was written.
const NOW_MS: i64 = 1_798_761_600_000;
const CACHE_BYTES: u64 = 256 << 20;

pub(crate) struct Lab {
    folder: tempfile::TempDir,
    pub now_ms: i64,
    cache_bytes: u64,
}

impl Lab {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir(folder.path().join("data")).expect("a folder");
        Self { folder, now_ms: NOW_MS, cache_bytes: CACHE_BYTES }
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.folder.path().join("store")
    }

    pub(crate) fn run(&self, plan: &Plan) -> RunReport {
        self.run_on(plan, Some(self.store()))
    }

    pub(crate) fn scratch(&self, plan: &Plan) -> RunReport {
        self.run_on(plan, None)
    }

    /// Runs from scratch beside the store: on a copy of it as it is now that has no cache.
    pub(crate) fn scratch_beside(&self, plan: &Plan) -> RunReport {
        let beside = self.folder.path().join("beside");
        copy_without_cache(&self.store(), &beside);
        self.run_on(plan, Some(beside))
    }

    /// Runs, and asserts that from scratch it is the same.
    pub(crate) fn run_as_from_scratch(&self, plan: &Plan, when: &str) -> RunReport {
        let scratch = self.scratch_beside(plan);
        let run = self.run(plan);
        assert!(scratch.units_evaluated() == scratch.units_total(), "{when}: from scratch reuses nothing");
        assert_same(&run, &scratch, when);
        run
    }

    fn options(&self, store: Option<PathBuf>) -> RunOptions {
        RunOptions {
            data: vec![self.data()],
            signals: None,
            store: store.map(Into::into),
            profile: "default".to_owned(),
            on_conflict: OnConflict::Refuse,
            now_ms: self.now_ms,
            config_toml: String::new(),
            full: false,
            cache_bytes: self.cache_bytes,
            memory_bytes: None,
            time_budget: None,
        }
    }

    fn run_on(&self, plan: &Plan, store: Option<PathBuf>) -> RunReport {
        incremental(plan, &self.options(store), &AtomicBool::new(false), &|_| ()).expect("a run")
    }

    /// Writes the candles before an instant as one CSV per symbol.
    pub(crate) fn write(&self, symbols: &[(String, CandleSeries)], until_ms: i64) {
        for (symbol, series) in symbols {
            let bars = series.bars();
            write_csv(&self.data().join(format!("{symbol}-15m.csv")), bars, 0..bars.index_at(until_ms));
        }
    }
}

fn write_csv(path: &Path, bars: Bars<'_>, range: std::ops::Range<usize>) {
    let mut text = "open_time,open,high,low,close,volume\n".to_owned();
    for Candle { open_time, open, high, low, close, volume } in range.map(|i| bars.get(i)) {
        text.push_str(&format!("{open_time},{open},{high},{low},{close},{volume}\n"));
    }
    fs::write(path, text).expect("written");
}

/// The sample's symbols, cut to their last 100 days so that many runs stay quick.
pub(crate) fn sample() -> Vec<(String, CandleSeries)> {
    let options = IngestOptions::new(Interval::M15, NOW_MS);
    let catalog = discover(&[sample_dir()], &options).expect("the sample is there");
    let load = |sources| {
        let loaded = load_symbol(sources, &options).expect("the sample loads");
        let bars = loaded.series.bars();
        let from = bars.open_time[bars.len() - 1] - 100 * DAY_MS;
        let series = (bars.index_at(from)..bars.len()).map(|i| bars.get(i)).collect();
        (loaded.symbol.to_string(), series)
    };
    catalog.symbols.iter().map(load).collect()
}

pub(crate) fn plan_of(text: &str) -> Plan {
    let asked = |key: &str, word: &str| match text.contains(&format!("{key} = ")) {
        true => String::new(),
        false => format!("{key} = \"{word}\"\n"),
    };
    let (score, rank) = (asked("score", "balanced"), asked("rank", "plateau"));
    let text = format!("[decide]\nrequire = \"stable\"\n[search]\n{score}{rank}min_trades = 10\n{text}");
    let config = Config::from_texts(&[("test".to_owned(), text)]).expect("sound");
    config.plan(&Style::ALL, DayLimits::default()).expect("sound")
}

fn plan() -> Plan {
    plan_of("")
}

/// Returns a report without what a run that reuses nothing says otherwise by nature; nothing else is left out.
fn without_reuse(report: &RunReport) -> RunReport {
    let total = |units: &UnitCounts| UnitCounts { total: units.total, ..UnitCounts::default() };
    RunReport {
        // Wall time, and memory of the process, are measured.
        duration_ms: 0,
        peak_rss_bytes: None,
        // Whether an interrupted run left units, how many are kept, which were evaluated and how much of the files was read
        // for them: that is what reuse changes.
        resumed: false,
        cached: None,
        units: report.units.iter().map(total).collect(),
        ..report.clone()
    }
}

/// Asserts that two runs of one question at one moment, of which one reused what it could, are the same: everything that is known of
/// them, bit for bit, and the document.
pub(crate) fn assert_same(run: &RunReport, scratch: &RunReport, when: &str) {
    let (run, scratch) = (without_reuse(run), without_reuse(scratch));
    // Not by `==`: -0.0 is another answer than 0.0, and what is not a number the same.
    let (all, other) = (format!("{run:#?}"), format!("{scratch:#?}"));
    if let Some(place) = all.lines().zip(other.lines()).position(|(own, other)| own != other) {
        let around =
            |text: &str| text.lines().skip(place.saturating_sub(12)).take(16).collect::<Vec<_>>().join("\n");
        panic!(
            "{when}: not what it is from scratch:\n{}\n--- from scratch:\n{}",
            around(&all),
            around(&other)
        );
    }
    assert_eq!(all.len(), other.len(), "{when}: not what it is from scratch");
    let document = |report: &RunReport| Envelope::new(RunDocument::new(report), 0).to_json();
    assert_eq!(document(&run), document(&scratch), "{when}");
}

/// Copies a store without what is cached: active parameters and history are the same, and everything is evaluated anew.
pub(crate) fn copy_without_cache(from: &Path, to: &Path) {
    if to.exists() {
        fs::remove_dir_all(to).expect("removed");
    }
    fs::create_dir_all(to).expect("a folder");
    let Ok(entries) = fs::read_dir(from) else { return };
    for entry in entries.map(|entry| entry.expect("readable")) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_without_cache(&entry.path(), &target);
        } else if entry.file_name() != "evals.redb" {
            fs::copy(entry.path(), target).expect("copied");
        }
    }
}

pub(crate) fn reasons(report: &RunReport) -> Vec<(&'static str, u64)> {
    report.reasons().into_iter().collect()
}

#[test]
fn a_second_run_reuses_everything_and_reads_only_the_symbol_it_checks() {
    let lab = Lab::new();
    lab.write(&sample(), i64::MAX);
    let first = lab.run(&plan());
    assert_eq!(reasons(&first), [("new", first.units_total())]);
    let second = lab.run_as_from_scratch(&plan(), "again");
    assert_eq!(reasons(&second), []);
    assert_eq!(second.same_as, Some(1));
    assert_eq!(second.units.iter().filter(|units| units.read == FilesRead::Whole).count(), 1);
    assert_eq!(second.units.iter().map(|units| units.checked).sum::<u64>(), 2);
}

#[test]
fn a_stopped_run_is_resumed_by_the_next() {
    let lab = Lab::new();
    lab.write(&sample(), i64::MAX);
    let stop = AtomicBool::new(false);
    let stop_after_one = |event| {
        if matches!(event, RunEvent::SymbolDone { .. }) {
            stop.store(true, Ordering::Relaxed);
        }
    };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("one thread");
    let stopped =
        pool.install(|| incremental(&plan(), &lab.options(Some(lab.store())), &stop, &stop_after_one));
    assert!(matches!(stopped, Err(RunError::Stopped)));
    assert!(!lab.store().join("state.redb").exists(), "nothing was learned");
    let resumed = lab.run_as_from_scratch(&plan(), "resumed");
    assert!(resumed.resumed);
    assert_eq!(resumed.units_evaluated() * 3, resumed.units_total() * 2, "one symbol of three was done");
    assert!(!lab.run(&plan()).resumed);
}

#[test]
fn a_run_as_of_an_earlier_day_is_not_taken_for_all_there_is() {
    let lab = Lab::new();
    let symbols = sample();
    lab.write(&symbols, i64::MAX);
    let end = Day(Day::of(symbols[0].1.bars().open_time[0]).0 + 80);
    let mut earlier = plan();
    earlier.days.end = Some(end);
    lab.run(&earlier);
    let now = lab.run_as_from_scratch(&plan(), "now");
    assert!(now.reasons().contains_key("new") && now.reasons().contains_key("completed"));
    lab.run_as_from_scratch(&earlier, "back again");
}

#[test]
fn a_new_day_costs_a_day_and_completes_earlier_ones() {
    let lab = Lab::new();
    let symbols = sample();
    let end = Day(Day::of(symbols[0].1.bars().open_time[0]).0 + 90).start_ms();
    lab.write(&symbols, end);
    lab.run(&plan());
    lab.write(&symbols, end + DAY_MS);
    let next = lab.run_as_from_scratch(&plan(), "next");
    // Per symbol: the new day; the day whose swing trades and the day whose scalps are complete now.
    assert_eq!(reasons(&next), [("completed", 6), ("new", 3)]);
    assert_eq!(next.days_new(), 1);
    assert!(next.units.iter().all(|units| units.read == FilesRead::Growth), "only the new part is read");
}

#[test]
fn rows_without_a_header_are_weighed_as_a_whole_each_time_they_grow() {
    let lab = Lab::new();
    let symbols = sample();
    let end = Day(Day::of(symbols[0].1.bars().open_time[0]).0 + 90).start_ms();
    // Low before high, and the close before the open: no place says so, all rows together do.
    let write = |until_ms: i64| {
        for (symbol, series) in &symbols {
            let bars = series.bars();
            let rows = (0..bars.index_at(until_ms)).map(|index| {
                let Candle { open_time, open, high, low, close, volume } = bars.get(index);
                format!("{open_time},{low},{high},{close},{open},{volume}\n")
            });
            fs::write(lab.data().join(format!("{symbol}-15m.csv")), rows.collect::<String>())
                .expect("written");
        }
    };
    write(end);
    lab.run(&plan());
    write(end + DAY_MS);
    let next = lab.run_as_from_scratch(&plan(), "next");
    assert!(next.units.iter().all(|units| units.read == FilesRead::Whole));
    assert_eq!(next.days_new(), 1);
    let headed = Lab::new();
    headed.write(&symbols, end + DAY_MS);
    let prints = |report: &RunReport| -> Vec<_> {
        report.input.symbols.iter().map(|symbol| symbol.fingerprint).collect()
    };
    assert_eq!(prints(&next), prints(&headed.scratch(&plan())));
}

/// Writes candles of a time span as a file of their own, or as an archive.
fn write_part(lab: &Lab, symbol: &str, series: &CandleSeries, span_ms: std::ops::Range<i64>, zipped: bool) {
    let bars = series.bars();
    let name = format!("{symbol}-15m-{}", Day::of(span_ms.start));
    let file = lab.data().join(format!("{name}.csv"));
    write_csv(&file, bars, bars.index_at(span_ms.start)..bars.index_at(span_ms.end));
    if zipped {
        let mut archive = zip::ZipWriter::new(fs::File::create(file.with_extension("zip")).expect("created"));
        let stored = zip::write::SimpleFileOptions::default();
        archive.start_file(format!("{name}.csv"), stored).expect("a member");
        std::io::Write::write_all(&mut archive, &fs::read(&file).expect("read")).expect("written");
        archive.finish().expect("finished");
        fs::remove_file(file).expect("removed");
    }
}

#[test]
fn a_file_a_day_and_an_archive_a_month_are_taken_in_by_what_is_new() {
    for (days_per_file, zipped) in [(1, false), (30, true)] {
        let lab = Lab::new();
        let symbols = sample();
        let begin = Day::of(symbols[0].1.bars().open_time[0]).0 + 1;
        let days = |file: i32| {
            let from = begin + file * days_per_file;
            Day(from).start_ms()..Day(from + days_per_file).start_ms()
        };
        let known = 90 / days_per_file - 1;
        let write = |file: i32| {
            symbols.iter().for_each(|(symbol, series)| write_part(&lab, symbol, series, days(file), zipped));
        };
        (0..known).for_each(write);
        lab.run(&plan());
        write(known);
        let next = lab.run_as_from_scratch(&plan(), "next");
        assert!(
            next.units.iter().all(|units| units.read == FilesRead::Growth),
            "{days_per_file} days a file"
        );
        assert_eq!(next.days_new(), days_per_file as u64);
        // Candles that are known come again in another file: that has to be told, so everything is read.
        let overlap = days(known).start - 3 * DAY_MS..days(known).end - DAY_MS;
        write_part(&lab, &symbols[0].0, &symbols[0].1, overlap, false);
        let again = lab.run_as_from_scratch(&plan(), "again");
        assert_eq!(again.units[0].read, FilesRead::Whole);
        assert_eq!(again.units_evaluated(), 0, "the candles are the same");
    }
}

#[test]
fn a_file_that_was_just_written_is_not_trusted_but_can_grow() {
    let mut lab = Lab::new();
    let symbols = sample();
    let end = Day(Day::of(symbols[0].1.bars().open_time[0]).0 + 90).start_ms();
    lab.write(&symbols, end);
    let written = fs::metadata(lab.data().join(format!("{}-15m.csv", symbols[0].0))).expect("there");
    let written = written.modified().expect("a time").duration_since(std::time::UNIX_EPOCH).expect("later");
    lab.now_ms = written.as_millis() as i64 + 100;
    lab.run(&plan());
    let again = lab.run(&plan());
    assert!(again.units.iter().all(|units| units.read == FilesRead::Whole), "it may have changed unseen");
    lab.write(&symbols, end + DAY_MS);
    lab.now_ms = NOW_MS;
    let next = lab.run_as_from_scratch(&plan(), "next");
    assert!(next.units.iter().all(|units| units.read == FilesRead::Growth));
}

#[test]
fn a_month_of_daily_runs_with_trouble_equals_runs_from_scratch() {
    let lab = Lab::new();
    let mut symbols = sample();
    let start = Day::of(symbols[0].1.bars().open_time[0]).0 + 65;
    let late = symbols.pop().expect("three symbols");
    for step in 0..30 {
        let until = Day(start + step).start_ms();
        match step {
            // A symbol arrives late, with all its history.
            8 => symbols.push(late.clone()),
            // A correction of a candle three weeks back.
            14 => {
                let at = symbols[0].1.bars().index_at(until - 21 * DAY_MS);
                let corrected = |i: usize, candle: Candle| match i == at {
                    true => Candle { high: candle.high * 1.001, ..candle },
                    false => candle,
                };
                let bars = symbols[0].1.bars();
                let series = (0..bars.len()).map(|i| corrected(i, bars.get(i))).collect();
                symbols[0].1 = series;
            }
            // A file goes missing for two days.
            20 => fs::remove_file(lab.data().join(format!("{}-15m.csv", symbols[1].0))).expect("removed"),
            _ => {}
        }
        let missing = (20..22).contains(&step);
        let present: Vec<_> = symbols
            .iter()
            .enumerate()
            .filter(|(i, _)| !(missing && *i == 1))
            .map(|(_, s)| s.clone())
            .collect();
        lab.write(&present, until);
        if step == 5 {
            // The same candles once more, in a file of their own.
            let bars = symbols[1].1.bars();
            let again = lab.data().join(format!("{}-15m-again.csv", symbols[1].0));
            write_csv(&again, bars, bars.index_at(until - 3 * DAY_MS)..bars.index_at(until));
        }
        let run = lab.run_as_from_scratch(&plan(), &format!("day {step}"));
        let evaluated = run.units_evaluated();
        let ordinary = ![0, 5, 8, 14, 20, 22].contains(&step);
        assert!(!ordinary || evaluated <= 9, "day {step} evaluated {:?}", reasons(&run));
        if step == 14 {
            assert_eq!(
                run.units[0].read,
                FilesRead::Whole,
                "a file that changed before its end is read whole"
            );
            assert_eq!(run.units[2].read, FilesRead::Growth);
            let changed = run.reasons()["candles_changed"] + run.reasons()["later_candles_changed"];
            assert!(
                (22..=36).contains(&changed),
                "a corrected candle reaches its look-back and horizon: {changed}"
            );
        }
    }
}

#[test]
fn a_changed_grid_evaluates_what_it_adds_and_nothing_else() {
    let lab = Lab::new();
    lab.write(&sample(), i64::MAX);
    let total = lab.run(&plan()).units_total();
    let cases: &[(&str, &[(&str, u64)])] = &[
        // Another score, other levels (stricter and looser), a narrower space: no outcome is evaluated.
        ("score = \"sharpe\"\n", &[]),
        ("[style.scalping.space]\nmin_signal_score = [10, 45, 70]\n", &[]),
        ("[style.swing.space]\natr_tp_multiplier = [3.0]\nmin_consensus = 1\n", &[]),
        // New exit values: only their rules.
        (
            "[style.scalping.space]\natr_tp_multiplier = [1.0, 2.0, 2.5, 3.0]\n",
            &[("exit_rules_added", total)],
        ),
        ("[style.scalping.space]\natr_tp_multiplier = [1.0, 2.0, 2.5, 3.0]\n", &[]),
        ("[style.scalping.space]\natr_tp_multiplier = [2.5]\n", &[]),
        ("[style.scalping.space]\natr_tp_multiplier = [2.5, 2.75]\n", &[("exit_rules_added", total)]),
        // Back to the first grid: still there.
        ("", &[]),
        // Exit mechanisms: only the rules they add, one value more only its own, and none again for what was there.
        ("[style.scalping.space]\ntrailing_stop_distance = [\"off\", 1.0]\n", &[("exit_rules_added", total)]),
        ("[style.scalping.space]\ntrailing_stop_distance = [1.0, 1.5]\n", &[("exit_rules_added", total)]),
        ("[style.scalping.space]\ntrailing_stop_distance = [\"off\", 1.5]\n", &[]),
        (
            "[style.swing.space]\ntp1_atr_multiplier = 1.5\nbreakeven_atr = [\"off\", \"tp1\"]\n\
             volume_surge_exit = [\"off\", 4.0]\n",
            &[("exit_rules_added", total)],
        ),
        ("[style.swing.space]\ndynamic_atr_strength = 1.0\n", &[("exit_rules_added", total)]),
        // Levels in percent, and none; a leverage makes other levels of the same percentages.
        (
            "[style.swing.space]\ntake_profit_pct = [2.0, 6.0]\nstop_loss_pct = [2.0, \"off\"]\n",
            &[("exit_rules_added", total)],
        ),
        ("[style.swing.space]\ntake_profit_pct = 6\natr_stop_multiplier = \"off\"\n", &[]),
        (
            "[style.swing.space]\ntake_profit_pct = 6\nstop_loss_pct = 2\nleverage = 3\n",
            &[("exit_rules_added", total)],
        ),
        (
            "[style.swing.space]\ntrailing_pct = [1, 2]\ntrailing_offset_pct = [0, 3]\ntrailing_only_offset_is_reached = false\n\
             tp1_pct = [\"off\", 2]\nbreakeven_atr = [\"off\", \"tp1\"]\n",
            &[("exit_rules_added", total)],
        ),
        // A dimension on a column that was not kept.
        (
            "[[style.swing.filters]]\nkey = \"v\"\ncolumn = \"volume_ratio\"\nat_least = [0.5, 1.0]\n",
            &[("columns_added", total)],
        ),
        ("[costs]\ntaker_fee_pct = 0.06\n", &[("costs_changed", total)]),
        (
            "[style.swing.space]\nmax_holding_hours = [30, 60, 96]\n[costs]\ntaker_fee_pct = 0.06\n",
            &[("horizon_changed", total)],
        ),
    ];
    for (text, wanted) in cases {
        let run = lab.run_as_from_scratch(&plan_of(text), text);
        assert_eq!(reasons(&run), *wanted, "{text:?}");
    }
}

#[test]
fn a_new_value_of_an_exit_mechanism_evaluates_its_own_rules() {
    let lab = Lab::new();
    lab.write(&sample()[..1], i64::MAX);
    let space = |values: &str| plan_of(&format!("[style.swing.space]\ntrailing_stop_distance = {values}\n"));
    lab.run(&space("[\"off\", 1.0]"));
    let run = lab.run_as_from_scratch(&space("[\"off\", 1.0, 2.0]"), "another value");
    assert_eq!(run.styles[1].study.sets, 3 * 139_968);
    let said: Vec<String> = run.units[0].evaluated.iter().map(|(_, reason)| reason.to_string()).collect();
    assert!(said.iter().all(|said| said.starts_with("27 new exit rules")), "{:?}", said.first());
    assert_eq!(said.len() as u64, run.units_total());
}

#[test]
fn what_is_cached_never_changes_a_result() {
    let mut lab = Lab::new();
    lab.write(&sample(), i64::MAX);
    lab.cache_bytes = 500_000;
    let run = lab.run_as_from_scratch(&plan(), "with room for little");
    assert!(run.units.iter().map(|units| units.evicted).sum::<u64>() > 0, "the budget is too small for all");
    let run = lab.run_as_from_scratch(&plan_of("score = \"sharpe\"\n"), "by another score");
    assert!(run.reasons().contains_key("evicted"), "{:?}", reasons(&run));
    lab.cache_bytes = 0;
    lab.run_as_from_scratch(&plan(), "without room");
    lab.cache_bytes = CACHE_BYTES;
    fs::write(lab.store().join("evals.redb"), vec![0x5a; 10_000]).expect("garbage");
    lab.run_as_from_scratch(&plan(), "after garbage");
    assert_eq!(reasons(&lab.run_as_from_scratch(&plan(), "again")), [], "and the cache works again");
}

#[test]
fn a_result_that_does_not_repeat_is_found_and_replaced() {
    let lab = Lab::new();
    let symbols = sample();
    lab.write(&symbols[..1], i64::MAX);
    lab.run(&plan());
    lie_about_every_unit(&lab, &symbols[0].0);
    let run = lab.run_as_from_scratch(&plan(), "what lied is not believed");
    assert_eq!(reasons(&run), [("corrupt", run.units_total())]);
    assert_eq!(reasons(&lab.run(&plan())), []);
}

#[test]
fn a_result_that_does_not_repeat_is_found_while_a_file_grows() {
    let lab = Lab::new();
    let symbols = sample();
    let end = Day(Day::of(symbols[0].1.bars().open_time[0]).0 + 90).start_ms();
    lab.write(&symbols[..1], end);
    lab.run(&plan());
    lie_about_every_unit(&lab, &symbols[0].0);
    lab.write(&symbols[..1], end + DAY_MS);
    let run = lab.run_as_from_scratch(&plan(), "what lied is not believed");
    assert_eq!(run.reasons()["corrupt"], run.units_total() - 3, "all that was reused; {:?}", reasons(&run));
}

/// Replaces every cached unit of a symbol by one that verifies and lies: a byte is changed, written as the cache writes.
fn lie_about_every_unit(lab: &Lab, symbol: &str) {
    let cache = Cache::open(lab.store(), CACHE_BYTES).expect("the cache");
    let mut units = Vec::new();
    for style in [0, 1] {
        let lie = |day, row: Option<&[u8]>| {
            let mut row = row.expect("sound").to_vec();
            let middle = row.len() - row.len() / 4;
            row[middle] ^= 1;
            units.push(((style, day), row));
        };
        cache.for_each_unit(symbol, style, lie).expect("read");
    }
    let batch = CacheBatch { units, ..CacheBatch::default() };
    cache.put(symbol, &batch, NOW_MS).expect("put");
}

#[test]
fn files_that_look_unchanged_are_skipped_only_when_that_can_be_trusted() {
    let lab = Lab::new();
    let symbols = sample();
    lab.write(&symbols, i64::MAX);
    lab.run(&plan());
    // The same bytes with another time: read, and nothing is evaluated.
    let file = lab.data().join(format!("{}-15m.csv", symbols[0].0));
    let touched = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    File::options().write(true).open(&file).expect("open").set_modified(touched).expect("touched");
    let run = lab.run(&plan());
    assert_eq!(run.units[0].read, FilesRead::Whole);
    assert_eq!(reasons(&run), []);
    // Written a moment before the run: a later change could leave the same time, so it is read again next time.
    let just_now = unix_ms(lab.now_ms - 500);
    for symbol in &symbols {
        let file = lab.data().join(format!("{}-15m.csv", symbol.0));
        File::options().write(true).open(&file).expect("open").set_modified(just_now).expect("touched");
    }
    lab.run(&plan());
    let run = lab.run(&plan());
    assert!(run.units.iter().all(|units| units.read == FilesRead::Whole));
    assert_eq!(reasons(&run), []);
}

fn unix_ms(ms: i64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(ms.unsigned_abs())
}

#[test]
fn a_half_written_last_line_is_left_for_next_time() {
    let lab = Lab::new();
    let symbols = sample();
    let end = Day(Day::of(symbols[0].1.bars().open_time[0]).0 + 90).start_ms();
    lab.write(&symbols, end);
    let file = lab.data().join(format!("{}-15m.csv", symbols[0].0));
    let whole = fs::read(&file).expect("read");
    fs::write(&file, [whole.as_slice(), b"17190000"].concat()).expect("written");
    let with_part = lab.run(&plan());
    lab.write(&symbols, end);
    let without = lab.run(&plan());
    assert_eq!(reasons(&without), [], "the part of a line changed nothing");
    assert_eq!(with_part.data_fingerprint, without.data_fingerprint);
    let told =
        |run: &RunReport| run.input.files[0].issues.iter().any(|issue| issue.kind == "partial_last_line");
    assert!(told(&with_part));
    // Cut in its last cell the row looks like a whole one, of another volume.
    for cut in [1, 2, 3] {
        fs::write(&file, &whole[..whole.len() - cut]).expect("written");
        let cut_run = lab.run(&plan());
        assert!(told(&cut_run), "{cut} bytes");
        let scratch = lab.scratch(&plan());
        assert_eq!(cut_run.data_fingerprint, scratch.data_fingerprint, "{cut} bytes: from scratch");
        assert!(told(&scratch), "{cut} bytes: from scratch");
        let start = whole[..whole.len() - 1].iter().rposition(|byte| *byte == b'\n').expect("rows") + 1;
        fs::write(&file, &whole[..start]).expect("written");
        assert_eq!(lab.run(&plan()).data_fingerprint, cut_run.data_fingerprint, "as if it were not there");
    }
    lab.write(&symbols, end);
    let ended = lab.run(&plan());
    assert_eq!(ended.data_fingerprint, without.data_fingerprint);
    assert!(!told(&ended), "it is there once the line is ended");
}
