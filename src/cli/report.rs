//! `optimizer report`: a run as one HTML file.

use std::path::{Path, PathBuf};

use super::context::Context;
use super::failure::{Failure, code};
use super::replace::replace_file;
use crate::documents::inspect::{InspectError, RunRef, number_of};
use crate::render::html::{HtmlReport, Lang};
use crate::run::adopt::is_by_hand;
use crate::store::make_folders;

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

pub(crate) fn run(context: &Context, arguments: &ReportArguments) -> Result<u8, Failure> {
    let view = context.view()?;
    let snapshot = view.read()?;
    let profile = context.global.profile.as_str();
    let last = || -> Result<u64, Failure> {
        let runs = snapshot.runs(profile, .., usize::MAX)?;
        // A decision by hand has nothing to draw.
        let last = runs.iter().find(|(_, run)| !is_by_hand(&run.result)).map(|(id, _)| *id);
        Ok(last.ok_or_else(|| InspectError::NoRuns { profile: profile.to_owned() })?)
    };
    let run = number_of(&snapshot, profile, arguments.run)?.map_or_else(last, Ok)?;
    let report = HtmlReport::read(&snapshot, profile, run)?;
    let lang = match arguments.lang {
        Language::En => Lang::En,
        Language::Zh => Lang::Zh,
    };
    let page = report.html(lang);
    if let Some(folder) = &arguments.plots {
        make_folders(folder, 0o777).map_err(|error| match folder.is_dir() || !folder.exists() {
            true => failed(folder, &error),
            false => Failure::new(
                code::USAGE,
                format!("--plots: expected a folder, found a file at `{}`", folder.display()),
            ),
        })?;
        for plot in report.plots() {
            write(&folder.join(&plot.name), plot.content.as_bytes())?;
        }
    }
    if arguments.output == Path::new("-") {
        super::output::print_result(&page)?;
        return Ok(0);
    }
    write(&arguments.output, page.as_bytes())?;
    if !context.global.quiet {
        super::output::print_result(&format!("wrote {}", arguments.output.display()))?;
    }
    Ok(0)
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    replace_file(path, bytes).map_err(|error| failed(path, &error))
}

fn failed(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(code::IO, format!("cannot write `{}`: {error}", path.display()))
        .hint("check the folder, its permissions and the disk")
}
