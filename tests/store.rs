//! The store as the program uses it: directories, processes, crashes.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use retune::model::{ExitRule, Style};
use retune::store::records::*;
use retune::store::{LearningCommit, Location, RUNS_MAX, Snapshot, Store, StoreError, TRIAL_RUNS_MAX, View};
use tempfile::TempDir;

use crate::command::rows_of;

const SCOPE: &str = "symbol/BTCUSDT/swing";

/// A state directory that does not exist yet, and what removes it.
fn state_dir() -> (TempDir, PathBuf) {
    let parent = tempfile::tempdir().expect("a temporary directory");
    let dir = parent.path().join("state");
    (parent, dir)
}

fn run(started_at_ms: i64) -> RunRecord {
    RunRecord {
        started_at_ms,
        config_toml: format!("# {started_at_ms}\n").repeat(20),
        ..RunRecord::default()
    }
}

fn set(number: f64) -> StoredParameterSet {
    let filter = StoredFilter { name: "min_risk_reward".to_owned(), value: StoredValue::Number(number) };
    StoredParameterSet::of(&ExitRule::new(4.0, 1.5, 72.0), vec![filter])
}

fn params(number: f64) -> ParamsRecord {
    ParamsRecord {
        set: set(number),
        score_name: "expectancy".to_owned(),
        score: Some(number),
        metrics: StoredMetrics { trades: 30, win_rate: Some(0.5), ..StoredMetrics::default() },
        verdict: "REAL".to_owned(),
        run: 0,
        adopted_at_ms: 5,
        generation: 0,
        source: "run".to_owned(),
    }
}

fn trials(count: usize) -> TrialsRecord {
    let trial = |rank: usize| TrialRecord {
        rank: rank as u32,
        set: set(1.0),
        score: -(rank as f64),
        metrics: StoredMetrics::default(),
    };
    TrialsRecord { trials: (1..=count).map(trial).collect() }
}

fn carried(number: u32) -> CarriedRecord {
    CarriedRecord { json: format!("{{\"number\":{number}}}"), imported_at_ms: number.into() }
}

fn evidence(number: u32) -> EvidenceRecord {
    EvidenceRecord { grid: [number as u8 % 3; 32], trials: number.into(), ..EvidenceRecord::default() }
}

fn series(number: u32) -> SeriesRecord {
    SeriesRecord { candidate_ppm: vec![0, number.into()], ..SeriesRecord::default() }
}

fn work(number: u32) -> WorkRecord {
    let symbol =
        SymbolWorkRecord { symbol: "X".to_owned(), days: number.into(), ..SymbolWorkRecord::default() };
    WorkRecord { symbols: vec![symbol], ..WorkRecord::default() }
}

/// A run that learned something of every kind; `number` tells it from others.
fn learning(profile: &str, number: u32) -> LearningCommit {
    let decision = DecisionRecord { verdict: format!("{number}"), ..DecisionRecord::default() };
    let insights = InsightsRecord { focus: format!("{number}"), ..InsightsRecord::default() };
    LearningCommit {
        params: BTreeMap::from([(SCOPE.to_owned(), Some(params(number.into())))]),
        features: BTreeMap::from([(
            Style::Swing,
            FeaturesRecord { signals: number.into(), ..Default::default() },
        )]),
        insights: BTreeMap::from([(Style::Swing, insights)]),
        decisions: BTreeMap::from([(Style::Swing, decision.clone()), (Style::Scalping, decision)]),
        trials: BTreeMap::from([(Style::Swing, trials(3))]),
        work: Some(work(number)),
        carried: Some(carried(number)),
        series: BTreeMap::from([(Style::Swing, series(number))]),
        evidence: BTreeMap::from([(Style::Swing, evidence(number))]),
        ..LearningCommit::new(profile, run(number.into()))
    }
}

/// Checks that a snapshot holds what run `id` wrote when its number was `number`.
fn assert_holds(snapshot: &Snapshot<'_>, profile: &str, id: u64, number: u32) {
    assert_eq!(snapshot.run(profile, id).expect("readable"), Some(run(number.into())));
    let decisions = snapshot.decisions(profile, id).expect("readable");
    let verdicts: Vec<_> = decisions.iter().map(|(style, d)| (*style, d.verdict.clone())).collect();
    assert_eq!(verdicts, Style::ALL.map(|style| (style, number.to_string())));
    assert_eq!(snapshot.trials(profile, id, Style::Swing).expect("readable"), Some(trials(3)));
    assert_eq!(snapshot.work(profile, id).expect("readable"), Some(work(number)));
    assert_eq!(snapshot.series(profile, id, Style::Swing).expect("readable"), Some(series(number)));
    assert_eq!(snapshot.evidence(profile, id, Style::Swing).expect("readable"), Some(evidence(number)));
    assert!(
        snapshot
            .grids_and_looks(profile)
            .expect("readable")
            .0
            .contains(&(Style::Swing, evidence(number).grid))
    );
}

/// Checks that a snapshot's newest run and everything active is that of one and the same commit.
fn assert_in_force(snapshot: &Snapshot<'_>, profile: &str, id: u64, number: u32) {
    assert_eq!(snapshot.runs(profile, .., 1).expect("readable"), [(id, run(number.into()))]);
    let wanted = ParamsRecord { run: id, generation: id, ..params(number.into()) };
    assert_eq!(snapshot.params_all(profile).expect("readable"), [(SCOPE.to_owned(), wanted)]);
    assert_eq!(snapshot.carried(profile).expect("readable"), Some(carried(number)));
    let features = snapshot.features(profile, Style::Swing).expect("readable").expect("there");
    assert_eq!((features.run, features.signals), (id, number.into()));
    let insights = snapshot.insights(profile, Style::Swing).expect("readable").expect("there");
    assert_eq!((insights.run, insights.focus), (id, number.to_string()));
    assert_holds(snapshot, profile, id, number);
}

/// Returns name, size and time of change of everything in a directory.
fn listing(dir: &Path) -> Vec<(PathBuf, u64, std::time::SystemTime)> {
    let entry = |entry: std::io::Result<fs::DirEntry>| {
        let path = entry.expect("readable").path();
        let found = fs::symlink_metadata(&path).expect("readable");
        (path, found.len(), found.modified().expect("known"))
    };
    let mut entries: Vec<_> = fs::read_dir(dir).expect("readable").map(entry).collect();
    entries.sort();
    entries
}

#[test]
fn everything_committed_is_read_by_writer_and_readers() {
    let (_parent, dir) = state_dir();
    let mut store = Store::open(&dir, 5).expect("a new store");
    for number in 1..=3 {
        assert_eq!(store.commit(learning("default", number)).expect("committed"), u64::from(number));
    }
    assert_eq!(store.commit(learning("other", 9)).expect("committed"), 1);
    store.publish_view().expect("published");
    let view = View::open(&dir).expect("a view");
    for snapshot in [store.read().expect("readable"), view.read().expect("readable")] {
        assert_in_force(&snapshot, "default", 3, 3);
        assert_in_force(&snapshot, "other", 1, 9);
        assert_holds(&snapshot, "default", 1, 1);
        assert_eq!(snapshot.profiles().expect("readable"), ["default", "other"]);
        let ids = |found: Vec<(u64, RunRecord)>| found.into_iter().map(|(id, _)| id).collect::<Vec<_>>();
        assert_eq!(ids(snapshot.runs("default", .., 10).expect("readable")), [3, 2, 1]);
        assert_eq!(ids(snapshot.runs("default", ..3, 1).expect("readable")), [2]);
        assert_eq!(ids(snapshot.runs("default", 2..=2, 9).expect("readable")), [2]);
        assert_eq!(ids(snapshot.runs("nobody", .., 9).expect("readable")), [0; 0]);
        assert_eq!(snapshot.run("default", 4).expect("readable"), None);
        assert_eq!(snapshot.params("default", "global").expect("readable"), None);
        let heads = snapshot.heads().expect("readable");
        let heads: Vec<_> =
            heads.iter().map(|(section, head)| (section.as_str(), head.generation, head.rows)).collect();
        assert_eq!(heads, [("params", 4, 4), ("features", 4, 2), ("insights", 4, 2), ("history", 4, 28)]);
        let sizes = snapshot.table_sizes().expect("readable");
        let rows: Vec<_> = sizes.iter().map(|size| (size.name, size.rows)).collect();
        let expected =
            [("meta", 1), ("heads", 4), ("params", 2), ("features", 2), ("insights", 2), ("runs", 4)];
        assert_eq!(rows[..6], expected);
        assert_eq!(
            rows[6..],
            [("decisions", 8), ("trials", 4), ("work", 4), ("series", 4), ("evidence", 4), ("carried", 2)]
        );
        assert!(sizes.iter().all(|size| size.bytes > size.rows * 32));
    }
}

#[test]
fn parameters_are_taken_out_of_force() {
    let (_parent, dir) = state_dir();
    let mut store = Store::open(&dir, 5).expect("a new store");
    store.commit(learning("default", 1)).expect("committed");
    let mut without = LearningCommit::new("default", run(2));
    without.params.insert(SCOPE.to_owned(), None);
    store.commit(without).expect("committed");
    assert_eq!(store.read().expect("readable").params_all("default").expect("readable"), []);
    drop(store);
    let store = Store::open(&dir, 6).expect("heads still fit");
    assert_eq!(store.read().expect("readable").params("default", SCOPE).expect("readable"), None);
}

#[test]
fn files_are_private() {
    let (_parent, dir) = state_dir();
    let mut store = Store::open(&dir, 5).expect("a new store");
    store.commit(learning("default", 1)).expect("committed");
    store.publish_view().expect("published");
    let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
    assert_eq!(mode(&dir), 0o700);
    let names: Vec<_> = listing(&dir).into_iter().map(|(path, ..)| path).collect();
    assert_eq!(names, ["reported", "run.lock", "state.redb", "view.redb"].map(|name| dir.join(name)));
    assert_eq!(mode(&names[0]), 0o700);
    assert!(names[1..].iter().all(|path| mode(path) == 0o600), "{names:?}");
    assert_eq!(mode(&dir.join("reported/default.json")), 0o600);
}

#[test]
fn a_second_writer_is_told_who_is_in_the_way() {
    let (_parent, dir) = state_dir();
    let store = Store::open(&dir, 1_000).expect("a new store");
    match Store::open(&dir, 91_000).map(|_| ()) {
        Err(StoreError::Busy { pid, age_ms, .. }) => {
            assert_eq!((pid, age_ms), (Some(std::process::id()), Some(90_000)));
        }
        other => panic!("expected busy, found {other:?}"),
    }
    drop(store);
    Store::open(&dir, 92_000).expect("free again");
}

#[test]
fn readers_and_the_writer_do_not_wait_for_each_other() {
    let (_parent, dir) = state_dir();
    let mut store = Store::open(&dir, 5).expect("a new store");
    store.commit(learning("default", 1)).expect("committed");
    store.publish_view().expect("published");
    let early = View::open(&dir).expect("a view beside the writer");
    let held = early.read().expect("readable");
    store.commit(learning("default", 2)).expect("committed beside a reader");
    assert_in_force(&View::open(&dir).expect("a view").read().expect("readable"), "default", 1, 1);
    store.publish_view().expect("published beside a reader");
    assert_in_force(&held, "default", 1, 1);
    let late = View::open(&dir).expect("a view");
    assert_in_force(&late.read().expect("readable"), "default", 2, 2);
    drop(store);
    Store::open(&dir, 6).expect("readers do not keep a writer out");
    assert_in_force(&held, "default", 1, 1);
}

#[test]
fn reading_creates_and_changes_nothing() {
    let (_parent, dir) = state_dir();
    assert!(matches!(View::open(&dir), Err(StoreError::NoStore { path }) if path == dir.join("view.redb")));
    assert!(!dir.exists());
    fs::create_dir(&dir).expect("writable");
    assert!(matches!(View::open(&dir), Err(StoreError::NoStore { .. })));
    assert_eq!(listing(&dir), []);
    let mut store = Store::open(&dir, 5).expect("a new store");
    store.commit(learning("default", 1)).expect("committed");
    store.publish_view().expect("published");
    drop(store);
    let before = listing(&dir);
    let view = View::open(&dir).expect("a view");
    assert_in_force(&view.read().expect("readable"), "default", 1, 1);
    assert_eq!(view.read().expect("readable").table_sizes().expect("readable").len(), 12);
    drop(view);
    assert_eq!(listing(&dir), before);
}

#[test]
fn what_is_no_whole_store_is_refused_and_left_as_it_is() {
    let (_parent, dir) = state_dir();
    let mut store = Store::open(&dir, 5).expect("a new store");
    store.commit(learning("default", 1)).expect("committed");
    drop(store);
    let state = dir.join("state.redb");
    let whole = fs::read(&state).expect("readable");
    let cases: [(&str, Vec<u8>); 5] = [
        ("text", b"not a database, but somebody's notes".repeat(500)),
        ("zeros", vec![0; 1 << 16]),
        ("empty", Vec::new()),
        ("short", whole[..100].to_vec()),
        ("cut", whole[..whole.len() / 2].to_vec()),
    ];
    for (name, content) in cases {
        fs::write(&state, &content).expect("writable");
        let refused = Store::open(&dir, 6).map(|_| ());
        match &refused {
            Err(error @ StoreError::NeedsRepair { path, .. }) => {
                assert_eq!(path, &state);
                assert!(error.is_unreadable() && error.hint().is_some());
            }
            other => panic!("{name}: expected a refusal, found {other:?}"),
        }
        assert!(fs::read(&state).expect("readable") == content, "{name} was changed");
    }
    fs::write(&state, &whole).expect("writable");
    assert_in_force(&Store::open(&dir, 7).expect("whole again").read().expect("readable"), "default", 1, 1);
}

#[test]
fn damage_inside_the_file_never_goes_unnoticed() {
    let (_parent, dir) = state_dir();
    let mut store = Store::open(&dir, 5).expect("a new store");
    let mut large = learning("default", 1);
    large.trials.insert(Style::Scalping, trials(50));
    store.commit(large).expect("committed");
    store.publish_view().expect("published");
    let expected = store.read().expect("readable").heads().expect("readable");
    drop(store);
    let state = dir.join("state.redb");
    let whole = fs::read(&state).expect("readable");
    // These rows were written once, so they lie in pages in use. A spread over all other content follows.
    let rows = rows_of(&whole, TrialsRecord::TYPE_ID);
    assert!(!rows.is_empty(), "there are trials");
    let in_use: Vec<usize> = rows.into_iter().flatten().step_by(7).collect();
    assert!(in_use.len() > 50, "{} bytes of it", in_use.len());
    let content: Vec<usize> = (0..whole.len()).filter(|at| whole[*at] != 0).collect();
    for at in in_use.iter().chain(content.iter().step_by(content.len() / 60)) {
        let mut flipped = whole.clone();
        flipped[*at] ^= 0x10;
        fs::write(&state, &flipped).expect("writable");
        match Store::open(&dir, 6) {
            Err(error) => assert!(error.is_unreadable(), "byte {at}: {error}"),
            Ok(_) if in_use.contains(at) => panic!("byte {at} was read as if nothing had happened"),
            // The byte belongs to a page that is not in use.
            Ok(store) => assert_eq!(store.read().expect("readable").heads().expect("readable"), expected),
        }
    }
}

/// The store's value type as the engine knows it, declared again: what a foreign program could write.
#[derive(Debug)]
pub(crate) struct Foreign;

impl redb::Value for Foreign {
    type SelfType<'a> = &'a [u8];
    type AsBytes<'a> = &'a [u8];

    fn fixed_width() -> Option<usize> {
        None
    }

    fn from_bytes<'a>(data: &'a [u8]) -> &'a [u8]
    where
        Self: 'a,
    {
        data
    }

    fn as_bytes<'a, 'b: 'a>(value: &'a Self::SelfType<'b>) -> &'a [u8]
    where
        Self: 'b,
    {
        value
    }

    fn type_name() -> redb::TypeName {
        redb::TypeName::new("retune::Envelope/1")
    }
}

/// Moves a row to another key (or nowhere) behind the store's back.
fn tamper(file: &Path, table: &str, from: &str, to: Option<&str>) {
    let db = redb::Database::open(file).expect("not in use");
    let transaction = db.begin_write().expect("writable");
    {
        let definition = redb::TableDefinition::<&str, Foreign>::new(table);
        let mut open = transaction.open_table(definition).expect("the type is the store's");
        let row = open.remove(from).expect("writable").expect("there is a row").value().to_vec();
        if let Some(to) = to {
            open.insert(to, row.as_slice()).expect("writable");
        }
    }
    transaction.commit().expect("committed");
}

#[test]
fn rows_that_were_moved_or_removed_are_noticed() {
    let first = "default/00000000000000000001";
    let cases = [
        ("runs", first, None),
        ("runs", first, Some("default/00000000000000000009")),
        ("runs", first, Some("other/00000000000000000001")),
        ("runs", first, Some("somewhere else")),
        ("heads", "history", None),
        ("heads", "history", Some("params")),
        ("meta", "store", None),
        ("meta", "store", Some("other")),
    ];
    for (table, from, to) in cases {
        let (_parent, dir) = state_dir();
        let mut store = Store::open(&dir, 5).expect("a new store");
        store.commit(learning("default", 1)).expect("committed");
        store.publish_view().expect("published");
        drop(store);
        for (file, opened) in [
            ("state.redb", (|dir| Store::open(dir, 6).map(|_| ())) as fn(&Path) -> Result<(), StoreError>),
            ("view.redb", |dir| View::open(dir).map(|_| ())),
        ] {
            tamper(&dir.join(file), table, from, to);
            let error = opened(&dir).expect_err("the row is not where it was");
            assert!(error.is_unreadable(), "{file} {table} {from} {to:?}: {error}");
        }
    }
}

/// What is asked for and found is shown whatever else is damaged; what is not found is believed of a whole section only.
#[test]
fn a_look_proves_what_it_reads() {
    let first = "default/00000000000000000001";
    let published = |table: &str, from: &str| {
        let (parent, dir) = state_dir();
        let mut store = Store::open(&dir, 5).expect("a new store");
        store.commit(learning("default", 1)).expect("committed");
        store.publish_view().expect("published");
        drop(store);
        tamper(&dir.join("view.redb"), table, from, None);
        (parent, dir)
    };
    let (_parent, dir) = published("runs", first);
    assert!(View::open(&dir).is_err_and(|error| error.is_unreadable()));
    let view = View::open_for_a_look(&dir).expect("what is small is whole");
    let snapshot = view.read().expect("readable");
    assert!(!snapshot.params_all("default").expect("readable").is_empty());
    assert!(snapshot.has_profile("default").expect("it has parameters"));
    assert!(snapshot.run("default", 1).is_err_and(|error| error.is_unreadable()), "lost is not never there");
    assert!(snapshot.runs("default", .., 9).is_err() && snapshot.run_ids("default").is_err());
    assert!(snapshot.profiles().is_err() && snapshot.has_profile("other").is_err());

    let (_parent, dir) = published("heads", "history");
    let view = View::open_for_a_look(&dir).expect("what is small is whole");
    let snapshot = view.read().expect("readable");
    assert!(snapshot.run("default", 1).expect("the row proves itself").is_some());
    assert!(snapshot.runs("default", .., 9).is_err_and(|error| error.is_unreadable()));

    let (_parent, dir) = published("meta", "store");
    assert!(View::open_for_a_look(&dir).is_err_and(|error| error.is_unreadable()));
}

#[test]
fn a_foreign_view_is_refused_by_readers_and_moved_aside_by_the_writer() {
    let (_parent, dir) = state_dir();
    let mut store = Store::open(&dir, 5).expect("a new store");
    store.commit(learning("default", 1)).expect("committed");
    drop(store);
    let notes = b"somebody's notes".repeat(1000);
    fs::write(dir.join("view.redb"), &notes).expect("writable");
    let error = View::open(&dir).map(drop).expect_err("not a view");
    assert!(matches!(error, StoreError::NeedsRepair { .. }), "{error}");
    assert!(error.hint().is_some_and(|hint| hint.contains("published again")));
    assert_eq!(fs::read(dir.join("view.redb")).expect("readable"), notes);
    let store = Store::open(&dir, 77).expect("the view is disposable");
    assert_in_force(&View::open(&dir).expect("a view").read().expect("readable"), "default", 1, 1);
    assert_eq!(fs::read(dir.join("view.redb.damaged-77-0")).expect("moved aside"), notes);
    drop(store);
}

#[test]
fn a_view_that_is_missing_or_behind_is_published_by_the_next_writer() {
    let (_parent, dir) = state_dir();
    let mut store = Store::open(&dir, 5).expect("a new store");
    assert_eq!(
        View::open(&dir).expect("a view from the start").read().expect("readable").profiles().ok(),
        Some(vec![])
    );
    store.commit(learning("default", 1)).expect("committed");
    drop(store);
    drop(Store::open(&dir, 6).expect("whole"));
    assert_in_force(&View::open(&dir).expect("a view").read().expect("readable"), "default", 1, 1);
    fs::remove_file(dir.join("view.redb")).expect("writable");
    drop(Store::open(&dir, 7).expect("whole"));
    assert_in_force(&View::open(&dir).expect("a view").read().expect("readable"), "default", 1, 1);
    let view = || listing(&dir).into_iter().find(|(path, ..)| path.ends_with("view.redb")).expect("there");
    let before = view();
    drop(Store::open(&dir, 8).expect("whole"));
    assert_eq!(view(), before, "a current view is left alone");
}

#[test]
fn links_and_other_things_are_refused() {
    let (parent, dir) = state_dir();
    drop(Store::open(&dir, 5).expect("a new store"));
    let link = parent.path().join("link");
    symlink(&dir, &link).expect("writable");
    assert!(matches!(Store::open(&link, 6), Err(StoreError::Refused { path, .. }) if path == link));
    assert!(matches!(Store::open(dir.join("run.lock"), 6), Err(StoreError::Refused { .. })));
    for name in ["state.redb", "run.lock", "view.redb"] {
        let (file, elsewhere) = (dir.join(name), parent.path().join(name));
        fs::rename(&file, &elsewhere).expect("writable");
        symlink(&elsewhere, &file).expect("writable");
        let before = fs::read(&elsewhere).expect("readable");
        assert!(
            matches!(Store::open(&dir, 6), Err(StoreError::Refused { path, .. }) if path == file),
            "{name}"
        );
        assert_eq!(fs::read(&elsewhere).expect("readable"), before, "{name} was followed");
        fs::rename(&elsewhere, &file).expect("writable");
    }
    assert!(Store::open(&dir, 7).is_ok());
}

#[test]
fn a_place_that_cannot_be_written_is_named() {
    // Nothing can be created in /proc, not even by root.
    let dir = Path::new("/proc/retune-state");
    match Store::open(dir, 5).map(|_| ()) {
        Err(error @ StoreError::Io { .. }) => {
            assert!(error.to_string().starts_with("create directory /proc/retune-state: "), "{error}");
        }
        other => panic!("expected an error of the system, found {other:?}"),
    }
    // There is a directory, but no file can be made in it.
    let error = Store::open(Path::new("/proc/self"), 5).map(|_| ()).expect_err("no place for a store");
    assert!(matches!(error, StoreError::Io { .. } | StoreError::Refused { .. }), "{error}");
}

#[test]
fn a_handle_that_met_an_error_of_the_system_is_closed() {
    let (_parent, dir) = state_dir();
    let mut store = Store::open(&dir, 5).expect("a new store");
    store.commit(learning("default", 1)).expect("committed");
    fs::create_dir(dir.join(".view.redb.new")).expect("writable");
    assert!(matches!(store.publish_view(), Err(StoreError::Io { operation: "remove", .. })));
    assert!(matches!(store.read(), Err(StoreError::Poisoned { .. })));
    assert!(matches!(store.commit(learning("default", 2)), Err(StoreError::Poisoned { .. })));
    drop(store);
    fs::remove_dir(dir.join(".view.redb.new")).expect("writable");
    let mut store = Store::open(&dir, 6).expect("whole");
    assert_eq!(store.commit(learning("default", 2)).expect("committed"), 2);
}

#[test]
fn a_commit_is_all_or_nothing() {
    let (_parent, dir) = state_dir();
    let mut store = Store::open(&dir, 5).expect("a new store");
    store.commit(learning("default", 1)).expect("committed");
    let before = store.read().expect("readable").heads().expect("readable");
    let large = RunRecord { config_toml: "x".repeat(1 << 20), ..run(2) };
    let large = LearningCommit { run: large, ..learning("default", 2) };
    // The trials are written last: everything before them was already in the transaction.
    let many =
        LearningCommit { trials: BTreeMap::from([(Style::Swing, trials(51))]), ..learning("default", 2) };
    let mut nan = learning("default", 2);
    nan.params.insert("global".to_owned(), Some(ParamsRecord { score: Some(f64::NAN), ..params(1.0) }));
    let mut nowhere = learning("default", 2);
    nowhere.params.insert("everywhere".to_owned(), None);
    for (bad, table) in [(large, "runs"), (many, "trials"), (nan, "params")] {
        match store.commit(bad) {
            Err(StoreError::Unstorable { table: found, .. }) => assert_eq!(found, table),
            other => panic!("{table}: expected a refusal, found {other:?}"),
        }
    }
    for bad in [nowhere, learning("no/profile", 2)] {
        assert!(matches!(store.commit(bad), Err(StoreError::Name { .. })));
    }
    let snapshot = store.read().expect("still usable");
    assert_eq!(snapshot.heads().expect("readable"), before);
    assert_in_force(&snapshot, "default", 1, 1);
    drop(snapshot);
    assert_eq!(store.commit(learning("default", 2)).expect("committed"), 2);
    assert_in_force(&store.read().expect("readable"), "default", 2, 2);
}

#[test]
fn history_is_capped_per_profile() {
    let (_parent, dir) = state_dir();
    let location = Location { full_runs: TRIAL_RUNS_MAX, ..Location::new(&dir) };
    let mut store = Store::open(location, 5).expect("a new store");
    store.commit(learning("other", 1)).expect("committed");
    let last = RUNS_MAX as u32 + 3;
    for number in 1..=last {
        store.commit(learning("default", number)).expect("committed");
    }
    drop(store);
    let store = Store::open(&dir, 6).expect("heads still fit");
    let snapshot = store.read().expect("readable");
    let ids: Vec<u64> =
        snapshot.runs("default", .., usize::MAX).expect("readable").iter().map(|r| r.0).collect();
    assert_eq!(ids, (4..=u64::from(last)).rev().collect::<Vec<_>>());
    assert_eq!(snapshot.decisions("default", 3).expect("readable"), []);
    assert_eq!(snapshot.decisions("default", 4).expect("readable").len(), 2);
    let kept = |run: u64| {
        let trials = snapshot.trials("default", run, Style::Swing).expect("readable").is_some();
        assert_eq!(snapshot.work("default", run).expect("readable").is_some(), trials, "kept together");
        let series = snapshot.series("default", run, Style::Swing).expect("readable");
        assert_eq!(series.is_some(), trials, "kept together");
        trials
    };
    let oldest = u64::from(last) - TRIAL_RUNS_MAX + 1;
    assert_eq!((kept(oldest - 1), kept(oldest)), (false, true));
    assert_in_force(&snapshot, "default", last.into(), last);
    assert_in_force(&snapshot, "other", 1, 1);
}

/// Set in the process that is to be killed.
const VICTIM: &str = "RETUNE_TEST_STORE_VICTIM";
/// Times the writer is killed.
const KILLS: usize = 15;

/// Commits and publishes for ever, saying so each time.
#[expect(clippy::print_stdout, reason = "the parent reads it")]
fn commit_until_killed(dir: &Path) -> ! {
    // All that was stored is to be there.
    let location = Location { full_runs: TRIAL_RUNS_MAX, ..Location::new(dir) };
    let mut store = Store::open(location, 5).expect("the store survived");
    println!("\nopened 0");
    loop {
        let next = store.read().expect("readable").runs("default", .., 1).expect("readable");
        let next = next.first().map_or(1, |(id, _)| id + 1);
        let id = store.commit(learning("default", next as u32)).expect("committed");
        println!("committed {id}");
        store.publish_view().expect("published");
        println!("published {id}");
    }
}

fn spawn_victim(dir: &Path) -> Child {
    let test = std::thread::current().name().expect("tests have names").to_owned();
    Command::new(std::env::current_exe().expect("known"))
        .args(["--exact", &test, "--nocapture", "--test-threads=1"])
        .env(VICTIM, dir)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the test binary starts")
}

#[test]
fn a_killed_writer_loses_nothing_it_acknowledged() {
    if let Some(dir) = std::env::var_os(VICTIM) {
        commit_until_killed(Path::new(&dir));
    }
    let (_parent, dir) = state_dir();
    let mut committed = 0;
    for kill in 0..KILLS {
        let mut victim = spawn_victim(&dir);
        let lines = BufReader::new(victim.stdout.take().expect("piped")).lines();
        let mut words = 0;
        // What is still in the pipe after the kill was acknowledged before it.
        for line in lines.map(|line| line.expect("text")) {
            let Some((word, id)) = line.split_once(' ') else { continue };
            match word {
                // The harness says so before the store is opened.
                "running" => {}
                "opened" | "committed" | "published" => committed = committed.max(id.parse().expect("an id")),
                _ => continue,
            }
            words += 1;
            // At another word each time: while opening, before the first commit, while publishing, ...
            if words == kill + 1 {
                victim.kill().expect("it never ends by itself");
            }
        }
        assert!(words > kill, "the writer ended by itself after {words} words");
        victim.wait().expect("it was killed");
        let store = Store::open(&dir, 6).expect("whole after a kill");
        let snapshot = store.read().expect("readable");
        let last = snapshot.runs("default", .., 1).expect("readable").first().map_or(0, |(id, _)| *id);
        assert!([committed, committed + 1].contains(&last), "{committed} acknowledged, {last} found");
        if last > 0 {
            assert_in_force(&snapshot, "default", last, last as u32);
            let view = View::open(&dir).expect("a view");
            assert_in_force(&view.read().expect("readable"), "default", last, last as u32);
        }
        (1..=last).for_each(|id| assert_holds(&snapshot, "default", id, id as u32));
        committed = last;
    }
    assert!(committed >= KILLS as u64, "the writer got somewhere: {committed}");
}
