//! Texts laid over each other: each is read once, held to the table of keys, and leaves its values with their origins.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::ConfigError;
use super::axes::filter_name;
use super::keys::{Key, Shape, meant, quoted, root};
use super::origin::Provenance;
use super::place::Text;
use super::renamed::{Renamed, rename_keys, renamed};
use crate::model::excerpt;
use crate::search::nearest_name;

/// A text to lay over what is there, with its name in messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    source: String,
    text: String,
    has_lines: bool,
}

impl Layer {
    /// Returns a text of many lines, such as a file.
    pub fn text(source: impl Into<String>, text: impl Into<String>) -> Self {
        Self { source: source.into(), text: text.into(), has_lines: true }
    }

    /// Returns one value: an environment variable, a flag.
    ///
    /// Shape:  the value as `a.b.c = value`
    pub fn setting(source: impl Into<String>, text: impl Into<String>) -> Self {
        Self { source: source.into(), text: text.into(), has_lines: false }
    }
}

/// Layers laid over each other.
#[derive(Debug, Default)]
pub(crate) struct Merged {
    pub(crate) table: toml::Table,
    pub(crate) provenance: Provenance,
}

impl Merged {
    /// Lays a text over what is there.
    ///
    /// Errors: of all that is wrong with it, the first in the text
    pub(crate) fn lay(&mut self, layer: &Layer) -> Result<(), ConfigError> {
        let source = excerpt(&layer.source).into_owned();
        let text = Text::new(source, &layer.text, layer.has_lines);
        let tree = DeTable::parse(&layer.text).map_err(|error| text.syntax_error(&error))?;
        let (whole, provenance) = (tree.get_ref(), &mut self.provenance);
        let mut reader = Reader { text: &text, whole, mistakes: Vec::new(), provenance };
        reader.table(whole, root(), &Path::default());
        if let Some((_, mistake)) = reader.mistakes.into_iter().min_by_key(|(place, _)| *place) {
            return Err(mistake);
        }
        let mut table: toml::Table = layer.text.parse().map_err(|error| text.syntax_error(&error))?;
        rename_keys(&mut table);
        merge(&mut self.table, table);
        Ok(())
    }
}

/// Lays a table over another, key by key.
fn merge(into: &mut toml::Table, from: toml::Table) {
    for (key, value) in from {
        match (into.get_mut(&key), value) {
            (Some(toml::Value::Table(old)), toml::Value::Table(new)) => merge(old, new),
            (_, value) => {
                into.insert(key, value);
            }
        }
    }
}

/// A dotted key: as it is called, and as somebody wrote it.
#[derive(Debug, Clone, Default)]
struct Path {
    known: String,
    written: String,
}

impl Path {
    fn below(&self, name: &str) -> Self {
        let dotted = |front: &str| if front.is_empty() { name.to_owned() } else { format!("{front}.{name}") };
        Self { known: dotted(&self.known), written: dotted(&self.written) }
    }

    /// Returns the section as it stands in a file.
    fn section(&self, is_list: bool) -> String {
        match (self.written.as_str(), is_list) {
            ("", _) => "at the top".to_owned(),
            (path, false) => format!("in [{path}]"),
            (path, true) => format!("in [[{path}]]"),
        }
    }
}

/// Holds a tree to the table of keys.
struct Reader<'a> {
    text: &'a Text<'a>,
    whole: &'a DeTable<'a>,
    /// With the place of each in the text.
    mistakes: Vec<(usize, ConfigError)>,
    provenance: &'a mut Provenance,
}

impl Reader<'_> {
    fn table(&mut self, table: &DeTable<'_>, shape: &Shape, path: &Path) {
        match shape {
            Shape::Section(keys) => self.section(table, keys, path, false),
            Shape::Map(of) => {
                for (name, value) in table {
                    self.value(name.span().start, value, of, &path.below(name.get_ref()));
                }
            }
            _ => {}
        }
    }

    fn section(&mut self, table: &DeTable<'_>, keys: &[Key], path: &Path, in_list: bool) {
        for (name, value) in table {
            let (place, below) = (name.span().start, path.below(name.get_ref()));
            if let Some(key) = keys.iter().find(|key| key.name == *name.get_ref()) {
                self.value(place, value, &key.shape, &below);
                continue;
            }
            match renamed(&below.known) {
                Some(renamed) => self.renamed_key(place, value, *renamed, below.written),
                None => {
                    let error = self.unknown_key(place, name.get_ref(), keys, path.section(in_list));
                    self.mistakes.push((place, error));
                }
            }
        }
    }

    /// Reads a key by its name of before, which the same text must not have by its new one as well.
    fn renamed_key(&mut self, place: usize, value: &Spanned<DeValue<'_>>, renamed: Renamed, written: String) {
        let Renamed { old, new } = renamed;
        let path = Path { known: new.to_owned(), written };
        if contains(self.whole, new) {
            let error =
                self.type_error(place, &path, format!("its new name `{new}` alone"), "both".to_owned());
            return self.mistakes.push((place, error));
        }
        let warning =
            format!("{}: `{old}` is now called `{new}`; the old name is still read", self.text.origin(place));
        self.provenance.warnings.push(warning);
        self.value(place, value, root().at(new).expect("new names are keys"), &path);
    }

    /// Holds a value to a shape, and notes where it comes from.
    fn value(&mut self, key_place: usize, value: &Spanned<DeValue<'_>>, shape: &Shape, path: &Path) {
        match (shape, value.get_ref()) {
            (Shape::Section(_) | Shape::Map(_), DeValue::Table(table)) => {
                return self.table(table, shape, path);
            }
            (Shape::List(of), DeValue::Array(items)) => match &**of {
                Shape::Section(keys) => {
                    self.provenance.origins.insert(path.known.clone(), self.text.whole());
                    return items.iter().for_each(|item| self.list_section(item, keys, path));
                }
                of => items.iter().for_each(|item| self.scalar(item.span().start, item, of, path)),
            },
            _ => self.scalar(value_place(key_place, value), value, shape, path),
        }
        self.provenance.origins.insert(path.known.clone(), self.text.origin(key_place));
    }

    fn list_section(&mut self, item: &Spanned<DeValue<'_>>, keys: &[Key], path: &Path) {
        let place = item.span().start;
        let DeValue::Table(table) = item.get_ref() else {
            let expected = Shape::List(Box::new(Shape::Section(Vec::new()))).to_string();
            let error =
                self.type_error(place, path, expected, found(item.get_ref(), self.text.is_open(place)));
            return self.mistakes.push((place, error));
        };
        self.section(table, keys, path, true);
        let of = |name: &str| table.get(name).and_then(|value| value.get_ref().as_str());
        if let Some(name) = filter_name(of("key"), of("column")) {
            self.provenance.origins.insert(path.below(name).known, self.text.origin(place));
        }
        for key in keys.iter().filter(|key| key.is_required && !table.contains_key(key.name.as_str())) {
            let error =
                self.type_error(place, &path.below(&key.name), key.shape.to_string(), "none".to_owned());
            self.mistakes.push((place, error));
        }
    }

    fn scalar(&mut self, place: usize, value: &Spanned<DeValue<'_>>, shape: &Shape, path: &Path) {
        let value = value.get_ref();
        if fits(value, shape) {
            return;
        }
        let is_open = self.text.is_open(place);
        let mut expected = shape.to_string();
        if let Shape::Words(words) = shape {
            match value.as_str() {
                Some(word) => {
                    let near = nearest_name(word, words.iter().map(|word| word.name.as_str()));
                    expected.extend(near.map(|near| format!(" (did you mean `{near}`?)")));
                }
                None => expected = format!("text in quotes, {expected}"),
            }
        }
        let error = self.type_error(place, path, expected, found(value, is_open));
        self.mistakes.push((place, error));
    }

    fn type_error(&self, place: usize, path: &Path, expected: String, found: String) -> ConfigError {
        let key = self.shown_key(place, &path.written);
        ConfigError::Type { place: Box::new(self.text.place(place)), key, expected, found }
    }

    fn unknown_key(&self, place: usize, name: &str, keys: &[Key], section: String) -> ConfigError {
        let hint = meant(name, keys).map(|meant| format!(" (did you mean {meant}?)")).unwrap_or_default();
        let known: Vec<&str> = keys.iter().map(|key| key.name.as_str()).collect();
        ConfigError::UnknownKey {
            place: Box::new(self.text.place(place)),
            key: self.shown_key(place, name),
            section,
            hint,
            known: quoted(&known),
        }
    }

    /// Returns a key as it may be shown: beside secrets, what is no plain key may be one of them.
    fn shown_key(&self, place: usize, key: &str) -> String {
        let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
        match key.bytes().all(is_plain) || self.text.is_open(place) {
            true => excerpt(key).into_owned(),
            false => "...".to_owned(),
        }
    }
}

/// Returns whether a table has a dotted key.
fn contains(table: &DeTable<'_>, path: &str) -> bool {
    match path.split_once('.') {
        None => table.contains_key(path),
        Some((section, rest)) => table
            .get(section)
            .and_then(|inner| inner.get_ref().as_table())
            .is_some_and(|inner| contains(inner, rest)),
    }
}

/// Returns the place to show of a value: a section that headers make has none of its own.
fn value_place(key_place: usize, value: &Spanned<DeValue<'_>>) -> usize {
    match value.get_ref() {
        DeValue::Table(_) => key_place,
        _ => value.span().start,
    }
}

/// Returns whether a value that is no section is of a shape.
fn fits(value: &DeValue<'_>, shape: &Shape) -> bool {
    match shape {
        Shape::Words(words) => value.as_str().is_some_and(|text| words.iter().any(|word| word.name == text)),
        Shape::Text => value.is_str(),
        Shape::Quantity(_) => value.is_str() || is_number(value),
        Shape::Boolean => value.is_bool(),
        Shape::Whole(most) => integer(value).is_some_and(|number| (0..=*most).contains(&number)),
        Shape::Number => is_number(value),
        Shape::Axis => is_axis(value),
        Shape::Section(_) | Shape::Map(_) | Shape::List(_) => false,
    }
}

fn is_axis(value: &DeValue<'_>) -> bool {
    let is_value = |value: &DeValue<'_>| is_number(value) || value.is_str() || value.is_bool();
    match value {
        DeValue::Array(values) => values.iter().all(|value| is_value(value.get_ref())),
        DeValue::Table(range) => {
            let has = |name: &str| range.get(name).is_some_and(|value| is_number(value.get_ref()));
            range.len() == 3 && ["min", "max", "step"].into_iter().all(has)
        }
        value => is_value(value),
    }
}

/// Returns a whole number that TOML can hold.
fn integer(value: &DeValue<'_>) -> Option<i64> {
    let number = value.as_integer()?;
    i64::from_str_radix(number.as_str(), number.radix()).ok()
}

fn is_number(value: &DeValue<'_>) -> bool {
    value.is_float() || integer(value).is_some()
}

/// Says what a value is; beside secrets, its kind only.
fn found(value: &DeValue<'_>, is_open: bool) -> String {
    match value {
        DeValue::String(text) if is_open => format!("{:?}", excerpt(text)),
        DeValue::Integer(number) if is_open => excerpt(number.as_str()).into_owned(),
        DeValue::Float(number) if is_open => excerpt(number.as_str()).into_owned(),
        DeValue::String(_) => "other text".to_owned(),
        DeValue::Integer(_) | DeValue::Float(_) => "a number".to_owned(),
        DeValue::Boolean(value) => value.to_string(),
        DeValue::Datetime(_) => "a date or time".to_owned(),
        DeValue::Array(_) => "a list".to_owned(),
        DeValue::Table(_) => "a section".to_owned(),
    }
}
