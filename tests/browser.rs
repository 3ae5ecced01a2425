//! The browser behind `optimizer inspect`: what it draws on a store made by real runs, and a terminal of its own.

use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::style::{Color, Modifier};
use retune::render::browser::{BrowserKey, Library, Palette, State, draw_screen};
use retune::store::{LearningCommit, Store, View};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};

use crate::command::{StoreDir, optimizer};

/// Two runs on the sample, at different costs.
fn two_runs() -> StoreDir {
    let store = StoreDir::after_a_run();
    let dearer =
        ["incremental", "--data", "tests/sample", "--set", "costs.taker_fee_pct=0.06", "--exit-zero"];
    assert!(store.run(&dearer).status.success());
    store
}

/// Returns what is drawn after some keys.
fn drawn(view: &View, keys: &[BrowserKey], (width, height): (u16, u16), palette: Palette) -> Buffer {
    let snapshot = view.read().expect("a snapshot");
    let mut library = Library::open(snapshot, "default").expect("a profile");
    let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("a terminal");
    let mut state = State::default();
    for key in keys {
        let (_, seen) = library.screen(&state, width, height).expect("a screen");
        state = state.press(*key, &seen);
    }
    let (screen, _) = library.screen(&state, width, height).expect("a screen");
    terminal.draw(|frame| draw_screen(frame, &screen, palette)).expect("drawn");
    terminal.backend().buffer().clone()
}

/// Returns the text of a buffer, line by line.
fn lines(buffer: &Buffer) -> Vec<String> {
    let width = usize::from(buffer.area.width);
    let line = |cells: &[ratatui::buffer::Cell]| {
        cells.iter().map(|cell| cell.symbol()).collect::<String>().trim_end().to_owned()
    };
    buffer.content.chunks(width).map(line).collect()
}

fn screen(view: &View, keys: &[BrowserKey]) -> Vec<String> {
    lines(&drawn(view, keys, (100, 30), Palette { coloured: false }))
}

fn typed(text: &str) -> Vec<BrowserKey> {
    text.chars().map(BrowserKey::Char).collect()
}

/// Returns the words of the line that holds a text.
fn line_with<'a>(screen: &'a [String], text: &str) -> Vec<&'a str> {
    let found = screen.iter().find(|line| line.contains(text));
    found.unwrap_or_else(|| panic!("{text:?} is not in\n{}", screen.join("\n"))).split_whitespace().collect()
}

#[test]
fn every_view_shows_what_the_documents_hold() {
    let store = two_runs();
    let view = View::open(&store.path).expect("a view");
    let runs = screen(&view, &[]);
    assert!(runs[0].contains("default: runs") && runs[0].ends_with("1 of 2"), "{}", runs[0]);
    assert_eq!(line_with(&runs, "Result")[..3], ["Run", "When", "Result"]);
    let document = &store.json(&["inspect", "runs"])["data"]["runs"];
    for (line, run) in runs[2..4].iter().zip(document.as_array().expect("runs")) {
        let words: Vec<&str> = line.split_whitespace().collect();
        assert_eq!(words[0], run["id"].to_string());
        assert_eq!(words[3], run["result"]);
        assert_eq!(
            [words[4], words[5]],
            [&run["styles"]["scalping"]["verdict"], &run["styles"]["swing"]["verdict"]]
        );
    }
    let summary = screen(&view, &[BrowserKey::Enter]);
    assert!(summary[0].contains("default: run 2") && summary[1].contains(" 1 Summary "), "{summary:?}");
    let printed = store.stdout(&["inspect", "run", "2"]);
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let shown = words(&summary[2..29].join("\n"));
    assert_eq!(shown, words(&printed)[..shown.len()], "the first page of the run");
    let rest = screen(&view, &[BrowserKey::Enter, BrowserKey::PageDown]);
    assert!(summary[0].contains(" 1-27 of ") && !rest[0].contains(" 1-27 of "), "{} {}", summary[0], rest[0]);
    assert!(rest.join("\n").contains("swing: 139968 parameter sets"), "{rest:?}");
    assert!(summary[29].contains("scroll") && !summary[29].contains("filter"), "{}", summary[29]);
    let parameters = screen(&view, &[BrowserKey::Enter, BrowserKey::Char('2')]);
    let params = &store.json(&["inspect", "run", "2"])["data"]["styles"]["scalping"]["decision"];
    let tp = |set: &str| params[set]["params"]["atr_tp_multiplier"].to_string();
    assert_eq!(
        line_with(&parameters, "atr_tp_multiplier")[..4],
        ["scalping", "atr_tp_multiplier", &tp("incumbent"), &tp("candidate")]
    );
    let changes = screen(&view, &[BrowserKey::Enter, BrowserKey::Char('3')]);
    assert_eq!(line_with(&changes, "min_signal_score")[0], "1", "by the first run");
    let trials = screen(&view, &[BrowserKey::Enter, BrowserKey::Char('4')]);
    assert!(trials[0].ends_with("1 of 40"), "{}", trials[0]);
    assert!(trials[29].contains("Enter open") && !parameters[29].contains("Enter open"));
    assert_eq!(line_with(&trials, "Rank")[..3], ["Style", "Rank", "Score"]);
    let trial =
        screen(&view, &[BrowserKey::Enter, BrowserKey::Char('4'), BrowserKey::Down, BrowserKey::Enter]);
    assert!(trial[0].contains("run 2, trial 2"), "{}", trial[0]);
    assert_eq!(line_with(&trial, "Rank"), ["Rank", "2"]);
    assert!(line_with(&trial, "Sharpe/day").len() == 2, "what the table has no room for is here");
    let importance = screen(&view, &[BrowserKey::Enter, BrowserKey::Char('5')]);
    let first = &store.json(&["inspect", "importance"])["data"]["styles"]["scalping"]["dimensions"][0];
    assert_eq!(line_with(&importance, "█")[1], first["dimension"]);
    let cache = screen(&view, &[BrowserKey::Enter, BrowserKey::Char('6')]);
    assert_eq!(line_with(&cache, "BRAVOUSDT")[..5], ["BRAVOUSDT", "150", "0", "150", "costs_changed"]);
    let earlier = screen(&view, &[BrowserKey::Down, BrowserKey::Enter, BrowserKey::Char('5')]);
    assert!(earlier[0].contains("run 1"), "{}", earlier[0]);
    assert!(earlier.join("\n").contains("importance is kept for the last run only"), "{earlier:?}");
    let help = screen(&view, &[BrowserKey::Char('?')]);
    assert!(help.join("\n").contains("It changes nothing"), "{help:?}");
}

#[test]
fn rows_are_filtered_and_sorted() {
    let store = two_runs();
    let view = View::open(&store.path).expect("a view");
    let id = |screen: &[String]| screen[2].split_whitespace().next().map(str::to_owned);
    let typing = [vec![BrowserKey::Char('/')], typed("CHANGED")].concat();
    let found = screen(&view, &typing);
    assert!(found[0].ends_with("1 of 1") && found[29].starts_with(" /CHANGED_"), "{found:?}");
    assert_eq!(id(&found).as_deref(), Some("1"), "whatever the case");
    let none = screen(&view, &[typing.clone(), typed("!")].concat());
    assert!(none[0].ends_with("0 of 0") && none[2].contains("nothing here"), "{none:?}");
    let opened = screen(&view, &[typing, vec![BrowserKey::Enter, BrowserKey::Enter]].concat());
    assert!(opened[0].contains("run 1"), "what is shown is what opens: {}", opened[0]);
    let by_run = screen(&view, &[BrowserKey::Char('s')]);
    assert_eq!((by_run[1].contains("Run↓"), id(&by_run).as_deref()), (true, Some("2")));
    let turned = screen(&view, &[BrowserKey::Char('s'), BrowserKey::Char('r')]);
    assert_eq!((turned[1].contains("Run↑"), id(&turned).as_deref()), (true, Some("1")));
    // Both runs may carry the same second, so only the head tells what comes first here.
    let by_time = screen(&view, &[BrowserKey::Char('s'), BrowserKey::Char('s')]);
    assert!(by_time[1].contains("When↑"), "{}", by_time[1]);
}

#[test]
fn every_size_of_terminal_can_be_drawn_on() {
    let store = two_runs();
    let view = View::open(&store.path).expect("a view");
    let ways: Vec<Vec<BrowserKey>> = std::iter::once(Vec::new())
        .chain(('1'..='6').map(|tab| vec![BrowserKey::Enter, BrowserKey::Char(tab)]))
        .chain([
            vec![BrowserKey::Enter, BrowserKey::Char('4'), BrowserKey::Enter],
            vec![BrowserKey::Char('?')],
        ])
        .collect();
    for keys in &ways {
        for size in [(1, 1), (15, 3), (16, 4), (20, 6), (30, 7), (40, 10), (79, 23), (100, 30), (250, 80)] {
            let screen = lines(&drawn(&view, keys, size, Palette { coloured: true }));
            assert_eq!(screen.len(), usize::from(size.1));
            let small = size.0 < 16 || size.1 < 4;
            assert_eq!(small, screen[0].starts_with('t'), "{keys:?} at {size:?}: {screen:?}");
        }
    }
    let narrow = lines(&drawn(&view, &[], (40, 10), Palette { coloured: false }));
    assert!(
        narrow[1].contains("Result") && narrow[1].ends_with('…'),
        "columns are left out whole: {narrow:?}"
    );
}

#[test]
fn colours_are_left_out_where_they_are_not_wanted_and_the_choice_is_seen_without_them() {
    let store = two_runs();
    let view = View::open(&store.path).expect("a view");
    let colours = |palette| {
        let buffer = drawn(&view, &[], (100, 30), palette);
        let coloured = buffer.content.iter().filter(|cell| cell.fg != Color::Reset).count();
        let chosen = buffer.content[200..300].iter().all(|cell| cell.modifier.contains(Modifier::REVERSED));
        (coloured > 0, chosen)
    };
    assert_eq!(colours(Palette { coloured: true }), (true, true));
    assert_eq!(colours(Palette { coloured: false }), (false, true));
}

#[test]
fn many_runs_are_read_as_they_come_into_sight_and_a_new_one_disturbs_nothing() {
    let store = StoreDir::missing();
    let mut writer = Store::open(&store.path, 0).expect("a new store");
    let add = |writer: &mut Store, day: i64| {
        let mut learning = LearningCommit::new("default", retune::store::records::RunRecord::default());
        learning.run.started_at_ms = day * 86_400_000;
        writer.commit(learning).expect("a commit");
    };
    (0..120).for_each(|day| add(&mut writer, day));
    writer.publish_view().expect("a view");
    let view = View::open(&store.path).expect("a view");
    let ids = |screen: &[String]| {
        let first = |line: &String| line.split_whitespace().next().and_then(|word| word.parse::<u64>().ok());
        screen[2..29].iter().filter_map(first).collect::<Vec<_>>()
    };
    assert_eq!(ids(&screen(&view, &[])), (94..=120).rev().collect::<Vec<_>>());
    let end = screen(&view, &[BrowserKey::End]);
    assert!(end[0].ends_with("120 of 120"), "{}", end[0]);
    assert_eq!(ids(&end), (1..=27).rev().collect::<Vec<_>>());
    // The run of the night goes on beside the reader, who keeps what he has opened.
    add(&mut writer, 120);
    writer.publish_view().expect("published beside a reader");
    assert!(screen(&view, &[])[0].ends_with("1 of 120"));
    let again = View::open(&store.path).expect("a view");
    assert!(screen(&again, &[])[0].ends_with("1 of 121"));
}

/// The program on a terminal of its own.
struct OnTerminal {
    child: Child,
    terminal: OwnedFd,
    /// Kept open, so that the terminal stays when the program ends.
    own_side: OwnedFd,
    said: Arc<Mutex<Vec<u8>>>,
}

impl OnTerminal {
    fn open(arguments: &[&str], store: &StoreDir) -> Self {
        // Not inherited: a program that holds its own terminal open never learns that it has gone.
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let terminal = openpt(flags).expect("a pseudo-terminal");
        grantpt(&terminal).and_then(|()| unlockpt(&terminal)).expect("a terminal to open");
        let name = ptsname(&terminal, Vec::new()).expect("a name").into_string().expect("text");
        let size = Winsize { ws_row: 30, ws_col: 100, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&terminal, size).expect("a size");
        let own_side = std::fs::File::options().read(true).write(true).open(name).expect("the other side");
        let side = || Stdio::from(own_side.try_clone().expect("a copy"));
        let mut command = optimizer();
        command.args(arguments).arg("--store").arg(&store.path).env("TERM", "xterm-256color");
        let child = command.stdin(side()).stdout(side()).stderr(side()).spawn().expect("the program starts");
        let said = Arc::new(Mutex::new(Vec::new()));
        let mut reader = std::fs::File::from(terminal.try_clone().expect("a copy"));
        let heard = Arc::clone(&said);
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = reader.read(&mut bytes) {
                heard.lock().expect("a listener").extend_from_slice(&bytes[..count]);
            }
        });
        Self { child, terminal, own_side: own_side.into(), said }
    }

    fn said(&self) -> String {
        String::from_utf8_lossy(&self.said.lock().expect("a listener")).into_owned()
    }

    /// Waits until the terminal has received a text since the last time.
    fn expect(&self, text: &str) {
        let since = Instant::now();
        while !self.said().contains(text) {
            assert!(since.elapsed() < Duration::from_secs(30), "{text:?} is not in {:?}", self.said());
            std::thread::sleep(Duration::from_millis(10));
        }
        self.said.lock().expect("a listener").clear();
    }

    fn press(&self, keys: &str) {
        let mut keyboard = std::fs::File::from(self.terminal.try_clone().expect("a copy"));
        keyboard.write_all(keys.as_bytes()).expect("keys");
    }

    fn exit_code(&mut self) -> Option<i32> {
        let since = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                return status.code();
            }
            if since.elapsed() > Duration::from_secs(30) {
                self.child.kill().expect("a child");
                panic!("it does not end; it said {:?}", self.said());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn reads_lines(&self) -> bool {
        tcgetattr(&self.own_side).expect("modes").local_modes.contains(LocalModes::ICANON | LocalModes::ECHO)
    }
}

#[test]
fn on_a_terminal_keys_lead_through_the_runs_and_q_leaves_it_as_it_was() {
    let store = two_runs();
    let before = store.content();
    let mut browser = OnTerminal::open(&["inspect"], &store);
    browser.expect("rejected");
    assert!(!browser.reads_lines(), "keys are taken one by one");
    browser.press("\r");
    browser.expect("EDGE");
    browser.press("\u{1b}[C");
    browser.expect("min_signal_score");
    browser.press("\u{1b}");
    browser.expect("Candles");
    browser.press("q");
    assert_eq!(browser.exit_code(), Some(0));
    browser.expect("\u{1b}[?1049l");
    assert!(browser.reads_lines(), "the terminal is as it was");
    assert_eq!(store.content(), before, "a look writes nothing");
}

#[test]
fn a_signal_gives_the_terminal_back() {
    let store = StoreDir::after_a_run();
    let mut browser = OnTerminal::open(&["inspect"], &store);
    browser.expect("Candles");
    let pid = rustix::process::Pid::from_child(&browser.child);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("a signal");
    assert_eq!(browser.exit_code(), Some(20));
    browser.expect("\u{1b}[?1049l");
    assert!(browser.reads_lines());
}

#[test]
fn the_overview_is_printed_on_a_terminal_where_it_is_asked_for() {
    let store = StoreDir::after_a_run();
    for arguments in [&["inspect", "--no-browser"][..], &["inspect", "overview"], &["inspect", "--json"]] {
        let mut printed = OnTerminal::open(arguments, &store);
        assert_eq!(printed.exit_code(), Some(0), "{arguments:?}");
        let expected =
            if arguments.contains(&"--json") { "optimizer.inspect_overview/2" } else { "last run: 1" };
        printed.expect(expected);
        assert!(!printed.said().contains("\u{1b}[?1049h"), "{arguments:?}");
    }
}
