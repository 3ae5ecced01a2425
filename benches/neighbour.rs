//! Does a latency-sensitive neighbour on the same cores notice a cold run?
//!
//! Workload: one neighbour per core, each a burst of about 2 ms of computing every 8 ms, while cold runs follow one another
//! on all cores; in rounds of nothing, a run at the default priority, a run at normal priority, so that what else happens
//! on the machine meets all three alike. Once with each neighbour held to a core, and once where the kernel places them, which
//! may put two on one core while a run is going on: then one waits for the other. Printed: p50, p95 and p99 of the bursts, and
//! p99 over that of the neighbour alone; the aim is at most 1.2 at the default priority.
//!
//! Under `cargo test` it runs once, briefly, on the sample.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const BURST: Duration = Duration::from_millis(2);
const PAUSE: Duration = Duration::from_millis(6);

/// What goes on beside the neighbours.
#[derive(Clone, Copy)]
enum Beside {
    Nothing,
    Run(&'static str),
}

fn main() {
    let full = std::env::args().any(|argument| argument == "--bench");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let real = root.join("../shared/data/candles/binance-spot");
    let data = if full && real.exists() { real } else { root.join("tests/sample") };
    let (rounds, bursts) = if full { (8, 250) } else { (1, 5) };
    let steps = calibrated();
    let kinds = [
        ("alone", Beside::Nothing),
        ("beside a run", Beside::Run("idle")),
        ("beside a run at normal priority", Beside::Run("normal")),
    ];
    for held in [true, false] {
        print(if held { "each neighbour held to a core" } else { "neighbours placed by the kernel" });
        let mut times: [Vec<Duration>; 3] = Default::default();
        for _ in 0..rounds {
            for ((_, beside), times) in kinds.iter().zip(&mut times) {
                times.extend(round(*beside, held, &data, steps, bursts));
            }
        }
        tell(kinds.map(|(name, _)| name), times);
    }
}

/// Prints how long bursts took, and that over the first kind.
fn tell(names: [&str; 3], times: [Vec<Duration>; 3]) {
    let mut alone = None;
    for (name, mut times) in names.into_iter().zip(times) {
        times.sort();
        let at = |percent: usize| 1000.0 * times[(times.len() - 1) * percent / 100].as_secs_f64();
        let p99 = *alone.get_or_insert(at(99));
        print(&format!(
            "{name}: p50 {:.2} ms, p95 {:.2} ms, p99 {:.2} ms ({:.2} x alone)",
            at(50),
            at(95),
            at(99),
            at(99) / p99
        ));
    }
}

/// Measures bursts on every core beside something.
fn round(beside: Beside, held: bool, data: &Path, steps: u64, bursts: usize) -> Vec<Duration> {
    let folder = tempfile::tempdir().expect("a folder");
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let neighbour = |core: usize| -> Vec<Duration> {
        if held {
            hold_to(core);
        }
        let burst = |_| {
            std::thread::sleep(PAUSE);
            let clock = Instant::now();
            compute(steps);
            clock.elapsed()
        };
        (0..bursts).map(burst).collect()
    };
    let running = std::sync::atomic::AtomicBool::new(true);
    std::thread::scope(|scope| {
        let runs = scope.spawn(|| {
            let Beside::Run(priority) = beside else { return };
            let mut count = 0;
            while running.load(std::sync::atomic::Ordering::Relaxed) {
                let mut run = start(data, &folder.path().join(count.to_string()), priority);
                while run.try_wait().expect("our child").is_none() {
                    if !running.load(std::sync::atomic::Ordering::Relaxed) {
                        let _ = run.kill();
                    }
                    std::thread::sleep(Duration::from_millis(5));
                }
                count += 1;
            }
        });
        let neighbours: Vec<_> = (0..cores).map(|core| scope.spawn(move || neighbour(core))).collect();
        let times =
            neighbours.into_iter().flat_map(|thread| thread.join().expect("it only computes")).collect();
        running.store(false, std::sync::atomic::Ordering::Relaxed);
        runs.join().expect("it only waits");
        times
    })
}

fn start(data: &Path, store: &Path, priority: &str) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_optimizer"));
    command.args(["incremental", "--window", "all", "--progress", "none", "-q", "--data"]).arg(data);
    command.arg("--store").arg(store).env("OPTIMIZER_LIMITS__PRIORITY", priority);
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the program starts")
}

/// Keeps the calling thread on one of the cores that it may run on, counted from 0.
fn hold_to(core: usize) {
    #[expect(unsafe_code, reason = "the standard library places no threads")]
    // SAFETY: zeroed sets are empty ones and outlive the calls; 0 is the calling thread.
    let done = unsafe {
        let [mut allowed, mut own]: [libc::cpu_set_t; 2] = std::mem::zeroed();
        let size = size_of::<libc::cpu_set_t>();
        let read = libc::sched_getaffinity(0, size, &raw mut allowed);
        let cores = (0..libc::CPU_SETSIZE as usize).filter(|core| libc::CPU_ISSET(*core, &allowed));
        // Where there are fewer than there may be, some share one.
        let cores: Vec<usize> = cores.collect();
        libc::CPU_SET(cores[core % cores.len()], &mut own);
        read == 0 && libc::sched_setaffinity(0, size, &raw const own) == 0
    };
    assert!(done, "a thread may be held to a core it may run on");
}

/// Returns the steps that take a burst's time on a quiet core.
fn calibrated() -> u64 {
    let measure = |steps: u64| {
        let clock = Instant::now();
        compute(steps);
        clock.elapsed()
    };
    let steps = 1_000_000;
    let fastest = (0..20).map(|_| measure(steps)).min().expect("some");
    (steps as f64 * BURST.as_secs_f64() / fastest.as_secs_f64().max(1e-9)) as u64
}

fn compute(steps: u64) {
    let mut state = 1_u64;
    for _ in 0..steps {
        state = std::hint::black_box(state ^ (state << 13) ^ (state >> 7));
    }
    std::hint::black_box(state);
}

#[expect(clippy::print_stdout, reason = "a bench prints its figures")]
fn print(text: &str) {
    println!("{text}");
}
