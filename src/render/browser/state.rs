//! Where the reader is, and where a key leads. Pure: reads no store and no terminal.

/// What is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BrowserView {
    /// All runs, newest first.
    Runs,
    /// A side of a run.
    Run(u64, Tab),
    /// One of the trials of a run, by its place among those kept.
    Trial(u64, usize),
}

/// The sides of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Tab {
    Summary,
    Parameters,
    Changes,
    Trials,
    Importance,
    Cache,
}

impl Tab {
    /// Every side, in order.
    pub const ALL: [Self; 6] =
        [Self::Summary, Self::Parameters, Self::Changes, Self::Trials, Self::Importance, Self::Cache];

    /// Returns the name on the screen.
    pub fn name(self) -> &'static str {
        match self {
            Self::Summary => "Summary",
            Self::Parameters => "Parameters",
            Self::Changes => "Changes",
            Self::Trials => "Trials",
            Self::Importance => "Importance",
            Self::Cache => "Cache",
        }
    }

    fn index(self) -> usize {
        Self::ALL.iter().position(|tab| *tab == self).unwrap_or(0)
    }
}

/// A key, as far as the browser knows keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum BrowserKey {
    Up,
    Down,
    Left,
    Right,
    PageUp,
    PageDown,
    Home,
    End,
    Enter,
    Escape,
    Backspace,
    Tab,
    Char(char),
    /// Ctrl-C: leaves whatever is going on.
    Interrupt,
}

/// The order of a table: a column, by its place; reversed or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Sort {
    pub column: usize,
    pub reversed: bool,
}

/// A view with what the reader did to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrowserPlace {
    /// What is looked at.
    pub view: BrowserView,
    /// The row chosen, among those that pass the filter; of text the first line shown.
    pub row: usize,
    /// Only rows with this text, in whatever case; empty for all.
    pub filter: String,
    /// The order, if it is not that of the view.
    pub sort: Option<Sort>,
}

impl BrowserPlace {
    fn new(view: BrowserView) -> Self {
        Self { view, row: 0, filter: String::new(), sort: None }
    }
}

/// What the screen shows of a place: what a key needs to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ScreenFacts {
    /// Rows that pass the filter; of text the number of first lines that leave the screen full.
    pub rows: usize,
    /// Rows on the screen.
    pub page: usize,
    /// Columns that can be sorted by.
    pub columns: usize,
    /// Where Enter leads.
    pub opens: Option<BrowserView>,
}

/// Where the reader is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// The way from the runs to here; never empty.
    way: Vec<BrowserPlace>,
    /// Whether keys go into the filter.
    pub typing: bool,
    /// Whether the keys are being explained.
    pub help: bool,
    /// Whether the reader is done.
    pub done: bool,
}

impl Default for State {
    fn default() -> Self {
        Self { way: vec![BrowserPlace::new(BrowserView::Runs)], typing: false, help: false, done: false }
    }
}

impl State {
    /// Returns the place shown.
    pub fn place(&self) -> &BrowserPlace {
        &self.way[self.way.len() - 1]
    }

    fn place_mut(&mut self) -> &mut BrowserPlace {
        let last = self.way.len() - 1;
        &mut self.way[last]
    }

    /// Returns the state that a key leads to.
    pub fn press(mut self, key: BrowserKey, seen: &ScreenFacts) -> Self {
        match key {
            BrowserKey::Interrupt => self.done = true,
            _ if self.help => self.help = false,
            _ if self.typing => self.type_in(key, seen),
            _ => self.go(key, seen),
        }
        self
    }

    fn type_in(&mut self, key: BrowserKey, seen: &ScreenFacts) {
        match key {
            BrowserKey::Char(c) => self.place_mut().filter.push(c),
            BrowserKey::Backspace => drop(self.place_mut().filter.pop()),
            BrowserKey::Escape => {
                self.place_mut().filter.clear();
                self.typing = false;
            }
            BrowserKey::Enter => self.typing = false,
            BrowserKey::Up | BrowserKey::Down | BrowserKey::PageUp | BrowserKey::PageDown => {
                return self.step(key, seen);
            }
            _ => return,
        }
        if key != BrowserKey::Enter {
            self.place_mut().row = 0;
        }
    }

    fn go(&mut self, key: BrowserKey, seen: &ScreenFacts) {
        match key {
            BrowserKey::Char('q') => self.done = true,
            BrowserKey::Char('?') => self.help = true,
            BrowserKey::Char('/') if seen.columns > 0 => self.typing = true,
            BrowserKey::Char('s') => self.sort_by_next(seen.columns),
            BrowserKey::Char('r') => {
                if let Some(sort) = &mut self.place_mut().sort {
                    sort.reversed = !sort.reversed;
                }
            }
            BrowserKey::Enter => self.open(seen.opens),
            BrowserKey::Right | BrowserKey::Char('l') => self.sideways(1, seen),
            BrowserKey::Left | BrowserKey::Char('h') => self.sideways(-1, seen),
            BrowserKey::Tab => self.turn(|tab| (tab + 1) % Tab::ALL.len()),
            BrowserKey::Char(digit @ '1'..='6') => self.turn(|_| digit as usize - '1' as usize),
            BrowserKey::Escape | BrowserKey::Backspace => self.back(),
            key => self.step(key, seen),
        }
    }

    fn step(&mut self, key: BrowserKey, seen: &ScreenFacts) {
        let last = seen.rows.saturating_sub(1);
        let row = self.place().row.min(last);
        let page = seen.page.max(1);
        self.place_mut().row = match key {
            BrowserKey::Up | BrowserKey::Char('k') => row.saturating_sub(1),
            BrowserKey::Down | BrowserKey::Char('j') => row + 1,
            BrowserKey::PageUp => row.saturating_sub(page),
            BrowserKey::PageDown | BrowserKey::Char(' ') => row + page,
            BrowserKey::Home | BrowserKey::Char('g') => 0,
            BrowserKey::End | BrowserKey::Char('G') => last,
            _ => row,
        }
        .min(last);
    }

    /// Sorts by the next column, after the last one in the view's own order again.
    fn sort_by_next(&mut self, columns: usize) {
        let place = self.place_mut();
        let next = place.sort.map_or(0, |sort| sort.column + 1);
        place.sort = (next < columns).then_some(Sort { column: next, reversed: false });
        place.row = 0;
    }

    fn open(&mut self, view: Option<BrowserView>) {
        self.way.extend(view.map(BrowserPlace::new));
    }

    fn back(&mut self) {
        if !self.place().filter.is_empty() {
            let place = self.place_mut();
            place.filter.clear();
            place.row = 0;
        } else if self.way.len() > 1 {
            self.way.pop();
        }
    }

    /// Shows the side of the run that lies beside this one; beyond the first lies where the reader came from.
    fn sideways(&mut self, by: isize, seen: &ScreenFacts) {
        match self.place().view {
            BrowserView::Run(_, tab) => match tab.index().checked_add_signed(by) {
                Some(next) if next < Tab::ALL.len() => self.turn(|_| next),
                Some(_) => {}
                None => drop(self.way.pop()),
            },
            _ if by > 0 => self.open(seen.opens),
            BrowserView::Trial(..) => drop(self.way.pop()),
            BrowserView::Runs => {}
        }
    }

    /// Shows another side of the run.
    fn turn(&mut self, to: impl Fn(usize) -> usize) {
        if let BrowserView::Run(run, tab) = self.place().view {
            *self.place_mut() = BrowserPlace::new(BrowserView::Run(run, Tab::ALL[to(tab.index())]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEEN: ScreenFacts =
        ScreenFacts { rows: 30, page: 10, columns: 3, opens: Some(BrowserView::Run(7, Tab::Summary)) };

    fn pressed(keys: &[BrowserKey]) -> State {
        keys.iter().fold(State::default(), |state, key| state.press(*key, &SEEN))
    }

    fn typed(text: &str) -> Vec<BrowserKey> {
        text.chars().map(BrowserKey::Char).collect()
    }

    #[test]
    fn arrows_letters_and_pages_move_within_the_rows() {
        for (keys, row) in [
            (vec![BrowserKey::Down, BrowserKey::Char('j')], 2),
            (vec![BrowserKey::Down, BrowserKey::Up, BrowserKey::Up], 0),
            (vec![BrowserKey::PageDown, BrowserKey::Char(' '), BrowserKey::PageUp], 10),
            (vec![BrowserKey::End, BrowserKey::Down], 29),
            (vec![BrowserKey::Char('G'), BrowserKey::Char('k')], 28),
            (vec![BrowserKey::End, BrowserKey::Home], 0),
            (vec![BrowserKey::PageDown; 9], 29),
        ] {
            assert_eq!(pressed(&keys).place().row, row, "{keys:?}");
        }
        let nothing = State::default().press(BrowserKey::Down, &ScreenFacts::default());
        assert_eq!(nothing.place().row, 0, "nothing to move in");
        let fewer = pressed(&[BrowserKey::End]).press(BrowserKey::Down, &ScreenFacts { rows: 3, ..SEEN });
        assert_eq!(fewer.place().row, 2, "rows that are gone are not chosen");
    }

    #[test]
    fn a_run_is_entered_turned_and_left() {
        let view = |keys: &[BrowserKey]| pressed(keys).place().view;
        assert_eq!(view(&[BrowserKey::Enter]), BrowserView::Run(7, Tab::Summary));
        assert_eq!(view(&[BrowserKey::Right, BrowserKey::Right]), BrowserView::Run(7, Tab::Parameters));
        assert_eq!(view(&[BrowserKey::Enter, BrowserKey::Char('4')]), BrowserView::Run(7, Tab::Trials));
        assert_eq!(
            view(&[BrowserKey::Enter, BrowserKey::Tab, BrowserKey::Tab, BrowserKey::Left]),
            BrowserView::Run(7, Tab::Parameters)
        );
        assert_eq!(
            view(&[vec![BrowserKey::Enter], vec![BrowserKey::Tab; 6]].concat()),
            BrowserView::Run(7, Tab::Summary)
        );
        assert_eq!(
            view(&[vec![BrowserKey::Enter], vec![BrowserKey::Char('l'); 9]].concat()),
            BrowserView::Run(7, Tab::Cache)
        );
        for back in [BrowserKey::Left, BrowserKey::Char('h'), BrowserKey::Escape, BrowserKey::Backspace] {
            assert_eq!(view(&[BrowserKey::Enter, back]), BrowserView::Runs, "{back:?}");
            assert_eq!(view(&[back, back]), BrowserView::Runs, "the runs are where the way begins");
        }
        let trial = ScreenFacts { opens: Some(BrowserView::Trial(7, 3)), ..SEEN };
        let opened = pressed(&[BrowserKey::Enter, BrowserKey::Char('4')]).press(BrowserKey::Enter, &trial);
        assert_eq!(opened.place().view, BrowserView::Trial(7, 3));
        assert_eq!(opened.press(BrowserKey::Left, &SEEN).place().view, BrowserView::Run(7, Tab::Trials));
        let closed = State::default().press(BrowserKey::Enter, &ScreenFacts { opens: None, ..SEEN });
        assert_eq!(closed.place().view, BrowserView::Runs);
    }

    #[test]
    fn the_place_left_is_the_place_found_again() {
        let keys = [
            vec![BrowserKey::Down, BrowserKey::Down, BrowserKey::Char('/')],
            typed("ch"),
            vec![BrowserKey::Enter, BrowserKey::Down],
        ];
        let here = pressed(&keys.concat());
        let there = here.clone().press(BrowserKey::Enter, &SEEN);
        assert_eq!(there.place(), &BrowserPlace::new(BrowserView::Run(7, Tab::Summary)));
        assert_eq!(there.press(BrowserKey::Escape, &SEEN), here);
    }

    #[test]
    fn a_filter_takes_every_letter_until_it_is_done() {
        let typing = pressed(
            &[vec![BrowserKey::Down, BrowserKey::Char('/')], typed("q?sx"), vec![BrowserKey::Backspace]]
                .concat(),
        );
        assert!(typing.typing && !typing.done && !typing.help);
        assert_eq!((typing.place().filter.as_str(), typing.place().row), ("q?s", 0));
        let kept = typing.clone().press(BrowserKey::Enter, &SEEN);
        assert_eq!((kept.typing, kept.place().filter.as_str()), (false, "q?s"));
        assert_eq!(kept.place().view, BrowserView::Runs, "the first Enter ends typing");
        assert_eq!(
            kept.press(BrowserKey::Escape, &SEEN).place().filter,
            "",
            "Esc clears before it goes back"
        );
        let cleared = typing.press(BrowserKey::Escape, &SEEN);
        assert_eq!((cleared.typing, cleared.place().filter.as_str()), (false, ""));
        let text = State::default().press(BrowserKey::Char('/'), &ScreenFacts { columns: 0, ..SEEN });
        assert!(!text.typing, "text is not filtered");
    }

    #[test]
    fn sorting_goes_through_the_columns_and_back_to_none() {
        let sort = |times: usize| pressed(&vec![BrowserKey::Char('s'); times]).place().sort;
        assert_eq!([sort(1), sort(3)], [0, 2].map(|column| Some(Sort { column, reversed: false })));
        assert_eq!(sort(4), None);
        let reversed = pressed(&[BrowserKey::Char('s'), BrowserKey::Char('r')]);
        assert_eq!(reversed.place().sort, Some(Sort { column: 0, reversed: true }));
        assert_eq!(pressed(&[BrowserKey::Char('r')]).place().sort, None);
    }

    #[test]
    fn help_is_left_by_any_key_and_the_browser_by_q_or_an_interrupt() {
        let help = pressed(&[BrowserKey::Char('?')]);
        assert!(help.help);
        let after = help.press(BrowserKey::Char('q'), &SEEN);
        assert!(!after.help && !after.done);
        assert!(after.press(BrowserKey::Char('q'), &SEEN).done);
        assert!(pressed(&[BrowserKey::Char('/'), BrowserKey::Interrupt]).done);
    }
}
