#!/usr/bin/env python3
"""`bobbin check` finds wrong modes and owners and says how to mend them; doing what it says mends them. Needs root.

Tests/Proof/topics/setup_check.py [--full] [--seed N]
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

import dropbox
import harness
import hostile_instance as odd


ONE_COMMAND = r"(?:chmod|chown|chgrp|mkdir -p) [^;,()']*'[^']*'"
COMMAND = re.compile(rf"{ONE_COMMAND}(?: && {ONE_COMMAND})*")


def spoil_modes(path, mode):
    return lambda instance: os.chmod(instance.root / path, mode)


def spoil_owner(path, user=0, group=0, mode=None):
    def spoil(instance):
        os.chown(instance.root / path, user, group)
        if mode is not None:
            os.chmod(instance.root / path, mode)

    return spoil


def drop_box_of_folders(instance):
    os.chown(instance.spool / "done", odd.BATCH, dropbox.SUBMITTERS)
    os.chmod(instance.spool / "done", 0o2770)


SPOILED = {
    "a spool that everybody may write to": spoil_modes("spool", 0o777),
    "a spool that a group may write to, without the sticky bit": spoil_modes("spool", 0o775),
    "a spool that belongs to root": spoil_owner("spool"),
    "a spool that belongs to another user": spoil_owner("spool", dropbox.MALLORY, dropbox.MALLORY),
    "a spool that the batch may not list": spoil_modes("spool", 0o355),
    "a running/ that everybody may write to": spoil_modes("spool/running", 0o777),
    "a done/ that a group may write to": spoil_modes("spool/done", 0o770),
    "a done/ of the submitters' group": drop_box_of_folders,
    "a running/ of root": spoil_owner("spool/running"),
    "a logs/ of root": spoil_owner("spool/logs"),
    "a rejected/ of another user": spoil_owner("spool/rejected", dropbox.MALLORY, dropbox.MALLORY),
    "a history of root": spoil_owner("spool/history.jsonl", mode=0o600),
    "a history that everybody may write to": spoil_modes("spool/history.jsonl", 0o666),
    "ids of root": spoil_owner("spool/.history-id", mode=0o600),
    "a lock that everybody may take": spoil_modes("spool/scheduler.lock", 0o666),
    "a lock that everybody may read": spoil_modes("spool/scheduler.lock", 0o644),
    "a lock of root": spoil_owner("spool/scheduler.lock", mode=0o600),
    "a library of root": spoil_owner("library"),
    "a library that everybody may write to": spoil_modes("library", 0o777),
    "a configuration that everybody may write to": spoil_modes("etc/bobbin.json5", 0o666),
    "a configuration that a group may write to": spoil_owner("etc/bobbin.json5", odd.BATCH, dropbox.SUBMITTERS, 0o664),
    "a configuration in a directory that everybody may write to": spoil_modes("etc", 0o777),
    "a program that everybody may write to": spoil_modes("etc/handlers/note", 0o777),
    "programs in a directory that everybody may write to": spoil_modes("etc/handlers", 0o777),
    "a program that is not executable": spoil_modes("etc/handlers/note", 0o644),
}


def checking(report):
    for label, spoil in SPOILED.items():
        with odd.Instance() as instance:
            instance.program_for_all()
            instance.owned_by(odd.BATCH)
            instance.as_user(odd.BATCH, "run", "--spool-only")
            clean = instance.as_user(odd.BATCH, "check", "--json")
            if clean.status != 0:
                report.check(False, f"check, {label}: nothing to say before", clean.describe())
                continue
            spoil(instance)
            found = instance.as_user(odd.BATCH, "check", "--json")
            problems = json.loads(found.out)["problems"] if found.out else []
            report.check(
                found.status not in (0, None)
                and found.status < 128
                and problems
                and all(problem["remedy"] for problem in problems),
                f"check finds {label}, and says what to do",
                found.describe(),
            )
            commands = [command for problem in problems for command in COMMAND.findall(problem["remedy"])[:1]]
            for command in commands:
                subprocess.run(["sh", "-c", command], check=False, capture_output=True)
            mended = instance.as_user(odd.BATCH, "check", "--json")
            report.check(
                commands and mended.status == 0,
                f"and doing that mends {label}",
                [*commands, mended.describe(), found.out],
            )
            instance.drop("after.json", "1")
            instance.clean_run_began = time.time()
            result = instance.as_user(odd.BATCH, "run", "--spool-only")
            report.check(result.status == 0, f"a run works after that: {label}", result.describe())
    with dropbox.DropBox() as box:
        box.run_batch("--spool-only")
        result = box.as_user(odd.BATCH, "check", "--json")
        report.check(result.status == 0, "check has nothing to say about a drop box as it should be", result.describe())
    report.figure(f"{len(SPOILED)} wrong modes and owners found and mended")


def main():
    harness.options("setup_check", __doc__)
    report = harness.Report("setup_check")
    if os.geteuid() != 0:
        report.check(False, "needs root, to be several users")
        report.finish()
    checking(report)
    report.finish()


if __name__ == "__main__":
    main()
