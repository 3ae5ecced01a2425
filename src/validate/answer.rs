//! What the answer to a question rests on, as data, and the answer in a line.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::assessment::{Assessment, Assurance, FailedCondition, SampleSize};

/// What "is there anything here at all?" is answered by. The names are those that stores keep.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct EdgeGrounds {
    /// What it was assessed as.
    pub assessment: Option<Assessment>,
    /// Of the loosest cell of the grid.
    pub sample: SampleSize,
    /// Parameter sets tried, all grids of the profile and those declared together.
    pub trials: u64,
    /// Probability that noise over everything tried does as well as the surface and as choosing did on days it did not know.
    pub p: Option<f64>,
    /// The same of the surface alone.
    pub p_surface: Option<f64>,
    /// Largest yearly Sharpe ratio of a cell.
    pub surface_sharpe_year: Option<f64>,
    /// The largest that noise over all cells reaches on average.
    pub luck_sharpe_year: Option<f64>,
}

impl fmt::Display for EdgeGrounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let said = self.p.map(|p| {
            let noise = format!(
                "p = {}: after {} tries, noise did at least as well as the surface in {}",
                p_text(p),
                self.trials,
                simulations_text(self.p_surface.unwrap_or(p))
            );
            let surface = self.surface_sharpe_year.zip(self.luck_sharpe_year).map(|(surface, luck)| {
                let (surface, luck) = (one_digit(surface), one_digit(luck));
                format!(
                    "the best cell has a yearly Sharpe ratio of {surface}, noise reaches {luck} on average"
                )
            });
            [Some(noise), surface].into_iter().flatten().collect::<Vec<_>>().join("; ")
        });
        f.write_str(&answer_line(self.assessment.as_ref(), self.sample, said))
    }
}

/// Returns how often noise did as well, of the simulations that a p-value is the share of.
pub fn simulations_text(p: f64) -> String {
    match 100.0 * p {
        few if few < 1.0 => "fewer than 1 of 100 simulations".to_owned(),
        many => format!("{many:.0} of 100 simulations"),
    }
}

/// Returns what was said, or why nothing can be.
pub fn answer_line(assessment: Option<&Assessment>, sample: SampleSize, said: Option<String>) -> String {
    let too_little = || {
        let SampleSize { days, active_days, trades } = sample;
        format!(
            "{days} days, {active_days} of them with trades, {trades} trades: 60, 40 and 100 are needed to say anything"
        )
    };
    let lacks = |lack| assessment.is_some_and(|assessment| assessment.lacks.contains(&lack));
    match assessment.map(|assessment| assessment.assurance) {
        Some(Assurance::NotEnoughData) => too_little(),
        Some(Assurance::Untested) if lacks(FailedCondition::Quick) => {
            let more = match lacks(FailedCondition::Evidence) {
                true => format!("; {}", too_little()),
                false => String::new(),
            };
            format!("the tests against luck were left out (--quick, validate.quick){more}")
        }
        Some(Assurance::Untested) => "no parameter set trades on enough days to be tested".to_owned(),
        _ => said.unwrap_or_else(|| "its returns do not vary enough to be tested".to_owned()),
    }
}

/// Returns a number with one digit; never `-0.0`.
pub fn one_digit(value: f64) -> String {
    let text = format!("{value:.1}");
    if text == "-0.0" { "0.0".to_owned() } else { text }
}

/// Returns a p-value with as many digits as it has.
pub fn p_text(p: f64) -> String {
    if p < 0.01 { format!("{p:.3}") } else { format!("{p:.2}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_hardly_ever_happens_is_not_said_to_happen_once() {
        let said = [0.0, 0.001, 0.0099, 0.01, 0.496, 1.0].map(simulations_text);
        let counts = ["fewer than 1", "fewer than 1", "fewer than 1", "1", "50", "100"];
        assert_eq!(said, counts.map(|count| format!("{count} of 100 simulations")));
    }
}
