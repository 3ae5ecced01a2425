//! Progress on stderr: a bar on a terminal, a few lines elsewhere.

use std::io::IsTerminal;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::eta::Outlook;
#[cfg(feature = "fetch")]
use crate::fetch::FetchEvent;
use crate::render::text::prose::count_of;
use crate::run::RunEvent;

/// How progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Mode {
    /// A bar on a terminal, lines elsewhere
    Auto,
    /// A bar
    Bar,
    /// A line at the start and per tenth
    Lines,
    /// Nothing
    None,
}

/// Shows the events of a run.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
    lines: bool,
    total: AtomicU64,
    done: AtomicU64,
    /// When evaluation began, and what is left of it.
    outlook: Mutex<(Instant, Outlook)>,
}

/// Shorter times are not worth a word.
const WORTH_SAYING: Duration = Duration::from_secs(2);

impl Progress {
    pub(crate) fn new(mode: Mode, quiet: bool) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let (bar, lines) = match mode {
            _ if quiet => (false, false),
            Mode::Auto => (terminal, !terminal),
            Mode::Bar => (true, false),
            Mode::Lines => (false, true),
            Mode::None => (false, false),
        };
        let style = ProgressStyle::with_template("{msg:24} {wide_bar} {pos}/{len} symbols {elapsed}");
        let bar = bar.then(|| {
            let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr());
            style.map(|style| bar.set_style(style)).unwrap_or_default();
            bar
        });
        let outlook = Mutex::new((Instant::now(), Outlook::default()));
        Self { bar, lines, total: AtomicU64::new(0), done: AtomicU64::new(0), outlook }
    }

    /// Takes in an event, from any thread.
    pub(crate) fn on(&self, event: &RunEvent) {
        match event {
            RunEvent::Discovered { symbols } => {
                self.total.store(*symbols as u64, Ordering::Relaxed);
                self.done.store(0, Ordering::Relaxed);
                self.foresee(|outlook| *outlook = (Instant::now(), Outlook::new(*symbols)));
                tracing::info!(symbols, "reading");
                self.line(&format!("reading {}", count_of(*symbols as u64, "symbol")));
                if let Some(bar) = &self.bar {
                    bar.set_position(0);
                    bar.set_length(*symbols as u64);
                }
            }
            RunEvent::SymbolSorted { todo } => {
                self.foresee(|(_, outlook)| outlook.sorted(*todo as u64));
            }
            RunEvent::Evaluated { units } => {
                self.foresee(|(_, outlook)| outlook.evaluated(*units as u64));
                if let Some(left) = self.left() {
                    self.message(&format!("evaluating{left}"));
                }
            }
            RunEvent::SymbolDone { symbol, candles, units } => {
                tracing::info!(%symbol, candles, evaluated = units.evaluated.len(), "symbol done");
                self.symbol_done(symbol);
            }
            RunEvent::StudyDone { style, sets } => {
                self.message(&format!("searched {style}"));
                tracing::info!(%style, sets, "searched");
            }
            RunEvent::Committed { run } => {
                tracing::info!(run, "saved");
                self.message(&format!("saved run {run}"));
            }
        }
    }

    /// Takes in an event of `fetch`.
    #[cfg(feature = "fetch")]
    pub(crate) fn on_fetch(&self, event: &FetchEvent<'_>) {
        match event {
            FetchEvent::Begun { symbols } => {
                self.total.store(*symbols as u64, Ordering::Relaxed);
                self.line(&format!("fetching {}", count_of(*symbols as u64, "symbol")));
                if let Some(bar) = &self.bar {
                    bar.set_length(*symbols as u64);
                }
            }
            FetchEvent::Reached { ticker, open_ms } => {
                self.message(&format!("{ticker} {}", crate::model::Day::of(*open_ms)));
                tracing::info!(%ticker, until = crate::model::rfc3339(*open_ms), "fetched");
            }
            FetchEvent::Waiting { wait, why } => {
                // Short pauses are nobody's concern.
                if wait.as_secs() > 0 {
                    self.line(&format!("waiting {} s: {why}", wait.as_secs()));
                    self.message(&format!("waiting {} s", wait.as_secs()));
                }
                tracing::info!(?wait, why, "waiting");
            }
            FetchEvent::SymbolDone { ticker, fetched } => {
                if let Some(error) = &fetched.error {
                    self.line(&format!("{ticker}: {error}"));
                }
                let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
                let total = self.total.load(Ordering::Relaxed);
                let (candles, archives) = (fetched.candles, fetched.archives.len());
                self.line(&format!(
                    "{done} of {}: {ticker}, {candles} candles and {archives} archives new",
                    count_of(total, "symbol")
                ));
                if let Some(bar) = &self.bar {
                    bar.inc(1);
                }
            }
        }
    }

    fn symbol_done(&self, symbol: &str) {
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        let total = self.total.load(Ordering::Relaxed).max(1);
        if done * 10 / total > (done - 1) * 10 / total {
            let all = count_of(total, "symbol");
            self.line(&format!("{done} of {all} evaluated{}", self.left().unwrap_or_default()));
        }
        if let Some(bar) = &self.bar {
            bar.set_message(format!("{symbol}{}", self.left().unwrap_or_default()));
            bar.inc(1);
        }
    }

    fn foresee(&self, change: impl FnOnce(&mut (Instant, Outlook))) {
        // Nobody leaves it half changed: a panic elsewhere does not matter.
        change(&mut self.outlook.lock().unwrap_or_else(|poisoned| poisoned.into_inner()));
    }

    /// Returns how long it will still take, where that is worth saying.
    fn left(&self) -> Option<String> {
        let mut left = None;
        self.foresee(|(began, outlook)| left = outlook.left(began.elapsed()));
        left.filter(|left| *left >= WORTH_SAYING).map(|left| format!(", about {} s left", left.as_secs()))
    }

    fn message(&self, text: &str) {
        if let Some(bar) = &self.bar {
            bar.set_message(text.to_owned());
        }
    }

    fn line(&self, text: &str) {
        if self.lines {
            super::output::print_note(text);
        }
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
