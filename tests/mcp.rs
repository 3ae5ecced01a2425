//! `optimizer mcp` over pipes, as the assistants of both generations drive it.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Stdio;

use retune::store::Store;
use serde_json::{Value, json};

use crate::command::{StoreDir, optimizer, text};
use crate::serve::{HOSTILE, hostile_run, sample_store};

/// Gives lines to the program and returns what it answers.
fn converse(store: &Path, flags: &[&str], lines: &[String]) -> Vec<Value> {
    let mut command = optimizer();
    command.arg("mcp").args(flags).arg("--store").arg(store);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut input = child.stdin.take().expect("piped");
    input.write_all((lines.join("\n") + "\n").as_bytes()).expect("it listens");
    drop(input);
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{}", text(&output.stderr));
    let lines = text(&output.stdout);
    lines.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
}

fn call(id: u64, name: &str, arguments: &Value) -> String {
    json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": {"name": name, "arguments": arguments}})
        .to_string()
}

/// Leaves out what is long and kept elsewhere, and what changes with the version.
fn normalised(mut answer: Value) -> Value {
    let tools = answer.pointer_mut("/result/tools").and_then(Value::as_array_mut);
    for tool in tools.into_iter().flatten() {
        let tool = tool.as_object_mut().expect("a tool");
        tool.remove("outputSchema");
    }
    for place in ["/result/serverInfo/version", "/result/_meta/io.modelcontextprotocol~1serverInfo/version"] {
        if let Some(version) = answer.pointer_mut(place) {
            *version = json!("0");
        }
    }
    answer
}

#[test]
fn both_generations_are_answered_as_their_transcripts_say() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/mcp");
    let store = sample_store();
    for generation in ["handshake", "stateless"] {
        let path = folder.join(format!("{generation}.txt"));
        let transcript = fs::read_to_string(&path).expect("a transcript");
        let asked: Vec<String> =
            transcript.lines().filter_map(|line| line.strip_prefix("> ")).map(str::to_owned).collect();
        let answers: Vec<Value> = converse(&store.path, &[], &asked).into_iter().map(normalised).collect();
        if std::env::var_os("UPDATE_DOCS").is_some() {
            let (mut left, mut lines) = (answers.iter(), Vec::new());
            for line in &asked {
                lines.push(format!("> {line}"));
                // A notification is answered by nothing.
                let message: Value = serde_json::from_str(line).unwrap_or_default();
                if message.is_null() || message.get("id").is_some() {
                    lines.extend(left.next().map(|answer| format!("< {answer}")));
                }
            }
            fs::write(&path, lines.join("\n") + "\n").expect("the fixtures are writable");
        }
        let transcript = fs::read_to_string(&path).expect("a transcript");
        let wanted: Vec<Value> = transcript
            .lines()
            .filter_map(|line| line.strip_prefix("< "))
            .map(|line| serde_json::from_str(line).expect("JSON"))
            .collect();
        assert_eq!(answers, wanted, "{generation}");
    }
}

#[test]
fn every_tool_gives_the_document_of_its_schema_and_changes_nothing() {
    let store = sample_store();
    let before = store.content();
    let listed = converse(
        &store.path,
        &["--allow", "tests/fixtures/judge"],
        &[r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#.to_owned()],
    );
    let tools = listed[0]["result"]["tools"].as_array().expect("tools").clone();
    let arguments = |name: &str| match name {
        "run" => json!({"id": 1}),
        "params" => json!({"symbol": "ALPHAUSDT"}),
        "changes" => json!({"since": "2020-01-01"}),
        "diff" => json!({"a": "1", "b": "last"}),
        "trials" => json!({"style": "swing", "sort": "score", "limit": 3}),
        "why" => json!({"unit": "ALPHAUSDT"}),
        "explain_word" => json!({"word": "LIKELY_LUCK"}),
        "judge" => json!({"path": "edge.fthypt"}),
        _ => json!({}),
    };
    let name = |tool: &Value| tool["name"].as_str().expect("a name").to_owned();
    let calls: Vec<String> = tools.iter().map(|tool| call(7, &name(tool), &arguments(&name(tool)))).collect();
    let answers = converse(&store.path, &["--allow", "tests/fixtures/judge"], &calls);
    assert_eq!(answers.len(), 11);
    for (tool, answer) in tools.iter().zip(&answers) {
        let (name, result) = (name(tool), &answer["result"]);
        let said = result["content"][0]["text"].as_str().expect("text");
        assert_eq!(result["isError"], json!(false), "{name}: {said}");
        assert!(!said.is_empty() && said.chars().count() < 6_500, "{name}: {said}");
        assert_eq!(tool["annotations"]["readOnlyHint"], json!(true), "{name}");
        if let Some(schema) = tool.get("outputSchema") {
            let validator = jsonschema::validator_for(schema).expect("a schema");
            let wrong: Vec<String> = validator
                .iter_errors(&result["structuredContent"])
                .map(|error| format!("{}: {error}", error.instance_path()))
                .collect();
            assert_eq!(wrong, [""; 0], "{name}");
        }
    }
    let of_word = answers.iter().zip(&tools).find(|(_, tool)| name(tool) == "explain_word").expect("there");
    assert!(of_word.0["result"]["content"][0]["text"].as_str().is_some_and(|text| text.contains("oise")));
    assert_eq!(store.content(), before, "not a byte of the store changed");
}

#[test]
fn wrong_arguments_are_told_and_no_file_elsewhere_is_judged() {
    let store = sample_store();
    let allowed = tempfile::tempdir().expect("a folder");
    fs::copy("tests/fixtures/judge/edge.fthypt", allowed.path().join("edge.fthypt")).expect("copied");
    std::os::unix::fs::symlink("/etc/passwd", allowed.path().join("link.fthypt")).expect("linked");
    let refused = [
        ("run", json!({"id": 99})),
        ("run", json!({"id": "first"})),
        ("run", json!({"id": {"$ne": 1}})),
        ("run", json!({"number": 1})),
        ("changes", json!({"since": "yesterday"})),
        ("trials", json!({"limit": 51})),
        ("trials", json!({"limit": -1})),
        ("trials", json!({"style": "day"})),
        ("trials", json!({"sort": 1})),
        ("why", json!({"unit": "NOSUCH"})),
        ("explain_word", json!({})),
        ("explain_word", json!({"word": "zzzzzzzzzzzzz"})),
        ("judge", json!({"path": "/etc/passwd"})),
        ("judge", json!({"path": "../../etc/passwd"})),
        ("judge", json!({"path": "link.fthypt"})),
        ("judge", json!({"path": "none.fthypt"})),
        ("judge", json!({"path": "."})),
        ("judge", json!({"path": "--html=x"})),
    ];
    let calls: Vec<String> = refused.iter().map(|(name, arguments)| call(1, name, arguments)).collect();
    let flag = allowed.path().display().to_string();
    for ((name, arguments), answer) in refused.iter().zip(converse(&store.path, &["--allow", &flag], &calls))
    {
        assert_eq!(answer["result"]["isError"], json!(true), "{name} {arguments}: {answer}");
        assert!(!answer.to_string().contains("root:"), "{name} {arguments}");
    }
    let unasked = converse(&store.path, &[], &[call(1, "judge", &json!({"path": "edge.fthypt"}))]);
    assert_eq!(unasked[0]["error"]["code"], json!(-32602), "not offered unless it is allowed");
}

#[test]
fn hostile_names_and_a_missing_store_give_lines_of_json() {
    let dir = StoreDir::missing();
    let mut store = Store::open(&dir.path, 0).expect("a new store");
    for number in [1, 2] {
        let run = store.commit(hostile_run(number)).expect("committed");
        store.publish_run(run).expect("published");
    }
    drop(store);
    let names = ["overview", "run", "params", "changes", "diff", "trials", "why", "doctor"];
    let mut calls: Vec<String> = names.iter().map(|name| call(1, name, &json!({}))).collect();
    calls.push(call(1, "why", &json!({"unit": HOSTILE})));
    calls.push(call(1, "params", &json!({"symbol": HOSTILE})));
    calls.push(call(1, HOSTILE, &json!({})));
    calls.push(call(1, "run", &json!({HOSTILE: 1})));
    let answers = converse(&dir.path, &[], &calls);
    assert_eq!(answers.len(), calls.len(), "each on a line of its own");
    for answer in &answers {
        for content in answer["result"]["content"].as_array().into_iter().flatten() {
            let said = content["text"].as_str().expect("text");
            let acts = |c: char| (c.is_control() && c != '\n' && c != '\t') || c == '\u{202e}';
            assert!(!said.contains(acts), "{said:?}");
        }
    }
    let none = converse(&StoreDir::missing().path, &[], &[call(1, "overview", &json!({}))]);
    assert_eq!(none[0]["result"]["isError"], json!(true), "{}", none[0]);
}
