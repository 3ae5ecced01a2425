//! A screen of the browser, drawn: title, sides of the run, text or table, keys.

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::Span;

use super::state::{BrowserView, Sort, State, Tab};
use crate::documents::listing::ColumnKind;

/// Fewest columns and lines that anything can be shown on.
const WIDTH_MIN: u16 = 16;
const HEIGHT_MIN: u16 = 4;
/// Lines from which on the sides of a run have a line of their own.
const HEIGHT_FOR_TABS: u16 = 7;
/// Columns between cells.
const GAP: usize = 2;
/// The least columns of a sentence that is cut.
const PROSE_WIDTH_MIN: usize = 12;

/// The keys, explained.
const HELP: &str = "\
Up Down  j k      one row
PgUp PgDn  Space  one page
Home End  g G     the first, the last
Enter             open what is chosen
Left Right  h l   the next side of a run; back
Tab  1 to 6       sides of a run
Esc Backspace     clear the filter; back
/                 show only rows with a text; Enter keeps it, Esc clears it
s  r              sort by the next column; the other way round
?                 this
q  Ctrl-C         leave

The browser reads a copy of the store as it was when it was opened.
It changes nothing, and runs go on beside it.";

/// The head of a column.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Head {
    title: String,
    kind: ColumnKind,
}

impl Head {
    /// Returns a head.
    pub(super) fn new(title: &str, kind: ColumnKind) -> Self {
        Self { title: title.to_owned(), kind }
    }
}

/// What lies between title and keys.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Body {
    Text { lines: Vec<String>, first: usize },
    Table { heads: Vec<Head>, rows: Vec<Vec<String>>, chosen: usize, sort: Option<Sort> },
}

/// A screen, ready to be drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct Screen {
    title: String,
    /// The sides of the run and which is shown.
    tab: Option<Tab>,
    pub(super) note: String,
    pub(super) body: Body,
    /// Which rows or lines of how many; empty where all are shown.
    pub(super) position: String,
    /// Whether the row chosen leads somewhere.
    pub(super) opens: bool,
    /// Whether there is nothing to go back to.
    is_first: bool,
    filter: String,
    typing: bool,
    help: bool,
    height: u16,
}

impl Screen {
    pub(super) fn new(state: &State, profile: &str, height: u16) -> Self {
        let place = state.place();
        let (title, tab) = match place.view {
            BrowserView::Runs => (format!("{profile}: runs"), None),
            BrowserView::Run(run, tab) => (format!("{profile}: run {run}"), Some(tab)),
            BrowserView::Trial(run, index) => (format!("{profile}: run {run}, trial {}", index + 1), None),
        };
        Self {
            title,
            tab,
            note: String::new(),
            body: Body::Text { lines: Vec::new(), first: 0 },
            position: String::new(),
            opens: false,
            is_first: place.view == BrowserView::Runs,
            filter: place.filter.clone(),
            typing: state.typing,
            help: state.help,
            height,
        }
    }

    /// Returns the lines between title and keys.
    pub(super) fn body_lines(&self) -> usize {
        usize::from(self.height.saturating_sub(2 + u16::from(self.has_tabs())))
    }

    fn has_tabs(&self) -> bool {
        self.tab.is_some() && self.height >= HEIGHT_FOR_TABS
    }

    fn keys(&self) -> String {
        if self.typing {
            return format!("/{}_   Enter keep  Esc clear", self.filter);
        }
        let filtered = match self.filter.as_str() {
            "" => String::new(),
            filter => format!("only \"{filter}\" (Esc: all)  "),
        };
        let is_text = matches!(self.body, Body::Text { .. });
        // What cannot be guessed comes first: the end may not fit.
        let keys = [
            (true, "q quit  ? help"),
            (self.opens, "Enter open"),
            (!self.is_first, "Esc back"),
            (self.tab.is_some(), "←→ sides"),
            (is_text, "↑↓ scroll"),
            (!is_text, "↑↓ rows  / filter  s sort"),
        ];
        let keys: Vec<&str> = keys.into_iter().filter(|(here, _)| *here).map(|(_, key)| key).collect();
        filtered + &keys.join("  ")
    }
}

/// The colours, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Palette {
    /// Whether there are colours (`NO_COLOR`); without them bold, dim and reversed do.
    pub coloured: bool,
}

impl Palette {
    fn colour(self, colour: Color) -> Style {
        if self.coloured { Style::new().fg(colour) } else { Style::new() }
    }

    fn bar(self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    fn faint(self) -> Style {
        Style::new().add_modifier(Modifier::DIM)
    }

    fn bold(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    /// Returns the style of a word: verdicts and results have one.
    fn word(self, word: &str) -> Style {
        match word {
            "PASSED" | "REAL" | "changed" | "adopted" => self.colour(Color::Green),
            "WARNING" | "PROMISING" | "UNSTABLE" | "UNPROVEN" | "UNTESTED" | "not_convincing" | "differs" => {
                self.colour(Color::Yellow)
            }
            "FAILED" | "OVERFITTED" | "LIKELY_LUCK" | "rejected" => self.colour(Color::Red),
            word if word.starts_with('█') => self.colour(Color::Cyan),
            "EDGE" | "SWITCH" => self.bold(),
            _ => Style::new(),
        }
    }
}

/// Draws a screen. What does not fit is left out: columns from the right, then everything but a word.
pub fn draw_screen(frame: &mut Frame<'_>, screen: &Screen, palette: Palette) {
    let area = frame.area();
    let buffer = frame.buffer_mut();
    if area.width < WIDTH_MIN || area.height < HEIGHT_MIN {
        buffer.set_stringn(area.x, area.y, "too small", area.width.into(), Style::new());
        return;
    }
    title(buffer, area, screen, palette);
    let mut top = area.y + 1;
    if let Some(tab) = screen.tab.filter(|_| screen.has_tabs()) {
        tabs(buffer, Rect { y: top, height: 1, ..area }, tab, palette);
        top += 1;
    }
    let last = area.bottom() - 1;
    let body = Rect { y: top, height: last - top, ..area };
    match &screen.body {
        _ if screen.help => {
            text(buffer, body, &HELP.lines().map(|line| format!(" {line}")).collect::<Vec<_>>(), palette);
        }
        Body::Text { lines, first } => text(buffer, body, &lines[(*first).min(lines.len())..], palette),
        Body::Table { heads, rows, chosen, sort } => {
            let shown = Shown { heads, rows, chosen: *chosen, sort: *sort };
            shown.draw(buffer, body, palette);
        }
    }
    let keys = if screen.help { "any key: back".to_owned() } else { screen.keys() };
    fill(buffer, Rect { y: last, height: 1, ..area }, palette.faint());
    buffer.set_stringn(area.x + 1, last, keys, usize::from(area.width) - 1, palette.faint());
}

fn fill(buffer: &mut Buffer, area: Rect, style: Style) {
    buffer.set_stringn(area.x, area.y, " ".repeat(area.width.into()), area.width.into(), style);
}

fn title(buffer: &mut Buffer, area: Rect, screen: &Screen, palette: Palette) {
    fill(buffer, area, palette.bar());
    let position = format!("{} ", screen.position);
    let note = if screen.note.is_empty() { String::new() } else { format!(" - {}", screen.note) };
    let room = usize::from(area.width).saturating_sub(Span::raw(&position).width() + 2);
    let bold = palette.bar().add_modifier(Modifier::BOLD);
    let (x, _) = buffer.set_stringn(area.x + 1, area.y, &screen.title, room, bold);
    let room = room.saturating_sub(usize::from(x - area.x - 1));
    buffer.set_stringn(x, area.y, cut(&note, room), room, palette.bar());
    let width = Span::raw(&position).width() as u16;
    if area.width > width + 1 {
        buffer.set_stringn(area.right() - width, area.y, &position, width.into(), palette.bar());
    }
}

fn tabs(buffer: &mut Buffer, area: Rect, shown: Tab, palette: Palette) {
    let long: usize = Tab::ALL.iter().map(|tab| tab.name().len() + 5).sum();
    let mut x = area.x;
    for (index, tab) in Tab::ALL.into_iter().enumerate() {
        // Where not all names fit, only that of the side shown is written out.
        let name = if long <= usize::from(area.width) || tab == shown { tab.name() } else { "" };
        let label = format!(" {} {name} ", index + 1).replace("  ", " ");
        let style = if tab == shown { palette.bar() } else { palette.faint() };
        let room = usize::from(area.right().saturating_sub(x));
        (x, _) = buffer.set_stringn(x, area.y, label, room, style);
        x = (x + 1).min(area.right());
    }
}

fn text(buffer: &mut Buffer, area: Rect, lines: &[String], palette: Palette) {
    for (line, y) in lines.iter().zip(area.y..area.bottom()) {
        // What begins a line begins a part.
        let part = !line.starts_with(' ') && line.contains(':');
        words(buffer, area, (0, y), line, if part { palette.bold() } else { Style::new() }, palette);
    }
}

/// Writes a line word by word, each in its own style where it has one.
fn words(buffer: &mut Buffer, area: Rect, (x, y): (u16, u16), line: &str, base: Style, palette: Palette) {
    let mut at = area.x + x;
    for word in line.split_inclusive([' ', ',', ':', ';', '(', ')']) {
        let bare = word.trim_end_matches([' ', ',', ':', ';', '(', ')']);
        let room = usize::from(area.right().saturating_sub(at));
        (at, _) = buffer.set_stringn(at, y, word, room, base.patch(palette.word(bare)));
    }
}

/// A table as far as it is on the screen.
struct Shown<'a> {
    heads: &'a [Head],
    rows: &'a [Vec<String>],
    chosen: usize,
    sort: Option<Sort>,
}

impl Shown<'_> {
    fn draw(&self, buffer: &mut Buffer, area: Rect, palette: Palette) {
        let widths = self.widths(area.width.into());
        let titles: Vec<String> = (0..widths.len()).map(|column| self.title(column)).collect();
        fill(buffer, area, palette.bold());
        self.line(buffer, Rect { height: 1, ..area }, &widths, &titles, (palette.bold(), palette));
        if widths.len() < self.heads.len() {
            buffer.set_string(area.right() - 1, area.y, "…", palette.faint());
        }
        if self.rows.is_empty() && area.height > 1 {
            buffer.set_stringn(area.x + 1, area.y + 1, "nothing here", area.width.into(), palette.faint());
        }
        for (index, (row, y)) in self.rows.iter().zip(area.y + 1..area.bottom()).enumerate() {
            let area = Rect { y, height: 1, ..area };
            let style = if index == self.chosen { palette.bar() } else { Style::new() };
            if index == self.chosen {
                fill(buffer, area, style);
            }
            self.line(buffer, area, &widths, row, (style, palette));
        }
    }

    fn line(
        &self,
        buffer: &mut Buffer,
        area: Rect,
        widths: &[usize],
        cells: &[String],
        (style, palette): (Style, Palette),
    ) {
        let mut x = area.x + 1;
        for ((width, cell), head) in widths.iter().zip(cells).zip(self.heads) {
            let cell = cut(cell, *width);
            let used = Span::raw(&cell).width();
            let indent = if head.kind == ColumnKind::Number { width.saturating_sub(used) } else { 0 };
            let at = x + indent as u16;
            buffer.set_stringn(at, area.y, &cell, *width, style.patch(palette.word(&cell)));
            x += (width + GAP) as u16;
        }
    }

    fn title(&self, column: usize) -> String {
        let head = &self.heads[column];
        match self.sort {
            // Numbers begin with the most, text with a.
            Some(sort) if sort.column == column => {
                let down = (head.kind == ColumnKind::Number) != sort.reversed;
                format!("{}{}", head.title, if down { "↓" } else { "↑" })
            }
            _ => head.title.clone(),
        }
    }

    /// Returns the widths of as many columns as fit; sentences are cut first.
    fn widths(&self, room: usize) -> Vec<usize> {
        let natural = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column)).map(String::as_str);
            let title = self.title(column);
            cells.chain([title.as_str()]).map(|text| Span::raw(text).width()).max().unwrap_or(0)
        };
        let (mut widths, mut left) = (Vec::new(), room.saturating_sub(1));
        for (column, head) in self.heads.iter().enumerate() {
            let gap = if column == 0 { 0 } else { GAP };
            let width = natural(column);
            let least = if head.kind == ColumnKind::Prose { width.min(PROSE_WIDTH_MIN) } else { width };
            if column > 0 && least + gap > left {
                break;
            }
            let width = width.min(left.saturating_sub(gap));
            widths.push(width);
            left -= width + gap;
        }
        widths
    }
}

/// Returns text of at most so many columns; what is cut ends in dots.
fn cut(text: &str, width: usize) -> String {
    if Span::raw(text).width() <= width {
        return text.to_owned();
    }
    let mut cut = String::new();
    for c in text.chars() {
        if Span::raw(format!("{cut}{c}…")).width() > width {
            break;
        }
        cut.push(c);
    }
    cut.push('…');
    cut
}

/// Returns a line in as many lines as it needs; further ones are indented like the first, and a little more.
pub(super) fn broken(line: &str, width: usize) -> Vec<String> {
    let indent = line.len() - line.trim_start().len();
    let indent = " ".repeat((indent + 2).min(width / 3));
    let (mut lines, mut now) = (Vec::new(), String::new());
    for word in line.split_inclusive(' ') {
        let fits = now.chars().count() + word.trim_end().chars().count() <= width;
        if !fits && now.trim() != "" {
            lines.push(std::mem::replace(&mut now, indent.clone()).trim_end().to_owned());
        }
        now.push_str(word);
    }
    lines.push(now);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_between_words_and_indented() {
        assert_eq!(broken("short", 20), ["short"]);
        assert_eq!(broken("", 20), [""]);
        assert_eq!(broken("  - one two three", 12), ["  - one two", "    three"]);
        assert_eq!(broken("a  b", 20), ["a  b"], "blanks of tables stay");
        assert_eq!(broken("unbreakable", 4), ["unbreakable"]);
    }

    #[test]
    fn what_is_cut_says_so() {
        assert_eq!((cut("abcdef", 6), cut("abcdef", 4)), ("abcdef".to_owned(), "abc…".to_owned()));
    }

    #[test]
    fn without_colours_no_word_has_one() {
        let words = ["PASSED", "FAILED", "WARNING", "█", "EDGE", "word"];
        assert!(words.iter().all(|word| Palette { coloured: false }.word(word).fg.is_none()));
        assert!(words[..4].iter().all(|word| Palette { coloured: true }.word(word).fg.is_some()));
    }
}
