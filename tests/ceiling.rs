//! `--max-memory` where the system means it: a limit a little above, and the run ends well all the same.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use crate::command::{StoreDir, optimizer, text};

/// What the run is told, and what the system allows besides for code, stacks and tables of pages.
const CEILING_MIB: u64 = 64;
const BESIDES_MIB: u64 = 8;

/// Runs the program on the sample from a shell that limits itself first.
fn run_after(limit: &str, store: &StoreDir, mib: u64) -> Output {
    let plain = optimizer();
    let mut command = Command::new("sh");
    command
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("OPTIMIZER_DECIDE__REQUIRE", "stable")
        .env("OPTIMIZER_SEARCH__SCORE", "balanced")
        .env("OPTIMIZER_SEARCH__RANK", "plateau");
    command.env("OPTIMIZER_LIMITS__PRIORITY", "normal").arg("-c").arg(format!("{limit}; exec \"$0\" \"$@\""));
    command.arg(plain.get_program()).args(["incremental", "--data", "tests/sample", "--exit-zero", "--full"]);
    command.args(["--progress", "none", "--jobs", "2", "--max-memory", &format!("{mib}MiB"), "--store"]);
    command.arg(&store.path).output().expect("there is a shell")
}

#[test]
fn a_run_with_a_ceiling_keeps_below_a_limit_on_its_data() {
    let store = StoreDir::missing();
    let limit = |mib: u64| format!("ulimit -d {} || exit 99", mib << 10);
    for _ in 0..2 {
        let ended = run_after(&limit(CEILING_MIB + BESIDES_MIB), &store, CEILING_MIB);
        assert!(ended.status.success(), "{}", text(&ended.stderr));
    }
    // The limit means something: with next to nothing no run ends well, and nothing is lost.
    let ended = run_after(&limit(6), &store, CEILING_MIB);
    assert!(!ended.status.success(), "{}", text(&ended.stdout));
    let runs = store.json(&["inspect", "runs"]);
    assert_eq!(runs["data"]["runs"].as_array().map(Vec::len), Some(2), "{runs:#}");
    let next = run_after("true", &store, CEILING_MIB);
    assert!(text(&next.stdout).contains("run=3"), "{}", text(&next.stderr));
}

/// Candles of some symbols at random, and a signal on every one.
fn dense(dir: &Path, symbols: usize, days: i64) {
    let mut state = 7_u64;
    let mut random = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as f64 / f64::from(1_u32 << 31) - 0.5
    };
    fs::create_dir(dir.join("candles")).expect("a folder");
    let mut signals = String::from("symbol,time,direction,style\n");
    for symbol in ["AAAUSDT", "BBBUSDT", "CCCUSDT"].iter().take(symbols) {
        let (mut price, mut candles) = (100.0, String::from("open_time,open,high,low,close,volume\n"));
        for candle in 0..days * 96 {
            let at = 1_735_689_600_000_i64 + candle * 900_000;
            let (open, close) = (price, price * (1.0 + 0.01 * random()));
            let (high, low) = (open.max(close) * 1.001, open.min(close) * 0.999);
            candles.push_str(&format!("{at},{open:.5},{high:.5},{low:.5},{close:.5},100\n"));
            let side = if random() > 0.0 { "long" } else { "short" };
            signals.push_str(&format!("{symbol},{at},{side},scalping\n"));
            price = close;
        }
        fs::write(dir.join(format!("candles/{symbol}-15m.csv")), candles).expect("written");
    }
    fs::write(dir.join("signals.csv"), signals).expect("written");
}

/// Runs on dense signals with so many stops and holding times; returns the document and the peak in bytes.
fn run_dense(dir: &Path, stops: usize, hours: usize, more: &[&str]) -> Result<(Value, u64), String> {
    let list = |count: usize, step: f64| {
        let values: Vec<String> = (1..=count).map(|i| format!("{}", i as f64 * step)).collect();
        format!("[{}]", values.join(","))
    };
    let mut command = optimizer();
    command.args([
        "incremental",
        "--json",
        "--no-save",
        "--exit-zero",
        "--progress",
        "none",
        "--window",
        "all",
    ]);
    command.args(["--style", "scalping", "--jobs", "2"]);
    command.arg("--data").arg(dir.join("candles")).arg("--signals").arg(dir.join("signals.csv"));
    let axes = [
        ("atr_tp_multiplier", list(2, 1.0)),
        ("atr_stop_multiplier", list(stops, 0.25)),
        ("max_holding_hours", list(hours, 1.0)),
    ];
    for (axis, values) in axes {
        command.arg("--set").arg(format!("style.scalping.space.{axis}={values}"));
    }
    let ended = command.args(more).output().expect("the program can be started");
    if !ended.status.success() {
        return Err(text(&ended.stderr));
    }
    let mut document: Value = serde_json::from_slice(&ended.stdout).expect("JSON");
    let run = document["data"]["run"].as_object_mut().expect("a run");
    let peak = run["peak_rss_bytes"].as_u64().expect("a peak");
    for volatile in ["peak_rss_bytes", "duration_ms", "started_at"] {
        run.remove(volatile);
    }
    Ok((document["data"].clone(), peak))
}

/// Signals times exit rules decide what outcomes take; below a ceiling they are brought in some rules at a time, and the answer
/// is the same.
#[test]
fn a_ceiling_holds_for_many_signals_and_many_exit_rules() {
    let dir = tempfile::tempdir().expect("a folder");
    dense(dir.path(), 3, 60);
    for (stops, hours) in [(2, 2), (14, 12)] {
        let (free, unbound) = run_dense(dir.path(), stops, hours, &[]).expect("a run");
        let (bound, peak) = run_dense(dir.path(), stops, hours, &["--max-memory", "48MiB"]).expect("a run");
        assert!(peak <= 48 << 20, "{stops} x {hours}: {} MiB", peak >> 20);
        assert_eq!(bound, free, "{stops} x {hours}");
        // It means something where there is much: without a ceiling memory grows with the rules.
        assert!(stops < 14 || unbound > peak, "{unbound} without, {peak} with a ceiling");
    }
    let refused = run_dense(dir.path(), 14, 12, &["--max-memory", "16MiB"]).expect_err("too little");
    assert!(refused.contains("expected a memory limit of at least"), "{refused}");
}

/// A control group below this process's own, removed with it.
struct Group(PathBuf);

impl Group {
    /// Makes one with a limit; the error says why that cannot be done here.
    fn limited(mib: u64) -> Result<Self, String> {
        let own = fs::read_to_string("/proc/self/cgroup").map_err(|error| error.to_string())?;
        let own = own.lines().find_map(|line| line.strip_prefix("0::/"));
        let own = own.ok_or("no control group of version 2")?;
        let parent = Path::new("/sys/fs/cgroup").join(own);
        let controllers = fs::read_to_string(parent.join("cgroup.subtree_control")).unwrap_or_default();
        if !controllers.split_whitespace().any(|name| name == "memory") {
            return Err(format!("memory is not handed on in `{}`", parent.display()));
        }
        let group = parent.join(format!("retune-test-{}", std::process::id()));
        fs::create_dir(&group).map_err(|error| format!("`{}`: {error}", group.display()))?;
        let group = Self(group);
        let write = |name: &str, value: String| fs::write(group.0.join(name), value);
        write("memory.max", (mib << 20).to_string()).map_err(|error| format!("memory.max: {error}"))?;
        // Where there is swap it is not to be used.
        let _ = write("memory.swap.max", "0".to_owned());
        Ok(group)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.0);
    }
}

#[test]
#[expect(clippy::print_stderr, reason = "says why nothing was tested")]
fn a_run_with_a_ceiling_is_not_killed_in_a_control_group() {
    let group = match Group::limited(CEILING_MIB + BESIDES_MIB) {
        Ok(group) => group,
        Err(reason) => {
            eprintln!("skipped: no control group with a limit can be made here: {reason}");
            return;
        }
    };
    let store = StoreDir::missing();
    let enter = format!("echo $$ > '{}' || exit 99", group.0.join("cgroup.procs").display());
    let ended = run_after(&enter, &store, CEILING_MIB);
    assert!(ended.status.success(), "{:?}: {}", ended.status, text(&ended.stderr));
    let events = fs::read_to_string(group.0.join("memory.events")).expect("readable");
    assert!(events.lines().any(|line| line == "oom_kill 0"), "{events}");
}
