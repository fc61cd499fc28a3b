#!/usr/bin/env python3
"""Kills a batch and lets its job keep running.

The next run does not start the orphan's channel again and runs all other channels. The run after the end of the orphan
runs its trigger again.
"""

import os
import pathlib
import signal
import subprocess
import sys

LIB = pathlib.Path(__file__).resolve().parents[2] / "lib"
sys.path[:0] = [str(LIB), str(LIB / "faults"), str(LIB / "samples")]

import jobs
import topic
from instance import Instance
from processes import is_alive

NOTE = jobs.NOTE_CHANNEL
HOLD = {"id": 4, "name": "hold", "command": ["handlers/hold"]}
HOLD_ONCE = {"id": 5, "name": "hold-once", "command": ["handlers/hold"], "rerun": False}


def kill_while_holding(instance, *arguments):
    """Starts a batch, waits until its job holds, and kills only the batch; returns whether the job holds."""
    process = instance.start(
        *arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    holds = instance.wait_for_held_job()
    process.kill()
    process.wait()
    instance.note_fault()
    return holds


def check_orphan_of_trigger(report):
    where = "while the job of a trigger is an orphan,"
    with Instance((NOTE, HOLD)) as instance:
        instance.drop("a-held.json", '"hold"')
        instance.drop("b-other.json", "1")
        instance.drop("c-same.json", '"hold"')
        report.check(
            kill_while_holding(instance, "run", "--spool-only"), "the batch of a trigger's job is killed while it holds"
        )
        report.check(instance.held_locks() == ["4.lock"], f"{where} only the lock of its channel is held")
        run = instance.bobbin("run")
        ledger = instance.ledger()
        report.check(
            (ledger[b"a-held.json"], ledger[b"c-same.json"]) == (1, 0),
            f"{where} the next run does not start that channel again",
            [ledger, run.describe()],
        )
        report.check(
            instance.outcomes_and_attempts("b-other.json") == [("succeeded", 1)] and ledger[b""] == 1,
            f"{where} the next run runs all other channels, scheduled and triggered",
            [ledger, run.describe()],
        )
        report.check(run.status in (0, 1), f"{where} the next run ends with 0 or 1", run.describe())
        report.check("warning" in run.err and "hold" in run.err, f"{where} the next run warns", run.describe())
        asked = instance.bobbin("trigger", "hold", "--json", timeout=20)
        report.check(
            asked.status is not None and instance.ledger()[b"a-held.json"] == 1 and len(instance.ledger()) == 3,
            f"{where} `bobbin trigger` does not start that channel either",
            [instance.ledger(), asked.describe()],
        )
        instance.release_jobs()
        last = instance.clean_run()
        report.check(
            instance.outcomes_and_attempts("a-held.json") == [("succeeded", 2)]
            and instance.outcomes_and_attempts("c-same.json") == [("succeeded", 1)],
            "the run after the end of a trigger's orphan runs the trigger again",
            [instance.records(), last.describe()],
        )
        report.check_oracle(
            instance, "the orphan of a trigger satisfies the oracle", run.describe(), last.describe()
        )


def check_orphan_of_schedule(report):
    where = "while a scheduled job is an orphan,"
    with Instance((HOLD, NOTE)) as instance:
        instance.drop("held.json", '"hold"')
        report.check(kill_while_holding(instance, "run"), "the batch of a scheduled job is killed while it holds")
        run = instance.bobbin("run", "--json")
        ledger = instance.ledger()
        report.check(
            ledger[b"held.json"] == 0 and ledger[b""] == 2,
            f"{where} the next run skips that channel and runs the other",
            [ledger, run.describe()],
        )
        report.check(
            instance.pending() == [b"held.json"], f"{where} a trigger for its channel stays pending", instance.listing()
        )
        instance.release_jobs()
        last = instance.clean_run()
        report.check_oracle(
            instance, "the orphan of the schedule satisfies the oracle", run.describe(), last.describe()
        )


def check_orphan_that_must_not_be_repeated(report):
    """Checks that a job with "rerun": false does not get an outcome as long as its orphan is running."""
    with Instance((NOTE, HOLD_ONCE)) as instance:
        instance.drop("held.json", '"hold-once"', rerun=False)
        report.check(
            kill_while_holding(instance, "run", "--spool-only"),
            "the batch of a job with rerun false is killed while it holds",
        )
        run = instance.bobbin("run", "--spool-only")
        report.check(
            instance.outcomes_and_attempts("held.json") == [],
            "a job with rerun false does not get an outcome while its orphan is running",
            run.describe(),
        )
        instance.release_jobs()
        last = instance.clean_run()
        report.check(
            instance.outcomes_and_attempts("held.json") == [("interrupted", 1)],
            "a job with rerun false is interrupted once its orphan is gone",
            last.describe(),
        )
        report.check_oracle(
            instance, "the orphan with rerun false satisfies the oracle", run.describe(), last.describe()
        )


def check_several_orphans_in_a_row(report):
    """Kills every batch that claims the trigger, so that each leaves an orphan."""
    with Instance((NOTE, HOLD)) as instance:
        instance.drop("held.json", '"hold"')
        for number in (1, 2, 3):
            instance.hold_jobs_again()
            report.check(
                kill_while_holding(instance, "run", "--spool-only"),
                f"the batch of attempt {number} is killed while its job holds",
            )
            run = instance.bobbin("run", "--spool-only")
            report.check(
                instance.ledger()[b"held.json"] == number,
                f"the job is not started again while the orphan of attempt {number} is running",
                run.describe(),
            )
            instance.release_jobs()
            instance.wait_until_idle()
        last = instance.clean_run()
        report.check(
            instance.outcomes_and_attempts("held.json") == [("interrupted", 3)],
            "a job is interrupted after three orphans",
            last.describe(),
        )
        report.check_oracle(instance, "three orphans in a row satisfy the oracle", last.describe())


def kill_processes_running(program):
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes()
        except OSError:
            continue  # RACE: the process has ended meanwhile.
        if str(program).encode() in command:
            os.kill(int(process.name), signal.SIGKILL)


def check_daemon_of_killed_batch(report):
    """Checks a job whose main process has ended and has left a daemon, which holds the inherited lock."""
    daemon = jobs.NOTE + """
(setsid sh -c 'echo $$ >"{root}/daemon"; : >"{root}/holding"; while [ ! -e "{root}/release" ]; do sleep 0.05; done' &) &
while [ ! -e '{root}/release' ]; do sleep 0.05; done
"""
    with Instance((NOTE, {**HOLD, "command": ["handlers/daemon"]}), handlers={"daemon": daemon}) as instance:
        instance.drop("held.json", '"hold"')
        report.check(
            kill_while_holding(instance, "run", "--spool-only"),
            "the batch of a job with a daemon is killed while it holds",
        )
        process = int((instance.root / "daemon").read_text())
        kill_processes_running(instance.root / "etc/handlers/daemon")
        run = instance.bobbin("run", "--spool-only")
        report.check(
            is_alive(process) and instance.ledger()[b"held.json"] == 1,
            "a daemon in its own session keeps its channel from being started",
            run.describe(),
        )
        instance.release_jobs()
        last = instance.clean_run()
        report.check(
            instance.outcomes_and_attempts("held.json") == [("succeeded", 2)],
            "the trigger is run again once the daemon is gone",
        )
        report.check_oracle(instance, "the daemon of a killed batch satisfies the oracle", last.describe())


def check_orphan_without_lock(report):
    """Checks a limit of Bobbin: after a crash of the batch, a job that closed every descriptor cannot be recognised."""
    closing = """#!/usr/bin/env python3
import os, subprocess, time
subprocess.run(["/bin/sh", "{root}/etc/handlers/note"], check=True)
os.closerange(0, 1024)
open("{root}/holding", "w").close()
for _ in range(1200):
    if os.path.exists("{root}/release"):
        break
    time.sleep(0.05)
"""
    with Instance((NOTE, {**HOLD, "command": ["handlers/closing"]}), handlers={"closing": closing}) as instance:
        instance.drop("held.json", '"hold"')
        report.check(
            kill_while_holding(instance, "run", "--spool-only"),
            "the batch of a job that closed every descriptor is killed while it holds",
        )
        instance.release_jobs()
        last = instance.clean_run()
        report.check(
            instance.outcomes_and_attempts("held.json") == [("succeeded", 2)],
            "a job that closed every descriptor is repeated at once",
            last.describe(),
        )
        report.check_oracle(instance, "a job that closed every descriptor satisfies the oracle", last.describe())


def main():
    options, report = topic.begin(__doc__)
    for _ in range(10 if options.full else 1):
        check_orphan_of_trigger(report)
        check_orphan_of_schedule(report)
        check_orphan_that_must_not_be_repeated(report)
        check_several_orphans_in_a_row(report)
        check_daemon_of_killed_batch(report)
        check_orphan_without_lock(report)
    report.finish()


if __name__ == "__main__":
    main()
