//! The words that the program prints, one meaning each: the table that the glossary page is made of.

/// Every word, in the groups of the page: the word as it is printed, and its meaning in the field's terms.
pub const GLOSSARY: [(&str, &[(&str, &str)]); 8] = [
    (
        "Objects",
        &[
            ("parameter set", "One value for every exit level and filter of a style; what a bot trades by."),
            ("trial", "The evaluation of a parameter set on the in-sample part: its metrics and its score."),
            ("candidate", "The parameter set that a run proposes: the best trial by the score that ranks."),
            (
                "active",
                "In use: the parameter set of a style that an export hands to the bot; also called the incumbent.",
            ),
            ("Active before", "The value that a parameter had before a run."),
            ("style", "One of the two strategies that are tuned apart, `scalping` and `swing`."),
            ("symbol-day", "One symbol on one UTC day: the unit of evaluation and of reuse."),
            ("signal", "An entry that a strategy proposes, derived from candles or given by the user."),
            (
                "exit rule",
                "A way to leave a position: levels for profit and loss, and the longest holding time.",
            ),
            ("opportunity", "A move that hindsight shows; it measures capture and chooses nothing."),
            ("lesson", "Something that several runs saw in the same way, kept for the bot's prompt."),
        ],
    ),
    (
        "Validation",
        &[
            ("in-sample", "The earlier 70 % of the days of the window, on which parameters are chosen (IS)."),
            ("out-of-sample", "The later 30 % of the days, on which the choice is judged (OOS)."),
            (
                "purge gap",
                "Days between the two parts, as long as the longest holding time, that count in neither.",
            ),
            (
                "walk-forward",
                "Choosing again at past dates with what was known then, and measuring what followed.",
            ),
            (
                "SPA p-value",
                "Probability that noise over all tried sets does at least as well (Hansen 2005, consistent).",
            ),
            (
                "smoothed score",
                "The mean of the scores around a parameter set on the grid; isolated optima lose by it.",
            ),
            ("isolated optimum", "A set whose neighbours on the grid keep less than half of its score."),
            (
                "effective number of trades",
                "What overlapping trades are worth as independent ones (average uniqueness).",
            ),
            (
                "rank correlation",
                "Spearman's correlation of two orders of the same sets; 1.00 is the same order.",
            ),
            (
                "expected Sharpe after selection",
                "The yearly Sharpe ratio to expect once the luck of having chosen the best of many is taken off.",
            ),
        ],
    ),
    (
        "Words of a verdict",
        &[
            ("PASSED", "Verdict: holds up out of sample."),
            ("WARNING", "Verdict: holds up out of sample, with losses against the in-sample result."),
            ("UNSTABLE", "Verdict: loses most of its in-sample result out of sample."),
            ("OVERFITTED", "Verdict: return and win rate both fall out of sample."),
            ("FAILED", "Verdict: loses out of sample."),
            ("SKIPPED", "Verdict: too few trades to judge."),
            ("REAL", "Significance: beyond what noise explains, and it held in every check."),
            ("PROMISING", "Significance: better than noise most of the time, not proven."),
            ("UNPROVEN", "Significance: neither noise nor proof."),
            ("LIKELY_LUCK", "Significance: noise does at least as well too often."),
            ("NOT_ENOUGH_DATA", "Significance: fewer than 60 days, 40 days with trades, or 100 trades."),
            ("UNTESTED", "Significance: the tests were left out (`--quick`)."),
        ],
    ),
    (
        "Conditions that were not met",
        &[
            ("QUICK", "The tests against luck were left out."),
            ("EVIDENCE", "Fewer days or trades than a test needs."),
            ("FRAGILE_COST", "Costs a quarter higher would take the profit."),
            ("FRAGILE_INTRABAR", "It loses when the stop comes first in candles that held both levels."),
            ("LUCK", "The SPA p-value is too high."),
            ("WALK_FORWARD", "Walk-forward re-optimisation did not pay."),
            ("CROSS_VALIDATION", "The best set of one half of the days often loses on the other half."),
            ("SPIKE", "An isolated optimum."),
            ("DECAY", "Since it is active the evidence against it has grown to what a test at 5 % needs."),
            ("OVERLAP", "Traded with limits on positions, it is something else than by independent trades."),
        ],
    ),
    (
        "Results and decisions",
        &[
            ("changed", "Result of a run: at least one style has new parameters (exit 10)."),
            ("unchanged", "Result, or decision: nothing to change (exit 0)."),
            (
                "not_convincing",
                "Result, or decision: a better candidate whose verdict or significance is not good enough (exit 11).",
            ),
            ("rejected", "Result, or decision: every candidate failed out of sample (exit 12)."),
            ("adopted", "Decision: the candidate replaces the active parameters."),
            ("dry_run", "Result of `incremental --dry-run`: nothing was evaluated."),
        ],
    ),
    (
        "Metrics",
        &[
            ("Trades", "Number of closed trades."),
            ("Win %", "Share of trades with a profit after costs."),
            ("Avg %", "Mean net return of a trade (expectancy), in percent of the entry price."),
            ("Payoff", "Mean profit of winners over mean loss of losers."),
            ("PF", "Profit factor: sum of profits over sum of losses."),
            ("Total %", "Sum of the net returns of all trades."),
            ("Drawdown %", "Deepest fall of the sum of net returns below its highest point."),
            ("Sharpe/day", "Mean over standard deviation of the daily sums of net returns."),
            ("Capture %", "Share of opportunities with a profitable trade in their direction."),
            ("Score", "What ranks parameter sets; which one, `[search] score` says."),
            (
                "uptrend, low volatility",
                "Days on which the regime symbol rose over its trend window, with less than median volatility.",
            ),
            ("uptrend, high volatility", "Days on which it rose, with more."),
            ("downtrend, low volatility", "Days on which it fell, with less."),
            ("downtrend, high volatility", "Days on which it fell, with more."),
            (
                "PORTFOLIO SIMULATION",
                "The candidate traded with one position per symbol and the limits of `[portfolio]`.",
            ),
            ("independent trades", "Every signal taken by itself, however many are open."),
            (
                "OPPORTUNITY CAPTURE",
                "How many opportunities by hindsight the sets traded; for people, never for a choice.",
            ),
            ("symbol_busy", "A signal lost because its symbol had an open position."),
            ("cooling_down", "A signal lost in a pause after losses."),
            ("portfolio_full", "A signal lost because the most positions were open."),
            ("day_over", "A signal lost because the day's limit of trades or losses was reached."),
        ],
    ),
    (
        "Why a symbol-day was evaluated",
        &[
            ("new", "Never evaluated before."),
            ("forced", "Asked for by `--full`."),
            ("evicted", "Its result had left the cache for others."),
            ("corrupt", "Its cached result failed its checksum."),
            ("stage_version", "A stage of this version of the program computes something else."),
            ("candles_changed", "Its candles, or those before it that it reads, changed."),
            ("later_candles_changed", "Candles after it that its trades need changed."),
            ("signals_changed", "The given signals of the day changed."),
            ("completed", "The candles that its trades waited for have come."),
            ("horizon_changed", "The longest holding time changed."),
            ("costs_changed", "Fees, slippage or funding changed."),
            ("columns_added", "Filters read columns that the cached result lacks."),
            (
                "exit_rules_added",
                "The space has exit rules that the cached result lacks; only these are evaluated.",
            ),
        ],
    ),
    (
        "Keys of the last line of a run",
        &[
            ("result", "One of the results above."),
            ("run", "Number of the run in its profile; `none` where nothing was stored."),
            ("symbols", "Symbols with candles."),
            ("units_new", "Symbol-days that were evaluated."),
            ("units_reused", "Symbol-days whose stored result still held."),
            ("peak_rss", "Peak resident memory of the process; MiB."),
            ("elapsed", "Wall time."),
            ("stale", "Symbols whose candles are old, or end long before the others'."),
            ("clock", "Present where the clock of the machine cannot be believed."),
            ("verdict", "Significance of the adopted candidate, else of the best one."),
            ("expected_peak_rss", "Of a dry run: estimated peak memory."),
            ("expected_elapsed", "Of a dry run: estimated wall time."),
        ],
    ),
];

/// Returns the meaning of a word; `None` for a word that is not in the table.
pub fn meaning_of(word: &str) -> Option<&'static str> {
    let all = GLOSSARY.iter().flat_map(|(_, words)| words.iter());
    all.copied().find(|(known, _)| *known == word).map(|(_, meaning)| meaning)
}

/// Returns the glossary as a page of Markdown.
pub fn glossary_page() -> String {
    let mut page = "# Glossary\n\nThe words that the program prints, one meaning each. Made from `src/documents/glossary.rs`; a test keeps it \
                    current.\n"
        .to_owned();
    for (group, words) in GLOSSARY {
        page += &format!("\n## {group}\n\n| word | meaning |\n|---|---|\n");
        for (word, meaning) in words {
            page += &format!("| `{word}` | {} |\n", meaning.replace('|', "\\|"));
        }
    }
    page
}
