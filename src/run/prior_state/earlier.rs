//! What programs before remembered of the files of a symbol: the words of an issue, where the data are kept now.

use serde::{Deserialize, Serialize};

use super::super::file_summary::{FileNote, IssueNote};
use super::super::issue_detail::IssueDetail;
use super::{FileStamp, SymbolManifest};
use crate::ingest::{FileIdentity, Rejection};

#[derive(Serialize, Deserialize)]
struct EarlierIssueNote {
    kind: String,
    count: u64,
    line: Option<u64>,
    detail: String,
}

impl From<EarlierIssueNote> for IssueNote {
    fn from(EarlierIssueNote { kind, count, line, detail }: EarlierIssueNote) -> Self {
        Self { kind, count, line, detail: IssueDetail::Told(detail) }
    }
}

#[derive(Serialize, Deserialize)]
struct EarlierFileNote {
    identity: FileIdentity,
    rejected: Option<Rejection>,
    issues: Vec<EarlierIssueNote>,
}

impl From<EarlierFileNote> for FileNote {
    fn from(EarlierFileNote { identity, rejected, issues }: EarlierFileNote) -> Self {
        Self { identity, rejected, issues: issues.into_iter().map(IssueNote::from).collect() }
    }
}

/// What was remembered of a symbol's files, as it was written.
#[derive(Serialize, Deserialize)]
pub(super) struct EarlierManifest {
    interval_ms: i64,
    reading: [u8; 32],
    stamps: Vec<FileStamp>,
    files: Vec<EarlierFileNote>,
    issues: Vec<EarlierIssueNote>,
    days: Vec<(i32, [u8; 32])>,
    candles: u64,
    last_open: i64,
    fingerprint: [u8; 32],
    evaluated: Vec<(u8, i32, i32)>,
    spans: Vec<Option<(i64, i64)>>,
    closes: Vec<f64>,
}

impl From<EarlierManifest> for SymbolManifest {
    fn from(before: EarlierManifest) -> Self {
        let EarlierManifest {
            interval_ms,
            reading,
            stamps,
            files,
            issues,
            days,
            candles,
            last_open,
            fingerprint,
            evaluated,
            spans,
            closes,
        } = before;
        Self {
            interval_ms,
            reading,
            stamps,
            files: files.into_iter().map(FileNote::from).collect(),
            issues: issues.into_iter().map(IssueNote::from).collect(),
            days,
            candles,
            last_open,
            fingerprint,
            evaluated,
            spans,
            closes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_program_before_remembered_is_read_and_told_in_its_words() {
        let issue = |kind: &str, detail: &str| EarlierIssueNote {
            kind: kind.to_owned(),
            count: 3,
            line: Some(7),
            detail: detail.to_owned(),
        };
        let rejected =
            Rejection::ToldTooManyBad { bad: 9, allowed: 3, rows: 40, first: "line 2: x".to_owned() };
        let file = EarlierFileNote {
            identity: FileIdentity {
                path: "a.csv".to_owned(),
                entry: None,
                symbol: "AUSDT".to_owned(),
                hash: String::new(),
            },
            rejected: Some(rejected.clone()),
            issues: vec![issue("bad_row", "open: expected a number, found \"x\"")],
        };
        let before = EarlierManifest {
            interval_ms: 900_000,
            reading: [1; 32],
            stamps: Vec::new(),
            files: vec![file],
            issues: vec![issue("gap", "3 candles of 15m are missing")],
            days: vec![(20_000, [2; 32]), (20_001, [3; 32])],
            candles: 192,
            last_open: 1_728_172_800_000,
            fingerprint: [4; 32],
            evaluated: vec![(0, 20_000, 20_001)],
            spans: vec![Some((1_728_000_000_000, 1_728_172_800_000))],
            closes: vec![1.5, 2.5],
        };
        let bytes = postcard::to_stdvec(&before).expect("plain values");
        let read = SymbolManifest::decode(&bytes).expect("written by a program before");
        assert_eq!(read.files[0].rejected, Some(rejected));
        let told = |text: &str| IssueDetail::Told(text.to_owned());
        assert_eq!(read.files[0].issues[0].detail, told("open: expected a number, found \"x\""));
        assert_eq!(read.issues[0].detail, told("3 candles of 15m are missing"));
        assert_eq!((read.days.len(), read.evaluated[0], read.closes[1]), (2, (0, 20_000, 20_001), 2.5));
        let now = read.encode();
        assert_eq!(SymbolManifest::decode(&now).as_ref(), Some(&read), "remembered anew it is the same");
        assert!(
            SymbolManifest::decode(&now[2..]).is_none_or(|other| other != read),
            "a layout is not another"
        );
    }
}
