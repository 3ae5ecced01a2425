//! Words that the program prints, one meaning each: the table that the glossary page is made of.

/// The words, in the groups of the page: the word as it is printed, and its meaning in the field's terms.
pub const GLOSSARY: [(&str, &[(&str, &str)]); 12] = [
    (
        "Objects",
        &[
            ("parameter set", "One value for every exit level and filter of a style; what a bot trades by."),
            (
                "trial",
                "The evaluation of a parameter set on the days that choose: its metrics and its score.",
            ),
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
            (
                "in-sample",
                "On the days that choose: all of them, or with `decide.require = \"stable\"` the first 70 % (IS).",
            ),
            (
                "out-of-sample",
                "On days without a say in the choice: with `stable` the last 30 % (OOS), else the folds of the cross-fit.",
            ),
            ("first days", "The first 70 % of the window; where all days choose, a description only."),
            ("last days", "The last 30 % of the window; where all days choose, a description only."),
            (
                "purge gap",
                "Days beside those that judge, as long as the longest holding time, that count in neither part.",
            ),
            (
                "EDGE",
                "The question whether there is anything in the whole grid at all, after costs and everything tried.",
            ),
            (
                "CANDIDATE",
                "The question whether the rule of choice shares in it: what it earned on days it did not know.",
            ),
            ("SWITCH", "The question whether that is better than what is active, on the same days."),
            ("VETOES", "What forbids a candidate whatever the answers say; no evidence against an edge."),
            (
                "cell column",
                "The mean of the standardised day returns of a filter cell's exit rules; what EDGE tests.",
            ),
            (
                "cross-fit",
                "Choosing again without each fifth of the days, by the same rule, and measuring on it.",
            ),
            (
                "gate",
                "The greatest p-value with which a decision adopts; lower than that of a word after the first look.",
            ),
            (
                "look",
                "A run that tests a style; the first of a profile is held to another gate than later ones.",
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
                "neighbours",
                "The sets one step away on one axis; the default ranks by a score plus half their mean.",
            ),
            (
                "smoothed score",
                "The mean of the scores around a parameter set on the grid; isolated optima lose by it.",
            ),
            (
                "isolated optimum",
                "A set whose neighbours on the grid keep less than half of its Sharpe ratio.",
            ),
            (
                "effective number of trades",
                "What overlapping trades are worth as independent ones (average uniqueness).",
            ),
            (
                "rank correlation",
                "Spearman's correlation of two orders of the same sets; 1.00 is the same order.",
            ),
            (
                "deflated Sharpe ratio",
                "The probability that a true Sharpe ratio exceeds what noise over all tries reaches on average.",
            ),
            (
                "probability of overfitting",
                "Share of the halves of the days whose best trial is in the lower half on the other days (PBO).",
            ),
            (
                "search",
                "Trials of one optimizer on the same data: a file that `judge` reads; several of them are one choice.",
            ),
            (
                "space size",
                "The parameter sets that a sampler could have tried: the product of the levels of all parameters.",
            ),
            (
                "expected Sharpe after selection",
                "The yearly Sharpe ratio that choosing earned on days it did not know (cross-fit); at most the candidate's own.",
            ),
        ],
    ),
    (
        "Words of a verdict",
        &[
            ("PASSED", "Verdict: holds up on the last days."),
            ("WARNING", "Verdict: holds up on the last days, with losses against the first."),
            ("UNSTABLE", "Verdict: loses most of its first result on the last days."),
            ("OVERFITTED", "Verdict: return and win rate both fall on the last days."),
            ("FAILED", "Verdict: loses on the last days."),
            ("SKIPPED", "Verdict: too few trades to judge."),
            (
                "REAL",
                "Significance: beyond what noise explains at one look, p of at most 0.03 over at least 120 days.",
            ),
            ("PROMISING", "Significance: better than noise most of the time, p of at most 0.1."),
            ("UNPROVEN", "Significance: neither noise nor proof."),
            (
                "LIKELY_LUCK",
                "Significance: noise does as well, p of at least 0.5, or above 0.1 while the cross-fit loses.",
            ),
            ("NOT_ENOUGH_DATA", "Significance: fewer than 60 days, 40 days with trades, or 100 trades."),
            ("UNTESTED", "Significance: the tests were left out (`--quick`)."),
        ],
    ),
    (
        "Conditions that were not met, and vetoes",
        &[
            ("QUICK", "The tests against luck were left out."),
            ("EVIDENCE", "Fewer days or trades than a test needs."),
            ("FRAGILE_COST", "Costs a quarter higher would take the profit."),
            ("FRAGILE_INTRABAR", "It loses when the stop comes first in candles that held both levels."),
            ("LUCK", "The p-value of EDGE or SWITCH is above 0.03."),
            ("CROSS_FIT", "Choosing without some of the days did not earn enough on them."),
            ("WALK_FORWARD", "Of older runs: walk-forward re-optimisation did not pay."),
            (
                "CROSS_VALIDATION",
                "Of older runs: the best set of one half of the days often loses on the other half.",
            ),
            ("ISOLATED_OPTIMUM", "The neighbours on the grid keep less than half of its Sharpe ratio."),
            ("DECAY", "Since it is active the evidence against it has grown to what a test at 5 % needs."),
            ("OVERLAP", "Traded with limits on positions, it is something else than by independent trades."),
        ],
    ),
    (
        "Results and decisions",
        &[
            ("changed", "Result of a run: at least one style has other parameters, or none (exit 10)."),
            ("unchanged", "Result, or decision: nothing to change (exit 0)."),
            (
                "not_convincing",
                "Result, or decision: a better candidate, forbidden or not significant enough for a change (exit 11).",
            ),
            (
                "rejected",
                "Result, or decision: every candidate is likely luck, or failed out of sample (exit 12).",
            ),
            ("adopted", "Decision: the candidate replaces the active parameters."),
            (
                "restored",
                "Decision: the active parameters decay, and those before them are active again (exit 10).",
            ),
            (
                "withdrawn",
                "Decision: nothing is active any more, since the parameters decay or somebody went back to none (exit 10).",
            ),
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
        "How a trade was closed",
        &[
            ("take_profit", "The take-profit was traded through."),
            ("stop", "The stop was touched."),
            ("stop_gap", "A candle opened beyond the stop; filled at that open."),
            ("time", "The longest holding time was over."),
            ("trailing_stop", "The trailing stop was touched."),
            ("break_even", "The stop was touched after it had been moved to the entry price."),
            ("volume_surge", "A candle against the position closed on a surge of volume."),
            ("data_end", "The next candle is missing; closed at the last close before it."),
            ("roi", "The target in force of the staircase was traded through."),
            ("roi_step", "A step of the staircase came into force at an open beyond its target."),
            ("exit_signal", "The time of the given signal's own exit was there."),
        ],
    ),
    (
        "Issues of the data",
        &[
            ("bad_row", "Rows that cannot be read; left out."),
            ("impossible_candle", "Candles that cannot be, such as a high below the low; left out."),
            ("other_symbol", "Rows of another symbol; left out."),
            ("no_candle", "Rows with a time and without any price; left out."),
            ("misaligned", "Candles whose open time is no multiple of the interval; left out."),
            ("unfinished", "Candles that had not closed when they were written; left out."),
            ("future", "Candles that begin after the instant of the run; left out."),
            (
                "partial_last_line",
                "A last line that ends in the middle, or may do so; left out until it is ended.",
            ),
            ("unended_last_line", "A last line without a newline that other candles prove whole; kept."),
            (
                "widened",
                "Candles whose open or close lay a tick outside high and low; kept, the range that wide.",
            ),
            ("unknown_volume", "Candles without a volume among others that have one; kept with volume 0."),
            ("from_close_time", "Open times that were computed from close times."),
            ("column_order", "Rows without a header whose columns are in another order, as all rows show."),
            ("comment", "Lines that are no data, such as titles and repeated headers."),
            ("out_of_order", "Rows older than the row before them."),
            ("duplicate", "Rows, or signals, equal to an earlier one; counted once."),
            ("replaced", "Rows that replaced a different one of their time, as `--on-conflict last` asks."),
            ("finished_later", "Rows that replaced the one before, written before its candle was finished."),
            ("gap", "Candles that are missing between the first and the last; nothing is filled."),
            (
                "scale_change",
                "Candles from which on the price is counted in another scale; nothing is read across.",
            ),
            (
                "flat_candle",
                "Candles put where one was omitted because nothing was traded (`empty_candles`).",
            ),
            ("zero_volume", "Candles in stretches without volume."),
            ("no_volume", "Files without a column for the volume, which counts as 0."),
            ("other_layout", "Rows of market snapshots in the columns of another writer."),
            ("incomplete_bucket", "Candles that were not built because finer ones are missing."),
            (
                "overlap_differs",
                "Times for which two intervals give different prices; the coarser one counts.",
            ),
            ("identical_file", "Files of other symbols with the same bytes."),
            ("nothing_entered", "Rows of given signals whose flags enter nothing; left out."),
            ("stopped", "A symbol without candles for a week while others go on."),
            ("short_history", "Too few candles for the averages to warm up: no signals yet."),
        ],
    ),
    (
        "Methods of `validate`",
        &[
            (
                "account",
                "Falls of the account, the loss on the worst twentieth of the days, days below a peak.",
            ),
            ("dependence", "How many independent days the days are worth, by their autocorrelation."),
            ("intervals", "90 % intervals of the stationary bootstrap, not corrected for the choice."),
            (
                "sharpe_difference",
                "Candidate against the active set (Ledoit-Wolf), before tries are counted.",
            ),
            (
                "haircut",
                "What of the Sharpe ratio would be left if all tries had been independent, and the years they need.",
            ),
            ("left_out", "What is left without its best symbol, and without its best days."),
            ("plateau", "How much of its score the neighbours of the candidate keep."),
            ("overlap", "What overlapping trades are worth as independent ones."),
            ("also_real", "Sets that stand out from noise with all of them counted (Romano-Wolf)."),
            ("indistinguishable", "Sets that cannot be told from the best."),
            (
                "adjusted",
                "What is left of the Sharpe ratio by five ways to adjust for all sets as separate tests.",
            ),
            ("histories", "Combinatorial cross-validation: histories put together from days left out."),
            ("all_halves", "Where the best set of one half of the days stands in the other (CSCV, PBO)."),
            ("effective_tries", "How many independent tries the sets act like; a diagnosis only."),
            ("placebo", "The same search with shuffled filters."),
            ("chosen_again", "Walk-forward re-optimisation by the rule of the search."),
        ],
    ),
    (
        "Titles of lists",
        &[
            ("Axis", "An exit level or a filter of the space."),
            (
                "Best - worst",
                "Difference between the mean scores of the best and the worst value of an axis.",
            ),
            ("Closed by", "The end of the candle in which a trade was closed."),
            ("Entry", "The open at which a trade is entered."),
            ("Exit", "Why a trade was closed; see How a trade was closed."),
            ("Gross %", "Result before all costs, of the entry price."),
            (
                "In portfolio",
                "Whether the portfolio simulation takes the trade; other positions may be in its way.",
            ),
            ("Net %", "Result after all costs, of the entry price."),
            ("Setup", "The pattern at the entry, or that the signal was given."),
            ("Side", "long or short."),
            ("Best set", "The value that the best set has on the axis."),
            ("Candidate", "The value that the candidate has on the axis."),
            ("Best value", "The value of the axis with the highest mean score."),
            ("Candles", "Candles at the base interval."),
            ("Days", "Symbol-days of a symbol that a run counts."),
            ("Difference", "New less old."),
            ("Evaluated", "Symbol-days that were evaluated."),
            ("Files read", "How much of a symbol's files was read: all, their growth, or nothing."),
            ("Key", "Name of a parameter, a setting or a figure."),
            ("Kind", "Whether an axis is an exit level or a filter."),
            ("Last day", "The last day with candles."),
            ("Lesson", "What several runs saw."),
            ("New", "The value afterwards, or of the second run."),
            ("Old", "The value before, or of the first run."),
            ("Parameter", "An exit level or a filter."),
            ("Part of the signal score", "A term of the score of a signal."),
            ("Rank", "Place among the trials, 1 is first."),
            ("Reason", "Why it is so."),
            ("Result", "How a run ended."),
            ("Reused", "Symbol-days whose stored result still held."),
            ("Run", "Number of a run in its profile."),
            ("Scope", "A style, or a style and a symbol with parameters of its own."),
            ("Searched", "The values that the search tried."),
            ("Section", "Part of a run that is compared."),
            ("Share %", "Importance of an axis, as a share of that of all."),
            ("Since", "When the parameters became active; UTC."),
            ("Style", "`scalping` or `swing`."),
            ("Symbol", "A market, such as BTCUSDT."),
            ("Symbols", "Number of symbols."),
            ("Ties", "Sets with the same trades, of which the first is shown."),
            ("Values", "All values of an axis."),
            ("Verdict", "The verdict of a style: its last days against its first."),
            ("Weight", "Weight of a term of the signal score."),
            ("When", "Start of the run, or when something changed; UTC."),
            ("ms", "Wall time; milliseconds."),
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
            ("elapsed", "Wall time; milliseconds."),
            ("stale", "Symbols whose candles are old, or end long before the others'."),
            ("clock", "Present where the clock of the machine cannot be believed."),
            (
                "significance",
                "How sure one can be of the adopted candidate, else of the best one: a word as of EDGE.",
            ),
            ("verdict", "The worst verdict of the styles, on the last days."),
            ("expected_peak_rss", "Of a dry run: estimated peak memory; MiB."),
            ("expected_elapsed", "Of a dry run: estimated wall time; milliseconds."),
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
    let mut page = "# Glossary\n\nWords that the program prints, one meaning each. Made from `src/documents/glossary.rs`; a test keeps it \
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
