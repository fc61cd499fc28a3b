#!/usr/bin/env python3
"""Races: many submitters, batches and watchers at once, and every meeting of two that has a name.

- A crowd: 8 submitters, 4 batches and 2 watchers over thousands of triggers.
- A trigger submitted while a run is about to unlock: it is worked off by that run or one that starts right after it,
  without any later run. The same rounds against a program whose second look was taken out must leave some stranded:
  that shows that the rounds meet the moment.
- `cancel`, `prune` and `mv` of a file while a run is about to claim it.
- The same name dropped again while the first runs: two runs, two records.

strace(1) widens the moments in question: it delays the very system call that lies in between.

    Tests/Proof/races.py [--full] [--seed N]
"""

import collections
import contextlib
import ctypes
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

import harness

NOTE = ({"id": 1, "name": "note", "command": ["handlers/note"]},)


def delayed(call, milliseconds):
    """A prefix that makes every call of a kind that much later."""
    return ("strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e", f"inject={call}:delay_enter={milliseconds}ms")


# --- The crowd.


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
                    result = instance.bobbin("trigger", "note", "--json", *chance.choice(((), ("--queue",))), timeout=120)
                    answer = json.loads(result.out) if result.status in (0, 1) else {}
                    if answer.get("status") not in ("completed", "queued"):
                        unanswered.append(result.describe())
                    else:
                        instance.expect(answer["trigger"])

        def batches(statuses):
            while not done_submitting.is_set():
                statuses.append(instance.bobbin("run", "--spool-only", "--quiet", timeout=600))

        watchers = [instance.start("watch", "--every", "20ms", "--quiet", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for _ in range(2)]
        statuses = []
        runners = [threading.Thread(target=batches, args=(statuses,)) for _ in range(4)]
        submitters = [
            threading.Thread(target=submit, args=(random.Random(chance.random()),)) for _ in range(8)
        ]
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
        report.figure(f"crowd: {sum(executed.values())} triggers by 8 submitters, 4 batches and 2 watchers, in {len(runs)} runs")


def instance_touch(instance, name):
    """As touch(1): the file is empty, its name says the channel."""
    os.close(os.open(instance.path(name), os.O_CREAT | os.O_WRONLY, 0o644))


# --- Submitting while a run unlocks.


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
            holder = instance.start("run", "--spool-only", prefix=delayed("ftruncate", 4), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
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
    report.check(stranded == 0, f"{rounds} times submitted while a run unlocks: none stranded", f"{stranded} of {rounds}")
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


# --- Taking away what a run is about to claim.


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
            run = instance.start("run", "--spool-only", "--quiet", prefix=delayed("renameat2", 3), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            results = []
            # The run has begun to work, and is somewhere in between.
            first = chance.randrange(1, 9)
            harness.wait_for(lambda: len(instance.pending()) <= len(names) - first or run.poll() is not None, 30, 0.0005)
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
            report.check_oracle(instance, f"{how} while a run is about to claim, round {number + 1}: one of the two has it")
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
            run = instance.start("run", "--spool-only", "--quiet", prefix=delayed("renameat2", 3), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            # Not for ever: a file that never stays the same is looked at again for a minute.
            for _ in range(80):
                exchange(instance, away, chance)
                time.sleep(0.001)
            run.wait(90)
            said = run.stderr.read().decode()
            instance.clean_run()
            report.check(run.returncode in (0, 1), f"files exchanged under their names, round {number + 1}: the run ends well", said)
            report.check_oracle(instance, f"files exchanged under their names, round {number + 1}: one request each", said)
            wrong = []
            for record in instance.records():
                if record["outcome"] == "rejected":
                    kept = (instance.spool / "rejected" / record["trigger"]).read_bytes()
                    if kept in (b"1", b"3", b'{"channel":"note"}'):
                        wrong.append(f"{record['trigger']}: {kept!r} was rejected: {record['error_message']}")
            report.check(not wrong, f"files exchanged under their names, round {number + 1}: what was judged is what is there", wrong)


# --- The same name again.


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
        report.check(times > 10 and instance.ledger()[b"again.json"] == times, "as often as it was dropped", f"{times} {instance.ledger()}")


def main():
    options = harness.options("races", __doc__)
    report = harness.Report("races")
    chance = options.random
    many = options.full
    crowd(report, 10_000 if many else 2_000, chance)
    second_look(report, 3_000 if many else 200, 1_000, chance)
    for how, take in (("cancel", cancel), ("cancel --all", cancel_all), ("prune", prune), ("mv", move_away)):
        take_away(report, how, 25 if many else 2, chance, take)
    exchanges(report, 25 if many else 2, chance)
    same_name(report)
    report.finish()


if __name__ == "__main__":
    main()
