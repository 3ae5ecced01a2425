//! The program itself under what happens to programs: killed, out of disk, started twice, read while it works, its store
//! damaged and restored.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use retune::store::records::{ParamsRecord, Record};
use retune::store::{Store, View};

use crate::command::{StoreDir, optimizer, rows_of, text};

#[path = "../tools/kill_loop.rs"]
#[allow(dead_code, reason = "only the command prints")]
mod kill_loop;

const RUN: [&str; 7] =
    ["incremental", "--data", "tests/sample", "--exit-zero", "--progress", "none", "--quick"];

fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_optimizer"))
}

/// Returns the active parameters as readers see them.
fn in_force(store: &StoreDir) -> Vec<(String, ParamsRecord)> {
    let view = View::open(&store.path).expect("published");
    view.read().and_then(|snapshot| snapshot.params_all("default")).expect("readable")
}

fn damage(path: &Path) {
    let mut bytes = fs::read(path).expect("readable");
    let rows = rows_of(&bytes, ParamsRecord::TYPE_ID);
    assert!(!rows.is_empty(), "there are parameters");
    rows.iter().for_each(|row| bytes[row.start + 40] ^= 4);
    fs::write(path, bytes).expect("writable");
}

#[test]
fn a_killed_program_loses_nothing_it_said_it_had_stored() {
    let figures = kill_loop::kill_loop(program(), Path::new(env!("CARGO_MANIFEST_DIR")), 40, 7);
    let figures = figures.unwrap_or_else(|problem| panic!("{problem}"));
    assert!(figures.killed_at_work >= 15, "{figures:?}");
}

#[test]
fn a_damaged_store_is_named_without_a_panic_and_restored_by_one_command() {
    let store = StoreDir::after_a_run();
    let (listed, params) = (store.stdout(&["restore"]), in_force(&store));
    assert!(listed.contains("whole"), "{listed}");
    let state = store.path.join("state.redb");
    damage(&state);
    let broken = fs::read(&state).expect("readable");
    let (code, said) = store.failure(&RUN);
    assert_eq!(code, Some(6), "{said}");
    assert!(said.contains("row \"") && said.contains(" of table "), "{said}");
    assert!(said.contains("optimizer restore") && !said.contains("panicked"), "{said}");
    assert!(fs::read(&state).expect("readable") == broken, "left as it is");
    let done = store.stdout(&["restore", "1"]);
    assert!(done.contains("restored 1 runs") && done.contains("kept as"), "{done}");
    assert_eq!(in_force(&store), params);
    let kept = fs::read_dir(&store.path).expect("readable").map(|entry| entry.expect("readable").path());
    let kept: Vec<PathBuf> = kept.filter(|path| path.to_string_lossy().contains("damaged")).collect();
    assert_eq!(kept.len(), 1, "{kept:?}");
    assert!(fs::read(&kept[0]).expect("readable") == broken, "the damaged store is kept");
    let again = store.run(&RUN);
    assert!(text(&again.stdout).contains("run=2"), "{}{}", text(&again.stdout), text(&again.stderr));
    for (wrong, wanted) in
        [("99", "found no backup `99`"), ("no-such-file", "found no backup `no-such-file`")]
    {
        let (code, said) = store.failure(&["restore", wrong]);
        assert!(code == Some(2) && said.contains(wanted), "{said}");
    }
}

#[test]
fn as_many_backups_are_kept_as_asked_for() {
    let store = StoreDir::missing();
    let numbers = |backups: &str| -> Vec<u64> {
        let ran = store.run(&[&RUN[..], &["--set", &format!("store.backups={backups}")]].concat());
        assert!(ran.status.success(), "{}", text(&ran.stderr));
        let listed = store.json(&["restore"]);
        let listed = listed["data"]["backups"].as_array().expect("a list").clone();
        listed.iter().map(|backup| backup["number"].as_u64().expect("a number")).collect()
    };
    assert_eq!(numbers("0"), [0; 0]);
    assert_eq!(numbers("2"), [1]);
    assert_eq!(numbers("2"), [2, 1]);
    assert_eq!(numbers("2"), [3, 2]);
    assert_eq!(numbers("1"), [4]);
    assert_eq!(numbers("0"), [4], "what was made before is left alone");
}

/// Runs the program with a limit on the size of files, in blocks of 512 bytes.
fn limited(store: &StoreDir, blocks: u64) -> std::process::Output {
    let mut command = Command::new("sh");
    let plain = optimizer();
    command
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("OPTIMIZER_DECIDE__REQUIRE", "stable")
        .env("OPTIMIZER_SEARCH__SCORE", "balanced")
        .env("OPTIMIZER_SEARCH__RANK", "plateau");
    command.arg("-c").arg(format!("ulimit -f {blocks}; exec \"$0\" \"$@\"")).arg(plain.get_program());
    command.args(RUN).arg("--full").arg("--store").arg(&store.path);
    command.output().expect("there is a shell")
}

#[test]
fn a_limit_on_files_is_told_as_a_full_disk_and_nothing_is_lost() {
    let mut failed = 0;
    // A new file of the engine has 72 KiB.
    for kib in [0, 16, 32, 64, 128, 500, 900, 1100, 1500, 2000, 3000] {
        let store = if kib % 1000 == 0 { StoreDir::missing() } else { StoreDir::after_a_run() };
        let before = store.path.exists().then(|| in_force(&store));
        let ended = limited(&store, kib * 2);
        let said = text(&ended.stderr);
        assert!(!said.contains("panicked"), "{kib} KiB: {said}");
        if !ended.status.success() {
            failed += 1;
            assert_eq!(ended.status.code(), Some(74), "{kib} KiB: {said}");
            assert!(
                said.contains("error: the disk is full, or a limit on files is reached"),
                "{kib} KiB: {said}"
            );
            assert!(said.contains("hint: free disk space"), "{kib} KiB: {said}");
        }
        if let Some(before) = before {
            assert_eq!(in_force(&store), before, "{kib} KiB: readers see what was there");
        }
        let next = store.run(&RUN);
        assert!(next.status.success(), "{kib} KiB: {}", text(&next.stderr));
    }
    assert!(failed >= 4, "{failed} of the limits were too low");
}

#[test]
#[expect(clippy::print_stderr, reason = "says why nothing was tested")]
fn a_file_system_that_is_full_is_named_before_anything_is_written() {
    let store = StoreDir::missing();
    fs::create_dir(&store.path).expect("writable");
    let script = "mount -t tmpfs -o size=8m tmpfs \"$1\" 2>/dev/null || exit 99; shift; exec \"$@\"";
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", script, "sh"]).arg(&store.path).arg(program()).args(RUN);
    command.arg("--store").arg(&store.path).current_dir(env!("CARGO_MANIFEST_DIR"));
    match command.output() {
        Ok(ended) if ended.status.code() == Some(74) => {
            let said = text(&ended.stderr);
            assert!(said.contains("error: the disk is almost full: "), "{said}");
            assert!(said.contains("hint: free disk space"), "{said}");
        }
        Ok(ended) if text(&ended.stdout).is_empty() => {
            eprintln!("skipped: no file system can be mounted here ({})", text(&ended.stderr).trim());
        }
        Ok(ended) => panic!("stored on a full disk: {}", text(&ended.stdout)),
        Err(error) => eprintln!("skipped: no `unshare` here ({error})"),
    }
}

#[test]
fn who_waits_for_the_lock_gets_it() {
    let store = StoreDir::after_a_run();
    let now_ms = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
    let held = Store::open(&store.path, now_ms.as_millis() as i64 - 90_000).expect("whole");
    let (code, said) = store.failure(&RUN);
    let pid = std::process::id();
    assert_eq!(code, Some(5), "{said}");
    assert!(said.contains(&format!("in use by process {pid} for 9")), "pid and age: {said}");
    assert!(said.contains("--lock-wait"), "{said}");
    let (code, said) = store.failure(&["restore", "1"]);
    assert_eq!(code, Some(5), "no backup takes the place of a store at work: {said}");
    let clock = Instant::now();
    let (code, said) = store.failure(&[&RUN[..], &["--lock-wait", "300ms"]].concat());
    assert_eq!(code, Some(5), "{said}");
    assert!(clock.elapsed() >= Duration::from_millis(300), "it waited");
    let (code, said) = store.failure(&[&RUN[..], &["--lock-wait", "soon"]].concat());
    assert!(code == Some(2) && said.contains("such as 30s"), "{said}");
    let waiting = std::thread::scope(|scope| {
        let waiting = scope.spawn(|| store.run(&[&RUN[..], &["--lock-wait", "2m"]].concat()));
        std::thread::sleep(Duration::from_millis(300));
        drop(held);
        waiting.join().expect("it ends")
    });
    assert!(text(&waiting.stdout).contains("run=2"), "{}", text(&waiting.stderr));
}

/// Times that runs and readers meet.
fn meetings() -> usize {
    std::env::var("RETUNE_DEEP").ok().and_then(|text| text.parse().ok()).map_or(10, |depth: usize| 50 * depth)
}

#[test]
fn two_runs_at_once_take_turns_and_readers_never_notice() {
    let store = StoreDir::after_a_run();
    let params = in_force(&store);
    let target = store.path.with_file_name("learning_config.json");
    let target = target.to_str().expect("text");
    let (mut runs, mut busy) = (1, 0);
    for meeting in 0..meetings() {
        // Every second time one of them waits.
        let waiting: &[&str] = if meeting % 2 == 0 { &["--lock-wait", "2m"] } else { &[] };
        let mut started: Vec<_> = [waiting, &[]]
            .into_iter()
            .map(|more| {
                let mut command = optimizer();
                command.args(RUN).arg("--full").args(more).arg("--store").arg(&store.path);
                command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts")
            })
            .collect();
        for _ in 0..3 {
            assert_eq!(in_force(&store), params);
            let written = store.run(&["export-json", "-o", target]);
            assert!(written.status.success(), "{}", text(&written.stderr));
            assert!(store.stdout(&["inspect"]).contains("default"));
            let looked = store.run(&["doctor", "--data", "tests/sample"]);
            assert!(matches!(looked.status.code(), Some(0 | 1)), "{}", text(&looked.stderr));
            assert!(!text(&looked.stdout).contains("damaged"), "{}", text(&looked.stdout));
        }
        let codes: Vec<Option<i32>> =
            started.iter_mut().map(|run| run.wait().expect("it ends").code()).collect();
        assert!(codes.iter().all(|code| matches!(code, Some(0 | 5))), "{codes:?}");
        assert!(waiting.is_empty() || codes[0] == Some(0), "who waits gets it: {codes:?}");
        runs += codes.iter().filter(|code| **code == Some(0)).count();
        busy += codes.iter().filter(|code| **code == Some(5)).count();
    }
    let opened = Store::open(&store.path, 0).expect("whole");
    let found = opened.read().expect("readable").runs("default", .., usize::MAX).expect("readable");
    assert_eq!(
        found.len(),
        runs,
        "every run that ended well is in the history, and no other ({busy} were sent away)"
    );
}
