//! The legacy parameter grid: twelve dimensions, four of them around the active parameters.

use retune::features::rounding::round_decimals;
use retune::legacy::rules::settings::{Setting, Settings};
use retune::model::Style;

/// The values each dimension is tried at, in the legacy order of dimensions.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Grid {
    dimensions: Vec<(&'static str, Vec<Setting>)>,
}

/// What one of the four moving dimensions is centred on without active parameters, and its bounds.
struct Centre {
    default: f64,
    low: f64,
    high: f64,
}

impl Centre {
    /// Returns half the centre, the centre and one and a half of it, inside the bounds; repeats are kept.
    fn points(&self, current: Option<f64>) -> [f64; 3] {
        let centre = current.unwrap_or(self.default).clamp(self.low, self.high);
        [(0.5 * centre).max(self.low), centre, (1.5 * centre).min(self.high)]
    }
}

/// Returns the centres of holding hours, take-profit, stop and risk/reward.
fn centres(style: Style) -> [Centre; 4] {
    let centre = |default, low, high| Centre { default, low, high };
    match style {
        Style::Scalping => {
            [centre(8.0, 2.0, 24.0), centre(2.0, 0.8, 4.0), centre(1.5, 0.8, 2.5), centre(1.0, 0.5, 3.5)]
        }
        _ => [centre(60.0, 24.0, 120.0), centre(3.0, 1.5, 7.0), centre(1.5, 0.8, 3.0), centre(1.2, 0.5, 4.0)],
    }
}

fn wholes(values: &[i64]) -> Vec<Setting> {
    values.iter().map(|value| Setting::Whole(*value)).collect()
}

fn reals(values: &[f64]) -> Vec<Setting> {
    values.iter().map(|value| Setting::Real(*value)).collect()
}

impl Grid {
    /// Returns the grid of a style around the active parameters.
    ///
    /// Shape:     twelve dimensions, 139,968 combinations
    /// Units:     hours are whole, the other moving dimensions have one decimal
    /// Source:    section 2 of the legacy specification
    pub(crate) fn around(style: Style, current: &Settings) -> Self {
        let [hours, target, stop, risk_reward] = centres(style);
        let tenths = |centre: &Centre, key: &str| {
            reals(&centre.points(current.number(key)).map(|value| round_decimals(value, 1)))
        };
        let hours = hours.points(current.number("max_holding_hours")).map(|value| value.trunc() as i64);
        let ages = match style {
            Style::Scalping => [0.5, 1.0],
            _ => [1.0, 2.0],
        };
        Self {
            dimensions: vec![
                ("max_holding_hours", wholes(&hours)),
                ("atr_tp_multiplier", tenths(&target, "atr_tp_multiplier")),
                ("atr_stop_multiplier", tenths(&stop, "atr_stop_multiplier")),
                ("min_risk_reward", tenths(&risk_reward, "min_risk_reward")),
                ("min_signal_score", wholes(&[40, 50, 60])),
                ("min_consensus_score", wholes(&[0, 10, 20, 30])),
                ("min_consensus", wholes(&[0, 1, 2])),
                ("min_kline_bullish_ratio", reals(&[0.6, 0.7])),
                ("min_price_chg_pct", reals(&[0.5, 1.0, 1.5])),
                ("allowed_mkt_struct", ["all", "trend_only"].map(Setting::from).to_vec()),
                ("min_trend_age_hours", reals(&ages)),
                ("max_sr_test_count", wholes(&[5, 999])),
            ],
        }
    }

    /// Returns names and values of the dimensions.
    pub(crate) fn dimensions(&self) -> &[(&'static str, Vec<Setting>)] {
        &self.dimensions
    }

    /// Returns the number of combinations, repeats counted.
    pub(crate) fn len(&self) -> u64 {
        self.dimensions.iter().map(|(_, values)| values.len() as u64).product()
    }

    /// Returns the place of each dimension's value in the combination of a number; the last dimension counts fastest.
    pub(crate) fn places(&self, number: u64) -> Vec<usize> {
        assert!(number < self.len(), "the combination is one of the grid");
        let mut rest = number;
        let mut places = vec![0; self.dimensions.len()];
        for (place, (_, values)) in places.iter_mut().zip(&self.dimensions).rev() {
            *place = (rest % values.len() as u64) as usize;
            rest /= values.len() as u64;
        }
        places
    }

    /// Returns the number of the combination whose values stand at these places.
    pub(crate) fn number(&self, places: &[usize]) -> u64 {
        let digit = |number, (place, (_, values)): (&usize, &(_, Vec<_>))| {
            number * values.len() as u64 + *place as u64
        };
        places.iter().zip(&self.dimensions).fold(0, digit)
    }

    /// Returns what of a suggestion are dimensions of the grid; `None` where nothing is. It is tried first, and partial
    /// as it is: what it lacks takes the filter's defaults (D18).
    pub(crate) fn suggested(&self, suggestion: &Settings) -> Option<Settings> {
        let known = |key: &str| self.dimensions.iter().any(|(name, _)| *name == key);
        let kept = suggestion.iter().filter(|(key, _)| known(key));
        let kept: Settings = kept.map(|(key, value)| (key.to_owned(), value.clone())).collect();
        (!kept.is_empty()).then_some(kept)
    }

    /// Returns the parameters whose values stand at these places.
    pub(crate) fn settings(&self, places: &[usize]) -> Settings {
        let pairs = self.dimensions.iter().zip(places);
        pairs.map(|((name, values), place)| ((*name).to_owned(), values[*place].clone())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_near_a_bound_coincide_and_count() {
        let current = [("min_risk_reward".to_owned(), Setting::Real(9.0))].into_iter().collect();
        let grid = Grid::around(Style::Scalping, &current);
        assert_eq!(
            grid.dimensions()[3].1,
            reals(&[1.8, 3.5, 3.5]),
            "1.75 is a tie and goes to the even digit"
        );
        assert_eq!(grid.len(), 139_968);
    }

    #[test]
    fn numbers_and_places_are_two_names_of_one_combination() {
        let grid = Grid::around(Style::Swing, &Settings::default());
        for number in [0, 1, 77_777, 139_967] {
            assert_eq!(grid.number(&grid.places(number)), number);
        }
        assert_eq!(grid.places(1).iter().sum::<usize>(), 1);
        assert_eq!(grid.places(1)[11], 1, "the last dimension counts fastest");
    }
}
