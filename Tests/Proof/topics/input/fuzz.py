#!/usr/bin/env python3
"""Tries random combinations of names, contents, kinds of files, times and concurrent writers, made from a seed.

A case is a handful of files under triggers' names, some of which are written, renamed, linked or removed while one or
two batches run. Then one clean run is made. The oracle must be satisfied, every file must have the right outcome if
that is certain, nothing unsafe may reach a terminal, a log or the history, and no command may crash or hang.

    Tests/Proof/topics/input/fuzz.py [--full] [--seconds N] [--seed N] [--case FILE…]

The topic runs for 45 seconds, for 20 minutes with --full, or for the time that --seconds gives. A case that fails is
reduced and written to a file, which --case runs again. Every case in Tests/Proof/fixtures/ is run first, each time.
"""

import json
import pathlib
import signal
import subprocess
import sys
import tempfile
import threading
import time

LIB = pathlib.Path(__file__).resolve().parents[2] / "lib"
sys.path[:0] = [str(LIB), str(LIB / "faults"), str(LIB / "samples")]

import binaries
import cases
import layout
import topic
from case_file import CaseFile
from hostile_instance import HostileInstance
from processes import Result, wait_for
from report import Report

FIXTURES = binaries.PROOF / "fixtures"
CASES_PER_SEED = 1_000_000


def files_of(case, instance):
    """The files of a case that do not disturb each other or the spool's own folders."""
    secret = instance.write_secret()
    files = {}
    for document in case["files"]:
        file = CaseFile(instance, document, secret)
        # A name that is too long for a claim is cut on its way to rejected/. Its record has the whole name, unless a
        # crash comes in between. Then the rest of the name is lost.
        if case["killed"] and len(file.name) > layout.LONGEST_CLAIMED_NAME:
            continue
        is_own = file.name.decode(errors="replace") in (*layout.FOLDERS, *layout.FILES)
        if file.name not in files and not file.name.startswith(b".") and not is_own:
            files[file.name] = file
    return list(files.values())


def start_batches(case, instance):
    arguments = ("watch", "--every", "20ms") if case["command"] == "watch" else ("run", "--spool-only")
    return [
        instance.start(
            *arguments,
            stdout=open(instance.root / f"out{index}", "wb"),
            stderr=open(instance.root / f"err{index}", "wb"),
        )
        for index in range(case["batches"])
    ]


def output_of_batch(instance, stream, index):
    return (instance.root / f"{stream}{index}").read_bytes().decode(errors="backslashreplace")


def problems_of(case):
    """The problems of a case."""
    parent = tempfile.gettempdir() if case["file_system"] == "disk" else None
    with HostileInstance(parent=parent) as instance:
        oracle = instance.oracle
        # A name may ask for the channel whose job holds until it is released.
        instance.release_jobs()
        files = files_of(case, instance)
        for file in files:
            file.act_before()
        processes = start_batches(case, instance)
        writers = [threading.Thread(target=file.act_meanwhile) for file in files]
        for writer in writers:
            writer.start()
        if case["killed"]:
            # Chance decides where the batch is killed, so this is not a synchronisation.
            time.sleep(0.01)
            processes[0].kill()
            processes[0].wait()
            oracle.faults += 1
        problems = []
        for command in (("queue",), ("queue", "--json"), ("run", "--dry-run"), ("status",)):
            result = instance.bobbin(*command)
            if not result.ended_by_itself:
                problems.append(f"bobbin {' '.join(command)}: {result.describe()[-800:]}")
        for writer in writers:
            writer.join()
        if case["killed"]:
            # The batch that was killed may have been processing any of the triggers.
            oracle.cut_short.update(oracle.expected)
        problems += problems_of_ends(case, instance, processes)
        # A job that was stopped with its batch is executed again, and its record says that it was requeued.
        requeued = {record["name"] for record in instance.records(strict=False) if record.get("requeued")}
        oracle.cut_short.update(requeued)
        oracle.faults += bool(requeued)
        clean = instance.clean_run(timeout=90)
        if clean.status not in (0, 1):
            problems.append(f"the clean run: {clean.describe()[-1500:]}")
        for command in (("history", "--limit", "100"), ("history", "--json"), ("status", "--json")):
            instance.bobbin(*command)
        for index in range(case["batches"]):
            out, err = (output_of_batch(instance, stream, index) for stream in ("out", "err"))
            instance.results.append(Result(0, out, err))
        for file in files:
            problems += file.problems()
        problems += oracle.violations() + instance.problems_of_output()
        return problems + [f"the secret appears in {place}" for place in instance.places_of_secret()]


def problems_of_ends(case, instance, processes):
    """Ends the batches of a case, and returns the problems of their ends."""
    problems = []
    for index, process in enumerate(processes):
        if case["command"] == "watch":
            wait_for(
                lambda: not instance.pending() and not instance.claims() or process.poll() is not None, 5, 0.01
            )
            process.send_signal(signal.SIGTERM)
        try:
            status = process.wait(90)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            status = None
        allowed = {0, 1, 75, 143} | ({-signal.SIGKILL} if case["killed"] and index == 0 else set())
        if status not in allowed:
            problems.append(f"batch {index} ended with {status}\n{output_of_batch(instance, 'err', index)[-1500:]}")
    return problems


def reduce(case, deadline):
    """The case without the files that are not needed to make it fail."""
    changed = True
    while changed and time.monotonic() < deadline:
        changed = False
        for index in range(len(case["files"])):
            smaller = {**case, "files": case["files"][:index] + case["files"][index + 1 :]}
            if smaller["files"] and problems_of(smaller):
                case, changed = smaller, True
                break
    return case


def save(case):
    path = pathlib.Path(tempfile.gettempdir()) / f"bobbin-fuzz-{case['seed']}.json"
    path.write_text(json.dumps(case, indent=1) + "\n")
    return path


def try_random_cases(report, seed, seconds):
    """Tries cases until the time is over or several have failed; returns how many cases and files there were, and how
    many cases failed."""
    deadline = time.monotonic() + seconds
    guard = threading.Lock()
    seeds = iter(range(seed * CASES_PER_SEED, (seed + 1) * CASES_PER_SEED))
    counts = {"cases": 0, "files": 0}
    failures = []

    def try_cases(_):
        while time.monotonic() < deadline and len(failures) < 5:
            with guard:
                case = cases.random_case(next(seeds))
            problems = problems_of(case)
            with guard:
                counts["cases"] += 1
                counts["files"] += len(case["files"])
                if problems:
                    failures.append((case, problems))

    topic.in_parallel(try_cases, range(4), 4)
    print(f"# seeds from {seed * CASES_PER_SEED}", flush=True)
    for case, problems in failures:
        path = save(reduce(case, time.monotonic() + 30))
        again = f"Tests/Proof/topics/input/fuzz.py --case {path}"
        details = [*problems, f"the reduced case: {path}", f"to run it again: {again}"]
        report.check(False, f"the case of seed {case['seed']} holds", details)
    report.check(
        counts["cases"] > 10 and not failures,
        f"{counts['cases']} cases hold, from seed {seed}",
        f"{len(failures)} failed",
    )
    return counts["cases"], counts["files"], len(failures)


def main():
    parser = topic.option_parser(__doc__)
    parser.add_argument("--seconds", type=float, help="how long to run; 45 by default, 1200 with --full")
    parser.add_argument("--case", nargs="*", type=pathlib.Path, default=[], help="run only these cases")
    options = parser.parse_args()
    report = Report(topic.name())
    binaries.release_binary()
    fixtures = options.case or sorted(FIXTURES.glob("*.json"))
    for path in fixtures:
        problems = problems_of(json.loads(path.read_text()))
        report.check(not problems, f"the case that once failed holds: {path.stem}", problems)
    if options.case:
        report.finish()
    seconds = options.seconds or (1200 if options.full else 45)
    tried, files, failed = try_random_cases(report, options.seed, seconds)
    report.figure(f"{tried} cases, {files} files, {len(fixtures)} found earlier, {failed} failed")
    report.finish()


if __name__ == "__main__":
    main()
