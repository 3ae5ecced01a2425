//! Trades of a parameter set, and entries with all that was known at them.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use super::Listed;
use crate::documents::document::{Document, number, parameters_object};
use crate::documents::listing::{Cell, ColumnKind, Listing};
use crate::model::{Direction, Outcome, ParameterSet, Setup, rfc3339};
use crate::run::deep_validation::SetTrade;
use crate::run::entry_list::{EntryList, ListedEntry};

/// What became of an entry.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct EntryPart {
    /// The symbol.
    pub symbol: String,
    /// long or short.
    pub direction: String,
    /// Kind of entry.
    pub setup: String,
    /// Open of the entry candle, at which it is entered.
    pub entry_at: String,
    /// End of the candle in which it is closed.
    pub exit_at: String,
    /// Candles held.
    pub bars: u16,
    /// Why it was closed.
    pub exit: String,
    /// Net of all costs, in percent of the entry price.
    pub net_pct: f64,
    /// Before all costs.
    pub gross_pct: f64,
    /// Whether the order of the extremes inside the exit candle decides on the result.
    pub ambiguous: bool,
}

impl EntryPart {
    fn new(
        symbol: &str,
        (entry_ms, exit_ms): (i64, i64),
        direction: Direction,
        setup: Setup,
        outcome: &Outcome,
    ) -> Self {
        let direction = if direction == Direction::Long { "long" } else { "short" };
        Self {
            symbol: symbol.to_owned(),
            direction: direction.to_owned(),
            setup: setup.as_str().to_owned(),
            entry_at: rfc3339(entry_ms),
            exit_at: rfc3339(exit_ms),
            bars: outcome.bars_held,
            exit: outcome.reason.as_str().to_owned(),
            net_pct: outcome.net.percent(),
            gross_pct: outcome.gross.percent(),
            ambiguous: outcome.ambiguous,
        }
    }
}

/// The trades of a parameter set of a run, each by itself.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct InspectSetTradesDocument {
    /// The profile.
    pub profile: String,
    /// The run.
    pub run: u64,
    /// The style.
    pub style: String,
    /// Rank of the set among the trials of the run.
    pub rank: u32,
    /// The parameters.
    pub parameters: Map<String, Value>,
    /// Its trades, in order of entry, then symbol.
    pub trades: Vec<SetTradePart>,
}

/// A trade of a set.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct SetTradePart {
    /// What became of it.
    #[serde(flatten)]
    pub entry: EntryPart,
    /// Whether the portfolio simulation of the run takes it; other positions may be in its way.
    pub in_portfolio: bool,
}

impl Document for InspectSetTradesDocument {
    const KIND: &'static str = "inspect_set_trades";
}

impl InspectSetTradesDocument {
    /// Returns the document of the trades of a set.
    pub fn new(
        profile: &str,
        (run, style, rank): (u64, &str, u32),
        set: &ParameterSet,
        trades: &[SetTrade],
    ) -> Self {
        let part = |trade: &SetTrade| SetTradePart {
            entry: EntryPart::new(
                &trade.symbol,
                (trade.entry_ms, trade.exit_ms),
                trade.direction,
                trade.setup,
                &trade.outcome,
            ),
            in_portfolio: trade.in_portfolio,
        };
        Self {
            profile: profile.to_owned(),
            run,
            style: style.to_owned(),
            rank,
            parameters: parameters_object(set),
            trades: trades.iter().map(part).collect(),
        }
    }
}

impl Listed for InspectSetTradesDocument {
    fn listing(&self) -> Listing {
        let yes = |is: bool| Cell::text(if is { "yes" } else { "no" });
        Listing::of(&self.trades)
            .column("symbol", "Symbol", ColumnKind::Text, |trade| Cell::text(trade.entry.symbol.as_str()))
            .column("direction", "Side", ColumnKind::Text, |trade| Cell::text(trade.entry.direction.as_str()))
            .column("entry_at", "Entry", ColumnKind::Text, |trade| Cell::instant(&trade.entry.entry_at))
            .column("exit_at", "Closed by", ColumnKind::Text, |trade| Cell::instant(&trade.entry.exit_at))
            .column("bars", "Candles", ColumnKind::Number, |trade| Cell::count(trade.entry.bars.into()))
            .column("exit", "Exit", ColumnKind::Text, |trade| Cell::text(trade.entry.exit.as_str()))
            .column("net_pct", "Net %", ColumnKind::Number, |trade| {
                Cell::number(Some(trade.entry.net_pct), 3)
            })
            .column("gross_pct", "Gross %", ColumnKind::Number, |trade| {
                Cell::number(Some(trade.entry.gross_pct), 3)
            })
            .column("in_portfolio", "In portfolio", ColumnKind::Text, |trade| yes(trade.in_portfolio))
            .more("setup", "Setup", ColumnKind::Text, |trade| Cell::text(trade.entry.setup.as_str()))
            .more("ambiguous", "Ambiguous", ColumnKind::Text, |trade| yes(trade.entry.ambiguous))
            .done()
    }
}

/// Every entry of a style, with all that was known at it and what an exit rule makes of it.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct InspectSignalsDocument {
    /// The style.
    pub style: String,
    /// The exit rule, by its axes.
    pub exits: Map<String, Value>,
    /// Names of the values, as filters name them.
    pub columns: Vec<String>,
    /// Entries, by symbol and time.
    pub entries: Vec<SignalPart>,
    /// Entries whose outcome is not known yet.
    pub pending: u64,
    /// Entries that come to nothing: at a gap, before there is an ATR, across a change of the price's scale.
    pub lost: u64,
}

/// An entry with what was known.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct SignalPart {
    /// What became of it.
    #[serde(flatten)]
    pub entry: EntryPart,
    /// One per column; null where not defined.
    pub values: Vec<Option<f64>>,
}

impl Document for InspectSignalsDocument {
    const KIND: &'static str = "inspect_signals";
}

impl InspectSignalsDocument {
    /// Returns the document of entries under the exit rule of a set.
    pub fn new(style: &str, set: &ParameterSet, list: &EntryList) -> Self {
        let part = |entry: &ListedEntry| SignalPart {
            entry: EntryPart::new(
                entry.symbol.as_str(),
                (entry.signal.entry_ms, entry.exit_ms),
                entry.signal.direction,
                entry.signal.setup,
                &entry.outcome,
            ),
            values: entry.values.iter().map(|value| Some(*value).filter(|value| value.is_finite())).collect(),
        };
        Self {
            style: style.to_owned(),
            exits: set.exit.values().map(|(key, value)| (key.to_owned(), number(value))).collect(),
            columns: list.columns.clone(),
            entries: list.entries.iter().map(part).collect(),
            pending: list.pending,
            lost: list.lost.all(),
        }
    }
}

impl Listed for InspectSignalsDocument {
    fn listing(&self) -> Listing {
        let begun = Listing::of(&self.entries)
            .column("symbol", "Symbol", ColumnKind::Text, |entry| Cell::text(entry.entry.symbol.as_str()))
            .column("direction", "Side", ColumnKind::Text, |entry| Cell::text(entry.entry.direction.as_str()))
            .column("setup", "Setup", ColumnKind::Text, |entry| Cell::text(entry.entry.setup.as_str()))
            .column("entry_at", "Entry", ColumnKind::Text, |entry| Cell::instant(&entry.entry.entry_at))
            .column("exit_at", "Closed by", ColumnKind::Text, |entry| Cell::instant(&entry.entry.exit_at))
            .column("bars", "Candles", ColumnKind::Number, |entry| Cell::count(entry.entry.bars.into()))
            .column("exit", "Exit", ColumnKind::Text, |entry| Cell::text(entry.entry.exit.as_str()))
            .column("net_pct", "Net %", ColumnKind::Number, |entry| {
                Cell::number(Some(entry.entry.net_pct), 3)
            })
            .more("gross_pct", "Gross %", ColumnKind::Number, |entry| {
                Cell::number(Some(entry.entry.gross_pct), 3)
            });
        let columns = self.columns.iter().enumerate();
        let with_values = columns.fold(begun, |listing, (place, name)| {
            listing.more(name, name, ColumnKind::Number, move |entry| Cell::number(entry.values[place], 4))
        });
        with_values.done()
    }
}
