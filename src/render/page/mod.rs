//! The pages of `optimizer serve`: the frame that they share, tables and links. Text goes through `maud`, which escapes it; nothing
//! stands in the page that the browser would have to trust.

mod home;
mod runs;
mod words;

use std::fmt::Write as _;

use maud::{DOCTYPE, Markup, html};

pub use home::{AnswerLine, AnswerTone, answers, home_page};
pub use runs::{HeatMap, changes_list, health_part, heat_part, memory_part, pager, params_part, trials_form};
pub use words::PageWords;

use crate::documents::listing::{ColumnKind, Listing};
use crate::render::lang::Lang;

/// The style sheet of the pages.
pub const PAGE_CSS: &str = include_str!("page.css");
/// The script that renews the first page; everything works without it.
pub const PAGE_JS: &str = include_str!("page.js");

/// What frames a page.
#[derive(Debug, Clone)]
pub struct Shell<'a> {
    /// The language.
    pub lang: Lang,
    /// Whose state is shown.
    pub profile: &'a str,
    /// The profile of who names none.
    pub default_profile: &'a str,
    /// Every profile.
    pub profiles: &'a [String],
    /// The path of the page, without what is asked of it.
    pub path: &'a str,
    /// Paths of style sheets.
    pub styles: &'a [String],
    /// Paths of scripts.
    pub scripts: &'a [String],
    /// Whether the page is renewed while nobody does anything.
    pub renews: bool,
}

/// Most columns of a table that fits a phone.
const COLUMNS_FITTING: usize = 3;

/// One of the words.
type WordOf = fn(&PageWords) -> &'static str;

/// Pages that every page leads to.
const NAVIGATION: [(&str, WordOf); 6] = [
    ("/", |words| words.today),
    ("/runs", |words| words.runs),
    ("/params", |words| words.params),
    ("/trials", |words| words.trials),
    ("/surface", |words| words.surface),
    ("/health", |words| words.health),
];

impl Shell<'_> {
    /// Returns the words of the page.
    pub fn words(&self) -> PageWords {
        PageWords::of(self.lang)
    }

    /// Returns the address of a path with what is asked of it; the profile and the language go along.
    pub fn link(&self, path: &str, asked: &[(&str, &str)]) -> String {
        let mut pairs: Vec<(&str, &str)> = asked.to_vec();
        if self.profile != self.default_profile {
            pairs.push(("profile", self.profile));
        }
        address(path, &pairs)
    }

    /// Returns a page.
    pub fn page(&self, title: &str, main: &Markup) -> String {
        let words = self.words();
        let other = match self.lang {
            Lang::En => Lang::Zh,
            Lang::Zh => Lang::En,
        };
        let is_here = |path: &str| path == self.path || (path != "/" && self.path.starts_with(path));
        let page = html! {
            (DOCTYPE)
            html lang=(self.lang.tag()) {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    title { (title) " - optimizer" }
                    link rel="icon" href="data:,";
                    @for style in self.styles { link rel="stylesheet" href=(style); }
                }
                body data-renews[self.renews] {
                    nav {
                        @for (path, word) in NAVIGATION {
                            a href=(self.link(path, &[])) aria-current=[is_here(path).then_some("page")] { (word(&words)) }
                        }
                        a class="end" href=(self.link(self.path, &[("lang", other.tag())])) lang=(other.tag()) { (words.other_language) }
                    }
                    @if self.profiles.len() > 1 {
                        p class="profiles" {
                            (words.profile) ": "
                            @for name in self.profiles {
                                a href=(address("/", &[("profile", name)])) aria-current=[(name == self.profile).then_some("true")] { (name) }
                                " "
                            }
                        }
                    }
                    main { (main) }
                    footer { (words.footer) }
                    @for script in self.scripts { script src=(script) defer {} }
                }
            }
        };
        page.into_string()
    }
}

/// Returns an address with what is asked, every byte escaped that could mean something else.
pub fn address(path: &str, asked: &[(&str, &str)]) -> String {
    let mut text = path.to_owned();
    for (place, (key, value)) in asked.iter().enumerate() {
        text.push(if place == 0 { '?' } else { '&' });
        text += &escaped_part(key);
        text.push('=');
        text += &escaped_part(value);
    }
    text
}

/// Returns text as a part of an address.
pub fn escaped_part(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => escaped.push(byte as char),
            _ => drop(write!(escaped, "%{byte:02X}")),
        }
    }
    escaped
}

/// Returns a listing as a table that turns into cards on a narrow screen; `link` says where the first cell of a row leads.
pub fn table_of(words: &PageWords, listing: &Listing, link: impl Fn(usize) -> Option<String>) -> Markup {
    let columns: Vec<_> = listing.columns().iter().filter(|column| column.is_narrow()).collect();
    // What fits a phone stays a table.
    let is_wide = columns.len() > COLUMNS_FITTING;
    html! {
        @if listing.rows() == 0 { p class="dim" { (words.no_rows) } } @else {
            div class="wide" { table class=[is_wide.then_some("cards")] {
                thead { tr { @for column in &columns {
                    th class=[(column.kind() == ColumnKind::Number).then_some("number")] { (words.shown(column.title())) }
                } } }
                tbody { @for row in 0..listing.rows() {
                    tr { @for (place, column) in columns.iter().enumerate() {
                        td data-label=(words.shown(column.title())) class=[(column.kind() == ColumnKind::Number).then_some("number")] {
                            @match (place, link(row)) {
                                (0, Some(href)) => a href=(href) { (column.cells()[row].shown()) },
                                _ => (column.cells()[row].shown()),
                            }
                        }
                    } }
                } }
            } }
        }
    }
}

/// Returns a size for people.
pub fn shown_size(bytes: u64) -> String {
    const MIB: f64 = (1 << 20) as f64;
    match bytes {
        0..1_048_576 => format!("{} KiB", bytes.div_ceil(1024)),
        _ if bytes as f64 >= 1024.0 * MIB => format!("{:.1} GiB", bytes as f64 / 1024.0 / MIB),
        _ => format!("{:.1} MiB", bytes as f64 / MIB),
    }
}

/// Returns a time for people, in its two largest words at most.
pub fn shown_time(lang: Lang, seconds: u64) -> String {
    let (day, hour, minute, second) = match lang {
        Lang::En => ("d", "h", "min", "s"),
        Lang::Zh => ("天", "小时", "分钟", "秒"),
    };
    match seconds {
        0..120 => format!("{seconds} {second}"),
        120..7_200 => format!("{} {minute}", seconds / 60),
        7_200..172_800 => format!("{} {hour}", seconds / 3_600),
        _ => format!("{} {day}", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::documents::listing::Cell;

    #[test]
    fn what_is_foreign_stays_text() {
        let hostile = "\"><script>alert(1)</script>&'";
        let shell = Shell {
            lang: Lang::En,
            profile: hostile,
            default_profile: "default",
            profiles: &[hostile.to_owned(), "default".to_owned()],
            path: "/runs",
            styles: &[],
            scripts: &[],
            renews: false,
        };
        let rows = [hostile];
        let listing =
            Listing::of(&rows).column(hostile, hostile, ColumnKind::Text, |row| Cell::text(*row)).done();
        let table = table_of(&shell.words(), &listing, |_| Some(shell.link("/runs/1", &[("a", hostile)])));
        let page = shell.page(hostile, &table);
        assert!(!page.contains("<script>") && !page.contains("</script>&"), "{page}");
        assert!(page.contains("%22%3E%3Cscript%3E"), "{page}");
    }

    #[test]
    fn sizes_and_times_read_well() {
        assert_eq!([0, 1, 5 << 20, 3 << 30].map(shown_size), ["0 KiB", "1 KiB", "5.0 MiB", "3.0 GiB"]);
        let shown = [59, 3_300, 111_600, 950_400].map(|seconds| shown_time(Lang::En, seconds));
        assert_eq!(shown, ["59 s", "55 min", "31 h", "11 d"]);
        assert_eq!(shown_time(Lang::Zh, 3_300), "55 分钟");
    }
}
