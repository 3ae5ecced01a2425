//! Columns of tags: what a strategy calls its entries, as freqtrade's `enter_tag`.

/// Tags of a column at most; where there are more, they are no kinds of entries.
const TAGS_MAX: usize = 32;
/// Bytes of a tag at most.
const TAG_BYTES_MAX: usize = 100;

/// The tags of a column while it is read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Tags {
    /// In the order in which they are met; empty where there were too many.
    names: Vec<String>,
    /// Place of the tag of every row, one more than it; 0 where there is none.
    rows: Vec<u8>,
    is_too_many: bool,
}

impl Tags {
    /// Returns tags to be read, where the name of a column says that it holds such.
    pub(super) fn of(name: &str) -> Option<Self> {
        let name = name.to_ascii_lowercase();
        (name == "tag" || name.ends_with("_tag")).then(Self::default)
    }

    /// Takes in the cell of a row.
    pub(super) fn push(&mut self, cell: &[u8]) {
        let text = String::from_utf8_lossy(cell.trim_ascii());
        if self.is_too_many || super::super::number::is_nothing(text.as_bytes()) {
            self.rows.push(0);
            return;
        }
        let place = self.names.iter().position(|name| *name == text).unwrap_or_else(|| {
            self.names.push(text.clone().into_owned());
            self.names.len() - 1
        });
        self.is_too_many = self.names.len() > TAGS_MAX || text.len() > TAG_BYTES_MAX;
        self.rows.push(place as u8 + 1);
    }

    /// Returns every tag with a number for every row: 1 where it stands, else 0.
    pub(super) fn columns(&self) -> impl Iterator<Item = (&str, Vec<f64>)> {
        let names = self.names.iter().take(if self.is_too_many { 0 } else { TAGS_MAX });
        names.enumerate().map(|(place, name)| {
            let is_it = |row: &u8| f64::from(u8::from(usize::from(*row) == place + 1));
            (name.as_str(), self.rows.iter().map(is_it).collect())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_become_columns_of_zero_and_one_and_many_texts_do_not() {
        let mut tags = Tags::of("enter_tag").expect("a column of tags");
        for cell in ["breakout", "", " dip ", "breakout", "nan", "7"] {
            tags.push(cell.as_bytes());
        }
        let found: Vec<(&str, Vec<f64>)> = tags.columns().collect();
        let expected = [
            ("breakout", vec![1.0, 0.0, 0.0, 1.0, 0.0, 0.0]),
            ("dip", vec![0.0, 0.0, 1.0, 0.0, 0.0, 0.0]),
            ("7", vec![0.0, 0.0, 0.0, 0.0, 0.0, 1.0]),
        ];
        assert_eq!(found, expected);
        (0..TAGS_MAX).for_each(|number| tags.push(format!("trade {number}").as_bytes()));
        assert_eq!((tags.columns().count(), tags.rows.len()), (0, 6 + TAGS_MAX));
        let is_one = ["tag", "Enter_Tag", "entry_tag", "note", "tags", "stage", "vintage"]
            .map(|name| Tags::of(name).is_some());
        assert_eq!(is_one, [true, true, true, false, false, false, false]);
    }
}
