"""Outcomes, folders, files and names in a spool, as spool/README.md documents them.

Every other module takes them from here: a new outcome or folder is added only in this file.
"""

import dataclasses
import os
import re


@dataclasses.dataclass(frozen=True)
class Outcome:
    """The folder in which a trigger with this outcome ends.

    - has_result: the folder holds a result document. Otherwise the trigger was retired without being executed, and the
      folder holds the trigger's own file.
    """

    folder: str
    has_result: bool


OUTCOMES = {
    "succeeded": Outcome("done", has_result=True),
    "failed": Outcome("failed", has_result=True),
    "timed_out": Outcome("failed", has_result=True),
    "interrupted": Outcome("failed", has_result=True),
    "expired": Outcome("expired", has_result=False),
    "rejected": Outcome("rejected", has_result=False),
    "cancelled": Outcome("cancelled", has_result=False),
}

FINAL_FOLDERS = tuple(dict.fromkeys(outcome.folder for outcome in OUTCOMES.values()))
RESULT_FOLDERS = tuple(dict.fromkeys(outcome.folder for outcome in OUTCOMES.values() if outcome.has_result))
RETIRED_FOLDERS = tuple(folder for folder in FINAL_FOLDERS if folder not in RESULT_FOLDERS)
# The only folder whose results state success.
SUCCESS_FOLDER = OUTCOMES["succeeded"].folder

# Everything that Bobbin makes in a spool.
FOLDERS = ("running", *FINAL_FOLDERS, "logs", "channels", "state")
HISTORY = "history.jsonl"
ROTATED_HISTORY = "history.jsonl.1"
SCHEDULER_LOCK = "scheduler.lock"
FILES = (HISTORY, ROTATED_HISTORY, ".history-id", SCHEDULER_LOCK)

# For regular expressions: any one of the final folders.
ANY_FINAL_FOLDER = f"(?:{'|'.join(FINAL_FOLDERS)})"

# Names that `bobbin trigger` generates.
GENERATED_NAME = re.compile(rb"\d{8}T\d{6}\.\d{6}Z-\d+\.json")
# A longer name is cut to be claimed, and its trigger is rejected.
LONGEST_CLAIMED_NAME = 231


def as_bytes(name):
    return name if isinstance(name, bytes) else os.fsencode(name)


def is_trigger(name):
    """Whether Bobbin takes a file of this name, given as bytes, for a trigger."""
    return name.endswith(b".json") and not name.startswith(b".") and len(name) > len(b".json")
