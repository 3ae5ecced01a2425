//! Kills the program at random moments of a run, again and again, and looks at what is left.
//!
//! `cargo run --release --example kill_loop -- PROGRAM [KILLS] [SEED]`. After every kill the store has to open whole, hold
//! every run that was reported, and the parameters of the first; `doctor`, which looks before anything is opened, has to
//! say so too.

use std::io::Read;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use retune::store::records::ParamsRecord;
use retune::store::{Store, View};

/// What happened.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    /// Runs that were started.
    pub started: usize,
    /// Of which were killed before they ended.
    pub killed_at_work: usize,
    /// Of which had stored their run already, without having said so.
    pub stored_unsaid: usize,
    /// Of which `doctor` asked a person to see to something, which was never the store itself.
    pub warned: usize,
    /// The longest time that opening and verifying what was left took.
    pub slowest_open: Duration,
}

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let Some(program) = arguments.next() else { return say("expected PROGRAM [KILLS] [SEED]", 2) };
    let mut number = |fallback: u64| arguments.next().map_or(Ok(fallback), |text| text.parse());
    let (Ok(kills), Ok(seed)) = (number(1000), number(1)) else { return say("expected numbers", 2) };
    match kill_loop(Path::new(&program), Path::new("."), kills as usize, seed) {
        Ok(figures) => say(&format!("{figures:?}"), 0),
        Err(problem) => say(&problem, 1),
    }
}

#[expect(clippy::print_stdout, reason = "a command")]
fn say(text: &str, code: u8) -> ExitCode {
    println!("{text}");
    ExitCode::from(code)
}

/// Kills a run on the sample in `repository` at `kills` moments, drawn with `seed`.
///
/// Errors: what was lost, or found that was not stored
pub(crate) fn kill_loop(
    program: &Path,
    repository: &Path,
    kills: usize,
    seed: u64,
) -> Result<Figures, String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let dir = folder.path().join("state");
    let run = || {
        let mut command = Command::new(program);
        command.current_dir(repository).env("OPTIMIZER_DECIDE__REQUIRE", "stable");
        command.args(["incremental", "--data", "tests/sample", "--exit-zero", "--quick", "--full"]);
        command.args(["--progress", "none", "--quiet", "--store"]).arg(&dir);
        command.stdout(Stdio::piped()).stderr(Stdio::null());
        command
    };
    let clock = Instant::now();
    let first = run().output().map_err(|error| format!("{}: {error}", program.display()))?;
    let mut whole = clock.elapsed();
    if !first.status.success() {
        return Err(format!("the first run ended with {}", first.status));
    }
    let (mut last, params) = look(&dir)?;
    let mut figures = Figures::default();
    let mut state = seed;
    for kill in 0..kills {
        // Beyond the end of a run as well; most of a run is evaluation, so half of the kills hit its last third.
        let share = u64::from(draw(&mut state)) * if kill % 2 == 0 { 120 } else { 50 } / u64::from(u32::MAX);
        let share = if kill % 2 == 0 { share } else { 70 + share };
        let mut child = run().spawn().map_err(|error| error.to_string())?;
        std::thread::sleep(whole * u32::try_from(share).unwrap_or(100) / 100);
        let ended = child.try_wait().map_err(|error| error.to_string())?.is_some();
        // The machine may be busier now, or less.
        whole = if ended { whole * 19 / 20 } else { whole * 103 / 100 };
        child.kill().map_err(|error| error.to_string())?;
        let mut said = String::new();
        let read = child.stdout.take().map(|mut out| out.read_to_string(&mut said));
        read.transpose().map_err(|error| error.to_string())?;
        child.wait().map_err(|error| error.to_string())?;
        figures.warned +=
            usize::from(doctor(program, &dir).map_err(|said| format!("after kill {kill}: {said}"))?);
        let clock = Instant::now();
        let (found, params_now) = look(&dir).map_err(|error| format!("after kill {kill}: {error}"))?;
        figures.slowest_open = figures.slowest_open.max(clock.elapsed());
        figures.started += 1;
        figures.killed_at_work += usize::from(!ended);
        let reported = said.contains("run=");
        if params_now != params {
            return Err(format!("after kill {kill}: other parameters\n{params_now:?}\n{params:?}"));
        }
        match found - last {
            0 if !reported => {}
            1 => figures.stored_unsaid += usize::from(!reported),
            new => return Err(format!("after kill {kill}: {new} new runs, one was reported: {reported}")),
        }
        last = found;
    }
    Ok(figures)
}

/// Asks `doctor` about a store that opens; returns whether it warns of anything.
fn doctor(program: &Path, dir: &Path) -> Result<bool, String> {
    let said = Command::new(program).arg("doctor").arg("--store").arg(dir).output();
    let said = said.map_err(|error| error.to_string())?;
    match said.status.code() {
        Some(0) => Ok(false),
        Some(1) => Ok(true),
        code => Err(format!("doctor ended with {code:?}: {}", String::from_utf8_lossy(&said.stdout))),
    }
}

/// Opens the store and its copy for readers; returns the number of the last run and the active parameters.
fn look(dir: &Path) -> Result<(u64, Vec<(String, ParamsRecord)>), String> {
    let text = |error: retune::store::StoreError| error.to_string();
    let view = View::open(dir).map_err(|error| format!("readers: {error}"))?;
    view.read().map_err(text)?;
    let store = Store::open(dir, 0).map_err(text)?;
    let snapshot = store.read().map_err(text)?;
    let runs = snapshot.runs("default", .., usize::MAX).map_err(text)?;
    let last = runs.first().map_or(0, |(id, _)| *id);
    let first = runs.last().map_or(0, |(id, _)| *id);
    if runs.len() as u64 != last + 1 - first.min(last + 1) {
        return Err(format!("runs {first} to {last} are {} runs", runs.len()));
    }
    Ok((last, snapshot.params_all("default").map_err(text)?))
}

fn draw(state: &mut u64) -> u32 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*state >> 32) as u32
}
