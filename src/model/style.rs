//! Styles of trading as values: what one is called, and a number by which the tables of other stages find what they hold of it.

use std::fmt;

use serde::de::{self, EnumAccess, VariantAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What is known of a style wherever it is named. What a stage needs of it besides stands in a table of that stage with an entry for each
/// ([`Style::COUNT`]), so that one that lacks an entry is not built.
struct StyleNames {
    /// In documents, keys and the configuration.
    name: &'static str,
    /// At the head of a column, and in stored records of before.
    title: &'static str,
}

/// Every style in the order in which they are reported. The place of one is in what was stored: new ones come last.
const STYLES: [StyleNames; 2] =
    [StyleNames { name: "scalping", title: "Scalping" }, StyleNames { name: "swing", title: "Swing" }];

/// The titles, as a reader of stored records knows them.
const TITLES: [&str; STYLES.len()] = {
    let mut titles = [""; STYLES.len()];
    let mut place = 0;
    while place < titles.len() {
        titles[place] = STYLES[place].title;
        place += 1;
    }
    titles
};

/// The style a signal belongs to; each style has its own space, book and parameters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Style(u8);

#[expect(non_upper_case_globals, reason = "they are names of values, as variants would be")]
impl Style {
    /// Short trades.
    pub const Scalping: Self = Self(0);
    /// Long trades.
    pub const Swing: Self = Self(1);
}

impl Style {
    /// How many there are.
    pub const COUNT: usize = STYLES.len();

    /// Every style, in the order they are reported.
    pub const ALL: [Self; Self::COUNT] = {
        let mut all = [Self(0); Self::COUNT];
        let mut place = 0;
        while place < all.len() {
            all[place] = Self(place as u8);
            place += 1;
        }
        all
    };

    /// Returns the name used in documents and keys.
    pub const fn as_str(self) -> &'static str {
        STYLES[self.index()].name
    }

    /// Returns the name at the head of a column.
    pub const fn title(self) -> &'static str {
        TITLES[self.index()]
    }

    /// Returns the style of a name used in documents and keys.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|style| style.as_str() == name)
    }

    /// Returns its place among all, and in every table with an entry for each.
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    /// Returns the number under which it is stored.
    pub const fn ordinal(self) -> u8 {
        self.0
    }
}

impl fmt::Display for Style {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Style {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.title())
    }
}

/// Stored by its place, as the variants of an enumeration are.
impl Serialize for Style {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_unit_variant("Style", self.0.into(), self.title())
    }
}

impl<'de> Deserialize<'de> for Style {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_enum("Style", &TITLES, StyleVisitor)
    }
}

struct StyleVisitor;

impl<'de> Visitor<'de> for StyleVisitor {
    type Value = Style;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a style of {TITLES:?}")
    }

    fn visit_enum<A: EnumAccess<'de>>(self, access: A) -> Result<Style, A::Error> {
        let (style, variant) = access.variant_seed(StyleSeed)?;
        variant.unit_variant()?;
        Ok(style)
    }
}

struct StyleSeed;

impl<'de> de::DeserializeSeed<'de> for StyleSeed {
    type Value = Style;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Style, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl Visitor<'_> for StyleSeed {
    type Value = Style;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a style of {TITLES:?}")
    }

    fn visit_u64<E: de::Error>(self, place: u64) -> Result<Style, E> {
        let unknown = || E::invalid_value(de::Unexpected::Unsigned(place), &self);
        Style::ALL.into_iter().find(|style| u64::from(style.0) == place).ok_or_else(unknown)
    }

    fn visit_str<E: de::Error>(self, title: &str) -> Result<Style, E> {
        let unknown = || E::unknown_variant(title, &TITLES);
        Style::ALL.into_iter().find(|style| style.title() == title).ok_or_else(unknown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What styles were before they were values; records of then are read as they are.
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    enum Before {
        Scalping,
        Swing,
    }

    #[test]
    fn styles_are_stored_as_the_variants_that_they_were() {
        for (style, before) in [(Style::Scalping, Before::Scalping), (Style::Swing, Before::Swing)] {
            let bytes = postcard::to_stdvec(&before).expect("a variant");
            assert_eq!(postcard::to_stdvec(&style), Ok(bytes.clone()));
            assert_eq!(postcard::from_bytes(&bytes), Ok(style));
            let text = serde_json::to_string(&before).expect("a variant");
            assert_eq!(serde_json::to_string(&style).expect("a style"), text);
            assert_eq!(serde_json::from_str::<Style>(&text).expect("a style"), style);
            assert_eq!((format!("{style:?}"), bytes[0]), (format!("{before:?}"), style.ordinal()));
        }
        assert!(postcard::from_bytes::<Style>(&[2]).is_err());
        assert!(serde_json::from_str::<Style>("\"Position\"").is_err());
        assert!(serde_json::from_str::<Style>("\"scalping\"").is_err());
    }

    #[test]
    fn every_style_is_found_by_its_name_and_stands_at_its_place() {
        for (place, style) in Style::ALL.into_iter().enumerate() {
            assert_eq!((Style::named(style.as_str()), style.index()), (Some(style), place));
        }
        assert_eq!((Style::named("Scalping"), Style::named("")), (None, None));
    }
}
