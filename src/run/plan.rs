//! The plan of a run: everything besides the candles that its answer depends on, resolved from configuration.

use super::own::OwnSettings;
use crate::decide::Require;
use crate::evaluate::portfolio::Limits;
use crate::evaluate::score::Score;
use crate::exits::{Costs, ExitPlan, PlanError};
use crate::fingerprint::{Canonical, Fingerprint};
use crate::model::{Day, Interval, Style, Symbol};
use crate::search::rank::Constraint;
use crate::search::space::{Bound, Space, SpaceError};
use crate::signals::opportunities::OpportunityRule;

/// Version of the computation: raise it whenever a stage gives other results for the same input.
pub const STAGES_VERSION: u64 = 1;

/// Stands for the market unless another symbol is asked for.
pub const REGIME_SYMBOL: &str = "BTCUSDT";

/// What one style searches.
#[derive(Debug, Clone, PartialEq)]
pub struct StylePlan {
    /// Exit rules and filter dimensions.
    pub space: Space,
    /// The space's exit rules, resolved for the base interval.
    pub exits: ExitPlan,
    /// What capture is measured against.
    pub opportunity: OpportunityRule,
}

impl StylePlan {
    /// Returns the whole days that the longest label reaches beyond its entry day.
    pub fn horizon_days(&self, interval: Interval) -> i32 {
        let reach_ms = self.exits.hold_bars_max() as i64 * interval.ms();
        reach_ms.div_euclid(crate::model::DAY_MS) as i32 + i32::from(reach_ms % crate::model::DAY_MS != 0)
    }
}

/// Settings of search, validation and decision.
#[derive(Debug, Clone, PartialEq)]
pub struct SearchSettings {
    /// What is maximised.
    pub score: Score,
    /// Conditions on the result.
    pub constraints: Vec<Constraint>,
    /// Fewest early trades of a ranked parameter set.
    pub trades_min: u32,
    /// Fewest late trades of a judgement.
    pub late_trades_min: u32,
    /// Share of the account per trade, for the account drawdown of the balanced score.
    pub position_ratio: f64,
    /// Trials kept per style.
    pub top: usize,
    /// Share of the days that selection sees.
    pub early_share: f64,
    /// Least improvement of the late score that is worth a change.
    pub min_improvement: f64,
    /// Trials made elsewhere that the optimizer cannot see.
    pub declared_trials: u64,
    /// Whether the tests against luck are left out.
    pub quick: bool,
    /// What a change needs.
    pub require: Require,
    /// How symbols get parameters of their own; `None` when they do not.
    pub own: Option<OwnSettings>,
}

impl Default for SearchSettings {
    fn default() -> Self {
        Self {
            score: Score::default(),
            constraints: Vec::new(),
            trades_min: 50,
            late_trades_min: 20,
            position_ratio: 0.2,
            top: 20,
            early_share: 0.7,
            min_improvement: 0.0,
            declared_trials: 0,
            quick: false,
            require: Require::default(),
            own: Some(OwnSettings { trades_min: 30, prior_trades: 100 }),
        }
    }
}

/// Which days count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DayLimits {
    /// First entry day.
    pub first: Option<Day>,
    /// Candles from this day on are not looked at, as if the run had happened then.
    pub end: Option<Day>,
    /// Length of the window before the last day with candles.
    pub window_days: Option<i32>,
}

/// Everything that determines a run's answer, besides the candles and the parameters in force.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Base interval.
    pub interval: Interval,
    /// Styles, in order.
    pub styles: Vec<StylePlan>,
    /// Costs of trading.
    pub costs: Costs,
    /// Search, validation, decision.
    pub search: SearchSettings,
    /// Days.
    pub days: DayLimits,
    /// Only these symbols, if given.
    pub symbols: Option<Vec<Symbol>>,
    /// What a bot may hold at once, for the results as it would trade.
    pub portfolio: Limits,
    /// The symbol whose trend and volatility tell kinds of market apart; without it the first one's do.
    pub regime_symbol: Symbol,
}

/// A plan that cannot be carried out.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the sources say it")]
pub enum PlanningError {
    #[error("style {style}: {source}")]
    Space { style: Style, source: SpaceError },
    #[error("style {style}: {source}")]
    Exits { style: Style, source: PlanError },
}

impl Plan {
    /// Resolves the spaces of a run; see [`Plan`].
    pub fn new(
        interval: Interval,
        spaces: Vec<Space>,
        costs: Costs,
        search: SearchSettings,
        days: DayLimits,
    ) -> Result<Self, PlanningError> {
        let resolve = |space: Space| {
            let style = space.style();
            let exits = ExitPlan::new(space.rules().to_vec(), interval)
                .map_err(|source| PlanningError::Exits { style, source })?;
            let opportunity =
                OpportunityRule { stop_atr: 1.0, reward_min: 2.0, horizon_bars: exits.hold_bars_max() };
            Ok(StylePlan { space, exits, opportunity })
        };
        let styles = spaces.into_iter().map(resolve).collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            interval,
            styles,
            costs,
            search,
            days,
            symbols: None,
            portfolio: Limits::default(),
            regime_symbol: Symbol::parse(REGIME_SYMBOL).expect("a symbol"),
        })
    }

    /// Returns the fingerprint of everything in the plan.
    pub fn fingerprint(&self) -> Fingerprint {
        let mut hash = Canonical::new("retune plan v1").count(STAGES_VERSION).signed(self.interval.ms());
        for style in &self.styles {
            hash = hash.nested(space_fingerprint(&style.space));
            let rule = &style.opportunity;
            hash = hash.floats(&[rule.stop_atr, rule.reward_min]).count(rule.horizon_bars as u64);
        }
        let costs = &self.costs;
        hash = hash.floats(&[
            costs.taker_fee,
            costs.maker_fee,
            costs.slippage_major,
            costs.slippage_other,
            costs.stop_slippage_factor,
            costs.funding_per_8h,
        ]);
        hash = costs.majors.iter().fold(hash.count(costs.majors.len() as u64), |h, s| h.text(s.as_str()));
        let search = &self.search;
        hash = hash.text(search.score.as_str()).count(search.constraints.len() as u64);
        for constraint in &search.constraints {
            hash =
                hash.count(constraint.metric as u64).count(constraint.below.into()).float(constraint.limit);
        }
        hash = hash.count(search.trades_min.into()).count(search.late_trades_min.into());
        hash = hash.floats(&[search.position_ratio, search.early_share]).count(search.top as u64);
        hash = hash
            .float(search.min_improvement)
            .count(search.declared_trials)
            .count(search.require as u64)
            .count(search.quick.into());
        let own = search.own.map_or((0, 0), |own| (own.trades_min, own.prior_trades));
        hash = hash.count(own.0.into()).count(own.1.into());
        let limits = &self.portfolio;
        let pause = limits.cooldown.map_or((0, 0), |cooldown| (cooldown.losses, cooldown.pause_ms));
        for limit in [limits.per_symbol, limits.positions] {
            hash = hash.signed(limit.map_or(-1, i64::from));
        }
        hash = hash.text(self.regime_symbol.as_str());
        hash = hash.count(pause.0.into()).signed(pause.1).signed(limits.day_loss_ppm.unwrap_or(-1));
        let day = |day: Option<Day>| day.map_or(i64::MIN, |d| d.0.into());
        hash.signed(day(self.days.first))
            .signed(day(self.days.end))
            .signed(self.days.window_days.map_or(i64::MIN, i64::from))
            .finish()
    }
}

/// Returns the fingerprint of a grid: what counts as one trial more when it is new.
pub fn space_fingerprint(space: &Space) -> Fingerprint {
    let mut hash = Canonical::new("retune space v1").text(space.style().as_str());
    hash = hash.count(space.rules().len() as u64);
    for rule in space.rules() {
        hash = hash.floats(&rule.numbers());
    }
    hash = hash.count(space.dimensions().len() as u64);
    for dimension in space.dimensions() {
        let bound = match dimension.bound() {
            Bound::AtLeast => 0,
            Bound::AtMost => 1,
        };
        hash = hash.text(dimension.key()).text(dimension.column().name).count(bound);
        hash = hash.count(dimension.levels().len() as u64);
        for level in dimension.levels() {
            hash = hash.float(level.threshold).text(&crate::search::rank::show(&level.shown));
        }
    }
    hash.finish()
}
