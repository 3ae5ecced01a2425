//! Ten days of `optimizer daily` with a broken feed and a full disk: what arrives tells the owner what to do.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use serde_json::{Value, json};

use crate::command::{optimizer, text};
use crate::http_server::{Asked, Reply, Server};

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;
/// Days of candles before the first of the ten.
const DAYS_BEFORE: i64 = 40;
/// The day on which the exchange answers with an error, and the one on which nothing can be written.
const BROKEN_FEED: i64 = 6;
const FULL_DISK: i64 = 8;

/// Returns a candle of a market that goes up and down, the same whenever it is asked for.
fn kline(open: i64) -> Value {
    let price = |hour: i64| 100.0 + 8.0 * (hour as f64 / 17.0).sin() + 3.0 * (hour as f64 / 5.0).cos();
    let (hour, text) = (open / HOUR_MS, |price: f64| format!("{price:.4}"));
    let (from, to) = (price(hour), price(hour + 1));
    let (high, low) = (from.max(to) + 0.3, from.min(to) - 0.3);
    json!([
        open,
        text(from),
        text(high),
        text(low),
        text(to),
        "10.0",
        open + HOUR_MS - 1,
        "1.0",
        3,
        "1",
        "1",
        "0"
    ])
}

/// A server that is the exchange, the owner's webhook and the dead-man's switch, on a day that is set from outside.
fn everything(day: Arc<AtomicI64>, first: i64) -> Server {
    Server::start(move |_, asked| {
        let today = day.load(Ordering::SeqCst);
        match asked.path.as_str() {
            path if path.ends_with("klines") && today == BROKEN_FEED => Reply::status(451, "closed"),
            path if path.ends_with("klines") => klines(asked, first, first + (DAYS_BEFORE + today) * DAY_MS),
            _ => Reply::ok("{}"),
        }
    })
}

fn klines(asked: &Asked, first: i64, end: i64) -> Reply {
    let number = |key: &str| asked.query(key).parse::<i64>().expect("a number");
    let from = number("startTime").max(first);
    let opens = (from..=number("endTime")).step_by(HOUR_MS as usize).take_while(|open| *open < end);
    let rows: Vec<Value> = opens.take(number("limit") as usize).map(kline).collect();
    Reply::ok(Value::from(rows).to_string())
}

fn configuration(home: &Path, url: &str, first: i64) -> String {
    let since = retune::model::Day::of(first);
    format!(
        "[data]\npaths = [\"{candles}\"]\nbase_interval = \"1h\"\nstale_after = \"60d\"\n\
         [daily]\nfetch = [\"BTCUSDT\"]\nsince = \"{since}\"\nfolder = \"{candles}\"\nbase_url = \"{url}\"\nexport = \"{bot}\"\nmetrics = \"{metrics}\"\n\
         [fetch]\nattempts = 1\n[validate]\nquick = true\n[limits]\npriority = \"normal\"\n\
         [notify]\nwhen = [\"change\", \"failure\"]\ntimeout = \"900ms\"\n[notify.webhook]\nurl = \"{url}/hook\"\n\
         [notify.heartbeat]\nurl = \"{url}/beat\"\n\
         [style.swing.space]\natr_tp_multiplier = [2.0]\natr_stop_multiplier = [1.5]\nmax_holding_hours = [12]\n\
         min_risk_reward = [0.0]\nmin_signal_score = [0, 40]\n",
        candles = home.join("candles").display(),
        bot = home.join("bot.json").display(),
        metrics = home.join("optimizer.prom").display(),
    )
}

/// Runs a day; with a full disk no file can grow.
fn one_day(home: &Path, is_full: bool) -> Output {
    let limit = if is_full { "ulimit -f 0; " } else { "" };
    let mut command = Command::new("sh");
    command.args(["-c", &format!("{limit}exec \"$@\""), "sh", env!("CARGO_BIN_EXE_optimizer")]);
    command.args(["-c", "optimizer.toml", "daily", "--style", "swing", "-q", "--progress", "none"]);
    command.current_dir(home).env_remove("OPTIMIZER_STORE").output().expect("a shell")
}

#[test]
fn what_arrives_tells_the_owner_what_to_do() {
    let place = tempfile::tempdir().expect("a folder");
    let home = place.path();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
    let first = (now.as_millis() as i64 / DAY_MS - DAYS_BEFORE - 11) * DAY_MS;
    let day = Arc::new(AtomicI64::new(0));
    let server = everything(Arc::clone(&day), first);
    fs::write(home.join("optimizer.toml"), configuration(home, &server.url, first)).expect("written");
    let seen = AtomicU64::new(0);
    let arrived = || -> (Vec<Value>, Vec<String>) {
        let all = server.asked();
        let new = &all[seen.swap(all.len() as u64, Ordering::SeqCst) as usize..];
        let hooks = new.iter().filter(|asked| asked.path == "/hook");
        let documents = hooks.map(|asked| serde_json::from_slice(&asked.body).expect("a document")).collect();
        (
            documents,
            new.iter()
                .filter(|asked| asked.path.starts_with("/beat"))
                .map(|asked| asked.path.clone())
                .collect(),
        )
    };
    for today in 1..=10 {
        day.store(today, Ordering::SeqCst);
        let output = one_day(home, today == FULL_DISK);
        let (said, code) = (text(&output.stdout), output.status.code());
        let told = format!("day {today}: {said}{}", text(&output.stderr));
        let last = said.lines().last().unwrap_or_default();
        assert!(
            last.starts_with("daily=") && last.contains(" fetch=") && last.contains(" export="),
            "{told}"
        );
        // What a monitoring system reads says the same; with a full disk it is that of the day before, and late in time.
        let metrics = fs::read_to_string(home.join("optimizer.prom")).expect("written");
        let shown = metrics
            .lines()
            .find_map(|line| line.strip_prefix("optimizer_daily_exit_code{profile=\"default\"} "));
        match today {
            FULL_DISK => assert!(last.contains(" metrics=failed"), "{told}"),
            _ => assert_eq!(shown.and_then(|code| code.parse().ok()), code, "{told}"),
        }
        let (messages, beats) = arrived();
        let failures: Vec<&Value> =
            messages.iter().filter(|told| told["data"]["result"] == "failed").collect();
        match today {
            BROKEN_FEED => {
                assert_eq!((code, beats), (Some(4), vec!["/beat/fail".to_owned()]), "{told}");
                assert!(last.contains(" fetch=failed run=") && !last.contains("run=failed"), "{told}");
                let told = &failures[0]["data"];
                assert_eq!(failures.len(), 1, "{messages:?}");
                assert!(
                    told["headline"]
                        .as_str()
                        .is_some_and(|line| line.contains("candles could not be fetched"))
                );
                assert!(
                    told["failure"]["message"].as_str().is_some_and(|line| line.contains("451")),
                    "{told}"
                );
                assert!(told["host"].is_string(), "{told}");
            }
            FULL_DISK => {
                assert!(code.is_some_and(|code| ![0, 10, 11, 12].contains(&code)), "{told}");
                assert_eq!(beats, ["/beat/fail"], "{told}");
                assert!(!failures.is_empty() && last.contains("run=failed export=left"), "{told}");
                let words =
                    failures.iter().map(|failure| failure["data"]["failure"].to_string()).collect::<String>();
                assert!(
                    words.contains("disk") || words.contains("write") || words.contains("too large"),
                    "{words}"
                );
            }
            _ => {
                assert!(matches!(code, Some(0 | 10 | 11 | 12)), "{told}");
                assert_eq!(beats, ["/beat"], "{told}");
                assert!(failures.is_empty(), "nothing is wrong any more: {messages:?}");
            }
        }
    }
    let inspect =
        optimizer().args(["inspect", "runs", "--json"]).current_dir(home).output().expect("started");
    let runs: Value = serde_json::from_slice(&inspect.stdout).expect("a document");
    assert_eq!(runs["data"]["runs"].as_array().map(Vec::len), Some(9), "all days but that of the full disk");
}
