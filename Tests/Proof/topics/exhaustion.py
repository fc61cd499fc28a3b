#!/usr/bin/env python3
"""Out of space, out of inodes, out of descriptors, at the limit of a file's size: for real.

The spool is a small tmpfs that is filled to every degree, before the run and by the jobs of the run. When the disk is
too full the run stops before it executes anything more, with status 75, and the triggers stay. Then the space is
freed, and after a clean run the oracle is asked.

Needs root: a tmpfs is mounted, in a mount namespace of its own.
"""

import os
import pathlib
import resource
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

import harness


KIB = 1024
SPACE = 1024 * KIB
TRIGGERS = 6


def in_own_namespace():
    """Starts this program again where what it mounts is seen by nobody else, and goes with it."""
    marker = "BOBBIN_PROOF_NAMESPACE"
    if os.environ.get(marker) != str(os.getppid()):
        os.environ[marker] = str(os.getpid())
        command = ["unshare", "--mount", "--propagation", "private", sys.executable, *sys.argv]
        sys.exit(subprocess.run(command, check=False).returncode)


class SmallSpool:
    """An instance whose spool is a tmpfs."""

    def __init__(self, options, **arguments):
        self.instance = harness.Instance(**arguments)
        self.mount(options)

    def mount(self, options):
        subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"mode=755,{options}", "tmpfs", str(self.instance.spool)], check=True
        )

    def __enter__(self):
        return self.instance

    def __exit__(self, *_):
        subprocess.run(["umount", "--lazy", str(self.instance.spool)], check=True)
        self.instance.close()


def drop_triggers(instance):
    # The first of all: what is no object is looked at again, after the claim.
    instance.drop("0-once.json", '"once"', once=True)
    for number in range(TRIGGERS):
        instance.drop(f"{number}.json", '{"channel": "note"}')
    instance.drop("stale.json", "1", age=4000)
    instance.drop("broken.json", "{")


def fill(instance, left):
    """Leaves so many bytes free. What takes the space is no trigger and has a name that Bobbin leaves alone."""
    status = os.statvfs(instance.spool)
    with open(instance.spool / "ballast", "wb") as file:
        os.posix_fallocate(file.fileno(), 0, max(1, status.f_bavail * status.f_frsize - left))


def fill_inodes(instance, left):
    count = os.statvfs(instance.spool).f_favail - left
    (instance.spool / "inodes").mkdir()
    for number in range(count - 1):
        (instance.spool / "inodes" / str(number)).touch()


def free(instance):
    """Undoes both."""
    (instance.spool / "ballast").unlink(missing_ok=True)
    subprocess.run(["rm", "-rf", str(instance.spool / "inodes")], check=True)


def problems_of_full(instance, result, wanted):
    """What a run did wrong that met a full disk, before space is freed."""
    problems = []
    if result.status not in wanted:
        problems.append(f"status {result.status} instead of {sorted(wanted)}")
    if result.status == 75:
        known = {claim.trigger for claim in instance.claims()} | set(instance.pending())
        known |= {record["name"] for record in instance.records(strict=False)}
        lost = set(instance.expected) - known
        if lost:
            problems.append(f"neither pending, claimed nor recorded: {lost}")
    elif result.status in (0, 1) and (instance.pending() or instance.claims()):
        problems.append("it says that it is done, and it is not")
    return problems


def try_full(options, make_full, wanted, handlers=None, starts=None, arguments=("run", "--spool-only")):
    """A run on a full disk, then a clean one.

    - starts: at most how many jobs may have been started; None: any number.
    """
    with SmallSpool(options, handlers=handlers) as instance:
        drop_triggers(instance)
        make_full(instance)
        result = instance.bobbin(*arguments)
        problems = problems_of_full(instance, result, wanted)
        executed = sum(instance.ledger().values())
        if starts is not None and executed > starts:
            problems.append(f"{executed} jobs were started, {starts} at most are right")
        free(instance)
        clean = instance.clean_run()
        problems += instance.violations()
        if problems:
            problems += [result.describe(), clean.describe(), *instance.listing()]
        return result.status, executed, problems


def summarize(report, description, points, outcomes):
    """One line for all degrees of fullness.

    - Returns: how many there were.
    """
    details = []
    for point, (_, _, problems) in zip(points, outcomes):
        if problems and len(details) < 60:
            details += [f"{point} left:", *problems]
    stopped = sum(status == 75 for status, _, _ in outcomes)
    report.check(
        not details, f"{description}: {len(points)} degrees of fullness, {stopped} of them too full", details
    )
    return len(points)


def main():
    options = harness.options("exhaustion", __doc__)
    in_own_namespace()
    report = harness.Report("exhaustion")
    cases = 0

    # Full before the run: nothing at all is executed.
    step = 4 * KIB if options.full else 16 * KIB
    points = list(range(0, 256 * KIB, step))
    size = f"size={SPACE}"
    outcomes = harness.in_parallel(
        lambda left: try_full(size, lambda instance: fill(instance, left), {75}, starts=0), points
    )
    cases += summarize(report, "full before the run", points, outcomes)

    # Full while it runs: each job writes much into its log. Whoever is started next finds too little.
    points = list(range(256 * KIB, 640 * KIB, step))
    chatty = {"note": harness.NOTE + "head -c 40000 /dev/zero | tr '\\0' x; echo\n"}
    outcomes = harness.in_parallel(
        lambda left: try_full(size, lambda instance: fill(instance, left), {0, 1, 75}, handlers=chatty), points
    )
    cases += summarize(report, "filled by the jobs' logs", points, outcomes)
    report.check(
        {75} < {status for status, _, _ in outcomes}, "filled by the jobs' logs: both too full and not", outcomes
    )

    # A job fills the disk itself, to the last page or almost: what it did can't be recorded any more.
    points = list(range(0, 16 * KIB, 4 * KIB)) + list(range(16 * KIB, 300 * KIB, 2 * step))
    greedy = (
        harness.NOTE
        # Once: the clean run afterwards has a disk that stays free.
        + "mkdir '{root}/greedy' 2>/dev/null || exit 0\n"
        + "rest=$(cat '{root}/rest')\n"
        + "dd if=/dev/zero of='{root}/spool/ballast' bs=4096 2>/dev/null\n"
        + "truncate -s -\"$rest\" '{root}/spool/ballast'\n"
    )

    def fill_by_job(left):
        def prepare(instance):
            (instance.root / "rest").write_text(str(left))

        return try_full(size, prepare, {0, 1, 75}, handlers={"note": greedy}, starts=TRIGGERS + 1)

    outcomes = harness.in_parallel(fill_by_job, points)
    cases += summarize(report, "filled by a job itself", points, outcomes)
    repeated = [executed for left, (_, executed, _) in zip(points, outcomes) if left < 200 * KIB and executed > 1]
    report.check(not repeated, "filled by a job itself: no other job is started then", [outcomes])

    # Inodes.
    points = list(range(0, 60, 1 if options.full else 3))
    outcomes = harness.in_parallel(
        lambda left: try_full(
            "size=64m,nr_inodes=200", lambda instance: fill_inodes(instance, left), {0, 1, 75}
        ),
        points,
    )
    cases += summarize(report, "out of inodes", points, outcomes)
    report.check(outcomes[0][:2] == (75, 0), "out of inodes: nothing is executed when there is none", outcomes[0])

    # Every command on a disk without a free byte.
    for arguments in (("trigger", "note"), ("trigger", "note", "--queue"), ("cancel", "--all"), ("prune",), ("run",)):
        outcome = try_full(size, lambda instance: fill(instance, 0), {0, 1, 75}, arguments=arguments)
        report.check(not outcome[2], f"full: bobbin {' '.join(arguments)} ends with {outcome[0]}", outcome[2])
        cases += 1

    cases += check_limits(report, options)
    report.figure(f"{cases} cases of exhaustion")
    report.finish()


def try_limit(kind, value, arguments=("run",)):
    """A run under a limit of the process, then a clean one."""
    with harness.Instance() as instance:
        drop_triggers(instance)
        result = instance.bobbin(
            *arguments, preexec_fn=lambda: resource.setrlimit(kind, (value, resource.getrlimit(kind)[1]))
        )
        problems = []
        if result.status is None or (result.status < 0 and kind != resource.RLIMIT_FSIZE):
            problems.append("it does not end by itself")
        if result.status in (0, 1) and (instance.pending() or instance.claims()):
            problems.append("it says that it is done, and it is not")
        clean = instance.clean_run()
        problems += instance.violations()
        if kind == resource.RLIMIT_NOFILE:
            problems += problems_of_blame(instance)
        if problems:
            problems += [result.describe(), clean.describe(), *instance.listing()]
        return result.status, sum(instance.ledger().values()), problems


def problems_of_blame(instance):
    """What the batch is short of is no failure and no attempt of a trigger, of one that must not be repeated either."""
    return [
        f"{record['name']!r}, attempt {record['attempt']}: {record['outcome']} ({record['error_message']})"
        for record in instance.records()
        if record["name"] is not None
        and record["outcome"] not in ("expired", "rejected")
        and (record["outcome"], record["attempt"]) != ("succeeded", 1)
    ]


def check_limits(report, options):
    """Too few descriptors; files that may not grow, where a write is cut in the middle or kills."""
    cases = 0
    descriptors = range(4, 80, 1 if options.full else 3)
    # Few enough are all that matter without the schedule: the first job is a trigger's then.
    for description, kind, values, arguments in (
        ("few descriptors", resource.RLIMIT_NOFILE, descriptors, ("run",)),
        ("few descriptors, the spool alone", resource.RLIMIT_NOFILE, range(10, 70), ("run", "--spool-only")),
        ("small files", resource.RLIMIT_FSIZE, range(0, 6000, 20 if options.full else 150), ("run",)),
    ):
        values = list(values)
        outcomes = harness.in_parallel(lambda value: try_limit(kind, value, arguments), values)
        details = []
        for value, (_, _, problems) in zip(values, outcomes):
            if problems and len(details) < 60:
                details += [f"limit {value}:", *problems]
        statuses = sorted({str(status) for status, _, _ in outcomes})
        report.check(not details, f"{description}: {len(values)} limits, ends with {', '.join(statuses)}", details)
        cases += len(values)
    return cases


if __name__ == "__main__":
    main()
