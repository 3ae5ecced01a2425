//! Where every profile stands this morning: did it run, did anything change, should one believe it, does the bot use it, what came of
//! it since, is the box well. The page, the metrics and the assistant's door all say this document.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;

use super::change::ChangePart;
use super::document::Document;
use super::inspect::InspectError;
use super::style::{ReasonPart, StyleDecisionPart};
use crate::bot::export_gate::{Doubt, find_doubts};
use crate::diagnose::bot_files::{ExportedFile, exported_files};
use crate::diagnose::installation::look_at;
use crate::model::{DAY_MS, Style, rfc3339};
use crate::run::adopt::is_by_hand;
use crate::run::recall::{known_evidence, style_result};
use crate::store::records::{RunRecord, SymbolAgeRecord, WorkRecord};
use crate::store::{Snapshot, StoreError, View};

/// Changes that are shown of one run.
const CHANGES_MAX: usize = 40;

/// Where every profile of a store stands, the chosen one first.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct StatusDocument {
    /// The program that says it.
    pub app_version: String,
    /// The store.
    pub directory: String,
    /// The profile chosen by `--profile`.
    pub profile: String,
    /// Whether a later run is stored that was interrupted before it was published.
    pub is_pending: bool,
    /// Every profile.
    pub profiles: Vec<ProfileStatusPart>,
    /// The machine, as far as it concerns the store.
    pub installation: InstallationPart,
}

impl Document for StatusDocument {
    const KIND: &'static str = "status";
}

/// Where one profile stands.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ProfileStatusPart {
    /// The profile.
    pub profile: String,
    /// How often a run is expected (`serve.expect_every`).
    pub expect_every_seconds: u64,
    /// Whether the last run is a quarter longer ago than that, or there is none.
    pub is_late: bool,
    /// The last run that looked at candles; null before the first.
    pub last_run: Option<StatusRunPart>,
    /// The last change of active parameters, by a run or by hand; null before the first.
    pub last_change: Option<StatusChangePart>,
    /// What the last run says of each style.
    pub styles: BTreeMap<String, StyleStatusPart>,
    /// Files that were exported for the bot, compared with what is active.
    pub bot_files: Vec<BotFilePart>,
    /// What speaks against handing the active parameters over.
    pub held_back: Vec<HeldBackPart>,
    /// The candles of the last run, the oldest first.
    pub candles: Vec<CandleAgePart>,
}

/// A run in short.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct StatusRunPart {
    pub run: u64,
    pub started_at: String,
    pub started_unix_seconds: i64,
    pub age_seconds: u64,
    pub result: String,
    pub exit_code: i32,
    pub duration_ms: u64,
    pub peak_rss_bytes: u64,
    /// Symbol-days evaluated, wholly or in part; null where the run no longer says.
    pub units_new: Option<u64>,
    /// Symbol-days reused.
    pub units_reused: Option<u64>,
    pub first_day: String,
    pub last_day: String,
}

/// A change of active parameters.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct StatusChangePart {
    pub run: u64,
    pub at: String,
    pub unix_seconds: i64,
    /// Whole days since then.
    pub days_ago: i64,
    /// The first of many.
    pub changes: Vec<ChangePart>,
    /// Changes beyond those.
    pub changes_more: u64,
    /// What to type to go back.
    pub undo: String,
}

/// What is known of a style.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct StyleStatusPart {
    /// The verdict of the validation: `PASSED`, `WARNING`, ...
    pub verdict: String,
    /// What EDGE says: `REAL`, `PROMISING`, `UNPROVEN`, `LIKELY_LUCK`, `NOT_ENOUGH_DATA`, or `UNTESTED`.
    pub significance: String,
    /// `adopted`, `unchanged`, `not_convincing`, `rejected`; a decision by hand has a word of its own.
    pub outcome: String,
    /// The first reason of the decision.
    pub reason: Option<ReasonPart>,
    /// Whether parameters of the style are active.
    pub is_active: bool,
    /// The last change of the style's parameters or of a symbol's; null before the first.
    pub changed_unix_seconds: Option<i64>,
    /// What the active set did on days that nobody had seen when it was chosen; null where none, or too few, were followed.
    pub forward: Option<ForwardPart>,
}

/// The record of an active set since it was chosen.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ForwardPart {
    /// Days followed.
    pub days: u64,
    /// What they came to.
    pub net_pct: f64,
    /// Evidence that it has an edge: 20 and more is strong.
    pub e_edge: Option<f64>,
    /// Evidence that it decays: 20 and more is strong.
    pub e_decay: Option<f64>,
}

/// A file that was exported.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct BotFilePart {
    /// As it was named.
    pub file: String,
    /// When it was written last.
    pub written_at: String,
    /// `in_sync`, `differs`, `missing`, or `unknown` where it cannot be read from here.
    pub state: String,
}

/// What speaks against the active parameters of a style.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct HeldBackPart {
    pub style: String,
    pub run: u64,
    pub verdict: String,
    pub reason: String,
}

/// The newest candle of a symbol.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct CandleAgePart {
    /// The symbol.
    pub symbol: String,
    /// Seconds since its newest candle closed.
    pub age_seconds: u64,
    /// What the last run said: `fresh`, `stale`, `lagging` or `vanished`.
    pub age: String,
}

/// The disk, the memory of runs, what waits to be told.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct InstallationPart {
    pub state_bytes: u64,
    pub view_bytes: u64,
    pub evals_bytes: u64,
    pub backups_bytes: u64,
    /// Null where the system does not say.
    pub free_bytes: Option<u64>,
    /// Messages that wait to be sent; null where their file cannot be read.
    pub notify_queue_length: Option<u64>,
    /// `limits.memory`; null without a limit.
    pub memory_limit_bytes: Option<u64>,
    /// `memory.warning`.
    pub memory_warning_bytes: u64,
}

/// What the configuration and the clock say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusAsked {
    /// The profile that comes first.
    pub profile: String,
    /// How often a run is expected.
    pub expect_every: Duration,
    /// The limit of a run's memory.
    pub memory_limit_bytes: Option<u64>,
    /// The memory from which to warn.
    pub memory_warning_bytes: u64,
    /// Now; UTC ms.
    pub now_ms: i64,
}

impl StatusDocument {
    /// Reads where every profile stands. Opens no database but the view, and writes nothing.
    ///
    /// Errors: those of reading the store
    pub fn read(dir: &Path, view: &View, asked: &StatusAsked) -> Result<Self, InspectError> {
        let snapshot = view.read()?;
        let others = snapshot.profiles()?.into_iter().filter(|name| *name != asked.profile);
        let names = std::iter::once(asked.profile.clone()).chain(others);
        let profiles = names.map(|name| ProfileStatusPart::read(dir, &snapshot, name, asked));
        let profiles = profiles.collect::<Result<_, _>>()?;
        let found = look_at(dir);
        let installation = InstallationPart {
            state_bytes: found.sizes.state,
            view_bytes: found.sizes.view,
            evals_bytes: found.sizes.evals,
            backups_bytes: found.sizes.backups,
            free_bytes: found.free_bytes,
            notify_queue_length: found.queue_length,
            memory_limit_bytes: asked.memory_limit_bytes,
            memory_warning_bytes: asked.memory_warning_bytes,
        };
        Ok(Self {
            app_version: env!("CARGO_PKG_VERSION").to_owned(),
            directory: dir.display().to_string(),
            profile: asked.profile.clone(),
            is_pending: view.is_pending(),
            profiles,
            installation,
        })
    }
}

impl ProfileStatusPart {
    fn read(
        dir: &Path,
        snapshot: &Snapshot<'_>,
        profile: String,
        asked: &StatusAsked,
    ) -> Result<Self, StoreError> {
        let last = last_run(snapshot, &profile)?;
        let changes = last_changes(snapshot, &profile)?;
        let mut styles = BTreeMap::new();
        if let Some((run, record)) = &last {
            for style in Style::ALL {
                if let Some(part) = style_status(snapshot, &profile, (*run, record), style, &changes)? {
                    styles.insert(style.to_string(), part);
                }
            }
        }
        let files = exported_files(dir, snapshot, &profile, asked.now_ms);
        let held_back = find_doubts(snapshot, &profile)?.iter().map(HeldBackPart::from).collect();
        let expected = asked.expect_every;
        let run = last.as_ref().map(|(run, record)| {
            let work = snapshot.work(&profile, *run)?;
            Ok::<_, StoreError>(StatusRunPart::new(*run, record, work.as_ref(), asked.now_ms))
        });
        let run = run.transpose()?;
        let late_from = expected.saturating_add(expected / 4).as_secs();
        Ok(Self {
            expect_every_seconds: expected.as_secs(),
            is_late: run.as_ref().is_none_or(|run| run.age_seconds > late_from),
            last_change: changes.newest(snapshot, &profile, asked.now_ms)?,
            last_run: run,
            styles,
            bot_files: files.iter().map(BotFilePart::from).collect(),
            held_back,
            candles: last.map_or_else(Vec::new, |(_, record)| candle_ages(&record, asked.now_ms)),
            profile,
        })
    }
}

/// Returns the newest run that looked at candles.
fn last_run(snapshot: &Snapshot<'_>, profile: &str) -> Result<Option<(u64, RunRecord)>, StoreError> {
    for run in snapshot.run_ids(profile)? {
        if let Some(record) = snapshot.run(profile, run)?
            && !is_by_hand(&record.result)
        {
            return Ok(Some((run, record)));
        }
    }
    Ok(None)
}

/// The last run that changed the parameters of each style.
struct LastChanges(BTreeMap<Style, u64>);

/// Looks for the last change of each style, the newest run first.
fn last_changes(snapshot: &Snapshot<'_>, profile: &str) -> Result<LastChanges, StoreError> {
    let mut found = BTreeMap::new();
    for run in snapshot.run_ids(profile)? {
        for (style, decision) in snapshot.decisions(profile, run)? {
            if decision.changed {
                found.entry(style).or_insert(run);
            }
        }
        if found.len() == Style::COUNT {
            break;
        }
    }
    Ok(LastChanges(found))
}

impl LastChanges {
    fn newest(
        &self,
        snapshot: &Snapshot<'_>,
        profile: &str,
        now_ms: i64,
    ) -> Result<Option<StatusChangePart>, StoreError> {
        let Some(run) = self.0.values().max().copied() else { return Ok(None) };
        let Some(record) = snapshot.run(profile, run)? else { return Ok(None) };
        let decisions = snapshot.decisions(profile, run)?;
        let changed = decisions.iter().filter(|(_, decision)| decision.changed);
        let all: Vec<ChangePart> =
            changed.flat_map(|(_, decision)| decision.changes.iter().map(ChangePart::from)).collect();
        let more = all.len().saturating_sub(CHANGES_MAX) as u64;
        let named = if profile == "default" { String::new() } else { format!(" --profile {profile}") };
        Ok(Some(StatusChangePart {
            run,
            at: rfc3339(record.started_at_ms),
            unix_seconds: record.started_at_ms.div_euclid(1000),
            days_ago: now_ms.saturating_sub(record.started_at_ms).max(0) / DAY_MS,
            changes: all.into_iter().take(CHANGES_MAX).collect(),
            changes_more: more,
            undo: format!("optimizer rollback{named}"),
        }))
    }
}

fn style_status(
    snapshot: &Snapshot<'_>,
    profile: &str,
    (run, record): (u64, &RunRecord),
    style: Style,
    changes: &LastChanges,
) -> Result<Option<StyleStatusPart>, StoreError> {
    let decisions = snapshot.decisions(profile, run)?;
    let Some((_, decision)) = decisions.iter().find(|(own, _)| *own == style) else { return Ok(None) };
    let evidence = snapshot.evidence(profile, run, style)?;
    let size = record.styles.iter().find(|size| size.style == style.as_str());
    let result = style_result(style, size, Some(decision), evidence.as_ref(), None);
    let known = evidence.as_ref().map(known_evidence).map(|known| known.evidence);
    let significance = known.as_ref().and_then(|evidence| evidence.edge.as_ref());
    let significance = significance.map_or("UNTESTED", |edge| edge.assurance.as_str());
    let forward = known.and_then(|evidence| evidence.forward).map(|forward| ForwardPart {
        days: forward.days,
        net_pct: forward.net_pct,
        e_edge: Some(forward.e_edge).filter(|e| e.is_finite()),
        e_decay: Some(forward.e_decay).filter(|e| e.is_finite()),
    });
    let decided = result.decided.as_ref().map(StyleDecisionPart::from);
    let changed = match changes.0.get(&style) {
        Some(run) => snapshot.run(profile, *run)?.map(|record| record.started_at_ms.div_euclid(1000)),
        None => None,
    };
    let is_of_style =
        |(scope, _): &(String, _)| scope == style.as_str() || scope.ends_with(&format!("/{style}"));
    Ok(Some(StyleStatusPart {
        verdict: decision.verdict.clone(),
        significance: significance.to_owned(),
        outcome: decision.outcome.clone(),
        reason: decided.and_then(|decided| decided.reasons.into_iter().next()),
        is_active: snapshot.params_all(profile)?.iter().any(is_of_style),
        changed_unix_seconds: changed,
        forward,
    }))
}

fn candle_ages(record: &RunRecord, now_ms: i64) -> Vec<CandleAgePart> {
    let part = |symbol: &SymbolAgeRecord| {
        Some(CandleAgePart {
            symbol: symbol.symbol.clone(),
            age_seconds: seconds_since(symbol.newest_close_ms?, now_ms),
            age: symbol.age.clone(),
        })
    };
    let symbols = record.freshness.iter().flat_map(|freshness| &freshness.symbols);
    let mut ages: Vec<CandleAgePart> = symbols.filter_map(part).collect();
    ages.sort_by(|one, other| other.age_seconds.cmp(&one.age_seconds).then(one.symbol.cmp(&other.symbol)));
    ages
}

fn seconds_since(then_ms: i64, now_ms: i64) -> u64 {
    (now_ms.saturating_sub(then_ms).max(0) / 1000).unsigned_abs()
}

impl StatusRunPart {
    fn new(run: u64, record: &RunRecord, work: Option<&WorkRecord>, now_ms: i64) -> Self {
        let sum = |of: fn(&crate::store::records::SymbolWorkRecord) -> u64| {
            work.map(|work| work.symbols.iter().map(of).sum())
        };
        Self {
            run,
            started_at: rfc3339(record.started_at_ms),
            started_unix_seconds: record.started_at_ms.div_euclid(1000),
            age_seconds: seconds_since(record.started_at_ms, now_ms),
            result: record.result.clone(),
            exit_code: record.exit_code,
            duration_ms: record.duration_ms,
            peak_rss_bytes: record.peak_rss_bytes,
            units_new: sum(|symbol| symbol.evaluated.min(symbol.days)),
            units_reused: sum(|symbol| symbol.days - symbol.evaluated.min(symbol.days)),
            first_day: record.first_day.clone(),
            last_day: record.last_day.clone(),
        }
    }
}

impl From<&Doubt> for HeldBackPart {
    fn from(doubt: &Doubt) -> Self {
        let Doubt { style, run, verdict, finding } = doubt;
        Self {
            style: style.to_string(),
            run: *run,
            verdict: (*verdict).to_owned(),
            reason: finding.to_string(),
        }
    }
}

impl From<&ExportedFile> for BotFilePart {
    fn from(found: &ExportedFile) -> Self {
        let ExportedFile { file, at_ms, state } = found;
        Self { file: file.clone(), written_at: rfc3339(*at_ms), state: state.as_str().to_owned() }
    }
}
