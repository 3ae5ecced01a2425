//! The words of the pages, in the languages their readers write.

use crate::render::lang::Lang;

macro_rules! page_words {
    ($($name:ident: $en:literal, $zh:literal;)*) => {
        /// Every word of the pages.
        #[derive(Debug, Clone, Copy)]
        #[expect(missing_docs, reason = "the names say it")]
        pub struct PageWords { pub lang: Lang, $(pub $name: &'static str),* }

        impl PageWords {
            /// Returns the words of a language.
            pub fn of(lang: Lang) -> Self {
                match lang {
                    Lang::En => Self { lang, $($name: $en),* },
                    Lang::Zh => Self { lang, $($name: $zh),* },
                }
            }
        }
    };
}

page_words! {
    today: "Today", "今日";
    runs: "Runs", "运行";
    run: "Run", "运行";
    params: "Parameters", "参数";
    trials: "Trials", "试验";
    surface: "Surface", "得分面";
    health: "Health", "健康";
    memory: "Memory", "内存";
    cache: "Cache", "缓存";
    compare: "Compare", "对比";
    profile: "Profile", "配置";
    other_language: "中文", "English";
    ran: "Did it run?", "运行了吗？";
    changed: "Did anything change?", "参数变了吗？";
    believe: "Should I believe it?", "可信吗？";
    bot: "Does the bot use it?", "机器人在用吗？";
    forward: "Since adoption", "采用以来";
    machine: "Is the box well?", "机器正常吗？";
    ok: "OK", "正常";
    late: "LATE", "逾期";
    none_yet: "NONE YET", "尚无";
    unchanged: "UNCHANGED", "未变";
    changed_now: "CHANGED", "已变更";
    in_sync: "IN SYNC", "一致";
    differs: "DIFFERS", "不一致";
    missing: "MISSING", "缺失";
    unknown: "UNKNOWN", "未知";
    not_exported: "NOT EXPORTED", "未导出";
    held_back: "HELD BACK", "已拦截";
    too_early: "TOO EARLY", "为时尚早";
    earns: "EARNS", "盈利";
    decays: "DECAYS", "衰减";
    attention: "ATTENTION", "请注意";
    no_run_yet: "no run yet", "尚无运行";
    last_run: "last run", "最近运行";
    ago: "ago", "前";
    took: "took", "用时";
    nothing_for: "nothing for", "已无运行";
    expected_every: "expected every", "预期间隔";
    since: "since", "自";
    undo: "to go back", "撤销命令";
    more_changes: "more", "项未列出";
    last_days: "last days", "后段";
    why: "why", "理由";
    no_style: "the last run decided nothing", "最近一次运行没有决定";
    wrote: "written", "写入于";
    file_gone: "the file is not there", "文件不存在";
    file_differs: "the file does not say what is active", "文件与当前参数不符";
    file_unknown: "the file cannot be read from here", "此处无法读取该文件";
    no_export: "no file was exported from this store", "此存储未导出过文件";
    no_forward: "nothing was followed since adoption yet", "采用后尚无记录";
    days: "days", "天";
    oldest_candle: "oldest candle", "最旧K线";
    at_last_run: "of the last run", "（最近运行所读）";
    peak: "memory of the last run", "最近运行内存";
    of_limit: "of", "上限";
    free: "free disk", "剩余磁盘";
    store: "store", "存储";
    backups: "backups", "备份";
    waiting: "messages wait", "条消息待发";
    queue_unknown: "the queue of messages cannot be read", "消息队列无法读取";
    pending: "a later run is stored and was interrupted before it was published; the next one publishes it", "有一次较新的运行在发布前中断，下次运行会发布";
    key: "Parameter", "参数";
    scope: "Scope", "范围";
    old: "Old", "旧值";
    new: "New", "新值";
    in_force: "Active parameters", "当前参数";
    history: "History", "历史";
    no_params: "Nothing is active.", "尚无当前参数。";
    no_rows: "Nothing to show.", "无内容。";
    newer: "newer", "较新";
    older: "older", "较旧";
    previous_page: "previous page", "上一页";
    next_page: "next page", "下一页";
    style: "Style", "策略";
    sort: "Sort", "排序";
    min_trades: "Fewest trades", "最少交易数";
    pareto: "only what no other beats in both score and drawdown", "仅帕累托最优（得分与回撤）";
    show: "Show", "显示";
    across: "across", "横轴";
    down: "down", "纵轴";
    surface_note: "Mean score over two parameters; the framed cell is the candidate.", "两参数的平均得分；框线为候选参数。";
    no_surface: "No surface is kept of this run.", "此次运行未保留得分面。";
    candles: "Candles of the last run", "最近运行的K线";
    symbol: "Symbol", "交易对";
    age: "Age", "距今";
    state: "State", "状态";
    part: "Part", "部分";
    size: "Size", "大小";
    began: "Began", "开始";
    alarm: "Alarm", "警报";
    this_server: "This server", "本服务";
    doctor_note: "looks closer: it verifies every row, and the candles.", "检查更细：逐行核验存储与K线。";
    memory_note: "says what a run's memory consists of.", "说明运行内存的构成。";
    not_found: "There is no such page.", "没有这个页面。";
    resolved: "What the bot makes of it", "机器人实际采用";
    footer: "This page reads and never writes. Past results on candles; no promise.", "本页只读。基于历史K线，不构成承诺。";
    raw: "as JSON", "JSON";
    csv: "as CSV", "CSV";
}

/// Titles of columns, and results of runs, as documents have them, in Chinese.
const IN_CHINESE: [(&str, &str); 32] = [
    ("Run", "运行"),
    ("When", "时间"),
    ("Result", "结果"),
    ("Symbols", "交易对数"),
    ("Symbol", "交易对"),
    ("Candles", "K线数"),
    ("Last day", "最后一天"),
    ("ms", "毫秒"),
    ("Style", "策略"),
    ("Rank", "名次"),
    ("Score", "得分"),
    ("Trades", "交易数"),
    ("Win %", "胜率 %"),
    ("Avg %", "均值 %"),
    ("PF", "盈亏因子"),
    ("Total %", "合计 %"),
    ("Drawdown %", "回撤 %"),
    ("Sharpe/day", "日夏普"),
    ("Ties", "并列"),
    ("Days", "天数"),
    ("Reused", "复用"),
    ("Evaluated", "重算"),
    ("Reason", "原因"),
    ("Section", "部分"),
    ("Scope", "范围"),
    ("Key", "参数"),
    ("Old", "旧值"),
    ("New", "新值"),
    ("changed", "已变更"),
    ("unchanged", "未变"),
    ("not_convincing", "证据不足"),
    ("rejected", "已拒绝"),
];

impl PageWords {
    /// Returns a title or a result as documents have it, in the language of the page; words of the program stay as they are.
    pub fn shown<'t>(&self, title: &'t str) -> &'t str {
        let known =
            IN_CHINESE.iter().filter(|_| self.lang == Lang::Zh).find(|(english, _)| *english == title);
        known.map_or(title, |(_, chinese)| chinese)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_word_of_the_pages_is_missing_in_any_language() {
        let (en, zh) = (format!("{:?}", PageWords::of(Lang::En)), format!("{:?}", PageWords::of(Lang::Zh)));
        assert!(!en.contains("\"\"") && !zh.contains("\"\""));
        assert_eq!(en.matches(": \"").count(), zh.matches(": \"").count());
    }
}
