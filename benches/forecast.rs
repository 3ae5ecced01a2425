//! Does `incremental --dry-run` say how long a run takes and how much memory it needs, within a factor of two?
//!
//! Workload: the candles in `../shared/data/candles/binance-spot` where they are (7 symbols, 2.5 years of 15m candles), else
//! the bundled sample; whole processes. Each question is asked, then carried out, five times: from nothing, with other costs
//! (everything is evaluated again, nothing is known of such runs), and with `--full` (earlier runs are known). Printed: the
//! median of predicted over taken, which has to lie between 0.5 and 2.
//!
//! Under `cargo test` it runs once on the sample, and asserts nothing about time.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// What is asked: its name, and its arguments.
const QUESTIONS: [(&str, &[&str]); 3] = [
    ("from nothing", &[]),
    ("with other costs", &["--set", "costs.taker_fee_pct=0.06"]),
    ("everything again", &["--full"]),
];

fn main() {
    let measured = std::env::args().any(|argument| argument == "--bench");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let real = root.join("../shared/data/candles/binance-spot");
    let data = if measured && real.exists() { real } else { root.join("tests/sample") };
    let mut ratios: Vec<Vec<(f64, f64)>> = vec![Vec::new(); QUESTIONS.len()];
    for _ in 0..if measured { 5 } else { 1 } {
        let folder = tempfile::tempdir().expect("a folder");
        for ((_, more), ratios) in QUESTIONS.iter().zip(&mut ratios) {
            ratios.push(ask_and_run(&data, &folder.path().join("store"), more));
        }
    }
    for ((name, _), ratios) in QUESTIONS.iter().zip(&ratios) {
        let time = median(ratios.iter().map(|(time, _)| *time));
        let memory = median(ratios.iter().map(|(_, memory)| *memory));
        print(&format!(
            "{name}: predicted {time:.2} of the time and {memory:.2} of the memory that were taken"
        ));
        let fair = |ratio: f64| (0.5..=2.0).contains(&ratio);
        assert!(!measured || (fair(time) && fair(memory)), "{name}: out of bounds");
    }
}

/// Returns predicted over taken: wall time, peak memory.
fn ask_and_run(data: &Path, store: &PathBuf, more: &[&str]) -> (f64, f64) {
    let run = |last: &[&str]| -> Value {
        let mut command = Command::new(env!("CARGO_BIN_EXE_optimizer"));
        command.args(["incremental", "--window", "all", "--progress", "none", "--exit-zero", "--json"]);
        command.arg("--data").arg(data).arg("--store").arg(store).args(more).args(last);
        let output =
            command.env("OPTIMIZER_LIMITS__PRIORITY", "normal").output().expect("the program starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice::<Value>(&output.stdout).expect("a document")["data"].clone()
    };
    let (forecast, taken) = (run(&["--dry-run"]), run(&[]));
    for key in ["units_total", "units_evaluated", "units_reused"] {
        assert_eq!(forecast[key], taken["evaluation"][key], "{key}");
    }
    let ratio = |key: &str| {
        let figure = |value: &Value| value[key].as_f64().unwrap_or(f64::NAN);
        figure(&forecast["estimate"]) / figure(&taken["run"])
    };
    (ratio("duration_ms"), ratio("peak_rss_bytes"))
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = values.collect();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

#[expect(clippy::print_stdout, reason = "a bench prints its figures")]
fn print(line: &str) {
    println!("{line}");
}
