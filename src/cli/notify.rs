//! `optimizer notify`, and what `incremental` tells at its end; both refuse in a program that cannot tell anybody.

#[cfg(not(feature = "notify"))]
mod refused;
#[cfg(feature = "notify")]
mod told;

#[cfg(not(feature = "notify"))]
pub(super) use refused::{beat, check_channels, notify_result, run, tell_step};
#[cfg(feature = "notify")]
pub(super) use told::{beat, check_channels, notify_result, run, tell_step};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum NotifyCommand {
    /// Send a test message over every channel
    Test {
        /// Print a message instead, of the last run where there is one; with --json the document that a webhook gets
        #[arg(long)]
        show: bool,
    },
}
