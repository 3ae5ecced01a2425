//! What the browser shows, read when it is shown. Decoded pages are kept while there is room.

use std::rc::Rc;

use lru::LruCache;
use serde_json::Value;

use super::screen::{Body, Head, Screen, broken};
use super::state::{BrowserPlace, BrowserView, ScreenFacts, Sort, State, Tab};
use crate::documents::inspect::{
    HistoryFilter, InspectCacheDocument, InspectChangesDocument, InspectError, InspectRunDocument,
    InspectSpaceDocument, InspectTopDocument, Listed, RunRef, SortKey, TopFilter, verdicts_of_run,
};
use crate::documents::listing::{Cell, ColumnKind, Listing};
use crate::model::{Style, rfc3339};
use crate::store::Snapshot;

/// Bytes of pages that are kept. A page of 50 trials takes about 40 KiB, a row of the runs half a KiB.
const PAGES_BYTES_MAX: usize = 2 << 20;
/// What a cell takes besides its text, about.
const CELL_BYTES: usize = 64;
/// No filter: everything of a run.
const EVERYTHING: HistoryFilter = HistoryFilter::newest(usize::MAX);

/// One row of a table.
#[derive(Debug, Clone, PartialEq)]
struct TableRow {
    cells: Vec<Cell>,
    opens: Option<BrowserView>,
}

/// A view's content.
#[derive(Debug, Clone, PartialEq)]
enum ViewPage {
    /// Lines, as they are.
    Text(Vec<String>),
    /// Rows under heads, and a word on them.
    Table { heads: Vec<Head>, rows: Vec<TableRow>, note: String },
}

impl ViewPage {
    fn bytes(&self) -> usize {
        let row =
            |row: &TableRow| row.cells.iter().map(|cell| CELL_BYTES + 2 * cell.shown().len()).sum::<usize>();
        match self {
            Self::Text(lines) => lines.iter().map(|line| CELL_BYTES + line.len()).sum(),
            Self::Table { rows, .. } => rows.iter().map(row).sum::<usize>() + CELL_BYTES,
        }
    }

    /// Returns the narrow table of a listing; `opens` says where its rows lead.
    fn of(listing: &Listing, note: String, opens: impl Fn(usize) -> Option<BrowserView>) -> Self {
        let columns: Vec<_> = listing.columns().iter().filter(|column| column.is_narrow()).collect();
        let row = |row: usize| TableRow {
            cells: columns.iter().map(|column| column.cells()[row].clone()).collect(),
            opens: opens(row),
        };
        let head = |column: &&crate::documents::listing::Column| Head::new(column.title(), column.kind());
        let rows = (0..listing.rows()).map(row).collect();
        Self::Table { heads: columns.iter().map(head).collect(), rows, note }
    }

    fn said(text: &str) -> Self {
        Self::Text(text.lines().map(str::to_owned).collect())
    }
}

/// What is kept: pages, and single rows of the list of runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum KeptPages {
    Page(BrowserView),
    RunRow(u64),
}

/// Decoded pages, the least recently shown of which make room.
#[derive(Debug)]
struct PageCache {
    kept: LruCache<KeptPages, (Rc<ViewPage>, usize)>,
    bytes: usize,
    bytes_max: usize,
}

impl PageCache {
    fn new(bytes_max: usize) -> Self {
        Self { kept: LruCache::unbounded(), bytes: 0, bytes_max }
    }

    fn get(&mut self, key: KeptPages) -> Option<Rc<ViewPage>> {
        self.kept.get(&key).map(|(page, _)| Rc::clone(page))
    }

    fn put(&mut self, key: KeptPages, page: ViewPage) -> Rc<ViewPage> {
        let bytes = page.bytes();
        let page = Rc::new(page);
        self.bytes += bytes;
        if let Some((_, before)) = self.kept.put(key, (Rc::clone(&page), bytes)) {
            self.bytes -= before;
        }
        while self.bytes > self.bytes_max && self.kept.len() > 1 {
            let Some((_, (_, gone))) = self.kept.pop_lru() else { break };
            self.bytes -= gone;
        }
        page
    }
}

/// A profile of a store, read as it is shown.
#[derive(Debug)]
pub struct Library<'s> {
    snapshot: Snapshot<'s>,
    profile: String,
    /// Newest first.
    runs: Vec<u64>,
    pages: PageCache,
}

impl<'s> Library<'s> {
    /// Opens a profile; reads nothing but the numbers of its runs.
    ///
    /// Errors: those of reading the store.
    pub fn open(snapshot: Snapshot<'s>, profile: &str) -> Result<Self, InspectError> {
        let runs = snapshot.run_ids(profile)?;
        Ok(Self { snapshot, profile: profile.to_owned(), runs, pages: PageCache::new(PAGES_BYTES_MAX) })
    }

    /// Returns whether the profile has no runs: there is nothing to browse.
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// Returns the screen of a state, of so many columns and lines, and what the next key needs to know of it.
    ///
    /// Errors: a store that cannot be read. What is no longer kept is said on the screen.
    pub fn screen(
        &mut self,
        state: &State,
        width: u16,
        height: u16,
    ) -> Result<(Screen, ScreenFacts), InspectError> {
        let place = state.place();
        let mut screen = Screen::new(state, &self.profile, height);
        let lines = screen.body_lines();
        let seen = match place.view {
            BrowserView::Runs => self.runs_screen(place, lines, &mut screen)?,
            view => {
                let page = self.page(view)?;
                match &*page {
                    ViewPage::Text(text) => {
                        let text: Vec<String> =
                            text.iter().flat_map(|line| broken(line, width.into())).collect();
                        let rows = text.len().saturating_sub(lines) + 1;
                        let first = place.row.min(rows - 1);
                        if rows > 1 {
                            let last = (first + lines).min(text.len());
                            screen.position = format!("{}-{last} of {}", first + 1, text.len());
                        }
                        screen.body = Body::Text { lines: text, first };
                        ScreenFacts { rows, page: lines, columns: 0, opens: None }
                    }
                    ViewPage::Table { heads, rows, note } => {
                        note.clone_into(&mut screen.note);
                        let order = order(rows.len(), place, |index| Ok(Rc::new(rows[index].clone())))?;
                        table(place, heads, &order, lines, &mut screen, |index| {
                            Ok(Rc::new(rows[index].clone()))
                        })?
                    }
                }
            }
        };
        Ok((screen, seen))
    }

    /// The runs are decoded as they come into sight; all of them only to be filtered or sorted.
    fn runs_screen(
        &mut self,
        place: &BrowserPlace,
        lines: usize,
        screen: &mut Screen,
    ) -> Result<ScreenFacts, InspectError> {
        let count = self.runs.len();
        let order = match place.filter.is_empty() && place.sort.is_none() {
            true => (0..count).collect(),
            false => order(count, place, |index| self.run_row(index))?,
        };
        let before = [("Run", ColumnKind::Number), ("When", ColumnKind::Text), ("Result", ColumnKind::Text)];
        let styles = Style::ALL.map(|style| (style.title(), ColumnKind::Text));
        let behind = [
            ("Symbols", ColumnKind::Number),
            ("Last day", ColumnKind::Text),
            ("Candles", ColumnKind::Number),
            ("ms", ColumnKind::Number),
        ];
        let heads = before.into_iter().chain(styles).chain(behind);
        let heads: Vec<Head> = heads.map(|(title, kind)| Head::new(title, kind)).collect();
        table(place, &heads, &order, lines, screen, |index| self.run_row(index))
    }

    fn run_row(&mut self, index: usize) -> Result<Rc<TableRow>, InspectError> {
        let run = self.runs[index];
        let page = match self.pages.get(KeptPages::RunRow(run)) {
            Some(page) => page,
            None => {
                let row = self.read_run_row(run)?;
                let page = ViewPage::Table { heads: Vec::new(), rows: vec![row], note: String::new() };
                self.pages.put(KeptPages::RunRow(run), page)
            }
        };
        match &*page {
            ViewPage::Table { rows, .. } => Ok(Rc::new(rows[0].clone())),
            ViewPage::Text(_) => unreachable!("rows of the runs are tables of one row"),
        }
    }

    fn read_run_row(&self, run: u64) -> Result<TableRow, InspectError> {
        let record = self.snapshot.run(&self.profile, run)?.unwrap_or_default();
        let verdicts = verdicts_of_run(&self.snapshot, &self.profile, run, &EVERYTHING)?;
        let verdict = |style: &str| Cell::maybe(verdicts.get(style).map(|part| part.verdict.as_str()));
        let cells = vec![
            Cell::count(run),
            Cell::instant(&rfc3339(record.started_at_ms)),
            Cell::text(record.result),
            verdict("scalping"),
            verdict("swing"),
            Cell::count(record.symbols.len() as u64),
            Cell::maybe(Some(record.last_day.as_str()).filter(|day| !day.is_empty())),
            Cell::count(record.candles),
            Cell::count(record.duration_ms),
        ];
        Ok(TableRow { cells, opens: Some(BrowserView::Run(run, Tab::Summary)) })
    }

    fn page(&mut self, view: BrowserView) -> Result<Rc<ViewPage>, InspectError> {
        if let Some(page) = self.pages.get(KeptPages::Page(view)) {
            return Ok(page);
        }
        let page = match self.read_page(view) {
            Err(InspectError::Store(error)) => return Err(error.into()),
            Err(error) => {
                let hint = error.hint().map_or_else(String::new, |hint| format!("\n\n{hint}"));
                ViewPage::said(&format!("{error}{hint}"))
            }
            Ok(page) => page,
        };
        Ok(self.pages.put(KeptPages::Page(view), page))
    }

    fn read_page(&self, view: BrowserView) -> Result<ViewPage, InspectError> {
        let (snapshot, profile) = (&self.snapshot, self.profile.as_str());
        match view {
            BrowserView::Runs => unreachable!("the runs are read row by row"),
            BrowserView::Run(run, Tab::Summary) => {
                Ok(ViewPage::said(&InspectRunDocument::read(snapshot, profile, run)?.body()))
            }
            BrowserView::Run(run, Tab::Parameters) => {
                Ok(parameters(&InspectRunDocument::read(snapshot, profile, run)?))
            }
            BrowserView::Run(_, Tab::Changes) => {
                let found = InspectChangesDocument::read(snapshot, profile, &EVERYTHING)?;
                if found.adoptions.is_empty() {
                    return Ok(ViewPage::said(&found.text()));
                }
                let runs: Vec<u64> = found
                    .adoptions
                    .iter()
                    .flat_map(|adoption| adoption.changes.iter().map(|_| adoption.run))
                    .collect();
                let note = "what every run changed, newest first".to_owned();
                Ok(ViewPage::of(&found.listing(), note, |row| {
                    Some(BrowserView::Run(runs[row], Tab::Summary))
                }))
            }
            BrowserView::Run(run, Tab::Trials) => {
                let found = self.trials(run)?;
                if found.styles.is_empty() {
                    return Ok(ViewPage::said(&found.text()));
                }
                let note = "the best sets, in sample".to_owned();
                Ok(ViewPage::of(&found.listing(), note, |row| Some(BrowserView::Trial(run, row))))
            }
            BrowserView::Run(run, Tab::Importance) => {
                let found = InspectSpaceDocument::read(snapshot, profile, Some(RunRef::Id(run)), None)?;
                Ok(importance(&found))
            }
            BrowserView::Run(run, Tab::Cache) => {
                let found = InspectCacheDocument::read(snapshot, profile, Some(run), None)?;
                Ok(ViewPage::of(&found.listing(), found.summary(), |_| None))
            }
            BrowserView::Trial(run, index) => Ok(self.trial(run, index)?),
        }
    }

    fn trials(&self, run: u64) -> Result<InspectTopDocument, InspectError> {
        let filter = TopFilter {
            run: Some(RunRef::Id(run)),
            style: None,
            limit: usize::MAX,
            trades_min: None,
            drawdown_max_pct: None,
            sort: SortKey::Rank,
        };
        InspectTopDocument::read(&self.snapshot, &self.profile, &filter)
    }

    /// Everything about one trial, a line per column.
    fn trial(&self, run: u64, index: usize) -> Result<ViewPage, InspectError> {
        let listing = self.trials(run)?.listing();
        let row = |column: &crate::documents::listing::Column| {
            let cell = column.cells().get(index)?.clone();
            Some(TableRow { cells: vec![Cell::text(column.title()), cell], opens: None })
        };
        let heads = vec![Head::new("What", ColumnKind::Text), Head::new("Value", ColumnKind::Text)];
        let rows = listing.columns().iter().filter_map(row).collect();
        Ok(ViewPage::Table { heads, rows, note: "one of the best sets, in sample".to_owned() })
    }
}

/// Returns the active parameters before a run beside the best it found.
fn parameters(document: &InspectRunDocument) -> ViewPage {
    let mut rows: Vec<(String, String, Option<Value>, Option<Value>)> = Vec::new();
    for (style, part) in &document.styles {
        let Some(decision) = &part.decision else { continue };
        let set = |part: &Option<crate::documents::style::CandidatePart>| {
            part.as_ref().map(|part| part.params.clone()).unwrap_or_default()
        };
        let (before, best) = (set(&decision.incumbent), set(&decision.candidate));
        let keys = best.keys().chain(before.keys().filter(|key| !best.contains_key(*key)));
        rows.extend(
            keys.map(|key| (style.clone(), key.clone(), before.get(key).cloned(), best.get(key).cloned())),
        );
    }
    if rows.is_empty() {
        return ViewPage::said("this run found no parameters");
    }
    let listing = Listing::of(&rows)
        .column("style", "Style", ColumnKind::Text, |row| Cell::text(row.0.as_str()))
        .column("key", "Parameter", ColumnKind::Text, |row| Cell::text(row.1.as_str()))
        .column("before", "Active before", ColumnKind::Text, |row| Cell::parameter(row.2.as_ref()))
        .column("best", "Candidate", ColumnKind::Text, |row| Cell::parameter(row.3.as_ref()))
        .column("differs", "", ColumnKind::Text, |row| {
            Cell::text(if row.2 == row.3 { "" } else { "differs" })
        })
        .done();
    ViewPage::of(&listing, "what was active, and the candidate found".to_owned(), |_| None)
}

/// Cells of the longest bar.
const BAR_WIDTH: f64 = 20.0;

/// Returns the axes of a run with how much they mattered, as far as that is still known.
fn importance(document: &InspectSpaceDocument) -> ViewPage {
    let mut rows = Vec::new();
    for (style, part) in &document.styles {
        let mut axes: Vec<_> = part.axes.iter().map(|axis| (style.as_str(), axis)).collect();
        axes.sort_by(|one, other| {
            let share = |axis: &crate::documents::inspect::AxisPart| axis.importance.unwrap_or(-1.0);
            share(other.1).total_cmp(&share(one.1))
        });
        rows.extend(axes);
    }
    let known = rows.iter().any(|row| row.1.importance.is_some());
    let bar = |share: Option<f64>| "█".repeat((share.unwrap_or(0.0) * BAR_WIDTH).round() as usize);
    let values = |axis: &crate::documents::inspect::AxisPart| {
        axis.values.iter().map(crate::documents::document::shown_parameter).collect::<Vec<_>>().join(", ")
    };
    let listing = Listing::of(&rows)
        .column("style", "Style", ColumnKind::Text, |row| Cell::text(row.0))
        .column("key", "Axis", ColumnKind::Text, |row| Cell::text(row.1.key.as_str()))
        .column("importance", "Share %", ColumnKind::Number, |row| Cell::share(row.1.importance))
        .column("bar", "", ColumnKind::Text, |row| Cell::text(bar(row.1.importance)))
        .column("best", "Candidate", ColumnKind::Text, |row| Cell::parameter(row.1.best.as_ref()))
        .column("values", "Searched", ColumnKind::Prose, |row| Cell::text(values(row.1)))
        .done();
    let note = match known {
        true => "share of the score's variance that an axis explains",
        false => "what was searched; importance is kept for the last run only",
    };
    ViewPage::of(&listing, note.to_owned(), |_| None)
}

/// Returns the rows that pass the filter of a place, in its order.
fn order(
    count: usize,
    place: &BrowserPlace,
    mut row: impl FnMut(usize) -> Result<Rc<TableRow>, InspectError>,
) -> Result<Vec<usize>, InspectError> {
    let wanted = place.filter.to_lowercase();
    let mut rows = Vec::new();
    for index in 0..count {
        let found = row(index)?;
        if found.cells.iter().any(|cell| cell.shown().to_lowercase().contains(&wanted)) {
            rows.push((index, found));
        }
    }
    if let Some(Sort { column, reversed }) = place.sort {
        rows.sort_by(|(_, one), (_, other)| match (one.cells.get(column), other.cells.get(column)) {
            (Some(one), Some(other)) if reversed => other.compare(one),
            (Some(one), Some(other)) => one.compare(other),
            _ => std::cmp::Ordering::Equal,
        });
    }
    Ok(rows.into_iter().map(|(index, _)| index).collect())
}

/// Puts the rows around the chosen one on a screen.
fn table(
    place: &BrowserPlace,
    heads: &[Head],
    order: &[usize],
    lines: usize,
    screen: &mut Screen,
    mut row: impl FnMut(usize) -> Result<Rc<TableRow>, InspectError>,
) -> Result<ScreenFacts, InspectError> {
    // One line is the heads'.
    let page = lines.saturating_sub(1).max(1);
    let chosen = place.row.min(order.len().saturating_sub(1));
    let first = chosen.saturating_sub(page / 2).min(order.len().saturating_sub(page));
    let (mut rows, mut opens) = (Vec::new(), None);
    for (at, index) in order.iter().enumerate().skip(first).take(page) {
        let found = row(*index)?;
        if at == chosen {
            opens = found.opens;
        }
        rows.push(found.cells.iter().map(|cell| cell.shown().to_owned()).collect());
    }
    screen.body = Body::Table { heads: heads.to_vec(), rows, chosen: chosen - first, sort: place.sort };
    let number = if order.is_empty() { 0 } else { chosen + 1 };
    screen.position = format!("{number} of {}", order.len());
    screen.opens = opens.is_some();
    Ok(ScreenFacts { rows: order.len(), page, columns: heads.len(), opens })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_make_room_for_pages_the_longest_unseen_first() {
        let page = |text: &str| ViewPage::Text(vec![text.repeat(100)]);
        let bytes = page("a").bytes();
        let mut pages = PageCache::new(2 * bytes);
        for run in [1, 2] {
            pages.put(KeptPages::RunRow(run), page("a"));
        }
        assert!(pages.get(KeptPages::RunRow(1)).is_some(), "and so it was seen last");
        pages.put(KeptPages::RunRow(3), page("b"));
        assert!(pages.get(KeptPages::RunRow(2)).is_none() && pages.get(KeptPages::RunRow(1)).is_some());
        assert_eq!(pages.bytes, 2 * bytes);
        pages.put(KeptPages::RunRow(3), page("c"));
        assert_eq!((pages.bytes, pages.kept.len()), (2 * bytes, 2), "replaced, not added");
        let large =
            pages.put(KeptPages::Page(BrowserView::Runs), ViewPage::Text(vec!["x".repeat(10 * bytes)]));
        assert_eq!(pages.kept.len(), 1, "what is shown is kept, however large");
        assert!(pages.bytes > pages.bytes_max && pages.bytes == large.bytes());
    }
}
