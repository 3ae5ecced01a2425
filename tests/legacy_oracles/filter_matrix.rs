//! The legacy table of consensus against score, reported after its phase 3 and used for nothing.

use super::exit_simulation::Multiples;
use super::phase2::{TABLE_OPTIONS, Tally, passes, profit};
use retune::ingest::LegacyRecord;
use retune::model::Style;

/// Consensus and score of every row, in the legacy order.
pub(crate) const PAIRS: [(f64, f64); 9] = [
    (1.0, 75.0),
    (1.0, 80.0),
    (2.0, 80.0),
    (2.0, 85.0),
    (2.0, 90.0),
    (3.0, 85.0),
    (3.0, 90.0),
    (1.0, 90.0),
    (3.0, 80.0),
];

/// A row of the table.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct MatrixRow {
    pub min_consensus: f64,
    pub min_signal_score: f64,
    pub tally: Tally,
    /// 0.7 times the total profit and 30 times the capture rate.
    pub score: f64,
}

/// Returns the table of records, the highest score first; equals keep their order.
///
/// Shape:     distances of take-profit and stop for scalping and for swing; a record without a style is swing
/// Cost:      O(records)
/// Source:    section 11 of the legacy specification
pub(crate) fn filter_matrix(
    records: &[LegacyRecord],
    scalping: &Multiples,
    swing: &Multiples,
) -> Vec<MatrixRow> {
    let value = |record: &LegacyRecord| {
        let multiples = if record.style == Some(Style::Scalping) { scalping } else { swing };
        profit(record, multiples, TABLE_OPTIONS)
    };
    let row = |(min_consensus, min_signal_score): (f64, f64)| {
        let captured = records.iter().filter(|record| passes(record, min_consensus, min_signal_score));
        let tally = Tally::of(&captured.map(value).collect::<Vec<_>>(), records.len());
        let score = 0.7 * tally.total_profit + 30.0 * tally.capture_rate;
        MatrixRow { min_consensus, min_signal_score, tally, score }
    };
    let mut rows = PAIRS.map(row).to_vec();
    rows.sort_by(|a, b| b.score.total_cmp(&a.score));
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use retune::ingest::parse_legacy_opportunities;

    #[test]
    fn looser_pairs_come_first_where_everything_wins() {
        let text = r#"[
            {"signal_score": 76, "consensus": 1, "entry_price": 100, "atr": 1, "signal_type": "scalping",
             "future_data": {"max_high": 110, "min_low": 99.5}},
            {"signal_score": 91, "consensus": 3, "entry_price": 100, "atr": 1,
             "future_data": {"max_high": 110, "min_low": 99.5}}]"#;
        let records =
            parse_legacy_opportunities(text.as_bytes(), std::path::Path::new("memory")).expect("records");
        let (scalping, swing) = (Multiples { stop: 1.5, target: 2.0 }, Multiples { stop: 2.5, target: 6.0 });
        let rows = filter_matrix(&records, &scalping, &swing);
        assert_eq!(
            (rows[0].min_consensus, rows[0].min_signal_score, rows[0].tally.captured_count),
            (1.0, 75.0, 2)
        );
        assert!((rows[0].tally.total_profit - (1.86 + 5.86)).abs() < 1e-9);
        assert!((rows[0].score - (0.7 * 7.72 + 30.0)).abs() < 1e-9);
        assert!(rows[1..].iter().all(|row| row.tally.captured_count == 1));
        assert_eq!((rows[1].min_consensus, rows[1].min_signal_score), (1.0, 80.0), "equals keep their order");
    }
}
