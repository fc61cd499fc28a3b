#!/usr/bin/env python3
"""Kills a command at every call that changes or orders anything. Nothing is lost, and only cut-short jobs are repeated.

The calls that pass the gate of the C shim (Sources/CLinux/failpoint.h) are counted first. Then the same command is run
again and killed with SIGKILL in place of its first call, its second, and so on. After each kill the oracle is asked.
The number of points follows the code. It may differ by a few from run to run, because two threads make the calls.
"""

import pathlib
import sys

LIB = pathlib.Path(__file__).resolve().parents[2] / "lib"
sys.path[:0] = [str(LIB), str(LIB / "faults"), str(LIB / "samples")]

import topic
from call_trace import read_trace, trace_environment
from sweeps import SWEEPS, problems_after, run_killed

# Added to the counted calls, because two threads do not make the same number of calls each time.
MARGIN = 4


def count_calls(instance, arguments):
    """How many calls pass the gate if nothing goes wrong."""
    result = instance.bobbin(*arguments, instrumented=True, environment=trace_environment(instance))
    return len(read_trace(instance)), result


def try_kill(sweep, call, recovery_call=None):
    """Kills a command at one call, and perhaps its recovery at another, and judges the instance.

    - Returns: whether the command, and its recovery if requested, were killed, and the problems afterwards.
    """
    with sweep.instance() as instance:
        results = [run_killed(instance, sweep.arguments, call)]
        if recovery_call is not None:
            instance.wait_until_idle()
            instance.note_fault()
            results.append(run_killed(instance, ("run",), recovery_call))
        return all(result.was_killed for result in results), problems_after(instance, *results)


def count_recovery_calls(sweep, call):
    """How many calls the run after a kill at a call makes."""
    with sweep.instance() as instance:
        run_killed(instance, sweep.arguments, call)
        instance.wait_until_idle()
        return count_calls(instance, ("run",))[0]


def report_points(report, subject, points, outcomes):
    """Reports one line for a sweep.

    - Returns: how many points were survived, and how many there were.
    """
    reached = [problems for was_killed, problems in outcomes if was_killed]
    # If the kill came too late, there was no fault, and the oracle must also be satisfied.
    broken = [(point, problems) for point, (_, problems) in zip(points, outcomes) if problems]
    details = [f"killed at call {point}: {problems[0]}" for point, problems in broken[:40]]
    if broken:
        details += ["the first of them in full:", *(f"  {problem}" for problem in broken[0][1])]
    survived = sum(not problems for problems in reached)
    report.check(
        not broken and reached, f"{subject} survives {survived} of {len(reached)} crash points", details
    )
    return survived, len(reached)


def sweep_command(report, sweep, options):
    """Kills a command at each of its calls; returns the counts of `report_points` for each sweep that was made."""
    with sweep.instance() as instance:
        calls, result = count_calls(instance, sweep.arguments)
        problems = problems_after(instance, result)
        report.check(
            calls > 3 and not problems, f"{sweep.description} satisfies the oracle after {calls} calls", problems
        )
    points = range(1, calls + MARGIN + 1)
    if not options.full:
        points = topic.sample(points, sweep.bound, options.random)
    outcomes = topic.in_parallel(lambda call: try_kill(sweep, call), points)
    counts = [report_points(report, sweep.description, points, outcomes)]
    if sweep.is_recovery_swept:
        counts.append(sweep_recovery(report, sweep, calls, options))
    return counts


def sweep_recovery(report, sweep, calls, options):
    """Kills a command, and then the run that recovers from it at each call of that run."""
    # There are fifty thousand pairs. Kills at twelve points cover the kinds of recovery, and each of these recoveries
    # is killed at every call.
    first = topic.sample(range(1, calls + 1), 12 if options.full else 40, options.random)
    counts = topic.in_parallel(lambda call: count_recovery_calls(sweep, call), first)
    pairs = [(call, second) for call, count in zip(first, counts) for second in range(1, count + MARGIN + 1)]
    if not options.full:
        pairs = topic.sample(pairs, 600, options.random)
    outcomes = topic.in_parallel(lambda pair: try_kill(sweep, *pair), pairs)
    return report_points(report, f"the recovery of {sweep.description}", pairs, outcomes)


def main():
    options, report = topic.begin(__doc__)
    counts = [count for sweep in SWEEPS for count in sweep_command(report, sweep, options)]
    survived, total = (sum(column) for column in zip(*counts))
    report.figure(f"{survived} of {total} crash points survived")
    report.finish()


if __name__ == "__main__":
    main()
