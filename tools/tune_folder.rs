//! Tunes a folder of candles by the defaults, remembers nothing and prints what came of it:
//! `cargo run --release --example tune_folder -- tests/sample`.

use std::error::Error;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::time::{SystemTime, UNIX_EPOCH};

use retune::{Config, DayLimits, RunOptions, RunReport, Style, incremental};

#[expect(clippy::print_stdout, reason = "a command")]
fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args_os().nth(1).ok_or("expected a folder of candles")?;
    let now_ms = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis().try_into()?;
    print!("{}", describe(&tune(folder.into(), now_ms)?));
    Ok(())
}

/// Returns what a run over a folder finds, as of an instant (UTC ms).
pub(crate) fn tune(folder: PathBuf, now_ms: i64) -> Result<RunReport, Box<dyn Error>> {
    let config = Config::from_texts(&[("own".to_owned(), "validate.quick = true".to_owned())])?;
    let plan = config.plan(&Style::ALL, DayLimits::default())?;
    let options = RunOptions::over(vec![folder], now_ms);
    Ok(incremental(&plan, &options, &AtomicBool::new(false), &|_| ())?)
}

/// Returns a line per style: its verdict, its decision and the parameters that a run would change.
pub(crate) fn describe(report: &RunReport) -> String {
    let mut text = format!("{} candles: {}\n", report.input.candles(), report.result.as_str());
    for style in &report.styles {
        let (verdict, outcome) = (style.study.judgement.verdict, style.decision.outcome.as_str());
        text += &format!("{}: {verdict}, {outcome}, {} changes\n", style.style, style.decision.changes.len());
    }
    text
}
