//! Writes the synthetic sample candles and signals:
//! `cargo run --release --example generate_sample -- tests/sample tests/fixtures/signals.csv`.
//!
//! Three made-up symbols, 150 days of 15-minute candles. The market is simulated, not recorded: volatility
//! clusters (GARCH with Student-t innovations, daily and weekly seasons, rare jumps), one factor moves all
//! symbols, and weeks that trend take turns with weeks that range. Trends are mild: about one percent a day
//! against a daily volatility of three, so that a search has something to find and nothing that is planted.
//!
//! The signals are drawn at random times and sides; only their score knows, with much noise, what followed. It is planted,
//! so that a filter on it has something to find.
//!
//! Invariants: every candle can be (low <= open, close <= high), a candle opens where the one before closed or
//! a tick or two off, and the bytes are the same on every platform: only + - * / and square roots of doubles
//! are used, which IEEE 754 rounds exactly, and prices are counted in ticks. Not here: outages and broken
//! candles; those belong to the tests that need them.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

/// The seed of the committed files.
pub(crate) const SEED: u64 = 20_250_630;

const STEP_MS: i64 = 15 * 60_000;
/// 2025-02-01T00:00:00Z; the last candle opens at 2025-06-30T23:45:00Z.
const FIRST_OPEN_MS: i64 = 1_738_368_000_000;
const DAYS: usize = 150;
const BARS_PER_DAY: usize = 96;
const SUBSTEPS: usize = 15;

/// The market factor's volatility per candle at rest, as a fraction.
const MARKET_SIGMA: f64 = 0.002_2;
/// GARCH(1,1): weight of the last squared return, of the last variance; the rest pulls to 1.
const ARCH: f64 = 0.13;
const GARCH: f64 = 0.855;
/// The variance multiple is held here: a simulated panic must end.
const VARIANCE_MAX: f64 = 14.0;
/// Degrees of freedom of the Student-t innovations.
const TAIL_FREEDOM: usize = 5;
const JUMP_CHANCE: f64 = 0.000_8;
/// How far trades reach beyond a substep's end at most, in units of the candle's volatility.
const REACH: f64 = 0.35;
/// Share of a range's deviation from its anchor that is taken back per candle.
const RANGE_PULL: f64 = 0.003;

/// Volatility by UTC hour: a quiet Asian morning, a busy American one.
const HOURLY: [f64; 24] = [
    1.05, 0.98, 0.92, 0.88, 0.84, 0.82, 0.84, 0.92, 1.02, 1.00, 0.96, 0.95, 1.02, 1.22, 1.42, 1.38, 1.22,
    1.10, 1.02, 0.98, 0.94, 0.90, 0.90, 0.96,
];
const WEEKEND: f64 = 0.75;

/// A made-up market.
struct Market {
    symbol: &'static str,
    price: f64,
    price_decimals: u32,
    volume_decimals: u32,
    /// How much of the market factor's return it takes.
    beta: f64,
    /// Its own volatility per candle at rest, as a fraction.
    sigma: f64,
    /// Typical volume per candle in quote currency.
    turnover: f64,
}

const MARKETS: [Market; 3] = [
    Market {
        symbol: "ALPHAUSDT",
        price: 61_200.0,
        price_decimals: 2,
        volume_decimals: 3,
        beta: 0.95,
        sigma: 0.001_7,
        turnover: 9.0e6,
    },
    Market {
        symbol: "BRAVOUSDT",
        price: 3.184_2,
        price_decimals: 4,
        volume_decimals: 0,
        beta: 1.15,
        sigma: 0.002_1,
        turnover: 1.6e6,
    },
    Market {
        symbol: "CRESTUSDT",
        price: 0.214_37,
        price_decimals: 5,
        volume_decimals: 0,
        beta: 1.30,
        sigma: 0.002_5,
        turnover: 8.0e5,
    },
];

/// One output file, not compressed yet.
pub(crate) struct SampleFile {
    /// The file's name, with `.gz`.
    pub name: String,
    /// The candles as canonical CSV.
    pub csv: String,
}

/// Returns the sample files of a seed.
///
/// Cost:      about 10 million random numbers: well under a second in a release build
pub(crate) fn sample_files(seed: u64) -> Vec<SampleFile> {
    let mut factor = Process::new(Random(seed), MARKET_SIGMA);
    let mut books: Vec<Book> = MARKETS
        .iter()
        .enumerate()
        .map(|(i, market)| Book::new(market, Random(seed + 1 + i as u64)))
        .collect();
    for bar in 0..DAYS * BARS_PER_DAY {
        let season = season(bar);
        let shared = factor.advance(season);
        books.iter_mut().for_each(|book| book.push(bar, season, &shared));
    }
    books
        .into_iter()
        .map(|book| SampleFile { name: format!("{}-15m.csv.gz", book.market.symbol), csv: book.csv })
        .collect()
}

/// Returns the volatility multiple of a candle's hour and weekday (day 0 is a Saturday).
fn season(bar: usize) -> f64 {
    let weekend = if (bar / BARS_PER_DAY) % 7 < 2 { WEEKEND } else { 1.0 };
    HOURLY[bar % BARS_PER_DAY / 4] * weekend
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Returns a number in [0, 1).
    fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Returns a number of mean 0 and variance 1, nearly normal: twelve uniforms need no logarithm.
    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.unit()).sum::<f64>() - 6.0
    }

    /// Returns the scale that turns normals into Student-t numbers of variance 1.
    fn tail_scale(&mut self) -> f64 {
        let freedom = TAIL_FREEDOM as f64;
        let squares: f64 = (0..TAIL_FREEDOM).map(|_| self.normal()).map(|z| z * z).sum();
        ((freedom - 2.0) / squares.max(0.05)).sqrt()
    }
}

/// What a stretch of days is like.
#[derive(Clone, Copy)]
enum Regime {
    /// Drift per candle, in units of volatility.
    Trend(f64),
    /// The level that prices return to.
    Range(f64),
}

/// A return process: the market factor, or what a symbol adds to it.
struct Process {
    random: Random,
    sigma: f64,
    /// Variance as a multiple of its value at rest.
    variance: f64,
    /// The running product of returns, starting at 1.
    level: f64,
    regime: Regime,
    bars_left: usize,
}

/// One candle's returns, substep by substep, and the volatility they had.
struct Moves {
    returns: [f64; SUBSTEPS],
    volatility: f64,
}

impl Process {
    fn new(random: Random, sigma: f64) -> Self {
        Self { random, sigma, variance: 1.0, level: 1.0, regime: Regime::Range(1.0), bars_left: 0 }
    }

    /// Returns the next candle's moves.
    fn advance(&mut self, season: f64) -> Moves {
        if self.bars_left == 0 {
            self.turn();
        }
        self.bars_left -= 1;
        let volatility = self.sigma * self.variance.sqrt() * season;
        let drift = match self.regime {
            Regime::Trend(strength) => strength * self.sigma,
            Regime::Range(anchor) => RANGE_PULL * (anchor - self.level) / self.level,
        };
        let scale = volatility * self.random.tail_scale() / (SUBSTEPS as f64).sqrt();
        let mut returns = [drift / SUBSTEPS as f64; SUBSTEPS];
        returns.iter_mut().for_each(|r| *r += scale * self.random.normal());
        if self.random.unit() < JUMP_CHANCE {
            let at = (self.random.unit() * SUBSTEPS as f64) as usize;
            let size = volatility * (2.5 + 3.5 * self.random.unit());
            returns[at] += if self.random.unit() < 0.5 { size } else { -size };
        }
        let total: f64 = returns.iter().sum();
        let surprise = (total - drift) / (self.sigma * season);
        let next = (1.0 - ARCH - GARCH) + ARCH * surprise * surprise + GARCH * self.variance;
        self.variance = next.min(VARIANCE_MAX);
        self.level *= 1.0 + total;
        Moves { returns, volatility }
    }

    /// Enters another regime for three to ten days.
    fn turn(&mut self) {
        self.bars_left = BARS_PER_DAY * 3 + (self.random.unit() * (BARS_PER_DAY * 7) as f64) as usize;
        let strength = 0.03 + 0.03 * self.random.unit();
        self.regime = match self.random.unit() {
            draw if draw < 0.27 => Regime::Trend(strength),
            draw if draw < 0.52 => Regime::Trend(-strength),
            _ => Regime::Range(self.level),
        };
    }
}

/// A symbol's candles as they are written.
struct Book {
    market: &'static Market,
    process: Process,
    /// Drawn from apart, so that volumes and gaps do not move prices.
    noise: Random,
    price: f64,
    close_ticks: i64,
    interest: f64,
    csv: String,
}

impl Book {
    fn new(market: &'static Market, mut random: Random) -> Self {
        let noise = Random(random.bits());
        let close_ticks = (market.price * tick_scale(market)).round() as i64;
        let csv = "open_time,open,high,low,close,volume\n".to_owned();
        let process = Process::new(random, market.sigma);
        Self { market, process, noise, price: market.price, close_ticks, interest: 1.0, csv }
    }

    /// Appends a candle.
    fn push(&mut self, bar: usize, season: f64, shared: &Moves) {
        let own = self.process.advance(season);
        let start = self.price;
        let common = self.market.beta * shared.volatility;
        let volatility = (own.volatility * own.volatility + common * common).sqrt();
        let (mut top, mut bottom) = (start, start);
        for (own, shared) in own.returns.iter().zip(shared.returns) {
            self.price *= 1.0 + own + self.market.beta * shared;
            // Trades between the substeps reach a little further than where the substep ends.
            let reach = volatility * REACH * self.noise.unit();
            top = top.max(self.price * (1.0 + reach));
            bottom = bottom.min(self.price * (1.0 - reach));
        }
        // A thin book is swept now and then and comes back within the minute.
        match self.noise.unit() {
            draw if draw < 0.015 => top *= 1.0 + volatility * 1.5 * self.noise.unit(),
            draw if draw < 0.030 => bottom *= 1.0 - volatility * 1.5 * self.noise.unit(),
            _ => {}
        }
        let scale = tick_scale(self.market);
        let ticks = |price: f64| ((price * scale).round() as i64).max(1);
        let open = (self.close_ticks + self.gap_ticks()).max(1);
        let close = ticks(self.price);
        let high = ticks(top).max(open).max(close);
        let low = ticks(bottom).min(open).min(close);
        self.close_ticks = close;
        let volume = self.volume((self.price - start).abs() / start, volatility, season);
        self.write(bar, [open, high, low, close], volume);
    }

    /// Returns how far the open is off the last close: mostly not at all.
    fn gap_ticks(&mut self) -> i64 {
        match self.noise.unit() {
            draw if draw < 0.02 => 1,
            draw if draw < 0.04 => -1,
            draw if draw < 0.045 => 2,
            draw if draw < 0.05 => -2,
            _ => 0,
        }
    }

    /// Returns the volume in its smallest unit: more of it when prices move, are volatile, or by fashion.
    fn volume(&mut self, moved: f64, volatility: f64, season: f64) -> i64 {
        self.interest = 0.94 * self.interest + 0.06 * (0.4 + 1.2 * self.noise.unit());
        let rest = self.market.beta * MARKET_SIGMA + self.market.sigma;
        let activity = 0.25 * season + 0.9 * moved / rest + 0.35 * volatility / rest;
        let burst = if self.noise.unit() < 0.008 { 1.5 + 2.0 * self.noise.unit() } else { 1.0 };
        let luck = 0.35 + 1.3 * self.noise.unit();
        let units = self.market.turnover / self.price * activity * self.interest * burst * luck;
        ((units * scale(self.market.volume_decimals)).round() as i64).max(1)
    }

    fn write(&mut self, bar: usize, prices: [i64; 4], volume: i64) {
        write!(self.csv, "{}", FIRST_OPEN_MS + bar as i64 * STEP_MS).expect("text grows");
        for ticks in prices {
            self.csv.push(',');
            write_decimal(&mut self.csv, ticks, self.market.price_decimals);
        }
        self.csv.push(',');
        write_decimal(&mut self.csv, volume, self.market.volume_decimals);
        self.csv.push('\n');
    }
}

/// Returns 10 to the power of so many decimals.
fn scale(decimals: u32) -> f64 {
    10_i64.pow(decimals) as f64
}

fn tick_scale(market: &Market) -> f64 {
    scale(market.price_decimals)
}

/// Appends a positive number that is counted in its last decimal.
fn write_decimal(text: &mut String, units: i64, decimals: u32) {
    let scale = 10_i64.pow(decimals);
    write!(text, "{}", units / scale).expect("text grows");
    if decimals > 0 {
        write!(text, ".{:0width$}", units % scale, width = decimals as usize).expect("text grows");
    }
}

/// Candles after which the score looks at what a signal was worth, and from one signal to the next on average.
const SIGNAL_HORIZON: usize = 24;
const SIGNAL_SPACING: f64 = 48.0;
/// Signals begin when the slowest feature is warm.
const SIGNALS_FROM: usize = 10 * BARS_PER_DAY;

/// Returns signals on the candles of sample files as CSV.
pub(crate) fn sample_signals(seed: u64, files: &[SampleFile]) -> String {
    let mut text = "symbol,time,direction,style,my_score,spread_bps\n".to_owned();
    for (index, file) in files.iter().enumerate() {
        let mut noise = Random(seed + 100 + index as u64);
        let symbol = file.name.split('-').next().unwrap_or_default();
        let closes: Vec<f64> =
            file.csv.lines().skip(1).filter_map(|line| line.split(',').nth(4)?.parse().ok()).collect();
        let mut bar = SIGNALS_FROM;
        loop {
            bar += 1 + (2.0 * SIGNAL_SPACING * noise.unit()) as usize;
            let Some(later) = closes.get(bar + SIGNAL_HORIZON) else { break };
            let long = noise.unit() < 0.5;
            let gain = (later / closes[bar] - 1.0) * if long { 100.0 } else { -100.0 };
            let score = (0.5 + 0.15 * gain + 0.5 * (noise.unit() - 0.5)).clamp(0.0, 1.0);
            let style = ["scalping", "swing", ""][(3.0 * noise.unit()) as usize];
            let spread = 1.0 + 9.0 * noise.unit();
            // Some are known within a candle, as a bot that polls would say.
            let late_ms = if noise.unit() < 0.1 { 61_000 } else { 0 };
            let time_ms = FIRST_OPEN_MS + (bar as i64 + 1) * STEP_MS + late_ms;
            let side = if long { "long" } else { "short" };
            writeln!(text, "{symbol},{time_ms},{side},{style},{score:.2},{spread:.1}").expect("text grows");
        }
    }
    text
}

/// Writes a file, gzip-compressed without name or time, and returns its size in bytes.
fn write_gz(path: &Path, text: &str) -> std::io::Result<u64> {
    let file = std::fs::File::create(path)?;
    let mut encoder = flate2::GzBuilder::new().mtime(0).write(file, flate2::Compression::best());
    encoder.write_all(text.as_bytes())?;
    encoder.finish()?.metadata().map(|metadata| metadata.len())
}

#[expect(clippy::print_stdout, reason = "a tool for maintainers says what it wrote")]
fn main() -> std::io::Result<()> {
    let Some(directory) = std::env::args_os().nth(1) else {
        return Err(std::io::Error::other("expected the directory to write to, e.g. tests/sample"));
    };
    let directory = Path::new(&directory);
    std::fs::create_dir_all(directory)?;
    let files = sample_files(SEED);
    if let Some(path) = std::env::args_os().nth(2) {
        let text = sample_signals(SEED, &files);
        std::fs::write(&path, &text)?;
        println!(
            "{}: {} signals, {} bytes",
            Path::new(&path).display(),
            text.lines().count() - 1,
            text.len()
        );
    }
    for file in files {
        let path = directory.join(&file.name);
        let bytes = write_gz(&path, &file.csv)?;
        println!("{}: {} candles, {bytes} bytes", path.display(), file.csv.lines().count() - 1);
    }
    Ok(())
}
