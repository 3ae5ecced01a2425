//! Hostile bytes for the configuration, cached rows and imported parameters.

use crate::bot::import::set_of;
use crate::config::Config;
use crate::config::quantity::{self, HistoryWindow};
use crate::engine::plan::DayLimits;
use crate::engine::unit::{SchemaProjection, Unit, UnitSchema};
use crate::fuzz::{TEXT_BYTES_MAX, Target};
use crate::model::{ParameterSet, Style};
use crate::run::memoised;
use crate::run::prior_state::SymbolManifest;
use crate::search::rank::Constraint;
use crate::store::records::StoredParameterSet;

const CONFIG_WORDS: &[&str] = &[
    "[search]\n",
    "[style.swing.space]\n",
    "[[style.scalping.filters]]\n",
    "[notify.email]\n",
    "score = ",
    "\"sharpe\"",
    "constraints = [\"win_rate>0.4\"]\n",
    "{ min = 1, max = 2, step = 0.1 }",
    "= 0\n",
    "= -1\n",
    "= 1e308\n",
    "= nan\n",
    "= inf\n",
    "\"off\"",
    "atr_tp_multiplier = ",
    "max_holding_hours = ",
    "column = \"rsi_14\"\n",
    "at_least = ",
    "\"\"\"",
    "memory = \"1MiB\"\n",
    "window = \"5000w\"\n",
    "base_interval = \"1m\"\n",
];

/// Everything else a run reads.
pub(crate) const TARGETS: &[Target] = &[
    Target {
        name: "configuration",
        run: configuration,
        seeds: config_seeds,
        words: CONFIG_WORDS,
        executions: 1200,
    },
    Target {
        name: "expressions",
        run: expressions,
        seeds: expression_seeds,
        words: EXPRESSION_WORDS,
        executions: 20_000,
    },
    Target { name: "import", run: import, seeds: import_seeds, words: IMPORT_WORDS, executions: 3000 },
    Target { name: "units", run: units, seeds: unit_seeds, words: &[], executions: 5000 },
    Target { name: "answers", run: answers, seeds: answer_seeds, words: &[], executions: 3000 },
    Target { name: "file_memory", run: file_memory, seeds: memory_seeds, words: &[], executions: 5000 },
];

fn config_seeds() -> Vec<Vec<u8>> {
    let some = "[search]\nscore = \"sharpe\"\nconstraints = [\"max_drawdown_pct<25\"]\nmin_trades = 20\n\
                [style.swing.space]\natr_tp_multiplier = { min = 1.0, max = 3.0, step = 0.5 }\ntrailing_stop_atr = [\"off\", 1.5]\n\
                [[style.scalping.filters]]\nkey = \"max_rsi\"\ncolumn = \"rsi_14\"\nat_most = [70, 80]\n";
    vec![
        Config::default().to_toml().into_bytes(),
        b"".to_vec(),
        some.replace("trailing_stop_atr = [\"off\", 1.5]\n", "").into_bytes(),
    ]
}

/// A configuration that is accepted is the same once written, and gives a plan or an error.
fn configuration(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let config = match Config::from_texts(&[("fuzz.toml".to_owned(), text)]) {
        Ok(config) => config,
        Err(error) => return error.to_string(),
    };
    let written = config.to_toml();
    let again = Config::from_texts(&[("again".to_owned(), written.clone())]);
    let again = again.unwrap_or_else(|error| panic!("{error}\n{written}"));
    assert_eq!(again.to_toml(), written, "the same when written and read");
    let others = [
        config.fetch.limits().err(),
        config.notify.channels().err(),
        config.memory_bytes().err(),
        config.cache_bytes().err(),
        config.memory_alarms().err(),
    ];
    for error in others.into_iter().flatten() {
        assert!(error.to_string().len() < TEXT_BYTES_MAX, "a long text: {:.200}", error.to_string());
    }
    match config.plan(&Style::ALL, DayLimits::default()) {
        Ok(plan) => {
            assert_eq!(plan.fingerprint(), plan.fingerprint());
            "ok".to_owned()
        }
        Err(error) => error.to_string(),
    }
}

const EXPRESSION_WORDS: &[&str] = &[
    "win_rate",
    "max_drawdown_pct",
    "<",
    ">",
    "0.4",
    "MiB",
    "GiB",
    "KiB",
    "d",
    "w",
    "all",
    "sharpe",
    "h",
    "m",
    "ms",
];

fn expression_seeds() -> Vec<Vec<u8>> {
    ["win_rate>0.4", "max_drawdown_pct < 25", "64MiB", "26w", "90d", "15m", "500ms"]
        .map(|text| text.as_bytes().to_vec())
        .to_vec()
}

/// Constraints, sizes, times, windows, intervals, scores.
fn expressions(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(400)]);
    let constraint = text.parse::<Constraint>();
    let (size, time) = (quantity::size_bytes(&text), quantity::duration(&text));
    let window = quantity::window(&text);
    if let Ok(constraint) = &constraint {
        assert!(constraint.limit.is_finite(), "{constraint:?}");
    }
    if let Some(HistoryWindow::Days(days)) = window {
        assert!((1..=35_000).contains(&days), "{days}");
    }
    let interval = text.parse::<crate::model::Interval>();
    if let Ok(interval) = interval {
        assert_eq!(interval.to_string().parse(), Ok(interval));
    }
    let day = crate::model::Day::parse(&text);
    if let Some(day) = day {
        assert_eq!(crate::model::Day::parse(&day.to_string()), Some(day), "{text:?}");
    }
    let score = text.parse::<crate::evaluate::score::Score>();
    let accepted = [
        constraint.is_ok(),
        size.is_some(),
        time.is_some(),
        window.is_some(),
        interval.is_ok(),
        day.is_some(),
        score.is_ok(),
    ];
    if accepted.contains(&true) {
        format!("ok {accepted:?}")
    } else {
        constraint.map_or_else(|error| error, |_| String::new())
    }
}

const IMPORT_WORDS: &[&str] = &[
    "\"scalping_params\":",
    "\"swing_params\":",
    "\"atr_tp_multiplier\":",
    "\"atr_stop_multiplier\":",
    "\"max_holding_hours\":",
    "\"trailing_stop_enabled\":true",
    "\"trailing_stop_distance\":",
    "\"min_signal_score\":",
    "\"x\"",
    "1e300",
    "-1",
    ",",
    "{",
    "}",
    "null",
];

fn import_seeds() -> Vec<Vec<u8>> {
    vec![include_bytes!("../fixtures/learning_config.json").to_vec()]
}

/// Parameters that are taken over can be stored and come back.
fn import(bytes: &[u8]) -> String {
    let document: serde_json::Map<String, serde_json::Value> = match serde_json::from_slice(bytes) {
        Ok(document) => document,
        Err(_) => return "no object".to_owned(),
    };
    let mut found = 0;
    for style in Style::ALL {
        match set_of(&document, style) {
            Ok(Some(set)) => {
                let stored = StoredParameterSet::from(&set.set);
                let again =
                    ParameterSet::try_from(&stored).unwrap_or_else(|error| panic!("{error}: {set:?}"));
                assert_eq!(again, set.set, "the same once stored");
                found += 1;
            }
            Ok(None) => {}
            Err(error) => return error.to_string(),
        }
    }
    format!("ok {found}")
}

/// Columns and rules as a plan has them.
fn context() -> (UnitSchema, crate::engine::plan::Plan) {
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
    static CONTEXT: (UnitSchema, crate::engine::plan::Plan) = context();
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
        let fit = SchemaProjection::new(std::sync::Arc::new(context.clone()), style);
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

fn answer_seeds() -> Vec<Vec<u8>> {
    vec![memoised::encode(&[]).expect("nothing can be encoded")]
}

/// An answer that is accepted encodes to one that is the same.
fn answers(bytes: &[u8]) -> String {
    match memoised::decode(bytes) {
        Some(styles) => {
            let written = memoised::encode(&styles).expect("what was read can be written");
            let again = memoised::decode(&written).and_then(|styles| memoised::encode(&styles));
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
