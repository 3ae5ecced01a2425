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
    pub(super) direction: usize,
    pub(super) style: Option<usize>,
    pub(super) atr: Option<usize>,
    pub(super) exit_time: Option<usize>,
}

/// Which time of a signal a column gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TimeSays {
    /// When the signal was known.
    Known,
    /// When the candle it was given on opened.
    Open,
    /// When that candle closed.
    Close,
}

impl TimeSays {
    /// Returns the name of the column in messages.
    pub(super) fn column(self) -> &'static str {
        match self {
            Self::Known => "time",
            Self::Open => "open_time",
            Self::Close => "close_time",
        }
    }
}

/// What a header must hold, and what it holds.
pub(super) type HeaderFault = (&'static str, String);

/// Names of columns with a meaning, with what each stands for.
const MEANINGS: [(&str, SignalColumnMeaning); 11] = [
    ("symbol", SignalColumnMeaning::Symbol),
    ("pair", SignalColumnMeaning::Symbol),
    ("time", SignalColumnMeaning::Time),
    ("timestamp", SignalColumnMeaning::Time),
    ("open_time", SignalColumnMeaning::OpenTime),
    ("close_time", SignalColumnMeaning::CloseTime),
    ("direction", SignalColumnMeaning::Direction),
    ("side", SignalColumnMeaning::Direction),
    ("style", SignalColumnMeaning::Style),
    ("atr", SignalColumnMeaning::Atr),
    ("exit_time", SignalColumnMeaning::ExitTime),
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
}

impl SignalHeader {
    /// Returns where a column with a meaning stands, by its name in messages.
    pub(super) fn place_of(&self, column: &str) -> Option<usize> {
        match column {
            "symbol" => Some(self.symbol),
            "direction" => Some(self.direction),
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
        let mut places: [Option<usize>; 8] = [None; 8];
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
            (None, None, None) => return Err(missing(TIME_EXPECTED)()),
            // Beside the time of the close, `time` may be that of the open.
            (Some(_), ..) => return Err((TIME_EXPECTED, "more than one of them".to_owned())),
        };
        let header = Self {
            separator,
            fields: cells.len(),
            symbol: at(SignalColumnMeaning::Symbol).ok_or_else(missing("a column `symbol`"))?,
            time,
            direction: at(SignalColumnMeaning::Direction).ok_or_else(missing("a column `direction`"))?,
            style: at(SignalColumnMeaning::Style),
            atr: at(SignalColumnMeaning::Atr),
            exit_time: at(SignalColumnMeaning::ExitTime),
        };
        Ok((header, own))
    }
}

const TIME_EXPECTED: &str = "a column `time` (when the signal was known), `open_time` or `close_time` (of the candle it was given on)";
