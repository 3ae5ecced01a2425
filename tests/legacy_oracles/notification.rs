//! The seven lines the legacy pushed to a phone after a run.

/// Capture and profit of one style in one phase, percent; 0 where they are not known.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct StyleFigures {
    pub capture: f64,
    pub profit: f64,
}

/// What the message tells.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct PushFigures {
    /// In [0, 1]; the legacy passed that of the last 20 trades as yesterday's (D53).
    pub win_rate: f64,
    /// Account currency.
    pub profit: f64,
    /// Scalping and swing after phase 2.
    pub phase2: [StyleFigures; 2],
    /// Scalping and swing after phase 4.
    pub phase4: [StyleFigures; 2],
}

/// Returns the message.
///
/// Source:    section 16 of the legacy specification
pub(crate) fn push_text(figures: &PushFigures) -> String {
    let [(scalping2, scalping4), (swing2, swing4)] = [0, 1].map(|i| (figures.phase2[i], figures.phase4[i]));
    format!(
        "📊 昨日表现：{:.0}%胜率 {:+.1}U\n\n\
         ⚡ 超短线P4：{:.0}%捕获 {:.1}%利润\n\
         🌊 波段P4：{:.0}%捕获 {:.1}%利润\n\n\
         🎯 优化提升：\n  超短线 {:+.0}%捕 {:+.1}%利\n  波段 {:+.0}%捕 {:+.1}%利",
        100.0 * figures.win_rate,
        figures.profit,
        scalping4.capture,
        scalping4.profit,
        swing4.capture,
        swing4.profit,
        scalping4.capture - scalping2.capture,
        scalping4.profit - scalping2.profit,
        swing4.capture - swing2.capture,
        swing4.profit - swing2.profit,
    )
}
