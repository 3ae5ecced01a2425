//! `optimizer judge`: the tests against luck for the trials of any optimizer. Reads files and prints; no store, no candles.

use std::path::PathBuf;

use super::context::Context;
use super::failure::{Failure, chain, code};
use super::values;
use crate::documents::judge::JudgeDocument;
use crate::ingest::{TrialSearch, TrialsError, TrialsFormat, TrialsReading};
use crate::judge::{JudgeQuestion, JudgedTrials, TrialPlace, judge_trials};
use crate::validate::assessment::Assurance;

#[derive(Debug, clap::Args)]
pub(crate) struct JudgeArguments {
    /// File of trials: `.fthypt` of a freqtrade hyperopt, a table of day, trial and return (CSV or Parquet), an Optuna study as CSV; also
    /// in gzip. Several files are several searches, and all of their trials count as tries
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// What the files are [default: what they look like]
    #[arg(long, value_enum, value_name = "FORMAT")]
    format: Option<Format>,
    /// Column of the day in a long table
    #[arg(long, default_value = "day", value_name = "COLUMN")]
    day: String,
    /// Column of the trial in a long table
    #[arg(long, default_value = "trial", value_name = "COLUMN")]
    trial: String,
    /// Column of the return in a long table: the result of the day over the account
    #[arg(long = "return", default_value = "return", value_name = "COLUMN")]
    day_return: String,
    /// Parameter sets that could have been tried: the product of the levels. A sampler that learns (TPE, NSGA, CMA-ES) looked at the
    /// early trials to choose the late ones, so that those it kept are a chosen part of the space; p is then given over the space too,
    /// and the words go by that
    #[arg(long, value_name = "N", value_parser = values::number::<std::num::NonZeroU64>("a number of parameter sets such as 20000"))]
    space_size: Option<std::num::NonZeroU64>,
    /// The trial in use, by its name or number, with `FILE:` before it where several files have one: is the choice better than it?
    #[arg(long, value_name = "TRIAL")]
    incumbent: Option<String>,
    /// Days that a position may reach into the next; left out beside those that judge
    #[arg(long, default_value = "1", value_name = "DAYS", value_parser = clap::value_parser!(u16).range(0..=60))]
    purge: u16,
    /// Write what was found as one HTML page, too
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Format {
    /// Lines of a freqtrade hyperopt
    Freqtrade,
    /// A table of day, trial and return
    Long,
    /// An Optuna study as CSV, with the user attribute `day_returns`
    Optuna,
}

/// Exit code of what is not convincing, and of what is likely luck.
const NOT_CONVINCING: u8 = 11;
const LIKELY_LUCK: u8 = 12;

impl From<TrialsError> for Failure {
    fn from(error: TrialsError) -> Self {
        Self::new(code::DATA, chain(&error))
    }
}

pub(crate) fn run(context: &Context, arguments: &JudgeArguments) -> Result<u8, Failure> {
    #[cfg(not(feature = "html"))]
    if arguments.html.is_some() {
        return Err(Failure::of_missing("optimizer judge --html", "html"));
    }
    let (document, searches, judged) = judge_files(context, arguments)?;
    #[cfg(not(feature = "html"))]
    drop(searches);
    #[cfg(feature = "html")]
    if let Some(path) = &arguments.html {
        let page = crate::render::html::judge_page(&document, &searches, &judged);
        super::replace::replace_file(path, page.as_bytes()).map_err(|error| {
            Failure::new(code::IO, format!("cannot write `{}`: {error}", path.display()))
                .hint("check the folder, its permissions and the disk")
        })?;
    }
    context.print(document, JudgeDocument::text)?;
    Ok(match judged.edge.assurance {
        Assurance::Real | Assurance::Promising => 0,
        Assurance::LikelyLuck => LIKELY_LUCK,
        _ => NOT_CONVINCING,
    })
}

/// Reads and judges trials; writes nothing.
pub(super) fn judge_files(
    context: &Context,
    arguments: &JudgeArguments,
) -> Result<(JudgeDocument, Vec<TrialSearch>, JudgedTrials), Failure> {
    let searches = read_searches(arguments)?;
    let question = JudgeQuestion {
        purge_days: arguments.purge.into(),
        space_size: arguments.space_size.map(std::num::NonZero::get),
        incumbent: arguments.incumbent.as_deref().map(|name| find_trial(&searches, name)).transpose()?,
    };
    check_space(&searches, &question)?;
    let judged = context.pool()?.install(|| judge_trials(&searches, &question));
    check_incumbent(&searches, &question, &judged)?;
    let document = JudgeDocument::new(&searches, &question, &judged);
    Ok((document, searches, judged))
}

/// Reads every file; none may be there twice, which would count its trials twice.
fn read_searches(arguments: &JudgeArguments) -> Result<Vec<TrialSearch>, Failure> {
    let reading = TrialsReading {
        format: arguments.format.map(|format| match format {
            Format::Freqtrade => TrialsFormat::Freqtrade,
            Format::Long => TrialsFormat::Long,
            Format::Optuna => TrialsFormat::Optuna,
        }),
        day: arguments.day.clone(),
        trial: arguments.trial.clone(),
        day_return: arguments.day_return.clone(),
    };
    let mut searches: Vec<TrialSearch> = Vec::new();
    for file in &arguments.files {
        let search = TrialSearch::read(file, &reading)?;
        if let Some(twin) = searches.iter().find(|known| known.trials == search.trials) {
            let (file, twin) = (file.display(), twin.path.display());
            return Err(Failure::new(
                code::DATA,
                format!("expected every search once, found the trials of `{twin}` again in `{file}`"),
            )
            .hint("name one of the two"));
        }
        searches.push(search);
    }
    Ok(searches)
}

/// Finds a trial by its name, with its file before it or not.
fn find_trial(searches: &[TrialSearch], asked: &str) -> Result<TrialPlace, Failure> {
    let fits = |search: &TrialSearch, name: &str| {
        name == asked
            || asked.strip_suffix(name).and_then(|rest| rest.strip_suffix(':')).is_some_and(|file| {
                search.path.as_os_str() == file || search.path.file_name().is_some_and(|known| known == file)
            })
    };
    let mut found = searches.iter().enumerate().flat_map(|(index, search)| {
        let places = search.trials.iter().enumerate().filter(|(_, trial)| fits(search, &trial.name));
        places.map(move |(trial, _)| (index, trial))
    });
    match (found.next(), found.next()) {
        (Some(place), None) => Ok(place),
        (None, _) => {
            let names: Vec<&str> =
                searches.iter().flat_map(|search| &search.trials).map(|trial| trial.name.as_str()).collect();
            let shown: Vec<&str> = names.iter().take(8).copied().collect();
            let more = if names.len() > shown.len() { ", ..." } else { "" };
            let message = format!("--incumbent: expected the name of a trial, found {asked:?}");
            Err(Failure::new(code::USAGE, message).hint(format!("there are {}{more}", shown.join(", "))))
        }
        (Some(_), Some(_)) => Err(Failure::new(
            code::USAGE,
            format!("--incumbent: expected one trial, found {asked:?} in several files"),
        )
        .hint(format!("name its file: `--incumbent FILE:{asked}`"))),
    }
}

/// Refuses a space that is smaller than what was tried in it.
fn check_space(searches: &[TrialSearch], question: &JudgeQuestion) -> Result<(), Failure> {
    let tries: u64 = searches.iter().map(|search| search.trials.len() as u64 + search.pruned).sum();
    match question.space_size {
        Some(size) if size < tries => {
            let message =
                format!("--space-size: expected at least the {tries} trials that were tried, found {size}");
            Err(Failure::new(code::USAGE, message).hint(
                "it is the product of the levels of all parameters; leave it out where every set was tried",
            ))
        }
        _ => Ok(()),
    }
}

/// Refuses an incumbent that has other days than those it would be compared on.
fn check_incumbent(
    searches: &[TrialSearch],
    question: &JudgeQuestion,
    judged: &JudgedTrials,
) -> Result<(), Failure> {
    let Some((search, trial)) = question.incumbent else { return Ok(()) };
    let trial = &searches[search].trials[trial];
    if (trial.first, trial.end()) == judged.days {
        return Ok(());
    }
    let message = format!(
        "--incumbent: expected a trial of the days that most trials have, from {}, found one from {} over {} days",
        judged.days.0,
        trial.first,
        trial.returns.len()
    );
    Err(Failure::new(code::USAGE, message)
        .hint("name one of the other searches, or judge the file of this one alone"))
}
