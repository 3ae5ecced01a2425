//! The program as a user runs it, and stores to run it on.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

/// Returns the program, to be run in the repository with nothing of the user's environment that it reads.
pub(crate) fn optimizer() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_optimizer"));
    command.current_dir(env!("CARGO_MANIFEST_DIR")).env_remove("OPTIMIZER_STORE").env_remove("OPTIMIZER_LOG");
    // The sample is too short to tell anything from luck; most tests are about other things.
    // And tests are not to wait until nobody else wants the machine.
    command.env("OPTIMIZER_LIMITS__PRIORITY", "normal");
    command
        .env("NO_COLOR", "1")
        .env("OPTIMIZER_DECIDE__REQUIRE", "stable")
        .env("OPTIMIZER_SEARCH__SCORE", "balanced");
    // On so short a sample the highest smoothed score has too few late trades; tests are about what becomes of a candidate.
    command.env("OPTIMIZER_SEARCH__RANK", "peak");
    command
}

/// Returns where the rows of a record type lie in the bytes of a store, headers included; also those of pages that are no longer in use.
pub(crate) fn rows_of(bytes: &[u8], type_id: u16) -> Vec<Range<usize>> {
    let row = |at: usize| {
        let header = bytes.get(at..at + 32)?;
        let is_row = matches!(header[..4], [0xE1, 0xA7, 1, 0] | [0xE1, 0xA7, 2, 1]);
        let held = u32::from_le_bytes([header[8], header[9], header[10], header[11]]) as usize;
        let end = at + 32 + held;
        (is_row && header[4..6] == type_id.to_le_bytes() && end <= bytes.len()).then_some(at..end)
    };
    (0..bytes.len()).filter_map(row).collect()
}

/// A store in a directory of its own, removed with it.
pub(crate) struct StoreDir {
    _parent: TempDir,
    pub path: PathBuf,
}

impl StoreDir {
    /// Returns a directory that does not exist yet.
    pub(crate) fn missing() -> Self {
        let parent = tempfile::tempdir().expect("a temporary directory");
        let path = parent.path().join("state");
        Self { _parent: parent, path }
    }

    /// Returns a store after one run on the sample candles.
    pub(crate) fn after_a_run() -> Self {
        let store = Self::missing();
        let ran = store.run(&["incremental", "--data", "tests/sample", "--exit-zero", "--progress", "none"]);
        assert!(ran.status.success(), "{}", text(&ran.stderr));
        store
    }

    /// Runs the program on this store.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        let mut command = optimizer();
        command.args(arguments).arg("--store").arg(&self.path);
        command.output().expect("the program can be started")
    }

    /// Returns what a command prints, which has to succeed without a word on stderr.
    pub(crate) fn stdout(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
        assert_eq!(text(&output.stderr), "", "{arguments:?}");
        text(&output.stdout)
    }

    /// Returns the JSON document a command prints.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let printed = self.stdout(&[arguments, &["--json"]].concat());
        serde_json::from_str(&printed).unwrap_or_else(|error| panic!("{arguments:?}: {error}\n{printed}"))
    }

    /// Returns the JSON document a command prints, whatever its exit code.
    pub(crate) fn json_of(&self, arguments: &[&str]) -> Value {
        let output = self.run(&[arguments, &["--json"]].concat());
        serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}", text(&output.stderr)))
    }

    /// Returns exit code and stderr of a command, which has to print nothing.
    pub(crate) fn failure(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let output = self.run(arguments);
        assert_eq!(text(&output.stdout), "", "{arguments:?}");
        (output.status.code(), text(&output.stderr))
    }

    /// Returns every file with its bytes and its time of modification, by name.
    pub(crate) fn content(&self) -> Vec<(PathBuf, Vec<u8>, std::time::SystemTime)> {
        content(&self.path)
    }
}

fn content(directory: &Path) -> Vec<(PathBuf, Vec<u8>, std::time::SystemTime)> {
    let mut files: Vec<_> = std::fs::read_dir(directory)
        .expect("the directory can be listed")
        .flat_map(|entry| {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                return content(&path);
            }
            let modified = std::fs::metadata(&path).and_then(|found| found.modified());
            let bytes = std::fs::read(&path).expect("a readable file");
            vec![(path, bytes, modified.expect("a time of modification"))]
        })
        .collect();
    files.sort();
    files
}

/// Returns bytes as text.
pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Returns the names of the commands below one, as its help lists them.
pub(crate) fn subcommands(of: &[&str]) -> Vec<String> {
    let output = optimizer().args(of).arg("--help").output().expect("the program starts");
    let help = text(&output.stdout);
    let listed =
        help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let names = listed.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    names
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .map(str::to_owned)
        .collect()
}
