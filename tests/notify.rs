//! Messages at the end of a run, against a mail server and an HTTP server on this machine.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::command::{StoreDir, optimizer, text};
use crate::http_server::{Reply, Server};

/// What no output and no file may hold.
const SECRETS: [&str; 4] = ["s3cr3t-password", "s3cr3t-bark-key", "s3cr3t-token", "s3cr3t-path"];

/// How a mail server treats its visitors.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Manner {
    /// Takes everything.
    Takes,
    /// Refuses the recipient, and says the password while it is about it.
    Refuses,
    /// Says nothing at all.
    Hangs,
}

/// A mail server that speaks enough of RFC 5321 to receive a message.
struct MailServer {
    port: u16,
    said: Arc<Mutex<Vec<String>>>,
    manner: Arc<Mutex<Manner>>,
}

impl MailServer {
    fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let (said, manner) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(manner)));
        let (log, how) = (Arc::clone(&said), Arc::clone(&manner));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (log, how) = (Arc::clone(&log), *how.lock().expect("no panic"));
                // A visitor may leave in the middle.
                std::thread::spawn(move || drop(converse(&stream, how, &log)));
            }
        });
        Self { port, said, manner }
    }

    fn become_manner(&self, manner: Manner) {
        *self.manner.lock().expect("no panic") = manner;
    }

    /// Every line that visitors said, in order.
    fn said(&self) -> Vec<String> {
        self.said.lock().expect("no panic").clone()
    }

    fn mails(&self) -> usize {
        self.said().iter().filter(|line| *line == "DATA").count()
    }
}

fn converse(stream: &TcpStream, manner: Manner, log: &Mutex<Vec<String>>) -> std::io::Result<()> {
    let mut out = stream.try_clone()?;
    if manner == Manner::Hangs {
        std::thread::sleep(Duration::from_secs(20));
        return Ok(());
    }
    out.write_all(b"220 mail.test ready\r\n")?;
    let mut in_message = false;
    for line in BufReader::new(stream).lines() {
        let line = line?;
        log.lock().expect("no panic").push(line.clone());
        if in_message {
            if line == "." {
                in_message = false;
                out.write_all(b"250 taken\r\n")?;
            }
            continue;
        }
        let word = line.split(' ').next().unwrap_or_default().to_ascii_uppercase();
        let answer = match word.as_str() {
            "EHLO" => "250-mail.test\r\n250 AUTH PLAIN LOGIN\r\n".to_owned(),
            "AUTH" => "235 welcome\r\n".to_owned(),
            "RCPT" if manner == Manner::Refuses => format!("550 not with {}\r\n", SECRETS[0]),
            "DATA" => {
                in_message = true;
                "354 go on\r\n".to_owned()
            }
            "QUIT" => {
                return out.write_all(b"221 bye\r\n");
            }
            _ => "250 fine\r\n".to_owned(),
        };
        out.write_all(answer.as_bytes())?;
    }
    Ok(())
}

/// Returns what a mail says once its transfer encoding is undone, as far as these tests look.
fn decoded(lines: &[String]) -> String {
    lines.join("\n").replace("=\n", "").replace("=3D", "=")
}

/// Returns an HTTP server that takes whatever is posted, as Bark and webhooks do.
fn taker() -> Server {
    Server::start(|_, _| Reply::ok(r#"{"code":200,"message":"success"}"#))
}

fn all_channels(mail: &MailServer, http: &Server) -> Vec<String> {
    let mut settings = only_mail(mail);
    settings.push(format!("notify.bark.url=\"{}\"", http.url));
    settings.push(format!("notify.webhook.url=\"{}/{}\"", http.url, SECRETS[3]));
    settings
}

fn only_mail(mail: &MailServer) -> Vec<String> {
    let email = format!(
        "notify.email={{host=\"127.0.0.1\",port={},security=\"none\",from=\"Optimizer <o@a.example>\",\
         to=[\"me@b.example\"],username=\"me\"}}",
        mail.port
    );
    // The sample is older than any limit on the age of candles, which would be told after every run.
    let when = "notify.when=[\"change\", \"failure\"]".to_owned();
    vec![email, "notify.timeout=\"1s\"".to_owned(), when]
}

fn with_secrets(arguments: &[&str], store: &Path, settings: &[String]) -> Command {
    let mut command = optimizer();
    command.args(arguments).arg("--store").arg(store);
    command.args(settings.iter().flat_map(|setting| ["--set", setting]));
    command.env("OPTIMIZER_SMTP_PASSWORD", SECRETS[0]);
    command.env("OPTIMIZER_BARK_KEY", SECRETS[1]).env("OPTIMIZER_WEBHOOK_TOKEN", SECRETS[2]);
    command
}

/// Runs a command and sees to it that no secret is told or kept.
fn run(arguments: &[&str], store: &StoreDir, settings: &[String]) -> Output {
    let output = with_secrets(arguments, &store.path, settings).output().expect("started");
    let mut held = vec![text(&output.stdout), text(&output.stderr)];
    if store.path.exists() {
        held.extend(store.content().into_iter().map(|(_, bytes, _)| text(&bytes)));
    }
    for secret in SECRETS {
        assert!(held.iter().all(|held| !held.contains(secret)), "{arguments:?} tells {secret}");
    }
    output
}

const RUN: [&str; 3] = ["incremental", "--data", "tests/sample"];

#[test]
fn a_change_is_told_over_every_channel() {
    let (mail, http, store) = (MailServer::start(Manner::Takes), taker(), StoreDir::missing());
    let mut settings = all_channels(&mail, &http);
    settings.push("notify.report=\"https://example.com/report.html\"".to_owned());
    let output = run(&[&RUN[..], &["--json"]].concat(), &store, &settings);
    assert_eq!(output.status.code(), Some(10), "{}", text(&output.stderr));
    let printed: Value = serde_json::from_slice(&output.stdout).expect("a document");
    let said = mail.said();
    let mail_text = decoded(&said);
    assert!(said.iter().any(|line| line == "RCPT TO:<me@b.example>"), "{mail_text}");
    for part in [
        "Subject: optimizer default: parameters changed: scalping",
        "Auto-Submitted: auto-generated",
        "multipart/alternative",
        "text/plain",
        "text/html",
        "EDGE ",
        "-> ",
        "<h3>parameters changed: scalping",
        "report: https://example.com/report.html",
        "profit factor",
    ] {
        assert!(mail_text.contains(part), "{part:?} is not in:\n{mail_text}");
    }
    let asked = http.asked();
    assert_eq!(asked.iter().map(|asked| asked.method.as_str()).collect::<Vec<_>>(), ["POST", "POST"]);
    let bark: Value = serde_json::from_slice(&asked[0].body).expect("JSON");
    assert_eq!((asked[0].path.as_str(), &bark["device_key"]), ("/push", &json!(SECRETS[1])));
    assert_eq!(bark["url"], "https://example.com/report.html");
    assert_eq!(
        (asked[1].path.clone(), asked[1].header("authorization")),
        (format!("/{}", SECRETS[3]), Some(format!("Bearer {}", SECRETS[2]).as_str()))
    );
    let document: Value = serde_json::from_slice(&asked[1].body).expect("JSON");
    let schema = crate::document_schemas::schema_of("digest").expect("a known kind");
    let validator = jsonschema::validator_for(&schema).expect("a valid schema");
    assert_eq!(validator.iter_errors(&document).map(|error| error.to_string()).collect::<Vec<_>>(), [""; 0]);
    assert_eq!((&document["schema"], &document["data"]["run"]), (&json!("optimizer.digest/2"), &json!(1)));
    assert_eq!(document["data"]["changes"], printed["data"]["decision"]["changes"]);
    assert_eq!(document["data"]["changes_more"], 0);
    // Unchanged is not worth telling, nor is anything when asked to be quiet.
    assert_eq!(run(&RUN, &store, &settings).status.code(), Some(0));
    let quiet = [&RUN[..], &["--no-notify", "--set", "costs.taker_fee_pct=0.06"]].concat();
    assert!(matches!(run(&quiet, &store, &settings).status.code(), Some(0 | 10 | 11 | 12)));
    assert_eq!((mail.mails(), http.count()), (1, 2));
}

#[test]
fn what_a_channel_does_not_take_is_told_by_the_next_run() {
    let (mail, http, store) = (MailServer::start(Manner::Refuses), taker(), StoreDir::missing());
    let settings = all_channels(&mail, &http);
    let output = run(&RUN, &store, &settings);
    assert_eq!(output.status.code(), Some(7), "all else is done");
    assert!(text(&output.stdout).contains("result=changed run=1"), "{}", text(&output.stdout));
    let error = text(&output.stderr);
    assert!(error.contains("notification failed: email: 127.0.0.1:"), "{error}");
    assert!(
        error.contains(": 550 to RCPT TO: the mailbox is not there") && error.contains("1 waiting"),
        "{error}"
    );
    assert!(!error.contains("not with"), "what the server says is not told: {error}");
    assert_eq!(http.count(), 2, "the other channels are not held up");
    let queue = store.path.join("notify-queue.json");
    let mode = fs::metadata(&queue).expect("kept").permissions().mode() & 0o777;
    assert_eq!(mode, 0o600);
    assert_eq!(store.json(&["inspect"])["data"]["profiles"][0]["runs"], 1, "the store takes no notice");
    mail.become_manner(Manner::Takes);
    let output = run(&RUN, &store, &settings);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(decoded(&mail.said()).contains("Subject: optimizer default: parameters changed"));
    assert_eq!((mail.mails(), http.count(), queue.exists()), (1, 2, false), "nobody is told twice");
}

#[test]
fn a_channel_that_hangs_costs_its_time_once() {
    let (mail, store) = (MailServer::start(Manner::Hangs), StoreDir::missing());
    let mut settings = only_mail(&mail);
    settings.push("notify.when=[\"always\"]".to_owned());
    for waiting in 1..=3 {
        let began = Instant::now();
        let output = run(&[&RUN[..], &["--exit-zero"]].concat(), &store, &settings);
        assert_eq!(output.status.code(), Some(7));
        assert!(text(&output.stderr).contains(&format!("{waiting} waiting")), "{}", text(&output.stderr));
        assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
    }
    mail.become_manner(Manner::Takes);
    assert_eq!(run(&[&RUN[..], &["--exit-zero"]].concat(), &store, &settings).status.code(), Some(0));
    assert_eq!(mail.mails(), 4);
}

#[test]
fn a_run_that_fails_is_told_and_keeps_its_exit_code() {
    let (mail, http, store) = (MailServer::start(Manner::Takes), taker(), StoreDir::missing());
    let settings = all_channels(&mail, &http);
    let output = run(&["incremental", "--data", "tests/<nowhere>"], &store, &settings);
    assert_eq!(output.status.code(), Some(4), "{}", text(&output.stderr));
    let mail_text = decoded(&mail.said());
    assert!(mail_text.contains("Subject: optimizer default: the run failed"), "{mail_text}");
    assert!(
        mail_text.contains("tests/&lt;nowhere&gt;") && mail_text.contains("tests/<nowhere>"),
        "{mail_text}"
    );
    let document: Value = serde_json::from_slice(&http.asked()[1].body).expect("JSON");
    assert_eq!(document["data"]["failure"]["exit_code"], 4);
    mail.become_manner(Manner::Refuses);
    let nowhere = StoreDir::missing();
    let output = run(&[&RUN[..], &["--timerange", "soon"]].concat(), &nowhere, &settings);
    assert_eq!(output.status.code(), Some(2), "what failed first counts");
    assert!(
        text(&output.stderr).contains("the message is not kept: there is no store"),
        "{}",
        text(&output.stderr)
    );
}

#[test]
fn a_test_message_says_which_channel_works() {
    let mail = MailServer::start(Manner::Takes);
    let http = Server::start(|_, asked| match asked.path.as_str() {
        "/push" => Reply::ok(format!(r#"{{"code":400,"message":"no device {}"}}"#, SECRETS[1])),
        _ => Reply::status(500, SECRETS[2]),
    });
    let store = StoreDir::missing();
    let output = run(&["notify", "test"], &store, &all_channels(&mail, &http));
    assert_eq!(output.status.code(), Some(7));
    let said = text(&output.stdout);
    assert!(said.contains("email: sent\n"), "{said}");
    assert!(
        said.contains(&format!(
            "bark: failed: {}: expected code 200, found code 400 Bad Request\n",
            http.url
        )),
        "{said}"
    );
    assert!(
        said.contains(&format!("webhook: failed: {}/…: 500 Internal Server Error\n", http.url)),
        "{said}"
    );
    assert!(!store.path.exists(), "nothing is kept of a test");
    let output = run(&["notify", "test", "--json"], &store, &only_mail(&mail));
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let document: Value = serde_json::from_slice(&output.stdout).expect("a document");
    assert_eq!(document["data"]["channels"], json!([{"channel": "email", "sent": 1, "error": null}]));
    let output = run(&["notify", "test"], &store, &[]);
    assert_eq!(output.status.code(), Some(3), "{}", text(&output.stderr));
}

#[test]
fn a_password_waits_for_encryption() {
    let (mail, store) = (MailServer::start(Manner::Takes), StoreDir::missing());
    let settings: Vec<String> =
        only_mail(&mail).into_iter().map(|setting| setting.replace("\"none\"", "\"starttls\"")).collect();
    let output = run(&["notify", "test"], &store, &settings);
    assert_eq!(output.status.code(), Some(7), "the server cannot encrypt");
    assert!(
        mail.said().iter().all(|line| !line.starts_with("AUTH") && !line.starts_with("MAIL")),
        "{:?}",
        mail.said()
    );
    let settings: Vec<String> =
        only_mail(&mail).into_iter().map(|setting| setting.replace("127.0.0.1", "mail.example")).collect();
    let output = run(&["notify", "test"], &store, &settings);
    assert_eq!(output.status.code(), Some(3));
    assert!(text(&output.stderr).contains("notify.email.security: expected"), "{}", text(&output.stderr));
}

#[test]
fn a_secret_may_lie_in_a_file_that_only_its_owner_reads() {
    let (mail, store) = (MailServer::start(Manner::Takes), StoreDir::missing());
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("password");
    fs::write(&file, format!("{}\n", SECRETS[0])).expect("written");
    let test = |both: bool| {
        let mut command = with_secrets(&["notify", "test"], &store.path, &only_mail(&mail));
        command.env("OPTIMIZER_SMTP_PASSWORD_FILE", &file);
        if !both {
            command.env_remove("OPTIMIZER_SMTP_PASSWORD");
        }
        let output = command.output().expect("started");
        assert!(!text(&output.stdout).contains(SECRETS[0]) && !text(&output.stderr).contains(SECRETS[0]));
        (output.status.code(), text(&output.stdout))
    };
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).expect("set");
    let (code, said) = test(false);
    assert_eq!(code, Some(7));
    assert!(said.contains("only its owner may read, found mode 640"), "{said}");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("set");
    let (code, said) = test(true);
    assert!(code == Some(7) && said.contains("found both"), "{said}");
    assert_eq!(mail.said(), [""; 0], "nothing is said without a password");
    assert_eq!(test(false).0, Some(0));
    let login = mail.said().into_iter().find(|line| line.starts_with("AUTH PLAIN ")).expect("a login");
    // "\0me\0s3cr3t-password" in base64.
    assert_eq!(login, "AUTH PLAIN AG1lAHMzY3IzdC1wYXNzd29yZA==");
}

#[test]
fn the_configuration_shows_no_secret_address() {
    let (mail, http, store) = (MailServer::start(Manner::Takes), taker(), StoreDir::missing());
    let settings = all_channels(&mail, &http);
    for arguments in [&["config", "show"][..], &["config", "show", "--json"], &["config", "check"]] {
        let output = run(arguments, &store, &settings);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    }
    let shown = text(&run(&["config", "show"], &store, &settings).stdout);
    assert!(shown.contains("notify.webhook.url") && shown.contains("/…"), "{shown}");
}

/// Sends a test message; returns the exit code and what was said on both ends.
fn test_message(settings: &[String]) -> (Option<i32>, String) {
    let store = StoreDir::missing();
    let mut command = with_secrets(&["notify", "test"], &store.path, settings);
    command.env("OPTIMIZER_TELEGRAM_TOKEN", "12:s3cr3t-token").env("OPTIMIZER_NTFY_TOKEN", "s3cr3t-ntfy");
    let output = command.output().expect("started");
    let said = text(&output.stdout) + &text(&output.stderr);
    assert!(!said.contains("s3cr3t"), "{said}");
    (output.status.code(), said)
}

fn body(asked: &crate::http_server::Asked) -> Value {
    serde_json::from_slice(&asked.body).expect("JSON")
}

#[test]
fn telegram_gets_plain_text_and_is_waited_for_as_it_asks() {
    let server = Server::start(|before, _| match before {
        0 => Reply::status(429, r#"{"ok":false,"error_code":429,"parameters":{"retry_after":1}}"#),
        _ => Reply::ok(r#"{"ok":true,"result":{}}"#),
    });
    let settings = |url: &str, chat: &str| {
        vec![format!("notify.telegram={{url=\"{url}\",chat=\"{chat}\"}}"), "notify.timeout=\"8s\"".to_owned()]
    };
    let begun = Instant::now();
    let (code, said) = test_message(&settings(&server.url, "-1001234"));
    assert_eq!((code, server.count()), (Some(0), 2), "{said}");
    assert!(begun.elapsed() >= Duration::from_secs(1), "as long as it asked for");
    let asked = &server.asked()[1];
    assert_eq!((asked.path.as_str(), asked.method.as_str()), ("/bot12:s3cr3t-token/sendMessage", "POST"));
    let sent = body(asked);
    assert_eq!(sent["chat_id"], "-1001234");
    assert!(
        sent["text"].as_str().is_some_and(|text| text.starts_with("optimizer default: this is a test")),
        "{sent}"
    );
    assert!(sent.get("parse_mode").is_none(), "nothing in a message means anything: {sent}");
    // What is wrong with the settings is told at once, and an answer that is no success is none.
    for (status, answer, count) in
        [(400, r#"{"ok":false,"error_code":400}"#, 1), (200, r#"{"ok":false,"error_code":403}"#, 1)]
    {
        let refusing = Server::start(move |_, _| Reply::status(status, answer));
        let (code, said) = test_message(&settings(&refusing.url, "@me"));
        assert_eq!((code, refusing.count()), (Some(7), count), "{said}");
        assert!(said.contains("expected ok, found 40"), "{said}");
    }
    let (code, said) = test_message(&settings(&server.url, "me"));
    assert!(
        code == Some(3) && said.contains("notify.telegram.chat: expected the number of a chat"),
        "{said}"
    );
}

#[test]
fn ntfy_gets_its_topic_apart_and_a_server_in_trouble_is_tried_again() {
    let server =
        Server::start(|before, _| if before == 0 { Reply::status(503, "") } else { Reply::ok("{}") });
    let settings = |url: &str| vec![format!("notify.ntfy.url=\"{url}\""), "notify.timeout=\"8s\"".to_owned()];
    let (code, said) = test_message(&settings(&format!("{}/s3cr3t-topic", server.url)));
    assert_eq!((code, server.count()), (Some(0), 2), "{said}");
    let asked = &server.asked()[1];
    let sent = body(asked);
    assert_eq!(
        (asked.path.as_str(), &sent["topic"], &sent["priority"]),
        ("/", &json!("s3cr3t-topic"), &json!(3))
    );
    assert_eq!(asked.header("authorization"), Some("Bearer s3cr3t-ntfy"));
    let (code, said) = test_message(&settings(&server.url));
    assert!(code == Some(3) && said.contains("notify.ntfy.url: expected an address with a topic"), "{said}");
}

#[test]
fn chat_services_get_the_documents_they_want() {
    let server = Server::start(|_, asked| match asked.query("key") {
        "wrong" => Reply::ok(r#"{"errcode":93000,"errmsg":"s3cr3t-path"}"#),
        _ => Reply::ok(r#"{"errcode":0}"#),
    });
    let howto = fs::read_to_string("docs/howto/notify.md").expect("the page");
    let templates: Vec<String> = howto
        .lines()
        .filter_map(|line| Some(line.split_once("`template = '")?.1.split_once("'`")?.0.to_owned()))
        .collect();
    assert_eq!(templates.len(), 4, "Discord, Slack, Feishu and WeCom");
    for template in &templates {
        let settings = [
            format!("notify.webhook.url=\"{}/s3cr3t-path?key=right\"", server.url),
            format!("notify.webhook.template='{template}'"),
        ];
        let (code, said) = test_message(&settings);
        assert_eq!(code, Some(0), "{said}");
        let asked = server.asked().pop().expect("a message");
        let sent = body(&asked).to_string();
        assert!(sent.contains(r"optimizer default: this is a test; messages arrive\n"), "{sent}");
        assert_eq!(asked.query("key"), "right", "the query is asked as it stands");
    }
    let wrong = |setting: &str| {
        test_message(&[format!("notify.webhook.url=\"{}/x?key=wrong\"", server.url), setting.to_owned()])
    };
    let (code, said) = wrong("notify.webhook.template='{\"text\": \"{text}\"}'");
    assert!(code == Some(7) && said.contains("expected code 0, found code 93000"), "{said}");
    let (code, said) = wrong("notify.webhook.template='{text}'");
    assert!(code == Some(3) && said.contains("notify.webhook.template: expected JSON such as"), "{said}");
}
