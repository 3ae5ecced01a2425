//! The Model Context Protocol over lines of JSON, for an assistant that asks where things stand. Both generations of it: up to
//! 2025-11-25, which begin with `initialize`, and 2026-07-28, whose every request says its version.
//!
//! Pure: a line comes in, a line goes out. What the tools do is the caller's ([`Toolbox`]); nothing here reads a store.

#[cfg(any(test, fuzzing))]
#[path = "../../tests/fuzz/mcp.rs"]
pub(crate) mod fuzz;

use std::io::{self, BufRead, Read, Write};

use serde_json::{Map, Value, json};

/// Longest line that is read.
pub const LINE_BYTES_MAX: u64 = 1 << 20;
/// The generation whose every request says its version.
const STATELESS: &str = "2026-07-28";
/// Versions that begin with `initialize`, the newest first.
const WITH_HANDSHAKE: [&str; 4] = ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"];
const VERSION_KEY: &str = "io.modelcontextprotocol/protocolVersion";
const CAPABILITIES_KEY: &str = "io.modelcontextprotocol/clientCapabilities";
const SERVER_KEY: &str = "io.modelcontextprotocol/serverInfo";
/// How long lists may be kept: they change with the program only.
const LIST_TTL_MS: u64 = 3_600_000;

/// Codes of errors.
mod code {
    pub(super) const PARSE: i64 = -32_700;
    pub(super) const REQUEST: i64 = -32_600;
    pub(super) const METHOD: i64 = -32_601;
    pub(super) const PARAMS: i64 = -32_602;
    pub(super) const VERSION: i64 = -32_022;
}

/// A tool as it is offered.
#[derive(Debug, Clone, PartialEq)]
pub struct Tool {
    /// Its name.
    pub name: &'static str,
    /// What it says, and what its words mean.
    pub description: &'static str,
    /// Schema of its arguments.
    pub input: Value,
    /// Schema of the document that it gives; null where it gives none.
    pub output: Value,
}

/// What a tool gives.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolAnswer {
    /// For reading, short.
    pub text: String,
    /// The whole, as a document; null where there is none.
    pub document: Value,
}

/// The tools.
pub trait Toolbox {
    /// Returns what is offered.
    fn tools(&self) -> Vec<Tool>;
    /// Returns what a tool gives; the error says in words what was expected, and what was found.
    fn call(&mut self, name: &str, arguments: &Map<String, Value>) -> Result<ToolAnswer, String>;
    /// Returns what a reader has to know before anything else.
    fn instructions(&self) -> &'static str;
}

/// An error of the protocol.
struct ProtocolFault {
    code: i64,
    message: String,
    data: Value,
}

impl ProtocolFault {
    fn new(code: i64, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), data: Value::Null }
    }
}

/// Answers line by line until the input ends.
///
/// Errors: those of reading and writing
pub fn converse(
    mut input: impl BufRead,
    mut output: impl Write,
    toolbox: &mut dyn Toolbox,
) -> io::Result<()> {
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = (&mut input).take(LINE_BYTES_MAX + 1).read_until(b'\n', &mut line)?;
        if read == 0 {
            return Ok(());
        }
        let answer = match line.ends_with(b"\n") || read as u64 <= LINE_BYTES_MAX {
            true => answer_line(&line, toolbox),
            false => {
                skip_line(&mut input)?;
                let fault = ProtocolFault::new(code::REQUEST, "expected a line of at most 1 MiB");
                Some(failed(&Value::Null, fault))
            }
        };
        if let Some(answer) = answer {
            writeln!(output, "{answer}")?;
            output.flush()?;
        }
    }
}

/// Reads on to the end of a line, keeping nothing of it.
fn skip_line(input: &mut impl BufRead) -> io::Result<()> {
    loop {
        let buffer = input.fill_buf()?;
        let (end, is_over) = match buffer.iter().position(|byte| *byte == b'\n') {
            Some(at) => (at + 1, true),
            None => (buffer.len(), buffer.is_empty()),
        };
        input.consume(end);
        if is_over {
            return Ok(());
        }
    }
}

/// Returns the answer to a line; none to what asks for none.
pub fn answer_line(line: &[u8], toolbox: &mut dyn Toolbox) -> Option<Value> {
    if line.iter().all(u8::is_ascii_whitespace) {
        return None;
    }
    let Ok(message) = serde_json::from_slice::<Value>(line) else {
        return Some(failed(&Value::Null, ProtocolFault::new(code::PARSE, "expected a line of JSON")));
    };
    let request = |what: &str| Some(failed(&Value::Null, ProtocolFault::new(code::REQUEST, what)));
    let Some(object) = message.as_object() else {
        return request("expected one object a line: requests in an array are not taken");
    };
    if object.get("jsonrpc") != Some(&json!("2.0")) {
        return request("expected \"jsonrpc\": \"2.0\"");
    }
    let method = match object.get("method") {
        Some(Value::String(method)) => method,
        // An answer to what was never asked.
        None if object.contains_key("result") || object.contains_key("error") => return None,
        _ => return request("expected a method"),
    };
    let id = match object.get("id") {
        // A notification: nothing has to be done for any.
        None => return None,
        Some(id) if id.is_string() || id.is_i64() || id.is_u64() => id,
        Some(_) => return request("expected an id that is text or a whole number"),
    };
    let empty = Map::new();
    let answered = match object.get("params") {
        None => answer(method, &empty, toolbox),
        Some(Value::Object(params)) => answer(method, params, toolbox),
        Some(_) => Err(ProtocolFault::new(code::PARAMS, "expected params that are an object")),
    };
    Some(match answered {
        Ok(result) => json!({ "jsonrpc": "2.0", "id": id, "result": result }),
        Err(fault) => failed(id, fault),
    })
}

fn failed(id: &Value, fault: ProtocolFault) -> Value {
    let mut error = json!({ "code": fault.code, "message": fault.message });
    if !fault.data.is_null() {
        error["data"] = fault.data;
    }
    json!({ "jsonrpc": "2.0", "id": id, "error": error })
}

/// Returns whether a request is of the generation that says its version every time.
///
/// Errors: a version that is not spoken; one without what goes with it
fn is_stateless(params: &Map<String, Value>) -> Result<bool, ProtocolFault> {
    let Some(meta) = params.get("_meta").filter(|meta| meta.get(VERSION_KEY).is_some()) else {
        return Ok(false);
    };
    let Some(version) = meta[VERSION_KEY].as_str() else {
        return Err(ProtocolFault::new(code::PARAMS, format!("expected {VERSION_KEY} to be text")));
    };
    if version != STATELESS {
        let spoken: Vec<&str> = std::iter::once(STATELESS).chain(WITH_HANDSHAKE).collect();
        let data = json!({ "supported": spoken, "requested": version });
        return Err(ProtocolFault {
            data,
            ..ProtocolFault::new(code::VERSION, "unsupported protocol version")
        });
    }
    match meta[CAPABILITIES_KEY].is_object() {
        true => Ok(true),
        false => {
            Err(ProtocolFault::new(code::PARAMS, format!("expected {CAPABILITIES_KEY} to be an object")))
        }
    }
}

fn server() -> Value {
    json!({ "name": "optimizer", "version": env!("CARGO_PKG_VERSION") })
}

fn answer(
    method: &str,
    params: &Map<String, Value>,
    toolbox: &mut dyn Toolbox,
) -> Result<Value, ProtocolFault> {
    let stateless = is_stateless(params)?;
    let mut result = match (method, stateless) {
        ("initialize", false) => initialized(params, toolbox)?,
        ("ping", false) => json!({}),
        ("server/discover", _) => return Ok(discovered(toolbox)),
        ("tools/list", _) => {
            if params.get("cursor").is_some_and(|cursor| !cursor.is_null()) {
                return Err(ProtocolFault::new(code::PARAMS, "expected no cursor: the list has one page"));
            }
            json!({ "tools": toolbox.tools().iter().map(offered).collect::<Vec<_>>() })
        }
        ("tools/call", _) => called(params, toolbox)?,
        _ => return Err(ProtocolFault::new(code::METHOD, "no such method")),
    };
    if stateless {
        if method == "tools/list" {
            result["ttlMs"] = json!(LIST_TTL_MS);
            result["cacheScope"] = json!("private");
        }
        result["resultType"] = json!("complete");
        result["_meta"] = json!({ SERVER_KEY: server() });
    }
    Ok(result)
}

fn initialized(params: &Map<String, Value>, toolbox: &dyn Toolbox) -> Result<Value, ProtocolFault> {
    let Some(asked) = params.get("protocolVersion").and_then(Value::as_str) else {
        return Err(ProtocolFault::new(code::PARAMS, "expected protocolVersion to be text"));
    };
    let version = WITH_HANDSHAKE.into_iter().find(|version| *version == asked);
    Ok(json!({
        "protocolVersion": version.unwrap_or(WITH_HANDSHAKE[0]),
        "capabilities": { "tools": {} },
        "serverInfo": server(),
        "instructions": toolbox.instructions(),
    }))
}

fn discovered(toolbox: &dyn Toolbox) -> Value {
    json!({
        "resultType": "complete",
        "supportedVersions": [STATELESS],
        "capabilities": { "tools": {} },
        "serverInfo": server(),
        "instructions": toolbox.instructions(),
        "ttlMs": LIST_TTL_MS,
        "cacheScope": "private",
        "_meta": { SERVER_KEY: server() },
    })
}

fn offered(tool: &Tool) -> Value {
    let mut offered = json!({
        "name": tool.name,
        "description": tool.description,
        "inputSchema": tool.input,
        "annotations": { "readOnlyHint": true, "destructiveHint": false, "idempotentHint": true, "openWorldHint": false },
    });
    if !tool.output.is_null() {
        offered["outputSchema"] = tool.output.clone();
    }
    offered
}

fn called(params: &Map<String, Value>, toolbox: &mut dyn Toolbox) -> Result<Value, ProtocolFault> {
    let Some(name) = params.get("name").and_then(Value::as_str) else {
        return Err(ProtocolFault::new(code::PARAMS, "expected the name of a tool"));
    };
    let tools = toolbox.tools();
    let Some(tool) = tools.iter().find(|tool| tool.name == name) else {
        let names: Vec<&str> = tools.iter().map(|tool| tool.name).collect();
        return Err(ProtocolFault::new(
            code::PARAMS,
            format!("expected one of the tools {}", names.join(", ")),
        ));
    };
    let empty = Map::new();
    let arguments = match params.get("arguments") {
        None | Some(Value::Null) => &empty,
        Some(Value::Object(arguments)) => arguments,
        Some(_) => return Err(ProtocolFault::new(code::PARAMS, "expected arguments that are an object")),
    };
    let done = match unknown_argument(tool, arguments) {
        Some(wrong) => Err(wrong),
        None => toolbox.call(name, arguments),
    };
    let said = |text: String| json!([{ "type": "text", "text": text }]);
    Ok(match done {
        Ok(answer) => {
            let mut result = json!({ "content": said(answer.text), "isError": false });
            if !answer.document.is_null() {
                result["structuredContent"] = answer.document;
            }
            result
        }
        Err(text) => json!({ "content": said(text), "isError": true }),
    })
}

/// Returns what is wrong with arguments that a tool does not take.
fn unknown_argument(tool: &Tool, arguments: &Map<String, Value>) -> Option<String> {
    let known = tool.input["properties"].as_object();
    let names: Vec<&str> = known.iter().flat_map(|known| known.keys()).map(String::as_str).collect();
    let unknown = arguments.keys().find(|key| !names.contains(&key.as_str()))?;
    let known = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    Some(format!(
        "{}: expected no arguments but {known}, found {:?}",
        tool.name,
        crate::model::excerpt(unknown)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// One tool that says what it was given.
    struct Echo;

    impl Toolbox for Echo {
        fn tools(&self) -> Vec<Tool> {
            let input = json!({ "type": "object", "properties": { "word": { "type": "string" } } });
            vec![Tool {
                name: "echo",
                description: "Says it again.",
                input,
                output: json!({ "type": "object" }),
            }]
        }

        fn call(&mut self, _: &str, arguments: &Map<String, Value>) -> Result<ToolAnswer, String> {
            let word = arguments.get("word").and_then(Value::as_str).ok_or("expected a word")?;
            Ok(ToolAnswer { text: word.to_owned(), document: json!({ "word": word }) })
        }

        fn instructions(&self) -> &'static str {
            "Ask."
        }
    }

    fn said(line: &str) -> Value {
        answer_line(line.as_bytes(), &mut Echo).unwrap_or_default()
    }

    const META: &str = r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}"#;

    #[test]
    fn faults_have_their_codes() {
        for (line, wanted) in [
            ("{", -32_700),
            ("[]", -32_600),
            ("[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}]", -32_600),
            ("1", -32_600),
            (r#"{"id":1,"method":"ping"}"#, -32_600),
            (r#"{"jsonrpc":"1.0","id":1,"method":"ping"}"#, -32_600),
            (r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#, -32_600),
            (r#"{"jsonrpc":"2.0","id":{},"method":"ping"}"#, -32_600),
            (r#"{"jsonrpc":"2.0","id":1}"#, -32_600),
            (r#"{"jsonrpc":"2.0","id":1,"method":7}"#, -32_600),
            (r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":[]}"#, -32_602),
            (r#"{"jsonrpc":"2.0","id":1,"method":"resources/list"}"#, -32_601),
            (r#"{"jsonrpc":"2.0","id":1,"method":"initialize"}"#, -32_602),
            (r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"cursor":"x"}}"#, -32_602),
            (r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"rm"}}"#, -32_602),
            (
                r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":[]}}"#,
                -32_602,
            ),
            (
                r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2099-01-01"}}}"#,
                -32_022,
            ),
            (
                r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}"#,
                -32_602,
            ),
        ] {
            assert_eq!(said(line)["error"]["code"], json!(wanted), "{line}: {}", said(line));
        }
        let stateless = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"ping","params":{{{META}}}}}"#);
        assert_eq!(said(&stateless)["error"]["code"], json!(-32_601));
        let deep = "[".repeat(100_000);
        assert_eq!(said(&deep)["error"]["code"], json!(-32_700), "depth is bounded");
    }

    #[test]
    fn what_asks_for_no_answer_gets_none() {
        for line in [
            "",
            "  \r\n",
            r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
            r#"{"jsonrpc":"2.0","method":"notifications/whatever","params":[1]}"#,
            r#"{"jsonrpc":"2.0","id":1,"result":{}}"#,
            r#"{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"x"}}"#,
        ] {
            assert_eq!(answer_line(line.as_bytes(), &mut Echo), None, "{line}");
        }
    }

    #[test]
    fn tools_answer_and_say_what_was_wrong() {
        let call = |arguments: &str, meta: &str| {
            said(&format!(
                r#"{{"jsonrpc":"2.0","id":"a","method":"tools/call","params":{{"name":"echo","arguments":{arguments}{meta}}}}}"#
            ))
        };
        let plain = call(r#"{"word":"<x>\n\"y\""}"#, "");
        assert_eq!(plain["result"]["content"][0]["text"], json!("<x>\n\"y\""));
        assert_eq!(plain["result"]["structuredContent"], json!({"word": "<x>\n\"y\""}));
        assert!(plain["result"].get("resultType").is_none());
        let stateless = call(r#"{"word":"x"}"#, &format!(",{META}"));
        assert_eq!(stateless["result"]["resultType"], json!("complete"));
        for wrong in ["{}", r#"{"world":1}"#] {
            assert_eq!(call(wrong, "")["result"]["isError"], json!(true), "{wrong}");
        }
    }

    #[test]
    fn a_line_beyond_its_bound_is_refused_and_the_next_one_answered() {
        let ping = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\n";
        let input = format!("{}\n{ping}", "x".repeat(3 << 20));
        let mut output = Vec::new();
        converse(input.as_bytes(), &mut output, &mut Echo).expect("memory");
        let lines: Vec<Value> = output
            .split(|byte| *byte == b'\n')
            .filter_map(|line| serde_json::from_slice(line).ok())
            .collect();
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[0]["error"]["code"], json!(-32_600));
        assert_eq!(lines[1], json!({"jsonrpc": "2.0", "id": 1, "result": {}}));
        let mut cut = Vec::new();
        converse(ping.trim_end().as_bytes(), &mut cut, &mut Echo).expect("memory");
        assert!(!cut.is_empty(), "the last line may lack its end");
    }

    proptest! {
        #[test]
        fn any_bytes_give_one_line_of_json_or_none(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let mut output = Vec::new();
            converse(bytes.as_slice(), &mut output, &mut Echo).expect("memory");
            for line in output.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
                let answer: Value = serde_json::from_slice(line).expect("JSON");
                prop_assert!(answer["jsonrpc"] == json!("2.0"));
            }
        }

        #[test]
        fn any_request_is_answered_under_its_id(
            id in any::<i64>(), method in ".*", name in ".*", key in ".*", word in ".*", is_call in any::<bool>(),
        ) {
            let method = if is_call { "tools/call".to_owned() } else { method };
            let request = json!({
                "jsonrpc": "2.0", "id": id, "method": method,
                "params": { "name": if is_call { "echo" } else { &name }, "arguments": { key: word } },
            });
            let answer = answer_line(request.to_string().as_bytes(), &mut Echo).expect("an answer");
            prop_assert_eq!(&answer["id"], &json!(id));
            prop_assert!(answer.get("result").is_some() != answer.get("error").is_some());
        }
    }
}
