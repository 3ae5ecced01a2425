//! `optimizer serve` on real sockets: every page answers, nobody else is let in, nobody holds it up, nothing of the store changes.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use retune::config::Config;
use retune::documents::status::StatusAsked;
use retune::serve::{API_KINDS, Listener, ServeOptions, ServeToken, TOKEN_FILE, serve};
use retune::store::records::{
    ChangeRecord, DecisionRecord, FreshnessRecord, IssueRecord, ReasonRecord, RunRecord, RunStyleRecord,
    SymbolAgeRecord, SymbolWorkRecord, WorkRecord,
};
use retune::store::{LearningCommit, Store};
use serde_json::Value;

use crate::command::{StoreDir, optimizer, text};

/// The token of the servers of these tests.
pub(crate) const TOKEN: &str = "0123456789abcdef0123456789abcdef";
/// How long an answer may take before a test gives up.
const PATIENCE: Duration = Duration::from_secs(20);

/// A server in this process.
pub(crate) struct Served {
    pub(crate) address: SocketAddr,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Served {
    pub(crate) fn of(dir: &Path, is_debug: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let config = Config::default();
        let options = ServeOptions {
            dir: dir.to_owned(),
            asked: StatusAsked {
                profile: "default".to_owned(),
                expect_every: config.expect_every().expect("a time"),
                memory_limit_bytes: None,
                memory_warning_bytes: 800 << 20,
                now_ms: 0,
            },
            alarms: config.memory_alarms().expect("alarms"),
            hosts: vec!["box.example.net".to_owned()],
            token: ServeToken::parse(TOKEN, "test").expect("a token"),
            is_debug,
            is_behind_proxy: false,
        };
        let stop = Arc::new(AtomicBool::new(false));
        let raised = Arc::clone(&stop);
        let thread =
            std::thread::spawn(move || serve(Listener::Tcp(listener), options, &raised).expect("it serves"));
        Self { address, stop, thread: Some(thread) }
    }

    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).expect("it listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("set");
        stream
    }

    /// Sends bytes as they are, and returns what is answered until the connection is closed.
    fn raw(&self, request: &[u8]) -> Reply {
        let mut stream = self.connect();
        // It may be closed before all was taken.
        let _ = stream.write_all(request);
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes);
        Reply::parse(&bytes)
    }

    /// Asks with headers besides those of every request; they take the place of its Host.
    fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Reply {
        let mut text = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n");
        if !headers.iter().any(|(name, _)| *name == "Host") {
            text += &format!("Host: {}\r\n", self.address);
        }
        for (name, value) in headers {
            text += &format!("{name}: {value}\r\n");
        }
        if !body.is_empty() {
            text += &format!("Content-Length: {}\r\n", body.len());
        }
        self.raw((text + "\r\n" + body).as_bytes())
    }

    /// Asks as somebody who knows the token.
    fn get(&self, path: &str) -> Reply {
        self.ask("GET", path, &[("Authorization", &format!("Bearer {TOKEN}"))], "")
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            assert!(std::thread::panicking() || ended.is_ok(), "the server ends");
        }
    }
}

/// An answer.
#[derive(Debug)]
struct Reply {
    status: u16,
    headers: BTreeMap<String, String>,
    body: String,
}

impl Reply {
    fn parse(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let mut lines = head.lines();
        let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok()).unwrap_or(0);
        let header = |line: &str| {
            let (name, value) = line.split_once(':')?;
            Some((name.to_ascii_lowercase(), value.trim().to_owned()))
        };
        Self { status, headers: lines.filter_map(header).collect(), body: body.to_owned() }
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }
}

/// A store after a run on the sample, for tests that only look at it.
pub(crate) fn sample_store() -> &'static StoreDir {
    static STORE: OnceLock<StoreDir> = OnceLock::new();
    STORE.get_or_init(|| {
        let store = StoreDir::after_a_run();
        store.run(&["incremental", "--data", "tests/sample", "--exit-zero", "-q", "--set", "search.top=40"]);
        store
    })
}

const PAGES: [&str; 17] = [
    "/",
    "/runs",
    "/runs?page=1",
    "/runs/1",
    "/runs/last",
    "/runs/previous",
    "/compare",
    "/compare?a=1&b=2",
    "/params",
    "/params/ALPHAUSDT",
    "/trials",
    "/trials?style=swing&sort=sharpe&min_trades=1&pareto=1&page=1",
    "/surface",
    "/surface?style=swing",
    "/cache",
    "/memory",
    "/health",
];

#[test]
fn every_page_answers_in_both_languages_and_changes_nothing() {
    let store = sample_store();
    let before = store.content();
    let served = Served::of(&store.path, false);
    for page in PAGES {
        for lang in ["en", "zh"] {
            let mark = if page.contains('?') { '&' } else { '?' };
            let found = served.get(&format!("{page}{mark}lang={lang}"));
            assert_eq!(found.status, 200, "{page}: {}", found.body);
            assert_eq!(found.header("content-type"), "text/html; charset=utf-8", "{page}");
            assert!(found.body.contains(&format!("<html lang=\"{lang}\">")), "{page}");
            assert!(found.body.ends_with("</html>"), "{page} is whole");
            assert!(
                !found.body.contains(" style=\"") && !found.body.contains("<style"),
                "{page}: no style in it"
            );
            let inline = found.body.split("<script").skip(1).filter(|rest| !rest.starts_with(" src="));
            assert!(inline.into_iter().all(|rest| rest.starts_with(" type=\"application/json\"")), "{page}");
            assert_eq!(found.header("cache-control"), "no-store", "{page}");
            assert_eq!(found.header("x-content-type-options"), "nosniff");
            assert_eq!(found.header("referrer-policy"), "no-referrer");
            assert_eq!(found.header("cross-origin-resource-policy"), "same-origin");
            let policy = found.header("content-security-policy");
            assert!(
                policy.starts_with("default-src 'none'; style-src 'self'; script-src 'self'"),
                "{policy}"
            );
            assert!(!policy.contains("unsafe") && policy.contains("frame-ancestors 'none'"), "{policy}");
            assert!(!found.headers.contains_key("access-control-allow-origin"));
            let tag = found.header("etag").to_owned();
            let bearer = format!("Bearer {TOKEN}");
            let known = [("Authorization", bearer.as_str()), ("If-None-Match", tag.as_str())];
            if !["/memory", "/health"].contains(&page) {
                let again = served.ask("GET", &format!("{page}{mark}lang={lang}"), &known, "");
                assert_eq!((again.status, again.body.as_str()), (304, ""), "{page} {tag}");
            }
        }
        let head = served.ask("HEAD", page, &[("Authorization", &format!("Bearer {TOKEN}"))], "");
        assert_eq!((head.status, head.body.as_str()), (200, ""), "{page}");
    }
    for asset in served.get("/runs/1").body.split(['"']).filter(|text| text.starts_with("/assets/")) {
        let found = served.get(asset);
        assert_eq!(found.status, 200, "{asset}");
        assert!(found.header("cache-control").contains("immutable") && !found.body.is_empty(), "{asset}");
    }
    let csv = served.get("/trials?style=swing&format=csv");
    assert_eq!((csv.status, csv.header("content-type")), (200, "text/csv; charset=utf-8"));
    assert!(csv.body.starts_with("style,rank,score,") && csv.body.lines().count() > 10, "{}", csv.body);
    let pareto = served.get("/trials?style=swing&pareto=1&format=csv").body.lines().count();
    assert!(pareto > 1 && pareto < csv.body.lines().count(), "{pareto}");
    for (path, body) in [("/healthz", "ok\n"), ("/readyz", "ready\n")] {
        let found = served.get(path);
        assert_eq!((found.status, found.body.as_str()), (200, body));
    }
    let metrics = served.get("/metrics");
    assert_eq!(metrics.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    for series in [
        "optimizer_last_run_exit_code{profile=\"default\"}",
        "process_resident_memory_bytes ",
        "optimizer_serve_requests_total{code=\"200\"}",
        "optimizer_serve_view_reopened_total 0",
    ] {
        assert!(metrics.body.contains(series), "{series}: {}", metrics.body);
    }
    assert_eq!(store.content(), before, "not a byte of the store changed");
}

#[test]
fn the_documents_are_those_of_the_commands() {
    let store = sample_store();
    let served = Served::of(&store.path, false);
    for kind in API_KINDS {
        let found = served.get(&format!("/api/v1/{kind}"));
        assert_eq!(found.status, 200, "{kind}: {}", found.body);
        let document: Value = serde_json::from_str(&found.body).expect("JSON");
        let schema = document["schema"].as_str().expect("a schema");
        assert!(schema.starts_with(&format!("optimizer.{kind}/")), "{schema}");
    }
    for (path, command) in [
        ("inspect_run?run=1", &["inspect", "run", "1"][..]),
        ("inspect_params?symbol=ALPHAUSDT", &["inspect", "params", "--symbol", "ALPHAUSDT"]),
        ("inspect_changes", &["inspect", "changes", "--limit", "500"]),
        ("inspect_diff?a=1&b=2", &["inspect", "diff", "1", "2"]),
    ] {
        let found = served.get(&format!("/api/v1/{path}"));
        let document: Value = serde_json::from_str(&found.body).expect("JSON");
        assert_eq!(document["data"], store.json(command)["data"], "{path}");
    }
    for (path, status) in [
        ("/api/v1/nothing", 404),
        ("/api/v1/inspect_run?run=99", 404),
        ("/api/v1/inspect_run?run=x", 400),
        ("/api/v1/inspect_runs?limit=501", 400),
        ("/api/v1/inspect_runs?limit=0", 400),
        ("/api/v1/inspect_runs?profile=other", 404),
        ("/runs/99", 404),
        ("/runs/first", 400),
        ("/runs?page=0", 400),
        ("/runs?page=-1", 400),
        ("/trials?sort=beauty", 400),
        ("/trials?style=day", 400),
        ("/trials?min_trades=many", 400),
        ("/?profile=other", 404),
        ("/nothing", 404),
        ("/runs/1/more", 404),
    ] {
        assert_eq!(served.get(path).status, status, "{path}");
    }
}

#[test]
fn who_does_not_know_the_token_or_asks_by_another_name_sees_nothing() {
    let store = sample_store();
    let served = Served::of(&store.path, false);
    let bearer = format!("Bearer {TOKEN}");
    let own = ("Authorization", bearer.as_str());
    for path in
        ["/", "/metrics", "/readyz", "/api/v1/status", "/runs/1", "/assets/page.css", "/debug/memory/status"]
    {
        for headers in [
            &[][..],
            &[("Authorization", "Bearer 0123456789abcdef0123456789abcdee")],
            &[("Authorization", "Basic MDEyMzQ1Njc4OWFiY2RlZg==")],
            &[("Cookie", "optimizer_serve=0123456789abcdef0123456789abcdef")],
        ] {
            let found = served.ask("GET", path, headers, "");
            assert_eq!(found.status, 401, "{path} {headers:?}");
            assert!(!found.body.contains("default") && !found.body.contains("USDT"), "{}", found.body);
        }
    }
    assert_eq!(served.ask("GET", "/healthz", &[], "").status, 200);
    assert_eq!(served.ask("GET", "/?token=wrong", &[], "").status, 401);
    // The address of the start leads in, and the token is in no address afterwards.
    let entered = served.ask("GET", &format!("/runs?token={TOKEN}&page=1"), &[], "");
    assert_eq!((entered.status, entered.header("location")), (303, "/runs?page=1"));
    let cookie = entered.header("set-cookie");
    assert!(cookie.contains("; HttpOnly; SameSite=Strict") && cookie.contains("; Path=/;"), "{cookie}");
    assert!(!cookie.contains(TOKEN), "{cookie}");
    let kept = cookie.split(';').next().expect("a pair");
    assert_eq!(served.ask("GET", "/runs?page=1", &[("Cookie", &format!("a=b; {kept}"))], "").status, 200);
    for path in [format!("//evil.example/?token={TOKEN}"), format!("/\\evil.example/?token={TOKEN}")] {
        let led = served.ask("GET", &path, &[], "");
        let to = led.header("location");
        assert!(
            led.status == 400 || (to.starts_with('/') && !to.starts_with("//") && !to.starts_with("/\\")),
            "{to}"
        );
    }
    for host in
        ["evil.example", "evil.example:8710", "127.0.0.1.evil.example", "localhost.evil.example", "a b", ""]
    {
        let found = served.ask("GET", "/healthz", &[("Host", host), own], "");
        assert!([400, 421].contains(&found.status), "{host:?}: {}", found.status);
        assert_eq!(served.ask("GET", "/", &[("Host", host), own], "").status, found.status, "{host:?}");
    }
    for host in ["localhost", "box.local:99", "192.168.1.9", "[::1]:8710", "box.example.net"] {
        assert_eq!(served.ask("GET", "/", &[("Host", host), own], "").status, 200, "{host}");
    }
    let by_uri = format!(
        "GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: {bearer}\r\n\r\n"
    );
    assert_eq!(served.raw(by_uri.as_bytes()).status, 421);
    let two = format!(
        "GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\nConnection: close\r\nAuthorization: {bearer}\r\n\r\n"
    );
    assert!([400, 421].contains(&served.raw(two.as_bytes()).status));
    let none = format!("GET / HTTP/1.1\r\nConnection: close\r\nAuthorization: {bearer}\r\n\r\n");
    assert!([400, 421].contains(&served.raw(none.as_bytes()).status));
    for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"] {
        let found = served.ask(method, "/", &[own, ("Content-Type", "application/json")], "{}");
        assert_eq!((found.status, found.header("allow")), (405, "GET, HEAD"), "{method}");
    }
    assert_eq!(served.get("/debug/memory/status").status, 404, "off unless asked for");
}

#[test]
fn no_path_leads_out_of_the_pages() {
    let store = sample_store();
    let served = Served::of(&store.path, false);
    for path in [
        "/../../etc/passwd",
        "/assets/../../state.redb",
        "/assets/..%2f..%2fstate.redb",
        "/runs/..%2f..%2f..%2fetc%2fpasswd",
        "/params/%2e%2e%2fstate.redb",
        "/params/..",
        "/params/%00",
        "/state.redb",
        "/serve.token",
        "/%2fetc%2fpasswd",
        "/api/v1/../../etc/passwd",
        "/runs/%ff",
        "/runs/%",
        "/runs/18446744073709551616",
    ] {
        let found = served.get(path);
        assert!([200, 400, 404].contains(&found.status), "{path}: {}", found.status);
        assert!(!found.body.contains("root:") && !found.body.contains("redb\u{1a}"), "{path}");
        assert!(found.status != 200 || path.starts_with("/params/"), "{path}");
    }
}

#[test]
fn the_endpoints_about_memory_answer_and_act_only_for_this_page() {
    let store = sample_store();
    let before = store.content();
    let served = Served::of(&store.path, true);
    let bearer = format!("Bearer {TOKEN}");
    let own = ("Authorization", bearer.as_str());
    let json = ("Content-Type", "application/json");
    let value = |reply: &Reply| -> Value { serde_json::from_str(&reply.body).expect("JSON") };
    served.get("/runs");
    for (name, key) in [
        ("status", "rss_bytes"),
        ("objects", "tables"),
        ("containers", "library_bytes"),
        ("caches", "library_misses"),
        ("leaks", "growth"),
    ] {
        let found = served.get(&format!("/debug/memory/{name}"));
        assert_eq!(found.status, 200, "{name}");
        assert!(!value(&found)[key].is_null(), "{name}: {}", found.body);
    }
    let top = served.get("/debug/memory/top");
    assert!(top.status == 501 && top.body.contains("heap-profile"), "{}", top.body);
    assert_eq!(served.get("/debug/memory/nothing").status, 404);
    for name in ["gc", "snapshot", "clear_caches"] {
        let path = format!("/debug/memory/{name}");
        assert_eq!(served.get(&path).status, 405, "{name} is posted");
        assert_eq!(served.ask("POST", &path, &[json], "{}").status, 401, "without the token");
        assert_eq!(served.ask("POST", &path, &[own], "{}").status, 403, "of no type");
        let form = ("Content-Type", "application/x-www-form-urlencoded");
        assert_eq!(served.ask("POST", &path, &[own, form], "a=b").status, 403, "a form");
        for foreign in [
            ("Origin", "http://evil.example"),
            ("Origin", "null"),
            ("Sec-Fetch-Site", "cross-site"),
            ("Sec-Fetch-Site", "same-site"),
        ] {
            assert_eq!(served.ask("POST", &path, &[own, json, foreign], "{}").status, 403, "{foreign:?}");
        }
        let large = "x".repeat(1025);
        assert_eq!(served.ask("POST", &path, &[own, json], &large).status, 413);
        let origin = format!("http://{}", served.address);
        let of_page = [own, json, ("Origin", origin.as_str()), ("Sec-Fetch-Site", "same-origin")];
        let done = served.ask("POST", &path, &of_page, "{}");
        assert_eq!(done.status, 200, "{name}: {}", done.body);
    }
    assert_eq!(served.get("/runs/1").status, 200, "what was closed is opened again");
    assert_eq!(store.content(), before, "nothing is stored");
}

#[test]
fn nobody_holds_the_server_up() {
    let store = sample_store();
    let served = Served::of(&store.path, false);
    let long = format!("GET /{} HTTP/1.1\r\nHost: localhost\r\n\r\n", "x".repeat(9000));
    assert!([0, 400, 414, 431].contains(&served.raw(long.as_bytes()).status), "a long path");
    let many = (0..100).map(|n| format!("X-{n}: y\r\n")).collect::<String>();
    let many = format!("GET /healthz HTTP/1.1\r\nHost: localhost\r\n{many}\r\n");
    assert!([0, 400, 431].contains(&served.raw(many.as_bytes()).status), "many headers");
    let large = format!("GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: {}\r\n\r\n", "y".repeat(9000));
    assert!([0, 400, 431].contains(&served.raw(large.as_bytes()).status), "a large header");
    for noise in [
        &b"\x16\x03\x01\x02\x00\x01\x00"[..],
        b"\0\0\0\0\r\n\r\n",
        b"GET\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ] {
        assert!([0, 400, 505].contains(&served.raw(noise).status), "{noise:?}");
    }
    let healthy = || {
        let begun = Instant::now();
        assert_eq!(served.ask("GET", "/healthz", &[], "").status, 200);
        begun.elapsed()
    };
    let mut halves: Vec<TcpStream> = (0..200).map(|_| served.connect()).collect();
    for half in &mut halves {
        let _ = half.write_all(b"GET / HTTP/1.1\r\nHost: local");
    }
    let took = healthy();
    assert!(took < Duration::from_secs(1), "{took:?} beside 200 halves of a head");
    // Whoever asks and does not fetch the answer takes nobody's seat either.
    let bearer = format!("GET /runs/1 HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\n\r\n");
    let mut deaf: Vec<TcpStream> = (0..40).map(|_| served.connect()).collect();
    for stream in &mut deaf {
        let _ = stream.write_all(bearer.repeat(20).as_bytes());
    }
    assert!(healthy() < Duration::from_secs(10));
    // A half of a head is not waited for.
    drop((halves, deaf));
    let mut half = served.connect();
    half.write_all(b"GET / HTTP/1.1\r\n").expect("sent");
    let begun = Instant::now();
    let _ = half.read_to_end(&mut Vec::new());
    assert!(begun.elapsed() < Duration::from_secs(6), "{:?}", begun.elapsed());
    // Requests one after the other on one connection.
    let mut kept = served.connect();
    for _ in 0..3 {
        kept.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").expect("sent");
        let mut head = vec![0; 512];
        let read = kept.read(&mut head).expect("answered");
        assert!(text(&head[..read]).starts_with("HTTP/1.1 200"), "{}", text(&head[..read]));
    }
}

pub(crate) const HOSTILE: &str = "<script>alert(1)</script>\"'&\u{202e}\u{7}";

/// A run whose every text is foreign.
pub(crate) fn hostile_run(number: i64) -> LearningCommit {
    let foreign = || HOSTILE.to_owned();
    let run = RunRecord {
        started_at_ms: 1_764_000_000_000 + number * 86_400_000,
        result: foreign(),
        symbols: vec![foreign()],
        config_toml: format!("# {HOSTILE}"),
        styles: vec![RunStyleRecord::unevaluated("swing")],
        issues: vec![IssueRecord {
            file: foreign(),
            line: Some(1),
            kind: foreign(),
            count: 1,
            detail: ReasonRecord::told(foreign()),
        }],
        freshness: Some(FreshnessRecord {
            limit_ms: 1,
            clock: foreign(),
            clock_reason: Some(ReasonRecord::told(foreign())),
            symbols: vec![SymbolAgeRecord { symbol: foreign(), newest_close_ms: Some(1), age: foreign() }],
        }),
        ..RunRecord::default()
    };
    let decision = DecisionRecord {
        verdict: foreign(),
        outcome: foreign(),
        changed: true,
        reasons: vec![ReasonRecord::told(foreign())],
        changes: vec![ChangeRecord {
            scope: foreign(),
            key: foreign(),
            old: Some(foreign()),
            new: Some(foreign()),
        }],
        ..DecisionRecord::default()
    };
    let symbol =
        SymbolWorkRecord { symbol: foreign(), days: 1, files_read: foreign(), ..SymbolWorkRecord::default() };
    let mut commit = LearningCommit::new("default", run);
    commit.decisions = [(retune::model::Style::Swing, decision)].into();
    commit.work = Some(WorkRecord { symbols: vec![symbol], ..WorkRecord::default() });
    commit
}

#[test]
fn hostile_names_stay_text_and_a_published_view_is_seen() {
    let dir = StoreDir::missing();
    let served = Served::of(&dir.path, false);
    for (path, status) in
        [("/", 503), ("/readyz", 503), ("/metrics", 503), ("/api/v1/status", 503), ("/healthz", 200)]
    {
        assert_eq!(served.get(path).status, status, "nothing is there yet: {path}");
    }
    let mut store = Store::open(&dir.path, 0).expect("a new store");
    let publish = |store: &mut Store, number| {
        let run = store.commit(hostile_run(number)).expect("committed");
        store.publish_run(run).expect("published");
    };
    publish(&mut store, 1);
    publish(&mut store, 2);
    let encoded = "%3Cscript%3Ealert(1)%3C/script%3E";
    for page in PAGES.into_iter().chain([
        &*format!("/params/{encoded}"),
        &*format!("/runs/{encoded}"),
        &*format!("/{encoded}"),
        &*format!("/?profile={encoded}"),
    ]) {
        let found = served.get(page);
        assert!([200, 400, 404].contains(&found.status), "{page}: {} {}", found.status, found.body);
        let is_html = found.header("content-type").starts_with("text/html");
        assert!(!is_html || !found.body.contains("<script>alert"), "{page}: {}", found.body);
    }
    let metrics = served.get("/metrics").body;
    assert!(
        metrics.contains("optimizer_verdict{profile=\"default\",style=\"swing\",word=\"OTHER\"} 1"),
        "{metrics}"
    );
    for kind in ["status", "inspect_run", "inspect_runs", "inspect_changes", "inspect_cache"] {
        let found = served.get(&format!("/api/v1/{kind}"));
        assert_eq!(found.header("content-type"), "application/json", "{kind}");
        serde_json::from_str::<Value>(&found.body).unwrap_or_else(|error| panic!("{kind}: {error}"));
    }
    // What is published is seen by the next request; what was named before is another by then.
    let before = served.get("/runs");
    assert!(before.body.contains("/runs/2\"") && !before.body.contains("/runs/3\""));
    publish(&mut store, 3);
    let bearer = format!("Bearer {TOKEN}");
    let known = [("Authorization", bearer.as_str()), ("If-None-Match", before.header("etag"))];
    let after = served.ask("GET", "/runs", &known, "");
    assert!(after.status == 200 && after.body.contains("/runs/3\""), "{}", after.body);
    assert!(served.get("/").body.contains("/runs/3\""), "what tells times is drawn anew as well");
    let reopened = served.get("/metrics").body;
    assert!(reopened.contains("optimizer_serve_view_reopened_total 1"), "{reopened}");
    drop(store);
    // A copy that is damaged is not shown in place of the one that was sound.
    std::fs::write(dir.path.join("view.redb"), b"no database at all").expect("written");
    assert_eq!(served.get("/healthz").status, 503);
    assert_eq!(served.get("/runs").status, 200, "what was published last");
}

#[test]
fn the_command_listens_where_it_is_told_and_ends_by_a_signal() {
    let store = StoreDir::missing();
    let mut open = Store::open(&store.path, 0).expect("a new store");
    let run = open.commit(hostile_run(1)).expect("committed");
    open.publish_run(run).expect("published");
    drop(open);
    let mut command = optimizer();
    command.args(["serve", "--listen", "127.0.0.1:0"]).arg("--store").arg(&store.path);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("piped")).read_line(&mut line).expect("an address");
    let rest = line.trim().strip_prefix("http://").expect("an address");
    let (address, token) = rest.split_once("/?token=").expect("with the token");
    let file = store.path.join(TOKEN_FILE);
    assert_eq!(std::fs::read_to_string(&file).expect("kept").trim(), token);
    assert_eq!(std::fs::metadata(&file).expect("kept").permissions().mode() & 0o777, 0o600);
    let mut stream = TcpStream::connect(address).expect("it listens");
    let request = format!("GET /?token={token} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("answered");
    assert!(answer.starts_with("HTTP/1.1 303"), "{answer}");
    // Somebody who is in the middle of a request does not keep it from ending.
    let mut half = TcpStream::connect(address).expect("it listens");
    half.write_all(b"GET / HT").expect("sent");
    let pid = rustix::process::Pid::from_raw(child.id() as i32).expect("a process");
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("sent");
    let begun = Instant::now();
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    // Where others could listen it is refused, with the ways out.
    for address in ["0.0.0.0:0", "[::]:0"] {
        let refused = store.run(&["serve", "--listen", address]);
        let said = text(&refused.stderr);
        assert!(
            refused.status.code() == Some(2) && said.contains("ssh -L") && said.contains("--behind-proxy"),
            "{said}"
        );
    }
    assert_eq!(store.run(&["serve", "--listen", "nowhere"]).status.code(), Some(2));
}
