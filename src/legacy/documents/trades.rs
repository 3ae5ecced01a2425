//! What the bot's own trades say: pauses after losses, entries and exits.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::Serialize;

use crate::documents::document::Document;
use crate::legacy::review::{TradeRecord, TradeReview};
use crate::legacy::rules::cooldown::{CooldownStatus, PauseLevel, PauseState, pause_reason};
use crate::legacy::rules::pauses::PauseStanding;
use crate::legacy::rules::timing::{EntryVerdict, ExitVerdict, TimingAnalysis, TimingLesson};
use crate::model::rfc3339;
use crate::render::text::prose::{count_of, minute_text, wrap_sentence};
use crate::render::text::table::text_table;

/// Missed opportunities shown in the text; the document has those that are kept.
const MISSED_SHOWN: usize = 5;

/// A review of the trades a bot made.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct InspectTradesDocument {
    pub file: String,
    /// The instant of the review; what happened later is not looked at.
    pub reviewed_at: String,
    pub trades: u64,
    pub open: u64,
    /// Whether to go on, all coins together.
    pub all: TradeRecordPart,
    /// Coin by coin.
    pub coins: BTreeMap<String, TradeRecordPart>,
    pub entries: EntriesPart,
    pub exits: ExitsPart,
    /// Null where none are known: without candles and without a file of them.
    pub opportunities: Option<OpportunitiesPart>,
    /// Null without candles.
    pub signals: Option<TradeSignalsPart>,
    /// Coins without candles.
    pub without_candles: Vec<String>,
    pub lessons: Vec<String>,
}

impl Document for InspectTradesDocument {
    const KIND: &'static str = "inspect_trades";
}

/// Some trades and whether to go on.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct TradeRecordPart {
    pub closed: u64,
    pub losses: u64,
    /// In account currency.
    pub profit: f64,
    /// `trade`, or `pause` while a pause holds.
    pub state: String,
    /// Level of the pause, 1 to 3; the last one's where it is over.
    pub pause_level: Option<u8>,
    pub pause_since: Option<String>,
    pub pause_until: Option<String>,
    /// Whole minutes left; null where trading is allowed.
    pub minutes_left: Option<i64>,
    /// Pauses begun by these trades.
    pub pauses: u64,
    /// Why that pause began; empty without one.
    pub cause: String,
    /// What is to be said now, in the legacy's words; empty where that is nothing.
    pub reason: String,
}

/// What entries were worth.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct EntriesPart {
    /// Closed with a profit.
    pub correct: u64,
    /// Closed with a clear loss.
    pub false_signal: u64,
    /// Closed near nothing: right idea, wrong moment.
    pub timing_issue: u64,
    /// Open, with a high score and three confirmations.
    pub strong: u64,
    /// Open, with a good score and two.
    pub moderate: u64,
    /// Open, with less.
    pub weak: u64,
}

/// What exits were worth.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ExitsPart {
    /// Nothing to object to.
    pub optimal: u64,
    /// The move went on well after the target.
    pub premature: u64,
    /// The stop lost much and the move went on against the trade.
    pub delayed: u64,
    /// Closed, but the prices after the exit are not known.
    pub unknown: u64,
}

/// What could have been taken.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct OpportunitiesPart {
    /// Those a trade was opened at.
    pub captured: u64,
    /// The others.
    pub missed: u64,
    /// The largest of the others.
    pub largest_missed: Vec<MissedPart>,
}

/// An opportunity that no trade was opened at.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct MissedPart {
    pub coin: String,
    pub at: String,
    pub potential_pct: f64,
}

/// Trades against the signals of this program.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct TradeSignalsPart {
    /// Trades opened where one stood, on the same side.
    pub at_a_signal: u64,
    /// Trades of coins with candles.
    pub trades: u64,
}

impl TradeRecordPart {
    /// Returns what pause holds and why; `None` without one.
    fn pause(&self, name: &str) -> Option<String> {
        let (level, since, until) =
            (self.pause_level?, self.pause_since.as_ref()?, self.pause_until.as_ref()?);
        self.minutes_left?;
        let (since, until) = (minute_text(since), minute_text(until));
        Some(wrap_sentence("", &format!("{name}: level {level} pause {since} to {until}: {}", self.cause)))
    }
}

impl From<&TradeRecord> for TradeRecordPart {
    fn from(record: &TradeRecord) -> Self {
        let TradeRecord { closed, losses, profit, standing } = record;
        let pause = standing.pause.map(|(pause, _)| pause);
        let minutes_left = minutes_left(standing);
        Self {
            closed: *closed,
            losses: *losses,
            profit: *profit,
            state: if minutes_left.is_some() { "pause" } else { "trade" }.to_owned(),
            pause_level: pause.map(|pause| pause.level.number()),
            pause_since: pause.map(|pause| rfc3339(pause.began_ms)),
            pause_until: pause.map(|pause| rfc3339(pause.until_ms)),
            minutes_left,
            pauses: standing.begun,
            cause: cause(&standing.cause),
            reason: reason(standing),
        }
    }
}

/// Returns which losses began a pause.
fn cause(cooldown: &CooldownStatus) -> String {
    match *cooldown {
        CooldownStatus::Pause { level: PauseLevel::One, amount, recent_losses, .. } => {
            format!("{recent_losses} of the last 5 trades lost, {amount:.2} with the last 3 losses")
        }
        CooldownStatus::Pause { share, hours, .. } => {
            format!("the last 3 losses took {:.1} % of the account in {hours:.1} hours", 100.0 * share)
        }
        CooldownStatus::Quiet
        | CooldownStatus::ToleratedVolatile { .. }
        | CooldownStatus::ToleratedSmall { .. } => String::new(),
    }
}

fn minutes_left(standing: &PauseStanding) -> Option<i64> {
    match standing.pause {
        Some((_, PauseState::Paused { minutes })) => Some(minutes),
        _ => None,
    }
}

fn reason(standing: &PauseStanding) -> String {
    match (standing.pause, minutes_left(standing)) {
        (Some((pause, _)), Some(minutes)) => pause_reason(pause.level, minutes),
        _ => match standing.last {
            CooldownStatus::Pause { .. } => String::new(),
            last => last.reason(),
        },
    }
}

impl InspectTradesDocument {
    /// Returns the document of a review.
    pub fn new(file: String, at_ms: i64, review: &TradeReview) -> Self {
        let timing = &review.timing;
        let entries = |verdict| timing.entry_count(verdict);
        let exits = |verdict| timing.exit_count(verdict);
        let closed = timing.entries.iter().filter(|verdict| {
            matches!(verdict, EntryVerdict::Correct | EntryVerdict::FalseSignal | EntryVerdict::TimingIssue)
        });
        let judged = timing.exits.iter().flatten().count() as u64;
        Self {
            file,
            reviewed_at: rfc3339(at_ms),
            trades: review.trades,
            open: review.open,
            all: TradeRecordPart::from(&review.all),
            coins: review.coins.iter().map(|(coin, record)| (coin.clone(), record.into())).collect(),
            entries: EntriesPart {
                correct: entries(EntryVerdict::Correct),
                false_signal: entries(EntryVerdict::FalseSignal),
                timing_issue: entries(EntryVerdict::TimingIssue),
                strong: entries(EntryVerdict::Strong),
                moderate: entries(EntryVerdict::Moderate),
                weak: entries(EntryVerdict::Weak),
            },
            exits: ExitsPart {
                optimal: exits(ExitVerdict::Optimal),
                premature: exits(ExitVerdict::Premature),
                delayed: exits(ExitVerdict::Delayed),
                unknown: closed.count() as u64 - judged,
            },
            opportunities: opportunities(review),
            signals: review.at_signals.map(|(at_a_signal, trades)| TradeSignalsPart { at_a_signal, trades }),
            without_candles: review.without_candles.iter().cloned().collect(),
            lessons: lessons(timing, review.opportunities.is_some()),
        }
    }

    /// Returns the document as text for people.
    pub fn text(&self) -> String {
        let mut text = wrap_sentence(
            "",
            &format!(
                "{}: {}, {} of them open; as of {} UTC",
                self.file,
                count_of(self.trades, "trade"),
                self.open,
                minute_text(&self.reviewed_at)
            ),
        );
        let _ = writeln!(text, "\n{}", self.records());
        let coins = self.coins.iter().map(|(coin, part)| (coin.as_str(), part));
        text.extend(
            [("all", &self.all)].into_iter().chain(coins).filter_map(|(name, part)| part.pause(name)),
        );
        let EntriesPart { correct, false_signal, timing_issue, strong, moderate, weak } = &self.entries;
        let _ = writeln!(
            text,
            "\nentries: {correct} correct, {}, {timing_issue} at the wrong moment; open: {strong} strong, \
             {moderate} moderate, {weak} weak",
            count_of(*false_signal, "false signal")
        );
        let ExitsPart { optimal, premature, delayed, unknown } = &self.exits;
        let _ = writeln!(
            text,
            "exits: {optimal} optimal, {premature} premature, {delayed} delayed, {unknown} with unknown prices \
             afterwards"
        );
        if let Some(TradeSignalsPart { at_a_signal, trades }) = &self.signals {
            let _ = writeln!(text, "signals: {at_a_signal} of {trades} trades were opened at one");
        }
        match &self.opportunities {
            Some(part) => text += &part.text(),
            None => text += "opportunities: not known; --data PATH finds them in candles\n",
        }
        if self.signals.is_some() && !self.without_candles.is_empty() {
            text += &wrap_sentence("no candles of: ", &self.without_candles.join(", "));
        }
        text.extend(self.lessons.iter().map(|lesson| wrap_sentence("  - ", lesson)));
        text
    }

    fn records(&self) -> String {
        let all = ("all".to_owned(), &self.all);
        let coins = self.coins.iter().map(|(coin, part)| (coin.clone(), part));
        let row = |(name, part): (String, &TradeRecordPart)| {
            let until = part.pause_until.as_deref().filter(|_| part.minutes_left.is_some());
            vec![
                name,
                part.closed.to_string(),
                part.losses.to_string(),
                format!("{:.2}", part.profit),
                part.pauses.to_string(),
                part.state.clone(),
                until.map_or_else(|| "-".to_owned(), minute_text),
                part.reason.clone(),
            ]
        };
        let rows: Vec<Vec<String>> = [all].into_iter().chain(coins).map(row).collect();
        text_table(&["", "Closed", "Losses", "Profit", "Pauses", "Now", "Until", ""], &rows)
    }
}

impl OpportunitiesPart {
    fn text(&self) -> String {
        let mut text = format!("opportunities: {} captured, {} missed\n", self.captured, self.missed);
        let row = |part: &MissedPart| {
            vec![part.coin.clone(), minute_text(&part.at), format!("{:.2}", part.potential_pct)]
        };
        let rows: Vec<Vec<String>> = self.largest_missed.iter().take(MISSED_SHOWN).map(row).collect();
        if !rows.is_empty() {
            let _ = writeln!(text, "{}", text_table(&["Missed", "At", "Potential %"], &rows));
        }
        text
    }
}

fn opportunities(review: &TradeReview) -> Option<OpportunitiesPart> {
    let all = review.opportunities.as_ref()?;
    let missed = |place: &usize| MissedPart {
        coin: all[*place].coin.clone(),
        at: rfc3339(all[*place].at_ms),
        potential_pct: all[*place].potential_pct,
    };
    Some(OpportunitiesPart {
        captured: review.timing.captured.len() as u64,
        missed: review.timing.missed_count,
        largest_missed: review.timing.missed.iter().map(missed).collect(),
    })
}

fn lessons(timing: &TimingAnalysis, with_opportunities: bool) -> Vec<String> {
    let percent = |share: f64| format!("{:.0} %", 100.0 * share);
    let lesson = |lesson: TimingLesson| match lesson {
        TimingLesson::FalseSignals(share) => {
            Some(format!("{} of the entries were false signals", percent(share)))
        }
        TimingLesson::ManyMissed(share) => {
            with_opportunities.then(|| format!("{} of the opportunities were missed", percent(share)))
        }
        TimingLesson::TimingIssues(count) => {
            Some(format!("{} came to next to nothing: right idea, wrong moment", count_of(count, "trade")))
        }
        TimingLesson::PrematureExits(share) => {
            Some(format!("{} of the exits judged were premature: let profits run further", percent(share)))
        }
        TimingLesson::GoodExits(share) => {
            Some(format!("{} of the exits judged were optimal", percent(share)))
        }
    };
    timing.lessons().into_iter().filter_map(lesson).collect()
}
