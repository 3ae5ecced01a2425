//! `optimizer config`: what is in effect and where it comes from; whether it is sound.

use std::collections::BTreeMap;

use super::context::Context;
use super::failure::Failure;
use crate::config::Config;
use crate::documents::config::{ConfigDocument, ConfigValue};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum ConfigCommand {
    /// Every value in effect, with where it comes from
    Show,
    /// Whether the configuration is sound, and how large its spaces are
    Check,
}

pub(crate) fn run(context: &Context, command: &ConfigCommand) -> Result<u8, Failure> {
    let config = context.config(&[])?;
    let plan = config.check()?;
    super::notify::check_channels(&config)?;
    let sets = plan.styles.iter().map(|s| (s.space.style().to_string(), s.space.sets() as u64)).collect();
    let document = ConfigDocument { values: values(&config), parameter_sets: sets };
    match command {
        ConfigCommand::Show => context.print(document, ConfigDocument::text)?,
        ConfigCommand::Check => context.print(document, ConfigDocument::summary)?,
    }
    Ok(0)
}

/// Returns every value in effect with where it comes from.
fn values(config: &Config) -> BTreeMap<String, ConfigValue> {
    let mut effective = BTreeMap::new();
    flatten("", &config.to_toml().parse().unwrap_or_default(), &mut effective);
    let with_origin = |(key, value): (String, toml::Value)| {
        let origin = config.origin(&key);
        let value = serde_json::to_value(&value).unwrap_or_default();
        let (origin, line) = (origin.source().to_owned(), origin.line());
        (key, ConfigValue { value, origin, line })
    };
    effective.into_iter().map(with_origin).collect()
}

/// Collects the values of a table by dotted key; arrays are values.
fn flatten(prefix: &str, table: &toml::Table, into: &mut BTreeMap<String, toml::Value>) {
    for (key, value) in table {
        let key = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
        match value {
            toml::Value::Table(table) => flatten(&key, table, into),
            value => drop(into.insert(key, value.clone())),
        }
    }
}
