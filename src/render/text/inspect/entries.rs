//! Trades of a parameter set, and entries, as text.

use crate::documents::document::shown_parameter;
use crate::documents::inspect::{InspectSetTradesDocument, InspectSignalsDocument, Listed};
use crate::model::escaped;

impl InspectSetTradesDocument {
    /// Returns the document as text for people.
    pub fn text(&self) -> String {
        let Self { profile, run, style, rank, parameters, trades } = self;
        let values = parameters.iter().map(|(key, value)| format!("{key} {}", shown_parameter(value)));
        let values = values.collect::<Vec<_>>().join(", ");
        let s = if trades.len() == 1 { "" } else { "s" };
        let head = format!("run {run} of profile {profile}, {style}, set {rank}: {} trade{s}", trades.len());
        format!("{head}\n{}\n\n{}\n", escaped(&values, &[]), self.listing().text())
    }
}

impl InspectSignalsDocument {
    /// Returns the document as text for people.
    pub fn text(&self) -> String {
        let Self { style, exits, columns, entries, pending, lost } = self;
        let rule = exits.iter().map(|(key, value)| format!("{key} {}", shown_parameter(value)));
        let rule = rule.collect::<Vec<_>>().join(", ");
        format!(
            "{style}: {} entries, {pending} waiting for candles, {lost} lost; outcomes under {rule}\n\n{}\n\n{} columns more, as CSV or by \
             --columns\n",
            entries.len(),
            self.listing().text(),
            columns.len() + 1
        )
    }
}
