//! The answer of `check lookahead` as text.

use std::fmt::Write as _;

use crate::documents::lookahead::{
    CheckLookaheadDocument, HindsightColumnPart, LookaheadDifferencePart, LookaheadSymbolPart,
};

/// Differences that the text names; the document has them all.
const SHOWN: usize = 20;

impl CheckLookaheadDocument {
    /// Returns the document as text for people.
    pub fn text(&self) -> String {
        let sum = |count: fn(&LookaheadSymbolPart) -> u64| self.symbols.iter().map(count).sum::<u64>();
        let mut text = format!(
            "{} symbols at {} instants (seed {}), with the future cut off and scrambled:\n  {} entries, {} feature rows, {} outcomes compared\n",
            self.symbols.len(),
            sum(|symbol| symbol.instants),
            self.seed,
            sum(|symbol| symbol.entries),
            sum(|symbol| symbol.feature_rows),
            sum(|symbol| symbol.outcomes),
        );
        for LookaheadDifferencePart { symbol, at, what, future } in self.differences.iter().take(SHOWN) {
            let _ = writeln!(text, "  {symbol} {at}: {what} change when the future is {future}");
        }
        let more = self.differences.len().saturating_sub(SHOWN);
        if more > 0 {
            let _ = writeln!(text, "  and {more} more; --json lists them all");
        }
        for column in self.columns.iter().flatten() {
            let _ = writeln!(text, "  column {}", column.sentence());
        }
        text += match (self.clean, self.differences.is_empty()) {
            (true, _) => "nothing knows what comes later\n",
            (false, true) => "a column looks like hindsight: whoever made it knew what came later\n",
            (false, false) => {
                "something knows what comes later: this is a defect of the program, please report it\n"
            }
        };
        text
    }
}

impl HindsightColumnPart {
    fn sentence(&self) -> String {
        let Self { column, signals, tells, future, holds, suspicious } = self;
        let said = match (holds, tells.zip(future.as_ref())) {
            (Some(price), _) => format!("holds {price}"),
            (None, Some((tells, future))) => {
                format!("tells {future} in {:.1} of 100 pairs (chance: 50)", 100.0 * tells)
            }
            (None, None) => "has too few signals to tell".to_owned(),
        };
        let warning = if *suspicious { "looks like hindsight: " } else { "" };
        format!("{column} ({signals} signals): {warning}{said}")
    }
}
