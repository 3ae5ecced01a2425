#!/usr/bin/env python3
"""Writes every entry that a freqtrade strategy could have taken, with its indicator columns, as a CSV for `optimizer --signals`.

    python freqtrade_entries.py -c config.json -s MyStrategy --userdir user_data --timerange 20250101- -o entries.csv

It runs inside the environment of freqtrade, on candles that are in user_data/data; it trades nothing and asks no exchange.
`freqtrade backtesting --export signals` will not do: it has the entries that the old parameters took, without their side.

What is to be tuned has to be let through: a threshold that the strategy compares an indicator with is made loose, and the indicator is a
column to filter on.

    --loosen '{"buy": {"buy_rsi": 60}}'      sets strategy.buy_rsi.value before entries are looked for

Columns: pair, time (when the candle of the signal had closed), direction, exit_time (when the strategy's exit signal was known, if it
gives any), enter_tag, and every indicator that is a number.
"""

import argparse
import bisect
import csv
import json
import math
import os
import sys
from datetime import timezone

# Columns with a meaning of their own, and those that freqtrade adds in place while it looks for the size of a tick.
NO_INDICATORS = {
    "date", "open", "high", "low", "close", "volume",
    "enter_long", "enter_short", "exit_long", "exit_short", "enter_tag", "exit_tag",
    "open_count", "high_count", "low_count", "close_count", "max_count",
}  # fmt: skip
# Names that the optimizer reads as something else.
TAKEN = {"pair", "symbol", "time", "timestamp", "open_time", "close_time", "direction", "side", "style", "atr", "exit_time"}
UNITS = {"m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
SIDES = (("long", "enter_long", "exit_long", "enter_short"), ("short", "enter_short", "exit_short", "enter_long"))


def timeframe_ms(timeframe):
    """Returns the length of a candle such as 5m or 1h."""
    if timeframe[-1:] not in UNITS or not timeframe[:-1].isdigit():
        sys.exit(f"the strategy's timeframe: expected 5m, 1h, 1d and the like, found {timeframe!r}")
    return int(timeframe[:-1]) * UNITS[timeframe[-1]]


def instant_ms(date):
    """Returns a date of a frame as UTC milliseconds; without a zone it is UTC."""
    if date.tzinfo is None:
        date = date.replace(tzinfo=timezone.utc)
    return round(date.timestamp() * 1000)


def is_set(row, column):
    """Returns whether a flag of a row is 1; nothing and NaN are not."""
    value = row.get(column)
    return value is not None and value == 1


def number(value):
    """Returns a number as text, nothing for what is missing, None for what is no number."""
    if value is None:
        return ""
    if isinstance(value, str) or not hasattr(value, "__float__"):
        return None
    value = float(value)
    return repr(value) if math.isfinite(value) else ""


def loosen(strategy, text):
    """Sets parameters of a strategy, as {"space": {"name": value}} or {"name": value}."""
    given = json.loads(text)
    flat = {}
    for name, value in given.items():
        flat.update(value if isinstance(value, dict) else {name: value})
    for name, value in flat.items():
        parameter = getattr(strategy, name, None)
        if not hasattr(parameter, "value"):
            known = sorted(key for key in dir(strategy) if hasattr(getattr(strategy, key, None), "value"))
            sys.exit(f"--loosen: expected a parameter of the strategy ({', '.join(known)}), found {name!r}")
        parameter.value = value


def entries_of(pair, frame, length_ms, startup):
    """Yields the entries of a pair, as dictionaries of text."""
    rows = frame.to_dict("records")
    exits = {side: [instant_ms(row["date"]) for row in rows if is_set(row, flag)] for side, _, flag, _ in SIDES}
    for place, row in enumerate(rows):
        if place < startup:
            continue
        for side, enter, leave, other in SIDES:
            # As freqtrade has it: both sides at once, or an exit beside the entry, enter nothing.
            if not is_set(row, enter) or is_set(row, other) or is_set(row, leave):
                continue
            opened = instant_ms(row["date"])
            later = bisect.bisect_right(exits[side], opened)
            entry = {"pair": pair, "time": str(opened + length_ms), "direction": side}
            entry["exit_time"] = str(exits[side][later] + length_ms) if later < len(exits[side]) else ""
            tag = row.get("enter_tag")
            entry["enter_tag"] = tag if isinstance(tag, str) else ""
            for column, value in row.items():
                text = None if column in NO_INDICATORS else number(value)
                if text is not None:
                    entry[f"own_{column}" if column in TAKEN else column] = text
            yield entry


def write(entries, path):
    """Writes entries with the columns that hold anything, whole or not at all."""
    entries.sort(key=lambda entry: (int(entry["time"]), entry["pair"], entry["direction"]))
    columns = list(dict.fromkeys(column for entry in entries for column in entry))
    kept = [column for column in columns if any(entry.get(column) for entry in entries)]
    beside = f"{path}.tmp"
    with open(beside, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, kept, restval="", extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(entries)
    os.replace(beside, path)
    return kept


def main(argv):
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("-c", "--config", action="append", required=True, help="configuration of freqtrade; repeatable")
    options.add_argument("-s", "--strategy", required=True, help="class of the strategy")
    options.add_argument("--userdir", default="user_data")
    options.add_argument("--timerange", help="as freqtrade takes it, e.g. 20250101-20250630")
    options.add_argument("--loosen", help='parameters to set, as JSON: {"buy": {"buy_rsi": 60}}')
    options.add_argument("-o", "--output", required=True, help="CSV to write")
    asked = options.parse_args(argv)

    from freqtrade.configuration import Configuration
    from freqtrade.enums import RunMode
    from freqtrade.optimize.backtesting import Backtesting

    arguments = {
        "config": asked.config,
        "strategy": asked.strategy,
        "user_data_dir": asked.userdir,
        "timerange": asked.timerange,
        "command": "backtesting",
        "export": "none",
        "backtest_cache": "none",
    }
    backtesting = Backtesting(Configuration(arguments, RunMode.BACKTEST).get_config())
    strategy = backtesting.strategylist[0]
    backtesting._set_strategy(strategy)
    strategy.ft_bot_start()
    if asked.loosen:
        loosen(strategy, asked.loosen)
    length_ms, startup = timeframe_ms(strategy.timeframe), int(getattr(strategy, "startup_candle_count", 0))
    data, _ = backtesting.load_bt_data()
    entries = []
    for pair, frame in strategy.advise_all_indicators(data).items():
        frame = strategy.ft_advise_signals(frame.copy(), {"pair": pair})
        entries.extend(entries_of(pair, frame, length_ms, startup))
    if not entries:
        sys.exit("expected entries, found none: loosen the strategy (--loosen), or look at --timerange and the candles")
    columns = write(entries, asked.output)
    pairs = len({entry["pair"] for entry in entries})
    print(f"{len(entries)} entries of {pairs} pairs in {asked.output}, columns {', '.join(columns)}", file=sys.stderr)


if __name__ == "__main__":
    main(sys.argv[1:])
