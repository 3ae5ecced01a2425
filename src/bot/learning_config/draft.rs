//! The bot's file while it is put together: each change with its place and its reason.

use serde_json::Value;

use super::Object;
use crate::bot::keys::is_same;
use crate::ingest::place_of_key;

/// A document that is being changed.
pub(super) struct Draft {
    tree: Object,
    reasons: Vec<(String, String)>,
}

impl Draft {
    pub(super) fn new(tree: Object) -> Self {
        Self { tree, reasons: Vec::new() }
    }

    /// Returns what stands at a path.
    pub(super) fn get(&self, path: &[&str]) -> Option<&Value> {
        let (first, rest) = path.split_first()?;
        rest.iter().try_fold(self.tree.get(*first)?, |value, key| value.get(key))
    }

    /// Puts a value in its place. One that says the same stays as it is written; objects on the way are made.
    pub(super) fn put(&mut self, path: &[&str], value: Value, reason: &str) {
        if self.get(path).is_some_and(|found| is_same(found, &value)) {
            return;
        }
        let (last, parents) = path.split_last().expect("a path has a key");
        let mut object = &mut self.tree;
        for key in parents {
            let child = object.entry(*key).or_insert(Value::Null);
            if !child.is_object() {
                *child = Value::Object(Object::new());
            }
            object = child.as_object_mut().expect("an object was put there");
        }
        object.insert((*last).to_owned(), value);
        let place = path.iter().fold(String::new(), |place, key| place_of_key(&place, key));
        self.reasons.push((place, reason.to_owned()));
    }

    /// Removes a key at the top.
    pub(super) fn remove(&mut self, key: &str) {
        self.tree.shift_remove(key);
    }

    /// Returns the document, and the reason of every change by its place.
    pub(super) fn finish(self) -> (Value, Vec<(String, String)>) {
        (Value::Object(self.tree), self.reasons)
    }
}
