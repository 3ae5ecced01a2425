//! The reference pages are what the program knows: tables of columns, of base intervals and of documents, help of commands.

use std::fmt::Write as _;
use std::path::PathBuf;

use retune::features::catalog::COLUMNS;
use retune::features::frame::{lookback_days, warm_up_ms};
use retune::model::{
    DAY_MS, EXIT_AXES, ExitAxis, ExitUnit, FilterValue, HOUR_MS, Interval, Need, Style, Timeframes,
};
use retune::search::defaults::Defaults;
use retune::search::space::SearchSpace;
use serde_json::Value;

use crate::command::{optimizer, subcommands, text};
use crate::document_schemas::EXPORTED;

fn list(values: impl Iterator<Item = f64>) -> String {
    values.map(|value| value.to_string()).collect::<Vec<_>>().join(", ")
}

/// Returns hours as people say them.
fn time(hours: f64) -> String {
    let minutes = (hours * 60.0).round();
    match minutes {
        m if m % 1440.0 == 0.0 => format!("{} d", m / 1440.0),
        m if m < 60.0 => format!("{m} min"),
        m => format!("{} h", m / 60.0),
    }
}

fn holding(style: Style, base: Interval) -> String {
    let Defaults { exits, dimensions } = Defaults::of(style, base).expect("a base");
    let space = SearchSpace::new(style, &exits, dimensions).expect("sound");
    let mut hours: Vec<f64> = space.rules().iter().map(|rule| rule.hold_hours).collect();
    hours.sort_by(f64::total_cmp);
    hours.dedup();
    hours.into_iter().map(time).collect::<Vec<_>>().join(", ")
}

fn levels(style: Style, base: Interval, key: &str) -> String {
    let dimensions = Defaults::of(style, base).expect("a base").dimensions;
    let dimension = dimensions.iter().find(|dimension| dimension.key() == key).expect("a default dimension");
    list(dimension.levels().iter().filter_map(|level| match level.shown {
        FilterValue::Number(number) => Some(number),
        FilterValue::Name(_) => None,
    }))
}

fn intervals() -> String {
    let mut text =
        "| base | trends also on | signals begin after | look-back | `max_holding_hours` scalping | swing | \
                    `min_price_chg_pct` | `min_trend_age_hours` scalping; swing |\n\
                    |---|---|---|---|---|---|---|---|\n"
            .to_owned();
    for Timeframes { base, middle, high } in Timeframes::all() {
        let warm_up = warm_up_ms(base) as f64 / HOUR_MS as f64;
        let warm_up = if warm_up < 48.0 { time(warm_up) } else { format!("{:.1} d", warm_up / 24.0) };
        writeln!(
            text,
            "| {base} | {middle}, {high} | {warm_up} | {} d | {} | {} | {} | {}; {} |",
            lookback_days(base),
            holding(Style::Scalping, base),
            holding(Style::Swing, base),
            levels(Style::Swing, base, "min_price_chg_pct"),
            levels(Style::Scalping, base, "min_trend_age_hours"),
            levels(Style::Swing, base, "min_trend_age_hours"),
        )
        .expect("to memory");
    }
    text
}

fn columns() -> String {
    let mut text = "| column | unit | meaning | base intervals |\n|---|---|---|---|\n".to_owned();
    for column in COLUMNS {
        let on: Vec<String> =
            Timeframes::all().filter(|of| column.is_on(*of)).map(|of| of.base.to_string()).collect();
        let on = if on.len() == Timeframes::all().count() { "all".to_owned() } else { on.join(", ") };
        let meaning = column.meaning.replace('|', "\\|");
        writeln!(text, "| `{}` | {} | {meaning} | {on} |", column.name, column.unit).expect("to memory");
    }
    text
}

/// Returns the help of a command as far as it is its own: options that all commands have are told once.
fn own_help(command: &[&str]) -> String {
    let output =
        optimizer().args(command).arg("--help").env_remove("COLUMNS").output().expect("the program starts");
    let help = text(&output.stdout);
    let own = if command.is_empty() {
        help.as_str()
    } else {
        help.split("\nGlobal options:").next().unwrap_or_default()
    };
    let lines: Vec<&str> = own.trim_end().lines().map(str::trim_end).collect();
    lines.join("\n")
}

/// Adds the sections of a command and of those below it.
fn add_help(page: &mut String, command: &[&str]) {
    let called = [&["optimizer"], command].concat().join(" ");
    write!(page, "### {called}\n\n```text\n{}\n```\n\n", own_help(command)).expect("to memory");
    for name in subcommands(command) {
        add_help(page, &[command, &[name.as_str()]].concat());
    }
}

fn help() -> String {
    let mut page = "\n".to_owned();
    add_help(&mut page, &[]);
    page
}

/// Returns the words of a schema for the content of its document, else for the whole.
fn held_by(schema: &Value) -> &str {
    let content = schema["properties"]["data"]["$ref"].as_str().and_then(|path| path.strip_prefix('#'));
    let described = content.and_then(|path| schema.pointer(path)).unwrap_or(schema);
    described["description"].as_str().unwrap_or_default()
}

fn documents() -> String {
    let mut text = "| kind | holds | schema | example |\n|---|---|---|---|\n".to_owned();
    let folder = "../../schema/documents";
    for exported in &EXPORTED {
        let (kind, schema) = (exported.kind, (exported.schema)());
        let held = held_by(&schema).replace('\n', " ").replace('|', "\\|");
        let links =
            format!("[schema]({folder}/{kind}.schema.json) | [example]({folder}/examples/{kind}.valid.json)");
        writeln!(text, "| `{kind}` | {held} | {links} |").expect("to memory");
    }
    text
}

/// Returns what an axis may be set to.
fn exit_values(axis: &ExitAxis) -> String {
    let numbers = match axis.unit {
        ExitUnit::Switch => "`true`, `false`".to_owned(),
        _ if axis.may_be_zero => format!("0 to {}", axis.most),
        _ if axis.least > 0.0 => format!("{} to {}", axis.least, axis.most),
        _ => format!("above 0, to {}", axis.most),
    };
    let first_target = axis.may_follow_first_target.then_some("`\"tp1\"`");
    let may_be_off = matches!(axis.need, Need::Level | Need::Mechanism);
    let off = (may_be_off && !axis.is_fixed && axis.unit != ExitUnit::Switch).then_some("`\"off\"`");
    let one = axis.is_fixed.then_some("one for all rules");
    [Some(numbers.as_str()), first_target, off, one].into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// Returns every axis of exits, in the order in which values are shown; a partner stands behind the mechanism it belongs to.
fn exit_axes() -> String {
    let mut text = "| key | what it is | counts | values | not named |\n|---|---|---|---|---|\n".to_owned();
    for axis in &EXIT_AXES {
        let mut meaning = axis.meaning.trim().to_owned();
        if let Some(atr) = axis.instead_of {
            write!(meaning, " In place of `{atr}`.").expect("to memory");
        }
        let unnamed = match (axis.unnamed, axis.need) {
            (Some(value), _) if axis.unit == ExitUnit::Switch => (value > 0.0).to_string(),
            (Some(value), _) => value.to_string(),
            (None, Need::Level | Need::Always) => "[of the style](config.md)".to_owned(),
            (None, _) if axis.is_fixed => axis.least.to_string(),
            (None, _) if axis.unit == ExitUnit::Switch => "false".to_owned(),
            (None, _) => "off".to_owned(),
        };
        let (key, unit, values) = (axis.key, axis.unit.as_str(), exit_values(axis));
        writeln!(text, "| `{key}` | {meaning} | {unit} | {values} | {unnamed} |").expect("to memory");
    }
    text
}

/// Compares the part of a page between `<!-- NAME -->` and `<!-- end -->`; `UPDATE_REFERENCE=1` writes it.
fn check(page: &str, name: &str, made: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/reference").join(page);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let begin = format!("<!-- {name} -->\n");
    let (before, rest) = text.split_once(&begin).unwrap_or_else(|| panic!("{page} has no part {name}"));
    let (shown, after) =
        rest.split_once("<!-- end -->").unwrap_or_else(|| panic!("{page}: {name} does not end"));
    if std::env::var_os("UPDATE_REFERENCE").is_some() {
        return std::fs::write(&path, format!("{before}{begin}{made}<!-- end -->{after}")).expect("writable");
    }
    assert_eq!(shown, made, "{page}, {name}: run UPDATE_REFERENCE=1 cargo test reference");
}

#[test]
fn the_axes_of_exits_are_those_of_the_table() {
    check("exits.md", "axes", &exit_axes());
}

#[test]
fn the_columns_are_those_of_the_catalogue() {
    check("columns.md", "columns", &columns());
}

#[test]
fn the_commands_are_those_of_the_program() {
    check("cli.md", "help", &help());
}

#[test]
fn the_keys_of_the_last_line_are_those_of_its_page() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let page = std::fs::read_to_string(root.join("docs/reference/last-line.md")).expect("a page");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`').map(|(key, _)| key));
    let listed: Vec<&str> = rows.collect();
    let source = std::fs::read_to_string(root.join("src/render/text/run.rs")).expect("a source");
    let body = source.split("pub fn summary_line(").nth(1).and_then(|rest| rest.split("\n}\n").next());
    let body = body.expect("the function of the line");
    let keys: Vec<&str> = body
        .split('"')
        .skip(1)
        .step_by(2)
        .flat_map(str::split_whitespace)
        .filter_map(|pair| pair.split_once('=').map(|(key, _)| key.trim_start_matches("{clock}")))
        .collect();
    let sorted = |mut keys: Vec<&str>| {
        keys.sort_unstable();
        keys.join(" ")
    };
    assert_eq!(sorted(listed), sorted(keys));
}

#[test]
fn the_documents_are_those_that_are_exported() {
    assert!(EXPORTED.iter().all(|exported| !held_by(&(exported.schema)()).is_empty()));
    check("json.md", "documents", &documents());
}

#[test]
fn the_base_intervals_are_those_of_a_run() {
    assert_eq!(lookback_days(Interval::M15), 30);
    assert!(Timeframes::all().all(|of| i64::from(lookback_days(of.base)) * DAY_MS >= warm_up_ms(of.base)));
    check("intervals.md", "intervals", &intervals());
}
