//! How old the newest candles of a run are, by the clock and beside each other, and whether the clock can be believed.
//!
//! The rules:
//! - a symbol is *stale* when its newest candle closed longer before the run than the limit (`data.stale_after`, at least two candles);
//! - it *lags* when it ends longer before the newest candle of all symbols than the limit, whatever the clock says;
//! - it has *vanished* when the last run of the profile had candles of it, this one was to read it and finds none;
//! - the clock is *behind* when candles begin more than five minutes after now, an earlier run began after it (see `clock`), or before 2020;
//! - it is *ahead* when the last run found fresh candles, candles came since, and yet the clock moved on by more than them and the
//!   limit.
//!
//! A wrong clock is named as such: by it no symbol is called stale. A run with `--timerange` that ends earlier is judged as of its end.

use std::collections::BTreeSet;

use super::clock::is_set_back;
use super::input_report::{InputReport, SymbolReport};
use super::issue_detail::{ClockReason, FUTURE};
use crate::decide::reason::HoldReason;
use crate::engine::plan::{AgeLimit, Plan};
use crate::model::{DAY_MS, Day, MINUTE_MS, Symbol};
use crate::run::file_summary::IssueNote;

/// No clock was ever right before this: 2020-01-01.
pub const CLOCK_MIN_MS: i64 = 1_577_836_800_000;
/// How far clocks may differ; ms.
pub const CLOCK_TOLERANCE_MS: i64 = 5 * MINUTE_MS;

/// Whether the clock can be believed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum ClockState {
    /// Nothing speaks against it.
    #[default]
    Sound,
    /// It is behind, or times are not what they say.
    Behind {
        /// What says so.
        reason: ClockReason,
        /// Whether candles were left out for it.
        left_out: bool,
    },
    /// It is far ahead of all candles, which were fresh before.
    Ahead {
        /// What says so.
        reason: ClockReason,
    },
}

impl ClockState {
    /// Returns the word of documents and of the last line.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Sound => "ok",
            Self::Behind { .. } => "behind",
            Self::Ahead { .. } => "ahead",
        }
    }

    /// Returns what speaks against it.
    pub fn reason(&self) -> Option<&ClockReason> {
        match self {
            Self::Sound => None,
            Self::Behind { reason, .. } | Self::Ahead { reason } => Some(reason),
        }
    }
}

/// How the newest candle of a symbol stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Age {
    /// Young enough.
    Fresh,
    /// Too old.
    Stale,
    /// Ends long before others.
    Lagging,
    /// Candles in the last run, none in this.
    Vanished,
}

impl Age {
    /// Returns the word of documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fresh => "fresh",
            Self::Stale => "stale",
            Self::Lagging => "lagging",
            Self::Vanished => "vanished",
        }
    }
}

/// A symbol of this run or the last one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SymbolAge {
    /// Its name.
    pub symbol: String,
    /// When its newest candle closed; UTC ms. `None` where there is none.
    pub newest_close_ms: Option<i64>,
    /// How it stands.
    pub age: Age,
}

/// How old the candles of a run are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Freshness {
    /// The instant that ages are counted from; UTC ms.
    pub as_of_ms: i64,
    /// Age from which a symbol is stale; ms.
    pub limit_ms: i64,
    /// The clock.
    pub clock: ClockState,
    /// Symbols with candles in order, then those that vanished.
    pub symbols: Vec<SymbolAge>,
    /// The run that had candles of those that vanished.
    pub last_run: Option<u64>,
}

/// What the last run of the profile was like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastRun {
    /// Its number.
    pub id: u64,
    /// When it began; UTC ms.
    pub started_at_ms: i64,
    /// Its symbols.
    pub symbols: Vec<String>,
    /// The last day with candles.
    pub last_day: Option<Day>,
}

/// What freshness is judged by besides the candles.
#[derive(Debug, Clone, Copy)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Surroundings<'a> {
    pub plan: &'a Plan,
    pub now_ms: i64,
    pub last_run: Option<&'a LastRun>,
    /// When the newest run of any profile began; UTC ms.
    pub newest_run_ms: Option<i64>,
}

impl Freshness {
    /// Judges the candles of a run.
    pub fn of(input: &InputReport, around: Surroundings<'_>) -> Self {
        let Surroundings { plan, now_ms, last_run, .. } = around;
        let as_of_ms = plan.days.end.map_or(now_ms, |day| day.start_ms().min(now_ms));
        let limit_ms = plan.age.stale_after_ms(plan.interval.ms());
        let newest_ms = input.symbols.iter().map(|symbol| symbol.newest_close_ms).max();
        let clock = judge_clock(input, around, newest_ms, limit_ms);
        let age = |symbol: &SymbolReport| {
            let lags = newest_ms.is_some_and(|newest| newest - symbol.newest_close_ms > limit_ms);
            let is_old = clock == ClockState::Sound && as_of_ms - symbol.newest_close_ms > limit_ms;
            match (lags, is_old) {
                (true, _) => Age::Lagging,
                (false, true) => Age::Stale,
                (false, false) => Age::Fresh,
            }
        };
        let mut symbols: Vec<SymbolAge> = input
            .symbols
            .iter()
            .map(|symbol| SymbolAge {
                symbol: symbol.name.clone(),
                newest_close_ms: Some(symbol.newest_close_ms),
                age: age(symbol),
            })
            .collect();
        let vanished = last_run.into_iter().flat_map(|last| vanished_symbols(last, input, plan));
        symbols.extend(vanished.map(|symbol| SymbolAge {
            symbol,
            newest_close_ms: None,
            age: Age::Vanished,
        }));
        Self { as_of_ms, limit_ms, clock, symbols, last_run: last_run.map(|last| last.id) }
    }

    /// Returns the symbols that stand so.
    pub fn of_age(&self, age: Age) -> impl Iterator<Item = &SymbolAge> {
        self.symbols.iter().filter(move |symbol| symbol.age == age)
    }

    /// Returns how many symbols have no candle as new as they should.
    pub fn stale(&self) -> usize {
        self.symbols.iter().filter(|symbol| symbol.age != Age::Fresh).count()
    }

    /// Returns whether somebody should be told.
    pub fn is_worth_telling(&self) -> bool {
        self.stale() > 0 || self.clock != ClockState::Sound
    }

    /// Returns whether no symbol has a candle as new as it should.
    pub fn is_all_stale(&self) -> bool {
        self.of_age(Age::Fresh).next().is_none()
    }

    /// Returns why nothing is to be adopted; `None` where that may be.
    pub fn holds_back(&self, limit: AgeLimit) -> Option<HoldReason> {
        match &self.clock {
            ClockState::Behind { left_out: true, .. } => Some(HoldReason::CandlesAhead),
            _ if limit.hold && self.is_all_stale() => Some(HoldReason::AllStale),
            _ => None,
        }
    }
}

fn vanished_symbols(last: &LastRun, input: &InputReport, plan: &Plan) -> Vec<String> {
    let there: BTreeSet<&str> = input.symbols.iter().map(|symbol| symbol.name.as_str()).collect();
    let asked = |name: &str| {
        plan.symbols.as_ref().is_none_or(|asked| asked.iter().map(Symbol::as_str).any(|asked| asked == name))
    };
    let gone = last.symbols.iter().filter(|name| !there.contains(name.as_str()) && asked(name));
    gone.cloned().collect()
}

fn judge_clock(
    input: &InputReport,
    around: Surroundings<'_>,
    newest_ms: Option<i64>,
    limit_ms: i64,
) -> ClockState {
    let Surroundings { now_ms, last_run, newest_run_ms, .. } = around;
    let notes = input.files.iter().flat_map(|file| file.issues.iter().map(move |issue| (file, issue)));
    let future: Vec<(&str, &IssueNote)> = notes
        .filter(|(_, issue)| issue.kind == FUTURE)
        .map(|(file, issue)| (file.identity.symbol.as_str(), issue))
        .collect();
    if let Some((symbol, first)) = future.first() {
        let symbols: BTreeSet<&str> = future.iter().map(|(symbol, _)| *symbol).collect();
        let reason = ClockReason::CandlesAhead {
            now_ms,
            count: future.iter().map(|(_, issue)| issue.count).sum(),
            symbol: (*symbol).to_owned(),
            others: symbols.len() as u64 - 1,
            first: Box::new(first.detail.clone()),
        };
        return ClockState::Behind { reason, left_out: true };
    }
    if now_ms < CLOCK_MIN_MS {
        return ClockState::Behind { reason: ClockReason::TooEarly { now_ms }, left_out: false };
    }
    if let Some(began_ms) = newest_run_ms.filter(|began| is_set_back(now_ms, *began)) {
        let reason = ClockReason::BeforeRun { now_ms, began_ms };
        return ClockState::Behind { reason, left_out: false };
    }
    let ahead =
        last_run.zip(newest_ms).and_then(|(last, newest)| clock_ahead(last, newest, now_ms, limit_ms));
    ahead.map_or(ClockState::Sound, |reason| ClockState::Ahead { reason })
}

fn clock_ahead(last: &LastRun, newest_ms: i64, now_ms: i64, limit_ms: i64) -> Option<ClockReason> {
    let before_ms = last.last_day?.end_ms();
    let was_fresh = last.started_at_ms - before_ms <= limit_ms;
    let (moved, progressed) = (now_ms - last.started_at_ms, newest_ms - before_ms);
    let candles_came = progressed > 0;
    (was_fresh && candles_came && now_ms - newest_ms > limit_ms && moved - progressed > limit_ms).then(|| {
        ClockReason::MovedOn {
            now_ms,
            days: moved / DAY_MS,
            candle_days: (progressed + DAY_MS - 1) / DAY_MS,
            run: last.id,
            newest_close_ms: newest_ms,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::engine::plan::DayLimits;
    use crate::fingerprint::Fingerprint;
    use crate::ingest::FileIdentity;
    use crate::model::Style;
    use crate::run::file_summary::FileNote;
    use crate::run::issue_detail::IssueDetail;

    /// 2025-06-01.
    const NOW: i64 = 1_748_736_000_000;
    const HOUR: i64 = 3_600_000;

    fn input(symbols: &[(&str, i64)]) -> InputReport {
        let symbol = |(name, hours): &(&str, i64)| SymbolReport {
            last_open: 0,
            name: (*name).to_owned(),
            candles: 1,
            days: None,
            issues: Vec::new(),
            closes: Vec::new(),
            fingerprint: Fingerprint([0; 32]),
            newest_close_ms: NOW - hours * HOUR,
        };
        InputReport { symbols: symbols.iter().map(symbol).collect(), ..InputReport::default() }
    }

    fn plan(text: &str) -> Plan {
        let config = Config::from_texts(&[("test".to_owned(), text.to_owned())]).expect("sound");
        config.plan(&Style::ALL, DayLimits::default()).expect("sound")
    }

    fn last(symbols: &[&str], days_before: i64) -> LastRun {
        LastRun {
            id: 7,
            started_at_ms: NOW - days_before * DAY_MS,
            symbols: symbols.iter().map(|name| (*name).to_owned()).collect(),
            last_day: Some(Day(Day::of(NOW - days_before * DAY_MS).0 - 1)),
        }
    }

    fn judged(
        input: &InputReport,
        text: &str,
        last_run: Option<&LastRun>,
        newest_run_ms: Option<i64>,
    ) -> Freshness {
        let plan = plan(text);
        Freshness::of(input, Surroundings { plan: &plan, now_ms: NOW, last_run, newest_run_ms })
    }

    fn ages(found: &Freshness) -> Vec<(&str, &'static str)> {
        found.symbols.iter().map(|symbol| (symbol.symbol.as_str(), symbol.age.as_str())).collect()
    }

    #[test]
    fn age_counts_from_the_run_and_from_the_others() {
        let found = judged(&input(&[("A", 1), ("B", 48), ("C", 49), ("D", 50)]), "", None, None);
        assert_eq!(ages(&found), [("A", "fresh"), ("B", "fresh"), ("C", "stale"), ("D", "lagging")]);
        assert_eq!((found.stale(), found.is_all_stale()), (2, false));
        let found = judged(&input(&[("A", 9000), ("B", 9001), ("C", 9100)]), "", None, None);
        assert_eq!(ages(&found), [("A", "stale"), ("B", "stale"), ("C", "lagging")]);
        assert!(found.is_all_stale() && found.is_worth_telling());
        let hourly = |stale_after: &str| {
            let found =
                judged(&input(&[("A", 5)]), &format!("data.stale_after = \"{stale_after}\""), None, None);
            found.stale()
        };
        assert_eq!([hourly("4h"), hourly("5h"), hourly("6h")], [1, 0, 0]);
        let daily =
            judged(&input(&[("A", 47)]), "[data]\nstale_after = \"1h\"\nbase_interval = \"1d\"", None, None);
        assert_eq!(daily.stale(), 0, "never less than two candles");
    }

    #[test]
    fn a_run_that_ends_earlier_is_judged_as_of_its_end() {
        let mut plan = plan("");
        let input = input(&[("A", 24 * 300)]);
        plan.days.end = Some(Day(Day::of(NOW).0 - 299));
        let around = Surroundings { plan: &plan, now_ms: NOW, last_run: None, newest_run_ms: None };
        assert_eq!(Freshness::of(&input, around).stale(), 0);
    }

    #[test]
    fn symbols_of_the_last_run_without_candles_are_named_unless_nobody_asked_for_them() {
        let last = last(&["A", "B", "C"], 1);
        let found = judged(&input(&[("A", 1)]), "", Some(&last), None);
        assert_eq!(ages(&found), [("A", "fresh"), ("B", "vanished"), ("C", "vanished")]);
        let asked = judged(&input(&[("A", 1)]), "data.symbols = [\"A\", \"B\"]", Some(&last), None);
        assert_eq!(ages(&asked), [("A", "fresh"), ("B", "vanished")]);
    }

    #[test]
    fn a_wrong_clock_is_named_and_not_the_candles() {
        let word = |found: &Freshness| (found.clock.as_str(), found.stale());
        let fresh = input(&[("A", 1)]);
        assert_eq!(word(&judged(&fresh, "", Some(&last(&["A"], 1)), Some(NOW - DAY_MS))), ("ok", 0));
        let back = judged(&input(&[("A", 900)]), "", None, Some(NOW + 30 * DAY_MS));
        assert_eq!(word(&back), ("behind", 0));
        assert_eq!(back.holds_back(AgeLimit::default()), None, "no candle was left out");
        assert_eq!(word(&judged(&fresh, "", None, Some(NOW + CLOCK_TOLERANCE_MS))), ("ok", 0));
        // The last run was a year ago by the clock, the candles moved on by a day.
        let old = last(&["A"], 365);
        let moved = input(&[("A", 24 * 364)]);
        assert_eq!(word(&judged(&moved, "", Some(&old), None)), ("ahead", 0));
        // Nothing came since: the download has stopped.
        let stopped = input(&[("A", 24 * 365)]);
        assert_eq!(word(&judged(&stopped, "", Some(&old), None)), ("ok", 1));
        let mut future = input(&[("A", 1)]);
        future.files.push(FileNote {
            identity: FileIdentity {
                path: "A.csv".to_owned(),
                entry: None,
                symbol: "A".to_owned(),
                hash: String::new(),
            },
            rejected: None,
            issues: vec![IssueNote {
                kind: FUTURE.to_owned(),
                count: 3,
                line: None,
                detail: IssueDetail::Told("the last of 2026".to_owned()),
            }],
        });
        let behind = judged(&future, "", None, None);
        assert_eq!(word(&behind), ("behind", 0));
        let reason = behind.clock.reason().expect("a reason").to_string();
        assert!(reason.contains("3 candles of A begin later: the last of 2026"), "{reason}");
        assert!(behind.holds_back(AgeLimit::default()).is_some());
    }

    #[test]
    fn stale_candles_hold_back_where_that_is_asked_for() {
        let hold = plan("decide.stale_data = \"hold\"").age;
        assert_eq!((plan("").age.hold, hold.hold), (false, true));
        let all = judged(&input(&[("A", 900), ("B", 901)]), "", None, None);
        let some = judged(&input(&[("A", 900), ("B", 1)]), "", None, None);
        assert!(all.holds_back(hold).is_some() && all.holds_back(AgeLimit::default()).is_none());
        assert!(some.holds_back(hold).is_none());
    }
}
