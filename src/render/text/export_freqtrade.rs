//! What `export-freqtrade` wrote, or would write, and what `import-freqtrade` took over, as text.

use crate::bot::freqtrade::ParamsChange;
use crate::documents::export_freqtrade::{ExportFreqtradeDocument, ImportFreqtradeDocument};
use crate::model::escaped;
use crate::render::text::by_hand::list_changes;
use crate::render::text::prose::wrap_words;

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

impl ImportFreqtradeDocument {
    /// Returns the document as text for people.
    pub fn text(&self) -> String {
        let Self { profile, file, style, run, params_id, changes, not_mapped, .. } = self;
        let changes = match changes.is_empty() {
            true => "these parameters are active already".to_owned(),
            false => list_changes(changes),
        };
        let file = escaped(file, &[]);
        let places: Vec<String> = not_mapped.iter().map(|place| escaped(place, &[]).into_owned()).collect();
        format!(
            "{changes}\n\nimported {file} as run {run} of profile {profile}: the {style} parameters {params_id}\n{}",
            wrap_words("the map does not hand over:", 2, &places)
        )
    }
}
