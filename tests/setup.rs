//! Setting up: `init`, `config`, `completions`, `man`, as a newcomer meets them.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use crate::command::{optimizer, text};
use crate::pipeline::sample_dir;

fn run(folder: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    let mut command = optimizer();
    command.current_dir(folder).args(arguments).envs(environment.iter().copied());
    command.output().expect("the program starts")
}

#[test]
fn init_finds_the_candles_and_what_it_says_to_type_works() {
    let home = tempfile::tempdir().expect("a folder");
    let data = home.path().join("user_data/data");
    fs::create_dir_all(&data).expect("a folder");
    for entry in fs::read_dir(sample_dir()).expect("the sample") {
        let entry = entry.expect("a file");
        fs::copy(entry.path(), data.join(entry.file_name())).expect("copied");
    }
    let output = run(home.path(), &["init"], &[]);
    let said = text(&output.stdout);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(said.contains("found candles of ALPHAUSDT, BRAVOUSDT, CRESTUSDT in "), "{said}");
    let next = said.lines().last().and_then(|line| line.strip_prefix("next: ")).expect("a command");
    // As cron does, from another folder.
    let elsewhere = tempfile::tempdir().expect("a folder");
    let ran = Command::new("sh").arg("-c").arg(next).current_dir(elsewhere.path()).output().expect("a shell");
    assert_eq!(ran.status.code(), Some(12), "{next}: {}", text(&ran.stderr));
    assert!(home.path().join("optimizer-state/view.redb").exists(), "the store lies where it was said");
    for line in ["5 0 * * * ", "OnCalendar=", "ExecStart="] {
        assert!(said.contains(line), "{said}");
    }
    let config = fs::read_to_string(home.path().join("optimizer.toml")).expect("the file");
    let again = run(home.path(), &["init"], &[]);
    assert_eq!(again.status.code(), Some(2), "what is there is never replaced");
    assert!(text(&again.stderr).contains("exists and is left as it is"));
    assert_eq!(fs::read_to_string(home.path().join("optimizer.toml")).ok(), Some(config));
}

#[test]
fn init_without_candles_says_so() {
    let home = tempfile::tempdir().expect("a folder");
    let output = run(home.path(), &["init"], &[]);
    assert!(output.status.success());
    assert!(text(&output.stdout).contains("found no candles here"), "{}", text(&output.stdout));
    let wrong = run(home.path(), &["init", "-o", "other.toml", "--data", "nowhere"], &[]);
    assert_eq!(wrong.status.code(), Some(4));
    assert!(!home.path().join("other.toml").exists());
    let none = run(home.path(), &["incremental", "-c", "optimizer.toml"], &[]);
    assert_eq!(none.status.code(), Some(2));
    assert!(text(&none.stderr).contains("data.paths"), "{}", text(&none.stderr));
}

#[test]
fn every_value_in_effect_says_where_it_comes_from() {
    let home = tempfile::tempdir().expect("a folder");
    fs::write(home.path().join("a.toml"), "[search]\ntop = 5\nmin_trades = 60\n").expect("written");
    fs::write(home.path().join("b.toml"), "[search]\nmin_trades = 70\n").expect("written");
    let arguments =
        ["config", "show", "--json", "-c", "a.toml", "-c", "b.toml", "--set", "validate.in_sample_share=0.6"];
    let output = run(
        home.path(),
        &arguments,
        &[("OPTIMIZER_SEARCH__SCORE", "sharpe"), ("OPTIMIZER_SEARCH__TOP", "7")],
    );
    let document: Value = serde_json::from_slice(&output.stdout).expect("one document");
    let value = |key: &str| {
        let value = &document["data"]["values"][key];
        (value["value"].clone(), value["origin"].as_str().unwrap_or_default().to_owned())
    };
    assert_eq!(value("search.top"), (7.into(), "environment OPTIMIZER_SEARCH__TOP".to_owned()));
    assert_eq!(value("search.score"), ("sharpe".into(), "environment OPTIMIZER_SEARCH__SCORE".to_owned()));
    assert_eq!(value("search.min_trades"), (70.into(), "`b.toml`".to_owned()));
    assert_eq!(value("validate.in_sample_share").1, "--set validate.in_sample_share");
    assert_eq!(value("limits.cache"), ("256MiB".into(), "default".to_owned()));
    assert_eq!(document["data"]["parameter_sets"]["swing"], 139_968);

    let typo = run(home.path(), &["config", "check"], &[("OPTIMIZER_SEARCH__TOPP", "7")]);
    assert_eq!(typo.status.code(), Some(3));
    let said = text(&typo.stderr);
    assert!(said.contains("OPTIMIZER_SEARCH__TOPP") && said.contains("did you mean `top`?"), "{said}");
    let fine = run(home.path(), &["config", "check", "-c", "a.toml"], &[]);
    assert!(text(&fine.stdout).contains("sound"), "{}", text(&fine.stdout));
}

/// What people type first: a number without its unit, a word for a list.
#[test]
fn values_of_the_wrong_type_are_told_what_they_should_look_like() {
    let home = tempfile::tempdir().expect("a folder");
    let cases = [
        ("limits.cache=5", "limits.cache: expected a size such as 64MiB, or 0, found 5"),
        ("limits.cache=1.5", "limits.cache: expected a size such as 64MiB, or 0, found 1.5"),
        ("limits.memory=64", "limits.memory: expected a size such as 64MiB, found 64"),
        ("limits.memory=0", "limits.memory: expected a size such as 64MiB, found 0"),
        ("memory.warning=800", "memory.warning: expected a size such as 64MiB, found 800"),
        ("memory.growth_per_hour=-1", "memory.growth_per_hour: expected a size such as 64MiB, found -1"),
        (
            "data.window=365",
            "data.window: expected a number of days or weeks such as 90d or 26w, or all, found 365",
        ),
        (
            "data.base_interval=15",
            "data.base_interval: expected 1m, 3m, 5m, 15m, 30m, 1h, 2h, 4h, 6h, 8h, 12h or 1d (finer candles are put \
             together to it, and no candle is longer than a day, the unit of a run), found 15",
        ),
        (
            "portfolio.cooldown=4",
            "portfolio.cooldown: expected a time such as 90m, 4h or 1d, of a minute to a year, found 4",
        ),
        (
            "fetch.timeout=30",
            "fetch.timeout: expected a time such as 30s, 2m or 100ms, of at most a day, found 30",
        ),
        (
            "fetch.longest_wait=\"2d\"",
            "fetch.longest_wait: expected a time such as 30s, 2m or 100ms, of at most a day, found 2d",
        ),
        (
            "notify.timeout=0",
            "notify.timeout: expected a time such as 30s, 2m or 100ms, of at most a day, found 0",
        ),
        ("limits.cache=true", "expected a number with its unit in quotes, such as \"64MiB\""),
        ("limits.cache=", "limits.cache: expected a size such as 64MiB, or 0, found \"\""),
        ("data.paths=candles", "expected a list such as [\"a\", \"b\"]"),
        ("search.top=-5", "expected a whole number, 0 or more"),
        ("search.rank=5", "expected text in quotes"),
        ("validate.quick=5", "expected true or false"),
        ("notify.email.port=70000", "expected a whole number of 0 to 65535"),
        ("search=5", "expected a section of keys"),
        (
            "style.swing.filters={column=\"rsi_14\"}",
            "with double brackets around its name, such as [[style.swing.filters]]",
        ),
        ("style.swing.space.min_consensus=true", "expected a number, a list of numbers or names, or a range"),
    ];
    for (setting, wanted) in cases {
        let output = run(home.path(), &["config", "check", "--set", setting], &[]);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(3), "{setting}: {said}");
        assert!(said.contains(wanted), "{setting}: {said}");
    }
    fs::write(home.path().join("none.toml"), "[limits]\ncache = 0\n").expect("written");
    for arguments in [["-c", "none.toml"], ["--set", "limits.cache=0"]] {
        let shown = run(home.path(), &[&["config", "show"][..], &arguments].concat(), &[]);
        assert!(shown.status.success(), "{}", text(&shown.stderr));
    }
}

#[test]
fn the_shell_gets_help() {
    let home = tempfile::tempdir().expect("a folder");
    let script = run(home.path(), &["completions", "bash"], &[]).stdout;
    fs::write(home.path().join("completion.bash"), &script).expect("written");
    let parsed = Command::new("bash").args(["-n", "completion.bash"]).current_dir(home.path()).output();
    assert!(parsed.expect("bash").status.success(), "the script parses");
    assert!(text(&script).contains("--max-memory"));
    let page = text(&run(home.path(), &["man"], &[]).stdout);
    for word in [".TH optimizer", "incremental", "rollback", "max\\-memory"] {
        assert!(page.contains(word), "{word}");
    }
}
