//! Files made to do harm: archives, links, names, sizes, depths. Each costs itself and nothing else.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use retune::ingest::{
    DECODED_BYTES_MAX, IngestOptions, LEGACY_FILE_BYTES_MAX, LINE_BYTES_MAX, LoadedSymbol, MEMBERS_MAX,
    OnBadRows, RATIO_FREE_BYTES, RATIO_MAX, ROWS_MAX, ReadingOptions, Rejection, TABLE_SYMBOLS_MAX, discover,
    load_symbol,
};
use retune::model::Interval;
use retune::notify::{QUEUE_BYTES_MAX, QUEUE_MESSAGES_MAX};

use crate::command::{StoreDir, optimizer, text};
use crate::packing::{gzip, zip_of};

/// 2027-01-01.
const NOW_MS: i64 = 1_798_761_600_000;

/// Twenty sound candles of 15 minutes.
fn csv() -> String {
    let row = |index: i64| format!("{},10,12,9,11,5\n", 1_735_689_600_000 + index * 900_000);
    format!("open_time,open,high,low,close,volume\n{}", (0..20).map(row).collect::<String>())
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn put(&self, name: impl AsRef<OsStr>, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name.as_ref());
        fs::create_dir_all(path.parent().expect("a folder")).expect("writable");
        fs::write(&path, content).expect("writable");
        path
    }

    /// Puts a file of so many bytes that takes no space.
    fn put_sparse(&self, name: &str, begins: &[u8], bytes: u64) -> PathBuf {
        let path = self.put(name, begins);
        let file = File::options().write(true).open(&path).expect("writable");
        file.set_len(bytes).expect("sparse files are there");
        path
    }

    fn load(&self) -> (Vec<LoadedSymbol>, Vec<String>) {
        self.load_by(ReadingOptions::default())
    }

    fn load_by(&self, reading: ReadingOptions) -> (Vec<LoadedSymbol>, Vec<String>) {
        let options = IngestOptions { reading, ..IngestOptions::new(Interval::M15, NOW_MS) };
        let catalog = discover(&[self.path().to_owned()], &options).expect("the folder is readable");
        let passed = catalog.passed_over.iter().map(|file| file.reason.to_string()).collect();
        let load = |sources| load_symbol(sources, &options).expect("nothing contradicts");
        (catalog.symbols.iter().map(load).collect(), passed)
    }

    /// Every path below, sorted.
    fn tree(&self) -> Vec<PathBuf> {
        fn below(folder: &Path) -> Vec<PathBuf> {
            let entries =
                fs::read_dir(folder).expect("readable").map(|entry| entry.expect("an entry").path());
            entries.flat_map(|path| if path.is_dir() { below(&path) } else { vec![path] }).collect()
        }
        let mut all = below(self.path());
        all.sort();
        all
    }
}

fn candles(loaded: &[LoadedSymbol]) -> Vec<(&str, usize)> {
    loaded.iter().map(|one| (one.symbol.as_str(), one.series.bars().len())).collect()
}

#[test]
fn members_of_archives_never_leave_them() {
    let folder = Folder::new();
    let content = csv();
    let names = [
        "../../../BTCUSDT-15m.csv",
        "/etc/ETHUSDT-15m.csv",
        "C:\\Windows\\SOLUSDT-15m.csv",
        "..\\..\\XRPUSDT-15m.csv",
        "a/\0/\u{1b}[2J/DOGEUSDT-15m.csv",
    ];
    let members: Vec<(&str, &[u8])> = names.iter().map(|name| (*name, content.as_bytes())).collect();
    folder.put("deep/er/all.zip", zip_of(&members));
    let before = folder.tree();
    let (loaded, _) = folder.load();
    let wanted = ["BTCUSDT", "DOGEUSDT", "ETHUSDT", "SOLUSDT", "XRPUSDT"].map(|symbol| (symbol, 20));
    assert_eq!(candles(&loaded), wanted, "names say what is in them and no more");
    assert_eq!(folder.tree(), before, "nothing is unpacked");
}

#[test]
fn many_bombs_in_one_archive_are_each_cut_short() {
    let folder = Folder::new();
    let zeros = vec![b'0'; 8 << 20];
    let names: Vec<String> = (0..24).map(|number| format!("A{number}USDT-15m.csv")).collect();
    let members: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), zeros.as_slice())).collect();
    folder.put("bombs.zip", zip_of(&members));
    let (loaded, _) = folder.load();
    assert_eq!(loaded.len(), 24);
    for one in &loaded {
        let reason = one.files[0].rejected.as_ref().map(ToString::to_string).unwrap_or_default();
        assert!(reason.contains("decoded bytes, found more"), "{}: {reason}", one.symbol);
    }
    // A bomb in a bomb is not looked into, and an archive of more members than anybody has files is refused.
    let inner = gzip(&zeros);
    folder.put("nested.csv.gz", gzip(&inner));
    folder.put(
        "nested.zip",
        zip_of(&[("BTCUSDT-15m.csv.gz", &inner), ("b.zip", &zip_of(&[("c.csv", &zeros)]))]),
    );
    let many: Vec<String> = (0..=MEMBERS_MAX).map(|number| format!("{number}")).collect();
    let many: Vec<(&str, &[u8])> = many.iter().map(|name| (name.as_str(), b"".as_slice())).collect();
    folder.put("many.zip", zip_of(&many));
    let (_, passed) = folder.load();
    let count = |what: &str| passed.iter().filter(|reason| reason.contains(what)).count();
    assert_eq!(count("archive within an archive"), 2, "{passed:?}");
    assert_eq!(count("gzip within gzip"), 1, "{passed:?}");
    assert_eq!(count("expected at most 10000 members, found more"), 1, "{passed:?}");
}

#[test]
fn links_that_lead_round_in_circles_are_walked_once() {
    let folder = Folder::new();
    folder.put("a/b/BTCUSDT-15m.csv", csv());
    symlink(".", folder.path().join("here")).expect("a link");
    symlink("../..", folder.path().join("a/b/up")).expect("a link");
    symlink("self.csv", folder.path().join("self.csv")).expect("a link");
    symlink("two.csv", folder.path().join("one.csv")).expect("a link");
    symlink("one.csv", folder.path().join("two.csv")).expect("a link");
    symlink("/dev/zero", folder.path().join("ETHUSDT-15m.csv")).expect("a link");
    let (loaded, passed) = folder.load();
    assert_eq!(candles(&loaded), [("BTCUSDT", 20)]);
    assert_eq!(loaded[0].files.len(), 1, "one file, however many ways lead to it");
    let count = |what: &str| passed.iter().filter(|reason| reason.contains(what)).count();
    assert_eq!((count("a link that leads nowhere"), count("found a device")), (3, 1), "{passed:?}");
    assert_eq!(passed.len(), 4, "{passed:?}");
}

#[test]
fn gigabytes_of_nothing_are_refused_by_their_size() {
    let folder = Folder::new();
    let huge = 8 << 30;
    folder.put_sparse("BTCUSDT-15m.csv", csv().as_bytes(), huge);
    folder.put_sparse("ETHUSDT-15m.json", b"[[", huge);
    folder.put_sparse("SOLUSDT-15m.csv.gz", &gzip(csv().as_bytes()), huge);
    folder.put_sparse("XRPUSDT-15m.zip", b"PK\x03\x04", huge);
    folder.put_sparse("20250101.csv", b"time,coin,open,high,low,close\n", huge);
    let (loaded, passed) = folder.load();
    let limit = format!("expected at most {DECODED_BYTES_MAX} bytes, found more");
    assert_eq!(passed.iter().filter(|reason| reason.contains(&limit)).count(), 3, "{passed:?}");
    assert_eq!(passed.len(), 4, "{passed:?}");
    // The stream in the gzip file ends where it ends; what lies behind is damage.
    assert!(loaded.iter().all(|one| one.series.is_empty()), "{:?}", candles(&loaded));
    let store = StoreDir::missing();
    let refused = |arguments: &[&str], code: i32, wanted: &str| {
        let (found, said) = store.failure(arguments);
        assert_eq!(found, Some(code), "{arguments:?}: {said}");
        assert!(said.contains(wanted), "{arguments:?}: {said}");
    };
    let file = folder.put_sparse("anything", b"{", huge);
    let file = file.to_str().expect("text");
    refused(&["check", "data", "--signals", file], 4, "expected at most");
    refused(&["inspect", "legacy", file], 4, "expected at most 256 MiB");
    refused(&["inspect", "trades", file], 4, "expected at most 64 MiB");
    refused(&["import-json", file], 4, "expected at most 256 MiB");
    refused(&["config", "check", "--config", file], 3, "expected at most 1048576 bytes");
    refused(&["config", "check", "--config", "/dev/zero"], 3, "expected at most 1048576 bytes");
    refused(&["memory", "diff", file, file], 4, "expected a snapshot");
}

#[test]
fn what_is_no_file_is_an_error_at_once_for_every_command_that_reads_one() {
    let folder = Folder::new();
    let at = |name: &str| folder.path().join(name).to_str().expect("text").to_owned();
    assert!(std::process::Command::new("mkfifo").arg(at("pipe")).status().expect("mkfifo").success());
    let _socket = std::os::unix::net::UnixListener::bind(at("socket")).expect("bound");
    fs::create_dir(at("folder")).expect("made");
    symlink("pipe", at("link")).expect("a link");
    folder.put_sparse("sparse", b"", 2 << 30);
    let store = StoreDir::after_a_run();
    let imported = store.run(&["import-json", "tests/fixtures/learning_config.json"]);
    assert_eq!(imported.status.code(), Some(10), "{}", text(&imported.stderr));
    let commands: [(&[&str], &[&str]); 11] = [
        (&["export-json", "--check", "-o"], &[]),
        (&["export-json", "--diff", "-o"], &[]),
        (&["export-json", "--force", "-o"], &[]),
        (&["import-json"], &[]),
        (&["inspect", "legacy"], &[]),
        (&["inspect", "trades"], &[]),
        (&["check", "data", "--signals"], &[]),
        (&["config", "check", "--config"], &[]),
        (&["restore"], &[]),
        (&["memory", "diff"], &["/dev/null"]),
        (&["incremental", "--data", "tests/sample", "--signals"], &[]),
    ];
    for (what, kind) in [
        ("pipe", "a named pipe"),
        ("link", "a named pipe"),
        ("socket", "a socket"),
        ("folder", "a folder"),
        ("/dev/zero", "a device"),
        ("sparse", "more"),
    ] {
        let file = if what.starts_with('/') { what.to_owned() } else { at(what) };
        for (before, behind) in commands {
            // What is no file is written to by who writes: it may be meant.
            if before.contains(&"--force") && what != "sparse" {
                continue;
            }
            let clock = std::time::Instant::now();
            let ended = store.run(&[before, &[&file], behind].concat());
            let said = text(&ended.stderr);
            assert!(clock.elapsed().as_secs() < 20, "{before:?} {what}: {:?}", clock.elapsed());
            assert!(!ended.status.success() && said.starts_with("error: "), "{before:?} {what}: {said}");
            // Of the name of a backup, and of what is read as a stream, another thing is said.
            let is_stream = matches!(before[0], "memory" | "check" | "incremental");
            let is_other = before[0] == "restore" || (is_stream && what == "sparse");
            assert!(is_other || said.contains(kind), "{before:?} {what}: {said}");
        }
    }
}

#[test]
fn text_that_is_nested_beyond_measure_is_an_error() {
    let folder = Folder::new();
    let (open, close) = ("[".repeat(100_000), "]".repeat(100_000));
    let nested = format!("{open}{close}");
    folder.put("BTCUSDT-15m.json", &nested);
    let (loaded, _) = folder.load();
    assert!(loaded.iter().all(|one| one.series.is_empty() && one.files[0].rejected.is_some()));
    let store = StoreDir::missing();
    let legacy =
        format!("{{\"scalping\": [{{\"coin\": \"BTC\", \"signal_score\": 1, \"volume_surge\": {nested}}}]}}");
    let objects = format!("{}1{}", "{\"scalping_params\":".repeat(100_000), "}".repeat(100_000));
    for (arguments, content, code) in [
        (&["inspect", "legacy"][..], &legacy, 4),
        (&["inspect", "legacy"], &nested, 4),
        (&["inspect", "trades"], &nested, 4),
        (&["import-json"], &objects, 4),
        (&["config", "check", "--config"], &format!("a = {nested}"), 3),
        (&["config", "check", "--config"], &format!("{}=1", "a.".repeat(100_000) + "a"), 3),
        (&["config", "check", "--set"], &format!("search.score={nested}"), 3),
    ] {
        let name = if arguments.contains(&"trades") { "deep.json" } else { "deep" };
        let file = folder.put(name, content);
        // What is too long for a command line is cut.
        let argument =
            if arguments.contains(&"--set") { &content[..100_000] } else { file.to_str().expect("text") };
        let (found, said) = store.failure(&[arguments, &[argument]].concat());
        assert_eq!(found, Some(code), "{arguments:?}: {said:.400}");
        assert!(said.len() < 2048 && said.starts_with("error: "), "{arguments:?}: {said:.400}");
    }
}

#[test]
fn bytes_that_are_no_text_cost_their_row() {
    let folder = Folder::new();
    let mut content = format!("\u{feff}{}", csv()).into_bytes();
    content.extend(b"1735707600000,10,12\0,9,11,5\n1735708500000,10,\xFF\xFE,9,11,5\n\0\0\0\0\n");
    content
        .extend(format!("1735709400000,{},12,9,11,5\n{}\n", "9".repeat(60_000), "x".repeat(200_000)).bytes());
    content.extend(b"1735710300000,10,12,9,11,5\n");
    folder.put("BTCUSDT-15m.csv", &content);
    // Five of 26 rows are more than a sound file has; asked to, the others are used.
    let (refused, _) = folder.load();
    assert!(matches!(refused[0].files[0].rejected, Some(Rejection::TooManyBad { bad: 5, .. })));
    let skip = ReadingOptions { on_bad_rows: OnBadRows::Skip, ..ReadingOptions::default() };
    let (loaded, _) = folder.load_by(skip);
    assert_eq!(candles(&loaded), [("BTCUSDT", 21)], "{:?}", loaded[0].files[0]);
    let bad: u64 =
        loaded[0].files[0].issues.iter().filter(|i| i.kind.as_str() == "bad_row").map(|i| i.count).sum();
    assert_eq!(bad, 4, "{:?}", loaded[0].files[0].issues);
    let store = StoreDir::missing();
    let signals = folder.put("signals.txt", b"symbol,time,direction\n../../etc/passwd,2025-01-01,long\n");
    let trades = folder.put("trades.csv", b"coin,direction,opened_at,closed_at,profit\n\xFF,long,,,\n");
    let config = folder.put("config.toml", b"[search]\nscore = \"\xFF\"\n");
    for (arguments, file, code, wanted) in [
        (
            &["check", "data", "--signals"][..],
            signals,
            4,
            "expected a symbol such as BTCUSDT, found \"../../etc/passwd\"",
        ),
        (&["inspect", "trades"], trades, 4, "expected UTF-8 text, found other bytes at 42"),
        (&["config", "check", "--config"], config, 3, "expected UTF-8 text, found other bytes at 18"),
    ] {
        let (found, said) = store.failure(&[arguments, &[file.to_str().expect("text")]].concat());
        assert!(found == Some(code) && said.contains(wanted), "{arguments:?}: {said}");
    }
}

/// A copy of the sample, beside files with names that programs have tripped over.
fn sample_and(names: &[&[u8]]) -> Folder {
    let folder = Folder::new();
    for entry in fs::read_dir("tests/sample").expect("the sample") {
        let path = entry.expect("an entry").path();
        fs::copy(&path, folder.path().join(path.file_name().expect("named"))).expect("writable");
    }
    names.iter().for_each(|name| drop(folder.put(OsStr::from_bytes(name), "no candles\n")));
    folder
}

#[test]
fn names_of_files_are_shown_and_never_acted_on() {
    let folder = sample_and(&[
        b"\x1b[2J\x1b]0;owned\x07ABCUSDT-15m.csv",
        b"XYZUSDT-15m\nerror: everything is lost\nresult=adopted.csv",
        "QWEUSDT-15m\u{9b}31m\u{202e}.csv".as_bytes(),
        b"\xFF\xFE-15m.csv",
        b"<script>alert(1)<!--BADUSDT-15m.csv",
        b"'\"><img src=x onerror=alert(1)>LOLUSDT-15m.csv",
        b"=cmd|'-2+3'!A0 FOOUSDT-15m.csv",
    ]);
    let store = StoreDir::missing();
    let data = folder.path().to_str().expect("text");
    let run = ["incremental", "--data", data, "--quick", "--exit-zero", "--progress", "none", "-vv"];
    let mut said = Vec::new();
    for arguments in [
        &["check", "data", data][..],
        &["check", "data", data, "--json"],
        &run,
        &["inspect", "run", "1"],
        &["inspect", "run", "1", "--json"],
        &["report", "-o", "-"],
    ] {
        let output = store.run(arguments);
        assert!(matches!(output.status.code(), Some(0 | 4)), "{arguments:?}: {}", text(&output.stderr));
        said.push((arguments.join(" "), text(&output.stdout) + &text(&output.stderr)));
    }
    let mut wrong = optimizer();
    wrong.args(["check", "data"]).arg(OsStr::from_bytes(b"/nowhere/\x1b[31m\nerror: x"));
    let wrong = wrong.output().expect("the program can be started");
    said.push(("a path that is not there".to_owned(), text(&wrong.stderr)));
    for (arguments, said) in &said {
        let active = |c: char| {
            c.is_control() && !matches!(c, '\n' | '\t' | '\r') || ('\u{202a}'..='\u{202e}').contains(&c)
        };
        assert!(
            !said.contains(active),
            "{arguments:?}: {:?}",
            said.lines().find(|line| line.contains(active))
        );
        let faked =
            |line: &str| line.starts_with("error: everything") || line.starts_with("result=adopted.csv");
        assert!(!said.lines().any(faked), "{arguments:?}: {said}");
    }
    let page = &said[5].1;
    assert!(!page.contains("<script>alert") && !page.contains("<img src=x"), "names are text in a page");
}

#[test]
fn the_limits_that_are_promised_are_those_of_the_code() {
    let promised =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("SECURITY.md")).expect("it is there");
    let (free, queue) = (RATIO_FREE_BYTES >> 20, QUEUE_BYTES_MAX >> 20);
    let rows = [
        format!("| a file or member of an archive, decoded | {} GiB |", DECODED_BYTES_MAX >> 30),
        format!("| decoded bytes per compressed byte, beyond the first {free} MiB | {RATIO_MAX} |"),
        format!("| members of an archive; archives within archives | {MEMBERS_MAX}; not looked into |"),
        format!("| a line of text | {} KiB; longer ones are bad rows |", LINE_BYTES_MAX >> 10),
        format!("| rows of a file; candles of a symbol, repeated ones counted once | {ROWS_MAX} |"),
        format!("| symbols of one table | {TABLE_SYMBOLS_MAX} |"),
        format!(
            "| legacy opportunities and configurations; a bot's trades | {} MiB; ",
            LEGACY_FILE_BYTES_MAX >> 20
        ),
        format!(
            "| messages that wait for a channel, or were refused by it | {QUEUE_MESSAGES_MAX}, {queue} MiB |"
        ),
        #[cfg(feature = "columnar")]
        format!("row group decodes to | {} MiB |", retune::ingest::COLUMNAR_BYTES_MAX >> 20),
    ];
    for row in rows {
        assert!(promised.contains(&row), "{row}");
    }
}

/// Makes a pipe that nobody writes to.
fn pipe(path: &Path) {
    rustix::fs::mknodat(
        rustix::fs::CWD,
        path,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
        0,
    )
    .expect("a pipe");
}

/// Runs the program, which must not wait for anybody.
fn prompt(arguments: &[&OsStr]) -> (Option<i32>, String) {
    let mut command = optimizer();
    command.args(arguments).stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let mut child = command.spawn().expect("started");
    let begun = std::time::Instant::now();
    while child.try_wait().expect("ours").is_none() {
        if begun.elapsed().as_secs() > 120 {
            child.kill().expect("killed");
            panic!("{arguments:?} waits");
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let output = child.wait_with_output().expect("ended");
    (output.status.code(), text(&output.stdout) + &text(&output.stderr))
}

#[test]
fn pipes_and_sockets_are_named_and_never_opened() {
    let folder = Folder::new();
    let candles = folder.path().join("candles");
    fs::create_dir(&candles).expect("a folder");
    pipe(&candles.join("BTCUSDT-15m.csv"));
    let _socket = std::os::unix::net::UnixListener::bind(candles.join("socket")).expect("a socket");
    let check: [&OsStr; 3] = ["check".as_ref(), "data".as_ref(), candles.as_os_str()];
    let (code, said) = prompt(&check);
    assert_eq!(code, Some(4), "{said}");
    for part in ["BTCUSDT-15m.csv", "expected a regular file, found a named pipe", "found a socket"] {
        assert!(said.contains(part), "{said}");
    }
    let direct = candles.join("BTCUSDT-15m.csv");
    let (code, said) = prompt(&["check".as_ref(), "data".as_ref(), direct.as_os_str()]);
    assert!(code == Some(4) && said.contains("found a named pipe"), "{said}");

    // Beside good files it costs itself, whether it bears candles' name or a checksum's.
    folder.put("candles/ETHUSDT-15m.csv", csv());
    folder.put("candles/SOLUSDT-15m.csv", csv());
    pipe(&candles.join("SOLUSDT-15m.csv.CHECKSUM"));
    let (code, said) = prompt(&check);
    assert!(code == Some(0) && said.contains("ETHUSDT") && said.contains("found a named pipe"), "{said}");
    assert!(said.contains("in its `.CHECKSUM`, found \"a named pipe\""), "{said}");

    let signals = folder.path().join("signals.csv");
    pipe(&signals);
    let store = folder.path().join("state");
    for command in [&["incremental", "--data", "tests/sample"][..], &["check", "data"]] {
        let mut arguments: Vec<&OsStr> = command.iter().map(OsStr::new).collect();
        arguments.extend(["--signals".as_ref(), signals.as_os_str(), "--store".as_ref(), store.as_os_str()]);
        let (code, said) = prompt(&arguments);
        assert_eq!(code, Some(4), "{said}");
        assert!(said.contains("expected signals in a regular file, found a named pipe"), "{said}");
    }
    assert!(!store.exists());
}
