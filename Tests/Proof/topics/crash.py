#!/usr/bin/env python3
"""Killed at every call that changes or orders anything: nothing is lost, and only what was cut short is repeated.

The calls that pass the gate of the C shim (Sources/CLinux/failpoint.h) are counted first; then the same is done again
and killed with SIGKILL in place of its first call, its second, and so on. After each death the oracle is asked. So
the number of points follows the code. It may differ by a few from run to run, because two threads make the calls.
"""

import dataclasses
import json
import pathlib
import sys
import typing

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

import harness

# All enabled, so each is also run by the schedule; `once` has "rerun": false.
MINUTE, HOUR = 60, 3600


def drop_all_kinds(instance):
    """One trigger of each kind, and two channels that are asked for more than once."""
    instance.drop("a-object.json", '{"channel": "note", "user": "anna", "extra": [1, 2]}')
    instance.drop("b-scalar.json", "1")
    instance.drop("20200101T000000Z-note.json", age=2 * HOUR)
    instance.drop("c-once.json", '{"channel": "once"}', once=True)
    instance.drop("d-fails.json", '"fail"')
    instance.drop("e-broken.json", '{"channel": ')
    instance.drop("f-unknown.json", "99")
    instance.drop("once.json", once=True)
    instance.drop("z-stale.json", "1", age=31 * MINUTE)


def drop_pending(instance):
    """For the commands that work on pending triggers."""
    instance.drop("a.json", "1")
    instance.drop("b-stale.json", "1", age=31 * MINUTE)
    instance.drop("c.json", '{"channel": "once"}', once=True)
    instance.drop("d-stale.json", "2", age=31 * MINUTE, once=True)


# Asks its batch to stop, the first time.
HANDLERS = {
    "stop": harness.NOTE
    + """[ "$BOBBIN_KIND" = manual ] && mkdir '{root}/stopped' 2>/dev/null || exit 0
kill -TERM $PPID
sleep 20
"""
}
STOP = {"id": 4, "name": "stop", "command": ["handlers/stop"]}
STOP_ONCE = {**STOP, "rerun": False}


def drop_stop(instance):
    instance.drop("a.json", "1")
    instance.drop("b-stop.json", '"stop"')
    instance.drop("c.json", "1")


def drop_stop_once(instance):
    instance.drop("a.json", "1")
    instance.drop("b-stop.json", '"stop"', once=True)


@dataclasses.dataclass(frozen=True)
class Sweep:
    """A command that is killed at each of its calls, and what it finds in the spool."""

    description: str
    arguments: tuple[str, ...]
    prepare: typing.Callable[[harness.Instance], None]
    # How many points a bounded proof takes.
    bound: int = 60
    # Whether its recovery is killed, too.
    is_recovery_swept: bool = False
    channels: tuple[dict, ...] = harness.CHANNELS

    def instance(self):
        return harness.Instance(self.channels, handlers=HANDLERS)


SWEEPS = (
    Sweep("a run over every kind of trigger", ("run",), drop_all_kinds, 400, True),
    Sweep("a run over the spool alone", ("run", "--spool-only"), drop_all_kinds),
    Sweep(
        "a run that is asked to stop in a job", ("run", "--spool-only"), drop_stop, channels=(*harness.CHANNELS, STOP)
    ),
    Sweep(
        "a run that is asked to stop in a job that must not be repeated",
        ("run", "--spool-only"),
        drop_stop_once,
        channels=(*harness.CHANNELS, STOP_ONCE),
    ),
    Sweep("trigger, which carries it out", ("trigger", "note", "--user", "anna"), drop_pending, 80),
    Sweep("trigger of a channel that must not be repeated", ("trigger", "once"), lambda instance: None),
    Sweep("trigger --queue", ("trigger", "note", "--queue"), lambda instance: None),
    Sweep("cancel", ("cancel", "a.json", "c.json"), drop_pending),
    Sweep("cancel --all", ("cancel", "--all"), drop_pending),
    Sweep("prune", ("prune",), drop_pending),
)

# More calls than were counted: what two threads do is not the same each time.
MARGIN = 4


def count_calls(instance, arguments):
    """How many calls pass the gate when nothing goes wrong."""
    trace = instance.root / "trace"
    result = instance.bobbin(
        *arguments, instrumented=True, environment={"BOBBIN_FAILPOINT_TRACE": str(trace)}
    )
    return len(trace.read_text().splitlines()), result


def killed(instance, arguments, call):
    """Does it and is killed in place of a call."""
    result = instance.bobbin(*arguments, instrumented=True, environment={"BOBBIN_FAILPOINT_KILL": str(call)})
    if result.status == 0 and arguments[0] == "trigger":
        # It has answered, so its trigger must be found by the oracle.
        for line in result.out.splitlines():
            if line.startswith("{"):
                instance.expect(json.loads(line)["trigger"])
    return result


def aftermath(instance, *results):
    """What is wrong after one clean run. Empty: all is well."""
    # From here on no job asks its batch to stop.
    (instance.root / "stopped").mkdir(exist_ok=True)
    clean = instance.clean_run(scheduled=True)
    problems = instance.violations()
    if clean.status not in (0, 1):
        problems.append(f"the clean run ended with {clean.describe()}")
    if problems:
        for result in (*results, clean):
            problems += result.describe().splitlines()
        problems += instance.listing()
    return problems


def survive(sweep, call, recovery_call=None):
    """One instance, killed at one call, perhaps again in its recovery, then judged.

    - Returns: whether it was killed as asked, and what is wrong then.
    """
    with sweep.instance() as instance:
        sweep.prepare(instance)
        results = [killed(instance, sweep.arguments, call)]
        if recovery_call is not None:
            instance.wait_until_idle()
            instance.note_fault()
            results.append(killed(instance, ("run",), recovery_call))
        return all(result.was_killed for result in results), aftermath(instance, *results)


def count_recovery_calls(sweep, call):
    """How many calls the run makes that follows a death at a call."""
    with sweep.instance() as instance:
        sweep.prepare(instance)
        killed(instance, sweep.arguments, call)
        instance.wait_until_idle()
        return count_calls(instance, ("run",))[0]


def report_points(report, description, points, outcomes):
    """One line for a sweep.

    - Returns: how many points were survived, and how many there were.
    """
    reached = [(point, problems) for point, (was_killed, problems) in zip(points, outcomes) if was_killed]
    # Where the kill came too late there was no fault, and all the more must hold.
    broken = [(point, problems) for point, (_, problems) in zip(points, outcomes) if problems]
    details = [f"killed at call {point}: {problems[0]}" for point, problems in broken[:40]]
    if broken:
        details += ["the first of them in full:", *(f"  {problem}" for problem in broken[0][1])]
    survived = sum(not problems for _, problems in reached)
    report.check(
        not broken and reached, f"{description}: {survived} of {len(reached)} crash points survived", details
    )
    return survived, len(reached)


def main():
    options = harness.options("crash", __doc__)
    report = harness.Report("crash")
    total = [0, 0]

    def add(counts):
        total[0] += counts[0]
        total[1] += counts[1]

    for sweep in SWEEPS:
        with sweep.instance() as instance:
            sweep.prepare(instance)
            calls, result = count_calls(instance, sweep.arguments)
            problems = aftermath(instance, result)
            report.check(
                calls > 3 and not problems, f"{sweep.description}: undisturbed, {calls} calls", problems
            )
        points = range(1, calls + MARGIN + 1)
        if not options.full:
            points = harness.sample(points, sweep.bound, options.random)
        outcomes = harness.in_parallel(lambda call: survive(sweep, call), points)
        add(report_points(report, sweep.description, points, outcomes))
        if sweep.is_recovery_swept:
            add(sweep_recovery(report, sweep, calls, options))
    report.figure(f"{total[0]} of {total[1]} crash points survived")
    report.finish()


def sweep_recovery(report, sweep, calls, options):
    """Killed in a run, and killed again at each call of the run that recovers."""
    # A death in twelve places tells what recoveries there are; each of them is killed at every call then. All pairs
    # would be fifty thousand.
    first = harness.sample(range(1, calls + 1), 12 if options.full else 40, options.random)
    counts = harness.in_parallel(lambda call: count_recovery_calls(sweep, call), first)
    pairs = [(call, second) for call, count in zip(first, counts) for second in range(1, count + MARGIN + 1)]
    if not options.full:
        pairs = harness.sample(pairs, 600, options.random)
    outcomes = harness.in_parallel(lambda pair: survive(sweep, *pair), pairs)
    return report_points(report, f"{sweep.description}, then its recovery", pairs, outcomes)


if __name__ == "__main__":
    main()
