//! Documents as people see them: text, one HTML file per run, pages, and the browser on a terminal.

#[cfg(feature = "browser")]
pub mod browser;
#[cfg(feature = "html")]
pub mod html;
pub mod lang;
#[cfg(all(feature = "html", feature = "cli"))]
pub mod page;
#[cfg(all(feature = "columnar", feature = "cli"))]
pub mod parquet;
pub mod text;
