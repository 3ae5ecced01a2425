//! Which column of a file of signals holds what.

use crate::ingest::column_names::plain_name;
use crate::ingest::layout::{SEPARATORS, cell, split_fields};
use crate::ingest::report::excerpt_of_bytes;

/// Columns of the user's own at most.
const COLUMNS_MAX: usize = 255;
/// Bytes of the name of such a column at most.
const NAME_BYTES_MAX: usize = 200;

/// The places of the columns with a meaning; indexes count from 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SignalHeader {
    pub(super) separator: u8,
    /// Fields every row must have.
    pub(super) fields: usize,
    pub(super) symbol: usize,
    /// Place of the time, and which one it is.
    pub(super) time: (usize, TimeSays),
    pub(super) direction: DirectionSource,
    pub(super) style: Option<usize>,
    pub(super) atr: Option<usize>,
    pub(super) exit_time: Option<usize>,
}

/// What says the side of a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DirectionSource {
    /// A word or a sign, at this place.
    Word(usize),
    /// A column of 0 and 1 for each side, as freqtrade has them, and those of exits, with which nothing is entered. Rows of
    /// zeros are no signals.
    Flags { enter: [Option<usize>; 2], exit: [Option<usize>; 2] },
}

/// Which time of a signal a column gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TimeSays {
    /// When the signal was known.
    Known,
    /// When the candle it was given on opened.
    Open,
    /// The same in a column `date`, as freqtrade calls it; others may mean another time by that.
    Date,
    /// When that candle closed.
    Close,
}

impl TimeSays {
    /// Returns the name of the column in messages.
    pub(super) fn column(self) -> &'static str {
        match self {
            Self::Known => "time",
            Self::Open => "open_time",
            Self::Date => "date",
            Self::Close => "close_time",
        }
    }
}

/// What a header must hold, and what it holds.
pub(super) type HeaderFault = (&'static str, String);

/// Names of columns with a meaning, with what each stands for.
const MEANINGS: [(&str, SignalColumnMeaning); 16] = [
    ("symbol", SignalColumnMeaning::Symbol),
    ("pair", SignalColumnMeaning::Symbol),
    ("time", SignalColumnMeaning::Time),
    ("timestamp", SignalColumnMeaning::Time),
    ("open_time", SignalColumnMeaning::OpenTime),
    ("close_time", SignalColumnMeaning::CloseTime),
    ("date", SignalColumnMeaning::Date),
    ("direction", SignalColumnMeaning::Direction),
    ("side", SignalColumnMeaning::Direction),
    ("style", SignalColumnMeaning::Style),
    ("atr", SignalColumnMeaning::Atr),
    ("exit_time", SignalColumnMeaning::ExitTime),
    ("enter_long", SignalColumnMeaning::EnterLong),
    ("enter_short", SignalColumnMeaning::EnterShort),
    ("exit_long", SignalColumnMeaning::ExitLong),
    ("exit_short", SignalColumnMeaning::ExitShort),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SignalColumnMeaning {
    Symbol,
    Time,
    OpenTime,
    CloseTime,
    Direction,
    Style,
    Atr,
    ExitTime,
    Date,
    EnterLong,
    EnterShort,
    ExitLong,
    ExitShort,
}

/// How many meanings there are.
const MEANINGS_COUNT: usize = SignalColumnMeaning::ExitShort as usize + 1;

impl SignalHeader {
    /// Returns where a column with a meaning stands, by its name in messages.
    pub(super) fn place_of(&self, column: &str) -> Option<usize> {
        match column {
            "symbol" => Some(self.symbol),
            "direction" => match self.direction {
                DirectionSource::Word(place) => Some(place),
                DirectionSource::Flags { .. } => None,
            },
            "enter_long" | "enter_short" | "exit_long" | "exit_short" => match self.direction {
                DirectionSource::Word(_) => None,
                DirectionSource::Flags { enter, exit } => {
                    let of = if column.starts_with("enter") { enter } else { exit };
                    of[usize::from(column.ends_with("short"))]
                }
            },
            "style" => self.style,
            "atr" => self.atr,
            "exit_time" => self.exit_time,
            _ => Some(self.time.0),
        }
    }

    /// Reads the first line of a CSV; see [`SignalHeader::of`].
    pub(super) fn read(line: &[u8]) -> Result<(Self, Vec<(String, usize)>), HeaderFault> {
        let mut fields = Vec::new();
        let mut widest = (0, SEPARATORS[0]);
        for separator in SEPARATORS {
            split_fields(line, separator, &mut fields);
            if fields.len() > widest.0 {
                widest = (fields.len(), separator);
            }
        }
        split_fields(line, widest.1, &mut fields);
        let cells: Vec<&[u8]> = fields.iter().map(|field| cell(line, *field)).collect();
        Self::of(&cells, widest.1, line)
    }

    /// Returns the columns with a meaning, and the user's own as (name, place); columns without a name are skipped.
    ///
    /// Shape: the names, what separates the cells of a row, and the names in one line for messages
    pub(super) fn of(
        cells: &[&[u8]],
        separator: u8,
        line: &[u8],
    ) -> Result<(Self, Vec<(String, usize)>), HeaderFault> {
        let mut places: [Option<usize>; MEANINGS_COUNT] = [None; MEANINGS_COUNT];
        let mut own: Vec<(String, usize)> = Vec::new();
        for (place, cell) in cells.iter().enumerate() {
            let plain = plain_name(cell);
            let twice = || ("every column once", format!("{:?} twice", excerpt_of_bytes(plain.as_bytes())));
            let meaning = MEANINGS.iter().find(|(name, _)| *name == plain).map(|(_, meaning)| *meaning);
            if let Some(meaning) = meaning {
                if places[meaning as usize].replace(place).is_some() {
                    return Err(twice());
                }
            } else if !plain.is_empty() {
                let name = String::from_utf8_lossy(cell).into_owned();
                if name.len() > NAME_BYTES_MAX {
                    return Err((
                        "names of columns of at most 200 bytes",
                        format!("{:?}", excerpt_of_bytes(cell)),
                    ));
                }
                if own.iter().any(|(known, _)| *known == name) {
                    return Err(twice());
                }
                if own.len() == COLUMNS_MAX {
                    return Err(("at most 255 columns of your own", "more".to_owned()));
                }
                own.push((name, place));
            }
        }
        let at = |meaning: SignalColumnMeaning| places[meaning as usize];
        let mut unread = |meaning: SignalColumnMeaning| {
            let place = at(meaning);
            own.extend(place.map(|place| (String::from_utf8_lossy(cells[place]).into_owned(), place)));
        };
        // Where something else says it, columns of these names are the user's own.
        let has_time =
            [SignalColumnMeaning::Time, SignalColumnMeaning::OpenTime, SignalColumnMeaning::CloseTime];
        let date = at(SignalColumnMeaning::Date).filter(|_| has_time.iter().all(|time| at(*time).is_none()));
        if date.is_none() {
            unread(SignalColumnMeaning::Date);
        }
        let flags = [
            SignalColumnMeaning::EnterLong,
            SignalColumnMeaning::EnterShort,
            SignalColumnMeaning::ExitLong,
            SignalColumnMeaning::ExitShort,
        ];
        let [enter_long, enter_short, exit_long, exit_short] = flags.map(at);
        let direction = match at(SignalColumnMeaning::Direction) {
            Some(place) => Some(DirectionSource::Word(place)),
            None if enter_long.or(enter_short).is_some() => Some(DirectionSource::Flags {
                enter: [enter_long, enter_short],
                exit: [exit_long, exit_short],
            }),
            None => None,
        };
        if !matches!(direction, Some(DirectionSource::Flags { .. })) {
            flags.into_iter().for_each(&mut unread);
        }
        let missing = |expected| move || (expected, format!("the header {:?}", excerpt_of_bytes(line)));
        let time = match (
            at(SignalColumnMeaning::Time),
            at(SignalColumnMeaning::OpenTime),
            at(SignalColumnMeaning::CloseTime),
        ) {
            (Some(place), None, None) => (place, TimeSays::Known),
            (None, Some(place), closes) => {
                own.extend(closes.map(|place| ("close_time".to_owned(), place)));
                (place, TimeSays::Open)
            }
            (None, None, Some(place)) => (place, TimeSays::Close),
            (None, None, None) => match date {
                Some(place) => (place, TimeSays::Date),
                None => return Err(missing(TIME_EXPECTED)()),
            },
            // Beside the time of the close, `time` may be that of the open.
            (Some(_), ..) => return Err((TIME_EXPECTED, "more than one of them".to_owned())),
        };
        let header = Self {
            separator,
            fields: cells.len(),
            symbol: at(SignalColumnMeaning::Symbol).ok_or_else(missing("a column `symbol`"))?,
            time,
            direction: direction.ok_or_else(missing(
                "a column `direction` (or `side`, or `enter_long` and `enter_short` of 0 and 1)",
            ))?,
            style: at(SignalColumnMeaning::Style),
            atr: at(SignalColumnMeaning::Atr),
            exit_time: at(SignalColumnMeaning::ExitTime),
        };
        Ok((header, own))
    }
}

const TIME_EXPECTED: &str = "a column `time` (when the signal was known), `open_time` or `close_time` (of the candle it was given on)";
