#!/usr/bin/env python3
"""Fuzz: names × contents × kinds of files × times × writers at work, by chance from a seed.

A case is a handful of files under triggers' names, some of them being written, renamed, linked or removed while one
or two batches run. Afterwards, and after one clean run, the oracle must be content, every outcome must be the one
that the file calls for where that is certain, nothing may show on a terminal, a log or the history that could disturb
them, and no command may crash or take long.

    Tests/Proof/topics/fuzz.py [--full] [--seconds N] [--seed N] [--case FILE…]

Runs for 45 seconds, with --full for 20 minutes, or for as long as --seconds says. A case that fails is made as small
as it gets and written to a file that --case runs again; put into Tests/Proof/fixtures/ it is run every time, first.
"""

import argparse
import base64
import json
import os
import pathlib
import signal
import stat
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

import cases
import harness
import hostile_instance as odd


FIXTURES = pathlib.Path(__file__).resolve().parents[1] / "fixtures"


def is_trigger(name):
    return name.endswith(b".json") and len(name) > 5 and not name.startswith(b".")


class Item:
    """One file of a case, with what is known of what must become of it."""

    def __init__(self, instance, document):
        self.instance = instance
        self.name = base64.b64decode(document["name"]) or b"x"
        self.content = base64.b64decode(document["content"])
        self.document = document
        self.kind = document["kind"]
        self.action = document["action"] if self.kind == "file" else "there"
        self.path = instance.path(self.name)

    @property
    def outcome(self):
        """What is certain, else nil."""
        if self.kind != "file":
            return "rejected"
        if len(self.name) > odd.LONGEST_CLAIM:
            return "rejected"
        expected = self.document["outcome"]
        # The time may come from the name or the file, and make it too old.
        aged = self.document["moment"] < 0 or self.name[:4].isdigit()
        return expected if expected in ("rejected", "expired", None) or not aged else None

    def make(self, path):
        kind = self.kind
        if kind == "file":
            with open(path, "wb") as file:
                file.write(self.content)
                os.fchmod(file.fileno(), self.document["mode"])
            self.set_time(path)
        elif kind == "fifo":
            os.mkfifo(path)
        elif kind == "socket":
            odd.named_socket(path, None)
        elif kind == "device":
            os.mknod(path, 0o600 | stat.S_IFCHR, os.makedev(1, 3))
        elif kind in ("folder", "full"):
            os.mkdir(path)
            if kind == "full":
                with open(os.path.join(path, b"1.json"), "wb") as file:
                    file.write(b"1")
        elif kind == "symlink":
            os.symlink(self.instance.secret, path)
        elif kind == "dangling":
            os.symlink(b"/nonexistent/\x1b[2J", path)
        elif kind == "loop":
            os.symlink(os.path.basename(path), path)
        elif kind == "hard link":
            os.link(self.instance.secret, path)
        elif kind == "twin":
            other = os.path.join(os.fsencode(self.instance.root), b"twin-%d" % id(self))
            with open(other, "wb") as file:
                file.write(self.content)
            os.link(other, path)
        elif kind == "sparse":
            with open(path, "wb") as file:
                file.truncate(1 << 40)

    def set_time(self, path):
        moment = self.document["moment"]
        if moment:
            moment += time.time() if abs(moment) < 10_000 else 0
            try:
                odd.set_time(path, max(-(1 << 63), min(int(moment), (1 << 63) - 1)))
            except OSError:
                pass  # Not every file system has such times.

    def expect(self, times=1):
        if is_trigger(self.name):
            self.instance.expect(self.name, times)

    def before(self):
        """What is there when the batches begin."""
        if self.action in ("there", "rewritten", "removed", "again"):
            self.make(self.path)
            self.expect()

    def meanwhile(self):
        """What happens while they run."""
        time.sleep(self.document["pause"])
        temporary = os.path.join(os.fsencode(self.instance.spool), b".writing-%d" % id(self))
        if self.action in ("late", "renamed", "linked in"):
            self.make(temporary if self.action != "late" else self.path)
            if self.action == "renamed":
                os.rename(temporary, self.path)
            elif self.action == "linked in":
                os.link(temporary, self.path)
                os.unlink(temporary)
            self.expect()
        elif self.action == "slow":
            self.write_slowly()
        elif self.action == "rewritten":
            # Before it is claimed: the same request. Afterwards the claimed file itself is written to: too late.
            try:
                descriptor = os.open(self.path, os.O_WRONLY)
            except OSError:
                return
            with os.fdopen(descriptor, "wb") as file:
                file.write(self.content)
        elif self.action == "removed":
            try:
                os.rename(self.path, os.path.join(os.fsencode(self.instance.root), b"removed-%d" % id(self)))
            except FileNotFoundError:
                return
            self.expect(-1)
        elif self.action == "again":
            self.again(temporary)

    def write_slowly(self):
        """As a shell or scp writes: in place, in pieces, open all the while."""
        if os.path.lexists(self.path):
            return
        with open(self.path, "wb", buffering=0) as file:
            self.expect()
            for start in range(0, len(self.content), max(1, len(self.content) // 4)):
                file.write(self.content[start : start + max(1, len(self.content) // 4)])
                time.sleep(self.document["pause"])

    def again(self, temporary):
        """The same name once more: one that still waits stays the only one, one that has gone is followed by another."""
        self.make(temporary)
        try:
            os.link(temporary, self.path)
        except FileExistsError:
            os.unlink(temporary)
            return
        os.unlink(temporary)
        self.expect()

    def problems(self):
        # Whatever happens to it after it was looked at makes the outcome less than certain.
        if not is_trigger(self.name) or self.action not in ("there", "late", "renamed", "linked in", "slow"):
            return []
        outcome = self.outcome
        actual = self.instance.record(self.name)["outcome"]
        if outcome in (None, actual) or self.instance.expected[self.name] != 1:
            return []
        # A crash makes some of them `interrupted`, after three.
        return [f"{self.name!r} ({self.kind}, {self.action}): {actual} instead of {outcome}"]


def problems_of(case):
    """What does not hold in a case."""
    parent = tempfile.gettempdir() if case["place"] == "disk" else None
    with odd.Instance(parent=parent) as instance:
        instance.secret = os.fsencode(instance.root / "secret")
        with open(instance.secret, "wb") as file:
            file.write(b'{"channel_id":1,"user":"%s"}' % odd.SECRET)
        items, names = [], set()
        for document in case["items"]:
            item = Item(instance, document)
            # A name too long to be claimed as it is is cut for the way to rejected/. Its record has all of it, unless a
            # crash comes in between: then the rest of it is what is lost.
            if case["killed"] and len(item.name) > odd.LONGEST_CLAIM:
                continue
            if (
                item.name not in names
                and not item.name.startswith(b".")
                and item.name.decode(errors="replace") not in PLACES
            ):
                names.add(item.name)
                items.append(item)
        for item in items:
            item.before()
        arguments = ("watch", "--every", "20ms") if case["command"] == "watch" else ("run", "--spool-only")
        processes = [
            instance.start(
                *arguments,
                stdout=open(instance.root / f"out{index}", "wb"),
                stderr=open(instance.root / f"err{index}", "wb"),
            )
            for index in range(case["batches"])
        ]
        writers = [threading.Thread(target=item.meanwhile) for item in items]
        for writer in writers:
            writer.start()
        if case["killed"]:
            time.sleep(0.01)
            processes[0].kill()
            processes[0].wait()
            instance.faults += 1
        problems = []
        for command in (("queue",), ("queue", "--json"), ("run", "--dry-run"), ("status",)):
            result = instance.bobbin(*command)
            if result.status is None or not 0 <= result.status < 128:
                problems.append(f"bobbin {' '.join(command)}: {result.describe()[-800:]}")
        for writer in writers:
            writer.join()
        if case["killed"]:
            # Any of them may have been in the hands of the batch that was killed.
            instance.cut.update(instance.expected)
        problems += ends(case, instance, processes)
        # A job that was stopped with its batch is run again: that is what is recorded.
        stopped = {record["name"] for record in instance.records(strict=False) if record.get("requeued")}
        instance.cut.update(stopped)
        instance.faults += bool(stopped)
        clean = instance.clean_run(timeout=90)
        if clean.status not in (0, 1):
            problems.append(f"the clean run: {clean.describe()[-1500:]}")
        for command in (("history", "--limit", "100"), ("history", "--json"), ("status", "--json")):
            instance.bobbin(*command)
        for index in range(case["batches"]):
            for stream in ("out", "err"):
                text = (instance.root / f"{stream}{index}").read_bytes().decode(errors="backslashreplace")
                result = harness.Result(0, text if stream == "out" else "", text if stream == "err" else "", 0)
                instance.written.append(result)
        for item in items:
            problems += item.problems()
        problems += instance.violations() + instance.undisciplined()
        return problems + [f"the secret shows: {place}" for place in instance.leaked()]


PLACES = {
    "running",
    "done",
    "failed",
    "expired",
    "rejected",
    "cancelled",
    "logs",
    "channels",
    "history.jsonl",
    "scheduler.lock",
}


def is_quiet(instance):
    return not instance.pending() and not instance.claims()


def ends(case, instance, processes):
    """Ends the batches of a case and says what is wrong with how they ended."""
    problems = []
    for index, process in enumerate(processes):
        if case["command"] == "watch":
            harness.wait_for(lambda: is_quiet(instance) or process.poll() is not None, 5, 0.01)
            process.send_signal(signal.SIGTERM)
        try:
            status = process.wait(90)
        except Exception:  # noqa: a batch that hangs is killed and reported.
            process.kill()
            process.wait()
            status = None
        wanted = (0, 1, 75, 143, -9 if case["killed"] and index == 0 else 0)
        if status not in wanted:
            said = (instance.root / f"err{index}").read_bytes().decode(errors="backslashreplace")
            problems.append(f"batch {index} ended with {status}\n{said[-1500:]}")
    return problems


def smallest(case, deadline):
    """The case without all that it fails without."""
    changed = True
    while changed and time.monotonic() < deadline:
        changed = False
        for index in range(len(case["items"])):
            smaller = {**case, "items": case["items"][:index] + case["items"][index + 1 :]}
            if smaller["items"] and problems_of(smaller):
                case, changed = smaller, True
                break
    return case


def save(case):
    path = pathlib.Path(tempfile.gettempdir()) / f"bobbin-fuzz-{case['seed']}.json"
    path.write_text(json.dumps(case, indent=1) + "\n")
    return path


def main():
    parser = argparse.ArgumentParser(
        prog="fuzz", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--full", action="store_true", help="20 minutes instead of 45 seconds")
    parser.add_argument("--seconds", type=float, help="for how long")
    parser.add_argument("--seed", type=int, default=1, help="where chance begins (default: %(default)s)")
    parser.add_argument("--case", nargs="*", type=pathlib.Path, default=[], help="runs these cases and no others")
    options = parser.parse_args()
    report = harness.Report("fuzz")
    harness.release_binary()
    fixtures = options.case or sorted(FIXTURES.glob("*.json"))
    for path in fixtures:
        problems = problems_of(json.loads(path.read_text()))
        report.check(not problems, f"found earlier: {path.stem}", problems)
    if options.case:
        report.finish()
    seconds = options.seconds or (1200 if options.full else 45)
    deadline = time.monotonic() + seconds
    guard = threading.Lock()
    seeds = iter(range(options.seed * 1_000_000, (options.seed + 1) * 1_000_000))
    counts = {"cases": 0, "files": 0}
    failures = []

    def work(_):
        while time.monotonic() < deadline and len(failures) < 5:
            with guard:
                case = cases.case_by(next(seeds))
            problems = problems_of(case)
            with guard:
                counts["cases"] += 1
                counts["files"] += len(case["items"])
                if problems:
                    failures.append((case, problems))

    harness.in_parallel(work, range(4), 4)
    print(f"# seeds {options.seed * 1_000_000} and on", flush=True)
    for case, problems in failures:
        path = save(smallest(case, time.monotonic() + 30))
        again = f"Tests/Proof/topics/fuzz.py --case {path}"
        report.check(
            False, f"seed {case['seed']}", [*problems, f"the smallest case that fails: {path}", f"again: {again}"]
        )
    report.check(
        counts["cases"] > 10 and not failures,
        f"{counts['cases']} cases from seed {options.seed} on",
        f"{len(failures)} failed",
    )
    report.figure(
        f"{counts['cases']} cases, {counts['files']} files, {len(fixtures)} found earlier, {len(failures)} failed"
    )
    report.finish()


if __name__ == "__main__":
    main()
