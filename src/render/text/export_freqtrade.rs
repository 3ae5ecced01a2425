//! What `export-freqtrade` wrote, or would write, as text.

use crate::bot::freqtrade::ParamsChange;
use crate::documents::export_freqtrade::ExportFreqtradeDocument;
use crate::model::escaped;

impl ExportFreqtradeDocument {
    /// Returns the document as text for people.
    pub fn text(&self) -> String {
        let Self { file, strategy, style, params_id, exists, changes, written, reloaded, .. } = self;
        let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
        let line = |change: &ParamsChange| {
            let ParamsChange { place, old, new } = change;
            let line = format!("{place}: {} -> {}", value(old), value(new));
            format!("{}\n", escaped(&line, &[]))
        };
        let listed: String = changes.iter().map(line).collect();
        let file = escaped(file, &[]);
        let of = format!("{strategy}, the {style} parameters {params_id}");
        let done = match (written, exists, changes.len()) {
            (false, true, 0) => format!("unchanged: {file} says the same of {of}"),
            (false, true, 1) => format!("{file}: 1 value differs from {of}"),
            (false, true, count) => format!("{file}: {count} values differ from {of}"),
            (false, false, _) => format!("{file} does not exist yet; it would be of {of}"),
            (true, true, _) => format!("wrote {file} of {of}, what was there is {file}.bak"),
            (true, false, _) => format!("wrote {file} of {of}"),
        };
        let next = match (written, reloaded) {
            (true, true) => "; the bot reads it again",
            (true, false) => "; `/reload_config` lets the bot read it",
            (false, _) => "",
        };
        format!("{listed}{done}{next}\n")
    }
}
