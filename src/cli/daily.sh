#!/bin/sh
# The whole day, made by `optimizer init` and yours to edit: fetch candles, tune, tell what came of it (see [notify]), and
# write the bot's file when parameters changed. For cron or systemd: what needs a person stands on stderr and in the exit
# code, which is that of `incremental` (0, 10, 11, 12 are results), 1 when the bot's file was left alone, else that of what
# failed.
optimizer() { @PROGRAM@ "$@"; }
bot=@BOT@
due=@DUE@

fetched=0
@FETCH@

ran=0
optimizer incremental -q --progress none || ran=$?
case $ran in
0 | 11 | 12) ;;
10) : > "$due" || exit 74 ;;
7) # All is done but a message is not sent, whatever came of the run.
    differs=0
    optimizer export-json --check -o "$bot" > /dev/null 2>&1 || differs=$?
    if [ "$differs" -eq 1 ]; then : > "$due" || exit 74; fi
    ;;
*) exit "$ran" ;;
esac

# What could not be written yesterday is written today.
if [ -e "$due" ]; then
    exported=0
    optimizer export-json -q -o "$bot" || exported=$?
    case $exported in
    0) rm -f "$due" ;;
    12) exit 1 ;;
    *) exit "$exported" ;;
    esac
fi

# Without fresh candles the run was one on those of yesterday.
[ "$fetched" -eq 0 ] || exit "$fetched"
exit "$ran"
