//! The document that a chat service wants, as a template with places for what is said.
//!
//! A template is JSON. Places are filled within its texts after it was parsed, so that nothing that is said can end a text or add a key.

use serde_json::{Map, Value};

use super::Message;
use super::channel::cut;

/// A template that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Template(Value);

/// What can be put in a template.
const PLACES: [&str; 2] = ["{subject}", "{text}"];

impl Template {
    /// Reads a template.
    ///
    /// Errors: what is expected, where it is none
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        let found: Value = serde_json::from_str(text).map_err(|_| "JSON such as '{\"text\": \"{text}\"}'")?;
        let mut places = 0;
        each_text(&found, &mut |text| places += PLACES.iter().filter(|place| text.contains(**place)).count());
        match places {
            0 => Err("JSON with {subject} or {text} in one of its texts"),
            _ => Ok(Self(found)),
        }
    }

    /// Returns the document of a message, the text cut to so many characters.
    pub(super) fn filled(&self, message: &Message, chars: usize) -> String {
        let text = cut(&message.text, chars);
        filled(&self.0, &|template| fill(template, &message.subject, &text)).to_string()
    }
}

/// Fills the places of a text from left to right; what is put in is not looked at again.
fn fill(template: &str, subject: &str, text: &str) -> String {
    let (mut filled, mut rest) = (String::new(), template);
    loop {
        let next = PLACES.iter().filter_map(|place| Some((rest.find(place)?, *place))).min();
        let Some((at, place)) = next else { return filled + rest };
        filled += &rest[..at];
        filled += if place == PLACES[0] { subject } else { text };
        rest = &rest[at + place.len()..];
    }
}

fn each_text(value: &Value, on_text: &mut impl FnMut(&str)) {
    match value {
        Value::String(text) => on_text(text),
        Value::Array(list) => list.iter().for_each(|value| each_text(value, on_text)),
        Value::Object(map) => map.values().for_each(|value| each_text(value, on_text)),
        _ => {}
    }
}

fn filled(value: &Value, fill: &impl Fn(&str) -> String) -> Value {
    match value {
        Value::String(text) => Value::String(fill(text)),
        Value::Array(list) => list.iter().map(|value| filled(value, fill)).collect(),
        Value::Object(map) => {
            let pairs = map.iter().map(|(key, value)| (key.clone(), filled(value, fill)));
            Value::Object(pairs.collect::<Map<_, _>>())
        }
        other => other.clone(),
    }
}

/// Returns the number by which a chat service that answers with a success says that it is none.
pub(super) fn said_failure(answer: &[u8]) -> Option<i64> {
    let said: Value = serde_json::from_slice(answer).ok()?;
    let code = ["errcode", "code", "StatusCode"].iter().find_map(|key| said.get(key)?.as_i64())?;
    (code != 0 && code != 200).then_some(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(subject: &str, text: &str) -> Message {
        let (html, json) = (String::new(), "{}".to_owned());
        Message { subject: subject.to_owned(), text: text.to_owned(), html, json, urgent: false }
    }

    #[test]
    fn whatever_is_said_stays_text() {
        let template = Template::parse(
            r#"{"msg_type": "text", "content": {"text": "{subject}\n{text}"}, "n": [1, "{text}"]}"#,
        );
        let hostile = "\"}, \"admin\": true, {\u{0}\\n {subject} <@everyone>\n{text}";
        let sent = template.expect("a template").filled(&message("a {text} b", hostile), 500);
        let sent: Value = serde_json::from_str(&sent).expect("JSON whatever was said");
        assert_eq!(
            sent["content"]["text"],
            format!("a {{text}} b\n{hostile}"),
            "nothing that is put in is filled again"
        );
        assert_eq!((sent["n"][1].as_str(), sent.as_object().map(Map::len)), (Some(hostile), Some(3)));
        let short = Template::parse(r#""{text}""#).expect("a text").filled(&message("", "äöüß"), 2);
        assert_eq!(short, "\"äö…\"");
    }

    #[test]
    fn what_is_no_template_is_told() {
        for text in ["", "{subject}", "{\"text\": {text}}", "{\"content\": \"hello\"}", "{\"{text}\": 1}"] {
            assert!(Template::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_success_that_says_it_is_none_is_heard() {
        let said = |text: &str| said_failure(text.as_bytes());
        assert_eq!(said(r#"{"errcode":93000,"errmsg":"invalid webhook url"}"#), Some(93_000));
        assert_eq!(said(r#"{"code":19001,"msg":"param invalid"}"#), Some(19_001));
        assert_eq!(
            [said(r#"{"errcode":0}"#), said(r#"{"StatusCode":0,"code":0}"#), said("ok"), said("")],
            [None; 4]
        );
    }
}
