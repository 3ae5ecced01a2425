use std::path::Path;

use super::*;

/// What a path claims, as one text: symbol, interval, market, exchange; `-` for what it does not.
fn claimed(path: &str) -> String {
    let claim = claim(Path::new(path), None);
    let word = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    let market = claim.market;
    format!(
        "{} {} {} {}",
        word(claim.symbol.map(|symbol| symbol.to_string())),
        word(claim.interval.map(|interval| interval.to_string())),
        word(market.kind.map(|kind| kind.to_string())),
        word(market.exchange.map(str::to_owned))
    )
}

/// Names as tools write them, and what they say.
const NAMES: &[(&str, &str)] = &[
    // Binance
    ("BTCUSDT-15m.csv", "BTCUSDT 15m - -"),
    ("BTCUSDT-5m-2024Q4.csv", "BTCUSDT 5m - -"),
    ("BTCUSDT-15m-2025-01.zip", "BTCUSDT 15m - -"),
    ("ETHUSDT-1h-2024-12.csv", "ETHUSDT 1h - -"),
    ("ETHUSDT-15m-2024-12-15.zip", "ETHUSDT 15m - -"),
    ("BTCUSDT_15m.csv", "BTCUSDT 15m - -"),
    ("btcusdt_15m.csv", "BTCUSDT 15m - -"),
    ("btc-usdt-15m.CSV", "BTCUSDT 15m - -"),
    ("BTCUSDT-1M-2024-01.csv", "BTCUSDT - - -"),
    ("BTCUSDT-1mo-2024-01.csv", "BTCUSDT - - -"),
    ("BTCUSDT-1w.csv", "BTCUSDT 1w - -"),
    ("BTCUSD_PERP-1h-2024-01.zip", "BTCUSD 1h coin-m -"),
    ("BNBUSD_PERP-15m.csv", "BNBUSD 15m coin-m -"),
    ("BTCUSDT_250328-15m-2024-12.csv", "BTCUSDT_250328 15m dated -"),
    ("BTCUSDT_210326-15m-2021-01-05.zip", "BTCUSDT_210326 15m dated -"),
    ("BTCUSD_250328-15m.csv", "BTCUSD_250328 15m dated -"),
    ("ETHUSDT_250926-1h.csv", "ETHUSDT_250926 1h dated -"),
    ("data/spot/monthly/klines/BTCUSDT/15m/BTCUSDT-15m-2025-01.zip", "BTCUSDT 15m spot -"),
    ("data/futures/um/monthly/klines/BTCUSDT/15m/BTCUSDT-15m-2025-01.zip", "BTCUSDT 15m usdt-m -"),
    ("data/futures/cm/daily/klines/BTCUSD_PERP/15m/BTCUSD_PERP-15m-2025-01-01.zip", "BTCUSD 15m coin-m -"),
    (
        "data/futures/um/daily/klines/BTCUSDT_250328/15m/BTCUSDT_250328-15m-2025-01-01.zip",
        "BTCUSDT_250328 15m dated -",
    ),
    ("data/spot/BTCUSDT/15m/2025-01-01.csv", "BTCUSDT 15m spot -"),
    ("1000PEPEUSDT-15m.csv", "1000PEPEUSDT 15m - -"),
    ("1INCHUSDT-15m.csv", "1INCHUSDT 15m - -"),
    ("LUNA2USDT-15m.csv", "LUNA2USDT 15m - -"),
    ("币安人生USDT-15m.csv", "币安人生USDT 15m - -"),
    ("4USDT-15m.csv", "4USDT 15m - -"),
    ("BTCUSDT-15m-1735689600000-1738367999999.csv", "BTCUSDT 15m - -"),
    ("BTCUSDT_15m_20250101_20250131.csv", "BTCUSDT 15m - -"),
    ("BTCUSDT_20250101_20250131.csv", "BTCUSDT - - -"),
    ("BTCUSDT_2024.csv", "BTCUSDT - - -"),
    ("BTCUSDT-15m-250101.csv", "BTCUSDT 15m - -"),
    ("BTCUSDT-15m-2025-01-01T00.csv", "BTCUSDT 15m - -"),
    ("BTCUSDT_15m_20250101T000000Z.csv", "BTCUSDT 15m - -"),
    // freqtrade
    ("BTC_USDT-15m.feather", "BTCUSDT 15m - -"),
    ("ADA_BTC-5m.json.gz", "ADABTC 5m - -"),
    ("ADA_USDT-5m.csv.gz", "ADAUSDT 5m - -"),
    ("UNITTEST_BTC-8m.json", "UNITTESTBTC 8m - -"),
    ("BTC_USDT_USDT-1h-futures.csv", "BTCUSDT 1h usdt-m -"),
    ("BTC_USDC_USDC-1h-futures.feather", "BTCUSDC 1h usdt-m -"),
    ("BTC_USD_BTC-1h-futures.feather", "BTCUSD 1h coin-m -"),
    ("BTC_USDT_USDT_250328-15m-futures.feather", "BTCUSDT_250328 15m dated -"),
    ("futures/BTC_USDT_USDT-15m-futures.feather", "BTCUSDT 15m usdt-m -"),
    ("币安人生_USDT_USDT-15m-futures.feather", "币安人生USDT 15m usdt-m -"),
    ("4_USDT_USDT-15m-futures.feather", "4USDT 15m usdt-m -"),
    ("1000SHIB_USDT_USDT-15m-futures.feather", "1000SHIBUSDT 15m usdt-m -"),
    ("user_data/data/binance/BTC_USDT-15m.feather", "BTCUSDT 15m - binance"),
    ("user_data/data/okx/futures/ETH_USDT_USDT-15m-futures.feather", "ETHUSDT 15m usdt-m okx"),
    ("WBTC_USDT-15m.csv", "WBTCUSDT 15m - -"),
    ("WBTC_BTC-15m.csv", "WBTCBTC 15m - -"),
    ("BETH-USDT-15m.csv", "BETHUSDT 15m - -"),
    ("BTCUSDT_USDT-15m.csv", "BTCUSDT 15m usdt-m -"),
    ("INDEX_USDT-15m.feather", "INDEXUSDT 15m - -"),
    ("DATA_USDT-15m.feather", "DATAUSDT 15m - -"),
    // Kraken
    ("XBTUSD_60.csv", "XBTUSD 1h - -"),
    ("XBTUSD_1440.csv", "XBTUSD 1d - -"),
    ("ETHEUR_15.csv", "ETHEUR 15m - -"),
    ("PF_XBTUSD_60.csv", "XBTUSD 1h usdt-m -"),
    ("PI_XBTUSD-1h.csv", "XBTUSD 1h coin-m -"),
    ("krakenfutures_BTC_USD_USD-15m.csv", "BTCUSD 15m usdt-m kraken"),
    // CryptoDataDownload
    ("Binance_BTCUSDT_1h.csv", "BTCUSDT 1h - binance"),
    ("Binance_BTCUSDT_2023_minute.csv", "BTCUSDT 1m - binance"),
    ("Binance_BTCUSDT_d.csv", "BTCUSDT 1d - binance"),
    ("Bitstamp_BTCUSD_1h.csv", "BTCUSD 1h - bitstamp"),
    ("Gemini_ETHUSD_2020_1min.csv", "ETHUSD 1m - gemini"),
    ("Gemini_BTCUSD_1hr.csv", "BTCUSD 1h - gemini"),
    ("Coinbase_BTCUSD_daily.csv", "BTCUSD 1d - coinbase"),
    // ccxt dumps and exchange prefixes
    ("binance_BTC_USDT_15m.csv", "BTCUSDT 15m - binance"),
    ("gateio_BTC_USDT_15m.csv", "BTCUSDT 15m - gate"),
    ("gateio_BTC_USDC_15m.csv", "BTCUSDC 15m - gate"),
    ("gate.io_BTC_USDT_15m.csv", "BTCUSDT 15m - gate"),
    ("okx-BTC-USDT-15m.csv", "BTCUSDT 15m - okx"),
    ("coinbase_BTC-USD_15m.csv", "BTCUSD 15m - coinbase"),
    ("ohlcv-SOL-USDT-15m.csv", "SOLUSDT 15m - -"),
    ("kline_ETH_USDT.csv", "ETHUSDT - - -"),
    ("binance_spot_BTC_USDT_15m.csv", "BTCUSDT 15m spot binance"),
    ("binance_futures_BTC_USDT_15m.csv", "BTCUSDT 15m usdt-m binance"),
    ("binance-futures_BTCUSD_15m.csv", "BTCUSD 15m coin-m binance"),
    ("binanceusdm_BTC_USDT_USDT_15m.csv", "BTCUSDT 15m usdt-m binance"),
    ("binanceusdm-BTCUSDT-15m.csv", "BTCUSDT 15m usdt-m binance"),
    ("binancecoinm_BTC_USD_15m.csv", "BTCUSD 15m coin-m binance"),
    ("BINANCE_SPOT_BTC_USDT.csv", "BTCUSDT - spot binance"),
    ("dydx_BTC_USDT_15m.csv", "BTCUSDT 15m - dydx"),
    ("DYDX_USDT-15m.csv", "DYDXUSDT 15m - -"),
    ("hyperliquid_BTC_USDC_USDC_15m.csv", "BTCUSDC 15m usdt-m hyperliquid"),
    ("bybit_BTCUSDT_linear_15m.csv", "BTCUSDT 15m usdt-m bybit"),
    ("bybit_BTCUSD_inverse_15m.csv", "BTCUSD 15m coin-m bybit"),
    ("bybit/BTCUSDT_15_2025-01-01_2025-01-31.csv", "BTCUSDT 15m - bybit"),
    ("BTC-USDT_binance_1h_2020-2024.csv", "BTCUSDT 1h - binance"),
    // OKX, AdoptionGate, Bitget, KuCoin
    ("OKX_BTC-USDT-SWAP_15m.csv", "BTCUSDT 15m usdt-m okx"),
    ("BTC-USDT-SWAP-15m.csv", "BTCUSDT 15m usdt-m -"),
    ("BTC-USD-SWAP-15m.csv", "BTCUSD 15m coin-m -"),
    ("BTC-USDT-250328-15m.csv", "BTCUSDT_250328 15m dated -"),
    ("BTC-USD-250328.csv", "BTCUSD_250328 - dated -"),
    ("BTC-USDT-SWAP-candle15m.csv", "BTCUSDT 15m usdt-m -"),
    ("BTC-USDT-SWAP-candlesticks-2025-01-01.zip", "BTCUSDT - usdt-m -"),
    ("spot/candlesticks_15m/202501/BTC_USDT-202501.csv.gz", "BTCUSDT 15m spot -"),
    ("BTCUSDT_UMCBL-15m.csv", "BTCUSDT 15m usdt-m -"),
    ("BTCUSD_DMCBL-15m.csv", "BTCUSD 15m coin-m -"),
    ("BTCUSDT_SPBL-15m.csv", "BTCUSDT 15m spot -"),
    ("XBTUSDTM-15m.csv", "XBTUSDT 15m usdt-m -"),
    ("BTCUSDT-28MAR25-15m.csv", "BTCUSDT_250328 15m dated -"),
    // Quote first: Upbit, Bittrex, Poloniex
    ("KRW-BTC_15m.csv", "BTCKRW 15m - -"),
    ("KRW-USDT_15m.csv", "USDTKRW 15m - -"),
    ("USDT-ETH_15m.csv", "ETHUSDT 15m - -"),
    ("USDT-ADA-15m.csv", "ADAUSDT 15m - -"),
    ("KRW-A_15m.csv", "AKRW 15m - -"),
    ("upbit_KRW-SOL_15m.csv", "SOLKRW 15m - upbit"),
    ("upbit_BTC_KRW_15m.csv", "BTCKRW 15m - upbit"),
    ("upbit/BTC-ETH_15m.csv", "ETHBTC 15m - upbit"),
    ("bittrex/BTC-ADA_15m.csv", "ADABTC 15m - bittrex"),
    ("poloniex_USDT_BTC_15m.csv", "BTCUSDT 15m - poloniex"),
    ("ETH-BTC_15m.csv", "ETHBTC 15m - -"),
    ("USD-JPY_15m.csv", "USDJPY 15m - -"),
    // yfinance, TradingView, MetaTrader, Dukascopy, Kaggle
    ("BTC-USD.csv", "BTCUSD - - -"),
    ("BTC-USD_1h.csv", "BTCUSD 1h - -"),
    ("BINANCE_BTCUSDT, 15.csv", "BTCUSDT 15m - binance"),
    ("BINANCE_BTCUSDT, 15_3f2a1.csv", "BTCUSDT 15m - binance"),
    ("BINANCE_BTCUSDT.P, 15.csv", "BTCUSDT 15m usdt-m binance"),
    ("BINANCE_BTCUSDT, 1D.csv", "BTCUSDT 1d - binance"),
    ("BYBIT_BTCUSD.P, 60.csv", "BTCUSD 1h coin-m bybit"),
    ("BTCUSDTPERP-15m.csv", "BTCUSDT 15m usdt-m -"),
    ("BTCUSD_M15_202501010000_202506302345.csv", "BTCUSD 15m - -"),
    ("EURUSD_H1.csv", "EURUSD 1h - -"),
    ("DAT_ASCII_EURUSD_M1_2024.csv", "EURUSD 1m - -"),
    ("BTCUSD_Candlestick_15_M_BID_01.01.2025-31.01.2025.csv", "BTCUSD 15m - -"),
    ("BTCUSD_Candlestick_1_Hour_BID_01.01.2025-31.01.2025.csv", "BTCUSD 1h - -"),
    ("btcusd-m15-bid-2025-01-01-2025-01-31.csv", "BTCUSD 15m - -"),
    ("btcusd_1-min_data.csv", "BTCUSD 1m - -"),
    // Parts, words that say nothing, places
    ("ADABTC_pipe_separated-1m-2021-11-27.csv", "ADABTC 1m - -"),
    ("BTCUSDT-15m-a.csv", "BTCUSDT 15m - -"),
    ("BTCUSDT-15m-2.csv", "BTCUSDT 15m - -"),
    ("BTCUSDT-15m (1).csv", "BTCUSDT 15m - -"),
    ("BTCUSDT-15m-part-0.parquet", "BTCUSDT 15m - -"),
    ("BTCUSDT_15m_part3.csv", "BTCUSDT 15m - -"),
    ("BTCUSDT_15m_ohlcv_data.csv", "BTCUSDT 15m - -"),
    ("historical_BTCUSDT_15m_UTC.csv", "BTCUSDT 15m - -"),
    ("klines-BTCUSDT-15m-from-2023-to-2024.csv", "BTCUSDT 15m - -"),
    ("15m_SOLUSDT.csv", "SOLUSDT 15m - -"),
    ("BTC_USDT:USDT-15m.csv", "BTCUSDT 15m usdt-m -"),
    ("BTCUSDT_Jan2025_15m.csv", "BTCUSDT 15m - -"),
    ("BTCUSDT.BINANCE.15m.csv", "BTCUSDT 15m - binance"),
    ("2025-01_BTCUSDT_15m.csv", "BTCUSDT 15m - -"),
    ("SOLUSDT-1h.parquet", "SOLUSDT 1h - -"),
    ("BTCUSDT_1h_from_1m.csv", "BTCUSDT 1h - -"),
    ("data/15m/BTC_USDT/2025-01-01.csv", "BTCUSDT 15m - -"),
    ("data/5m/ETHUSDT-15m.csv", "ETHUSDT 15m - -"),
    ("/data/5m-bot/BTCUSDT.csv", "BTCUSDT - - -"),
    ("binance-um/BTCUSDT-15m.csv", "BTCUSDT 15m usdt-m binance"),
    ("usdt-m/BTCUSDT-15m.csv", "BTCUSDT 15m usdt-m -"),
    ("coin-m/BTCUSD-15m.csv", "BTCUSD 15m coin-m -"),
    ("USDT-M/BTCUSDT-15m.csv", "BTCUSDT 15m usdt-m -"),
    ("spot/BTCUSDT-15m.csv", "BTCUSDT 15m spot -"),
    ("BTCUSDT/15m/weird.csv", "BTCUSDT 15m - -"),
    ("BTCUSDT/15m/part-00000-3b1d-c000.snappy.parquet", "BTCUSDT 15m - -"),
    ("symbol=BTCUSDT/interval=15m/year=2025/part-0.parquet", "BTCUSDT 15m - -"),
    ("symbol=BTC%2FUSDT%3AUSDT/timeframe=15m/0.parquet", "BTCUSDT 15m - -"),
    ("exchange=binance/market=futures/symbol=BTCUSDT/interval=15m/0.parquet", "BTCUSDT 15m usdt-m binance"),
    ("interval=15m/symbol=ABC/year=2025/month=1/day=2/hour=3/part-0.parquet", "ABC 15m - -"),
    ("symbol=BTCUSDT/BTCUSDT_mystery-15m.csv", "BTCUSDT - - -"),
];

/// Names that claim nothing, with the words in the reason.
const UNCLEAR: &[(&str, &str)] = &[
    ("BTCUSDT_weird-15m.csv", "`weird`"),
    ("BTC_USDT_mystery_15m.csv", "`mystery`"),
    ("BTCUSDT_ETHUSDT_15m.csv", "`ETHUSDT`"),
    ("foo_BTC_USDT-15m.csv", "`foo`"),
    ("BTCUSDT-15m-old.csv", "`old`"),
    ("BTCUSDT_250327-15m.csv", "`250327`"),
    ("BTCUSDT_CURRENT-15m.csv", "`CURRENT`"),
    ("BTCUSDT/ETHUSDT_weird.csv", "`weird`"),
    ("BTC-USDT-250328-50000-C.csv", "`50000`"),
    ("BTCUSDT_spot_futures_15m.csv", "`futures`"),
    ("BTC-ETH_15m.csv", "BTCETH or of ETHBTC"),
    ("SUSD_USD-15m.csv", "SUSD or of SUSDUSD"),
    ("<script>_BTCUSDT-15m.csv", "`<script>`"),
];

/// Names that hold no pair.
const NONE: &[&str] = &[
    "signals.csv",
    "industry.csv",
    "README.txt",
    "2025-01-01.csv",
    "USDT.csv",
    "a/b/c.csv",
    "",
    "é-15m.csv",
    "prices.csv",
    "teeth.csv",
    "amateur.csv",
    "ETH_1H.csv",
    "ohlcv_BTC.csv",
    "kline_ETH.csv",
    "binance_BTC.csv",
    "bitstampUSD_1-min_data.csv",
    "2025_BTC-15m.csv",
    "NOPAIR_XXX-4m.json",
    "candles.parquet",
    "BTC-OLD.csv",
    "sym=BTCUSDT/part-0.parquet",
    "data_usdt.csv",
    "binance_USDT.csv",
];

/// Names of what is no candle of trades, and the word.
const OTHER_DATA_NAMES: &[(&str, &str)] = &[
    ("XRP_USDT_USDT-8h-funding_rate.feather", "funding"),
    ("XRP_USDT_USDT-1h-mark.feather", "mark"),
    ("XRP_USDT_USDT-1h-index.feather", "index"),
    ("XRP_USDT_USDT-1h-premiumIndex.feather", "premiumindex"),
    ("XRP_USDT_USDT-5m-open_interest.feather", "open"),
    ("BTCUSDT-markPriceKlines-15m.csv", "markpriceklines"),
    ("um/markPriceKlines/BTCUSDT/1m/BTCUSDT-1m-2024-01.zip", "markpriceklines"),
    ("um/indexPriceKlines/BTCUSDT/1m/BTCUSDT-1m-2024-01.zip", "indexpriceklines"),
    ("BTCUSDT-aggTrades-2024-01.zip", "aggtrades"),
    ("BTCUSDT-trades-2024-01.zip", "trades"),
    ("BTCUSDT-metrics-2024-01-01.zip", "metrics"),
    ("BTCUSDT-fundingRate-2024-01.zip", "fundingrate"),
    ("BTCUSDT_signals.csv", "signals"),
    ("BTCUSD_Candlestick_15_M_ASK_01.01.2025-31.01.2025.csv", "ask"),
    ("BTCUSDT_15m_heikin_ashi.csv", "heikin"),
];

#[test]
fn names_say_what_tools_mean_by_them() {
    assert!(NAMES.len() + UNCLEAR.len() + NONE.len() + OTHER_DATA_NAMES.len() > 180);
    let wrong: Vec<String> = NAMES
        .iter()
        .filter(|(path, expected)| claimed(path) != *expected)
        .map(|(path, expected)| format!("{path}: expected {expected}, found {}", claimed(path)))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_word_that_is_not_understood_means_no_symbol() {
    for (path, expected) in UNCLEAR {
        let claim = claim(Path::new(path), None);
        assert_eq!(claim.symbol, None, "{path}");
        let reason = claim.unclear.map(|reason| reason.to_string()).unwrap_or_default();
        assert!(reason.contains(expected) && reason.contains("symbol=BTCUSDT"), "{path}: {reason:?}");
    }
    for path in NONE {
        let claim = claim(Path::new(path), None);
        assert_eq!((claim.symbol, claim.unclear), (None, None), "{path}");
    }
}

#[test]
fn other_data_is_named_by_its_word() {
    for (path, word) in OTHER_DATA_NAMES {
        assert_eq!(claim(Path::new(path), None).other_data.as_deref(), Some(*word), "{path}");
    }
    for path in ["BTCUSDT-15m.csv", "me/signals/data/BTCUSDT-15m.csv", "INDEX_USDT-15m.feather"] {
        assert_eq!(claim(Path::new(path), None).other_data, None, "{path}");
    }
}

/// A small generator: the same numbers on every machine.
struct Draws(u64);

impl Draws {
    fn of<'a, T: ?Sized>(&mut self, items: &[&'a T]) -> &'a T {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        items[(self.0 >> 33) as usize % items.len()]
    }
}

/// A name drawn from what the grammar knows, and what it says.
fn composed(draws: &mut Draws) -> (Vec<String>, String) {
    let bases = ["BTC", "ADA", "1000PEPE", "LUNA2", "币安人生", "4", "W", "1INCH", "DOT"];
    let (base, quote) = (draws.of(&bases), draws.of(&["USDT", "USDC", "KRW", "EUR"]));
    let mut words: Vec<String> = Vec::new();
    let mut add = |word: &str| words.extend((!word.is_empty()).then(|| word.to_owned()));
    add(draws.of(&["", "", "binance", "okx", "ohlcv", "gateio"]));
    match draws.of(&["joined", "separated", "settled"]) {
        "joined" => add(&format!("{base}{quote}")),
        "settled" => [base, quote, quote].into_iter().for_each(&mut add),
        _ => [base, quote].into_iter().for_each(&mut add),
    }
    let interval = draws.of(&["5m", "15m", "1h", "4h"]);
    add(interval);
    add(draws.of(&["", "futures", "perp", "swap"]));
    add(draws.of(&["", "2025", "202501", "20250101", "2024Q4", "data"]));
    (words, format!("{base}{quote} {interval}"))
}

#[test]
fn what_the_grammar_composes_it_reads_and_a_foreign_word_spoils_it() {
    let mut draws = Draws(7);
    for _ in 0..2_000 {
        let (mut words, expected) = composed(&mut draws);
        let separator = draws.of(&["_", "-"]);
        let name = |words: &[String]| format!("{}.csv", words.join(separator));
        let found = claimed(&name(&words));
        assert!(found.starts_with(&expected), "{}: {found}", name(&words));
        let place = usize::from(draws.of(&["a", "b"]) == "a") * words.len();
        words.insert(place, draws.of(&["xyzzy", "rerun", "v2", "foo", "неизвестно", "C0FFEE"]).to_owned());
        assert!(claimed(&name(&words)).starts_with("- "), "{}: {}", name(&words), claimed(&name(&words)));
    }
}

#[test]
fn members_come_before_the_archive() {
    let entry = |entry: &str| {
        let claim = claim(Path::new("ETHUSDT/15m/BTCUSDT-15m-2025-01.zip"), Some(entry));
        (claim.symbol.map(|s| s.to_string()), claim.interval.map(|i| i.to_string()))
    };
    assert_eq!(entry("data.csv"), (Some("BTCUSDT".to_owned()), Some("15m".to_owned())));
    assert_eq!(entry("SOL_USDT-5m.csv"), (Some("SOLUSDT".to_owned()), Some("5m".to_owned())));
    assert_eq!(entry("SOLUSDT\\1h\\x.csv"), (Some("SOLUSDT".to_owned()), Some("1h".to_owned())));
    assert_eq!(entry("SOLUSDT_weird.csv"), (None, Some("15m".to_owned())));
}

#[test]
fn days_are_read_from_names() {
    let midnight = Some(1_735_689_600_000);
    let day = |path: &str, entry| day_ms(Path::new(path), entry);
    assert_eq!(day("market_snapshots/20250101.csv", None), midnight);
    assert_eq!(day("snapshots_2025-01-01.csv.gz", None), midnight);
    assert_eq!(day("20240101.zip", Some("x\\20250101.csv")), midnight);
    assert_eq!(day("20250101.zip", Some("snapshots.csv")), midnight);
    for none in ["20251301.csv", "20250101/snapshots.csv", "123456789.csv", "é.csv", "2025-01.csv", ""] {
        assert_eq!(day(none, None), None, "{none}");
    }
}
