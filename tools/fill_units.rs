//! Fills a store's units from elsewhere, by files between its three steps:
//!
//! ```text
//! cargo run --release --example fill_units -- pending CANDLES STORE > pending.json
//! cargo run --release --example fill_units -- evaluate CANDLES UNITS < pending.json     (anywhere the same candles are)
//! cargo run --release --example fill_units -- put CANDLES STORE UNITS
//! ```
//!
//! `pending.json` is a list: each worker may get a part of it. UNITS is a folder with a file per unit, named by its key.

use std::error::Error;
use std::fs;
use std::io::{Read, stdin};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use retune::units::{PendingUnit, UnitCandles, UnitStore, evaluate, pending, put};
use retune::{Config, DayLimits, Plan, RunOptions, Style};

#[expect(clippy::print_stdout, reason = "a command")]
fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let now_ms = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis().try_into()?;
    let plan = Config::from_texts(&[])?.plan(&Style::ALL, DayLimits::default())?;
    let over = |candles: &str| RunOptions::over(vec![candles.into()], now_ms);
    match arguments[..] {
        ["pending", candles, store] => {
            println!("{}", list_pending(&plan, &over(candles).with_store(Path::new(store)))?);
        }
        ["evaluate", candles, units] => {
            let mut list = String::new();
            stdin().read_to_string(&mut list)?;
            println!("{} units evaluated", evaluate_listed(&plan, &over(candles), &list, Path::new(units))?);
        }
        ["put", candles, store, units] => {
            let options = over(candles).with_store(Path::new(store));
            println!("{} units put", put_folder(&plan, &options, Path::new(units))?);
        }
        _ => {
            return Err(
                "expected `pending CANDLES STORE`, `evaluate CANDLES UNITS` or `put CANDLES STORE UNITS`"
                    .into(),
            );
        }
    }
    Ok(())
}

/// Returns the units that a store lacks, as JSON.
pub(crate) fn list_pending(plan: &Plan, options: &RunOptions) -> Result<String, Box<dyn Error>> {
    let units = pending(plan, &UnitCandles::read(plan, options)?, &UnitStore::open(options)?)?;
    Ok(serde_json::to_string(&units)?)
}

/// Evaluates listed units into a folder; returns how many.
pub(crate) fn evaluate_listed(
    plan: &Plan,
    options: &RunOptions,
    list: &str,
    folder: &Path,
) -> Result<usize, Box<dyn Error>> {
    let units: Vec<PendingUnit> = serde_json::from_str(list)?;
    let done = evaluate(plan, &UnitCandles::read(plan, options)?, &units)?;
    fs::create_dir_all(folder)?;
    for (key, bytes) in &done {
        fs::write(folder.join(key), bytes)?;
    }
    Ok(done.len())
}

/// Puts the units of a folder into a store; returns how many.
pub(crate) fn put_folder(plan: &Plan, options: &RunOptions, folder: &Path) -> Result<usize, Box<dyn Error>> {
    let mut units = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        units.push((entry.file_name().to_string_lossy().into_owned(), fs::read(entry.path())?));
    }
    Ok(put(plan, &UnitStore::open(options)?, &units)?)
}
