#!/usr/bin/env python3
"""Refuses the system calls that old kernels and old container hosts do not know: with ENOSYS, and with EPERM.

A command works without the call, or says exactly what is missing. Without /proc every command says so. strace(1) makes
the calls fail, those of the C library and of the Swift runtime among them. This topic needs root.

    Tests/Proof/topics/refused_calls.py [--full] [--seed N]
"""

import pathlib
import sys

LIB = pathlib.Path(__file__).resolve().parents[2] / "lib"
sys.path[:0] = [str(LIB), str(LIB / "faults"), str(LIB / "samples")]

import jobs
import topic
from instance import Instance

# Calls that came with Linux 3.15 or later, so that a filter made for an older kernel may not know them. Most are never
# made: a call that a later version begins to make is then tried as well. strace(1) itself may not know the last ones.
CALLS = (
    "renameat2 getrandom memfd_create execveat membarrier copy_file_range preadv2 pwritev2 statx rseq "
    "pidfd_send_signal pidfd_open clone3 openat2 pidfd_getfd faccessat2 close_range epoll_pwait2 ?futex_waitv "
    "?cachestat ?fchmodat2 ?statmount"
).split()
# What is said where a call is indispensable. The C library itself does without clone3(2) only after ENOSYS.
SAID = {("clone3", "EPERM"): "clone3(2)"}
WITHOUT_PROC = ("umount --lazy /proc", "mount -t tmpfs none /proc")


def refusing(call, error):
    inject = f"inject={call}:error={error}"
    return ("strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e", inject)


def outcome(call, error):
    """What goes wrong where the call is refused: an empty list if nothing does."""
    with Instance([jobs.NOTE_CHANNEL], settle="50ms") as instance:
        prefix = refusing(call, error)
        instance.drop("a.json", '{"channel_id": 1}')
        instance.drop("1.json")
        instance.drop("cancelled.json", "1")
        problems = []
        for command in (("--version",), ("check",), ("cancel", "cancelled.json"), ("run",), ("trigger", "note")):
            result = instance.bobbin(*command, prefix=prefix)
            said = SAID.get((call, error))
            if result.status != 0 and not (said and result.ended_by_itself and said in result.err):
                problems.append(f"`bobbin {' '.join(command)}`: {result.describe()}")
        instance.oracle.expect_generated()
        result = instance.clean_run()
        if result.status != 0:
            problems.append(result.describe())
        return problems + instance.oracle.violations()


def check_calls(report):
    points = [(call, error) for call in CALLS for error in ("EPERM", "ENOSYS")]
    for (call, error), problems in zip(points, topic.in_parallel(lambda point: outcome(*point), points)):
        report.check(
            not problems,
            f"every command works without {call.strip('?')} ({error}), or says that it is missing",
            problems,
        )
    report.figure(f"{len(CALLS)} system calls refused with 2 errors each, for 5 commands")


def check_without_proc(report):
    for how in WITHOUT_PROC:
        with Instance([jobs.NOTE_CHANNEL]) as instance:
            instance.drop("a.json", "1")
            for command in (("run",), ("status",), ("trigger", "note"), ("--version",)):
                prefix = ("unshare", "--mount", "sh", "-c", f'{how} && exec "$@"', "sh")
                result = instance.bobbin(*command, prefix=prefix)
                report.check(
                    result.status == 71 and "/proc is not mounted" in result.err,
                    f"`bobbin {' '.join(command)}` says that /proc is missing, with 71 ({how})",
                    result.describe(),
                )
            instance.clean_run()
            report.check_oracle(instance, f"nothing is lost where /proc is missing ({how})")


def main():
    _, report = topic.begin(__doc__)
    report.require_root()
    check_calls(report)
    check_without_proc(report)
    report.finish()


if __name__ == "__main__":
    main()
