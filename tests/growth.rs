//! What is remembered grows, and what a day costs does not: older runs are reduced to their summary, an unchanged file is known by
//! its bytes, and a backup says what changed. None of it changes what is decided, and damage is noticed as before.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use proptest::prelude::*;
use retune::model::{DAY_MS, Style};
use retune::store::records::*;
use retune::store::{
    LearningCommit, Location, PROOF_DAYS, Snapshot, Store, StoreError, TRIAL_RUNS_MAX, View, list_backups,
    restore_backup,
};

use crate::command::{StoreDir, rows_of};

/// 2025-06-01.
const NOW_MS: i64 = 1_748_736_000_000;
/// Figures that decide, and figures that only describe.
const DECIDING: [&str; 6] =
    ["look_day", "forward_days", "forward_net_pct", "forward_e_edge", "forward_e_decay", "p_edge"];
const DESCRIBING: [&str; 4] =
    ["traded_sets", "independent_net_pct", "uptrend_low_volatility_days", "weights_auc"];

/// A run as one of a random history: on which styles it decided, and whether it changed what is active.
#[derive(Debug, Clone)]
struct Made {
    number: u32,
    is_by_hand: bool,
    adopts: bool,
}

fn history() -> impl Strategy<Value = Vec<Made>> {
    let made = (any::<bool>(), 0..4_u8, 0..5_u8);
    proptest::collection::vec(made, 1..24).prop_map(|all| {
        let of = |(number, (adopts, by_hand, rare)): (usize, (bool, u8, u8))| Made {
            number: number as u32,
            is_by_hand: by_hand == 0,
            adopts: adopts && rare == 0,
        };
        all.into_iter().enumerate().map(of).collect()
    })
}

fn trials(number: u32, count: u32) -> TrialsRecord {
    let set =
        StoredParameterSet::of(&retune::model::ExitRule::new(1.0 + f64::from(number), 1.0, 12.0), vec![]);
    let score = |rank: u32| f64::from(rank) + f64::from(number) / 7.0;
    let trial =
        |rank| TrialRecord { rank, set: set.clone(), score: score(rank), metrics: StoredMetrics::default() };
    TrialsRecord { trials: (1..=count).map(trial).collect() }
}

fn learning(made: &Made, trials_count: u32) -> LearningCommit {
    let number = made.number;
    let run = RunRecord {
        started_at_ms: NOW_MS + i64::from(number) * DAY_MS,
        result: if made.is_by_hand { "adopted_by_hand" } else { "unchanged" }.to_owned(),
        config_toml: if made.is_by_hand { String::new() } else { format!("# {number}") },
        data_fingerprint: [number as u8; 32],
        ..RunRecord::default()
    };
    let decision = DecisionRecord {
        verdict: number.to_string(),
        adopted: made.adopts,
        changed: made.adopts,
        ..DecisionRecord::default()
    };
    let figure = |name: &str| NamedNumber { name: name.to_owned(), value: f64::from(number) };
    let figures = DECIDING.into_iter().chain(DESCRIBING).map(figure).collect();
    let evidence =
        EvidenceRecord { grid: [number as u8 % 3; 32], trials: 7, figures, ..EvidenceRecord::default() };
    let of_both = |record: &DecisionRecord| Style::ALL.map(|style| (style, record.clone())).into();
    let mut commit = LearningCommit::new("default", run);
    commit.decisions = of_both(&decision);
    if !made.is_by_hand {
        commit.evidence = Style::ALL.map(|style| (style, evidence.clone())).into();
        commit.trials = Style::ALL.map(|style| (style, trials(number, trials_count))).into();
        commit.series = BTreeMap::from([(Style::Swing, SeriesRecord::default())]);
        commit.work = Some(WorkRecord::default());
    }
    commit
}

fn is_whole(snapshot: &Snapshot<'_>, run: u64) -> bool {
    let found = [
        snapshot.work("default", run).expect("readable").is_some(),
        snapshot.trials("default", run, Style::Scalping).expect("readable").is_some(),
        snapshot.series("default", run, Style::Swing).expect("readable").is_some(),
    ];
    assert!(found.iter().all(|part| *part == found[0]), "run {run} is whole or it is not: {found:?}");
    found[0]
}

/// Returns whatever decisions of later runs, gates and the history read of a store.
fn decided(snapshot: &Snapshot<'_>) -> Vec<String> {
    let mut all = vec![format!("{:?}", snapshot.grids_and_looks("default").expect("readable"))];
    all.push(format!("{:?}", snapshot.params_all("default").expect("readable")));
    for (run, record) in snapshot.runs("default", .., usize::MAX).expect("readable") {
        all.push(format!("{record:?} {:?}", snapshot.decisions("default", run).expect("readable")));
        for style in Style::ALL {
            let mut evidence =
                snapshot.evidence("default", run, style).expect("readable").unwrap_or_default();
            evidence.figures.retain(|figure| DECIDING.contains(&figure.name.as_str()));
            all.push(format!("{evidence:?}"));
        }
    }
    all
}

fn location(dir: &Path, full_runs: u64) -> Location {
    Location { full_runs, ..Location::new(dir) }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn a_summary_keeps_what_decides_and_runs_that_changed_something_stay_whole(
        history in history(),
        full_runs in 1..6_u64,
    ) {
        let (one, other) = (StoreDir::missing(), StoreDir::missing());
        let mut all = Store::open(location(&one.path, TRIAL_RUNS_MAX), NOW_MS).expect("a new store");
        let mut few = Store::open(location(&other.path, full_runs), NOW_MS).expect("a new store");
        for made in &history {
            all.commit(learning(made, 2)).expect("committed");
            few.commit(learning(made, 2)).expect("committed");
        }
        let (all, few) = (all.read().expect("readable"), few.read().expect("readable"));
        prop_assert_eq!(decided(&all), decided(&few));
        let searched = |made: &&Made| !made.is_by_hand;
        let newest: Vec<u32> =
            history.iter().filter(searched).rev().take(full_runs as usize).map(|made| made.number).collect();
        for made in history.iter().filter(searched) {
            let run = u64::from(made.number) + 1;
            // Those that changed something count among the whole ones, so fewer others may be.
            if newest.contains(&made.number) && !history.iter().any(|made| made.adopts) || made.adopts {
                prop_assert!(is_whole(&few, run), "run {} of {:?}", run, history);
            }
            if !newest.contains(&made.number) && !made.adopts {
                prop_assert!(!is_whole(&few, run), "run {} of {:?}", run, history);
            }
            let kept = few.evidence("default", run, Style::Swing).expect("readable").expect("kept");
            let describes = kept.figures.iter().any(|figure| DESCRIBING.contains(&figure.name.as_str()));
            prop_assert_eq!(describes, is_whole(&few, run), "run {}", run);
        }
        prop_assert!(history.last().is_some_and(|last| last.is_by_hand || is_whole(&few, history.len() as u64)));
    }
}

fn plain(number: u32) -> Made {
    Made { number, is_by_hand: false, adopts: false }
}

/// Makes a store of some runs, published and closed.
fn filled(dir: &Path, runs: u32) {
    let mut store = Store::open(location(dir, 3), NOW_MS).expect("a new store");
    for number in 0..runs {
        store.commit(learning(&plain(number), 20)).expect("committed");
    }
    store.publish_view().expect("published");
}

#[test]
fn a_closed_store_is_sealed_and_a_byte_that_changed_anywhere_is_noticed_by_the_next_start() {
    let store = StoreDir::missing();
    filled(&store.path, 9);
    let (state, seal) = (store.path.join("state.redb"), store.path.join("state.seal"));
    let (bytes, sealed) = (fs::read(&state).expect("there"), fs::read(&seal).expect("sealed"));
    let whole =
        Store::open(&store.path, NOW_MS).expect("whole").read().and_then(|all| all.heads()).expect("read");
    let mut refused = 0;
    for at in (0..bytes.len()).step_by(bytes.len() / 60) {
        let mut flipped = bytes.clone();
        flipped[at] ^= 0x10;
        fs::write(&state, &flipped).expect("written");
        fs::write(&seal, &sealed).expect("written");
        match Store::open(&store.path, NOW_MS) {
            // What the engine does not use may be anything.
            Ok(opened) => assert_eq!(opened.read().and_then(|all| all.heads()).expect("readable"), whole),
            Err(error) => {
                assert!(error.is_unreadable(), "{error}");
                // What the engine needs to write is only looked at when it opens the file to write.
                let is_a_row = matches!(error, StoreError::Damaged { .. });
                assert!(!is_a_row || fs::read(&state).expect("there") == flipped, "left as it is");
                refused += 1;
            }
        }
    }
    assert!(refused >= 5, "{refused} of 60");
    // A seal is worth nothing beside another file, cut, or changed itself.
    fs::write(&state, &bytes).expect("written");
    for bad in [&sealed[..sealed.len() - 1], &[], b"retune seal 1\n"] {
        fs::write(&seal, bad).expect("written");
        assert!(Store::open(&store.path, NOW_MS).is_ok());
    }
    assert!(seal.is_file(), "sealed again");
}

#[test]
fn a_killed_writer_leaves_no_seal_and_readers_keep_their_copy() {
    let store = StoreDir::missing();
    filled(&store.path, 5);
    let copy = fs::read(store.path.join("view.redb")).expect("published");
    let mut open = Store::open(location(&store.path, 3), NOW_MS + 1).expect("whole");
    assert!(!store.path.join("state.seal").exists(), "whoever opens it takes the seal away");
    open.commit(learning(&plain(5), 20)).expect("committed");
    assert!(fs::read(store.path.join("view.redb")).expect("there") == copy, "until it is published");
    // Killed now: nothing of what stands here runs any more.
    let left = StoreDir::missing();
    fs::create_dir_all(&left.path).expect("writable");
    for name in ["state.redb", "view.redb"] {
        fs::copy(store.path.join(name), left.path.join(name)).expect("copied");
    }
    let again = Store::open(location(&left.path, 3), NOW_MS + 2).expect("whole");
    assert_eq!(again.read().and_then(|all| all.run_ids("default")).expect("readable"), [6, 5, 4, 3, 2, 1]);
    drop(again);
    let view = View::open(&left.path).expect("published by who opened it");
    assert_eq!(view.read().and_then(|all| all.run_ids("default")).expect("readable").len(), 6);
}

#[test]
fn a_run_that_is_not_published_leaves_no_seal() {
    let store = StoreDir::missing();
    filled(&store.path, 2);
    let mut open = Store::open(location(&store.path, 3), NOW_MS + 1).expect("whole");
    open.commit(learning(&plain(2), 20)).expect("committed");
    drop(open);
    assert!(!store.path.join("state.seal").exists(), "what it wrote was not read back");
    drop(Store::open(location(&store.path, 3), NOW_MS + 2).expect("whole"));
    assert!(store.path.join("state.seal").exists());
}

#[test]
fn a_week_after_the_last_proof_readers_get_a_copy_that_was_proved_again() {
    let store = StoreDir::missing();
    filled(&store.path, 9);
    let view = store.path.join("view.redb");
    let mut bytes = fs::read(&view).expect("there");
    // Damage of a row of the copy, which no stamp tells of: the disk's own.
    let rows = rows_of(&bytes, RunRecord::TYPE_ID);
    assert!(rows.len() >= 9, "{rows:?}");
    rows.iter().for_each(|row| bytes[row.start + 40] ^= 1);
    fs::write(&view, &bytes).expect("written");
    assert!(View::open(&store.path).is_err(), "readers refuse it");
    drop(Store::open(&store.path, NOW_MS + PROOF_DAYS * DAY_MS).expect("whole"));
    assert!(View::open(&store.path).is_ok());
}

#[test]
fn backups_of_changes_restore_like_whole_ones_and_name_what_is_missing() {
    let store = StoreDir::missing();
    let location = Location { backups: 5, full_runs: 40, ..Location::new(&store.path) };
    let mut open = Store::open(location, NOW_MS).expect("a new store");
    let mut contents = Vec::new();
    let noise = |commit: &mut LearningCommit, number: u32| {
        commit.run.config_toml =
            (0..2000).map(|n| format!("{:x}", (n * 7919 + number * 104_729) % 65_521)).collect();
        for (index, trial) in commit.trials.values_mut().flat_map(|trials| &mut trials.trials).enumerate() {
            trial.score = (f64::from(number * 1000 + index as u32)).sin();
            trial.metrics.win_rate = Some((trial.score * 1e3).fract().abs());
        }
    };
    for number in 0..60 {
        let mut commit = learning(&plain(number), 50);
        noise(&mut commit, number);
        open.commit(commit).expect("committed");
        let snapshot = open.read().expect("readable");
        contents.push((snapshot.table_sizes().expect("readable"), decided(&snapshot)));
    }
    drop(open);
    let kept = list_backups(&store.path).expect("listed");
    assert!(kept.iter().all(|backup| backup.content.is_ok()), "{kept:?}");
    let largest = kept.iter().map(|backup| backup.bytes).max().expect("some");
    let newest = &kept[0];
    assert!(newest.bytes * 4 < largest, "{} of {largest} bytes: it says what changed", newest.bytes);
    let all: u64 = kept.iter().map(|backup| backup.bytes).sum();
    assert!(all < 5 * largest, "{all} bytes beside one of {largest}");
    for backup in kept.iter().take(4).chain(kept.last()) {
        let content = backup.content.as_ref().expect("whole");
        let again = StoreDir::missing();
        restore_backup(&again.path, &backup.path, NOW_MS).expect("restored");
        let restored = Store::open(&again.path, NOW_MS).expect("whole");
        let snapshot = restored.read().expect("readable");
        let (sizes, decisions) = &contents[backup.number as usize - 1];
        assert_eq!(&snapshot.table_sizes().expect("readable"), sizes, "backup {}", backup.number);
        assert_eq!(&decided(&snapshot), decisions);
        assert_eq!(content.runs, backup.number);
    }
    // Without one that it goes on from, or with one that is damaged, it is refused by name and nothing is touched.
    let between = kept[1].path.clone();
    let whole = fs::read(&between).expect("there");
    let refused = || -> String {
        let before = fs::read(store.path.join("state.redb")).expect("there");
        let error = restore_backup(&store.path, &newest.path, NOW_MS).expect_err("it is not whole");
        assert!(fs::read(store.path.join("state.redb")).expect("there") == before);
        let listed = list_backups(&store.path).expect("listed");
        assert!(listed.iter().find(|backup| backup.number == newest.number).expect("there").content.is_err());
        error.to_string()
    };
    fs::write(&between, &whole[..whole.len() / 2]).expect("written");
    assert!(refused().contains("is not whole"), "{}", refused());
    fs::remove_file(&between).expect("removed");
    assert!(refused().contains(&format!("since backup {}", kept[1].number)), "{}", refused());
    fs::write(&between, fs::read(&kept[2].path).expect("there")).expect("written");
    assert!(refused().contains("have to be beside it"), "{}", refused());
    fs::write(&between, whole).expect("written");
    // The next commit goes on from it again.
    let location = Location { backups: 5, full_runs: 40, ..Location::new(&store.path) };
    let mut open = Store::open(location, NOW_MS).expect("whole");
    let id = open.commit(learning(&plain(60), 50)).expect("committed");
    assert_eq!(
        (id, list_backups(&store.path).expect("listed")[0].content.as_ref().map(|held| held.runs)),
        (61, Ok(61))
    );
}

#[test]
fn a_backup_of_changes_on_a_lost_one_is_followed_by_a_whole_one() {
    let store = StoreDir::missing();
    let location = || Location { backups: 3, full_runs: 90, ..Location::new(&store.path) };
    let mut open = Store::open(location(), NOW_MS).expect("a new store");
    for number in 0..40 {
        let mut commit = learning(&plain(number), 50);
        commit.run.config_toml =
            (0..3000).map(|n| format!("{:x}", (n * 7919 + number * 104_729) % 65_521)).collect();
        open.commit(commit).expect("committed");
    }
    let newest = list_backups(&store.path).expect("listed").remove(0);
    fs::write(&newest.path, b"not a backup").expect("written");
    open.commit(learning(&plain(40), 50)).expect("committed");
    let next = list_backups(&store.path).expect("listed").remove(0);
    assert_eq!(next.content.map(|held| held.runs), Ok(41), "it needs nothing of the damaged one");
}

#[test]
fn an_older_store_is_reduced_by_the_next_run() {
    let store = StoreDir::missing();
    let mut open = Store::open(location(&store.path, TRIAL_RUNS_MAX), NOW_MS).expect("a new store");
    for number in 0..60 {
        open.commit(learning(&plain(number), 50)).expect("committed");
    }
    drop(open);
    let mut open = Store::open(location(&store.path, 30), NOW_MS).expect("whole");
    open.commit(learning(&plain(60), 50)).expect("committed");
    let snapshot = open.read().expect("readable");
    let whole = (1..=61).filter(|run| is_whole(&snapshot, *run)).collect::<Vec<_>>();
    assert_eq!(whole, (32..=61).collect::<Vec<_>>());
    assert_eq!(decided(&snapshot).len(), 2 + 61 * 3);
}

#[test]
fn what_is_no_longer_kept_of_a_run_is_said() {
    let store = StoreDir::after_a_run();
    let few = ["--set", "store.keep_full_runs=1"];
    let run = [
        &["incremental", "--data", "tests/sample", "--exit-zero", "--progress", "none", "--quick"],
        &few[..],
    ];
    (0..2).for_each(|_| assert!(store.run(&run.concat()).status.success()));
    let shown = store.stdout(&["inspect", "run", "2"]);
    assert!(shown.contains("the summary of this run is kept: its configuration, decisions"), "{shown}");
    assert!(!store.stdout(&["inspect", "run", "3"]).contains("summary of this run"));
    let trials = store.stdout(&["inspect", "trials"]);
    assert!(
        trials
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
            .contains("of 1 older run only the summary is kept"),
        "{trials}"
    );
    let best = store.stdout(&["inspect", "top", "--run", "2"]);
    assert!(best.contains("only the summary is (store.keep_full_runs)"), "{best}");
    let (code, said) = store.failure(&["explain", "2"]);
    assert!(code != Some(0) && said.contains("store.keep_full_runs"), "{said}");
    for bad in ["0", "91"] {
        let said = store.failure(&["config", "check", "--set", &format!("store.keep_full_runs={bad}")]).1;
        assert!(said.contains("store.keep_full_runs") && said.contains("1 to 90 runs"), "{said}");
    }
}

#[test]
fn errors_of_a_store_are_what_they_were() {
    // A row that is damaged is named with its table, although the seal is what noticed it.
    let store = StoreDir::missing();
    filled(&store.path, 4);
    let state = store.path.join("state.redb");
    let mut bytes = fs::read(&state).expect("there");
    for at in (0..bytes.len() - 3).filter(|at| bytes[*at..].starts_with(b"# 3")).collect::<Vec<_>>() {
        bytes[at + 2] = b'7';
    }
    fs::write(&state, bytes).expect("written");
    let error = Store::open(&store.path, NOW_MS).expect_err("damaged");
    assert!(matches!(&error, StoreError::Damaged { table: "runs", .. }), "{error}");
}
