//! What do the exact statistics of the whole grid cost, drawdown in trade order of every set included?
//!
//! Workload: synthetic signals (seeded) over the default lattice of a style: 27 exit rules x 5,184 cells = 139,968
//! parameter sets; levels drawn so that about half the signals of a dimension pass its next level, outcomes between
//! -2 % and +3 %, seven signals a day. Timed: sweep (sums, drawdown, daily squares), metrics, score, the ten best; one
//! thread. Medians of several runs.
//!
//! Baseline (2-core EPYC VM, 2026-11-21, one thread): see the table in ARCHITECTURE.md, "Figures".
//!
//! Under `cargo test` it runs once with 200 signals.

use std::time::Instant;

use retune::evaluate::book::{Book, Entry};
use retune::evaluate::metrics::Circumstances;
use retune::evaluate::score::Score;
use retune::evaluate::sweep::sweep;
use retune::model::{DAY_MS, Day, Direction, ExitReason, Outcome, ReturnPpm, Setup, Style};
use retune::search::rank::{Objective, rank};
use retune::search::space::Space;

fn main() {
    let full = std::env::args().any(|argument| argument == "--bench");
    let sizes: &[(usize, usize)] = if full { &[(4_000, 15), (100_000, 5)] } else { &[(200, 1)] };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("one thread");
    for &(signals, runs) in sizes {
        let space = Space::default_of(Style::Scalping);
        let book = book(&space, signals);
        let mut times: Vec<f64> = (0..runs).map(|_| pool.install(|| time(&space, &book))).collect();
        times.sort_by(f64::total_cmp);
        print(&format!(
            "{signals} signals x {} parameter sets: {:.1} ms (min {:.1})",
            space.sets(),
            times[runs / 2],
            times[0]
        ));
    }
}

/// Returns the milliseconds of one evaluation.
fn time(space: &Space, book: &Book) -> f64 {
    let window = book.window(Day(0)..Day(100_000));
    let objective = Objective {
        score: Score::Balanced,
        constraints: &[],
        around: Circumstances {
            candidates: window.candidates,
            days: book.entries().len() / 7 + 1,
            trades_min: 10,
            position_ratio: 0.2,
        },
    };
    let clock = Instant::now();
    let ranking = rank(&sweep(&window), space, &objective, 10);
    let elapsed = 1000.0 * clock.elapsed().as_secs_f64();
    assert!(ranking.rated > 0 && !ranking.top.is_empty(), "something was ranked");
    elapsed
}

fn book(space: &Space, signals: usize) -> Book {
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random >> 11
    };
    let mut book = Book::new(space.lattice().clone(), space.rules().len());
    for i in 0..signals {
        let levels: Vec<u8> = space
            .lattice()
            .sizes()
            .iter()
            .map(|size| (next().trailing_ones() as usize).min(size - 1) as u8)
            .collect();
        let outcomes: Vec<Outcome> = space
            .rules()
            .iter()
            .map(|_| {
                let net = ReturnPpm((next() % 50_000) as i32 - 20_000);
                let reason = if net.0 > 0 { ExitReason::TakeProfit } else { ExitReason::Stop };
                Outcome { net, best_case: net, gross: net, bars_held: 4, reason, ambiguous: false }
            })
            .collect();
        let entry = Entry {
            entry_ms: i as i64 * DAY_MS / 7,
            symbol: 0,
            direction: Direction::Long,
            setup: Setup::Pullback,
        };
        book.push(entry, Some(&levels), &outcomes);
    }
    book
}

#[expect(clippy::print_stdout, reason = "a bench prints its figures")]
fn print(text: &str) {
    println!("{text}");
}
