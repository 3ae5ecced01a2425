//! freqtrade's folders of candles, `user_data/data/EXCHANGE/PAIR-TIMEFRAME.EXTENSION`: which of the files a run reads.
//!
//! A folder has several exchanges, spot beside futures, and each pair in several timeframes. One exchange and one market are chosen, by
//! name where there are several; of a pair the files of one timeframe are read, the coarsest that makes up the base interval.
//!
//! Source: freqtrade 2026.9, `data/history/datahandlers` and folders it wrote

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fmt;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::error::{FreqtradeFolderError, IngestError};
use super::{IngestOptions, name};
use crate::model::{Interval, MarketKind, Symbol, escaped};

/// How a path begins that is such a folder.
const SCHEME: &str = "freqtrade:";
/// Names that an error lists.
const NAMES_SHOWN: usize = 12;
/// The folder of everything but spot, below that of its exchange.
const FUTURES: &str = "futures";
/// What the files of candles end with.
const EXTENSIONS: [&str; 4] = [".feather", ".parquet", ".json", ".json.gz"];
/// The kind of candles in the name of a contract's file; a spot market's has none. Other kinds are no candles of trades.
const OF_CONTRACT: &str = "futures";

/// Returns the folder of freqtrade that a path names, as `freqtrade:user_data` does.
pub fn freqtrade_folder(path: &Path) -> Option<PathBuf> {
    let rest = path.as_os_str().as_bytes().strip_prefix(SCHEME.as_bytes())?;
    let rest = if rest.is_empty() { b"." } else { rest };
    Some(PathBuf::from(OsStr::from_bytes(rest)))
}

/// Returns the market of such a folder where it is no matter of choice: spot where there is nothing else.
///
/// Errors: as those of reading it
pub fn freqtrade_market(folder: &Path, exchange: Option<&str>) -> Result<Option<MarketKind>, IngestError> {
    let found = exchange_in(folder, exchange)?;
    Ok((found.futures.is_empty()).then_some(MarketKind::Spot))
}

/// Returns the files of such a folder that a run on the base interval reads.
///
/// Errors: a folder that says no exchange or market, or several of which none is asked for; no candles that make up the base interval
pub(super) fn candle_files(folder: &Path, options: &IngestOptions) -> Result<Vec<PathBuf>, IngestError> {
    let exchange = exchange_in(folder, options.selection.exchange.as_deref())?;
    let files = exchange.of_market(options.selection.market)?;
    let mut by_pair: BTreeMap<&str, Vec<&CandleFile>> = BTreeMap::new();
    for file in files {
        by_pair.entry(&file.pair).or_default().push(file);
    }
    let base = options.base_interval;
    let is_asked = |symbol: &Option<Symbol>| {
        let asked = options.symbols.as_ref();
        asked.is_none_or(|asked| symbol.as_ref().is_none_or(|symbol| asked.contains(symbol)))
    };
    by_pair.retain(|_, files| is_asked(&files[0].symbol));
    let pairs = || listed(files.iter().map(|file| file.shown_pair()).collect());
    if by_pair.is_empty() {
        return Err(exchange.error("candles of the symbols asked for", &format!("those of {}", pairs())));
    }
    let of_timeframe = |files: &Vec<&CandleFile>| timeframe_for(base, files);
    if by_pair.values().all(|files| of_timeframe(files).is_none()) {
        let mut timeframes: Vec<(Option<Interval>, &str)> =
            by_pair.values().flatten().map(|file| (file.interval(), file.timeframe.as_str())).collect();
        timeframes.sort();
        timeframes.dedup();
        let timeframes = listed(timeframes.into_iter().map(|(_, name)| name.to_owned()).collect());
        let expected = format!("candles of {base}, or finer ones that make them up (data.base_interval)");
        return Err(exchange.error(&expected, &format!("timeframes {timeframes} of {}", pairs())));
    }
    // Of a pair without candles that can be used all are read, so that each is told with why not.
    let chosen = |files: Vec<&CandleFile>| {
        let timeframe = of_timeframe(&files);
        let is_chosen =
            move |file: &&CandleFile| timeframe.is_none_or(|wanted| file.interval() == Some(wanted));
        files.into_iter().filter(is_chosen).map(|file| file.path.clone()).collect::<Vec<_>>()
    };
    Ok(by_pair.into_values().flat_map(chosen).collect())
}

/// Returns the coarsest timeframe of a pair's files that makes up the base interval.
fn timeframe_for(base: Interval, files: &[&CandleFile]) -> Option<Interval> {
    let makes_up = |interval: &Interval| base.ms() % interval.ms() == 0;
    files.iter().filter_map(|file| file.interval()).filter(makes_up).max()
}

/// A file that its name says to be of candles.
#[derive(Debug, Clone, PartialEq, Eq)]
struct CandleFile {
    path: PathBuf,
    /// The pair as the name has it.
    pair: String,
    symbol: Option<Symbol>,
    timeframe: String,
}

impl CandleFile {
    /// Returns what a file of a folder of the market is, by its name.
    fn of(path: &Path, of_contracts: bool) -> Option<Self> {
        let name = path.file_name()?.to_str().filter(|name| !name.starts_with('.'))?;
        let stem = EXTENSIONS.iter().find_map(|end| name.strip_suffix(end))?;
        let stem = match of_contracts {
            true => stem.strip_suffix(OF_CONTRACT)?.strip_suffix('-')?,
            false => stem,
        };
        let (pair, timeframe) = stem.rsplit_once('-')?;
        let is_timeframe = |text: &str| {
            let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
            let is_count = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
            is_count && ["s", "m", "h", "d", "w", "M", "Mo", "y"].contains(&&text[digits.len()..])
        };
        let symbol = name::claim(path, None).symbol;
        (!pair.is_empty() && is_timeframe(timeframe)).then(|| Self {
            path: path.to_owned(),
            pair: pair.to_owned(),
            symbol,
            timeframe: timeframe.to_owned(),
        })
    }

    fn interval(&self) -> Option<Interval> {
        self.timeframe.parse().ok()
    }

    fn shown_pair(&self) -> String {
        self.symbol.as_ref().map_or_else(|| escaped(&self.pair, &[]).into_owned(), ToString::to_string)
    }
}

/// The folder of an exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
struct ExchangeFolder {
    path: PathBuf,
    name: String,
    spot: Vec<CandleFile>,
    futures: Vec<CandleFile>,
}

impl ExchangeFolder {
    fn read(path: &Path) -> Result<Self, IngestError> {
        let name =
            path.canonicalize().ok().and_then(|full| Some(full.file_name()?.to_string_lossy().into_owned()));
        let files = |folder: &Path, of_contracts: bool| -> Result<Vec<CandleFile>, IngestError> {
            let entries = entries_of(folder)?;
            Ok(entries.iter().filter_map(|path| CandleFile::of(path, of_contracts)).collect())
        };
        Ok(Self {
            name: name.unwrap_or_default(),
            spot: files(path, false)?,
            futures: files(&path.join(FUTURES), true)?,
            path: path.to_owned(),
        })
    }

    fn is_empty(&self) -> bool {
        self.spot.is_empty() && self.futures.is_empty()
    }

    /// Returns the files of the market asked for, or of the only one there is.
    fn of_market(&self, asked: Option<MarketKind>) -> Result<&[CandleFile], IngestError> {
        let both = || format!("both: {}", self.contents());
        match (asked, self.spot.is_empty(), self.futures.is_empty()) {
            (None, false, false) => {
                Err(self.error("one market (`--market spot`, or `--market usdt-m` for futures)", &both()))
            }
            (Some(MarketKind::Spot), true, _) => Err(self.error("spot candles", &self.contents())),
            (Some(MarketKind::Spot), ..) | (None, false, true) => Ok(&self.spot),
            (Some(asked), _, true) => {
                Err(self.error(&format!("{asked} candles in `{FUTURES}`"), &self.contents()))
            }
            (Some(_), _, false) | (None, true, _) => Ok(&self.futures),
        }
    }

    /// Returns what there is, for messages.
    fn contents(&self) -> String {
        let of = |name: &str, files: &[CandleFile]| {
            let pairs: BTreeSet<&str> = files.iter().map(|file| file.pair.as_str()).collect();
            let s = if pairs.len() == 1 { "" } else { "s" };
            (!files.is_empty()).then(|| format!("{name} ({} pair{s})", pairs.len()))
        };
        let markets = [of("spot", &self.spot), of(FUTURES, &self.futures)];
        markets.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }

    fn error(&self, expected: &str, found: &str) -> IngestError {
        folder_error(&self.path, expected, found)
    }
}

impl fmt::Display for ExchangeFolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", escaped(&self.name, &[]), self.contents())
    }
}

/// Returns the folder of the exchange asked for, or of the only one there is.
fn exchange_in(folder: &Path, asked: Option<&str>) -> Result<ExchangeFolder, IngestError> {
    if !folder.is_dir() {
        return Err(match folder.exists() {
            true => folder_error(folder, "a folder of freqtrade such as `user_data`", "a file"),
            false => IngestError::Missing { path: folder.to_owned() },
        });
    }
    let data = folder.join("data");
    let data = if data.is_dir() { data } else { folder.to_owned() };
    let here = ExchangeFolder::read(&data)?;
    let found = match here.is_empty() {
        false => vec![here],
        true => {
            let below: Result<Vec<_>, _> = entries_of(&data)?
                .iter()
                .filter(|path| path.is_dir() && !is_hidden(path))
                .map(|path| ExchangeFolder::read(path))
                .collect();
            below?.into_iter().filter(|exchange| !exchange.is_empty()).collect()
        }
    };
    let listed = || listed(found.iter().map(ToString::to_string).collect());
    if found.is_empty() {
        let expected = "candles as `data/EXCHANGE/PAIR-TIMEFRAME.feather` (or .parquet, .json, .json.gz; those of contracts in \
                        `futures`, as `PAIR-TIMEFRAME-futures.feather`)";
        return Err(folder_error(folder, expected, "none"));
    }
    let wanted: Vec<&ExchangeFolder> = found
        .iter()
        .filter(|exchange| asked.is_none_or(|asked| exchange.name.eq_ignore_ascii_case(asked)))
        .collect();
    match (asked, &wanted[..]) {
        (_, [one]) => Ok((*one).clone()),
        (None, _) => {
            Err(folder_error(&data, "one exchange (`--exchange NAME`)", &format!("several: {}", listed())))
        }
        (Some(asked), _) => {
            let asked = escaped(asked, &[]).into_owned();
            Err(folder_error(&data, &format!("candles of the exchange {asked}"), &listed()))
        }
    }
}

fn folder_error(folder: &Path, expected: &str, found: &str) -> IngestError {
    let (expected, found) = (expected.to_owned(), found.to_owned());
    IngestError::Freqtrade(Box::new(FreqtradeFolderError { folder: folder.to_owned(), expected, found }))
}

/// Returns names as a list, each once, not all of many.
fn listed(mut names: Vec<String>) -> String {
    let mut seen = BTreeSet::new();
    names.retain(|name| seen.insert(name.clone()));
    let more = names.len().saturating_sub(NAMES_SHOWN);
    names.truncate(NAMES_SHOWN);
    let shown = names.join(", ");
    if more > 0 { format!("{shown} and {more} more") } else { shown }
}

fn is_hidden(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.as_bytes().starts_with(b"."))
}

/// Returns what lies in a folder, by name; nothing where there is none.
fn entries_of(folder: &Path) -> Result<Vec<PathBuf>, IngestError> {
    let read_error = |source| IngestError::Read { path: folder.to_owned(), source };
    let listed = match fs::read_dir(folder) {
        Ok(listed) => listed,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(Vec::new());
        }
        Err(error) => return Err(read_error(error)),
    };
    let mut entries = Vec::new();
    for entry in listed {
        entries.push(entry.map_err(read_error)?.path());
    }
    entries.sort();
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::{Selection, discover};

    /// Makes a folder with these files, empty but for a header.
    fn folder(files: &[&str]) -> tempfile::TempDir {
        let home = tempfile::tempdir().expect("a folder");
        for file in files {
            let path = home.path().join(file);
            fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            fs::write(path, "[[1735689600000,1.0,2.0,0.5,1.5,9.0]]").expect("written");
        }
        home
    }

    fn options(exchange: Option<&str>, market: Option<MarketKind>) -> IngestOptions {
        let selection = Selection { exchange: exchange.map(str::to_owned), market, ..Selection::default() };
        IngestOptions { selection, ..IngestOptions::new(Interval::M15, i64::MAX) }
    }

    /// Returns the names of the files that are read, or what is said.
    fn found(home: &Path, options: &IngestOptions) -> Result<Vec<String>, String> {
        let files = candle_files(home, options).map_err(|error| error.to_string())?;
        let below = |path: &PathBuf| {
            path.strip_prefix(home).expect("below").to_str().map(str::to_owned).expect("text")
        };
        Ok(files.iter().map(below).collect())
    }

    #[test]
    fn of_a_pair_the_coarsest_timeframe_that_makes_up_the_base_is_read() {
        let home = folder(&[
            "data/binance/BTC_USDT-5m.json",
            "data/binance/BTC_USDT-15m.json",
            "data/binance/BTC_USDT-1h.json",
            "data/binance/ETH_USDT-1m.json",
            "data/binance/ETH_USDT-5m.feather",
            "data/binance/ADA_USDT-1h.json",
            "data/binance/ADA_USDT-1Mo.json",
            "data/binance/BTC_USDT-trades.json.gz",
            "data/binance/.hidden-15m.json",
            "data/binance/futures/readme.txt",
            "strategies/Sample.json",
        ]);
        let names = [
            "data/binance/ADA_USDT-1Mo.json",
            "data/binance/ADA_USDT-1h.json",
            "data/binance/BTC_USDT-15m.json",
            "data/binance/ETH_USDT-5m.feather",
        ];
        assert_eq!(found(home.path(), &options(None, None)), Ok(names.map(str::to_owned).to_vec()));
        assert_eq!(freqtrade_market(home.path(), None).expect("one"), Some(MarketKind::Spot));
        for below in ["data", "data/binance"] {
            assert_eq!(found(&home.path().join(below), &options(None, None)).map(|files| files.len()), Ok(4));
        }
        let only = Some(vec![Symbol::parse("ADAUSDT").expect("a symbol")]);
        let error =
            found(home.path(), &IngestOptions { symbols: only, ..options(None, None) }).expect_err("1h");
        assert!(
            error.contains("candles of 15m, or finer ones") && error.contains("timeframes 1Mo, 1h of"),
            "{error}"
        );
        let none = Some(vec![Symbol::parse("XRPUSDT").expect("a symbol")]);
        let error =
            found(home.path(), &IngestOptions { symbols: none, ..options(None, None) }).expect_err("no XRP");
        assert!(
            error.contains("the symbols asked for, found those of ADAUSDT, BTCUSDT, ETHUSDT in"),
            "{error}"
        );
    }

    #[test]
    fn markets_and_exchanges_are_chosen_by_name_where_there_are_several() {
        let home = folder(&[
            "data/binance/BTC_USDT-15m.json",
            "data/binance/futures/BTC_USDT_USDT-15m-futures.json",
            "data/binance/futures/BTC_USDT_USDT-8h-funding_rate.json",
            "data/binance/futures/BTC_USDT_USDT-15m-mark.json",
            "data/binance/futures/BTC_USDT_USDT-250328-15m-futures.json",
            "data/okx/futures/XYZ-TSLA_USDC_USDC-15m-futures.json",
            "data/empty/notes.txt",
        ]);
        let said = |exchange, market| found(home.path(), &options(exchange, market)).expect_err("unclear");
        let several = said(None, None);
        assert!(several.contains("expected one exchange (`--exchange NAME`), found several: "), "{several}");
        assert!(
            several.contains("binance: spot (1 pair), futures (2 pairs), okx: futures (1 pair)"),
            "{several}"
        );
        let other = said(Some("kraken"), None);
        assert!(other.contains("candles of the exchange kraken, found binance: spot"), "{other}");
        let both = said(Some("Binance"), None);
        assert!(both.contains("expected one market (`--market spot`"), "{both}");
        let spot = said(Some("okx"), Some(MarketKind::Spot));
        assert!(spot.contains("expected spot candles, found futures (1 pair)"), "{spot}");
        let of = |exchange, market| found(home.path(), &options(Some(exchange), market)).expect("files");
        assert_eq!(of("binance", Some(MarketKind::Spot)), ["data/binance/BTC_USDT-15m.json"]);
        let contracts = [
            "data/binance/futures/BTC_USDT_USDT-15m-futures.json",
            "data/binance/futures/BTC_USDT_USDT-250328-15m-futures.json",
        ];
        assert_eq!(of("binance", Some(MarketKind::UsdtM)), contracts);
        assert_eq!(of("okx", None), ["data/okx/futures/XYZ-TSLA_USDC_USDC-15m-futures.json"]);
        assert_eq!(freqtrade_market(home.path(), Some("okx")).expect("one"), None);
    }

    #[test]
    fn what_is_no_folder_of_freqtrade_is_said() {
        let home = folder(&["notes/readme.txt", "BTCUSDT.csv"]);
        let error = found(home.path(), &options(None, None)).expect_err("nothing");
        assert!(error.contains("expected candles as `data/EXCHANGE/PAIR-TIMEFRAME.feather`"), "{error}");
        let error = found(&home.path().join("BTCUSDT.csv"), &options(None, None)).expect_err("a file");
        assert!(
            error.contains("expected a folder of freqtrade such as `user_data`, found a file"),
            "{error}"
        );
        let error = found(&home.path().join("none"), &options(None, None)).expect_err("not there");
        assert!(error.contains("found nothing at"), "{error}");
        let folder = |text: &str| freqtrade_folder(Path::new(text));
        assert_eq!(folder("freqtrade:a/b"), Some(PathBuf::from("a/b")));
        assert_eq!((folder("freqtrade:"), folder("a/freqtrade:b")), (Some(PathBuf::from(".")), None));
    }

    #[test]
    fn a_scheme_leads_to_the_files_and_an_exchange_chooses_elsewhere_too() {
        let home = folder(&["data/binance/BTC_USDT-15m.json", "data/okx/BTC_USDT-15m.json"]);
        let named = PathBuf::from(format!("freqtrade:{}", home.path().display()));
        let of = |root: &Path, exchange| {
            let catalog =
                discover(&[root.to_owned()], &options(exchange, None)).map_err(|error| error.to_string())?;
            let sources = catalog.symbols.iter().flat_map(|symbol| &symbol.sources);
            Ok::<_, String>(
                sources
                    .map(|source| source.path.strip_prefix(home.path()).expect("below").display().to_string())
                    .collect::<Vec<_>>(),
            )
        };
        assert_eq!(of(&named, Some("okx")), Ok(vec!["data/okx/BTC_USDT-15m.json".to_owned()]));
        assert!(of(&named, None).expect_err("two").contains("--exchange NAME"));
        assert_eq!(of(home.path(), Some("okx")), Ok(vec!["data/okx/BTC_USDT-15m.json".to_owned()]));
        let two = of(home.path(), None).expect_err("two exchanges");
        assert!(two.contains("`--exchange binance` or `--exchange okx`"), "{two}");
        assert_eq!(of(home.path(), Some("kraken")), Ok(vec![]));
    }
}
