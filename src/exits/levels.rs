//! Fixed levels: distances from the entry that rules share, and the candle in which a position first reaches each.

use super::passage::{NEVER, first_passages};
use super::position::Position;
use crate::model::Bars;

/// A distance from the entry price, before a position gives it a size.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Distance {
    /// A multiple of ATR.
    Atr(f64),
    /// A multiple of ATR, scaled by the signal's score.
    Dynamic {
        /// The multiple.
        atr: f64,
        /// How strongly the score acts.
        strength: f64,
    },
    /// A share of the entry price, in percent.
    Percent(f64),
    /// Beyond every price: what is off.
    Never,
}

/// What the score does to distances: their factors for weak and strong signals at strength 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct ScoreTiers {
    weak: f64,
    strong: f64,
}

/// Signals up to this score are weak.
const WEAK_SCORE: f64 = 70.0;
/// Signals from this score on are strong.
const STRONG_SCORE: f64 = 85.0;
/// Factors of take-profits, first targets and break-even triggers.
///
/// Source: legacy section 5, dynamic ATR
pub(super) const PROFIT_TIERS: ScoreTiers = ScoreTiers { weak: 0.95, strong: 1.15 };
/// Factors of stops.
///
/// Source: legacy section 5, dynamic ATR
pub(super) const STOP_TIERS: ScoreTiers = ScoreTiers { weak: 0.9, strong: 1.2 };

impl ScoreTiers {
    /// Returns the factor of a score; a signal without one is neither weak nor strong.
    pub(super) fn factor(self, score: Option<f64>, strength: f64) -> f64 {
        let full = match score {
            Some(score) if score >= STRONG_SCORE => self.strong,
            Some(score) if score <= WEAK_SCORE => self.weak,
            _ => 1.0,
        };
        1.0 + strength * (full - 1.0)
    }
}

impl Distance {
    /// Returns a multiple of ATR, dynamic if a strength is given.
    pub(super) fn of(atr: f64, strength: Option<f64>) -> Self {
        strength.map_or(Self::Atr(atr), |strength| Self::Dynamic { atr, strength })
    }

    /// Returns the distance in price units.
    pub(super) fn size(self, position: &Position<'_>, tiers: ScoreTiers) -> f64 {
        match self {
            Self::Atr(atr) => atr * position.atr,
            Self::Dynamic { atr, strength } => atr * tiers.factor(position.score, strength) * position.atr,
            Self::Percent(percent) => percent / 100.0 * position.entry_price(),
            Self::Never => f64::INFINITY,
        }
    }

    /// Orders distances of one unit by size, and what is never reached behind all; for the rest any order will do.
    fn key(self) -> (u8, f64, f64) {
        match self {
            Self::Atr(atr) => (0, atr, 0.0),
            Self::Dynamic { atr, strength } => (1, strength, atr),
            Self::Percent(percent) => (2, percent, 0.0),
            Self::Never => (3, 0.0, 0.0),
        }
    }
}

/// The distinct distances of a plan's rules on one side of the entry.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct DistanceLevels {
    distances: Vec<Distance>,
    tiers: ScoreTiers,
    /// Whether the order is that of the sizes for every position.
    ascending: bool,
}

impl DistanceLevels {
    /// Collects distances, each once.
    pub(super) fn new(distances: impl Iterator<Item = Distance>, tiers: ScoreTiers) -> Self {
        let mut distances: Vec<Distance> = distances.collect();
        let order = |a: &Distance, b: &Distance| {
            let (a, b) = (a.key(), b.key());
            a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)).then(a.2.total_cmp(&b.2))
        };
        distances.sort_by(order);
        distances.dedup();
        let is_in =
            |of: fn(&Distance) -> bool| distances.iter().all(|one| of(one) || *one == Distance::Never);
        let ascending =
            is_in(|one| matches!(one, Distance::Atr(_))) || is_in(|one| matches!(one, Distance::Percent(_)));
        Self { distances, tiers, ascending }
    }

    /// Returns the slot of a distance that was collected.
    pub(super) fn slot(&self, distance: Distance) -> usize {
        let found = self.distances.iter().position(|known| *known == distance);
        found.expect("every distance of a rule was collected")
    }
}

/// A level and the candle that first reaches it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Passage {
    /// Distance from the entry; price units.
    pub distance: f64,
    /// Index of the candle from the entry on, [`NEVER`] if none reaches it.
    pub at: u16,
}

/// The passages of all levels of one position, by slot.
#[derive(Debug, Default)]
pub(super) struct Passages {
    sizes: Vec<f64>,
    at: Vec<u16>,
    by_size: BySize,
}

/// The levels of one position in the order of their sizes, where that is not the order of the slots.
#[derive(Debug, Default)]
struct BySize {
    slots: Vec<usize>,
    sizes: Vec<f64>,
    at: Vec<u16>,
}

impl BySize {
    /// Takes sizes in. The order is found from the last one, which is nearly it: prices and their ranges change little.
    fn begin(&mut self, sizes: &[f64]) {
        if self.slots.len() != sizes.len() {
            self.slots = (0..sizes.len()).collect();
        }
        self.slots.sort_by(|a, b| sizes[*a].total_cmp(&sizes[*b]));
        self.sizes.clear();
        self.sizes.extend(self.slots.iter().map(|slot| sizes[*slot]));
        self.at.resize(sizes.len(), NEVER);
    }

    /// Gives the passages back to their slots.
    fn give(&self, at: &mut [u16]) {
        self.slots.iter().zip(&self.at).for_each(|(slot, found)| at[*slot] = *found);
    }
}

impl Passages {
    /// Takes a position's levels in; none is reached yet.
    fn begin(&mut self, levels: &DistanceLevels, position: &Position<'_>) {
        self.sizes.clear();
        self.sizes.extend(levels.distances.iter().map(|distance| distance.size(position, levels.tiers)));
        self.at.clear();
        self.at.resize(self.sizes.len(), NEVER);
    }

    /// Returns what became of a level.
    pub(super) fn of(&self, slot: usize) -> Passage {
        Passage { distance: self.sizes[slot], at: self.at[slot] }
    }
}

/// Follows a position past all its levels; returns how many candles it took to decide every rule.
pub(super) fn follow_levels(
    position: &Position<'_>,
    ahead: Bars<'_>,
    (targets, target): (&DistanceLevels, &mut Passages),
    (stops, stop): (&DistanceLevels, &mut Passages),
) -> usize {
    target.begin(targets, position);
    stop.begin(stops, position);
    let side = position.direction;
    if targets.ascending && stops.ascending {
        return first_passages(ahead, side, &target.sizes, &stop.sizes, &mut target.at, &mut stop.at);
    }
    let (by_target, by_stop) = (&mut target.by_size, &mut stop.by_size);
    by_target.begin(&target.sizes);
    by_stop.begin(&stop.sizes);
    let sizes = (&by_target.sizes, &by_stop.sizes);
    let end = first_passages(ahead, side, sizes.0, sizes.1, &mut by_target.at, &mut by_stop.at);
    by_target.give(&mut target.at);
    by_stop.give(&mut stop.at);
    end
}
