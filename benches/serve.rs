//! What does `optimizer serve` take under load: resident memory and the time of a page, while new views are published?
//!
//! Workload: a store with a run on the sample; the server as a process of its own; 8 clients that ask for pages, documents and metrics in
//! turn, each on a connection that it keeps for 20 requests; 50 runs published meanwhile. 5,000 requests in all. Goals: below 25 MiB resident, less
//! than 64 KiB more per 1,000 requests, 99 of 100 answers within 50 ms on one core. Baseline: docs/benchmarks.md. Under `cargo test` it
//! runs with 64 requests and 2 publications.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use retune::diagnose::process::sample;
use retune::model::Style;
use retune::store::{LearningCommit, Store, View};

const CLIENTS: usize = 8;
/// Requests on one connection.
const KEPT: usize = 20;
const TOKEN: &str = "bench-token-bench-token";
const PATHS: [&str; 10] = [
    "/",
    "/runs",
    "/runs/last",
    "/params",
    "/trials?style=swing",
    "/surface?style=swing",
    "/api/v1/status",
    "/api/v1/inspect_run",
    "/metrics",
    "/healthz",
];

fn main() {
    let full = std::env::args().any(|argument| argument == "--bench");
    let (requests, publications) = if full { (5_000, 50) } else { (64, 2) };
    let folder = tempfile::tempdir().expect("a folder");
    let dir = folder.path().join("state");
    let ran = optimizer(&dir)
        .args([
            "incremental",
            "--data",
            "tests/sample",
            "--exit-zero",
            "-q",
            "--set",
            "decide.require=stable",
        ])
        .status();
    assert!(ran.expect("the program starts").success());
    let mut server = optimizer(&dir);
    let server = server.args(["serve", "--listen", "127.0.0.1:0"]).env("OPTIMIZER_SERVE_TOKEN", TOKEN);
    let mut server = Served::start(server.stdout(Stdio::piped()).stderr(Stdio::null()));
    let begun = server.resident();
    let (asked, mut times) = (AtomicUsize::new(0), Vec::new());
    let mut resident = vec![begun];
    std::thread::scope(|scope| {
        let (address, asked) = (&server.address, &asked);
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| scope.spawn(move || ask(address, client_first(client), asked, requests)))
            .collect();
        for number in 1..=publications {
            while asked.load(Ordering::Relaxed) < requests * number / (publications + 1) {
                std::thread::sleep(Duration::from_millis(1));
            }
            publish(&dir);
            resident.push(server.resident());
        }
        times = clients.into_iter().flat_map(|client| client.join().expect("it ends")).collect();
    });
    resident.push(server.resident());
    times.sort_unstable();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
    let half = resident[resident.len() / 2];
    let last = *resident.last().expect("measured");
    let slope = (last as f64 - half as f64) / 1024.0 / (requests as f64 / 2_000.0);
    print(&format!("{} requests by {CLIENTS} clients, {publications} publications", times.len()));
    print(
        "RSS MiB at start | most | at the end | of it heap and stacks | KiB per 1,000 in the second half | p50 ms | p99 ms",
    );
    let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    let most = resident.iter().copied().max().expect("measured").max(server.peak());
    print(&format!(
        "{:.1} | {:.1} | {:.1} | {:.1} | {slope:.0} | {:.2} | {:.2}",
        mib(begun),
        mib(most),
        mib(last),
        mib(sample(server.child.id(), 0).expect("it runs").anonymous_bytes),
        at(0.5),
        at(0.99)
    ));
    assert_eq!(times.len(), requests);
    server.stop();
}

/// Where a client begins among the paths.
fn client_first(client: usize) -> usize {
    client * 3
}

fn optimizer(dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_optimizer"));
    command.current_dir(env!("CARGO_MANIFEST_DIR")).env("OPTIMIZER_LIMITS__PRIORITY", "normal");
    command.arg("--store").arg(dir);
    command
}

/// The server.
struct Served {
    child: Child,
    address: String,
}

impl Served {
    fn start(command: &mut Command) -> Self {
        let mut child = command.spawn().expect("it starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("piped")).read_line(&mut line).expect("an address");
        let address = line.trim().trim_start_matches("http://").split('/').next().unwrap_or_default();
        Self { address: address.to_owned(), child }
    }

    fn resident(&self) -> u64 {
        sample(self.child.id(), 0).expect("it runs").rss_bytes
    }

    fn peak(&self) -> u64 {
        sample(self.child.id(), 0).expect("it runs").peak_rss_bytes
    }

    fn stop(&mut self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("sent");
        assert!(self.child.wait().expect("it ends").success());
    }
}

/// Asks until all was asked; returns how long each answer took.
fn ask(address: &str, first: usize, asked: &AtomicUsize, requests: usize) -> Vec<Duration> {
    let (mut times, mut stream, mut on_it) = (Vec::new(), None::<BufReader<TcpStream>>, 0);
    while asked.fetch_add(1, Ordering::Relaxed) < requests {
        if on_it == KEPT {
            (stream, on_it) = (None, 0);
        }
        let path = PATHS[(first + times.len()) % PATHS.len()];
        let begun = Instant::now();
        let open =
            stream.get_or_insert_with(|| BufReader::new(TcpStream::connect(address).expect("it listens")));
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\n\r\n");
        open.get_mut().write_all(request.as_bytes()).expect("sent");
        let status = read_answer(open);
        assert_eq!(status, 200, "{path}");
        times.push(begun.elapsed());
        on_it += 1;
    }
    times
}

/// Reads one answer and returns its status.
fn read_answer(stream: &mut BufReader<TcpStream>) -> u16 {
    let (mut status, mut length) = (0, 0);
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).expect("a head");
        if let Some(rest) = line.strip_prefix("HTTP/1.1 ") {
            status = rest[..3].parse().expect("a status");
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().expect("a length");
        }
        if line.trim().is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).expect("a body");
    status
}

/// Stores the last run once more and publishes it.
fn publish(dir: &Path) {
    let commit = {
        let view = View::open(dir).expect("published");
        let snapshot = view.read().expect("readable");
        let (id, run) = snapshot.runs("default", .., 1).expect("readable").remove(0);
        let mut commit = LearningCommit::new("default", run);
        commit.work = snapshot.work("default", id).expect("readable");
        commit.decisions = snapshot.decisions("default", id).expect("readable").into_iter().collect();
        commit.decisions.values_mut().for_each(|decision| decision.changed = false);
        for style in Style::ALL {
            let trials = snapshot.trials("default", id, style).expect("readable");
            commit.trials.extend(trials.map(|trials| (style, trials)));
            let series = snapshot.series("default", id, style).expect("readable");
            commit.series.extend(series.map(|series| (style, series)));
            let evidence = snapshot.evidence("default", id, style).expect("readable");
            commit.evidence.extend(evidence.map(|evidence| (style, evidence)));
        }
        commit
    };
    let mut store = Store::open(dir, 0).expect("whole");
    let run = store.commit(commit).expect("committed");
    store.publish_run(run).expect("published");
}

#[expect(clippy::print_stdout, reason = "a bench prints its figures")]
fn print(text: &str) {
    println!("{text}");
}
