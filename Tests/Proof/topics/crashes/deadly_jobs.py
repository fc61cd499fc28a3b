#!/usr/bin/env python3
"""Runs a job that kills its batch at each attempt.

The job is tried `max_attempts` times in all, each time with the number of its attempt, and then fails as interrupted;
with "rerun": false it is tried once. The triggers before and after it in the spool are run nevertheless, and do not
fail because of it.
"""

import pathlib
import sys

LIB = pathlib.Path(__file__).resolve().parents[2] / "lib"
sys.path[:0] = [str(LIB), str(LIB / "faults"), str(LIB / "samples")]

import jobs
import topic
from instance import Instance

# How a job gets its batch killed. $PPID is the batch, which starts a job without a process in between.
WAYS = {
    "killed at once": "kill -KILL $PPID\n",
    "killed after a while": "sleep 0.15\nkill -KILL $PPID\n",
    "killed by the job's child": "(kill -KILL $PPID) &\nwait\n",
    "killed by a job that keeps running": "kill -KILL $PPID\nsleep 0.2\n",
    "killed with a signal that leaves a core": "kill -SEGV $PPID\nsleep 0.2\n",
    "stopped and then killed": "kill -STOP $PPID\nsleep 0.05\nkill -KILL $PPID\n",
}
DEADLY = b"m-deadly.json"
NEIGHBOURS = (b"a-before.json", b"b-before.json", b"z-after.json")


def channels(rerun):
    return (
        jobs.NOTE_CHANNEL,
        {"id": 2, "name": "deadly", "command": ["handlers/deadly"], "rerun": rerun},
    )


def attempts_in_ledger(instance, name):
    """The numbers of the attempts that the jobs were given."""
    lines = [line.split(b"\t") for line in instance.ledger_path.read_bytes().splitlines()]
    return [int(line[2]) for line in lines if line[0] == name]


def check_deadly_job(report, way, script, rerun, max_attempts):
    with Instance(channels(rerun), handlers={"deadly": jobs.NOTE + script}, max_attempts=max_attempts) as instance:
        for name in NEIGHBOURS:
            instance.drop(name, "1")
        instance.drop(DEADLY, '"deadly"', rerun=rerun)
        attempts = max_attempts if rerun else 1
        deaths = 0
        results = []
        # There are more runs than allowed attempts, so that an extra attempt would be noticed.
        for _ in range(max_attempts + 2):
            instance.wait_until_idle()
            result = instance.bobbin("run", "--spool-only")
            results.append(result.describe())
            if result.status is None or result.status >= 0:
                break
            deaths += 1
            instance.note_fault()
        instance.clean_run()
        batch = f"a batch that is {way}, with {f'max_attempts {max_attempts}' if rerun else 'rerun false'},"
        observed = (deaths, attempts_in_ledger(instance, DEADLY), instance.outcomes_and_attempts(DEADLY))
        expected = (attempts, list(range(1, attempts + 1)), [("interrupted", attempts)])
        report.check(
            observed == expected,
            f"{batch} makes {attempts} attempt{'s' if attempts > 1 else ''} at the job",
            [f"{observed} != {expected}", *results],
        )
        report.check_oracle(instance, f"{batch} satisfies the oracle", *results)
        # The other triggers had been executed, so another job does not make them fail, unless nothing may be repeated.
        if max_attempts > 1:
            outcomes = {record["outcome"] for record in instance.records() if record["name"] in NEIGHBOURS}
            report.check(outcomes == {"succeeded"}, f"{batch} runs the other triggers", [outcomes, *results])
        return deaths


def main():
    options, report = topic.begin(__doc__)
    deaths = 0
    limits = (1, 2, 3, 5) if options.full else (1, 3)
    for way, script in WAYS.items():
        for max_attempts in limits:
            deaths += check_deadly_job(report, way, script, True, max_attempts)
        deaths += check_deadly_job(report, way, script, False, 3)
    report.figure(f"{deaths} batches killed by their own jobs")
    report.finish()


if __name__ == "__main__":
    main()
