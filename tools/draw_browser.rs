//! Draws the terminal browser as an SVG picture, for the guide.
//!
//! `cargo run --example draw_browser -- STORE [KEYS] > browser.svg`, with the keys that lead to what is to be seen: a letter
//! each, `.` for Enter and `>` for the next side of a run.

use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};
use retune::render::browser::{BrowserKey, Library, Palette, State, draw_screen};
use retune::store::View;

/// Size of the terminal.
const WIDTH: u16 = 100;
const HEIGHT: u16 = 28;
/// Size of a cell in the picture.
const CELL: (f64, f64) = (8.0, 18.0);
const INK: &str = "#d6d9dc";
const GROUND: &str = "#15181b";

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let Some(store) = arguments.next() else { return say("expected STORE [KEYS]", 2) };
    match picture(Path::new(&store), &arguments.next().unwrap_or_default()) {
        Ok(svg) => say(&svg, 0),
        Err(problem) => say(&problem.to_string(), 1),
    }
}

#[expect(clippy::print_stdout, reason = "a command")]
fn say(text: &str, code: u8) -> ExitCode {
    println!("{text}");
    ExitCode::from(code)
}

/// Returns the screen that some keys lead to.
fn picture(store: &Path, keys: &str) -> Result<String, Box<dyn std::error::Error>> {
    let view = View::open(store)?;
    let mut library = Library::open(view.read()?, "default")?;
    let mut state = State::default();
    for key in keys.chars() {
        let (_, seen) = library.screen(&state, WIDTH, HEIGHT)?;
        state = state.press(
            match key {
                '.' => BrowserKey::Enter,
                '>' => BrowserKey::Right,
                letter => BrowserKey::Char(letter),
            },
            &seen,
        );
    }
    let (screen, _) = library.screen(&state, WIDTH, HEIGHT)?;
    let mut terminal = Terminal::new(TestBackend::new(WIDTH, HEIGHT))?;
    terminal.draw(|frame| draw_screen(frame, &screen, Palette { coloured: true }))?;
    Ok(svg(terminal.backend().buffer()))
}

fn svg(buffer: &Buffer) -> String {
    let (width, height) = (f64::from(WIDTH) * CELL.0 + 16.0, f64::from(HEIGHT) * CELL.1 + 16.0);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         font-family=\"DejaVu Sans Mono,monospace\" font-size=\"13\">\n\
         <rect width=\"100%\" height=\"100%\" rx=\"6\" fill=\"{GROUND}\"/>\n"
    );
    for y in 0..HEIGHT {
        for x in 0..WIDTH {
            let cell = &buffer[(x, y)];
            let place = (8.0 + f64::from(x) * CELL.0, 8.0 + f64::from(y) * CELL.1);
            let (ink, ground) = colours(cell);
            if ground != GROUND {
                let _ = writeln!(
                    svg,
                    "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"{ground}\"/>",
                    place.0, place.1, CELL.0, CELL.1
                );
            }
            let text = cell.symbol().replace('&', "&amp;").replace('<', "&lt;");
            if text != " " {
                let bold = if cell.modifier.contains(Modifier::BOLD) { " font-weight=\"bold\"" } else { "" };
                let _ = writeln!(
                    svg,
                    "<text x=\"{}\" y=\"{}\" fill=\"{ink}\"{bold}>{text}</text>",
                    place.0,
                    place.1 + 13.5
                );
            }
        }
    }
    svg.push_str("</svg>");
    svg
}

/// Returns the colours of the text and of what is behind it.
fn colours(cell: &Cell) -> (&'static str, &'static str) {
    let named = |colour, other| match colour {
        Color::Red | Color::LightRed => "#ff7b72",
        Color::Green | Color::LightGreen => "#57c27a",
        Color::Yellow | Color::LightYellow => "#e0b04a",
        Color::Blue | Color::LightBlue => "#6ea8ff",
        Color::Cyan | Color::LightCyan => "#56c7d0",
        Color::Gray | Color::DarkGray => "#8a939b",
        _ => other,
    };
    let (ink, ground) = (named(cell.fg, INK), named(cell.bg, GROUND));
    let ink = if cell.modifier.contains(Modifier::DIM) { "#8a939b" } else { ink };
    if cell.modifier.contains(Modifier::REVERSED) { (ground, ink) } else { (ink, ground) }
}
