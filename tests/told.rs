//! What a run stores is told at least once, whatever interrupts it after it was stored.

use std::fs;

use serde_json::Value;

use crate::command::{StoreDir, optimizer, text};
use crate::http_server::{Reply, Server};
use crate::together::{exported, import};

const RUN: [&str; 5] = ["incremental", "--data", "tests/sample", "--progress", "none"];

/// Lets everything be stored and nothing be published: something stands where the next copy is written.
fn in_the_way(store: &StoreDir, is_there: bool) {
    let path = store.path.join(".view.redb.new");
    let done = if is_there { fs::create_dir(path) } else { fs::remove_dir(path) };
    done.expect("ours");
}

/// Runs with a webhook and returns the exit code, what was printed and said, and what the webhook got so far.
fn run(store: &StoreDir, http: &Server, more: &[&str]) -> (Option<i32>, String, Vec<Value>) {
    let mut command = optimizer();
    command.args(RUN).args(more).arg("--store").arg(&store.path);
    command.args(["--set", &format!("notify.webhook.url=\"{}/hook\"", http.url)]);
    let output = command.output().expect("started");
    let asked = http.asked();
    let got = asked.iter().map(|asked| serde_json::from_slice(&asked.body).expect("JSON"));
    (output.status.code(), format!("{}{}", text(&output.stdout), text(&output.stderr)), got.collect())
}

fn taker() -> Server {
    Server::start(|_, _| Reply::ok("{}"))
}

#[test]
fn a_run_that_was_interrupted_before_it_was_published_is_told_by_the_next() {
    let (store, http) = (StoreDir::after_a_run(), taker());
    let cheaper = ["--set", "costs.taker_fee_pct=0.02", "--set", "search.min_trades=5"];
    in_the_way(&store, true);
    let (code, said, got) = run(&store, &http, &cheaper);
    assert_eq!((code, got.len()), (Some(74), 1), "{said}");
    assert_eq!(got[0]["data"]["result"], "failed");
    in_the_way(&store, false);
    let shown = store.run(&["inspect", "--no-browser", "--json"]);
    assert!(text(&shown.stderr).starts_with("not published yet: run 1 "), "{}", text(&shown.stderr));
    let shown: Value = serde_json::from_slice(&shown.stdout).expect("JSON");
    assert_eq!(shown["data"]["profiles"][0]["runs"], 1, "readers see what was published");
    let (code, said, got) = run(&store, &http, &cheaper);
    assert!(said.contains("not reported until now: run 2 "), "{said}");
    let told: Vec<&Value> = got.iter().filter(|got| got["data"]["run"] == 2).collect();
    let changed = told.first().is_some_and(|got| got["data"]["result"] == "changed");
    assert_eq!(code == Some(10), changed || said.contains("  changed:\n"), "{said}");
    let (_, said, _) = run(&store, &http, &cheaper);
    assert!(!said.contains("not reported until now"), "once is enough: {said}");
}

#[test]
fn a_decision_by_hand_that_was_interrupted_is_told_by_the_next_run() {
    let (store, http) = (StoreDir::after_a_run(), taker());
    for (number, by_hand) in ["import-json", "rollback", "adopt"].into_iter().enumerate() {
        in_the_way(&store, true);
        let output = match by_hand {
            "import-json" => import(&store, 9.5),
            "rollback" => store.run(&["rollback"]),
            _ => store.run(&["adopt", "1", "--force"]),
        };
        assert_eq!(output.status.code(), Some(74), "{by_hand}: {}", text(&output.stderr));
        in_the_way(&store, false);
        let (code, said, got) = run(&store, &http, &[]);
        assert_eq!(code, Some(10), "{by_hand}: {said}");
        assert!(said.contains("not reported until now: run ") && said.contains(" -> "), "{by_hand}: {said}");
        assert!(said.contains("result=changed"), "{by_hand}: {said}");
        let told = got.iter().filter(|got| {
            let headline = got["data"]["headline"].as_str().unwrap_or_default();
            headline.starts_with("not reported until now") && got["data"]["result"] == "changed"
        });
        assert_eq!(told.count(), number + 1, "{by_hand}: {got:#?}");
    }
}

#[test]
fn decisions_by_hand_say_what_an_interrupted_one_did_and_leave_it_to_the_run() {
    let (store, http) = (StoreDir::missing(), taker());
    assert_eq!(import(&store, 2.5).status.code(), Some(10));
    in_the_way(&store, true);
    assert_eq!(import(&store, 9.5).status.code(), Some(74));
    in_the_way(&store, false);
    assert!(exported(&store).is_err_and(|(code, _)| code == Some(6)), "not handed on as current");
    let again = import(&store, 9.5);
    assert!(text(&again.stderr).contains("not reported until now: run 2"), "{}", text(&again.stderr));
    assert_eq!(exported(&store), Ok(9.5));
    let (_, said, got) = run(&store, &http, &[]);
    assert!(said.contains("not reported until now: run 2"), "{said}");
    assert!(got.iter().any(|got| got["data"]["run"] == 2), "{got:#?}");
}

#[test]
fn a_message_that_is_refused_for_good_is_set_aside_and_holds_nothing_up() {
    let store = StoreDir::missing();
    let first = std::sync::atomic::AtomicBool::new(true);
    let http = Server::start(move |_, _| match first.swap(false, std::sync::atomic::Ordering::Relaxed) {
        true => Reply::status(413, "too large"),
        false => Reply::ok("{}"),
    });
    let always = ["--set", "notify.when=[\"always\"]"];
    let (code, said, _) = run(&store, &http, &always);
    assert_eq!(code, Some(7), "{said}");
    assert!(said.contains("413") && said.contains("1 refused for good"), "{said}");
    let refused = fs::read_to_string(store.path.join("notify-refused.json")).expect("kept");
    assert!(refused.contains("parameters"), "{refused}");
    assert!(!store.path.join("notify-queue.json").exists());
    let (code, said, got) = run(&store, &http, &always);
    assert!(code != Some(7) && got.len() == 2, "{said}");
}

#[test]
fn a_message_that_is_denied_is_tried_thrice() {
    let store = StoreDir::missing();
    let http = Server::start(|_, _| Reply::status(404, "nobody here"));
    let always = ["--set", "notify.when=[\"always\"]", "--exit-zero"];
    for number in 1..=3 {
        let (code, said, _) = run(&store, &http, &always);
        assert_eq!(code, Some(7), "{said}");
        assert_eq!(said.contains("refused for good"), number == 3, "{number}: {said}");
    }
    let waiting = fs::read_to_string(store.path.join("notify-queue.json")).expect("two more wait");
    assert_eq!(waiting.matches("\"channel\"").count(), 2);
}

#[test]
fn a_lock_on_the_directory_holds_no_run_up() {
    let store = StoreDir::after_a_run();
    let held = fs::File::open(&store.path).expect("a folder");
    held.lock().expect("locked");
    let (code, said, got) = run(&store, &taker(), &["--set", "notify.when=[\"always\"]", "--exit-zero"]);
    assert_eq!((code, got.len()), (Some(0), 1), "{said}");
}
