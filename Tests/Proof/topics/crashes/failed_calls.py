#!/usr/bin/env python3
"""Makes every call that changes or orders anything fail once, with each error that fits it.

Each call of a run, of a recovery and of the commands is failed in turn, through the gate of the C shim
(Sources/CLinux/failpoint.h). The process that met the error must behave as follows:

- It ends by itself, with a documented exit status.
- It reports that it is done (status 0 or 1) only if nothing is left pending or claimed.
- If it aborts, it does not start another job. A record is written while the next job runs, so if that write fails, one
  job may have been started before.
- If there is no space, it aborts with status 75, unless only one job's own files (its log, its folder) are concerned.
- It does not trust a failed sync and does not repeat it: it does not publish or remove anything that depends on that
  sync, and does not leave a record in the history that may be lost and that a later run would believe.
- EINTR does not have an effect.
- If there are too few descriptors, processes or memory to start a job, the job's trigger is requeued as if it had not
  been read.

Afterwards the oracle is asked.
"""

import errno
import json
import pathlib
import sys

LIB = pathlib.Path(__file__).resolve().parents[2] / "lib"
sys.path[:0] = [str(LIB), str(LIB / "faults"), str(LIB / "samples")]

import jobs
import topic
from call_trace import HISTORY_PATH, Call, read_trace, trace_environment
from instance import Instance
from sweeps import RUN, SWEEPS, Sweep, drop_pending, problems_after, run_killed

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
# The exit statuses of `bobbin --help`: done, failed, cannot create, input/output, try again later, permission.
DOCUMENTED = {0, 1, 73, 74, 75, 77}
ABORTED = DOCUMENTED - {0, 1}


def fail_environment(number, error):
    """The environment that makes the call of that number fail."""
    return {"BOBBIN_FAILPOINT_FAIL": f"{number}:{getattr(errno, error)}"}


def problems_of(instance, calls, number, error, result, is_run):
    """The problems of the process after its call of that number had failed."""
    failed, after = calls[number - 1], calls[number:]
    if result.status not in DOCUMENTED:
        return ["it ended with an undocumented status"]
    problems = []
    left = [*instance.pending(), *(claim.trigger for claim in instance.claims())]
    # A missing permission affects only one trigger or one channel, and is reported.
    is_forbidden = error == "EACCES" and (failed.claims or "/channels/" in failed.about)
    if is_run and result.status in (0, 1) and left and not is_forbidden:
        problems.append(f"it reports that it is done, and leaves {left}")
    # A message that cannot be written does not stop the process, and only the exit status shows it. The trigger of
    # `bobbin trigger` does not stop it either when that trigger alone cannot be claimed.
    is_left = is_forbidden and "stays pending" in result.err
    if result.status in ABORTED and not failed.writes_message and not is_left:
        started = sum(call.name == "spawn" for call in after)
        if started > (1 if failed.finishes_triggers else 0):
            problems.append(f"it aborted, and started {started} jobs after the failure")
    if error == "EINTR":
        if result.status in ABORTED:
            problems.append("an interrupted call was not repeated")
        return problems
    if error == "ENOSPC" and not (failed.concerns_one_job or failed.writes_message) and result.status != 75:
        problems.append("there was no space, and the status is not 75")
    if failed.name == "sync":
        problems += problems_of_sync(failed, after, result)
    if failed.about == HISTORY_PATH and failed.name != "lock" and result.status not in ABORTED:
        problems.append("the history could not be written, and the process continued")
    return problems


def problems_of_sync(failed, after, result):
    problems = []
    if result.status not in ABORTED:
        problems.append("a sync failed, and the process continued")
    if failed.is_about_evidence:
        for call in after:
            if call.publishes:
                problems.append(f"published after a failed sync: {call.about}")
            if call.removes_claim:
                problems.append(f"a claim was removed after a failed sync: {call.about}")
            if call.name == "sync" and call.about == failed.about:
                problems.append(f"a failed sync was repeated: {call.about}")
    return problems


def prepared(sweep, killed_at):
    """An instance for a command. killed_at: the call at which an earlier run was killed, which must be recovered."""
    instance = sweep.instance()
    if killed_at is not None:
        run_killed(instance, sweep.arguments, killed_at)
        instance.wait_until_idle()
        instance.note_fault()
    return instance


def fail_once(sweep, number, error, killed_at=None):
    """Makes one call fail in one instance.

    - Returns: the call that failed and the problems, or None if that call was not made or cannot fail with this error.
    """
    with prepared(sweep, killed_at) as instance:
        # An earlier process wrote these records, so this process cannot know whether they are on the disk.
        earlier = {record["id"] for record in instance.records(strict=False)}
        environment = {**trace_environment(instance), **fail_environment(number, error)}
        result = instance.bobbin(*sweep.arguments, instrumented=True, environment=environment)
        calls = read_trace(instance)
        if len(calls) < number or error not in ERRORS[calls[number - 1].name]:
            return None
        if sweep.arguments[0] == "trigger" and result.out.startswith("{"):
            # The command has answered, so the oracle must find its trigger.
            instance.expect(json.loads(result.out)["trigger"])
        problems = problems_of(instance, calls, number, error, result, sweep.arguments[0] == "run")
        if calls[number - 1] == Call("sync", HISTORY_PATH) and error != "EINTR":
            believed = {record["id"] for record in instance.records(strict=False)} - earlier
            believed &= {claim.id for claim in instance.claims()}
            if believed:
                problems += problems_of_recovery(instance, believed)
        return calls[number - 1], problems + problems_after(instance, result)


def problems_of_recovery(instance, believed):
    """What is wrong with the next run, which finds records that may be lost.

    They are not cut off, because others may have read them. The next run must write them again and sync them before it
    concludes anything from them: the kernel reports a failed sync once only.
    """
    instance.wait_until_idle()
    instance.note_fault()
    (instance.root / "trace").unlink(missing_ok=True)
    (instance.root / "stopped").mkdir(exist_ok=True)
    instance.bobbin("run", "--spool-only", instrumented=True, environment=trace_environment(instance))
    calls = read_trace(instance)
    ends = (number for number, call in enumerate(calls) if call.publishes or call.removes_claim)
    before = [(call.name, call.about) for call in calls[: next(ends, len(calls))]]
    written, synced = ("write", HISTORY_PATH), ("sync", HISTORY_PATH)
    if written not in before or synced not in before[before.index(written) :]:
        return [f"records that may be lost are believed without being written again: {sorted(believed)}"]
    return []


def points_of(sweep, killed_at=None):
    """The calls that can fail, and their errors."""
    with prepared(sweep, killed_at) as instance:
        instance.bobbin(*sweep.arguments, instrumented=True, environment=trace_environment(instance))
        calls = enumerate(read_trace(instance), start=1)
        return [(sweep, number, error, killed_at) for number, call in calls for error in ERRORS[call.name]]


FAILED_SWEEPS = (
    RUN,
    Sweep("`bobbin trigger --json`", ("trigger", "note", "--json"), drop_pending),
    Sweep("`bobbin trigger --queue --json`", ("trigger", "note", "--queue", "--json"), drop_pending),
    *(sweep for sweep in SWEEPS if sweep.arguments[0] in ("cancel", "prune")),
)


def try_points(report, subject, points):
    """Reports one line for the failures of a sweep.

    - Returns: how many were handled, and how many there were.
    """
    outcomes = [
        (point, outcome)
        for point, outcome in zip(points, topic.in_parallel(lambda point: fail_once(*point), points))
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
        f"{subject} handles {handled} of {len(outcomes)} failed calls",
        details,
    )
    return handled, len(outcomes)


# --- Shortages: the batch or the machine lacks something that will be available again, which is not a job's fault.

SHORTAGES = ("EMFILE", "ENFILE", "EAGAIN", "ENOMEM")
# The numbers of the calls that start the job of each trigger. The pipes of the first job are used for all jobs.
STARTS = (
    ("pipe", 1, b"a.json"),
    ("pipe", 2, b"a.json"),
    ("spawn", 1, b"a.json"),
    ("spawn", 2, b"b.json"),
    ("spawn", 3, b"c.json"),
)
# The job of channel `once` must not be executed again, but it has not been executed yet.
WAITING = {b"a.json": "note", b"b.json": "once", b"c.json": "note"}


def drop_for(instance, name, channel):
    instance.drop(name, json.dumps({"channel": channel}), rerun=channel != "once")


def run_with_failure(instance, call, number, error):
    """Makes a run whose call of that name and number fails."""
    environment = {"BOBBIN_FAILPOINT_ONLY": call, **fail_environment(number, error)}
    return instance.bobbin("run", "--spool-only", instrumented=True, environment=environment)


def problems_of_shortage(call, number, error, first):
    """The problems of a run that lacks something when it starts the job of the trigger `first`."""
    with Instance() as instance:
        for name, channel in WAITING.items():
            drop_for(instance, name, channel)
        result = run_with_failure(instance, call, number, error)
        problems = []
        if result.status != 75:
            problems.append("there was a shortage, and the status is not 75")
        waiting = sorted(name for name in WAITING if name >= first)
        if sorted(instance.pending()) != waiting:
            problems.append(f"pending are {instance.pending()} instead of {waiting}")
        recorded = {record["name"] for record in instance.records(strict=False)} & set(waiting)
        claimed = {claim.trigger for claim in instance.claims()} & set(waiting)
        executed = set(instance.ledger()) & set(waiting)
        if recorded or claimed or executed:
            problems.append(f"recorded {recorded}, claimed {claimed}, executed {executed} instead of nothing")
        clean = instance.clean_run()
        if clean.status != 0:
            problems.append("the next run, without a shortage, does not end with 0")
        if instance.ledger() != dict.fromkeys(WAITING, 1):
            problems.append(f"executed {instance.ledger()} instead of each trigger once")
        ends = {name: instance.outcomes_and_attempts(name) for name in WAITING}
        if ends != dict.fromkeys(WAITING, [("succeeded", 1)]):
            problems.append(f"outcomes and attempts are {ends}")
        problems += instance.oracle.violations()
        return [*problems, result.describe(), clean.describe(), *instance.listing()] if problems else []


def problems_of_short_repetition(error):
    """The problems of a run that lacks something when it has to repeat a job that was cut short once. The run must not
    forget that the next attempt is the second."""
    with Instance() as instance:
        drop_for(instance, "a.json", "note")
        # The first wait is for children of earlier processes. The second comes after the job was started.
        environment = {"BOBBIN_FAILPOINT_ONLY": "wait", "BOBBIN_FAILPOINT_KILL": "2"}
        killed = instance.bobbin("run", "--spool-only", instrumented=True, environment=environment)
        instance.wait_until_idle()
        instance.note_fault()
        short = run_with_failure(instance, "spawn", 1, error)
        clean = instance.clean_run()
        problems = instance.oracle.violations()
        if (killed.was_killed, short.status, clean.status) != (True, 75, 0):
            problems.append("not killed, or not 75 for the shortage, or not 0 in the end")
        attempts = [record["attempt"] for record in instance.records() if record["name"]]
        if attempts != [2]:
            problems.append(f"its attempt is {attempts} instead of the second")
        return [*problems, short.describe(), clean.describe(), *instance.listing()] if problems else []


def problems_of_shortage_after(channel):
    """The problems of a run whose job lowers the batch's limit of open files and leaves a process, which the batch then
    cannot find. The job has been executed, so it must not be executed again as if it had not been."""
    greedy = jobs.HANDLERS["note"] + "sleep 2 &\nexec prlimit --pid $PPID --nofile=4:4\n"
    with Instance(handlers={"note": greedy}) as instance:
        drop_for(instance, "a.json", channel)
        short = instance.bobbin("run", "--spool-only")
        problems = ["its trigger is pending again"] if instance.pending() else []
        instance.wait_until_idle()
        instance.note_fault()
        instance.handler("note", jobs.HANDLERS["note"])
        clean = instance.clean_run()
        problems += instance.oracle.violations()
        if clean.status not in (0, 1):
            problems.append("the next run does not end with 0 or 1")
        return [*problems, short.describe(), clean.describe(), *instance.listing()] if problems else []


def check_shortages(report):
    """Checks that a shortage is not a failure of a trigger: the trigger stays in the spool, without losing an attempt.

    - Returns: how many were handled, and how many there were.
    """
    points = [(call, number, error, first) for call, number, first in STARTS for error in SHORTAGES]
    outcomes = topic.in_parallel(lambda point: problems_of_shortage(*point), points)
    details = []
    for (call, number, error, _), problems in zip(points, outcomes):
        if problems and len(details) < 60:
            details += [f"{call} {number}: {error}", *problems]
    handled = outcomes.count([])
    report.check(
        handled == len(points),
        f"after a shortage at the start of a job, {handled} of {len(points)} triggers wait and are executed once",
        details,
    )
    repetitions = [problems_of_short_repetition(error) for error in SHORTAGES]
    report.check(
        not any(repetitions),
        "a shortage at the repetition of a job leaves its attempts counted",
        [line for problems in repetitions for line in problems],
    )
    after = [problems_of_shortage_after(channel) for channel in ("once", "note")]
    report.check(
        not any(after),
        "a job counts as executed even if there is a shortage when it has ended",
        [line for problems in after for line in problems],
    )
    lists = repetitions + after
    return handled + lists.count([]), len(points) + len(lists)


def main():
    options, report = topic.begin(__doc__)
    counts = [try_points(report, sweep.description, points_of(sweep)) for sweep in FAILED_SWEEPS]
    counts.append(check_shortages(report))
    # The call at which a run was killed determines the work of its recovery.
    kills = topic.sample(range(60, 240), 24 if options.full else 6, options.random)
    points = [point for killed_at in kills for point in points_of(RUN, killed_at)]
    if not options.full:
        points = topic.sample(points, 600, options.random)
    counts.append(try_points(report, f"the recovery of {RUN.description}", points))
    handled, total = (sum(column) for column in zip(*counts))
    report.figure(f"{handled} of {total} failed calls handled")
    report.finish()


if __name__ == "__main__":
    main()
