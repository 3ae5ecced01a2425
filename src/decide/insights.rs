//! What a study teaches, in few words: for the bot's prompt and for people.

use super::key_values;
use crate::model::{Direction, ParameterSet, ReturnPpm, Setup};
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

/// Said instead of advice where what was found is no better than luck, as far as is known.
pub const NO_EDGE: &str = "no edge found; change nothing";
/// Said instead of advice where what was found may have an edge but is not what is active.
pub const NOTHING_BETTER: &str = "nothing found that is better than the active parameters; change nothing";

/// Whether what was found may be advised: only what is at least promising and is what the bot trades.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AdviceStanding {
    /// The candidate is at least `PROMISING`, and it is active or becomes so.
    Advisable,
    /// It is no better than luck, or nobody knows.
    NoEdge,
    /// It is at least `PROMISING`, but other parameters are active.
    NotActive,
}

impl AdviceStanding {
    /// Returns the standing of a candidate.
    pub fn of(is_promising: bool, is_active: bool) -> Self {
        match (is_promising, is_active) {
            (true, true) => Self::Advisable,
            (true, false) => Self::NotActive,
            (false, _) => Self::NoEdge,
        }
    }

    /// Returns what is said instead of advice; `None` where advice is given.
    pub fn instead(self) -> Option<&'static str> {
        match self {
            Self::Advisable => None,
            Self::NoEdge => Some(NO_EDGE),
            Self::NotActive => Some(NOTHING_BETTER),
        }
    }
}

/// What insights are drawn from.
#[derive(Debug, Clone, Copy)]
pub struct InsightInput<'a> {
    /// The trades of the best set.
    pub trades: &'a [TradeContext<'a>],
    /// What each axis contributes to the score.
    pub importances: &'a [Importance],
    /// The best set.
    pub best: Option<&'a ParameterSet>,
    /// What unseen days said of it.
    pub verdict: &'a str,
    /// Whether it may be advised.
    pub standing: AdviceStanding,
}

/// Fewest trades of a context that is worth a sentence.
const CONTEXT_TRADES_MIN: usize = 10;
/// Axes that explain less of the score than this are not worth a sentence.
const SHARE_MIN: f64 = 0.05;

/// Draws insights from the chosen set's trades and the importance of each axis. Where the set may not be advised there is one
/// lesson, the verdict, and nothing to change; what an axis is advised to be is what it is in the best set.
pub fn draw_insights(found: &InsightInput<'_>) -> Insights {
    let InsightInput { trades, importances, best, verdict, standing } = *found;
    let said = format!("verdict on unseen days: {verdict}");
    let of_verdict =
        |text| Lesson { kind: LessonKind::Verdict, topic: String::new(), claim: verdict.to_owned(), text };
    if let Some(instead) = standing.instead() {
        let lessons = vec![of_verdict(format!("{said}; {instead}"))];
        return Insights { lessons, focus: instead.to_owned(), best_contexts: Vec::new() };
    }
    let values = best.map(key_values).unwrap_or_default();
    let value = |key: &str| values.iter().find(|(known, _)| known == key).map(|(_, value)| value.as_str());
    let mut contexts = group_trades(trades, |t| t.setup_name().to_owned());
    contexts.extend(group_trades(trades, |t| t.direction_name().to_owned()));
    contexts.extend(group_trades(trades, |t| t.symbol.to_owned()));
    contexts.retain(|context| context.trades >= CONTEXT_TRADES_MIN);
    contexts.sort_by(|a, b| b.average_pct.total_cmp(&a.average_pct).then_with(|| a.name.cmp(&b.name)));
    let earning = contexts.iter().filter(|context| context.average_pct > 0.0);
    let best_contexts: Vec<Lesson> =
        earning.take(3).map(|context| context.lesson("earns", context.sentence())).collect();
    let weighty = importances.iter().filter(|axis| axis.share >= SHARE_MIN);
    let mut ranked: Vec<(&Importance, &str)> =
        weighty.filter_map(|axis| Some((axis, value(&axis.key)?))).collect();
    ranked.sort_by(|(a, _), (b, _)| b.share.total_cmp(&a.share).then_with(|| a.key.cmp(&b.key)));
    let mut lessons: Vec<Lesson> =
        ranked.iter().take(3).map(|(axis, value)| axis_lesson(axis, value)).collect();
    let losing = contexts.iter().rev().find(|context| context.average_pct < 0.0);
    let weakest = |context: &InsightContext| format!("weakest context: {}", context.sentence());
    lessons.extend(losing.map(|context| context.lesson("loses", weakest(context))));
    lessons.push(of_verdict(said));
    let focus = match (ranked.first(), best_contexts.first()) {
        (Some((axis, value)), _) => format!("{} matters most; keep it near {value}", axis.key),
        (None, Some(context)) => context.text.clone(),
        (None, None) => "no axis and no context stands out".to_owned(),
    };
    Insights { lessons, focus, best_contexts }
}

fn axis_lesson(axis: &Importance, value: &str) -> Lesson {
    let Importance { key, share, .. } = axis;
    Lesson {
        kind: LessonKind::Axis,
        topic: key.clone(),
        claim: value.to_owned(),
        text: format!(
            "{key} = {value} in the best set; the axis explains {:.0} % of the score's variance",
            100.0 * share
        ),
    }
}

impl TradeContext<'_> {
    fn setup_name(&self) -> &'static str {
        self.setup.as_str()
    }

    fn direction_name(&self) -> &'static str {
        match self.direction {
            Direction::Long => "longs",
            Direction::Short => "shorts",
        }
    }
}

struct InsightContext {
    name: String,
    trades: usize,
    average_pct: f64,
    win_rate: f64,
}

impl InsightContext {
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
fn group_trades(
    trades: &[TradeContext<'_>],
    name: impl Fn(&TradeContext<'_>) -> String,
) -> Vec<InsightContext> {
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
        .map(|(name, count, total, wins)| InsightContext {
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
    use crate::model::{ExitRule, FilterValue};

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
            best_level: "9".to_owned(),
        };
        let number = |name: &str| (name.to_owned(), FilterValue::Number(2.0));
        let best = ParameterSet {
            exit: ExitRule::new(2.0, 1.5, 8.0),
            filters: ["a", "b", "c"].map(number).to_vec(),
        };
        let importances = [axis("a", 0.1), axis("b", 0.5), axis("c", 0.01), axis("elsewhere", 0.2)];
        let of = |standing| {
            draw_insights(&InsightInput {
                trades: &trades,
                importances: &importances,
                best: Some(&best),
                verdict: "PASSED",
                standing,
            })
        };
        let found = of(AdviceStanding::Advisable);
        assert_eq!(found.best_contexts[0].text, "BTCUSDT: 27 trades, +1.22 % each, 56 % won");
        assert_eq!(found.best_contexts[2].text, "pullback: 12 trades, +1.00 % each, 100 % won");
        assert_eq!(found.focus, "b matters most; keep it near 2");
        let texts: Vec<&str> = found.lessons.iter().map(|lesson| lesson.text.as_str()).collect();
        assert_eq!(
            texts,
            [
                "b = 2 in the best set; the axis explains 50 % of the score's variance",
                "a = 2 in the best set; the axis explains 10 % of the score's variance",
                "weakest context: continuation: 12 trades, -0.50 % each, 0 % won",
                "verdict on unseen days: PASSED",
            ]
        );
        let weakest = &found.lessons[2];
        assert_eq!((weakest.topic.as_str(), weakest.claim.as_str()), ("continuation", "loses"));
        for (standing, instead) in
            [(AdviceStanding::NoEdge, NO_EDGE), (AdviceStanding::NotActive, NOTHING_BETTER)]
        {
            let found = of(standing);
            assert_eq!((found.focus.as_str(), found.best_contexts.len()), (instead, 0));
            let texts: Vec<&str> = found.lessons.iter().map(|lesson| lesson.text.as_str()).collect();
            assert_eq!(texts, [format!("verdict on unseen days: PASSED; {instead}")]);
        }
    }
}
