//! The first page: what the owner asks at seven in the morning, a line each. Never by colour alone: every line has its word.

use maud::{Markup, html};

use super::words::PageWords;
use super::{Shell, shown_size, shown_time};
use crate::documents::status::{
    BotFilePart, InstallationPart, ProfileStatusPart, StatusDocument, StyleStatusPart,
};
use crate::validate::assessment::DECAY_E;

/// Free disk below which nothing is written.
const FREE_BYTES_MIN: u64 = 64 << 20;

/// How a line of the first page is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum AnswerTone {
    /// As it should be.
    Good,
    /// Nothing is known yet.
    Grey,
    /// Somebody should look.
    Warn,
    /// Somebody has to do something.
    Bad,
}

impl AnswerTone {
    /// Returns the class that colours it.
    pub fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Grey => "grey",
            Self::Warn => "warn",
            Self::Bad => "bad",
        }
    }
}

/// A question with its answer.
#[derive(Debug, Clone)]
pub struct AnswerLine {
    /// How it is meant.
    pub tone: AnswerTone,
    /// The question.
    pub question: &'static str,
    /// The answer in a word.
    pub word: String,
    /// The answer in a sentence.
    pub text: String,
    /// What there is to see besides.
    more: Option<Markup>,
}

impl AnswerLine {
    fn new(tone: AnswerTone, question: &'static str, word: &str, text: String) -> Self {
        Self { tone, question, word: word.to_owned(), text, more: None }
    }
}

/// Returns the six answers of a profile.
pub fn answers(
    shell: &Shell<'_>,
    profile: &ProfileStatusPart,
    installation: &InstallationPart,
) -> Vec<AnswerLine> {
    let words = shell.words();
    let mut lines = vec![ran(shell, &words, profile), changed(shell, &words, profile)];
    lines.extend(believe(shell, &words, profile));
    lines.push(bot(&words, profile));
    lines.extend(forward(&words, profile));
    lines.push(machine(shell, &words, profile, installation));
    lines
}

/// Returns the first page.
pub fn home_page(shell: &Shell<'_>, status: &StatusDocument) -> Markup {
    let words = shell.words();
    let shown = status.profiles.iter().find(|profile| profile.profile == shell.profile);
    html! {
        h1 { (shell.profile) }
        @if status.is_pending { p class="note warn" { (words.pending) } }
        @if let Some(profile) = shown {
            ol class="answers" {
                @for line in answers(shell, profile, &status.installation) {
                    li class=(line.tone.class()) {
                        span class="question" { (line.question) }
                        b class="word" { (line.word) }
                        span class="text" { (line.text) }
                        @if let Some(more) = &line.more { (more) }
                    }
                }
            }
            p class="dim" { a href=(shell.link("/api/v1/status", &[])) { (words.raw) } }
        }
    }
}

/// Returns an instant to the minute.
fn minute(instant: &str) -> String {
    instant.chars().take(16).collect::<String>().replace('T', " ")
}

fn ran(shell: &Shell<'_>, words: &PageWords, profile: &ProfileStatusPart) -> AnswerLine {
    let every = shown_time(shell.lang, profile.expect_every_seconds);
    let Some(run) = &profile.last_run else {
        return AnswerLine::new(AnswerTone::Grey, words.ran, words.none_yet, words.no_run_yet.to_owned());
    };
    let age = shown_time(shell.lang, run.age_seconds);
    let more = Some(html! {
        a href=(shell.link(&format!("/runs/{}", run.run), &[])) { (words.run) " " (run.run) }
    });
    let line = match profile.is_late {
        true => AnswerLine::new(
            AnswerTone::Bad,
            words.ran,
            words.late,
            format!("{} {age}; {} {every}", words.nothing_for, words.expected_every),
        ),
        false => AnswerLine::new(
            AnswerTone::Good,
            words.ran,
            words.ok,
            format!(
                "{} {} UTC, {age} {}, {} {:.1} s: {}",
                words.last_run,
                minute(&run.started_at),
                words.ago,
                words.took,
                run.duration_ms as f64 / 1000.0,
                words.shown(&run.result)
            ),
        ),
    };
    AnswerLine { more, ..line }
}

fn changed(shell: &Shell<'_>, words: &PageWords, profile: &ProfileStatusPart) -> AnswerLine {
    let Some(change) = &profile.last_change else {
        return AnswerLine::new(AnswerTone::Grey, words.changed, words.none_yet, words.no_params.to_owned());
    };
    let is_now = profile.last_run.as_ref().is_some_and(|run| run.run <= change.run);
    let text = format!("{} {} UTC", words.since, minute(&change.at));
    let line = match is_now {
        true => AnswerLine::new(AnswerTone::Warn, words.changed, words.changed_now, text),
        false => AnswerLine::new(AnswerTone::Good, words.changed, words.unchanged, text),
    };
    let more = html! {
        a href=(shell.link(&format!("/runs/{}", change.run), &[])) { (words.run) " " (change.run) }
        details open[is_now] {
            summary { (words.old) " → " (words.new) }
            ul class="changes" {
                @for change in &change.changes {
                    li { code { (change.scope) "." (change.key) } " "
                        (change.old.as_deref().unwrap_or("-")) " → " b { (change.new.as_deref().unwrap_or("-")) } }
                }
                @if change.changes_more > 0 { li class="dim" { (change.changes_more) " " (words.more_changes) } }
            }
            p class="dim" { (words.undo) ": " code { (change.undo) } }
        }
    };
    AnswerLine { more: Some(more), ..line }
}

/// Returns how a word that says how sure one can be is meant.
fn tone_of(style: &StyleStatusPart) -> AnswerTone {
    match style.significance.as_str() {
        "REAL" | "PROMISING" => AnswerTone::Good,
        "LIKELY_LUCK" => AnswerTone::Bad,
        "UNPROVEN" => AnswerTone::Warn,
        _ => AnswerTone::Grey,
    }
}

fn believe(shell: &Shell<'_>, words: &PageWords, profile: &ProfileStatusPart) -> Vec<AnswerLine> {
    let line = |(name, style): (&String, &StyleStatusPart)| {
        let reason = style.reason.as_ref().map_or("", |reason| reason.text.as_str());
        let text = format!("{name}: {reason} ({}: {})", words.last_days, style.verdict);
        let run = profile.last_run.as_ref().map(|run| run.run);
        let more = run.map(|run| {
            html! { a href=(shell.link(&format!("/runs/{run}"), &[])) { (words.why) } }
        });
        AnswerLine { more, ..AnswerLine::new(tone_of(style), words.believe, &style.significance, text) }
    };
    let lines: Vec<AnswerLine> = profile.styles.iter().map(line).collect();
    match lines.is_empty() {
        true => {
            let text = words.no_style.to_owned();
            vec![AnswerLine::new(AnswerTone::Grey, words.believe, words.none_yet, text)]
        }
        false => lines,
    }
}

fn bot(words: &PageWords, profile: &ProfileStatusPart) -> AnswerLine {
    let worst = |file: &&BotFilePart| match file.state.as_str() {
        "missing" => 3,
        "differs" => 2,
        "unknown" => 1,
        _ => 0,
    };
    let held = profile.held_back.first();
    let Some(file) = profile.bot_files.iter().max_by_key(worst) else {
        return match held {
            Some(held) => held_back(words, held, ""),
            None => {
                AnswerLine::new(AnswerTone::Grey, words.bot, words.not_exported, words.no_export.to_owned())
            }
        };
    };
    let at = format!("{}, {} {} UTC", file.file, words.wrote, minute(&file.written_at));
    let (tone, word, text) = match file.state.as_str() {
        "in_sync" => (AnswerTone::Good, words.in_sync, at),
        "missing" => (AnswerTone::Bad, words.missing, format!("{}; {at}", words.file_gone)),
        "differs" => (AnswerTone::Warn, words.differs, format!("{}; {at}", words.file_differs)),
        _ => (AnswerTone::Grey, words.unknown, format!("{}; {at}", words.file_unknown)),
    };
    match held {
        Some(held) if file.state != "in_sync" => held_back(words, held, &text),
        _ => AnswerLine::new(tone, words.bot, word, text),
    }
}

fn held_back(words: &PageWords, held: &crate::documents::status::HeldBackPart, file: &str) -> AnswerLine {
    let word = format!("{}: {}", words.held_back, held.verdict);
    let file = if file.is_empty() { String::new() } else { format!("; {file}") };
    AnswerLine::new(AnswerTone::Warn, words.bot, &word, format!("{}: {}{file}", held.style, held.reason))
}

fn forward(words: &PageWords, profile: &ProfileStatusPart) -> Vec<AnswerLine> {
    let line = |(name, style): (&String, &StyleStatusPart)| {
        let forward = style.forward.as_ref()?;
        let is_strong = |e: Option<f64>| e.is_some_and(|e| e >= DECAY_E);
        let (tone, word) = match (is_strong(forward.e_decay), is_strong(forward.e_edge)) {
            (true, _) => (AnswerTone::Bad, words.decays),
            (_, true) => (AnswerTone::Good, words.earns),
            _ => (AnswerTone::Grey, words.too_early),
        };
        let text = format!("{name}: {} {}, {:+.2} %", forward.days, words.days, forward.net_pct);
        Some(AnswerLine::new(tone, words.forward, word, text))
    };
    let lines: Vec<AnswerLine> = profile.styles.iter().filter_map(line).collect();
    match lines.is_empty() {
        true => {
            vec![AnswerLine::new(
                AnswerTone::Grey,
                words.forward,
                words.none_yet,
                words.no_forward.to_owned(),
            )]
        }
        false => lines,
    }
}

fn machine(
    shell: &Shell<'_>,
    words: &PageWords,
    profile: &ProfileStatusPart,
    found: &InstallationPart,
) -> AnswerLine {
    let (mut tone, mut parts) = (AnswerTone::Good, Vec::new());
    let mut add = |own: AnswerTone, text: String| {
        tone = tone.max(own);
        parts.push(text);
    };
    if let Some(run) = &profile.last_run {
        let limit = found.memory_limit_bytes.unwrap_or(found.memory_warning_bytes);
        let own = if run.peak_rss_bytes / 9 > limit / 10 { AnswerTone::Warn } else { AnswerTone::Good };
        let (peak, limit) = (shown_size(run.peak_rss_bytes), shown_size(limit));
        add(own, format!("{} {peak} {} {limit}", words.peak, words.of_limit));
    }
    if let Some(oldest) = profile.candles.first() {
        let own = if oldest.age == "fresh" { AnswerTone::Good } else { AnswerTone::Warn };
        let age = shown_time(shell.lang, oldest.age_seconds);
        add(own, format!("{} {} {age}", words.oldest_candle, oldest.symbol));
    }
    if let Some(free) = found.free_bytes {
        let own = if free < FREE_BYTES_MIN { AnswerTone::Bad } else { AnswerTone::Good };
        add(own, format!("{} {}", words.free, shown_size(free)));
    }
    let store = found.state_bytes + found.view_bytes + found.evals_bytes;
    let backups = shown_size(found.backups_bytes);
    add(AnswerTone::Good, format!("{} {}, {} {backups}", words.store, shown_size(store), words.backups));
    match found.notify_queue_length {
        None => add(AnswerTone::Warn, words.queue_unknown.to_owned()),
        Some(0) => {}
        Some(count) => add(AnswerTone::Warn, format!("{count} {}", words.waiting)),
    }
    let word = if tone > AnswerTone::Grey { words.attention } else { words.ok };
    let more = Some(html! { a href=(shell.link("/health", &[])) { (words.health) } });
    AnswerLine { more, ..AnswerLine::new(tone, words.machine, word, parts.join("; ")) }
}
