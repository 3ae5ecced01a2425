//! Documents as people see them: text, one HTML file per run, and the browser on a terminal.

#[cfg(feature = "browser")]
pub mod browser;
#[cfg(feature = "html")]
pub mod html;
pub mod text;
