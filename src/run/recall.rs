//! What the store keeps of a run, as the types that the run itself had: the other way round than `records`.

use super::issue_detail::{ClockReason, IssueDetail};
use super::issues::InputIssue;
use super::losses::SymbolLosses;
use super::result::{KnownEvidence, SearchExtent, StyleDecision, StyleResult};
use super::work::{SymbolWork, WorkSpan};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::decide::{DecisionReason, ParameterChange};
use crate::engine::unit::SkipCounts;
use crate::evaluate::metric_table::for_every_metric;
use crate::evaluate::metrics::{Metrics, Undefined};
use crate::model::{Day, ParameterSet, Style};
use crate::store::records::{
    AssessmentRecord, CandidateRecord, DecisionRecord, EvidenceRecord, ExtentRecord, IssueRecord, LossRecord,
    OwnSetRecord, ReasonRecord, RunStyleRecord, StoredMetrics, StoredParameterSet,
};
use crate::store::records::{SymbolWorkRecord, WorkSpanRecord};
use crate::store::{Snapshot, StoreError};
use crate::study::Measured;
use crate::study::evidence::Evidence;
use crate::study::named::read_named;
use crate::study::per_symbol::OwnSet;
use crate::validate::assessment::{Assessment, Assurance, FailedCondition};
use crate::validate::split::Split;

/// Returns the model's form of a stored set. Every record was validated when it was decoded.
pub fn parameter_set(stored: &StoredParameterSet) -> ParameterSet {
    ParameterSet::try_from(stored).expect("the store hands out validated sets only")
}

/// Returns the results of the styles of a run: those evaluated, then those that were only decided on.
///
/// Errors: those of reading the store
pub fn style_results(
    snapshot: &Snapshot<'_>,
    profile: &str,
    run: u64,
    styles: &[RunStyleRecord],
) -> Result<Vec<StyleResult>, StoreError> {
    let decisions = snapshot.decisions(profile, run)?;
    let mut results = Vec::new();
    for style in Style::ALL {
        let size = styles.iter().find(|size| size.style == style.as_str());
        let decision = decisions.iter().find(|(own, _)| *own == style).map(|(_, decision)| decision);
        if size.is_none() && decision.is_none() {
            continue;
        }
        let evidence = snapshot.evidence(profile, run, style)?;
        let extent = snapshot.series(profile, run, style)?.and_then(|series| series.extent);
        results.push(style_result(style, size, decision, evidence.as_ref(), extent.as_ref()));
    }
    Ok(results)
}

/// Returns the result of a style.
pub fn style_result(
    style: Style,
    size: Option<&RunStyleRecord>,
    decision: Option<&DecisionRecord>,
    evidence: Option<&EvidenceRecord>,
    extent: Option<&ExtentRecord>,
) -> StyleResult {
    let count = |of: fn(&RunStyleRecord) -> u64| size.map_or(0, of);
    StyleResult {
        style,
        signals: count(|size| size.signals),
        pending: count(|size| size.pending),
        parameter_sets: count(|size| size.parameter_sets),
        opportunities: count(|size| size.opportunities),
        extent: extent.map(search_extent),
        decided: decision.map(style_decision),
        evidence: evidence.map(known_evidence),
        own: extent.and_then(|extent| extent.own.iter().map(own_set).collect()),
    }
}

/// Returns what was decided.
pub fn style_decision(record: &DecisionRecord) -> StyleDecision {
    StyleDecision {
        verdict: record.verdict.clone(),
        outcome: record.outcome.clone(),
        adopted: record.adopted,
        changed: record.changed,
        score_name: record.score_name.clone(),
        candidate: record.candidate.as_ref().map(measured),
        incumbent: record.incumbent.as_ref().map(measured),
        stability: record.stability,
        degradation: record.degradation,
        win_rate_ratio: record.win_rate_ratio,
        split: split(record),
        changes: record.changes.iter().map(ParameterChange::from).collect(),
        reasons: record.reasons.iter().map(decision_reason).collect(),
    }
}

fn split(record: &DecisionRecord) -> Option<Split> {
    let span = |first: &str, last: &str| Some(Day::parse(first)?..Day(Day::parse(last)?.0 + 1));
    Some(Split {
        early: span(&record.early_first_day, &record.early_last_day)?,
        late: span(&record.late_first_day, &record.late_last_day)?,
    })
}

/// Returns a set with its results; a score out of sample is not kept.
pub fn measured(record: &CandidateRecord) -> Measured {
    Measured {
        set: parameter_set(&record.set),
        score: record.score,
        late_score: None,
        full: metrics(&record.full),
        early: metrics(&record.early),
        late: metrics(&record.late),
    }
}

/// Makes metrics of the fields of a stored form, as the table of metrics lists them.
macro_rules! known_metrics {
    (
        { $stored:ident }
        $($(#[$doc:meta])+ $field:ident: $kind:ident $(($places:literal))? $title:literal, $tables:ident, $column:literal;)+
    ) => {
        Metrics { $($field: known_metrics!(@value $kind, $stored.$field),)+ }
    };
    (@value Count, $value:expr) => { $value };
    (@value $number:ident, $value:expr) => { $value.ok_or(Undefined::NotKept) };
}

/// Returns metrics; why one is not defined is not kept.
pub fn metrics(stored: &StoredMetrics) -> Metrics {
    for_every_metric! { known_metrics stored }
}

/// Returns a reason; of a kind that is not known, what is kept of it.
pub fn decision_reason(record: &ReasonRecord) -> DecisionReason {
    known_reason(record).unwrap_or_else(|| DecisionReason::Told(unknown_reason(record)))
}

/// Returns a reason of a set of kinds; `None` of another kind.
fn known_reason<T: DeserializeOwned>(ReasonRecord { code, values }: &ReasonRecord) -> Option<T> {
    let value = match values.is_empty() {
        true => Value::from(code.as_str()),
        false => json!({ code.as_str(): values_of_now(code, serde_json::from_str(values).ok()?) }),
    };
    serde_json::from_value(value).ok()
}

/// Returns the values of a reason by the names they have now.
fn values_of_now(code: &str, mut values: Value) -> Value {
    // Programs before kept in words why a run speaks against an export.
    if code == "exported_by_hand"
        && let Some(Value::String(told)) = values.get_mut("reason").map(Value::take)
    {
        values["finding"] = json!({ "told": told });
    }
    values
}

fn unknown_reason(ReasonRecord { code, values }: &ReasonRecord) -> String {
    format!("{code} {values}").trim_end().to_owned()
}

/// Returns an issue of the input.
pub fn input_issue(record: &IssueRecord) -> InputIssue {
    let IssueRecord { file, line, kind, count, detail } = record;
    let detail = known_reason(detail).unwrap_or_else(|| IssueDetail::Told(unknown_reason(detail)));
    InputIssue { file: file.clone(), line: *line, kind: kind.clone(), count: *count, detail }
}

/// Returns what speaks against a clock.
pub fn clock_reason(record: &ReasonRecord) -> ClockReason {
    known_reason(record).unwrap_or_else(|| ClockReason::Told(unknown_reason(record)))
}

fn search_extent(record: &ExtentRecord) -> SearchExtent {
    let ExtentRecord { asked, rated, in_lattice, losses, own: _ } = record;
    let loss = |record: &LossRecord| {
        let LossRecord { symbol, no_entry, no_atr, rescaled, cut, blind } = record.clone();
        SymbolLosses { symbol, lost: SkipCounts { no_entry, no_atr, rescaled }, cut, blind }
    };
    SearchExtent {
        asked: *asked,
        rated: *rated,
        in_lattice: *in_lattice,
        losses: losses.iter().map(loss).collect(),
    }
}

/// Returns what a symbol trades, `None` for a reason of a kind that is not known; what changed is kept with the decision.
fn own_set(record: &OwnSetRecord) -> Option<OwnSet> {
    let OwnSetRecord { symbol, own, reason } = record;
    let (measured, reason) = (own.as_ref().map(measured), known_reason(reason)?);
    Some(OwnSet { symbol: symbol.clone(), measured, reason, changes: Vec::new() })
}

/// Returns the work on a symbol.
pub fn symbol_work(record: &SymbolWorkRecord) -> SymbolWork {
    let SymbolWorkRecord { symbol, days, evaluated, checked, files_read, spans } = record.clone();
    let span = |span: WorkSpanRecord| {
        let WorkSpanRecord { first_day, last_day, days, kind, detail } = span;
        WorkSpan { first_day, last_day, days, kind, detail }
    };
    // Older programs called it otherwise.
    let files_read = match files_read.as_str() {
        "nothing" => "unchanged".to_owned(),
        "growth" => "incremental".to_owned(),
        "whole" => "full".to_owned(),
        _ => files_read,
    };
    SymbolWork { symbol, days, evaluated, checked, files_read, spans: spans.into_iter().map(span).collect() }
}

/// Returns the evidence; names that are no figure are ignored, figures without a name are undefined.
pub fn known_evidence(record: &EvidenceRecord) -> KnownEvidence {
    let figures = read_named::<Evidence>(&|name| record.figure(name));
    let figures = figures.expect("no figure of its own has to be there");
    let told = |record: &Option<AssessmentRecord>| record.as_ref()?.told.clone();
    KnownEvidence {
        evidence: Evidence {
            trials: record.trials,
            edge: record.edge.as_ref().and_then(assessment),
            candidate: record.candidate.as_ref().and_then(assessment),
            switch: record.switch.as_ref().and_then(assessment),
            vetoes: record.vetoes.iter().filter_map(|word| FailedCondition::named(word)).collect(),
            ..figures
        },
        told_edge: told(&record.edge),
        told_switch: told(&record.switch),
    }
}

/// Returns an assessment; conditions that are no longer known are left out.
fn assessment(record: &AssessmentRecord) -> Option<Assessment> {
    Some(Assessment {
        assurance: Assurance::named(&record.assurance)?,
        lacks: record.lacks.iter().filter_map(|word| FailedCondition::named(word)).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::{FirstBadRow, IssueCause, Rejection};
    use crate::model::{Candle, CandleError, Interval, MarketKind, Symbol};
    use crate::run::records::{decision_record, issue_record, reason_record};
    use crate::store::records::DecisionRecordV1;
    use crate::store::records::samples::Sample;

    #[test]
    fn a_decision_is_read_as_it_was_kept() {
        let reason = reason_record(&DecisionReason::TooLittleBetter { min_improvement: 0.2 });
        let record = DecisionRecord { reasons: vec![reason], ..DecisionRecord::sample() };
        let decided = style_decision(&record);
        assert_eq!(decided.reasons, [DecisionReason::TooLittleBetter { min_improvement: 0.2 }]);
        assert_eq!(decision_record(&decided), record);
    }

    #[test]
    fn sentences_of_the_first_version_are_told_as_they_were() {
        let sentence = "a \"quoted\" sentence, 3 % less";
        let before = DecisionRecordV1 { reasons: vec![sentence.to_owned()], ..DecisionRecordV1::sample() };
        let decided = style_decision(&before.into());
        assert_eq!(decided.reasons, [DecisionReason::Told(sentence.to_owned())]);
        assert_eq!(decided.reasons[0].to_string(), sentence);
    }

    #[test]
    fn a_reason_of_an_unknown_kind_loses_nothing() {
        let unknown = ReasonRecord { code: "of_tomorrow".to_owned(), values: "{\"a\":1}".to_owned() };
        assert_eq!(decision_reason(&unknown), DecisionReason::Told("of_tomorrow {\"a\":1}".to_owned()));
        let plain = reason_record(&DecisionReason::ByHandToNothing);
        assert_eq!((plain.code.as_str(), plain.values.as_str()), ("by_hand_to_nothing", ""));
    }

    #[test]
    fn an_export_by_hand_is_read_in_the_words_it_was_kept_in_before() {
        let values = r#"{"target":"a.json","run":3,"verdict":"FAILED","reason":"it \"lost\""}"#;
        let before = ReasonRecord { code: "exported_by_hand".to_owned(), values: values.to_owned() };
        let said = "by hand, to a.json, although run 3 found FAILED: it \"lost\"";
        let read = decision_reason(&before);
        assert_eq!((read.code().as_str(), read.to_string().as_str()), ("exported_by_hand", said));
        let again = decision_reason(&reason_record(&read));
        assert_eq!(again, read, "kept anew it says the same");
    }

    fn issue(detail: IssueDetail) -> InputIssue {
        InputIssue { line: Some(7), ..InputIssue::new("a.csv", "rejected", 3, detail) }
    }

    #[test]
    fn what_is_said_of_the_input_is_read_as_it_was_kept() {
        let symbol = Symbol::parse("BTC/USDT:USDT-250328").expect("a symbol");
        let candle = Candle {
            open_time: 0,
            open: 0.1 + 0.2,
            high: f64::INFINITY,
            low: -0.0,
            close: 1e-9,
            volume: f64::NAN,
        };
        let impossible = IssueCause::Impossible { fault: CandleError::NotFinite, candle: (&candle).into() };
        let first = FirstBadRow { line: Some(2), cause: impossible.clone() };
        let rejections = [
            Rejection::NoSymbol,
            Rejection::Unsupported { format: "Excel workbook".into(), advice: "save it as CSV".into() },
            Rejection::NotSelected { symbol },
            Rejection::OtherMarket { found: MarketKind::CoinM, asked: MarketKind::UsdtM },
            Rejection::Coarser { found: "1h".parse().expect("an interval"), base: Interval::M15 },
            Rejection::ToldTooManyBad { bad: 9, allowed: 3, rows: 40, first: "line 2: \"x\"".to_owned() },
            Rejection::TooManyBad { bad: 9, allowed: 3, rows: 40, first: Box::new(first) },
        ];
        let future = IssueDetail::Found(IssueCause::Future { as_of_ms: 1, newest_ms: 2 });
        let ahead = ClockReason::CandlesAhead {
            now_ms: 1,
            count: 2,
            symbol: "A".to_owned(),
            others: 3,
            first: Box::new(future),
        };
        let lost = IssueDetail::Lost { style: Style::Swing, count: 4, what: "no_entry".to_owned() };
        let others = [
            lost,
            IssueDetail::Found(impossible),
            IssueDetail::Found(IssueCause::NoNewline),
            IssueDetail::Stopped { last_open_ms: 1, newest_open_ms: 2 },
            IssueDetail::ShortHistory { interval: Interval::M15, warm_up_ms: 3, span_ms: 2 },
            IssueDetail::Clock(ahead),
            IssueDetail::NewestClose(-1),
            IssueDetail::NoCandles(None),
            IssueDetail::NoCandles(Some(3)),
            IssueDetail::Told("a \"quoted\" sentence".to_owned()),
        ];
        for detail in rejections.map(IssueDetail::NotUsed).into_iter().chain(others) {
            let issue = issue(detail);
            assert_eq!(input_issue(&issue_record(&issue)), issue);
        }
        let unknown = ReasonRecord { code: "of_tomorrow".to_owned(), values: "{\"a\":1}".to_owned() };
        let kept = IssueRecord { detail: unknown, ..issue_record(&issue(IssueDetail::NewestClose(0))) };
        assert_eq!(input_issue(&kept).detail, IssueDetail::Told("of_tomorrow {\"a\":1}".to_owned()));
    }

    #[test]
    fn a_style_that_was_only_decided_on_has_a_result() {
        let result = style_result(Style::Swing, None, Some(&DecisionRecord::sample()), None, None);
        assert_eq!((result.signals, result.evidence.is_some()), (0, false));
        assert!(result.decided.is_some() && result.unused().is_none());
    }
}
