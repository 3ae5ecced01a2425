//! Hostile bytes for the configuration and what stands in its values.

use super::Config;
use super::quantity::{self, HistoryWindow};
use crate::engine::plan::DayLimits;
use crate::fuzz::{TEXT_BYTES_MAX, Target};
use crate::model::Style;
use crate::search::rank::Constraint;

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

/// The configuration, as a whole and value by value.
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
        config.fetch_limits().err(),
        #[cfg(feature = "notify")]
        crate::notify::Channels::of(&config).err(),
        config.notify_timeout().err(),
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
