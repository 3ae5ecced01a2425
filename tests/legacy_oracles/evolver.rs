//! The legacy's weights by evolution: never wired in (D56), kept to reproduce its figures.
//!
//! Its fitness rewards high scores of opportunities that all won (D25): it separates nothing from nothing.

use super::statistics::{mean, population_deviation};
use super::trend_side::count;
use retune::model::{Direction, Style};
use retune::search::random::RandomStream;

/// The strengths of a signal's components.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Gene {
    Momentum,
    Volume,
    Breakout,
    Pattern,
    TrendAlign,
    Volatility,
    VolumePulse,
    MomentumAccel,
    EmaDivergence,
    Trend4hStrength,
    SpaceFactor,
    PositionFactor,
    FreshnessFactor,
}

impl Gene {
    /// Returns the genes of a style, in the legacy order.
    pub(crate) fn of(style: Style) -> &'static [Gene] {
        use Gene::*;
        match style {
            Style::Scalping => &[
                Momentum,
                Volume,
                Breakout,
                Pattern,
                TrendAlign,
                Volatility,
                VolumePulse,
                MomentumAccel,
                SpaceFactor,
                PositionFactor,
            ],
            _ => &[
                Momentum,
                Volume,
                Breakout,
                TrendAlign,
                EmaDivergence,
                Trend4hStrength,
                SpaceFactor,
                PositionFactor,
                FreshnessFactor,
            ],
        }
    }

    /// Returns the legacy key.
    pub(crate) fn key(self) -> &'static str {
        match self {
            Self::Momentum => "momentum",
            Self::Volume => "volume",
            Self::Breakout => "breakout",
            Self::Pattern => "pattern",
            Self::TrendAlign => "trend_align",
            Self::Volatility => "volatility",
            Self::VolumePulse => "volume_pulse",
            Self::MomentumAccel => "momentum_accel",
            Self::EmaDivergence => "ema_divergence",
            Self::Trend4hStrength => "trend_4h_strength",
            Self::SpaceFactor => "space_factor",
            Self::PositionFactor => "position_factor",
            Self::FreshnessFactor => "freshness_factor",
        }
    }
}

/// Where a price stands between its levels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Position {
    AtSupport,
    AtResistance,
    Between,
}

/// What the strengths are computed from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct EvolvedSignal<'a> {
    pub direction: Direction,
    pub open: f64,
    pub close: f64,
    pub volume_ratio: f64,
    pub trends: [&'a str; 3],
    pub breakout: &'a str,
    pub pattern: &'a str,
    pub volatility_ratio: f64,
    pub volume_surge: f64,
    pub momentum_acceleration: f64,
    /// Percent.
    pub ema_divergence: f64,
    /// 0..=100
    pub trend_4h_strength: f64,
    pub atr: f64,
    pub nearest_resistance: f64,
    pub nearest_support: f64,
    pub position: Position,
    /// Candles since the last swing.
    pub structure_age: f64,
}

impl EvolvedSignal<'_> {
    /// Returns the strength of a component, 0 to 1.5.
    ///
    /// Source:    section 8 of the legacy specification and its fixture
    pub(crate) fn strength(&self, gene: Gene) -> f64 {
        match gene {
            Gene::Momentum => ((self.close - self.open).abs() / self.open * 100.0).min(1.5),
            Gene::Volume => (self.volume_ratio - 1.0).clamp(0.0, 1.5),
            Gene::Breakout => match self.breakout {
                text if text.contains("强势突破") => 1.5,
                text if text.contains("突破") => 1.0,
                text if text.contains("震荡") => 0.3,
                _ => 0.0,
            },
            Gene::Pattern => match self.pattern {
                text if text.contains('强') => 1.0,
                text if text.contains("反转") => 0.8,
                _ => 0.3,
            },
            Gene::TrendAlign => count(&self.trends, self.direction) as f64 / 3.0,
            Gene::Volatility => (self.volatility_ratio - 1.0).clamp(0.0, 1.5),
            Gene::VolumePulse => (self.volume_surge / 2.0).min(1.0),
            Gene::MomentumAccel => (self.momentum_acceleration.abs() * 10.0).min(1.0),
            Gene::EmaDivergence => (self.ema_divergence.abs() / 5.0).min(1.0),
            Gene::Trend4hStrength => (self.trend_4h_strength.abs() / 80.0).min(1.0),
            Gene::SpaceFactor => self.space(),
            Gene::PositionFactor => match (self.position, self.direction) {
                (Position::Between, _) => 0.5,
                (Position::AtSupport, Direction::Long) | (Position::AtResistance, Direction::Short) => 1.5,
                _ => 0.0,
            },
            Gene::FreshnessFactor => match self.structure_age {
                age if age < 20.0 => 1.5,
                age if age < 40.0 => 1.0,
                age if age < 60.0 => 0.5,
                _ => 0.0,
            },
        }
    }

    /// Returns the strength of the room to the level ahead.
    fn space(&self) -> f64 {
        let room = match self.direction {
            Direction::Long => self.nearest_resistance - self.close,
            Direction::Short => self.close - self.nearest_support,
        };
        match room / self.atr {
            room if room > 5.0 => 1.5,
            room if room > 3.0 => 1.0,
            room if room > 2.0 => 0.5,
            _ => 0.0,
        }
    }
}

/// A weight per gene of the style, in its order.
pub(crate) type Genome = Vec<f64>;

/// Returns the score of strengths: 50 and their weighted sum, without a bound.
pub(crate) fn score(strengths: &[f64], genome: &[f64]) -> f64 {
    50.0 + strengths.iter().zip(genome).map(|(strength, weight)| strength * weight).sum::<f64>()
}

/// Fewest samples a fitness needs.
const SAMPLES_MIN: usize = 5;

/// Returns the fitness of scores: twice the mean profit of the best fifth, 20 correlations, half a deviation.
///
/// Shape:     a profit in percent per score; 0 with fewer than five
pub(crate) fn fitness(scores: &[f64], profits: &[f64]) -> f64 {
    assert!(scores.len() == profits.len(), "every score has a profit");
    if scores.len() < SAMPLES_MIN {
        return 0.0;
    }
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]));
    let best = (scores.len() / 5).max(1);
    let best_profit = mean(order.iter().take(best).map(|index| profits[*index]));
    2.0 * best_profit + 20.0 * correlation(scores, profits) + 0.5 * population_deviation(scores)
}

/// Returns Pearson's correlation; 0 where one side is constant.
fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let (mean_a, mean_b) = (mean(a.iter().copied()), mean(b.iter().copied()));
    let covariance = mean(a.iter().zip(b).map(|(a, b)| (a - mean_a) * (b - mean_b)));
    let spread = population_deviation(a) * population_deviation(b);
    if spread == 0.0 { 0.0 } else { covariance / spread }
}

/// How weights are evolved; the default is the legacy one with seed 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Evolution {
    pub genomes: usize,
    pub generations: usize,
    pub seed: u64,
}

impl Default for Evolution {
    fn default() -> Self {
        Self { genomes: 20, generations: 10, seed: 0 }
    }
}

/// Evolves weights for strengths and profits, and returns the fittest with its fitness; `None` without a genome.
///
/// Shape:     `strengths[sample][gene]`, a profit per sample
/// Cost:      O(generations x genomes x samples x genes)
pub(crate) fn evolve(
    strengths: &[Vec<f64>],
    profits: &[f64],
    evolution: &Evolution,
) -> Option<(Genome, f64)> {
    let genes = strengths.first().map_or(0, Vec::len);
    let mut draws = RandomStream::new(evolution.seed);
    let mut founder = || (0..genes).map(|_| (5 + draws.below(36)) as f64).collect::<Genome>();
    let mut genomes: Vec<Genome> = (0..evolution.genomes).map(|_| founder()).collect();
    let fit = |genome: &Genome| {
        let scores: Vec<f64> = strengths.iter().map(|strengths| score(strengths, genome)).collect();
        fitness(&scores, profits)
    };
    let mut ranked: Vec<(Genome, f64)> = Vec::new();
    for generation in 0..=evolution.generations {
        ranked = genomes.iter().map(|genome| (genome.clone(), fit(genome))).collect();
        ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
        if generation < evolution.generations {
            genomes = next_generation(&ranked, &mut draws);
        }
    }
    ranked.into_iter().next()
}

/// Returns the best fifth, and children of them.
fn next_generation(ranked: &[(Genome, f64)], draws: &mut RandomStream) -> Vec<Genome> {
    let parents = (ranked.len() / 5).max(1).min(ranked.len());
    let mut next: Vec<Genome> = ranked[..parents].iter().map(|(genome, _)| genome.clone()).collect();
    while next.len() < ranked.len() {
        let mut child = ranked[draws.below(parents as u64) as usize].0.clone();
        for _ in 0..=draws.below(3) {
            if child.is_empty() {
                break;
            }
            let gene = draws.below(child.len() as u64) as usize;
            let step = draws.below(11) as f64 - 5.0;
            child[gene] = (child[gene] + step).clamp(0.0, 50.0);
        }
        next.push(child);
    }
    next
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evolution_is_repeatable_and_does_not_lose_its_best() {
        let strengths: Vec<Vec<f64>> =
            (0..40).map(|i| vec![f64::from(i % 7) / 5.0, f64::from(i % 3) / 2.0]).collect();
        let profits: Vec<f64> = (0..40).map(|i| f64::from(i % 7)).collect();
        let of = |generations| {
            evolve(&strengths, &profits, &Evolution { generations, ..Evolution::default() }).unwrap()
        };
        assert_eq!(of(5), of(5));
        assert!(of(10).1 >= of(0).1);
        assert!(of(10).0.iter().all(|weight| (0.0..=50.0).contains(weight)));
        assert_eq!(evolve(&strengths, &profits, &Evolution { genomes: 0, ..Evolution::default() }), None);
        assert_eq!(fitness(&[1.0; 4], &[1.0; 4]), 0.0);
    }
}
