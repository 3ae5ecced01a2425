//! The parameter set that a strategy's parameter file holds: the one of the space that an export would write the same.

use serde_json::{Map, Value};

use super::equality::same_space;
use super::map::{FreqtradeMap, MapError};
use super::params_file::{ParamsFile, shortened};
use crate::model::{EXIT_AXES, ExitAxis, ExitRule, FilterValue, ParameterSet};
use crate::search::space::{Dimension, ThresholdLevel};

/// Values of an axis that an error lists.
const VALUES_SHOWN: usize = 12;
/// Most sets among which the one is looked for that an export named.
const NAMED_MAX: usize = 50_000;

/// A value that is given beside the file: key and value of an axis.
pub type Given = (String, String);

/// The axes that are searched: every exit rule of a space, and its filters.
#[derive(Debug, Clone, Copy)]
pub struct SearchedAxes<'a> {
    /// Exit rules.
    pub rules: &'a [ExitRule],
    /// Filters.
    pub dimensions: &'a [Dimension],
}

/// Why a file gives no parameter set.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum IncumbentError {
    /// The map and the space do not fit.
    #[error(transparent)]
    Map(#[from] MapError),
    /// The file has another value than any set of the space.
    #[error("{place}: expected {expected}, found {found}")]
    Value {
        /// Where it stands in the file.
        place: String,
        /// What sets of the space have.
        expected: String,
        /// What the file has.
        found: String,
    },
    /// No axis has such a value.
    #[error("{key}: expected {expected}, found {found:?}")]
    Given {
        /// The axis, as it was given.
        key: String,
        /// Axes, or values of the axis.
        expected: String,
        /// The value, as it was given.
        found: String,
    },
    /// Several sets of the space are written the same.
    #[error("expected one set of the space with these values, found several: nothing says which value they have of {}", axes.join("; "))]
    Ambiguous {
        /// Axes with the values that are left.
        axes: Vec<String>,
    },
}

/// What a file holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Incumbent {
    /// The parameter set.
    pub set: ParameterSet,
    /// Places of the file that the map does not hand over.
    pub not_mapped: Vec<String>,
}

impl FreqtradeMap {
    /// Returns the only set of the axes whose export is what the file says, with some values given.
    ///
    /// Where several sets are written the same, it is the one that the export named which wrote the file, if it is among them.
    ///
    /// Errors: [`IncumbentError`]
    pub fn incumbent(
        &self,
        axes: SearchedAxes<'_>,
        file: &ParamsFile,
        given: &[Given],
    ) -> Result<Incumbent, IncumbentError> {
        check_given(axes, given)?;
        self.check_sources(axes.dimensions)?;
        let levels = |dimension: &Dimension| self.levels_left(dimension, file, given);
        let levels: Vec<Vec<FilterValue>> = axes.dimensions.iter().map(levels).collect::<Result<_, _>>()?;
        let rules = self.rules_left(axes.rules, file, given)?;
        let keys: Vec<&str> = axes.dimensions.iter().map(Dimension::key).collect();
        let set = match (&rules[..], levels.iter().all(|levels| levels.len() == 1)) {
            ([rule], true) => set_of(*rule, &keys, levels.iter().map(|levels| &levels[0])),
            _ => named(&rules, &keys, &levels, file.params_id())
                .ok_or_else(|| IncumbentError::Ambiguous { axes: differing(&rules, &keys, &levels) })?,
        };
        let owned = self.spaces_of(&set)?;
        Ok(Incumbent { set, not_mapped: file.places_beside(&owned) })
    }

    /// Holds the names of filters in the map to those of the space.
    fn check_sources(&self, dimensions: &[Dimension]) -> Result<(), MapError> {
        let unknown = self
            .sources()
            .find(|(_, _, source)| dimensions.iter().all(|dimension| dimension.key() != source.from()));
        let Some((space, name, source)) = unknown else { return Ok(()) };
        let known: Vec<&str> = dimensions.iter().map(Dimension::key).collect();
        Err(MapError::Value {
            place: format!("{space}.{name}"),
            expected: format!("one of the filters of the space: {}", known.join(", ")),
            found: format!("`{}`", source.from()),
        })
    }

    /// Returns the levels of a filter that an export writes as the file has it.
    fn levels_left(
        &self,
        dimension: &Dimension,
        file: &ParamsFile,
        given: &[Given],
    ) -> Result<Vec<FilterValue>, IncumbentError> {
        let shown = dimension.levels().iter().map(|level: &ThresholdLevel| level.shown.clone());
        let mut left: Vec<FilterValue> =
            shown.filter(|level| is_given(given, dimension.key(), &level.to_string())).collect();
        for (space, name, source) in self.sources().filter(|(.., source)| source.from() == dimension.key()) {
            let place = format!("{space}.{name}");
            let mut written = Vec::new();
            let mut refused = None;
            for level in left {
                match source.value_of(&level, &place) {
                    Ok(value) => written.push((level, value)),
                    Err(error) => refused = refused.or(Some(error)),
                }
            }
            if let (true, Some(error)) = (written.is_empty(), refused) {
                return Err(error.into());
            }
            let values: Vec<String> = written.iter().map(|(_, value)| value.to_string()).collect();
            let expected = || format!("one of {} (`{}` of the space)", listed(values), dimension.key());
            let found = file.value(space, name);
            let is_it = |value: &Value| found.is_some_and(|found| super::equality::same(found, value));
            let is_there = written.iter().any(|(_, value)| is_it(value));
            if !is_there {
                return Err(wrong(place, expected(), found));
            }
            left = written.into_iter().filter(|(_, value)| is_it(value)).map(|(level, _)| level).collect();
        }
        Ok(left)
    }

    /// Returns the exit rules that an export writes as the file has them.
    fn rules_left(
        &self,
        rules: &[ExitRule],
        file: &ParamsFile,
        given: &[Given],
    ) -> Result<Vec<ExitRule>, IncumbentError> {
        let is_wanted = |rule: &&ExitRule| {
            EXIT_AXES.iter().all(|axis| is_given(given, axis.key, &shown_value(axis, rule)))
        };
        let wanted: Vec<&ExitRule> = rules.iter().filter(is_wanted).collect();
        let mut refused = None;
        let mut written: Vec<(&ExitRule, Map<String, Value>)> = Vec::new();
        for rule in wanted {
            match self.exits_of(rule) {
                Ok(spaces) => written.push((rule, spaces)),
                Err(error) => refused = refused.or(Some(error)),
            }
        }
        match (written.first(), refused) {
            (None, Some(error)) => return Err(error.into()),
            (None, None) => {
                return Err(IncumbentError::Given {
                    key: "exits".to_owned(),
                    expected: "an exit rule of the space with the values given".to_owned(),
                    found: "none".to_owned(),
                });
            }
            _ => {}
        }
        let is_it = |space: &str, own: &Map<String, Value>| {
            file.space(space).zip(own.get(space)).is_some_and(|(found, own)| same_space(space, found, own))
        };
        let spaces: Vec<String> = written[0].1.keys().cloned().collect();
        for space in &spaces {
            if !written.iter().any(|(_, own)| is_it(space, own)) {
                let mut values: Vec<String> = Vec::new();
                for value in written.iter().filter_map(|(_, own)| own.get(space)).map(Value::to_string) {
                    if !values.contains(&value) {
                        values.push(value);
                    }
                }
                let place = format!("params.{space}");
                let expected = format!("what a rule of the space is written as: {}", listed(values));
                let found = file.space(space);
                let meant =
                    found.map(|found| self.meant_by(space, found, written[0].0.leverage)).unwrap_or_default();
                return Err(match wrong(place, expected, found) {
                    IncumbentError::Value { place, expected, found } => {
                        IncumbentError::Value { place, expected, found: found + &meant }
                    }
                    error => error,
                });
            }
        }
        let all_of =
            |(_, own): &&(&ExitRule, Map<String, Value>)| spaces.iter().all(|space| is_it(space, own));
        let left: Vec<ExitRule> = written.iter().filter(all_of).map(|(rule, _)| **rule).collect();
        match left.is_empty() {
            false => Ok(left),
            true => Err(IncumbentError::Value {
                place: spaces.iter().map(|space| format!("params.{space}")).collect::<Vec<_>>().join(", "),
                expected: "values that one rule of the space has together".to_owned(),
                found: "values of different rules".to_owned(),
            }),
        }
    }
}

fn wrong(place: String, expected: String, found: Option<&impl serde::Serialize>) -> IncumbentError {
    let nothing = || "nothing: freqtrade takes it from the strategy's source".to_owned();
    IncumbentError::Value { place, expected, found: found.map_or_else(nothing, shortened) }
}

/// Returns values as a list, not all of many.
fn listed(values: Vec<String>) -> String {
    let more = values.len().saturating_sub(VALUES_SHOWN);
    let shown = values[..values.len().min(VALUES_SHOWN)].join(", ");
    if more > 0 { format!("{shown} and {more} more") } else { shown }
}

/// Returns the value of an axis as it is given.
fn shown_value(axis: &ExitAxis, rule: &ExitRule) -> String {
    axis.value(rule).map_or_else(|| "off".to_owned(), |value| value.to_string())
}

/// Returns whether a value is what is given of its axis, if anything is.
fn is_given(given: &[Given], key: &str, value: &str) -> bool {
    let number = |text: &str| text.parse::<f64>().ok().filter(|number| number.is_finite());
    given.iter().filter(|(own, _)| own == key).all(|(_, wanted)| {
        wanted == value || number(wanted).is_some_and(|wanted| number(value) == Some(wanted))
    })
}

/// Holds what is given to the axes.
fn check_given(axes: SearchedAxes<'_>, given: &[Given]) -> Result<(), IncumbentError> {
    for (key, wanted) in given {
        let unknown =
            |expected: String| IncumbentError::Given { key: key.clone(), expected, found: wanted.clone() };
        let values = values_of(axes, key).ok_or_else(|| {
            let exits = EXIT_AXES.iter().filter(|axis| values_of(axes, axis.key).is_some());
            let filters = axes.dimensions.iter().map(Dimension::key);
            let keys: Vec<&str> = exits.map(|axis| axis.key).chain(filters).collect();
            unknown(format!("an axis of the space: {}", keys.join(", ")))
        })?;
        if !values
            .iter()
            .any(|value| is_given(std::slice::from_ref(&(key.clone(), wanted.clone())), key, value))
        {
            return Err(unknown(format!("one of its values: {}", listed(values))));
        }
    }
    Ok(())
}

/// Returns the values of an axis; `None` where no set has it.
fn values_of(axes: SearchedAxes<'_>, key: &str) -> Option<Vec<String>> {
    if let Some(dimension) = axes.dimensions.iter().find(|dimension| dimension.key() == key) {
        return Some(dimension.levels().iter().map(|level| level.shown.to_string()).collect());
    }
    let axis = ExitAxis::named(key)?;
    let mut values: Vec<String> = Vec::new();
    for value in axes.rules.iter().map(|rule| shown_value(axis, rule)) {
        if !values.contains(&value) {
            values.push(value);
        }
    }
    (values != ["off"] && !values.is_empty()).then_some(values)
}

fn set_of<'a>(exit: ExitRule, keys: &[&str], levels: impl Iterator<Item = &'a FilterValue>) -> ParameterSet {
    let filters = keys.iter().map(|key| (*key).to_owned()).zip(levels.cloned()).collect();
    ParameterSet { exit, filters }
}

/// Returns the set that an export named, where it is among those left.
fn named(
    rules: &[ExitRule],
    keys: &[&str],
    levels: &[Vec<FilterValue>],
    id: Option<&str>,
) -> Option<ParameterSet> {
    let id = id?;
    let cells = levels.iter().map(Vec::len).try_fold(1_usize, usize::checked_mul)?;
    if cells.checked_mul(rules.len())? > NAMED_MAX {
        return None;
    }
    let cell = |rule: ExitRule, mut cell: usize| {
        let place = |levels: &Vec<FilterValue>| {
            let place = cell % levels.len();
            cell /= levels.len();
            place
        };
        let places: Vec<usize> = levels.iter().map(place).collect();
        set_of(rule, keys, levels.iter().zip(places).map(|(levels, place)| &levels[place]))
    };
    let mut sets = rules.iter().flat_map(|rule| (0..cells).map(move |index| cell(*rule, index)));
    sets.find(|set| super::params_id(set) == id)
}

/// Returns the axes in which sets differ, with their values.
fn differing(rules: &[ExitRule], keys: &[&str], levels: &[Vec<FilterValue>]) -> Vec<String> {
    let of_rules = SearchedAxes { rules, dimensions: &[] };
    let exits = EXIT_AXES.iter().filter_map(|axis| Some((axis.key, values_of(of_rules, axis.key)?)));
    let shown = |levels: &Vec<FilterValue>| levels.iter().map(ToString::to_string).collect::<Vec<_>>();
    let filters = keys.iter().copied().zip(levels.iter().map(shown));
    let several = exits.chain(filters).filter(|(_, values)| values.len() > 1);
    several.map(|(key, values)| format!("`{key}` ({})", listed(values))).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::Style;
    use crate::search::space::{Bound, ExitAxes, ExitAxisValue, SearchSpace, number_levels};

    const MAP: &str = "[buy]\nscore = { from = \"min_signal_score\", as = \"int\" }\nrr = \"min_risk_reward\"\n\
                       [exits]\nroi = true\nstoploss = true\ntrailing = true\nholding = true\nfee_pct = 0.05\n";

    fn filter(key: &str, source: &str, levels: &[f64]) -> Dimension {
        Dimension::new(key, source, Bound::AtLeast, number_levels(levels)).expect("a filter")
    }

    /// Two filters, and exits that the map hands over whole.
    fn space() -> SearchSpace {
        use ExitAxisValue::{At, Off};
        let mut exits = ExitAxes::new(&[2.0], &[1.5], &[4.0, 8.0]);
        for (key, levels) in [
            ("atr_tp_multiplier", vec![Off]),
            ("atr_stop_multiplier", vec![Off]),
            ("stop_loss_pct", vec![At(5.0), At(10.0)]),
            ("roi_pct", vec![At(4.0), At(6.0)]),
            ("roi_decay_minutes", vec![Off, At(60.0)]),
            ("roi_floor_pct", vec![At(0.3)]),
            ("trailing_pct", vec![Off, At(2.0)]),
            ("trailing_offset_pct", vec![At(3.0)]),
            ("leverage", vec![At(3.0)]),
        ] {
            assert!(exits.set(key, levels));
        }
        let filters = vec![
            filter("min_signal_score", "signal_score", &[40.0, 50.0, 60.0]),
            filter("min_risk_reward", "risk_reward", &[0.0, 1.5]),
        ];
        SearchSpace::new(Style::Scalping, &exits, filters).expect("sound")
    }

    fn found(
        space: &SearchSpace,
        map: &str,
        file: &ParamsFile,
        given: &[(&str, &str)],
    ) -> Result<Incumbent, String> {
        let given: Vec<Given> =
            given.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let axes = SearchedAxes { rules: space.rules(), dimensions: space.dimensions() };
        let map = FreqtradeMap::parse(map).expect("a map");
        map.incumbent(axes, file, &given).map_err(|error| error.to_string())
    }

    fn file_of(map: &str, set: &ParameterSet) -> ParamsFile {
        let spaces = FreqtradeMap::parse(map).expect("a map").spaces_of(set).expect("handed over");
        ParamsFile::new("S").with(&spaces)
    }

    #[test]
    fn every_set_of_a_space_comes_back_from_what_is_written_of_it() {
        let space = space();
        assert_eq!(space.sets(), 2 * 2 * 2 * 2 * 2 * 6);
        for rule in 0..space.rules().len() {
            for cell in 0..space.lattice().cells() {
                let set = space.set(rule, cell);
                let file = file_of(MAP, &set);
                let incumbent = found(&space, MAP, &file, &[]);
                let expected = Incumbent { set: set.clone(), not_mapped: Vec::new() };
                assert_eq!(incumbent, Ok(expected), "{set:?}");
                assert_eq!(file.changes_to(&file_of(MAP, &set)), []);
            }
        }
    }

    #[test]
    fn what_freqtrade_writes_otherwise_and_means_the_same_is_found_and_stays_as_it_is() {
        let space = space();
        let set = space.set(0, 0);
        let own = FreqtradeMap::parse(MAP).expect("a map").spaces_of(&set).expect("handed over");
        let mut document = json!({ "strategy_name": "S", "ft_stratparam_v": 1, "params": own });
        document["params"]["buy"]["score"] = json!(40.0);
        document["params"]["buy"]["rr"] = json!(0);
        document["params"]["buy"]["other"] = json!("x");
        document["params"]["trailing"] = json!({
            "trailing_stop": false, "trailing_stop_positive": null, "trailing_stop_positive_offset": 0.0,
            "trailing_only_offset_is_reached": false,
        });
        document["params"]["max_open_trades"] = json!({ "max_open_trades": 10 });
        let file = ParamsFile::parse(document.to_string().as_bytes(), "S").expect("a file");
        let incumbent = found(&space, MAP, &file, &[]).expect("the set");
        assert_eq!(incumbent.set, set);
        assert_eq!(incumbent.not_mapped, ["buy.other", "max_open_trades.max_open_trades"]);
        let spaces = FreqtradeMap::parse(MAP).expect("a map").spaces_of(&incumbent.set).expect("handed over");
        assert_eq!(file.changes_to(&file.with(&spaces)), [], "an export changes nothing");
    }

    #[test]
    fn a_value_that_no_set_has_is_named_with_those_that_they_have() {
        let space = space();
        let said = |change: fn(&mut Value)| {
            let spaces =
                FreqtradeMap::parse(MAP).expect("a map").spaces_of(&space.set(0, 0)).expect("handed over");
            let mut document = json!({ "strategy_name": "S", "params": spaces });
            change(&mut document["params"]);
            let file = ParamsFile::parse(document.to_string().as_bytes(), "S").expect("a file");
            found(&space, MAP, &file, &[]).expect_err("no set")
        };
        let score = said(|params| params["buy"]["score"] = json!(45));
        assert_eq!(
            score,
            "buy.score: expected one of 40, 50, 60 (`min_signal_score` of the space), found 45"
        );
        let gone = said(|params| drop(params["buy"].as_object_mut().and_then(|buy| buy.remove("rr"))));
        assert!(
            gone.contains("buy.rr: expected one of 0.0, 1.5") && gone.contains("found nothing"),
            "{gone}"
        );
        let stop = said(|params| params["stoploss"]["stoploss"] = json!(-0.131));
        assert!(
            stop.contains("params.stoploss: ") && stop.ends_with("which is `stop_loss_pct` 13.1 %"),
            "{stop}"
        );
        let roi = said(|params| params["roi"] = json!({ "0": 0.05, "480": -1 }));
        assert!(roi.contains("params.roi: ") && roi.contains("which is targets of 5.3"), "{roi}");
        let none = said(|params| drop(params.as_object_mut().and_then(|params| params.remove("trailing"))));
        assert!(none.contains("params.trailing: ") && none.contains("found nothing"), "{none}");
    }

    #[test]
    fn values_of_different_rules_are_no_rule() {
        let mut exits = ExitAxes::new(&[2.0], &[1.5], &[8.0]);
        exits.set("stop_loss_pct", vec![ExitAxisValue::At(5.0), ExitAxisValue::At(10.0)]);
        exits.set("atr_stop_multiplier", vec![ExitAxisValue::Off]);
        exits.set("take_profit_pct", vec![ExitAxisValue::At(4.0), ExitAxisValue::At(6.0)]);
        exits.set("atr_tp_multiplier", vec![ExitAxisValue::Off]);
        let rules: Vec<ExitRule> = exits
            .rules()
            .into_iter()
            .filter(|rule| (rule.stop_loss_pct == Some(5.0)) == (rule.take_profit_pct == Some(4.0)))
            .collect();
        let map = FreqtradeMap::parse("[exits]\nroi = true\nstoploss = true").expect("a map");
        let document = json!({ "strategy_name": "S", "params": { "roi": { "0": 0.04 }, "stoploss": { "stoploss": -0.1 } } });
        let file = ParamsFile::parse(document.to_string().as_bytes(), "S").expect("a file");
        let axes = SearchedAxes { rules: &rules, dimensions: &[] };
        let error = map.incumbent(axes, &file, &[]).expect_err("two rules").to_string();
        assert!(error.contains("values of different rules"), "{error}");
    }

    #[test]
    fn several_sets_that_are_written_the_same_are_refused_until_one_is_said() {
        let space = space();
        let map = "[buy]\nscore = { from = \"min_signal_score\", as = \"int\" }\n[exits]\nstoploss = true\n";
        let set = space.set(3, 3);
        let file = file_of(map, &set);
        let error = found(&space, map, &file, &[]).expect_err("many");
        for axis in ["`max_holding_hours` (4, 8)", "`min_risk_reward` (0, 1.5)", "`trailing_pct` (off, 2)"] {
            assert!(error.contains(axis), "{axis}: {error}");
        }
        assert!(!error.contains("min_signal_score") && !error.contains("stop_loss_pct"), "{error}");
        let values: Vec<(&str, String)> = EXIT_AXES
            .iter()
            .filter(|axis| {
                values_of(SearchedAxes { rules: space.rules(), dimensions: &[] }, axis.key).is_some()
            })
            .map(|axis| (axis.key, shown_value(axis, &set.exit)))
            .chain([("min_risk_reward", set.filter("min_risk_reward").expect("it has it").to_string())])
            .collect();
        let given: Vec<(&str, &str)> = values.iter().map(|(key, value)| (*key, value.as_str())).collect();
        assert_eq!(found(&space, map, &file, &given).map(|found| found.set), Ok(set.clone()));
        // An export names the set, and what it wrote comes back whole.
        let text = file.text(&super::super::params_id(&set), 0, 0);
        let named = ParamsFile::parse(text.as_bytes(), "S").expect("a file");
        assert_eq!(found(&space, map, &named, &[]).map(|found| found.set), Ok(set));
        let other = ParamsFile::parse(file.text("another", 0, 0).as_bytes(), "S").expect("a file");
        assert!(found(&space, map, &other, &[]).is_err());
        let said = |given: &[(&str, &str)]| found(&space, map, &file, given).expect_err("refused");
        let unknown = said(&[("min_rr", "1")]);
        assert!(unknown.contains("min_rr: expected an axis of the space: max_holding_hours"), "{unknown}");
        let level = said(&[("min_risk_reward", "2")]);
        assert!(level.contains("expected one of its values: 0, 1.5, found \"2\""), "{level}");
        let source = found(&space, "[buy]\nx = \"min_rsi\"", &file, &[]).expect_err("no filter");
        assert!(
            source.contains("buy.x: expected one of the filters of the space: min_signal_score"),
            "{source}"
        );
    }
}
