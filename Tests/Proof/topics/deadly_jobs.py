#!/usr/bin/env python3
"""A job that kills the batch, each time it is tried.

It is tried `max_attempts` times in all, each time with its number, then failed as interrupted; with "rerun": false
once. What stands before and after it in the spool is carried out all the same, and is not failed for it.
"""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

import harness


# How a job gets its batch killed. $PPID is the batch, which starts a job without anything in between.
WAYS = {
    "at once": "kill -KILL $PPID\n",
    "after a while": "sleep 0.15\nkill -KILL $PPID\n",
    "from a child": "(kill -KILL $PPID) &\nwait\n",
    "and goes on for a while": "kill -KILL $PPID\nsleep 0.2\n",
    "with a signal that leaves a core": "kill -SEGV $PPID\nsleep 0.2\n",
    "by stopping it first": "kill -STOP $PPID\nsleep 0.05\nkill -KILL $PPID\n",
}
NEIGHBOURS = (b"a-before.json", b"b-before.json", b"z-after.json")


def channels(rerun):
    return (
        {"id": 1, "name": "note", "command": ["handlers/note"]},
        {"id": 2, "name": "poison", "command": ["handlers/poison"], "rerun": rerun},
    )


def attempts_in_ledger(instance, name):
    """The attempts' numbers, as the jobs were told them."""
    lines = [line.split(b"\t") for line in instance.ledger_path.read_bytes().splitlines()]
    return [int(line[2]) for line in lines if line[0] == name]


def try_poison(report, way, text, rerun, max_attempts):
    with harness.Instance(
        channels(rerun), handlers={"poison": harness.NOTE + text}, max_attempts=max_attempts
    ) as instance:
        for name in NEIGHBOURS:
            instance.drop(name, "1")
        instance.drop("m-poison.json", '"poison"', once=not rerun)
        wanted = max_attempts if rerun else 1
        deaths = 0
        results = []
        # One more than is right, so that too many are seen.
        for _ in range(max_attempts + 2):
            instance.wait_until_idle()
            result = instance.bobbin("run", "--spool-only")
            results.append(result.describe())
            if result.status is None or result.status >= 0:
                break
            deaths += 1
            instance.note_fault()
        instance.clean_run()
        description = f"killed {way}, {f'at most {max_attempts} attempts' if rerun else 'rerun: false'}"
        record = [record for record in instance.records() if record["name"] == b"m-poison.json"]
        seen = (
            deaths,
            attempts_in_ledger(instance, b"m-poison.json"),
            [(one["outcome"], one["attempt"]) for one in record],
        )
        expected = (wanted, list(range(1, wanted + 1)), [("interrupted", wanted)])
        report.check(seen == expected, f"{description}: tried {wanted} times", [f"{seen} != {expected}", *results])
        report.check_oracle(instance, f"{description}: the oracle", *results)
        # They were done, so they are not failed for what another job does; unless nothing may be repeated at all.
        if max_attempts > 1:
            outcomes = {record["outcome"] for record in instance.records() if record["name"] in NEIGHBOURS}
            report.check(outcomes == {"succeeded"}, f"{description}: its neighbours succeed", [outcomes, *results])
        return deaths


def main():
    options = harness.options("deadly_jobs", __doc__)
    report = harness.Report("deadly_jobs")
    deaths = 0
    limits = (1, 2, 3, 5) if options.full else (1, 3)
    for way, text in WAYS.items():
        for max_attempts in limits:
            deaths += try_poison(report, way, text, True, max_attempts)
        deaths += try_poison(report, way, text, False, 3)
    report.figure(f"{deaths} batches killed by their own jobs")
    report.finish()


if __name__ == "__main__":
    main()
