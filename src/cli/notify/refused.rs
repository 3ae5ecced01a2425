//! What a program says that was built without the feature `notify`.

use std::sync::atomic::AtomicBool;

use super::NotifyCommand;
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::incremental::RunEnding;
use crate::cli::overdue::note_told;
use crate::config::Config;
use crate::run::report::RunReport;

/// Refuses a configuration that names a channel.
pub(crate) fn check_channels(config: &Config) -> Result<(), Failure> {
    let notify = &config.notify;
    let channels = [
        ("notify.email", notify.email.is_some()),
        ("notify.telegram", notify.telegram.is_some()),
        ("notify.ntfy", notify.ntfy.is_some()),
        ("notify.heartbeat", notify.heartbeat.is_some()),
        ("notify.bark", notify.bark.is_some()),
        ("notify.webhook", notify.webhook.is_some()),
    ];
    match channels.into_iter().find(|(_, is_configured)| *is_configured) {
        Some((key, _)) => Err(Failure::of_missing(key, "notify")),
        None => Ok(()),
    }
}

/// Refuses to send anything.
pub(crate) fn run(_: &Context, command: &NotifyCommand) -> Result<u8, Failure> {
    let NotifyCommand::Test { show: _ } = command;
    Err(Failure::of_missing("optimizer notify", "notify"))
}

/// Tells nobody: no channel is configured, or the run would have been refused.
pub(crate) fn notify_result(
    context: &Context,
    _: &Config,
    done: Result<(RunReport, u8), Failure>,
    _: &AtomicBool,
) -> Result<RunEnding, Failure> {
    let (report, code) = done?;
    note_told(context, report.run);
    Ok(RunEnding { result: code, code })
}

/// Gives no sign of life: none is configured.
pub(crate) fn beat(_: &Context, _: &Config, _: u8) {}

/// Tells nobody.
pub(crate) fn tell_step(_: &Context, _: &Config, _: &str, _: &Failure, _: &AtomicBool) {}
