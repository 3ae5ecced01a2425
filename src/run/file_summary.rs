//! What a run keeps of its input files: small, and the same whether they were read now or by an earlier run.

use serde::{Deserialize, Serialize};

use super::issue_detail::IssueDetail;
use crate::ingest::{FileIdentity, FileReport, Issue, Rejection};
use crate::model::escaped;

/// What was found in one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileNote {
    /// Which file it is.
    pub identity: FileIdentity,
    /// Why the whole file is not used; `None` when it is.
    pub rejected: Option<Rejection>,
    /// What was wrong, ordered by kind.
    pub issues: Vec<IssueNote>,
}

/// Something about the data the user should know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssueNote {
    /// Name of the kind.
    pub kind: String,
    /// How often.
    pub count: u64,
    /// The first line concerned, where lines have a meaning.
    pub line: Option<u64>,
    /// What was expected and found there.
    pub detail: IssueDetail,
}

impl From<&Issue> for IssueNote {
    fn from(issue: &Issue) -> Self {
        Self {
            kind: issue.kind.as_str().to_owned(),
            count: issue.count,
            line: issue.lines.first().copied(),
            detail: IssueDetail::Found(issue.cause.clone()),
        }
    }
}

impl From<&FileReport> for FileNote {
    fn from(report: &FileReport) -> Self {
        Self {
            identity: report.identity(),
            rejected: report.rejected.clone(),
            issues: report.issues.iter().map(IssueNote::from).collect(),
        }
    }
}

impl FileNote {
    /// Returns the file's name, with the member of an archive.
    pub fn name(&self) -> String {
        file_name(&self.identity.path, self.identity.entry.as_deref())
    }
}

/// Returns how a file, or a member of an archive, is named in texts and documents: on one line, whatever is in its name.
pub fn file_name(path: &str, entry: Option<&str>) -> String {
    let name = entry.map_or_else(|| path.to_owned(), |entry| format!("{path}:{entry}"));
    escaped(&name, &[]).into_owned()
}
