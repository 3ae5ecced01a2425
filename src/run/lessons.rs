//! Lessons between the store and what merges and shortens them.

use crate::decide::insights::{Insights, Lesson, LessonKind};
use crate::decide::lessons::{Compressed, PROMPT_TOKENS, Remembered, StyleMemory, compress, merge};
use crate::model::{Day, Style};
use crate::store::records::{InsightsRecord, LessonRecord};

/// Returns what a style remembers after a run on candles up to `day`.
pub(super) fn remember(
    earlier: Option<&InsightsRecord>,
    insights: &Insights,
    day: Option<Day>,
) -> Vec<LessonRecord> {
    let known = earlier.map(remembered).unwrap_or_default();
    let learned: Vec<Lesson> = insights.lessons.iter().chain(&insights.best_contexts).cloned().collect();
    let merged = day.map_or(known.clone(), |day| merge(&known, &learned, day));
    merged.iter().map(record).collect()
}

/// Returns what is said in the bot's prompt about the styles of a profile.
pub fn for_prompt(records: &[(Style, InsightsRecord)]) -> Compressed {
    let memory = |(style, record): &(Style, InsightsRecord)| StyleMemory {
        style: *style,
        focus: record.focus.clone(),
        lessons: remembered(record),
    };
    compress(&records.iter().map(memory).collect::<Vec<_>>(), PROMPT_TOKENS)
}

/// Returns the lessons of a record. One of a kind this program does not know is left out.
fn remembered(record: &InsightsRecord) -> Vec<Remembered> {
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

fn record(known: &Remembered) -> LessonRecord {
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
