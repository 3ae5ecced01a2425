//! Which columns hold a candle, by their names ([`super::column_names`]), for text, JSON and tables alike.
//!
//! What is not in the table of names is not guessed at: a table whose needed columns are not all known is refused.

use super::column_names::{ColumnMeaning, Role, meaning_of_column, role_of, squeezed_name};
use crate::model::{Symbol, name_excerpt};

/// Columns that BitMEX's candles have, whose `timestamp` is that of the close.
const CLOSE_STAMPED: [&str; 2] = ["homenotional", "foreignnotional"];

/// Where the time of a row stands; indexes count from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TimeColumn {
    /// When the candle opened.
    Open(usize),
    /// When it closed, where nothing tells when it opened.
    Close(usize),
    /// A day and a time of day.
    DateAndTime(usize, usize),
}

impl TimeColumn {
    /// Returns the columns, the date first.
    pub(super) fn places(self) -> impl Iterator<Item = usize> {
        let (first, second) = match self {
            Self::Open(place) | Self::Close(place) => (place, None),
            Self::DateAndTime(date, time) => (date, Some(time)),
        };
        std::iter::once(first).chain(second)
    }
}

/// Which columns hold a candle; indexes count from 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CandleColumns {
    pub(super) time: TimeColumn,
    pub(super) open: usize,
    pub(super) high: usize,
    pub(super) low: usize,
    pub(super) close: usize,
    pub(super) volume: Option<usize>,
    /// The close time where the open time stands as well.
    pub(super) close_time: Option<usize>,
    pub(super) symbol: Option<usize>,
    /// Whether the candle is finished.
    pub(super) closed: Option<usize>,
    pub(super) exchange: Option<usize>,
    pub(super) interval: Option<usize>,
}

impl CandleColumns {
    /// Returns whether a column says where a row belongs or whether it counts, and nothing of its candle.
    pub(super) fn is_label(&self, place: usize) -> bool {
        [self.symbol, self.closed, self.exchange, self.interval].contains(&Some(place))
    }

    /// Returns the places of all columns that are read, ascending.
    pub(super) fn places(&self) -> Vec<usize> {
        let prices = [self.open, self.high, self.low, self.close];
        let others = [self.volume, self.close_time, self.symbol, self.closed, self.exchange, self.interval];
        let mut places: Vec<usize> =
            self.time.places().chain(prices).chain(others.into_iter().flatten()).collect();
        places.sort_unstable();
        places.dedup();
        places
    }
}

/// Why names are not those of candles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NamesFault {
    /// Some that are needed are not there.
    Missing(Vec<&'static str>),
    /// Two say the same.
    Twice { what: &'static str, names: [String; 2] },
}

impl NamesFault {
    /// Returns that no name is there.
    pub(super) fn none() -> Self {
        Self::Missing(vec!["anything"])
    }
}

impl std::fmt::Display for NamesFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Missing(missing) => write!(f, "no column for {}", missing.join(", ")),
            Self::Twice { what, names: [first, second] } => {
                let (first, second) = (name_excerpt(first), name_excerpt(second));
                write!(f, "two columns for {what}, {first:?} and {second:?}")
            }
        }
    }
}

/// Finds the columns of candles of a symbol among names.
///
/// Errors: what is missing, or what two columns claim to hold
pub(super) fn find(names: &[impl AsRef<str>], symbol: &Symbol) -> Result<CandleColumns, NamesFault> {
    NamedColumns::new(names, symbol).columns()
}

/// Finds the columns of candles among the names of a header of several lines, from top to bottom.
///
/// Errors: as [`find`]; also where two lines give one column two meanings
pub(super) fn find_in_lines(
    lines: &[Vec<impl AsRef<str>>],
    symbol: &Symbol,
) -> Result<CandleColumns, NamesFault> {
    let mut all = lines.iter().map(|names| NamedColumns::new(names, symbol));
    let Some(mut found) = all.next() else { return Err(NamesFault::Missing(vec!["any column"])) };
    all.try_for_each(|below| found.merge(below))?;
    found.columns()
}

/// Returns whether one of some words is a name that is known.
pub(super) fn any_known(words: &[impl AsRef<str>], symbol: &Symbol) -> bool {
    let found = NamedColumns::new(words, symbol);
    found.meanings.iter().flatten().any(|meaning| !matches!(meaning.role, Role::Index))
}

/// Returns how many of the four prices are among some words.
pub(super) fn prices_known(words: &[impl AsRef<str>], symbol: &Symbol) -> usize {
    let found = NamedColumns::new(words, symbol);
    let prices = [Role::Open, Role::High, Role::Low, Role::Close];
    prices.into_iter().filter(|role| found.best(*role).is_some()).count()
}

/// What the columns of rows hold that do not say it themselves, as `[data] columns` states it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatedColumns {
    /// Columns a row has.
    pub(super) count: usize,
    pub(super) columns: CandleColumns,
}

impl StatedColumns {
    /// Returns the columns that a list of names states, from left to right; `ignore` for what is not read.
    ///
    /// Errors: a name that is not known, what is missing, or what is said twice
    pub fn parse(words: &[String]) -> Result<Self, String> {
        let mut meanings = Vec::with_capacity(words.len());
        for word in words {
            let role = if matches!(word.trim(), "-" | "_") { Some(Role::Ignored) } else { role_of(word) };
            let Some(role) = role.filter(|_| !word.trim().is_empty()) else {
                return Err(format!(
                    "expected names such as open_time, open, high, low, close, volume, close_time, symbol or ignore, \
                     found {word:?}"
                ));
            };
            // A number of a row that is named as one is none of a time.
            let role = if role == Role::Index { Role::Ignored } else { role };
            meanings.push(Some(ColumnMeaning { role, rank: 0 }));
        }
        let found = NamedColumns { names: words.to_vec(), meanings };
        let columns = found.columns().map_err(|fault| {
            format!("expected names for open_time, open, high, low and close, found {fault}")
        })?;
        Ok(Self { count: words.len(), columns })
    }
}

/// Names with what they mean.
struct NamedColumns {
    names: Vec<String>,
    meanings: Vec<Option<ColumnMeaning>>,
}

impl NamedColumns {
    fn new(names: &[impl AsRef<str>], symbol: &Symbol) -> Self {
        let names: Vec<String> = names.iter().map(|name| name.as_ref().to_owned()).collect();
        let meanings = names.iter().map(|name| meaning_of_column(name, &names, symbol)).collect();
        Self { names, meanings }
    }

    /// Takes in a further line of a header. What a label of a row of names says (`Ticker`) yields to what is needed.
    fn merge(&mut self, below: Self) -> Result<(), NamesFault> {
        let weak = |meaning: Option<ColumnMeaning>| {
            meaning.is_none_or(|meaning| {
                matches!(
                    meaning.role,
                    Role::Symbol | Role::Exchange | Role::Interval | Role::Index | Role::Ignored
                )
            })
        };
        for (place, (name, meaning)) in below.names.into_iter().zip(below.meanings).enumerate() {
            let Some(above) = self.meanings.get_mut(place) else { continue };
            if weak(*above) {
                *above = meaning.or(*above);
                self.names[place] = if meaning.is_some() { name } else { self.names[place].clone() };
            } else if !weak(meaning) && meaning.map(|meaning| meaning.role) != above.map(|above| above.role) {
                let what = above.map_or("a column", |above| above.role.as_str());
                return Err(NamesFault::Twice { what, names: [self.names[place].clone(), name] });
            }
        }
        Ok(())
    }

    /// Returns whether an instant without further words is that of the close.
    fn stamps_closes(&self) -> bool {
        CLOSE_STAMPED.iter().all(|name| self.names.iter().any(|other| squeezed_name(other) == *name))
    }

    /// Returns the place of the name of a role that counts, and of another of the same rank.
    fn best(&self, role: Role) -> Option<(usize, Option<usize>)> {
        let of_role = |(place, meaning): (usize, &Option<ColumnMeaning>)| {
            meaning.filter(|meaning| meaning.role == role).map(|meaning| (meaning.rank, place))
        };
        let mut places: Vec<(usize, usize)> = self.meanings.iter().enumerate().filter_map(of_role).collect();
        places.sort_unstable();
        let (rank, place) = *places.first()?;
        let again = places.get(1).filter(|(other, _)| *other == rank || !has_ranks(role));
        Some((place, again.map(|(_, place)| *place)))
    }

    /// Returns the one column of a role.
    fn one(&self, role: Role) -> Result<Option<usize>, NamesFault> {
        match self.best(role) {
            None => Ok(None),
            Some((place, None)) => Ok(Some(place)),
            Some((place, Some(again))) => {
                let name = |place: usize| self.names[place].trim().chars().take(30).collect();
                let names = [name(place.min(again)), name(place.max(again))];
                Err(NamesFault::Twice { what: role.as_str(), names })
            }
        }
    }

    fn time(&self) -> Result<Option<TimeColumn>, NamesFault> {
        if let Some(place) = self.one(Role::OpenTime)? {
            return Ok(Some(TimeColumn::Open(place)));
        }
        if let Some(place) = self.one(Role::Instant)? {
            let closes = self.stamps_closes();
            return Ok(Some(if closes { TimeColumn::Close(place) } else { TimeColumn::Open(place) }));
        }
        match (self.one(Role::Date)?, self.one(Role::Time)?) {
            (Some(date), Some(time)) => return Ok(Some(TimeColumn::DateAndTime(date, time))),
            (Some(place), None) | (None, Some(place)) => return Ok(Some(TimeColumn::Open(place))),
            (None, None) => {}
        }
        // The number of a row is no time; what stands in an index shows only in its cells.
        let index = self.best(Role::Index).map(|(place, _)| TimeColumn::Open(place));
        Ok(self.one(Role::CloseTime)?.map(TimeColumn::Close).or(index))
    }

    fn volume(&self) -> Result<Option<usize>, NamesFault> {
        if let Some(place) = self.one(Role::Volume)? {
            return Ok(Some(place));
        }
        self.one(Role::SomeVolume)
    }

    fn columns(&self) -> Result<CandleColumns, NamesFault> {
        let time = self.time()?;
        let [open, high, low, close] =
            [self.one(Role::Open)?, self.one(Role::High)?, self.one(Role::Low)?, self.one(Role::Close)?];
        let (Some(time), Some(open), Some(high), Some(low), Some(close)) = (time, open, high, low, close)
        else {
            let needed = [
                ("the time (open_time)", time.is_some()),
                ("open", open.is_some()),
                ("high", high.is_some()),
                ("low", low.is_some()),
                ("close", close.is_some()),
            ];
            let missing = needed.into_iter().filter(|(_, found)| !found).map(|(what, _)| what);
            return Err(NamesFault::Missing(missing.collect()));
        };
        let close_time = if matches!(time, TimeColumn::Close(_)) { None } else { self.one(Role::CloseTime)? };
        Ok(CandleColumns {
            time,
            open,
            high,
            low,
            close,
            volume: self.volume()?,
            close_time,
            symbol: self.best(Role::Symbol).map(|(place, _)| place),
            closed: self.one(Role::Closed)?,
            exchange: self.best(Role::Exchange).map(|(place, _)| place),
            interval: self.best(Role::Interval).map(|(place, _)| place),
        })
    }
}

/// Returns whether the order of names in the table decides between two of a role: they are no contradiction.
fn has_ranks(role: Role) -> bool {
    matches!(role, Role::OpenTime | Role::Instant | Role::CloseTime | Role::Volume)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(header: &str) -> Result<CandleColumns, NamesFault> {
        of_symbol(header, "BTCUSDT")
    }

    fn of_symbol(header: &str, symbol: &str) -> Result<CandleColumns, NamesFault> {
        let names: Vec<&str> = header.split(',').collect();
        find(&names, &Symbol::parse(symbol).expect("a symbol"))
    }

    #[test]
    fn headers_of_many_writers_are_known() {
        let cases = [
            "open_time,open,high,low,close,volume",
            "Open Time,Open Price,High Price,Low Price,Close Price,Volume",
            "timestamp,o,h,l,c,v",
            "T,O,H,L,C,V",
            "Zeit,Eröffnung,Hoch,Tief,Schluss,Volumen",
            "Datum,Eröffnungskurs,Höchst,Tiefst,Schlusskurs,Volumen",
            "Fecha,Apertura,Máximo,Mínimo,Cierre,Volumen",
            "Date,Ouverture,Plus haut,Plus bas,Clôture,Volume",
            "Дата,Открытие,Максимум,Минимум,Закрытие,Объём",
            "日時,始値,高値,安値,終値,出来高",
            "일시,시가,고가,저가,종가,거래량",
            "Data,Abertura,Máxima,Mínima,Fechamento,Volume",
            "时间,开盘价,最高价,最低价,收盘价,成交量",
            "開盤時間,開盤,最高,最低,收盤,成交量",
            "<DATE>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>",
            "Date (UTC),Open (USD),High (USD),Low (USD),Close (USD),Volume (BTC)",
            "Unnamed: 0,open,high,low,close,amount",
            ",OPEN,HIGH,LOW,CLOSE,Volume_(BTC)",
            "candle_date_time_utc,opening_price,high_price,low_price,trade_price,candle_acc_trade_volume",
        ];
        for header in cases {
            let found = of(header).unwrap_or_else(|fault| panic!("{header}: {fault}"));
            let places = [found.open, found.high, found.low, found.close];
            assert_eq!(
                (found.time, places, found.volume),
                (TimeColumn::Open(0), [1, 2, 3, 4], Some(5)),
                "{header}"
            );
        }
    }

    #[test]
    fn the_time_of_the_open_goes_before_any_other() {
        let time = |names: &str| {
            of(&format!("{names},open,high,low,close")).map(|found| (found.time, found.close_time))
        };
        assert_eq!(time("close_time,timestamp"), Ok((TimeColumn::Open(1), Some(0))));
        assert_eq!(time("timestamp,start"), Ok((TimeColumn::Open(1), None)));
        assert_eq!(time("date,unix"), Ok((TimeColumn::Open(1), None)));
        assert_eq!(time("<TIME>,<DATE>"), Ok((TimeColumn::DateAndTime(1, 0), None)));
        assert_eq!(time("index,time"), Ok((TimeColumn::Open(1), None)));
        assert_eq!(time("T,t"), Ok((TimeColumn::Open(1), Some(0))));
        for close in ["close_time", "timestamp_close", "end", "Close Time", "收盘时间", "timeClose"] {
            assert_eq!(time(close), Ok((TimeColumn::Close(0), None)), "{close}");
            assert_eq!(time(&format!(",{close}")), Ok((TimeColumn::Close(1), None)), "{close}");
        }
        let bitmex = "timestamp,symbol,open,high,low,close,trades,volume,vwap,homeNotional,foreignNotional";
        let found = of(bitmex).expect("known");
        assert_eq!((found.time, found.volume), (TimeColumn::Close(0), Some(9)));
    }

    #[test]
    fn volume_of_the_base_is_told_from_what_is_not() {
        let volume = |names: &str| of(&format!("time,open,high,low,close,{names}")).map(|found| found.volume);
        for (names, place) in [
            ("Volume USDT,Volume BTC", Some(6)),
            ("volumeto,volumefrom", Some(6)),
            ("quoteVolume,baseVolume", Some(6)),
            ("Volume_(Currency),Volume_(BTC)", Some(6)),
            ("turnover,volume", Some(6)),
            ("amount,volume", Some(6)),
            ("vwap,trades,amount", Some(7)),
            ("成交额,成交量", Some(6)),
            ("Volume USDT", None),
            ("Volume ETH", None),
            ("quote_volume,vwap", None),
        ] {
            assert_eq!(volume(names), Ok(place), "{names}");
        }
        for names in ["vol,amount", "volume,volume"] {
            assert!(matches!(volume(names), Err(NamesFault::Twice { what: "volume", .. })), "{names}");
        }
        let kraken = of_symbol("time,open,high,low,close,Volume BTC", "XBTUSD").expect("known");
        assert_eq!(kraken.volume, Some(5));
    }

    #[test]
    fn what_is_missing_or_said_twice_is_named() {
        let fault = |header: &str| of(header).expect_err(header).to_string();
        assert_eq!(fault("Price,Close,High,Low,Open,Volume"), "no column for the time (open_time)");
        assert_eq!(fault("a,b,d,e,f"), "no column for the time (open_time), open, high, low, close");
        assert_eq!(fault("time,open,high,low,close,Close"), "two columns for close, \"close\" and \"Close\"");
        assert_eq!(fault("time,time,open,high,low,close"), "two columns for time, \"time\" and \"time\"");
        let long = "\u{15}".repeat(10_000);
        let twice = NamesFault::Twice { what: "high", names: [long.clone(), long] };
        assert!(twice.to_string().len() < 1000, "names of others are cut");
    }

    #[test]
    fn lines_of_a_header_complete_each_other() {
        let find = |lines: &[&str]| {
            let lines: Vec<Vec<&str>> = lines.iter().map(|line| line.split(',').collect()).collect();
            find_in_lines(&lines, &Symbol::parse("BTCUSD").expect("a symbol"))
        };
        let found = find(&[
            "Price,Close,High,Low,Open,Volume",
            "Ticker,BTC-USD,BTC-USD,BTC-USD,BTC-USD,BTC-USD",
            "Datetime,,,,,",
        ]);
        let found = found.expect("known");
        assert_eq!((found.time, found.open, found.close, found.volume), (TimeColumn::Open(0), 4, 1, Some(5)));
        assert!(find(&["Price,Close,High,Low,Open", "Ticker,A,A,A,A"]).is_err());
        assert!(find(&["time,open,high,low,close", "time,close,high,low,open"]).is_err());
    }
}
