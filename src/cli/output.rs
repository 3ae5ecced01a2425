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
    is_wanted(io::stderr().is_terminal())
}

fn is_wanted(is_terminal: bool) -> bool {
    match COLOUR.get() {
        Some(Colour::Always) => true,
        Some(Colour::Never) => false,
        Some(Colour::Auto) | None => {
            // An empty variable counts as none.
            let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
            is_terminal && !refused
        }
    }
}

/// Writes a result to stdout, with a newline at the end.
pub(crate) fn print_result(text: &str) -> Result<(), Failure> {
    print_verbatim(&format!("{}\n", text.trim_end_matches('\n')))
}

/// Lays text out for the terminal that stdout is.
pub(crate) fn fit_to_terminal() {
    let out = io::stdout();
    if out.is_terminal()
        && let Ok(size) = rustix::termios::tcgetwinsize(&out)
        && size.ws_col > 0
    {
        crate::render::text::table::fit_to_terminal(size.ws_col.into());
    }
}

/// How a first line looks on a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HeadTone {
    /// Something has changed.
    Good,
    /// Something waits for a decision.
    Open,
    /// All is as it was.
    Plain,
}

/// Writes a result of which the first line says what it comes to.
pub(crate) fn print_headed(text: &str, tone: HeadTone) -> Result<(), Failure> {
    let (head, rest) = text.split_once('\n').unwrap_or((text, ""));
    if !is_wanted(io::stdout().is_terminal()) {
        return print_result(text);
    }
    let colour = match tone {
        HeadTone::Good => "\u{1b}[1;32m",
        HeadTone::Open => "\u{1b}[1;33m",
        HeadTone::Plain => "\u{1b}[1m",
    };
    // The colours are ours.
    let head = format!("{colour}{}\u{1b}[0m\n", escaped(head, &[]));
    let mut out = io::stdout().lock();
    out.write_all(head.as_bytes()).or_else(|error| unwritten_failure(&error))?;
    drop(out);
    print_result(rest)
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
