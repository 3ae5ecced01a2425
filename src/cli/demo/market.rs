//! The candles and signals of the demonstration: made up, the same on every machine.
//!
//! Prices are random walks, and signals come at random times and sides with a random score. With an edge, prices drift to the side of a
//! signal for some hours after it where its score is high, as if the score knew something; as noise they do not, and nothing else differs.
//!
//! Invariants: only + - * / and square roots of doubles are used, which IEEE 754 rounds exactly, and prices are counted in ticks, so that
//! the bytes are the same everywhere; every candle can be (low <= open, close <= high).

use std::fmt::Write as _;

use crate::model::{DAY_MS, Day, HOUR_MS};
use crate::search::random::RandomStream;

/// The symbols, none of which exists, and their first prices.
const SYMBOLS: [(&str, f64); 3] = [("ALPHAUSDT", 61_200.0), ("BRAVOUSDT", 3_184.0), ("CRESTUSDT", 214.0)];
/// Days of candles: a year that counts, and some for averages to warm up.
const DAYS: usize = 375;
/// Days without signals at the beginning.
const WARM_UP_DAYS: usize = 10;
/// 2025-06-21; the last candle closes with the end of 2026-06-30.
const FIRST_DAY: Day = Day(20_260);
const SEED: u64 = 20_260_630;
/// Steps within a candle, and the deviation of a candle's return, as a fraction.
const STEPS: usize = 8;
const SIGMA: f64 = 0.004;
/// Score from which on a signal knows something, and the drift after it: as a fraction, in so many candles.
pub(super) const SCORE_KNOWS: f64 = 0.6;
pub(super) const DRIFT: f64 = 0.007;
pub(super) const DRIFT_HOURS: usize = 12;
/// Ticks of a price of one.
const TICKS: f64 = 100.0;

/// A file of the demonstration.
pub(super) struct MadeFile {
    /// Its name.
    pub(super) name: String,
    /// Its content.
    pub(super) csv: String,
}

/// What is there to tune on.
pub(super) struct DemoMarket {
    /// Candles, a file for each symbol.
    pub(super) candles: Vec<MadeFile>,
    /// The signals of all symbols.
    pub(super) signals: String,
    /// How many signals there are.
    pub(super) signal_count: usize,
}

/// Returns the instant at which the last candle has closed; UTC ms.
pub(super) fn end_ms() -> i64 {
    (i64::from(FIRST_DAY.0) + DAYS as i64) * DAY_MS
}

impl DemoMarket {
    /// Returns the market, with or without an edge after signals of a high score.
    pub(super) fn new(has_edge: bool) -> Self {
        let mut market = Self {
            candles: Vec::new(),
            signals: "symbol,time,direction,style,score\n".to_owned(),
            signal_count: 0,
        };
        for (index, (symbol, price)) in SYMBOLS.into_iter().enumerate() {
            market.add(symbol, price, RandomStream::new(SEED + index as u64), has_edge);
        }
        market
    }

    fn add(&mut self, symbol: &str, price: f64, mut prices: RandomStream, has_edge: bool) {
        // Drawn from apart, so that signals come at the same times with an edge and without.
        let mut draws = RandomStream::new(prices.next_u64());
        let mut csv = "open_time,open,high,low,close,volume\n".to_owned();
        let (mut price, mut close) = (price, ticks(price));
        let (mut next_signal, mut drift, mut drifting) = (WARM_UP_DAYS * 24, 0.0, 0_usize);
        for hour in 0..DAYS * 24 {
            if drifting == 0 {
                drift = 0.0;
            }
            drifting = drifting.saturating_sub(1);
            let open = close;
            let (mut high, mut low) = (open, open);
            for _ in 0..STEPS {
                price *= 1.0 + drift / STEPS as f64 + SIGMA / (STEPS as f64).sqrt() * normal(&mut prices);
                close = ticks(price);
                (high, low) = (high.max(close), low.min(close));
            }
            let open_ms = i64::from(FIRST_DAY.0) * DAY_MS + hour as i64 * HOUR_MS;
            write_candle(&mut csv, open_ms, [open, high, low, close], 10.0 + 90.0 * unit(&mut prices));
            if hour == next_signal {
                next_signal += DRIFT_HOURS + (24.0 * unit(&mut draws)) as usize;
                // What is written is what is known: a score of two decimals.
                let (is_long, score) = (unit(&mut draws) < 0.5, (100.0 * unit(&mut draws)).floor() / 100.0);
                let side = if is_long { 1.0 } else { -1.0 };
                if has_edge && score >= SCORE_KNOWS {
                    (drift, drifting) = (side * DRIFT / DRIFT_HOURS as f64, DRIFT_HOURS);
                }
                let (time, side) = (open_ms + HOUR_MS, if is_long { "long" } else { "short" });
                let _ = writeln!(self.signals, "{symbol},{time},{side},swing,{score:.2}");
                self.signal_count += 1;
            }
        }
        self.candles.push(MadeFile { name: format!("{symbol}-1h.csv"), csv });
    }
}

fn ticks(price: f64) -> i64 {
    ((price * TICKS).round() as i64).max(1)
}

fn write_candle(csv: &mut String, open_ms: i64, prices: [i64; 4], volume: f64) {
    let _ = write!(csv, "{open_ms}");
    for ticks in prices {
        let _ = write!(csv, ",{}.{:02}", ticks / TICKS as i64, ticks % TICKS as i64);
    }
    let _ = writeln!(csv, ",{volume:.1}");
}

/// Returns a number in [0, 1).
fn unit(draws: &mut RandomStream) -> f64 {
    (draws.next_u64() >> 11) as f64 / (1u64 << 53) as f64
}

/// Returns a number of mean 0 and variance 1, nearly normal: twelve uniforms need no logarithm.
fn normal(draws: &mut RandomStream) -> f64 {
    (0..12).map(|_| unit(draws)).sum::<f64>() - 6.0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the columns of a file of candles.
    fn columns(csv: &str) -> Vec<Vec<f64>> {
        csv.lines()
            .skip(1)
            .map(|line| line.split(',').map(|cell| cell.parse().expect("a number")).collect())
            .collect()
    }

    #[test]
    fn candles_can_be_and_end_where_the_clock_stands() {
        let market = DemoMarket::new(true);
        for file in &market.candles {
            let rows = columns(&file.csv);
            assert_eq!(rows.len(), DAYS * 24, "{}", file.name);
            for row in &rows {
                let [_, open, high, low, close, volume] = row[..] else { panic!("{row:?}") };
                assert!(
                    low <= open.min(close) && open.max(close) <= high && low > 0.0 && volume > 0.0,
                    "{row:?}"
                );
            }
            assert_eq!(rows[rows.len() - 1][0] as i64 + HOUR_MS, end_ms());
        }
        assert_eq!(crate::model::rfc3339(end_ms()), "2026-07-01T00:00:00Z");
    }

    #[test]
    fn only_what_follows_a_high_score_differs_from_noise() {
        let (edge, noise) = (DemoMarket::new(true), DemoMarket::new(false));
        assert_eq!(edge.signals, noise.signals);
        assert_eq!(edge.signals.lines().count(), edge.signal_count + 1);
        let gains = |market: &DemoMarket| {
            let mut gains = [(0.0, 0.0); 2];
            for line in market.signals.lines().skip(1) {
                let [symbol, time, side, _, score] = line.split(',').collect::<Vec<_>>()[..] else {
                    panic!("{line}")
                };
                let file =
                    market.candles.iter().find(|file| file.name.starts_with(symbol)).expect("its candles");
                let rows = columns_from(&file.csv, time.parse().expect("a time"));
                let Some(last) = rows.get(DRIFT_HOURS - 1) else { continue };
                let gain = (last[4] / rows[0][1] - 1.0) * if side == "long" { 1.0 } else { -1.0 };
                let knows = usize::from(score.parse::<f64>().expect("a score") >= SCORE_KNOWS);
                gains[knows] = (gains[knows].0 + gain, gains[knows].1 + 1.0);
            }
            gains.map(|(sum, count)| sum / count)
        };
        let ([low, high], [noise_low, noise_high]) = (gains(&edge), gains(&noise));
        assert!((high - DRIFT).abs() < 0.0025, "{high}");
        assert!(
            low.abs() < 0.0025 && noise_low.abs() < 0.0025 && noise_high.abs() < 0.0025,
            "{low} {noise_low} {noise_high}"
        );
    }

    /// Returns the rows of the drift's time from an instant on.
    fn columns_from(csv: &str, from_ms: i64) -> Vec<Vec<f64>> {
        let skipped = (from_ms - i64::from(FIRST_DAY.0) * DAY_MS) / HOUR_MS;
        let lines = csv.lines().skip(1 + skipped as usize).take(DRIFT_HOURS);
        lines.map(|line| line.split(',').map(|cell| cell.parse().expect("a number")).collect()).collect()
    }
}
