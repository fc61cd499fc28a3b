#!/usr/bin/env python3
"""Exhausts real space, inodes, descriptors and the limit of a file's size.

The spool is a small tmpfs that is filled to every degree, before the run and by the jobs of the run. If the disk is too
full, the run stops with status 75 before it executes another job, and the triggers stay. Then the space is freed, and
after a clean run the oracle is asked.

This topic needs root: a tmpfs is mounted in a separate mount namespace.
"""

import os
import pathlib
import resource
import subprocess
import sys

LIB = pathlib.Path(__file__).resolve().parents[2] / "lib"
sys.path[:0] = [str(LIB), str(LIB / "faults"), str(LIB / "samples")]

import jobs
import topic
from instance import Instance

KIB = 1024
SPACE = 1024 * KIB
SMALL_DISK = f"size={SPACE}"
FEW_INODES = "size=64m,nr_inodes=200"
TRIGGERS = 6


def enter_own_namespace():
    """Starts this program again in a namespace where its mounts are invisible to other processes and end with it."""
    marker = "BOBBIN_PROOF_NAMESPACE"
    if os.environ.get(marker) != str(os.getppid()):
        os.environ[marker] = str(os.getpid())
        command = ["unshare", "--mount", "--propagation", "private", sys.executable, *sys.argv]
        sys.exit(subprocess.run(command, check=False).returncode)


class SmallInstance(Instance):
    """An instance whose spool is a tmpfs."""

    def __init__(self, mount_options, **arguments):
        super().__init__(**arguments)
        options = f"mode=755,{mount_options}"
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(self.spool)], check=True)

    def close(self):
        subprocess.run(["umount", "--lazy", str(self.spool)], check=True)
        super().close()

    def fill(self, left):
        """Leaves this many bytes free. The file that takes the space has a name that Bobbin ignores."""
        status = os.statvfs(self.spool)
        with open(self.spool / "ballast", "wb") as file:
            os.posix_fallocate(file.fileno(), 0, max(1, status.f_bavail * status.f_frsize - left))

    def fill_inodes(self, left):
        count = os.statvfs(self.spool).f_favail - left
        (self.spool / "inodes").mkdir()
        for number in range(count - 1):
            (self.spool / "inodes" / str(number)).touch()

    def free(self):
        """Frees the space and the inodes."""
        (self.spool / "ballast").unlink(missing_ok=True)
        subprocess.run(["rm", "-rf", str(self.spool / "inodes")], check=True)


def drop_triggers(instance):
    # This trigger is the first, because a scalar is read again after it is claimed.
    instance.drop("0-once.json", '"once"', rerun=False)
    for number in range(TRIGGERS):
        instance.drop(f"{number}.json", '{"channel": "note"}')
    instance.drop("stale.json", "1", age=4000)
    instance.drop("broken.json", "{")


def problems_of_full(instance, result, allowed):
    """The problems of a run on a full disk, before space is freed."""
    problems = []
    if result.status not in allowed:
        problems.append(f"status {result.status} instead of {sorted(allowed)}")
    if result.status == 75:
        known = {claim.trigger for claim in instance.claims()} | set(instance.pending())
        known |= {record["name"] for record in instance.records(strict=False)}
        lost = set(instance.oracle.expected) - known
        if lost:
            problems.append(f"neither pending, claimed nor recorded: {lost}")
    elif result.status in (0, 1) and (instance.pending() or instance.claims()):
        problems.append("it reports that it is done, but triggers are left")
    return problems


def try_full(mount_options, make_full, allowed, handlers=None, starts=None, arguments=("run", "--spool-only")):
    """Makes a run on a full disk, then a clean run.

    - allowed: the exit statuses that the run may have.
    - starts: the largest number of jobs that may be started; None means any number.
    """
    with SmallInstance(mount_options, handlers=handlers) as instance:
        drop_triggers(instance)
        make_full(instance)
        result = instance.bobbin(*arguments)
        problems = problems_of_full(instance, result, allowed)
        executed = sum(instance.ledger().values())
        if starts is not None and executed > starts:
            problems.append(f"{executed} jobs were started, where at most {starts} are allowed")
        instance.free()
        clean = instance.clean_run()
        problems += instance.oracle.violations()
        if problems:
            problems += [result.describe(), clean.describe(), *instance.listing()]
        return result.status, executed, problems


def report_degrees(report, subject, points, outcomes):
    """Reports one line for all degrees of fullness.

    - Returns: how many there were.
    """
    details = []
    for point, (_, _, problems) in zip(points, outcomes):
        if problems and len(details) < 60:
            details += [f"{point} left:", *problems]
    stopped = sum(status == 75 for status, _, _ in outcomes)
    report.check(
        not details,
        f"{subject} loses nothing at {len(points)} degrees of fullness, {stopped} of which stop it",
        details,
    )
    return len(points)


def check_full_before(report, step):
    """Runs on a disk that is already full: no job is executed."""
    points = list(range(0, 256 * KIB, step))
    outcomes = topic.in_parallel(
        lambda left: try_full(SMALL_DISK, lambda instance: instance.fill(left), {75}, starts=0), points
    )
    return report_degrees(report, "a run on a full disk", points, outcomes)


def check_filled_by_logs(report, step):
    """Each job writes a long log, so a job that is started later finds too little space."""
    points = list(range(256 * KIB, 640 * KIB, step))
    chatty = {"note": jobs.NOTE + "head -c 40000 /dev/zero | tr '\\0' x; echo\n"}
    outcomes = topic.in_parallel(
        lambda left: try_full(SMALL_DISK, lambda instance: instance.fill(left), {0, 1, 75}, handlers=chatty), points
    )
    count = report_degrees(report, "a run whose logs fill the disk", points, outcomes)
    report.check(
        {75} < {status for status, _, _ in outcomes},
        "a run whose logs fill the disk is stopped at some degrees of fullness and not at others",
        outcomes,
    )
    return count


def check_filled_by_job(report, step):
    """A job itself fills the disk, to the last page or almost, so that its record can no longer be written."""
    points = list(range(0, 16 * KIB, 4 * KIB)) + list(range(16 * KIB, 300 * KIB, 2 * step))
    greedy = (
        jobs.NOTE
        # The job does this only once, so that the disk stays free for the clean run.
        + "mkdir '{root}/greedy' 2>/dev/null || exit 0\n"
        + "rest=$(cat '{root}/rest')\n"
        + "dd if=/dev/zero of='{root}/spool/ballast' bs=4096 2>/dev/null\n"
        + "truncate -s -\"$rest\" '{root}/spool/ballast'\n"
    )

    def fill_by_job(left):
        def prepare(instance):
            (instance.root / "rest").write_text(str(left))

        return try_full(SMALL_DISK, prepare, {0, 1, 75}, handlers={"note": greedy}, starts=TRIGGERS + 1)

    outcomes = topic.in_parallel(fill_by_job, points)
    count = report_degrees(report, "a run whose job fills the disk", points, outcomes)
    repeated = [executed for left, (_, executed, _) in zip(points, outcomes) if left < 200 * KIB and executed > 1]
    report.check(not repeated, "a run whose job fills the disk does not start another job", [outcomes])
    return count


def check_inodes(report, is_full):
    points = list(range(0, 60, 1 if is_full else 3))
    outcomes = topic.in_parallel(
        lambda left: try_full(FEW_INODES, lambda instance: instance.fill_inodes(left), {0, 1, 75}), points
    )
    count = report_degrees(report, "a run with few inodes", points, outcomes)
    report.check(outcomes[0][:2] == (75, 0), "a run without a free inode does not execute a job", outcomes[0])
    return count


def check_commands(report):
    commands = (("trigger", "note"), ("trigger", "note", "--queue"), ("cancel", "--all"), ("prune",), ("run",))
    for arguments in commands:
        status, _, problems = try_full(SMALL_DISK, lambda instance: instance.fill(0), {0, 1, 75}, arguments=arguments)
        report.check(
            not problems, f"`bobbin {' '.join(arguments)}` on a disk without a free byte ends with {status}", problems
        )
    return len(commands)


# --- Limits of the process.


def try_limit(kind, value, arguments):
    """Makes a run under a limit of the process, then a clean run."""
    with Instance() as instance:
        drop_triggers(instance)
        result = instance.bobbin(
            *arguments, preexec_fn=lambda: resource.setrlimit(kind, (value, resource.getrlimit(kind)[1]))
        )
        problems = []
        # A write beyond the limit of a file's size kills the process with SIGXFSZ (setrlimit(2)).
        if result.status is None or (result.status < 0 and kind != resource.RLIMIT_FSIZE):
            problems.append("it does not end by itself")
        if result.status in (0, 1) and (instance.pending() or instance.claims()):
            problems.append("it reports that it is done, but triggers are left")
        clean = instance.clean_run()
        problems += instance.oracle.violations()
        if kind == resource.RLIMIT_NOFILE:
            problems += problems_of_blame(instance)
        if problems:
            problems += [result.describe(), clean.describe(), *instance.listing()]
        return result.status, problems


def problems_of_blame(instance):
    """The triggers to which a shortage of the batch was attributed as a failure or an attempt."""
    return [
        f"{record['name']!r}, attempt {record['attempt']}: {record['outcome']} ({record['error_message']})"
        for record in instance.records()
        if record["name"] is not None
        and record["outcome"] not in ("expired", "rejected")
        and (record["outcome"], record["attempt"]) != ("succeeded", 1)
    ]


def check_limits(report, is_full):
    """Runs with too few descriptors, and with a limit of the file size, so that a write is cut or kills the process."""
    cases = 0
    for subject, kind, values, arguments in (
        ("a run with few descriptors", resource.RLIMIT_NOFILE, range(4, 80, 1 if is_full else 3), ("run",)),
        # Without the schedule, the first job belongs to a trigger. Only these numbers of descriptors matter.
        (
            "a run with --spool-only and few descriptors",
            resource.RLIMIT_NOFILE,
            range(10, 70),
            ("run", "--spool-only"),
        ),
        ("a run with small files", resource.RLIMIT_FSIZE, range(0, 6000, 20 if is_full else 150), ("run",)),
    ):
        outcomes = topic.in_parallel(lambda value: try_limit(kind, value, arguments), values)
        details = []
        for value, (_, problems) in zip(values, outcomes):
            if problems and len(details) < 60:
                details += [f"limit {value}:", *problems]
        statuses = sorted({str(status) for status, _ in outcomes})
        report.check(
            not details,
            f"{subject} loses nothing at {len(values)} limits, and ends with {', '.join(statuses)}",
            details,
        )
        cases += len(values)
    return cases


def main():
    options, report = topic.begin(__doc__)
    enter_own_namespace()
    step = 4 * KIB if options.full else 16 * KIB
    cases = check_full_before(report, step)
    cases += check_filled_by_logs(report, step)
    cases += check_filled_by_job(report, step)
    cases += check_inodes(report, options.full)
    cases += check_commands(report)
    cases += check_limits(report, options.full)
    report.figure(f"{cases} cases of exhaustion")
    report.finish()


if __name__ == "__main__":
    main()
