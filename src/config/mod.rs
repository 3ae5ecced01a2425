//! Configuration: TOML text over defaults, resolved to a plan. Files are read by the caller.

pub mod axes;
#[cfg(any(test, fuzzing))]
#[path = "../../tests/fuzz/config.rs"]
pub(crate) mod fuzz;
mod layers;
pub mod network;
pub mod quantity;
mod toml_error;

use std::path::PathBuf;

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use self::axes::{AxisConfig, FilterConfig, HOLDING_TIME, check_holding_times, check_timeframe};
use self::layers::{cut_lines, merge};
use self::network::{FetchConfig, NotifyConfig};
use self::quantity::size_bytes;
use self::toml_error::describe;
use crate::decide::Require;
use crate::engine::plan::{
    AgeLimit, DayLimits, OwnSettings, Plan, PlanningError, REGIME_SYMBOL, SearchSettings,
};
use crate::evaluate::portfolio::{Cooldown, PortfolioLimits};
use crate::exits::Costs;
use crate::ingest::{EmptyCandles, Glob, OnBadRows, ReadingOptions, Selection, StatedColumns};
use crate::model::{
    DAY_MS, EXIT_AXES, ExitAxis, Interval, MINUTE_MS, MarketKind, Style, Symbol, Timeframes, excerpt,
};
use crate::search::defaults::Defaults;
use crate::search::rank::{Constraint, RankBy};
use crate::search::space::{Dimension, SETS_MAX, SpaceError};
use crate::search::strategy::{Search, SpaceAxes, Strategy};
use crate::search::weights::Weighting;

/// The whole configuration; every key has a default.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
#[expect(missing_docs, reason = "one section each; the fields are documented in the README")]
pub struct Config {
    pub data: DataConfig,
    pub signals: SignalsConfig,
    pub symbols: SymbolsConfig,
    pub costs: CostsConfig,
    pub search: SearchConfig,
    pub validate: ValidateConfig,
    pub decide: DecideConfig,
    pub portfolio: PortfolioConfig,
    pub style: StylesConfig,
    pub limits: LimitsConfig,
    pub store: StoreConfig,
    pub fetch: FetchConfig,
    pub notify: NotifyConfig,
    pub memory: MemoryConfig,
}

/// `[signals]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
#[expect(missing_docs, reason = "documented in the README")]
pub struct SignalsConfig {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<PathBuf>,
}

/// `[symbols]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(missing_docs, reason = "documented in the README")]
pub struct SymbolsConfig {
    pub own_parameters: bool,
    pub min_trades: u32,
    pub prior_trades: u32,
}

impl Default for SymbolsConfig {
    fn default() -> Self {
        Self { own_parameters: true, min_trades: 30, prior_trades: 100 }
    }
}

/// `[limits]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(missing_docs, reason = "documented in the README")]
pub struct LimitsConfig {
    #[serde(deserialize_with = "quantity::text")]
    pub cache: String,
    pub priority: Priority,
    #[serde(deserialize_with = "quantity::some_text", skip_serializing_if = "Option::is_none")]
    pub memory: Option<String>,
}

impl Default for LimitsConfig {
    fn default() -> Self {
        Self { cache: "256MiB".to_owned(), priority: Priority::Idle, memory: None }
    }
}

/// `[store]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(missing_docs, reason = "documented in the README")]
pub struct StoreConfig {
    pub backups: usize,
}

impl Default for StoreConfig {
    fn default() -> Self {
        Self { backups: 7 }
    }
}

/// `[memory]`: alarms of `memory report` and `memory watch`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(missing_docs, reason = "documented in the README")]
pub struct MemoryConfig {
    #[serde(deserialize_with = "quantity::text")]
    pub warning: String,
    #[serde(deserialize_with = "quantity::text")]
    pub critical: String,
    #[serde(deserialize_with = "quantity::text")]
    pub growth_per_hour: String,
}

impl Default for MemoryConfig {
    fn default() -> Self {
        // The first two are those of the old system's monitor.
        let [warning, critical, growth_per_hour] = ["800MiB", "950MiB", "16MiB"].map(str::to_owned);
        Self { warning, critical, growth_per_hour }
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

/// How much a run runs at idle priority behind other programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
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

/// What a time zone is called.
const ZONE: &str = "a time zone such as \"Asia/Shanghai\", or \"UTC\"";

/// `[data]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(missing_docs, reason = "documented in the README")]
pub struct DataConfig {
    pub paths: Vec<PathBuf>,
    #[serde(deserialize_with = "quantity::text")]
    pub base_interval: String,
    pub on_conflict: ConflictPolicy,
    pub on_bad_rows: BadRowsPolicy,
    pub timezone: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub columns: Option<Vec<String>>,
    pub empty_candles: EmptyPolicy,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub symbols: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub market: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub exclude: Vec<String>,
    #[serde(deserialize_with = "quantity::text")]
    pub window: String,
    #[serde(deserialize_with = "quantity::text")]
    pub stale_after: String,
}

/// What to do with candles that differ for the same symbol, interval and time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum ConflictPolicy {
    /// Stop and name both lines.
    #[default]
    Error,
    /// The later in order of files and lines wins; counted.
    Last,
}

/// What a candle that is not there means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum EmptyPolicy {
    /// It is missing.
    #[default]
    Missing,
    /// Nothing was traded: it holds the last close, without volume.
    Flat,
}

impl From<EmptyPolicy> for EmptyCandles {
    fn from(policy: EmptyPolicy) -> Self {
        match policy {
            EmptyPolicy::Missing => Self::Missing,
            EmptyPolicy::Flat => Self::Flat,
        }
    }
}

/// What to do with a file of which more than 1 % of the rows (and more than three) cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum BadRowsPolicy {
    /// Use nothing of the file.
    #[default]
    Error,
    /// Leave such rows out, as long as they are fewer than half; counted.
    Skip,
}

impl Default for DataConfig {
    fn default() -> Self {
        Self {
            paths: Vec::new(),
            base_interval: Interval::M15.to_string(),
            on_conflict: ConflictPolicy::Error,
            on_bad_rows: BadRowsPolicy::Error,
            timezone: "UTC".to_owned(),
            columns: None,
            empty_candles: EmptyPolicy::Missing,
            symbols: None,
            market: None,
            exclude: Vec::new(),
            window: "365d".to_owned(),
            stale_after: "2d".to_owned(),
        }
    }
}

/// The largest rebate of a resting fill; percent of the notional.
const REBATE_PCT_MAX: f64 = 1.0;
/// The largest income from funding in eight hours; percent of the notional.
const FUNDING_INCOME_PCT_MAX: f64 = 5.0;

/// `[costs]`, in percent of the notional.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(missing_docs, reason = "documented in the README")]
pub struct CostsConfig {
    pub taker_fee_pct: f64,
    pub maker_fee_pct: f64,
    pub slippage_major_pct: f64,
    pub slippage_other_pct: f64,
    pub stop_slippage_factor: f64,
    pub majors: Vec<String>,
    pub funding_pct_per_8h: f64,
}

impl Default for CostsConfig {
    fn default() -> Self {
        Self {
            taker_fee_pct: 0.05,
            maker_fee_pct: 0.02,
            slippage_major_pct: 0.02,
            slippage_other_pct: 0.05,
            stop_slippage_factor: 2.0,
            majors: vec!["BTCUSDT".to_owned(), "ETHUSDT".to_owned()],
            funding_pct_per_8h: 0.01,
        }
    }
}

/// `[search]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(missing_docs, reason = "documented in the README")]
pub struct SearchConfig {
    pub score: String,
    pub rank: String,
    pub constraints: Vec<String>,
    pub min_trades: u32,
    pub position_ratio: f64,
    pub top: usize,
    pub strategy: String,
    pub budget: u64,
    pub seed: u64,
    pub weights: String,
}

impl Default for SearchConfig {
    fn default() -> Self {
        let settings = SearchSettings::default();
        Self {
            score: settings.score.to_string(),
            rank: settings.rank.as_str().to_owned(),
            constraints: Vec::new(),
            min_trades: settings.trades_min,
            position_ratio: settings.position_ratio,
            top: settings.top,
            strategy: settings.stages.strategy.to_string(),
            budget: settings.stages.budget,
            seed: settings.stages.seed,
            weights: settings.weights.to_string(),
        }
    }
}

/// `[validate]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(missing_docs, reason = "documented in the README")]
pub struct ValidateConfig {
    pub quick: bool,
    pub early_share: f64,
    pub min_late_trades: u32,
    pub regime_symbol: String,
}

impl Default for ValidateConfig {
    fn default() -> Self {
        let settings = SearchSettings::default();
        Self {
            quick: settings.quick,
            early_share: settings.early_share,
            min_late_trades: settings.late_trades_min,
            regime_symbol: REGIME_SYMBOL.to_owned(),
        }
    }
}

/// `[decide]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(missing_docs, reason = "documented in the README")]
pub struct DecideConfig {
    pub require: String,
    pub min_improvement: f64,
    /// 0: no limit.
    pub max_step: usize,
    pub declared_trials: u64,
    pub stale_data: StaleData,
}

/// What becomes of a run whose candles are all stale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum StaleData {
    /// It may adopt, and says how old they are.
    #[default]
    Warn,
    /// It adopts nothing.
    Hold,
}

impl Default for DecideConfig {
    fn default() -> Self {
        Self {
            require: Require::default().as_str().to_owned(),
            min_improvement: 0.0,
            max_step: 0,
            declared_trials: 0,
            stale_data: StaleData::Warn,
        }
    }
}

impl DecideConfig {
    /// Returns what a change needs.
    ///
    /// Errors: an unknown word
    pub fn required(&self) -> Result<Require, ConfigError> {
        let require = Require::ALL.into_iter().find(|require| require.as_str() == self.require);
        let words = Require::ALL.map(Require::as_str).join(", ");
        require.ok_or_else(|| value_error("decide.require", &words, &self.require))
    }
}

/// `[portfolio]`; 0 is no limit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(missing_docs, reason = "documented in the README")]
pub struct PortfolioConfig {
    pub positions_per_symbol: u32,
    pub max_positions: u32,
    pub cooldown_losses: u32,
    #[serde(deserialize_with = "quantity::text")]
    pub cooldown: String,
    pub max_daily_loss_pct: f64,
}

impl Default for PortfolioConfig {
    fn default() -> Self {
        Self {
            positions_per_symbol: 1,
            max_positions: 0,
            cooldown_losses: 0,
            cooldown: "4h".to_owned(),
            max_daily_loss_pct: 0.0,
        }
    }
}

/// `[style]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
#[expect(missing_docs, reason = "one section each")]
pub struct StylesConfig {
    pub scalping: StyleConfig,
    pub swing: StyleConfig,
}

/// `[style.scalping]`, `[style.swing]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
pub struct StyleConfig {
    /// Axes to replace, by key; what is not named keeps its default.
    #[serde(skip_serializing_if = "std::collections::BTreeMap::is_empty")]
    pub space: std::collections::BTreeMap<String, AxisConfig>,
    /// Filter dimensions of the user's own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub filters: Vec<FilterConfig>,
}

/// A configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The text is not TOML, a key is unknown or a value has the wrong type.
    #[error("{source_name}: {message}")]
    Text {
        /// File or flag.
        source_name: String,
        /// What is wrong, with the line.
        message: String,
    },
    /// A value is out of range or not understood.
    #[error("{key}: expected {expected}, found {found}")]
    Value {
        /// The key.
        key: String,
        /// What it must be.
        expected: String,
        /// What it is.
        found: String,
    },
    /// A space that cannot be searched.
    #[error("style {style}: {source}")]
    Space {
        /// The style.
        style: Style,
        /// Why.
        source: SpaceError,
    },
    /// A plan that cannot be carried out.
    #[error(transparent)]
    Plan(#[from] PlanningError),
}

impl Config {
    /// Merges TOML texts in order over the defaults; each comes with the name that errors give it.
    ///
    /// Errors: text that is not TOML, an unknown key (naming the nearest known one), a value of the wrong type
    pub fn from_texts(texts: &[(String, String)]) -> Result<Self, ConfigError> {
        let mut merged = toml::Table::new();
        for (source_name, text) in texts {
            let fail = |message: String| ConfigError::Text {
                source_name: excerpt(source_name).into_owned(),
                message: cut_lines(&message),
            };
            // Alone first, so that an error names this source and its line.
            toml::from_str::<Self>(text).map_err(|error| fail(describe(&error, text)))?;
            let table: toml::Table = text.parse().map_err(|error| fail(describe(&error, text)))?;
            merge(&mut merged, table);
        }
        merged.try_into().map_err(|error| ConfigError::Text {
            source_name: "configuration".to_owned(),
            message: cut_lines(&describe(&error, "")),
        })
    }

    /// Returns the effective configuration as TOML.
    pub fn to_toml(&self) -> String {
        toml::to_string(self).unwrap_or_else(|error| format!("# not representable: {error}\n"))
    }

    /// Returns the base interval.
    ///
    /// Errors: it is no interval, or none that a run can be made of
    pub fn interval(&self) -> Result<Interval, ConfigError> {
        let text = &self.data.base_interval;
        let base = text.parse().ok().and_then(Timeframes::of).map(|timeframes| timeframes.base);
        base.ok_or_else(|| {
            let bases = Timeframes::bases();
            let why =
                "finer candles are put together to it, and no candle is longer than a day, the unit of a run";
            value_error("data.base_interval", &format!("{bases} ({why})"), text)
        })
    }

    /// Returns what is said of candle files that they do not say themselves.
    pub fn reading(&self) -> Result<ReadingOptions, ConfigError> {
        let on_bad_rows = match self.data.on_bad_rows {
            BadRowsPolicy::Error => OnBadRows::Refuse,
            BadRowsPolicy::Skip => OnBadRows::Skip,
        };
        let zone = self.data.timezone.as_str();
        let timezone = match zone {
            "UTC" => None,
            _ => Some(TimeZone::get(zone).map_err(|_| value_error("data.timezone", ZONE, zone))?),
        };
        let columns = self.data.columns.as_deref().map(StatedColumns::parse).transpose();
        let columns = columns.map_err(|problem| {
            value_error("data.columns", "a name for every column, from left to right", problem)
        })?;
        let empty_candles = self.data.empty_candles.into();
        Ok(ReadingOptions { on_bad_rows, timezone, columns, empty_candles })
    }

    /// Returns the bytes of evaluated units that are kept for later runs.
    pub fn cache_bytes(&self) -> Result<u64, ConfigError> {
        let text = &self.limits.cache;
        let expected = format!("{}, or 0", quantity::SIZE);
        size_bytes(text).ok_or_else(|| value_error("limits.cache", &expected, text))
    }

    /// Returns the most memory to use, in bytes.
    pub fn memory_bytes(&self) -> Result<Option<u64>, ConfigError> {
        let parse = |text: &String| {
            let size = size_bytes(text).filter(|bytes| *bytes > 0);
            size.ok_or_else(|| value_error("limits.memory", quantity::SIZE, text))
        };
        self.limits.memory.as_ref().map(parse).transpose()
    }

    /// Returns the alarms about memory.
    pub fn memory_alarms(&self) -> Result<MemoryAlarms, ConfigError> {
        let config = &self.memory;
        let size = |key: &str, text: &String| {
            let size = size_bytes(text).filter(|bytes| *bytes > 0);
            size.ok_or_else(|| value_error(&format!("memory.{key}"), quantity::SIZE, text))
        };
        let alarms = MemoryAlarms {
            warning_bytes: size("warning", &config.warning)?,
            critical_bytes: size("critical", &config.critical)?,
            growth_per_hour_bytes: size("growth_per_hour", &config.growth_per_hour)?,
        };
        match alarms.warning_bytes <= alarms.critical_bytes {
            true => Ok(alarms),
            false => {
                let expected = format!("at most memory.critical, {}", config.critical);
                Err(value_error("memory.warning", &expected, &config.warning))
            }
        }
    }

    /// Returns the symbols to restrict the run to.
    pub fn symbols(&self) -> Result<Option<Vec<Symbol>>, ConfigError> {
        let parse = |name: &String| {
            Symbol::parse(name).ok_or_else(|| value_error("data.symbols", "a symbol such as BTCUSDT", name))
        };
        self.data.symbols.as_ref().map(|names| names.iter().map(parse).collect()).transpose()
    }

    /// Returns which of the files found are read.
    pub fn selection(&self) -> Result<Selection, ConfigError> {
        let market = self.data.market.as_ref().map(|name| {
            let market = name.parse::<MarketKind>();
            market.map_err(|_| value_error("data.market", "spot, usdt-m, coin-m or dated", name))
        });
        let pattern = |text: &String| {
            let expected = "patterns of names such as \"*-mark.feather\" or \"futures/*\"";
            text.parse::<Glob>().map_err(|_| value_error("data.exclude", expected, text))
        };
        let exclude = self.data.exclude.iter().map(pattern).collect::<Result<_, _>>()?;
        Ok(Selection { market: market.transpose()?, exclude })
    }

    /// Resolves the configuration for some styles and days.
    pub fn plan(&self, styles: &[Style], mut days: DayLimits) -> Result<Plan, ConfigError> {
        if days.window_days.is_none() {
            let window = quantity::window(&self.data.window);
            let window =
                window.ok_or_else(|| value_error("data.window", quantity::WINDOW, &self.data.window))?;
            days.window_days = window.days();
        }
        let base = self.interval()?;
        let axes = styles.iter().map(|style| self.axes(*style, base)).collect::<Result<Vec<_>, _>>()?;
        let mut plan = Plan::new(base, axes, self.costs()?, self.search()?, days)?;
        plan.symbols = self.symbols()?;
        plan.age = self.age()?;
        plan.reading = self.reading()?;
        plan.selection = self.selection()?;
        plan.portfolio = self.limits(plan.search.position_ratio)?;
        let symbol = &self.validate.regime_symbol;
        plan.regime_symbol = Symbol::parse(symbol)
            .ok_or_else(|| value_error("validate.regime_symbol", "a symbol such as BTCUSDT", symbol))?;
        Ok(plan)
    }

    /// Returns how old candles may be.
    ///
    /// Errors: no time, or none that a clock tells
    pub fn age(&self) -> Result<AgeLimit, ConfigError> {
        let text = &self.data.stale_after;
        let time = quantity::duration(text).filter(|time| (1..=STALE_AFTER_MAX_S).contains(&time.as_secs()));
        let time = time.ok_or_else(|| {
            value_error("data.stale_after", "a time such as 36h or 2d, of at most 3650d", text)
        })?;
        let stale_after_ms = i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
        Ok(AgeLimit { stale_after_ms, hold: self.decide.stale_data == StaleData::Hold })
    }

    /// Resolves everything that any command takes from it, and returns the plan of both styles.
    pub fn check(&self) -> Result<Plan, ConfigError> {
        self.cache_bytes()?;
        self.memory_bytes()?;
        self.memory_alarms()?;
        self.fetch.limits()?;
        self.notify.channels()?;
        self.plan(&Style::ALL, DayLimits::default())
    }

    /// Returns what a portfolio allows that puts a share of the account in each position.
    fn limits(&self, position_ratio: f64) -> Result<PortfolioLimits, ConfigError> {
        let config = &self.portfolio;
        let limit = |count: u32| (count > 0).then_some(count);
        let pause_ms = quantity::duration(&config.cooldown).and_then(|time| time.as_millis().try_into().ok());
        let pause_ms = pause_ms.filter(|ms| (MINUTE_MS..=365 * DAY_MS).contains(ms)).ok_or_else(|| {
            let expected = "a time such as 90m, 4h or 1d, of a minute to a year";
            value_error("portfolio.cooldown", expected, &config.cooldown)
        })?;
        let loss = config.max_daily_loss_pct;
        if !(0.0..=100.0).contains(&loss) {
            return Err(value_error("portfolio.max_daily_loss_pct", "0 to 100 percent of the account", loss));
        }
        // In ppm of a position: a position is only a part of the account.
        let day_loss_ppm = (loss * PPM_PER_PERCENT / position_ratio).round() as i64;
        Ok(PortfolioLimits {
            per_symbol: limit(config.positions_per_symbol),
            positions: limit(config.max_positions),
            cooldown: limit(config.cooldown_losses).map(|losses| Cooldown { losses, pause_ms }),
            day_loss_ppm: (loss > 0.0).then_some(day_loss_ppm.max(1)),
        })
    }

    fn costs(&self) -> Result<Costs, ConfigError> {
        let config = &self.costs;
        let from = |least: f64, key: &str, percent: f64| match (least..=10.0).contains(&percent) {
            true => Ok(percent / 100.0),
            false => Err(value_error(&format!("costs.{key}"), &format!("{least} to 10 percent"), percent)),
        };
        let share = |key: &str, percent: f64| from(0.0, key, percent);
        let factor = config.stop_slippage_factor;
        if !(0.0..=100.0).contains(&factor) {
            return Err(value_error("costs.stop_slippage_factor", "0 to 100", factor));
        }
        let major = |name: &String| {
            Symbol::parse(name).ok_or_else(|| value_error("costs.majors", "a symbol such as BTCUSDT", name))
        };
        Ok(Costs {
            taker_fee: share("taker_fee_pct", config.taker_fee_pct)?,
            maker_fee: from(-REBATE_PCT_MAX, "maker_fee_pct", config.maker_fee_pct)?,
            slippage_major: share("slippage_major_pct", config.slippage_major_pct)?,
            slippage_other: share("slippage_other_pct", config.slippage_other_pct)?,
            stop_slippage_factor: factor,
            majors: config.majors.iter().map(major).collect::<Result<_, _>>()?,
            funding_per_8h: from(-FUNDING_INCOME_PCT_MAX, "funding_pct_per_8h", config.funding_pct_per_8h)?,
        })
    }

    fn search(&self) -> Result<SearchSettings, ConfigError> {
        let config = &self.search;
        let score = config.score.parse();
        let score = score.map_err(|message: String| value_error("search.score", &message, &config.score))?;
        let rank = RankBy::ALL.into_iter().find(|rank| rank.as_str() == config.rank);
        let words = RankBy::ALL.map(RankBy::as_str).join(", ");
        let rank = rank.ok_or_else(|| value_error("search.rank", &words, &config.rank))?;
        let constraint = |text: &String| {
            let parsed: Result<Constraint, String> = text.parse();
            parsed.map_err(|message| value_error("search.constraints", &message, text))
        };
        let ratio = |key: &str, value: f64, most: f64| match value > 0.0 && value <= most {
            true => Ok(value),
            false => Err(value_error(key, &format!("more than 0 and at most {most}"), value)),
        };
        if !(1..=50).contains(&config.top) {
            return Err(value_error("search.top", "1 to 50", config.top));
        }
        let own = &self.symbols;
        let least_one = own.min_trades.min(own.prior_trades);
        if least_one == 0 {
            return Err(value_error("symbols.min_trades, symbols.prior_trades", "at least 1", least_one));
        }
        let own = own
            .own_parameters
            .then_some(OwnSettings { trades_min: own.min_trades, prior_trades: own.prior_trades });
        let least = self.decide.min_improvement;
        if !(0.0..=1000.0).contains(&least) {
            return Err(value_error("decide.min_improvement", "0 to 1000 points of the score", least));
        }
        let require = self.decide.required()?;
        let strategy = Strategy::ALL.into_iter().find(|strategy| strategy.as_str() == config.strategy);
        let words = Strategy::ALL.map(Strategy::as_str).join(", ");
        let strategy = strategy.ok_or_else(|| value_error("search.strategy", &words, &config.strategy))?;
        if !(1..=SETS_MAX as u64).contains(&config.budget) {
            let expected = format!("1 to {SETS_MAX} parameter sets");
            return Err(value_error("search.budget", &expected, config.budget));
        }
        let weights = Weighting::ALL.into_iter().find(|weighting| weighting.as_str() == config.weights);
        let words = Weighting::ALL.map(Weighting::as_str).join(", ");
        let weights = weights.ok_or_else(|| value_error("search.weights", &words, &config.weights))?;
        Ok(SearchSettings {
            weights,
            stages: Search { strategy, budget: config.budget, seed: config.seed },
            quick: self.validate.quick,
            require,
            declared_trials: self.decide.declared_trials,
            min_improvement: self.decide.min_improvement,
            max_step: Some(self.decide.max_step).filter(|step| *step > 0),
            own,
            score,
            rank,
            constraints: config.constraints.iter().map(constraint).collect::<Result<_, _>>()?,
            trades_min: config.min_trades.max(1),
            late_trades_min: self.validate.min_late_trades.max(1),
            position_ratio: ratio("search.position_ratio", config.position_ratio, 100.0)?,
            top: config.top,
            early_share: ratio("validate.early_share", self.validate.early_share, 0.95)?,
        })
    }

    fn axes(&self, style: Style, base: Interval) -> Result<SpaceAxes, ConfigError> {
        let config = match style {
            Style::Scalping => &self.style.scalping,
            Style::Swing => &self.style.swing,
        };
        let fail = |source| ConfigError::Space { style, source };
        let Defaults { mut exits, mut dimensions } = Defaults::of(style, base).expect("a base of a run");
        let known: Vec<String> = dimensions.iter().map(|d| d.key().to_owned()).collect();
        if self.signals.file.is_some() {
            // The default thresholds belong to derived signals: of given ones they would drop nearly all in silence.
            dimensions.retain(|dimension| config.space.contains_key(dimension.key()));
        }
        for (key, axis) in &config.space {
            let path = format!("style.{style}.space.{key}");
            if let Some(exit_axis) = ExitAxis::named(key) {
                let levels = axis.exit_levels(&path)?;
                if key == HOLDING_TIME {
                    check_holding_times(&path, exit_axis, &levels, base)?;
                }
                exits.set(key, levels);
                continue;
            }
            let dimension = dimensions
                .iter_mut()
                .find(|dimension| dimension.key() == key)
                .ok_or_else(|| unknown_axis(&path, key, &known))?;
            let levels = axis.levels(&path, dimension)?;
            *dimension =
                Dimension::new(key, dimension.source().name(), dimension.bound(), levels).map_err(fail)?;
        }
        for filter in &config.filters {
            let dimension = filter.dimension(style)?;
            if let (Some(column), None) = (dimension.source().signals_column(), &self.signals.file) {
                let key = format!("style.{style}.filters.{}", dimension.key());
                let expected = format!("a file with the column {column:?}: [signals] file, or --signals");
                return Err(value_error(&key, &expected, "none"));
            }
            check_timeframe(style, &dimension, base)?;
            dimensions.push(dimension);
        }
        Ok(SpaceAxes::new(style, exits, dimensions))
    }
}

fn unknown_axis(path: &str, key: &str, known: &[String]) -> ConfigError {
    let names = EXIT_AXES.iter().map(|axis| axis.key).chain(known.iter().map(String::as_str));
    let near = crate::search::nearest(key, names).map(|near| format!("; did you mean {near:?}?"));
    value_error(
        path,
        &format!("a dimension of the style's space{}", near.unwrap_or_default()),
        format!("{key:?}; dimensions of your own go under [[style.….filters]]"),
    )
}

pub(crate) fn value_error(key: &str, expected: &str, found: impl std::fmt::Display) -> ConfigError {
    let found = match found.to_string() {
        found if found.is_empty() => "\"\"".to_owned(),
        found => excerpt(&found).into_owned(),
    };
    ConfigError::Value { key: excerpt(key).into_owned(), expected: expected.to_owned(), found }
}

const PPM_PER_PERCENT: f64 = 10_000.0;
/// Longest age of candles that can be asked for: ten years.
const STALE_AFTER_MAX_S: u64 = 3_650 * 86_400;

#[cfg(test)]
mod tests {
    use super::*;

    fn config(text: &str) -> Result<Config, ConfigError> {
        Config::from_texts(&[("test.toml".to_owned(), text.to_owned())])
    }

    #[test]
    fn nothing_is_needed_and_the_default_plan_is_the_default_grid() {
        let plan = Config::default().plan(&Style::ALL, DayLimits::default()).expect("sound");
        assert_eq!(plan.styles.iter().map(|s| s.space.sets()).sum::<usize>(), 2 * 139_968);
        assert_eq!(plan.costs, Costs::default());
        assert_eq!(plan.search, SearchSettings::default());
    }

    #[test]
    fn it_prints_as_it_parses() {
        let text = "[search]\nscore = \"sharpe\"\n[style.swing.space]\natr_tp_multiplier = [2.0, 4.0]\n\
                    [[style.swing.filters]]\nkey = \"min_volume\"\ncolumn = \"volume_ratio\"\nat_least = [1.0, 2.0]\n";
        let config = config(text).expect("sound");
        assert_eq!(self::config(&config.to_toml()).expect("sound"), config);
        let plan = config.plan(&[Style::Swing], DayLimits::default()).expect("sound");
        assert_eq!(plan.styles[0].space.sets(), 2 * 3 * 3 * 5_184 * 2);
    }

    #[test]
    fn given_signals_are_filtered_on_what_is_named_only() {
        let text = "[signals]\nfile = \"signals.csv\"\n[style.scalping.space]\nmin_consensus = [0, 2]\n\
                    [[style.scalping.filters]]\ncolumn = \"signals.my_score\"\nat_least = { min = 0.2, max = 0.8, step = 0.2 }\n\
                    [[style.scalping.filters]]\nkey = \"max_spread\"\ncolumn = \"signals.Spread (bps)\"\nat_most = [5, 10]\n";
        let config = config(text).expect("sound");
        assert_eq!(self::config(&config.to_toml()).expect("sound"), config);
        let plan = config.plan(&Style::ALL, DayLimits::default()).expect("sound");
        let keys = |style: usize| {
            plan.styles[style]
                .space
                .dimensions()
                .iter()
                .map(|d| (d.key(), d.levels().len()))
                .collect::<Vec<_>>()
        };
        assert_eq!(keys(0), [("min_consensus", 2), ("my_score", 4), ("max_spread", 2)]);
        assert_eq!(keys(1), []);
        assert_eq!(plan.styles[1].space.sets(), 27);
        let spread = plan.styles[0].space.dimensions()[2].source();
        assert_eq!((spread.name(), spread.signals_column()), ("signals.Spread (bps)", Some("Spread (bps)")));
    }

    #[test]
    fn axes_take_lists_numbers_ranges_and_names() {
        let text = "[style.scalping.space]\nmax_holding_hours = { min = 1, max = 3, step = 0.5 }\n\
                    min_consensus = 1\nallowed_mkt_struct = [\"trend_only\"]\n";
        let plan =
            config(text).and_then(|c| c.plan(&[Style::Scalping], DayLimits::default())).expect("sound");
        assert_eq!(plan.styles[0].space.sets(), 5 * 9 * 5_184 / 3 / 2);
    }

    #[test]
    fn exit_mechanisms_are_axes_that_may_be_off() {
        let text = "[style.scalping.space]\ntrailing_stop_distance = [\"off\", 1, 2]\n\
                    trailing_stop_activation = [0.5, 1.0]\ntp1_atr_multiplier = [\"off\", 0.5]\n\
                    breakeven_atr = [\"off\", \"tp1\"]\nvolume_surge_exit = \"off\"\nhard_stop_pct = 3\n";
        let config = config(text).expect("sound");
        assert_eq!(self::config(&config.to_toml()).expect("sound"), config);
        let plan = config.plan(&[Style::Scalping], DayLimits::default()).expect("sound");
        // Trailing off or 2 x 2; no first target, one, or one with break-even.
        assert_eq!(plan.styles[0].space.rules().len(), 27 * 5 * 3);
        assert!(plan.styles[0].space.rules().iter().all(|rule| rule.hard_stop_pct == Some(3.0)));
    }

    #[test]
    fn a_portfolio_has_the_limits_that_are_not_zero() {
        let limits = |text: &str| {
            let plan = config(text).and_then(|c| c.plan(&[Style::Swing], DayLimits::default()));
            plan.expect("sound").portfolio
        };
        assert_eq!(limits(""), PortfolioLimits::default());
        assert_eq!(limits("[portfolio]\npositions_per_symbol = 0"), PortfolioLimits::NONE);
        let text = "[portfolio]\nmax_positions = 4\ncooldown_losses = 3\ncooldown = \"90m\"\n\
                    max_daily_loss_pct = 2.0\n[search]\nposition_ratio = 0.5";
        let cooldown = Some(Cooldown { losses: 3, pause_ms: 90 * MINUTE_MS });
        let expected =
            PortfolioLimits { per_symbol: Some(1), positions: Some(4), cooldown, day_loss_ppm: Some(40_000) };
        assert_eq!(limits(text), expected);
    }

    #[test]
    fn a_later_text_wins_key_by_key() {
        let texts = [
            ("a", "[costs]\ntaker_fee_pct = 0.1\nmaker_fee_pct = 0.1"),
            ("b", "[costs]\nmaker_fee_pct = 0.0"),
        ];
        let config = Config::from_texts(&texts.map(|(a, b)| (a.to_owned(), b.to_owned()))).expect("sound");
        assert_eq!((config.costs.taker_fee_pct, config.costs.maker_fee_pct), (0.1, 0.0));
        let paid =
            [("c".to_owned(), "[costs]\nmaker_fee_pct = -0.01\nfunding_pct_per_8h = -0.01".to_owned())];
        let costs = Config::from_texts(&paid).and_then(|config| config.costs()).expect("income is allowed");
        assert_eq!((costs.maker_fee, costs.funding_per_8h), (-0.0001, -0.0001));
    }

    #[test]
    fn mistakes_are_named_with_what_to_do() {
        let cases = [
            ("[cost]\n", "did you mean `costs`?"),
            ("[search]\nscroe = \"sharpe\"", "did you mean `score`?"),
            ("top = 5", "did you mean `search.top`?"),
            ("[limits]\npriority = \"norml\"", "did you mean `normal`?"),
            ("[notify]\nwhen = [\"changes\"]", "did you mean `change`?"),
            ("[style.swing]\nrank = 5", "did you mean `search.rank`?"),
            ("[search]\nscore = \"best\"", "balanced, legacy"),
            ("[search]\nweights = \"learnt\"", "search.weights: expected default, learned, found learnt"),
            (
                "[search]\nweights = \"learned\"\n[style.swing.space]\ndynamic_atr_strength = [\"off\", 0.5]",
                "style swing: expected search.weights = \"default\" where exit rules scale with the score",
            ),
            (
                "[search]\nweights = \"learned\"\n[signals]\nfile = \"signals.csv\"",
                "expected search.weights = \"default\" where no filter reads the signal score, found \"learned\"",
            ),
            ("[search]\nrank = \"hill\"", "plateau, peak"),
            ("[search]\nconstraints = [\"drawdown<3\"]", "max_drawdown_pct"),
            ("[costs]\ntaker_fee_pct = 50.0", "0 to 10 percent"),
            ("[costs]\ntaker_fee_pct = -0.01", "0 to 10 percent"),
            ("[costs]\nmaker_fee_pct = -1.01", "-1 to 10 percent"),
            ("[costs]\nfunding_pct_per_8h = -5.01", "-5 to 10 percent"),
            ("[validate]\nearly_share = 1.0", "validate.early_share"),
            ("[data]\nbase_interval = \"15\"", "data.base_interval: expected 1m, 3m, 5m, 15m, 30m, 1h,"),
            (
                "[data]\nbase_interval = \"1w\"",
                "no candle is longer than a day, the unit of a run), found 1w",
            ),
            ("[data]\nbase_interval = \"45m\"", "8h, 12h or 1d (finer candles are put together to it"),
            (
                "[data]\nbase_interval = \"4h\"\n[style.swing.space]\nmax_holding_hours = [8, 10]",
                "style.swing.space.max_holding_hours: expected whole candles of data.base_interval, 4h: 8 or 12 hours, found 10",
            ),
            (
                "[data]\nbase_interval = \"1d\"\n[style.scalping.space]\nmax_holding_hours = 12",
                "whole candles of data.base_interval, 1d: 24 hours, found 12",
            ),
            (
                "[data]\nbase_interval = \"30m\"\n[[style.swing.filters]]\ncolumn = \"trend_1h\"\nat_least = 0",
                "style.swing.filters.trend_1h: expected a timeframe of data.base_interval, 30m: \
                 trend_30m, trend_2h, trend_8h, found trend_1h",
            ),
            ("[style.scalping.space]\nmax_holding_hours = 0.1", "15m: 0.25 hours, found 0.1"),
            ("[style.swing.space]\nmin_risk_rewrad = [1.0]", "did you mean \"min_risk_reward\"?"),
            ("[style.swing.space]\natr_tp_multiplier = []", "atr_tp_multiplier"),
            ("[style.swing.space]\natr_tp_multiplier = { min = 1, max = 9, step = 0 }", "positive step"),
            ("[style.swing.space]\nallowed_mkt_struct = [\"trend\"]", "trend_only"),
            (
                "[[style.swing.filters]]\nkey = \"x\"\ncolumn = \"volume\"\nat_least = 1",
                "expected a feature column",
            ),
            ("[[style.swing.filters]]\nkey = \"x\"\ncolumn = \"volume_ratio\"", "either at_least or at_most"),
            ("[validate]\nregime_symbol = \"\"", "validate.regime_symbol"),
            ("[portfolio]\ncooldown = \"4\"", "portfolio.cooldown: expected a time such as 90m, 4h or 1d"),
            ("[portfolio]\ncooldown = \"0h\"", "portfolio.cooldown"),
            ("[portfolio]\nmax_daily_loss_pct = -1.0", "0 to 100 percent of the account"),
            ("[portfolio]\nmax_postions = 3", "did you mean `max_positions`?"),
            ("[limits]\npriority = \"high\"", "expected one of `idle`, `low`, `normal`"),
            ("[data\n", "test.toml"),
            ("[signals]\nfiel = \"x\"", "did you mean `file`?"),
            (
                "[[style.swing.filters]]\ncolumn = \"signals.x\"\nat_least = 1",
                "style.swing.filters.x: expected a file with the column \"x\": [signals] file, or --signals, found none",
            ),
            (
                "[signals]\nfile = \"x\"\n[[style.swing.filters]]\ncolumn = \"signals.My Score\"\nat_least = 1",
                "style.swing.filters.key: expected a name such as min_volume_ratio, found \"My Score\"",
            ),
            ("[[style.swing.filters]]\nkey = \"x\"\ncolumn = \"signals.\"\nat_least = 1", "or signals.NAME"),
            (
                "[style.swing.space]\ntrailing_stop_distnace = [1.0]",
                "did you mean \"trailing_stop_distance\"?",
            ),
            (
                "[style.swing.space]\ntrailing_stop_distance = [\"on\", 1.0]",
                "numbers or \"off\", found \"on\"",
            ),
            (
                "[style.swing.space]\nmax_holding_hours = \"off\"",
                "positive numbers within reason, found [off]",
            ),
            ("[style.swing.space]\nhard_stop_pct = [\"off\", -2]", "hard_stop_pct"),
            ("[style.swing.space]\nmin_consensus = [\"off\", 2]", "expected numbers"),
        ];
        for (text, wanted) in cases {
            let error = config(text)
                .and_then(|c| c.plan(&Style::ALL, DayLimits::default()))
                .expect_err("a mistake")
                .to_string();
            assert!(error.contains(wanted), "{text:?} gives {error:?}, without {wanted:?}");
        }
    }
}
