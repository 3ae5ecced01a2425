//! The page and the plots beside it.

use std::path::Path;

use super::{Language, ReportArguments};
use crate::cli::context::Context;
use crate::cli::failure::{Failure, code};
use crate::cli::output::print_result;
use crate::cli::replace::replace_file;
use crate::documents::inspect::{InspectError, number_of};
use crate::render::html::{HtmlReport, Lang};
use crate::run::adopt::is_by_hand;
use crate::store::make_folders;

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
        print_result(&page)?;
        return Ok(0);
    }
    write(&arguments.output, page.as_bytes())?;
    if !context.global.quiet {
        print_result(&format!("wrote {}", arguments.output.display()))?;
    }
    Ok(0)
}

/// Writes the page of the last run.
pub(crate) fn write_last(context: &Context, page: &Path) -> Result<(), Failure> {
    let view = context.view()?;
    let snapshot = view.read()?;
    let profile = context.global.profile.as_str();
    let none = || InspectError::NoRuns { profile: profile.to_owned() };
    let run = snapshot.run_ids(profile)?.first().copied().ok_or_else(none)?;
    write(page, HtmlReport::read(&snapshot, profile, run)?.html(Lang::En).as_bytes())
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    replace_file(path, bytes).map_err(|error| failed(path, &error))
}

fn failed(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(code::IO, format!("cannot write `{}`: {error}", path.display()))
        .hint("check the folder, its permissions and the disk")
}
