//! Exit rules: how a position is closed, and the axes along which rules differ.
//!
//! One table, at the end, says everything about an axis but what it does: its field in a rule, key, unit, range, place in the
//! product of a space, and when it acts. Configuration, space, search, store, fingerprints, cache, documents and the bot's file go
//! through it. What an axis does to a position is told by the mechanism in `exits/` that reads it.

/// Whether a rule can do without a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Every rule has it.
    Always,
    /// A level of the price: a rule has it here, on the axis of another unit, or not at all.
    Level,
    /// It is a mechanism, which may be off.
    Mechanism,
    /// It is there exactly when the axis before it is on.
    Partner,
}

/// What the numbers of an axis count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitUnit {
    /// Multiples of ATR(14) at the signal, from the entry price.
    Atr,
    /// Hours since the entry; whole candles.
    Hours,
    /// Percent of the entry price.
    PercentOfPrice,
    /// Percent of what was staked: of the entry price, times the rule's leverage.
    PercentOfStake,
    /// Times what was staked.
    Leverage,
    /// 1 for yes, 0 for no.
    Switch,
    /// Minutes since the entry; from the first candle on that opens then or later.
    Minutes,
    /// Percent of the position.
    PercentOfPosition,
    /// How strongly the score of the signal acts.
    ScoreStrength,
    /// Multiples of a mean.
    Times,
}

impl ExitUnit {
    /// Returns the unit in words.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Atr => "ATR",
            Self::Hours => "hours",
            Self::PercentOfPrice => "% of the entry price",
            Self::PercentOfStake => "% of the stake",
            Self::Leverage => "times the stake",
            Self::Switch => "true or false",
            Self::Minutes => "minutes",
            Self::PercentOfPosition => "% of the position",
            Self::ScoreStrength => "strength of the score",
            Self::Times => "times the mean",
        }
    }
}

/// One number of an exit rule: the axis along which rules differ in it.
pub struct ExitAxis {
    /// Name in configuration, documents and the store; the legacy one where there is one.
    pub key: &'static str,
    /// What its numbers are, in a sentence; the reference page is made of it.
    pub meaning: &'static str,
    /// Whether a rule can do without.
    pub need: Need,
    /// What its numbers count.
    pub unit: ExitUnit,
    /// Whether 0 is a value.
    pub may_be_zero: bool,
    /// Smallest value that makes sense, where that is not every positive one.
    pub least: f64,
    /// Largest value that makes sense.
    pub most: f64,
    /// Place in the product of a space: of two axes the one with the higher place varies faster, in the order of the table where
    /// it is the same.
    pub depth: u8,
    /// The value of a space that does not name the axis; off where there is none. What is always there depends on style and
    /// candles.
    pub unnamed: Option<f64>,
    /// Whether it may follow the first target, as `"tp1"`.
    pub may_follow_first_target: bool,
    /// Whether it acts only nearer than the take-profit.
    pub acts_before_target: bool,
    /// The axis with the same level in ATR: a rule has it on one of the two at most, and the values of both are the values of one
    /// level.
    pub instead_of: Option<&'static str>,
    /// Of a partner, whether it belongs to the mechanism before it in ATR and in percent.
    pub is_of_both_units: bool,
    /// Whether a space that names it has to name its partner: no default would be what was meant.
    pub needs_named_partner: bool,
    /// Whether all rules of a space share its value.
    pub is_fixed: bool,
    /// Whether the bot's file has a place for it.
    pub is_known_to_bot: bool,
    /// Whether freqtrade has such an exit.
    pub is_known_to_freqtrade: bool,
    value: fn(&ExitRule) -> Option<f64>,
    place: fn(&mut ExitRule) -> ExitPlace<'_>,
}

/// Where a rule has the number of an axis.
enum ExitPlace<'a> {
    Always(&'a mut f64),
    Optional(&'a mut Option<f64>),
}

impl ExitAxis {
    /// Returns an entry with positive numbers, off unless it is named, that acts wherever it stands.
    const fn new(
        key: &'static str,
        need: Need,
        (unit, most): (ExitUnit, f64),
        value: fn(&ExitRule) -> Option<f64>,
        place: fn(&mut ExitRule) -> ExitPlace<'_>,
    ) -> Self {
        Self {
            key,
            meaning: "",
            need,
            unit,
            may_be_zero: false,
            least: 0.0,
            most,
            depth: 0,
            unnamed: None,
            may_follow_first_target: false,
            acts_before_target: false,
            instead_of: None,
            is_of_both_units: false,
            needs_named_partner: false,
            is_fixed: false,
            is_known_to_bot: true,
            is_known_to_freqtrade: false,
            value,
            place,
        }
    }

    const fn meaning(self, meaning: &'static str) -> Self {
        Self { meaning, ..self }
    }

    const fn depth(self, depth: u8) -> Self {
        Self { depth, ..self }
    }

    const fn zero_too(self) -> Self {
        Self { may_be_zero: true, ..self }
    }

    const fn unnamed(self, value: f64) -> Self {
        Self { unnamed: Some(value), ..self }
    }

    const fn following_first_target(self) -> Self {
        Self { may_follow_first_target: true, ..self }
    }

    const fn before_target(self) -> Self {
        Self { acts_before_target: true, ..self }
    }

    const fn instead_of(self, atr: &'static str) -> Self {
        Self { instead_of: Some(atr), ..self }
    }

    const fn of_both_units(self) -> Self {
        Self { is_of_both_units: true, ..self }
    }

    const fn naming_partner(self) -> Self {
        Self { needs_named_partner: true, ..self }
    }

    const fn fixed_from(self, least: f64) -> Self {
        Self { is_fixed: true, least, ..self }
    }

    const fn unknown_to_bot(self) -> Self {
        Self { is_known_to_bot: false, ..self }
    }

    const fn of_freqtrade_only(self) -> Self {
        Self { is_known_to_bot: false, is_known_to_freqtrade: true, ..self }
    }

    /// Returns every axis that freqtrade has an exit for.
    pub fn of_freqtrade() -> impl Iterator<Item = &'static Self> {
        EXIT_AXES.iter().filter(|axis| axis.is_known_to_freqtrade || axis.need == Need::Always)
    }

    /// Returns the axis of a key.
    pub fn named(key: &str) -> Option<&'static Self> {
        EXIT_AXES.iter().find(|axis| axis.key == key)
    }

    /// Returns every axis that has a partner, with it.
    pub fn pairs() -> impl DoubleEndedIterator<Item = (&'static Self, &'static Self)> {
        EXIT_AXES.iter().zip(&EXIT_AXES[1..]).filter(|(_, partner)| partner.need == Need::Partner)
    }

    /// Returns whether a partner of the axis has something to act on in a rule.
    pub fn gives_to(&self, partner: &Self, rule: &ExitRule) -> bool {
        let percent = self.in_percent().filter(|_| partner.is_of_both_units);
        self.value(rule).is_some() || percent.is_some_and(|percent| percent.value(rule).is_some())
    }

    /// Returns a rule's value, `None` where it is off.
    pub fn value(&self, rule: &ExitRule) -> Option<f64> {
        (self.value)(rule)
    }

    /// Returns a rule's value as it stands among those of others, by size. What is off stands before the smallest; a level of the
    /// price that is off is never reached, and stands behind the largest.
    pub fn rank_value(&self, rule: &ExitRule) -> f64 {
        let is_level = |axis: &Self| axis.need == Need::Level;
        let is_far = is_level(self) || self.instead_of.and_then(Self::named).is_some_and(is_level);
        self.value(rule).unwrap_or(if is_far { f64::INFINITY } else { -1.0 })
    }

    /// Sets a rule's value.
    pub fn set(&self, rule: &mut ExitRule, value: f64) {
        match (self.place)(rule) {
            ExitPlace::Always(place) => *place = value,
            ExitPlace::Optional(place) => *place = Some(value),
        }
    }

    /// Turns off what a rule can do without.
    pub fn turn_off(&self, rule: &mut ExitRule) {
        if let ExitPlace::Optional(place) = (self.place)(rule) {
            *place = None;
        }
    }

    /// Returns whether it comes on top of what a rule is made of: holding time, take-profit and stop in ATR.
    pub fn is_optional(&self) -> bool {
        !matches!(self.need, Need::Always | Need::Level)
    }

    /// Returns whether a rule may be without a value, whatever its other values are.
    pub fn may_be_off(&self) -> bool {
        matches!(self.need, Need::Level | Need::Mechanism)
    }

    /// Returns whether a number can be a value of the axis.
    pub fn allows(&self, value: f64) -> bool {
        let is_one = self.unit != ExitUnit::Switch || [0.0, 1.0].contains(&value);
        let is_in_range = (value > 0.0 || self.may_be_zero && value == 0.0) && value >= self.least;
        is_one && is_in_range && value <= self.most
    }

    /// Returns the values of the axis that are allowed, in words.
    pub fn range(&self) -> String {
        match (self.may_be_zero, self.least) {
            (true, _) => format!("0 to {}", self.most),
            (false, 0.0) => format!("above 0, at most {}", self.most),
            (false, least) => format!("{least} to {}", self.most),
        }
    }

    /// Returns the axis with the same level in percent.
    pub fn in_percent(&self) -> Option<&'static Self> {
        EXIT_AXES.iter().find(|axis| axis.instead_of == Some(self.key))
    }
}

impl ExitRule {
    /// Returns a rule without mechanisms.
    pub const fn new(take_profit_atr: f64, stop_atr: f64, hold_hours: f64) -> Self {
        let (take_profit_atr, stop_atr) = (Some(take_profit_atr), Some(stop_atr));
        Self { take_profit_atr, stop_atr, hold_hours, ..Self::BLANK }
    }

    /// Returns a rule that ends positions after some hours, whatever the price does.
    pub const fn holding(hold_hours: f64) -> Self {
        Self { hold_hours, ..Self::BLANK }
    }

    /// Returns the rule that begins with these numbers: what [`ExitRule::numbers`] has in front.
    pub fn of_first(first: [f64; Self::FIRST]) -> Self {
        let [take_profit, stop, hold_hours] = first;
        let level = |value: f64| (value != 0.0).then_some(value);
        Self { take_profit_atr: level(take_profit), stop_atr: level(stop), ..Self::holding(hold_hours) }
    }

    /// How many numbers stand in front: take-profit and stop in ATR, 0 where they are off, and the holding time. What is stored
    /// and hashed begins with them since before a level could be off, and zero was no distance then either.
    pub const FIRST: usize = 3;

    /// Returns every value that is on with its key, in the order of [`EXIT_AXES`].
    pub fn values(&self) -> impl Iterator<Item = (&'static str, f64)> {
        EXIT_AXES.iter().filter_map(|axis| Some((axis.key, axis.value(self)?)))
    }

    /// Returns the numbers in front; see [`ExitRule::FIRST`].
    pub fn first(&self) -> [f64; Self::FIRST] {
        let Self { take_profit_atr, stop_atr, hold_hours, .. } = *self;
        [take_profit_atr.unwrap_or(0.0), stop_atr.unwrap_or(0.0), hold_hours]
    }

    /// Returns the numbers that are on of those that follow, each with the index of its axis.
    pub fn optional(&self) -> impl Iterator<Item = (u8, f64)> {
        let axes = EXIT_AXES.iter().zip(0..).filter(|(axis, _)| axis.is_optional());
        axes.filter_map(|(axis, index)| Some((index, axis.value(self)?)))
    }

    /// Returns the rule as numbers: those in front, then index and value of each that follows and is on.
    pub fn numbers(&self) -> Vec<f64> {
        let first = self.first().into_iter();
        first.chain(self.optional().flat_map(|(index, value)| [index.into(), value])).collect()
    }

    /// Returns the take-profit in a unit, `None` where the rule has none or has it in another.
    pub fn take_profit_in(&self, unit: ExitUnit) -> Option<f64> {
        match unit {
            ExitUnit::Atr => self.take_profit_atr,
            ExitUnit::PercentOfStake => self.take_profit_pct,
            _ => None,
        }
    }

    /// Returns the rows of the staircase of targets, by minutes since the entry, in percent of the stake; each counts until the
    /// next one does. Of rows at the same minute the last of the table counts.
    pub fn roi_steps(&self) -> Vec<(f64, f64)> {
        let fallen = |third: f64| {
            let (from, minutes, floor) = (self.roi_pct?, self.roi_decay_minutes?, self.roi_floor_pct?);
            let target = if third == 3.0 { floor } else { from - third / 3.0 * (from - floor) };
            Some(((minutes * third / 3.0).round(), target))
        };
        let rows = [
            self.roi_pct.map(|target| (0.0, target)),
            fallen(1.0),
            fallen(2.0),
            fallen(3.0),
            self.roi_minutes_2.zip(self.roi_pct_2),
            self.roi_minutes_3.zip(self.roi_pct_3),
            self.roi_minutes_4.zip(self.roi_pct_4),
            self.roi_minutes_5.zip(self.roi_pct_5),
            self.roi_minutes_6.zip(self.roi_pct_6),
        ];
        let mut steps: Vec<(f64, f64)> = Vec::new();
        for (minutes, target) in rows.into_iter().flatten() {
            steps.retain(|(known, _)| *known != minutes);
            steps.insert(steps.partition_point(|(known, _)| *known < minutes), (minutes, target));
        }
        steps
    }

    /// Returns the targets by minutes since the entry, in percent of the stake: of take-profit and staircase the lower counts.
    pub fn targets(&self) -> Vec<(f64, f64)> {
        let fixed = self.take_profit_pct;
        let steps = self.roi_steps();
        let alone = fixed.filter(|_| steps.first().is_none_or(|(minutes, _)| *minutes > 0.0));
        let lower = |target: f64| fixed.map_or(target, |fixed| fixed.min(target));
        let steps = steps.into_iter().map(|(minutes, target)| (minutes, lower(target)));
        alone.map(|fixed| (0.0, fixed)).into_iter().chain(steps).collect()
    }

    /// Returns an exit of the rule that freqtrade does not have, if there is one.
    pub fn beyond_freqtrade(&self) -> Option<&'static ExitAxis> {
        let is_beyond = |axis: &&ExitAxis| {
            !axis.is_known_to_freqtrade && matches!(axis.need, Need::Level | Need::Mechanism)
        };
        EXIT_AXES.iter().filter(is_beyond).find(|axis| axis.value(self).is_some())
    }

    /// Returns whether a row of the staircase stands in the table.
    pub fn has_roi_rows(&self) -> bool {
        let rows = [
            self.roi_minutes_2,
            self.roi_minutes_3,
            self.roi_minutes_4,
            self.roi_minutes_5,
            self.roi_minutes_6,
        ];
        rows.iter().any(Option::is_some)
    }

    /// Returns a percentage of the stake as one of the entry price.
    pub fn percent_of_price(&self, of_stake: f64) -> f64 {
        of_stake / self.leverage.unwrap_or(1.0)
    }

    /// Returns a level that the rule has in two units, by its keys.
    pub fn doubled_level(&self) -> Option<(&'static str, &'static str)> {
        let is_on = |axis: &&ExitAxis| axis.value(self).is_some();
        EXIT_AXES.iter().filter(is_on).find_map(|atr| {
            let percent = atr.in_percent().filter(|percent| is_on(percent))?;
            Some((atr.key, percent.key))
        })
    }

    /// Returns the rule without what cannot act: what acts only before the take-profit at or beyond it, where both are in one unit;
    /// a partner of what is off; a leverage of nothing, or of 1; a score that scales nothing. Rules that are the same in effect become equal.
    pub fn normalised(mut self) -> Self {
        let idle = |axis: &&ExitAxis| {
            let target = self.take_profit_in(axis.unit);
            let acts = |value: f64| target.is_none_or(|target| value < target);
            axis.acts_before_target && axis.value(&self).is_some_and(|value| !acts(value))
        };
        let idle: Vec<&ExitAxis> = EXIT_AXES.iter().filter(idle).collect();
        idle.into_iter().for_each(|axis| axis.turn_off(&mut self));
        for (mechanism, partner) in ExitAxis::pairs() {
            if !mechanism.gives_to(partner, &self) {
                partner.turn_off(&mut self);
            }
        }
        // Without a stop there is none to trail before the offset.
        if self.stop_atr.is_none() && self.stop_loss_pct.is_none() {
            self.trailing_only_offset = self.trailing_only_offset.map(|_| 1.0);
        }
        // A target without a value from which it falls, or that would rise, does not.
        if self.roi_pct.zip(self.roi_floor_pct).is_none_or(|(from, floor)| floor >= from) {
            (self.roi_decay_minutes, self.roi_floor_pct) = (None, None);
        }
        let is_leveraged =
            |axis: &ExitAxis| axis.unit == ExitUnit::PercentOfStake && axis.value(&self).is_some();
        self.leverage = self.leverage.filter(|times| *times != 1.0 && EXIT_AXES.iter().any(is_leveraged));
        let scaled = [self.take_profit_atr, self.stop_atr, self.first_target_atr, self.break_even_atr];
        self.dynamic_strength = self.dynamic_strength.filter(|_| scaled.iter().any(Option::is_some));
        self
    }

    /// Returns the rule without mechanisms whose partner is missing: half of a pair is none.
    pub fn without_halves(mut self) -> Self {
        // The partner of a partner first.
        for (mechanism, partner) in ExitAxis::pairs().rev() {
            if partner.value(&self).is_none() {
                mechanism.turn_off(&mut self);
            }
        }
        self
    }
}

macro_rules! exit_axes {
    ($(
        $(#[doc = $doc:literal])+
        $field:ident: $need:ident $key:literal $unit:ident ..=$most:literal $(, $more:ident($($of:expr)?))*;
    )+) => {
        /// How a position is closed: take-profit, stop and longest holding time, and mechanisms that may be off (`None`).
        ///
        /// Distances are from the entry price.
        #[derive(Debug, Clone, Copy, PartialEq, PartialOrd, serde::Serialize, serde::Deserialize)]
        pub struct ExitRule {
            $($(#[doc = $doc])+ pub $field: exit_axes!(@type $need),)+
        }

        impl ExitRule {
            /// Nothing set.
            const BLANK: Self = Self { $($field: exit_axes!(@blank $need),)+ };
        }

        /// Every axis, in the order in which values are shown. The order is part of fingerprints: new axes go to the end.
        pub static EXIT_AXES: [ExitAxis; [$(stringify!($field)),+].len()] = [$(ExitAxis::new(
            $key,
            Need::$need,
            (ExitUnit::$unit, $most),
            |rule| exit_axes!(@value $need, rule.$field),
            |rule| exit_axes!(@place $need, &mut rule.$field),
        ).meaning(concat!($($doc),+))$(.$more($($of)?))*),+];
    };
    (@type Always) => { f64 };
    (@type $optional:ident) => { Option<f64> };
    (@blank Always) => { 0.0 };
    (@blank $optional:ident) => { None };
    (@value Always, $value:expr) => { Some($value) };
    (@value $optional:ident, $value:expr) => { $value };
    (@place Always, $place:expr) => { ExitPlace::Always($place) };
    (@place $optional:ident, $place:expr) => { ExitPlace::Optional($place) };
}

exit_axes! {
    /// Take-profit distance in ATR.
    take_profit_atr: Level "atr_tp_multiplier" Atr ..=1000.0, depth(2);
    /// Stop distance in ATR.
    stop_atr: Level "atr_stop_multiplier" Atr ..=1000.0, depth(3);
    /// Longest holding time in hours; the position is closed at the close of the last candle inside it.
    hold_hours: Always "max_holding_hours" Hours ..=2160.0, depth(1);
    /// Trailing stop: its distance behind the best price so far, in ATR.
    trailing_distance_atr: Mechanism "trailing_stop_distance" Atr ..=1000.0;
    /// Profit from which on the stop trails, in ATR; 0 = from the entry on. There exactly when the distance is.
    trailing_activation_atr: Partner "trailing_stop_activation" Atr ..=1000.0, zero_too(), unnamed(1.0);
    /// First target: its distance in ATR; acts where it is nearer than the take-profit. A part is closed there, the rest goes on; the
    /// return is the weighted sum.
    first_target_atr: Mechanism "tp1_atr_multiplier" Atr ..=1000.0, before_target();
    /// Part closed at the first target, in percent. There exactly when the first target is.
    first_target_pct: Partner "tp1_close_pct" PercentOfPosition ..=99.0, unnamed(50.0), of_both_units();
    /// Break-even: profit from which on the stop is no further than the entry price, in ATR; `"tp1"` = at the first target.
    break_even_atr: Mechanism "breakeven_atr" Atr ..=1000.0, before_target(), following_first_target();
    /// How strongly the signal's score scales the distances of stop (x1.2 from 85 on, x0.9 up to 70) and targets (x1.15, x0.95); 1 = as
    /// much as that.
    dynamic_strength: Mechanism "dynamic_atr_strength" ScoreStrength ..=5.0;
    /// Hard stop: most that the stop may be away from the entry, in percent of the entry price.
    hard_stop_pct: Mechanism "hard_stop_pct" PercentOfPrice ..=99.0;
    /// Volume surge: closed at the close of a candle against the position with more than so many times the mean volume
    /// of the 20 candles before it.
    surge_factor: Mechanism "volume_surge_exit" Times ..=1000.0;
    /// Take-profit distance in percent of the stake.
    take_profit_pct: Mechanism "take_profit_pct" PercentOfStake ..=1000.0, instead_of("atr_tp_multiplier"), of_freqtrade_only();
    /// Stop distance in percent of the stake.
    stop_loss_pct: Mechanism "stop_loss_pct" PercentOfStake ..=99.0, instead_of("atr_stop_multiplier"), of_freqtrade_only();
    /// Leverage: what percentages of the stake are divided by to be percentages of the entry price.
    leverage: Mechanism "leverage" Leverage ..=1000.0, fixed_from(1.0), of_freqtrade_only();
    /// Trailing stop: its distance behind the best price so far, in percent of the stake.
    trailing_pct: Mechanism "trailing_pct" PercentOfStake ..=99.0, instead_of("trailing_stop_distance"), of_freqtrade_only();
    /// Profit from which on the stop trails at that distance, in percent of the stake; 0 = from the entry on. There exactly when the
    /// distance is.
    trailing_offset_pct: Partner "trailing_offset_pct" PercentOfStake ..=1000.0, zero_too(), unnamed(0.0), of_freqtrade_only();
    /// Whether nothing trails before that profit (1); else the stop trails at its own distance from the entry on (0). There
    /// exactly when the profit is.
    trailing_only_offset: Partner "trailing_only_offset_is_reached" Switch ..=1.0, zero_too(), unnamed(1.0), of_freqtrade_only();
    /// First target: its distance in percent of the stake.
    first_target_at_pct: Mechanism "tp1_pct" PercentOfStake ..=1000.0, before_target(), instead_of("tp1_atr_multiplier"), unknown_to_bot();
    /// Break-even: profit from which on the stop is no further than the entry price, in percent of the stake; `"tp1"` = at the first
    /// target.
    break_even_pct: Mechanism "breakeven_pct" PercentOfStake ..=1000.0, before_target(), following_first_target(), instead_of("breakeven_atr"), unknown_to_bot();
    /// Staircase of targets: that from the entry on, in percent of the stake. With the others the lowest counts.
    roi_pct: Mechanism "roi_pct" PercentOfStake ..=1000.0, of_freqtrade_only();
    /// Minutes after which it has fallen to its floor, in three equal steps.
    roi_decay_minutes: Mechanism "roi_decay_minutes" Minutes ..=129600.0, of_freqtrade_only();
    /// That floor, in percent of the stake. There exactly when the minutes are.
    roi_floor_pct: Partner "roi_floor_pct" PercentOfStake ..=1000.0, zero_too(), unnamed(0.0), of_freqtrade_only();
    /// Row 2 of the staircase: minutes after the entry from which on its target counts.
    roi_minutes_2: Mechanism "roi_2_minutes" Minutes ..=129600.0, naming_partner(), of_freqtrade_only();
    /// Its target, in percent of the stake. There exactly when the minutes are.
    roi_pct_2: Partner "roi_2_pct" PercentOfStake ..=1000.0, zero_too(), unnamed(0.0), of_freqtrade_only();
    /// Row 3 of the staircase: minutes after the entry from which on its target counts.
    roi_minutes_3: Mechanism "roi_3_minutes" Minutes ..=129600.0, naming_partner(), of_freqtrade_only();
    /// Its target, in percent of the stake. There exactly when the minutes are.
    roi_pct_3: Partner "roi_3_pct" PercentOfStake ..=1000.0, zero_too(), unnamed(0.0), of_freqtrade_only();
    /// Row 4 of the staircase: minutes after the entry from which on its target counts.
    roi_minutes_4: Mechanism "roi_4_minutes" Minutes ..=129600.0, naming_partner(), of_freqtrade_only();
    /// Its target, in percent of the stake. There exactly when the minutes are.
    roi_pct_4: Partner "roi_4_pct" PercentOfStake ..=1000.0, zero_too(), unnamed(0.0), of_freqtrade_only();
    /// Row 5 of the staircase: minutes after the entry from which on its target counts.
    roi_minutes_5: Mechanism "roi_5_minutes" Minutes ..=129600.0, naming_partner(), of_freqtrade_only();
    /// Its target, in percent of the stake. There exactly when the minutes are.
    roi_pct_5: Partner "roi_5_pct" PercentOfStake ..=1000.0, zero_too(), unnamed(0.0), of_freqtrade_only();
    /// Row 6 of the staircase: minutes after the entry from which on its target counts.
    roi_minutes_6: Mechanism "roi_6_minutes" Minutes ..=129600.0, naming_partner(), of_freqtrade_only();
    /// Its target, in percent of the stake. There exactly when the minutes are.
    roi_pct_6: Partner "roi_6_pct" PercentOfStake ..=1000.0, zero_too(), unnamed(0.0), of_freqtrade_only();
    /// Whether the time that a given signal has for its exit closes the position (1).
    exit_signal: Mechanism "exit_signal" Switch ..=1.0, of_freqtrade_only();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_staircase_is_a_table_or_falls_in_three_equal_steps() {
        let plain = ExitRule::holding(8.0);
        let falling = ExitRule {
            roi_pct: Some(4.0),
            roi_decay_minutes: Some(100.0),
            roi_floor_pct: Some(1.0),
            ..plain
        };
        assert_eq!(falling.roi_steps(), [(0.0, 4.0), (33.0, 3.0), (67.0, 2.0), (100.0, 1.0)]);
        let table = ExitRule {
            roi_minutes_3: Some(60.0),
            roi_pct_3: Some(2.0),
            roi_minutes_2: Some(240.0),
            roi_pct_2: Some(0.0),
            roi_minutes_6: Some(60.0),
            roi_pct_6: Some(3.0),
            ..plain
        };
        assert_eq!(table.roi_steps(), [(60.0, 3.0), (240.0, 0.0)]);
        assert!(table.has_roi_rows() && !falling.has_roi_rows() && plain.roi_steps().is_empty());
        let rising = ExitRule { roi_floor_pct: Some(4.0), ..falling };
        assert_eq!(rising.normalised(), ExitRule { roi_pct: Some(4.0), ..plain });
        assert_eq!(ExitRule { roi_pct: None, ..falling }.normalised(), plain);
    }

    /// A rule with every mechanism on, each value unlike the others.
    fn full() -> ExitRule {
        let mut rule = ExitRule::new(0.0, 0.0, 0.0);
        for (index, axis) in EXIT_AXES.iter().enumerate() {
            axis.set(&mut rule, 1.0 + index as f64);
        }
        rule
    }

    #[test]
    fn every_axis_reads_what_it_sets_and_nothing_else() {
        let values: Vec<f64> = full().values().map(|(_, value)| value).collect();
        assert_eq!(values, (0..EXIT_AXES.len()).map(|index| 1.0 + index as f64).collect::<Vec<_>>());
        for axis in &EXIT_AXES {
            assert_eq!(ExitAxis::named(axis.key).map(|found| found.key), Some(axis.key));
            let off = axis.value(&ExitRule::new(1.0, 1.0, 1.0));
            assert_eq!(off.is_none(), axis.is_optional(), "{}", axis.key);
        }
    }

    #[test]
    fn numbers_tell_rules_apart_and_leave_plain_rules_as_they_were() {
        assert_eq!(ExitRule::new(2.0, 1.5, 8.0).numbers(), [2.0, 1.5, 8.0]);
        let one = ExitRule { hard_stop_pct: Some(3.0), ..ExitRule::new(2.0, 1.5, 8.0) };
        let other = ExitRule { surge_factor: Some(3.0), ..ExitRule::new(2.0, 1.5, 8.0) };
        assert_eq!(one.numbers(), [2.0, 1.5, 8.0, 9.0, 3.0]);
        assert_ne!(one.numbers(), other.numbers());
        let optional = EXIT_AXES.iter().filter(|axis| axis.is_optional()).count();
        assert_eq!(full().numbers().len(), EXIT_AXES.len() - optional + 2 * optional);
    }

    #[test]
    fn what_cannot_act_is_no_part_of_a_rule() {
        let plain = ExitRule::new(2.0, 1.5, 8.0);
        let beyond = ExitRule {
            first_target_atr: Some(2.0),
            first_target_pct: Some(50.0),
            break_even_atr: Some(2.5),
            trailing_activation_atr: Some(1.0),
            ..plain
        };
        assert_eq!(beyond.normalised(), plain);
        let acting = ExitRule { first_target_atr: Some(1.0), trailing_distance_atr: Some(1.0), ..beyond };
        let expected = ExitRule { break_even_atr: None, ..acting };
        assert_eq!(acting.normalised(), expected);
        // What stands in another unit than the take-profit may be nearer, and is where there is none.
        let percent = ExitRule { take_profit_atr: None, take_profit_pct: Some(1.0), ..acting };
        assert_eq!(percent.normalised(), percent);
        let none = ExitRule { take_profit_atr: None, ..acting };
        assert_eq!(none.normalised(), none);
    }

    #[test]
    fn a_leverage_acts_on_percentages_of_the_stake_only() {
        let percent = ExitRule { stop_loss_pct: Some(10.0), leverage: Some(5.0), ..ExitRule::holding(8.0) };
        assert_eq!((percent.normalised(), percent.percent_of_price(10.0)), (percent, 2.0));
        let once = ExitRule { leverage: Some(1.0), ..percent };
        assert_eq!(once.normalised(), ExitRule { leverage: None, ..percent });
        let of_price =
            ExitRule { hard_stop_pct: Some(1.0), leverage: Some(5.0), ..ExitRule::new(2.0, 1.5, 8.0) };
        assert_eq!(of_price.normalised(), ExitRule { leverage: None, ..of_price });
        assert_eq!(percent.doubled_level(), None);
        let scored = ExitRule { dynamic_strength: Some(1.0), ..percent };
        assert_eq!(scored.normalised(), percent);
        let doubled = ExitRule { stop_atr: Some(1.0), ..percent };
        assert_eq!(doubled.doubled_level(), Some(("atr_stop_multiplier", "stop_loss_pct")));
    }

    #[test]
    fn a_level_that_is_off_is_a_zero_in_front() {
        let timed = ExitRule::holding(8.0);
        assert_eq!((timed.numbers(), ExitRule::of_first(timed.first())), (vec![0.0, 0.0, 8.0], timed));
        let plain = ExitRule::new(2.0, 1.5, 8.0);
        assert_eq!(ExitRule::of_first(plain.first()), plain);
        assert!(EXIT_AXES[..ExitRule::FIRST].iter().all(|axis| !axis.is_optional()));
    }
}
