//! `optimizer fetch` against a server on this machine that answers as the exchange does, and misbehaves as it may.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use retune::fetch::{EXCHANGES, FetchError, Limits, Market, Request, Source, Ticker, fetch};
use retune::model::{DAY_MS, Day, Interval, MINUTE_MS};
use retune::net::Endpoint;
use serde_json::{Value, json};
use sha2::Digest as _;

use crate::command::{StoreDir, optimizer, text};
use crate::http_server::{Asked, Reply, Server};

const M15: i64 = 15 * MINUTE_MS;

fn day_ms(text: &str) -> i64 {
    Day::parse(text).expect("a day").start_ms()
}

/// The digits of a candle that depend on nothing but its time.
fn digits(open_ms: i64) -> [String; 5] {
    let base = 100 + (open_ms / M15) % 50;
    [
        format!("{base}.10000000"),
        format!("{}.00", base + 1),
        format!("{base}"),
        format!("{base}.5"),
        "7.25".into(),
    ]
}

fn kline(open_ms: i64, step: i64, digits: &[String]) -> Value {
    json!([
        open_ms,
        digits[0],
        digits[1],
        digits[2],
        digits[3],
        digits[4],
        open_ms + step - 1,
        "1.0",
        3,
        "1",
        "1",
        "0"
    ])
}

/// Answers a question for candles as the exchange does, from those it has.
fn klines(asked: &Asked, has: impl Fn(i64) -> Option<Vec<String>>) -> Reply {
    let number = |key: &str| asked.query(key).parse::<i64>().expect("a number");
    let (start, end, limit) = (number("startTime"), number("endTime"), number("limit"));
    let mut rows = Vec::new();
    let mut open = start.div_euclid(M15) * M15;
    open += if open < start { M15 } else { 0 };
    while open <= end && rows.len() < limit as usize {
        rows.extend(has(open).map(|digits| kline(open, M15, &digits)));
        open += M15;
    }
    Reply::ok(Value::from(rows).to_string())
}

fn always(open_ms: i64) -> Option<Vec<String>> {
    Some(digits(open_ms).to_vec())
}

struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder") }
    }

    fn out(&self) -> PathBuf {
        self.folder.path().join("candles")
    }

    fn command(&self, server: &Server, arguments: &[&str]) -> std::process::Command {
        let mut command = optimizer();
        command.args(["fetch", "--base-url", &server.url, "--out"]).arg(self.out());
        for setting in
            ["fetch.timeout=400ms", "fetch.attempts=4", "fetch.first_wait=10ms", "fetch.longest_wait=2s"]
        {
            command.args(["--set", setting]);
        }
        command.args(arguments);
        command
    }

    fn fetch(&self, server: &Server, arguments: &[&str]) -> Output {
        self.command(server, arguments).output().expect("the program can be started")
    }

    /// Fetches and returns the document, which has to be a success.
    fn json(&self, server: &Server, arguments: &[&str]) -> Value {
        let output = self.fetch(server, &[arguments, &["--json"]].concat());
        assert!(output.status.success(), "{}", text(&output.stderr));
        serde_json::from_slice(&output.stdout).expect("a document")
    }

    fn csv(&self, name: &str) -> String {
        fs::read_to_string(self.out().join("spot").join(name)).expect("a file of candles")
    }

    /// The open times in the file of BTCUSDT, in candles since a day.
    fn opens(&self, since: &str) -> Vec<i64> {
        let open =
            |line: &str| line.split(',').next().and_then(|time| time.parse::<i64>().ok()).expect("a time");
        let text = self.csv("BTCUSDT-15m.csv");
        text.lines().skip(1).map(|line| (open(line) - day_ms(since)) / M15).collect()
    }

    fn names(&self) -> Vec<String> {
        let Ok(entries) = fs::read_dir(self.out().join("spot")) else { return Vec::new() };
        let mut names: Vec<String> = entries
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }
}

const BTC: [&str; 6] = ["--symbols", "BTCUSDT", "--since", "2025-01-01", "--until", "2025-01-31"];

fn code(output: &Output) -> i32 {
    output.status.code().unwrap_or_else(|| panic!("ended by signal {:?}", output.status.signal()))
}

#[test]
fn candles_come_page_by_page_and_only_what_is_missing() {
    let server = Server::start(|_, asked| klines(asked, always));
    let place = Place::new();
    let first = place.json(&server, &BTC);
    assert_eq!(first["data"]["symbols"][0]["candles_new"], 2_880);
    assert_eq!(
        (&first["data"]["complete"], &first["data"]["requests"]),
        (&json!(true), &json!(3)),
        "1,000 a page"
    );
    assert_eq!(place.opens("2025-01-01"), (0..2_880).collect::<Vec<i64>>());
    let line = place.csv("BTCUSDT-15m.csv").lines().nth(1).expect("a row").to_owned();
    assert_eq!(line, format!("{},{}", day_ms("2025-01-01"), digits(day_ms("2025-01-01")).join(",")));
    let asked = &server.asked()[0];
    assert_eq!((asked.method.as_str(), asked.path.as_str(), asked.body.len()), ("GET", "/api/v3/klines", 0));
    assert!(asked.header("user-agent").is_some_and(|name| name.starts_with("retune/")), "{asked:?}");
    // Again: nothing to ask, and the file is not even touched.
    let touched =
        || fs::metadata(place.out().join("spot/BTCUSDT-15m.csv")).and_then(|m| m.modified()).expect("a file");
    let before = touched();
    assert_eq!(place.json(&server, &BTC)["data"]["requests"], 0);
    assert_eq!(touched(), before);
    // Two days more, one day earlier, and a hole: three questions.
    let kept: String = place
        .csv("BTCUSDT-15m.csv")
        .lines()
        .enumerate()
        .filter(|(index, _)| !(500..510).contains(index))
        .map(|(_, line)| format!("{line}\n"))
        .collect();
    fs::write(place.out().join("spot/BTCUSDT-15m.csv"), kept).expect("written");
    let more = ["--symbols", "BTCUSDT", "--since", "2024-12-31", "--until", "2025-02-02"];
    let second = place.json(&server, &more);
    assert_eq!(second["data"]["symbols"][0]["candles_new"], 96 + 10 + 192);
    assert_eq!(second["data"]["requests"], 3);
    assert_eq!(place.opens("2024-12-31"), (0..33 * 96).collect::<Vec<i64>>());
    assert_eq!(place.names(), ["BTCUSDT-15m.csv"]);
}

#[test]
fn futures_are_asked_for_at_their_own_address_and_kept_apart() {
    let server = Server::start(|_, asked| klines(asked, always));
    let place = Place::new();
    let document = place.json(&server, &[&BTC[..], &["--market", "usdt-m"]].concat());
    assert_eq!(document["data"]["requests"], 2, "1,500 a page");
    assert_eq!(server.asked()[0].path, "/fapi/v1/klines");
    assert!(place.out().join("usdt-m/BTCUSDT-15m.csv").exists() && place.names().is_empty());
}

#[test]
fn an_exchange_with_a_hole_is_told_and_asked_again_next_time() {
    let hole = day_ms("2025-01-10")..day_ms("2025-01-12");
    let server = Server::start(move |_, asked| {
        klines(asked, |open| (!hole.contains(&open)).then(|| digits(open).to_vec()))
    });
    let place = Place::new();
    let document = place.json(&server, &BTC);
    assert_eq!(document["data"]["complete"], false);
    assert_eq!(document["data"]["symbols"][0]["missing"], 192);
    assert_eq!(document["data"]["symbols"][0]["first_missing"], "2025-01-10T00:00:00Z");
    assert_eq!(place.json(&server, &BTC)["data"]["requests"], 1);
}

#[test]
fn what_may_be_better_in_a_while_is_tried_again() {
    let server = Server::start(|before, asked| match before {
        0 => Reply::status(429, "{}").with("Retry-After", 1),
        1 => Reply::status(503, "busy"),
        2 => Reply::Close,
        4 => Reply::CutShort { body: vec![b'['; 1_000], bytes: 10, length_said: true },
        5 => Reply::CutShort { body: b"[[1,\"2\"".to_vec(), bytes: 7, length_said: false },
        6 => Reply::ok("<html>log in here</html>"),
        8 => Reply::Hang,
        _ => klines(asked, always),
    });
    let place = Place::new();
    let document = place.json(&server, &BTC);
    assert_eq!(document["data"]["complete"], true);
    assert_eq!(document["data"]["requests"], 10);
    assert_eq!(place.opens("2025-01-01"), (0..2_880).collect::<Vec<i64>>());
    let asked = server.asked();
    assert!(asked[1].at - asked[0].at >= Duration::from_secs(1), "as long as the exchange asks for");
    assert!(asked[2].at - asked[1].at < Duration::from_secs(1));
}

#[test]
fn a_long_ban_ends_the_run_and_what_had_come_is_kept() {
    let banned = Arc::new(AtomicBool::new(true));
    let ban = Arc::clone(&banned);
    let server = Server::start(move |before, asked| match ban.load(Ordering::Relaxed) && before >= 2 {
        true => Reply::status(418, r#"{"code":-1003,"msg":"banned"}"#).with("Retry-After", 7_200),
        false => klines(asked, always),
    });
    let place = Place::new();
    let output = place
        .fetch(&server, &["--symbols", "BTCUSDT,ETHUSDT", "--since", "2025-01-01", "--until", "2025-01-31"]);
    assert_eq!(code(&output), 4);
    let error = text(&output.stderr);
    assert!(
        error.contains("asks to wait 7200 s (418)") && error.contains("goes on where it stopped"),
        "{error}"
    );
    assert_eq!(place.opens("2025-01-01"), (0..2_000).collect::<Vec<i64>>());
    assert_eq!(server.count(), 3, "nobody else is asked for");
    banned.store(false, Ordering::Relaxed);
    assert_eq!(place.json(&server, &BTC)["data"]["requests"], 1);
    assert_eq!(place.opens("2025-01-01").len(), 2_880);
}

#[test]
fn tries_are_bounded() {
    for (reply, said) in [
        (Reply::Hang, "timeout"),
        (Reply::status(500, "down"), "500 down"),
        (Reply::status(429, ""), "429 too many requests"),
    ] {
        let server = Server::start(move |_, _| reply.clone());
        let place = Place::new();
        let began = Instant::now();
        let output = place.fetch(&server, &BTC);
        let error = text(&output.stderr);
        assert_eq!(code(&output), 4, "{error}");
        assert!(error.contains("gave up after 4 tries") && error.contains(said), "{error}");
        assert!(began.elapsed() < Duration::from_secs(8), "{said}: {:?}", began.elapsed());
        assert_eq!(server.count(), 4);
        assert_eq!(place.names(), [""; 0]);
    }
}

#[test]
fn an_unknown_symbol_is_no_reason_to_leave_out_the_others() {
    let server = Server::start(|_, asked| match asked.query("symbol") {
        "NOPEUSDT" => Reply::status(400, r#"{"code":-1121,"msg":"Invalid symbol."}"#),
        _ => klines(asked, always),
    });
    let place = Place::new();
    let arguments =
        ["--symbols", "NOPEUSDT,BTCUSDT", "--since", "2025-01-01", "--until", "2025-01-02", "--json"];
    let output = place.fetch(&server, &arguments);
    assert_eq!(code(&output), 4);
    let error = text(&output.stderr);
    assert!(
        error.contains("candles of NOPEUSDT") && error.contains("400 Invalid symbol. (code -1121)"),
        "{error}"
    );
    assert!(error.contains("hint: check the symbol's spelling and --market"), "{error}");
    let document: Value = serde_json::from_slice(&output.stdout).expect("a document");
    assert_eq!(document["data"]["symbols"][1]["candles_new"], 96);
    assert_eq!(place.names(), ["BTCUSDT-15m.csv"]);
    assert_eq!(server.count(), 2, "a refusal is not tried again");
}

#[test]
fn a_candle_that_is_open_by_the_exchanges_clock_is_not_written() {
    let server =
        Server::start(|_, asked| klines(asked, always).with("Date", "Wed, 01 Jan 2025 06:07:00 GMT"));
    let place = Place::new();
    let document = place.json(&server, &BTC);
    assert_eq!(place.opens("2025-01-01"), (0..24).collect::<Vec<i64>>(), "06:00 is open until 06:15");
    assert_eq!(document["data"]["requests"], 1);
}

#[test]
fn answers_to_another_question_are_not_written() {
    let server = Server::start(|_, asked| {
        let start: i64 = asked.query("startTime").parse().expect("a number");
        Reply::ok(json!([kline(start - M15, M15, &digits(0))]).to_string())
    });
    let place = Place::new();
    let output = place.fetch(&server, &BTC);
    assert_eq!(code(&output), 4);
    let error = text(&output.stderr);
    assert!(
        error.contains("expected candles of the time asked for, in order, found 2024-12-31T23:45:00Z"),
        "{error}"
    );
    assert_eq!((server.count(), place.names()), (1, Vec::new()));
}

#[test]
fn most_of_a_minutes_weight_is_not_exceeded() {
    let server = Server::start(|before, asked| {
        let reply = klines(asked, always).with("Date", "Fri, 31 Jan 2025 12:00:59 GMT");
        reply.with("X-MBX-USED-WEIGHT-1M", if before == 1 { 5_000 } else { 10 })
    });
    let place = Place::new();
    place.json(&server, &BTC);
    let asked = server.asked();
    assert!(asked[1].at - asked[0].at < Duration::from_millis(900));
    assert!(asked[2].at - asked[1].at >= Duration::from_secs(1), "a new minute begins");
}

#[test]
fn a_signal_stops_it_and_what_had_come_is_kept() {
    let server = Server::start(|before, asked| if before < 2 { klines(asked, always) } else { Reply::Hang });
    let place = Place::new();
    let mut command = place.command(&server, &BTC);
    command.args(["--set", "fetch.timeout=15s"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("started");
    let began = Instant::now();
    while server.count() < 3 && began.elapsed() < Duration::from_secs(10) {
        std::thread::sleep(Duration::from_millis(5));
    }
    let pid = rustix::process::Pid::from_raw(i32::try_from(child.id()).expect("a pid")).expect("a pid");
    rustix::process::kill_process(pid, rustix::process::Signal::INT).expect("signalled");
    let output = child.wait_with_output().expect("ended");
    assert_eq!(code(&output), 20, "{}", text(&output.stderr));
    assert!(began.elapsed() < Duration::from_secs(10), "it does not wait for the exchange");
    assert_eq!(place.opens("2025-01-01"), (0..2_000).collect::<Vec<i64>>());
    assert_eq!(place.names(), ["BTCUSDT-15m.csv"], "nothing is left beside");
}

#[test]
fn bad_arguments_ask_nobody_and_write_nothing() {
    let server = Server::start(|_, asked| klines(asked, always));
    let place = Place::new();
    for (symbols, more, said) in [
        ("../../BTCUSDT", &[][..], "capitals, digits"),
        ("btcusdt", &[], "capitals, digits"),
        ("BTCUSDT", &["--interval", "7m"], "an interval of the exchange"),
        ("BTCUSDT", &["--until", "2024-12-31"], "expected a time with closed candles"),
        ("BTCUSDT", &["--until", "soon"], "'--until <DAY>': expected a day"),
        ("BTCUSDT", &["--base-url", "http://example.com"], "http:// only to this machine"),
        ("BTCUSDT", &["--base-url", "https://me:hunter2@example.com"], "without user and password"),
    ] {
        let mut command = optimizer();
        command
            .args(["fetch", "--symbols", symbols, "--since", "2025-01-01", "--out"])
            .arg(place.out())
            .args(more);
        if !more.contains(&"--base-url") {
            command.args(["--base-url", &server.url]);
        }
        let output = command.output().expect("started");
        let error = text(&output.stderr);
        assert_eq!(code(&output), 2, "{symbols} {more:?}: {error}");
        assert!(error.contains(said) && !error.contains("hunter2"), "{error}");
    }
    let output = place.fetch(&server, &[&BTC[..], &["--set", "fetch.timeout=fast"]].concat());
    assert_eq!(code(&output), 3, "{}", text(&output.stderr));
    assert_eq!(server.count(), 0);
    assert!(!place.out().exists());
}

#[test]
fn files_of_others_and_folders_in_use_are_left_alone() {
    let server = Server::start(|_, asked| klines(asked, always));
    let place = Place::new();
    fs::create_dir_all(place.out().join("spot")).expect("a folder");
    let file = place.out().join("spot/BTCUSDT-15m.csv");
    fs::write(&file, "timestamp,open\n1,2\n").expect("written");
    let output = place.fetch(&server, &BTC);
    assert_eq!(code(&output), 4);
    let error = text(&output.stderr);
    assert!(error.contains("line 1: expected the header") && error.contains("move it away"), "{error}");
    assert_eq!(fs::read_to_string(&file).expect("text"), "timestamp,open\n1,2\n");
    let lock = fs::File::open(place.out().join("spot")).expect("a folder");
    lock.lock().expect("locked");
    let output = place.fetch(&server, &BTC);
    assert_eq!(code(&output), 5, "{}", text(&output.stderr));
    assert_eq!(server.count(), 0);
}

/// The sample as an exchange has it.
fn sample() -> BTreeMap<i64, Vec<String>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sample/ALPHAUSDT-15m.csv.gz");
    let file = fs::File::open(path).expect("the sample");
    let csv = std::io::read_to_string(flate2::read::GzDecoder::new(file)).expect("text");
    let row = |line: &str| {
        let (time, rest) = line.split_once(',').expect("columns");
        (time.parse().expect("a time"), rest.split(',').map(str::to_owned).collect())
    };
    csv.lines().skip(1).map(row).collect()
}

#[test]
fn a_run_on_what_was_fetched_is_a_run_on_the_exchanges_candles() {
    let candles = sample();
    let server = Server::start(move |_, asked| klines(asked, |open| candles.get(&open).cloned()));
    let place = Place::new();
    let alpha = |until| ["--symbols", "ALPHAUSDT", "--since", "2025-02-01", "--until", until];
    place.json(&server, &alpha("2025-06-29"));
    let run = |data: &Path| {
        let store = StoreDir::missing();
        let data = data.to_str().expect("a plain path").to_owned();
        (store, move |store: &StoreDir| {
            let output = store.run(&[
                "incremental",
                "--data",
                &data,
                "--symbols",
                "ALPHAUSDT",
                "--exit-zero",
                "--json",
            ]);
            assert!(output.status.success(), "{}", text(&output.stderr));
            serde_json::from_slice::<Value>(&output.stdout).expect("a document")
        })
    };
    let (fetched_store, fetched_run) = run(&place.out());
    let before = fetched_run(&fetched_store);
    place.json(&server, &alpha("2025-07-01"));
    let after = fetched_run(&fetched_store);
    assert!(
        after["data"]["evaluation"]["units_reused"].as_u64() > Some(140),
        "{}",
        after["data"]["evaluation"]
    );
    assert_eq!(after["data"]["input"]["candles"], 150 * 96);
    // The candles are old; nothing else is to be said of them.
    let issues = after["data"]["input"]["issues"].as_array().expect("issues");
    assert!(issues.iter().all(|issue| issue["kind"] == "stale"), "{issues:?}");
    let (sample_store, sample_run) = run(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sample"));
    let direct = sample_run(&sample_store);
    for style in ["scalping", "swing"] {
        let best = |document: &Value| document["data"]["styles"][style]["decision"]["candidate"].clone();
        assert_eq!(best(&after), best(&direct), "{style}");
    }
    assert_ne!(before["data"]["input"]["candles"], after["data"]["input"]["candles"]);
}

/// An archive as the exchange publishes it, with its checksum.
fn archive(first: i64, end: i64, name: &str) -> (Vec<u8>, String) {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    zip.start_file(name.replace(".zip", ".csv"), zip::write::SimpleFileOptions::default()).expect("a member");
    let mut open = first;
    while open < end {
        // Microseconds, as spot archives have them since 2025.
        let (digits, close) = (digits(open).join(","), (open + M15) * 1_000 - 1);
        writeln!(zip, "{},{digits},{close},1,3,1,1,0", open * 1_000).expect("written");
        open += M15;
    }
    let bytes = zip.finish().expect("an archive").into_inner();
    let hash = sha2::Sha256::digest(&bytes);
    let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    (bytes, format!("{hex}  {name}\n"))
}

/// Serves archives of BTCUSDT; `published` says which.
fn archives(published: impl Fn(&str) -> bool + Send + Sync + 'static) -> Server {
    Server::start(move |_, asked| {
        let file = asked.path.rsplit('/').next().expect("a name");
        let name = file.trim_end_matches(".CHECKSUM");
        let date = name.trim_start_matches("BTCUSDT-15m-").trim_end_matches(".zip");
        if !asked.path.starts_with("/data/spot/") || !published(name) {
            return Reply::status(404, "<Error><Code>NoSuchKey</Code></Error>");
        }
        let (first, days) = match date.len() {
            7 => (day_ms(&format!("{date}-01")), if date.ends_with("-02") { 28 } else { 31 }),
            _ => (day_ms(date), 1),
        };
        let (bytes, checksum) = archive(first, first + days * DAY_MS, name);
        Reply::ok(if file == name { bytes } else { checksum.into_bytes() })
    })
}

fn request(place: &Place, server: &Server, since: &str, now: &str) -> Request {
    Request {
        tickers: vec![Ticker::parse("BTCUSDT", Interval::M15).expect("sound")],
        exchange: EXCHANGES[0],
        market: Market::Spot,
        source: Source::Archive,
        endpoint: Endpoint::parse(&server.url).expect("on this machine"),
        interval: Interval::M15,
        since_ms: day_ms(since),
        until_ms: None,
        now_ms: day_ms(now) + 10 * MINUTE_MS,
        out: place.out(),
    }
}

fn quick() -> Limits {
    Limits {
        timeout: Duration::from_secs(2),
        attempts: 3,
        first_wait: Duration::from_millis(5),
        longest_wait: Duration::from_secs(1),
    }
}

#[test]
fn archives_are_kept_as_they_are_and_days_stand_in_for_a_month_not_yet_published() {
    let server = archives(|name| name != "BTCUSDT-15m-2025-02.zip" && name != "BTCUSDT-15m-2025-03-02.zip");
    let place = Place::new();
    let stop = AtomicBool::new(false);
    let mut request = request(&place, &server, "2025-01-01", "2025-03-03");
    let fetched = fetch(&request, quick(), &stop, &|_| {}).expect("a usable folder");
    let symbol = &fetched.symbols[0];
    assert!(symbol.error.is_none() && fetched.error.is_none(), "{symbol:?}");
    assert_eq!(symbol.archives.len(), 1 + 28 + 1);
    assert_eq!(symbol.not_published, ["BTCUSDT-15m-2025-02.zip", "BTCUSDT-15m-2025-03-02.zip"]);
    assert_eq!(symbol.missing, std::slice::from_ref(&(day_ms("2025-03-02")..day_ms("2025-03-03"))));
    let kept = fs::read(place.out().join("spot/BTCUSDT-15m-2025-01.zip")).expect("kept");
    assert_eq!(kept, archive(day_ms("2025-01-01"), day_ms("2025-02-01"), "BTCUSDT-15m-2025-01.zip").0);
    // The other source goes on where the archives end.
    let rest = Server::start(|_, asked| klines(asked, always));
    request.source = Source::Rest;
    request.endpoint = Endpoint::parse(&rest.url).expect("on this machine");
    let fetched = fetch(&request, quick(), &stop, &|_| {}).expect("a usable folder");
    assert_eq!((fetched.symbols[0].candles, fetched.requests), (96, 1));
    assert_eq!(fetched.symbols[0].missing, []);
    let store = StoreDir::missing();
    let checked = store.json(&["check", "data", place.out().to_str().expect("plain")]);
    assert_eq!(checked["data"]["symbols"][0]["candles"], (31 + 28 + 2) * 96);
    assert_eq!(checked["data"]["symbols"][0]["issues"], json!([]));
    assert_eq!(checked["data"]["skipped"], json!([]));
}

#[test]
fn an_archive_that_does_not_match_its_checksum_is_not_kept() {
    let spoilt = Arc::new(AtomicUsize::new(1));
    let left = Arc::clone(&spoilt);
    let good = archive(day_ms("2025-01-01"), day_ms("2025-02-01"), "BTCUSDT-15m-2025-01.zip");
    let server = Server::start(move |_, asked| {
        if asked.path.ends_with(".CHECKSUM") {
            return Reply::ok(good.1.clone());
        }
        let spoil =
            left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok();
        let mut bytes = good.0.clone();
        bytes[40] ^= u8::from(spoil);
        Reply::ok(bytes)
    });
    let place = Place::new();
    let january =
        ["--symbols", "BTCUSDT", "--since", "2025-01-01", "--until", "2025-02-01", "--source", "archive"];
    assert_eq!(place.json(&server, &january)["data"]["complete"], true, "the second try was sound");
    fs::remove_file(place.out().join("spot/BTCUSDT-15m-2025-01.zip")).expect("removed");
    spoilt.store(100, Ordering::Relaxed);
    let output = place.fetch(&server, &january);
    assert_eq!(code(&output), 4);
    let error = text(&output.stderr);
    assert!(error.contains("BTCUSDT-15m-2025-01.zip: expected SHA-256 "), "{error}");
    assert!(error.contains("--source rest"), "{error}");
    assert_eq!(place.names(), [""; 0]);
}

#[test]
fn archives_that_never_were_are_an_error_with_advice() {
    let server = archives(|_| false);
    let place = Place::new();
    let request = request(&place, &server, "2025-01-01", "2025-06-20");
    let fetched = fetch(&request, quick(), &AtomicBool::new(false), &|_| {}).expect("a usable folder");
    let error = fetched.symbols[0].error.as_ref().expect("an error");
    assert!(matches!(error, FetchError::NoArchives { .. }), "{error}");
    assert_eq!(
        error.to_string(),
        "BTCUSDT: expected archives from 2025-01-01 to 2025-06-19, found none that are published"
    );
    // Old months are asked for once, not day by day.
    assert_eq!(fetched.requests, 5 + 19);
}

#[test]
fn progress_says_how_far_it_is() {
    let server = Server::start(|before, asked| match before {
        1 => Reply::status(429, "").with("Retry-After", 1),
        _ => klines(asked, always),
    });
    let place = Place::new();
    let output = place.fetch(&server, &BTC);
    assert_eq!(
        text(&output.stderr),
        "fetching 1 symbol\nwaiting 1 s: 429 too many requests\n1 of 1 symbol: BTCUSDT, 2880 candles and 0 archives new\n"
    );
    let printed = text(&output.stdout).replace(place.out().to_str().expect("plain"), "OUT");
    let (told, next) = printed.split_once("next: ").expect("what to type next");
    assert_eq!(
        told,
        "BTCUSDT: 2880 new candles\n15m candles from 2025-01-01T00:00:00Z to 2025-01-31T00:00:00Z in OUT/spot: complete\n"
    );
    assert!(next.ends_with(" incremental --data OUT\n"), "{next}");
}

#[test]
fn every_document_fits_its_schema() {
    let refused = Arc::new(Mutex::new(0));
    let count = Arc::clone(&refused);
    let server = Server::start(move |_, asked| {
        *count.lock().expect("no panic") += 1;
        klines(asked, |open| {
            let mut digits = digits(open).to_vec();
            if open == day_ms("2025-01-02") {
                digits[2] = "0".to_owned();
            }
            Some(digits)
        })
    });
    let place = Place::new();
    let document = place.json(&server, &BTC);
    let schema = crate::document_schemas::schema_of("fetch").expect("a known kind");
    let validator = jsonschema::validator_for(&schema).expect("a valid schema");
    let errors: Vec<String> = validator.iter_errors(&document).map(|error| error.to_string()).collect();
    assert_eq!(errors, [""; 0]);
    let symbol = &document["data"]["symbols"][0];
    assert_eq!((&symbol["refused"], &symbol["missing"]), (&json!(1), &json!(1)));
    assert_eq!(symbol["first_missing"], "2025-01-02T00:00:00Z");
    assert_eq!(*refused.lock().expect("no panic"), 3);
}

/// An exchange whose rows of some hours are not as they should be: each row may be made another one, or several.
fn odd_exchange(odd: impl Fn(i64, Value) -> Vec<Value> + Send + Sync + 'static) -> Server {
    Server::start(move |_, asked| {
        let Reply::Whole(_, _, body) = klines(asked, always) else { panic!("klines are whole") };
        let rows: Vec<Value> = serde_json::from_slice(&body).expect("rows");
        let rows = rows.into_iter().flat_map(|row| odd(row[0].as_i64().expect("a time"), row));
        Reply::ok(Value::from(rows.collect::<Vec<_>>()).to_string())
    })
}

/// From 04:00 to 08:00 of the second day.
fn is_in_outage(open_ms: i64) -> bool {
    let day = day_ms("2025-01-02");
    (day + 4 * 60 * MINUTE_MS..day + 8 * 60 * MINUTE_MS).contains(&open_ms)
}

const DAYS_19: [&str; 6] = ["--symbols", "BTCUSDT", "--since", "2025-01-01", "--until", "2025-01-20"];

#[test]
fn rows_off_the_grid_are_left_out_named_and_not_asked_for_for_ever() {
    let server = odd_exchange(|open, mut row| {
        if is_in_outage(open) {
            row[0] = json!(open + 14_789);
            row[6] = json!(open + 14_789 + M15 - 1);
        }
        vec![row]
    });
    let place = Place::new();
    let output = place.fetch(&server, &DAYS_19);
    assert_eq!(code(&output), 0, "{}", text(&output.stderr));
    let said = text(&output.stdout);
    assert!(
        said.contains("BTCUSDT: 1808 new candles, 16 candles are missing, the first of 2025-01-02T04:00:00Z"),
        "{said}"
    );
    let named =
        "16 x off_grid: expected open times that are multiples of the interval, found 2025-01-02T04:00:14Z";
    assert!(said.contains(named), "{said}");
    let wanted: Vec<i64> = (0..19 * 96).filter(|index| !(112..128).contains(index)).collect();
    assert_eq!(place.opens("2025-01-01"), wanted);
    let asked = server.count();
    let again = place.json(&server, &DAYS_19);
    assert_eq!(server.count(), asked, "nobody is asked again: {again}");
    let symbol = &again["data"]["symbols"][0];
    assert_eq!(
        (&symbol["refused"], &symbol["refused_before"], &symbol["missing"]),
        (&json!(0), &json!(16), &json!(16))
    );
    // What comes later comes as ever.
    let later = ["--symbols", "BTCUSDT", "--since", "2025-01-01", "--until", "2025-01-21"];
    assert_eq!(place.json(&server, &later)["data"]["symbols"][0]["candles_new"], 96);
    assert_eq!(server.count(), asked + 1);
    // And a run reads what is there.
    let store = StoreDir::missing();
    let checked = store.json(&["check", "data", place.out().to_str().expect("plain")]);
    assert_eq!(checked["data"]["symbols"][0]["candles"], 20 * 96 - 16);
}

#[test]
fn a_hole_that_nobody_remembers_is_found_again_and_stops_nothing() {
    let server = odd_exchange(|open, mut row| {
        if is_in_outage(open) {
            row[6] = json!(open + 1);
        }
        vec![row]
    });
    let place = Place::new();
    place.json(&server, &DAYS_19);
    let remembered = place.out().join("spot/.BTCUSDT-15m.csv.refused");
    let hole = day_ms("2025-01-02") + 16 * M15;
    let text_of = || fs::read_to_string(&remembered).expect("remembered");
    assert_eq!(text_of(), format!("refused_from,refused_to\n{hole},{}\n", hole + 16 * M15));
    // As after a copy of the folder without hidden files: what comes behind the hole comes all the same.
    fs::remove_file(&remembered).expect("removed");
    let later = ["--symbols", "BTCUSDT", "--since", "2025-01-01", "--until", "2025-02-10"];
    let output = place.fetch(&server, &later);
    assert_eq!(code(&output), 0, "{}", text(&output.stderr));
    assert_eq!(place.opens("2025-01-01").len(), 40 * 96 - 16);
    assert!(text_of().contains(&hole.to_string()));
    // The hole alone holds no sound row: told, and nothing is remembered of such an answer.
    fs::remove_file(&remembered).expect("removed");
    let output = place.fetch(&server, &later);
    let error = text(&output.stderr);
    assert!(
        code(&output) == 4 && error.contains("found 16 of 16, the first: expected candles of the interval"),
        "{error}"
    );
    assert!(!remembered.exists());
}

#[test]
fn every_kind_of_odd_row_is_named_and_the_others_are_kept() {
    let at = |hours: i64| day_ms("2025-01-03") + hours * 60 * MINUTE_MS;
    let server = odd_exchange(move |open, mut row| match open {
        open if open == at(1) => {
            row[6] = json!(open + 14_838);
            vec![row]
        }
        open if open == at(2) => {
            row[2] = json!("1");
            vec![row]
        }
        open if open == at(3) => vec![row.clone(), row],
        open if open == at(4) => {
            let mut other = row.clone();
            other[5] = json!("8");
            vec![row, other]
        }
        open if open == at(5) => vec![json!([open])],
        open if open == at(6) => vec![Value::Null],
        // One early, one late.
        open if open == at(7) => Vec::new(),
        open if open == at(8) => vec![row, kline(at(7), M15, &digits(at(7)))],
        _ => vec![row],
    });
    let place = Place::new();
    let symbol = place.json(&server, &DAYS_19)["data"]["symbols"][0].clone();
    let kinds: BTreeMap<&str, u64> = symbol["odd_rows"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|odd| (odd["kind"].as_str().expect("text"), odd["count"].as_u64().expect("a count")))
        .collect();
    let wanted = [
        ("close_time", 1),
        ("contradictory", 2),
        ("impossible_candle", 1),
        ("out_of_order", 1),
        ("repeated", 1),
        ("unreadable", 2),
    ];
    assert_eq!(kinds.into_iter().collect::<Vec<_>>(), wanted);
    assert_eq!(
        (&symbol["refused"], &symbol["missing"], &symbol["error"]),
        (&json!(6), &json!(5), &Value::Null)
    );
    let place_of = |hours: i64| (at(hours) - day_ms("2025-01-01")) / M15;
    let lost = [1, 2, 4, 5, 6].map(place_of);
    let wanted: Vec<i64> = (0..19 * 96).filter(|index| !lost.contains(index)).collect();
    assert_eq!(place.opens("2025-01-01"), wanted);
    let asked = server.count();
    assert_eq!(place.json(&server, &DAYS_19)["data"]["symbols"][0]["refused_before"], 5);
    assert_eq!(server.count(), asked);
}

#[test]
fn too_much_that_is_odd_fails_and_keeps_what_is_sound() {
    let server = odd_exchange(|open, mut row| {
        if open < day_ms("2025-01-02") && open % (4 * M15) == 0 {
            row[6] = json!(open + 1);
        }
        vec![row]
    });
    let place = Place::new();
    let output = place.fetch(&server, &DAYS_19);
    let error = text(&output.stderr);
    assert_eq!(code(&output), 4, "{error}");
    assert!(
        error.contains("expected at most 1 % of rows that cannot be used, found 24 of 1824, the first: "),
        "{error}"
    );
    assert!(text(&output.stdout).contains("1800 new candles"), "{}", text(&output.stdout));
    assert_eq!(place.opens("2025-01-01").len(), 1_800);
    let asked = server.count();
    let again = place.fetch(&server, &DAYS_19);
    assert_eq!((code(&again), server.count()), (0, asked), "it is known now: {}", text(&again.stderr));
}

#[test]
fn an_exchange_of_which_no_row_can_be_used_fails_at_once() {
    for (odd, said) in [
        (
            json!([[1_735_689_600_000_i64, 1.0, 2.0, 0.5, 1.5, 7.0, 1_735_690_499_999_i64]]),
            "expected candles that can be",
        ),
        (
            json!([[1_735_689_600_000_i64, "1", "2", "0.5", "1.5", "7", 1_735_693_199_999_i64]]),
            "expected candles of the interval asked for, found 3600000 ms",
        ),
        (json!([["a"]]), "expected rows of open time to close time, found 1 columns"),
    ] {
        let server = Server::start(move |_, _| Reply::ok(odd.to_string()));
        let place = Place::new();
        let output = place.fetch(&server, &DAYS_19);
        let error = text(&output.stderr);
        assert!(code(&output) == 4 && error.contains(said), "{error}");
        assert_eq!((server.count(), place.names()), (1, Vec::new()));
    }
}

#[test]
fn links_in_the_folder_are_not_followed_into_other_files_nor_replaced() {
    let server = Server::start(|_, asked| klines(asked, always));
    let place = Place::new();
    let spot = place.out().join("spot");
    fs::create_dir_all(&spot).expect("a folder");
    let other = place.folder.path().join("other");
    fs::write(&other, "of somebody").expect("written");
    std::os::unix::fs::symlink(&other, spot.join(".BTCUSDT-15m.csv.tmp")).expect("linked");
    place.json(&server, &DAYS_19);
    assert_eq!(fs::read_to_string(&other).expect("text"), "of somebody");
    assert_eq!(place.opens("2025-01-01").len(), 19 * 96);
    // A file that lies elsewhere grows there.
    let elsewhere = place.folder.path().join("elsewhere.csv");
    fs::rename(spot.join("BTCUSDT-15m.csv"), &elsewhere).expect("moved");
    std::os::unix::fs::symlink(&elsewhere, spot.join("BTCUSDT-15m.csv")).expect("linked");
    let later = ["--symbols", "BTCUSDT", "--since", "2025-01-01", "--until", "2025-01-21"];
    assert_eq!(place.json(&server, &later)["data"]["symbols"][0]["candles_new"], 96);
    assert!(fs::symlink_metadata(spot.join("BTCUSDT-15m.csv")).expect("there").is_symlink());
    assert_eq!(fs::read_to_string(&elsewhere).expect("text").lines().count(), 1 + 20 * 96);
}

#[test]
fn a_proxy_that_cannot_be_used_is_told_before_anybody_is_asked() {
    let place = Place::new();
    let fetch = |variables: &[(&str, &str)], url: &str| {
        let mut command = optimizer();
        command.args(["fetch", "--base-url", url, "--out"]).arg(place.out()).args(BTC);
        for name in [
            "ALL_PROXY",
            "all_proxy",
            "HTTPS_PROXY",
            "https_proxy",
            "HTTP_PROXY",
            "http_proxy",
            "NO_PROXY",
            "no_proxy",
        ] {
            command.env_remove(name);
        }
        command
            .args(["--set", "fetch.timeout=300ms", "--set", "fetch.attempts=1"])
            .envs(variables.iter().copied());
        let output = command.output().expect("started");
        (code(&output), text(&output.stderr))
    };
    let elsewhere = "https://exchange.invalid";
    for (variable, value, found) in [
        ("HTTPS_PROXY", "not a proxy", "\"…\""),
        ("https_proxy", "ftp://proxy.example:1", "ftp://proxy.example:1"),
        ("ALL_PROXY", "socks5://me:hunter2@proxy.example:1080", "SOCKS is not built in"),
    ] {
        let (code, said) = fetch(&[(variable, value)], elsewhere);
        assert!(code == 3 && said.contains(&format!("{variable}: expected a proxy such as")), "{said}");
        assert!(said.contains(found) && !said.contains("hunter2"), "{said}");
    }
    let (code, said) = fetch(&[("HTTPS_PROXY", "not a proxy"), ("NO_PROXY", "exchange.invalid")], elsewhere);
    assert!(code == 4 && said.contains("gave up after 1 tries"), "no proxy is needed there: {said}");
    let server = Server::start(|_, asked| klines(asked, always));
    assert_eq!(fetch(&[("HTTPS_PROXY", "not a proxy")], &server.url).0, 0, "nor for this machine");
}

#[test]
fn the_shared_exchange_with_an_outage_is_read() {
    let script =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/cases/06-fetch-over-an-outage/in/server.py");
    if !script.exists() || std::process::Command::new("python3").arg("--version").output().is_err() {
        return;
    }
    for (mode, candles) in
        [("short", 1_823), ("misaligned", 1_808), ("dup", 1_824), ("newest", 1_824), ("overlap", 1_823)]
    {
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .and_then(|free| free.local_addr())
            .expect("a port")
            .port();
        let mut server = std::process::Command::new("python3")
            .arg(&script)
            .args([mode, &port.to_string()])
            .spawn()
            .expect("python");
        let began = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err()
            && began.elapsed() < Duration::from_secs(10)
        {
            std::thread::sleep(Duration::from_millis(20));
        }
        let place = Place::new();
        let mut command = optimizer();
        command
            .args(["fetch", "--base-url", &format!("http://127.0.0.1:{port}"), "--out"])
            .arg(place.out())
            .args(DAYS_19);
        let output = command.output().expect("started");
        let _ = server.kill().and_then(|()| server.wait());
        assert_eq!(code(&output), 0, "{mode}: {}", text(&output.stderr));
        assert!(
            text(&output.stdout).contains(&format!("{candles} new candles")),
            "{mode}: {}",
            text(&output.stdout)
        );
    }
}
