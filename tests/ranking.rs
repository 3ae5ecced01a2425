//! The kept trials against sorting the whole grid, and importances against plain means.

use proptest::prelude::*;
use retune::evaluate::metrics::Circumstances;
use retune::evaluate::outcome_table::{Entry, OutcomeTable};
use retune::evaluate::score::Score;
use retune::evaluate::sweep::sweep_window;
use retune::model::{Day, Direction, ExitReason, Outcome, Outcomes, ReturnPpm, Setup, Style};
use retune::search::plateau::{SmoothedGrid, Smoothing};
use retune::search::rank::{Constraint, Objective, RankBy, rank_sets};
use retune::search::space::{Bound, Dimension, ExitAxes, SearchSpace, number_levels};

fn space() -> SearchSpace {
    let exits = ExitAxes::new(&[1.0, 2.0], &[1.0], &[4.0, 8.0]);
    let dimension = |key, column| {
        Dimension::new(key, column, Bound::AtLeast, number_levels(&[0.0, 1.0, 2.0])).expect("sound")
    };
    SearchSpace::new(Style::Swing, &exits, vec![dimension("a", "consensus"), dimension("b", "rsi_14")])
        .expect("sound")
}

fn book(space: &SearchSpace, signals: &[(u8, u8, Vec<i32>)]) -> OutcomeTable {
    let mut book = OutcomeTable::new(space.lattice().clone(), space.rules().len());
    for (i, (a, b, nets)) in signals.iter().enumerate() {
        let outcome = |net: &i32| Outcome {
            net: ReturnPpm(*net),
            best_case: ReturnPpm(*net),
            gross: ReturnPpm(*net),
            bars_held: 1,
            reason: ExitReason::Time,
            ambiguous: false,
        };
        let entry = Entry {
            entry_ms: i as i64 * 36_000_000,
            symbol: 0,
            direction: Direction::Long,
            setup: Setup::Pullback,
        };
        let mut outcomes = Outcomes::new(nets.len());
        outcomes.push_each(&nets.iter().map(outcome).collect::<Vec<_>>());
        book.push(entry, &[*a, *b], outcomes.row(0));
    }
    book
}

proptest! {
    #[test]
    fn the_best_are_those_of_the_sorted_grid(
        // Few different returns, so that scores tie.
        signals in prop::collection::vec(
            (0_u8..3, 0_u8..3, prop::collection::vec(prop::sample::select(vec![-20_000, 10_000, 30_000]), 4)),
            5..60,
        ),
        keep in 1_usize..40,
        score in prop::sample::select(Score::ALL.to_vec()),
        constrained in any::<bool>(),
        from in prop::option::of((0..4_usize, 0..9_usize, 0..2_usize)),
    ) {
        let space = space();
        let book = book(&space, &signals);
        let window = book.window(Day(0)..Day(40));
        let sweep = sweep_window(&window);
        let constraints: Vec<Constraint> =
            if constrained { vec!["win_rate>0.3".parse().expect("sound")] } else { Vec::new() };
        let around = Circumstances { candidates: signals.len(), days: 40, trades_min: 3, position_ratio: 0.2 };
        let reach = from.map(|(rule, cell, steps)| space.within(rule, cell, steps));
        let objective = Objective { score, by: RankBy::Peak, constraints: &constraints, around, reach };
        let ranking = rank_sets(&sweep, &space, &objective, keep);

        let mut all = Vec::new();
        for rule in 0..space.rules().len() {
            for cell in 0..space.lattice().cells() {
                let point = sweep.point(rule, cell);
                let met = !constrained || point.win_rate().is_ok_and(|rate| rate > 0.3);
                if let (true, Ok(value)) = (met, score.value(point, &around)) {
                    all.push((value, point.trades, rule, cell));
                }
            }
        }
        all.sort_by(|a, b| b.0.total_cmp(&a.0).then(b.1.cmp(&a.1)).then((a.2, a.3).cmp(&(b.2, b.3))));
        prop_assert_eq!(ranking.rated, all.len());
        let found: Vec<_> = ranking.top.iter().map(|t| (t.score, t.trades, t.rule, t.cell)).collect();
        // Two values of each exit axis, three levels of each dimension.
        let near = |rule: usize, cell: usize| {
            let Some((from_rule, from_cell, steps)) = from else { return true };
            let (own, other) = (&space.rules()[from_rule], &space.rules()[rule]);
            let same_exits = own.take_profit_atr == other.take_profit_atr && own.hold_hours == other.hold_hours;
            let level = |cell, d| space.lattice().level(cell, d);
            (steps > 0 || same_exits) && (0..2).all(|d| level(cell, d).abs_diff(level(from_cell, d)) <= steps)
        };
        let within: Vec<_> = all.iter().filter(|t| near(t.2, t.3)).copied().collect();
        prop_assert_eq!(found, within[..keep.min(within.len())].to_vec());

        // By plateau: sound ones first, then those that earn, then the higher ground.
        let grid = space.neighbourhood();
        let mut scores = vec![f64::NAN; grid.points()];
        all.iter().for_each(|(score, _, rule, cell)| scores[grid.point(*rule, *cell)] = *score);
        let landscape = SmoothedGrid::new(grid, scores, Smoothing::Twice);
        let mut within = within;
        let ground = |t: &(f64, u32, usize, usize)| {
            let at = landscape.grid().point(t.2, t.3);
            let point = sweep.point(t.2, t.3);
            let sound = landscape.is_sound(at);
            (sound, sound || point.win_ppm + point.loss_ppm > 0, landscape.smoothed(at).expect("a score"))
        };
        within.sort_by(|a, b| {
            let ((sound, earns, height), (other_sound, other_earns, other_height)) = (ground(a), ground(b));
            other_sound.cmp(&sound).then(other_earns.cmp(&earns)).then(other_height.total_cmp(&height))
                .then(b.1.cmp(&a.1)).then((a.2, a.3).cmp(&(b.2, b.3)))
        });
        let by_plateau = rank_sets(&sweep, &space, &Objective { by: RankBy::Plateau, ..objective.clone() }, keep);
        let found: Vec<_> = by_plateau.top.iter().map(|t| (t.score, t.trades, t.rule, t.cell)).collect();
        prop_assert_eq!(found, within[..keep.min(within.len())].to_vec());
        prop_assert_eq!((by_plateau.rated, &by_plateau.importances), (ranking.rated, &ranking.importances));

        // The first filter dimension, by plain means.
        let mean = |level: usize| {
            let scores: Vec<f64> =
                all.iter().filter(|t| space.lattice().level(t.3, 0) == level).map(|t| t.0).collect();
            (!scores.is_empty()).then(|| scores.iter().sum::<f64>() / scores.len() as f64)
        };
        let means: Vec<f64> = (0..3).filter_map(mean).collect();
        let wanted = means.iter().copied().reduce(f64::max).zip(means.iter().copied().reduce(f64::min));
        let axis = ranking.importances.iter().find(|axis| axis.key == "a");
        prop_assert_eq!(axis.is_some(), wanted.is_some());
        if let (Some(axis), Some((best, worst))) = (axis, wanted) {
            prop_assert!((axis.effect - (best - worst)).abs() < 1e-9, "{} is not {}", axis.effect, best - worst);
            prop_assert!((0.0..=1.0).contains(&axis.share));
        }

        // Every surface, by plain means of the sets that stand on both levels.
        for surface in &ranking.surfaces {
            let level = |key: &str, rule: usize, cell: usize| {
                let shown = retune::decide::key_values(&space.set(rule, cell));
                shown.into_iter().find(|(known, _)| known == key).expect("an axis of the space").1
            };
            for (place, mean) in surface.mean.iter().enumerate() {
                let (down, across) = (place / surface.x_levels.len(), place % surface.x_levels.len());
                let here: Vec<f64> = all
                    .iter()
                    .filter(|t| level(&surface.x, t.2, t.3) == surface.x_levels[across])
                    .filter(|t| level(&surface.y, t.2, t.3) == surface.y_levels[down])
                    .map(|t| t.0)
                    .collect();
                let wanted = (!here.is_empty()).then(|| here.iter().sum::<f64>() / here.len() as f64);
                let agree = match (mean, wanted) {
                    (Some(mean), Some(wanted)) => (mean - wanted).abs() < 1e-9,
                    (mean, wanted) => *mean == wanted,
                };
                prop_assert!(agree, "{} x {}: {mean:?} is not {wanted:?}", surface.x, surface.y);
            }
        }
        prop_assert!(!ranking.surfaces.is_empty());
    }
}

#[test]
fn a_constraint_that_means_nothing_is_refused() {
    for text in ["", "win_rate", "luck>1", "win_rate>", "win_rate>much", "win_rate>NaN"] {
        assert!(text.parse::<Constraint>().is_err(), "{text:?}");
    }
}
