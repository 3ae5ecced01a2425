//! The whole day, as `init` prints it: the line for cron and the unit for systemd, run by a shell.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use flate2::read::MultiGzDecoder;
use serde_json::{Value, json};

use crate::command::{optimizer, text};
use crate::http_server::{Asked, Reply, Server};
use crate::pipeline::sample_dir;

/// Rows of the sample's candles of a symbol: open time and four prices and the volume.
fn rows(symbol: &str) -> Vec<(i64, Vec<String>)> {
    let file = fs::read_dir(sample_dir()).expect("the sample").flatten().map(|entry| entry.path());
    let named =
        |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(symbol));
    let path =
        file.filter(|path| path.extension().is_some_and(|end| end == "gz")).find(named).expect("a file");
    let mut csv = String::new();
    let packed = fs::File::open(path).expect("open");
    MultiGzDecoder::new(packed).read_to_string(&mut csv).expect("text");
    let row = |line: &str| {
        let cells: Vec<&str> = line.split(',').collect();
        Some((cells[0].parse().ok()?, cells[1..6].iter().map(|cell| (*cell).to_owned()).collect()))
    };
    csv.lines().filter_map(row).collect()
}

/// Open times with the cells of their candles.
type Rows = Vec<(i64, Vec<String>)>;

/// An exchange that has the sample's candles, as if they were of the last days: the last is the newest closed one.
fn exchange(is_down: Arc<AtomicBool>) -> Server {
    let symbols: Vec<(String, Rows)> =
        ["ALPHAUSDT", "BRAVOUSDT", "CRESTUSDT"].map(|symbol| (symbol.to_owned(), rows(symbol))).to_vec();
    let now_ms =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_millis();
    let step = 15 * 60_000;
    let last = symbols[0].1.last().expect("candles").0;
    let by = (now_ms as i64 - last).div_euclid(86_400_000) * 86_400_000;
    Server::start(move |_, asked| {
        if is_down.load(Ordering::SeqCst) {
            return Reply::status(451, "closed");
        }
        klines(asked, &symbols, by, step)
    })
}

fn klines(asked: &Asked, symbols: &[(String, Rows)], by: i64, step: i64) -> Reply {
    if !asked.path.ends_with("klines") {
        return Reply::ok("{}");
    }
    let number = |key: &str| asked.query(key).parse::<i64>().expect("a number");
    let (start, end, limit) = (number("startTime"), number("endTime"), number("limit") as usize);
    let rows = &symbols.iter().find(|(symbol, _)| symbol == asked.query("symbol")).expect("a known symbol").1;
    let asked =
        rows.iter().map(|(open, cells)| (open + by, cells)).filter(|(open, _)| (start..=end).contains(open));
    let kline = |(open, cells): (i64, &Vec<String>)| {
        json!([
            open,
            cells[0],
            cells[1],
            cells[2],
            cells[3],
            cells[4],
            open + step - 1,
            "1.0",
            3,
            "1",
            "1",
            "0"
        ])
    };
    Reply::ok(Value::from(asked.take(limit).map(kline).collect::<Vec<_>>()).to_string())
}

/// Runs a line as cron or systemd does, with the policy that lets the sample change parameters.
fn shell(line: &str, home: &Path) -> Output {
    let mut command = Command::new("sh");
    command.arg("-c").arg(line).current_dir("/").env("HOME", home).env_remove("OPTIMIZER_STORE");
    command
        .env("OPTIMIZER_LIMITS__PRIORITY", "normal")
        .env("OPTIMIZER_DECIDE__REQUIRE", "stable")
        .env("OPTIMIZER_SEARCH__SCORE", "balanced");
    command.env("OPTIMIZER_SEARCH__RANK", "peak").env("OPTIMIZER_FETCH__ATTEMPTS", "1");
    command.output().expect("a shell")
}

fn code(output: &Output) -> Option<i32> {
    output.status.code()
}

/// Returns what stands behind the first line that begins so.
fn printed<'t>(said: &'t str, begin: &str) -> &'t str {
    said.lines()
        .find_map(|line| line.trim_start().strip_prefix(begin))
        .unwrap_or_else(|| panic!("{begin}: {said}"))
}

#[test]
fn the_printed_line_does_the_whole_day_and_swallows_nothing() {
    let place = tempfile::tempdir().expect("a folder");
    let home = place.path().join("a 5% place");
    fs::create_dir(&home).expect("made");
    let down = Arc::new(AtomicBool::new(false));
    let server = exchange(Arc::clone(&down));
    let mut init = optimizer();
    init.args(["init", "--symbols", "ALPHAUSDT,BRAVOUSDT,CRESTUSDT", "--base-url", &server.url]);
    let said = init.args(["--bot", "bot.json"]).current_dir(&home).output().expect("it starts");
    assert!(said.status.success(), "{}", text(&said.stderr));
    let said = text(&said.stdout);
    // For cron a bare percent sign ends the command.
    let line = printed(&said, "5 0 * * * ").replace(r"\%", "%");
    let unit = printed(&said, "ExecStart=").replace("%%", "%");
    let bot = home.join("bot.json");

    let first = shell(&line, &home);
    assert_eq!(code(&first), Some(10), "{}{}", text(&first.stdout), text(&first.stderr));
    assert!(home.join("candles/spot/ALPHAUSDT-15m.csv").is_file(), "fetched");
    let written = fs::read_to_string(&bot).expect("exported");
    assert!(written.contains("scalping_params"), "{written}");

    // Nothing new: nothing is written, and nothing is wrong.
    let again = shell(&unit, &home);
    assert_eq!(code(&again), Some(0), "{}{}", text(&again.stdout), text(&again.stderr));
    assert_eq!(fs::read_to_string(&bot).expect("there"), written);
    assert!(!home.join("bot.json.bak").exists(), "not written again");

    // The exchange is down: the run is made on what is there, and the exit code is that of the fetch.
    down.store(true, Ordering::SeqCst);
    let without = shell(&line, &home);
    assert_eq!(code(&without), Some(4), "{}{}", text(&without.stdout), text(&without.stderr));
    assert!(text(&without.stdout).contains("result="), "{}", text(&without.stdout));
    down.store(false, Ordering::SeqCst);

    // The run fails: nothing comes after it.
    fs::write(home.join("optimizer.toml"), "[costs]\ntaker_fee_pct = 50\n").expect("written");
    assert_eq!(code(&shell(&line, &home)), Some(3));
}

#[test]
fn a_bots_file_that_is_not_known_is_left_alone_until_it_may_be_written() {
    let place = tempfile::tempdir().expect("a folder");
    let home = place.path();
    fs::write(home.join("learning_config.json"), "{\"mine\": 1}").expect("written");
    let init = || {
        let mut init = optimizer();
        init.args(["init", "--data"]).arg(sample_dir()).current_dir(home).output().expect("it starts")
    };
    let first = init();
    assert!(first.status.success(), "{}", text(&first.stderr));
    let said = text(&first.stdout);
    let (line, script) = (printed(&said, "5 0 * * * "), home.join("optimizer-daily.sh"));
    assert!(fs::read_to_string(&script).expect("there").contains("# Here goes what downloads your candles"));
    assert_eq!(code(&init()), Some(2), "what is there is left as it is");

    let refused = shell(line, home);
    assert_eq!(code(&refused), Some(1), "{}", text(&refused.stderr));
    assert!(text(&refused.stderr).contains("neither what profile"), "{}", text(&refused.stderr));
    assert_eq!(fs::read_to_string(home.join("learning_config.json")).expect("there"), "{\"mine\": 1}");
    // The next day the parameters are the same, and still not with the bot.
    assert_eq!(code(&shell(line, home)), Some(1));
    fs::remove_file(home.join("learning_config.json")).expect("there");
    assert_eq!(code(&shell(line, home)), Some(0));
    assert!(
        fs::read_to_string(home.join("learning_config.json")).expect("there").contains("scalping_params")
    );
    assert_eq!(code(&shell(line, home)), Some(0));
}
