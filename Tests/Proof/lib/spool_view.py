"""The state of an instance at a given time: pending triggers, claims, records, executed jobs, held locks."""

import base64
import collections
import dataclasses
import fcntl
import json
import os
import pathlib
import re

import jobs
import layout
from processes import wait_for


@dataclasses.dataclass(frozen=True)
class Claim:
    """A file in running/: a trigger on its way from the spool to its end."""

    owner: str
    id: int
    # The number of the attempt, or the outcome that the trigger will have.
    state: str
    trigger: bytes
    path: pathlib.Path


RECORD = b'{"id":'


def is_torn(line):
    """Whether a line is a part of one record, or zeros, and has nothing of a second record."""
    if RECORD in line[1:]:
        return False
    return line.startswith(RECORD) or RECORD.startswith(line) or b"\0" in line


class SpoolView:
    """Reads the spool and the ledger of an instance."""

    def __init__(self, root):
        self.root = root
        self.spool = root / "spool"
        self.history_path = self.spool / layout.HISTORY
        self.lock_path = self.spool / layout.SCHEDULER_LOCK
        self.ledger_path = root / "ledger"

    def path(self, name):
        """The path, as bytes, of a name in the spool."""
        return os.path.join(os.fsencode(self.spool), layout.as_bytes(name))

    def in_folder(self, folder, name):
        """The path, as bytes, of a name in a folder of the spool."""
        return os.path.join(os.fsencode(self.spool / folder), layout.as_bytes(name))

    def pending(self):
        """Names of the triggers that are in the spool."""
        return sorted(filter(layout.is_trigger, os.listdir(os.fsencode(self.spool))))

    def claims(self):
        """Everything in running/ that is a claim."""
        claims = []
        for owner in sorted((self.spool / "running").glob("*")):
            try:
                names = sorted(os.listdir(os.fsencode(owner)))
            except (FileNotFoundError, NotADirectoryError):
                # RACE: the owner has ended meanwhile. Otherwise this is not an owner's folder.
                names = []
            for name in names:
                identifier, state, trigger = name.split(b".", 2)
                path = pathlib.Path(os.fsdecode(os.path.join(os.fsencode(owner), name)))
                claims.append(Claim(owner.name, int(identifier), state.decode(), trigger, path))
        return claims

    def records(self, strict=True):
        """The records of the history, each with its trigger's name as bytes under `name`.

        - strict: the history must end with a newline, and a line that does not parse must be the beginning of one
          record: a line that was torn by a crash and ended by a later run. Anything else raises ValueError. Otherwise
          every line that does not parse is skipped. Of the last line perhaps only the newline is missing.
        """
        records = []
        text = self.history_path.read_bytes() if self.history_path.exists() else b""
        *lines, rest = text.split(b"\n")
        if strict and rest:
            raise ValueError(f"the history does not end with a newline: {rest[-80:]!r}")
        for line in filter(None, [*lines, rest]):
            try:
                record = json.loads(line)
            except ValueError:
                if strict and not is_torn(line):
                    raise ValueError(f"a line of the history is not JSON: {line[:200]!r}") from None
                continue
            if record.get("trigger_b64"):
                record["name"] = base64.b64decode(record["trigger_b64"])
            else:
                record["name"] = record["trigger"].encode() if record.get("trigger") is not None else None
            records.append(record)
        return records

    def final_records(self, name):
        """The records of a trigger, except those of attempts after which it was requeued."""
        name = layout.as_bytes(name)
        return [record for record in self.records() if record["name"] == name and not record.get("requeued")]

    def outcomes_and_attempts(self, name):
        return [(record["outcome"], record["attempt"]) for record in self.final_records(name)]

    def ledger(self):
        """How often each trigger was executed. Scheduled jobs count under the empty name.

        A name that is not UTF-8 reaches its job with replacement characters; see `name_in_ledger`.
        """
        entries = re.finditer(rb"(.*?)\t\d+\t\d+\t[^\t\n]*\n", self.ledger_path.read_bytes(), re.DOTALL)
        return collections.Counter(entry[1] for entry in entries)

    def name_in_ledger(self, name):
        """The name under which the ledger counts a trigger: the name that its job was given."""
        return jobs.name_for_jobs(name)

    def scheduled_jobs_in_ledger(self):
        """The history ids of the scheduled jobs that were executed."""
        entries = re.finditer(rb"^\t(\d+)\t\d+\t[^\t\n]*$", self.ledger_path.read_bytes(), re.MULTILINE)
        return {int(entry[1]) for entry in entries}

    def listing(self):
        """Every path below the spool, for the report of a failure."""
        paths = []
        for directory, _, files in os.walk(os.fsencode(self.spool)):
            relative = os.path.relpath(directory, os.fsencode(self.spool))
            paths += [os.path.join(relative, file).decode(errors="backslashreplace") for file in files]
        return sorted(paths)

    # Locks.

    def is_held(self, path):
        """Whether a process holds a lock.

        RACE: the only way to find out is to take the lock for an instant, so a run must not be active meanwhile.
        """
        try:
            with open(path, "r+b") as file:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    return True
        except FileNotFoundError:
            pass
        return False

    def held_locks(self):
        locks = [self.lock_path, *sorted((self.spool / "channels").glob("*.lock"))]
        return [lock.name for lock in locks if self.is_held(lock)]

    def wait_until_idle(self, timeout=30.0):
        """Waits until neither a killed batch nor any of its jobs holds a lock."""
        if not wait_for(lambda: not self.held_locks(), timeout):
            raise TimeoutError(f"still held: {self.held_locks()}")
