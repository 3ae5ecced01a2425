//! Everything about the input of a run that should be known, in one list: files, given signals, symbols, the age of candles.

use super::file_summary::{self, FileNote, IssueNote};
use super::freshness::{Age, Freshness, SymbolAge};
use super::input_report::InputReport;
use super::issue_detail::IssueDetail;
use super::report::{RunReport, StyleReport};

/// Something about the input that should be known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputIssue {
    /// File, or symbol for what concerns all its files together.
    pub file: String,
    /// The first line concerned, where lines have a meaning.
    pub line: Option<u64>,
    /// Name of the kind.
    pub kind: String,
    /// How often.
    pub count: u64,
    /// More of it.
    pub detail: IssueDetail,
}

impl InputIssue {
    /// Returns an issue without a line.
    pub fn new(file: impl Into<String>, kind: &str, count: u64, detail: IssueDetail) -> Self {
        Self { file: file.into(), line: None, kind: kind.to_owned(), count, detail }
    }

    fn noted(file: String, note: &IssueNote) -> Self {
        Self { line: note.line, ..Self::new(file, &note.kind, note.count, note.detail.clone()) }
    }
}

/// Returns everything about the input of a run that should be known, the most pressing first.
pub fn all_issues(report: &RunReport) -> Vec<InputIssue> {
    let ages = age_issues(&report.freshness).into_iter();
    ages.chain(lost_issues(&report.styles)).chain(input_issues(&report.input)).collect()
}

/// Returns what missing candles, and prices in another scale, cost each symbol in each style.
fn lost_issues(styles: &[StyleReport]) -> impl Iterator<Item = InputIssue> {
    let losses = styles.iter().flat_map(|style| style.losses.iter().map(|losses| (style.style, losses)));
    losses.flat_map(|(style, losses)| {
        losses.told().map(move |(name, count, _)| {
            let detail = IssueDetail::Lost { style, count, what: name.to_owned() };
            InputIssue::new(losses.symbol.as_str(), &format!("lost_{name}"), count, detail)
        })
    })
}

/// Returns every issue of the input once: files skipped and rejected, then issues of files, of given signals, of symbols. What
/// concerns the candles of a symbol (see [`is_of_series`]) is told of the symbol.
pub fn input_issues(input: &InputReport) -> Vec<InputIssue> {
    let mut all = Vec::new();
    for skipped in &input.passed_over {
        let path = skipped.path.display().to_string();
        let file = file_summary::file_name(&path, skipped.entry.as_deref());
        all.push(InputIssue::new(file, "skipped", 1, IssueDetail::NotUsed(skipped.reason.clone())));
    }
    for file in &input.files {
        if let Some(reason) = &file.rejected {
            all.push(InputIssue::new(file.name(), "rejected", 1, IssueDetail::NotUsed(reason.clone())));
        }
    }
    for file in &input.files {
        let own = file.issues.iter().filter(|issue| !is_of_series(&issue.kind));
        all.extend(own.map(|issue| InputIssue::noted(file.name(), issue)));
    }
    if let Some(signals) = &input.signals {
        all.extend(signals.issues.iter().map(|issue| InputIssue::noted(signals.file.clone(), issue)));
    }
    for symbol in &input.symbols {
        let files: Vec<&FileNote> =
            input.files.iter().filter(|file| file.identity.symbol == symbol.name).collect();
        let told = symbol.issues.iter().filter(|issue| is_told_of_symbol(&issue.kind, &files));
        all.extend(told.map(|issue| InputIssue {
            line: line_of(&issue.kind, &files),
            ..InputIssue::noted(symbol.name.clone(), issue)
        }));
    }
    all
}

/// Returns whether a kind of issue concerns the candles of a symbol rather than a file: what one file lacks another may hold.
pub fn is_of_series(kind: &str) -> bool {
    matches!(kind, "gap" | "zero_volume")
}

/// Returns whether an issue of a symbol is news: files without a column of volumes say so themselves.
fn is_told_of_symbol(kind: &str, files: &[&FileNote]) -> bool {
    let lacks_volumes = |file: &&FileNote| file.issues.iter().any(|issue| issue.kind == "no_volume");
    kind != "zero_volume" || files.is_empty() || !files.iter().all(lacks_volumes)
}

/// Returns the first line concerned, where a symbol is in one file.
fn line_of(kind: &str, files: &[&FileNote]) -> Option<u64> {
    let [file] = files else { return None };
    file.issues.iter().find(|issue| issue.kind == kind)?.line
}

/// Returns what is told about the age of candles and the clock as issues of the run.
fn age_issues(freshness: &Freshness) -> Vec<InputIssue> {
    let clock = freshness.clock.reason().map(|reason| {
        let kind = format!("clock_{}", freshness.clock.as_str());
        InputIssue::new("clock", &kind, 1, IssueDetail::Clock(reason.clone()))
    });
    let of_symbol = |symbol: &SymbolAge| {
        let detail = match (symbol.age, symbol.newest_close_ms) {
            (Age::Fresh, _) => return None,
            (_, Some(newest_ms)) => IssueDetail::NewestClose(newest_ms),
            (_, None) => IssueDetail::NoCandles(freshness.last_run),
        };
        Some(InputIssue::new(symbol.symbol.as_str(), symbol.age.as_str(), 1, detail))
    };
    clock.into_iter().chain(freshness.symbols.iter().filter_map(of_symbol)).collect()
}
