//! What is somebody's secret stands in no message, however it was mistyped: key, line and column are told.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::command::{optimizer, text};

const SECRET: &str = "s3cr3t-path";

/// Runs the program with a log and returns what it said; the secret must not be among it, nor in the log.
fn said(folder: &Path, arguments: &[&str], variables: &[(&str, &OsStr)]) -> (Option<i32>, String) {
    let log = folder.join("log");
    let mut command = optimizer();
    command.args(arguments).args(["-vvv", "--log-file"]).arg(&log).arg("--store").arg(folder.join("state"));
    let output = command.envs(variables.iter().copied()).output().expect("started");
    let logged = text(&std::fs::read(&log).expect("the log"));
    let all = text(&output.stdout) + &text(&output.stderr);
    for held in [&all, &logged] {
        assert!(!held.contains(SECRET), "{arguments:?} {variables:?}\n{held}");
    }
    (output.status.code(), all)
}

/// Checks a configuration file and returns what is wrong with it.
fn wrong(content: &str) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("my.toml");
    std::fs::write(&file, content).expect("written");
    let file = file.to_str().expect("text");
    for arguments in [&["doctor"][..], &["incremental", "--data", "tests/sample"]] {
        let (code, all) = said(folder.path(), &[arguments, &["-c", file]].concat(), &[]);
        assert_eq!(code, Some(3), "{content}\n{all}");
    }
    said(folder.path(), &["config", "show", "-c", file], &[]);
    said(folder.path(), &["config", "check", "-c", file], &[]).1
}

#[test]
fn a_mistyped_file_tells_where_and_what_but_no_value() {
    let mistakes = [
        ("[notify.webhook]\nurll = \"URL\"\n", "line 2, column 1|2 | urll = \"...\"|did you mean `url`"),
        ("[notify.webhook]\nurl = [\"URL\"]\n", "line 2, column 7|url = \"...\"|text"),
        ("[notify.webhook]\nurl = \"URL\n", "line 2|url = \"...\""),
        ("[notify.webhook]\nurl = URL\n", "line 2|url = \"...\""),
        ("[notify.webhook]\nurl \"URL\"\n", "line 2"),
        ("[notify.webhook]\nurl = \"URL\" x\n", "line 2"),
        (
            "[notify.webhook]\nurl = \"https:/hooks.example/SECRET\"\n",
            "notify.webhook.url: expected an address",
        ),
        ("[notify.webhook]\nurl = \"SECRET\"\n", "notify.webhook.url: expected an address"),
        ("[notify]\nwebhook = { url = \"URL\", urll = 5 }\n", "line 2|webhook = \"...\"|unknown key `urll`"),
        ("notify = { webhook = { url = \"URL\" }, wen = [] }\n", "notify = \"...\"|unknown key `wen`"),
        ("[notify]\nwebhook = \"URL\"\n", "line 2|webhook = \"...\"|expected a section of keys"),
        ("notify = \"URL\"\n", "line 1|notify = \"...\""),
        ("notify.webhook.url = 'URL\n", "line 1|notify.webhook.url = \"...\""),
        ("[notify.webhook]\nurl = \"\"\"\nURL\nSECRET = 1\n", "line"),
        ("[notify.webhook]\nurl = [\"\"\"\n[search]\nSECRET = 1\n\"\"\"]\n", "line 2|text"),
        ("[notify.webhook]\nurl = '''\n[search]\ntop = \"SECRET\" ''' = SECRET\n", "line 4"),
        (
            "[notify.email]\nhost = \"h\"\npassword = \"SECRET\"\n",
            "line 3|password = \"...\"|unknown key `password` in [notify.email]",
        ),
        ("[notify.email]\nport = \"SECRET\"\n", "port = \"...\"|a whole number of 0 to 65535"),
        ("[notify.email]\nsecurity = \"SECRET\"\n", "security = \"...\"|expected one of `starttls`"),
        ("[notify.email]\nhost = \"smtp://me:SECRET@h.example\"\n", "notify.email.host: expected a name"),
        (
            "[notify.email]\nhost = \"h\"\nto = [\"a@b.example\"]\nfrom = \"me SECRET @@\"\n",
            "notify.email.from: expected an address",
        ),
        ("[notify.bark]\nkey = \"SECRET\"\n", "key = \"...\""),
        ("[notfy.webhook]\nurl = \"SECRET\n", "line 2|url = \"...\""),
        (
            "[data]\nwebhook_url = \"SECRET\"\n",
            "line 2|webhook_url = \"...\"|unknown key `webhook_url` in [data]",
        ),
        ("[search]\ntop = 5\n[data]\npaths = [\n\"URL\",\n5 \"URL\"]\n", "line 6"),
        ("[notify]\nwhen = [\n\"SECRET\",\n]\n", "line 3|expected one of `change`"),
    ];
    for (content, expected) in mistakes {
        let content = content.replace("URL", "https://hooks.example/SECRET").replace("SECRET", SECRET);
        let all = wrong(&content);
        for part in expected.split('|') {
            assert!(all.contains(part), "{part:?} for\n{content}\n{all}");
        }
    }
}

#[test]
fn other_sections_show_their_line_whole() {
    for (content, expected) in [
        ("[search]\ntop = \"five\"\n", "2 | top = \"five\""),
        ("search.top = \"five\"\n", "1 | search.top = \"five\""),
        ("[notify]\ntimeout = \"5s\"\n[search]\ntpo = 5\n", "4 | tpo = 5"),
    ] {
        let all = wrong(content);
        assert!(all.contains(expected), "{expected:?} in {all}");
    }
}

#[test]
fn flags_and_variables_are_as_silent() {
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("https://hooks.example/{SECRET}");
    for setting in [
        format!("notify.webhook={url}"),
        format!("notify.webhook.urll={url}"),
        format!("notify.webhook.url={SECRET}"),
        format!("notify.webhook.url=[\"{url}\"]"),
        format!("notify.webhook.url=\"{url}"),
        format!("notify.webhook={{url=\"{url}\",x=1}}"),
        format!("notify.email.password={SECRET}"),
        format!("notify.email.port={SECRET}"),
        format!("{url}=1"),
        format!("notify.webhook.url:{url}"),
        format!("notify.webhook.url {url}"),
    ] {
        let (code, all) = said(folder.path(), &["config", "check", "--set", &setting], &[]);
        assert!(matches!(code, Some(2 | 3)), "{setting}: {all}");
        assert!(all.contains("--set") || all.contains("notify.webhook.url"), "{all}");
    }
    for (name, value) in [
        ("OPTIMIZER_NOTIFY__WEBHOOK", url.as_str()),
        ("OPTIMIZER_NOTIFY__WEBHOOK__URLL", &url),
        ("OPTIMIZER_NOTIFY__WEBHOOK__URL", SECRET),
        ("OPTIMIZER_NOTIFY__EMAIL__PASSWORD", SECRET),
        ("OPTIMIZER_NOTIFY__WHEN", SECRET),
    ] {
        let (code, all) = said(folder.path(), &["config", "check"], &[(name, OsStr::new(value))]);
        assert_eq!(code, Some(3), "{name}");
        assert!(all.contains(name) || all.contains("notify.webhook.url"), "{all}");
    }
}

#[test]
fn a_secret_of_other_bytes_is_no_missing_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let other = [SECRET.as_bytes(), b"\xff\xfe"].concat();
    let hook = ["notify", "test", "--set", "notify.webhook.url=\"http://127.0.0.1:9\""];
    for name in ["OPTIMIZER_WEBHOOK_TOKEN", "OPTIMIZER_WEBHOOK_TOKEN_FILE"] {
        let (code, all) = said(folder.path(), &hook, &[(name, OsStr::from_bytes(&other))]);
        assert_eq!(code, Some(7), "{all}");
        assert!(all.contains(&format!("{name}: expected UTF-8 text, found other bytes")), "{all}");
    }
}
