//! The README and the guide say what is true: their commands run, and nothing the program can say is left out.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use retune::decide::DecisionOutcome;
use retune::decide::RunResult;

use crate::command::{subcommands, text};
use crate::pipeline::sample_dir;

/// What cannot be run here, by how the line begins, and why. What `optimizer` is asked for has to be sound all the same.
const NOT_RUN: [(&str, &str); 5] = [
    ("cargo install", "builds the program"),
    ("optimizer -c optimizer.toml notify test", "sends messages"),
    ("optimizer fetch", "asks an exchange"),
    ("git clone", "needs the network"),
    ("tools/check.sh", "runs these tests"),
];
/// How the README runs the program without installing it.
const FROM_SOURCE: &str = "cargo run --release -- ";
/// What differs from machine to machine, in output that is shown.
const ANYTHING: char = '…';

/// Where the words come from that say how sure one can be.
const SAYING_HOW_SURE: [&str; 3] =
    ["src/validate/assessment.rs", "src/validate/verdict.rs", "src/run/report.rs"];

/// A command in a document, with what it is said to do.
#[derive(Debug)]
struct Shown {
    place: String,
    command: String,
    exit_code: Option<i32>,
    output: Vec<String>,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Returns the pages of a folder and of those within it, in the order of their names.
fn pages_within(folder: &Path) -> Vec<PathBuf> {
    let listed = fs::read_dir(folder).expect("a folder of the guide");
    let mut entries: Vec<PathBuf> = listed.map(|entry| entry.expect("an entry").path()).collect();
    entries.sort();
    let is_page = |path: &PathBuf| path.extension().is_some_and(|end| end == "md");
    let (folders, files): (Vec<PathBuf>, Vec<PathBuf>) = entries.into_iter().partition(|path| path.is_dir());
    let within = folders.iter().flat_map(|folder| pages_within(folder));
    files.into_iter().filter(is_page).chain(within).collect()
}

/// Returns the pages of the guide.
fn guide() -> Vec<PathBuf> {
    pages_within(&root().join("docs"))
}

/// Returns the README and the pages of the guide.
fn pages() -> Vec<PathBuf> {
    [vec![root().join("README.md")], guide()].concat()
}

/// Returns the fenced blocks of a language, with the number of their first line.
fn blocks(page: &Path, language: &str) -> Vec<(usize, Vec<String>)> {
    let (mut found, mut open) = (Vec::new(), None::<(bool, usize, Vec<String>)>);
    for (number, line) in read(page).lines().enumerate() {
        match (line.trim_start().strip_prefix("```"), &mut open) {
            (Some(info), None) => open = Some((info.trim() == language, number + 2, Vec::new())),
            (Some(_), Some(_)) => {
                found.extend(
                    open.take().filter(|(wanted, ..)| *wanted).map(|(_, first, lines)| (first, lines)),
                );
            }
            (None, Some((.., lines))) => lines.push(line.to_owned()),
            (None, None) => (),
        }
    }
    assert!(open.is_none(), "{}: a block is not closed", page.display());
    found
}

fn name(page: &Path) -> String {
    page.strip_prefix(root()).expect("a page of the project").display().to_string()
}

/// Returns the commands of a page in their order.
fn commands(page: &Path) -> Vec<Shown> {
    let mut found: Vec<Shown> = Vec::new();
    for (first, lines) in blocks(page, "console") {
        let before = found.len();
        for (offset, line) in lines.iter().enumerate() {
            let place = format!("{}:{}", name(page), first + offset);
            let Some(command) = line.trim_start().strip_prefix("$ ") else {
                assert!(found.len() > before, "{place}: output of no command");
                found.last_mut().expect("a command").output.push(line.clone());
                continue;
            };
            let stated = command.rsplit_once("# exits ").map(|(_, code)| code.trim().parse());
            let exit_code = stated.map(|code| code.unwrap_or_else(|_| panic!("{place}: no exit code")));
            let command = match command.strip_prefix(FROM_SOURCE) {
                Some(arguments) => format!("optimizer {arguments}"),
                None => command.to_owned(),
            };
            found.push(Shown { place, command, exit_code, output: Vec::new() });
        }
    }
    found
}

/// A folder that stands for the reader's: candles of the sample, signals, and what a bot reads and writes.
fn readers_folder() -> tempfile::TempDir {
    let home = tempfile::tempdir().expect("a folder");
    let at = |place: &str| home.path().join(place);
    for folder in ["candles", "tests/sample", "bot", "hyperopt", "strategies", "user_data/strategies"] {
        fs::create_dir_all(at(folder)).expect("a folder");
    }
    for entry in fs::read_dir(sample_dir()).expect("the sample") {
        let file = entry.expect("a file").path();
        let name = file.file_name().expect("a name").to_owned();
        if file.extension().is_some_and(|end| end == "gz") {
            fs::copy(&file, at("candles").join(&name)).expect("copied");
        }
        fs::copy(&file, at("tests/sample").join(&name)).expect("copied");
    }
    let fixtures = root().join("tests/fixtures");
    for (file, place) in [
        ("signals.csv", "signals.csv"),
        ("learning_config.json", "bot/learning_config.json"),
        ("trades_history.csv", "bot/trades_history.csv"),
        ("judge/noise.fthypt", "hyperopt/noise.fthypt"),
        ("judge/edge.fthypt", "hyperopt/edge.fthypt"),
        ("judge/trials.csv", "trials.csv"),
        ("judge/study.csv", "study.csv"),
        ("freqtrade/Sample.py", "strategies/Sample.py"),
        ("freqtrade/incumbent.json", "strategies/Sample.json"),
        ("freqtrade/Sample.py", "user_data/strategies/Sample.py"),
        ("freqtrade/incumbent.json", "user_data/strategies/Sample.json"),
        ("freqtrade/exits.toml", "strategies/map.toml"),
        ("freqtrade/space.toml", "strategies/space.toml"),
        ("freqtrade/tune.toml", "tune.toml"),
        ("freqtrade/tune_map.toml", "tune_map.toml"),
    ] {
        fs::copy(fixtures.join(file), at(place)).expect("copied");
    }
    write_user_data(home.path());
    for entry in fs::read_dir(at("candles")).expect("the copies") {
        // Old enough that a change would show: such files are not read twice.
        let file = fs::File::options().write(true).open(entry.expect("a file").path()).expect("open");
        file.set_modified(std::time::UNIX_EPOCH).expect("touched");
    }
    home
}

/// Writes what a user of freqtrade has: the candles of the sample as it keeps them, and the entries of a strategy.
fn write_user_data(home: &Path) {
    let folder = home.join("user_data/data/binance/futures");
    fs::create_dir_all(&folder).expect("a folder");
    for symbol in ["ALPHA", "BRAVO", "CREST"] {
        let file = fs::File::open(sample_dir().join(format!("{symbol}USDT-15m.csv.gz"))).expect("the sample");
        let mut rows = String::new();
        std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(file), &mut rows).expect("text");
        let rows: Vec<String> = rows.lines().skip(1).map(|row| format!("[{row}]")).collect();
        let json = format!("[{}]", rows.join(","));
        fs::write(folder.join(format!("{symbol}_USDT_USDT-15m-futures.json")), json).expect("written");
    }
    let signals = read(&root().join("tests/fixtures/signals.csv"));
    let entry = |line: &str| {
        let cells: Vec<&str> = line.split(',').collect();
        let [symbol, time, direction, "scalping", score, spread] = cells[..] else { return None };
        let pair = symbol.replace("USDT", "/USDT:USDT");
        Some(format!("{pair},{time},{direction},{score},{spread}\n"))
    };
    let entries: String = signals.lines().filter_map(entry).collect();
    fs::write(home.join("entries.csv"), format!("pair,time,direction,my_score,spread_bps\n{entries}"))
        .expect("written");
}

/// Runs a line as a reader's shell does.
fn run(line: &str, home: &Path) -> Output {
    let program = Path::new(env!("CARGO_BIN_EXE_optimizer")).parent().expect("a folder");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let places: Vec<PathBuf> = [program.to_owned()].into_iter().chain(std::env::split_paths(&path)).collect();
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(line).current_dir(home).stdin(Stdio::null()).env("HOME", home).env("TMPDIR", home);
    shell.env("PATH", std::env::join_paths(places).expect("folders without colons"));
    let unset = std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("OPTIMIZER_"));
    for (name, _) in unset {
        shell.env_remove(name);
    }
    // Tests are not to wait until nobody else wants the machine.
    shell.env("OPTIMIZER_LIMITS__PRIORITY", "normal").env("NO_COLOR", "1");
    shell.output().expect("a shell")
}

/// Returns words with one blank between them.
fn plain(line: &str) -> String {
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Returns whether a printed line holds what is shown of it.
fn shows(printed: &str, shown: &str) -> bool {
    let (printed, shown) = (plain(printed), plain(shown));
    let mut rest = printed.as_str();
    shown.split(ANYTHING).all(|part| {
        let found = rest.find(part.trim());
        rest = found.map_or("", |at| &rest[at + part.trim().len()..]);
        found.is_some()
    })
}

/// Returns what is wrong with a command, after running it.
fn try_out(shown: &Shown, home: &Path) -> Result<(), String> {
    let not_run = NOT_RUN.iter().any(|(line, _)| shown.command.starts_with(line));
    if not_run && !shown.command.starts_with("optimizer ") {
        return Ok(());
    }
    let bare = shown.command.split(" # ").next().unwrap_or_default();
    // `--help` at the end: what stands before it is parsed.
    let line = if not_run { format!("{bare} --help") } else { shown.command.clone() };
    let output = run(&line, home);
    let printed = format!("{}{}", text(&output.stdout), text(&output.stderr));
    let told = |what: String| format!("{}: `{line}`: {what}\n{printed}", shown.place);
    let code = output.status.code().unwrap_or(-1);
    let ended_well = match shown.exit_code.filter(|_| !not_run) {
        Some(stated) => code == stated,
        // The README leaves out what a run came to: any result is one.
        None if shown.place.starts_with("README") && line.contains(" incremental") => {
            [0, 10, 11, 12].contains(&code)
        }
        None => code == 0,
    };
    if !ended_well {
        return Err(told(format!("exits {code}")));
    }
    let mut lines = printed.lines();
    match shown.output.iter().find(|shown| !lines.any(|line| shows(line, shown))) {
        Some(missing) if !not_run => Err(told(format!("expected {missing:?} in this order"))),
        _ => Ok(()),
    }
}

/// Runs the commands of a page in their order.
fn page_holds(page: &str) {
    let home = readers_folder();
    let shown = commands(&root().join(page));
    assert!(!shown.is_empty(), "{page} shows no command");
    let wrong: Vec<String> = shown.iter().filter_map(|shown| try_out(shown, home.path()).err()).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn the_readme_does_what_it_says() {
    page_holds("README.md");
}

#[test]
fn the_readme_leaves_the_bots_file_as_it_was() {
    let home = readers_folder();
    let bot = home.path().join("bot/learning_config.json");
    let before = read(&bot);
    for shown in commands(&root().join("README.md")) {
        let bare = shown.command.split(" # ").next().unwrap_or_default().trim();
        if NOT_RUN.iter().any(|(line, _)| bare.starts_with(line)) {
            continue;
        }
        run(bare, home.path());
        // Whatever a run comes to: with parameters to hand over the file is not known, else there is nothing to hand over.
        if bare.starts_with("optimizer incremental") {
            run(
                &format!(
                    "{bare} --set decide.require=stable --set search.score=balanced --set search.rank=peak"
                ),
                home.path(),
            );
        }
        assert_eq!(read(&bot), before, "{}", shown.command);
    }
    assert!(!home.path().join("bot/learning_config.json.bak").exists());
    // Told otherwise, it is written, and what was there is kept.
    run("optimizer export-json -o bot/learning_config.json --force", home.path());
    assert_ne!(read(&bot), before);
    assert_eq!(read(&home.path().join("bot/learning_config.json.bak")), before);
}

/// Runs the commands of every page whose path begins so; returns how many pages have any.
fn pages_hold(of_this_part: impl Fn(&str) -> bool) -> usize {
    let pages: Vec<String> = guide()
        .iter()
        .filter(|page| !commands(page).is_empty())
        .map(|page| name(page))
        .filter(|page| of_this_part(page))
        .collect();
    for page in &pages {
        page_holds(page);
    }
    pages.len()
}

#[test]
fn the_howtos_do_what_they_say() {
    assert!(pages_hold(|page| page.starts_with("docs/howto/")) >= 8);
}

#[test]
fn the_explanations_do_what_they_say() {
    assert!(pages_hold(|page| page.starts_with("docs/explanation/")) >= 3);
}

#[test]
fn the_other_pages_do_what_they_say() {
    let elsewhere =
        |page: &str| !["docs/howto/", "docs/explanation/"].iter().any(|part| page.starts_with(part));
    assert!(pages_hold(elsewhere) >= 3);
}

/// Returns the words of a page, those in blocks included.
fn words_of(page: &str) -> usize {
    read(&root().join(page)).split_whitespace().count()
}

#[test]
fn the_first_pages_are_short() {
    assert!(words_of("README.md") <= 700, "README.md: {} words", words_of("README.md"));
    let lines = read(&root().join("ARCHITECTURE.md")).lines().count();
    assert!(lines <= 150, "ARCHITECTURE.md: {lines} lines");
}

#[test]
fn every_page_is_in_the_index() {
    let index = read(&root().join("docs/README.md"));
    for page in guide() {
        let page = name(&page);
        let within = page.strip_prefix("docs/").expect("a page of the guide");
        assert!(
            within == "README.md" || index.contains(&format!("({within})")),
            "{page} is not in the index"
        );
    }
}

#[test]
fn the_architecture_names_what_there_is() {
    let page = read(&root().join("ARCHITECTURE.md"));
    let (mut tests, mut files) = (0, 0);
    for quoted in page.split('`').skip(1).step_by(2) {
        let (file, function) = match quoted.split_once(".rs::") {
            Some((file, function)) => (format!("{file}.rs"), Some(function)),
            None => (quoted.to_owned(), None),
        };
        if quoted.contains(char::is_whitespace) || !(file.ends_with(".rs") || file.ends_with('/')) {
            continue;
        }
        let places = [root().join("src").join(&file), root().join(&file)];
        let place = places.iter().find(|place| place.exists());
        let place = place.unwrap_or_else(|| panic!("ARCHITECTURE.md names {file}, which is not there"));
        files += 1;
        if let Some(function) = function {
            assert!(read(place).contains(&format!("fn {function}(")), "{file} has no {function}");
            tests += 1;
        }
    }
    assert!(files >= 40 && tests >= 20, "{files} files, {tests} tests");
}

#[test]
fn a_line_that_differs_is_noticed() {
    assert!(shows(" a  1.0 b=7 c", "a … b=7"));
    assert!(!shows(" a  1.0 b=7 c", "b=7 … a"));
    let home = readers_folder();
    let shown = |command: &str, exit_code, output: &str| Shown {
        place: "docs/x.md:1".to_owned(),
        command: command.to_owned(),
        exit_code,
        output: vec![output.to_owned()],
    };
    let check = "optimizer check data candles";
    assert_eq!(try_out(&shown(check, None, "3 of 3 files used; …"), home.path()), Ok(()));
    assert!(try_out(&shown(check, None, "4 of 4 files used"), home.path()).is_err());
    assert!(try_out(&shown(check, Some(4), "3 of 3 files used"), home.path()).is_err());
    assert!(
        try_out(&shown("optimizer fetch --symbols A --sinse 2024-01-01", None, ""), home.path()).is_err()
    );
}

/// Returns the anchor of a heading: in small letters, blanks as hyphens, without punctuation.
fn anchor(heading: &str) -> String {
    let text = plain(heading.trim_start_matches('#')).to_lowercase();
    let kept = text.chars().filter(|c| c.is_alphanumeric() || [' ', '-', '_'].contains(c));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[test]
fn links_lead_somewhere() {
    let others = ["ARCHITECTURE.md", "SECURITY.md", "CHANGELOG.md"].map(|page| root().join(page));
    for page in pages().into_iter().chain(others) {
        let text = read(&page);
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if target.starts_with("http") {
                continue;
            }
            let (file, heading) = target.split_once('#').unwrap_or((target, ""));
            let path = page.parent().expect("a folder").join(file);
            let path = if file.is_empty() { page.clone() } else { path };
            assert!(path.exists(), "{}: {target}", page.display());
            let found = heading.is_empty()
                || read(&path).lines().any(|line| line.starts_with('#') && anchor(line) == heading);
            assert!(found, "{}: {target}", page.display());
        }
    }
}

#[test]
fn pictures_are_small_and_used() {
    let text: String = pages().iter().map(|page| read(page)).collect();
    let mut all = 0;
    for entry in fs::read_dir(root().join("docs/pictures")).expect("the pictures") {
        let entry = entry.expect("an entry");
        let bytes = entry.metadata().expect("a size").len();
        let name = entry.file_name().to_string_lossy().into_owned();
        assert!(bytes < 150_000, "{name}: {bytes} bytes");
        assert!(text.contains(&format!("pictures/{name})")), "{name} is shown nowhere");
        all += bytes;
    }
    assert!((1..600_000).contains(&all), "{all} bytes");
}

#[test]
fn every_command_is_mentioned() {
    let all: String = pages().iter().map(|page| read(page)).collect();
    let top = subcommands(&[]);
    assert!(top.len() > 15, "{top:?}");
    for command in &top {
        assert!(all.contains(command.as_str()), "{command}");
        let below = subcommands(&[command]);
        for name in &below {
            let told = all.split([' ', '`', '[', ']', '|', '\\', '\n']).any(|word| word == name);
            assert!(told, "{command} {name}");
        }
    }
}

/// Returns the words in quotes of a source file that satisfy a condition.
fn quoted(file: &str, wanted: fn(&str) -> bool) -> BTreeSet<String> {
    let source = read(&root().join(file));
    let program = source.split("#[cfg(test)]").next().unwrap_or_default();
    program.split('"').skip(1).step_by(2).filter(|word| wanted(word)).map(str::to_owned).collect()
}

#[test]
fn every_word_and_condition_is_explained() {
    let shouted = |word: &str| word.len() > 3 && word.chars().all(|c| c.is_ascii_uppercase() || c == '_');
    let named = |word: &str| word.len() > 3 && word.chars().all(|c| c.is_ascii_lowercase() || c == '_');
    let verdicts = read(&root().join("docs/explanation/verdicts.md"));
    let explained = |word: &str, text: &str| {
        text.lines().any(|line| {
            line.starts_with('|') && line.split('|').nth(1).unwrap_or("").contains(&format!("`{word}`"))
        })
    };
    let mut found: BTreeSet<String> = SAYING_HOW_SURE.iter().flat_map(|file| quoted(file, shouted)).collect();
    assert!(found.len() >= 20, "{found:?}");
    found.extend(
        [
            DecisionOutcome::Adopted,
            DecisionOutcome::Unchanged,
            DecisionOutcome::NotConvincing,
            DecisionOutcome::Rejected,
        ]
        .map(|outcome| outcome.as_str().to_owned()),
    );
    found.insert(RunResult::Changed.as_str().to_owned());
    for word in &found {
        assert!(explained(word, &verdicts), "docs/explanation/verdicts.md does not explain {word}");
    }
    let concepts = read(&root().join("docs/explanation/concepts.md"));
    let source = read(&root().join("src/engine/reuse.rs"));
    let kinds =
        source.split("pub fn kind(").nth(1).and_then(|rest| rest.split("\n    }\n").next()).expect("kinds");
    let reasons: Vec<&str> = kinds.split('"').skip(1).step_by(2).filter(|word| named(word)).collect();
    assert!(reasons.len() >= 12, "{reasons:?}");
    for reason in reasons {
        assert!(explained(reason, &concepts), "docs/explanation/concepts.md does not explain {reason}");
    }
}

/// Returns the exit codes that the source names.
fn exit_codes() -> BTreeSet<u8> {
    let failure = read(&root().join("src/cli/failure.rs"));
    let constants = failure.split(": u8 = ").skip(1).filter_map(|rest| rest.split(';').next()?.parse().ok());
    let results = read(&root().join("src/decide/result.rs"));
    let results = results.split("pub fn exit_code(").nth(1).and_then(|rest| rest.split("\n    }\n").next());
    let results = results.expect("the codes of results");
    let results = results.split("=> ").skip(1).filter_map(|rest| rest.split(',').next()?.parse().ok());
    // A difference that was asked for, or something to see to.
    constants.chain(results).chain([1]).collect()
}

#[test]
fn every_exit_code_has_its_section_and_no_other() {
    let page = read(&root().join("docs/reference/exit-codes.md"));
    let headings = page.lines().filter_map(|line| line.strip_prefix("## ")?.split(':').next()?.parse().ok());
    let told: BTreeSet<u8> = headings.collect();
    assert!(told.len() >= 13);
    assert_eq!(told, exit_codes());
    let readme = read(&root().join("README.md"));
    for code in told {
        let code = code.to_string();
        let written = |word: &str| word.trim_matches(|c: char| !c.is_ascii_digit()) == code;
        assert!(readme.split_whitespace().any(written), "the README does not tell of exit code {code}");
    }
}

fn is_sound(config: &str, place: &str) {
    let home = readers_folder();
    fs::write(home.path().join("x.toml"), config).expect("written");
    let output = run("optimizer -c x.toml config check", home.path());
    assert!(output.status.success(), "{place}: {}\n{config}", text(&output.stderr));
}

#[test]
fn every_configuration_that_is_shown_is_sound() {
    let mut checked = 0;
    for page in pages() {
        for (first, lines) in blocks(&page, "toml") {
            is_sound(&lines.join("\n"), &format!("{}:{first}", name(&page)));
            checked += 1;
        }
    }
    assert!(checked >= 3);
}

#[test]
fn every_key_of_the_template_is_sound() {
    let home = readers_folder();
    assert!(run("optimizer init", home.path()).status.success());
    let template = read(&home.path().join("optimizer.toml"));
    let is_key = |rest: &str| {
        let key = rest.split_once(" = ").map_or("", |(key, _)| key);
        !key.is_empty() && key.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    };
    let mut keys = 0;
    let mut text = String::new();
    for line in template.lines() {
        let bare = line.trim_start_matches(['#', ' ']);
        let active = is_key(bare) || bare.starts_with('[');
        keys += usize::from(is_key(bare));
        text.push_str(if active && !line.starts_with("##") { bare } else { "" });
        text.push('\n');
    }
    assert!(keys > 50, "{keys} keys");
    is_sound(&text, "the template of init");
}

#[test]
fn the_reference_of_the_configuration_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference/config.md");
    let page = retune::config::reference_page();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::create_dir_all(path.parent().expect("a folder")).expect("the repository is writable");
        fs::write(&path, &page).expect("the docs are writable");
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == page, "{} is out of date: run UPDATE_DOCS=1 cargo test", path.display());
}
