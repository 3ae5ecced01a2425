//! `optimizer serve`: the page for the morning; refused by a program that serves none.

#[cfg(feature = "serve")]
mod served;

#[cfg(feature = "serve")]
pub(super) use served::run;

#[derive(Debug, clap::Args)]
pub(crate) struct ServeArguments {
    /// Where to listen: an address with a port, or unix:PATH
    #[arg(long, default_value = "127.0.0.1:8710", value_name = "ADDRESS")]
    listen: String,
    /// Listen to other machines too, although anybody between could read along
    #[arg(long)]
    i_know_it_is_plain_http: bool,
    /// Listen to other machines because a proxy with TLS stands in front
    #[arg(long, conflicts_with = "i_know_it_is_plain_http")]
    behind_proxy: bool,
    /// Answer /debug/memory/... too
    #[arg(long)]
    debug_memory: bool,
}

/// Refuses to serve.
#[cfg(not(feature = "serve"))]
pub(super) fn run(_: &super::context::Context, _: &ServeArguments) -> Result<u8, super::failure::Failure> {
    Err(super::failure::Failure::of_missing("optimizer serve", "serve"))
}
