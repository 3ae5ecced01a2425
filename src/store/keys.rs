//! Keys are text that sorts as it should: `default/00000000000000000412/scalping`.
//!
//! A profile holds no `/`, so a key falls apart in one way only, and all rows of a profile or of a run are
//! neighbours. Run ids are zero-padded to the 20 digits of the largest `u64`.

use std::ops::Range;

use super::error::StoreError;
use super::tables::Section;
use crate::model::{Style, Symbol};

/// The key of the only row of `meta`.
pub(super) const META_KEY: &str = "store";

/// The form of a table's keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyShape {
    /// The fixed key of the only row.
    Store,
    /// Name of a section.
    Section,
    /// Profile and scope.
    ProfileScope,
    /// Profile and style.
    ProfileStyle,
    /// Profile and run.
    ProfileRun,
    /// Profile, run and style.
    ProfileRunStyle,
}

impl KeyShape {
    /// Returns the form as text.
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Store => "store",
            Self::Section => "<section>",
            Self::ProfileScope => "<profile>/<scope>",
            Self::ProfileStyle => "<profile>/<style>",
            Self::ProfileRun => "<profile>/<run, 20 digits>",
            Self::ProfileRunStyle => "<profile>/<run, 20 digits>/<style>",
        }
    }

    /// Returns whether a key has this form.
    pub(super) fn accepts(self, key: &str) -> bool {
        match self {
            Self::Store => key == META_KEY,
            Self::Section => Section::HEADED.iter().any(|section| section.as_str() == key),
            Self::ProfileScope => split_key(key).is_some_and(|(_, scope)| is_scope(scope)),
            Self::ProfileStyle => split_key(key).is_some_and(|(_, style)| style_named(style).is_some()),
            Self::ProfileRun => split_key(key).is_some_and(|(_, run)| run_numbered(run).is_some()),
            Self::ProfileRunStyle => split_key(key)
                .and_then(|(_, rest)| rest.split_once('/'))
                .is_some_and(|(run, style)| run_numbered(run).is_some() && style_named(style).is_some()),
        }
    }
}

/// Returns profile and rest of a key that begins with a valid profile.
pub(super) fn split_key(key: &str) -> Option<(&str, &str)> {
    key.split_once('/').filter(|(profile, _)| is_profile(profile))
}

/// Returns the run a text of 20 digits stands for.
pub(super) fn run_numbered(text: &str) -> Option<u64> {
    let plain = text.len() == 20 && text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|_| plain)
}

/// Returns the style of a name.
pub(super) fn style_named(name: &str) -> Option<Style> {
    Style::named(name)
}

/// Returns whether a profile can have this name: 1 to 64 letters, digits, dots, dashes or underscores.
pub fn is_profile(name: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    (1..=64).contains(&name.len()) && name.bytes().all(plain)
}

fn is_scope(scope: &str) -> bool {
    let canonical = |name: &str| Symbol::parse(name).is_some_and(|symbol| symbol.as_str() == name);
    match scope.split('/').collect::<Vec<_>>().as_slice() {
        ["global"] => true,
        [style] => style_named(style).is_some(),
        ["symbol", symbol, style] => canonical(symbol) && style_named(style).is_some(),
        _ => false,
    }
}

/// Returns the profile if it can be part of a key.
pub(super) fn profile_key(name: &str) -> Result<&str, StoreError> {
    let expected = "a profile of 1 to 64 letters, digits, dots, dashes or underscores";
    is_profile(name).then_some(name).ok_or_else(|| StoreError::Name { expected, found: name.to_owned() })
}

/// Returns the key of a scope's parameters.
pub(super) fn scope_key(name: &str, scope: &str) -> Result<String, StoreError> {
    let expected = "a scope: global, <style> or symbol/<SYMBOL>/<style>";
    match is_scope(scope) {
        true => Ok(format!("{}/{scope}", profile_key(name)?)),
        false => Err(StoreError::Name { expected, found: scope.to_owned() }),
    }
}

/// Returns the key of a style's row.
pub(super) fn style_key(name: &str, style: Style) -> Result<String, StoreError> {
    Ok(format!("{}/{style}", profile_key(name)?))
}

/// Returns the key of a run.
pub(super) fn run_key(name: &str, run: u64) -> Result<String, StoreError> {
    Ok(format!("{}/{run:020}", profile_key(name)?))
}

/// Returns the key of a run's row for a style.
pub(super) fn run_style(name: &str, run: u64, style: Style) -> Result<String, StoreError> {
    Ok(format!("{}/{run:020}/{style}", profile_key(name)?))
}

/// Returns the range of the keys of a profile.
pub(super) fn all_of(name: &str) -> Result<Range<String>, StoreError> {
    let name = profile_key(name)?;
    // '0' is the character after '/'.
    Ok(format!("{name}/")..format!("{name}0"))
}

/// Returns the range of the keys of a profile's runs `first..=last`, their styles included.
pub(super) fn run_key_range(name: &str, first: u64, last: u64) -> Result<Range<String>, StoreError> {
    let name = profile_key(name)?;
    Ok(format!("{name}/{first:020}")..format!("{name}/{last:020}0"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_their_shape_and_sort_by_number() {
        let keys = [run_key("a", 2), run_key("a", 10), run_key("a", u64::MAX)]
            .map(|key| key.expect("a valid profile"));
        assert!(keys.is_sorted());
        assert!(keys.iter().all(|key| KeyShape::ProfileRun.accepts(key)));
        let range = run_key_range("a", 2, 10).expect("a valid profile");
        let inside = |key: Result<String, StoreError>| range.contains(&key.expect("a valid profile"));
        assert!(inside(run_key("a", 2)) && inside(run_key("a", 10)));
        assert!(inside(run_style("a", 10, Style::Swing)));
        assert!(!inside(run_key("a", 1)) && !inside(run_key("a", 11)) && !inside(run_key("b", 2)));
        let all = all_of("a").expect("a valid profile");
        assert!(keys.iter().all(|key| all.contains(key)));
        assert!(["a-b/swing", "ab/swing"].iter().all(|other| !all.contains(&other.to_string())));
    }

    #[test]
    fn foreign_names_are_no_keys() {
        for name in ["", "a/b", "a b", "../x", &"x".repeat(65)] {
            assert!(matches!(run_key(name, 1), Err(StoreError::Name { .. })), "{name:?}");
        }
        for good in ["global", "swing", "symbol/BTCUSDT/scalping"] {
            assert!(scope_key("default", good).is_ok(), "{good:?}");
        }
        for bad in ["", "all", "symbol/BTCUSDT", "symbol/btc/swing", "symbol/BTC/x", "swing/x"] {
            assert!(matches!(scope_key("default", bad), Err(StoreError::Name { .. })), "{bad:?}");
        }
    }
}
