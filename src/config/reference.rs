//! The reference page of the configuration, written from the table of keys.

use std::fmt::Write as _;

use super::Config;
use super::keys::{Key, Shape, root};
use super::network::{BarkConfig, EmailConfig, HeartbeatConfig, NtfyConfig, TelegramConfig, WebhookConfig};
use super::renamed::RENAMED;
use crate::model::{EXIT_AXES, Interval, Style};
use crate::search::defaults::Defaults;
use crate::search::space::{Bound, ExitAxisValue};

const HEAD: &str = "# Configuration: every key

Written from the program's own table of keys; a test holds it to the program. `optimizer init` writes a file with the
defaults, `optimizer config show` prints what is in effect and where each value comes from.

Values are laid over the defaults in this order, the later over the earlier: files (`-c FILE`, repeatable, in order),
variables of the environment (`OPTIMIZER_SEARCH__TOP=5` is `search.top = 5`), `--set KEY=VALUE` in order, other flags. A list
or an axis is replaced as a whole.

A size is a whole number with B, KiB, MiB or GiB, a time one with ms, s, m, h or d, a window one with d or w.
";

/// Returns the page as Markdown.
pub fn reference_page() -> String {
    let mut text = HEAD.to_owned();
    let defaults = defaults();
    for section in root().keys() {
        write_section(&mut text, &section.name, section, &defaults);
    }
    write_axes(&mut text);
    text.push_str("\n## Names of before\n\nThey are read as the new ones, with a warning; a file has one of the two.\n\n| Old | New |\n|---|---|\n");
    for renamed in RENAMED {
        let _ = writeln!(text, "| `{}` | `{}` |", renamed.old, renamed.new);
    }
    text
}

/// Returns the defaults, with those of the sections that are off as long as nobody names them.
fn defaults() -> toml::Table {
    let mut config = Config::default();
    config.notify.email = Some(EmailConfig::default());
    config.notify.telegram = Some(TelegramConfig::default());
    config.notify.ntfy = Some(NtfyConfig::default());
    config.notify.bark = Some(BarkConfig::default());
    config.notify.heartbeat = Some(HeartbeatConfig::default());
    config.notify.webhook = Some(WebhookConfig::default());
    toml::Table::try_from(config).expect("defaults are a table")
}

/// Writes the keys of a section, then the sections in it.
fn write_section(text: &mut String, path: &str, section: &Key, defaults: &toml::Table) {
    let (keys, header) = match &section.shape {
        Shape::Section(keys) => (keys, format!("[{path}]")),
        Shape::List(of) => match &**of {
            Shape::Section(keys) => (keys, format!("[[{path}]]")),
            _ => return,
        },
        _ => return,
    };
    let is_section = |key: &&Key| match &key.shape {
        Shape::Section(_) => true,
        Shape::List(of) => matches!(**of, Shape::Section(_)),
        _ => false,
    };
    let _ = write!(text, "\n## `{header}`\n\n{}\n", section.meaning);
    let own: Vec<&Key> = keys.iter().filter(|key| !is_section(key)).collect();
    if !own.is_empty() {
        text.push_str("\n| Key | Type | Default | Unit | Meaning |\n|---|---|---|---|---|\n");
    }
    for key in own {
        let default = default(&format!("{path}.{}", key.name), key, defaults);
        let unit = key.unit.as_deref().unwrap_or_default();
        let meaning = cell(&meaning(key));
        let _ = writeln!(text, "| `{}` | {} | {default} | {unit} | {meaning} |", key.name, kind(&key.shape));
    }
    for key in keys.iter().filter(is_section) {
        write_section(text, &format!("{path}.{}", key.name), key, defaults);
    }
}

/// Returns what a key means, with its words.
fn meaning(key: &Key) -> String {
    let words = match &key.shape {
        Shape::Words(words) => words,
        Shape::List(of) => match &**of {
            Shape::Words(words) => words,
            _ => return key.meaning.clone(),
        },
        _ => return key.meaning.clone(),
    };
    let words = words.iter().map(|word| format!("<br>`{}`: {}", word.name, word.meaning));
    key.meaning.clone() + &words.collect::<String>()
}

fn kind(shape: &Shape) -> String {
    match shape {
        Shape::Section(_) => "section".to_owned(),
        Shape::Map(of) => format!("keys with {} each", kind(of)),
        Shape::List(of) => format!("list of {}", kind(of)),
        Shape::Words(_) => "word".to_owned(),
        Shape::Text => "text".to_owned(),
        Shape::Quantity(quantity) => quantity.trim_start_matches("an ").trim_start_matches("a ").to_owned(),
        Shape::Boolean => "true or false".to_owned(),
        Shape::Whole(_) => "whole number".to_owned(),
        Shape::Number => "number".to_owned(),
        Shape::Axis => "values of an axis".to_owned(),
    }
}

fn default(path: &str, key: &Key, defaults: &toml::Table) -> String {
    if key.is_required {
        return "needed".to_owned();
    }
    let found = path
        .split('.')
        .try_fold(toml::Value::Table(defaults.clone()), |value, name| value.get(name).cloned());
    match found {
        Some(toml::Value::String(text)) if text.is_empty() => String::new(),
        Some(toml::Value::Table(table)) if table.is_empty() => String::new(),
        Some(value) => format!("`{}`", cell(&value.to_string())),
        None => String::new(),
    }
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

/// Writes the axes of the styles' spaces.
fn write_axes(text: &mut String) {
    text.push_str(
        "\n## Axes of a space\n\nKeys of `[style.scalping.space]` and `[style.swing.space]`, with their defaults on 15m candles. An axis is a number, a list, or a \
         range `{ min = 1, max = 2, step = 0.5 }`. An exit mechanism may be `\"off\"`, and is unless it is named; so may take-profit and stop. \
         `breakeven_atr` may be `\"tp1\"`. What exits mean is told in the guide, what filters read in [feature columns](columns.md).\n\n\
         | Key | Kind |",
    );
    Style::ALL.iter().for_each(|style| text.push_str(&format!(" {} |", style.title())));
    text.push_str(&format!("\n|---|---|{}\n", "---|".repeat(Style::COUNT)));
    let [scalping, swing] =
        Style::ALL.map(|style| Defaults::of(style, Interval::M15).expect("15m is a base of a run"));
    for (index, axis) in EXIT_AXES.iter().enumerate() {
        let levels =
            |defaults: &Defaults| list(defaults.exits.levels(index).iter().map(ExitAxisValue::to_string));
        let _ = writeln!(
            text,
            "| `{}` | exit, {} | {} | {} |",
            axis.key,
            axis.unit.as_str(),
            levels(&scalping),
            levels(&swing)
        );
    }
    for (index, dimension) in scalping.dimensions.iter().enumerate() {
        let levels = |defaults: &Defaults| {
            list(defaults.dimensions[index].levels().iter().map(|level| level.shown.to_string()))
        };
        let (key, bound) = (dimension.key(), dimension.bound());
        let bound = if bound == Bound::AtLeast { "at least" } else { "at most" };
        let _ = writeln!(
            text,
            "| `{key}` | filter: `{}` {bound} | {} | {} |",
            dimension.source().name(),
            levels(&scalping),
            levels(&swing)
        );
    }
}

fn list(values: impl Iterator<Item = String>) -> String {
    values.collect::<Vec<_>>().join(", ")
}
