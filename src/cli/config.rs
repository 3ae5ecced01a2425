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
    let texts = context.config_texts(&[])?;
    let config = Config::from_texts(&texts)?;
    let plan = config.check()?;
    let sets = plan.styles.iter().map(|s| (s.space.style().to_string(), s.space.sets() as u64)).collect();
    let document = ConfigDocument { values: values(&config, &texts), parameter_sets: sets };
    match command {
        ConfigCommand::Show => context.print(document, ConfigDocument::text)?,
        ConfigCommand::Check => context.print(document, ConfigDocument::summary)?,
    }
    Ok(0)
}

/// Returns every value with the last source that names it.
fn values(config: &Config, texts: &[(String, String)]) -> BTreeMap<String, ConfigValue> {
    let mut effective = BTreeMap::new();
    flatten("", &config.to_toml().parse().unwrap_or_default(), &mut effective);
    let mut origins: BTreeMap<String, String> = BTreeMap::new();
    for (source, text) in texts {
        let mut named = BTreeMap::new();
        flatten("", &text.parse().unwrap_or_default(), &mut named);
        origins.extend(named.into_keys().map(|key| (key, source.clone())));
    }
    let with_origin = |(key, value): (String, toml::Value)| {
        let origin = origins.get(&key).cloned().unwrap_or_else(|| "default".to_owned());
        let value = serde_json::to_value(&value).unwrap_or_default();
        (key, ConfigValue { value, origin })
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
