"""An instance for the topics on hostile and odd input, and the checks of all its output.

Log lines, history, results and the output of commands stay one line per event, with control characters escaped, and a
secret that a submitter links to appears nowhere.
"""

import collections
import contextlib
import ctypes
import os
import pty
import re
import shutil
import socket
import subprocess
import tempfile
import termios

import binaries
import jobs
import layout
from instance import Instance
from processes import become

SECRET = b"secret-5b1c0f7e"

# The user of the batch where it must not be root, and a user who submits. A number does not need an account.
BATCH_USER = 64001
SUBMITTER = 64002

# Characters that must not reach a terminal, a log or the history unescaped: C0 without the line feed, DEL, C1, line and
# paragraph separators, marks that reorder text, and the byte order mark.
UNSAFE_FOR_TERMINAL = re.compile(jobs.ESCAPED.pattern.replace("\x00-\x1f", "\x00-\x09\x0b-\x1f"))
LOG_LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (info|warning|error) \S.*")

# These note the history id, not the name: a name may hold a line feed.
NOTE_ID = "#!/bin/sh\nprintf '%s\\n' \"$BOBBIN_HISTORY_ID\" >>'{ledger}'\n"
HANDLERS = {
    "note": NOTE_ID + "echo item\n",
    "fail": NOTE_ID + "exit 3\n",
    # Writes text that could control a terminal.
    "shout": NOTE_ID
    + "printf '\\033]0;owned\\007\\302\\205\\342\\200\\256x\\rgone\\n'\n"
    + "printf '\\033[31mred\\342\\200\\256\\377\\n' >&2\nexit 3\n",
    "hold": NOTE_ID + jobs.HOLD,
}
CHANNELS = (
    {"id": 1, "name": "note", "command": ["handlers/note"]},
    {"id": 3, "name": "fail", "command": ["handlers/fail"]},
    {"id": 4, "name": "shout", "command": ["handlers/shout"]},
    {"id": 5, "name": "hold", "command": ["handlers/hold"]},
    {"id": 6, "name": "off", "command": ["handlers/note"], "enabled": False},
)
SETTINGS = {"settle": "100ms", "defaults": {"attempts": 1, "grace": "1s"}}


class HostileInstance(Instance):
    """An instance whose ledger counts by history ids, and that keeps the output of its commands."""

    def __init__(self, channels=CHANNELS, handlers=None, parent=None, **settings):
        super().__init__(channels, {**HANDLERS, **(handlers or {})}, parent, **{**SETTINGS, **settings})
        self.root.chmod(0o755)
        for name in HANDLERS:
            (self.root / "etc/handlers" / name).chmod(0o755)
        self.results = []

    def bobbin(self, *arguments, **options):
        result = super().bobbin(*arguments, **options)
        self.results.append(result)
        return result

    def ledger(self):
        names = {record["id"]: record["name"] for record in self.records(strict=False)}
        ids = self.ledger_path.read_bytes().split()
        return collections.Counter(names.get(int(identifier)) or b"id %s" % identifier for identifier in ids)

    def name_in_ledger(self, name):
        return name

    def put(self, name, content=b"", **options):
        """Writes a file under a name, whether or not the file can be a trigger."""
        with open(self.path(name), "wb") as file:
            file.write(content)
        self.expect(name, **options)

    def write_secret(self):
        """Makes a file that reads like a good trigger and holds the secret; returns its path as bytes."""
        path = os.fsencode(self.root / "secret")
        with open(path, "wb") as file:
            file.write(b'{"channel_id":1,"user":"%s"}' % SECRET)
        return path

    def record(self, name):
        """The last record of a trigger."""
        records = [record for record in self.records() if record["name"] == layout.as_bytes(name)]
        return records[-1] if records else {"outcome": None, "error_message": None}

    def outcome(self, name):
        return self.record(name)["outcome"]

    def give_to(self, user):
        """Makes a user the owner of everything in the instance."""
        for directory, directories, files in os.walk(self.root):
            for name in [".", *directories, *files]:
                os.chown(os.path.join(directory, name), user, user, follow_symlinks=False)

    def copy_program(self):
        """Puts the program where every user can reach it; from then on all commands use the copy."""
        path = self.root / "bobbin"
        if not path.exists():
            shutil.copy(binaries.release_binary(), path)
            path.chmod(0o755)

    def as_user(self, user, *arguments, groups=(), **options):
        """Runs the program as another user."""
        return self.bobbin(*arguments, prefix=become(user, groups), **options)

    def command(self, *arguments, instrumented=False):
        command = super().command(*arguments, instrumented=instrumented)
        copy = self.root / "bobbin"
        return [str(copy), *command[1:]] if copy.exists() and not instrumented else command

    def problems_of_output(self):
        """The problems of all text that was written (by commands, into the history and into results): text that is
        unsafe for a terminal, or an event that is not exactly one line."""
        problems = []
        for result in self.results:
            for line in result.err.split("\n"):
                if line and not LOG_LINE.fullmatch(line) and not line.startswith(("bobbin: ", "        ")):
                    problems.append(f"not a log line, on standard error: {line[:200]!r}")
            problems += [
                f"unsafe output: {text[:200]!r}"
                for text in (result.out, result.err)
                if UNSAFE_FOR_TERMINAL.search(text)
            ]
        results = [path for folder in layout.RESULT_FOLDERS for path in (self.spool / folder).glob("*")]
        for path in [self.history_path, *results]:
            # A half-written file that a crash left has a name that begins with `.bobbin-`.
            if not path.exists() or path.name.startswith(".bobbin-"):
                continue
            text = path.read_bytes().decode(errors="strict")
            if unsafe := UNSAFE_FOR_TERMINAL.search(text):
                problems.append(f"unsafe text in {path.name!r}: {unsafe.group()!r}")
            if path in results and text.count("\n") != 1:
                problems.append(f"a result of {text.count(chr(10))} lines: {path.name!r}")
        return problems

    def places_of_secret(self, secret=SECRET):
        """The places where the secret appears: the output of commands, and regular files that Bobbin made."""
        places = ["output" for result in self.results if secret in (result.out + result.err).encode()]
        for folder in (*layout.RESULT_FOLDERS, "logs"):
            places += [str(path) for path in (self.spool / folder).glob("*") if secret in path.read_bytes()]
        if self.history_path.exists() and secret in self.history_path.read_bytes():
            places.append("history")
        return places


def on_terminal(instance, *arguments):
    """The text that a command writes to a terminal, without the carriage returns that the terminal itself adds."""
    controller, terminal = pty.openpty()
    attributes = termios.tcgetattr(terminal)
    attributes[1] &= ~termios.OPOST
    termios.tcsetattr(terminal, termios.TCSANOW, attributes)
    process = subprocess.Popen(
        instance.command(*arguments), stdin=subprocess.DEVNULL, stdout=terminal, stderr=terminal, cwd=instance.root
    )
    os.close(terminal)
    shown = b""
    with contextlib.suppress(OSError):  # EIO is the end of a terminal.
        while block := os.read(controller, 1 << 16):
            shown += block
    os.close(controller)
    process.wait(30)
    return shown.decode(errors="backslashreplace")


def make_socket(path):
    # The address of a socket has at most 107 bytes (unix(7)), so it is made under a short name and renamed.
    with tempfile.TemporaryDirectory(dir=os.path.dirname(path)) as folder:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(os.path.join(folder, b"s"))
        os.rename(os.path.join(folder, b"s"), path)


def set_file_time(path, seconds):
    """utimensat(2) with any number of seconds; Python's own call stops at 292 years."""
    library = ctypes.CDLL(None, use_errno=True)
    times = (ctypes.c_int64 * 4)(seconds, 0, seconds, 0)
    if library.utimensat(-100, path, times, 0) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), path)


def check_before_run(report, instance, what):
    """Checks every command that shows pending triggers."""
    for arguments in (
        ("queue",),
        ("queue", "--json"),
        ("run", "--dry-run"),
        ("run", "--dry-run", "--json"),
        ("check",),
        ("status",),
    ):
        result = instance.bobbin(*arguments)
        report.check(
            result.ended_by_itself, f"{what}: `bobbin {' '.join(arguments)}` ends by itself", result.describe()
        )


def check_after_run(report, instance, what):
    """Checks everything that must hold after a run."""
    for arguments in (
        ("history", "--limit", "1000"),
        ("history", "--json", "--limit", "1000"),
        ("status",),
        ("status", "--json"),
        ("queue",),
    ):
        result = instance.bobbin(*arguments)
        report.check(
            result.status == 0, f"{what}: `bobbin {' '.join(arguments)}` ends with status 0", result.describe()
        )
    problems = instance.problems_of_output()
    report.check(not problems, f"{what}: every event is one line that is safe for a terminal", problems)
    places = instance.places_of_secret()
    report.check(not places, f"{what}: the secret does not appear anywhere", places)
    report.check_oracle(instance, f"{what}: no trigger is lost")
