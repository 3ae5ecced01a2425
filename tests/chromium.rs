//! The pages in a real browser: Chromium over its DevTools pipe, as wide as a phone. Without Chromium it says loudly that nothing was
//! tested. `CHROMIUM_PICTURES=FOLDER` keeps what it saw.

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rustix::fs::{CWD, FileType, Mode, mknodat};
use serde_json::{Value, json};

use crate::serve::{Served, TOKEN, sample_store};

/// The size of a phone.
const WIDTH: u64 = 390;
const HEIGHT: u64 = 844;

/// Pages whose tables have to fit the phone; the report of a run scrolls its own.
const FITTING: [&str; 8] = [
    "/",
    "/runs",
    "/params",
    "/trials?style=swing",
    "/surface?style=swing",
    "/health",
    "/memory",
    "/compare",
];

/// What a page is like, as a script in it sees it.
const MEASURES: &str = r#"JSON.stringify({
  page: document.documentElement.scrollWidth, inner: innerWidth,
  wide: [...document.querySelectorAll(".wide")].filter((e) => e.scrollWidth > e.clientWidth + 1).length,
  lines: document.querySelectorAll(".answers li").length,
  end: Math.round([...document.querySelectorAll(".answers li")].at(-1)?.getBoundingClientRect().bottom ?? 0),
  ground: getComputedStyle(document.body).backgroundColor, lang: document.documentElement.lang,
  cookies: document.cookie, address: location.href,
})"#;

/// A browser with one page.
struct Chromium {
    child: Child,
    requests: File,
    answers: BufReader<File>,
    session: Option<String>,
    next: u64,
    events: VecDeque<Value>,
}

impl Chromium {
    /// Starts it with two pipes for descriptors 3 and 4.
    fn start(program: &str, home: &Path) -> Self {
        let pipe = |name: &str| {
            let path = home.join(name);
            mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).expect("a pipe");
            path
        };
        let (requests, answers) = (pipe("requests"), pipe("answers"));
        let flags = "--headless=new --no-sandbox --disable-gpu --remote-debugging-pipe --no-first-run --hide-scrollbars \
                     --disable-background-networking --disable-component-update --disable-sync --disable-extensions \
                     --force-device-scale-factor=1";
        let line = format!("exec {program} {flags} --user-data-dir=\"$0\" about:blank 3<\"$1\" 4>\"$2\"");
        let mut command = Command::new("sh");
        command.arg("-c").arg(line).arg(home.join("profile")).arg(&requests).arg(&answers);
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("a shell");
        let requests = OpenOptions::new().write(true).open(requests).expect("its ear");
        let answers = BufReader::new(File::open(answers).expect("its mouth"));
        let mut browser = Self { child, requests, answers, session: None, next: 0, events: VecDeque::new() };
        let page = browser.call("Target.createTarget", json!({"url": "about:blank"}));
        let attached =
            browser.call("Target.attachToTarget", json!({"targetId": page["targetId"], "flatten": true}));
        browser.session = attached["sessionId"].as_str().map(str::to_owned);
        for domain in ["Page.enable", "Runtime.enable", "Log.enable", "Network.enable"] {
            browser.call(domain, json!({}));
        }
        browser.call(
            "Emulation.setDeviceMetricsOverride",
            json!({"width": WIDTH, "height": HEIGHT, "deviceScaleFactor": 1, "mobile": true}),
        );
        browser
    }

    fn read(&mut self) -> Value {
        let mut message = Vec::new();
        self.answers.read_until(0, &mut message).expect("it speaks");
        assert!(!message.is_empty(), "the browser is gone");
        message.pop();
        serde_json::from_slice(&message).expect("JSON")
    }

    fn call(&mut self, method: &str, params: Value) -> Value {
        self.next += 1;
        let mut message = json!({"id": self.next, "method": method, "params": params});
        if let Some(session) = &self.session {
            message["sessionId"] = json!(session);
        }
        self.requests.write_all(format!("{message}\0").as_bytes()).expect("it listens");
        loop {
            let mut said = self.read();
            if said["id"] == json!(self.next) {
                assert!(said["error"].is_null(), "{method}: {said}");
                return said["result"].take();
            }
            self.events.push_back(said);
        }
    }

    /// Opens an address and returns what the page is like.
    fn open(&mut self, address: &str) -> Value {
        let is_loaded = |event: &Value| event["method"] == "Page.loadEventFired";
        self.events.retain(|event| !is_loaded(event));
        let opened = self.call("Page.navigate", json!({"url": address}));
        assert!(opened["errorText"].is_null(), "{address}: {opened}");
        while !self.events.iter().any(is_loaded) {
            let event = self.read();
            self.events.push_back(event);
        }
        self.evaluate(MEASURES)
    }

    fn evaluate(&mut self, script: &str) -> Value {
        let found = self.call("Runtime.evaluate", json!({"expression": script}));
        let text = found["result"]["value"].as_str().unwrap_or_else(|| panic!("{script}: {found}"));
        serde_json::from_str(text).expect("JSON")
    }

    fn prefer(&mut self, scheme: &str) {
        let features = json!([{"name": "prefers-color-scheme", "value": scheme}]);
        self.call("Emulation.setEmulatedMedia", json!({"features": features}));
    }

    /// Keeps a picture of the page, where somebody wants it.
    fn picture(&mut self, name: &str, is_whole: bool) {
        let Some(folder) = std::env::var_os("CHROMIUM_PICTURES") else { return };
        let taken = self.call("Page.captureScreenshot", json!({"captureBeyondViewport": is_whole}));
        let mut decode = Command::new("base64");
        let file = File::create(Path::new(&folder).join(format!("{name}.png"))).expect("a picture");
        let mut decode =
            decode.arg("-d").stdin(Stdio::piped()).stdout(file).spawn().expect("base64 is there");
        let data = taken["data"].as_str().expect("a picture").as_bytes();
        decode.stdin.take().expect("piped").write_all(data).expect("taken");
        assert!(decode.wait().expect("it ends").success());
    }

    /// Returns what went wrong in the pages, and what was fetched that is not the server's.
    fn complaints(&self, origin: &str) -> Vec<String> {
        let wrong = |event: &Value| {
            let params = &event["params"];
            match event["method"].as_str().unwrap_or_default() {
                "Runtime.exceptionThrown" => Some(params.to_string()),
                "Runtime.consoleAPICalled" if params["type"] == "error" => Some(params.to_string()),
                "Log.entryAdded" if params["entry"]["level"] == "error" => Some(params.to_string()),
                "Network.requestWillBeSent" => {
                    let url = params["request"]["url"].as_str().unwrap_or_default();
                    let is_own = url.starts_with(origin) || url.starts_with("data:");
                    (!is_own).then(|| format!("fetched {url}"))
                }
                _ => None,
            }
        };
        self.events.iter().filter_map(wrong).collect()
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn program() -> Option<&'static str> {
    let is_there = |name: &&str| {
        Command::new(*name).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
    };
    ["chromium", "chromium-browser", "google-chrome"].into_iter().find(|name| is_there(name))
}

#[test]
#[expect(clippy::print_stderr, reason = "says why nothing was tested")]
fn the_pages_fit_a_phone_in_a_real_browser() {
    let Some(program) = program() else {
        return eprintln!("SKIPPED: no Chromium is installed, the pages were not tested in a browser");
    };
    let home = tempfile::tempdir().expect("a folder");
    let served = Served::of(&sample_store().path, false);
    let origin = format!("http://{}/", served.address);
    let mut browser = Chromium::start(program, home.path());
    let entered = browser.open(&format!("{origin}?token={TOKEN}&lang=en"));
    assert_eq!(entered["address"], json!(format!("{origin}?lang=en")), "the token is in no address");
    assert_eq!(entered["cookies"], json!(""), "no script sees the cookie");
    let mut grounds = Vec::new();
    for (lang, scheme) in [("en", "light"), ("zh", "dark")] {
        browser.prefer(scheme);
        for page in FITTING {
            let mark = if page.contains('?') { '&' } else { '?' };
            let found = browser.open(&format!("{origin}{}{mark}lang={lang}", &page[1..]));
            assert_eq!(found["page"], found["inner"], "{page} {lang}: wider than the screen: {found}");
            assert_eq!((&found["wide"], &found["lang"]), (&json!(0), &json!(lang)), "{page}: {found}");
            if page == "/" {
                assert!(found["lines"].as_u64() >= Some(6), "{found}");
                assert!(
                    found["end"].as_u64() <= Some(HEIGHT),
                    "the answers end below the first screen: {found}"
                );
                grounds.push(found["ground"].clone());
            }
            let name = page.trim_start_matches('/').split('?').next().filter(|name| !name.is_empty());
            browser.picture(&format!("{}-{lang}-{scheme}", name.unwrap_or("home")), page != "/");
        }
        let report = browser.open(&format!("{origin}runs/1?lang={lang}"));
        assert_eq!(report["page"], report["inner"], "the report is wider than the screen: {report}");
        browser.picture(&format!("report-{lang}-{scheme}"), false);
    }
    assert_ne!(grounds[0], grounds[1], "both colour schemes");
    browser.call("Emulation.setScriptExecutionDisabled", json!({"value": true}));
    let plain = browser.open(&format!("{origin}?lang=en"));
    assert!(plain["lines"].as_u64() >= Some(6), "without scripts: {plain}");
    assert_eq!(browser.complaints(&origin), [""; 0]);
}
