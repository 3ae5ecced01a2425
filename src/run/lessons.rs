//! Lessons between the store and what merges and shortens them.

use super::recall::parameter_set;
use crate::decide::insights::{AdviceStanding, Insights, Lesson, LessonKind};
use crate::decide::lessons::{
    Compressed, PROMPT_TOKENS, Remembered, StyleMemory, compress_lessons, merge_lessons,
};
use crate::decide::{key_values, list_changes};
use crate::model::{Day, ParameterSet, Style};
use crate::store::records::{InsightsRecord, LessonRecord};
use crate::store::{Snapshot, StoreError};
use crate::validate::assessment::Assurance;

/// Returns what a style remembers after a run on candles up to `day`.
pub(crate) fn remember_lessons(
    earlier: Option<&InsightsRecord>,
    insights: &Insights,
    day: Option<Day>,
) -> Vec<LessonRecord> {
    let known = earlier.map(remembered_lessons).unwrap_or_default();
    let learned: Vec<Lesson> = insights.lessons.iter().chain(&insights.best_contexts).cloned().collect();
    let merged = day.map_or(known.clone(), |day| merge_lessons(&known, &learned, day));
    merged.iter().map(lesson_record).collect()
}

/// Returns what may be told of a style's insights: advice only where the candidate that gave it is at least `PROMISING` and is what is
/// active, and only what agrees with that; else that there is nothing to change.
///
/// Errors: those of reading the store
pub fn told_insights(
    snapshot: &Snapshot<'_>,
    profile: &str,
    style: Style,
    record: InsightsRecord,
) -> Result<InsightsRecord, StoreError> {
    let edge = snapshot.evidence(profile, record.run, style)?.and_then(|evidence| evidence.edge);
    let is_promising = edge.is_some_and(|edge| {
        [Assurance::Promising, Assurance::Real].map(Assurance::as_str).contains(&edge.assurance.as_str())
    });
    let active = snapshot.params(profile, style.as_str())?.map(|params| parameter_set(&params.set));
    let mut decisions = snapshot.decisions(profile, record.run)?.into_iter();
    let decision = decisions.find(|(of, _)| *of == style).map(|(_, decision)| decision);
    let candidate = decision.and_then(|decision| decision.candidate);
    let is_active = active.as_ref().zip(candidate.as_ref()).is_some_and(|(active, candidate)| {
        list_changes(style, Some(active), &parameter_set(&candidate.set)).is_empty()
    });
    Ok(match AdviceStanding::of(is_promising, is_active).instead() {
        Some(instead) => silenced_record(record, instead),
        None => agreeing_lessons(record, active.as_ref()),
    })
}

/// Leaves of a record what is no advice.
fn silenced_record(mut record: InsightsRecord, instead: &str) -> InsightsRecord {
    record.memory.retain(|lesson| lesson.kind == LessonKind::Verdict.as_str());
    record.lessons = match record.memory.last() {
        Some(verdict) if verdict.text.contains(instead) => vec![verdict.text.clone()],
        Some(verdict) => vec![verdict.text.clone(), instead.to_owned()],
        None => vec![instead.to_owned()],
    };
    record.focus = instead.to_owned();
    record.best_contexts.clear();
    record.sensitivities.clear();
    record
}

/// Leaves out what earlier runs taught about an axis that is something else in the active set.
fn agreeing_lessons(mut record: InsightsRecord, active: Option<&ParameterSet>) -> InsightsRecord {
    let values = active.map(key_values).unwrap_or_default();
    let agrees = |lesson: &LessonRecord| {
        values.iter().any(|(key, value)| (key, value) == (&lesson.topic, &lesson.claim))
    };
    record.memory.retain(|lesson| lesson.kind != LessonKind::Axis.as_str() || agrees(lesson));
    record
}

/// Returns what is said in the bot's prompt about the styles of a profile.
pub fn for_prompt(records: &[(Style, InsightsRecord)]) -> Compressed {
    let memory = |(style, record): &(Style, InsightsRecord)| StyleMemory {
        style: *style,
        focus: record.focus.clone(),
        lessons: remembered_lessons(record),
    };
    compress_lessons(&records.iter().map(memory).collect::<Vec<_>>(), PROMPT_TOKENS)
}

/// Returns the lessons of a record. One of a kind this program does not know is left out.
fn remembered_lessons(record: &InsightsRecord) -> Vec<Remembered> {
    let lesson = |lesson: &LessonRecord| {
        Some(Remembered {
            lesson: Lesson {
                kind: LessonKind::ALL.into_iter().find(|kind| kind.as_str() == lesson.kind)?,
                topic: lesson.topic.clone(),
                claim: lesson.claim.clone(),
                text: lesson.text.clone(),
            },
            first: Day::parse(&lesson.first_day)?,
            last: Day::parse(&lesson.last_day)?,
            confirmed: lesson.confirmed,
        })
    };
    record.memory.iter().filter_map(lesson).collect()
}

fn lesson_record(known: &Remembered) -> LessonRecord {
    let Remembered { lesson: Lesson { kind, topic, claim, text }, first, last, confirmed } = known;
    LessonRecord {
        kind: kind.as_str().to_owned(),
        topic: topic.clone(),
        claim: claim.clone(),
        text: text.clone(),
        first_day: first.to_string(),
        last_day: last.to_string(),
        confirmed: *confirmed,
    }
}
