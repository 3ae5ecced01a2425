//! What people do who do not know the program yet, and what it says.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::command::{StoreDir, optimizer, text};
use crate::pipeline::sample_dir;

/// Runs the program somewhere else than in the repository.
fn run_in(folder: &Path, arguments: &[&str]) -> Output {
    optimizer().args(arguments).current_dir(folder).output().expect("the program can be started")
}

/// Returns the exit code of a command and what it says on stderr.
fn said(output: &Output) -> (Option<i32>, String) {
    (output.status.code(), text(&output.stderr))
}

fn sample() -> String {
    sample_dir().to_str().expect("a plain path").to_owned()
}

#[test]
fn a_run_that_is_not_there_is_told_as_such() {
    let store = StoreDir::after_a_run();
    for arguments in [["adopt", "99"], ["adopt", "0"], ["rollback", "99"]] {
        let (code, said) = store.failure(&arguments);
        let wanted = format!("expected a run of profile \"default\", found no run {}", arguments[1]);
        assert!(code == Some(2) && said.contains(&wanted), "{said}");
    }
    let (code, said) = store.failure(&["restore", "x"]);
    assert!(
        code == Some(2) && said.contains("expected the number of a backup, or its file, found no backup `x`"),
        "{said}"
    );
}

#[test]
fn the_last_run_is_the_last_there_is_something_to_say_about() {
    let store = StoreDir::after_a_run();
    let before = store.stdout(&["inspect", "top"]);
    assert_eq!(store.run(&["rollback"]).status.code(), Some(10));
    assert_eq!(store.stdout(&["inspect", "top"]), before, "a decision by hand searched nothing");
    assert!(store.stdout(&["inspect", "top", "--run", "last"]).contains("no trials are kept of this run"));
    for arguments in [["explain", "last"], ["explain", "previous"], ["validate", "last"], ["validate", "1"]] {
        assert!(store.run(&arguments).status.success(), "{arguments:?}");
    }
    let report = store.path.with_file_name("report.html");
    let file = report.to_str().expect("a plain path");
    assert_eq!(store.stdout(&["report", "last", "-o", file]), format!("wrote {file}\n"));
    let (code, said) = store.failure(&["report", "newest"]);
    assert!(code == Some(2) && said.contains("`last` or `previous`"), "{said}");
    let (code, said) = store.failure(&["report", "--plots", file]);
    assert!(code == Some(2) && said.contains("--plots: expected a folder, found a file"), "{said}");
}

#[test]
fn what_is_written_to_does_not_turn_into_something_else() {
    let store = StoreDir::after_a_run();
    let at = |name: &str| store.path.with_file_name(name);
    fs::write(at("real.json"), "{}").expect("written");
    symlink("real.json", at("link.json")).expect("linked");
    let named = at("link.json");
    store.stdout(&["export-json", "--force", "-o", named.to_str().expect("a plain path")]);
    assert!(fs::symlink_metadata(&named).expect("there").is_symlink());
    assert!(fs::read_to_string(at("real.json")).expect("there").contains("scalping_params"));
    let (code, said) = store.failure(&["export-json", "--check", "-o", "-"]);
    assert!(code == Some(2) && said.contains("expected a file to compare with"), "{said}");
}

#[test]
fn names_and_numbers_are_looked_at_before_the_work() {
    let place = tempfile::tempdir().expect("a folder");
    let sample = sample();
    let refused = |more: &[&str]| {
        let arguments = [&["incremental", "--data", &sample, "--progress", "none"], more].concat();
        said(&run_in(place.path(), &arguments))
    };
    for name in ["", "../x", "a b"] {
        let (code, said) = refused(&["--profile", name]);
        assert!(code == Some(2) && said.contains("1 to 64 letters"), "{said}");
    }
    let (code, said) = refused(&["--timerange", "20240101-20240201"]);
    assert!(code == Some(4) && said.contains("those from the end of --timerange on do not"), "{said}");
    assert!(!place.path().join("optimizer-state").exists(), "nothing is begun");
    for more in [&[][..], &["--dry-run"], &["--no-save"]] {
        let (code, said) = refused(&[&["--timerange", "20300101-"], more].concat());
        assert!(
            code == Some(4)
                && said.contains("expected candles from 2030-01-01 on (--timerange), found candles of 20"),
            "{said}"
        );
        assert!(!place.path().join("optimizer-state/state.redb").exists(), "nothing is stored");
    }
    let (code, said) = refused(&["--timerange", "-20250630", "--no-save", "--exit-zero"]);
    assert_eq!(code, Some(0), "open at its beginning: {said}");
    for (path, is_hinted) in [("~/candles", true), ("candles/*.csv", true), ("candles", false)] {
        let (code, said) = self::said(&run_in(place.path(), &["incremental", "--data", path]));
        assert!(code == Some(4) && said.contains("write the path itself") == is_hinted, "{said}");
    }
    let other = |arguments: &[&str]| self::said(&run_in(place.path(), arguments));
    let (code, said) = other(&["inspect", "trades", "x", "--account", "-5"]);
    assert!(code == Some(2) && said.contains("expected an amount such as 250"), "{said}");
    let (code, said) = other(&["check", "lookahead", "--data", &sample, "--samples", "0"]);
    assert!(code == Some(2) && said.contains("at least 1"), "nothing compared proves nothing: {said}");
}

#[test]
fn a_configuration_that_is_not_named_is_pointed_at() {
    let place = tempfile::tempdir().expect("a folder");
    let hint = || said(&run_in(place.path(), &["incremental"])).1;
    assert!(hint().contains("hint: `optimizer init` looks for candles"), "{}", hint());
    // A file that does not fit on the disk, the next best thing to a full one, is not left in the way.
    let limited = "ulimit -f 0; exec \"$@\"";
    let mut command = Command::new("sh");
    command.args(["-c", limited, "sh", env!("CARGO_BIN_EXE_optimizer"), "init", "--data", &sample()]);
    let (code, said) = said(&command.current_dir(place.path()).output().expect("a shell"));
    assert!(code == Some(74) && said.contains("cannot write `optimizer.toml`"), "{said}");
    assert!(run_in(place.path(), &["init", "--data", &sample()]).status.success());
    assert!(
        hint().contains("hint: there is an `optimizer.toml` here; `-c optimizer.toml` takes it"),
        "{}",
        hint()
    );
    fs::write(place.path().join("bytes.toml"), [0xff, 0xfe]).expect("written");
    let (code, said) = self::said(&run_in(place.path(), &["-c", "bytes.toml", "config", "check"]));
    assert!(code == Some(3) && said.contains("expected UTF-8 text, found other bytes at 0"), "{said}");
}

#[test]
fn an_environment_of_any_bytes_is_no_obstacle_and_a_near_miss_in_it_is_told() {
    let check = |name: &str, value: &[u8]| {
        let mut command = optimizer();
        let command = command.args(["config", "show"]).env(name, OsStr::from_bytes(value));
        let output = command.output().expect("the program can be started");
        (output.status.code(), text(&output.stdout) + &text(&output.stderr))
    };
    let (code, said) = check("SOMETHING_ELSE", b"\xff");
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = check("OPTIMIZER_SEARCH__TOP", b"\xff");
    assert!(
        code == Some(3) && said.contains("environment OPTIMIZER_SEARCH__TOP: expected UTF-8 text"),
        "{said}"
    );
    let (code, said) = check("OPTIMIZER_SEARCH_MIN_TRADES", b"9");
    assert!(code == Some(3) && said.contains("OPTIMIZER_SEARCH__MIN_TRADES, found one"), "{said}");
    let (code, said) = check("OPTIMIZER_SMTP_PASSWORD", b"9");
    assert_eq!(code, Some(0), "{said}");
}

#[test]
fn what_cannot_be_written_is_told() {
    let Ok(full) = fs::OpenOptions::new().write(true).open("/dev/full") else { return };
    let place = tempfile::tempdir().expect("a folder");
    let mut help = optimizer();
    let help = help.arg("--help").stdout(Stdio::from(full)).output().expect("the program can be started");
    let (code, said) = said(&help);
    assert!(code == Some(74) && said.contains("cannot write to stdout"), "{said}");
    let arguments =
        ["--log-file", "/dev/full", "incremental", "--data", &sample(), "--no-save", "--exit-zero"];
    let (code, said) = self::said(&run_in(place.path(), &arguments));
    assert_eq!(code, Some(0), "a run does not fail with its log: {said}");
    assert_eq!(said.matches("warning: cannot write the log file `/dev/full`").count(), 1, "{said}");
}
