//! The plan of a run: everything besides the candles that its answer depends on, resolved from configuration.

use crate::decide::{Fallback, Require};
use crate::evaluate::portfolio::{Cooldown, PortfolioLimits};
use crate::evaluate::score::Score;
use crate::exits::{Costs, ExitPlan, PlanError};
use crate::features::score::ScoreWeights;
use crate::fingerprint::{Canonical, Fingerprint};
use crate::ingest::{ReadingOptions, Selection};
use crate::model::{DAY_MS, Day, ExitRule, Interval, ParameterSet, Sides, Style, Symbol};
use crate::search::rank::{Constraint, RankBy};
use crate::search::space::{Bound, Dimension, ExitAxes, SearchSpace, SpaceError, number_levels};
use crate::search::strategy::{Search, SpaceAxes, Strategy};
use crate::search::weights::Weighting;
use crate::signals::opportunities::OpportunityRule;
use crate::validate::assessment::TRADES_MIN;

/// Version of the computation: raise it whenever a stage gives other results for the same input.
pub const STAGES_VERSION: u64 = 3;

/// A symbol without candles for so long while others have some has stopped, if no label reaches further.
const STOPPED_AFTER_MS: i64 = 7 * DAY_MS;

/// Stands for the market unless another symbol is asked for.
pub const REGIME_SYMBOL: &str = "BTCUSDT";

/// What one style searches.
#[derive(Debug, Clone, PartialEq)]
pub struct StylePlan {
    /// Exit rules and filter dimensions that are enumerated.
    pub space: SearchSpace,
    /// The axes as they were asked for.
    pub axes: SpaceAxes,
    /// Whether `space` is only a part of theirs, which is beyond the budget.
    pub is_part: bool,
    /// The space's exit rules, resolved for the base interval.
    pub exits: ExitPlan,
    /// What capture is measured against.
    pub opportunity: OpportunityRule,
    /// The sides that are traded; what was evaluated of the others waits in its unit.
    pub sides: Sides,
}

impl StylePlan {
    fn new(
        axes: SpaceAxes,
        space: SearchSpace,
        is_part: bool,
        interval: Interval,
        weighting: Weighting,
    ) -> Result<Self, PlanningError> {
        let style = axes.style();
        let space = match weighting {
            Weighting::Default => space,
            Weighting::Learned => learning_space(&axes, space)?,
        };
        let exits = ExitPlan::new(space.rules().to_vec(), interval)
            // The same horizon in every stage: the same days are complete, and their units serve them all.
            .and_then(|exits| exits.reaching(axes.hold_hours_max(), interval))
            .map_err(|source| PlanningError::Exits { style, source })?;
        let opportunity =
            OpportunityRule { stop_atr: 1.0, reward_min: 2.0, horizon_bars: exits.hold_bars_max() };
        Ok(Self { space, axes, is_part, exits, opportunity, sides: Sides::Both })
    }

    /// Returns the number of parameter sets asked for, and how many parts like the enumerated one they make: whatever part
    /// was chosen, by whatever was seen, it is one of so many.
    pub fn asked(&self) -> (u128, u64) {
        let (asked, searched) = (self.axes.sets(), self.space.sets().max(1) as u128);
        match self.is_part {
            true => (asked, u64::try_from(asked.div_ceil(searched)).unwrap_or(u64::MAX)),
            false => (searched, 1),
        }
    }

    /// Returns the plan with the signal score under some weights.
    pub fn weighed(&self, weights: ScoreWeights) -> Self {
        Self { space: self.space.clone().weighed(weights), ..self.clone() }
    }

    /// Returns the fingerprint of the grid: what counts as one trial more when it is new. A grid whose score weights are
    /// learned is one, whatever they are.
    pub fn grid_fingerprint(&self, search: &Search) -> Fingerprint {
        let Self {
            space,
            axes,
            is_part,
            // What follows from the space, and what no grid enumerates.
            exits: _,
            opportunity: _,
            sides: _,
        } = self;
        let grid = if *is_part { axes.fingerprint(search) } else { space.fingerprint() };
        match space.weights() {
            None => grid,
            Some(_) => Canonical::new("retune learned weights v1").nested(grid).count(search.seed).finish(),
        }
    }

    /// Adds the style to the fingerprint of a plan.
    fn hashed(&self, hash: Canonical, search: &Search) -> Canonical {
        let Self {
            opportunity,
            sides,
            // What is enumerated, or what a part of it is taken from; exits are the rules of the space on the plan's interval.
            space: _,
            axes: _,
            is_part: _,
            exits: _,
        } = self;
        let OpportunityRule { stop_atr, reward_min, horizon_bars } = opportunity;
        let hash = hash
            .nested(self.grid_fingerprint(search))
            .floats(&[*stop_atr, *reward_min])
            .count(*horizon_bars as u64);
        // Both sides have the prints of before there was a choice.
        match sides {
            Sides::Both => hash,
            only => hash.text("sides").text(only.as_str()),
        }
    }

    /// Returns the whole days that the longest label reaches beyond its entry day.
    pub fn horizon_days(&self, interval: Interval) -> i32 {
        let reach_ms = self.exits.hold_bars_max() as i64 * interval.ms();
        reach_ms.div_euclid(crate::model::DAY_MS) as i32 + i32::from(reach_ms % crate::model::DAY_MS != 0)
    }
}

/// Settings of the search for own parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OwnSettings {
    /// Fewest in-sample trades of a set on the symbol.
    pub trades_min: u32,
    /// Trades that the score on all symbols counts for.
    pub prior_trades: u32,
}

/// Candles of the base interval that the limit spans at least.
const AGE_CANDLES_MIN: i64 = 2;

/// What counts as old, and what becomes of a run on old candles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AgeLimit {
    /// Age from which candles are stale; ms.
    pub stale_after_ms: i64,
    /// Whether a run whose candles are all stale adopts nothing.
    pub hold: bool,
}

impl Default for AgeLimit {
    fn default() -> Self {
        Self { stale_after_ms: 2 * DAY_MS, hold: false }
    }
}

impl AgeLimit {
    /// Returns the age from which candles of an interval are stale; ms.
    pub fn stale_after_ms(self, interval_ms: i64) -> i64 {
        self.stale_after_ms.max(AGE_CANDLES_MIN * interval_ms)
    }
}

/// Settings of search, validation and decision.
#[derive(Debug, Clone, PartialEq)]
pub struct SearchSettings {
    /// What is maximised.
    pub score: Score,
    /// What makes a parameter set the best by it.
    pub rank: RankBy,
    /// Conditions on the result.
    pub constraints: Vec<Constraint>,
    /// Fewest in-sample trades of a ranked parameter set.
    pub trades_min: u32,
    /// Fewest out-of-sample trades of a judgement.
    pub late_trades_min: u32,
    /// Share of the account per trade, for the account drawdown of the balanced score.
    pub position_ratio: f64,
    /// Trials kept per style.
    pub top: usize,
    /// Share of the days that selection sees.
    pub early_share: f64,
    /// Least improvement of the out-of-sample score that is worth a change.
    pub min_improvement: f64,
    /// Most steps of an axis that one run moves a parameter; `None` for as many as it likes.
    pub max_step: Option<usize>,
    /// Trials made elsewhere that the optimizer cannot see.
    pub declared_trials: u64,
    /// Whether the tests against luck are left out.
    pub quick: bool,
    /// What a change needs.
    pub require: Require,
    /// What becomes of active parameters that decay.
    pub decayed: Fallback,
    /// How spaces beyond a budget are searched.
    pub stages: Search,
    /// Where the weights of the signal score come from.
    pub weights: Weighting,
    /// How symbols get parameters of their own; `None` when they do not.
    pub own: Option<OwnSettings>,
}

impl Default for SearchSettings {
    fn default() -> Self {
        Self {
            score: Score::default(),
            rank: RankBy::default(),
            constraints: Vec::new(),
            trades_min: 50,
            late_trades_min: 20,
            position_ratio: 0.2,
            top: 20,
            early_share: 0.7,
            min_improvement: 0.0,
            max_step: None,
            declared_trials: 0,
            quick: false,
            require: Require::default(),
            decayed: Fallback::default(),
            stages: Search::default(),
            weights: Weighting::default(),
            own: Some(OwnSettings { trades_min: 30, prior_trades: 100 }),
        }
    }
}

impl SearchSettings {
    /// Returns the fewest trades of a set that is ranked: no set is chosen of which too little would be known to adopt it.
    pub fn ranked_trades_min(&self) -> u32 {
        match self.chooses_on_all_days() {
            true => self.trades_min.max(u32::try_from(TRADES_MIN).unwrap_or(u32::MAX)),
            false => self.trades_min,
        }
    }

    /// Returns whether all days choose; where a decision rests on the out-of-sample part, those before it do.
    pub fn chooses_on_all_days(&self) -> bool {
        self.require != Require::Stable
    }

    /// Adds the settings to the fingerprint of a plan.
    fn hashed(&self, mut hash: Canonical) -> Canonical {
        let Self {
            score,
            rank,
            constraints,
            trades_min,
            late_trades_min,
            position_ratio,
            top,
            early_share,
            min_improvement,
            max_step,
            declared_trials,
            quick,
            require,
            decayed,
            // Both are in the fingerprint of each style's grid.
            stages: _,
            weights: _,
            own,
        } = self;
        hash = hash.text(score.as_str()).text(rank.as_str()).count(constraints.len() as u64);
        for Constraint { metric, below, limit } in constraints {
            hash = hash.count(*metric as u64).count((*below).into()).float(*limit);
        }
        let own = own.map_or((0, 0), |OwnSettings { trades_min, prior_trades }| (trades_min, prior_trades));
        // As plans without it were hashed.
        if *decayed != Fallback::Keep {
            hash = hash.text("decayed").count(*decayed as u64);
        }
        hash.count((*trades_min).into())
            .count((*late_trades_min).into())
            .floats(&[*position_ratio, *early_share])
            .count(*top as u64)
            .float(*min_improvement)
            .count(*declared_trials)
            .count(max_step.map_or(0, |step| step as u64))
            .count(*require as u64)
            .count((*quick).into())
            .count(own.0.into())
            .count(own.1.into())
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

/// Everything that determines a run's answer, besides the candles and the active parameters.
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
    /// What is known of the candle files; it changes nothing but the candles.
    pub reading: ReadingOptions,
    /// Which of the files found are read; what they hold is in the fingerprints of the candles.
    pub selection: Selection,
    /// What a bot may hold at once, for the results as it would trade.
    pub portfolio: PortfolioLimits,
    /// The symbol whose trend and volatility tell kinds of market apart; without it the first one's do.
    pub regime_symbol: Symbol,
    /// How old candles may be. No answer depends on it: it says what is told of a run, and what a run may not adopt.
    pub age: AgeLimit,
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
    #[error("style {style}: expected search.weights = \"default\" {when}, found \"learned\"")]
    Weights { style: Style, when: &'static str },
}

/// Returns the space with score weights that are to be learned.
///
/// Errors: nothing filters on the score, or exit rules scale with it, whose outcomes hold under fixed weights only
fn learning_space(axes: &SpaceAxes, space: SearchSpace) -> Result<SearchSpace, PlanningError> {
    let style = space.style();
    let fail = |when| Err(PlanningError::Weights { style, when });
    if axes.scales_with_score() {
        return fail("where exit rules scale with the score (dynamic_atr_strength)");
    }
    if !space.dimensions().iter().any(Dimension::reads_score) {
        return fail("where no filter reads the signal score");
    }
    Ok(space.weighed(ScoreWeights::default_of(style)))
}

impl Plan {
    /// Resolves the axes of a run; see [`Plan`].
    pub fn new(
        interval: Interval,
        axes: Vec<SpaceAxes>,
        costs: Costs,
        search: SearchSettings,
        days: DayLimits,
    ) -> Result<Self, PlanningError> {
        let resolve = |axes: SpaceAxes| {
            let style = axes.style();
            let is_part =
                search.stages.strategy != Strategy::Grid && axes.sets() > search.stages.budget.into();
            let space = if is_part { axes.first_stage(&search.stages) } else { axes.whole() };
            let space = space.map_err(|source| PlanningError::Space { style, source })?;
            StylePlan::new(axes, space, is_part, interval, search.weights)
        };
        let styles = axes.into_iter().map(resolve).collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            interval,
            styles,
            costs,
            search,
            days,
            symbols: None,
            reading: ReadingOptions::default(),
            selection: Selection::default(),
            portfolio: PortfolioLimits::default(),
            regime_symbol: Symbol::parse(REGIME_SYMBOL).expect("a symbol"),
            age: AgeLimit::default(),
        })
    }

    /// Returns the plan of the last stage around the starting points of each style, or `None` where the first is the last.
    pub fn last_stage(
        &self,
        starts: impl Fn(Style) -> Vec<ParameterSet>,
    ) -> Result<Option<Self>, PlanningError> {
        let staged = matches!(self.search.stages.strategy, Strategy::CoarseFine | Strategy::Polish);
        if !staged || !self.styles.iter().any(|style| style.is_part) {
            return Ok(None);
        }
        let resolve = |planned: &StylePlan| {
            let style = planned.space.style();
            if !planned.is_part {
                return Ok(planned.clone());
            }
            let space = planned.axes.around(&starts(style), &self.search.stages);
            let space = space.map_err(|source| PlanningError::Space { style, source })?;
            StylePlan::new(planned.axes.clone(), space, true, self.interval, self.search.weights)
                .map(|fresh| StylePlan { sides: planned.sides, ..fresh })
        };
        let styles = self.styles.iter().map(resolve).collect::<Result<Vec<_>, _>>()?;
        Ok((styles != self.styles).then(|| Self { styles, ..self.clone() }))
    }

    /// Returns the plan with its first style alone, under one exit rule and with one level for each of these columns: its units hold
    /// every column, for a look at entries.
    ///
    /// Errors: a column that there is not
    pub fn listing(&self, rule: &ExitRule, columns: &[String]) -> Result<Self, PlanningError> {
        let planned = &self.styles[0];
        let style = planned.space.style();
        let dimension = |name: &String| Dimension::new(name, name, Bound::AtLeast, number_levels(&[0.0]));
        let dimensions: Result<Vec<Dimension>, SpaceError> = columns.iter().map(dimension).collect();
        let dimensions = dimensions.map_err(|source| PlanningError::Space { style, source })?;
        let axes = SpaceAxes::new(style, ExitAxes::of_rule(rule), dimensions);
        let space = axes.whole().map_err(|source| PlanningError::Space { style, source })?;
        let fresh = StylePlan::new(axes, space, false, self.interval, Weighting::Default)?;
        Ok(Self { styles: vec![StylePlan { sides: planned.sides, ..fresh }], ..self.clone() })
    }

    /// Returns the plan with the signal score of a style (by its index) under some weights.
    pub fn weighed(&self, index: usize, weights: ScoreWeights) -> Self {
        let mut plan = self.clone();
        plan.styles[index] = self.styles[index].weighed(weights);
        plan
    }

    /// Returns whether a symbol whose last candle opens at one instant has stopped (is no longer listed) when the newest candle of
    /// all symbols opens at another: then its last signals end at its last close, and count. Without them only survivors would.
    ///
    /// Causality: what is known at the newest candle. A symbol that goes on later had a gap, at which trades end alike
    pub fn is_stopped(&self, last_open: i64, newest_open: i64) -> bool {
        let longest = self.styles.iter().map(|style| style.exits.hold_bars_max() as i64).max().unwrap_or(0);
        // Then every label of its last day would have ended.
        newest_open.saturating_sub(last_open) >= STOPPED_AFTER_MS.max(DAY_MS + longest * self.interval.ms())
    }

    /// Returns the fingerprint of everything in the plan.
    pub fn fingerprint(&self) -> Fingerprint {
        let Self {
            interval,
            styles,
            costs,
            search,
            days,
            // The fingerprint of the data names the symbols that were read, and covers what reading and selection made of their files.
            symbols: _,
            reading: _,
            selection: _,
            portfolio,
            regime_symbol,
            // No answer depends on it.
            age: _,
        } = self;
        let mut hash = Canonical::new("retune plan v1").count(STAGES_VERSION).signed(interval.ms());
        for style in styles {
            hash = style.hashed(hash, &search.stages);
        }
        hash = search.hashed(costs.hashed(hash));
        let PortfolioLimits { per_symbol, positions, cooldown, day_loss_ppm } = portfolio;
        let pause = cooldown.map_or((0, 0), |Cooldown { losses, pause_ms }| (losses, pause_ms));
        for limit in [per_symbol, positions] {
            hash = hash.signed(limit.map_or(-1, i64::from));
        }
        hash = hash.text(regime_symbol.as_str());
        hash = hash.count(pause.0.into()).signed(pause.1).signed(day_loss_ppm.unwrap_or(-1));
        let DayLimits { first, end, window_days } = days;
        let day = |day: &Option<Day>| day.map_or(i64::MIN, |d| d.0.into());
        hash.signed(day(first)).signed(day(end)).signed(window_days.map_or(i64::MIN, i64::from)).finish()
    }
}
