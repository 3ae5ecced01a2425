//! The table of metrics: what each is called, how it is kept and how it is shown.
//!
//! `for_every_metric` is the list. `metric_struct` makes a struct with a field for every entry: the stored form
//! (`store/records/metrics.rs`), and what tables and listings read. A metric more is an entry at the end of the list with its
//! computation in [`super::metrics::Metrics`], and [`METRICS_VERSION`] one higher.

/// The version of the table; part of the version of every record that holds metrics, and of remembered answers.
pub const METRICS_VERSION: u16 = 1;

/// How a number is written for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricForm {
    /// A share 0..=1, as percent.
    Share,
    /// In the unit of its name, with so many decimals.
    Decimals(usize),
}

/// The tables that show a metric without being asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricTables {
    /// The narrow listing, and the table of results.
    Both,
    /// The table of results.
    Results,
    /// None: a wide listing, CSV and documents have it.
    Wide,
}

/// Where a struct has a metric, and how it is written.
#[derive(Debug, Clone, Copy)]
pub enum MetricField<T> {
    /// A count, always defined.
    Count(fn(&T) -> u64, fn(&mut T) -> &mut u64),
    /// A number that may be undefined.
    Number(fn(&T) -> Option<f64>, fn(&mut T) -> &mut Option<f64>, MetricForm),
}

/// An entry of the table, as a struct has it.
#[derive(Debug, Clone, Copy)]
pub struct MetricEntry<T> {
    /// Name in the store and in documents.
    pub key: &'static str,
    /// Head of its column.
    pub title: &'static str,
    /// Which tables show it.
    pub tables: MetricTables,
    /// Place among the columns of a listing.
    pub column: usize,
    /// Its field.
    pub field: MetricField<T>,
}

/// Calls a macro with every metric, in the order of documents: what it means, its field in [`super::metrics::Metrics`], kind,
/// title, the tables that show it, and its place among columns.
macro_rules! for_every_metric {
    ($with:ident $($of:tt)*) => { $with! {
        { $($of)* }
        /// Closed trades.
        trades: Count "Trades", Both, 0;
        /// Winning share of the trades, 0..=1.
        win_rate: Share "Win %", Both, 1;
        /// Mean net return of a trade in percent.
        expectancy_pct: Decimals(3) "Avg %", Both, 2;
        /// Mean net return of the winners in percent.
        avg_win_pct: Decimals(3) "Avg win %", Wide, 8;
        /// Mean net return of the losers in percent.
        avg_loss_pct: Decimals(3) "Avg loss %", Wide, 9;
        /// Mean win over mean loss.
        payoff_ratio: Decimals(2) "Payoff", Results, 7;
        /// Sum of wins over sum of losses.
        profit_factor: Decimals(2) "PF", Both, 3;
        /// Sum of net returns in percent.
        total_return_pct: Decimals(1) "Total %", Both, 4;
        /// Deepest fall of the summed net returns in percent.
        max_drawdown_pct: Decimals(1) "Drawdown %", Both, 5;
        /// Sharpe ratio of daily net returns.
        sharpe_daily: Decimals(3) "Sharpe/day", Results, 6;
        /// Sum of net returns in percent when the favourable extreme of each exit candle comes first.
        best_case_return_pct: Decimals(1) "Best case %", Wide, 10;
        /// Sum of returns before costs in percent.
        gross_return_pct: Decimals(1) "Gross %", Wide, 11;
        /// Mean holding time in hours.
        avg_hold_hours: Decimals(1) "Hold h", Wide, 12;
        /// Share of the candidates that pass the filters, 0..=1.
        taken_share: Share "Taken %", Wide, 13;
        /// Share of the opportunities that were taken, 0..=1.
        capture_rate: Share "Capture %", Results, 14;
        /// Share of the taken signals that were opportunities, 0..=1.
        capture_precision: Share "Precision %", Wide, 15;
        /// Precision over that of taking everything.
        capture_lift: Decimals(2) "Lift", Wide, 16;
        /// Trades whose fill depends on the order of extremes inside the exit candle.
        ambiguous_exits: Count "Ambiguous", Wide, 17;
    } };
}
pub(crate) use for_every_metric;

/// Makes a struct of every metric, with its table.
macro_rules! metric_struct {
    (
        { $(#[$attribute:meta])+ $name:ident }
        $($(#[$doc:meta])+ $field:ident: $kind:ident $(($places:literal))? $title:literal, $tables:ident, $column:literal;)+
    ) => {
        $(#[$attribute])+
        pub struct $name {
            $($(#[$doc])+ pub $field: $crate::evaluate::metric_table::metric_struct!(@type $kind),)+
        }

        impl $name {
            /// Every metric, in the order of documents.
            pub const METRICS: [$crate::evaluate::metric_table::MetricEntry<Self>; [$(stringify!($field)),+].len()] =
                [$($crate::evaluate::metric_table::MetricEntry {
                    key: stringify!($field),
                    title: $title,
                    tables: $crate::evaluate::metric_table::MetricTables::$tables,
                    column: $column,
                    field: $crate::evaluate::metric_table::metric_struct!(@field $field $kind $($places)?),
                }),+];
        }

        impl From<&$crate::evaluate::metrics::Metrics> for $name {
            /// Returns the metrics; undefined becomes nothing.
            fn from(metrics: &$crate::evaluate::metrics::Metrics) -> Self {
                Self { $($field: $crate::evaluate::metric_table::metric_struct!(@value $kind, metrics.$field),)+ }
            }
        }
    };
    (@type Count) => { u64 };
    (@type $number:ident) => { Option<f64> };
    (@value Count, $value:expr) => { $value };
    (@value $number:ident, $value:expr) => { $value.ok() };
    (@field $field:ident Count) => {
        $crate::evaluate::metric_table::MetricField::Count(|of| of.$field, |of| &mut of.$field)
    };
    (@field $field:ident $form:ident $($places:literal)?) => {
        $crate::evaluate::metric_table::MetricField::Number(
            |of| of.$field,
            |of| &mut of.$field,
            $crate::evaluate::metric_table::MetricForm::$form $(($places))?,
        )
    };
}
pub(crate) use metric_struct;
