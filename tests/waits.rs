//! Every wait ends, and nothing that a server says is told: mail and HTTP servers on this machine with every bad manner there is,
//! signals, and readers that were suspended.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::command::{StoreDir, optimizer, text};
use crate::http_server::{Reply, Server};

/// The secrets of a user: a password, a token, a key, and the path of a webhook.
const SECRETS: [&str; 4] = ["s3cr3t p/ss", "s3cr3t-token", "s3cr3t-key", "s3cr3t-path"];
/// What every server says of its own; it is in no output, and so nothing else of what it says is.
const SAID: &str = "zebra";
/// Far beyond any deadline in these tests, and far below what any of the servers holds on for.
const LATE: Duration = Duration::from_secs(60);
/// Far beyond what the program needs, and far below what the servers that never stop say.
const MEMORY_KIB_MAX: u64 = 160 << 10;

/// Everything a server may repeat: the secrets as they are, and in the forms they take on the way.
fn echo() -> String {
    format!(
        "{SAID} {} S3CR3T%20P%2FSS s3cr3t%20p%2fss AG1lAHMzY3IzdCBwL3Nz czNjcjN0IHAvc3M= Bearer {} {} /{} ",
        SECRETS[0], SECRETS[1], SECRETS[2], SECRETS[3]
    )
}

/// Rows of candles that hold secrets where numbers should be.
fn rows() -> String {
    let row = |open: i64| {
        let (open, close) = (open, open + 15 * 60_000 - 1);
        let cell = echo().replace('"', "");
        format!("[{open},\"{cell}\",\"1\",\"1\",\"1\",\"1\",{close}]")
    };
    format!("[{}]", (0..8).map(|n| row(1_735_689_600_000 + n * 900_000)).collect::<Vec<_>>().join(","))
}

/// A server that treats each visitor alike.
fn server(manner: impl Fn(TcpStream) -> std::io::Result<()> + Send + Sync + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    let manner = Arc::new(manner);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let manner = Arc::clone(&manner);
            // A visitor may leave in the middle.
            std::thread::spawn(move || drop(manner(stream)));
        }
    });
    port
}

/// What a server does, a step after the other.
#[derive(Debug, Clone)]
enum Step {
    /// Says something.
    Say(String),
    /// Reads a line, or so much of it as comes.
    Hear,
    /// Reads to the line with a dot.
    HearMail,
    /// Says something again and again, with a pause in between.
    Repeat(String, Duration),
    /// Does nothing until the visitor has left.
    Wait,
}

fn say(text: &str) -> Step {
    Step::Say(format!("{text} {}\r\n", echo()))
}

fn play(mut stream: TcpStream, steps: &[Step]) -> std::io::Result<()> {
    for step in steps {
        match step {
            Step::Say(text) => stream.write_all(text.as_bytes())?,
            Step::Hear => drop(line(&mut stream)?),
            Step::HearMail => while line(&mut stream)? != "." {},
            Step::Repeat(text, pause) => loop {
                stream.write_all(text.as_bytes())?;
                std::thread::sleep(*pause);
            },
            Step::Wait => while stream.read(&mut [0; 1 << 10])? > 0 {},
        }
    }
    // Who closes with something unread takes back what it said.
    stream.shutdown(std::net::Shutdown::Write)?;
    while stream.read(&mut [0; 1 << 10])? > 0 {}
    Ok(())
}

/// Reads a line, byte by byte, so that what follows is left for whoever reads next.
fn line(stream: &mut TcpStream) -> std::io::Result<String> {
    let mut line = Vec::new();
    let mut byte = [0];
    while stream.read(&mut byte)? > 0 && byte[0] != b'\n' {
        line.push(byte[0]);
    }
    let text = String::from_utf8_lossy(&line).trim_end().to_owned();
    if line.is_empty() { Err(std::io::ErrorKind::UnexpectedEof.into()) } else { Ok(text) }
}

/// What came of a command.
struct Ended {
    output: Output,
    after: Duration,
    /// The most memory it had at once.
    memory_kib: u64,
}

impl Ended {
    fn said(&self) -> String {
        format!("{}{}", text(&self.output.stdout), text(&self.output.stderr))
    }

    /// Returns the exit code of a command that ended in time, in little memory, and told nothing.
    fn code(&self, of: &str) -> i32 {
        let said = self.said();
        assert!(self.after < LATE, "{of}: {:?}: {said}", self.after);
        assert!(self.memory_kib < MEMORY_KIB_MAX, "{of}: {} KiB", self.memory_kib);
        expect_no_secret(of, &said);
        assert!(!said.contains("panicked"), "{of}: {said}");
        let code = self.output.status.code();
        code.unwrap_or_else(|| panic!("{of}: ended by {:?}: {said}", self.output.status.signal()))
    }
}

fn expect_no_secret(of: &str, said: &str) {
    for part in echo().split_whitespace().filter(|part| part.len() > 6).chain(SECRETS).chain([SAID]) {
        let told = said.to_ascii_lowercase().contains(&part.to_ascii_lowercase());
        assert!(!told, "{of} tells {part:?}: {said}");
    }
}

/// Lets a command end, whatever it takes, and looks at its memory meanwhile.
fn follow(mut child: Child) -> Ended {
    let began = Instant::now();
    let mut memory_kib = 0;
    loop {
        let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let peak = peak.and_then(|value| value.split_whitespace().next()?.parse().ok());
        memory_kib = memory_kib.max(peak.unwrap_or(0));
        let ended = child.try_wait().expect("a child").is_some();
        if ended || began.elapsed() > LATE {
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    let after = began.elapsed();
    // Only where it was late.
    let _ = child.kill();
    Ended { output: child.wait_with_output().expect("ended"), after, memory_kib }
}

fn with_secrets(arguments: &[&str], store: &Path, settings: &[String]) -> Command {
    let mut command = optimizer();
    command.args(arguments).arg("--store").arg(store);
    command.args(settings.iter().flat_map(|setting| ["--set", setting]));
    command.env("OPTIMIZER_SMTP_PASSWORD", SECRETS[0]).env("OPTIMIZER_WEBHOOK_TOKEN", SECRETS[1]);
    command.env("OPTIMIZER_BARK_KEY", SECRETS[2]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).stdin(Stdio::null());
    command
}

fn email(port: u16, security: &str) -> Vec<String> {
    let email = format!(
        "notify.email={{host=\"127.0.0.1\",port={port},security=\"{security}\",from=\"o@a.example\",\
         to=[\"me@b.example\"],username=\"me\"}}"
    );
    vec![email, "notify.timeout=\"700ms\"".to_owned(), "notify.when=[\"always\"]".to_owned()]
}

/// The beginning of a conversation, to where somebody has logged in.
fn logged_in() -> Vec<Step> {
    vec![
        say("220"),
        Step::Hear,
        Step::Say(format!("250-{SAID}\r\n250-STARTTLS\r\n250 AUTH PLAIN LOGIN\r\n")),
        Step::Hear,
        say("235"),
    ]
}

fn in_the_middle(more: &[Step]) -> Vec<Step> {
    [logged_in(), more.to_vec()].concat()
}

/// A conversation to where the connection is to be encrypted.
fn starttls(more: &[Step]) -> Vec<Step> {
    [logged_in()[..4].to_vec(), more.to_vec()].concat()
}

const AT_ONCE: Duration = Duration::ZERO;
const SLOWLY: Duration = Duration::from_millis(100);

/// Manners of a mail server: what they are, how it is spoken to, what it does, and what is told of it.
fn mail_manners() -> Vec<(&'static str, &'static str, Vec<Step>, &'static str)> {
    use Step::{Hear, HearMail, Repeat, Wait};
    let repeat = |text: &str, pause| Repeat(text.to_owned(), pause);
    let [fine, refused] = [say("250"), say("550")];
    let talk = "talk ".repeat(200);
    vec![
        ("silent", "none", vec![Wait], "timeout"),
        ("closes at once", "none", vec![], "connecting: the connection was closed"),
        ("drips a greeting", "none", vec![repeat("2", SLOWLY)], "timeout"),
        ("one line for ever", "none", vec![repeat(&talk, AT_ONCE)], "connecting: the answer is larger"),
        (
            "a greeting of lines for ever",
            "none",
            vec![repeat("220-zebra\r\n", AT_ONCE)],
            "the answer is larger",
        ),
        ("a line now and then", "none", vec![repeat("220-zebra\r\n", SLOWLY)], "timeout"),
        (
            "EHLO is answered for ever",
            "none",
            vec![say("220"), Hear, repeat("250-zebra\r\n", AT_ONCE)],
            "EHLO: the answer is larger",
        ),
        (
            "speaks HTTP",
            "none",
            vec![say("HTTP/1.1 400 Bad Request\r\n")],
            "connecting: the answer is not of the protocol",
        ),
        (
            "bytes that are no text",
            "none",
            vec![Step::Say("\0\u{1b}\u{7f}ü\r\n".into())],
            "not of the protocol",
        ),
        ("takes no visitors", "none", vec![say("554")], "554 to connecting: the mail is not taken"),
        (
            "repeats the login",
            "none",
            [&logged_in()[..4], &[say("535")]].concat(),
            "535 to AUTH: the user name or the password is wrong",
        ),
        (
            "asks for ever while somebody logs in",
            "none",
            [&logged_in()[..4], &[repeat("334 VXNlcm5hbWU6\r\n", AT_ONCE)]].concat(),
            "AUTH: the answer is not of the protocol",
        ),
        ("leaves after the login", "none", in_the_middle(&[Hear]), "MAIL FROM: the connection was closed"),
        (
            "refuses the recipient",
            "none",
            in_the_middle(&[Hear, fine.clone(), Hear, refused]),
            "550 to RCPT TO: the mailbox is not there",
        ),
        (
            "takes the mail and says nothing",
            "none",
            in_the_middle(&[Hear, fine.clone(), Hear, fine.clone(), Hear, say("354"), HearMail, Wait]),
            "timeout",
        ),
        (
            "finds the mail too large",
            "none",
            in_the_middle(&[Hear, fine.clone(), Hear, fine.clone(), Hear, say("354"), HearMail, say("552")]),
            "552 to the message: too much data",
        ),
        (
            "lines of different codes",
            "none",
            in_the_middle(&[Hear, Step::Say("250-zebra\r\n550 zebra\r\n".into())]),
            "MAIL FROM: the answer is not of the protocol",
        ),
        ("encrypts and is silent", "starttls", starttls(&[say("220"), Wait]), "timeout"),
        (
            "does not encrypt",
            "starttls",
            starttls(&[say("454")]),
            "454 to STARTTLS: not possible at the moment",
        ),
        (
            "encrypts and speaks plainly",
            "starttls",
            // Not in one breath with the answer, which would be refused for another reason.
            starttls(&[say("220"), Step::Repeat(echo(), SLOWLY)]),
            "STARTTLS: ",
        ),
        (
            "says in advance what is to come encrypted",
            "starttls",
            starttls(&[Step::Say("220 zebra\r\n250-zebra\r\n250 AUTH PLAIN\r\n".into()), Wait]),
            "STARTTLS: ",
        ),
        ("cannot encrypt", "starttls", vec![say("220"), Hear, say("250")], "the server cannot encrypt"),
        ("silent under TLS", "tls", vec![Wait], "timeout"),
        ("plain where TLS is wanted", "tls", vec![say("220"), Wait], "no encrypted connection"),
        ("talks for ever where TLS is wanted", "tls", vec![Repeat(talk, AT_ONCE)], "no encrypted connection"),
    ]
}

#[test]
fn no_manner_of_a_mail_server_holds_anybody_up_or_is_repeated() {
    let manners = mail_manners();
    assert!(manners.len() >= 14);
    let store = StoreDir::missing();
    let children: Vec<_> = manners
        .into_iter()
        .map(|(name, security, steps, told)| {
            let port = server(move |stream| play(stream, &steps));
            let child = with_secrets(&["notify", "test"], &store.path, &email(port, security)).spawn();
            (name, told, std::thread::spawn(|| follow(child.expect("started"))))
        })
        .collect();
    for (name, told, child) in children {
        let ended = child.join().expect("followed");
        assert_eq!(ended.code(name), 7, "{name}: {}", ended.said());
        assert!(ended.said().contains("email: failed: 127.0.0.1:"), "{name}: {}", ended.said());
        assert!(ended.said().contains(told), "{name}: {told:?} is not in {}", ended.said());
    }
}

#[test]
fn a_mail_that_was_taken_is_sent_however_the_server_says_good_bye() {
    for last in [Step::Wait, Step::Repeat("221-zebra\r\n".to_owned(), AT_ONCE)] {
        let fine = say("250");
        let steps = in_the_middle(&[
            Step::Hear,
            fine.clone(),
            Step::Hear,
            fine.clone(),
            Step::Hear,
            say("354"),
            Step::HearMail,
            fine,
            last,
        ]);
        let port = server(move |stream| play(stream, &steps));
        let store = StoreDir::missing();
        let child = with_secrets(&["notify", "test"], &store.path, &email(port, "none")).spawn();
        let ended = follow(child.expect("started"));
        assert_eq!(ended.code("a good-bye"), 0, "{}", ended.said());
    }
}

#[test]
fn a_certificate_that_nobody_vouches_for_is_not_taken() {
    let read = |name: &str| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tls");
        fs::read(folder.join(name)).expect("a file")
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let key = rustls::pki_types::PrivateKeyDer::try_from(read("key.der")).expect("a key");
    let config = config.expect("versions").with_no_client_auth();
    let config = Arc::new(config.with_single_cert(vec![read("certificate.der").into()], key).expect("sound"));
    let port = server(move |mut stream| {
        let connection = rustls::ServerConnection::new(Arc::clone(&config)).expect("a connection");
        let mut tls = rustls::StreamOwned::new(connection, stream.try_clone()?);
        tls.write_all(b"220 zebra\r\n")?;
        stream.read(&mut [0; 100]).map(drop)
    });
    let store = StoreDir::missing();
    let child = with_secrets(&["notify", "test"], &store.path, &email(port, "tls")).spawn();
    let ended = follow(child.expect("started"));
    assert_eq!(ended.code("an unknown authority"), 7);
    assert!(ended.said().contains("nobody known vouches for the server's certificate"), "{}", ended.said());
}

/// An answer of HTTP with a head and nothing that says where the body ends.
fn head(status: &str, more: &str) -> String {
    format!("HTTP/1.1 {status} {}\r\nX-Said: {}\r\n{more}\r\n", echo().replace('/', "_"), echo())
}

/// Manners of an HTTP server: what they are, what it does, and what is told of it by a webhook, by Bark and by `fetch`; nothing where the
/// message is taken.
fn http_manners() -> Vec<(&'static str, Vec<Step>, [&'static str; 3])> {
    use Step::{Hear, Repeat, Say, Wait};
    let repeat = |text: &str, pause| Repeat(text.to_owned(), pause);
    let talk = "talk ".repeat(200);
    let same = |told: &'static str| [told; 3];
    let chunked = "Transfer-Encoding: chunked\r\n";
    let none = "no JSON of ours";
    vec![
        ("silent", vec![Hear, Wait], same("timeout")),
        ("closes at once", vec![Hear], same("the connection was closed")),
        ("drips a head", vec![Hear, repeat("H", SLOWLY)], same("")),
        ("a line for ever", vec![Hear, Say("HTTP/1.1 200 ".into()), repeat(&talk, AT_ONCE)], same("")),
        (
            "headers for ever",
            vec![Hear, Say("HTTP/1.1 200 OK\r\n".into()), repeat("X-A: zebra\r\n", AT_ONCE)],
            same(""),
        ),
        ("to be continued for ever", vec![Hear, repeat("HTTP/1.1 100 Continue\r\n\r\n", AT_ONCE)], same("")),
        ("speaks SMTP", vec![Hear, say("220"), Wait], same("")),
        (
            "repeats the request as a refusal",
            vec![Hear, Say(head("500", "") + &echo())],
            ["500 Internal Server Error", "500 Internal Server Error", none],
        ),
        (
            "leads in a circle",
            vec![Hear, Say(head("302", "Location: /zebra\r\nConnection: close\r\nContent-Length: 0\r\n"))],
            ["302 Found", "302 Found", "for ever"],
        ),
        ("drips a body", vec![Hear, Say(head("200", "")), repeat("1", SLOWLY)], ["", "timeout", "timeout"]),
        (
            "a body for ever",
            vec![Hear, Say(head("200", chunked)), repeat("3e8\r\n", AT_ONCE)],
            ["", "failed", ""],
        ),
        (
            "much is announced and nothing comes",
            vec![Hear, Say(head("200", "Content-Length: 18446744073709551615\r\n")), Wait],
            ["", "timeout", "timeout"],
        ),
        (
            "a body that is cut off",
            vec![Hear, Say(head("200", "Content-Length: 9999\r\n") + "{\"code\":")],
            ["", "the connection was closed", "the connection was closed"],
        ),
        (
            "numbers that are secrets",
            vec![Hear, Say(head("200", "Connection: close\r\n") + &rows())],
            ["", "without a code", "found others at 2025-01-01T00:00:00Z"],
        ),
        (
            "a code that is none",
            vec![Hear, Say(head("200", "") + "{\"code\":4815162342}")],
            ["", "failed", ""],
        ),
    ]
}

fn manner_of_http(steps: Vec<Step>) -> String {
    format!("http://127.0.0.1:{}", server(move |stream| play(stream, &steps)))
}

#[test]
fn no_manner_of_an_http_server_holds_anybody_up_or_is_repeated() {
    let manners = http_manners();
    assert!(manners.len() >= 10);
    let store = StoreDir::missing();
    let folder = tempfile::tempdir().expect("a folder");
    let mut children = Vec::new();
    for (number, (name, steps, told)) in manners.into_iter().enumerate() {
        let url = manner_of_http(steps);
        let timeout = "notify.timeout=\"700ms\"".to_owned();
        let webhook = [format!("notify.webhook.url=\"{url}/{}\"", SECRETS[3]), timeout.clone()];
        let bark = [format!("notify.bark.url=\"{url}\""), timeout];
        let patience = ["timeout=300ms", "attempts=2", "first_wait=10ms", "longest_wait=1s"];
        let patience = patience.map(|setting| format!("fetch.{setting}"));
        let out = folder.path().join(number.to_string());
        let fetch = ["fetch", "--symbols", "BTCUSDT", "--since", "2025-01-01", "--until", "2025-01-03"];
        // The path of this address may be a secret, and who has it may say it.
        let base = format!("{url}/{}", SECRETS[3]);
        let fetch = [&fetch[..], &["--base-url", &base, "--out", out.to_str().expect("text")]].concat();
        let commands = [
            with_secrets(&["notify", "test"], &store.path, &webhook),
            with_secrets(&["notify", "test"], &store.path, &bark),
            with_secrets(&fetch, &store.path, &patience),
        ];
        for (number, (mut command, told)) in commands.into_iter().zip(told).enumerate() {
            let child = command.spawn().expect("started");
            children.push((format!("{name} ({number})"), number, told, std::thread::spawn(|| follow(child))));
        }
    }
    for (name, number, told, child) in children {
        let ended = child.join().expect("followed");
        let is_taken = number == 0 && told.is_empty() && ended.said().contains("webhook: sent");
        let code = if number == 2 { 4 } else { 7 };
        assert_eq!(ended.code(&name), if is_taken { 0 } else { code }, "{name}: {}", ended.said());
        let told = if told == "no JSON of ours" { "500 (what it says" } else { told };
        assert!(ended.said().contains(told), "{name}: {told:?} is not in {}", ended.said());
    }
}

#[test]
fn what_an_exchange_asks_to_wait_is_obeyed_within_bounds() {
    let asks = [
        "18446744073709551615",
        "99999999999999999999999999",
        "4000000000",
        "3600",
        "-1",
        "-18446744073709551616",
        "1e9",
        "NaN",
        "",
        "soon",
        "Fri, 31 Dec 9999 23:59:59 GMT",
        "Tue, 31 Dec 2999 23:59:59 GMT",
        "Mon, 01 Jan 0001 00:00:00 GMT",
    ];
    let mut children = Vec::new();
    let folder = tempfile::tempdir().expect("a folder");
    for (status, body) in [(429, "{}"), (503, ""), (200, "<html>"), (418, ""), (500, "")] {
        for ask in asks {
            let server = Server::start(move |_, _| Reply::status(status, body).with("Retry-After", ask));
            let mut command = optimizer();
            let out = folder.path().join(children.len().to_string());
            command.args(["fetch", "--symbols", "BTCUSDT", "--since", "2025-01-01", "--until", "2025-01-03"]);
            command.args(["--base-url", &server.url, "--out"]).arg(out);
            // The longest wait is as it is without a word about it: two minutes.
            for setting in ["fetch.timeout=5s", "fetch.attempts=2", "fetch.first_wait=10ms"] {
                command.args(["--set", setting]);
            }
            command.stdout(Stdio::piped()).stderr(Stdio::piped());
            children.push((format!("{status} {ask}"), follow(command.spawn().expect("started"))));
        }
    }
    for (name, ended) in children {
        assert_eq!(ended.code(&name), 4, "{name}: {}", ended.said());
        let is_ban = name.starts_with("429 ") || name.starts_with("503 ") || name.starts_with("418 ");
        let is_long = ["18446744073709551615", "9999999", "4000000000", "3600", "2999"];
        let is_long = is_long.iter().any(|long| name.contains(long));
        let told = if is_ban && is_long { "and 120 s is the longest wait" } else { "gave up after 2 tries" };
        assert!(ended.said().contains(told), "{name}: {}", ended.said());
    }
}

#[test]
fn a_pipe_in_the_place_of_a_file_is_not_waited_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let pipe = |path: &Path| {
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        rustix::fs::mkfifoat(rustix::fs::CWD, path, rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR)
            .expect("a pipe");
    };
    let secret = folder.path().join("password");
    pipe(&secret);
    let store = StoreDir::missing();
    let port = server(move |stream| play(stream, &[Step::Wait]));
    let mut command = with_secrets(&["notify", "test"], &store.path, &email(port, "none"));
    command.env_remove("OPTIMIZER_SMTP_PASSWORD").env("OPTIMIZER_SMTP_PASSWORD_FILE", &secret);
    let ended = follow(command.spawn().expect("started"));
    assert_eq!(ended.code("a password in a pipe"), 7);
    assert!(ended.said().contains("expected a file of at most 4 KiB"), "{}", ended.said());
    let out = folder.path().join("candles");
    let server = Server::start(|_, _| Reply::ok("[]"));
    for name in ["BTCUSDT-15m.csv", ".BTCUSDT-15m.csv.refused"] {
        let path = out.join("spot").join(name);
        pipe(&path);
        let mut command = optimizer();
        command.args(["fetch", "--symbols", "BTCUSDT", "--since", "2025-01-01", "--until", "2025-01-03"]);
        command.args(["--base-url", &server.url, "--out"]).arg(&out);
        let ended = follow(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("started"));
        assert_eq!(ended.code(name), 74, "{}", ended.said());
        assert!(ended.said().contains("expected a regular file"), "{}", ended.said());
        fs::remove_file(path).expect("removed");
    }
    assert_eq!(server.count(), 0);
}

/// Sends a signal once something has happened; returns what came of the command and how long it took from then.
fn signalled(mut command: Command, signal: Signal, when: impl Fn() -> bool) -> Ended {
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("started");
    let began = Instant::now();
    while !when() && began.elapsed() < LATE {
        std::thread::sleep(Duration::from_millis(5));
    }
    // It is to be in the wait by then, and not on its way there.
    std::thread::sleep(Duration::from_millis(150));
    kill_process(pid(&child), signal).expect("signalled");
    follow(child)
}

fn pid(child: &Child) -> Pid {
    Pid::from_raw(i32::try_from(child.id()).expect("a pid")).expect("a pid")
}

/// How long after a signal a command may last: far more than it needs on a busy machine, and far less than any wait.
const AFTER_A_SIGNAL: Duration = Duration::from_secs(8);

#[test]
fn a_signal_ends_every_wait() {
    let long = |settings: Vec<String>| -> Vec<String> {
        settings.into_iter().map(|setting| setting.replace("700ms", "10m")).collect()
    };
    let silent = || {
        let count = Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let seen = Arc::clone(&count);
        let port = server(move |stream| {
            seen.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            play(stream, &[Step::Wait])
        });
        (port, move || count.load(std::sync::atomic::Ordering::SeqCst) > 0)
    };
    let empty = StoreDir::missing();
    for signal in [Signal::TERM, Signal::INT] {
        // A message that is not taken.
        let (port, came) = silent();
        let ended = signalled(
            with_secrets(&["notify", "test"], &empty.path, &long(email(port, "none"))),
            signal,
            came,
        );
        assert_eq!(ended.code("notify test"), 20, "{}", ended.said());
        assert!(ended.after < AFTER_A_SIGNAL, "{:?}", ended.after);
        let (port, came) = silent();
        let hook =
            [format!("notify.webhook.url=\"http://127.0.0.1:{port}/x\""), "notify.timeout=\"10m\"".into()];
        let ended = signalled(with_secrets(&["notify", "test"], &empty.path, &hook), signal, came);
        assert_eq!(ended.code("a webhook"), 20, "{}", ended.said());
        assert!(ended.after < AFTER_A_SIGNAL, "{:?}", ended.after);
        // What a run that is done would tell: it is done, and the message waits.
        let (port, came) = silent();
        let store = StoreDir::missing();
        let arguments = ["incremental", "--data", "tests/sample", "--exit-zero"];
        let ended =
            signalled(with_secrets(&arguments, &store.path, &long(email(port, "none"))), signal, came);
        assert_eq!(ended.output.status.code(), Some(7), "{}", ended.said());
        assert!(ended.after < AFTER_A_SIGNAL, "{:?}", ended.after);
        assert!(
            ended.said().contains("stopped by a signal") && ended.said().contains("1 waiting"),
            "{}",
            ended.said()
        );
        assert!(store.path.join("notify-queue.json").exists());
        // An exchange that wants patience, and one that says nothing.
        for reply in [Reply::status(503, "").with("Retry-After", 100), Reply::Hang] {
            let server = Server::start(move |_, _| reply.clone());
            let mut command = optimizer();
            let folder = tempfile::tempdir().expect("a folder");
            command.args(["fetch", "--symbols", "BTCUSDT", "--since", "2025-01-01", "--until", "2025-01-03"]);
            command
                .args(["--base-url", &server.url, "--set", "fetch.timeout=10m", "--out"])
                .arg(folder.path());
            let ended = signalled(command, signal, || server.count() > 0);
            assert_eq!(ended.code("fetch"), 20, "{}", ended.said());
            assert!(ended.after < AFTER_A_SIGNAL, "{:?}", ended.after);
        }
        // A store that is in use.
        let held = fs::File::open(store.path.join("run.lock")).expect("a lock");
        held.lock().expect("locked");
        let mut command = optimizer();
        command.args(["incremental", "--data", "tests/sample", "--lock-wait", "10m", "--store"]);
        command.arg(&store.path);
        // Nothing tells from outside that it has begun to wait.
        let began = Instant::now();
        let ended = signalled(command, signal, || began.elapsed() > Duration::from_secs(2));
        assert!(ended.after < AFTER_A_SIGNAL, "{:?}", ended.after);
        // A signal that comes before anybody listens ends the program as well.
        let by_itself = ended.output.status.signal() == Some(signal.as_raw());
        assert!(by_itself || ended.output.status.code() == Some(20), "{}", ended.said());
    }
}

#[test]
fn who_only_looks_keeps_no_run_out() {
    let store = StoreDir::after_a_run();
    let run = |wait: &str| {
        let arguments = ["incremental", "--data", "tests/sample", "--exit-zero", "--lock-wait", wait];
        let mut command = optimizer();
        command.args(arguments).arg("--store").arg(&store.path);
        follow(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("started"))
    };
    let looks: [&[&str]; 6] = [
        &["doctor"],
        &["inspect"],
        &["inspect", "cache"],
        &["explain"],
        &["export-json", "-o", "-"],
        &["incremental", "--data", "tests/sample", "--dry-run"],
    ];
    for arguments in looks {
        // Somewhere in the middle, and somewhere else the next time.
        for pause_ms in [3, 9, 20, 45] {
            let mut looking = optimizer();
            looking.args(arguments).arg("--store").arg(&store.path);
            let looking = looking.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("started");
            std::thread::sleep(Duration::from_millis(pause_ms));
            kill_process(pid(&looking), Signal::STOP).expect("suspended");
            let ended = run("5s");
            kill_process(pid(&looking), Signal::KILL).expect("ended");
            let _ = { looking }.wait();
            assert_eq!(ended.output.status.code(), Some(0), "{arguments:?}: {}", ended.said());
        }
    }
    // Whoever is suspended in the one moment in which it asks whether a run is at work: the run says so, in bounded time.
    for file in ["run.lock", "state.redb", "evals.redb"] {
        let held = fs::File::open(store.path.join(file)).expect("a file");
        held.lock_shared().expect("shared");
        let ended = run("1s");
        assert!(ended.after < LATE, "{file}: {:?}", ended.after);
        let told = ended.said().contains(&format!("{file} is held by a program that only looks"));
        // Without the cache a run only takes longer.
        let code = if file == "evals.redb" { 0 } else { 5 };
        assert_eq!(ended.output.status.code(), Some(code), "{file}: {}", ended.said());
        assert!(told || code == 0, "{file}: {}", ended.said());
    }
    assert_eq!(run("1s").output.status.code(), Some(0));
}
