//! The map between a parameter set and the spaces of a strategy.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::equality::rounded;
use crate::model::{EXIT_AXES, ExitAxis, ExitRule, FilterValue, ParameterSet};

/// Spaces that freqtrade reads in its own way: `[exits]` of the map writes them.
const OWN_SPACES: [&str; 4] = ["roi", "stoploss", "trailing", "max_open_trades"];
/// Longest name of a space or parameter.
const NAME_CHARS_MAX: usize = 100;

/// Why a set cannot be handed over.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum MapError {
    /// The map is not one.
    #[error("{0}")]
    NoMap(String),
    /// The map asks for what the set does not have, or for another kind of value.
    #[error("{place}: expected {expected}, found {found}")]
    Value {
        /// Where it stands in the map.
        place: String,
        /// What can stand there.
        expected: String,
        /// What the set has.
        found: String,
    },
}

/// The kind of value that a parameter of the strategy has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ValueKind {
    /// A `DecimalParameter` or `RealParameter`.
    #[default]
    Float,
    /// An `IntParameter`.
    Int,
    /// A `CategoricalParameter`: one of the values given, by the name that the set has.
    Category,
    /// A `BooleanParameter`, on where the set's number is above 0.
    Bool,
}

/// Where the value of a parameter comes from.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
pub(super) enum ParameterSource {
    /// A filter of the set, as a float.
    Key(String),
    /// The same with more said.
    Full(FullSource),
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FullSource {
    from: String,
    #[serde(default, rename = "as")]
    kind: ValueKind,
    /// Value of the strategy by the name that the set has.
    #[serde(default)]
    values: BTreeMap<String, toml::Value>,
}

/// Which exits are handed over, and how they are counted there.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct ExitsMap {
    roi: bool,
    stoploss: bool,
    trailing: bool,
    /// The longest holding time, as the row of the staircase at which freqtrade leaves whatever the profit is.
    holding: bool,
    /// Of the strategy: freqtrade counts exits in percent of the stake. That of the set, unless it is given.
    leverage: Option<f64>,
    /// Of a side: freqtrade's targets are after fees, ours are levels of the price.
    fee_pct: f64,
}

impl Default for ExitsMap {
    fn default() -> Self {
        Self { roi: false, stoploss: false, trailing: false, holding: false, leverage: None, fee_pct: 0.0 }
    }
}

/// Which filter goes to which parameter of which space, and which exits go with them.
#[derive(Debug, Clone, PartialEq)]
pub struct FreqtradeMap {
    spaces: BTreeMap<String, BTreeMap<String, ParameterSource>>,
    exits: ExitsMap,
}

impl FreqtradeMap {
    /// Reads a map: a table for each space, with `parameter = "filter"` or `parameter = { from = "filter", as = "int" }`, and
    /// `[exits]`.
    ///
    /// Errors: [`MapError::NoMap`], with the line
    pub fn parse(text: &str) -> Result<Self, MapError> {
        let tables: BTreeMap<String, toml::Table> =
            toml::from_str(text).map_err(|error| MapError::NoMap(error.to_string().trim_end().to_owned()))?;
        let mut map = Self { spaces: BTreeMap::new(), exits: ExitsMap::default() };
        for (space, table) in tables {
            if space == "exits" {
                map.exits = read_table(&space, table)?;
                continue;
            }
            if OWN_SPACES.contains(&space.as_str()) {
                let message = format!(
                    "[{space}]: expected a space of parameters such as `buy` or `sell`, found one that freqtrade reads in its own \
                     way: `[exits]` writes roi, stoploss and trailing"
                );
                return Err(MapError::NoMap(message));
            }
            is_identifier(&space, &space)?;
            let sources: BTreeMap<String, ParameterSource> = read_table(&space, table)?;
            for name in sources.keys() {
                is_identifier(name, &format!("{space}.{name}"))?;
            }
            map.spaces.insert(space, sources);
        }
        let ExitsMap { leverage, fee_pct, .. } = map.exits;
        if let Some(leverage) = leverage.filter(|times| !(*times > 0.0 && *times <= 1_000.0)) {
            return Err(value_error("exits.leverage", "a number above 0, at most 1000", leverage));
        }
        if !(0.0..10.0).contains(&fee_pct) {
            return Err(value_error("exits.fee_pct", "0 to 10 percent of a side", fee_pct));
        }
        if map.spaces.values().all(BTreeMap::is_empty) && !map.hands_exits() {
            let message =
                "expected a table such as `[buy]` with `parameter = \"filter\"`, or `[exits]`, found neither";
            return Err(MapError::NoMap(message.to_owned()));
        }
        Ok(map)
    }

    /// Returns whether exits are handed over.
    fn hands_exits(&self) -> bool {
        let ExitsMap { roi, stoploss, trailing, holding, .. } = self.exits;
        roi || stoploss || trailing || holding
    }

    /// Returns what the file has to say of a set, space by space.
    ///
    /// Errors: a filter that the set does not have, a value of another kind, exits that freqtrade cannot have
    pub fn spaces_of(&self, set: &ParameterSet) -> Result<Map<String, Value>, MapError> {
        let mut spaces = Map::new();
        for (space, sources) in &self.spaces {
            let mut params = Map::new();
            for (name, source) in sources {
                params.insert(name.clone(), source.value_in(set, &format!("{space}.{name}"))?);
            }
            spaces.insert(space.clone(), Value::Object(params));
        }
        spaces.extend(self.exits_of(&set.exit)?);
        Ok(spaces)
    }

    /// Returns the parameters with where their values come from, as (space, parameter, source).
    pub(super) fn sources(&self) -> impl Iterator<Item = (&str, &str, &ParameterSource)> {
        self.spaces.iter().flat_map(|(space, sources)| {
            sources.iter().map(move |(name, source)| (space.as_str(), name.as_str(), source))
        })
    }

    /// Returns what an exit of a file would be among the exits of sets with this leverage, for who reads that none is so.
    pub(super) fn meant_by(&self, space: &str, found: &Map<String, Value>, own: Option<f64>) -> String {
        let ExitsMap { leverage, fee_pct, .. } = self.exits;
        let (times, fee) = (leverage.or(own).unwrap_or(1.0), fee_pct / 100.0);
        let price = |value: &Value| match space {
            "stoploss" => Some(-value.as_f64()? / times),
            "roi" => Some((1.0 + value.as_f64()? / times) * (1.0 + fee) / (1.0 - fee) - 1.0),
            _ => None,
        };
        let percent = |share: f64| rounded(share * 100.0 * own.unwrap_or(1.0)).to_string();
        let shown: Vec<String> = found.values().filter_map(price).map(percent).collect();
        let key = if space == "stoploss" { "`stop_loss_pct` " } else { "targets of " };
        if shown.is_empty() { String::new() } else { format!(", which is {key}{} %", shown.join(", ")) }
    }

    /// Returns the exits of a set as freqtrade counts them.
    pub(super) fn exits_of(&self, exit: &ExitRule) -> Result<Map<String, Value>, MapError> {
        let ExitsMap { roi, stoploss, trailing, holding, leverage, fee_pct } = self.exits;
        let known = |key: &str| ExitAxis::named(key).and_then(|axis| axis.value(exit));
        // The percentages of the set are of its stake; what moves is the price.
        let number = |key: &str| known(key).map(|percent| exit.percent_of_price(percent));
        let leverage = match (leverage, exit.leverage) {
            (Some(given), Some(own)) if given != own => {
                return Err(value_error(
                    "exits.leverage",
                    &format!("that of the set, {own}, or none"),
                    given,
                ));
            }
            (given, own) => given.or(own).unwrap_or(1.0),
        };
        let needed = |place: &str, key: &str| {
            number(key).ok_or_else(|| MapError::Value {
                place: format!("exits.{place}"),
                expected: format!("a set with `{key}`, an exit in percent of the price"),
                found: known_exits(exit),
            })
        };
        if self.hands_exits() {
            // Levels in ATR may stay behind; what else a set has would be lost in silence.
            let is_lost = |axis: &&ExitAxis| {
                axis.is_optional() && !axis.is_known_to_freqtrade && axis.value(exit).is_some()
            };
            if let Some(lost) = EXIT_AXES.iter().find(is_lost) {
                let known: Vec<&str> = ExitAxis::of_freqtrade().map(|axis| axis.key).collect();
                return Err(MapError::Value {
                    place: "exits".to_owned(),
                    expected: format!(
                        "exits that freqtrade has without code of the strategy: {}",
                        known.join(", ")
                    ),
                    found: format!("`{}`", lost.key),
                });
            }
        }
        let share = |percent: f64| rounded(percent / 100.0 * leverage);
        let mut spaces = Map::new();
        if roi || holding {
            let fee = fee_pct / 100.0;
            let net = |percent: f64| ((1.0 + percent / 100.0) * (1.0 - fee) / (1.0 + fee) - 1.0) * leverage;
            let rows = if roi { exit.targets() } else { Vec::new() };
            // freqtrade counts whole minutes, and a row is in force from its minute on.
            let row = |(minutes, target): (f64, f64)| (minutes.ceil() as u64, exit.percent_of_price(target));
            let rows: Vec<(u64, f64)> = rows.into_iter().map(row).collect();
            if roi && rows.is_empty() {
                needed("roi", "take_profit_pct")?;
            }
            if let Some((_, target)) = rows.first().filter(|(_, target)| net(*target) <= 0.0) {
                return Err(value_error("exits.roi", "a target above the fees of both sides", *target));
            }
            let mut table: Map<String, Value> = rows
                .iter()
                .map(|(minutes, target)| (minutes.to_string(), json!(rounded(net(*target)))))
                .collect();
            if holding {
                let minutes = (exit.hold_hours * 60.0).round() as u64;
                table.retain(|row, _| row.parse::<u64>().is_ok_and(|row| row < minutes));
                // Any profit is beyond the loss of all.
                table.insert(minutes.to_string(), json!(-1));
            }
            spaces.insert("roi".to_owned(), Value::Object(table));
        }
        if stoploss {
            let stop = share(needed("stoploss", "stop_loss_pct")?);
            if stop >= 1.0 {
                return Err(value_error("exits.stoploss", "a stop nearer than the whole stake", stop));
            }
            spaces.insert("stoploss".to_owned(), json!({ "stoploss": -stop }));
        }
        if trailing {
            let space = match number("trailing_pct") {
                None if known("trailing_stop_distance").is_some() => {
                    return Err(needed("trailing", "trailing_pct").expect_err("it is in ATR"));
                }
                None => json!({ "trailing_stop": false }),
                Some(distance) => {
                    let offset = number("trailing_offset_pct").unwrap_or(0.0);
                    if offset > 0.0 && offset <= distance {
                        return Err(value_error(
                            "exits.trailing",
                            "an offset beyond the distance behind the price: with another the bot does not start",
                            offset,
                        ));
                    }
                    let waits = exit.trailing_only_offset == Some(1.0) && offset > 0.0;
                    json!({
                        "trailing_stop": true,
                        "trailing_stop_positive": share(distance),
                        "trailing_stop_positive_offset": share(offset),
                        "trailing_only_offset_is_reached": waits,
                    })
                }
            };
            spaces.insert("trailing".to_owned(), space);
        }
        Ok(spaces)
    }
}

impl ParameterSource {
    /// Returns the filter that the value is of.
    pub(super) fn from(&self) -> &str {
        match self {
            Self::Key(from) | Self::Full(FullSource { from, .. }) => from,
        }
    }

    fn value_in(&self, set: &ParameterSet, place: &str) -> Result<Value, MapError> {
        let from = self.from();
        let found = set.filter(from).ok_or_else(|| {
            let known: Vec<&str> = set.filters.iter().map(|(key, _)| key.as_str()).collect();
            MapError::Value {
                place: place.to_owned(),
                expected: format!("one of the filters of the set: {}", known.join(", ")),
                found: format!("`{from}`"),
            }
        })?;
        self.value_of(found, place)
    }

    /// Returns what is written of a value of the filter.
    pub(super) fn value_of(&self, found: &FilterValue, place: &str) -> Result<Value, MapError> {
        let (from, kind, values) = match self {
            Self::Key(from) => (from, ValueKind::Float, None),
            Self::Full(FullSource { from, kind, values }) => (from, *kind, Some(values)),
        };
        let wrong = |expected: &str| MapError::Value {
            place: place.to_owned(),
            expected: expected.to_owned(),
            found: format!("`{from}` = {found}"),
        };
        match (kind, found) {
            (ValueKind::Float, FilterValue::Number(number)) => Ok(json!(number)),
            (ValueKind::Int, FilterValue::Number(number)) if number.fract() == 0.0 && number.abs() < 1e15 => {
                Ok(json!(*number as i64))
            }
            (ValueKind::Bool, FilterValue::Number(number)) => Ok(json!(*number > 0.0)),
            (ValueKind::Category, found) => {
                let known = values.and_then(|values| values.get(&found.to_string()));
                let known = known.ok_or_else(|| wrong("a name that `values` has"))?;
                serde_json::to_value(known).map_err(|error| MapError::NoMap(format!("{place}: {error}")))
            }
            (ValueKind::Int, _) => Err(wrong("a whole number (as = \"int\")")),
            (ValueKind::Float | ValueKind::Bool, _) => Err(wrong(
                "a number; a name is handed over by as = \"category\" and values = { name = value }",
            )),
        }
    }
}

fn known_exits(exit: &ExitRule) -> String {
    let known: Vec<&str> = exit.values().map(|(key, _)| key).collect();
    known.join(", ")
}

fn value_error(place: &str, expected: &str, found: f64) -> MapError {
    MapError::Value { place: place.to_owned(), expected: expected.to_owned(), found: found.to_string() }
}

/// Reads a table of the map.
fn read_table<T: serde::de::DeserializeOwned>(name: &str, table: toml::Table) -> Result<T, MapError> {
    table.try_into().map_err(|error: toml::de::Error| {
        MapError::NoMap(format!("[{name}]: {}", error.to_string().trim_end()))
    })
}

/// freqtrade takes spaces and parameters that are names in Python.
fn is_identifier(name: &str, place: &str) -> Result<(), MapError> {
    let mut chars = name.chars();
    let begins = chars.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_');
    match begins && chars.all(|c| c.is_ascii_alphanumeric() || c == '_') && name.len() <= NAME_CHARS_MAX {
        true => Ok(()),
        false => Err(MapError::NoMap(format!("{place}: expected a name as Python has them, found {name:?}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set() -> ParameterSet {
        ParameterSet {
            exit: ExitRule::new(2.0, 1.5, 8.0),
            filters: vec![
                ("min_rsi".to_owned(), FilterValue::Number(40.0)),
                ("min_volume".to_owned(), FilterValue::Number(2.6)),
                ("trend".to_owned(), FilterValue::Name("trend_only".to_owned())),
            ],
        }
    }

    #[test]
    fn filters_go_where_the_map_says_as_the_kind_it_says() {
        let map = FreqtradeMap::parse(
            "[buy]\nbuy_rsi = { from = \"min_rsi\", as = \"int\" }\nbuy_vol = \"min_volume\"\n\
             use_trend = { from = \"trend\", as = \"category\", values = { all = false, trend_only = true } }\n\
             [entry]\nloud = { from = \"min_volume\", as = \"bool\" }\n",
        );
        let spaces = map.expect("a map").spaces_of(&set()).expect("the set has it");
        let expected = json!({
            "buy": { "buy_rsi": 40, "buy_vol": 2.6, "use_trend": true },
            "entry": { "loud": true },
        });
        assert_eq!(Value::Object(spaces), expected);
    }

    #[test]
    fn exits_are_of_the_stake_under_one_leverage() {
        let of = |leverage, text: &str| {
            let exit = ExitRule {
                take_profit_pct: Some(20.0),
                stop_loss_pct: Some(10.0),
                leverage,
                ..ExitRule::holding(8.0)
            };
            let map = FreqtradeMap::parse(&format!("[exits]\nroi = true\nstoploss = true\n{text}"));
            let spaces = map.expect("a map").spaces_of(&ParameterSet { exit, filters: Vec::new() })?;
            Ok((spaces["roi"]["0"].clone(), spaces["stoploss"]["stoploss"].clone()))
        };
        let at =
            |leverage, text: &str| of(leverage, text).unwrap_or_else(|error: MapError| panic!("{error}"));
        assert_eq!(at(None, ""), (json!(0.2), json!(-0.1)));
        // Percentages of a stake without leverage are of the price, and twice as much of one with.
        assert_eq!(at(None, "leverage = 2"), (json!(0.4), json!(-0.2)));
        assert_eq!(at(Some(5.0), ""), (json!(0.2), json!(-0.1)));
        assert_eq!(at(Some(5.0), "leverage = 5"), (json!(0.2), json!(-0.1)));
        let refused = of(Some(5.0), "leverage = 2").expect_err("two leverages").to_string();
        assert!(
            refused.contains("exits.leverage: expected that of the set, 5, or none, found 2"),
            "{refused}"
        );
    }

    #[test]
    fn a_staircase_goes_over_with_take_profit_and_holding_time() {
        let of = |exit: ExitRule, text: &str| {
            let map = FreqtradeMap::parse(&format!("[exits]\n{text}")).expect("a map");
            map.spaces_of(&ParameterSet { exit, filters: Vec::new() }).map(|spaces| spaces["roi"].clone())
        };
        let stairs = ExitRule {
            roi_pct: Some(6.0),
            roi_decay_minutes: Some(90.0),
            roi_floor_pct: Some(0.0),
            ..ExitRule::holding(8.0)
        };
        let all = json!({ "0": 0.06, "30": 0.04, "60": 0.02, "90": 0.0 });
        assert_eq!(of(stairs, "roi = true"), Ok(all));
        let lower = ExitRule { take_profit_pct: Some(5.0), leverage: Some(2.0), ..stairs };
        assert_eq!(of(lower, "roi = true"), Ok(json!({ "0": 0.05, "30": 0.04, "60": 0.02, "90": 0.0 })));
        let held = json!({ "0": 0.06, "30": 0.04, "60": -1 });
        assert_eq!(of(ExitRule { hold_hours: 1.0, ..stairs }, "roi = true\nholding = true"), Ok(held));
        assert_eq!(of(ExitRule::holding(8.0), "holding = true"), Ok(json!({ "480": -1 })));
        let rows = ExitRule {
            take_profit_pct: Some(3.0),
            roi_minutes_4: Some(60.5),
            roi_pct_4: Some(1.0),
            ..ExitRule::holding(8.0)
        };
        assert_eq!(of(rows, "roi = true"), Ok(json!({ "0": 0.03, "61": 0.01 })));
        // A target at the entry price is a loss of both fees.
        let net = of(stairs, "roi = true\nfee_pct = 0.05").expect("sound");
        assert_eq!(net["90"], json!(-0.00099950024987));
        let none = of(ExitRule::holding(8.0), "roi = true").expect_err("no target").to_string();
        assert!(none.contains("exits.roi: expected a set with `take_profit_pct`"), "{none}");
    }

    #[test]
    fn a_trailing_stop_goes_over_where_freqtrade_has_one_like_it() {
        let of = |exit: ExitRule| {
            let map = FreqtradeMap::parse("[exits]\ntrailing = true").expect("a map");
            map.spaces_of(&ParameterSet { exit, filters: Vec::new() })
                .map(|spaces| spaces["trailing"].clone())
        };
        let trailing = |distance, offset, only| ExitRule {
            stop_loss_pct: Some(10.0),
            trailing_pct: Some(distance),
            trailing_offset_pct: Some(offset),
            trailing_only_offset: Some(only),
            leverage: Some(5.0),
            ..ExitRule::holding(8.0)
        };
        let written = |distance: f64, offset: f64, only: bool| {
            json!({
                "trailing_stop": true, "trailing_stop_positive": distance, "trailing_stop_positive_offset": offset,
                "trailing_only_offset_is_reached": only,
            })
        };
        assert_eq!(of(trailing(5.0, 10.0, 1.0)), Ok(written(0.05, 0.1, true)));
        assert_eq!(of(trailing(5.0, 10.0, 0.0)), Ok(written(0.05, 0.1, false)));
        // A bot that waits for no offset does not start.
        assert_eq!(of(trailing(5.0, 0.0, 1.0)), Ok(written(0.05, 0.0, false)));
        assert_eq!(of(ExitRule::holding(8.0)), Ok(json!({ "trailing_stop": false })));
        let refused = |exit| of(exit).expect_err("refused").to_string();
        let near = refused(trailing(5.0, 5.0, 1.0));
        assert!(near.contains("exits.trailing: expected an offset beyond the distance"), "{near}");
        let more = refused(ExitRule { break_even_pct: Some(1.0), ..trailing(5.0, 10.0, 1.0) });
        assert!(more.contains("found `breakeven_pct`"), "{more}");
    }

    #[test]
    fn what_the_set_does_not_have_or_the_strategy_cannot_take_is_refused() {
        let said = |text: &str| match FreqtradeMap::parse(text) {
            Ok(map) => map.spaces_of(&set()).expect_err(text).to_string(),
            Err(error) => error.to_string(),
        };
        let cases = [
            (
                "[buy]\nx = \"min_rs\"",
                "buy.x: expected one of the filters of the set: min_rsi, min_volume, trend, found `min_rs`",
            ),
            (
                "[buy]\nx = { from = \"min_volume\", as = \"int\" }",
                "buy.x: expected a whole number (as = \"int\"), found `min_volume` = 2.6",
            ),
            ("[buy]\nx = \"trend\"", "buy.x: expected a number; a name is handed over"),
            (
                "[buy]\nx = { from = \"trend\", as = \"category\", values = { all = 1 } }",
                "a name that `values` has, found `trend` = trend_only",
            ),
            ("[buy]\nx = { from = \"trend\", at = 1 }", "[buy]: "),
            ("[roi]\nx = \"min_rsi\"", "[roi]: expected a space of parameters"),
            ("[buy]\n\"a b\" = \"min_rsi\"", "buy.a b: expected a name as Python has them"),
            ("", "found neither"),
            ("[exits]\nroi = false", "found neither"),
            ("[exits]\nroi = true\nleverage = 0", "exits.leverage: expected a number above 0"),
            ("[exits]\nroi = true\nfee_pct = -1", "exits.fee_pct: expected 0 to 10"),
            ("[exits]\nstop = true", "[exits]: "),
            (
                "[exits]\nstoploss = true",
                "exits.stoploss: expected a set with `stop_loss_pct`, an exit in percent of the price, found atr_tp_multiplier",
            ),
            ("buy = 3", "invalid type"),
        ];
        for (text, expected) in cases {
            let found = said(text);
            assert!(found.contains(expected), "{text:?}: {found}");
        }
    }
}
