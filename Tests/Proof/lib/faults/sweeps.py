"""Commands that are killed at each of their calls in turn, or whose calls fail in turn, and how the result is judged.

The calls are those that pass the gate of the C shim (Sources/CLinux/failpoint.h).
"""

import dataclasses
import json
import typing

import jobs
from instance import Instance

MINUTE, HOUR = 60, 3600


# The triggers that a command finds in the spool. Every channel is enabled, so the schedule also runs it.


def drop_nothing(_):
    pass


def drop_all_kinds(instance):
    """Drops one trigger of each kind, and several triggers for two of the channels."""
    instance.drop("a-object.json", '{"channel": "note", "user": "anna", "extra": [1, 2]}')
    instance.drop("b-scalar.json", "1")
    instance.drop("20200101T000000Z-note.json", age=2 * HOUR)
    instance.drop("c-once.json", '{"channel": "once"}', rerun=False)
    instance.drop("d-fails.json", '"fail"')
    instance.drop("e-broken.json", '{"channel": ')
    instance.drop("f-unknown.json", "99")
    instance.drop("once.json", rerun=False)
    instance.drop("z-stale.json", "1", age=31 * MINUTE)


def drop_pending(instance):
    """Drops triggers for commands that act on pending triggers."""
    instance.drop("a.json", "1")
    instance.drop("b-stale.json", "1", age=31 * MINUTE)
    instance.drop("c.json", '{"channel": "once"}', rerun=False)
    instance.drop("d-stale.json", "2", age=31 * MINUTE, rerun=False)


# A job that asks its batch to stop when it is executed for the first time.
HANDLERS = {
    "stop": jobs.NOTE
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
    instance.drop("b-stop.json", '"stop"', rerun=False)


@dataclasses.dataclass(frozen=True)
class Sweep:
    """A command, and the triggers that it finds in the spool."""

    # A noun that sentences begin with.
    description: str
    arguments: tuple[str, ...]
    prepare: typing.Callable[[Instance], None]
    # How many points a bounded proof tries.
    bound: int = 60
    # Whether the run that recovers from a kill is also swept.
    is_recovery_swept: bool = False
    channels: tuple[dict, ...] = jobs.CHANNELS

    def instance(self):
        instance = Instance(self.channels, handlers=HANDLERS)
        self.prepare(instance)
        return instance


SPOOL_RUN = ("run", "--spool-only")
RUN = Sweep("a run over every kind of trigger", ("run",), drop_all_kinds, 400, True)
SWEEPS = (
    RUN,
    Sweep("a run with --spool-only", SPOOL_RUN, drop_all_kinds),
    Sweep("a run that is asked to stop in a job", SPOOL_RUN, drop_stop, channels=(*jobs.CHANNELS, STOP)),
    Sweep(
        "a run that is asked to stop in a job that must not be repeated",
        SPOOL_RUN,
        drop_stop_once,
        channels=(*jobs.CHANNELS, STOP_ONCE),
    ),
    Sweep("`bobbin trigger` that runs its trigger", ("trigger", "note", "--user", "anna"), drop_pending, 80),
    Sweep("`bobbin trigger` of a channel that must not be repeated", ("trigger", "once"), drop_nothing),
    Sweep("`bobbin trigger --queue`", ("trigger", "note", "--queue"), drop_nothing),
    Sweep("`bobbin cancel`", ("cancel", "a.json", "c.json"), drop_pending),
    Sweep("`bobbin cancel --all`", ("cancel", "--all"), drop_pending),
    Sweep("`bobbin prune`", ("prune",), drop_pending),
)


def run_killed(instance, arguments, call):
    """Runs a command that is killed instead of making its call of that number."""
    result = instance.bobbin(*arguments, instrumented=True, environment={"BOBBIN_FAILPOINT_KILL": str(call)})
    if result.status == 0 and arguments[0] == "trigger":
        # The command has answered, so the oracle must find its trigger.
        for line in result.out.splitlines():
            if line.startswith("{"):
                instance.expect(json.loads(line)["trigger"])
    return result


def problems_after(instance, *results):
    """The problems after one clean run; an empty list if there are none.

    - results: the results of earlier commands, for the report of a failure.
    """
    # From here on no job asks its batch to stop.
    (instance.root / "stopped").mkdir(exist_ok=True)
    clean = instance.clean_run(scheduled=True)
    problems = instance.oracle.violations()
    if clean.status not in (0, 1):
        problems.append(f"the clean run ended with {clean.describe()}")
    if problems:
        for result in (*results, clean):
            problems += result.describe().splitlines()
        problems += instance.listing()
    return problems
