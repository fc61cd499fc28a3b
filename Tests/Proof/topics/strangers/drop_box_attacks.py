#!/usr/bin/env python3
"""Plants files in a drop box, under Bobbin's own names before Bobbin makes them, and links to other places.

The batch does not read or write in other places because of them, does not disclose or believe anything, and is not kept
from working. This topic needs root.

    Tests/Proof/topics/strangers/drop_box_attacks.py [--full] [--seed N]
"""

import json
import os
import pathlib
import shlex
import signal
import subprocess
import sys
import time

LIB = pathlib.Path(__file__).resolve().parents[2] / "lib"
sys.path[:0] = [str(LIB), str(LIB / "faults"), str(LIB / "samples")]

import layout
import topic
from dropbox import ANNA, MALLORY, SUBMITTERS, DropBox
from hostile_instance import BATCH_USER
from processes import Result, become

# The kinds of entries that an attacker can make.
KINDS = (
    "a directory",
    "a file",
    "a FIFO",
    "a link to a directory",
    "a link to a file",
    "a dangling link",
    "a hard link",
)
# The commands that a submitter must not be able to run afterwards.
FORBIDDEN = (
    "ls $S/done",
    "cat $S/history.jsonl",
    "flock -n $S/scheduler.lock true",
    "ls $S/running",
    "ls $S/logs",
)


# --- Bobbin's own names.


def plant(kind, box, name):
    """Lets the attacker make a file under one of Bobbin's names. Returns the file or directory that must not change."""
    target = box.lair / "target"
    if kind == "a directory":
        box.shell(MALLORY, f"mkdir -m 777 $S/{name}")
        return box.spool / name
    if kind == "a file":
        box.shell(MALLORY, f"echo mallory >$S/{name}; chmod 666 $S/{name}")
    elif kind == "a FIFO":
        box.shell(MALLORY, f"mkfifo -m 666 $S/{name}")
    elif kind == "a link to a directory":
        box.shell(MALLORY, f"mkdir -m 777 $LAIR/target; ln -s $LAIR/target $S/{name}")
    elif kind == "a link to a file":
        target.write_text("valuable")
        os.chown(target, BATCH_USER, BATCH_USER)
        box.shell(MALLORY, f"ln -s $LAIR/target $S/{name}")
    elif kind == "a dangling link":
        box.lair.chmod(0o777)
        box.shell(MALLORY, f"ln -s $LAIR/target $S/{name}")
    elif kind == "a hard link":
        # An attacker can make a hard link if fs.protected_hardlinks is 0, or to their own file.
        target.write_text("valuable")
        os.chown(target, BATCH_USER, BATCH_USER)
        os.link(target, box.spool / name)
    return target


def problems_of_planted(kind, name):
    """The problems of a run that finds a planted file under one of Bobbin's names."""
    with DropBox() as box:
        target = plant(kind, box, name)
        original = target.lstat() if os.path.lexists(target) else None
        box.shell(ANNA, "echo 1 >$S/anna.json; echo not a trigger >$S/junk.json")
        box.expect("anna.json")
        box.expect("junk.json")
        box.drop("old.json", "1", age=7200)
        result = box.run_batch(timeout=20)
        if result.status != 0:
            return [result.describe()]
        problems = box.oracle.violations()
        is_used = name != layout.ROTATED_HISTORY
        if is_used and "made by somebody else" not in result.err:
            problems.append(f"no warning\n{result.err}")
        if kind in ("a link to a file", "a hard link") and target.read_text() != "valuable":
            problems.append(f"written through the link: {target.read_text()[:200]}")
        if kind == "a dangling link" and os.path.lexists(target):
            problems.append("made through the link")
        if kind == "a link to a directory" and os.listdir(target):
            problems.append(f"written into the directory: {os.listdir(target)}")
        if is_used:
            status = (box.spool / name).lstat()
            is_original = original is not None and status.st_ino == original.st_ino
            if status.st_uid != BATCH_USER or status.st_mode & 0o027 or is_original:
                problems.append(f"now {oct(status.st_mode)} of {status.st_uid}")
        for attempt in FORBIDDEN:
            if box.shell(MALLORY, attempt).returncode == 0:
                problems.append(f"{attempt} is allowed")
        return problems


def check_own_names(report):
    """Checks each of Bobbin's names with each kind of file, planted before the first run or after logrotate."""
    count = 0
    for name in (*layout.FOLDERS, *layout.FILES):
        problems = []
        for kind in KINDS:
            count += 1
            problems += [f"{kind} named {name}: {problem}" for problem in problems_of_planted(kind, name)]
        report.check(
            not problems,
            f"a batch sets aside {len(KINDS)} kinds of a planted {name}, and nothing is read, written or blocked",
            problems,
        )
    with DropBox() as box:
        box.shell(
            MALLORY,
            "mkdir -m 777 $S/.bobbin-1 $S/.foreign-running $S/.foreign-running.2 $S/running; touch $S/.bobbin-2; "
            "ln -s /etc/passwd $S/.bobbin-3",
        )
        box.shell(ANNA, "echo 1 >$S/anna.json")
        box.expect("anna.json")
        result = box.run_batch()
        os.utime(box.spool / ".bobbin-2", (1, 1))
        pruned = box.as_user(BATCH_USER, "prune")
        report.check(
            result.status == 0 and pruned.status == 0 and box.outcome("anna.json") == "succeeded",
            "planted names of temporary files and of files set aside do not block anything",
            result.describe() + pruned.describe(),
        )
    report.figure(f"{count} of Bobbin's names taken first by others")


# --- The history, after logrotate has moved it away.


def check_planted_history(report):
    with DropBox() as box:
        box.run_batch()
        rotated = box.spool / layout.ROTATED_HISTORY
        rotated.touch(0o640)
        os.chown(rotated, BATCH_USER, BATCH_USER)
        box.shell(MALLORY, "touch $S/history.jsonl; chmod 666 $S/history.jsonl; exec 3<$S/history.jsonl")
        box.shell(ANNA, "echo 1 >$S/anna.json")
        box.expect("anna.json")
        result = box.run_batch()
        report.check(
            result.status == 0 and box.history_path.stat().st_uid == BATCH_USER,
            "a batch does not write to a history that a submitter began after rotation",
            result.describe(),
        )
        report.check_oracle(box, "a batch begins its own history instead of a planted history")


def check_forged_history(report):
    """Checks an old history with false records that a submitter made."""
    with DropBox() as box:
        # A run that finds nothing to do leaves no history.
        box.shell(ANNA, "echo 1 >$S/first.json")
        box.expect("first.json")
        box.run_batch()
        box.shell(ANNA, "echo 5 >$S/anna.json")
        box.expect("anna.json")
        running = box.start_batch()
        box.wait_for_held_job()
        running.kill()
        running.communicate()
        box.release_jobs()
        forged = {
            "id": box.claims()[0].id,
            "run": 1,
            "kind": "manual",
            "channel_id": 5,
            "channel": "hold",
            "trigger": "anna.json",
            "finished_at": "2026-01-01T00:00:00Z",
            "outcome": "succeeded",
        }
        far = {**forged, "id": 9_223_372_036_854_775_807, "run": 9_223_372_036_854_775_807}
        text = "".join(json.dumps(record, separators=(",", ":")) + "\n" for record in (forged, far))
        box.shell(MALLORY, f"printf %s {shlex.quote(text)} >$S/{layout.ROTATED_HISTORY}")
        box.wait_until_idle()
        box.note_fault()
        result = box.run_batch()
        report.check(
            result.status == 0 and box.ledger()[b"anna.json"] == 2 and box.record("anna.json")["attempt"] == 2,
            "a forged old history does not make a job that a crash cut short look finished",
            result.describe(),
        )
        report.check_oracle(box, "a forged old history does not change the ids that follow")


# --- Links.

# Repeatedly replaces triggers with links to the secret and back.
SWAPPER = """
import os, sys
spool, secret, flag = sys.argv[1:]
n = 0
while not os.path.exists(flag):
    n += 1
    temporary, name = spool + "/.a%d" % (n % 7), spool + "/swap%d.json" % (n % 3)
    try:
        if n % 2:
            os.symlink(secret, temporary)
        else:
            with open(temporary, "w") as file:
                file.write('{"channel_id":1}')
        os.rename(temporary, name)
    except OSError:
        pass
"""


def check_links(report, seconds):
    """Checks links under triggers' names, including links that change while the batch reads them."""
    with DropBox() as box:
        secret = os.fsdecode(box.write_secret())
        os.chown(secret, BATCH_USER, BATCH_USER)
        os.chmod(secret, 0o600)
        box.shell(
            MALLORY,
            f"ln -s {secret} $S/link.json; ln -s ../done $S/folder.json; "
            "ln -s ../etc/bobbin.json5 $S/configuration.json",
        )
        for name in ("link.json", "folder.json", "configuration.json"):
            box.expect(name)
        box.run_batch()
        places = box.places_of_secret()
        report.check(not places, "a batch does not read a link to a file that only the batch's user may read", places)
        report.check_oracle(box, "links are rejected and not lost")
        statuses = run_while_swapping(box, secret, seconds)
        report.check(
            statuses <= {0, 1, 143},
            "every run ends as documented while triggers change into links and back",
            str(statuses),
        )
        places = box.places_of_secret()
        report.check(not places, "a batch does not read the secret while triggers change into links and back", places)
        result = box.run_batch()
        report.check(
            result.status == 0 and not box.pending() and not list((box.spool / "running").iterdir()),
            "the last run does not leave anything pending or claimed",
            result.describe(),
        )
        # A record with `requeued` is not final, because its job was stopped together with its run.
        records = [
            record
            for record in box.records()
            if record["name"] and record["name"].startswith(b"swap") and not record.get("requeued")
        ]
        outcomes = {record["outcome"] for record in records}
        report.check(outcomes == {"succeeded", "rejected"}, "links were rejected and files were run", str(outcomes))
        reasons = {record["error_message"] for record in records if record["outcome"] == "rejected"}
        report.check(reasons <= {"a symbolic link"}, "only links were rejected", str(reasons))
        report.figure(f"{len(records)} triggers exchanged for links while the batch read them, and back")


def run_while_swapping(box, secret, seconds):
    """Runs the batch repeatedly while a submitter swaps triggers for links; returns the exit statuses."""
    command = [*become(MALLORY, [SUBMITTERS]), "python3", "-c", SWAPPER]
    swapping = subprocess.Popen([*command, str(box.spool), secret, str(box.root / "release")])
    deadline = time.monotonic() + seconds
    statuses = set()
    while time.monotonic() < deadline:
        statuses.add(bounded_run(box, 2))
    box.release_jobs()
    swapping.wait(30)
    return statuses


def bounded_run(box, seconds):
    """Makes a run that is asked to stop after some time, because triggers may come faster than it processes them."""
    process = box.start("run", "--spool-only", "--quiet", prefix=become(BATCH_USER), stdout=subprocess.DEVNULL)
    try:
        _, err = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=60)
    box.results.append(Result(process.returncode, "", err.decode(errors="backslashreplace")))
    return process.returncode


def main():
    options, report = topic.begin(__doc__)
    report.require_root()
    check_own_names(report)
    check_planted_history(report)
    check_forged_history(report)
    check_links(report, 60 if options.full else 4)
    report.finish()


if __name__ == "__main__":
    main()
