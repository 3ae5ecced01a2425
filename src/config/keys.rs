//! The keys of the configuration, as the types of its sections say them: the one table that errors, the reference page and
//! renamed keys look at.

use std::fmt;
use std::sync::OnceLock;

use serde_json::Value;

use super::Config;
use super::renamed::renamed;
use crate::search::nearest_name;

/// A key with what it takes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Key {
    pub(crate) name: String,
    pub(crate) meaning: String,
    pub(crate) unit: Option<String>,
    pub(crate) shape: Shape,
    pub(crate) is_required: bool,
}

/// What a key takes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Shape {
    /// A section of known keys.
    Section(Vec<Key>),
    /// A section of keys that are the user's, or another table's.
    Map(Box<Self>),
    /// A list, or a list of sections.
    List(Box<Self>),
    /// One of some words.
    Words(Vec<Word>),
    Text,
    /// A number with its unit as text, such as `64MiB`; a bare number is refused later, by what it should be.
    Quantity(String),
    Boolean,
    /// A whole number from 0 to this.
    Whole(i64),
    Number,
    /// Values of an axis.
    Axis,
}

/// A word that a key takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Word {
    pub(crate) name: String,
    pub(crate) meaning: String,
}

/// Returns the whole configuration as one section.
pub(crate) fn root() -> &'static Shape {
    static ROOT: OnceLock<Shape> = OnceLock::new();
    ROOT.get_or_init(|| {
        let schema = schemars::schema_for!(Config);
        Shape::read(schema.as_value(), schema.as_value())
    })
}

impl Shape {
    /// Reads the shape of a type from its schema.
    fn read(schema: &Value, root: &Value) -> Self {
        if let Some(name) = schema["$ref"].as_str() {
            let pointed = root.pointer(name.trim_start_matches('#'));
            return Self::read(pointed.expect("a schema refers to what it has"), root);
        }
        if schema["x-shape"] == "axis" {
            return Self::Axis;
        }
        if let Some(quantity) = schema["x-quantity"].as_str() {
            return Self::Quantity(quantity.to_owned());
        }
        // What may be left out is the same where it is there.
        let is_something = |option: &&Value| option["type"] != "null";
        if let Some(inner) = schema["anyOf"].as_array().and_then(|options| options.iter().find(is_something))
        {
            return Self::read(inner, root);
        }
        if let Some(words) = words(schema) {
            return Self::Words(words);
        }
        Self::of_type(schema, root)
    }

    fn of_type(schema: &Value, root: &Value) -> Self {
        let kind = &schema["type"];
        let is =
            |name: &str| kind == name || kind.as_array().is_some_and(|kinds| kinds.iter().any(|k| k == name));
        if let Some(properties) = schema["properties"].as_object() {
            let required = |name: &str| {
                schema["required"].as_array().is_some_and(|names| names.iter().any(|n| n == name))
            };
            let key = |(name, schema): (&String, &Value)| Key {
                name: name.clone(),
                meaning: one_line(&schema["description"]),
                unit: schema["x-unit"].as_str().map(str::to_owned),
                shape: Self::read(schema, root),
                is_required: required(name),
            };
            return Self::Section(properties.iter().map(key).collect());
        }
        if is("object") {
            return Self::Map(Box::new(Self::read(&schema["additionalProperties"], root)));
        }
        if is("array") {
            return Self::List(Box::new(Self::read(&schema["items"], root)));
        }
        if is("integer") {
            return Self::Whole(match schema["format"].as_str() {
                Some("uint16") => u16::MAX.into(),
                Some("uint32") => u32::MAX.into(),
                _ => i64::MAX,
            });
        }
        match () {
            () if is("string") => Self::Text,
            () if is("boolean") => Self::Boolean,
            () if is("number") => Self::Number,
            () => unreachable!("a type of the configuration without a shape: {schema}"),
        }
    }

    /// Returns the keys of a section.
    pub(crate) fn keys(&self) -> &[Key] {
        match self {
            Self::Section(keys) => keys,
            _ => &[],
        }
    }

    /// Returns the shape of a dotted key below this one.
    pub(crate) fn at(&self, path: &str) -> Option<&Self> {
        path.split('.').try_fold(self, |shape, name| match shape {
            Self::Section(keys) => keys.iter().find(|key| key.name == name).map(|key| &key.shape),
            Self::Map(of) => Some(&**of),
            _ => None,
        })
    }
}

/// Says what a value must be.
impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Section(_) | Self::Map(_) => "a section of keys",
            Self::List(of) if matches!(**of, Self::Section(_)) => {
                "a list of sections, each with double brackets around its name, such as [[style.swing.filters]]"
            }
            Self::List(_) => "a list such as [\"a\", \"b\"]",
            Self::Words(words) => {
                let names: Vec<&str> = words.iter().map(|word| word.name.as_str()).collect();
                return write!(f, "one of {}", quoted(&names));
            }
            Self::Text => "text in quotes",
            Self::Quantity(_) => "a number with its unit in quotes, such as \"64MiB\", \"15m\" or \"90d\"",
            Self::Boolean => "true or false",
            Self::Whole(i64::MAX) => "a whole number, 0 or more",
            Self::Whole(most) => return write!(f, "a whole number of 0 to {most}"),
            Self::Number => "a number",
            Self::Axis => {
                super::axes::AXIS_VALUES
            }
        })
    }
}

/// Writes names as errors quote them.
pub(crate) fn quoted(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// Returns the words of an enumeration: those with a meaning come as constants, those without in a list.
fn words(schema: &Value) -> Option<Vec<Word>> {
    let word = |name: &Value, meaning: &Value| {
        Some(Word { name: name.as_str()?.to_owned(), meaning: one_line(meaning) })
    };
    if let Some(options) = schema["oneOf"].as_array() {
        let of = |option: &Value| match option["enum"].as_array() {
            Some(names) => names.iter().filter_map(|name| word(name, &Value::Null)).collect(),
            None => word(&option["const"], &option["description"]).into_iter().collect::<Vec<_>>(),
        };
        return Some(options.iter().flat_map(of).collect());
    }
    schema["enum"].as_array().map(|names| names.iter().filter_map(|name| word(name, &Value::Null)).collect())
}

fn one_line(text: &Value) -> String {
    text.as_str().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Returns the keys that were meant by one that a section does not have, quoted: the same name in the sections that have it,
/// else the nearest of this one.
pub(crate) fn meant(name: &str, keys: &[Key]) -> Option<String> {
    let has_it = |section: &&Key| is_fixed(section) && section.shape.at(name).is_some();
    let elsewhere = root().keys().iter().filter(has_it).map(|section| format!("`{}.{name}`", section.name));
    let elsewhere = elsewhere.collect::<Vec<_>>().join(" or ");
    let near =
        || nearest_name(name, keys.iter().map(|key| key.name.as_str())).map(|near| format!("`{near}`"));
    Some(elsewhere).filter(|text| !text.is_empty()).or_else(near)
}

/// Returns the dotted key that words joined by underscores are: `search_top` is `search.top`. Names of before count.
pub fn key_of_underscored(text: &str) -> Option<String> {
    let known = |section: &Key| {
        let name = text.strip_prefix(section.name.as_str())?.strip_prefix('_')?;
        let key = format!("{}.{name}", section.name);
        (is_fixed(section) && root().at(&key).is_some() || renamed(&key).is_some()).then_some(key)
    };
    root().keys().iter().find_map(known)
}

fn is_fixed(section: &Key) -> bool {
    matches!(section.shape, Shape::Section(_))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn each<'a>(keys: &'a [Key], path: &str, visit: &mut impl FnMut(&str, &'a Key)) {
        for key in keys {
            let path = if path.is_empty() { key.name.clone() } else { format!("{path}.{}", key.name) };
            visit(&path, key);
            let inner = match &key.shape {
                Shape::List(of) | Shape::Map(of) => of,
                shape => shape,
            };
            each(inner.keys(), &path, visit);
        }
    }

    #[test]
    fn every_key_and_word_says_what_it_means() {
        let mut count = 0;
        each(root().keys(), "", &mut |path, key| {
            count += 1;
            assert!(!key.meaning.is_empty(), "{path} has no meaning");
            let words = match &key.shape {
                Shape::Words(words) => words.as_slice(),
                Shape::List(of) => match &**of {
                    Shape::Words(words) => words.as_slice(),
                    _ => &[],
                },
                _ => &[],
            };
            assert!(words.iter().all(|word| !word.meaning.is_empty()), "{path}: {words:?}");
        });
        assert!(count > 70, "{count}");
    }

    #[test]
    fn shapes_are_those_of_the_types() {
        let shape = |path: &str| root().at(path).unwrap_or_else(|| panic!("{path}")).to_string();
        assert_eq!(shape("search.top"), "a whole number, 0 or more");
        assert_eq!(shape("notify.email.port"), "a whole number of 0 to 65535");
        assert_eq!(shape("search.rank"), "one of `neighbours`, `plateau`, `peak`");
        assert_eq!(shape("limits.memory"), shape("limits.cache"));
        assert_eq!(shape("style.swing.space.whatever"), Shape::Axis.to_string());
        assert!(matches!(root().at("notify.when"), Some(Shape::List(of)) if matches!(**of, Shape::Words(_))));
        assert!(
            matches!(root().at("style.swing.filters"), Some(Shape::List(of)) if matches!(**of, Shape::Section(_)))
        );
        assert_eq!(root().at("search.nothing"), None);
    }
}
