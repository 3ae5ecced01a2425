//! The browser behind `optimizer inspect` on a terminal: runs, and what each of them found and decided.
//!
//! Three parts: [`State`] is where the reader is, and a key leads from one state to the next; [`Library`] reads what a
//! state shows, when it is shown; [`draw_screen`] puts that on a screen. None of them knows a terminal: `cli` has it.

mod library;
mod screen;
mod state;

pub use library::Library;
pub use screen::{Palette, Screen, draw_screen};
pub use state::{BrowserKey, BrowserPlace, BrowserView, ScreenFacts, Sort, State, Tab};
