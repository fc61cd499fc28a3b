#!/usr/bin/env python3
"""Every call that changes or orders anything fails once, with each error that fits it.

Each call of a run, of a recovery and of the commands is failed in turn, through the gate of the C shim. What must hold
of the process that met the error:

- It ends by itself, with a documented exit status.
- It says that it is done (status 0 or 1) only when nothing is left pending or claimed.
- When it gives up, no further job starts. A record is written beside the next job, so where writing it fails, one job
  may have been on its way.
- No space anywhere but in a job's own affairs (its log, its folder): it gives up with status 75.
- A failed sync is not trusted and not repeated: nothing is published or removed on the strength of it, and no record
  that may be lost is left in the history for a later run to believe in.
- EINTR changes nothing.
- Too few descriptors, processes or memory to start a job: its trigger is pending again, as if it had not been looked at.

And then, as always, the oracle.
"""

import dataclasses
import errno
import json
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

import crash
import harness


ERRORS = {
    "open": ("ENOSPC", "EIO", "EMFILE", "EACCES", "EINTR"),
    "write": ("ENOSPC", "EIO", "EINTR"),
    "truncate": ("EIO", "EINTR"),
    "sync": ("EIO", "ENOSPC", "EINTR"),
    "rename": ("ENOSPC", "EIO", "EACCES", "EINTR"),
    "link": ("ENOSPC", "EIO", "EACCES", "EINTR"),
    "unlink": ("EIO", "EACCES", "EINTR"),
    "mkdir": ("ENOSPC", "EIO", "EACCES", "EINTR"),
    "chmod": ("EIO", "EACCES", "EINTR"),
    "chown": ("EIO", "EACCES", "EINTR"),
    "lock": ("EIO", "ENOLCK", "EINTR"),
    "spawn": ("EMFILE", "EAGAIN", "ENOMEM", "EACCES"),
    "wait": ("EIO", "EINTR"),
    "pipe": ("EMFILE",),
}
# bobbin --help: done, failed, cannot create, input/output, try again later, permission.
DOCUMENTED = {0, 1, 73, 74, 75, 77}
GAVE_UP = DOCUMENTED - {0, 1}


@dataclasses.dataclass(frozen=True)
class Call:
    """One line of a trace; `about` is a path seen from the instance, without what differs from run to run."""

    name: str
    about: str


def read_trace(instance):
    path = instance.root / "trace"
    calls = []
    for line in path.read_text(errors="replace").splitlines() if path.exists() else []:
        _, name, about = line.split(" ", 2)
        about = about.replace(f"{instance.root}/", "")
        about = re.sub(r"^spool/running/[^/]+", "spool/running/OWNER", about)
        calls.append(Call(name, about))
    return calls


def is_jobs_own(call):
    """What only one job suffers from: the run goes on, and the job's record says it."""
    return call.name in ("spawn", "pipe", "wait") or call.about.startswith(("spool/logs/", "library/"))


def is_message(call):
    """Standard output and standard error, which go to unnamed files here."""
    return call.name == "write" and not call.about.startswith("spool/")


def is_recorders(call):
    """What brings a finished trigger to its end, beside the next job."""
    return (
        re.match(r"spool/(history\.jsonl|done|failed|expired|rejected|cancelled)(/|$)", call.about)
        or call.about in ("spool", "spool/running/OWNER")
        or (call.name == "unlink" and call.about.startswith("spool/running/OWNER/"))
    )


def is_evidence(call):
    """What removing a claim depends on."""
    return re.match(r"spool/(history\.jsonl|(done|failed|expired|rejected|cancelled)(/\..*)?)$", call.about)


def problems_of(instance, calls, number, error, result, is_run):
    """What the process did wrong after its call of that number had failed."""
    failed, after = calls[number - 1], calls[number:]
    problems = []
    if result.status not in DOCUMENTED:
        return ["it ended with an undocumented status"]
    left = [*instance.pending(), *(claim.trigger for claim in instance.claims())]
    # What somebody forbids to touch concerns one trigger or one channel alone, and is reported.
    untouchable = error == "EACCES" and (
        (failed.name, failed.about.count("/")) in (("rename", 3), ("mkdir", 2)) or "/channels/" in failed.about
    )
    if is_run and result.status in (0, 1) and left and not untouchable:
        problems.append(f"it says that it is done, and leaves {left}")
    # What has been done is done, whether it can be told or not: that stops nothing, and only the status says it.
    if result.status in GAVE_UP and not is_message(failed):
        spawned = sum(call.name == "spawn" for call in after)
        if spawned > (1 if is_recorders(failed) else 0):
            problems.append(f"it gave up, and started {spawned} jobs after the failure")
    if error == "EINTR":
        if result.status in GAVE_UP:
            problems.append("an interrupted call was not repeated")
        return problems
    if error == "ENOSPC" and not (is_jobs_own(failed) or is_message(failed)) and result.status != 75:
        problems.append("no space, and not status 75")
    if failed.name == "sync":
        problems += problems_of_sync(failed, after, result)
    if failed.about == "spool/history.jsonl" and failed.name != "lock" and result.status not in GAVE_UP:
        problems.append("the history could not be written, and it went on")
    return problems


def problems_of_sync(failed, after, result):
    problems = []
    if result.status not in GAVE_UP:
        problems.append("a sync failed, and it went on")
    if is_evidence(failed):
        for call in after:
            if call.name == "rename" and re.match(r"spool/(done|failed|expired|rejected|cancelled)/", call.about):
                problems.append(f"published after a failed sync: {call.about}")
            if call.name == "unlink" and call.about.startswith("spool/running/OWNER/"):
                problems.append(f"claim removed after a failed sync: {call.about}")
            if call.name == "sync" and call.about == failed.about:
                problems.append(f"a failed sync was repeated: {call.about}")
    return problems


def fail_once(sweep, number, error, killed_at=None):
    """One instance, in which one call fails.

    - Parameter killed_at: a run was killed there before, so that this one has something to recover.
    - Returns: the call that failed and what is wrong, or None when that call was never made or can't fail so.
    """
    with sweep.instance() as instance:
        sweep.prepare(instance)
        if killed_at is not None:
            crash.killed(instance, sweep.arguments, killed_at)
            instance.wait_until_idle()
            instance.note_fault()
        # Whether these are on the disk is not for this process to know: an earlier one wrote them.
        earlier = {record["id"] for record in instance.records(strict=False)}
        result = instance.bobbin(
            *sweep.arguments,
            instrumented=True,
            environment={
                "BOBBIN_FAILPOINT_TRACE": str(instance.root / "trace"),
                "BOBBIN_FAILPOINT_FAIL": f"{number}:{getattr(errno, error)}",
            },
        )
        calls = read_trace(instance)
        if len(calls) < number or error not in ERRORS[calls[number - 1].name]:
            return None
        if sweep.arguments[0] == "trigger" and result.out.startswith("{"):
            # It has answered, so the oracle must find its trigger.
            instance.expect(json.loads(result.out)["trigger"])
        problems = problems_of(instance, calls, number, error, result, sweep.arguments[0] == "run")
        if calls[number - 1] == Call("sync", "spool/history.jsonl") and error != "EINTR":
            believed = {record["id"] for record in instance.records(strict=False)} - earlier
            believed &= {claim.id for claim in instance.claims()}
            if believed:
                problems.append(f"records that may be lost stay in the history: {sorted(believed)}")
        return calls[number - 1], problems + crash.aftermath(instance, result)


def points_of(sweep, killed_at=None):
    """Which calls there are to fail, and how."""
    with sweep.instance() as instance:
        sweep.prepare(instance)
        if killed_at is not None:
            crash.killed(instance, sweep.arguments, killed_at)
            instance.wait_until_idle()
        instance.bobbin(
            *sweep.arguments,
            instrumented=True,
            environment={"BOBBIN_FAILPOINT_TRACE": str(instance.root / "trace")},
        )
        calls = enumerate(read_trace(instance), start=1)
        return [(sweep, number, error, killed_at) for number, call in calls for error in ERRORS[call.name]]


RUN = crash.SWEEPS[0]
SWEEPS = (
    RUN,
    crash.Sweep("trigger --json", ("trigger", "note", "--json"), crash.drop_pending),
    crash.Sweep("trigger --queue --json", ("trigger", "note", "--queue", "--json"), crash.drop_pending),
    *(sweep for sweep in crash.SWEEPS if sweep.arguments[0] in ("cancel", "prune")),
)


def sweep_points(report, description, points):
    """One line for the failures of a sweep.

    - Returns: how many were handled, and how many there were.
    """
    outcomes = [
        (point, outcome)
        for point, outcome in zip(points, harness.in_parallel(lambda point: fail_once(*point), points))
        if outcome is not None
    ]
    details = []
    for (_, number, error, killed_at), (call, problems) in outcomes:
        if problems and len(details) < 60:
            before = "" if killed_at is None else f", after a run that was killed at call {killed_at}"
            details.append(f"call {number}, {call.name} {call.about}: {error}{before}")
            details += [f"  {problem}" for problem in problems[:20]]
    handled = sum(not problems for _, (_, problems) in outcomes)
    report.check(
        outcomes and handled == len(outcomes),
        f"{description}: {handled} of {len(outcomes)} failed calls handled",
        details,
    )
    return handled, len(outcomes)


# Not one job's fault: the batch or the machine has run out of something that will be there again.
SHORTAGES = ("EMFILE", "ENFILE", "EAGAIN", "ENOMEM")
# The calls that start the job of each trigger, by their numbers: the pipes of the first job serve all of them.
STARTS = (
    ("pipe", 1, b"a.json"),
    ("pipe", 2, b"a.json"),
    ("spawn", 1, b"a.json"),
    ("spawn", 2, b"b.json"),
    ("spawn", 3, b"c.json"),
)
# `once` must never be executed again. It has not been executed.
WAITING = {b"a.json": "note", b"b.json": "once", b"c.json": "note"}


def problems_of_shortage(call, number, error, short):
    """What went wrong with a run that is short of something when it starts the job of the trigger `short`."""
    with harness.Instance() as instance:
        for name, channel in WAITING.items():
            instance.drop(name, json.dumps({"channel": channel}), once=channel == "once")
        result = instance.bobbin(
            "run",
            "--spool-only",
            instrumented=True,
            environment={
                "BOBBIN_FAILPOINT_ONLY": call,
                "BOBBIN_FAILPOINT_FAIL": f"{number}:{getattr(errno, error)}",
            },
        )
        problems = []
        if result.status != 75:
            problems.append("a shortage, and not status 75")
        waiting = sorted(name for name in WAITING if name >= short)
        if sorted(instance.pending()) != waiting:
            problems.append(f"pending are {instance.pending()} instead of {waiting}")
        recorded = {record["name"] for record in instance.records(strict=False)} & set(waiting)
        claimed = {claim.trigger for claim in instance.claims()} & set(waiting)
        executed = set(instance.ledger()) & set(waiting)
        if recorded or claimed or executed:
            problems.append(f"recorded {recorded}, claimed {claimed}, executed {executed}: it was none of that")
        clean = instance.clean_run()
        if clean.status != 0:
            problems.append("the next run, short of nothing, does not end with 0")
        if instance.ledger() != dict.fromkeys(WAITING, 1):
            problems.append(f"executed {instance.ledger()} instead of each once")
        ends = {record["name"]: (record["outcome"], record["attempt"]) for record in instance.records() if record["name"]}
        if ends != dict.fromkeys(WAITING, ("succeeded", 1)):
            problems.append(f"outcomes and attempts are {ends}")
        problems += instance.violations()
        return [*problems, result.describe(), clean.describe(), *instance.listing()] if problems else []


def problems_of_short_repetition(error):
    """A job that has been cut short once is to be repeated by a run that is short of something: not forgotten is that
    its next attempt is the second."""
    with harness.Instance() as instance:
        instance.drop("a.json", '{"channel": "note"}')
        # The first wait looks for children from before; the second comes when the job has been started.
        environment = {"BOBBIN_FAILPOINT_ONLY": "wait", "BOBBIN_FAILPOINT_KILL": "2"}
        killed = instance.bobbin("run", "--spool-only", instrumented=True, environment=environment)
        instance.wait_until_idle()
        instance.note_fault()
        environment = {"BOBBIN_FAILPOINT_ONLY": "spawn", "BOBBIN_FAILPOINT_FAIL": f"1:{getattr(errno, error)}"}
        short = instance.bobbin("run", "--spool-only", instrumented=True, environment=environment)
        clean = instance.clean_run()
        problems = instance.violations()
        if (killed.was_killed, short.status, clean.status) != (True, 75, 0):
            problems.append("not killed, or not 75 for the shortage, or not 0 in the end")
        attempts = [record["attempt"] for record in instance.records() if record["name"]]
        if attempts != [2]:
            problems.append(f"its attempt is {attempts} instead of the second")
        return [*problems, short.describe(), clean.describe(), *instance.listing()] if problems else []


def problems_of_shortage_after(channel):
    """A job brings the batch to its limit of open files, and leaves a process that can't be looked for then. It has been
    executed, so this is no reason to execute it again as if it had not."""
    greedy = harness.HANDLERS["note"] + "sleep 2 &\nexec prlimit --pid $PPID --nofile=4:4\n"
    with harness.Instance(handlers={"note": greedy}) as instance:
        instance.drop("a.json", json.dumps({"channel": channel}), once=channel == "once")
        short = instance.bobbin("run", "--spool-only")
        problems = []
        if list(instance.pending()):
            problems.append("its trigger is pending again")
        instance.wait_until_idle()
        instance.note_fault()
        instance.handler("note", harness.HANDLERS["note"])
        clean = instance.clean_run()
        problems += instance.violations()
        if clean.status not in (0, 1):
            problems.append("the next run does not end well")
        return [*problems, short.describe(), clean.describe(), *instance.listing()] if problems else []


def check_shortages(report):
    """What a run is short of is no failure of a trigger: it waits in the spool, and its first attempt is yet to come.

    - Returns: how many were handled, and how many there were.
    """
    points = [(call, number, error, short) for call, number, short in STARTS for error in SHORTAGES]
    outcomes = harness.in_parallel(lambda point: problems_of_shortage(*point), points)
    details = []
    for (call, number, error, _), problems in zip(points, outcomes):
        if problems and len(details) < 60:
            details += [f"{call} {number}: {error}", *problems]
    handled = outcomes.count([])
    report.check(
        handled == len(points),
        f"short of something when a job is to start: {handled} of {len(points)} triggers wait and are run once",
        details,
    )
    repetitions = [problems_of_short_repetition(error) for error in SHORTAGES]
    report.check(
        not any(repetitions),
        "short of something when a job is to be repeated: its attempts stay counted",
        [line for problems in repetitions for line in problems],
    )
    after = [problems_of_shortage_after(channel) for channel in ("once", "note")]
    report.check(
        not any(after),
        "short of something when a job has ended: it counts as executed",
        [line for problems in after for line in problems],
    )
    lists = repetitions + after
    return handled + lists.count([]), len(points) + len(lists)


def main():
    options = harness.options("failed_calls", __doc__)
    report = harness.Report("failed_calls")
    counts = []
    for sweep in SWEEPS:
        counts.append(sweep_points(report, sweep.description, points_of(sweep)))
    counts.append(check_shortages(report))
    # What a recovery meets depends on where the run before it died.
    deaths = harness.sample(range(60, 240), 24 if options.full else 6, options.random)
    points = [point for death in deaths for point in points_of(RUN, death)]
    if not options.full:
        points = harness.sample(points, 600, options.random)
    counts.append(sweep_points(report, f"{RUN.description}, in its recovery", points))
    handled, total = (sum(column) for column in zip(*counts))
    report.figure(f"{handled} of {total} failed calls handled")
    report.finish()


if __name__ == "__main__":
    main()
