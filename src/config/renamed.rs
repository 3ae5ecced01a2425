//! Keys that have another name now: the old one is read, and named with the new one in a warning.

/// A key or section with its name of before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Renamed {
    pub(crate) old: &'static str,
    pub(crate) new: &'static str,
}

/// Every renamed key, by dotted name. A key keeps its meaning and its values: what changes them is another key.
pub(crate) static RENAMED: &[Renamed] = &[
    Renamed { old: "validate.early_share", new: "validate.in_sample_share" },
    Renamed { old: "validate.min_late_trades", new: "validate.min_out_of_sample_trades" },
];

/// Returns the new name of a key.
pub(crate) fn renamed(old: &str) -> Option<&'static Renamed> {
    RENAMED.iter().find(|renamed| renamed.old == old)
}

/// Gives the keys of a table their new names. Where both are there, the new one stays.
pub(crate) fn rename_keys(table: &mut toml::Table) {
    for Renamed { old, new } in RENAMED {
        if let Some(value) = take(table, old) {
            put(table, new, value);
        }
    }
}

fn take(table: &mut toml::Table, path: &str) -> Option<toml::Value> {
    match path.split_once('.') {
        None => table.remove(path),
        Some((section, rest)) => take(table.get_mut(section)?.as_table_mut()?, rest),
    }
}

fn put(table: &mut toml::Table, path: &str, value: toml::Value) {
    match path.split_once('.') {
        None => drop(table.entry(path).or_insert(value)),
        Some((section, rest)) => {
            let inner = table.entry(section).or_insert_with(|| toml::Value::Table(toml::Table::new()));
            if let Some(inner) = inner.as_table_mut() {
                put(inner, rest, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::keys::root;

    #[test]
    fn old_names_are_free_and_new_ones_known() {
        for Renamed { old, new } in RENAMED {
            assert_eq!(root().at(old), None, "{old} is a key");
            assert!(root().at(new).is_some(), "{new} is no key");
        }
    }

    #[test]
    fn tables_get_the_new_names() {
        let mut table: toml::Table = "[validate]\nearly_share = 0.6\nquick = true\n".parse().expect("TOML");
        rename_keys(&mut table);
        assert_eq!(table, "[validate]\nin_sample_share = 0.6\nquick = true\n".parse().expect("TOML"));
    }
}
