//! The figures of evidence by name, as the store keeps them and documents show them: a new figure is a field and a line here.

use super::captures::{Capture, Captures};
use super::evidence::{Evidence, WeightFigures};
use super::named::{Named, NamedValues, named_values};
use super::portfolio::{BothWays, TradeResults, Traded};
use super::regimes::{RegimeResults, Regimes};
use crate::evaluate::portfolio::SkipReason;
use crate::validate::regimes::MarketRegime;
use crate::validate::sharpe::DAYS_PER_YEAR;

impl Named for Evidence {
    fn list(&mut self, values: &mut NamedValues<'_>) {
        values.or_default("days", &mut self.days);
        values.or_default("active_days", &mut self.active_days);
        values.or_default("trades", &mut self.trades);
        values.or_default("grid_active_days", &mut self.grid_active_days);
        values.or_default("grid_trades", &mut self.grid_trades);
        values.or_default("columns_tested", &mut self.columns);
        values.value("sharpe_year", &mut self.sharpe_year);
        values.value("probabilistic_sharpe", &mut self.probabilistic_sharpe);
        values.value("surface_sharpe_year", &mut self.surface_sharpe_year);
        values.value("noise_sharpe_year", &mut self.luck_sharpe_year);
        values.value("deflated_sharpe", &mut self.deflated_sharpe);
        values.value("equivalent_trials", &mut self.equivalent_trials);
        values.value("days_needed", &mut self.days_needed);
        values.value("p_edge", &mut self.p_luck);
        values.value("p_surface", &mut self.p_surface);
        values.value("p_switch", &mut self.p_luck_switch);
        values.group(&mut self.walk_forward, |walk, values| {
            values.later("walk_forward_choices", &mut walk.choices);
            values.value("walk_forward_sharpe_year", &mut walk.sharpe_year);
            values.value("walk_forward_t", &mut walk.t);
            values.value("walk_forward_positive", &mut walk.positive);
            values.value("walk_forward_efficiency", &mut walk.efficiency);
        });
        values.group(&mut self.cross_fit, |fit, values| {
            values.value("cross_fit_folds", &mut fit.folds);
            values.value("cross_fit_sharpe_year", &mut fit.sharpe_year);
            values.value("cross_fit_low_year", &mut fit.low_year);
            values.value("cross_fit_high_year", &mut fit.high_year);
            values.value("cross_fit_t", &mut fit.t);
            values.value("cross_fit_earning", &mut fit.earning);
            values.value("cross_fit_distinct", &mut fit.distinct);
        });
        values.group(&mut self.gate, |gate, values| {
            values.value("gate_edge_p", &mut gate.edge_p);
            values.value("gate_switch_p", &mut gate.switch_p);
        });
        values.group(&mut self.look_day, |day, values| values.value("look_day", day));
        values.value("plateau_ratio", &mut self.plateau_ratio);
        values.group(&mut self.sharpe_difference, |found, values| {
            values.value("sharpe_difference", &mut found.difference);
            values.later("sharpe_difference_error", &mut found.standard_error);
            values.later("sharpe_difference_t", &mut found.t);
            values.value("p_sharpe_difference", &mut found.p);
        });
        values.group(&mut self.mean_interval_pct, |(low, high), values| {
            values.value("mean_day_low_pct", low);
            values.value("mean_day_high_pct", high);
        });
        values.or_default("worst_case_pct", &mut self.worst_case_pct);
        values.or_default("best_case_pct", &mut self.best_case_pct);
        values.value("ambiguous_share", &mut self.ambiguous_share);
        values.value("cost_buffer", &mut self.cost_buffer);
        values.group(&mut self.forward, |forward, values| {
            values.value("forward_days", &mut forward.days);
            values.value("forward_net_pct", &mut forward.net_pct);
            values.value("forward_e_edge", &mut forward.e_edge);
            values.value("forward_e_decay", &mut forward.e_decay);
        });
        values.group(&mut self.weights, WeightFigures::list);
        values.group(&mut self.traded, Traded::list);
        values.group(&mut self.regimes, Regimes::list);
        values.group(&mut self.captures, Captures::list);
    }
}

impl Evidence {
    /// Returns every figure that is defined by its name, those that follow from others included.
    pub fn figures(&self) -> Vec<(String, f64)> {
        let year = DAYS_PER_YEAR.sqrt();
        let derived = [
            ("expected_sharpe_year", self.expected_sharpe_year()),
            ("sharpe_difference_year", self.sharpe_difference.map(|found| found.difference * year)),
        ];
        let derived = derived.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        named_values(self).into_iter().chain(derived).collect()
    }
}

impl WeightFigures {
    fn list(&mut self, values: &mut NamedValues<'_>) {
        values.value("weights_signals_won", &mut self.signals_won);
        values.value("weights_signals_lost", &mut self.signals_lost);
        values.group(&mut self.compared, |compared, values| {
            values.value("weights_replaced", &mut compared.replaced);
            values.value("weights_auc", &mut compared.auc);
            values.value("weights_auc_active", &mut compared.auc_active);
            values.value("weights_auc_error", &mut compared.auc_error);
            values.value("weights_auc_seen", &mut compared.auc_seen);
        });
    }
}

impl Traded {
    fn list(&mut self, values: &mut NamedValues<'_>) {
        values.value("traded_sets", &mut self.sets);
        values.value("effective_trades", &mut self.effective_trades);
        values.value("traded_agreement", &mut self.agreement);
        self.best.list(values);
        values.within("active_", |values| values.group(&mut self.in_force, BothWays::list));
    }
}

impl BothWays {
    fn list(&mut self, values: &mut NamedValues<'_>) {
        for (reason, count) in SkipReason::ALL.into_iter().zip(&mut self.lost) {
            values.or_default(&format!("lost_{}", reason.as_str()), count);
        }
        values.within("independent_", |values| self.independent.list(values));
        values.within("traded_", |values| self.traded.list(values));
    }
}

impl TradeResults {
    fn list(&mut self, values: &mut NamedValues<'_>) {
        values.value("trades", &mut self.trades);
        values.value("win_rate", &mut self.win_rate);
        values.value("mean_pct", &mut self.mean_pct);
        values.value("net_pct", &mut self.net_pct);
        values.value("drawdown_pct", &mut self.drawdown_pct);
    }
}

impl Regimes {
    fn list(&mut self, values: &mut NamedValues<'_>) {
        for (regime, results) in MarketRegime::ALL.into_iter().zip(&mut self.results) {
            values.within(&format!("{}_", regime.as_str()), |values| results.list(values));
        }
        values.value("p_regimes_alike", &mut self.p_alike);
    }
}

impl RegimeResults {
    fn list(&mut self, values: &mut NamedValues<'_>) {
        values.value("days", &mut self.days);
        values.value("net_pct", &mut self.net_pct);
        values.value("mean_pct", &mut self.mean_pct);
        values.group(&mut self.interval_pct, |(low, high), values| {
            values.value("low_pct", low);
            values.value("high_pct", high);
        });
    }
}

impl Captures {
    fn list(&mut self, values: &mut NamedValues<'_>) {
        values.within("opportunity_", |values| self.best.list(values));
        values.within("active_opportunity_", |values| values.group(&mut self.in_force, Capture::list));
    }
}

impl Capture {
    fn list(&mut self, values: &mut NamedValues<'_>) {
        values.value("captured", &mut self.captured);
        values.value("missed", &mut self.missed);
        values.value("trades", &mut self.trades);
        values.value("false_entries", &mut self.false_entries);
        values.value("net_pct", &mut self.net_pct);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::store::records::{EvidenceRecord, NamedNumber};
    use crate::study::evidence::{CrossFitted, Forward, WalkForward, WeightsCompared};
    use crate::study::named::read_named;
    use crate::validate::assessment::AdoptionGate;
    use crate::validate::pair::SharpeDifference;

    /// Evidence of which every figure is defined, each with a value of its own.
    fn evidence() -> Evidence {
        let mut number = 0.1;
        let mut next = || {
            number += 1.0 / 3.0;
            number
        };
        let mut results = |trades: u64| TradeResults {
            trades,
            win_rate: Some(next()),
            mean_pct: Some(next()),
            net_pct: next(),
            drawdown_pct: next(),
        };
        let best = BothWays { independent: results(7), traded: results(8), lost: [1, 2, 3, 0] };
        let active = BothWays { independent: results(9), traded: results(10), lost: [0; 4] };
        let regime = |days: u64| RegimeResults {
            days,
            net_pct: days as f64 / 3.0,
            mean_pct: Some(days as f64 / 7.0),
            interval_pct: Some((-(days as f64), days as f64)),
        };
        let capture = Capture { captured: 3, missed: 7, trades: 9, false_entries: 5, net_pct: -1.5 };
        Evidence {
            days: 365,
            active_days: 300,
            trades: 900,
            grid_active_days: 340,
            grid_trades: 4_000,
            columns: 12,
            sharpe_year: Some(1.1),
            probabilistic_sharpe: Some(0.91),
            luck_sharpe_year: Some(1.3),
            deflated_sharpe: Some(0.4),
            equivalent_trials: Some(55.5),
            days_needed: Some(90.0),
            p_luck: Some(0.03),
            p_surface: Some(0.02),
            p_luck_switch: Some(0.04),
            walk_forward: Some(WalkForward {
                choices: 9,
                sharpe_year: 0.8,
                t: 1.2,
                positive: 0.7,
                efficiency: 0.6,
            }),
            surface_sharpe_year: Some(2.5),
            cross_fit: Some(CrossFitted {
                folds: 5,
                sharpe_year: 0.9,
                low_year: -0.6,
                high_year: 2.4,
                t: 0.91,
                earning: 0.8,
                distinct: 3,
            }),
            gate: Some(AdoptionGate { edge_p: 0.12, switch_p: 0.02 }),
            look_day: Some(20_000),
            plateau_ratio: Some(0.77),
            sharpe_difference: Some(SharpeDifference {
                difference: 0.013,
                standard_error: 0.2,
                t: 0.065,
                p: 0.95,
            }),
            mean_interval_pct: Some((-0.01, 0.03)),
            worst_case_pct: 3.5,
            best_case_pct: 4.5,
            ambiguous_share: Some(0.08),
            cost_buffer: Some(2.2),
            forward: Some(Forward { days: 30, net_pct: 1.5, e_edge: 2.5, e_decay: 0.5 }),
            weights: Some(WeightFigures {
                signals_won: 120,
                signals_lost: 80,
                compared: Some(WeightsCompared {
                    replaced: true,
                    auc: 0.61,
                    auc_active: 0.55,
                    auc_error: 0.01,
                    auc_seen: 0.66,
                }),
            }),
            traded: Some(Traded {
                best,
                in_force: Some(active),
                sets: 33,
                effective_trades: 6.5,
                agreement: Some(0.97),
            }),
            regimes: Some(Regimes { results: [1, 2, 3, 4].map(regime), p_alike: Some(0.3) }),
            captures: Some(Captures { best: capture, in_force: Some(Capture { trades: 2, ..capture }) }),
            ..Evidence::default()
        }
    }

    fn read(values: &[(String, f64)]) -> Evidence {
        let values: BTreeMap<&str, f64> =
            values.iter().map(|(name, value)| (name.as_str(), *value)).collect();
        read_named(&|name| values.get(name).copied()).expect("nothing has to be there")
    }

    #[test]
    fn every_figure_is_read_as_it_was_written() {
        let evidence = evidence();
        let written = named_values(&evidence);
        let names: BTreeSet<&str> = written.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names.len(), written.len(), "every name is used once");
        assert_eq!(read(&written), evidence);
        assert_eq!(read(&[]), Evidence::default());
    }

    #[test]
    fn the_summary_of_an_older_run_lacks_what_only_describes_as_a_whole() {
        let named = |(name, value): (String, f64)| NamedNumber { name, value };
        let figures = named_values(&evidence()).into_iter().map(named).collect();
        let summary = EvidenceRecord { figures, ..EvidenceRecord::default() }.summary();
        let kept: Evidence = read_named(&|name| summary.figure(name)).expect("nothing has to be there");
        let wanted = Evidence { weights: None, traded: None, regimes: None, captures: None, ..evidence() };
        assert_eq!(kept, wanted);
        assert_eq!(named_values(&wanted).len(), summary.figures.len());
        assert_eq!(summary.clone().summary(), summary);
    }

    #[test]
    fn evidence_of_another_program_is_read_as_far_as_its_names_are_known() {
        let mut written = named_values(&evidence());
        written.retain(|(name, _)| {
            name != "p_edge" && name != "walk_forward_t" && name != "walk_forward_choices"
        });
        written.push(("a_figure_of_tomorrow".to_owned(), 1.0));
        let wanted = Evidence { p_luck: None, walk_forward: None, ..evidence() };
        assert_eq!(read(&written), wanted, "a group is whole or undefined");
    }
}
