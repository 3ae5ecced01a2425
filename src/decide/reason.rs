//! Why something was decided, as data: what it says is said late, in one place, and a store keeps the data.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Fallback;
use crate::model::rfc3339;
use crate::search::weights::WeightsReason;
use crate::validate::answer::EdgeGrounds;
use crate::validate::assessment::{Assurance, FailedCondition};
use crate::validate::verdict::{Verdict, VerdictReason};

/// What an assessment answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AssessmentQuestion {
    /// Is there anything at all?
    Edge,
    /// Is it better than what is active?
    Switch,
    /// Does the rule of choice share in it?
    Candidate,
}

impl fmt::Display for AssessmentQuestion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Edge => "EDGE",
            Self::Switch => "SWITCH",
            Self::Candidate => "CANDIDATE",
        })
    }
}

/// Why a run as a whole adopts nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HoldReason {
    /// Candles later than now were left out.
    CandlesAhead,
    /// The candles of all symbols are stale.
    AllStale,
}

impl fmt::Display for HoldReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CandlesAhead => {
                "candles later than now were left out, so the clock or the times in the files are wrong"
            }
            Self::AllStale => "the candles of all symbols are stale (decide.stale_data = \"hold\")",
        })
    }
}

/// A clock that lies before the beginning of the last run; UTC ms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct SetBack {
    pub now_ms: i64,
    pub last_run_ms: i64,
    /// Clocks are corrected by so much at most.
    pub tolerated_ms: i64,
}

impl fmt::Display for SetBack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the clock ({}) lies before the last run ({}) by more than {} minutes",
            rfc3339(self.now_ms),
            rfc3339(self.last_run_ms),
            self.tolerated_ms / 60_000
        )
    }
}

/// Why something was decided. The names are those that stores and documents have.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DecisionReason {
    /// The candidate is what is active.
    StillTheBest,
    /// The candidate scores no better out of sample than what is active.
    ActiveScoresAsWell,
    /// It scores better, by too little.
    TooLittleBetter {
        /// `decide.min_improvement`.
        min_improvement: f64,
    },
    /// The active parameters are not in the space, so nobody measured them.
    ActiveNotInSpace,
    /// It is not as sure as is asked for.
    NotSureEnough {
        /// The assessment that counts.
        question: AssessmentQuestion,
        /// What it says.
        reached: Assurance,
        /// What `decide.require` asks for.
        required: Assurance,
    },
    /// Noise does as well too often for a change at this look.
    BeyondGate {
        /// The assessment that counts.
        question: AssessmentQuestion,
        /// What it says.
        reached: Assurance,
        /// Its p-value, and the greatest with which a decision changes parameters at this look.
        p: f64,
        /// See `p`.
        most: f64,
    },
    /// Choosing in the same way lost on days it did not know.
    ChoiceLost,
    /// Something forbids it whatever the evidence says.
    Vetoed {
        /// What.
        vetoes: Vec<FailedCondition>,
    },
    /// Somebody deactivated the set by hand.
    DeactivatedByHand,
    /// The run adopts nothing.
    HeldBack(HoldReason),
    /// The clock lies before the last run.
    ClockSetBack(SetBack),
    /// What the verdict rests on.
    Verdict(VerdictReason),
    /// What became of the score weights.
    ScoreWeights(WeightsReason),
    /// Somebody adopted the candidate of a run, or went back to it.
    ByHand {
        /// The run.
        run: u64,
        /// Whether it was rejected.
        against_verdict: bool,
    },
    /// Somebody went back to before the first parameters.
    ByHandToNothing,
    /// Somebody imported them.
    Imported {
        /// The file.
        source: String,
    },
    /// Somebody exported them although a run speaks against them.
    ExportedByHand {
        /// The file.
        target: String,
        /// The run.
        run: u64,
        /// What it found.
        verdict: String,
        /// Why.
        finding: ExportFinding,
    },
    /// In the words of a program that kept no data.
    Told(String),
    /// The active parameters lose since they are active.
    Decayed {
        /// Evidence of the days since; 20 at any time is evidence at 5 %.
        e: f64,
        /// What becomes of them (`decide.decayed`).
        fallback: Fallback,
        /// The run whose candidate is active instead; `None` for the same, or for none.
        back_to_run: Option<u64>,
    },
    /// The set was taken out of use because it decayed.
    DroppedForDecay,
}

impl DecisionReason {
    /// Returns the name of the kind.
    pub fn code(&self) -> String {
        match self {
            Self::Verdict(reason) => code_of(reason),
            Self::ScoreWeights(reason) => code_of(reason),
            Self::HeldBack(reason) => code_of(reason),
            reason => code_of(reason),
        }
    }
}

/// Returns the name that a variant has in stores and documents.
pub fn code_of<T: Serialize>(reason: &T) -> String {
    match serde_json::to_value(reason) {
        Ok(serde_json::Value::String(code)) => code,
        Ok(serde_json::Value::Object(object)) => object.keys().next().cloned().unwrap_or_default(),
        _ => String::new(),
    }
}

impl From<VerdictReason> for DecisionReason {
    fn from(reason: VerdictReason) -> Self {
        Self::Verdict(reason)
    }
}

impl fmt::Display for DecisionReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::StillTheBest => f.write_str("the active parameters are still the best"),
            Self::ActiveScoresAsWell => {
                f.write_str("the active parameters score at least as well out of sample")
            }
            Self::TooLittleBetter { min_improvement } => {
                write!(f, "it is better by no more than {min_improvement} (decide.min_improvement)")
            }
            Self::ActiveNotInSpace => {
                f.write_str("the active parameters are no longer in the space, so they could not be measured")
            }
            Self::NotSureEnough { question, reached, required } => {
                write!(f, "{question} is {reached}, {required} is required (decide.require)")
            }
            Self::BeyondGate { question, reached, p, most } => write!(
                f,
                "{question} is {reached} with p = {p:.3}; a change at this look needs at most {most} (decide.require)"
            ),
            Self::ChoiceLost => {
                f.write_str("choosing in the same way lost on days it did not know (CANDIDATE)")
            }
            Self::Vetoed { vetoes } => {
                let names: Vec<&str> = vetoes.iter().map(|veto| veto.as_str()).collect();
                write!(f, "forbidden by {}", names.join(", "))
            }
            Self::Decayed { e, fallback, back_to_run } => {
                write!(f, "the active parameters lose since they are active (DECAY, e = {e:.1}): ")?;
                match (fallback, back_to_run) {
                    (Fallback::Keep, _) => f.write_str("they stay (decide.decayed = \"keep\")"),
                    (_, Some(run)) => write!(f, "back to those of run {run} (decide.decayed = \"previous\")"),
                    (Fallback::Previous, None) => f.write_str(
                        "nothing is active now, since there are none before them to go back to (decide.decayed = \"previous\")",
                    ),
                    (Fallback::None, None) => {
                        f.write_str("nothing is active now (decide.decayed = \"none\")")
                    }
                }
            }
            Self::DroppedForDecay => {
                f.write_str("it was active and decayed; only `adopt` puts it back before 60 runs have passed")
            }
            Self::DeactivatedByHand => {
                f.write_str("it was deactivated by hand (`rollback`); only `adopt` puts it back")
            }
            Self::HeldBack(reason) => write!(f, "nothing is adopted: {reason}"),
            Self::ClockSetBack(clock) => write!(f, "{clock}: nothing is adopted until it is right"),
            Self::Verdict(reason) => reason.fmt(f),
            Self::ScoreWeights(reason) => reason.fmt(f),
            Self::ByHand { run, against_verdict } => {
                let against = if *against_verdict { ", against its verdict" } else { "" };
                write!(f, "by hand, from run {run}{against}")
            }
            Self::ByHandToNothing => {
                f.write_str("by hand, to no parameters, as before the first were adopted")
            }
            Self::Imported { source } => write!(f, "imported from {source}"),
            Self::ExportedByHand { target, run, verdict, finding } => {
                write!(f, "by hand, to {target}, although run {run} found {verdict}: {finding}")
            }
            Self::Told(text) => f.write_str(text),
        }
    }
}

/// Why a run speaks against handing parameters over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExportFinding {
    /// Its verdict; the first reason of that, if it has one.
    Judged(Option<Box<DecisionReason>>),
    /// Its answer to EDGE.
    Edge(EdgeGrounds),
    /// They lose since they are active.
    Decayed {
        /// Days since.
        days: u64,
        /// Evidence of these days against them.
        e: f64,
    },
    /// In the words of a program that kept no data.
    Told(String),
}

impl fmt::Display for ExportFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Judged(Some(reason)) => reason.fmt(f),
            Self::Judged(None) => f.write_str("the run gives no reason"),
            Self::Edge(grounds) => grounds.fmt(f),
            Self::Decayed { days, e } => write!(
                f,
                "in {days} days since their activation they lost, and evidence against them is {e:.0} (20 is proof)"
            ),
            Self::Told(text) => f.write_str(text),
        }
    }
}

/// Why a symbol trades what it trades.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OwnReason {
    /// No set has trades enough on the symbol.
    TooFewTrades {
        /// `symbols.min_trades`.
        trades_min: u32,
    },
    /// The set of all symbols is the best for it as well.
    PooledIsBest,
    /// Its own best set does not pass.
    OwnFails {
        /// The verdict on it.
        verdict: Verdict,
        /// The first reason of the verdict.
        reason: Option<VerdictReason>,
    },
    /// The set of all symbols scores at least as well on its out-of-sample days.
    PooledScoresAsWell,
    /// Its own set passes.
    OwnPasses(Vec<VerdictReason>),
    /// The clock lies before the last run.
    ClockSetBack(SetBack),
    /// It was judged against parameters of the style that decayed.
    StyleDecayed,
    /// Its own set is better than that of all symbols, on days that did not choose it.
    OwnIsBetter {
        /// Probability that it is not, all symbols counted.
        p: f64,
    },
    /// It is not better beyond what luck explains.
    OwnNoBetter {
        /// The same probability.
        p: f64,
        /// The greatest with which it is adopted.
        least: f64,
    },
    /// Its own set stays: it is no worse than that of all symbols, and there is no better one.
    OwnStays,
    /// Its own set, which was active, does worse than that of all symbols.
    OwnIsWorse,
    /// Nothing was tested: a quick run, or too few days for folds. What is active stays.
    NotTested,
}

impl OwnReason {
    /// Returns the name of the kind.
    pub fn code(&self) -> String {
        code_of(self)
    }
}

impl fmt::Display for OwnReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooFewTrades { trades_min } => {
                write!(f, "no set has {trades_min} in-sample trades on the symbol")
            }
            Self::PooledIsBest => f.write_str("the set of all symbols is the best for it as well"),
            Self::OwnFails { verdict, reason } => {
                let reason = reason.as_ref().map(ToString::to_string).unwrap_or_default();
                write!(f, "its own best set is {verdict}: {reason}")
            }
            Self::PooledScoresAsWell => {
                f.write_str("the set of all symbols scores at least as well on its out-of-sample days")
            }
            Self::OwnPasses(reasons) => {
                f.write_str(&reasons.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
            }
            Self::ClockSetBack(clock) => write!(f, "{clock}: nothing is adopted until it is right"),
            Self::StyleDecayed => f.write_str("it was judged against parameters of the style that decayed"),
            Self::OwnIsBetter { p } => write!(
                f,
                "its own set is better than that of all symbols on days that did not choose it (p = {p:.3}, all symbols counted)"
            ),
            Self::OwnNoBetter { p, least } => write!(
                f,
                "its own set is not better than that of all symbols on days that did not choose it, beyond what luck explains \
                 (p = {p:.3}, all symbols counted; {least} is asked for)"
            ),
            Self::OwnStays => f.write_str("its own set stays: it is no worse than that of all symbols"),
            Self::OwnIsWorse => f.write_str("the set of all symbols does better on it than its own"),
            Self::NotTested => f.write_str("own sets are not tested in a quick run, nor with too few days"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::validate::assessment::Assessment;

    #[test]
    fn a_reason_is_read_as_it_was_written_and_named_by_what_it_says() {
        let lost: DecisionReason = VerdictReason::LosesOutOfSample { mean_pct: -0.1 }.into();
        let assessment = Assessment { assurance: Assurance::LikelyLuck, lacks: vec![FailedCondition::Luck] };
        let grounds =
            EdgeGrounds { assessment: Some(assessment), p: Some(0.1 + 0.2), ..EdgeGrounds::default() };
        let exported = |finding| DecisionReason::ExportedByHand {
            target: "a.json".to_owned(),
            run: 3,
            verdict: "FAILED".to_owned(),
            finding,
        };
        let reasons = [
            (DecisionReason::StillTheBest, "still_the_best"),
            (DecisionReason::TooLittleBetter { min_improvement: 0.1 + 0.2 }, "too_little_better"),
            (lost.clone(), "loses_out_of_sample"),
            (DecisionReason::HeldBack(HoldReason::AllStale), "all_stale"),
            (DecisionReason::Told("in old words".to_owned()), "told"),
            (exported(ExportFinding::Judged(None)), "exported_by_hand"),
            (exported(ExportFinding::Judged(Some(Box::new(lost.clone())))), "exported_by_hand"),
            (exported(ExportFinding::Edge(grounds)), "exported_by_hand"),
            (exported(ExportFinding::Decayed { days: 30, e: 20.5 }), "exported_by_hand"),
        ];
        for (reason, code) in reasons {
            assert_eq!(reason.code(), code);
            let json = serde_json::to_string(&reason).expect("text keys only");
            assert_eq!(
                serde_json::from_str::<DecisionReason>(&json).expect("just written"),
                reason,
                "{json}"
            );
            let bytes = postcard::to_stdvec(&reason).expect("a value");
            assert_eq!(postcard::from_bytes::<DecisionReason>(&bytes).expect("just written"), reason);
        }
    }
}
