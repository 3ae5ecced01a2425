//! What processes leave that were killed, and runs that were made as another user.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::command::{StoreDir, optimizer, text};

/// Returns a file of the old system with one take-profit.
fn legacy(take_profit: f64) -> String {
    format!(
        "{{\"scalping_params\": {{\"atr_tp_multiplier\": {take_profit}, \"atr_stop_multiplier\": 2, \
         \"max_holding_hours\": 3}}}}"
    )
}

/// The bot's file beside a store with active parameters.
fn exporting() -> (StoreDir, PathBuf) {
    let store = StoreDir::missing();
    let folder = store.path.with_file_name("bot");
    fs::create_dir(&folder).expect("made");
    let file = folder.join("config.json");
    fs::write(&file, legacy(2.5)).expect("written");
    let imported = store.run(&["import-json", file.to_str().expect("text")]);
    assert_eq!(imported.status.code(), Some(10), "{}", text(&imported.stderr));
    (store, file)
}

/// Starts a process that writes a file beside a target, as an export does, and waits in the middle of it.
fn at_work(beside: &str) -> Child {
    let script = format!("exec 9>'{beside}'; flock 9 && echo begun && exec sleep 600");
    let mut child = Command::new("sh").args(["-c", &script]).stdout(Stdio::piped()).spawn().expect("a shell");
    let mut begun = [0; 6];
    let mut said = child.stdout.take().expect("piped");
    std::io::Read::read_exact(&mut said, &mut begun).expect("it begins");
    child
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder").flatten();
    let mut names: Vec<String> =
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn an_export_removes_what_killed_ones_left_and_nothing_else() {
    let (store, file) = exporting();
    let folder = file.parent().expect("a folder");
    let at = |name: &str| folder.join(name).to_str().expect("text").to_owned();
    let mut killed = at_work(&at(".config.json.4000001.tmp"));
    let mut living = at_work(&at(".config.json.4000002.tmp"));
    killed.kill().expect("killed");
    killed.wait().expect("it ends");
    let others =
        [".config.json.tmp", ".config.json.x1.tmp", ".other.json.4000001.tmp", "config.json.4000001.tmp"];
    others.iter().for_each(|name| fs::write(at(name), "of somebody").expect("written"));
    symlink("config.json", at(".config.json.4000003.tmp")).expect("linked");
    let export = || {
        let done = store.run(&["export-json", "-o", file.to_str().expect("text")]);
        assert!(done.status.success(), "{}", text(&done.stderr));
        assert!(fs::read_to_string(&file).expect("there").contains("2.5"));
        names(folder)
    };
    // Changed, so that there is something to write.
    let change = |to: f64| {
        fs::write(&file, legacy(to)).expect("written");
        store.run(&["export-json", "--force", "-o", file.to_str().expect("text")]);
    };
    change(3.5);
    let left = export();
    assert!(!left.contains(&".config.json.4000001.tmp".to_owned()), "its process was killed: {left:?}");
    for kept in others.iter().copied().chain([".config.json.4000002.tmp", ".config.json.4000003.tmp"]) {
        assert!(left.contains(&kept.to_owned()), "{kept} stays: {left:?}");
    }
    living.kill().expect("killed");
    living.wait().expect("it ends");
    change(4.5);
    assert!(!export().contains(&".config.json.4000002.tmp".to_owned()));
}

#[test]
fn a_run_removes_what_killed_processes_left_in_its_store_and_doctor_tells_it() {
    let (store, _) = exporting();
    let at = |name: &str| store.path.join(name).to_str().expect("text").to_owned();
    let mut killed = at_work(&at(".bot-file-default.json.4000001.tmp"));
    let told = |store: &StoreDir| {
        let found = store.json_of(&["doctor"]);
        let checks = found["data"]["checks"].as_array().expect("checks").clone();
        checks.iter().find(|check| check["name"] == "leftovers").map(|check| check["detail"].to_string())
    };
    assert_eq!(told(&store), None, "it is at work");
    killed.kill().expect("killed");
    killed.wait().expect("it ends");
    fs::write(at(".view.redb.new"), "cut").expect("written");
    fs::write(at(".outcomes.4000004.tmp"), "").expect("written");
    fs::write(at(".notes.4000004.tmp"), "of somebody").expect("written");
    let said = told(&store).expect("told");
    for name in [".bot-file-default.json.4000001.tmp", ".outcomes.4000004.tmp", ".view.redb.new"] {
        assert!(said.contains(name), "{said}");
    }
    assert!(!said.contains("notes"), "{said}");
    let ran =
        store.run(&["incremental", "--data", "tests/sample", "--exit-zero", "--quick", "--progress", "none"]);
    assert!(ran.status.success(), "{}", text(&ran.stderr));
    assert_eq!(told(&store), None);
    let left: Vec<String> = names(&store.path).into_iter().filter(|name| name.starts_with('.')).collect();
    assert_eq!(left, [".notes.4000004.tmp"]);
}

#[test]
fn files_that_were_set_aside_are_few_and_told() {
    let (store, _) = exporting();
    for _ in 0..7 {
        let done = store.run(&["restore", "1"]);
        assert!(done.status.success(), "{}", text(&done.stderr));
    }
    let aside = names(&store.path).into_iter().filter(|name| name.starts_with("state.redb.damaged-")).count();
    assert_eq!(aside, 5);
    let found = store.json_of(&["doctor"]);
    let checks = found["data"]["checks"].as_array().expect("checks").clone();
    let check = checks.iter().find(|check| check["name"] == "set aside").expect("told");
    assert!(
        check["status"] == "ok" && check["detail"].to_string().contains("state.redb.damaged-"),
        "{check}"
    );
}

/// Somebody who is not root.
const USER: u32 = 65_534;

#[test]
#[expect(clippy::print_stderr, reason = "says why nothing was tested")]
fn a_run_made_once_as_root_does_not_keep_out_the_user_of_every_day() {
    if !rustix::process::geteuid().is_root() {
        return eprintln!("skipped: only root can make such a run");
    }
    let parent = tempfile::tempdir().expect("a folder");
    let home = parent.path().join("home");
    fs::create_dir(&home).expect("made");
    fs::set_permissions(parent.path(), fs::Permissions::from_mode(0o755)).expect("set");
    chown(&home, Some(USER), Some(USER)).expect("root may");
    // Where the user can run the program.
    let program = parent.path().join("optimizer");
    fs::copy(env!("CARGO_BIN_EXE_optimizer"), &program).expect("copied");
    let data = parent.path().join("data");
    fs::create_dir(&data).expect("made");
    for entry in
        fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sample")).expect("a folder").flatten()
    {
        fs::copy(entry.path(), data.join(entry.file_name())).expect("copied");
    }
    fs::write(home.join("old.json"), legacy(2.5)).expect("written");
    chown(home.join("old.json"), Some(USER), Some(USER)).expect("root may");
    let run = |is_root: bool, arguments: &[&str]| {
        let mut command = Command::new(&program);
        let plain = optimizer();
        command.envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command.current_dir(&home).args(arguments).args(["--store", "a/b/state", "--log-file", "log"]);
        if !is_root {
            command.uid(USER).gid(USER);
        }
        let done = command.output().expect("the program starts");
        assert!(matches!(done.status.code(), Some(0 | 10)), "{arguments:?}: {}", text(&done.stderr));
    };
    let daily = ["incremental", "--data", "../data", "--exit-zero", "--quick", "--progress", "none"];
    for is_root in [true, false, true, false] {
        run(is_root, &["import-json", "old.json"]);
        run(is_root, &daily);
        run(is_root, &["export-json", "--force", "-o", "old.json"]);
        run(is_root, &["export-json", "--force", "-o", "new.json"]);
        run(is_root, &["report", "-o", "report.html", "--plots", "p/plots"]);
        for path in all_below(&home) {
            let found = fs::symlink_metadata(&path).expect("there");
            assert_eq!((found.uid(), found.gid()), (USER, USER), "{}", path.display());
        }
    }
}

fn all_below(folder: &Path) -> Vec<PathBuf> {
    let paths = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    paths
        .flat_map(|path| if path.is_dir() { [all_below(&path), vec![path]].concat() } else { vec![path] })
        .collect()
}

#[test]
fn a_store_is_the_same_however_its_directory_is_written() {
    let (store, _) = exporting();
    let parent = store.path.parent().expect("a folder").to_owned();
    symlink("state", parent.join("link")).expect("linked");
    let run = |dir: &str, arguments: &[&str]| {
        let done =
            optimizer().args(arguments).arg("--store").arg(parent.join(dir)).output().expect("it starts");
        (done.status.code(), text(&done.stderr))
    };
    let (daily, look) = (
        ["incremental", "--data", "tests/sample", "--exit-zero", "--quick", "--progress", "none"],
        ["inspect", "params"],
    );
    for dir in ["state/", "state//", "./state/.", "bot/../state"] {
        assert_eq!(run(dir, &look).0, Some(0), "{dir}");
        assert_eq!(run(dir, &daily).0, Some(0), "{dir}: {}", run(dir, &daily).1);
    }
    // A link is refused with and without a slash behind it, by who writes.
    let before = store.content();
    for dir in ["link", "link/", "link//", "link/."] {
        let (code, said) = run(dir, &daily);
        assert!(code == Some(6) && said.contains("is a symbolic link"), "{dir}: {said}");
        let (code, said) = run(dir, &["import-json", "tests/fixtures/learning_config.json"]);
        assert!(code == Some(6) && said.contains("is a symbolic link"), "{dir}: {said}");
    }
    assert!(store.content() == before);
}
