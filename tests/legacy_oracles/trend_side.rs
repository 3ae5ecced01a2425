//! Which side a legacy trend label is on.

use super::signal_score::TrendLabel;
use retune::model::Direction;

/// Returns the side of a label, `None` for neither; a weakening trend has its side (D44).
pub(crate) fn side(label: &str) -> Option<Direction> {
    match TrendLabel::parse(label) {
        TrendLabel { bull: true, .. } => Some(Direction::Long),
        TrendLabel { bear: true, .. } => Some(Direction::Short),
        _ => None,
    }
}

/// Returns how many labels are on a side.
pub(crate) fn count(labels: &[&str], direction: Direction) -> usize {
    labels.iter().filter(|label| side(label) == Some(direction)).count()
}
