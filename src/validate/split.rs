//! The in-sample/out-of-sample split, purged by the label horizon.

use std::ops::Range;

use crate::model::Day;

/// Entry days of the two parts; the days between them are in neither.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Split {
    pub early: Range<Day>,
    pub late: Range<Day>,
}

/// Splits days into an in-sample and an out-of-sample part.
///
/// Shape:     days [a, b), early share in (0, 1), purge in days -> early [a, cut - purge), late [cut, b)
/// Causality: an outcome entered on an early day ends before `cut` when `purge` covers the longest label
/// Errors:    `None` when either part would be empty
pub fn split_days(days: Range<Day>, early_share: f64, purge_days: i32) -> Option<Split> {
    assert!(early_share > 0.0 && early_share < 1.0, "a share leaves something on both sides");
    let count = days.end.0 - days.start.0;
    let cut = days.start.0 + (f64::from(count) * early_share).round() as i32;
    let split = Split { early: days.start..Day(cut - purge_days), late: Day(cut)..days.end };
    (split.early.start < split.early.end && split.late.start < split.late.end).then_some(split)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_keep_their_distance() {
        let split = split_days(Day(100)..Day(200), 0.7, 4).expect("room");
        assert_eq!(split, Split { early: Day(100)..Day(166), late: Day(170)..Day(200) });
    }

    #[test]
    fn no_room_no_split() {
        assert_eq!(split_days(Day(0)..Day(5), 0.7, 4), None);
        assert_eq!(split_days(Day(5)..Day(5), 0.5, 0), None);
    }
}
