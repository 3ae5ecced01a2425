//! The space that a run searched, as text.

use std::fmt::Write as _;

use crate::documents::inspect::axes_listing;
use crate::documents::inspect::{AxisPart, InspectSpaceDocument};

impl InspectSpaceDocument {
    /// Returns the document as text for people.
    pub fn text(&self) -> String {
        let mut text = format!("run {} of profile {}\n", self.run, self.profile);
        for (style, part) in &self.styles {
            let _ = writeln!(text, "\n{style}: {} parameter sets", part.parameter_sets);
            let rows: Vec<(&str, &AxisPart)> = part.axes.iter().map(|axis| (style.as_str(), axis)).collect();
            let _ = writeln!(text, "{}", axes_listing(&rows, false).text());
        }
        text
    }
}
