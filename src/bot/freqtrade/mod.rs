//! freqtrade's strategy parameter file, `<strategy>.json`: what of a parameter set goes where in it, and what is there already.
//!
//! The bot refuses to start with a file that names another strategy, and only warns of one that is no JSON; so a file is written right
//! or not at all. Keys that the map does not own stay as they are.
//!
//! Source: freqtrade 2026.9, `strategy/hyper.py` and files it wrote

mod map;
mod params_file;

pub use map::{FreqtradeMap, MapError};
pub use params_file::{ParamsChange, ParamsFile, ParamsFileError, class_in};
