//! Evaluated units as rows of the cache, and as bytes that travel: the last of three steps, see [`pending`](super::pending).
//!
//! A parcel carries a fingerprint of its content and everything that its unit depends on, so that whoever takes it in can tell that it is
//! whole, evaluated by the same stages, under the same plan and on the same candles as what was asked for. That its numbers are what those
//! candles give only another evaluation tells: as of all that is reused, every run evaluates a sample again.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::engine::evaluation::{EvaluatedUnit, WorkItem};
use crate::engine::pending::unit_ordinal;
use crate::engine::plan::{Plan, STAGES_VERSION, StylePlan};
use crate::engine::reuse::{
    CachedRow, Reason, UnitKeys, costs_fingerprint, decode_context, decode_unit_row, encode_context,
    encode_unit_row,
};
use crate::engine::unit::Unit;
use crate::engine::unit_schema::UnitSchema;
use crate::fingerprint::{Canonical, Fingerprint};
use crate::model::{Day, Style, Symbol};
use crate::store::{CacheBatch, StoreError};

/// What every parcel begins with; raised with the layout of what follows.
const MAGIC: &[u8; 8] = b"unit v1\n";

/// Returns evaluated units of one symbol as rows of the cache.
pub(crate) fn rows_of(done: &[EvaluatedUnit]) -> CacheBatch {
    let mut batch = CacheBatch::default();
    for EvaluatedUnit { work, unit, context } in done {
        let print = context.fingerprint();
        if batch.contexts.iter().all(|(known, _)| *known != print.0) {
            batch.contexts.push((print.0, encode_context(context)));
        }
        batch.units.push((work.row(), encode_unit_row(&work.keys, print, unit)));
    }
    batch
}

/// Returns the key of a unit: a fingerprint of whose it is, what it depends on and what it holds.
pub(crate) fn unit_key(symbol: &Symbol, work: &WorkItem, schema: &UnitSchema) -> Fingerprint {
    let UnitKeys { stages, candles, ahead, sealed, horizon_bars, costs, signals } = work.keys;
    let hash = Canonical::new("retune unit key v1").text(symbol.as_str()).count(work.ordinal.into());
    let hash =
        hash.signed(work.day.0.into()).count(stages).nested(candles).nested(ahead).count(sealed.into());
    let hash = hash.count(horizon_bars.into()).nested(costs).count(signals.is_some().into());
    hash.nested(signals.unwrap_or_default()).nested(schema.fingerprint()).finish()
}

/// A unit that is not taken in.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UnitError {
    /// The bytes are of something else, or of another version.
    #[error("expected a unit in the form of this program (`unit v1`), found other bytes")]
    Form,
    /// The bytes changed on their way.
    #[error(
        "expected a unit whose content has the fingerprint {expected}, found {found}: evaluate or send it again"
    )]
    Content {
        /// What the parcel says.
        expected: Fingerprint,
        /// What its bytes have.
        found: Fingerprint,
    },
    /// The bytes are whole, and what they say is no unit.
    #[error("expected a unit, found {what}")]
    Damaged {
        /// What is wrong.
        what: &'static str,
    },
    /// Another version of the program evaluated it.
    #[error(
        "{unit}: expected version {expected} of the stages, found {found}: evaluate it with the same program"
    )]
    Stages {
        /// Whose unit it is.
        unit: String,
        /// The version of this program.
        expected: u64,
        /// The version that evaluated it.
        found: u64,
    },
    /// It was evaluated under another plan.
    #[error(
        "{unit}: expected a unit under this plan, found one with other {what}: evaluate it with the same configuration"
    )]
    Plan {
        /// Whose unit it is.
        unit: String,
        /// What differs.
        what: &'static str,
    },
    /// It is not the unit that was asked for.
    #[error(
        "{unit}: expected the unit of key {expected}, found {found}: other candles, signals or another day"
    )]
    Key {
        /// Whose unit it is.
        unit: String,
        /// The key asked for.
        expected: String,
        /// The key of the unit.
        found: String,
    },
    /// There are no candles for it.
    #[error("{unit}: expected candles of the symbol on the day, found none")]
    NoCandles {
        /// Whose unit it is.
        unit: String,
    },
    /// The store cannot take it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What travels behind form and fingerprint.
#[derive(Serialize, Deserialize)]
struct Parcel {
    symbol: String,
    ordinal: u8,
    day: i32,
    /// The schema as the cache has it.
    schema: Vec<u8>,
    /// The unit as the cache has it.
    row: Vec<u8>,
}

/// Returns an evaluated unit as bytes.
pub(crate) fn encode_parcel(symbol: &Symbol, done: &EvaluatedUnit) -> Vec<u8> {
    let content = encode_content(symbol, done);
    [&MAGIC[..], &content_print(&content).0, &content].concat()
}

/// Returns what stands behind form and fingerprint.
pub(crate) fn encode_content(symbol: &Symbol, done: &EvaluatedUnit) -> Vec<u8> {
    let EvaluatedUnit { work, unit, context } = done;
    let parcel = Parcel {
        symbol: symbol.to_string(),
        ordinal: work.ordinal,
        day: work.day.0,
        schema: encode_context(context),
        row: encode_unit_row(&work.keys, context.fingerprint(), unit),
    };
    postcard::to_stdvec(&parcel).expect("plain values are always encodable")
}

fn content_print(content: &[u8]) -> Fingerprint {
    Canonical::new("retune unit content v1").blob(content).finish()
}

/// Returns the unit in a parcel, if it is the one of a key under a plan.
///
/// Errors: see [`UnitError`]
pub(crate) fn decode_parcel(
    plan: &Plan,
    key: &str,
    bytes: &[u8],
) -> Result<(Symbol, EvaluatedUnit), UnitError> {
    let (print, content) =
        bytes.strip_prefix(&MAGIC[..]).and_then(<[u8]>::split_first_chunk).ok_or(UnitError::Form)?;
    let (expected, found) = (Fingerprint(*print), content_print(content));
    if expected != found {
        return Err(UnitError::Content { expected, found });
    }
    let (symbol, done) = read_content(plan, content)?;
    let found = full_hex(unit_key(&symbol, &done.work, &done.context));
    match found == key {
        true => Ok((symbol, done)),
        false => {
            let style = plan.styles[done.work.style].space.style();
            let unit = name_of(&symbol, done.work.day, Some(style));
            Err(UnitError::Key { unit, expected: key.to_owned(), found })
        }
    }
}

/// Returns the unit in the content of a parcel, if it is one under a plan.
pub(crate) fn read_content(plan: &Plan, content: &[u8]) -> Result<(Symbol, EvaluatedUnit), UnitError> {
    let damaged = |what| UnitError::Damaged { what };
    let parcel: (Parcel, &[u8]) = postcard::take_from_bytes(content).map_err(|_| damaged("no parcel"))?;
    let (Parcel { symbol, ordinal, day, schema, row }, []) = parcel else {
        return Err(damaged("bytes behind it"));
    };
    let symbol = Symbol::parse(&symbol).ok_or_else(|| damaged("no symbol"))?;
    let schema = decode_context(&schema).ok_or_else(|| damaged("no schema"))?;
    let CachedRow { keys, context, unit } = decode_unit_row(&row).ok_or_else(|| damaged("no row"))?;
    let unit = Unit::decode(unit, &schema).filter(|_| context == schema.fingerprint());
    let unit = unit.ok_or_else(|| damaged("content of another schema"))?;
    if unit.sealed != keys.sealed {
        return Err(damaged("a unit that is complete by one sign and not by another"));
    }
    let of_style = |planned: &StylePlan| {
        [false, true].iter().any(|given| unit_ordinal(planned.space.style(), *given) == ordinal)
    };
    let name =
        name_of(&symbol, Day(day), plan.styles.iter().find(|style| of_style(style)).map(|s| s.space.style()));
    if keys.stages != STAGES_VERSION {
        return Err(UnitError::Stages { unit: name, expected: STAGES_VERSION, found: keys.stages });
    }
    let Some(style) = plan.styles.iter().position(of_style) else {
        return Err(UnitError::Plan { unit: name, what: "styles" });
    };
    if let Some(what) = difference(plan, &symbol, &plan.styles[style], &keys, &schema) {
        return Err(UnitError::Plan { unit: name, what });
    }
    let work = WorkItem { day: Day(day), style, ordinal, keys, reason: Reason::New, partly: None };
    Ok((symbol, EvaluatedUnit { work, unit, context: Arc::new(schema) }))
}

/// Returns what of a unit is not as a plan has it.
fn difference(
    plan: &Plan,
    symbol: &Symbol,
    style: &StylePlan,
    keys: &UnitKeys,
    schema: &UnitSchema,
) -> Option<&'static str> {
    let own = UnitSchema::of(style);
    [
        (keys.horizon_bars as usize != style.exits.hold_bars_max(), "longest holding time"),
        (keys.costs != costs_fingerprint(&plan.costs, symbol, style), "costs"),
        (schema.columns != own.columns, "filter columns"),
        (schema.rules != own.rules, "exit rules"),
    ]
    .into_iter()
    .find_map(|(differs, what)| differs.then_some(what))
}

/// Returns whose unit it is, for people.
pub(crate) fn name_of(symbol: &Symbol, day: Day, style: Option<Style>) -> String {
    format!("{symbol} {day} {}", style.map_or("of another style", Style::as_str))
}

/// Returns a fingerprint as 64 digits.
pub(crate) fn full_hex(print: Fingerprint) -> String {
    print.0.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::plan::{DayLimits, SearchSettings};
    use crate::exits::Costs;
    use crate::model::{Interval, Outcomes};
    use crate::search::strategy::SpaceAxes;

    fn plan() -> Plan {
        let axes = Style::ALL.map(SpaceAxes::default_of).to_vec();
        Plan::new(Interval::M15, axes, Costs::default(), SearchSettings::default(), DayLimits::default())
            .expect("the defaults")
    }

    /// A unit without signals, as a worker would have evaluated it.
    fn evaluated(plan: &Plan, symbol: &Symbol, stages: u64) -> EvaluatedUnit {
        let style = &plan.styles[1];
        let keys = UnitKeys {
            stages,
            candles: Fingerprint([1; 32]),
            ahead: Fingerprint([2; 32]),
            sealed: false,
            horizon_bars: style.exits.hold_bars_max() as u32,
            costs: costs_fingerprint(&plan.costs, symbol, style),
            signals: None,
        };
        let ordinal = unit_ordinal(style.space.style(), false);
        let work = WorkItem { day: Day(20_000), style: 1, ordinal, keys, reason: Reason::New, partly: None };
        let unit = Unit { outcomes: Outcomes::new(style.space.rules().len()), ..Unit::default() };
        EvaluatedUnit { work, unit, context: Arc::new(UnitSchema::of(style)) }
    }

    #[test]
    fn a_parcel_is_read_as_it_was_written_and_only_by_its_key() {
        let (plan, symbol) = (plan(), Symbol::parse("BTCUSDT").expect("a symbol"));
        let done = evaluated(&plan, &symbol, STAGES_VERSION);
        let key = full_hex(unit_key(&symbol, &done.work, &done.context));
        let bytes = encode_parcel(&symbol, &done);
        let (of, read) = decode_parcel(&plan, &key, &bytes).expect("the unit");
        assert_eq!((of, read.work.row(), read.work.keys), (symbol.clone(), done.work.row(), done.work.keys));
        assert_eq!((&read.unit, &read.context), (&done.unit, &done.context));
        let wrong = decode_parcel(&plan, &key.replace(&key[..1], "x"), &bytes).expect_err("another key");
        assert!(matches!(&wrong, UnitError::Key { .. }), "{wrong}");
        let one = Plan { styles: plan.styles[..1].to_vec(), ..plan };
        let wrong = decode_parcel(&one, &key, &bytes).expect_err("another plan");
        assert!(matches!(&wrong, UnitError::Plan { what: "styles", .. }), "{wrong}");
    }

    #[test]
    fn what_other_stages_evaluated_is_refused_by_both_versions() {
        let (plan, symbol) = (plan(), Symbol::parse("BTCUSDT").expect("a symbol"));
        let done = evaluated(&plan, &symbol, STAGES_VERSION + 1);
        let key = full_hex(unit_key(&symbol, &done.work, &done.context));
        let error = decode_parcel(&plan, &key, &encode_parcel(&symbol, &done)).expect_err("other stages");
        let (own, other) = (STAGES_VERSION, STAGES_VERSION + 1);
        let said = format!("BTCUSDT 2024-10-04 swing: expected version {own} of the stages, found {other}");
        assert!(error.to_string().starts_with(&said), "{error}");
    }

    /// The bytes travel between programs: raise the number in their first eight when this changes.
    #[test]
    fn bytes_of_a_parcel_are_those_of_its_version() {
        let (plan, symbol) = (plan(), Symbol::parse("BTCUSDT").expect("a symbol"));
        let mut done = evaluated(&plan, &symbol, 3);
        done.context = Arc::new(UnitSchema { columns: vec!["c".to_owned()], rules: Vec::new() });
        done.work.keys.costs = Fingerprint([3; 32]);
        let bytes = encode_parcel(&symbol, &done);
        assert!(bytes.starts_with(b"unit v1\n"));
        let tail = &bytes[40..];
        assert_eq!(&tail[..8], b"\x07BTCUSDT");
        assert_eq!(tail[8], 1, "swing, of derived signals");
        assert_eq!(content_print(tail).0, bytes[8..40]);
    }
}
