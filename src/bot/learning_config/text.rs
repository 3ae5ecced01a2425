//! The bot's file as text: as Python writes it with an indent of 2, numbers as they were written.

use serde_json::Value;

use crate::ingest::{ExactNumbers, place_of_item, place_of_key};

/// Returns a document as text that ends with a line break.
pub(super) fn pretty_text(document: &Value, exact: &ExactNumbers) -> String {
    let mut text = String::new();
    write_value(document, "", 0, exact, &mut text);
    text.push('\n');
    text
}

fn write_value(value: &Value, place: &str, depth: usize, exact: &ExactNumbers, text: &mut String) {
    match value {
        Value::Object(object) if !object.is_empty() => {
            text.push('{');
            for (index, (key, value)) in object.iter().enumerate() {
                begin_line(index, depth + 1, text);
                *text += &Value::from(key.as_str()).to_string();
                *text += ": ";
                write_value(value, &place_of_key(place, key), depth + 1, exact, text);
            }
            end_line(depth, '}', text);
        }
        Value::Array(items) if !items.is_empty() => {
            text.push('[');
            for (index, item) in items.iter().enumerate() {
                begin_line(index, depth + 1, text);
                write_value(item, &place_of_item(place, index), depth + 1, exact, text);
            }
            end_line(depth, ']', text);
        }
        leaf => *text += &exact.text(place, leaf),
    }
}

fn begin_line(index: usize, depth: usize, text: &mut String) {
    *text += if index == 0 { "\n" } else { ",\n" };
    *text += &"  ".repeat(depth);
}

fn end_line(depth: usize, bracket: char, text: &mut String) {
    text.push('\n');
    *text += &"  ".repeat(depth);
    text.push(bracket);
}
