#!/usr/bin/env python3
"""Processes that outlive what should have ended them.

The batch is killed and its job lives on: the next run does not start that channel again, carries out all others, and
takes the trigger up when the orphan is gone. And jobs that do what they can to be left behind: the batch returns in
time, and ends what it can.
"""

import os
import pathlib
import signal
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

import harness


NOTE = harness.CHANNELS[0]
HOLD = {"id": 4, "name": "hold", "command": ["handlers/hold"]}
HOLD_ONCE = {"id": 5, "name": "hold-once", "command": ["handlers/hold"], "rerun": False}


def is_alive(process):
    """Whether a process runs. A zombie does not: whoever should take its exit may never do so in a container."""
    try:
        status = pathlib.Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] not in "ZX"


def read_quietly(path):
    try:
        return path.read_bytes()
    except OSError:
        return b""


# --- Orphans of a batch that was killed.


def killed_while_holding(instance, *arguments):
    """Starts a batch, waits for its job to hold, and kills the batch alone."""
    process = instance.start(
        *arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    started = harness.wait_for((instance.root / "holding").exists)
    process.kill()
    process.wait()
    instance.note_fault()
    return started


def outcome(instance, name):
    """The outcome and the attempt of a trigger's final record."""
    final = [record for record in instance.records() if record["name"] == name and not record.get("requeued")]
    return [(record["outcome"], record["attempt"]) for record in final]


def check_orphan_of_trigger(report):
    """The orphan works for a trigger."""
    with harness.Instance((NOTE, HOLD)) as instance:
        instance.drop("a-held.json", '"hold"')
        instance.drop("b-other.json", "1")
        instance.drop("c-same.json", '"hold"')
        report.check(killed_while_holding(instance, "run", "--spool-only"), "trigger: its job holds")
        report.check(instance.held_locks() == ["4.lock"], "trigger: the orphan holds its channel's lock alone")
        run = instance.bobbin("run")
        ledger = instance.ledger()
        report.check(
            (ledger[b"a-held.json"], ledger[b"c-same.json"]) == (1, 0),
            "trigger: the next run does not start that channel again",
            [ledger, run.describe()],
        )
        report.check(
            outcome(instance, b"b-other.json") == [("succeeded", 1)] and ledger[b""] == 1,
            "trigger: it carries out all others, of the schedule and of the spool",
            [ledger, run.describe()],
        )
        report.check(run.status in (0, 1), "trigger: it ends as usual", run.describe())
        report.check("warning" in run.err and "hold" in run.err, "trigger: it warns", run.describe())
        asked = instance.bobbin("trigger", "hold", "--json", timeout=20)
        report.check(
            asked.status is not None and instance.ledger()[b"a-held.json"] == 1 and len(instance.ledger()) == 3,
            "trigger: `bobbin trigger` does not start that channel either",
            [instance.ledger(), asked.describe()],
        )
        (instance.root / "release").touch()
        last = instance.clean_run()
        report.check(
            outcome(instance, b"a-held.json") == [("succeeded", 2)]
            and outcome(instance, b"c-same.json") == [("succeeded", 1)],
            "trigger: the run after the orphan's end takes it up",
            [instance.records(), last.describe()],
        )
        report.check_oracle(instance, "trigger: the oracle", run.describe(), last.describe())


def check_orphan_of_schedule(report):
    """The orphan works for the schedule."""
    with harness.Instance((HOLD, NOTE)) as instance:
        instance.drop("held.json", '"hold"')
        report.check(killed_while_holding(instance, "run"), "schedule: its job holds")
        run = instance.bobbin("run", "--json")
        ledger = instance.ledger()
        report.check(
            ledger[b"held.json"] == 0 and ledger[b""] == 2,
            "schedule: the next run skips that channel and carries out the other",
            [ledger, run.describe()],
        )
        report.check(
            instance.pending() == [b"held.json"], "schedule: a trigger for it is left pending", instance.listing()
        )
        (instance.root / "release").touch()
        last = instance.clean_run()
        report.check_oracle(instance, "schedule: the oracle", run.describe(), last.describe())


def check_orphan_that_must_not_be_repeated(report):
    """With "rerun": false nothing is said about the job while it may still succeed in part."""
    with harness.Instance((NOTE, HOLD_ONCE)) as instance:
        instance.drop("held.json", '"hold-once"', once=True)
        report.check(killed_while_holding(instance, "run", "--spool-only"), "rerun false: its job holds")
        run = instance.bobbin("run", "--spool-only")
        report.check(
            outcome(instance, b"held.json") == [], "rerun false: no outcome while the orphan lives", run.describe()
        )
        (instance.root / "release").touch()
        last = instance.clean_run()
        report.check(
            outcome(instance, b"held.json") == [("interrupted", 1)],
            "rerun false: interrupted when the orphan is gone",
            last.describe(),
        )
        report.check_oracle(instance, "rerun false: the oracle", run.describe(), last.describe())


def check_orphans_one_after_the_other(report):
    """Every batch that takes it up is killed, too, and each leaves an orphan."""
    with harness.Instance((NOTE, HOLD)) as instance:
        instance.drop("held.json", '"hold"')
        for number in (1, 2, 3):
            for mark in ("holding", "release"):
                (instance.root / mark).unlink(missing_ok=True)
            report.check(killed_while_holding(instance, "run", "--spool-only"), f"attempt {number}: its job holds")
            run = instance.bobbin("run", "--spool-only")
            report.check(
                instance.ledger()[b"held.json"] == number,
                f"attempt {number}: not started again while the orphan lives",
                run.describe(),
            )
            (instance.root / "release").touch()
            instance.wait_until_idle()
        last = instance.clean_run()
        report.check(
            outcome(instance, b"held.json") == [("interrupted", 3)],
            "attempts: interrupted after three",
            last.describe(),
        )
        report.check_oracle(instance, "attempts: the oracle", last.describe())


def check_daemon_of_killed_batch(report):
    """The job's main process has ended, and what it left behind holds the lock it inherited."""
    daemon = harness.NOTE + """
(setsid sh -c 'echo $$ >"{root}/daemon"; : >"{root}/holding"; while [ ! -e "{root}/release" ]; do sleep 0.05; done' &) &
while [ ! -e '{root}/release' ]; do sleep 0.05; done
"""
    with harness.Instance((NOTE, {**HOLD, "command": ["handlers/daemon"]}), handlers={"daemon": daemon}) as instance:
        instance.drop("held.json", '"hold"')
        report.check(killed_while_holding(instance, "run", "--spool-only"), "daemon: it holds")
        # The main process goes the way of the batch, the daemon stays.
        left = int((instance.root / "daemon").read_text())
        for process in pathlib.Path("/proc").glob("[0-9]*"):
            command = read_quietly(process / "cmdline")
            if str(instance.root / "etc/handlers/daemon").encode() in command:
                os.kill(int(process.name), signal.SIGKILL)
        run = instance.bobbin("run", "--spool-only")
        report.check(
            is_alive(left) and instance.ledger()[b"held.json"] == 1,
            "daemon: in a session of its own it still keeps its channel from being started",
            run.describe(),
        )
        (instance.root / "release").touch()
        last = instance.clean_run()
        report.check(outcome(instance, b"held.json") == [("succeeded", 2)], "daemon: taken up when it is gone")
        report.check_oracle(instance, "daemon: the oracle", last.describe())


def check_lock_given_up(report):
    """What Bobbin can't do: after a crash of the batch, a job that closed every descriptor is not known any more."""
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
    with harness.Instance((NOTE, {**HOLD, "command": ["handlers/closing"]}), handlers={"closing": closing}) as instance:
        instance.drop("held.json", '"hold"')
        report.check(killed_while_holding(instance, "run", "--spool-only"), "closed: its job holds")
        (instance.root / "release").touch()
        last = instance.clean_run()
        report.check(
            outcome(instance, b"held.json") == [("succeeded", 2)], "closed: it is repeated at once", last.describe()
        )
        report.check_oracle(instance, "closed: the oracle", last.describe())


# --- Jobs that want to be left behind by a batch that lives.

DAEMON = """#!/usr/bin/env python3
import os, signal, sys, time
how = sys.argv[1].split(",")
def prepare():
    with open("{root}/left", "a") as file:
        file.write(f"{os.getpid()}\\n")
    if "ignore" in how:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if "close" in how:
        os.closerange(0, 1024)
def stay():
    # By itself only after a minute, so that a failure leaves nothing for long.
    end = time.monotonic() + (12 if "hop" in how else 60)
    while time.monotonic() < end:
        if "hop" in how and os.fork() != 0:
            os._exit(0)
        if "flood" in how:
            os.write(1, b"x" * 63 + b"\\n")
            os.write(2, b"y" * 63 + b"\\n")
        elif "hop" not in how:
            time.sleep(0.05)
    os._exit(0)
def leave():
    reader, writer = os.pipe()
    if os.fork() == 0:
        if "setsid" in how:
            os.setsid()
        if "twice" in how and os.fork() != 0:
            os._exit(0)
        prepare()
        if "close" not in how:
            os.write(writer, b".")
        stay()
    # Until it has come as far as it wants to be: it has said so, or closed everything.
    os.close(writer)
    os.read(reader, 1)
print("item", flush=True)
if "main" in how:
    prepare()
    stay()
for _ in range(8 if "many" in how else 1):
    leave()
"""
# What it does, and the outcome of its trigger.
UNRULY = {
    "child": "succeeded",
    "child,many": "succeeded",
    "setsid": "succeeded",
    "twice": "succeeded",
    "setsid,twice": "succeeded",
    "setsid,twice,close": "succeeded",
    "ignore": "succeeded",
    "setsid,twice,ignore": "succeeded",
    "setsid,twice,ignore,close,many": "succeeded",
    "setsid,twice,flood": "succeeded",
    "setsid,twice,ignore,flood": "succeeded",
    # Another process id all the time: it may get away, but the batch does not wait for it.
    "setsid,twice,hop": "succeeded",
    "main": "timed_out",
    "main,flood": "timed_out",
    "main,ignore,flood": "timed_out",
    "main,ignore": "timed_out",
    "main,close": "timed_out",
    "main,ignore,close": "timed_out",
}
GRACE = 0.5
# A job that is timed out, two rounds of grace for it and for what it leaves, the five seconds that are given to what
# survives even SIGKILL, and the scheduling of a busy machine.
LIMIT = 1 + 2 * GRACE + 5 + 4


def check_unruly(report, how, expected):
    channel = {
        "id": 4,
        "name": "unruly",
        "command": ["handlers/unruly", how],
        "timeout": "1s" if "main" in how else "20s",
        "grace": f"{int(GRACE * 1000)}ms",
    }
    with harness.Instance((NOTE, channel), handlers={"unruly": DAEMON}) as instance:
        # It does not write into the ledger, so it is not one of those that the oracle asks about.
        instance.drop("b-after.json", "1")
        pathlib.Path(os.fsdecode(instance.path("a-unruly.json"))).write_text('"unruly"')
        result = instance.bobbin("run", "--spool-only", timeout=30)
        left = [int(line) for line in read_quietly(instance.root / "left").split()]
        report.check(
            result.status is not None and result.seconds < LIMIT,
            f"{how}: the batch returns in time",
            result.describe(),
        )
        if "hop" not in how:
            report.check(
                left and not any(map(is_alive, left)),
                f"{how}: none of its {len(left)} processes is left",
                [[process for process in left if is_alive(process)], result.describe()],
            )
            report.check(not instance.held_locks(), f"{how}: no lock is held", instance.held_locks())
        size = sum(log.stat().st_size for log in (instance.spool / "logs").iterdir())
        report.check(size < 5 << 20, f"{how}: its log is cut", f"{size} bytes")
        record = [record["outcome"] for record in instance.records() if record["name"] == b"a-unruly.json"]
        report.check(record == [expected], f"{how}: {expected}", [record, result.describe()])
        report.check(
            outcome(instance, b"b-after.json") == [("succeeded", 1)], f"{how}: the next one has its turn"
        )
        return len(left)


def check_stop(report, how, number):
    """The batch is asked to stop while its job does not heed it."""
    channel = {"id": 4, "name": "unruly", "command": ["handlers/unruly", how], "grace": f"{int(GRACE * 1000)}ms"}
    with harness.Instance((NOTE, channel), handlers={"unruly": DAEMON}) as instance:
        pathlib.Path(os.fsdecode(instance.path("a-unruly.json"))).write_text('"unruly"')
        instance.drop("b-after.json", "1")
        process = instance.start(
            "run", "--spool-only", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        holds = harness.wait_for((instance.root / "left").exists)
        begin = time.monotonic()
        process.send_signal(number)
        try:
            status = process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            status = process.wait()
        seconds = time.monotonic() - begin
        name = signal.Signals(number).name
        left = [int(line) for line in read_quietly(instance.root / "left").split()]
        report.check(
            holds and status == 128 + number and seconds < LIMIT,
            f"{how}, {name}: the batch stops in time with {128 + number}",
            f"status {status} after {seconds:.1f} s",
        )
        report.check(not any(map(is_alive, left)), f"{how}, {name}: its job is ended", left)
        report.check(
            instance.pending() == [b"a-unruly.json", b"b-after.json"] and not instance.claims(),
            f"{how}, {name}: both triggers are pending",
            instance.listing(),
        )
        return len(left)


def main():
    options = harness.options("orphans", __doc__)
    report = harness.Report("orphans")
    for _ in range(10 if options.full else 1):
        check_orphan_of_trigger(report)
        check_orphan_of_schedule(report)
        check_orphan_that_must_not_be_repeated(report)
        check_orphans_one_after_the_other(report)
        check_daemon_of_killed_batch(report)
        check_lock_given_up(report)
    ended = sum(
        harness.in_parallel(
            lambda case: check_unruly(report, *case), list(UNRULY.items()) * (10 if options.full else 1)
        )
    )
    stops = [(how, number) for how in ("main", "main,ignore") for number in (signal.SIGTERM, signal.SIGINT)]
    ended += sum(harness.in_parallel(lambda stop: check_stop(report, *stop), stops))
    report.figure(f"{ended} processes that wanted to be left behind were ended")
    report.finish()


if __name__ == "__main__":
    main()
