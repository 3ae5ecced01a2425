//! Where every profile stands, and what to type next.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use super::params::days_since;
use super::runs::{StyleVerdictPart, verdicts_of_run};
use super::{HistoryFilter, InspectError, require_profile};
use crate::documents::document::{Document, params_object};
use crate::model::rfc3339;
use crate::store::Snapshot;
use crate::store::records::ParamsRecord;

/// Days without a run after which the next one is suggested; the program is made to run daily.
const DAYS_STALE: i64 = 2;

/// The profile of who names none.
const DEFAULT_PROFILE: &str = "default";

/// No filter: everything of a run.
const EVERYTHING: HistoryFilter = HistoryFilter::newest(usize::MAX);

/// Every profile of a store, the chosen one first.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct InspectOverviewDocument {
    pub directory: String,
    /// The profile chosen by `--profile`.
    pub profile: String,
    pub profiles: Vec<ProfilePart>,
}

impl Document for InspectOverviewDocument {
    const KIND: &'static str = "inspect_overview";
    const VERSION: u32 = 2;
}

/// One profile.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct ProfilePart {
    pub profile: String,
    /// Runs in the store.
    pub runs: u64,
    /// Null for a profile without a run.
    pub last_run: Option<LastRunPart>,
    /// Active parameters.
    pub scopes: Vec<ScopeLinePart>,
    /// Commands that make sense now, the most useful first.
    pub next: Vec<String>,
}

/// The last run of a profile.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct LastRunPart {
    pub id: u64,
    pub started_at: String,
    /// Whole days since then.
    pub days_ago: i64,
    pub result: String,
    pub styles: BTreeMap<String, StyleVerdictPart>,
}

/// The active parameters in a scope, in short.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct ScopeLinePart {
    pub scope: String,
    pub params: Map<String, Value>,
    pub run: u64,
    pub adopted_at: String,
    /// Whole days since then.
    pub days_active: i64,
    pub verdict: String,
}

impl ScopeLinePart {
    fn new(scope: &str, record: &ParamsRecord, now_ms: i64) -> Self {
        Self {
            scope: scope.to_owned(),
            params: params_object(&record.set),
            run: record.run,
            adopted_at: rfc3339(record.adopted_at_ms),
            days_active: days_since(record.adopted_at_ms, now_ms),
            verdict: record.verdict.clone(),
        }
    }
}

impl InspectOverviewDocument {
    /// Reads where every profile stands. `command` is how the program is called for this store: `next` begins
    /// with it.
    ///
    /// Errors: those of reading the store; an unknown profile, except the default one, which is then empty.
    pub fn read(
        snapshot: &Snapshot<'_>,
        directory: String,
        profile: &str,
        command: &str,
        now_ms: i64,
    ) -> Result<Self, InspectError> {
        if profile != DEFAULT_PROFILE {
            require_profile(snapshot, profile)?;
        }
        let others = snapshot.profiles()?.into_iter().filter(|name| name != profile);
        let names = std::iter::once(profile.to_owned()).chain(others);
        let part = |name: String| profile_part(snapshot, &name, command, now_ms);
        let profiles = names.map(part).collect::<Result<_, _>>()?;
        Ok(Self { directory, profile: profile.to_owned(), profiles })
    }
}

fn profile_part(
    snapshot: &Snapshot<'_>,
    profile: &str,
    command: &str,
    now_ms: i64,
) -> Result<ProfilePart, InspectError> {
    let runs = snapshot.runs(profile, .., usize::MAX)?;
    let last_run = match runs.first() {
        None => None,
        Some((id, run)) => Some(LastRunPart {
            id: *id,
            started_at: rfc3339(run.started_at_ms),
            days_ago: days_since(run.started_at_ms, now_ms),
            result: run.result.clone(),
            styles: verdicts_of_run(snapshot, profile, *id, &EVERYTHING)?,
        }),
    };
    let scopes = snapshot.params_all(profile)?;
    let scopes: Vec<_> =
        scopes.iter().map(|(scope, record)| ScopeLinePart::new(scope, record, now_ms)).collect();
    let command = with_profile(command, profile);
    let next = next_commands(&command, last_run.as_ref(), !scopes.is_empty());
    Ok(ProfilePart { profile: profile.to_owned(), runs: runs.len() as u64, last_run, scopes, next })
}

fn with_profile(command: &str, profile: &str) -> String {
    if profile == DEFAULT_PROFILE { command.to_owned() } else { format!("{command} --profile {profile}") }
}

/// Returns the commands that make sense after a run.
fn next_commands(command: &str, last: Option<&LastRunPart>, has_params: bool) -> Vec<String> {
    let run_again = format!("{command} incremental --data PATH");
    let Some(last) = last else { return vec![run_again] };
    let mut next = Vec::new();
    if last.days_ago >= DAYS_STALE {
        next.push(run_again);
    }
    match last.result.as_str() {
        "changed" => next.push(format!("{command} inspect changes")),
        _ => next.push(format!("{command} inspect run {}", last.id)),
    }
    match has_params {
        true => next.push(format!("{command} export-json")),
        false => next.push(format!("{command} inspect top")),
    }
    next
}

#[cfg(test)]
mod tests {
    use super::*;

    fn last(result: &str, days_ago: i64) -> LastRunPart {
        let (started_at, styles) = (rfc3339(0), BTreeMap::new());
        LastRunPart { id: 7, started_at, days_ago, result: result.to_owned(), styles }
    }

    #[test]
    fn what_to_type_next_follows_from_the_last_run() {
        assert_eq!(next_commands("o", None, false), ["o incremental --data PATH"]);
        assert_eq!(
            next_commands("o", Some(&last("changed", 0)), true),
            ["o inspect changes", "o export-json"]
        );
        assert_eq!(
            next_commands("o", Some(&last("rejected", 0)), false),
            ["o inspect run 7", "o inspect top"]
        );
        assert_eq!(next_commands("o", Some(&last("rejected", 2)), true)[0], "o incremental --data PATH");
    }
}
