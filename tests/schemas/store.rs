//! The format of the store as documents, generated from the declarations.
//!
//! `schema/store.json` is for programs, `schema/store.md` for people; a test holds both to the code.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::{Value, json};

use super::engine;
use super::envelope::{HEADER_BYTES, TAG_CONTEXT, TYPE_NAME};
use super::learning::{RUNS_MAX, TRIAL_RUNS_MAX};
use super::tables::{self, ALL};

/// The parts of the envelope, in order: bytes, name, content.
const ENVELOPE: [(&str, &str, &str); 8] = [
    ("0..2", "magic", "0xA7E1"),
    ("2..3", "envelope_version", "1, or 2 where the payload is packed"),
    ("3..4", "codec", "0 = raw, 1 = deflate (RFC 1951)"),
    ("4..6", "type_id", "the record type"),
    ("6..8", "version", "the version of the record"),
    ("8..12", "payload_len", "bytes of the payload as it is stored"),
    ("12..16", "raw_len", "bytes of the payload once unpacked"),
    ("16..32", "tag", "first 16 bytes of a BLAKE3 key derivation over the row and its place"),
];
/// The structure whose fields are stored by name.
const BY_NAME: (&str, &str) = (
    "StoredMetrics",
    "Stored by name, not by place: a list of (name, u64), then a list of (name, f64). What is undefined is left out. A field \
     more raises the version of every record that holds these.",
);
const TAG: &str = "store_uuid (16 zero bytes for table `meta`), then table name, key, header bytes 0..16 and payload, \
                   each after its length as u64";

/// A struct or enum of the format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Structure {
    pub name: String,
    pub is_enum: bool,
    pub fields: Vec<Field>,
}

/// A field of a struct, or a variant of an enum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Field {
    pub name: String,
    pub kind: String,
    pub doc: String,
}

/// Returns every struct and enum: records in the order of the tables, then what they hold, by name.
pub(super) fn structures() -> Vec<Structure> {
    let mut held = BTreeMap::new();
    let mut records = Vec::new();
    for table in &ALL {
        let schema = Value::from((table.record.schema)());
        records.push(structure(table.record.name, &schema));
        let definitions = schema.get("$defs").and_then(Value::as_object).into_iter().flatten();
        held.extend(definitions.map(|(name, schema)| (name.clone(), structure(name, schema))));
    }
    records.into_iter().chain(held.into_values()).collect()
}

fn structure(name: &str, schema: &Value) -> Structure {
    let variants = schema.get("oneOf").and_then(Value::as_array);
    let parts = variants.map_or_else(|| vec![schema], |variants| variants.iter().collect());
    let properties = parts.iter().filter_map(|part| part.get("properties")?.as_object()).flatten();
    let field = |(name, schema): (&String, &Value)| Field {
        name: name.clone(),
        kind: kind(schema),
        doc: doc(schema).replace('\n', " "),
    };
    Structure { name: name.to_owned(), is_enum: variants.is_some(), fields: properties.map(field).collect() }
}

fn doc(schema: &Value) -> &str {
    schema.get("description").and_then(Value::as_str).unwrap_or_default()
}

/// Returns the type of a field in the words of the document.
fn kind(schema: &Value) -> String {
    if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
        return reference.rsplit('/').next().unwrap_or_default().to_owned();
    }
    if let Some([some, _null]) = schema.get("anyOf").and_then(Value::as_array).map(Vec::as_slice) {
        return format!("option<{}>", kind(some));
    }
    match schema.get("type") {
        Some(Value::String(name)) => plain(name, schema),
        Some(Value::Array(names)) => {
            let name = names.first().and_then(Value::as_str).unwrap_or_default();
            format!("option<{}>", plain(name, schema))
        }
        _ => "unknown".to_owned(),
    }
}

fn plain(name: &str, schema: &Value) -> String {
    let format = schema.get("format").and_then(Value::as_str).unwrap_or_default();
    match (name, format) {
        ("integer", format) => format.replace("uint", "u").replace("int", "i"),
        ("number", "double") => "f64".to_owned(),
        ("string", "") => "text".to_owned(),
        ("boolean", "") => "bool".to_owned(),
        ("array", "") => {
            let item = schema.get("items").map(kind).unwrap_or_default();
            let exact = schema.get("minItems").filter(|least| schema.get("maxItems") == Some(least));
            exact.map_or_else(|| format!("list<{item}>"), |count| format!("[{item}; {count}]"))
        }
        _ => "unknown".to_owned(),
    }
}

/// Returns the document for programs.
pub(super) fn json() -> String {
    let bytes = |(bytes, name, content)| json!({"bytes": bytes, "name": name, "content": content});
    let table = |table: &tables::TableInfo| {
        let (record, key) = (&table.record, table.key.text());
        json!({
            "name": table.name, "doc": table.doc, "section": table.section.as_str(), "class": class(table),
            "key": key, "record": record.name, "type_id": record.type_id, "version": record.version,
            "bytes_max": record.bytes_max,
        })
    };
    let field = |field: &Field| json!({"name": field.name, "type": field.kind, "doc": field.doc});
    let structure = |structure: &Structure| {
        let fields: Vec<Value> = structure.fields.iter().map(field).collect();
        let kind = match structure.name.as_str() {
            name if name == BY_NAME.0 => "by_name",
            _ if structure.is_enum => "enum",
            _ => "struct",
        };
        json!({"name": structure.name, "kind": kind, "fields": fields})
    };
    let document = json!({
        "store_format": tables::STORE_FORMAT,
        "min_reader_format": tables::MIN_READER_FORMAT,
        "limits": {"runs_per_profile": RUNS_MAX, "runs_with_trials_per_profile": TRIAL_RUNS_MAX},
        "engine": {"name": "redb", "file_format": 3, "value_type": TYPE_NAME, "key_type": "&str",
            "cache_bytes": engine::STATE_CACHE_BYTES, "view_cache_bytes": engine::VIEW_CACHE_BYTES},
        "envelope": {"byte_order": "little endian", "header_bytes": HEADER_BYTES,
            "parts": ENVELOPE.map(bytes), "tag_context": TAG_CONTEXT, "tag_input": TAG, "payload": "postcard 1"},
        "tables": ALL.iter().map(table).collect::<Vec<_>>(),
        "structures": structures().iter().map(structure).collect::<Vec<_>>(),
    });
    format!("{document:#}\n")
}

fn class(table: &tables::TableInfo) -> &'static str {
    match table.class {
        tables::Class::Truth => "truth",
        tables::Class::Derived => "derived",
    }
}

/// Returns the document for people.
pub(super) fn markdown() -> String {
    let mut text = String::from(
        "# The store\n\nGenerated from the declarations in `src/store/` (`UPDATE_SCHEMA=1 cargo test`); do not edit.\n\n\
         `state.redb` and its published copy `view.redb` have the same tables. Keys are text; `<run>` is padded with\n\
         zeros to 20 digits, `<scope>` is `global`, `<style>` or `symbol/<SYMBOL>/<style>`, `<style>` is `scalping` or\n\
         `swing`.\n\n## Tables\n\n| table | key | record | version | largest | section | class | holds |\n\
         |---|---|---|---|---|---|---|---|\n",
    );
    for table in &ALL {
        let (record, section) = (&table.record, table.section.as_str());
        line(
            &mut text,
            [
                format!("`{}`", table.name),
                format!("`{}`", table.key.text()),
                format!("`{}` ({})", record.name, record.type_id),
                record.version.to_string(),
                format!("{} KiB", record.bytes_max >> 10),
                section.to_owned(),
                class(table).to_owned(),
                table.doc.to_owned(),
            ],
        );
    }
    text += "\nThe head of a section counts the rows of its tables, and the XOR of their tags, after each commit.\n";
    text += "\n## Envelope\n\nEvery value is a header and a postcard payload, packed by deflate where it has half a KiB or more and that saves an eighth. Numbers are little endian.\n\n\
             | bytes | field | content |\n|---|---|---|\n";
    for (bytes, name, content) in ENVELOPE {
        line(&mut text, [bytes.to_owned(), format!("`{name}`"), content.to_owned()]);
    }
    let _ = writeln!(text, "\nTag: context `{TAG_CONTEXT}`; input {TAG}.");
    for structure in structures() {
        let parts = if structure.is_enum { "variants" } else { "fields" };
        let parts = match structure.name == BY_NAME.0 {
            true => format!("{}\n\n| {parts}", BY_NAME.1),
            false => format!("| {parts}, in order"),
        };
        let _ = write!(text, "\n## {}\n\n{parts} | type | |\n|---|---|---|\n", structure.name);
        for field in structure.fields {
            line(&mut text, [format!("`{}`", field.name), format!("`{}`", field.kind), field.doc]);
        }
    }
    text
}

fn line<const N: usize>(text: &mut String, cells: [String; N]) {
    let _ = writeln!(text, "| {} |", cells.join(" | "));
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn every_field_has_a_known_type_and_every_type_is_described() {
        let all = structures();
        let names: Vec<&str> = all.iter().map(|structure| structure.name.as_str()).collect();
        for structure in &all {
            assert!(!structure.fields.is_empty(), "{} has fields", structure.name);
            for field in &structure.fields {
                let inner = field.kind.trim_start_matches("option<").trim_start_matches("list<");
                let inner = inner.trim_start_matches('[').split([';', '>']).next().unwrap_or_default();
                let basic = ["u8", "u32", "u64", "i32", "i64", "f64", "bool", "text"].contains(&inner);
                assert!(basic || names.contains(&inner), "{}.{}: {}", structure.name, field.name, field.kind);
            }
        }
    }

    #[test]
    fn the_documents_in_the_repository_are_those_generated() {
        let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema");
        for (name, text) in [("store.json", json()), ("store.md", markdown())] {
            let path = schema.join(name);
            if std::env::var_os("UPDATE_SCHEMA").is_some() {
                std::fs::create_dir_all(&schema).expect("the repository is writable");
                std::fs::write(&path, &text).expect("the schema directory is writable");
            }
            let committed = std::fs::read_to_string(&path).unwrap_or_default();
            assert_eq!(committed, text, "{name} is out of date: run UPDATE_SCHEMA=1 cargo test");
        }
    }
}
