//! `optimizer notify`, and what `incremental` tells at its end.

use super::context::Context;
use super::failure::{Failure, code};
use crate::notify::{Delivery, Message};
use crate::present::digest::{DigestDocument, DigestFailure};
use crate::present::notify::NotifyDocument;
use crate::run::network_config::NotifyConfig;
use crate::run::report::RunReport;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Send a test message over every channel
    Test {
        /// Print the message instead; with --json the document that a webhook gets
        #[arg(long)]
        show: bool,
    },
}

pub(crate) fn run(context: &Context, command: &Command) -> Result<u8, Failure> {
    let Command::Test { show } = command;
    let digest = DigestDocument::of_test(&context.global.profile);
    if *show {
        context.print(digest, DigestDocument::text)?;
        return Ok(0);
    }
    let channels = context.config(&[])?.notify.channels()?;
    if channels.list().is_empty() {
        return Err(Failure::new(code::CONFIGURATION, "expected a channel, found none in the configuration")
            .hint(
                "add [notify.email], [notify.bark] or [notify.webhook]; `optimizer init` writes an example",
            ));
    }
    let message = digest.message(context.now_ms);
    let send = |channel| {
        let error = channels.send(channel, &message).err();
        Delivery { channel, sent: usize::from(error.is_none()), waiting: 0, error, not_kept: None }
    };
    let deliveries: Vec<Delivery> = channels.list().into_iter().map(send).collect();
    context.print(NotifyDocument::new(&deliveries), NotifyDocument::text)?;
    let failed = deliveries.iter().any(|delivery| delivery.error.is_some());
    Ok(if failed { code::NOTIFICATION } else { 0 })
}

/// Tells what came of a run and returns its exit code: that of a message that could not be sent only where all else is
/// done.
pub(crate) fn conclude(
    context: &Context,
    config: &NotifyConfig,
    done: Result<(RunReport, u8), Failure>,
) -> Result<u8, Failure> {
    let told = config.channels().map(|channels| {
        let message = message(context, config, &done);
        channels.deliver(message.as_ref(), &context.global.store)
    });
    let failed = told.as_ref().map_or(true, |told| told.iter().any(|delivery| delivery.error.is_some()));
    match &told {
        Ok(deliveries) => deliveries.iter().for_each(note),
        // The run itself has told of an unsound configuration.
        Err(error) if done.is_ok() => super::output::error_line("notification failed", &error.to_string()),
        Err(_) => {}
    }
    let (_, code) = done?;
    Ok(if failed { code::NOTIFICATION } else { code })
}

/// Returns what is to be told, if anything.
fn message(
    context: &Context,
    config: &NotifyConfig,
    done: &Result<(RunReport, u8), Failure>,
) -> Option<Message> {
    let digest = match done {
        Ok((report, _)) if config.tells(Some(report.result)) => {
            DigestDocument::of_run(report, config.report.as_deref())
        }
        // Whoever stopped it knows.
        Err(failure) if config.tells(None) && failure.code != code::STOPPED => {
            let (exit_code, message, hint) = (failure.code, failure.message.clone(), failure.hint.clone());
            DigestDocument::of_failure(&context.global.profile, DigestFailure { exit_code, message, hint })
        }
        _ => return None,
    };
    Some(digest.message(context.now_ms))
}

fn note(delivery: &Delivery) {
    let Some(error) = &delivery.error else { return };
    super::output::error_line("notification failed", &format!("{}: {error}", delivery.channel.as_str()));
    let kept = match &delivery.not_kept {
        Some(reason) => format!("the message is not kept: {reason}"),
        None => format!(
            "{} waiting for the next run; `optimizer notify test` shows whether it works",
            delivery.waiting
        ),
    };
    super::output::error_line("hint", &kept);
}
