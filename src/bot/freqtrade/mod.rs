//! freqtrade's strategy parameter file, `<strategy>.json`: what of a parameter set goes where in it, and what is there already.
//!
//! The bot refuses to start with a file that names another strategy, and only warns of one that is no JSON; so a file is written right
//! or not at all. Keys that the map does not own stay as they are.
//!
//! Source: freqtrade 2026.9, `strategy/hyper.py` and files it wrote

mod equality;
mod incumbent;
mod map;
mod params_file;

use crate::model::ParameterSet;

pub use incumbent::{Given, Incumbent, IncumbentError, SearchedAxes};
pub use map::{FreqtradeMap, MapError};
pub use params_file::{ParamsChange, ParamsFile, ParamsFileError, class_in};

/// Returns a short name of a set, the same wherever it is exported.
pub fn params_id(set: &ParameterSet) -> String {
    let values = crate::decide::key_values(set);
    let text: Vec<String> = values.iter().map(|(key, value)| format!("{key}={value}")).collect();
    blake3::hash(text.join("\n").as_bytes()).to_hex()[..12].to_owned()
}
