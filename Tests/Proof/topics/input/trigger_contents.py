#!/usr/bin/env python3
"""Drops triggers with odd contents. Each has the documented outcome, and nothing crashes.

    Tests/Proof/topics/input/trigger_contents.py [--full] [--seed N]
"""

import os
import pathlib
import sys

LIB = pathlib.Path(__file__).resolve().parents[2] / "lib"
sys.path[:0] = [str(LIB), str(LIB / "faults"), str(LIB / "samples")]

import layout
import topic
from content_samples import CONTENTS
from hostile_instance import HostileInstance, check_after_run, check_before_run

ANY_OUTCOME = ("succeeded", "failed", "rejected", "expired")


def check_content(report, instance, name, label, content, right):
    """right: the right outcome or outcomes; None allows every outcome."""
    record = instance.record(name)
    outcomes = (right,) if isinstance(right, str) else right or ANY_OUTCOME
    report.check(
        record["outcome"] in outcomes, f"a trigger that holds {label} ends as {' or '.join(outcomes)}", str(record)
    )
    if record["outcome"] in ("rejected", "expired"):
        moved = instance.in_folder(layout.OUTCOMES[record["outcome"]].folder, name)
        report.check(
            os.path.exists(moved) and open(moved, "rb").read() == content,
            f"a retired trigger that holds {label} is kept unchanged",
        )


def check_contents(report):
    names = {label: f"{number:03}.json" for number, label in enumerate(CONTENTS)}
    with HostileInstance() as instance:
        for label, (content, _) in CONTENTS.items():
            instance.put(names[label], content)
        instance.put("zz-last.json", b"1")
        check_before_run(report, instance, "with odd contents")
        result = instance.clean_run()
        report.check(result.status == 1, "a run over every content ends with 1", result.describe()[-2000:])
        for label, (content, right) in CONTENTS.items():
            check_content(report, instance, names[label], label, content, right)
        report.check(instance.outcome("zz-last.json") == "succeeded", "the trigger after all odd contents is run")
        report.check(not list(instance.root.rglob("pwned")), "content that reads like a command is not executed")
        check_after_run(report, instance, "with odd contents")


def main():
    _, report = topic.begin(__doc__)
    check_contents(report)
    report.figure(f"{len(CONTENTS)} contents")
    report.finish()


if __name__ == "__main__":
    main()
