#!/usr/bin/env python3
"""The order in which things become durable, and what a power cut may then leave.

Every system call of a real run is traced. First its order is checked, trigger by trigger: claim, job, history written,
history synced, result written, result synced, result under its name, directory synced, claim removed.

Then the power is cut after each call of the trace. What was synced is kept; of what was not, any part may be (see
disk.py). The spool that is left is laid out afresh, one clean run is made, and the oracle is asked. Jobs that had been
executed before the cut count.
"""

import json
import pathlib
import random
import re
import signal
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

import crash
import disk
import harness
import syscalls


FINAL = rb"/(done|failed|expired|rejected|cancelled)/"


# --- Order.


def first(events, after, description, holds):
    """The first event that begins after a moment and is the one; its absence is a failure."""
    for event in events:
        if event.start > after and holds(event):
            return event
    raise LookupError(f"no {description} follows")


def is_sync(event, path):
    return event.name == "syncfs" or event.name in ("fsync", "fdatasync") and event.arguments[0] == path


def check_claim(events, spool, claim, jobs, once):
    """Follows one trigger from its claim to its end. Raises LookupError where something comes too early.

    - Returns: what was checked, for the figures.
    """
    claimed = claim.path(2)
    owner = claimed.rpartition(b"/")[0]
    identifier, step, name = claimed.rpartition(b"/")[2].split(b".", 2)
    moment = claim.end
    checked = ["claim"]

    def follows(description, holds):
        nonlocal moment
        event = first(events, moment, f"{description} of {name!r}", holds)
        moment = event.end
        checked.append(description)
        return event

    if step.isdigit() and identifier in jobs:
        job = jobs[identifier]
        if job.start < claim.end:
            raise LookupError(f"the job of {name!r} began before its claim")
        # What must not be repeated, or not too often, must not be forgotten either.
        if name in once or int(step) > 1:
            follows("sync of the claim before the job", lambda event: is_sync(event, owner))
            follows("sync of the spool before the job", lambda event: is_sync(event, spool))
        if job.start < moment:
            raise LookupError(f"the job of {name!r} began before its claim was durable")
        moment = job.end
    history = spool + b"/history.jsonl"
    record = b'{"id":%s,' % identifier
    written = follows(
        "record",
        lambda event: event.name == "write"
        and event.arguments[0] == history
        and any(line.startswith(record) for line in event.arguments[1].split(b"\n")),
    )
    # A record must not be found while its trigger could still be found pending.
    for path in (owner, spool):
        if not any(is_sync(event, path) and claim.end < event.start and event.end < written.start for event in events):
            raise LookupError(f"the record of {name!r} was written before {path!r} was synced")
    follows("sync of the history", lambda event: is_sync(event, history))
    synced = moment
    published = follows(
        "publication",
        lambda event: event.name.startswith("rename")
        and re.match(re.escape(spool) + FINAL, event.path(2))
        and event.path(2).endswith(b"/" + name),
    )
    if published.path() != claimed:
        check_result(events, published, name)
        checked += ["result written", "result synced"]
    folder = published.path(2).rpartition(b"/")[0]
    follows("sync of the folder", lambda event: is_sync(event, folder))
    if published.path() != claimed:
        follows("removal of the claim", lambda event: event.name == "unlinkat" and event.path() == claimed)
    if any(event.name == "unlinkat" and event.path() == claimed and event.start < synced for event in events):
        raise LookupError(f"the claim of {name!r} was removed before its record was durable")
    return checked


def check_result(events, published, name):
    """A result has its name only once its content is durable."""
    temporary = published.path()
    written = first(
        events, -1, f"result of {name!r}", lambda event: event.name == "write" and event.arguments[0] == temporary
    )
    synced = first(events, written.end, f"sync of the result of {name!r}", lambda event: is_sync(event, temporary))
    if synced.end > published.start:
        raise LookupError(f"the result of {name!r} got its name before it was synced")


def claims_of(events, spool):
    return [
        event
        for event in events
        if event.name.startswith("rename") and event.path(2).startswith(spool + b"/running/")
    ]


def jobs_of(events):
    """The start of each job, by its history id."""
    jobs = {}
    for event in events:
        if event.name == "execve":
            for argument in event.arguments:
                if argument.startswith(b"BOBBIN_HISTORY_ID="):
                    jobs.setdefault(argument.partition(b"=")[2], event)
    return jobs


def check_order(report, description, recording, at_least=1):
    """Every trigger that the last process of a recording claimed, one line."""
    spool = recording.disk.root_path
    events = [event for event in recording.events if event.start >= recording.begin]
    jobs = jobs_of(events)
    claims = claims_of(events, spool)
    steps = 0
    problems = []
    for claim in claims:
        try:
            steps += len(check_claim(events, spool, claim, jobs, recording.once))
        except LookupError as error:
            problems.append(str(error))
    report.check(
        len(claims) >= at_least and not problems,
        f"{description}: {len(claims)} triggers, {steps} steps in order",
        problems,
    )
    return steps


def check_submission(report, description, recording):
    """A trigger is whole, under its name and synced before anyone is told that it is accepted."""
    spool = recording.disk.root_path
    events = recording.events
    try:
        written = first(
            events, -1, "trigger", lambda event: event.name == "write" and b"/.bobbin-" in event.arguments[0]
        )
        synced = first(events, written.end, "sync", lambda event: is_sync(event, written.arguments[0]))
        named = first(events, synced.end, "name", lambda event: event.name.startswith("rename"))
        durable = first(events, named.end, "sync of the spool", lambda event: is_sync(event, spool))
        first(events, durable.end, "answer", lambda event: event.name == "write" and b"{" in event.arguments[1][:1])
        problems = []
    except LookupError as error:
        problems = [str(error)]
    report.check(not problems, f"{description}: durable before it is answered", problems)


def drop_deadly(instance):
    """Triggers whose first job kills the batch. Nothing of its claim is durable then."""
    instance.handler("note", harness.NOTE + "mkdir '{root}/killed' 2>/dev/null && kill -KILL $PPID\nexit 0\n")
    for name in ("a.json", "b.json"):
        instance.drop(name, "1")


# --- Recording.


def drop_many(instance):
    """So many, and so quickly done (their channel is unknown), that results are synced all together."""
    for number in range(40):
        instance.drop(f"{number:02}.json", "99")


class Recording:
    """The calls of one process or several, and the disk as they changed it."""

    def __init__(self, instance):
        self.instance = instance
        self.disk = disk.Disk(instance.spool)
        self.expected = dict(instance.expected)
        self.once = set(instance.once)
        self.settings = {"max_attempts": instance.max_attempts}
        self.events = []
        self.answers = []
        self.faults = 0
        self.cut = set()
        # Power cuts are tried from here on.
        self.begin = 0
        self.end = 0

    def trace(self, *arguments, killed_at=None):
        """Runs the program under strace. Killed, it leaves an earlier fault for the next one."""
        path = self.instance.root / "strace"
        self.begin = self.end
        result = self.instance.bobbin(
            *arguments,
            instrumented=killed_at is not None,
            environment={} if killed_at is None else {"BOBBIN_FAILPOINT_KILL": str(killed_at)},
            prefix=syscalls.prefix(path),
            timeout=120,
        )
        self.instance.wait_until_idle()
        events = syscalls.read(path, offset=self.begin)
        for event in events:
            self.disk.add(event)
            if event.name == "write" and result.out and event.arguments[1][:1] == b"{" and arguments[0] == "trigger":
                if event.arguments[1].decode() == result.out:
                    self.answers.append((event.start, json.loads(result.out)["trigger"]))
        self.events += events
        # The moment after the last line, so that the whole of it is one of the cuts.
        self.end = max([self.begin, *(event.end for event in events)]) + 1
        if result.status == -signal.SIGKILL:
            self.instance.note_fault()
            self.cut = set(self.instance.cut)
            self.faults += 1
        return result

    def ledger_at(self, moment):
        path = str(self.instance.ledger_path).encode()
        return b"".join(
            event.arguments[1]
            for event in self.events
            if event.name == "write" and event.arguments[0] == path and event.start <= moment
        )

    def moments(self):
        """After each call that changes or syncs the spool."""
        ends = {change.end for change in self.disk.changes} | {sync.end for sync in self.disk.syncs}
        ledger = str(self.instance.ledger_path).encode()
        ends |= {event.end for event in self.events if event.arguments[:1] == (ledger,)}
        return sorted(end for end in ends if end >= self.begin) + [self.end]


# --- Power cuts.


def draw(recording, per_moment, seed):
    """What power cuts may leave, each once: pairs of a moment and an image."""
    seen = set()
    for moment in recording.moments():
        chance = random.Random(f"{seed} {moment}")
        for number in range(per_moment):
            # Nothing and everything first, then anything in between.
            keep = (0.0, 1.0, 0.5, 0.2, 0.8)[number] if number < 5 else chance.random()
            image = recording.disk.after_power_cut(moment, chance, keep)
            answers = sum(answered <= moment for answered, _ in recording.answers)
            key = (image.key(), recording.ledger_at(moment), answers)
            if key not in seen:
                seen.add(key)
                yield moment, image


def boot_again(spool):
    """Owners of claims and of the lock are of an earlier boot then: whether they live, only the kernel's locks tell."""
    boot = pathlib.Path("/proc/sys/kernel/random/boot_id").read_text().replace("-", "")[:12].encode()
    earlier = b"0" * len(boot)
    running = spool / "running"
    for folder in running.iterdir() if running.exists() else []:
        folder.rename(folder.with_name(folder.name.replace(boot.decode(), earlier.decode())))
    lock = spool / "scheduler.lock"
    if lock.exists():
        lock.write_bytes(lock.read_bytes().replace(boot, earlier))


def recover(recording, moment, image):
    """Lays out what a power cut left, makes one clean run, and asks the oracle."""
    with harness.Instance(**recording.settings) as instance:
        image.write(instance.spool)
        instance.power_was_cut = True
        boot_again(instance.spool)
        left = instance.listing()
        instance.ledger_path.write_bytes(recording.ledger_at(moment))
        instance.expected.update(recording.expected)
        instance.once |= recording.once
        for answered, name in recording.answers:
            if answered <= moment:
                instance.expected[name.encode()] = 1
        instance.faults = recording.faults
        # Executed without a record that is left, wherever the claim is now: it may be executed again.
        recorded = {record["name"] for record in instance.records(strict=False)}
        instance.cut = recording.cut | {name for name in instance.ledger() if name not in recorded}
        clean = instance.clean_run()
        problems = instance.violations()
        if clean.status not in (0, 1):
            problems.append(f"the clean run ended with status {clean.status}")
        if problems:
            problems += clean.describe().splitlines() + ["it was left with:", *left]
        return problems


def cut_power(report, description, recording, per_moment, bound, options):
    """One line for the power cuts of a recording.

    - Returns: how many were survived, and how many there were.
    """
    states = list(draw(recording, per_moment, options.seed))
    states = harness.sample(states, bound, options.random)
    outcomes = harness.in_parallel(lambda state: recover(recording, *state), states)
    broken = [(moment, problems) for (moment, _), problems in zip(states, outcomes) if problems]
    details = [f"cut after line {moment}: {problems[0]}" for moment, problems in broken[:30]]
    if broken:
        details += ["the first of them in full:", *(f"  {problem}" for problem in broken[0][1])]
    survived = len(states) - len(broken)
    report.check(
        states and not broken, f"{description}: {survived} of {len(states)} power cuts survived", details
    )
    return survived, len(states)


def main():
    options = harness.options("durability", __doc__)
    report = harness.Report("durability")
    per_moment, bound = (60, 20000) if options.full else (8, 500)
    counts = []
    steps = 0

    def prepared(prepare):
        instance = harness.Instance()
        prepare(instance)
        return Recording(instance)

    commands = (
        ("a run", crash.drop_all_kinds, ("run", "--spool-only")),
        ("a run with its channels", crash.drop_pending, ("run",)),
        ("a run over many", drop_many, ("run", "--spool-only")),
        ("cancel", crash.drop_pending, ("cancel", "--all")),
        ("prune", crash.drop_pending, ("prune",)),
        ("trigger", lambda instance: None, ("trigger", "note", "--json")),
        ("trigger of a channel that must not be repeated", lambda instance: None, ("trigger", "once", "--json")),
        ("trigger --queue", lambda instance: None, ("trigger", "note", "--queue", "--json")),
    )
    for description, prepare, arguments in commands:
        recording = prepared(prepare)
        with recording.instance:
            result = recording.trace(*arguments)
            report.check(result.status in (0, 1), f"{description}: traced", result.describe())
            if prepare is drop_many:
                together = sum(event.name == "syncfs" for event in recording.events)
                report.check(together > 0, f"{description}: {together} times results were synced together")
            if "trigger" in arguments:
                if "once" in arguments:
                    recording.once.add(json.loads(result.out)["trigger"].encode())
                check_submission(report, description, recording)
            if "--queue" not in arguments:
                steps += check_order(report, description, recording)
        counts.append(cut_power(report, description, recording, per_moment, bound, options))

    # The power is cut in the run that recovers from a kill, where not even what the dead run wrote is durable.
    calls = range(40, 210)
    if not options.full:
        calls = harness.sample(calls, 4, options.random)
    for description, killed_at in [("by its job", None), *((f"at call {number}", number) for number in calls)]:
        recording = prepared(drop_deadly if killed_at is None else crash.drop_all_kinds)
        with recording.instance:
            recording.trace("run", "--spool-only", killed_at=killed_at)
            recording.trace("run", "--spool-only")
            description = f"the recovery from a kill {description}"
            steps += check_order(report, description, recording, at_least=0)
        most = (16, 300) if options.full else (8, 250)
        counts.append(cut_power(report, description, recording, *most, options))

    survived, total = (sum(column) for column in zip(*counts))
    report.figure(f"{steps} steps in order, {survived} of {total} power cuts survived")
    report.finish()


if __name__ == "__main__":
    main()
