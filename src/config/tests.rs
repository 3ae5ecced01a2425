//! What the configuration takes and what it refuses.

use super::keys::{Key, Shape, root};
use super::*;
use crate::decide::Require;
use crate::evaluate::portfolio::{Cooldown, PortfolioLimits};
use crate::evaluate::score::Score;
use crate::exits::Costs;
use crate::exits::Fills;
use crate::model::MINUTE_MS;
use crate::search::rank::RankBy;
use crate::search::strategy::Strategy;
use crate::search::weights::Weighting;

fn config(text: &str) -> Result<Config, ConfigError> {
    Config::from_texts(&[("test.toml".to_owned(), text.to_owned())])
}

const GOLDEN_TEXTS: [&str; 6] = [
    "",
    "[search]\nscore = \"sharpe\"\nrank = \"peak\"\nstrategy = \"coarse-fine\"\nbudget = 5000\nseed = 7\n\
     constraints = [\"max_drawdown_pct<40\"]\nmin_trades = 5\nposition_ratio = 1\ntop = 3\nweights = \"learned\"",
    "[data]\nbase_interval = \"1h\"\nwindow = \"26w\"\nstale_after = \"36h\"\ntimezone = \"Asia/Shanghai\"\n\
     on_bad_rows = \"skip\"\nempty_candles = \"flat\"\nsymbols = [\"ETHUSDT\"]\nmarket = \"usdt-m\"\nexclude = [\"futures/*\"]",
    "[costs]\ntaker_fee_pct = 0.1\nmaker_fee_pct = -0.01\nfunding_pct_per_8h = -1\nmajors = []\n\
     [portfolio]\nmax_positions = 4\ncooldown_losses = 3\ncooldown = \"90m\"\nmax_daily_loss_pct = 2",
    "[decide]\nrequire = \"real\"\nmin_improvement = 1\nmax_step = 2\ndeclared_trials = 9\nstale_data = \"hold\"\n\
     [validate]\nquick = true\nearly_share = 0.6\nmin_late_trades = 3\nregime_symbol = \"ETHUSDT\"\n\
     [symbols]\nown_parameters = false\nmin_trades = 3\nprior_trades = 4",
    "[style.scalping.space]\ntrailing_stop_distance = [\"off\", 1, 2]\nbreakeven_atr = [\"off\", \"tp1\"]\n\
     tp1_atr_multiplier = [\"off\", 0.5]\nmax_holding_hours = { min = 1, max = 3, step = 0.5 }\n\
     allowed_mkt_struct = [\"trend_only\"]\n[[style.swing.filters]]\nkey = \"min_volume\"\n\
     column = \"volume_ratio\"\nat_least = [1.0, 2.0]",
];

/// Plans of these texts as the version had them that read every word later; two texts have keys by their old names.
const GOLDEN: [&str; 6] = [
    "9b7cb3ef7d4d90cc",
    "4f4714a20bcebeda",
    "f065030a38ee13c2",
    "9d30ce047d8c7e48",
    "c8a0a0f8b111c381",
    "0905e59fe841af9b",
];

#[test]
fn nothing_is_needed_and_the_default_plan_is_the_default_grid() {
    let plan = Config::default().plan(&Style::ALL, DayLimits::default()).expect("sound");
    assert_eq!(plan.styles.iter().map(|s| s.space.sets()).sum::<usize>(), 2 * 139_968);
    assert_eq!(plan.costs, Costs::default());
    assert_eq!(plan.search, SearchSettings::default());
}

#[test]
fn plans_keep_their_fingerprints() {
    for (text, fingerprint) in GOLDEN_TEXTS.into_iter().zip(GOLDEN) {
        // What that version maximised and ranked by unless told otherwise.
        let before = "[search]\nscore = \"balanced\"\nrank = \"plateau\"\n";
        let text = if text.contains("[search]") { text.to_owned() } else { format!("{before}{text}") };
        let text = text.as_str();
        let plan = config(text).and_then(|c| c.plan(&Style::ALL, DayLimits::default())).expect("sound");
        assert_eq!(plan.fingerprint().to_string(), fingerprint, "{text}");
    }
}

#[test]
fn it_prints_as_it_parses() {
    let text = "[search]\nscore = \"sharpe\"\n[style.swing.space]\natr_tp_multiplier = [2.0, 4.0]\n\
                [[style.swing.filters]]\nkey = \"min_volume\"\ncolumn = \"volume_ratio\"\nat_least = [1.0, 2.0]\n";
    let config = config(text).expect("sound");
    assert_eq!(self::config(&config.to_toml()).expect("sound"), config);
    let plan = config.plan(&[Style::Swing], DayLimits::default()).expect("sound");
    assert_eq!(plan.styles[0].space.sets(), 2 * 3 * 3 * 5_184 * 2);
}

#[test]
fn given_signals_are_filtered_on_what_is_named_only() {
    let text = "[signals]\nfile = \"signals.csv\"\n[style.scalping.space]\nmin_consensus = [0, 2]\n\
                [[style.scalping.filters]]\ncolumn = \"signals.my_score\"\nat_least = { min = 0.2, max = 0.8, step = 0.2 }\n\
                [[style.scalping.filters]]\nkey = \"max_spread\"\ncolumn = \"signals.Spread (bps)\"\nat_most = [5, 10]\n";
    let config = config(text).expect("sound");
    assert_eq!(self::config(&config.to_toml()).expect("sound"), config);
    let plan = config.plan(&Style::ALL, DayLimits::default()).expect("sound");
    let keys = |style: usize| {
        plan.styles[style].space.dimensions().iter().map(|d| (d.key(), d.levels().len())).collect::<Vec<_>>()
    };
    assert_eq!(keys(0), [("min_consensus", 2), ("my_score", 4), ("max_spread", 2)]);
    assert_eq!(keys(1), []);
    assert_eq!(plan.styles[1].space.sets(), 27);
    let spread = plan.styles[0].space.dimensions()[2].source();
    assert_eq!((spread.name(), spread.signals_column()), ("signals.Spread (bps)", Some("Spread (bps)")));
}

#[test]
fn axes_take_lists_numbers_ranges_and_names() {
    let text = "[style.scalping.space]\nmax_holding_hours = { min = 1, max = 3, step = 0.5 }\n\
                min_consensus = 1\nallowed_mkt_struct = [\"trend_only\"]\n";
    let plan = config(text).and_then(|c| c.plan(&[Style::Scalping], DayLimits::default())).expect("sound");
    assert_eq!(plan.styles[0].space.sets(), 5 * 9 * 5_184 / 3 / 2);
}

#[test]
fn exit_mechanisms_are_axes_that_may_be_off() {
    let text = "[style.scalping.space]\ntrailing_stop_distance = [\"off\", 1, 2]\n\
                trailing_stop_activation = [0.5, 1.0]\ntp1_atr_multiplier = [\"off\", 0.5]\n\
                breakeven_atr = [\"off\", \"tp1\"]\nvolume_surge_exit = \"off\"\nhard_stop_pct = 3\n";
    let config = config(text).expect("sound");
    assert_eq!(self::config(&config.to_toml()).expect("sound"), config);
    let plan = config.plan(&[Style::Scalping], DayLimits::default()).expect("sound");
    // Trailing off or 2 x 2; no first target, one, or one with break-even.
    assert_eq!(plan.styles[0].space.rules().len(), 27 * 5 * 3);
    assert!(plan.styles[0].space.rules().iter().all(|rule| rule.hard_stop_pct == Some(3.0)));
}

#[test]
fn a_staircase_takes_the_place_of_the_default_take_profit() {
    let rules = |space: &str| {
        let text = format!("[style.swing.space]\n{space}");
        let plan = config(&text).and_then(|c| c.plan(&[Style::Swing], DayLimits::default())).expect("sound");
        plan.styles[0].space.rules().to_vec()
    };
    for space in ["roi_pct = 4", "roi_2_minutes = 60\nroi_2_pct = 2"] {
        let rules = rules(space);
        assert!(rules.iter().all(|rule| rule.take_profit_atr.is_none() && !rule.targets().is_empty()));
    }
    let both = rules("roi_pct = 4\natr_tp_multiplier = [2, 3]");
    assert!(both.iter().all(|rule| rule.take_profit_atr.is_some() && rule.roi_pct.is_some()));
    assert!(rules("exit_signal = false").iter().all(|rule| rule.take_profit_atr.is_some()));
}

#[test]
fn a_spot_account_does_not_short_unless_it_is_said_to() {
    let sides = |text: &str| {
        let plan = config(text).and_then(|c| c.plan(&Style::ALL, DayLimits::default())).expect("sound");
        assert!(plan.styles.iter().all(|style| style.sides == plan.styles[0].sides));
        plan.styles[0].sides
    };
    use crate::model::{Direction, Sides};
    assert_eq!([sides(""), sides("[data]\nmarket = \"usdt-m\"")], [Sides::Both; 2]);
    assert_eq!(sides("[data]\nmarket = \"spot\""), Sides::Only(Direction::Long));
    assert_eq!(sides("[data]\nmarket = \"spot\"\n[portfolio]\nsides = \"both\""), Sides::Both);
    assert_eq!(sides("[portfolio]\nsides = \"short\""), Sides::Only(Direction::Short));
}

#[test]
fn a_portfolio_has_the_limits_that_are_not_zero() {
    let limits = |text: &str| {
        let plan = config(text).and_then(|c| c.plan(&[Style::Swing], DayLimits::default()));
        plan.expect("sound").portfolio
    };
    assert_eq!(limits(""), PortfolioLimits::default());
    assert_eq!(limits("[portfolio]\npositions_per_symbol = 0"), PortfolioLimits::NONE);
    let text = "[portfolio]\nmax_positions = 4\ncooldown_losses = 3\ncooldown = \"90m\"\n\
                max_daily_loss_pct = 2.0\n[search]\nposition_ratio = 0.5";
    let cooldown = Some(Cooldown { losses: 3, pause_ms: 90 * MINUTE_MS });
    let expected =
        PortfolioLimits { per_symbol: Some(1), positions: Some(4), cooldown, day_loss_ppm: Some(40_000) };
    assert_eq!(limits(text), expected);
}

#[test]
fn a_later_text_wins_key_by_key() {
    let texts =
        [("a", "[costs]\ntaker_fee_pct = 0.1\nmaker_fee_pct = 0.1"), ("b", "[costs]\nmaker_fee_pct = 0.0")];
    let config = Config::from_texts(&texts.map(|(a, b)| (a.to_owned(), b.to_owned()))).expect("sound");
    assert_eq!((config.costs.taker_fee_pct, config.costs.maker_fee_pct), (0.1, 0.0));
    let paid = [("c".to_owned(), "[costs]\nmaker_fee_pct = -0.01\nfunding_pct_per_8h = -0.01".to_owned())];
    let costs = Config::from_texts(&paid).and_then(|config| config.costs.costs()).expect("income is allowed");
    assert_eq!((costs.maker_fee, costs.funding_per_8h), (-0.0001, -0.0001));
}

#[test]
fn mistakes_are_named_with_what_to_do() {
    let cases = [
        ("[cost]\n", "did you mean `costs`?"),
        ("[search]\nscroe = \"sharpe\"", "did you mean `score`?"),
        ("top = 5", "unknown key `top` at the top (did you mean `search.top`?), expected one of `data`"),
        ("min_trades = 5", "(did you mean `symbols.min_trades` or `search.min_trades`?)"),
        ("\u{feff}[search]\r\ntop = \"x\"\r\n", "2 | top = \"x\"\n  |\n"),
        ("[limits]\npriority = \"norml\"", "did you mean `normal`?"),
        ("[notify]\nwhen = [\"changes\"]", "did you mean `change`?"),
        ("[style.swing]\nrank = 5", "did you mean `search.rank`?"),
        ("[search]\nscore = \"best\"", "search.score: expected one of `balanced`, `legacy`, "),
        (
            "[search]\nweights = \"learnt\"",
            "search.weights: expected one of `default`, `learned` (did you mean `learned`?), found \"learnt\"",
        ),
        (
            "[search]\nweights = \"learned\"\n[style.swing.space]\ndynamic_atr_strength = [\"off\", 0.5]",
            "style swing: expected search.weights = \"default\" where exit rules scale with the score",
        ),
        (
            "[search]\nweights = \"learned\"\n[signals]\nfile = \"signals.csv\"",
            "expected search.weights = \"default\" where no filter reads the signal score, found \"learned\"",
        ),
        ("[search]\nrank = \"hill\"", "expected one of `neighbours`, `plateau`, `peak`, found \"hill\""),
        ("[search]\nconstraints = [\"drawdown<3\"]", "max_drawdown_pct"),
        ("[costs]\ntaker_fee_pct = 50.0", "0 to 10 percent"),
        ("[costs]\ntaker_fee_pct = -0.01", "0 to 10 percent"),
        ("[costs]\nmaker_fee_pct = -1.01", "-1 to 10 percent"),
        ("[costs]\nfunding_pct_per_8h = -5.01", "-5 to 10 percent"),
        ("[validate]\nin_sample_share = 1.0", "validate.in_sample_share"),
        ("[data]\nbase_interval = \"15\"", "data.base_interval: expected 1m, 3m, 5m, 15m, 30m, 1h,"),
        ("[data]\nbase_interval = \"1w\"", "no candle is longer than a day, the unit of a run), found 1w"),
        ("[data]\nbase_interval = \"45m\"", "8h, 12h or 1d (finer candles are put together to it"),
        (
            "[data]\nbase_interval = \"4h\"\n[style.swing.space]\nmax_holding_hours = [8, 10]",
            "style.swing.space.max_holding_hours: expected whole candles of data.base_interval, 4h: 8 or 12 hours, found 10",
        ),
        (
            "[data]\nbase_interval = \"1d\"\n[style.scalping.space]\nmax_holding_hours = 12",
            "whole candles of data.base_interval, 1d: 24 hours, found 12",
        ),
        (
            "[data]\nbase_interval = \"30m\"\n[[style.swing.filters]]\ncolumn = \"trend_1h\"\nat_least = 0",
            "style.swing.filters.trend_1h: expected a timeframe of data.base_interval, 30m: \
             trend_30m, trend_2h, trend_8h, found trend_1h",
        ),
        ("[style.scalping.space]\nmax_holding_hours = 0.1", "15m: 0.25 hours, found 0.1"),
        ("[style.swing.space]\nmin_risk_rewrad = [1.0]", "did you mean \"min_risk_reward\"?"),
        ("[style.swing.space]\natr_tp_multiplier = []", "atr_tp_multiplier"),
        ("[style.swing.space]\natr_tp_multiplier = { min = 1, max = 9, step = 0 }", "positive step"),
        ("[style.swing.space]\nallowed_mkt_struct = [\"trend\"]", "trend_only"),
        (
            "[[style.swing.filters]]\nkey = \"x\"\ncolumn = \"volume\"\nat_least = 1",
            "expected a feature column",
        ),
        ("[[style.swing.filters]]\nkey = \"x\"\ncolumn = \"volume_ratio\"", "either at_least or at_most"),
        ("[validate]\nregime_symbol = \"\"", "validate.regime_symbol"),
        ("[portfolio]\ncooldown = \"4\"", "portfolio.cooldown: expected a time such as 90m, 4h or 1d"),
        ("[portfolio]\ncooldown = \"0h\"", "portfolio.cooldown"),
        ("[portfolio]\nmax_daily_loss_pct = -1.0", "0 to 100 percent of the account"),
        ("[portfolio]\nmax_postions = 3", "did you mean `max_positions`?"),
        ("[limits]\npriority = \"high\"", "expected one of `idle`, `low`, `normal`"),
        ("[data\n", "test.toml"),
        ("[signals]\nfiel = \"x\"", "did you mean `file`?"),
        (
            "[[style.swing.filters]]\ncolumn = \"signals.x\"\nat_least = 1",
            "style.swing.filters.x: expected a file with the column \"x\": [signals] file, or --signals, found none",
        ),
        (
            "[signals]\nfile = \"x\"\n[[style.swing.filters]]\ncolumn = \"signals.My Score\"\nat_least = 1",
            "style.swing.filters.key: expected a name such as min_volume_ratio, found \"My Score\"",
        ),
        ("[[style.swing.filters]]\nkey = \"x\"\ncolumn = \"signals.\"\nat_least = 1", "or signals.NAME"),
        ("[style.swing.space]\ntrailing_stop_distnace = [1.0]", "did you mean \"trailing_stop_distance\"?"),
        ("[style.swing.space]\ntrailing_stop_distance = [\"on\", 1.0]", "numbers or \"off\", found \"on\""),
        ("[style.swing.space]\nmax_holding_hours = \"off\"", "positive numbers within reason, found [off]"),
        (
            "[style.swing.space]\ntake_profit_pct = \"off\"",
            "style.swing.space.take_profit_pct: expected a number, or atr_tp_multiplier = \"off\" beside it",
        ),
        (
            "[style.swing.space]\nleverage = 5",
            "\"leverage\": expected an axis in percent of the stake beside it",
        ),
        ("[style.swing.space]\nhard_stop_pct = [\"off\", -2]", "hard_stop_pct"),
        (
            "[style.swing.space]\ntrailing_offset_pct = 3",
            "style.swing.space.trailing_offset_pct: expected trailing_pct beside it: nothing else reads it, found none",
        ),
        (
            "[style.swing.space]\ntrailing_stop_distance = 1\ntrailing_only_offset_is_reached = false",
            "trailing_only_offset_is_reached: expected trailing_pct beside it",
        ),
        (
            "[style.swing.space]\ntp1_close_pct = 30",
            "tp1_close_pct: expected tp1_atr_multiplier or tp1_pct beside it",
        ),
        (
            "[style.swing.space]\ntrailing_pct = 1\ntrailing_only_offset_is_reached = [true, 1]",
            "trailing_only_offset_is_reached: expected true, false or both, found 1",
        ),
        (
            "[style.swing.space]\nexit_signal = [true, false]",
            "style.swing.space.exit_signal: expected a file with the column exit_time: [signals] file, or --signals",
        ),
        (
            "[signals]\nfile = \"x\"\n[style.swing.space]\nexit_signal = 1",
            "expected true, false or both, found 1",
        ),
        ("[style.swing.space]\nroi_pct = -1", "positive numbers within reason, or \"off\", found [-1]"),
        (
            "[style.swing.space]\nroi_decay_minutes = 60",
            "expected roi_pct beside it, from which the target falls",
        ),
        (
            "[style.swing.space]\nroi_pct = 4\nroi_decay_minutes = 60\nroi_2_minutes = 30\nroi_2_pct = 2",
            "a staircase by roi_decay_minutes or by rows such as roi_2_minutes, not by both",
        ),
        (
            "[style.swing.space]\nroi_3_pct = 2",
            "style.swing.space.roi_3_pct: expected roi_3_minutes beside it",
        ),
        ("[costs]\nfills = \"best\"", "expected one of `pessimistic`, `freqtrade`, found \"best\""),
        (
            "[costs]\nfills = \"freqtrade\"",
            "style.scalping.space.atr_tp_multiplier: expected \"off\", with exits that freqtrade has (max_holding_hours, take_profit_pct, ",
        ),
        (
            "[style.swing.space]\nroi_2_minutes = 60",
            "style.swing.space.roi_2_minutes: expected roi_2_pct beside it, found none",
        ),
        (
            "[signals]\nfile = \"x\"\n[style.swing.space]\nexit_signal = \"on\"",
            "expected true, false or both, found \"on\"",
        ),
        ("[style.swing.space]\ntrailing_pct = true", "trailing_pct: expected numbers or \"off\", found true"),
        ("[style.swing.space]\nmin_consensus = [\"off\", 2]", "expected numbers"),
    ];
    for (text, wanted) in cases {
        let error = config(text)
            .and_then(|c| c.plan(&Style::ALL, DayLimits::default()))
            .expect_err("a mistake")
            .to_string();
        assert!(error.contains(wanted), "{text:?} gives {error:?}, without {wanted:?}");
    }
}

#[test]
fn words_are_those_of_the_types() {
    let words = |path: &str| match root().at(path) {
        Some(Shape::Words(words)) => words.iter().map(|word| word.name.clone()).collect::<Vec<_>>(),
        other => panic!("{path}: {other:?}"),
    };
    assert_eq!(words("search.score"), Score::ALL.map(Score::as_str));
    assert_eq!(words("search.rank"), RankBy::ALL.map(RankBy::as_str));
    assert_eq!(words("portfolio.sides"), ["market", "long", "short", "both"]);
    assert_eq!(words("costs.fills"), Fills::ALL.map(Fills::as_str));
    assert_eq!(words("search.strategy"), Strategy::ALL.map(Strategy::as_str));
    assert_eq!(words("search.weights"), Weighting::ALL.map(Weighting::as_str));
    assert_eq!(words("decide.require"), Require::ALL.map(Require::as_str));
}

/// Visits every dotted key that is no section, as it stands in a section of its own.
fn each_key(path: &str, keys: &[Key], visit: &mut impl FnMut(&str, &str, &Shape)) {
    for key in keys {
        let below = if path.is_empty() { key.name.clone() } else { format!("{path}.{}", key.name) };
        match &key.shape {
            Shape::Section(keys) => each_key(&below, keys, visit),
            Shape::List(of) if matches!(**of, Shape::Section(_)) => {}
            Shape::Map(of) => visit(&format!("[{below}]"), "atr_tp_multiplier", of),
            shape => visit(&format!("[{path}]"), &key.name, shape),
        }
    }
}

#[test]
fn every_key_takes_what_its_shape_says_and_refuses_all_else_by_its_name() {
    let values = [
        "5",
        "-1",
        "70000",
        "99999999999999999999",
        "0x10",
        "1.5",
        "nan",
        "inf",
        "\"x\"",
        "\"\"",
        "true",
        "[]",
        "[1, \"off\"]",
        "[\"x\"]",
        "[[1]]",
        "[{}]",
        "{}",
        "{ min = 1, max = 2, step = 1 }",
        "{ min = 1, max = 2, step = 1, more = 1 }",
        "{ min = 1 }",
        "1979-05-27",
        "[1979-05-27]",
        "07:32:00",
    ];
    let mut tried = 0;
    each_key("", root().keys(), &mut |section, name, shape| {
        for value in values {
            tried += 1;
            let Err(error) = config(&format!("{section}\n{name} = {value}\n")) else { continue };
            let text = error.to_string();
            assert!(matches!(error, ConfigError::Type { .. }), "{section} {name} = {value}: {text}");
            assert!(text.contains(&format!("{name}: expected ")), "{text}");
            assert!(text.starts_with("test.toml: line 2, column "), "{text}");
            assert!(!matches!(shape, Shape::Text) || value != "\"x\"", "{text}");
        }
        let unknown = config(&format!("{section}\nx{name}x = 1\n"));
        if !section.ends_with(".space]") {
            assert!(matches!(unknown, Err(ConfigError::UnknownKey { .. })), "{section} {name}: {unknown:?}");
        }
    });
    assert!(tried > 1_000, "{tried}");
}

#[test]
fn every_value_knows_where_it_comes_from() {
    let layers = [
        Layer::text(
            "`a.toml`",
            "[search]\ntop = 5\nmin_trades = 60\n\n[style.swing.space]\nmin_consensus = [0, 1]\n",
        ),
        Layer::text(
            "`b.toml`",
            "search.top = 6\n[[style.swing.filters]]\ncolumn = \"volume_ratio\"\nat_least = 1\n",
        ),
        Layer::setting("environment OPTIMIZER_SEARCH__SEED", "search.seed = 3"),
    ];
    let config = Config::from_layers(&layers).expect("sound");
    let origin = |key: &str| config.origin(key).to_string();
    assert_eq!(origin("search.top"), "`b.toml`, line 1");
    assert_eq!(origin("search.min_trades"), "`a.toml`, line 3");
    assert_eq!(origin("style.swing.space.min_consensus"), "`a.toml`, line 6");
    assert_eq!(origin("style.swing.filters"), "`b.toml`");
    assert_eq!(origin("style.swing.filters.volume_ratio"), "`b.toml`, line 2");
    assert_eq!(origin("search.seed"), "environment OPTIMIZER_SEARCH__SEED");
    assert_eq!(origin("search.score"), "default");
}

#[test]
fn errors_about_values_name_their_origin() {
    let wrong = |layers: &[Layer]| {
        let checked = Config::from_layers(layers).and_then(|config| config.check().map(drop));
        checked.expect_err("a mistake").to_string()
    };
    for (text, end) in [
        ("\n[costs]\ntaker_fee_pct = 50\n", "found 50 (`my.toml`, line 3)"),
        (
            "[symbols]\nmin_trades = 5\nprior_trades = 0\n",
            "symbols.prior_trades: expected at least 1, found 0 (`my.toml`, line 3)",
        ),
        ("[notify]\n\ntimeout = \"x\"\n", "(`my.toml`, line 3)"),
        ("[style.swing]\nspace.min_consensus = [nan]\n", "(`my.toml`, line 2)"),
        ("[style.swing.space]\n\nmin_consensu = 1\n", "(`my.toml`, line 3)"),
        ("[style.swing.space]\nmax_holding_hours = { min = 1, max = 2, step = -1 }\n", "(`my.toml`, line 2)"),
        (
            "[[style.swing.filters]]\ncolumn = \"rsi_14\"\nat_least = 1\n[[style.swing.filters]]\nkey = \"x\"\ncolumn = \"y\"\nat_most = 1\n",
            "(`my.toml`, line 4)",
        ),
        ("[fetch]\nattempts = 0\n", "(`my.toml`, line 2)"),
        ("[memory]\nwarning = \"2GiB\"\n", "(`my.toml`, line 2)"),
    ] {
        let error = wrong(&[Layer::text("`my.toml`", text)]);
        assert!(error.ends_with(end), "{text:?} gives {error:?}");
    }
    let file = Layer::text("`my.toml`", "[limits]\ncache = \"1GiB\"\n");
    let over = Layer::setting("--set limits.cache", "limits.cache = 5");
    assert!(wrong(&[file, over]).ends_with("found 5 (--set limits.cache)"));
    // What nobody named has no place.
    let error = wrong(&[Layer::text("`my.toml`", "[memory]\ncritical = \"1MiB\"\n")]);
    assert!(error.ends_with("found 800MiB"), "{error}");
}

#[test]
fn renamed_keys_are_read_by_their_old_names_with_a_warning() {
    let old = "[validate]\nquick = true\nearly_share = 0.6\nmin_late_trades = 3\n";
    let new = "[validate]\nquick = true\nin_sample_share = 0.6\nmin_out_of_sample_trades = 3\n";
    let (old, new) = (config(old).expect("sound"), config(new).expect("sound"));
    assert_eq!(old, new);
    assert_eq!(old.to_toml(), new.to_toml());
    assert_eq!(new.warnings(), [""; 0]);
    assert_eq!(
        old.warnings()[0],
        "test.toml, line 3: `validate.early_share` is now called `validate.in_sample_share`; the old name is still read"
    );
    assert_eq!(old.warnings().len(), 2);
    assert_eq!(old.origin("validate.in_sample_share").line(), Some(3));
    // Over each other, the later counts, whatever it is called.
    let layers = |names: [&str; 2]| {
        let layer = |(name, value)| Layer::setting("--set", format!("validate.{name} = {value}"));
        let layers: Vec<Layer> = names.into_iter().zip([0.5, 0.6]).map(layer).collect();
        Config::from_layers(&layers).expect("sound").validate.in_sample_share
    };
    assert_eq!(layers(["early_share", "in_sample_share"]), 0.6);
    assert_eq!(layers(["in_sample_share", "early_share"]), 0.6);
    for (text, wanted) in [
        ("[validate]\nearly_share = 0.6\nin_sample_share = 0.6\n", "line 2, column 1"),
        (
            "validate.in_sample_share = 0.6\nvalidate.early_share = 0.6\n",
            "expected its new name `validate.in_sample_share` alone, found both",
        ),
        ("[validate]\nearly_share = true\n", "validate.early_share: expected a number, found true"),
    ] {
        let error = config(text).expect_err(text).to_string();
        assert!(error.contains(wanted), "{error}");
    }
    assert_eq!(key_of_underscored("validate_early_share").as_deref(), Some("validate.early_share"));
    assert_eq!(key_of_underscored("search_min_trades").as_deref(), Some("search.min_trades"));
    assert_eq!(key_of_underscored("search_nothing"), None);
}
