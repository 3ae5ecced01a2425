//! Documents as pages: one HTML file per run, and the browser on a terminal.

pub mod browser;
pub mod html;
