//! Sending: what to whom, and what became of it.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use super::NotifyCommand;
use crate::cli::context::Context;
use crate::cli::daily::is_well;
use crate::cli::failure::{Failure, code};
use crate::cli::incremental::RunEnding;
use crate::cli::output::error_line;
use crate::cli::overdue::note_told;
use crate::config::network::NotifyConfig;
use crate::config::{Config, ConfigError};
use crate::decide::RunResult;
use crate::documents::digest::{DigestDocument, DigestFailure};
use crate::documents::inspect::InspectRunDocument;
use crate::documents::notify::NotifyDocument;
use crate::ingest::read_whole;
use crate::net::printable;
use crate::notify::{Channel, Channels, Delivery, Heartbeat, Message, REFUSED_FILE};
use crate::run::report::RunReport;
use crate::run::unreported::Overdue;
use crate::store::View;

/// Returns nothing if every channel that is configured can be used.
pub(crate) fn check_channels(config: &Config) -> Result<(), ConfigError> {
    Channels::of(config)?;
    Heartbeat::of(config).map(drop)
}

/// Gives the sign of life that a run or a day ended with this code; one that is not taken is said and changes nothing.
pub(crate) fn beat(context: &Context, config: &Config, code: u8) {
    // Whoever stopped it knows; what was unsound was told.
    let (Ok(Some(heart)), Ok(stop)) = (Heartbeat::of(config), context.listen()) else { return };
    if code != code::STOPPED
        && let Err(error) = heart.beat(is_well(code), &stop)
    {
        error_line("no sign of life", &error.to_string());
    }
}

/// Tells over every channel that a step of a day failed.
pub(crate) fn tell_step(
    context: &Context,
    config: &Config,
    step: &str,
    failure: &Failure,
    stop: &AtomicBool,
) {
    let Ok(channels) = Channels::of(config) else { return };
    if !config.notify.tells(None, false) {
        return;
    }
    let digest = DigestDocument::of_step(&context.global.profile, step, digest_failure(failure));
    let message = DigestDocument { host: host_name(), ..digest }.message(context.now_ms);
    let told = channels.deliver(&[message], &context.global.store, stop);
    told.iter().for_each(|delivery| note(context, delivery));
}

fn digest_failure(failure: &Failure) -> DigestFailure {
    let (exit_code, message, hint) = (failure.code, failure.message.clone(), failure.hint.clone());
    DigestFailure { exit_code, message, hint }
}

/// Returns the name of this machine, where the system tells it.
fn host_name() -> Option<String> {
    let name = read_whole(Path::new("/proc/sys/kernel/hostname"), 256).ok()?;
    let name = printable(&String::from_utf8_lossy(&name), 64);
    (!name.is_empty()).then_some(name)
}

/// Returns the digest of the last run of the profile, where there is a store with one.
fn digest_of_last_run(context: &Context) -> Option<DigestDocument> {
    let view = View::open_for_a_look(&context.global.store).ok()?;
    let snapshot = view.read().ok()?;
    let profile = context.global.profile.as_str();
    let run = snapshot.run_ids(profile).ok()?.first().copied()?;
    Some(DigestDocument::of_stored(&InspectRunDocument::read(&snapshot, profile, run).ok()?))
}

pub(crate) fn run(context: &Context, command: &NotifyCommand) -> Result<u8, Failure> {
    let NotifyCommand::Test { show } = command;
    let digest = DigestDocument { host: host_name(), ..DigestDocument::of_test(&context.global.profile) };
    if *show {
        let last = digest_of_last_run(context).map(|last| DigestDocument { host: host_name(), ..last });
        context.print(last.unwrap_or(digest), DigestDocument::text)?;
        return Ok(0);
    }
    let channels = Channels::of(&context.config(&[])?)?;
    if channels.list.is_empty() {
        return Err(Failure::new(code::CONFIGURATION, "expected a channel, found none in the configuration")
            .hint(
                "add [notify.email], [notify.telegram], [notify.ntfy], [notify.bark] or [notify.webhook]",
            ));
    }
    let message = digest.message(context.now_ms);
    let stop = context.listen()?;
    let send = |channel: &dyn Channel| {
        let error = channels.send(channel, &message, &stop).err();
        Delivery {
            channel: channel.name(),
            sent: usize::from(error.is_none()),
            waiting: 0,
            set_aside: 0,
            error,
            not_kept: None,
        }
    };
    let deliveries: Vec<Delivery> = channels.list.iter().map(|channel| send(channel.as_ref())).collect();
    context.print(NotifyDocument::new(&deliveries), NotifyDocument::text)?;
    if stop.load(Ordering::Relaxed) {
        return Ok(code::STOPPED);
    }
    let failed = deliveries.iter().any(|delivery| delivery.error.is_some());
    Ok(if failed { code::NOTIFICATION } else { 0 })
}

/// Tells what came of a run and returns its exit code: that of a message that could not be sent only where all else is
/// done. What a signal keeps from being sent waits for the next run.
pub(crate) fn notify_result(
    context: &Context,
    config: &Config,
    done: Result<(RunReport, u8), Failure>,
    stop: &AtomicBool,
) -> Result<RunEnding, Failure> {
    if done.is_err() && stop.load(Ordering::Relaxed) {
        // Whoever stopped it knows, and does not want to wait for what else there is to tell.
        return done.map(|(_, code)| RunEnding { result: code, code });
    }
    let told = Channels::of(config).map(|channels| {
        channels.deliver(&messages_to_tell(context, &config.notify, &done), &context.global.store, stop)
    });
    let failed = told.as_ref().map_or(true, |told| told.iter().any(|delivery| delivery.error.is_some()));
    match &told {
        Ok(deliveries) => deliveries.iter().for_each(|delivery| note(context, delivery)),
        // The run itself has told of an unsound configuration.
        Err(error) if done.is_ok() => error_line("notification failed", &error.to_string()),
        Err(_) => {}
    }
    let (report, code) = done?;
    let is_kept = |delivery: &Delivery| delivery.not_kept.is_none();
    if told.is_ok_and(|told| told.iter().all(is_kept)) {
        note_told(context, report.run);
    }
    Ok(RunEnding { result: code, code: if failed { code::NOTIFICATION } else { code } })
}

/// Returns what is to be told: what earlier runs could not, and then what this one comes to.
fn messages_to_tell(
    context: &Context,
    config: &NotifyConfig,
    done: &Result<(RunReport, u8), Failure>,
) -> Vec<Message> {
    let overdue = done.as_ref().map_or(&[][..], |(report, _)| &report.overdue);
    let tells = |earlier: &&Overdue| {
        let changed = (!earlier.changes.is_empty()).then_some(RunResult::Changed);
        let result = changed.or(RunResult::named(&earlier.result)).unwrap_or(RunResult::Unchanged);
        config.tells(Some(result), false)
    };
    let overdue = overdue.iter().filter(tells);
    let profile = &context.global.profile;
    let mut messages: Vec<Message> =
        overdue.map(|earlier| DigestDocument::of_overdue(profile, earlier).message(context.now_ms)).collect();
    messages.extend(message_of_run(context, config, done));
    messages
}

/// Returns what is to be told of this run, if anything.
fn message_of_run(
    context: &Context,
    config: &NotifyConfig,
    done: &Result<(RunReport, u8), Failure>,
) -> Option<Message> {
    let digest = match done {
        Ok((report, _)) if config.tells(Some(report.result), report.freshness.is_worth_telling()) => {
            DigestDocument::of_run(report, config.report.as_deref())
        }
        // Whoever stopped it knows.
        Err(failure) if config.tells(None, false) && failure.code != code::STOPPED => {
            DigestDocument::of_failure(&context.global.profile, digest_failure(failure))
        }
        _ => return None,
    };
    Some(DigestDocument { host: host_name(), ..digest }.message(context.now_ms))
}

fn note(context: &Context, delivery: &Delivery) {
    let Some(error) = &delivery.error else { return };
    error_line("notification failed", &format!("{}: {error}", delivery.channel));
    if delivery.set_aside > 0 {
        let (file, count) = (context.global.store.join(REFUSED_FILE), delivery.set_aside);
        let kept = format!("{count} refused for good, not sent again; kept in `{}`", file.display());
        error_line("hint", &kept);
    }
    if delivery.waiting == 0 && delivery.not_kept.is_none() {
        return;
    }
    let kept = match &delivery.not_kept {
        Some(reason) => format!("the message is not kept: {reason}"),
        None => format!(
            "{} waiting for the next run; `optimizer notify test` shows whether it works",
            delivery.waiting
        ),
    };
    error_line("hint", &kept);
}
