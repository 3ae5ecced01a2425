//! What can be reused of earlier runs, and why the rest is evaluated.
//!
//! A unit's key covers everything its content depends on: the stages' version, the candles of its look-back and of
//! its horizon, the day's signals where they are given, the longest holding time, the costs. A context says which columns and exit rules it holds. Equal keys
//! and enough context: reuse. Equal keys and missing rules: only those are evaluated. Anything else: evaluate, with
//! the reason.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::engine::day::StyleDay;
use crate::engine::plan::{Plan, STAGES_VERSION, StylePlan};
use crate::engine::projection::SchemaProjection;
use crate::engine::unit::{Unit, sealing_candle};
use crate::engine::unit_schema::UnitSchema;
use crate::exits::Costs;
use crate::features::frame::lookback_days;
use crate::fingerprint::{Canonical, Fingerprint};
use crate::model::{Day, EXIT_AXES, ExitRule, Symbol};
use crate::signals::opportunities::OpportunityRule;

/// Why a unit was evaluated, with what changed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Reason {
    /// It was never evaluated.
    New,
    /// The user asked for everything (`--full`).
    Forced,
    /// It was evaluated once, and evicted since.
    Evicted,
    /// Its row did not verify, or a sample of its symbol's did not repeat.
    Corrupt,
    /// A newer program computes differently.
    Stage {
        /// Version that evaluated it.
        old: u64,
        /// Version now.
        new: u64,
    },
    /// Candles of the day or its look-back changed.
    Candles {
        /// Fingerprint of look-back and version then.
        old: Fingerprint,
        /// The same now.
        new: Fingerprint,
    },
    /// The user's signals of the day changed.
    Signals {
        /// Fingerprint of the day's rows then; `None` where signals were derived.
        old: Option<Fingerprint>,
        /// The same now.
        new: Option<Fingerprint>,
    },
    /// The candles that its longest trade needs are there now.
    Completed,
    /// Candles of the horizon changed.
    LaterCandles {
        /// Fingerprint of the horizon then.
        old: Fingerprint,
        /// The same now.
        new: Fingerprint,
    },
    /// The longest holding time changed, and with it which days are complete.
    Horizon {
        /// Candles then.
        old: u32,
        /// Candles now.
        new: u32,
    },
    /// Fees, slippage or funding changed.
    Costs {
        /// Fingerprint of the costs then.
        old: Fingerprint,
        /// The same now.
        new: Fingerprint,
    },
    /// A filter dimension reads a column that was not kept.
    Columns {
        /// Columns missing.
        missing: Vec<String>,
    },
    /// Exit rules were added; only their outcomes are evaluated.
    ExitRules {
        /// Rules missing.
        missing: usize,
    },
}

impl Reason {
    /// Returns the name used in documents.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Forced => "forced",
            Self::Evicted => "evicted",
            Self::Corrupt => "corrupt",
            Self::Stage { .. } => "stage_version",
            Self::Candles { .. } => "candles_changed",
            Self::Signals { .. } => "signals_changed",
            Self::Completed => "completed",
            Self::LaterCandles { .. } => "later_candles_changed",
            Self::Horizon { .. } => "horizon_changed",
            Self::Costs { .. } => "costs_changed",
            Self::Columns { .. } => "columns_added",
            Self::ExitRules { .. } => "exit_rules_added",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::New => write!(f, "never evaluated before"),
            Self::Forced => write!(f, "evaluated on request (--full)"),
            Self::Evicted => write!(f, "had been evicted from the cache"),
            Self::Corrupt => write!(f, "its cached result did not verify"),
            Self::Stage { old, new } => write!(f, "the computation changed: version {old} -> {new}"),
            Self::Candles { old, new } => {
                write!(f, "candles of the day or its look-back changed: {old} -> {new}")
            }
            Self::Signals { old, new } => {
                let show = |print: &Option<Fingerprint>| {
                    print.map_or_else(|| "derived".to_owned(), |print| print.to_string())
                };
                write!(f, "signals of the day changed: {} -> {}", show(old), show(new))
            }
            Self::Completed => write!(f, "the candles of its longest trade are complete now"),
            Self::LaterCandles { old, new } => write!(f, "candles of its horizon changed: {old} -> {new}"),
            Self::Horizon { old, new } => {
                write!(f, "the longest holding time changed: {old} -> {new} candles")
            }
            Self::Costs { old, new } => write!(f, "costs changed: {old} -> {new}"),
            Self::Columns { missing } => write!(f, "new filter columns: {}", missing.join(", ")),
            Self::ExitRules { missing } => write!(f, "{missing} new exit rules; only those were evaluated"),
        }
    }
}

/// What a unit's content depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnitKeys {
    /// Version of the stages.
    pub stages: u64,
    /// Candles of [day - look-back, day].
    pub candles: Fingerprint,
    /// Candles of the horizon, and whether the day is sealed.
    pub ahead: Fingerprint,
    /// Whether the day is sealed.
    pub sealed: bool,
    /// Longest holding time; candles.
    pub horizon_bars: u32,
    /// Costs of the symbol's trades, and what counts as an opportunity.
    pub costs: Fingerprint,
    /// The day's given signals; `None` where signals are derived.
    pub signals: Option<Fingerprint>,
}

/// The candles of a symbol, day by day, as fingerprints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayPrints {
    first: Day,
    prints: Vec<Option<Fingerprint>>,
    last_open: i64,
    stopped: bool,
}

impl DayPrints {
    /// Returns the prints of ascending days; `last_open` is the open time of the very last candle.
    pub fn new(days: &[(Day, Fingerprint)], last_open: i64) -> Self {
        let first = days.first().map_or(Day(0), |(day, _)| *day);
        let length = days.last().map_or(0, |(day, _)| (day.0 - first.0 + 1) as usize);
        let mut prints = vec![None; length];
        for (day, print) in days {
            prints[(day.0 - first.0) as usize] = Some(*print);
        }
        Self { first, prints, last_open, stopped: false }
    }

    /// Returns the prints of a symbol that has stopped, or not.
    pub fn stopped(self, stopped: bool) -> Self {
        Self { stopped, ..self }
    }

    /// Returns the open time of the very last candle.
    pub fn last_open(&self) -> i64 {
        self.last_open
    }

    /// Returns whether the symbol has stopped.
    pub fn is_stopped(&self) -> bool {
        self.stopped
    }

    /// Adds the prints of days first..=last to a hash; days without candles count as such.
    fn hash(&self, hash: Canonical, first: i32, last: i32) -> Fingerprint {
        let print = |day: i32| {
            let index = usize::try_from(day - self.first.0).ok();
            index.and_then(|index| self.prints.get(index)).copied().flatten()
        };
        hash.sequence((first..=last).map(print)).finish()
    }

    /// Returns the fingerprint of a day's candles and those of its look-back.
    pub fn candles(&self, day: Day, plan: &Plan) -> Fingerprint {
        let hash = Canonical::new("retune unit candles v1").signed(plan.interval.ms());
        self.hash(hash, day.0 - lookback_days(plan.interval), day.0)
    }

    /// Returns the keys of a unit of derived signals; `candles` is that of the day, `costs` that of symbol and style.
    pub fn keys(
        &self,
        day: Day,
        style: &StylePlan,
        plan: &Plan,
        candles: Fingerprint,
        costs: Fingerprint,
    ) -> UnitKeys {
        let sealed = self.stopped || self.last_open >= sealing_candle(day, style, plan.interval.ms());
        let ahead = Canonical::new("retune unit horizon v1").count(u64::from(sealed));
        UnitKeys {
            stages: STAGES_VERSION,
            candles,
            ahead: self.hash(ahead, day.0 + 1, day.0 + style.horizon_days(plan.interval)),
            sealed,
            horizon_bars: style.exits.hold_bars_max() as u32,
            costs,
            signals: None,
        }
    }
}

/// Returns the fingerprint of what a symbol's trades cost and what is an opportunity.
pub fn costs_fingerprint(costs: &Costs, symbol: &Symbol, style: &StylePlan) -> Fingerprint {
    let OpportunityRule { stop_atr, reward_min, horizon_bars } = style.opportunity;
    let own = costs.of(symbol);
    let hash = Canonical::new("retune unit costs v1")
        .floats(&own.parts())
        .float(costs.taker_round_trip())
        .floats(&[stop_atr, reward_min])
        .count(horizon_bars as u64);
    own.fills().hashed(hash).finish()
}

/// What is to be done with a unit.
#[derive(Debug, Clone, PartialEq)]
pub enum ReuseDecision {
    /// Take it as it is.
    Reuse(StyleDay),
    /// Evaluate the rules it lacks.
    Extend(Arc<UnitSchema>, Reason),
    /// Evaluate it.
    Evaluate(Reason),
}

/// Bytes of the keys in front of a stored unit.
const KEYS_BYTES: usize = 8 + 32 + 32 + 1 + 4 + 32 + 32;
/// Flags of a row: the day is sealed; the fingerprint of given signals stands behind the keys.
const SEALED: u8 = 1;
const GIVEN: u8 = 2;

/// Returns a unit's row: keys, fingerprint of the context, unit.
pub fn encode_unit_row(keys: &UnitKeys, context: Fingerprint, unit: &Unit) -> Vec<u8> {
    let UnitKeys { stages, candles, ahead, sealed, horizon_bars, costs, signals } = keys;
    let mut bytes = Vec::with_capacity(KEYS_BYTES + 4096);
    bytes.extend(stages.to_le_bytes());
    bytes.extend(candles.0);
    bytes.extend(ahead.0);
    let flags = [(*sealed, SEALED), (signals.is_some(), GIVEN)];
    bytes.push(flags.into_iter().filter(|(set, _)| *set).map(|(_, flag)| flag).sum());
    bytes.extend(horizon_bars.to_le_bytes());
    bytes.extend(costs.0);
    bytes.extend(context.0);
    bytes.extend(signals.iter().flat_map(|print| print.0));
    unit.encode(&mut bytes);
    bytes
}

pub(super) struct CachedRow<'a> {
    pub(super) keys: UnitKeys,
    pub(super) context: Fingerprint,
    pub(super) unit: &'a [u8],
}

pub(super) fn decode_unit_row(row: &[u8]) -> Option<CachedRow<'_>> {
    let (head, unit) = row.split_at_checked(KEYS_BYTES)?;
    let print = |at: usize| head[at..at + 32].try_into().ok().map(Fingerprint);
    let flags = Some(head[72]).filter(|flags| flags & !(SEALED | GIVEN) == 0)?;
    let (signals, unit) = match flags & GIVEN {
        0 => (None, unit),
        _ => unit.split_first_chunk().map(|(print, unit)| (Some(Fingerprint(*print)), unit))?,
    };
    let keys = UnitKeys {
        stages: u64::from_le_bytes(head[..8].try_into().ok()?),
        candles: print(8)?,
        ahead: print(40)?,
        sealed: flags & SEALED != 0,
        horizon_bars: u32::from_le_bytes(head[73..77].try_into().ok()?),
        costs: print(77)?,
        signals,
    };
    Some(CachedRow { keys, context: print(109)?, unit })
}

/// Returns the unit in a row with its context, or `None` when the row is not sound.
pub fn unit_of(
    row: &[u8],
    context_of: impl Fn(Fingerprint) -> Option<Arc<UnitSchema>>,
) -> Option<(Unit, Arc<UnitSchema>)> {
    let row = decode_unit_row(row)?;
    let context = context_of(row.context)?;
    Some((Unit::decode(row.unit, &context)?, context))
}

/// Decides what to do with a cached row for the present keys and plan.
///
/// The checks go from the widest cause to the narrowest, so that the reason names what the user would name.
pub fn decide_reuse<'f>(
    row: &[u8],
    keys: &UnitKeys,
    style: &StylePlan,
    fit_of: impl FnOnce(Fingerprint) -> Option<&'f SchemaProjection>,
) -> ReuseDecision {
    let Some(CachedRow { keys: old, context, unit }) = decode_unit_row(row) else {
        return ReuseDecision::Evaluate(Reason::Corrupt);
    };
    if let Some(reason) = changed(&old, keys) {
        return ReuseDecision::Evaluate(reason);
    }
    let Some(fit) = fit_of(context) else { return ReuseDecision::Evaluate(Reason::Corrupt) };
    if !fit.missing_columns().is_empty() {
        return ReuseDecision::Evaluate(Reason::Columns { missing: fit.missing_columns().to_vec() });
    }
    let treatment = match fit.missing_rules() {
        0 => fit.style_day(unit, style).map(ReuseDecision::Reuse),
        missing => Unit::is_one(unit, &fit.context)
            .then(|| ReuseDecision::Extend(fit.context.clone(), Reason::ExitRules { missing })),
    };
    treatment.unwrap_or(ReuseDecision::Evaluate(Reason::Corrupt))
}

fn changed(old: &UnitKeys, new: &UnitKeys) -> Option<Reason> {
    let UnitKeys { stages, candles, ahead, sealed, horizon_bars, costs, signals } = *new;
    if old.stages != stages {
        return Some(Reason::Stage { old: old.stages, new: stages });
    }
    if old.candles != candles {
        return Some(Reason::Candles { old: old.candles, new: candles });
    }
    if old.signals != signals {
        return Some(Reason::Signals { old: old.signals, new: signals });
    }
    if old.horizon_bars != horizon_bars {
        return Some(Reason::Horizon { old: old.horizon_bars, new: horizon_bars });
    }
    if old.costs != costs {
        return Some(Reason::Costs { old: old.costs, new: costs });
    }
    // An unsealed unit holds counts only; more candles that do not seal it change nothing in it.
    if !old.sealed && !sealed {
        return None;
    }
    if old.ahead != ahead {
        let completed = !old.sealed && sealed;
        return Some(match completed {
            true => Reason::Completed,
            false => Reason::LaterCandles { old: old.ahead, new: ahead },
        });
    }
    None
}

/// A context's row. Mechanisms of its rules follow it, where a rule has any: (rule, index of the axis, value) each.
#[derive(Serialize, Deserialize)]
struct ContextRow {
    columns: Vec<String>,
    /// The numbers in front.
    rules: Vec<[f64; ExitRule::FIRST]>,
}

type Mechanism = (u32, u8, f64);

/// Returns a context as bytes.
pub(crate) fn encode_context(context: &UnitSchema) -> Vec<u8> {
    let UnitSchema { columns, rules } = context;
    let row = ContextRow { columns: columns.clone(), rules: rules.iter().map(ExitRule::first).collect() };
    let mut mechanisms: Vec<Mechanism> = Vec::new();
    for (rule, index) in rules.iter().zip(0..) {
        mechanisms.extend(rule.optional().map(|(axis, value)| (index, axis, value)));
    }
    let mut bytes = postcard::to_stdvec(&row).expect("plain values are always encodable");
    if !mechanisms.is_empty() {
        bytes.extend(postcard::to_stdvec(&mechanisms).expect("plain values are always encodable"));
    }
    bytes
}

/// Reads a context; `None` when the bytes are none.
pub(crate) fn decode_context(row: &[u8]) -> Option<UnitSchema> {
    let (row, rest): (ContextRow, &[u8]) = postcard::take_from_bytes(row).ok()?;
    let mechanisms: Vec<Mechanism> = match rest {
        [] => Vec::new(),
        rest => postcard::from_bytes(rest).ok()?,
    };
    let mut rules: Vec<ExitRule> = row.rules.into_iter().map(ExitRule::of_first).collect();
    for (rule, axis, value) in &mechanisms {
        EXIT_AXES.get(usize::from(*axis))?.set(rules.get_mut(*rule as usize)?, *value);
    }
    let finite = rules.iter().all(|rule| rule.numbers().iter().all(|number| number.is_finite()));
    finite.then_some(UnitSchema { columns: row.columns, rules })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_context_is_read_as_it_was_written() {
        let plain = ExitRule::new(2.0, 1.5, 8.0);
        let trailing = ExitRule {
            trailing_distance_atr: Some(1.5),
            trailing_activation_atr: Some(0.0),
            surge_factor: Some(3.0),
            ..plain
        };
        let percent = ExitRule { stop_loss_pct: Some(10.0), leverage: Some(5.0), ..ExitRule::holding(8.0) };
        for rules in [vec![plain], vec![plain, trailing, percent, plain], Vec::new()] {
            let context = UnitSchema { columns: vec!["signal_score".to_owned()], rules };
            let bytes = encode_context(&context);
            assert_eq!(decode_context(&bytes), Some(context));
            assert_eq!(decode_context(&bytes[..bytes.len() - 1]), None);
        }
    }

    fn keys(sealed: bool, signals: Option<Fingerprint>) -> UnitKeys {
        let [candles, ahead, costs] = [1, 2, 3].map(|byte| Fingerprint([byte; 32]));
        UnitKeys { stages: 7, candles, ahead, sealed, horizon_bars: 48, costs, signals }
    }

    #[test]
    fn a_row_is_read_as_it_was_written() {
        let context = Fingerprint([4; 32]);
        for (sealed, signals) in [(false, None), (true, None), (false, Some(0)), (true, Some(5))] {
            let keys = keys(sealed, signals.map(|byte| Fingerprint([byte; 32])));
            let unit = Unit { sealed, pending: 3, ..Unit::default() };
            let bytes = encode_unit_row(&keys, context, &unit);
            let row = decode_unit_row(&bytes).expect("a row");
            assert_eq!((row.keys, row.context), (keys, context));
            assert_eq!(
                Unit::decode(row.unit, &UnitSchema { columns: Vec::new(), rules: Vec::new() }),
                Some(unit)
            );
            assert!(
                decode_unit_row(&[&bytes[..72], &[4], &bytes[73..]].concat()).is_none(),
                "an unknown flag"
            );
        }
        assert!(
            decode_unit_row(&encode_unit_row(&keys(true, None), context, &Unit::default())[..100]).is_none()
        );
    }

    /// Caches of before signals could be given hold such rows.
    #[test]
    fn a_row_of_derived_signals_is_written_as_ever() {
        let bytes = encode_unit_row(&keys(true, None), Fingerprint([4; 32]), &Unit::default());
        let print = |byte: u8| vec![byte; 32];
        let head = [7_u64.to_le_bytes().to_vec(), print(1), print(2), vec![1], 48_u32.to_le_bytes().to_vec()];
        let mut wanted = [head.concat(), print(3), print(4)].concat();
        Unit::default().encode(&mut wanted);
        assert_eq!(bytes, wanted);
    }

    #[test]
    fn changed_signals_name_both_fingerprints_and_come_before_what_they_cause() {
        let (old, new) = (Fingerprint([8; 32]), Fingerprint([9; 32]));
        let changed =
            |from, to| super::changed(&keys(false, from), &UnitKeys { horizon_bars: 49, ..keys(false, to) });
        let reason = changed(Some(old), Some(new)).expect("they differ, though the day is not sealed");
        assert_eq!(reason.kind(), "signals_changed");
        assert_eq!(reason.to_string(), format!("signals of the day changed: {old} -> {new}"));
        assert!(changed(None, Some(new)).is_some_and(|reason| reason.to_string().contains("derived -> ")));
        assert_eq!(changed(Some(new), Some(new)), Some(Reason::Horizon { old: 48, new: 49 }));
    }

    #[test]
    fn whatever_a_unit_depends_on_is_evaluated_for_with_a_reason_of_its_own() {
        let (old, waiting, other) = (keys(true, None), keys(false, None), Fingerprint([9; 32]));
        let kind = |old: &UnitKeys, new| super::changed(old, &new).map(|reason| reason.kind());
        assert_eq!(kind(&old, old), None);
        assert_eq!(kind(&old, UnitKeys { stages: 8, ..old }), Some("stage_version"));
        assert_eq!(kind(&old, UnitKeys { candles: other, ..old }), Some("candles_changed"));
        assert_eq!(kind(&old, UnitKeys { horizon_bars: 49, ..old }), Some("horizon_changed"));
        assert_eq!(kind(&old, UnitKeys { costs: other, ..old }), Some("costs_changed"));
        assert_eq!(kind(&old, UnitKeys { ahead: other, ..old }), Some("later_candles_changed"));
        let unsealed = UnitKeys { ahead: other, sealed: false, ..old };
        assert_eq!(kind(&old, unsealed), Some("later_candles_changed"), "candles of its horizon went");
        let completed = UnitKeys { ahead: other, sealed: true, ..waiting };
        assert_eq!(kind(&waiting, completed), Some("completed"));
        assert_eq!(kind(&waiting, UnitKeys { ahead: other, ..waiting }), None, "it waits on");
    }

    /// Caches of before there were mechanisms hold such rows.
    #[test]
    fn a_context_of_plain_rules_is_written_as_ever() {
        let context = UnitSchema { columns: vec!["c".to_owned()], rules: vec![ExitRule::new(2.0, 1.5, 8.0)] };
        let row = postcard::to_stdvec(&(vec!["c"], vec![[2.0, 1.5, 8.0]])).expect("plain values");
        assert_eq!(encode_context(&context), row);
        assert_eq!(context.fingerprint().to_string(), "482f94d17cca0320");
    }
}
