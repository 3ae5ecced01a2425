//! Files that belong together: the store, its copy for readers, its cache and its backups, each missing, older or of another
//! store, and what each command says.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Output;

use retune::store::records::RunRecord;
use retune::store::{
    Edition, LearningCommit, Location, Store, View, begin_anew, list_backups, restore_backup,
};
use serde_json::Value;

use crate::command::{StoreDir, text};
use crate::fault_disk::{Fault, FaultDisk, Kind};
use crate::faults::NOW_MS;

/// Returns a legacy file with one take-profit.
pub(crate) fn legacy(folder: &Path, take_profit: f64) -> String {
    let file = folder.join(format!("legacy-{take_profit}.json"));
    let params = format!(
        "{{\"scalping_params\": {{\"atr_tp_multiplier\": {take_profit}, \"atr_stop_multiplier\": 2, \
         \"max_holding_hours\": 3}}}}"
    );
    fs::write(&file, params).expect("written");
    file.to_str().expect("text").to_owned()
}

/// Brings parameters with one take-profit into force.
pub(crate) fn import(store: &StoreDir, take_profit: f64) -> Output {
    let file = legacy(store.path.parent().expect("a folder"), take_profit);
    store.run(&["import-json", &file])
}

/// Returns the take-profit that an export writes, or what it says instead.
pub(crate) fn exported(store: &StoreDir) -> Result<f64, (Option<i32>, String)> {
    let output = store.run(&["export-json", "-o", "-"]);
    match output.status.code() {
        Some(0) => {
            let document: Value = serde_json::from_slice(&output.stdout).expect("JSON");
            Ok(document["scalping_params"]["atr_tp_multiplier"].as_f64().expect("a number"))
        }
        code => Err((code, text(&output.stderr))),
    }
}

/// Copies a file or a folder, whatever was there.
fn put(from: &Path, to: &Path) {
    if to.is_dir() {
        fs::remove_dir_all(to).expect("removed");
    }
    if !from.is_dir() {
        fs::copy(from, to).expect("copied");
        return;
    }
    fs::create_dir_all(to).expect("made");
    fs::set_permissions(to, fs::Permissions::from_mode(0o700)).expect("ours");
    for entry in fs::read_dir(from).expect("a folder") {
        let path = entry.expect("an entry").path();
        put(&path, &to.join(path.file_name().expect("a name")));
    }
}

/// A store as it is now, as it was two commits before, and another one.
struct Shelf {
    now: StoreDir,
    older: PathBuf,
    other: StoreDir,
}

impl Shelf {
    fn new() -> Self {
        let now = StoreDir::after_a_run();
        let older = now.path.with_file_name("older");
        put(&now.path, &older);
        assert_eq!(import(&now, 9.5).status.code(), Some(10));
        let ran = now.run(&RUN);
        assert!(ran.status.success(), "{}", text(&ran.stderr));
        Self { now, older, other: StoreDir::after_a_run() }
    }

    /// Returns a copy of the store in which one file is missing, older, or of the other store.
    fn with(&self, file: &str, how: &str) -> StoreDir {
        let store = StoreDir::missing();
        put(&self.now.path, &store.path);
        let path = store.path.join(file);
        match how {
            "missing" if path.is_dir() => fs::remove_dir_all(&path).expect("removed"),
            "missing" => fs::remove_file(&path).expect("removed"),
            "older" => put(&self.older.join(file), &path),
            _ => put(&self.other.path.join(file), &path),
        }
        store
    }
}

const RUN: [&str; 7] =
    ["incremental", "--data", "tests/sample", "--quick", "--exit-zero", "--progress", "none"];
const INSPECT: [&str; 2] = ["inspect", "params"];
const EXPORT: [&str; 4] = ["export-json", "--force", "-o", "-"];
const DOCTOR: [&str; 1] = ["doctor"];
const RESTORE: [&str; 1] = ["restore"];

/// A file, what became of it, and for `incremental`, `inspect params`, `export-json`, `doctor` and `restore` the exit code
/// with what is said.
type Case = (&'static str, &'static str, [(i32, &'static str); 5]);

const LOST: (i32, &str) = (6, "state.redb is missing, but view.redb, evals.redb, ");
const NEWER: (i32, &str) = (6, "is newer than the store: of commit");
const OTHERS: (i32, &str) = (6, "is the copy of another store");

const MATRIX: [Case; 12] = [
    ("state.redb", "missing", [LOST, LOST, LOST, LOST, (0, "whole")]),
    ("state.redb", "older", [(0, "is newer than the store"), NEWER, NEWER, NEWER, (0, "whole")]),
    ("state.redb", "foreign", [(0, "another store"), OTHERS, OTHERS, OTHERS, (0, "whole, of another store")]),
    (
        "view.redb",
        "missing",
        [
            (0, ""),
            (6, "has not been published"),
            (6, "has not been published"),
            (6, "has not been published"),
            (0, ""),
        ],
    ),
    (
        "view.redb",
        "older",
        [(0, ""), (6, "an older copy that was put back"), (6, "older copy"), (6, "older copy"), (0, "")],
    ),
    ("view.redb", "foreign", [(0, "another store"), OTHERS, OTHERS, OTHERS, (0, "")]),
    ("evals.redb", "missing", [(0, ""), (0, ""), (0, ""), (0, "not there; a run makes it"), (0, "")]),
    ("evals.redb", "older", [(0, ""), (0, ""), (0, ""), (0, "healthy"), (0, "")]),
    (
        "evals.redb",
        "foreign",
        [(0, "another store evaluated"), (0, ""), (0, ""), (1, "another store evaluated"), (0, "")],
    ),
    ("backups", "missing", [(0, ""), (0, ""), (0, ""), (1, "0 whole"), (0, "no backups")]),
    ("backups", "older", [(0, ""), (0, ""), (0, ""), (1, "the newest lacks the last 2"), (0, "whole")]),
    (
        "backups",
        "foreign",
        [(0, ""), (0, ""), (0, ""), (1, "1 of other stores"), (0, "whole, of another store")],
    ),
];

#[test]
fn every_command_says_what_does_not_belong_together() {
    let shelf = Shelf::new();
    for (file, how, expected) in MATRIX {
        for (command, (code, said)) in
            [&RUN[..], &INSPECT, &EXPORT, &DOCTOR, &RESTORE].into_iter().zip(expected)
        {
            let store = shelf.with(file, how);
            let before = store.content();
            let output = store.run(command);
            let found = format!("{}{}", text(&output.stdout), text(&output.stderr));
            // Tables break lines.
            let found = found.split_whitespace().collect::<Vec<_>>().join(" ");
            let what = format!("{file} {how}: {command:?}: {found}");
            assert_eq!(output.status.code(), Some(code), "{what}");
            assert!(found.contains(said), "{what}");
            assert!(code == 0 || code == 1 || found.contains("`optimizer "), "a way out: {what}");
            assert!(!found.contains("panicked") && !found.contains("unreachable"), "{what}");
            if command != RUN && command != EXPORT {
                assert!(before == store.content(), "a look changes nothing: {what}");
            }
            if command == RUN && code == 0 {
                assert!(
                    exported(&store).is_ok() || exported(&store).is_err_and(|(code, _)| code == Some(12))
                );
                let healthy = store.run(&DOCTOR);
                assert_eq!(healthy.status.code(), Some(0), "after it: {what}{}", text(&healthy.stdout));
            }
        }
    }
}

#[test]
fn what_only_a_run_can_mend_is_mended_by_the_command_that_is_named() {
    let shelf = Shelf::new();
    for (file, how) in
        [("view.redb", "older"), ("view.redb", "foreign"), ("view.redb", "missing"), ("state.redb", "older")]
    {
        let store = shelf.with(file, how);
        assert_eq!(store.run(&["doctor", "--repair"]).status.code(), Some(0), "{file} {how}");
        assert_eq!(store.run(&INSPECT).status.code(), Some(0), "{file} {how}");
    }
    // The newer copy beside an older store is all there is of a history: it is kept.
    let store = shelf.with("state.redb", "older");
    assert_eq!(store.run(&RUN).status.code(), Some(0));
    assert_eq!(aside(&store.path, "view.redb"), 1);
    // A store that was lost comes back from a backup, or is rebuilt.
    let store = shelf.with("state.redb", "missing");
    let done = store.run(&["restore", "3"]);
    assert_eq!(done.status.code(), Some(0), "{}", text(&done.stderr));
    assert_eq!(store.run(&INSPECT).status.code(), Some(0));
    let runs = store.json(&["inspect", "runs"]);
    assert_eq!(runs["data"]["runs"].as_array().map(Vec::len), Some(3));
    let store = shelf.with("state.redb", "missing");
    assert_eq!(store.run(&["restore", "--empty"]).status.code(), Some(0));
    let ran = store.run(&RUN);
    assert!(text(&ran.stdout).contains("run=1 "), "{}{}", text(&ran.stdout), text(&ran.stderr));
    assert!(text(&store.run(&RESTORE).stdout).contains("of another store"), "its backups stay");
}

#[test]
fn a_first_run_that_was_interrupted_leaves_a_cache_of_no_store() {
    let store = StoreDir::missing();
    let cut =
        store.run(&["incremental", "--data", "tests/sample", "--time-budget", "1ms", "--progress", "none"]);
    assert_eq!(cut.status.code(), Some(20), "{}", text(&cut.stderr));
    assert!(store.path.join("evals.redb").exists() && !store.path.join("state.redb").exists());
    assert_eq!(store.run(&INSPECT).status.code(), Some(2), "there is no store yet");
    assert!(text(&store.run(&RUN).stdout).contains("run=1 "));
}

#[test]
fn a_restored_store_is_what_readers_see_at_once() {
    let store = StoreDir::missing();
    assert_eq!(import(&store, 2.5).status.code(), Some(10));
    assert_eq!(import(&store, 9.5).status.code(), Some(10));
    assert_eq!(exported(&store), Ok(9.5));
    let done = store.stdout(&["restore", "1"]);
    assert!(done.contains("restored 1 runs"), "{done}");
    assert_eq!(exported(&store), Ok(2.5));
    let healthy = store.run(&DOCTOR);
    assert_eq!(healthy.status.code(), Some(0), "{}", text(&healthy.stdout));
    // A copy from before the restoration is older than the store, whatever its number was.
    assert_eq!(import(&store, 4.5).status.code(), Some(10));
    assert_eq!(exported(&store), Ok(4.5));
    assert_eq!(aside(&store.path, "state.redb"), 1);
}

/// Counts the files of a name that were set aside.
fn aside(dir: &Path, name: &str) -> usize {
    let entries = fs::read_dir(dir).expect("a folder").map(|entry| entry.expect("an entry").file_name());
    entries.filter(|entry| entry.to_string_lossy().starts_with(&format!("{name}.damaged-"))).count()
}

#[test]
fn a_backup_with_anything_behind_its_end_is_refused() {
    let store = StoreDir::missing();
    assert_eq!(import(&store, 2.5).status.code(), Some(10));
    let backup = list_backups(&store.path).expect("listed").remove(0).path;
    let whole = fs::read(&backup).expect("readable");
    for more in [&b"\0"[..], b"garbage", &whole] {
        fs::write(&backup, [&whole, more].concat()).expect("written");
        let (code, said) = store.failure(&["restore", "1"]);
        assert!(code == Some(6) && said.contains("more behind its end"), "{code:?} {said}");
        let doctor = store.run(&DOCTOR);
        assert_eq!(doctor.status.code(), Some(1), "{}", text(&doctor.stdout));
    }
    fs::write(&backup, &whole).expect("written");
    assert!(store.stdout(&["restore", "1"]).contains("restored 1 runs"));
}

#[test]
fn a_look_judges_what_a_killed_run_left_as_the_next_run_does() {
    let store = StoreDir::after_a_run();
    assert_eq!(import(&store, 2.5).status.code(), Some(10));
    // As a killed process leaves it: open, with a commit that nobody published.
    let killed = StoreDir::missing();
    put(&store.path, &killed.path);
    let mut open = Store::open(&store.path, NOW_MS).expect("whole");
    open.commit(LearningCommit::new("default", RunRecord::default())).expect("committed");
    put(&store.path.join("state.redb"), &killed.path.join("state.redb"));
    drop(open);
    let before = killed.content();
    let looked = killed.run(&DOCTOR);
    let said = text(&looked.stdout);
    assert_eq!(looked.status.code(), Some(1), "{said}");
    assert!(said.contains("every row verified") && !said.contains("BROKEN"), "{said}");
    assert!(said.contains("stored and not published yet"), "{said}");
    let shown = killed.run(&INSPECT);
    assert_eq!(shown.status.code(), Some(0));
    assert!(text(&shown.stderr).contains("run 2 of profile default is shown"), "{}", text(&shown.stderr));
    assert!(exported(&killed).is_err_and(|(code, said)| code == Some(6) && said.contains("not current")));
    assert!(before == killed.content(), "a look changes nothing");
    let ran = killed.run(&RUN);
    assert!(text(&ran.stdout).contains("run=4 "), "{}{}", text(&ran.stdout), text(&ran.stderr));
    assert!(text(&ran.stderr).contains("not reported until now: run 3"), "{}", text(&ran.stderr));
    assert_eq!(killed.run(&DOCTOR).status.code(), Some(0));
}

#[test]
fn backups_are_kept_by_day_and_by_profile() {
    let store = StoreDir::missing();
    let location = Location { backups: 7, ..Location::new(&store.path) };
    let hour = 3_600_000;
    let mut open = Store::open(location, NOW_MS).expect("a new store");
    for step in 0..20 * 24 {
        for (index, profile) in
            ["a", "b", "c"].into_iter().enumerate().filter(|(index, _)| step % (index + 1) == 0)
        {
            let started_at_ms = NOW_MS + step as i64 * hour + index as i64;
            open.commit(LearningCommit::new(profile, RunRecord { started_at_ms, ..RunRecord::default() }))
                .expect("committed");
        }
    }
    drop(open);
    let kept = list_backups(&store.path).expect("listed");
    for profile in ["a", "b", "c"] {
        let own = kept.iter().filter_map(|backup| backup.content.as_ref().ok());
        let own = own.filter(|content| content.profile.as_deref() == Some(profile));
        let mut days: Vec<i64> = own.map(|content| content.created_at_ms / (24 * hour)).collect();
        days.dedup();
        assert_eq!(days.len(), 7, "{profile}: {days:?}");
    }
    assert!(kept.len() <= 4 * 7, "{}", kept.len());
    assert_eq!(kept[0].number, kept.iter().map(|backup| backup.number).max().expect("some"));
}

#[test]
fn a_failing_backup_is_told_whatever_is_to_be_quiet() {
    let store = StoreDir::after_a_run();
    fs::remove_dir_all(store.path.join("backups")).expect("removed");
    fs::write(store.path.join("backups"), b"in the way").expect("written");
    let ran = store.run(&[&RUN[..], &["-q"]].concat());
    assert_eq!(ran.status.code(), Some(0));
    assert!(text(&ran.stderr).contains("no backup of it could be made"), "{}", text(&ran.stderr));
}

#[test]
fn a_clock_that_was_set_back_adopts_nothing() {
    let store = StoreDir::missing();
    let later = RunRecord { started_at_ms: NOW_MS * 2, ..RunRecord::default() };
    let mut open = Store::open(&store.path, NOW_MS).expect("a new store");
    open.commit(LearningCommit::new("default", later)).expect("committed");
    open.publish_view().expect("published");
    open.report_done("default").expect("noted");
    drop(open);
    // The first run of the set-back clock is not what the next one is held against.
    for _ in 0..2 {
        let ran = store.run(&["incremental", "--data", "tests/sample", "-q", "--quick"]);
        let said = text(&ran.stderr);
        assert!(said.contains("lies before the last run") && said.contains("nothing is adopted"), "{said}");
        assert!(matches!(ran.status.code(), Some(0 | 11)), "{}", text(&ran.stdout));
    }
    let params = store.json(&["inspect", "params"]);
    assert_eq!(params["data"]["scopes"].as_array().map(Vec::len), Some(0), "{params:#}");
    let doctor = text(&store.run(&DOCTOR).stdout);
    assert!(doctor.contains("is before the last run"), "{doctor}");
}

/// Whoever writes a store leaves the stamp by which readers know that its copy is current; an older store that is put back at
/// once is found all the same, though it has the size and the times of the newer one.
#[test]
fn a_stamp_of_the_copy_is_left_by_all_who_write_and_hides_nothing() {
    let store = StoreDir::missing();
    let (state, stamp) = (store.path.join("state.redb"), store.path.join("view.stamp"));
    assert_eq!(import(&store, 2.5).status.code(), Some(10));
    let older = fs::read(&state).expect("readable");
    let done = |arguments: &[&str]| {
        let ended = store.run(arguments);
        assert!(matches!(ended.status.code(), Some(0 | 1 | 10)), "{arguments:?}: {}", text(&ended.stderr));
        assert!(stamp.is_file(), "{arguments:?}");
    };
    assert!(stamp.is_file());
    for arguments in
        [&RUN[..], &["doctor", "--repair"], &["doctor", "--compact"], &["restore", "1"], &INSPECT]
    {
        done(arguments);
    }
    assert_eq!(exported(&store), Ok(2.5));
    assert_eq!(import(&store, 9.5).status.code(), Some(10));
    assert_eq!(exported(&store), Ok(9.5));
    // In place, with the time of modification that it had.
    let newer = fs::metadata(&state).and_then(|found| found.modified()).expect("a time");
    fs::write(&state, &older).expect("put back");
    fs::File::options().write(true).open(&state).and_then(|file| file.set_modified(newer)).expect("set");
    let (code, said) = exported(&store).expect_err("another copy than the store's");
    assert!(code == Some(6) && said.contains("view.redb"), "{said}");
}

#[test]
fn where_links_are_refused_a_store_is_kept_by_a_copy() {
    let store = StoreDir::missing();
    assert_eq!(import(&store, 2.5).status.code(), Some(10));
    let before = fs::read(store.path.join("state.redb")).expect("readable");
    let backup = list_backups(&store.path).expect("listed").remove(0).path;
    let not_permitted = Fault::Once(1);
    let mut refused = 0;
    for number in 0..40 {
        let disk = std::sync::Arc::new(FaultDisk::over(&store.path).fail(Kind::Name, number, not_permitted));
        let location = Location { gate: Some(disk), ..Location::new(&store.path) };
        match restore_backup(location, &backup, NOW_MS + number as i64) {
            Ok(done) => assert!(done.set_aside.is_some_and(|path| path.is_file())),
            Err(_) => refused += 1,
        }
    }
    assert!(refused > 0, "other steps are not done without");
    assert_eq!(aside(&store.path, "state.redb"), 5, "the oldest make room");
    assert!(!before.is_empty() && View::open(&store.path).is_ok());
}

#[test]
fn a_link_is_a_link_with_a_slash_at_its_end() {
    let store = StoreDir::after_a_run();
    let link = store.path.with_file_name("link");
    symlink(&store.path, &link).expect("linked");
    for written in ["link", "link/", "link//", "link/."] {
        let linked = store.path.with_file_name(written);
        let mut command = crate::command::optimizer();
        command.args(RUN).arg("--store").arg(store.path.parent().expect("a folder").join(written));
        let output = command.output().expect("started");
        let said = text(&output.stderr);
        assert!(output.status.code() == Some(6) && said.contains("is a symbolic link"), "{linked:?}: {said}");
    }
}

#[test]
fn what_root_makes_belongs_to_whom_the_directory_belongs() {
    let store = StoreDir::missing();
    fs::create_dir(&store.path).expect("made");
    if std::os::unix::fs::chown(&store.path, Some(12_345), Some(12_345)).is_err() {
        // Only root can try it.
        return;
    }
    let ran = store.run(&RUN);
    assert_eq!(ran.status.code(), Some(0), "{}", text(&ran.stderr));
    assert_eq!(store.run(&["export-json", "--force", "-o", "-"]).status.code(), Some(0));
    let mut folders = vec![store.path.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let found = fs::metadata(&path).expect("there");
            assert_eq!((found.uid(), found.gid()), (12_345, 12_345), "{}", path.display());
            if found.is_dir() {
                folders.push(path);
            }
        }
    }
    std::os::unix::fs::chown(store.path.join("state.redb"), Some(0), Some(0)).expect("root");
    let mended = store.run(&["doctor", "--repair"]);
    assert!(text(&mended.stdout).contains("to the owner of the directory"), "{}", text(&mended.stdout));
}

#[test]
fn editions_count_on_over_restorations() {
    let store = StoreDir::missing();
    let edition = || -> Edition {
        Store::open(&store.path, NOW_MS).and_then(|store| store.read()?.edition()).expect("readable")
    };
    import(&store, 2.5);
    import(&store, 9.5);
    let before = edition();
    let oldest = list_backups(&store.path).expect("listed").pop().expect("one").path;
    restore_backup(&store.path, &oldest, NOW_MS).expect("restored");
    let after = edition();
    assert_eq!(after.store_uuid, before.store_uuid);
    assert!(after.generation > before.generation && after.content != before.content);
    begin_anew(&store.path, NOW_MS).expect("begun");
    assert_ne!(edition().store_uuid, before.store_uuid);
}
