#!/usr/bin/env python3
"""A trigger submitted while a run is about to unlock is worked off by that run, or by one that starts right after it.

No later run is needed. The same rounds against a program whose second look was taken out must leave some stranded:
that shows that the rounds meet the moment. strace(1) makes the moment longer.

    Tests/Proof/topics/unlocking.py [--full] [--seed N]
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

import harness


NOTE = ({"id": 1, "name": "note", "command": ["handlers/note"]},)


def submit_while_unlocking(rounds, chance, program=None):
    """How many triggers were left behind, how many of the submitters were told that a run is on, and in how many rounds.

    With a program that is known to leave some behind, until it does.

    A run that has looked for the last time takes its note out of the lock file (ftruncate) and unlocks. That call is
    delayed, and triggers are submitted at moments around it.
    """
    stranded = busy = 0
    problems = []

    class Raced(harness.Instance):
        def command(self, *arguments, instrumented=False):
            command = super().command(*arguments)
            return [program or command[0], *command[1:]]

    with Raced(NOTE) as instance:
        for number in range(rounds):
            if program and stranded:
                rounds = number
                break
            instance.drop(f"first-{number}.json", "1")
            holder = instance.start(
                "run",
                "--spool-only",
                prefix=harness.delayed("ftruncate", 15),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            # Somewhere between the last job of the run and its end.
            harness.wait_for(lambda: instance.ledger()[b"first-%d.json" % number], 20, 0.0005)
            time.sleep(chance.random() * 0.03)
            result = instance.bobbin("trigger", "note", "--json", timeout=60)
            holder.wait(60)
            answer = json.loads(result.out) if result.out else {}
            if result.status != 0:
                problems.append(result.describe())
                continue
            instance.expect(answer["trigger"])
            busy += answer["status"] == "queued"
            # Both have ended. No later run comes.
            left = instance.pending()
            stranded += bool(left)
            for name in left:
                os.unlink(instance.path(name))
                del instance.expected[name]
        if not program:
            instance.clean_run()
            problems += instance.violations()
    return stranded, busy, rounds, problems


def second_look(report, rounds, mutant_rounds, chance):
    stranded, busy, _, problems = submit_while_unlocking(rounds, chance)
    report.check(
        stranded == 0, f"{rounds} times submitted while a run unlocks: none stranded", f"{stranded} of {rounds}"
    )
    report.check(busy > rounds // 20, "and the moments were met", f"{busy} of {rounds} were answered: queued")
    report.check(not problems, "and all of it is run and recorded once", problems[:10])
    mutant = without_second_look()
    try:
        lost, met, took, _ = submit_while_unlocking(mutant_rounds, chance, str(mutant / "bobbin"))
    finally:
        shutil.rmtree(mutant)
    report.check(lost > 0, "a program without the second look leaves some stranded", f"none of {took}, {met} queued")
    report.figure(
        f"unlocking: {rounds} rounds, {busy} met a run, {stranded} stranded; without the second look {lost} after {took} rounds"
    )


def without_second_look():
    """Builds the program from a copy of the sources in which the holder does not look again after unlocking."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="bobbin-mutant-"))
    for name in ("Sources", "Tests", "Package.swift"):
        source = harness.PROJECT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / name)
    file = folder / "Sources/Batch/Batch+Run.swift"
    text = file.read_text()
    if text.count("looksAgain: Bool = true") != 1:
        raise RuntimeError("the second look is not where it was: adapt this test")
    file.write_text(text.replace("looksAgain: Bool = true", "looksAgain: Bool = false"))
    command = ["swift", "build", "--package-path", str(folder), "--product", "bobbin"]
    subprocess.run(command, check=True, stdout=sys.stderr, timeout=1200)
    shown = subprocess.run([*command, "--show-bin-path"], check=True, capture_output=True, text=True, timeout=600)
    shutil.copy(pathlib.Path(shown.stdout.strip()) / "bobbin", folder / "bobbin")
    return folder


def main():
    options = harness.options("unlocking", __doc__)
    report = harness.Report("unlocking")
    second_look(report, 3_000 if options.full else 200, 1_000, options.random)
    report.finish()


if __name__ == "__main__":
    main()
