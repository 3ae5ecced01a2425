//! `[limits]`, `[memory]` and `[store]`: what the program may take of the machine, and what it keeps.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::quantity::{self, size_bytes};
use super::{ConfigError, value_error};
use crate::store::{FULL_RUNS, TRIAL_RUNS_MAX};

/// What a run may take of the machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LimitsConfig {
    /// Disk for evaluated units that later runs reuse.
    #[serde(deserialize_with = "quantity::text")]
    #[schemars(extend("x-quantity" = "a size"))]
    pub cache: String,
    /// How far a run gives way to other programs.
    pub priority: Priority,
    /// A ceiling for the memory of the whole process; `--max-memory` on the command line.
    #[serde(deserialize_with = "quantity::some_text", skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-quantity" = "a size"))]
    pub memory: Option<String>,
}

impl Default for LimitsConfig {
    fn default() -> Self {
        Self { cache: "256MiB".to_owned(), priority: Priority::Idle, memory: None }
    }
}

impl LimitsConfig {
    pub(super) fn cache_bytes(&self) -> Result<u64, ConfigError> {
        let expected = format!("{}, or 0", quantity::SIZE);
        size_bytes(&self.cache).ok_or_else(|| value_error("limits.cache", &expected, &self.cache))
    }

    pub(super) fn memory_bytes(&self) -> Result<Option<u64>, ConfigError> {
        self.memory.as_ref().map(|text| positive_size("limits.memory", text)).transpose()
    }
}

fn positive_size(key: &str, text: &str) -> Result<u64, ConfigError> {
    let size = size_bytes(text).filter(|bytes| *bytes > 0);
    size.ok_or_else(|| value_error(key, quantity::SIZE, text))
}

/// How far a run gives way to other programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Default)]
#[serde(rename_all = "lowercase")]
pub enum Priority {
    /// It takes what nobody else wants.
    #[default]
    Idle,
    /// It comes after others, but always gets something.
    Low,
    /// Like any program.
    Normal,
}

/// What is kept of what was learned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct StoreConfig {
    /// Backups, one after every run: kept are the last of each of so many days of every profile, and as many of the newest;
    /// 0 makes none.
    #[schemars(extend("x-unit" = "backups"))]
    pub backups: usize,
    /// Runs of every profile that are kept whole, 1 to 90; of older ones that changed no parameters trials, daily returns, surfaces
    /// and the work done are dropped, and of the evidence what only describes.
    #[schemars(extend("x-unit" = "runs"))]
    pub keep_full_runs: u64,
}

impl Default for StoreConfig {
    fn default() -> Self {
        Self { backups: 7, keep_full_runs: FULL_RUNS }
    }
}

impl StoreConfig {
    pub(super) fn full_runs(&self) -> Result<u64, ConfigError> {
        let runs = Some(self.keep_full_runs).filter(|runs| (1..=TRIAL_RUNS_MAX).contains(runs));
        let expected = format!("1 to {TRIAL_RUNS_MAX} runs");
        runs.ok_or_else(|| value_error("store.keep_full_runs", &expected, self.keep_full_runs))
    }
}

/// Alarms of `memory report` and `memory watch`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MemoryConfig {
    /// Resident memory from which to warn.
    #[serde(deserialize_with = "quantity::text")]
    #[schemars(extend("x-quantity" = "a size"))]
    pub warning: String,
    /// Resident memory that is critical.
    #[serde(deserialize_with = "quantity::text")]
    #[schemars(extend("x-quantity" = "a size"))]
    pub critical: String,
    /// Growth along a line from which it counts as a leak.
    #[serde(deserialize_with = "quantity::text")]
    #[schemars(extend("x-quantity" = "a size", "x-unit" = "in an hour"))]
    pub growth_per_hour: String,
}

impl Default for MemoryConfig {
    fn default() -> Self {
        // The first two are those of the old system's monitor.
        let [warning, critical, growth_per_hour] = ["800MiB", "950MiB", "16MiB"].map(str::to_owned);
        Self { warning, critical, growth_per_hour }
    }
}

impl MemoryConfig {
    pub(super) fn alarms(&self) -> Result<MemoryAlarms, ConfigError> {
        let alarms = MemoryAlarms {
            warning_bytes: positive_size("memory.warning", &self.warning)?,
            critical_bytes: positive_size("memory.critical", &self.critical)?,
            growth_per_hour_bytes: positive_size("memory.growth_per_hour", &self.growth_per_hour)?,
        };
        match alarms.warning_bytes <= alarms.critical_bytes {
            true => Ok(alarms),
            false => {
                let expected = format!("at most memory.critical, {}", self.critical);
                Err(value_error("memory.warning", &expected, &self.warning))
            }
        }
    }
}

/// The alarms, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct MemoryAlarms {
    pub warning_bytes: u64,
    pub critical_bytes: u64,
    /// Growth along a line from which it counts as a leak.
    pub growth_per_hour_bytes: u64,
}

impl MemoryAlarms {
    /// Returns the word for so many resident bytes: `none`, `warning` or `critical`.
    pub fn alarm(&self, rss_bytes: u64) -> &'static str {
        if rss_bytes >= self.critical_bytes {
            "critical"
        } else if rss_bytes >= self.warning_bytes {
            "warning"
        } else {
            "none"
        }
    }
}
