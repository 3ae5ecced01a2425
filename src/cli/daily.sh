#!/bin/sh
# The whole day, made by `optimizer init` and yours to edit. `optimizer daily` fetches candles, tunes, writes the bot's file when
# parameters changed and tells what came of it, as [daily] and [notify] of the configuration say. For cron or systemd: what needs a
# person stands on stderr and in the exit code, which is that of the run (0, 10, 11, 12 are results), 1 when the bot's file was left
# alone, else that of what failed.
@FETCH@
exec @PROGRAM@ daily -q --progress none
