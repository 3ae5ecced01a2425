//! The effective configuration as text.

use std::fmt::Write as _;

use crate::documents::config::{ConfigDocument, ConfigValue};
use crate::features::frame::warm_up_ms;
use crate::model::{DAY_MS, Timeframes};
use crate::render::text::table::text_table;

impl ConfigValue {
    /// Returns where it comes from, with the line.
    fn place(&self) -> String {
        match self.line {
            Some(line) => format!("{}, line {line}", self.origin),
            None => self.origin.clone(),
        }
    }
}

impl ConfigDocument {
    /// Returns every value with where it comes from, as text for people.
    pub fn text(&self) -> String {
        let row =
            |(key, value): (&String, &ConfigValue)| vec![key.clone(), value.value.to_string(), value.place()];
        let rows: Vec<Vec<String>> = self.values.iter().map(row).collect();
        format!("{}\n", text_table(&["Key", "Value", "From"], &rows))
    }

    /// Returns the timeframes of the base interval.
    fn timeframes(&self) -> Option<Timeframes> {
        let base = self.values.get("data.base_interval")?.value.as_str()?;
        base.parse().ok().and_then(Timeframes::of)
    }

    /// Returns that it is sound, what its base interval means, and the sizes of its spaces.
    pub fn summary(&self) -> String {
        let mut text = "the configuration is sound\n".to_owned();
        text.extend(self.timeframes().map(|timeframes| {
            let Timeframes { base, middle, high } = timeframes;
            let days = warm_up_ms(base) as f64 / DAY_MS as f64;
            format!("base {base}: trends also on {middle} and {high}; derived signals begin {days:.1} days after the first candle\n")
        }));
        for (style, sets) in &self.parameter_sets {
            let _ = writeln!(text, "{style}: {sets} parameter sets");
        }
        text
    }
}
