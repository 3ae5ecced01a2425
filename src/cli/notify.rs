//! `optimizer notify`, and what `incremental` tells at its end; both refuse in a program that cannot tell anybody.

#[cfg(not(feature = "notify"))]
mod refused;
#[cfg(feature = "notify")]
mod told;

#[cfg(not(feature = "notify"))]
pub(super) use refused::{check_channels, notify_result, run};
#[cfg(feature = "notify")]
pub(super) use told::{check_channels, notify_result, run};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum NotifyCommand {
    /// Send a test message over every channel
    Test {
        /// Print the message instead; with --json the document that a webhook gets
        #[arg(long)]
        show: bool,
    },
}
