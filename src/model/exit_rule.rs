//! Exit rules: how a position is closed, and the axes along which rules differ.

/// How a position is closed: take-profit, stop and longest holding time, and mechanisms that may be off (`None`).
///
/// Distances are multiples of ATR(14) at the signal, from the entry price.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, serde::Serialize, serde::Deserialize)]
pub struct ExitRule {
    /// Take-profit distance in ATR.
    pub take_profit_atr: f64,
    /// Stop distance in ATR.
    pub stop_atr: f64,
    /// Longest holding time in hours; the position is closed at the close of the last candle inside it.
    pub hold_hours: f64,
    /// Trailing stop: its distance behind the best price so far, in ATR.
    pub trailing_distance_atr: Option<f64>,
    /// Profit from which on the stop trails, in ATR; 0 = from the entry on. There exactly when the distance is.
    pub trailing_activation_atr: Option<f64>,
    /// First target: its distance in ATR, nearer than the take-profit. A part is closed there, the rest goes on.
    pub first_target_atr: Option<f64>,
    /// Part closed at the first target, in percent. There exactly when the first target is.
    pub first_target_pct: Option<f64>,
    /// Break-even: profit from which on the stop is no further than the entry price, in ATR.
    pub break_even_atr: Option<f64>,
    /// How strongly the signal's score scales the distances of stop and targets; 1 = as the legacy system did.
    pub dynamic_strength: Option<f64>,
    /// Hard stop: most that the stop may be away from the entry, in percent of the entry price.
    pub hard_stop_pct: Option<f64>,
    /// Volume surge: closed at the close of a candle against the position with more than so many times the mean volume
    /// of the 20 candles before it.
    pub surge_factor: Option<f64>,
}

impl ExitRule {
    /// Returns a rule without mechanisms.
    pub const fn new(take_profit_atr: f64, stop_atr: f64, hold_hours: f64) -> Self {
        Self {
            take_profit_atr,
            stop_atr,
            hold_hours,
            trailing_distance_atr: None,
            trailing_activation_atr: None,
            first_target_atr: None,
            first_target_pct: None,
            break_even_atr: None,
            dynamic_strength: None,
            hard_stop_pct: None,
            surge_factor: None,
        }
    }

    /// Returns every value that is on with its key, in the order of [`EXIT_AXES`].
    pub fn values(&self) -> impl Iterator<Item = (&'static str, f64)> {
        EXIT_AXES.iter().filter_map(|axis| Some((axis.key, axis.value(self)?)))
    }

    /// Returns the rule as numbers: the first three values, then index and value of each mechanism that is on.
    pub fn numbers(&self) -> Vec<f64> {
        let Self {
            take_profit_atr,
            stop_atr,
            hold_hours,
            // Each of the others is an axis, which reads it.
            trailing_distance_atr: _,
            trailing_activation_atr: _,
            first_target_atr: _,
            first_target_pct: _,
            break_even_atr: _,
            dynamic_strength: _,
            hard_stop_pct: _,
            surge_factor: _,
        } = *self;
        let mut numbers = vec![take_profit_atr, stop_atr, hold_hours];
        for (index, axis) in EXIT_AXES.iter().enumerate().filter(|(_, axis)| axis.is_optional()) {
            numbers.extend(axis.value(self).into_iter().flat_map(|value| [index as f64, value]));
        }
        numbers
    }

    /// Returns the rule without what cannot act: a first target or break-even at or beyond the take-profit, a half of
    /// a pair without the other. Rules that are the same in effect become equal.
    pub fn normalised(mut self) -> Self {
        let inside = |distance: &f64| *distance < self.take_profit_atr;
        self.first_target_atr = self.first_target_atr.filter(inside);
        self.break_even_atr = self.break_even_atr.filter(inside);
        self.first_target_pct = self.first_target_atr.and(self.first_target_pct);
        self.trailing_activation_atr = self.trailing_distance_atr.and(self.trailing_activation_atr);
        self
    }
}

/// Whether a rule can do without a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Every rule has it.
    Always,
    /// It is a mechanism, which may be off.
    Mechanism,
    /// It is there exactly when the axis before it is on.
    Partner,
}

/// One number of an exit rule: the axis along which rules differ in it.
pub struct ExitAxis {
    /// Name in configuration, documents and the store; the legacy one where there is one.
    pub key: &'static str,
    /// Whether a rule can do without.
    pub need: Need,
    /// Whether 0 is a value.
    pub may_be_zero: bool,
    /// Largest value that makes sense.
    pub most: f64,
    value: fn(&ExitRule) -> Option<f64>,
    set: fn(&mut ExitRule, f64),
}

impl ExitAxis {
    /// Returns the axis of a key.
    pub fn named(key: &str) -> Option<&'static Self> {
        EXIT_AXES.iter().find(|axis| axis.key == key)
    }

    /// Returns a rule's value, `None` where it is off.
    pub fn value(&self, rule: &ExitRule) -> Option<f64> {
        (self.value)(rule)
    }

    /// Sets a rule's value.
    pub fn set(&self, rule: &mut ExitRule, value: f64) {
        (self.set)(rule, value);
    }

    /// Returns whether a rule can do without.
    pub fn is_optional(&self) -> bool {
        self.need != Need::Always
    }

    /// Returns whether a number can be a value of the axis.
    pub fn allows(&self, value: f64) -> bool {
        (value > 0.0 || self.may_be_zero && value == 0.0) && value <= self.most
    }
}

macro_rules! axis {
    ($key:literal Always $field:ident ..=$most:literal) => {
        axis!($key, Always, false, $most, |rule| Some(rule.$field), |rule, value| rule.$field = value)
    };
    ($key:literal $need:ident $field:ident ..=$most:literal) => {
        axis!($key, $need, false, $most, |rule| rule.$field, |rule, value| rule.$field = Some(value))
    };
    ($key:literal $need:ident $field:ident 0..=$most:literal) => {
        axis!($key, $need, true, $most, |rule| rule.$field, |rule, value| rule.$field = Some(value))
    };
    ($key:literal, $need:ident, $zero:literal, $most:literal, $value:expr, $set:expr) => {
        ExitAxis { key: $key, need: Need::$need, may_be_zero: $zero, most: $most, value: $value, set: $set }
    };
}

/// Every axis, in the order in which values are shown. The order is part of fingerprints: new axes go to the end.
pub static EXIT_AXES: [ExitAxis; 11] = [
    axis!("atr_tp_multiplier" Always take_profit_atr ..=1000.0),
    axis!("atr_stop_multiplier" Always stop_atr ..=1000.0),
    axis!("max_holding_hours" Always hold_hours ..=2160.0),
    axis!("trailing_stop_distance" Mechanism trailing_distance_atr ..=1000.0),
    axis!("trailing_stop_activation" Partner trailing_activation_atr 0..=1000.0),
    axis!("tp1_atr_multiplier" Mechanism first_target_atr ..=1000.0),
    axis!("tp1_close_pct" Partner first_target_pct ..=99.0),
    axis!("breakeven_atr" Mechanism break_even_atr ..=1000.0),
    axis!("dynamic_atr_strength" Mechanism dynamic_strength ..=5.0),
    axis!("hard_stop_pct" Mechanism hard_stop_pct ..=99.0),
    axis!("volume_surge_exit" Mechanism surge_factor ..=1000.0),
];

#[cfg(test)]
mod tests {
    use super::*;

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
        assert_eq!(full().numbers().len(), 3 + 2 * 8);
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
    }
}
