//! Every entry of the table of exit axes goes all the way: parsed, enumerated, fingerprinted, stored, cached, shown, exported, imported.

use serde_json::{Map, Value};

use crate::bot::import::set_of;
use crate::bot::keys::{SWITCHES, inexpressible, live_exits};
use crate::config::{Config, reference_page};
use crate::decide::key_values;
use crate::documents::document::params_object;
use crate::engine::plan::{DayLimits, Plan};
use crate::engine::reuse::{decode_context, encode_context};
use crate::engine::unit_schema::UnitSchema;
use crate::model::{EXIT_AXES, ExitAxis, ExitRule, ExitUnit, Need, ParameterSet, Style};
use crate::store::records::StoredParameterSet;

/// Two values of an axis.
fn two(axis: &ExitAxis) -> [f64; 2] {
    // Whole hours, what no leverage is below, and what no take-profit of the defaults is nearer than.
    match axis.need {
        _ if axis.unit == ExitUnit::Switch && axis.may_be_off() => [1.0, 0.0],
        _ if axis.unit == ExitUnit::Switch => [0.0, 1.0],
        Need::Always => [2.0, 3.0],
        _ if axis.is_fixed => [2.0, 3.0],
        _ => [0.25, 0.5],
    }
}

/// Returns the plan of a space whose axis has some values, with the mechanism that it is a partner of.
fn plan(axis: usize, values: &[f64]) -> Plan {
    let line = |axis: &ExitAxis, values: &[f64]| match axis.unit {
        ExitUnit::Switch => {
            format!("{} = {:?}\n", axis.key, values.iter().map(|value| *value != 0.0).collect::<Vec<_>>())
        }
        _ => format!("{} = {values:?}\n", axis.key),
    };
    let mut space = line(&EXIT_AXES[axis], values);
    for partner in (0..=axis).rev().take_while(|place| EXIT_AXES[*place].need == Need::Partner) {
        space += &line(&EXIT_AXES[partner - 1], &[0.75]);
    }
    if EXIT_AXES[axis].is_fixed {
        space += "stop_loss_pct = 10\n";
    }
    if EXIT_AXES[axis].needs_named_partner {
        space += &line(&EXIT_AXES[axis + 1], &[0.75]);
    }
    if falls(&EXIT_AXES[axis]) {
        space += "roi_pct = 9\n";
    }
    let signals = if EXIT_AXES[axis].key == "exit_signal" { "[signals]\nfile = \"x\"\n" } else { "" };
    let text = format!("{signals}[style.swing.space]\n{space}");
    let config =
        Config::from_texts(&[("test".to_owned(), text.clone())]).unwrap_or_else(|e| panic!("{text}{e}"));
    config.plan(&[Style::Swing], DayLimits::default()).unwrap_or_else(|e| panic!("{text}{e}"))
}

/// Returns whether an axis says how a target falls.
fn falls(axis: &ExitAxis) -> bool {
    ["roi_decay_minutes", "roi_floor_pct"].contains(&axis.key)
}

/// Returns a rule in which an axis has a value, with its partner.
fn rule(axis: usize, value: f64) -> ExitRule {
    let mut rule = ExitRule::new(2.0, 1.5, 8.0);
    if EXIT_AXES[axis].is_fixed {
        rule = ExitRule { stop_atr: None, stop_loss_pct: Some(10.0), ..rule };
    }
    if let Some(atr) = EXIT_AXES[axis].instead_of.and_then(ExitAxis::named) {
        atr.turn_off(&mut rule);
    }
    rule.roi_pct = falls(&EXIT_AXES[axis]).then_some(9.0);
    EXIT_AXES[axis].set(&mut rule, value);
    // The mechanism of a partner of a partner is found from behind.
    for (mechanism, partner) in ExitAxis::pairs().rev().chain(ExitAxis::pairs()) {
        match (mechanism.gives_to(partner, &rule), partner.value(&rule)) {
            (true, None) => partner.set(&mut rule, 1.0),
            (false, Some(_)) => mechanism.set(&mut rule, 1.0),
            _ => {}
        }
    }
    rule
}

#[test]
fn every_exit_axis_is_parsed_enumerated_and_fingerprinted() {
    for (place, axis) in EXIT_AXES.iter().enumerate() {
        let [one, other] = two(axis);
        let together: &[&[f64]] = if axis.is_fixed { &[&[one], &[other]] } else { &[&[one, other]] };
        for values in together {
            let planned = plan(place, values);
            let rules = planned.styles[0].space.rules();
            for value in *values {
                let is_value = |rule: &ExitRule| match axis.value(rule) {
                    // A switch of its own that is 0 is off.
                    None => axis.unit == ExitUnit::Switch && axis.may_be_off() && *value == 0.0,
                    own => own == Some(*value),
                };
                assert!(rules.iter().any(is_value), "{} = {value}", axis.key);
            }
        }
        let alone = [one, other].map(|value| plan(place, &[value]));
        assert_ne!(alone[0].fingerprint(), alone[1].fingerprint(), "{}", axis.key);
        let grids = alone.each_ref().map(|plan| plan.styles[0].space.fingerprint());
        assert_ne!(grids[0], grids[1], "{}", axis.key);
        let schemas = alone.each_ref().map(|plan| UnitSchema::of(&plan.styles[0]));
        assert_ne!(schemas[0].fingerprint(), schemas[1].fingerprint(), "{}", axis.key);
        for schema in schemas {
            assert_eq!(decode_context(&encode_context(&schema)), Some(schema), "{}", axis.key);
        }
        assert!(reference_page().contains(&format!("| `{}` | exit, {} |", axis.key, axis.unit.as_str())));
    }
}

#[test]
fn every_exit_axis_is_stored_and_shown() {
    for (place, axis) in EXIT_AXES.iter().enumerate() {
        let value = two(axis)[0];
        let set = ParameterSet { exit: rule(place, value), filters: Vec::new() };
        let stored = StoredParameterSet::from(&set);
        assert_eq!(stored.number(axis.key), Some(value));
        let row = postcard::to_stdvec(&stored).expect("plain values");
        assert!(row.windows(axis.key.len()).any(|part| part == axis.key.as_bytes()), "{} by name", axis.key);
        assert_eq!(ParameterSet::try_from(&stored).expect("sound"), set);
        assert_eq!(params_object(&stored).get(axis.key).and_then(Value::as_f64), Some(value));
        let shown = (axis.key.to_owned(), value.to_string());
        assert!(key_values(&set).contains(&shown), "{shown:?}");
    }
}

#[test]
fn every_exit_axis_comes_back_from_the_file_of_the_bot_or_is_refused() {
    for (place, axis) in EXIT_AXES.iter().enumerate() {
        let exit = rule(place, two(axis)[0]);
        let set = ParameterSet { exit, filters: Vec::new() };
        let stored = StoredParameterSet::from(&set);
        let beyond = inexpressible(&stored).join(", ");
        assert_eq!(beyond.is_empty(), axis.is_known_to_bot, "{}", axis.key);
        if !axis.is_known_to_bot {
            assert!(beyond.contains(&format!("{} = ", axis.key)), "{beyond}");
            continue;
        }
        let mut params: Map<String, Value> = params_object(&stored);
        let live = live_exits(&stored);
        for (switch, _) in SWITCHES {
            params.insert(switch.to_owned(), live[switch].clone());
        }
        let global = Map::from_iter([("swing_params".to_owned(), Value::Object(live))]);
        let file = [("swing_params", params), ("global", global)];
        let file = Map::from_iter(file.map(|(key, value)| (key.to_owned(), Value::Object(value))));
        let read = set_of(&file, Style::Swing).expect("sound").expect("parameters");
        assert_eq!(read.set, set, "{}", axis.key);
    }
}
