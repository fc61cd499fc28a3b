#!/usr/bin/env python3
"""Spoils modes and owners. `bobbin check` finds each fault, and the commands that it gives repair the fault.

This topic needs root.

    Tests/Proof/topics/strangers/setup_check.py [--full] [--seed N]
"""

import json
import os
import pathlib
import re
import subprocess
import sys

LIB = pathlib.Path(__file__).resolve().parents[2] / "lib"
sys.path[:0] = [str(LIB), str(LIB / "faults"), str(LIB / "samples")]

import dropbox
import topic
from dropbox import BATCH_USER, DropBox
from hostile_instance import HostileInstance

ONE_COMMAND = r"(?:chmod|chown|chgrp|mkdir -p) [^;,()']*'[^']*'"
COMMAND = re.compile(rf"{ONE_COMMAND}(?: && {ONE_COMMAND})*")


def with_mode(path, mode):
    return lambda instance: os.chmod(instance.root / path, mode)


def with_owner(path, user=0, group=0, mode=None):
    def spoil(instance):
        os.chown(instance.root / path, user, group)
        if mode is not None:
            os.chmod(instance.root / path, mode)

    return spoil


SPOILED = {
    "a spool that everybody may write to": with_mode("spool", 0o777),
    "a spool that a group may write to, without the sticky bit": with_mode("spool", 0o775),
    "a spool that belongs to root": with_owner("spool"),
    "a spool that belongs to another user": with_owner("spool", dropbox.MALLORY, dropbox.MALLORY),
    "a spool that the batch may not list": with_mode("spool", 0o355),
    "a running/ that everybody may write to": with_mode("spool/running", 0o777),
    "a done/ that a group may write to": with_mode("spool/done", 0o770),
    "a done/ of the submitters' group": with_owner("spool/done", BATCH_USER, dropbox.SUBMITTERS, 0o2770),
    "a running/ of root": with_owner("spool/running"),
    "a logs/ of root": with_owner("spool/logs"),
    "a rejected/ of another user": with_owner("spool/rejected", dropbox.MALLORY, dropbox.MALLORY),
    "a history of root": with_owner("spool/history.jsonl", mode=0o600),
    "a history that everybody may write to": with_mode("spool/history.jsonl", 0o666),
    "ids of root": with_owner("spool/.history-id", mode=0o600),
    "a lock that everybody may take": with_mode("spool/scheduler.lock", 0o666),
    "a lock that everybody may read": with_mode("spool/scheduler.lock", 0o644),
    "a lock of root": with_owner("spool/scheduler.lock", mode=0o600),
    "a library of root": with_owner("library"),
    "a library that everybody may write to": with_mode("library", 0o777),
    "a configuration that everybody may write to": with_mode("etc/bobbin.json5", 0o666),
    "a configuration that a group may write to": with_owner("etc/bobbin.json5", BATCH_USER, dropbox.SUBMITTERS, 0o664),
    "a configuration in a directory that everybody may write to": with_mode("etc", 0o777),
    "a program that everybody may write to": with_mode("etc/handlers/note", 0o777),
    "programs in a directory that everybody may write to": with_mode("etc/handlers", 0o777),
    "a program that is not executable": with_mode("etc/handlers/note", 0o644),
}


def check_spoiled(report, label, spoil):
    with HostileInstance() as instance:
        instance.copy_program()
        instance.give_to(BATCH_USER)
        # A run that finds nothing to do leaves no history.
        instance.drop("before.json", "1")
        instance.as_user(BATCH_USER, "run", "--spool-only")
        clean = instance.as_user(BATCH_USER, "check", "--json")
        if clean.status != 0:
            report.check(False, f"`bobbin check` accepts the instance before there is {label}", clean.describe())
            return
        spoil(instance)
        result_of_check = instance.as_user(BATCH_USER, "check", "--json")
        problems = json.loads(result_of_check.out)["problems"] if result_of_check.out else []
        report.check(
            result_of_check.ended_by_itself
            and result_of_check.status != 0
            and problems
            and all(problem["remedy"] for problem in problems),
            f"`bobbin check` finds {label}, and says what to do",
            result_of_check.describe(),
        )
        commands = [command for problem in problems for command in COMMAND.findall(problem["remedy"])[:1]]
        for command in commands:
            subprocess.run(["sh", "-c", command], check=False, capture_output=True)
        repaired = instance.as_user(BATCH_USER, "check", "--json")
        report.check(
            commands and repaired.status == 0,
            f"the commands of `bobbin check` repair {label}",
            [*commands, repaired.describe(), result_of_check.out],
        )
        instance.drop("after.json", "1")
        instance.oracle.note_clean_run()
        result = instance.as_user(BATCH_USER, "run", "--spool-only")
        report.check(result.status == 0, f"a run works after the repair of {label}", result.describe())


def main():
    _, report = topic.begin(__doc__)
    report.require_root()
    for label, spoil in SPOILED.items():
        check_spoiled(report, label, spoil)
    with DropBox() as box:
        box.run_batch()
        result = box.as_user(BATCH_USER, "check", "--json")
        report.check(result.status == 0, "`bobbin check` accepts a correct drop box", result.describe())
    report.figure(f"{len(SPOILED)} wrong modes and owners found and repaired")
    report.finish()


if __name__ == "__main__":
    main()
