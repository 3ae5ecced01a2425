//! Metrics of a stored parameter set: see the [table](crate::evaluate::metric_table). JSON has a field for each, a row of the store
//! has those that are defined, by name.
//!
//! With a metric more every record that holds metrics goes one version up ([`METRICS_VERSION`]); rows of before lack the name,
//! which reads as undefined.

use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Invalid, finite};
pub(super) use crate::evaluate::metric_table::METRICS_VERSION;
use crate::evaluate::metric_table::{MetricEntry, MetricField, for_every_metric, metric_struct};

for_every_metric! { metric_struct
    /// What a parameter set achieved. `None` is undefined (too few trades, nothing lost, ...), never zero.
    #[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
    #[serde(remote = "Self")]
    StoredMetrics
}

/// Returns the entry of a name.
fn entry(key: &str) -> Option<MetricEntry<StoredMetrics>> {
    StoredMetrics::METRICS.into_iter().find(|metric| metric.key == key)
}

impl StoredMetrics {
    /// Returns every fractional metric with its name, in the order of the table.
    pub fn values(&self) -> impl Iterator<Item = (&'static str, Option<f64>)> {
        Self::METRICS.into_iter().filter_map(|metric| match metric.field {
            MetricField::Count(..) => None,
            MetricField::Number(number, ..) => Some((metric.key, number(self))),
        })
    }

    /// Checks that every defined metric is finite.
    pub(super) fn validate(&self) -> Result<(), Invalid> {
        self.values().try_for_each(|(name, value)| finite(name, value))
    }
}

/// Metrics as a row of the store has them: those that are defined, by name.
#[derive(Serialize, Deserialize)]
struct MetricsRow {
    counts: Vec<(String, u64)>,
    numbers: Vec<(String, f64)>,
}

impl From<&StoredMetrics> for MetricsRow {
    fn from(metrics: &StoredMetrics) -> Self {
        let mut row = Self { counts: Vec::new(), numbers: Vec::new() };
        for metric in &StoredMetrics::METRICS {
            match metric.field {
                MetricField::Count(count, _) => row.counts.push((metric.key.to_owned(), count(metrics))),
                MetricField::Number(number, ..) => {
                    row.numbers.extend(number(metrics).map(|value| (metric.key.to_owned(), value)));
                }
            }
        }
        row
    }
}

impl TryFrom<MetricsRow> for StoredMetrics {
    /// The name that is none of a metric of its kind, or stands twice.
    type Error = String;

    fn try_from(row: MetricsRow) -> Result<Self, String> {
        let mut metrics = Self::default();
        let mut seen: Vec<&str> = Vec::new();
        let mut is_new = |key: &'static str| {
            let is_new = !seen.contains(&key);
            seen.push(key);
            is_new
        };
        for (key, value) in row.counts {
            match entry(&key).map(|metric| (metric.key, metric.field)) {
                Some((known, MetricField::Count(_, place))) if is_new(known) => *place(&mut metrics) = value,
                _ => return Err(key),
            }
        }
        for (key, value) in row.numbers {
            match entry(&key).map(|metric| (metric.key, metric.field)) {
                Some((known, MetricField::Number(_, place, _))) if is_new(known) => {
                    *place(&mut metrics) = Some(value);
                }
                _ => return Err(key),
            }
        }
        Ok(metrics)
    }
}

impl Serialize for StoredMetrics {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match serializer.is_human_readable() {
            true => Self::serialize(self, serializer),
            false => MetricsRow::from(self).serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for StoredMetrics {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            return Self::deserialize(deserializer);
        }
        let metrics = Self::try_from(MetricsRow::deserialize(deserializer)?);
        metrics.map_err(|key| D::Error::custom(format!("{key:?} is no metric, or stands twice")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Metrics of which each has a value of its own.
    fn full() -> StoredMetrics {
        let mut metrics = StoredMetrics::default();
        for (metric, value) in StoredMetrics::METRICS.iter().zip(1_u8..) {
            match metric.field {
                MetricField::Count(_, place) => *place(&mut metrics) = value.into(),
                MetricField::Number(_, place, _) => *place(&mut metrics) = Some(value.into()),
            }
        }
        metrics
    }

    #[test]
    fn every_metric_reads_what_it_sets_and_has_a_column_of_its_own() {
        let metrics = full();
        for (metric, value) in StoredMetrics::METRICS.iter().zip(1_u8..) {
            let found = match metric.field {
                MetricField::Count(count, _) => Some(count(&metrics) as f64),
                MetricField::Number(number, ..) => number(&metrics),
            };
            assert_eq!(found, Some(value.into()), "{}", metric.key);
        }
        let mut columns = StoredMetrics::METRICS.map(|metric| metric.column);
        columns.sort_unstable();
        assert!(columns.into_iter().eq(0..StoredMetrics::METRICS.len()), "each has a place of its own");
        let titles: std::collections::BTreeSet<&str> =
            StoredMetrics::METRICS.iter().map(|metric| metric.title).collect();
        assert_eq!(titles.len(), StoredMetrics::METRICS.len());
    }

    #[test]
    fn every_metric_is_stored_by_name_and_shown_in_json() {
        for metrics in [full(), StoredMetrics::default(), StoredMetrics { win_rate: None, ..full() }] {
            let row = postcard::to_stdvec(&metrics).expect("plain values");
            assert_eq!(postcard::from_bytes::<StoredMetrics>(&row).expect("written so"), metrics);
            let json = serde_json::to_value(&metrics).expect("text keys");
            let keys: Vec<&String> = json.as_object().expect("an object").keys().collect();
            assert_eq!(keys, StoredMetrics::METRICS.iter().map(|metric| metric.key).collect::<Vec<_>>());
            assert_eq!(serde_json::from_value::<StoredMetrics>(json).expect("written so"), metrics);
        }
        let row = postcard::to_stdvec(&full()).expect("plain values");
        for metric in &StoredMetrics::METRICS {
            assert!(
                row.windows(metric.key.len()).any(|part| part == metric.key.as_bytes()),
                "{}",
                metric.key
            );
        }
    }

    #[test]
    fn a_row_may_lack_what_is_undefined_and_have_any_order_but_no_other_name_and_none_twice() {
        let row = |counts: &[&str], numbers: &[&str]| MetricsRow {
            counts: counts.iter().map(|key| ((*key).to_owned(), 3)).collect(),
            numbers: numbers.iter().map(|key| ((*key).to_owned(), 0.5)).collect(),
        };
        let read = StoredMetrics::try_from(row(&["trades"], &["capture_lift", "win_rate"]));
        let wanted = StoredMetrics {
            trades: 3,
            win_rate: Some(0.5),
            capture_lift: Some(0.5),
            ..StoredMetrics::default()
        };
        assert_eq!(read, Ok(wanted));
        for (counts, numbers, wrong) in [
            (&["trades"][..], &["sortino"][..], "sortino"),
            (&["trades", "trades"], &[], "trades"),
            (&[], &["win_rate", "win_rate"], "win_rate"),
            (&["win_rate"], &[], "win_rate"),
            (&[], &["trades"], "trades"),
        ] {
            assert_eq!(StoredMetrics::try_from(row(counts, numbers)), Err(wrong.to_owned()));
            let bytes = postcard::to_stdvec(&row(counts, numbers)).expect("plain values");
            assert!(postcard::from_bytes::<StoredMetrics>(&bytes).is_err(), "{wrong}");
        }
    }
}
