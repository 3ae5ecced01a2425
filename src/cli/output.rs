//! Writing to the terminal: results to stdout, everything else to stderr. A closed pipe ends quietly.

use std::io::{self, IsTerminal, Write};
use std::sync::OnceLock;

use super::failure::{Failure, code};
use crate::model::escaped;

/// When text is coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Colour {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// What `--color` says, once it is known.
static COLOUR: OnceLock<Colour> = OnceLock::new();

/// Takes in what `--color` says; the first call counts.
pub(crate) fn choose_colour(colour: Colour) {
    let _ = COLOUR.set(colour);
}

/// Returns whether what goes to stderr is coloured.
pub(crate) fn is_coloured() -> bool {
    match COLOUR.get() {
        Some(Colour::Always) => true,
        Some(Colour::Never) => false,
        Some(Colour::Auto) | None => {
            // An empty variable counts as none.
            let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
            io::stderr().is_terminal() && !refused
        }
    }
}

/// Writes a result to stdout, with a newline at the end.
pub(crate) fn print_result(text: &str) -> Result<(), Failure> {
    print_verbatim(&format!("{}\n", text.trim_end_matches('\n')))
}

/// Writes a result to stdout as it is, but for what a terminal would act on: names of files may hold anything.
pub(crate) fn print_verbatim(text: &str) -> Result<(), Failure> {
    let text = escaped(text, &['\n', '\r', '\t']);
    let mut out = io::stdout().lock();
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    written.or_else(|error| unwritten_failure(&error))
}

/// Returns the failure of a write to stdout; there is none where nobody reads any more.
pub(crate) fn unwritten_failure(error: &io::Error) -> Result<(), Failure> {
    match error.kind() {
        io::ErrorKind::BrokenPipe => Ok(()),
        _ => Err(Failure::new(code::IO, format!("cannot write to stdout: {error}"))),
    }
}

/// Writes a line to stderr, without what a terminal would act on; nobody is left to tell when that fails.
pub(crate) fn print_note(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", escaped(text, &['\n', '\t']));
}

/// Writes `error: …` or `hint: …`, coloured on a terminal that wants it.
pub(crate) fn error_line(label: &str, text: &str) {
    super::log::log_printed(label, text);
    let colour = if label == "error" { "\u{1b}[1;31m" } else { "\u{1b}[1;36m" };
    if is_coloured() {
        // The colours are ours.
        let _ = write!(io::stderr().lock(), "{colour}{label}:\u{1b}[0m ");
        print_note(text);
    } else {
        print_note(&format!("{label}: {text}"));
    }
}
