#!/usr/bin/env python3
"""Races between 8 submitters, 4 batches and 2 watchers with thousands of triggers, and races between two processes.

A file is cancelled, pruned, moved away or replaced by another file while a run is about to claim it; strace(1) delays
the rename that decides. Also, a name is dropped again while the first trigger of that name runs, which must give two
jobs and two records.

    Tests/Proof/topics/concurrency/races.py [--full] [--seed N]
"""

import collections
import contextlib
import ctypes
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import threading
import time

LIB = pathlib.Path(__file__).resolve().parents[2] / "lib"
sys.path[:0] = [str(LIB), str(LIB / "faults"), str(LIB / "samples")]

import jobs
import topic
from instance import Instance
from processes import delayed, wait_for

SUBMITTERS, BATCHES, WATCHERS = 8, 4, 2


# --- The crowd.


def submit(instance, index, chance):
    """Submits one trigger in one of the possible ways; returns the problem if it is not answered."""
    # Sometimes no trigger comes for a while, so that runs end and begin again.
    time.sleep(chance.random() * 0.01 if chance.random() < 0.9 else 0.1)
    channel = chance.choice(("1", "1", "1", "3"))
    name = f"{chance.randrange(10**6):06}-{index}.json"
    means = chance.random()
    if means < 0.5:
        instance.drop(name, channel)
    elif means < 0.7:
        instance.expect(name)
        with open(instance.path(name), "w") as file:
            file.write(channel)
    elif means < 0.9:
        # As touch(1) does: the file is empty, and its name gives the channel.
        name = f"20991231T235959.{index:06}Z-{channel}.json"
        instance.expect(name)
        os.close(os.open(instance.path(name), os.O_CREAT | os.O_WRONLY, 0o644))
    else:
        result = instance.bobbin("trigger", "note", "--json", *chance.choice(((), ("--queue",))), timeout=120)
        answer = json.loads(result.out) if result.status in (0, 1) else {}
        if answer.get("status") not in ("completed", "queued"):
            return result.describe()
        instance.expect(answer["trigger"])
    return None


def check_crowd(report, count, chance):
    """Checks that every trigger is run exactly once, however it was submitted and whichever process claims it."""
    with Instance(settle="50ms") as instance:
        guard = threading.Lock()
        remaining = iter(range(count))
        all_submitted = threading.Event()
        unanswered = []
        results = []

        def submit_many(chance):
            while True:
                with guard:
                    index = next(remaining, None)
                if index is None:
                    return
                if problem := submit(instance, index, chance):
                    unanswered.append(problem)

        def run_batches():
            while not all_submitted.is_set():
                results.append(instance.bobbin("run", "--spool-only", "--quiet", timeout=600))

        watchers = [
            instance.start("watch", "--every", "20ms", "--quiet", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            for _ in range(WATCHERS)
        ]
        batches = [threading.Thread(target=run_batches) for _ in range(BATCHES)]
        submitters = [
            threading.Thread(target=submit_many, args=(random.Random(chance.random()),)) for _ in range(SUBMITTERS)
        ]
        for thread in batches + submitters:
            thread.start()
        for thread in submitters:
            thread.join()
        all_submitted.set()
        for thread in batches:
            thread.join()
        is_drained = wait_for(lambda: not instance.pending() and not instance.claims(), 120, 0.05)
        statuses = []
        for watcher in watchers:
            watcher.send_signal(signal.SIGTERM)
            statuses.append(watcher.wait(60))
        report.check(is_drained, f"the watchers process the rest of the crowd's {count} triggers")
        report.check(set(statuses) == {143}, "every watcher ends with 143 when it is asked to stop", str(statuses))
        report.check(not unanswered, "every `bobbin trigger` of the crowd is answered", unanswered[:3])
        unexpected = [result.describe() for result in results if result.status not in (0, 1, 75)]
        report.check(not unexpected, f"all {len(results)} batches of the crowd end with 0, 1 or 75", unexpected[:3])
        instance.clean_run(timeout=600)
        report.check_oracle(
            instance,
            f"{SUBMITTERS} submitters, {BATCHES} batches and {WATCHERS} watchers do not lose a trigger or run it twice",
        )
        executed = instance.ledger()
        report.check(
            set(executed.values()) == {1}, "every trigger of the crowd is run exactly once", executed.most_common(3)
        )
        runs = collections.Counter(record["run"] for record in instance.records() if record["name"])
        report.figure(
            f"crowd: {sum(executed.values())} triggers by {SUBMITTERS} submitters, {BATCHES} batches and "
            f"{WATCHERS} watchers, in {len(runs)} runs"
        )


# --- Two processes.


def start_slow_run(instance):
    """Starts a run whose claims are delayed, because each of its renames begins late."""
    return instance.start(
        "run",
        "--spool-only",
        "--quiet",
        prefix=delayed("renameat2", 3),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def check_taking_away(report, how, rounds, chance, take):
    """Runs many triggers while another process takes triggers away."""
    taken = executed = 0
    for number in range(rounds):
        with Instance() as instance:
            away = instance.root / "away"
            away.mkdir()
            names = [f"{index:03}.json" for index in range(24)]
            for index, name in enumerate(names):
                # Triggers that are stale when the run begins: both the run and `bobbin prune` expire them.
                age = 7200 if how == "`bobbin prune`" and index % 2 else 0
                instance.drop(name, chance.choice(("1", "1", "3", "not a trigger")), age=age)
            run = start_slow_run(instance)
            problems = []
            # The run has claimed a few triggers and is about to claim others.
            claimed = chance.randrange(1, 9)
            wait_for(lambda: len(instance.pending()) <= len(names) - claimed or run.poll() is not None, 30, 0.0005)
            while run.poll() is None:
                if problem := take(instance, names, away, chance):
                    problems.append(problem)
            gone = os.listdir(away)
            for name in gone:
                instance.oracle.expected.pop(os.fsencode(name))
            errors = run.stderr.read().decode()
            where = f"round {number + 1} of {how} while a run is about to claim"
            report.check(
                run.returncode in (0, 1) and not problems,
                f"{where}: both processes end as documented",
                [f"status {run.returncode}", errors, *problems[:3]],
            )
            instance.clean_run()
            report.check_oracle(instance, f"{where}: each trigger belongs to exactly one of the two")
            outside = [record for record in instance.records() if record["name"] and record["run"] is None]
            taken += len(gone) + len(outside)
            executed += sum(instance.ledger().values())
    report.check(
        taken > 0 and executed > 0, f"both {how} and the run win some races", f"{taken} taken away, {executed} run"
    )
    report.figure(f"{how.strip('`').removeprefix('bobbin ')}: {taken} taken away, {executed} run, by two at once")


def cancel(instance, _names, _away, chance):
    name = chance.choice(instance.pending() or [b"none.json"])
    result = instance.bobbin("cancel", os.fsdecode(name))
    return None if result.status in (0, 65) else result.describe()


def cancel_all(instance, _names, _away, _chance):
    result = instance.bobbin("cancel", "--all")
    return None if result.status == 0 else result.describe()


def prune(instance, _names, _away, _chance):
    result = instance.bobbin("prune")
    return None if result.status == 0 else result.describe()


def move_away(instance, names, away, chance):
    name = chance.choice(names)
    with contextlib.suppress(FileNotFoundError):
        os.rename(instance.path(name), os.path.join(away, name))
    time.sleep(0.002)


def exchange(instance, away, chance):
    """Puts another file under a pending trigger's name, which is still one request."""
    pending = instance.pending()
    if not pending:
        return
    name = chance.choice(pending)
    other = os.path.join(os.fsencode(away), b"." + name)
    with open(other, "wb") as file:
        file.write(chance.choice((b"1", b"3", b'{"channel":"note"}', b"nothing at all")))
    # RACE: the trigger may have been claimed meanwhile. An exchange then fails; a rename would make a new request.
    with contextlib.suppress(FileNotFoundError):
        rename_exchange(other, instance.path(name))
    os.unlink(other)


def rename_exchange(one, other):
    """renameat2(2) with RENAME_EXCHANGE, which fails if either file is missing."""
    library = ctypes.CDLL(None, use_errno=True)
    if library.renameat2(-100, one, -100, other, 2) != 0:
        code = ctypes.get_errno()
        raise FileNotFoundError if code == 2 else OSError(code, os.strerror(code))


def check_exchanges(report, rounds, chance):
    """Exchanges files for other triggers or junk after they were read and before they are claimed."""
    for number in range(rounds):
        with Instance(settle="50ms") as instance:
            away = instance.root / "away"
            away.mkdir()
            for index in range(24):
                instance.drop(f"{index:03}.json", chance.choice(("1", "3", "not a trigger")))
            run = start_slow_run(instance)
            # The number is limited, because a file that keeps changing is read again for up to a minute.
            for _ in range(80):
                exchange(instance, away, chance)
                time.sleep(0.001)
            run.wait(90)
            errors = run.stderr.read().decode()
            instance.clean_run()
            where = f"round {number + 1} of files exchanged under their names"
            report.check(run.returncode in (0, 1), f"{where}: the run ends with 0 or 1", errors)
            report.check_oracle(instance, f"{where}: each name is one request", errors)
            wrong = []
            for record in instance.records():
                if record["outcome"] == "rejected":
                    kept = (instance.spool / "rejected" / record["trigger"]).read_bytes()
                    if kept in (b"1", b"3", b'{"channel":"note"}'):
                        wrong.append(f"{record['trigger']}: {kept!r} was rejected: {record['error_message']}")
            report.check(not wrong, f"{where}: the rejected file is the file that was judged", wrong)


# --- The same name repeatedly.


def check_dropped_again_while_running(report):
    for content, what in (("5", "a scalar"), ('{"channel": "hold"}', "an object")):
        with Instance([jobs.NOTE_CHANNEL, jobs.HOLD_CHANNEL]) as instance:
            instance.drop("again.json", content)
            run = instance.start("run", "--spool-only")
            instance.wait_for_held_job()
            instance.drop("again.json", content)
            where = f"{what} that is dropped again while the first runs"
            report.check(instance.pending() == [b"again.json"], f"{where} is pending")
            instance.release_jobs()
            run.communicate(timeout=60)
            instance.clean_run()
            report.check(instance.ledger()[b"again.json"] == 2, f"{where} is also executed")
            report.check_oracle(instance, f"{where} has its own record")


def check_dropped_again_before_stop(report):
    """Checks that the trigger that ran is requeued, and that the newer trigger keeps its name."""
    with Instance([jobs.NOTE_CHANNEL, jobs.HOLD_CHANNEL]) as instance:
        instance.drop("again.json", "5")
        run = instance.start("run", "--spool-only")
        instance.wait_for_held_job()
        instance.drop("again.json", "1")
        run.send_signal(signal.SIGTERM)
        run.communicate(timeout=60)
        instance.release_jobs()
        where = "a run that is stopped while a newer trigger has the name of the running one"
        report.check(run.returncode == 143, f"{where} ends with 143")
        instance.oracle.cut_short.add(b"again.json")
        instance.clean_run()
        report.check_oracle(instance, f"{where} leaves both triggers to be run and recorded")


def check_dropped_over_and_over(report):
    with Instance([jobs.NOTE_CHANNEL]) as instance:
        times = 0
        run = instance.start("run", "--spool-only", "--quiet")
        deadline = time.monotonic() + 2
        while time.monotonic() < deadline:
            if b"again.json" not in instance.pending():
                instance.drop("again.json", "1")
                times += 1
            if run.poll() is not None:
                run = instance.start("run", "--spool-only", "--quiet")
        run.wait(60)
        instance.clean_run()
        report.check_oracle(instance, f"one name that is dropped {times} times has {times} records")
        report.check(
            times > 10 and instance.ledger()[b"again.json"] == times,
            f"one name that is dropped {times} times is executed {times} times",
            f"{times} {instance.ledger()}",
        )


def main():
    options, report = topic.begin(__doc__)
    chance = options.random
    rounds = 25 if options.full else 2
    check_crowd(report, 10_000 if options.full else 2_000, chance)
    for how, take in (
        ("`bobbin cancel`", cancel),
        ("`bobbin cancel --all`", cancel_all),
        ("`bobbin prune`", prune),
        ("`mv`", move_away),
    ):
        check_taking_away(report, how, rounds, chance, take)
    check_exchanges(report, rounds, chance)
    check_dropped_again_while_running(report)
    check_dropped_again_before_stop(report)
    check_dropped_over_and_over(report)
    report.finish()


if __name__ == "__main__":
    main()
