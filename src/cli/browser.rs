//! `optimizer inspect` on a terminal: the browser, in a program that was built with it.

#[cfg(feature = "browser")]
mod opened;

#[cfg(feature = "browser")]
pub(crate) use opened::browse;

/// Says what this program lacks; the overview is shown instead.
#[cfg(not(feature = "browser"))]
pub(crate) fn browse(_: crate::store::Snapshot<'_>, _: &str) -> Result<Option<u8>, super::failure::Failure> {
    super::output::error_line(
        "hint",
        "the browser would open here in a program built with the feature `browser`, and this one was built without",
    );
    Ok(None)
}

/// Returns whether there is a terminal on both sides, one that can place text.
pub(crate) fn is_possible() -> bool {
    use std::io::IsTerminal;
    let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    std::io::stdin().is_terminal() && std::io::stdout().is_terminal() && !dumb
}
