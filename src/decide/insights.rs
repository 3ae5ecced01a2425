//! What a study teaches, in few words: for the bot's prompt and for people.

use crate::model::{Direction, ReturnPpm, Setup};
use crate::search::rank::Importance;

/// One trade of the chosen set, reduced to its context.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TradeContext<'a> {
    /// Symbol name.
    pub symbol: &'a str,
    /// Side.
    pub direction: Direction,
    /// Kind of entry.
    pub setup: Setup,
    /// Net return.
    pub net: ReturnPpm,
}

/// What a lesson is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub enum LessonKind {
    /// Whether the chosen set held up.
    Verdict,
    /// An axis of the search: a recommendation.
    Axis,
    /// A kind of trade.
    Context,
}

impl LessonKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Verdict, Self::Axis, Self::Context];

    /// Returns the name used in the store and in documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Verdict => "verdict",
            Self::Axis => "axis",
            Self::Context => "context",
        }
    }
}

/// Something that was seen. Two lessons of one kind and topic with one claim say the same, whatever their figures.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Lesson {
    /// What it is about.
    pub kind: LessonKind,
    /// The axis or the context; empty for the verdict.
    pub topic: String,
    /// What it says about the topic, without figures.
    pub claim: String,
    /// The sentence.
    pub text: String,
}

/// The insights of a style.
#[derive(Debug, Clone, PartialEq, Default, serde::Serialize, serde::Deserialize)]
pub struct Insights {
    /// What was seen besides the best contexts.
    pub lessons: Vec<Lesson>,
    /// What to look at first.
    pub focus: String,
    /// The contexts in which the chosen set earned most, best first.
    pub best_contexts: Vec<Lesson>,
}

/// Fewest trades of a context that is worth a sentence.
const CONTEXT_TRADES_MIN: usize = 10;
/// Axes that explain less of the score than this are not worth a sentence.
const SHARE_MIN: f64 = 0.05;

/// Draws insights from the chosen set's trades and the importance of each axis.
pub fn insights(trades: &[TradeContext<'_>], importances: &[Importance], verdict: &str) -> Insights {
    let mut contexts = group(trades, |t| t.setup_name().to_owned());
    contexts.extend(group(trades, |t| t.direction_name().to_owned()));
    contexts.extend(group(trades, |t| t.symbol.to_owned()));
    contexts.retain(|context| context.trades >= CONTEXT_TRADES_MIN);
    contexts.sort_by(|a, b| b.average_pct.total_cmp(&a.average_pct).then_with(|| a.name.cmp(&b.name)));
    let earning = contexts.iter().filter(|context| context.average_pct > 0.0);
    let best_contexts: Vec<Lesson> =
        earning.take(3).map(|context| context.lesson("earns", context.sentence())).collect();
    let mut ranked: Vec<&Importance> = importances.iter().filter(|i| i.share >= SHARE_MIN).collect();
    ranked.sort_by(|a, b| b.share.total_cmp(&a.share).then_with(|| a.key.cmp(&b.key)));
    let mut lessons: Vec<Lesson> = ranked.iter().take(3).map(|i| axis_lesson(i)).collect();
    let losing = contexts.iter().rev().find(|context| context.average_pct < 0.0);
    let weakest = |context: &Context| format!("weakest context: {}", context.sentence());
    lessons.extend(losing.map(|context| context.lesson("loses", weakest(context))));
    lessons.push(Lesson {
        kind: LessonKind::Verdict,
        topic: String::new(),
        claim: verdict.to_owned(),
        text: format!("verdict on unseen days: {verdict}"),
    });
    let focus = match (ranked.first(), best_contexts.first()) {
        (Some(axis), _) => format!("{} matters most; keep it near {}", axis.key, axis.best_level),
        (None, Some(context)) => context.text.clone(),
        (None, None) => "no axis and no context stands out".to_owned(),
    };
    Insights { lessons, focus, best_contexts }
}

fn axis_lesson(axis: &Importance) -> Lesson {
    let Importance { key, best_level, share, .. } = axis;
    Lesson {
        kind: LessonKind::Axis,
        topic: key.clone(),
        claim: best_level.clone(),
        text: format!("{key} = {best_level} scores best ({:.0} % of the score's variance)", 100.0 * share),
    }
}

impl TradeContext<'_> {
    fn setup_name(&self) -> &'static str {
        match self.setup {
            Setup::ReversalAtLevel => "reversal at a level",
            Setup::VolumeBurst => "volume burst",
            Setup::RangeMomentum => "momentum in a range",
            Setup::TrendInitiation => "trend initiation",
            Setup::Pullback => "pullback",
            Setup::Continuation => "continuation",
            Setup::Given => "given signals",
        }
    }

    fn direction_name(&self) -> &'static str {
        match self.direction {
            Direction::Long => "longs",
            Direction::Short => "shorts",
        }
    }
}

struct Context {
    name: String,
    trades: usize,
    average_pct: f64,
    win_rate: f64,
}

impl Context {
    fn lesson(&self, claim: &str, text: String) -> Lesson {
        Lesson { kind: LessonKind::Context, topic: self.name.clone(), claim: claim.to_owned(), text }
    }

    fn sentence(&self) -> String {
        format!(
            "{}: {} trades, {:+.2} % each, {:.0} % won",
            self.name,
            self.trades,
            self.average_pct,
            100.0 * self.win_rate
        )
    }
}

/// Groups trades by a name, in order of first occurrence.
fn group(trades: &[TradeContext<'_>], name: impl Fn(&TradeContext<'_>) -> String) -> Vec<Context> {
    let mut groups: Vec<(String, usize, i64, usize)> = Vec::new();
    for trade in trades {
        let name = name(trade);
        let at = groups.iter().position(|group| group.0 == name).unwrap_or_else(|| {
            groups.push((name, 0, 0, 0));
            groups.len() - 1
        });
        groups[at].1 += 1;
        groups[at].2 += i64::from(trade.net.0);
        groups[at].3 += usize::from(trade.net.0 > 0);
    }
    groups
        .into_iter()
        .map(|(name, count, total, wins)| Context {
            name,
            trades: count,
            average_pct: total as f64 / 10_000.0 / count as f64,
            win_rate: wins as f64 / count as f64,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_context_and_the_weightiest_axis_are_named() {
        let trade = |setup, net| TradeContext {
            symbol: "BTCUSDT",
            direction: Direction::Long,
            setup,
            net: ReturnPpm(net),
        };
        let mut trades = vec![trade(Setup::Pullback, 10_000); 12];
        trades.extend(vec![trade(Setup::Continuation, -5_000); 12]);
        trades.extend(vec![trade(Setup::TrendInitiation, 90_000); 3]);
        let axis = |key: &str, share| Importance {
            key: key.to_owned(),
            share,
            effect: 0.1,
            best_level: "2".to_owned(),
        };
        let found = insights(&trades, &[axis("a", 0.1), axis("b", 0.5), axis("c", 0.01)], "PASSED");
        assert_eq!(found.best_contexts[0].text, "BTCUSDT: 27 trades, +1.22 % each, 56 % won");
        assert_eq!(found.best_contexts[2].text, "pullback: 12 trades, +1.00 % each, 100 % won");
        assert_eq!(found.focus, "b matters most; keep it near 2");
        let texts: Vec<&str> = found.lessons.iter().map(|lesson| lesson.text.as_str()).collect();
        assert_eq!(
            texts,
            [
                "b = 2 scores best (50 % of the score's variance)",
                "a = 2 scores best (10 % of the score's variance)",
                "weakest context: continuation: 12 trades, -0.50 % each, 0 % won",
                "verdict on unseen days: PASSED",
            ]
        );
        let weakest = &found.lessons[2];
        assert_eq!((weakest.topic.as_str(), weakest.claim.as_str()), ("continuation", "loses"));
    }
}
