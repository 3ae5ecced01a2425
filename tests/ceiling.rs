//! `--max-memory` where the system means it: a limit a little above, and the run ends well all the same.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::command::{StoreDir, optimizer, text};

/// What the run is told, and what the system allows besides for code, stacks and tables of pages.
const CEILING_MIB: u64 = 64;
const BESIDES_MIB: u64 = 8;

/// Runs the program on the sample from a shell that limits itself first.
fn run_after(limit: &str, store: &StoreDir, mib: u64) -> Output {
    let plain = optimizer();
    let mut command = Command::new("sh");
    command.current_dir(env!("CARGO_MANIFEST_DIR")).env("OPTIMIZER_DECIDE__REQUIRE", "stable");
    command.env("OPTIMIZER_LIMITS__PRIORITY", "normal").arg("-c").arg(format!("{limit}; exec \"$0\" \"$@\""));
    command.arg(plain.get_program()).args(["incremental", "--data", "tests/sample", "--exit-zero", "--full"]);
    command.args(["--progress", "none", "--jobs", "2", "--max-memory", &format!("{mib}MiB"), "--store"]);
    command.arg(&store.path).output().expect("there is a shell")
}

#[test]
fn a_run_with_a_ceiling_keeps_below_a_limit_on_its_data() {
    let store = StoreDir::missing();
    let limit = |mib: u64| format!("ulimit -d {} || exit 99", mib << 10);
    for _ in 0..2 {
        let ended = run_after(&limit(CEILING_MIB + BESIDES_MIB), &store, CEILING_MIB);
        assert!(ended.status.success(), "{}", text(&ended.stderr));
    }
    // The limit means something: with next to nothing no run ends well, and nothing is lost.
    let ended = run_after(&limit(6), &store, CEILING_MIB);
    assert!(!ended.status.success(), "{}", text(&ended.stdout));
    let runs = store.json(&["inspect", "runs"]);
    assert_eq!(runs["data"]["runs"].as_array().map(Vec::len), Some(2), "{runs:#}");
    let next = run_after("true", &store, CEILING_MIB);
    assert!(text(&next.stdout).contains("run=3"), "{}", text(&next.stderr));
}

/// A control group below this process's own, removed with it.
struct Group(PathBuf);

impl Group {
    /// Makes one with a limit; the error says why that cannot be done here.
    fn limited(mib: u64) -> Result<Self, String> {
        let own = fs::read_to_string("/proc/self/cgroup").map_err(|error| error.to_string())?;
        let own = own.lines().find_map(|line| line.strip_prefix("0::/"));
        let own = own.ok_or("no control group of version 2")?;
        let parent = Path::new("/sys/fs/cgroup").join(own);
        let controllers = fs::read_to_string(parent.join("cgroup.subtree_control")).unwrap_or_default();
        if !controllers.split_whitespace().any(|name| name == "memory") {
            return Err(format!("memory is not handed on in `{}`", parent.display()));
        }
        let group = parent.join(format!("retune-test-{}", std::process::id()));
        fs::create_dir(&group).map_err(|error| format!("`{}`: {error}", group.display()))?;
        let group = Self(group);
        let write = |name: &str, value: String| fs::write(group.0.join(name), value);
        write("memory.max", (mib << 20).to_string()).map_err(|error| format!("memory.max: {error}"))?;
        // Where there is swap it is not to be used.
        let _ = write("memory.swap.max", "0".to_owned());
        Ok(group)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.0);
    }
}

#[test]
#[expect(clippy::print_stderr, reason = "says why nothing was tested")]
fn a_run_with_a_ceiling_is_not_killed_in_a_control_group() {
    let group = match Group::limited(CEILING_MIB + BESIDES_MIB) {
        Ok(group) => group,
        Err(reason) => {
            eprintln!("skipped: no control group with a limit can be made here: {reason}");
            return;
        }
    };
    let store = StoreDir::missing();
    let enter = format!("echo $$ > '{}' || exit 99", group.0.join("cgroup.procs").display());
    let ended = run_after(&enter, &store, CEILING_MIB);
    assert!(ended.status.success(), "{:?}: {}", ended.status, text(&ended.stderr));
    let events = fs::read_to_string(group.0.join("memory.events")).expect("readable");
    assert!(events.lines().any(|line| line == "oom_kill 0"), "{events}");
}
