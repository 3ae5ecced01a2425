//! Sending: what to whom, and what became of it.

use std::sync::atomic::{AtomicBool, Ordering};

use super::NotifyCommand;
use crate::cli::context::Context;
use crate::cli::failure::{Failure, code};
use crate::cli::output::error_line;
use crate::cli::overdue::note_told;
use crate::config::network::NotifyConfig;
use crate::config::{Config, ConfigError};
use crate::decide::RunResult;
use crate::documents::digest::{DigestDocument, DigestFailure};
use crate::documents::notify::NotifyDocument;
use crate::notify::{Channel, Channels, Delivery, Message, REFUSED_FILE};
use crate::run::report::RunReport;
use crate::run::unreported::Overdue;

/// Returns nothing if every channel that is configured can be used.
pub(crate) fn check_channels(config: &Config) -> Result<(), ConfigError> {
    Channels::of(config).map(drop)
}

pub(crate) fn run(context: &Context, command: &NotifyCommand) -> Result<u8, Failure> {
    let NotifyCommand::Test { show } = command;
    let digest = DigestDocument::of_test(&context.global.profile);
    if *show {
        context.print(digest, DigestDocument::text)?;
        return Ok(0);
    }
    let channels = Channels::of(&context.config(&[])?)?;
    if channels.list.is_empty() {
        return Err(Failure::new(code::CONFIGURATION, "expected a channel, found none in the configuration")
            .hint(
                "add [notify.email], [notify.bark] or [notify.webhook]; `optimizer init` writes an example",
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
) -> Result<u8, Failure> {
    if done.is_err() && stop.load(Ordering::Relaxed) {
        // Whoever stopped it knows, and does not want to wait for what else there is to tell.
        return done.map(|(_, code)| code);
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
    Ok(if failed { code::NOTIFICATION } else { code })
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
            let (exit_code, message, hint) = (failure.code, failure.message.clone(), failure.hint.clone());
            DigestDocument::of_failure(&context.global.profile, DigestFailure { exit_code, message, hint })
        }
        _ => return None,
    };
    Some(digest.message(context.now_ms))
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
