//! Configuration: TOML texts over defaults, resolved to a plan. Files are read by the caller.
//!
//! Every section has its file with its keys, defaults and checks. `keys` is the table of all keys, taken from the types of
//! the sections; `layers` holds texts to it and notes where each value comes from.

pub mod axes;
mod channels;
pub mod costs;
pub mod daily;
pub mod data;
pub mod decide;
mod error;
#[cfg(any(test, fuzzing))]
#[path = "../../tests/fuzz/config.rs"]
pub(crate) mod fuzz;
mod keys;
mod layers;
pub mod limits;
pub mod network;
mod origin;
mod place;
pub mod portfolio;
pub mod quantity;
mod reference;
mod renamed;
pub mod search;
pub mod serve;
pub mod signals;
pub mod styles;
pub mod symbols;
pub mod validate;

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::costs::CostsConfig;
use self::daily::DailyConfig;
use self::data::DataConfig;
use self::decide::{DecideConfig, StaleData};
use self::layers::Merged;
use self::limits::{LimitsConfig, MemoryConfig, StoreConfig};
use self::network::{FetchConfig, Limits, NotifyConfig};
use self::origin::Provenance;
use self::portfolio::PortfolioConfig;
use self::search::SearchConfig;
use self::serve::ServeConfig;
use self::signals::SignalsConfig;
use self::styles::StylesConfig;
use self::symbols::SymbolsConfig;
use self::validate::ValidateConfig;
use crate::engine::plan::{AgeLimit, DayLimits, Plan, SearchSettings};
use crate::ingest::{ReadingOptions, Selection};
use crate::model::{Day, Interval, Style, Symbol};

pub use self::data::{BadRowsPolicy, ConflictPolicy, EmptyPolicy};
pub use self::error::ConfigError;
pub(crate) use self::error::value_error;
pub use self::keys::key_of_underscored;
pub use self::layers::Layer;
pub use self::limits::{MemoryAlarms, Priority};
pub use self::origin::Origin;
pub use self::place::{Line, Place};
pub use self::reference::reference_page;
pub(crate) use self::renamed::rename_keys;

/// The whole configuration; every key has a default.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Default)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Which candles are read, and how.
    pub data: DataConfig,
    /// Entries of your own instead of those derived from candles.
    pub signals: SignalsConfig,
    /// Parameters of symbols' own.
    pub symbols: SymbolsConfig,
    /// What a trade costs.
    pub costs: CostsConfig,
    /// What the best parameter set is, and how it is looked for.
    pub search: SearchConfig,
    /// How the best is held to the days after those it was chosen on.
    pub validate: ValidateConfig,
    /// What a change of parameters needs.
    pub decide: DecideConfig,
    /// How a bot trades the best sets.
    pub portfolio: PortfolioConfig,
    /// The spaces that are searched.
    pub style: StylesConfig,
    /// What a run may take of the machine.
    pub limits: LimitsConfig,
    /// What is kept of what was learned.
    pub store: StoreConfig,
    /// How patient `optimizer fetch` is.
    pub fetch: FetchConfig,
    /// What `optimizer daily` does besides the run.
    pub daily: DailyConfig,
    /// What is told at the end of a run, and how.
    pub notify: NotifyConfig,
    /// Alarms about memory.
    pub memory: MemoryConfig,
    /// The page for the morning, and when a run is late.
    pub serve: ServeConfig,
    #[serde(skip)]
    provenance: Provenance,
}

impl Config {
    /// Merges TOML texts in order over the defaults; each comes with the name that errors give it.
    ///
    /// Errors: as [`Config::from_layers`]
    pub fn from_texts(texts: &[(String, String)]) -> Result<Self, ConfigError> {
        let layers: Vec<Layer> = texts.iter().map(|(source, text)| Layer::text(source, text)).collect();
        Self::from_layers(&layers)
    }

    /// Lays texts over the defaults, the later over the earlier.
    ///
    /// Errors: text that is not TOML, an unknown key (naming the nearest known one), a value of the wrong type
    pub fn from_layers(layers: &[Layer]) -> Result<Self, ConfigError> {
        let mut merged = Merged::default();
        for layer in layers {
            merged.lay(layer)?;
        }
        let config: Result<Self, toml::de::Error> = merged.table.try_into();
        // Every value was held to the table of keys, which is made of these types.
        let mut config = config.expect("what fits the table of keys fits the types it is made of");
        config.provenance = merged.provenance;
        Ok(config)
    }

    /// Returns the effective configuration as TOML.
    pub fn to_toml(&self) -> String {
        toml::to_string(self).unwrap_or_else(|error| format!("# not representable: {error}\n"))
    }

    /// Returns where the value of a dotted key comes from.
    pub fn origin(&self, key: &str) -> Origin {
        self.provenance.of(key)
    }

    /// Returns what is to be said of how values were named, a line each: keys by names of before.
    pub fn warnings(&self) -> &[String] {
        &self.provenance.warnings
    }

    pub(crate) fn traced<T>(&self, result: Result<T, ConfigError>) -> Result<T, ConfigError> {
        result.map_err(|error| error.traced(&self.provenance))
    }

    /// Returns the base interval.
    ///
    /// Errors: it is no interval, or none that a run can be made of
    pub fn interval(&self) -> Result<Interval, ConfigError> {
        self.traced(self.data.interval())
    }

    /// Returns what is said of candle files that they do not say themselves.
    pub fn reading(&self) -> Result<ReadingOptions, ConfigError> {
        self.traced(self.resolved_reading())
    }

    /// Returns the bytes of evaluated units that are kept for later runs.
    pub fn cache_bytes(&self) -> Result<u64, ConfigError> {
        self.traced(self.limits.cache_bytes())
    }

    /// Returns the most memory to use, in bytes.
    pub fn memory_bytes(&self) -> Result<Option<u64>, ConfigError> {
        self.traced(self.limits.memory_bytes())
    }

    /// Returns the alarms about memory.
    pub fn memory_alarms(&self) -> Result<MemoryAlarms, ConfigError> {
        self.traced(self.memory.alarms())
    }

    /// Returns how often a run is expected.
    pub fn expect_every(&self) -> Result<Duration, ConfigError> {
        self.traced(self.serve.expect_every())
    }

    /// Returns the names by which a browser may ask for pages, in lower case.
    pub fn serve_hosts(&self) -> Result<Vec<String>, ConfigError> {
        self.traced(self.serve.hosts())
    }

    /// Returns the symbols to restrict the run to.
    pub fn symbols(&self) -> Result<Option<Vec<Symbol>>, ConfigError> {
        self.traced(self.data.symbols())
    }

    /// Returns which of the files found are read.
    pub fn selection(&self) -> Result<Selection, ConfigError> {
        self.traced(self.data.selection())
    }

    /// Returns how patient to be with exchanges.
    pub fn fetch_limits(&self) -> Result<Limits, ConfigError> {
        self.traced(self.fetch.limits())
    }

    /// Returns how long sending one message may take.
    pub fn notify_timeout(&self) -> Result<Duration, ConfigError> {
        self.traced(self.notify.patience())
    }

    /// Returns the first day that `optimizer daily` fetches; `None` where it fetches nothing.
    pub fn daily_since(&self) -> Result<Option<Day>, ConfigError> {
        self.traced(self.daily.first_day())
    }

    /// Returns how old candles may be.
    ///
    /// Errors: no time, or none that a clock tells
    pub fn age(&self) -> Result<AgeLimit, ConfigError> {
        let stale_after_ms = self.traced(self.data.stale_after_ms())?;
        Ok(AgeLimit { stale_after_ms, hold: self.decide.stale_data == StaleData::Hold })
    }

    /// Returns how many runs of every profile are kept whole.
    pub fn full_runs(&self) -> Result<u64, ConfigError> {
        self.traced(self.store.full_runs())
    }

    /// Resolves the configuration for some styles and days.
    pub fn plan(&self, styles: &[Style], days: DayLimits) -> Result<Plan, ConfigError> {
        self.traced(self.resolved(styles, days))
    }

    /// Resolves everything that any command takes from it but the channels of messages, and returns the plan of both styles.
    pub fn check(&self) -> Result<Plan, ConfigError> {
        self.cache_bytes()?;
        self.memory_bytes()?;
        self.memory_alarms()?;
        self.full_runs()?;
        self.fetch_limits()?;
        self.notify_timeout()?;
        self.expect_every()?;
        self.serve_hosts()?;
        self.daily_since()?;
        self.plan(&Style::ALL, DayLimits::default())
    }

    fn resolved(&self, styles: &[Style], mut days: DayLimits) -> Result<Plan, ConfigError> {
        if days.window_days.is_none() {
            days.window_days = self.data.window_days()?;
        }
        let base = self.data.interval()?;
        let axes = |style: &Style| self.style.axes(*style, base, self.signals.file.is_some());
        let axes = styles.iter().map(axes).collect::<Result<Vec<_>, _>>()?;
        self.costs.check_fills(&axes)?;
        let mut plan = Plan::new(base, axes, self.costs.costs()?, self.search_settings()?, days)?;
        plan.symbols = self.data.symbols()?;
        plan.age = self.age()?;
        plan.reading = self.resolved_reading()?;
        plan.selection = self.data.selection()?;
        let sides = self.portfolio.sides.on(plan.selection.market);
        plan.styles.iter_mut().for_each(|style| style.sides = sides);
        plan.portfolio = self.portfolio.limits(plan.search.position_ratio)?;
        plan.regime_symbol = self.validate.regime_symbol()?;
        Ok(plan)
    }

    fn resolved_reading(&self) -> Result<ReadingOptions, ConfigError> {
        Ok(ReadingOptions { signals_timeframe: self.signals.timeframe()?, ..self.data.reading()? })
    }

    fn search_settings(&self) -> Result<SearchSettings, ConfigError> {
        let Self { search, validate, decide, symbols, .. } = self;
        Ok(SearchSettings {
            score: search.score,
            rank: search.rank,
            constraints: search.constraints()?,
            top: search.top()?,
            own: symbols.settings()?,
            min_improvement: decide.min_improvement()?,
            require: decide.require,
            decayed: decide.decayed,
            max_step: Some(decide.max_step).filter(|step| *step > 0),
            declared_trials: decide.declared_trials,
            stages: search.stages()?,
            weights: search.weights,
            trades_min: search.min_trades.max(1),
            late_trades_min: validate.min_out_of_sample_trades.max(1),
            position_ratio: search.position_ratio()?,
            early_share: validate.in_sample_share()?,
            quick: validate.quick,
        })
    }
}

#[cfg(test)]
mod tests;
