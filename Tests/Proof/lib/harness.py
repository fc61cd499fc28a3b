"""What every topic of the proof shares: the binaries, instances to break, the oracle, and the report.

The oracle (`Instance.violations`) is the same after every fault: once the fault is over and one clean run has been
made, every trigger that was ever dropped is in exactly one of done, failed, expired, rejected and cancelled, with
exactly one final record in the history; it was executed at most once, or a bounded number of times where the fault
cut its job or the record of it short; and nothing is left in between.

What was executed is not asked of Bobbin: each job appends its trigger's name to a ledger outside the spool.
"""

import argparse
import base64
import collections
import concurrent.futures
import dataclasses
import fcntl
import json
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

# A script that starts this in its background has it ignore SIGINT, and so would every program that is started here.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

PROJECT = pathlib.Path(__file__).resolve().parents[3]

# Where the outcome of a final record leads.
PLACES = {
    "succeeded": "done",
    "failed": "failed",
    "timed_out": "failed",
    "interrupted": "failed",
    "expired": "expired",
    "rejected": "rejected",
    "cancelled": "cancelled",
}
FOLDERS = ("done", "failed", "expired", "rejected", "cancelled")
RESULTS = ("done", "failed")

# Names as `bobbin trigger` makes them.
GENERATED = re.compile(rb"\d{8}T\d{6}\.\d{6}Z-\d+\.json")


# --- Binaries.


def build(*arguments, environment=None):
    """Builds a product and returns the path of the program."""
    command = ["swift", "build", "--package-path", str(PROJECT), "--product", "bobbin", *arguments]
    environment = {**os.environ, **(environment or {})}
    subprocess.run(command, env=environment, check=True, stdout=sys.stderr, timeout=1800)
    shown = subprocess.run(
        [*command, "--show-bin-path"], env=environment, check=True, capture_output=True, text=True, timeout=600
    )
    return pathlib.Path(shown.stdout.strip()) / "bobbin"


def locate(variable, builder):
    """The program that an environment variable names, else a fresh build; the variable then names it."""
    if variable not in os.environ:
        os.environ[variable] = str(builder())
    path = pathlib.Path(os.environ[variable]).resolve(strict=True)
    return str(path)


def release_binary():
    """The program as it is installed: $BOBBIN, or built."""
    return locate("BOBBIN", lambda: build("-c", "release"))


def instrumented_binary():
    """The program with failpoints (Sources/CLinux/failpoint.h): $BOBBIN_FAILPOINTS_BINARY, or built."""
    return locate(
        "BOBBIN_FAILPOINTS_BINARY",
        lambda: build(
            "--scratch-path", str(PROJECT / ".build-failpoints"), environment={"BOBBIN_FAILPOINTS": "1"}
        ),
    )


# --- Instances.


@dataclasses.dataclass
class Result:
    """How a program ended. A negative status is the signal that ended it; None: the deadline did."""

    status: int | None
    out: str
    err: str
    seconds: float

    @property
    def was_killed(self):
        return self.status == -signal.SIGKILL

    def describe(self):
        return f"status {self.status} after {self.seconds:.1f} s\n{self.out}{self.err}"


@dataclasses.dataclass(frozen=True)
class Claim:
    """A file in running/: what is between the spool and its end."""

    owner: str
    id: int
    step: str
    trigger: bytes
    path: pathlib.Path


# Characters that Bobbin shows only escaped: control characters, line separators, and marks that reorder text.
DISTURBING = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")
SHORT_ESCAPES = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def as_seen_by_jobs(name):
    """The name in $BOBBIN_TRIGGER: what is no UTF-8 replaced, what disturbs a terminal escaped."""
    text = name.decode(errors="replace")
    escape = lambda match: SHORT_ESCAPES.get(match[0]) or f"\\u{{{ord(match[0]):x}}}"
    return DISTURBING.sub(escape, text).encode()


def as_bytes(name):
    return name if isinstance(name, bytes) else os.fsencode(name)


# What a job does that only notes that it was executed. printf writes the line with one call. No job starts without a
# claim: what has none says so in another file.
NOTE = r"""#!/bin/sh
printf '%s\t%s\t%s\t%s\n' "$BOBBIN_TRIGGER" "$BOBBIN_HISTORY_ID" "$BOBBIN_ATTEMPT" "$BOBBIN_CHANNEL" >>'{ledger}'
if [ "$BOBBIN_KIND" = manual ]; then
    set -- '{root}'/spool/running/*/"$BOBBIN_HISTORY_ID".*
    [ -e "$1" ] || printf '%s %s\n' "$BOBBIN_HISTORY_ID" "$BOBBIN_TRIGGER" >>'{root}/unclaimed'
fi
"""
HANDLERS = {
    "note": NOTE + "echo item\n",
    "fail": NOTE + "exit 3\n",
    # Goes on until $BOBBIN_DIR/../../release exists. A minute at most: no job outlives the proof for long.
    "hold": NOTE
    + """: >'{root}/holding'
i=0
while [ ! -e '{root}/release' ] && [ $i -lt 1200 ]; do sleep 0.05; i=$((i + 1)); done
echo item
""",
}

# The channel `once` must never be executed again.
CHANNELS = (
    {"id": 1, "name": "note", "command": ["handlers/note"]},
    {"id": 2, "name": "once", "command": ["handlers/note"], "rerun": False},
    {"id": 3, "name": "fail", "command": ["handlers/fail"]},
)


def scratch_directory():
    """Where instances are made: in memory where there is room, because thousands of them are synced over and over.

    A kill and a failed call do not depend on the disk. $BOBBIN_PROOF_DIR chooses another place.
    """
    chosen = os.environ.get("BOBBIN_PROOF_DIR")
    if chosen:
        return chosen
    shared = "/dev/shm"
    if os.access(shared, os.W_OK) and shutil.disk_usage(shared).free > 32 << 20:
        return shared
    return tempfile.gettempdir()


class Instance:
    """A configuration, handlers, a spool and a ledger in a directory of their own. A context manager."""

    def __init__(self, channels=CHANNELS, handlers=None, parent=None, **settings):
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="bobbin-proof-", dir=parent or scratch_directory()))
        self.spool = self.root / "spool"
        self.config = self.root / "etc" / "bobbin.json5"
        self.ledger_path = self.root / "ledger"
        self.expected = collections.Counter()
        self.once = set()
        # Triggers whose job or record a fault has cut short: see `note_fault`.
        self.cut = set()
        self.faults = 0
        self.power_was_cut = False
        self.clean_run_began = None
        self.max_attempts = settings.get("max_attempts", 3)
        for directory in ("etc/handlers", "spool", "library"):
            (self.root / directory).mkdir(parents=True)
        self.ledger_path.touch()
        self.ledger_path.chmod(0o666)
        for name, text in {**HANDLERS, **(handlers or {})}.items():
            self.handler(name, text)
        self.configure(channels, **settings)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        (self.root / "release").touch()
        shutil.rmtree(self.root, ignore_errors=True)

    def configure(self, channels=CHANNELS, **settings):
        document = {"spool": "../spool", "library": "../library", **settings, "channels": list(channels)}
        self.config.write_text(json.dumps(document, indent=1))

    def handler(self, name, text):
        """Makes an executable beside the configuration; {root} and {ledger} in the text are this instance's."""
        path = self.root / "etc" / "handlers" / name
        path.write_text(text.replace("{root}", str(self.root)).replace("{ledger}", str(self.ledger_path)))
        path.chmod(0o755)

    # Dropping.

    def expect(self, name, times=1, once=False):
        """The oracle will look for this trigger, dropped by other means than `drop`."""
        self.expected[as_bytes(name)] += times
        if once:
            self.once.add(as_bytes(name))

    def path(self, name):
        """The path, as bytes, of a name in the spool."""
        return os.path.join(os.fsencode(self.spool), as_bytes(name))

    def drop(self, name, content=b"", age=0.0, once=False):
        """Drops a trigger with one rename.

        - age: seconds by which the file is made to look older.
        - once: it asks for a channel whose `rerun` is false.
        """
        content = content if isinstance(content, bytes) else content.encode()
        temporary = os.path.join(os.fsencode(self.spool), b".dropping-%d" % threading.get_ident())
        with open(temporary, "wb") as file:
            file.write(content)
        if age:
            moment = time.time() - age
            os.utime(temporary, (moment, moment))
        self.expect(name, once=once)
        os.rename(temporary, self.path(name))

    # Running.

    def command(self, *arguments, instrumented=False):
        program = instrumented_binary() if instrumented else release_binary()
        return [program, "--config", str(self.config), *arguments]

    def environment(self, extra=None):
        environment = {
            key: value
            for key, value in os.environ.items()
            if not key.startswith("BOBBIN_FAILPOINT_") and key not in ("BOBBIN_CONFIG", "XDG_CONFIG_HOME")
        }
        return {**environment, **(extra or {})}

    def start(self, *arguments, instrumented=False, environment=None, prefix=(), **options):
        """Starts the program in the background; output goes to pipes."""
        return subprocess.Popen(
            [*prefix, *self.command(*arguments, instrumented=instrumented)],
            env=self.environment(environment),
            cwd=self.root,
            stdin=subprocess.DEVNULL,
            stdout=options.pop("stdout", subprocess.PIPE),
            stderr=options.pop("stderr", subprocess.PIPE),
            **options,
        )

    def bobbin(self, *arguments, instrumented=False, environment=None, prefix=(), timeout=60.0, **options):
        """Runs the program to its end, or to the deadline.

        Output goes to files: a job of a killed batch would keep a pipe open.
        """
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            begin = time.monotonic()
            process = self.start(
                *arguments,
                instrumented=instrumented,
                environment=environment,
                prefix=prefix,
                stdout=out,
                stderr=err,
                **options,
            )
            try:
                status = process.wait(timeout)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                status = None
            seconds = time.monotonic() - begin
            texts = []
            for file in (out, err):
                file.seek(0)
                texts.append(file.read().decode(errors="backslashreplace"))
            return Result(status, texts[0], texts[1], seconds)

    def clean_run(self, scheduled=False, timeout=60.0):
        """A run without any fault, after what an earlier job left has ended. Status 0 or 1 is expected of it."""
        self.wait_until_idle()
        self.note_fault()
        self.clean_run_began = time.time()
        return self.bobbin("run", *([] if scheduled else ["--spool-only"]), timeout=timeout)

    def is_held(self, path):
        """Whether somebody holds a lock. Asks by taking it for an instant, so not while a run is on."""
        try:
            with open(path, "r+b") as file:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    return True
        except FileNotFoundError:
            pass
        return False

    def held_locks(self):
        locks = [self.spool / "scheduler.lock", *sorted((self.spool / "channels").glob("*.lock"))]
        return [lock.name for lock in locks if self.is_held(lock)]

    def wait_until_idle(self, timeout=30.0):
        """Waits until no process of a killed batch and none of its jobs holds a lock."""
        if not wait_for(lambda: not self.held_locks(), timeout):
            raise TimeoutError(f"still held: {self.held_locks()}")

    # What is there.

    def pending(self):
        """Names of triggers that stand in the spool."""
        return sorted(
            name
            for name in os.listdir(os.fsencode(self.spool))
            if name.endswith(b".json") and not name.startswith(b".")
        )

    def claims(self):
        """Everything in running/ that is a claim."""
        claims = []
        for owner in sorted((self.spool / "running").glob("*")):
            try:
                names = sorted(os.listdir(os.fsencode(owner)))
            except (FileNotFoundError, NotADirectoryError):
                # Its owner has ended meanwhile; or it is no owner's.
                names = []
            for name in names:
                identifier, step, trigger = name.split(b".", 2)
                path = pathlib.Path(os.fsdecode(os.path.join(os.fsencode(owner), name)))
                claims.append(Claim(owner.name, int(identifier), step.decode(), trigger, path))
        return claims

    def records(self, strict=True):
        """The records of the history, each with its trigger's name as bytes under `name`.

        strict: a line that does not parse or does not end is an error; else it is passed over (a crash may leave a torn
        last one, of which perhaps nothing but the newline is missing).
        """
        path = self.spool / "history.jsonl"
        records = []
        *lines, rest = path.read_bytes().split(b"\n") if path.exists() else [b""]
        if strict and rest:
            raise ValueError(f"the history does not end with a newline: {rest[-80:]!r}")
        for line in filter(None, lines):
            try:
                record = json.loads(line)
            except ValueError:
                if strict:
                    raise ValueError(f"not JSON in the history: {line[:200]!r}") from None
                continue
            if record.get("trigger_b64"):
                record["name"] = base64.b64decode(record["trigger_b64"])
            else:
                record["name"] = record["trigger"].encode() if record.get("trigger") is not None else None
            records.append(record)
        return records

    def ledger(self):
        """How often each trigger was executed. Jobs of the schedule count under the empty name.

        A name that is not UTF-8 reaches a job with replacement characters, and is counted here under that form.
        """
        entries = re.finditer(rb"(.*?)\t\d+\t\d+\t[^\t\n]*\n", self.ledger_path.read_bytes(), re.DOTALL)
        return collections.Counter(entry[1] for entry in entries)

    def listing(self):
        """Every path below the spool, for the report of a failure."""
        found = []
        for directory, _, files in os.walk(os.fsencode(self.spool)):
            relative = os.path.relpath(directory, os.fsencode(self.spool))
            found += [os.path.join(relative, file).decode(errors="backslashreplace") for file in files]
        return sorted(found)

    # The oracle.

    def note_fault(self):
        """Notes, after a fault and before the next run, whose job may be repeated: claims without a record."""
        self.faults += 1
        recorded = {(record["id"], record["name"]) for record in self.records(strict=False)}
        for claim in self.claims():
            if claim.step.isdigit() and (claim.id, claim.trigger) not in recorded:
                self.cut.add(claim.trigger)
        # A `bobbin trigger` that was cut short may have published its file or not; if it has, it counts.
        for name in [*self.pending(), *(claim.trigger for claim in self.claims()), *self.places()]:
            if GENERATED.fullmatch(name) and name not in self.expected:
                self.expected[name] = 1

    def violations(self):
        """What does not hold of this instance after its last clean run. Empty: all is well."""
        problems = []
        try:
            records = self.records()
        except ValueError as error:
            return [str(error)]
        problems += self.duplicate_ids(records) + self.unrecorded_scheduled_jobs(records)
        final = collections.defaultdict(list)
        # A job that was stopped with its batch: its trigger is pending again, and may be executed once more.
        put_back = collections.Counter(record["name"] for record in records if record.get("requeued"))
        for record in records:
            if record["kind"] != "run" and record["name"] is not None and not record.get("requeued"):
                final[record["name"]].append(record)
        ledger = self.ledger()
        places = self.places()
        for name, times in sorted(self.expected.items()):
            executed = ledger.pop(self.name_in_ledger(name), 0)
            found = (final.pop(name, []), places.pop(name, []))
            problems += self.problems_of(name, times, *found, executed, put_back[name])
        problems += [f"record of a trigger that nobody dropped: {name!r}" for name in final]
        problems += [f"{where}/ holds what nobody dropped: {name!r}" for name, where in places.items()]
        problems += [f"executed, but never dropped: {name!r}" for name in ledger if name]
        return problems + self.leftovers()

    def name_in_ledger(self, name):
        """What the ledger calls a trigger: what its job was told."""
        return as_seen_by_jobs(name)

    def unrecorded_scheduled_jobs(self, records):
        """What a scheduled job did is not forgotten. A power cut alone may take the note on it away with its record."""
        if self.power_was_cut:
            return []
        entries = re.finditer(rb"^\t(\d+)\t\d+\t[^\t\n]*$", self.ledger_path.read_bytes(), re.MULTILINE)
        recorded = {record["id"] for record in records}
        executed = sorted({int(entry[1]) for entry in entries} - recorded)
        return [f"the scheduled job {identifier} was executed, and has no record" for identifier in executed]

    def duplicate_ids(self, records):
        counts = collections.Counter(record["id"] for record in records)
        problems = [f"id {identifier} given {count} times" for identifier, count in counts.items() if count > 1]
        runs = collections.Counter(record["run"] for record in records if record["kind"] == "run")
        return problems + [f"run {run} recorded {count} times" for run, count in runs.items() if count > 1]

    def places(self):
        """Where each trigger is: its name to the folders. A number that was appended to a name is taken off."""
        places = collections.defaultdict(list)
        for folder in FOLDERS:
            path = os.fsencode(self.spool / folder)
            for name in sorted(os.listdir(path)) if os.path.isdir(path) else []:
                if name.startswith(b".bobbin-"):
                    continue
                if name not in self.expected and folder not in RESULTS:
                    shorter = re.sub(rb"\.\d+$", b"", name)
                    # A name that got too long for the number was cut.
                    is_cut = len(name) == 255
                    whole = [full for full in self.expected if full == shorter or is_cut and full.startswith(shorter)]
                    name = whole[0] if whole else name
                places[name].append(folder)
        return places

    def problems_of(self, name, times, records, folders, executed, put_back):
        problems = []
        if len(records) != times:
            outcomes = [record["outcome"] for record in records]
            problems.append(f"{name!r} has {len(records)} final records instead of {times}: {outcomes}")
        # A newer result replaces an older one; a file that was moved never replaces another.
        wanted = collections.Counter(PLACES.get(record["outcome"], "nowhere") for record in records)
        for folder in RESULTS:
            wanted[folder] = min(1, wanted[folder])
        if collections.Counter(folders) != +wanted:
            problems.append(f"{name!r} is in {folders} instead of {sorted((+wanted).elements())}")
        for folder in set(folders) & set(RESULTS):
            problems += self.problems_of_result(name, folder, records)
        problems += self.problems_of_executions(name, times, records, executed, put_back)
        return problems

    def problems_of_result(self, name, folder, records):
        path = os.path.join(os.fsencode(self.spool / folder), name)
        try:
            with open(path, "rb") as file:
                document = json.loads(file.read())
        except (ValueError, OSError) as error:
            return [f"{folder}/{name!r} is no result: {error}"]
        if document.get("download_history_id") not in [record["id"] for record in records]:
            return [f"{folder}/{name!r} states the id {document.get('download_history_id')}, which no record has"]
        if document.get("success") != (folder == "done"):
            return [f"{folder}/{name!r} has success {document.get('success')}"]
        return []

    def problems_of_executions(self, name, times, records, executed, put_back):
        """At most once for each time it was dropped; more only where a fault cut it short, and never with `once`."""
        limit = times
        if name in self.cut and name not in self.once:
            limit = times - 1 + min(self.max_attempts, 1 + self.faults)
        limit += put_back
        problems = []
        if executed > limit:
            problems.append(f"{name!r} was executed {executed} times, at most {limit} are right")
        succeeded = sum(record["outcome"] == "succeeded" for record in records)
        if executed < succeeded:
            problems.append(f"{name!r} succeeded {succeeded} times and was executed {executed} times")
        given_up = ("expired", "rejected", "cancelled")
        if executed and records and not put_back and all(record["outcome"] in given_up for record in records):
            problems.append(f"{name!r} was executed, but {records[0]['outcome']}")
        return problems

    def leftovers(self):
        problems = [f"still pending: {name!r}" for name in self.pending()]
        if (self.root / "unclaimed").exists():
            problems.append(f"jobs without a claim: {(self.root / 'unclaimed').read_text()}")
        running = self.spool / "running"
        problems += [f"left in running/: {path.name}" for path in (running.rglob("*") if running.exists() else [])]
        problems += [f"still held: {lock}" for lock in self.held_locks()]
        for folder in (".", *FOLDERS):
            for path in (self.spool / folder).glob(".bobbin-*"):
                if self.clean_run_began is None or path.stat().st_ctime >= self.clean_run_began:
                    problems.append(f"temporary file left by a clean run: {folder}/{path.name}")
        return problems


def wait_for(condition, timeout=30.0, interval=0.005):
    """Waits for an event: true once the condition holds, false after the deadline."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(interval)
    return True


def delayed(call, milliseconds):
    """A prefix that makes every call of a kind that much later."""
    return ("strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e", f"inject={call}:delay_enter={milliseconds}ms")


# --- The report: lines `ok - …` and `not ok - …`, a line of figures, and the totals.


class Report:
    def __init__(self, topic):
        self.topic = topic
        self.passed = 0
        self.failed = 0
        self.guard = threading.Lock()

    def check(self, holds, description, details=()):
        """One line; on failure with the details, a string or several."""
        with self.guard:
            if holds:
                self.passed += 1
                print(f"ok - {self.topic}: {description}", flush=True)
                return
            self.failed += 1
            print(f"not ok - {self.topic}: {description}", flush=True)
            for detail in [details] if isinstance(details, str) else details:
                for line in str(detail).splitlines()[:80]:
                    print(f"#   {line}", flush=True)

    def check_oracle(self, instance, description, *details):
        """One line for all that the oracle asks of an instance."""
        problems = instance.violations()
        self.check(not problems, description, [*problems, *details, *instance.listing()] if problems else ())

    def figure(self, text):
        """A line for the reader and for the table in the README."""
        print(f"{self.topic}: {text}", flush=True)

    def finish(self):
        print(f"{self.passed} passed, {self.failed} failed", flush=True)
        sys.exit(0 if self.failed == 0 and self.passed > 0 else 1)


def options(topic, description=None):
    """The options of a topic: how much of it, and where chance begins."""
    parser = argparse.ArgumentParser(prog=topic, description=description)
    parser.add_argument("--full", action="store_true", help="everything, instead of a few minutes' worth")
    parser.add_argument("--seed", type=int, default=1, help="where chance begins (default: %(default)s)")
    arguments = parser.parse_args()
    arguments.random = random.Random(arguments.seed)
    return arguments


def in_parallel(function, items, workers=None):
    """The results of a function for each item, in order. The work is done by other processes, so threads will do."""
    with concurrent.futures.ThreadPoolExecutor(workers or (os.cpu_count() or 1) + 1) as pool:
        return list(pool.map(function, items))


def sample(points, count, chance):
    """At most `count` of the points, spread evenly, with a random place in each stretch."""
    points = list(points)
    if len(points) <= count:
        return points
    edges = [round(index * len(points) / count) for index in range(count + 1)]
    return [points[chance.randrange(edges[index], edges[index + 1])] for index in range(count)]
