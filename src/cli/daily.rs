//! `optimizer daily`: the whole day as one command, for cron and timers.
//!
//! Every step is one line of [`STEPS`]; each is told apart, and what fails is told over the channels and does not keep the others from
//! what they can do without it. The exit code is that of the step that matters most.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use clap::Parser;

use super::context::Context;
use super::export::{self, ExportArguments};
use super::failure::{Failure, code};
use super::fetch;
use super::incremental::{self, IncrementalArguments};
use crate::config::Config;

#[derive(Debug, clap::Args)]
pub(crate) struct DailyArguments {
    #[command(flatten)]
    run: IncrementalArguments,
}

/// A step of the day: its name, and what does it.
type Step = (&'static str, fn(&mut DayAtWork<'_>) -> Result<StepOutcome, Failure>);

/// The steps in their order; a new one is a line here. The sign of life comes after all of them.
const STEPS: [Step; 4] =
    [("fetch", fetch_candles), ("run", tune), ("export", export_parameters), ("metrics", write_figures)];

/// What a step came to.
struct StepOutcome {
    /// A word for the last line.
    word: &'static str,
    /// What it means for the exit code; 0 where nothing.
    code: u8,
}

impl StepOutcome {
    const fn of(word: &'static str) -> Self {
        Self { word, code: 0 }
    }
}

/// What the steps share.
struct DayAtWork<'a> {
    context: &'a Context,
    arguments: &'a DailyArguments,
    config: Config,
    stop: &'a AtomicBool,
    /// How the run ended, once it has.
    run: Option<u8>,
    /// The steps so far, with what they mean for the exit code.
    codes: Vec<(&'static str, u8)>,
}

#[derive(Debug, Parser)]
struct TypedFetch {
    #[command(flatten)]
    arguments: fetch::Arguments,
}

#[derive(Debug, Parser)]
struct TypedExport {
    #[command(flatten)]
    arguments: ExportArguments,
}

/// Returns arguments as if they had been typed.
fn typed<T: Parser>(arguments: &[std::ffi::OsString]) -> Result<T, Failure> {
    let all = std::iter::once("daily".into()).chain(arguments.iter().cloned());
    T::try_parse_from(all).map_err(|error| {
        let message = error.to_string();
        Failure::new(
            code::CONFIGURATION,
            message.trim_start_matches("error: ").lines().next().unwrap_or_default(),
        )
    })
}

pub(crate) fn run(context: &Context, arguments: &DailyArguments) -> Result<u8, Failure> {
    // Without a sound configuration nobody knows what the day is, nor whom to tell.
    let config = context.config(&[])?;
    config.daily_since()?;
    super::notify::check_channels(&config)?;
    let stop = context.listen()?;
    let mut day = DayAtWork { context, arguments, config, stop: &stop, run: None, codes: Vec::new() };
    let mut words = Vec::new();
    for (name, step) in STEPS {
        if stop.load(Ordering::Relaxed) {
            words.push(format!("{name}=stopped"));
            day.codes.push((name, code::STOPPED));
            continue;
        }
        let outcome = step(&mut day).unwrap_or_else(|failure| {
            failure.report();
            day.tell(name, &failure);
            StepOutcome { word: "failed", code: failure.code }
        });
        words.push(format!("{name}={}", outcome.word));
        day.codes.push((name, outcome.code));
    }
    let ended = exit_code(&day.codes);
    super::notify::beat(context, &day.config, ended);
    let line =
        format!("daily={} {} exit={ended}", if is_well(ended) { "ok" } else { "failed" }, words.join(" "));
    super::log::log_printed("daily", &line);
    match context.global.json {
        true => super::output::print_note(&line),
        false => super::output::print_result(&line)?,
    }
    Ok(ended)
}

/// Returns whether nobody has to see to anything.
pub(super) fn is_well(code: u8) -> bool {
    matches!(code, 0 | 10 | 11 | 12)
}

/// Returns the code of a day: of the run where it failed, else of the export, else of the fetch, else of the metrics, else the
/// run's result.
fn exit_code(codes: &[(&str, u8)]) -> u8 {
    let of = |name: &str| codes.iter().find(|(step, _)| *step == name).map_or(0, |(_, code)| *code);
    let run = of("run");
    let failed = [
        if is_well(run) || run == code::NOTIFICATION { 0 } else { run },
        of("export"),
        of("fetch"),
        of("metrics"),
    ];
    failed.into_iter().find(|code| *code != 0).unwrap_or(run)
}

impl DayAtWork<'_> {
    /// Tells over the channels what failed; the run tells of itself.
    fn tell(&self, step: &str, failure: &Failure) {
        if step != "run" && failure.code != code::STOPPED {
            super::notify::tell_step(self.context, &self.config, step, failure, self.stop);
        }
    }

    /// Returns the file that says that the bot's file is still to be written.
    fn due(&self) -> PathBuf {
        self.context.global.store.join(format!("export-due-{}", self.context.global.profile))
    }
}

fn fetch_candles(day: &mut DayAtWork<'_>) -> Result<StepOutcome, Failure> {
    let Some(since) = day.config.daily_since()? else { return Ok(StepOutcome::of("off")) };
    let daily = &day.config.daily;
    let mut asked: Vec<std::ffi::OsString> = [
        "--symbols",
        &daily.fetch.join(","),
        "--since",
        &since.to_string(),
        "--market",
        daily.market.as_str(),
        "--out",
    ]
    .map(Into::into)
    .to_vec();
    asked.push(daily.folder.clone().into());
    if let Some(url) = &daily.base_url {
        asked.extend(["--base-url".into(), url.into()]);
    }
    let arguments = typed::<TypedFetch>(&asked)?.arguments;
    fetch::run(&day.context.in_the_background(), &arguments)?;
    Ok(StepOutcome::of("ok"))
}

fn tune(day: &mut DayAtWork<'_>) -> Result<StepOutcome, Failure> {
    let ended = incremental::run_of_day(day.context, &day.arguments.run)?;
    day.run = Some(ended.result);
    if ended.result == code::CHANGED {
        mark_due(&day.due())?;
    }
    let word = match ended.result {
        code::CHANGED => "changed",
        11 => "not_convincing",
        12 => "rejected",
        _ => "unchanged",
    };
    Ok(StepOutcome { word, code: ended.code })
}

fn mark_due(due: &Path) -> Result<(), Failure> {
    std::fs::write(due, b"").map_err(|error| {
        Failure::new(code::IO, format!("cannot write `{}`: {error}", due.display()))
            .hint("parameters changed and the bot's file is not written: `optimizer export-json` writes it")
    })
}

/// Writes the bot's file where parameters changed, today or since it could not be written.
fn export_parameters(day: &mut DayAtWork<'_>) -> Result<StepOutcome, Failure> {
    let Some(file) = day.config.daily.export.clone() else { return Ok(StepOutcome::of("off")) };
    if day.run.is_none() {
        return Ok(StepOutcome::of("left"));
    }
    let due = day.due();
    // Where the mark could not be made, today's change counts all the same.
    if !due.exists() && day.run != Some(code::CHANGED) {
        return Ok(StepOutcome::of("unchanged"));
    }
    let arguments = typed::<TypedExport>(&["--output".into(), file.into()])?.arguments;
    match export::run(&day.context.in_the_background(), &arguments) {
        Ok(_) => {
            let _ = std::fs::remove_file(&due);
            Ok(StepOutcome::of("written"))
        }
        // It is a matter of a person: told, and tried again tomorrow.
        Err(failure) if failure.code == code::REFUSED => {
            failure.report();
            day.tell("export", &failure);
            Ok(StepOutcome { word: "held_back", code: code::ATTENTION })
        }
        Err(failure) => Err(failure),
    }
}

/// Puts a file of metrics in its place, with what the day came to so far.
fn write_figures(day: &mut DayAtWork<'_>) -> Result<StepOutcome, Failure> {
    let Some(file) = &day.config.daily.metrics else { return Ok(StepOutcome::of("off")) };
    let status = super::metrics::status(&day.context.renewed())?;
    super::metrics::write_metrics(file, &status, Some(exit_code(&day.codes)))?;
    Ok(StepOutcome::of("written"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_of_a_day_is_that_of_what_matters_most() {
        let of = |fetch, run, export| exit_code(&[("fetch", fetch), ("run", run), ("export", export)]);
        assert_eq!([of(0, 0, 0), of(0, 10, 0), of(0, 12, 0), of(0, 7, 0)], [0, 10, 12, 7]);
        assert_eq!([of(4, 10, 0), of(4, 12, 1), of(4, 74, 1), of(0, 7, 1)], [4, 1, 74, 1]);
        assert_eq!([of(4, 7, 0), of(0, 20, 20)], [4, 20]);
        assert_eq!(
            [exit_code(&[("run", 10), ("metrics", 74)]), exit_code(&[("run", 3), ("metrics", 74)])],
            [74, 3]
        );
    }
}
