//! What the names of columns mean: the one table of spellings, for text, JSON and tables alike.
//!
//! A name is looked up without case, blanks and punctuation (`Open time`, `openTime` and `<OPEN_TIME>` are one name).

use crate::model::Symbol;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Role {
    /// When the candle opened, in so many words.
    OpenTime,
    /// An instant of the candle: by convention that of its open.
    Instant,
    /// When the candle closed.
    CloseTime,
    /// A day, or an instant where no clock stands beside it.
    Date,
    /// A time of day beside a date, or an instant where there is none.
    Time,
    Open,
    High,
    Low,
    Close,
    /// Volume in the base currency.
    Volume,
    /// A volume whose currency the name leaves open.
    SomeVolume,
    /// Volume in the quote currency.
    QuoteVolume,
    /// Whether the candle is finished.
    Closed,
    Symbol,
    Exchange,
    Interval,
    /// The number of the row, or its time where nothing else gives that.
    Index,
    /// Nothing that is read.
    Ignored,
}

impl Role {
    /// Returns what the role is called in `[data] columns` and in messages.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::OpenTime | Self::Instant => "open_time",
            Self::CloseTime => "close_time",
            Self::Date => "date",
            Self::Time => "time",
            Self::Open => "open",
            Self::High => "high",
            Self::Low => "low",
            Self::Close => "close",
            Self::Volume | Self::SomeVolume => "volume",
            Self::QuoteVolume => "quote_volume",
            Self::Closed => "closed",
            Self::Symbol => "symbol",
            Self::Exchange => "exchange",
            Self::Interval => "interval",
            Self::Index | Self::Ignored => "ignore",
        }
    }
}

/// Names by what they mean, without case, blanks and punctuation. Of several names that may give the time of a row, the
/// first in this order counts.
#[rustfmt::skip]
const NAMES: &[(Role, &[&str])] = &[
    (Role::OpenTime, &[
        "opentime", "opentimems", "opentimestamp", "timeopen", "opendate", "opendatetime", "openat", "openedat",
        "starttime", "starttimestamp", "startedat", "startat", "startdate", "timestart", "start", "begin", "begintime",
        "candlebegintime", "candledatetimeutc", "periodstart", "barstart", "klineopentime", "klinestarttime", "timeperiodstart",
        "windowstart", "bucket", "bartime", "candletime", "klinetime",
        "开盘时间", "开始时间", "開盤時間", "開始時間", "시작시간", "eröffnungszeit", "startzeit", "времяоткрытия", "датаоткрытия",
        "horadeapertura", "horadeabertura", "heuredouverture",
    ]),
    (Role::Instant, &[
        "timestamp", "timestampms", "timestamps", "unixtimestamp", "unix", "unixtime", "unixms", "epoch", "epochms", "datetime",
        "datetimeutc", "utcdatetime", "timestamputc", "utctime", "timeutc", "utc", "dateutc", "ts", "t", "tms", "mts", "candledatetime", "kdate",
        "zeitstempel", "时间戳", "時間戳", "日时", "日時", "日期时间", "日期時間", "일시", "タイムスタンプ", "fechahora", "fechayhora",
        "dataehora", "datahora", "horodatage", "датавремя", "датаивремя", "datumzeit", "datumundzeit", "gmttime", "localtime",
    ]),
    (Role::Time, &[
        "time", "clock", "timeofday", "时间", "時間", "時刻", "시간", "시각", "zeit", "uhrzeit", "hora", "heure", "ora", "время",
    ]),
    (Role::Date, &["date", "day", "tradedate", "tradingdate", "dt", "日期", "交易日期", "日付", "日付け", "날짜", "일자", "datum", "fecha", "data", "дата"]),
    (Role::Index, &["", "unnamed0", "index", "level0", "indexlevel0", "id", "no", "nr", "row", "rownumber", "idx", "序号", "номер"]),
    (Role::CloseTime, &[
        "closetime", "closetimems", "closetimestamp", "timeclose", "closedate", "closedatetime", "closeat", "closedat", "endtime",
        "endtimestamp", "endedat", "endat", "enddate", "timeend", "timestampclose", "timestampend", "dateclose", "end", "periodend", "barend", "candleend", "candleendtime",
        "klineclosetime", "klineendtime", "timeperiodend", "windowend",
        "收盘时间", "结束时间", "收盤時間", "結束時間", "종료시간", "schlusszeit", "endzeit", "времязакрытия", "датазакрытия", "horadecierre",
        "horadefechamento", "heuredecloture", "heuredeclôture",
    ]),
    (Role::Open, &[
        "open", "o", "openprice", "priceopen", "opening", "openingprice", "pxopen", "openpx",
        "开盘", "开盘价", "开", "開盤", "開盤價", "始値", "시가", "eröffnung", "eröffnungskurs", "eroeffnung", "eröffn", "erster", "eröffnungspreis",
        "apertura", "preciodeapertura", "ouverture", "ouv", "prixdouverture", "abertura", "preçodeabertura", "открытие", "ценаоткрытия", "откр", "открытия",
    ]),
    (Role::High, &[
        "high", "h", "highprice", "pricehigh", "highest", "highestprice", "max", "maxprice", "pxhigh", "highpx",
        "最高", "最高价", "高", "最高價", "高値", "고가", "hoch", "höchst", "höchstkurs", "hoechst", "tageshoch", "hochkurs",
        "máximo", "maximo", "máx", "alto", "preciomáximo", "haut", "plushaut", "máxima", "maxima", "massimo", "alta", "максимум", "макс", "максимальнаяцена", "высокая",
    ]),
    (Role::Low, &[
        "low", "l", "lowprice", "pricelow", "lowest", "lowestprice", "min", "minprice", "pxlow", "lowpx",
        "最低", "最低价", "低", "最低價", "安値", "저가", "tief", "tiefst", "tiefstkurs", "tagestief", "tiefkurs",
        "mínimo", "minimo", "mín", "bajo", "preciomínimo", "bas", "plusbas", "mínima", "minima", "baixa", "минимум", "мин", "минимальнаяцена", "низкая",
    ]),
    (Role::Close, &[
        "close", "c", "closeprice", "priceclose", "closing", "closingprice", "closelast", "tradeprice", "pxclose", "closepx",
        "收盘", "收盘价", "收", "收盤", "收盤價", "終値", "종가", "schluss", "schlusskurs", "schlußkurs", "schlußpreis", "schlusspreis", "zuletzt",
        "cierre", "preciodecierre", "último", "clôture", "cloture", "clôt", "fermeture", "dernier", "prixdeclôture", "fechamento", "preçodefechamento", "ultimo", "chiusura", "закрытие", "ценазакрытия", "закр", "закрытия",
    ]),
    (Role::Volume, &[
        "basevolume", "volumebase", "baseassetvolume", "volumefrom", "basetokenvolume", "candleacctradevolume", "homenotional",
        "volbase", "basevol", "volumeinbase", "volumebasecurrency", "volume", "v", "tradedvolume", "tradevolume", "totalvolume", "tradingvolume",
        "成交量", "交易量", "出来高", "거래량", "volumen", "handelsvolumen", "объем", "объём", "объемторгов", "объёмторгов",
    ]),
    (Role::SomeVolume, &["vol", "amount", "size", "qty", "quantity", "数量", "數量", "об"]),
    (Role::QuoteVolume, &[
        "quotevolume", "volumequote", "quoteassetvolume", "quoteasset", "quotevol", "volquote", "volumeto", "volumecurrency",
        "turnover", "quoteamount", "foreignnotional", "candleacctradeprice", "value", "tradedvalue", "tradevalue", "dollarvolume", "usdvolume", "volumeusd", "volumenotional", "notional", "notionalvolume",
        "volccyquote", "volccy", "成交额", "成交金额", "成交額", "交易额", "交易額", "売買代金", "거래대금", "umsatz", "оборот", "volumequotecurrency", "volumeinquote", "q",
    ]),
    (Role::Closed, &[
        "confirm", "confirmed", "isconfirmed", "closed", "isclosed", "candleclosed", "barclosed", "klineclosed", "isklineclosed", "isfinal", "final",
        "isfinished", "finished", "iscomplete", "complete", "completed", "iscompleted", "x", "是否完结", "是否收盘",
    ]),
    (Role::Symbol, &["symbol", "pair", "ticker", "instrument", "instid", "tradingpair", "contract", "coin", "交易对", "币种", "品种", "종목", "s"]),
    (Role::Exchange, &["exchange", "exchangeid", "exchangename", "venue", "market", "markettype", "contracttype", "insttype", "交易所", "거래소"]),
    (Role::Interval, &["interval", "timeframe", "granularity", "resolution", "periodicity", "barsize", "klineinterval", "tf", "周期"]),
    (Role::Ignored, &["ignore", "ignored", "skip", "unused"]),
];

/// Currencies of which a symbol may use either name.
const ALIASES: [(&str, &str); 2] = [("xbt", "btc"), ("xdg", "doge")];

/// Returns a name in lower case with its words joined by `_`.
pub(super) fn plain_name(cell: &[u8]) -> String {
    let text = String::from_utf8_lossy(cell);
    let joined = text.trim().trim_matches(|c| matches!(c, '<' | '>' | '"' | '\''));
    joined.to_lowercase().replace([' ', '-', '.'], "_")
}

/// Returns a name without case, blanks and punctuation.
pub(super) fn squeezed_name(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Returns what a name means, and its rank among the names in the table; `None` for one that is not known.
fn known_name(name: &str) -> Option<(Role, usize)> {
    let mut rank = 0;
    for (role, names) in NAMES {
        if let Some(place) = names.iter().position(|known| *known == name) {
            return Some((*role, rank + place));
        }
        rank += names.len();
    }
    None
}

/// Returns what a word of `[data] columns` means.
pub(super) fn role_of(word: &str) -> Option<Role> {
    known_name(&squeezed_name(word)).map(|(role, _)| role)
}

/// A name that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ColumnMeaning {
    pub(super) role: Role,
    /// Which of several names of one role counts: the lowest.
    pub(super) rank: usize,
}

/// Returns what a column of candles of a symbol holds by its name; `all` are the names beside it.
pub(super) fn meaning_of_column(name: &str, all: &[String], symbol: &Symbol) -> Option<ColumnMeaning> {
    let trimmed = name.trim();
    let of = |(role, rank)| ColumnMeaning { role, rank };
    // Streams name by single letters, where `t`, `l` and `v` are not `T`, `L` and `V`.
    let upper = trimmed.len() == 1 && trimmed.bytes().all(|byte| byte.is_ascii_uppercase());
    if upper && all.iter().any(|other| other.trim() == trimmed.to_ascii_lowercase()) {
        let role = if trimmed == "T" { Role::CloseTime } else { Role::Ignored };
        return Some(ColumnMeaning { role, rank: 0 });
    }
    let plain = squeezed_name(trimmed);
    // A name of punctuation alone is none, but not that of an index either.
    if plain.is_empty() && !trimmed.is_empty() {
        return None;
    }
    known_name(&plain)
        .map(of)
        .or_else(|| of_currency(&plain, symbol))
        .or_else(|| without_unit(trimmed).map(of))
}

/// Finds `Volume BTC`, `Volume_(BTC)` or `BTC volume` of BTCUSDT, and that `Volume USDT` counts the other currency.
fn of_currency(name: &str, symbol: &Symbol) -> Option<ColumnMeaning> {
    let around = |word: &str| name.strip_prefix(word).or_else(|| name.strip_suffix(word));
    let currency = around("volume").or_else(|| around("vol")).filter(|currency| currency.len() >= 2)?;
    let symbol = symbol.as_str().to_lowercase();
    let also = ALIASES.iter().flat_map(|(a, b)| [(*a, *b), (*b, *a)]).find(|(a, _)| *a == currency);
    let is = |test: &dyn Fn(&str) -> bool| test(currency) || also.is_some_and(|(_, other)| test(other));
    // The rank of a volume that says its currency is before all others.
    if is(&|currency| symbol.starts_with(currency)) {
        Some(ColumnMeaning { role: Role::Volume, rank: 0 })
    } else if is(&|currency| symbol.ends_with(currency)) {
        Some(ColumnMeaning { role: Role::QuoteVolume, rank: 0 })
    } else {
        None
    }
}

/// Returns what a price means whose name ends in a unit: `Open (USD)`.
fn without_unit(name: &str) -> Option<(Role, usize)> {
    let (bare, unit) = name.split_once(['(', '[', '（'])?;
    let (role, rank) = known_name(&squeezed_name(bare))?;
    let is_price = matches!(role, Role::Open | Role::High | Role::Low | Role::Close);
    let unit = squeezed_name(unit);
    let of_utc = matches!(unit.as_str(), "utc" | "gmt" | "ms" | "s" | "unix" | "utc0" | "gmt0");
    let is_time =
        matches!(role, Role::OpenTime | Role::CloseTime | Role::Instant | Role::Date | Role::Time) && of_utc;
    (is_price || is_time).then_some((role, rank))
}

/// Returns whether a word names a column of symbols.
pub(super) fn is_symbol(word: &str) -> bool {
    role_of(word) == Some(Role::Symbol)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stands_in_the_table_once_and_squeezed() {
        let mut all: Vec<&str> = NAMES.iter().flat_map(|(_, names)| names.iter().copied()).collect();
        assert!(all.iter().all(|name| squeezed_name(name) == *name), "{all:?}");
        all.sort_unstable();
        let twice: Vec<&str> = all.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0]).collect();
        assert_eq!(twice, Vec::<&str>::new());
    }
}
