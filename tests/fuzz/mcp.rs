//! Hostile bytes for what an assistant says.

use serde_json::{Map, Value, json};

use super::{Tool, ToolAnswer, Toolbox, converse};
use crate::fuzz::Target;

/// Everything that reads lines of an assistant.
pub(crate) const TARGETS: &[Target] = &[Target {
    name: "assistant_lines",
    run: assistant_lines,
    seeds: line_seeds,
    words: &[
        "\n",
        "{",
        "}",
        "\"jsonrpc\":\"2.0\"",
        "\"id\":1",
        "\"method\":",
        "tools/call",
        "_meta",
        "null",
        "[",
        "1e9",
    ],
    executions: 4000,
}];

/// One tool that takes a word.
struct OneTool;

impl Toolbox for OneTool {
    fn tools(&self) -> Vec<Tool> {
        let input = json!({ "type": "object", "properties": { "word": { "type": "string" } } });
        vec![Tool { name: "explain_word", description: "", input, output: Value::Null }]
    }

    fn call(&mut self, _: &str, arguments: &Map<String, Value>) -> Result<ToolAnswer, String> {
        let word = arguments.get("word").and_then(Value::as_str).ok_or("expected a word")?;
        Ok(ToolAnswer { text: word.to_owned(), document: Value::Null })
    }

    fn instructions(&self) -> &'static str {
        ""
    }
}

fn line_seeds() -> Vec<Vec<u8>> {
    let transcripts =
        [include_str!("../fixtures/mcp/handshake.txt"), include_str!("../fixtures/mcp/stateless.txt")];
    let lines = transcripts.into_iter().flat_map(str::lines).filter_map(|line| line.strip_prefix("> "));
    let is_answered = |line: &&str| {
        super::answer_line(line.as_bytes(), &mut OneTool).is_some_and(|answer| answer.get("result").is_some())
    };
    lines.filter(is_answered).map(|line| format!("{line}\n").into_bytes()).collect()
}

/// Every line is answered by at most one, which is JSON of the protocol.
fn assistant_lines(bytes: &[u8]) -> String {
    let mut output = Vec::new();
    converse(bytes, &mut output, &mut OneTool).expect("memory");
    let asked = bytes.split(|byte| *byte == b'\n').count();
    let answers: Vec<&[u8]> = output.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).collect();
    assert!(answers.len() <= asked, "{} answers to {asked} lines", answers.len());
    let mut word = "silent";
    for line in &answers {
        let answer: Value = serde_json::from_slice(line).expect("JSON");
        assert_eq!(answer["jsonrpc"], "2.0");
        let is_result = answer.get("result").is_some();
        assert!(is_result != answer.get("error").is_some(), "{answer}");
        word = if is_result || word == "ok" { "ok" } else { "refused" };
    }
    format!("{word}: {} answers", answers.len())
}
