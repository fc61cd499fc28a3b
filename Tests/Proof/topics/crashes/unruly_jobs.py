#!/usr/bin/env python3
"""Runs jobs that leave processes behind or ignore signals. The batch returns in time and ends what it can find.

The processes fork twice, change their session, ignore SIGTERM, close every descriptor, keep pipes open, write without
end, or change their process id all the time.
"""

import pathlib
import signal
import subprocess
import sys
import time

LIB = pathlib.Path(__file__).resolve().parents[2] / "lib"
sys.path[:0] = [str(LIB), str(LIB / "faults"), str(LIB / "samples")]

import jobs
import topic
from instance import Instance
from processes import is_alive, wait_for

UNRULY_HANDLER = """#!/usr/bin/env python3
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
    # The process ends by itself after a minute, so that a failure does not leave processes for long.
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
    # Waits until the process is prepared: it has written a byte, or closed everything.
    os.close(writer)
    os.read(reader, 1)
print("item", flush=True)
if "main" in how:
    prepare()
    stay()
for _ in range(8 if "many" in how else 1):
    leave()
"""
# What each job does, and the outcome of its trigger.
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
    # Its process id changes all the time. It may escape, but the batch does not wait for it.
    "setsid,twice,hop": "succeeded",
    "main": "timed_out",
    "main,flood": "timed_out",
    "main,ignore,flood": "timed_out",
    "main,ignore": "timed_out",
    "main,close": "timed_out",
    "main,ignore,close": "timed_out",
}
GRACE = 0.5
# In seconds: the timeout of the job; two periods of grace, for the job and for the processes that it leaves; five
# seconds for processes that survive even SIGKILL; and four for the delays of a busy machine.
LIMIT = 1 + 2 * GRACE + 5 + 4
UNRULY_TRIGGER, OTHER_TRIGGER = "a-unruly.json", "b-after.json"


def unruly_instance(how, **channel):
    """An instance with a trigger for an unruly job and a trigger for another job after it."""
    channel = {
        "id": 4,
        "name": "unruly",
        "command": ["handlers/unruly", how],
        "grace": f"{int(GRACE * 1000)}ms",
        **channel,
    }
    instance = Instance((jobs.NOTE_CHANNEL, channel), handlers={"unruly": UNRULY_HANDLER})
    # The unruly job does not write into the ledger, so its trigger is not made known to the oracle.
    (instance.spool / UNRULY_TRIGGER).write_text('"unruly"')
    instance.drop(OTHER_TRIGGER, "1")
    return instance


def processes_of_job(instance):
    """The processes that the job has left, by its own account."""
    path = instance.root / "left"
    return [int(line) for line in path.read_text().split()] if path.exists() else []


def check_unruly_job(report, how, outcome):
    """Returns how many processes the job left."""
    job = f"a job that does {how}"
    with unruly_instance(how, timeout="1s" if "main" in how else "20s") as instance:
        result = instance.bobbin("run", "--spool-only", timeout=30)
        left = processes_of_job(instance)
        report.check(
            result.status is not None and result.seconds < LIMIT,
            f"the batch of {job} returns in time",
            result.describe(),
        )
        if "hop" not in how:
            report.check(
                left and not any(map(is_alive, left)),
                f"{job} does not leave any of its processes ({len(left)})",
                [[process for process in left if is_alive(process)], result.describe()],
            )
            report.check(not instance.held_locks(), f"{job} does not leave a lock held", instance.held_locks())
        size = sum(log.stat().st_size for log in (instance.spool / "logs").iterdir())
        report.check(size < 5 << 20, f"the log of {job} is cut", f"{size} bytes")
        outcomes = [actual for actual, _ in instance.outcomes_and_attempts(UNRULY_TRIGGER)]
        report.check(outcomes == [outcome], f"the outcome of {job} is {outcome}", [outcomes, result.describe()])
        report.check(
            instance.outcomes_and_attempts(OTHER_TRIGGER) == [("succeeded", 1)], f"the trigger after {job} is run"
        )
        return len(left)


def check_stop(report, how, number):
    """Asks the batch to stop while its job ignores the signal; returns how many processes the job left."""
    job = f"a job that does {how}"
    with unruly_instance(how) as instance:
        process = instance.start(
            "run", "--spool-only", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        is_running = wait_for((instance.root / "left").exists)
        begin = time.monotonic()
        process.send_signal(number)
        try:
            status = process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            status = process.wait()
        seconds = time.monotonic() - begin
        name = signal.Signals(number).name
        left = processes_of_job(instance)
        report.check(
            is_running and status == 128 + number and seconds < LIMIT,
            f"the batch of {job} stops in time with {128 + number} after {name}",
            f"status {status} after {seconds:.1f} s",
        )
        report.check(not any(map(is_alive, left)), f"{job} is ended after {name}", left)
        report.check(
            instance.pending() == [UNRULY_TRIGGER.encode(), OTHER_TRIGGER.encode()] and not instance.claims(),
            f"both triggers are pending after {name} in {job}",
            instance.listing(),
        )
        return len(left)


def main():
    options, report = topic.begin(__doc__)
    cases = list(UNRULY.items()) * (10 if options.full else 1)
    ended = sum(topic.in_parallel(lambda case: check_unruly_job(report, *case), cases))
    stops = [(how, number) for how in ("main", "main,ignore") for number in (signal.SIGTERM, signal.SIGINT)]
    ended += sum(topic.in_parallel(lambda stop: check_stop(report, *stop), stops))
    report.figure(f"{ended} processes that wanted to be left behind were ended")
    report.finish()


if __name__ == "__main__":
    main()
