//! What earlier runs taught, merged with what this one teaches, and cut to what fits a prompt.
//!
//! Age is counted in days of candles, not of the calendar: a run on the same candles again changes nothing, and what
//! was learned does not fade while no candles come.

use std::cmp::Reverse;

use super::insights::{Lesson, LessonKind};
use super::tokens::tokens_at_most;
use crate::model::{Day, Style};

/// Days of candles for which a lesson is kept without being confirmed.
pub const WHOLE_DAYS: i64 = 7;
/// Insights and recommendations kept of what is older.
pub const INSIGHTS_KEPT: usize = 3;
/// See [`INSIGHTS_KEPT`].
pub const RECOMMENDATIONS_KEPT: usize = 2;
/// Lessons remembered at most.
pub const LESSONS_MAX: usize = 64;
/// Tokens that the text for the bot's prompt takes at most.
pub const PROMPT_TOKENS: u64 = 500;

/// A lesson with what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remembered {
    /// The lesson, with its newest figures.
    pub lesson: Lesson,
    /// Last day of the candles that taught it first.
    pub first: Day,
    /// Last day of the candles that confirmed it last.
    pub last: Day,
    /// On how many such days it was seen, the first included.
    pub confirmed: u64,
}

impl Remembered {
    fn is_old(&self, today: Day) -> bool {
        i64::from(today.0) - i64::from(self.last.0) > WHOLE_DAYS
    }
}

/// Merges what a run on candles up to `day` teaches with what is remembered, the most certain first.
///
/// A lesson that says the same again is confirmed, once per day of candles, and takes the newest figures. One that says
/// something else about the same topic takes the place of what was known. Candles that end earlier than those a lesson
/// rests on change nothing about it. Of lessons that were not confirmed within seven days of candles three insights and two
/// recommendations are kept.
///
/// Shape:     lessons of distinct topics -> at most 64; merging the same again changes nothing
pub fn merge_lessons(remembered: &[Remembered], learned: &[Lesson], day: Day) -> Vec<Remembered> {
    let mut all = remembered.to_vec();
    for lesson in learned {
        let new = Remembered { lesson: lesson.clone(), first: day, last: day, confirmed: 1 };
        let topic = |lesson: &Lesson| (lesson.kind, lesson.topic.clone());
        match all.iter_mut().find(|known| topic(&known.lesson) == topic(lesson)) {
            None => all.push(new),
            Some(known) if day < known.last => {}
            Some(known) if known.lesson.claim == lesson.claim => {
                known.confirmed = known.confirmed.saturating_add(u64::from(known.last < day));
                (known.lesson, known.last) = (new.lesson, day);
            }
            Some(known) => *known = new,
        }
    }
    let today = all.iter().map(|known| known.last).max().unwrap_or(day);
    all.sort_by_key(|known| certainty_of_lesson(known, today));
    let mut left = [INSIGHTS_KEPT, RECOMMENDATIONS_KEPT];
    all.retain(|known| {
        let left = &mut left[usize::from(known.lesson.kind == LessonKind::Axis)];
        let kept = !known.is_old(today) || *left > 0;
        *left -= usize::from(known.is_old(today) && kept);
        kept
    });
    all.truncate(LESSONS_MAX);
    all
}

/// Returns what lessons are sorted by: those of the last days before older ones, then the oftener confirmed, the more
/// recent, and by name.
fn certainty_of_lesson(known: &Remembered, today: Day) -> impl Ord + use<> {
    let Lesson { kind, topic, .. } = &known.lesson;
    (known.is_old(today), Reverse(known.confirmed), Reverse(known.last), *kind, topic.clone())
}

/// What is known about a style, for the bot's prompt.
#[derive(Debug, Clone, PartialEq)]
pub struct StyleMemory {
    /// The style.
    pub style: Style,
    /// What to look at first; may be empty.
    pub focus: String,
    /// The lessons, as [`merge_lessons`] returns them.
    pub lessons: Vec<Remembered>,
}

/// What is said in a prompt.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Compressed {
    /// What to look at first, a line per style.
    pub focus: Vec<String>,
    /// The lessons, the most certain first.
    pub lessons: Vec<String>,
    /// Lines for which there was no room.
    pub left_out: usize,
}

impl Compressed {
    /// Returns the text, a line each.
    pub fn text(&self) -> String {
        let lines = self.focus.iter().chain(&self.lessons);
        lines.map(String::as_str).collect::<Vec<_>>().join("\n")
    }
}

/// Returns the text for the bot's prompt about some styles: what to look at first, then lessons until `tokens` are
/// reached; the least certain are left out.
pub fn compress_lessons(styles: &[StyleMemory], tokens: u64) -> Compressed {
    let focus = styles.iter().filter(|style| !style.focus.is_empty());
    let focus = focus.map(|style| (true, format!("{} focus: {}", style.style, style.focus)));
    let mut lessons: Vec<(Style, &Remembered)> =
        styles.iter().flat_map(|style| style.lessons.iter().map(|lesson| (style.style, lesson))).collect();
    let today = lessons.iter().map(|(_, known)| known.last).max().unwrap_or(Day(0));
    // Stable: equally certain lessons stay in the order of the styles.
    lessons.sort_by_key(|(_, known)| certainty_of_lesson(known, today));
    let lessons = lessons.iter().map(|(style, known)| (false, lesson_line(*style, known, today)));
    let (mut found, mut left) = (Compressed::default(), tokens);
    for (is_focus, line) in focus.chain(lessons) {
        // With its line break. What comes after a line without room has none either.
        let cost = tokens_at_most(&line) + 1;
        if found.left_out > 0 || cost > left {
            found.left_out += 1;
            continue;
        }
        left -= cost;
        let lines = if is_focus { &mut found.focus } else { &mut found.lessons };
        lines.push(line);
    }
    found
}

fn lesson_line(style: Style, known: &Remembered, today: Day) -> String {
    let seen = match (known.confirmed, known.is_old(today)) {
        (0 | 1, false) => String::new(),
        (confirmed, false) => format!(" [on {confirmed} days]"),
        (confirmed, true) => format!(" [on {confirmed} days, last {}]", known.last),
    };
    format!("{style}: {}{seen}", known.lesson.text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn axis(topic: &str, claim: &str, text: &str) -> Lesson {
        Lesson {
            kind: LessonKind::Axis,
            topic: topic.to_owned(),
            claim: claim.to_owned(),
            text: text.to_owned(),
        }
    }

    fn context(topic: &str) -> Lesson {
        Lesson { kind: LessonKind::Context, ..axis(topic, "earns", topic) }
    }

    fn shown(all: &[Remembered]) -> Vec<(&str, i32, i32, u64)> {
        all.iter()
            .map(|known| (known.lesson.text.as_str(), known.first.0, known.last.0, known.confirmed))
            .collect()
    }

    #[test]
    fn a_lesson_is_confirmed_once_a_day_and_replaced_by_its_contrary() {
        let first = merge_lessons(&[], &[axis("a", "2", "a = 2 (50 %)"), context("longs")], Day(10));
        let second = merge_lessons(&first, &[axis("a", "2", "a = 2 (55 %)")], Day(11));
        assert_eq!(shown(&second), [("a = 2 (55 %)", 10, 11, 2), ("longs", 10, 10, 1)]);
        assert_eq!(merge_lessons(&second, &[axis("a", "2", "a = 2 (55 %)")], Day(11)), second);
        let earlier = merge_lessons(&second, &[axis("a", "3", "a = 3 (9 %)")], Day(9));
        assert_eq!(earlier, second, "older candles do not correct newer ones");
        let third = merge_lessons(&second, &[axis("a", "3", "a = 3 (9 %)")], Day(12));
        assert_eq!(shown(&third), [("a = 3 (9 %)", 12, 12, 1), ("longs", 10, 10, 1)]);
    }

    #[test]
    fn what_is_not_confirmed_for_a_week_is_cut_to_three_insights_and_two_recommendations() {
        let topics = ["a", "b", "c", "d", "e"];
        let taught: Vec<Lesson> =
            topics.iter().flat_map(|topic| [axis(topic, "1", topic), context(topic)]).collect();
        let known = merge_lessons(&[], &taught, Day(0));
        let known = merge_lessons(&known, &[context("d")], Day(1));
        assert_eq!(
            merge_lessons(&known, &[context("new")], Day(7)).len(),
            11,
            "seven days are not over a week"
        );
        let later = merge_lessons(&known, &[context("new")], Day(9));
        let kept: Vec<_> = later.iter().map(|k| (k.lesson.kind, k.lesson.topic.as_str())).collect();
        let (axis, context) = (LessonKind::Axis, LessonKind::Context);
        assert_eq!(
            kept,
            [(context, "new"), (context, "d"), (axis, "a"), (axis, "b"), (context, "a"), (context, "b")]
        );
    }

    #[test]
    fn the_prompt_holds_the_most_certain_lessons() {
        let known = merge_lessons(&[], &[axis("a", "1", "keep a"), context("longs")], Day(0));
        let known = merge_lessons(&known, &[context("longs")], Day(1));
        let memory = StyleMemory { style: Style::Swing, focus: "exits".to_owned(), lessons: known };
        let all = compress_lessons(std::slice::from_ref(&memory), PROMPT_TOKENS);
        assert_eq!(all.text(), "swing focus: exits\nswing: longs [on 2 days]\nswing: keep a");
        let tokens = tokens_at_most(&all.text());
        assert_eq!(compress_lessons(std::slice::from_ref(&memory), tokens + 1), all);
        let less = compress_lessons(&[memory], tokens - 1);
        assert_eq!(
            (less.lessons.as_slice(), less.left_out),
            (&["swing: longs [on 2 days]".to_owned()][..], 1)
        );
    }

    proptest! {
        #[test]
        fn memory_and_prompt_are_bounded_whatever_was_taught(
            runs in prop::collection::vec(
                (0..40_i32, prop::collection::btree_map((any::<bool>(), 0..90_u32), (0..3_u32, ".{0,80}"), 0..20)), 0..25),
            tokens in 0..600_u64,
        ) {
            let mut known = Vec::new();
            for (day, taught) in runs {
                let lesson = |((is_axis, topic), (claim, text)): (&(bool, u32), &(u32, String))| Lesson {
                    kind: if *is_axis { LessonKind::Axis } else { LessonKind::Context },
                    ..axis(&topic.to_string(), &claim.to_string(), text)
                };
                let taught: Vec<Lesson> = taught.iter().map(lesson).collect();
                known = merge_lessons(&known, &taught, Day(day));
                prop_assert_eq!(&merge_lessons(&known, &taught, Day(day)), &known, "the same again");
            }
            prop_assert!(known.len() <= LESSONS_MAX);
            let memory = |style| StyleMemory { style, focus: "f".repeat(50), lessons: known.clone() };
            let found = compress_lessons(&Style::ALL.map(memory), tokens);
            prop_assert!(tokens_at_most(&found.text()) <= tokens);
            prop_assert_eq!(
                found.focus.len() + found.lessons.len() + found.left_out,
                2 + 2 * known.len()
            );
        }
    }
}
