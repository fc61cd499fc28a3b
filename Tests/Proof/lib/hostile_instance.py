"""What the topics on hostile and odd input share: an instance that expects it, and what must hold of all that it writes.

Log lines, history, results and the output of commands stay one line an event, with control characters escaped, and a
secret that somebody links to shows nowhere."""

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

import harness

SECRET = b"secret-5b1c0f7e"

# The batch's user where it must not be root, and the one who submits. No account is needed for a number.
BATCH = 64001
SUBMITTER = 64002

# What must never reach a terminal, a log or the history as it is: C0 without the line feed, DEL, C1, line and
# paragraph separators, marks that reorder text, the byte order mark.
DISTURBING = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")
LOG_LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (info|warning|error) \S.*")

# A longer name is cut to be claimed, and rejected.
LONGEST_CLAIM = 231

# Notes the id, not the name: a name may hold a line feed. `shout` says what could drive a terminal.
HANDLERS = {
    "note": "#!/bin/sh\nprintf '%s\\n' \"$BOBBIN_HISTORY_ID\" >>'{ledger}'\necho item\n",
    "fail": "#!/bin/sh\nprintf '%s\\n' \"$BOBBIN_HISTORY_ID\" >>'{ledger}'\nexit 3\n",
    "shout": "#!/bin/sh\nprintf '%s\\n' \"$BOBBIN_HISTORY_ID\" >>'{ledger}'\n"
    + "printf '\\033]0;owned\\007\\302\\205\\342\\200\\256x\\rgone\\n'\n"
    + "printf '\\033[31mred\\342\\200\\256\\377\\n' >&2\nexit 3\n",
    "hold": "#!/bin/sh\nprintf '%s\\n' \"$BOBBIN_HISTORY_ID\" >>'{ledger}'\n: >'{root}/holding'\ni=0\n"
    + "while [ ! -e '{root}/release' ] && [ $i -lt 1200 ]; do sleep 0.05; i=$((i + 1)); done\n",
}
CHANNELS = (
    {"id": 1, "name": "note", "command": ["handlers/note"]},
    {"id": 3, "name": "fail", "command": ["handlers/fail"]},
    {"id": 4, "name": "shout", "command": ["handlers/shout"]},
    {"id": 5, "name": "hold", "command": ["handlers/hold"]},
    {"id": 6, "name": "off", "command": ["handlers/note"], "enabled": False},
)
SETTINGS = {"settle": "100ms", "defaults": {"attempts": 1, "grace": "1s"}}


class Instance(harness.Instance):
    """An instance that is told apart by history ids, and that keeps what its commands wrote."""

    def __init__(self, channels=CHANNELS, handlers=None, parent=None, **settings):
        super().__init__(channels, {**HANDLERS, **(handlers or {})}, parent, **{**SETTINGS, **settings})
        self.root.chmod(0o755)
        for name in HANDLERS:
            (self.root / "etc/handlers" / name).chmod(0o755)
        self.written = []

    def bobbin(self, *arguments, **options):
        result = super().bobbin(*arguments, **options)
        self.written.append(result)
        return result

    def ledger(self):
        names = {record["id"]: record["name"] for record in self.records(strict=False)}
        ids = self.ledger_path.read_bytes().split()
        return collections.Counter(names.get(int(identifier)) or b"id %s" % identifier for identifier in ids)

    def name_in_ledger(self, name):
        return name

    def put(self, name, content=b"", **options):
        """Writes a file under a name without looking at whether it can be a trigger."""
        with open(self.path(name), "wb") as file:
            file.write(content)
        self.expect(name, **options)

    def record(self, name):
        """The last final record of a trigger."""
        found = [record for record in self.records() if record["name"] == harness.as_bytes(name)]
        return found[-1] if found else {"outcome": None, "error_message": None}

    def in_folder(self, folder, name):
        return os.path.join(os.fsencode(self.spool / folder), harness.as_bytes(name))

    def owned_by(self, user, group=None):
        """Gives everything in it to a user."""
        for directory, directories, files in os.walk(self.root):
            for name in [".", *directories, *files]:
                os.chown(os.path.join(directory, name), user, user if group is None else group, follow_symlinks=False)

    def program_for_all(self):
        """The program at a place that every user can reach."""
        path = self.root / "bobbin"
        if not path.exists():
            shutil.copy(harness.release_binary(), path)
            path.chmod(0o755)
        return path

    def as_user(self, user, *arguments, groups=(), **options):
        """Runs the program as another user."""
        return self.bobbin(*arguments, prefix=become(user, groups), **options)

    def command(self, *arguments, instrumented=False):
        command = super().command(*arguments, instrumented=instrumented)
        copy = self.root / "bobbin"
        return [str(copy), *command[1:]] if copy.exists() and not instrumented else command

    def undisciplined(self):
        """Lines that disturb, in all that was written: by commands, into the history, into results."""
        problems = []
        for result in self.written:
            for line in result.err.split("\n"):
                if line and not LOG_LINE.fullmatch(line) and not line.startswith(("bobbin: ", "        ")):
                    problems.append(f"no log line on standard error: {line[:200]!r}")
            problems += [
                f"disturbing output: {text[:200]!r}" for text in (result.out, result.err) if DISTURBING.search(text)
            ]
        paths = [self.spool / "history.jsonl", *(self.spool / "done").glob("*"), *(self.spool / "failed").glob("*")]
        for path in paths:
            # What a crash left half-written has a name that begins with a full stop.
            if not path.exists() or path.name.startswith(".bobbin-"):
                continue
            text = path.read_bytes().decode(errors="strict")
            if DISTURBING.search(text):
                problems.append(f"disturbing text in {path.name!r}: {DISTURBING.search(text).group()!r}")
            if path.parent.name in ("done", "failed") and text.count("\n") != 1:
                problems.append(f"a result of {text.count(chr(10))} lines: {path.name!r}")
        return problems

    def leaked(self, secret=SECRET):
        """Where the secret shows: everything that was written, and every regular file that Bobbin made."""
        found = ["output" for result in self.written if secret in (result.out + result.err).encode()]
        for folder in ("done", "failed", "logs"):
            for path in (self.spool / folder).glob("*"):
                if secret in path.read_bytes():
                    found.append(str(path))
        history = self.spool / "history.jsonl"
        return found + (["history"] if history.exists() and secret in history.read_bytes() else [])


def become(user, groups=()):
    chosen = ["--groups=" + ",".join(map(str, groups))] if groups else ["--clear-groups"]
    return ["setpriv", f"--reuid={user}", f"--regid={user}", *chosen, "--"]


def on_terminal(instance, *arguments):
    """What a command shows on a terminal, as text; the carriage returns of the terminal itself are left out."""
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


def named_socket(path, _):
    # The path of a socket has at most 107 bytes: made under a short one.
    with tempfile.TemporaryDirectory(dir=os.path.dirname(path)) as folder:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(os.path.join(folder, b"s"))
        os.rename(os.path.join(folder, b"s"), path)


def set_time(path, seconds):
    """utimensat with any number of seconds; Python's own call stops at 292 years."""
    library = ctypes.CDLL(None, use_errno=True)
    times = (ctypes.c_int64 * 4)(seconds, 0, seconds, 0)
    if library.utimensat(-100, path, times, 0) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), path)


def look(report, instance, what):
    """All that shows what is pending, before a run."""
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
            result.status is not None and 0 <= result.status < 128,
            f"{what}: bobbin {' '.join(arguments)} ends",
            result.describe(),
        )


def after(report, instance, what):
    """All that must hold once a run is over."""
    for arguments in (
        ("history", "--limit", "1000"),
        ("history", "--json", "--limit", "1000"),
        ("status",),
        ("status", "--json"),
        ("queue",),
    ):
        result = instance.bobbin(*arguments)
        report.check(result.status == 0, f"{what}: bobbin {' '.join(arguments)} answers", result.describe())
    problems = instance.undisciplined()
    report.check(not problems, f"{what}: one line an event, nothing in it that disturbs a terminal", problems)
    report.check(not instance.leaked(), f"{what}: no secret shows", instance.leaked())
    report.check_oracle(instance, f"{what}: nothing is lost")
