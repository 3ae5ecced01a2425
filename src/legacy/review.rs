//! A review of the trades a bot made: pauses after losses, entries and exits, by the legacy rules.
//!
//! Looks after exits and at opportunities by hindsight: for people, never for a choice.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::rules::cooldown::{ClosedTrade, CooldownLimits, volatility};
use super::rules::pauses::{Closing, PauseStanding, pause_standing};
use super::rules::timing::{
    AfterExit, ExitLevel, TimedExit, TimedOpportunity, TimedTrade, TimingAnalysis, TimingLimits,
    analyse_timing,
};
use crate::engine::plan::Plan;
use crate::features::frame::MarketSeries;
use crate::ingest::{IngestError, IngestOptions, LegacyTrade, SymbolSources, coin_of, discover, load_symbol};
use crate::model::{Bars, CandleSeries, Day, Direction};
use crate::signals::candidates::candidates_of_day;
use crate::signals::opportunities::opportunities_of_day;

/// What a review looks at besides the trades.
#[derive(Debug, Clone)]
pub struct ReviewOptions {
    /// Files and folders of candles; without any, only what the trades themselves say is known.
    pub data: Vec<PathBuf>,
    /// How candles are read.
    pub ingest: IngestOptions,
    /// Opportunities known from elsewhere; `None` finds them in the candles.
    pub opportunities: Option<Vec<TimedOpportunity>>,
    /// What the account is worth at the end, in account currency.
    pub account: Option<f64>,
    /// The instant of the review; UTC ms. What happened later is not looked at.
    pub at_ms: i64,
    /// When something is early, late or wrong.
    pub limits: TimingLimits,
}

/// Some trades and whether to go on.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the names say it; profit in account currency")]
pub struct TradeRecord {
    pub closed: u64,
    pub losses: u64,
    pub profit: f64,
    pub standing: PauseStanding,
}

/// A review.
#[derive(Debug, Clone, PartialEq)]
pub struct TradeReview {
    /// Trades of the file until the instant of the review.
    pub trades: u64,
    /// Those still open then.
    pub open: u64,
    /// All coins together.
    pub all: TradeRecord,
    /// Coin by coin.
    pub coins: BTreeMap<String, TradeRecord>,
    /// What entries and exits were worth.
    pub timing: TimingAnalysis,
    /// What could have been taken; `None` where nothing is known about it.
    pub opportunities: Option<Vec<TimedOpportunity>>,
    /// Trades opened where a signal of this program stood, of all whose coin has candles; `None` without candles.
    pub at_signals: Option<(u64, u64)>,
    /// Coins of trades without candles.
    pub without_candles: BTreeSet<String>,
}

/// Reviews trades.
///
/// Shape:     trades in any order; opportunities and signals by the first style of the plan, candles of one coin in
///            memory at a time
/// Errors:    those of reading candles
pub fn review_trades(
    trades: &[LegacyTrade],
    plan: &Plan,
    options: &ReviewOptions,
) -> Result<TradeReview, IngestError> {
    let at_ms = options.at_ms;
    let trades: Vec<LegacyTrade> = trades.iter().filter_map(|trade| as_of(trade, at_ms)).collect();
    let closings = closings_of_trades(&trades, options.account);
    let mut timed: Vec<TimedTrade> = trades.iter().filter_map(timed_trade).collect();
    timed.sort_by_key(|trade| trade.opened_at_ms);
    let seen = see(&timed, plan, options)?;
    let opportunities = match (&options.opportunities, seen.coins.is_empty()) {
        (Some(known), _) => Some(known.iter().filter(|known| known.at_ms <= at_ms).cloned().collect()),
        (None, false) => Some(seen.opportunities),
        (None, true) => None,
    };
    let after = |trade: &TimedTrade, exit: &TimedExit| {
        seen.after.get(&(trade.coin.clone(), exit.at_ms)).copied().filter(|_| exit.price > 0.0)
    };
    let found = analyse_timing(&timed, opportunities.as_deref().unwrap_or_default(), after, &options.limits);
    let coins: BTreeSet<&String> = trades.iter().map(|trade| &trade.coin).collect();
    let record = |coin: &String| {
        let own: Vec<Closing> =
            closings.iter().filter(|(of, _)| *of == coin).map(|(_, closing)| *closing).collect();
        (coin.clone(), record(&own, at_ms))
    };
    let all: Vec<Closing> = closings.iter().map(|(_, closing)| *closing).collect();
    Ok(TradeReview {
        trades: trades.len() as u64,
        open: trades.iter().filter(|trade| trade.profit.is_none()).count() as u64,
        all: self::record(&all, at_ms),
        timing: found,
        opportunities,
        at_signals: (!seen.coins.is_empty()).then_some((seen.at_signals, seen.looked_up)),
        without_candles: coins
            .iter()
            .filter(|coin| !seen.coins.contains(**coin))
            .map(|c| (*c).clone())
            .collect(),
        coins: coins.into_iter().map(record).collect(),
    })
}

/// Returns a trade as it was known at an instant, if it was.
fn as_of(trade: &LegacyTrade, at_ms: i64) -> Option<LegacyTrade> {
    if trade.opened_at_ms.is_some_and(|opened| opened > at_ms) {
        return None;
    }
    let mut trade = trade.clone();
    if trade.closed_at_ms.is_some_and(|closed| closed > at_ms) {
        (trade.closed_at_ms, trade.profit, trade.exit_price) = (None, None, None);
    }
    Some(trade)
}

/// Returns the closed trades in the order of closing; one closed at an unknown time follows that before it in the file.
fn closings_of_trades(trades: &[LegacyTrade], account: Option<f64>) -> Vec<(&String, Closing)> {
    let mut closed: Vec<(i64, &LegacyTrade, f64)> = Vec::new();
    for trade in trades {
        let Some(profit) = trade.profit else { continue };
        let before = closed.last().map_or(0, |(at, _, _)| *at);
        closed.push((trade.closed_at_ms.or(trade.opened_at_ms).unwrap_or(before), trade, profit));
    }
    closed.sort_by_key(|(at, _, _)| *at);
    // Back from what the account is worth now; 0 is not known.
    let mut value = account.unwrap_or(0.0) - closed.iter().map(|(_, _, profit)| profit).sum::<f64>();
    let mut values = vec![value];
    let mut all = Vec::with_capacity(closed.len());
    for (at_ms, trade, profit) in closed {
        value += profit;
        values.push(value);
        let recent = &values[values.len().saturating_sub(SNAPSHOTS)..];
        let trade_of =
            ClosedTrade { opened_at_ms: trade.opened_at_ms, closed_at_ms: trade.closed_at_ms, profit };
        let (account, volatility) = match account {
            Some(_) => (value, volatility(recent)),
            None => (0.0, 1.0),
        };
        all.push((&trade.coin, Closing { trade: trade_of, at_ms, account, volatility }));
    }
    all
}

/// Account values that the volatility looks at.
const SNAPSHOTS: usize = 48;

fn record(closings: &[Closing], at_ms: i64) -> TradeRecord {
    TradeRecord {
        closed: closings.len() as u64,
        losses: closings.iter().filter(|closing| closing.trade.profit < 0.0).count() as u64,
        profit: closings.iter().map(|closing| closing.trade.profit).sum(),
        standing: pause_standing(closings, at_ms, &CooldownLimits::default()),
    }
}

/// Returns a trade for the analysis; one opened at an unknown time has no place in it.
fn timed_trade(trade: &LegacyTrade) -> Option<TimedTrade> {
    let exit = |(at_ms, profit)| TimedExit {
        at_ms,
        price: trade.exit_price.unwrap_or(0.0),
        profit,
        level: exit_level(&trade.exit_reason),
    };
    Some(TimedTrade {
        coin: trade.coin.clone(),
        direction: trade.direction,
        opened_at_ms: trade.opened_at_ms?,
        signal_score: trade.signal_score.unwrap_or(0.0),
        consensus: trade.consensus.unwrap_or(0.0),
        closed: trade.closed_at_ms.zip(trade.profit).map(exit),
    })
}

/// Returns which level a bot's words name.
fn exit_level(reason: &str) -> ExitLevel {
    let reason = reason.to_lowercase();
    let names = |words: &[&str]| words.iter().any(|word| reason.contains(word));
    if reason == "roi" || names(&["止盈", "take_profit", "take profit", "take-profit"]) {
        ExitLevel::TakeProfit
    } else if names(&["止损", "stop"]) {
        ExitLevel::Stop
    } else {
        ExitLevel::Other
    }
}

/// What the candles show.
#[derive(Default)]
struct CandleFacts {
    coins: BTreeSet<String>,
    opportunities: Vec<TimedOpportunity>,
    /// Extremes after an exit, by coin and time.
    after: BTreeMap<(String, i64), AfterExit>,
    at_signals: u64,
    looked_up: u64,
}

/// Looks at the candles of every coin that was traded.
fn see(timed: &[TimedTrade], plan: &Plan, options: &ReviewOptions) -> Result<CandleFacts, IngestError> {
    let mut seen = CandleFacts::default();
    if options.data.is_empty() {
        return Ok(seen);
    }
    let catalog = discover(&options.data, &options.ingest)?;
    let coins: BTreeSet<&String> = timed.iter().map(|trade| &trade.coin).collect();
    for coin in coins {
        let Some(sources) = market_of(&catalog.symbols, coin) else { continue };
        let series = load_symbol(sources, &options.ingest)?.series;
        let own: Vec<&TimedTrade> = timed.iter().filter(|trade| trade.coin == *coin).collect();
        if !series.is_empty() {
            seen.look(coin, &series, &own, plan, options);
        }
    }
    Ok(seen)
}

/// Returns the market of a coin, that against USDT before others.
fn market_of<'a>(symbols: &'a [SymbolSources], coin: &str) -> Option<&'a SymbolSources> {
    let against_usdt = format!("{coin}USDT");
    let of_coin = |sources: &&SymbolSources| coin_of(sources.symbol.as_str()).as_deref() == Some(coin);
    let first = symbols.iter().find(|sources| sources.symbol.as_str() == against_usdt);
    first.or_else(|| symbols.iter().find(of_coin))
}

impl CandleFacts {
    fn look(
        &mut self,
        coin: &str,
        series: &CandleSeries,
        trades: &[&TimedTrade],
        plan: &Plan,
        options: &ReviewOptions,
    ) {
        let market = MarketSeries::new(series.bars());
        let bars = market.bars;
        self.coins.insert(coin.to_owned());
        let last_ms = bars.open_time[bars.len() - 1];
        let opened = trades.iter().map(|trade| trade.opened_at_ms);
        let first = Day::of(opened.clone().min().unwrap_or(last_ms));
        let last = Day::of(options.at_ms.min(last_ms));
        if options.opportunities.is_none() {
            for day in (first.0..=last.0).map(Day) {
                self.opportunities.extend(opportunities_of_review(&market, day, coin, plan));
            }
        }
        let around = |at: i64| [at - options.limits.match_ms, at + options.limits.match_ms].map(Day::of);
        let days: BTreeSet<Day> = opened.flat_map(around).collect();
        // A signal on the last candle of a day enters on the next.
        let days: BTreeSet<Day> = days.iter().flat_map(|day| [Day(day.0 - 1), *day]).collect();
        let signals: Vec<(i64, Direction)> = days
            .iter()
            .flat_map(|day| candidates_of_day(&market, *day))
            .map(|found| (bars.open_time[found.row.pulse.index] + bars.interval.ms(), found.direction))
            .collect();
        for trade in trades {
            let near = |(at, direction): &(i64, Direction)| {
                *direction == trade.direction && (at - trade.opened_at_ms).abs() <= options.limits.match_ms
            };
            self.looked_up += 1;
            self.at_signals += u64::from(signals.iter().any(near));
            let after =
                trade.closed.and_then(|exit| Some((exit.at_ms, after_exit(bars, exit.at_ms, options)?)));
            self.after.extend(after.map(|(at_ms, after)| ((coin.to_owned(), at_ms), after)));
        }
    }
}

/// Returns the opportunities of a day.
fn opportunities_of_review(
    market: &MarketSeries<'_>,
    day: Day,
    coin: &str,
    plan: &Plan,
) -> Vec<TimedOpportunity> {
    let Some(style) = plan.styles.first() else { return Vec::new() };
    let found = opportunities_of_day(&market.frame(day, 0), &style.opportunity, &plan.costs);
    let timed = |chance: &crate::signals::opportunities::Opportunity| {
        let (from, peak) = (market.bars.index_at(chance.start_ms), market.bars.index_at(chance.peak_ms));
        let entry = market.bars.open[from];
        let best = match chance.direction {
            Direction::Long => market.bars.high[peak] - entry,
            Direction::Short => entry - market.bars.low[peak],
        };
        TimedOpportunity {
            coin: coin.to_owned(),
            at_ms: chance.start_ms,
            potential_pct: 100.0 * best / entry,
        }
    };
    found.for_capture().iter().map(timed).collect()
}

/// Returns the extremes of the candles after an exit, once all of them are closed.
fn after_exit(bars: Bars<'_>, exit_ms: i64, options: &ReviewOptions) -> Option<AfterExit> {
    let end_ms = exit_ms + options.limits.after_exit_ms;
    let last_close_ms = bars.open_time.last()? + bars.interval.ms();
    if last_close_ms < end_ms || options.at_ms < end_ms {
        return None;
    }
    let to = bars.index_at(end_ms - bars.interval.ms() + 1);
    let candles = bars.slice(bars.index_at(exit_ms).min(to)..to);
    let high = candles.high.iter().copied().reduce(f64::max)?;
    Some(AfterExit { high, low: candles.low.iter().copied().reduce(f64::min)? })
}
