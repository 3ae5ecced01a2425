//! Keys in, screens out. What is shown, and where a key leads, is `render::browser`.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use crate::cli::failure::{Failure, code};
use crate::render::browser::{BrowserKey, Library, Palette, ScreenFacts, State, draw_screen};
use crate::store::Snapshot;

/// How long a signal may wait to be noticed.
const NOTICED_AFTER: Duration = Duration::from_millis(200);

/// Lets the reader browse until he leaves. Returns the exit code: 0, or that of a stop by a signal; `None` for a profile without
/// runs, whose overview says what to type.
pub(crate) fn browse(snapshot: Snapshot<'_>, profile: &str) -> Result<Option<u8>, Failure> {
    let mut library = Library::open(snapshot, profile)?;
    match library.is_empty() {
        true => Ok(None),
        false => browse_store(&mut library).map(Some),
    }
}

fn browse_store(library: &mut Library<'_>) -> Result<u8, Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        let registered = signal_hook::flag::register(signal, Arc::clone(&stop));
        registered
            .map_err(|error| Failure::new(code::INTERNAL, format!("cannot listen for signals: {error}")))?;
    }
    // Also makes a panic give the terminal back before it is reported.
    let mut terminal = ratatui::try_init().map_err(|error| failed(&error))?;
    let ended = follow_keys(&mut terminal, library, &stop);
    let restored = ratatui::try_restore().map_err(|error| failed(&error));
    let code = ended?;
    restored.map(|()| code)
}

fn follow_keys(
    terminal: &mut DefaultTerminal,
    library: &mut Library<'_>,
    stop: &AtomicBool,
) -> Result<u8, Failure> {
    let palette = Palette { coloured: std::env::var_os("NO_COLOR").is_none() };
    let mut state = State::default();
    while !state.done {
        let seen = show(terminal, library, &state, palette)?;
        let key = loop {
            if stop.load(Ordering::Relaxed) {
                return Ok(code::STOPPED);
            }
            if event::poll(NOTICED_AFTER).map_err(|error| failed(&error))? {
                break key(&event::read().map_err(|error| failed(&error))?);
            }
        };
        // Anything else, such as another size, asks for a new screen only.
        if let Some(key) = key {
            state = state.press(key, &seen);
        }
    }
    Ok(0)
}

fn show(
    terminal: &mut DefaultTerminal,
    library: &mut Library<'_>,
    state: &State,
    palette: Palette,
) -> Result<ScreenFacts, Failure> {
    let size = terminal.size().map_err(|error| failed(&error))?;
    let (screen, seen) = library.screen(state, size.width, size.height)?;
    terminal.draw(|frame| draw_screen(frame, &screen, palette)).map_err(|error| failed(&error))?;
    Ok(seen)
}

fn failed(error: &io::Error) -> Failure {
    Failure::new(code::IO, format!("cannot use the terminal: {error}"))
        .hint("`optimizer inspect --no-browser` prints the overview")
}

/// Returns the key of an event, if it is one that the browser knows.
fn key(event: &Event) -> Option<BrowserKey> {
    let Event::Key(KeyEvent { code, modifiers, kind, .. }) = event else { return None };
    if *kind == KeyEventKind::Release {
        return None;
    }
    let control = modifiers.contains(KeyModifiers::CONTROL);
    Some(match code {
        KeyCode::Char('c') if control => BrowserKey::Interrupt,
        KeyCode::Char(_) if control || modifiers.contains(KeyModifiers::ALT) => return None,
        KeyCode::Char(c) => BrowserKey::Char(*c),
        KeyCode::Up => BrowserKey::Up,
        KeyCode::Down => BrowserKey::Down,
        KeyCode::Left => BrowserKey::Left,
        KeyCode::Right => BrowserKey::Right,
        KeyCode::PageUp => BrowserKey::PageUp,
        KeyCode::PageDown => BrowserKey::PageDown,
        KeyCode::Home => BrowserKey::Home,
        KeyCode::End => BrowserKey::End,
        KeyCode::Enter => BrowserKey::Enter,
        KeyCode::Esc => BrowserKey::Escape,
        KeyCode::Backspace => BrowserKey::Backspace,
        KeyCode::Tab => BrowserKey::Tab,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_known_and_their_release_is_not_one() {
        let pressed = |code, modifiers| Event::Key(KeyEvent::new(code, modifiers));
        assert_eq!(key(&pressed(KeyCode::Char('j'), KeyModifiers::NONE)), Some(BrowserKey::Char('j')));
        assert_eq!(key(&pressed(KeyCode::Char('G'), KeyModifiers::SHIFT)), Some(BrowserKey::Char('G')));
        assert_eq!(key(&pressed(KeyCode::Char('c'), KeyModifiers::CONTROL)), Some(BrowserKey::Interrupt));
        assert_eq!(key(&pressed(KeyCode::Char('q'), KeyModifiers::CONTROL)), None);
        assert_eq!(key(&pressed(KeyCode::Esc, KeyModifiers::NONE)), Some(BrowserKey::Escape));
        let mut released = KeyEvent::new(KeyCode::Char('q'), KeyModifiers::NONE);
        released.kind = KeyEventKind::Release;
        assert_eq!((key(&Event::Key(released)), key(&Event::Resize(80, 24))), (None, None));
    }
}
