//! Where the candidate stands in its grid, and what its trades are worth.

use super::{MethodFinding, Subject};
use crate::decide::key_values;
use crate::evaluate::outcome_table::Window;
use crate::evaluate::replay::{Pick, taken_signals};
use crate::evaluate::sweep::sweep_window;
use crate::evaluate::uniqueness::effective_trades;
use crate::search::plateau::{SmoothedGrid, Smoothing};
use crate::validate::sharpe::DAYS_PER_YEAR;

/// Compares the candidate with the top of the smoothed grid.
pub(super) fn plateau_finding(subject: &Subject<'_>, window: &Window<'_>) -> Option<MethodFinding> {
    let space = &subject.style.space;
    let grid = space.neighbourhood();
    let sweep = sweep_window(window);
    let score = |at: usize| {
        let (rule, cell) = grid.place(at);
        let point = sweep.point(rule, cell);
        let sharpe = point.sharpe_daily(window.day_count()).ok();
        sharpe.filter(|_| point.trades >= subject.plan.search.trades_min).unwrap_or(f64::NAN)
    };
    let scores = (0..grid.points()).map(score).collect();
    let landscape = SmoothedGrid::new(grid, scores, Smoothing::Twice);
    let year = DAYS_PER_YEAR.sqrt();
    let row = |name: &str, point: usize| {
        let (known, all) = landscape.neighbours(point);
        let values = vec![
            landscape.score(point).map(|score| score * year),
            landscape.smoothed(point).map(|score| score * year),
            landscape.ratio(point),
            Some(f64::from(known) / f64::from(all.max(1))),
        ];
        (name.to_owned(), values)
    };
    let (rule, cell) = subject.place;
    let own = landscape.grid().point(rule, cell);
    let mut rows = vec![row("candidate", own)];
    let (known, all) = landscape.neighbours(own);
    let kept = match landscape.ratio(own) {
        None => "it has no score to compare its neighbours with".to_owned(),
        Some(_) if 2 * known < all => "most of its neighbours trade too rarely to tell".to_owned(),
        Some(ratio) if ratio <= 0.0 => "its neighbours lose: a spike".to_owned(),
        Some(ratio) => format!(
            "its neighbours keep {:.0} % of its score: a {}",
            100.0 * ratio,
            if landscape.is_sound(own) { "plateau" } else { "spike" }
        ),
    };
    let top = match landscape.plateau() {
        None => "; no set of the grid stands on a plateau".to_owned(),
        Some(top) if top == own => "; no plateau is higher".to_owned(),
        Some(top) => {
            rows.push(row("highest plateau", top));
            let (rule, cell) = landscape.grid().place(top);
            let theirs = key_values(&space.set(rule, cell));
            let own = key_values(&space.set(subject.place.0, subject.place.1));
            let other = theirs.iter().filter(|pair| !own.contains(pair));
            let words: Vec<String> = other.map(|(key, value)| format!("{key}={value}")).collect();
            format!("; the highest plateau has {}", words.join(" "))
        }
    };
    let columns = ["sharpe", "smoothed", "neighbours_keep", "neighbours_known"];
    Some(MethodFinding::new("plateau", &columns, rows, format!("{kept}{top}")))
}

/// Counts the candidate's trades as what they are worth when they are open at the same time.
pub(super) fn overlap_finding(subject: &Subject<'_>, window: &Window<'_>) -> MethodFinding {
    let book = window.book;
    let (rule, cell) = subject.place;
    let levels = book.lattice().levels(cell);
    let taken = taken_signals(window, Pick { rule, levels: Some(&levels) });
    let effective = effective_trades(book, rule, &taken, subject.plan.interval.ms());
    let trades = taken.len();
    let share = (trades > 0).then(|| effective / trades as f64);
    let row = ("candidate".to_owned(), vec![Some(trades as f64), Some(effective), share]);
    let sentence =
        format!("its {trades} trades overlap within a symbol: they are worth {effective:.0} on their own");
    MethodFinding::new("overlap", &["trades", "effective_trades", "share"], vec![row], sentence)
}
