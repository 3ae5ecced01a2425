//! The words of the report, in the languages its readers write.

pub use crate::render::lang::Lang;
use crate::validate::assessment::Assurance;
use crate::validate::regimes::MarketRegime;

macro_rules! words {
    ($($name:ident: $en:literal, $zh:literal;)*) => {
        /// Every word of the report.
        #[derive(Debug, Clone, Copy)]
        pub(super) struct Words { $(pub(super) $name: &'static str),* }

        impl Words {
            /// Returns the words of a language.
            pub(super) fn of(lang: Lang) -> Self {
                match lang {
                    Lang::En => Self { $($name: $en),* },
                    Lang::Zh => Self { $($name: $zh),* },
                }
            }
        }
    };
}

words! {
    title: "Parameter report", "参数优化报告";
    run: "Run", "运行";
    profile: "profile", "配置";
    began: "began", "开始于";
    days: "days", "天";
    candles: "candles", "根K线";
    symbols: "Symbols", "交易对";
    result: "Result", "结果";
    result_changed: "Parameters changed", "参数已更改";
    result_unchanged: "Parameters unchanged", "参数未变";
    result_open: "Parameters unchanged: a better candidate, but what speaks for it is not enough", "参数未变：候选参数更好，但证据不足";
    result_rejected: "Parameters unchanged: no candidate held on days that did not choose it", "参数未变：没有候选参数在未参与选择的日子里站得住";
    untested: "not tested against luck", "未做运气检验";
    not_enough: "too few days or trades to tell", "天数或交易太少，无法判断";
    likely_luck: "noise does as well", "与噪声无异";
    unproven: "neither noise nor proof", "既非噪声，也未证实";
    promising: "better than noise most of the time", "多数情况下优于噪声";
    real: "beyond what noise explains", "超出噪声所能解释";
    expected: "expected Sharpe after selection, per year", "扣除选择偏差后的预期年化夏普";
    all_chose: "all days choose, each fifth left out judges", "全部日子参与选择，每次留出五分之一作检验";
    newest: "newest candle closed", "最新K线收于";
    issues: "issues", "个问题";
    changed: "What changed", "参数变化";
    would_change: "What would have changed", "若采用则会变化";
    nothing_changed: "Nothing: the active parameters stay.", "无变化：沿用当前参数。";
    scope: "Scope", "范围";
    key: "Parameter", "参数";
    old: "Old", "旧值";
    new: "New", "新值";
    why: "Why", "理由";
    figures: "Figures", "指标";
    candidate: "candidate", "候选参数";
    in_force: "active", "当前参数";
    early: "in-sample", "前段";
    late: "out-of-sample", "后段";
    first_days: "first days", "前段";
    last_days: "last days", "后段";
    all: "all", "全部";
    traded: "traded", "按实盘规则";
    traded_note: "traded: as [portfolio] allows, by default one position per symbol", "按实盘规则：依 [portfolio] 设置，默认每个交易对同时只持一仓";
    kinds: "By kind of market, as it was known when each day began", "按市况（以当日开始时已知为准）";
    kind: "Market", "市况";
    rising_calm: "uptrend, low volatility", "上涨、平静";
    rising_wild: "uptrend, high volatility", "上涨、剧烈";
    falling_calm: "downtrend, low volatility", "下跌、平静";
    falling_wild: "downtrend, high volatility", "下跌、剧烈";
    day_count: "Days", "天数";
    per_day: "% per day", "日均 %";
    interval: "90 % interval", "90 % 区间";
    trades: "Trades", "交易数";
    win_rate: "Win %", "胜率 %";
    average: "Avg %", "均值 %";
    profit_factor: "PF", "盈亏因子";
    total: "Total %", "合计 %";
    drawdown: "Drawdown %", "回撤 %";
    sharpe: "Sharpe/day", "日夏普";
    equity: "Sum of net returns, % of the notional", "净收益累计（名义本金 %）";
    fall: "Fall from the last high, %", "自高点回撤 %";
    late_part: "out-of-sample part: judged, not chosen on", "后段：仅用于检验";
    last_part: "the last days", "后段";
    surface: "Mean score over two parameters", "两参数平均得分";
    across: "across", "横轴";
    down: "down", "纵轴";
    chosen: "the framed cell is the candidate", "框线为候选参数";
    importance: "What each parameter contributes", "参数重要性";
    share: "share of the score's variance", "得分方差占比";
    by_symbol: "By symbol", "按交易对";
    symbol: "Symbol", "交易对";
    trials: "Best trials", "最佳组合";
    score: "Score", "得分";
    learned: "What runs learned, as the bot's prompt is told", "历次运行的经验（写入机器人提示词）";
    data: "Data", "数据";
    no_issues: "Nothing is wrong with the data.", "数据无异常。";
    issue: "Issue", "问题";
    file: "File", "文件";
    count: "Count", "次数";
    detail: "Detail", "说明";
    history: "Parameters over the runs", "参数历史";
    when: "When", "时间";
    no_history: "No adoption yet.", "尚无采用记录。";
    footer: "Past results on candles; no promise. Costs are included as configured.", "基于历史K线，不构成承诺；成本按配置计入。";
}

impl Words {
    /// Returns what a significance means.
    pub(super) fn significance(&self, assurance: Assurance) -> &'static str {
        match assurance {
            Assurance::Untested => self.untested,
            Assurance::NotEnoughData => self.not_enough,
            Assurance::LikelyLuck => self.likely_luck,
            Assurance::Unproven => self.unproven,
            Assurance::Promising => self.promising,
            Assurance::Real => self.real,
        }
    }

    /// Returns the word for a kind of market.
    pub(super) fn regime(&self, regime: MarketRegime) -> &'static str {
        match regime {
            MarketRegime::RisingCalm => self.rising_calm,
            MarketRegime::RisingWild => self.rising_wild,
            MarketRegime::FallingCalm => self.falling_calm,
            MarketRegime::FallingWild => self.falling_wild,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_word_is_missing_in_any_language() {
        let (en, zh) = (format!("{:?}", Words::of(Lang::En)), format!("{:?}", Words::of(Lang::Zh)));
        assert!(!en.contains("\"\"") && !zh.contains("\"\""));
        assert_eq!(en.matches(": \"").count(), zh.matches(": \"").count());
        assert_eq!((Lang::En.tag(), Lang::Zh.tag()), ("en", "zh"));
    }
}
