//! Sentences of the report in the reader's language. English ones are those of every other text; Chinese ones are made here of the same
//! parts and figures, one table for each kind of sentence.

use super::words::{Lang, Words};
use crate::documents::evidence::{AssessmentPart, CapturePart, EvidencePart, TradeResultsPart};
use crate::documents::input::IssuePart;
use crate::documents::style::ReasonPart;
use crate::render::text::table::with_decimals;
use crate::validate::assessment::Assurance;

/// Returns the answers about a candidate, a line each.
pub(super) fn answers(evidence: &EvidencePart, lang: Lang) -> Vec<String> {
    match lang {
        Lang::En => evidence.lines(),
        Lang::Zh => chinese_answers(evidence),
    }
}

fn chinese_answers(evidence: &EvidencePart) -> Vec<String> {
    let words = Words::of(Lang::Zh);
    let figure = |name: &str, places: usize| with_decimals(evidence.figures.get(name).copied(), places);
    let line = |question: &str, part: &AssessmentPart, more: String| {
        let meaning = Assurance::named(&part.assurance).map_or("", |assurance| words.significance(assurance));
        let lacks =
            if part.lacks.is_empty() { String::new() } else { format!("（{}）", part.lacks.join("、")) };
        format!("{question} {}{lacks}：{meaning}{more}", part.assurance)
    };
    let known =
        |name: &str, text: String| if evidence.figures.contains_key(name) { text } else { String::new() };
    let edge = evidence.edge.as_ref().map(|part| {
        let p = evidence.figures.get("p_surface").map_or_else(|| "-".to_owned(), |p| format!("{:.0}", 100.0 * p));
        let more = format!(
            "；p = {}，共尝试 {} 组参数，100 次模拟中噪声有 {p} 次不逊于此；最佳单元年化夏普 {}，噪声平均可达 {}",
            figure("p_edge", 3),
            evidence.trials,
            figure("surface_sharpe_year", 1),
            figure("noise_sharpe_year", 1)
        );
        line("EDGE", part, known("p_edge", more))
    });
    let candidate = evidence.candidate.as_ref().map(|part| {
        let more = format!(
            "；扣除选择偏差后的预期年化夏普 {}，90 % 区间 {} 至 {}（样本内 {}）",
            figure("expected_sharpe_year", 1),
            figure("cross_fit_low_year", 1),
            figure("cross_fit_high_year", 1),
            figure("sharpe_year", 1)
        );
        line("CANDIDATE", part, known("expected_sharpe_year", more))
    });
    let switch = evidence.switch.as_ref().map(|part| {
        let more = format!(
            "；相对当前参数 p = {}，样本内年化夏普差 {}",
            figure("p_switch", 3),
            figure("sharpe_difference_year", 1)
        );
        line("SWITCH", part, known("p_switch", more))
    });
    let vetoes =
        (!evidence.vetoes.is_empty()).then(|| format!("VETOES {}：禁止采用", evidence.vetoes.join("、")));
    let traded = evidence.portfolio_simulation.as_ref().map(|part| {
        let shown = |results: &TradeResultsPart| {
            format!(
                "{} 笔，均值 {} %，合计 {:+.1} %",
                results.trades,
                with_decimals(results.mean_pct, 3),
                results.net_pct
            )
        };
        format!(
            "按实盘规则模拟：{}；逐笔独立：{}；有效交易数 {:.0}",
            shown(&part.candidate.traded),
            shown(&part.candidate.independent),
            part.effective_trades
        )
    });
    let captures = evidence.opportunity_capture.as_ref().map(|part| {
        let said = |name: &str, own: &CapturePart| {
            let CapturePart { captured, missed, trades, false_entries, net_pct } = own;
            format!("{name}抓住 {captured}，错过 {missed}，{trades} 笔中 {false_entries} 笔不在其列，净 {net_pct:+.1} %")
        };
        let active = part.active.as_ref().map(|own| format!("；{}", said("当前参数", own))).unwrap_or_default();
        format!("事后行情捕捉：{}{active}", said("候选参数", &part.candidate))
    });
    [edge, candidate, switch, vetoes, traded, captures].into_iter().flatten().collect()
}

/// Returns a reason as a sentence; what an older program kept as a sentence stays as it was told.
pub(super) fn reason(part: &ReasonPart, lang: Lang) -> &str {
    let chinese = || REASONS.iter().find(|(code, _)| *code == part.code).map(|(_, text)| *text);
    match lang {
        Lang::En => &part.text,
        Lang::Zh => chinese().unwrap_or(&part.text),
    }
}

/// Returns what an issue of the data is.
pub(super) fn issue(part: &IssuePart, lang: Lang) -> &str {
    let chinese = || ISSUES.iter().find(|(kind, _)| *kind == part.kind).map(|(_, text)| *text);
    match lang {
        Lang::En => &part.detail,
        Lang::Zh => chinese().unwrap_or(&part.detail),
    }
}

/// Reasons of decisions by their code.
const REASONS: [(&str, &str); 41] = [
    ("still_the_best", "当前参数仍是最佳"),
    ("active_scores_as_well", "当前参数在样本外的得分不低于候选参数"),
    ("too_little_better", "改善不超过 decide.min_improvement"),
    ("active_not_in_space", "当前参数已不在搜索空间内，无法衡量"),
    ("not_sure_enough", "把握不及 decide.require 的要求"),
    ("beyond_gate", "p 值高于此次检验所允许的上限（decide.require）"),
    ("choice_lost", "同样的选择方法在未参与选择的日子里亏损（CANDIDATE）"),
    ("vetoed", "被否决条件禁止，见 VETOES"),
    ("deactivated_by_hand", "已手动停用（`rollback`），只有 `adopt` 能恢复"),
    ("held_back", "本次不采用任何参数"),
    ("candles_ahead", "本次不采用：K线时间晚于时钟"),
    ("all_stale", "本次不采用：所有交易对的K线都已过期"),
    ("clock_set_back", "时钟早于上次运行，校正前不采用任何参数"),
    ("by_hand", "手动采用"),
    ("by_hand_to_nothing", "手动回到最初没有参数的状态"),
    ("imported", "由文件导入"),
    ("exported_by_hand", "尽管结论不佳，仍手动导出"),
    ("decayed", "当前参数自启用以来持续亏损（DECAY）"),
    ("dropped_for_decay", "曾启用并已衰退；60 次运行之内只有 `adopt` 能恢复"),
    ("no_trades", "交易数不足，无法判断"),
    ("too_few_trades", "交易数不足，无法判断"),
    ("too_few_days", "天数太少，无法分出样本内与样本外两段"),
    ("no_set_meets_constraints", "没有参数组合满足交易数与约束条件"),
    ("loses_out_of_sample", "后段亏损"),
    ("earns_less_than_active", "后段收益低于当前参数"),
    ("return_and_win_rate_fall", "后段收益与胜率双双下降"),
    ("holds", "后段站得住"),
    ("holds_with_losses", "后段站得住，但有损失"),
    ("loses_most", "后段失去大部分收益"),
    ("averages", "前后两段的均值、衰减与稳定性见上表"),
    ("pooled_is_best", "全体交易对的参数对它也是最佳"),
    ("own_fails", "自有参数在后段日子里不成立"),
    ("pooled_scores_as_well", "全体参数在后段日子里得分不低于它"),
    ("own_passes", "自有参数在后段日子里成立"),
    ("own_is_better", "自有参数在未参与选择的日子里更好"),
    ("own_no_better", "自有参数并不更好，超不出运气"),
    ("own_stays", "自有参数保留：不逊于全体参数"),
    ("own_is_worse", "全体参数对它更好"),
    ("not_tested", "快速运行或天数太少时不检验自有参数"),
    ("style_decayed", "比较对象是已衰退的参数"),
    ("judged", "自有最佳参数未通过检验"),
];

/// Issues of the data by their kind.
const ISSUES: [(&str, &str); 33] = [
    ("rejected", "文件未使用"),
    ("bad_row", "无法读取的行，已略去"),
    ("impossible_candle", "不可能的K线（如最高价低于最低价），已略去"),
    ("other_symbol", "其他交易对的行，已略去"),
    ("no_candle", "有时间而无价格的行，已略去"),
    ("misaligned", "开盘时间不是周期的整数倍，已略去"),
    ("unfinished", "写入时尚未收盘的K线，已略去"),
    ("future", "晚于运行时刻的K线，已略去"),
    ("partial_last_line", "最后一行可能不完整，补全前略去"),
    ("unended_last_line", "最后一行没有换行，但已由其他K线证实，保留"),
    ("widened", "开盘或收盘价略超出高低价，已相应放宽"),
    ("unknown_volume", "缺少成交量，按 0 计"),
    ("from_close_time", "开盘时间由收盘时间推算"),
    ("column_order", "无表头且列序不同，由各行判定"),
    ("comment", "非数据行（标题、重复表头等）"),
    ("out_of_order", "比前一行更早的行"),
    ("duplicate", "与先前相同的行，只计一次"),
    ("replaced", "同一时刻以后来的行为准"),
    ("finished_later", "以收盘后的行替换收盘前的行"),
    ("gap", "首尾之间缺失K线，不作填补"),
    ("scale_change", "价格改用另一尺度，计算不跨越此处"),
    ("flat_candle", "无成交而省略的K线，按上一收盘价补入"),
    ("zero_volume", "连续无成交量的K线"),
    ("no_volume", "没有成交量列，按 0 计"),
    ("other_layout", "其他程序写入的列布局"),
    ("incomplete_bucket", "缺少更细的K线，未能合成"),
    ("overlap_differs", "两个周期的价格不一致，以较粗者为准"),
    ("identical_file", "与其他交易对的文件内容完全相同"),
    ("nothing_entered", "没有可用的行"),
    ("stopped", "其他交易对仍在更新，它已停止一周以上"),
    ("short_history", "K线太少，均线尚未预热，暂无信号"),
    ("stale", "K线过期"),
    ("skipped", "未读取的文件"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::documents::glossary::GLOSSARY;

    #[test]
    fn every_issue_of_the_glossary_has_its_sentence() {
        let (_, issues) =
            GLOSSARY.iter().find(|(title, _)| *title == "Issues of the data").expect("the list");
        for (kind, _) in issues.iter() {
            assert!(ISSUES.iter().any(|(known, _)| known == kind), "{kind}");
        }
    }

    #[test]
    fn every_kind_of_reason_has_its_sentence() {
        let source =
            concat!(include_str!("../../decide/reason.rs"), include_str!("../../validate/verdict.rs"));
        let mut found = 0;
        for name in ["pub enum DecisionReason {", "pub enum VerdictReason {", "pub enum OwnReason {"] {
            let body =
                source.split(name).nth(1).and_then(|rest| rest.split("\n}\n").next()).expect("the kinds");
            let kinds = body.lines().filter_map(|line| line.strip_prefix("    "));
            for kind in kinds.filter(|line| line.starts_with(|c: char| c.is_ascii_uppercase())) {
                let kind = kind.split(['(', '{', ',', ' ']).next().unwrap_or_default();
                let mut code = String::new();
                for c in kind.chars() {
                    if c.is_ascii_uppercase() && !code.is_empty() {
                        code.push('_');
                    }
                    code.push(c.to_ascii_lowercase());
                }
                // The kinds of two of them are those of what they hold, and one is a sentence.
                if !["verdict", "score_weights", "told"].contains(&code.as_str()) {
                    assert!(REASONS.iter().any(|(known, _)| *known == code), "{code}");
                    found += 1;
                }
            }
        }
        assert!(found > 30, "{found}");
    }
}
