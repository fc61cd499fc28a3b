#!/usr/bin/env python3
"""Drops triggers with odd names: bytes that are not text, that control a terminal, or that resemble something else.

Each trigger is found, run and recorded under its own bytes, and is shown without anything unsafe for a terminal.

    Tests/Proof/topics/input/trigger_names.py [--full] [--seed N]
"""

import base64
import json
import os
import pathlib
import stat
import subprocess
import sys

LIB = pathlib.Path(__file__).resolve().parents[2] / "lib"
sys.path[:0] = [str(LIB), str(LIB / "faults"), str(LIB / "samples")]

import layout
import topic
from hostile_instance import UNSAFE_FOR_TERMINAL, HostileInstance, check_after_run, check_before_run, on_terminal
from name_samples import IGNORED, NAMES
from processes import Result, wait_for


def is_text(name):
    try:
        name.decode()
    except UnicodeDecodeError:
        return False
    return True


def outcomes_for(name, content):
    """The outcomes that are right for a trigger of that name."""
    if name.startswith((b"0000", b"20260131")):
        return ("expired",) if content else ("expired", "rejected")
    if len(name) > layout.LONGEST_CLAIMED_NAME:
        return ("rejected",)
    return ("succeeded",) if content else ("failed", "rejected", "succeeded")


def check_names(report, content, where):
    with HostileInstance() as instance:
        for name in NAMES.values():
            instance.put(name, content)
        for name in IGNORED:
            with open(instance.path(name), "wb") as file:
                file.write(b"1")
        check_before_run(report, instance, where)
        result = instance.clean_run()
        report.check(result.status in (0, 1), f"{where}: the run ends with 0 or 1", result.describe()[-2000:])
        for described, name in NAMES.items():
            record = instance.record(name)
            outcomes = outcomes_for(name, content)
            report.check(
                record["outcome"] in outcomes,
                f"{where}: the trigger named {described} is recorded under its own bytes, as {' or '.join(outcomes)}",
                f"{name!r}: {record}",
            )
        report.check(
            all(os.path.exists(instance.path(name)) for name in IGNORED),
            f"{where}: files that are not triggers stay where they are",
        )
        raw = [json.loads(line) for line in open(instance.history_path, "rb")]
        encoded = {base64.b64decode(record["trigger_b64"]) for record in raw if record.get("trigger_b64")}
        invalid = {name for name in NAMES.values() if not is_text(name)}
        report.check(
            encoded == invalid,
            f"{where}: only records of names that are not UTF-8 have trigger_b64, with the bytes of the name",
            f"{encoded ^ invalid}",
        )
        report.check(not list(instance.root.rglob("pwned")), f"{where}: names are not executed")
        check_after_run(report, instance, where)


def check_taken_names(report):
    """Checks names that are already taken in the folder into which a trigger is moved."""
    with HostileInstance() as instance:
        long = b"l" * 250 + b".json"
        instance.bobbin("run", "--spool-only")
        for taken in (b"same.json", b"same.json.3", long):
            with open(instance.in_folder("rejected", taken), "wb") as file:
                file.write(b"earlier")
        for number in range(3):
            instance.put(b"same.json", b"no trigger %d" % number)
            instance.put(long, b"1")
            instance.clean_run()
        folder = instance.spool / "rejected"
        report.check(
            {path.name: path.read_bytes() for path in folder.glob("same*")}
            == {
                "same.json": b"earlier",
                "same.json.2": b"no trigger 0",
                "same.json.3": b"earlier",
                "same.json.4": b"no trigger 1",
                "same.json.5": b"no trigger 2",
            },
            "a name that is taken in rejected/ gets the next free number, and nothing is replaced",
            sorted(path.name for path in folder.glob("same*")),
        )
        cut = {name for name in os.listdir(os.fsencode(folder)) if name.startswith(b"lll")}
        report.check(
            cut == {long, long[:253] + b".2", long[:253] + b".3", long[:253] + b".4"},
            "a name of 255 bytes is cut to make room for the number",
            map(repr, cut),
        )
        instance.put("1.json")
        os.mkdir(instance.in_folder("rejected", "fifo.json"))
        os.mkfifo(instance.path("fifo.json"))
        instance.expect("fifo.json")
        instance.clean_run()
        report.check(
            stat.S_ISFIFO(os.stat(instance.in_folder("rejected", "fifo.json.2")).st_mode),
            "a name that a directory has taken in rejected/ also gets a number",
        )


def check_safe_on_terminal(report, instance, arguments, when):
    shown = on_terminal(instance, *arguments)
    report.check(
        shown and not UNSAFE_FOR_TERMINAL.search(shown),
        f"`bobbin {' '.join(arguments)}` does not write anything unsafe to a terminal {when}",
        repr(shown[:400]),
    )


def check_while_running(report):
    """Checks how a hostile name is shown while its job runs, and how the job's own output is shown."""
    shouting = b"shout-\n\xff.json"
    with HostileInstance() as instance:
        instance.put(NAMES["ESC"], b"5")
        instance.put(shouting, b"4")
        instance.put(b"zz\r\xe2\x80\xae.json", b"no trigger \x1b[2J")
        running = instance.start("run", "--spool-only", "--json")
        report.check(instance.wait_for_held_job(), "the job of a trigger with a hostile name runs")
        wait_for(lambda: "job " in instance.bobbin("status").out, 5)
        for arguments in (("status",), ("status", "--json"), ("queue",), ("run", "--wait", "1ms"), ("trigger", "note")):
            check_safe_on_terminal(report, instance, arguments, "while a job with a hostile name runs")
        for name in instance.pending():
            if layout.GENERATED_NAME.fullmatch(name):
                instance.expect(name)
        instance.release_jobs()
        out, err = running.communicate(timeout=60)
        instance.results.append(Result(0, out.decode(), err.decode()))
        record = instance.record(shouting)
        report.check(
            "red" in str(record["error_message"]),
            "the record of a job has the line that the job wrote to standard error",
            str(record),
        )
        log = ("log", str(record.get("id")))
        for arguments in (log, ("history",), ("history", "--json"), ("status",)):
            check_safe_on_terminal(report, instance, arguments, "after a job with a hostile name")
        raw = subprocess.run(instance.command(*log), capture_output=True, check=False).stdout
        report.check(b"\x1b]0;owned\x07" in raw, "`bobbin log` writes the job's unchanged output to a pipe", repr(raw))
        for name in (NAMES["ESC"], NAMES["composed"]):
            instance.put(name, b"1")
            result = instance.bobbin("cancel", os.fsdecode(name))
            report.check(
                result.status == 0 and instance.outcome(name) == "cancelled",
                f"`bobbin cancel` accepts {name!r}",
                result.describe(),
            )
        result = instance.bobbin("trigger", "note", "--user", "\x1b[31m\u202e")
        report.check(
            result.status == 64, "`bobbin trigger` rejects a user that is unsafe for a terminal", result.describe()
        )
        instance.clean_run()
        instance.oracle.expected.clear()
        problems = instance.problems_of_output()
        report.check(not problems, "every event of a run with hostile names is one line", problems)


def main():
    _, report = topic.begin(__doc__)
    check_names(report, b"1", "with a channel inside")
    check_names(report, b"", "with empty files")
    check_taken_names(report)
    check_while_running(report)
    report.figure(f"{len(NAMES)} names, each with content and empty")
    report.finish()


if __name__ == "__main__":
    main()
