//! What speaks for a candidate, a line each.

use crate::documents::evidence::{
    AssessmentPart, BothWaysPart, CapturePart, CapturesPart, EvidencePart, RegimePart, RegimesPart,
    SimulationPart, TradeResultsPart,
};
use crate::documents::metrics::MetricsPart;
use crate::validate::answer::simulations_text;
use crate::validate::regimes::MarketRegime;

impl EvidencePart {
    /// Returns the answers, what forbids the candidate, what becomes of the candidate when it is traded, where it earns, and what hindsight says of
    /// it beside the active set; one line each.
    pub fn lines(&self) -> Vec<String> {
        let line = |(question, assessment): (&str, &Option<AssessmentPart>)| {
            let assessment = assessment.as_ref()?;
            let lacks = &assessment.lacks;
            let lacks = if lacks.is_empty() { String::new() } else { format!(" ({})", lacks.join(", ")) };
            Some(format!("{question} {}{lacks}: {}", assessment.assurance, assessment.sentence))
        };
        let answers = [("EDGE", &self.edge), ("CANDIDATE", &self.candidate), ("SWITCH", &self.switch)];
        let vetoes = (!self.vetoes.is_empty()).then(|| format!("VETOES {}", self.vetoes.join(", ")));
        let answers = answers.into_iter().filter_map(line).chain(vetoes);
        let simulation = self.portfolio_simulation.as_ref().map(SimulationPart::line);
        let regimes = self.regimes.as_ref().and_then(RegimesPart::line);
        let captures = self.opportunity_capture.as_ref().map(CapturesPart::line);
        answers.chain(simulation).chain(regimes).chain(captures).collect()
    }
}

impl SimulationPart {
    /// Returns the part in one line.
    fn line(&self) -> String {
        let shown = |results: &TradeResultsPart| {
            let mean = results.mean_pct.map_or_else(|| "-".to_owned(), |mean| format!("{mean:+.3}"));
            format!("{} trades of {mean} %, {:+.1} % in all", results.trades, results.net_pct)
        };
        let lost: Vec<String> =
            self.lost.iter().map(|(why, count)| format!("{count} {}", why.replace('_', " "))).collect();
        let lost = if lost.is_empty() { "none".to_owned() } else { lost.join(", ") };
        let agreement = self.agreement.map_or_else(String::new, |agreement| {
            format!("; rank correlation {agreement:.2} over {} sets", self.sets)
        });
        let (traded, independent) = (shown(&self.candidate.traded), shown(&self.candidate.independent));
        let worth = self.effective_trades;
        format!(
            "PORTFOLIO SIMULATION: {traded}; independent trades: {independent}, effective number of trades {worth:.0}; signals lost: {lost}{agreement}"
        )
    }

    /// Returns rows for the table of results, with the names given.
    pub fn rows(&self, candidate: &str, active: &str) -> Vec<(String, MetricsPart)> {
        let row = |name: &str, both: &BothWaysPart| {
            let results = &both.traded;
            let metrics = MetricsPart {
                trades: results.trades,
                win_rate: results.win_rate,
                expectancy_pct: results.mean_pct,
                total_return_pct: Some(results.net_pct),
                max_drawdown_pct: Some(results.drawdown_pct),
                ..MetricsPart::default()
            };
            (name.to_owned(), metrics)
        };
        let active = self.active.as_ref().map(|both| row(active, both));
        [row(candidate, &self.candidate)].into_iter().chain(active).collect()
    }
}

impl RegimesPart {
    /// Returns the part in one line; `None` where no kind has days enough.
    fn line(&self) -> Option<String> {
        let judged = self.regimes.iter().filter_map(|(name, part)| Some((name, part, part.mean_pct?)));
        let judged: Vec<(&String, &RegimePart, f64)> = judged.collect();
        let earning = judged.iter().filter(|(_, _, mean)| *mean > 0.0).count();
        let shown = |(name, part, mean): &(&String, &RegimePart, f64)| {
            let kind = MarketRegime::named(name).map_or(name.as_str(), |regime| regime.in_words());
            format!("{kind} {mean:+.3} %/day over {} days", part.days)
        };
        let shown: Vec<String> = judged.iter().map(shown).collect();
        let alike = self.p_alike.map_or_else(String::new, |p| {
            format!("; they differ as much by chance in {}", simulations_text(p))
        });
        let kinds = judged.len();
        (kinds > 0).then(|| {
            format!("REGIMES earns in {earning} of {kinds} kinds of market: {}{alike}", shown.join("; "))
        })
    }
}

impl CapturesPart {
    /// Returns the part in one line.
    fn line(&self) -> String {
        let said = |name: &str, part: &CapturePart| {
            let CapturePart { captured, missed, trades, false_entries, net_pct } = part;
            format!(
                "{name} captured {captured}, missed {missed}, {false_entries} of {trades} trades at none, {net_pct:+.1} % net"
            )
        };
        let active = self.active.as_ref().map(|part| format!("; {}", said("the active set", part)));
        let moves = self.candidate.captured + self.candidate.missed;
        format!(
            "OPPORTUNITY CAPTURE: of {moves} moves {}{}",
            said("the candidate", &self.candidate),
            active.unwrap_or_default()
        )
    }
}
