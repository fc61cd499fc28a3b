"""The channels of a plain instance, and the handlers of their jobs."""

import re

# A job that only notes in the ledger that it was executed. printf writes the line with one call, so that lines of
# several jobs do not mix. Every job of a trigger must have a claim; a job without a claim says so in another file.
NOTE = r"""#!/bin/sh
printf '%s\t%s\t%s\t%s\n' "$BOBBIN_TRIGGER" "$BOBBIN_HISTORY_ID" "$BOBBIN_ATTEMPT" "$BOBBIN_CHANNEL" >>'{ledger}'
if [ "$BOBBIN_KIND" = manual ]; then
    set -- '{root}'/spool/running/*/"$BOBBIN_HISTORY_ID".*
    [ -e "$1" ] || printf '%s %s\n' "$BOBBIN_HISTORY_ID" "$BOBBIN_TRIGGER" >>'{root}/unclaimed'
fi
"""
# Waits until `Instance.release_jobs`, or for a minute, so that a job does not outlive the proof for long.
HOLD = """: >'{root}/holding'
i=0
while [ ! -e '{root}/release' ] && [ $i -lt 1200 ]; do sleep 0.05; i=$((i + 1)); done
"""
HANDLERS = {
    "note": NOTE + "echo item\n",
    "fail": NOTE + "exit 3\n",
    "hold": NOTE + HOLD + "echo item\n",
}

NOTE_CHANNEL = {"id": 1, "name": "note", "command": ["handlers/note"]}
HOLD_CHANNEL = {"id": 5, "name": "hold", "command": ["handlers/hold"]}
# The channel `once` must never be executed again.
CHANNELS = (
    NOTE_CHANNEL,
    {"id": 2, "name": "once", "command": ["handlers/note"], "rerun": False},
    {"id": 3, "name": "fail", "command": ["handlers/fail"]},
)

# Characters that Bobbin shows only escaped: control characters, line separators, and marks that reorder text.
ESCAPED = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")
SHORT_ESCAPES = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def name_for_jobs(name):
    """The name in $BOBBIN_TRIGGER: bytes that are not UTF-8 are replaced, unsafe characters are escaped."""
    text = name.decode(errors="replace")
    return ESCAPED.sub(lambda match: SHORT_ESCAPES.get(match[0]) or f"\\u{{{ord(match[0]):x}}}", text).encode()
