//! Values by name: one list of a type's values writes them and reads them back.
//!
//! What is read need not know every name: names that a type does not list are ignored, and values that it lists and that are
//! not there are undefined.

/// A value that is written as a number.
pub trait NamedValue: Sized {
    /// Returns the value as a number; `None` where it is not defined.
    fn number(&self) -> Option<f64>;
    /// Returns the value of a number, or of none; `None` where it has to be there.
    fn of_number(number: Option<f64>) -> Option<Self>;
}

impl NamedValue for f64 {
    fn number(&self) -> Option<f64> {
        Some(*self)
    }

    fn of_number(number: Option<f64>) -> Option<Self> {
        number
    }
}

impl NamedValue for Option<f64> {
    fn number(&self) -> Option<f64> {
        *self
    }

    fn of_number(number: Option<f64>) -> Option<Self> {
        Some(number)
    }
}

/// Counts up to this are exact as numbers.
const COUNT_MAX: f64 = 9_007_199_254_740_992.0;

impl NamedValue for u64 {
    fn number(&self) -> Option<f64> {
        Some(*self as f64)
    }

    fn of_number(number: Option<f64>) -> Option<Self> {
        number.filter(|number| (0.0..=COUNT_MAX).contains(number)).map(|number| number as u64)
    }
}

impl NamedValue for usize {
    fn number(&self) -> Option<f64> {
        Some(*self as f64)
    }

    fn of_number(number: Option<f64>) -> Option<Self> {
        u64::of_number(number).and_then(|count| usize::try_from(count).ok())
    }
}

impl NamedValue for bool {
    fn number(&self) -> Option<f64> {
        Some(f64::from(*self))
    }

    fn of_number(number: Option<f64>) -> Option<Self> {
        number.map(|number| number != 0.0)
    }
}

/// A type that lists its values by name, always all of them in the same order.
pub trait Named: Clone + Default {
    /// Names every value, for writing and for reading alike.
    fn list(&mut self, values: &mut NamedValues<'_>);
}

/// What values are written to, or read from.
#[expect(missing_debug_implementations, reason = "it holds a function")]
pub struct NamedValues<'a> {
    prefix: String,
    way: Way<'a>,
}

enum Way<'a> {
    Write(Vec<(String, f64)>),
    Read {
        value: &'a dyn Fn(&str) -> Option<f64>,
        /// Whether everything was there that has to be.
        whole: bool,
    },
}

/// Returns the defined values of a type by name; what is not finite is not defined.
pub fn named_values<T: Named>(of: &T) -> Vec<(String, f64)> {
    let mut values = NamedValues { prefix: String::new(), way: Way::Write(Vec::new()) };
    of.clone().list(&mut values);
    match values.way {
        Way::Write(written) => written,
        Way::Read { .. } => unreachable!("it was made to write"),
    }
}

/// Reads a type by the names of its values; `None` where one is not there that has to be.
pub fn read_named<T: Named>(value: &dyn Fn(&str) -> Option<f64>) -> Option<T> {
    let mut values = NamedValues { prefix: String::new(), way: Way::Read { value, whole: true } };
    let mut read = T::default();
    read.list(&mut values);
    values.is_whole().then_some(read)
}

impl NamedValues<'_> {
    fn is_whole(&self) -> bool {
        !matches!(self.way, Way::Read { whole: false, .. })
    }

    /// Names a value.
    pub fn value<T: NamedValue>(&mut self, name: &str, at: &mut T) {
        let name = format!("{}{name}", self.prefix);
        match &mut self.way {
            Way::Write(written) => {
                written.extend(at.number().filter(|number| number.is_finite()).map(|number| (name, number)));
            }
            Way::Read { value, whole } => match T::of_number(value(&name)) {
                Some(found) => *at = found,
                None => *whole = false,
            },
        }
    }

    /// Names a value that is not written while it is as it begins, and need not be there: the first programs did not keep it.
    pub fn later<T: NamedValue + Default + PartialEq>(&mut self, name: &str, at: &mut T) {
        let mut kept = (*at != T::default()).then_some(()).and_then(|()| at.number());
        self.value(name, &mut kept);
        *at = T::of_number(kept).unwrap_or_default();
    }

    /// Names a value that need not be there; it is as it begins then.
    pub fn or_default<T: NamedValue + Default>(&mut self, name: &str, at: &mut T) {
        let mut kept = at.number();
        self.value(name, &mut kept);
        *at = T::of_number(kept).unwrap_or_default();
    }

    /// Names values that are there together or not at all.
    pub fn group<T: Clone + Default>(&mut self, at: &mut Option<T>, list: impl FnOnce(&mut T, &mut Self)) {
        let before = self.is_whole();
        let is_read = match &mut self.way {
            Way::Write(_) => false,
            Way::Read { whole, .. } => {
                *whole = true;
                true
            }
        };
        if is_read {
            *at = Some(T::default());
        }
        if let Some(part) = at {
            list(part, self);
        }
        if let Way::Read { whole, .. } = &mut self.way {
            if !*whole {
                *at = None;
            }
            *whole = before;
        }
    }

    /// Puts words before every name of a list.
    pub fn within(&mut self, prefix: &str, list: impl FnOnce(&mut Self)) {
        let length = self.prefix.len();
        self.prefix.push_str(prefix);
        list(self);
        self.prefix.truncate(length);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[derive(Debug, Clone, PartialEq, Default)]
    struct Pair {
        low: f64,
        high: Option<f64>,
        choices: u64,
    }

    #[derive(Debug, Clone, PartialEq, Default)]
    struct Whole {
        days: u64,
        share: Option<f64>,
        pair: Option<Pair>,
        other: Option<Pair>,
    }

    impl Named for Whole {
        fn list(&mut self, values: &mut NamedValues<'_>) {
            let pair = |pair: &mut Pair, values: &mut NamedValues<'_>| {
                values.value("low", &mut pair.low);
                values.value("high", &mut pair.high);
                values.later("choices", &mut pair.choices);
            };
            values.value("days", &mut self.days);
            values.value("share", &mut self.share);
            values.within("pair_", |values| values.group(&mut self.pair, pair));
            values.within("other_", |values| values.group(&mut self.other, pair));
        }
    }

    fn read(values: &[(&str, f64)]) -> Option<Whole> {
        let values: BTreeMap<&str, f64> = values.iter().copied().collect();
        read_named(&|name| values.get(name).copied())
    }

    #[test]
    fn what_is_written_is_read() {
        let pair = Pair { low: 0.1 + 0.2, high: None, choices: 4 };
        let whole = Whole { days: 7, share: Some(1.0 / 3.0), pair: Some(pair), other: None };
        let written = named_values(&whole);
        let names: Vec<&str> = written.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["days", "share", "pair_low", "pair_choices"]);
        let written: Vec<(&str, f64)> = written.iter().map(|(name, value)| (name.as_str(), *value)).collect();
        assert_eq!(read(&written), Some(whole));
    }

    #[test]
    fn a_name_that_is_missing_leaves_its_group_undefined_and_others_are_ignored() {
        let found = read(&[("days", 1.0), ("pair_high", 2.0), ("other_low", 3.0), ("older", 4.0)]);
        let other = Some(Pair { low: 3.0, high: None, choices: 0 });
        assert_eq!(found, Some(Whole { days: 1, share: None, pair: None, other }));
        assert_eq!(read(&[("share", 1.0)]), None, "days have to be there");
        assert_eq!(read(&[("days", -1.0)]), None, "no count");
    }
}
