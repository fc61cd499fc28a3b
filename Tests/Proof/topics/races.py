#!/usr/bin/env python3
"""Races: a crowd of 8 submitters, 4 batches and 2 watchers over thousands of triggers, and meetings of two.

`cancel`, `prune` and `mv` of a file, and another one put in its place, while a run is about to claim it: strace(1)
delays the very rename that decides. The same name dropped again while the first runs: two runs, two records.

    Tests/Proof/topics/races.py [--full] [--seed N]
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

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

import harness


NOTE = ({"id": 1, "name": "note", "command": ["handlers/note"]},)


def crowd(report, count, chance):
    """What 8 submitters drop by all means there are is run exactly once, whoever of 4 batches and 2 watchers takes it."""
    with harness.Instance(settle="50ms") as instance:
        guard = threading.Lock()
        left = iter(range(count))
        done_submitting = threading.Event()
        unanswered = []

        def submit(chance):
            while True:
                with guard:
                    index = next(left, None)
                if index is None:
                    return
                # Now and then nothing comes for a moment, so that runs end, and begin again.
                time.sleep(chance.random() * 0.01 if chance.random() < 0.9 else 0.1)
                channel = chance.choice(("1", "1", "1", "3"))
                name = f"{chance.randrange(10**6):06}-{index}.json"
                way = chance.random()
                if way < 0.5:
                    instance.drop(name, channel)
                elif way < 0.7:
                    instance.expect(name)
                    with open(instance.path(name), "w") as file:
                        file.write(channel)
                elif way < 0.9:
                    name = f"20991231T235959.{index:06}Z-{channel}.json"
                    instance.expect(name)
                    instance_touch(instance, name)
                else:
                    result = instance.bobbin(
                        "trigger", "note", "--json", *chance.choice(((), ("--queue",))), timeout=120
                    )
                    answer = json.loads(result.out) if result.status in (0, 1) else {}
                    if answer.get("status") not in ("completed", "queued"):
                        unanswered.append(result.describe())
                    else:
                        instance.expect(answer["trigger"])

        def batches(statuses):
            while not done_submitting.is_set():
                statuses.append(instance.bobbin("run", "--spool-only", "--quiet", timeout=600))

        watchers = [
            instance.start("watch", "--every", "20ms", "--quiet", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            for _ in range(2)
        ]
        statuses = []
        runners = [threading.Thread(target=batches, args=(statuses,)) for _ in range(4)]
        submitters = [threading.Thread(target=submit, args=(random.Random(chance.random()),)) for _ in range(8)]
        for thread in runners + submitters:
            thread.start()
        for thread in submitters:
            thread.join()
        done_submitting.set()
        for thread in runners:
            thread.join()
        # The watchers have the rest.
        idle = harness.wait_for(lambda: not instance.pending() and not instance.claims(), 120, 0.05)
        ends = []
        for watcher in watchers:
            watcher.send_signal(signal.SIGTERM)
            ends.append(watcher.wait(60))
        report.check(idle, f"a crowd over {count} triggers: the watchers work off what is left")
        report.check(set(ends) == {143}, "watchers end when asked to", str(ends))
        report.check(not unanswered, "every bobbin trigger is answered", unanswered[:3])
        unexpected = [result.describe() for result in statuses if result.status not in (0, 1, 75)]
        report.check(not unexpected, f"{len(statuses)} batches end with 0, 1 or 75", unexpected[:3])
        instance.clean_run(timeout=600)
        report.check_oracle(instance, "8 submitters, 4 batches, 2 watchers: nothing lost, nothing run twice")
        executed = instance.ledger()
        report.check(set(executed.values()) == {1}, "each was executed exactly once", executed.most_common(3))
        runs = collections.Counter(record["run"] for record in instance.records() if record["name"])
        report.figure(
            f"crowd: {sum(executed.values())} triggers by 8 submitters, 4 batches and 2 watchers, in {len(runs)} runs"
        )


def instance_touch(instance, name):
    """As touch(1): the file is empty, its name says the channel."""
    os.close(os.open(instance.path(name), os.O_CREAT | os.O_WRONLY, 0o644))


def take_away(report, how, rounds, chance, take):
    """A run over many triggers, and somebody who takes them away at the same time. The claiming rename is delayed."""
    taken = executed = 0
    for number in range(rounds):
        with harness.Instance() as instance:
            away = instance.root / "away"
            away.mkdir()
            names = [f"{index:03}.json" for index in range(24)]
            for index, name in enumerate(names):
                # What is too old when a run begins is what both expire.
                age = 7200 if how == "prune" and index % 2 else 0
                instance.drop(name, chance.choice(("1", "1", "3", "nothing")), age=age)
            run = instance.start(
                "run",
                "--spool-only",
                "--quiet",
                prefix=harness.delayed("renameat2", 3),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
            )
            results = []
            # The run has begun to work, and is somewhere in between.
            first = chance.randrange(1, 9)
            harness.wait_for(
                lambda: len(instance.pending()) <= len(names) - first or run.poll() is not None, 30, 0.0005
            )
            while run.poll() is None:
                results.append(take(instance, names, away, chance))
            problems = [str(result) for result in results if result]
            gone = [name for name in os.listdir(away)]
            for name in gone:
                instance.expected.pop(os.fsencode(name))
            said = run.stderr.read().decode()
            report.check(
                run.returncode in (0, 1) and not problems,
                f"{how} while a run is about to claim, round {number + 1}: both end well",
                [f"status {run.returncode}", said, *problems[:3]],
            )
            instance.clean_run()
            report.check_oracle(
                instance, f"{how} while a run is about to claim, round {number + 1}: one of the two has it"
            )
            outside = [record for record in instance.records() if record["name"] and record["run"] is None]
            taken += len(gone) + len(outside)
            executed += sum(instance.ledger().values())
    report.check(taken > 0 and executed > 0, f"{how}: each of the two had some", f"{taken} taken away, {executed} run")
    report.figure(f"{how}: {taken} taken away, {executed} run, by two at once")


def cancel(instance, names, _, chance):
    name = chance.choice(instance.pending() or [b"none.json"])
    result = instance.bobbin("cancel", os.fsdecode(name))
    return None if result.status in (0, 65) else result.describe()


def cancel_all(instance, names, _, chance):
    result = instance.bobbin("cancel", "--all")
    return None if result.status == 0 else result.describe()


def prune(instance, names, _, chance):
    # Until some of them are too old; the run judges by the moment at which it began.
    result = instance.bobbin("prune")
    return None if result.status == 0 else result.describe()


def move_away(instance, names, away, chance):
    name = chance.choice(names)
    with contextlib.suppress(FileNotFoundError):
        os.rename(instance.path(name), os.path.join(away, name))
    time.sleep(0.002)


def exchange(instance, away, chance):
    """Another file of the same name takes its place: still one request."""
    name = chance.choice(instance.pending() or [b""])
    if not name:
        return
    other = os.path.join(os.fsencode(away), b"." + name)
    with open(other, "wb") as file:
        file.write(chance.choice((b"1", b"3", b'{"channel":"note"}', b"nothing at all")))
    try:
        # Only over a file that is there: else it would be a new request.
        flags_exchange(other, instance.path(name))
        os.unlink(other)
    except FileNotFoundError:
        os.unlink(other)


def flags_exchange(one, other):
    """renameat2 with RENAME_EXCHANGE: fails when either is not there."""
    library = ctypes.CDLL(None, use_errno=True)
    if library.renameat2(-100, one, -100, other, 2) != 0:
        code = ctypes.get_errno()
        raise FileNotFoundError if code == 2 else OSError(code, os.strerror(code))


def exchanges(report, rounds, chance):
    """Files exchanged for others, link or junk or trigger, between the look at them and their claim."""
    for number in range(rounds):
        with harness.Instance(settle="50ms") as instance:
            away = instance.root / "away"
            away.mkdir()
            for index in range(24):
                instance.drop(f"{index:03}.json", chance.choice(("1", "3", "nothing")))
            run = instance.start(
                "run",
                "--spool-only",
                "--quiet",
                prefix=harness.delayed("renameat2", 3),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
            )
            # Not for ever: a file that never stays the same is looked at again for a minute.
            for _ in range(80):
                exchange(instance, away, chance)
                time.sleep(0.001)
            run.wait(90)
            said = run.stderr.read().decode()
            instance.clean_run()
            report.check(
                run.returncode in (0, 1),
                f"files exchanged under their names, round {number + 1}: the run ends well",
                said,
            )
            report.check_oracle(
                instance, f"files exchanged under their names, round {number + 1}: one request each", said
            )
            wrong = []
            for record in instance.records():
                if record["outcome"] == "rejected":
                    kept = (instance.spool / "rejected" / record["trigger"]).read_bytes()
                    if kept in (b"1", b"3", b'{"channel":"note"}'):
                        wrong.append(f"{record['trigger']}: {kept!r} was rejected: {record['error_message']}")
            report.check(
                not wrong,
                f"files exchanged under their names, round {number + 1}: what was judged is what is there",
                wrong,
            )


def same_name(report):
    channels = [*NOTE, {"id": 5, "name": "hold", "command": ["handlers/hold"]}]
    for content, what in (("5", "a scalar"), ('{"channel": "hold"}', "an object")):
        with harness.Instance(channels) as instance:
            instance.drop("again.json", content)
            run = instance.start("run", "--spool-only")
            harness.wait_for(lambda: (instance.root / "holding").exists())
            instance.drop("again.json", content)
            report.check(instance.pending() == [b"again.json"], f"{what} dropped again while the first runs: pending")
            (instance.root / "release").touch()
            run.communicate(timeout=60)
            instance.clean_run()
            report.check(instance.ledger()[b"again.json"] == 2, f"{what} dropped again while the first runs: two runs")
            report.check_oracle(instance, f"{what} dropped again while the first runs: two records")
    # Dropped again while the batch is stopped: the one that ran goes back, the newer one keeps its name.
    with harness.Instance(channels) as instance:
        instance.drop("again.json", "5")
        run = instance.start("run", "--spool-only")
        harness.wait_for(lambda: (instance.root / "holding").exists())
        instance.drop("again.json", "1")
        run.send_signal(signal.SIGTERM)
        run.communicate(timeout=60)
        (instance.root / "release").touch()
        report.check(run.returncode == 143, "stopped while a newer one has the name: exit status 143")
        instance.cut.add(b"again.json")
        instance.clean_run()
        report.check_oracle(instance, "stopped while a newer one has the name: both are run, both recorded")
    # Over and over, while a run goes on.
    with harness.Instance(NOTE) as instance:
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
        report.check_oracle(instance, f"one name dropped {times} times: {times} runs, {times} records")
        report.check(
            times > 10 and instance.ledger()[b"again.json"] == times,
            "as often as it was dropped",
            f"{times} {instance.ledger()}",
        )


def main():
    options = harness.options("races", __doc__)
    report = harness.Report("races")
    chance, many = options.random, options.full
    crowd(report, 10_000 if many else 2_000, chance)
    for how, take in (("cancel", cancel), ("cancel --all", cancel_all), ("prune", prune), ("mv", move_away)):
        take_away(report, how, 25 if many else 2, chance, take)
    exchanges(report, 25 if many else 2, chance)
    same_name(report)
    report.finish()


if __name__ == "__main__":
    main()
