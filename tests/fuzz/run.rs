//! Hostile bytes for what a run finds in its cache.

use std::sync::Arc;

use super::memoised;
use super::prior_state::SymbolManifest;
use crate::config::Config;
use crate::engine::evaluation::EvaluatedUnit;
use crate::engine::parcel::{encode_content, read_content};
use crate::engine::pending::SymbolScope;
use crate::engine::plan::{DayLimits, Plan};
use crate::engine::projection::SchemaProjection;
use crate::engine::reuse::{DayPrints, Reason};
use crate::engine::unit::Unit;
use crate::engine::unit_schema::UnitSchema;
use crate::fingerprint::Fingerprint;
use crate::fuzz::Target;
use crate::model::{Day, Style, Symbol};

/// Rows of the cache.
pub(crate) const TARGETS: &[Target] = &[
    Target { name: "units", run: units, seeds: unit_seeds, words: &[], executions: 5000 },
    Target { name: "parcels", run: parcels, seeds: parcel_seeds, words: &["BTCUSDT"], executions: 5000 },
    Target { name: "answers", run: answers, seeds: answer_seeds, words: &[], executions: 3000 },
    Target { name: "file_memory", run: file_memory, seeds: memory_seeds, words: &[], executions: 5000 },
];

/// Columns and rules as a plan has them.
fn context() -> (UnitSchema, Plan) {
    let text = "[style.scalping.space]\nmax_holding_hours = [8, 12]\natr_tp_multiplier = [2]\natr_stop_multiplier = [1.5]\n";
    let config = Config::from_texts(&[("fuzz".to_owned(), text.to_owned())]).expect("sound");
    let plan = config.plan(&[Style::Scalping], DayLimits::default()).expect("sound");
    (UnitSchema::of(&plan.styles[0]), plan)
}

fn unit_seeds() -> Vec<Vec<u8>> {
    let (context, _) = context();
    let empty = [[1_u8].as_slice(), &[0; 28]].concat();
    // Two signals that go together with one end each, and an opportunity.
    let mut bytes = vec![1];
    [3_u32, 4, 0, 5, 6, 2, 1].iter().for_each(|count| bytes.extend(count.to_le_bytes()));
    for side in [0_u8, 1] {
        bytes.extend(1_735_689_600_000_i64.to_le_bytes());
        bytes.extend([side, 2]);
        bytes.extend(1.5_f64.to_le_bytes());
    }
    (0..2 * context.columns.len()).for_each(|index| bytes.extend((index as f64).to_le_bytes()));
    for _ in 0..2 {
        bytes.extend(1_u16.to_le_bytes());
        [1000_i32, 2000, 3000].iter().for_each(|ppm| bytes.extend(ppm.to_le_bytes()));
        bytes.extend(7_u16.to_le_bytes());
        bytes.extend([0, 1]);
        context.rules.iter().for_each(|_| bytes.extend(0_u16.to_le_bytes()));
    }
    bytes.push(1);
    bytes.extend([0; 16]);
    bytes.extend(2.5_f64.to_le_bytes());
    vec![empty, bytes]
}

thread_local! {
    static CONTEXT: (UnitSchema, Plan) = context();
}

/// A unit encodes as it was read, and the short way reads the same signals as the long one.
fn units(bytes: &[u8]) -> String {
    CONTEXT.with(|(context, plan)| {
        let decoded = Unit::decode(bytes, context);
        if let Some(unit) = &decoded {
            let mut again = Vec::new();
            unit.encode(&mut again);
            assert_eq!(again, bytes, "the same bytes");
        }
        let style = &plan.styles[0];
        let fit = SchemaProjection::new(Arc::new(context.clone()), style);
        let day = fit.style_day(bytes, style);
        if let Some(unit) = &decoded {
            let day = day.as_ref().expect("what decodes has a day");
            assert_eq!(day.signals.len(), unit.signals.len());
        }
        match (decoded, day) {
            (Some(unit), _) => format!("ok {}", unit.signals.len()),
            (None, Some(_)) => "a day of what nobody looks at".to_owned(),
            (None, None) => "no unit".to_owned(),
        }
    })
}

/// A unit without signals, as a worker sends it.
fn parcel_seeds() -> Vec<Vec<u8>> {
    CONTEXT.with(|(_, plan)| {
        let symbol = Symbol::parse("BTCUSDT").expect("a symbol");
        let prints = DayPrints::new(&[(Day(20_000), Fingerprint([1; 32]))], 0);
        let scope =
            SymbolScope { plan, symbol: &symbol, given: None, prints, days: (Day(20_000), Day(20_000)) };
        let work = scope.work_plan().item(0, 0, Reason::New, None);
        let context = Arc::new(UnitSchema::of(&plan.styles[0]));
        vec![encode_content(&symbol, &EvaluatedUnit { work, unit: Unit::default(), context })]
    })
}

/// A unit of somebody else that is taken in is written as it came.
fn parcels(bytes: &[u8]) -> String {
    CONTEXT.with(|(_, plan)| match read_content(plan, bytes) {
        Ok((symbol, unit)) => {
            let written = encode_content(&symbol, &unit);
            let (again, same) = read_content(plan, &written).expect("what was written can be read");
            assert_eq!(
                (again, encode_content(&symbol, &same)),
                (symbol, written),
                "the same when written and read"
            );
            format!("ok {}", unit.unit.signals.len())
        }
        Err(error) => error.to_string(),
    })
}

fn answer_seeds() -> Vec<Vec<u8>> {
    vec![memoised::encode_answer(&[]).expect("nothing can be encoded")]
}

/// An answer that is accepted encodes to one that is the same.
fn answers(bytes: &[u8]) -> String {
    match memoised::decode_answer(bytes) {
        Some(styles) => {
            let written = memoised::encode_answer(&styles).expect("what was read can be written");
            let again = memoised::decode_answer(&written).and_then(|styles| memoised::encode_answer(&styles));
            assert_eq!(again.as_ref(), Some(&written), "the same when written and read");
            format!("ok {}", styles.len())
        }
        None => "no answer".to_owned(),
    }
}

fn memory_seeds() -> Vec<Vec<u8>> {
    let memory = SymbolManifest {
        interval_ms: 900_000,
        reading: [6; 32],
        stamps: Vec::new(),
        files: Vec::new(),
        issues: Vec::new(),
        days: vec![(20_000, [7; 32]), (20_001, [8; 32])],
        candles: 192,
        last_open: 1_728_172_800_000,
        fingerprint: [9; 32],
        evaluated: vec![(0, 20_000, 20_001)],
        spans: vec![None, Some((1, 2))],
        closes: vec![1.5, 2.5],
    };
    vec![postcard::to_stdvec(&memory).expect("it can be encoded")]
}

/// What is remembered of files, and what is made of it.
fn file_memory(bytes: &[u8]) -> String {
    let Some(memory) = SymbolManifest::decode(bytes) else { return "nothing".to_owned() };
    let written = postcard::to_stdvec(&memory).expect("what was read can be written");
    let again = SymbolManifest::decode(&written).expect("what was written can be read");
    assert_eq!(postcard::to_stdvec(&again).expect("and written"), written, "the same when written and read");
    let (prints, span) = (memory.prints(), memory.span());
    assert!(span.is_none_or(|(first, last)| first <= last), "{prints:?}");
    format!("ok {}", span.is_some())
}
