#!/usr/bin/env python3
"""Submits triggers while a run unlocks: that run, or a run that starts right after it, processes them.

A later run is not needed. The same rounds with a mutant (mutants/no-second-scan.patch) that does not scan the spool
again after unlocking must leave some triggers stranded. That shows that the rounds hit the window between the last
scan and the unlocking, which strace(1) makes wider.

    Tests/Proof/topics/concurrency/unlocking.py [--full] [--seed N]
"""

import json
import os
import pathlib
import subprocess
import sys
import time

LIB = pathlib.Path(__file__).resolve().parents[2] / "lib"
sys.path[:0] = [str(LIB), str(LIB / "faults"), str(LIB / "samples")]

import binaries
import jobs
import topic
from instance import Instance
from processes import delayed, wait_for

PATCH = "no-second-scan.patch"


class InstanceOf(Instance):
    """An instance whose commands run a given program."""

    def __init__(self, program, *arguments):
        super().__init__(*arguments)
        self.program = program

    def command(self, *arguments, instrumented=False):
        return [self.program, *super().command(*arguments)[1:]]


def submit_while_unlocking(program, rounds, chance, is_mutant=False):
    """Submits a trigger in each round; a mutant gets rounds only until it has left a trigger behind.

    A run that has scanned the spool for the last time removes its note from the lock file (ftruncate) and unlocks. The
    ftruncate is delayed, and the trigger is submitted at a random time around it.

    - Returns: how many triggers were stranded, how many submitters were told that a run is active, how many rounds
      there were, and other problems.
    """
    stranded = queued = 0
    problems = []
    with InstanceOf(program, (jobs.NOTE_CHANNEL,)) as instance:
        for number in range(rounds):
            if is_mutant and stranded:
                rounds = number
                break
            name = f"first-{number}.json"
            instance.drop(name, "1")
            holder = instance.start(
                "run",
                "--spool-only",
                prefix=delayed("ftruncate", 15),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            # A random time between the last job of the run and its end, not a synchronisation.
            wait_for(lambda: instance.ledger()[name.encode()], 20, 0.0005)
            time.sleep(chance.random() * 0.03)
            result = instance.bobbin("trigger", "note", "--json", timeout=60)
            holder.wait(60)
            answer = json.loads(result.out) if result.out else {}
            if result.status != 0:
                problems.append(result.describe())
                continue
            instance.expect(answer["trigger"])
            queued += answer["status"] == "queued"
            # Both processes have ended, and a later run does not come.
            left = instance.pending()
            stranded += bool(left)
            for pending in left:
                os.unlink(instance.path(pending))
                del instance.oracle.expected[pending]
        if not is_mutant:
            instance.clean_run()
            problems += instance.oracle.violations()
    return stranded, queued, rounds, problems


def check_mutant(report, rounds, chance):
    """Returns how many triggers the mutant left stranded, and after how many rounds."""
    title = f"{PATCH} applies to the sources"
    try:
        with binaries.mutant(PATCH) as program:
            report.check(True, title)
            stranded, queued, rounds, _ = submit_while_unlocking(program, rounds, chance, is_mutant=True)
    except binaries.PatchDoesNotApply as error:
        report.check(False, title, str(error))
        return 0, 0
    report.check(
        stranded > 0,
        "the program without the second scan leaves a trigger stranded",
        f"none in {rounds} rounds, {queued} queued",
    )
    return stranded, rounds


def main():
    options, report = topic.begin(__doc__)
    rounds = 3_000 if options.full else 200
    stranded, queued, _, problems = submit_while_unlocking(binaries.release_binary(), rounds, options.random)
    report.check(
        stranded == 0,
        f"no trigger that is submitted while a run unlocks is stranded, in {rounds} rounds",
        f"{stranded} of {rounds}",
    )
    report.check(
        queued > rounds // 20,
        "the triggers are submitted while the run is active",
        f"{queued} of {rounds} were answered: queued",
    )
    report.check(not problems, "every trigger is run once and recorded once", problems[:10])
    lost, mutant_rounds = check_mutant(report, 1_000, options.random)
    report.figure(
        f"{rounds} rounds, {queued} met a run, {stranded} stranded; "
        f"without the second scan {lost} after {mutant_rounds} rounds"
    )
    report.finish()


if __name__ == "__main__":
    main()
