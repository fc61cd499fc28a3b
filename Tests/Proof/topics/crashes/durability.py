#!/usr/bin/env python3
"""Traces the order in which things become durable, and cuts the power after every call.

Every system call of a real run is traced. First the order of the calls is checked, trigger by trigger
(lib/faults/durable_order.py).

Then the power is cut after each call of the trace. Synced data is kept, and any part of the rest may be lost (see
lib/faults/disk.py). The remaining spool is written to a new instance, one clean run is made there, and the oracle is
asked. Jobs that had been executed before the cut count.
"""

import json
import pathlib
import random
import sys

LIB = pathlib.Path(__file__).resolve().parents[2] / "lib"
sys.path[:0] = [str(LIB), str(LIB / "faults"), str(LIB / "samples")]

import durable_order
import jobs
import sweeps
import topic
from instance import Instance
from recording import Recording


def drop_deadly(instance):
    """Drops triggers whose first job kills the batch, when the claim is not durable yet."""
    instance.handler("note", jobs.NOTE + "mkdir '{root}/killed' 2>/dev/null && kill -KILL $PPID\nexit 0\n")
    for name in ("a.json", "b.json"):
        instance.drop(name, "1")


def drop_many(instance):
    """Drops many triggers that are finished so quickly (their channel is unknown) that results are synced together."""
    for number in range(40):
        instance.drop(f"{number:02}.json", "99")


COMMANDS = (
    ("a run", sweeps.drop_all_kinds, ("run", "--spool-only")),
    ("a run with the schedule", sweeps.drop_pending, ("run",)),
    ("a run over many triggers", drop_many, ("run", "--spool-only")),
    ("`bobbin cancel`", sweeps.drop_pending, ("cancel", "--all")),
    ("`bobbin prune`", sweeps.drop_pending, ("prune",)),
    ("`bobbin trigger`", sweeps.drop_nothing, ("trigger", "note", "--json")),
    ("`bobbin trigger` of a channel that must not be repeated", sweeps.drop_nothing, ("trigger", "once", "--json")),
    ("`bobbin trigger --queue`", sweeps.drop_nothing, ("trigger", "note", "--queue", "--json")),
)


# --- Order.


def check_order(report, subject, recording, at_least=1):
    """Reports one line for all triggers that the last command of a recording claimed; returns the number of steps."""
    spool = recording.disk.root_path
    events = recording.last_events()
    started = durable_order.jobs_of(events)
    claims = durable_order.claims_of(events, spool)
    steps = 0
    problems = []
    for claim in claims:
        try:
            steps += durable_order.ClaimOrder(events, spool, claim).check(started, recording.never_repeated)
        except LookupError as error:
            problems.append(str(error))
    report.check(
        len(claims) >= at_least and not problems,
        f"{subject} makes its triggers durable in the right order: {len(claims)} triggers, {steps} steps",
        problems,
    )
    return steps


def check_submission(report, subject, recording):
    try:
        durable_order.check_submission(recording.events, recording.disk.root_path)
        problems = []
    except LookupError as error:
        problems = [str(error)]
    report.check(not problems, f"{subject} answers only after the trigger is durable", problems)


# --- Power cuts.


def possible_images(recording, per_line, seed):
    """The images that power cuts may leave, without repetitions: pairs of a line of the trace and an image."""
    seen = set()
    for line in recording.lines_of_cuts():
        chance = random.Random(f"{seed} {line}")
        for number in range(per_line):
            # First none and all of the data that was not synced, then random parts.
            keep = (0.0, 1.0, 0.5, 0.2, 0.8)[number] if number < 5 else chance.random()
            image = recording.disk.after_power_cut(line, chance, keep)
            answers = sum(answered <= line for answered, _ in recording.answers)
            key = (image.key(), recording.ledger_at(line), answers)
            if key not in seen:
                seen.add(key)
                yield line, image


def pretend_reboot(spool):
    """Makes the owners of claims and of the lock belong to an earlier boot. Then only the kernel's locks show
    whether they are alive."""
    boot = pathlib.Path("/proc/sys/kernel/random/boot_id").read_text().replace("-", "")[:12]
    earlier = "0" * len(boot)
    running = spool / "running"
    for folder in running.iterdir() if running.exists() else []:
        folder.rename(folder.with_name(folder.name.replace(boot, earlier)))
    lock = spool / "scheduler.lock"
    if lock.exists():
        lock.write_bytes(lock.read_bytes().replace(boot.encode(), earlier.encode()))


def problems_after_cut(recording, line, image):
    """Writes the image of a power cut to a new instance, makes one clean run, and asks the oracle."""
    with Instance(**recording.settings) as instance:
        oracle = instance.oracle
        image.write(instance.spool)
        oracle.power_was_cut = True
        pretend_reboot(instance.spool)
        left = instance.listing()
        instance.ledger_path.write_bytes(recording.ledger_at(line))
        oracle.expected.update(recording.expected)
        oracle.never_repeated |= recording.never_repeated
        for answered, name in recording.answers:
            if answered <= line:
                oracle.expected[name.encode()] = 1
        oracle.faults = recording.faults
        # A job that was executed and whose record is lost may be executed again, whatever happened to its claim.
        recorded = {record["name"] for record in instance.records(strict=False)}
        oracle.cut_short = recording.cut_short | {name for name in instance.ledger() if name not in recorded}
        clean = instance.clean_run()
        problems = oracle.violations()
        if clean.status not in (0, 1):
            problems.append(f"the clean run ended with status {clean.status}")
        if problems:
            problems += clean.describe().splitlines() + ["the power cut left:", *left]
        return problems


def cut_power(report, subject, recording, per_line, bound, options):
    """Reports one line for the power cuts of a recording.

    - Returns: how many were survived, and how many there were.
    """
    images = list(possible_images(recording, per_line, options.seed))
    images = topic.sample(images, bound, options.random)
    outcomes = topic.in_parallel(lambda image: problems_after_cut(recording, *image), images)
    broken = [(line, problems) for (line, _), problems in zip(images, outcomes) if problems]
    details = [f"cut after line {line}: {problems[0]}" for line, problems in broken[:30]]
    if broken:
        details += ["the first of them in full:", *(f"  {problem}" for problem in broken[0][1])]
    survived = len(images) - len(broken)
    report.check(images and not broken, f"{subject} survives {survived} of {len(images)} power cuts", details)
    return survived, len(images)


def recording_of(prepare):
    instance = Instance()
    prepare(instance)
    return Recording(instance)


def check_command(report, subject, prepare, arguments):
    """Records a command and checks its order; returns the recording and how many steps were checked."""
    recording = recording_of(prepare)
    steps = 0
    with recording.instance:
        result = recording.trace(*arguments)
        report.check(result.status in (0, 1), f"{subject} ends with 0 or 1 under strace", result.describe())
        if prepare is drop_many:
            together = sum(event.name == "syncfs" for event in recording.events)
            report.check(together > 0, f"{subject} syncs several results together, {together} times")
        if "trigger" in arguments:
            if "once" in arguments:
                recording.never_repeated.add(json.loads(result.out)["trigger"].encode())
            check_submission(report, subject, recording)
        if "--queue" not in arguments:
            steps = check_order(report, subject, recording)
    return recording, steps


def check_recovery(report, killed_at):
    """Records a run that recovers from a kill, when the data that the killed run wrote is not durable yet."""
    recording = recording_of(drop_deadly if killed_at is None else sweeps.drop_all_kinds)
    where = "by its job" if killed_at is None else f"at call {killed_at}"
    subject = f"the recovery of a run that was killed {where}"
    with recording.instance:
        recording.trace("run", "--spool-only", killed_at=killed_at)
        recording.trace("run", "--spool-only")
        return subject, recording, check_order(report, subject, recording, at_least=0)


def main():
    options, report = topic.begin(__doc__)
    per_line, bound = (60, 20000) if options.full else (8, 500)
    counts = []
    steps = 0
    for subject, prepare, arguments in COMMANDS:
        recording, checked = check_command(report, subject, prepare, arguments)
        steps += checked
        counts.append(cut_power(report, subject, recording, per_line, bound, options))

    calls = range(40, 210)
    if not options.full:
        calls = topic.sample(calls, 4, options.random)
    per_line, bound = (16, 300) if options.full else (8, 250)
    for killed_at in [None, *calls]:
        subject, recording, checked = check_recovery(report, killed_at)
        steps += checked
        counts.append(cut_power(report, subject, recording, per_line, bound, options))

    survived, total = (sum(column) for column in zip(*counts))
    report.figure(f"{steps} steps in order, {survived} of {total} power cuts survived")
    report.finish()


if __name__ == "__main__":
    main()
