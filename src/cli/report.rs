//! `optimizer report`: a run as one HTML file; refused by a program that writes no pages.

#[cfg(feature = "html")]
mod drawn;

use std::path::PathBuf;

use crate::documents::inspect::RunRef;

#[cfg(feature = "html")]
pub(super) use drawn::{run, write_last};

#[derive(Debug, clap::Args)]
pub(crate) struct ReportArguments {
    /// Number of the run, `last` or `previous` [default: the last]
    run: Option<RunRef>,
    /// File to write; "-" for stdout
    #[arg(short, long, default_value = "report.html", value_name = "FILE")]
    output: PathBuf,
    /// Language of the page
    #[arg(long, value_enum, default_value_t = Language::En)]
    lang: Language,
    /// Folder for the plots as SVG and their figures as CSV
    #[arg(long, value_name = "DIR")]
    plots: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Language {
    En,
    Zh,
}

/// Refuses to write a page.
#[cfg(not(feature = "html"))]
pub(super) fn run(_: &super::context::Context, _: &ReportArguments) -> Result<u8, super::failure::Failure> {
    Err(super::failure::Failure::of_missing("optimizer report", "html"))
}
