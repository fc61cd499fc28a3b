#!/usr/bin/env python3
"""Hostile and odd input: every kind of file, content and name that somebody may put under a trigger's name.

None hangs the batch, is followed or executed, crashes it, or is lost; a secret that is linked to is never read; and
whatever a file says or is called, log lines, history, results and the output of commands stay one line an event,
with control characters escaped and the bytes of names preserved.

    Tests/Proof/hostile.py [--full] [--seed N]
"""

import base64
import collections
import contextlib
import json
import os
import pty
import re
import shutil
import socket
import stat
import struct
import subprocess
import tempfile
import termios
import time

import harness

SECRET = b"secret-5b1c0f7e"

# The batch's user where it must not be root, and the one who submits. No account is needed for a number.
BATCH = 64001
SUBMITTER = 64002

# What must never reach a terminal, a log or the history as it is: C0 without the line feed, DEL, C1, line and
# paragraph separators, marks that reorder text, the byte order mark.
DISTURBING = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")
LOG_LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (info|warning|error) \S.*")

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
            problems += [f"disturbing output: {text[:200]!r}" for text in (result.out, result.err) if DISTURBING.search(text)]
        paths = [self.spool / "history.jsonl", *(self.spool / "done").glob("*"), *(self.spool / "failed").glob("*")]
        for path in paths:
            if not path.exists():
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


# --- Kinds of files.


def fifo(path, _):
    os.mkfifo(path)


def named_socket(path, _):
    # The path of a socket has at most 107 bytes: made under a short one.
    with tempfile.TemporaryDirectory(dir=os.path.dirname(path)) as folder:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(os.path.join(folder, b"s"))
        os.rename(os.path.join(folder, b"s"), path)


def device(path, _):
    os.mknod(path, 0o666 | stat.S_IFCHR, os.makedev(1, 5))


def block_device(path, _):
    os.mknod(path, 0o600 | stat.S_IFBLK, os.makedev(7, 0))


def directory(path, _):
    os.mkdir(path)
    with open(os.path.join(path, b"1.json"), "wb") as file:
        file.write(b"1")


def empty_directory(path, _):
    os.mkdir(path)


def link_to_secret(path, secret):
    os.symlink(secret, path)


def dangling_link(path, _):
    os.symlink(b"/nonexistent/place", path)


def looping_link(path, _):
    os.symlink(os.path.basename(path), path)


def link_to_program(path, _):
    os.symlink(b"/bin/sh", path)


def link_to_device(path, _):
    os.symlink(b"/dev/zero", path)


def link_to_directory(path, _):
    os.symlink(b"/", path)


def hard_link_to_secret(path, secret):
    os.link(secret, path)


def sparse(path, _):
    with open(path, "wb") as file:
        file.truncate(1 << 40)


def a_byte_too_long(path, _):
    with open(path, "wb") as file:
        file.write(b"1" + b" " * (64 << 10))


def longest(path, _):
    with open(path, "wb") as file:
        file.write(b"1" + b" " * ((64 << 10) - 1))


def executable(path, _):
    with open(path, "wb") as file:
        file.write(b"#!/bin/sh\ntouch /tmp/bobbin-proof-executed\n")
    os.chmod(path, 0o6755)


# What each must become. Those that are opened are in OPENED.
KINDS = {
    "a FIFO": (fifo, "rejected"),
    "a socket": (named_socket, "rejected"),
    "a character device": (device, "rejected"),
    "a block device": (block_device, "rejected"),
    "a directory with content": (directory, "rejected"),
    "an empty directory": (empty_directory, "rejected"),
    "a symbolic link to a secret": (link_to_secret, "rejected"),
    "a dangling symbolic link": (dangling_link, "rejected"),
    "a looping symbolic link": (looping_link, "rejected"),
    "a symbolic link to a program": (link_to_program, "rejected"),
    "a symbolic link to an endless device": (link_to_device, "rejected"),
    "a symbolic link to a directory": (link_to_directory, "rejected"),
    "a hard link to a secret": (hard_link_to_secret, "rejected"),
    "a sparse file of 1 TiB": (sparse, "rejected"),
    "a file of 64 KiB and a byte": (a_byte_too_long, "rejected"),
    "a file of 64 KiB": (longest, "succeeded"),
    "an executable with the set-user-id bit": (executable, "rejected"),
}
OPENED = {"a file of 64 KiB", "an executable with the set-user-id bit"}


def name_of(label):
    return label.replace(" ", "-") + ".json"


def identity(path):
    """What must not change when a file is moved."""
    status = os.lstat(path)
    content = os.readlink(path) if stat.S_ISLNK(status.st_mode) else None
    return status.st_ino, status.st_mode, status.st_size, status.st_rdev, content


def kinds(report):
    with Instance() as instance:
        secret = os.fsencode(instance.root / "secret")
        with open(secret, "wb") as file:
            file.write(b'{"channel_id": 1, "user": "%s"}' % SECRET)
        os.utime(secret, (1, 1))
        instance.drop("0-first.json", "1")
        instance.drop("zz-last.json", "1")
        before = {}
        for label, (make, _) in KINDS.items():
            make(instance.path(name_of(label)), secret)
            instance.expect(name_of(label))
            before[label] = identity(instance.path(name_of(label)))
        # Two names of one file, neither of them elsewhere.
        instance.put("twin-a.json", b"1")
        os.link(instance.path("twin-a.json"), instance.path("twin-b.json"))
        instance.expect("twin-b.json")
        trace = instance.root / "trace"
        look(report, instance, "file kinds")
        instance.clean_run_began = time.time()
        result = instance.bobbin(
            "run", "--spool-only", prefix=["strace", "-f", "-qq", "-s", "512", "-e", "trace=open,openat,openat2,execve", "-o", str(trace)]
        )
        report.check(result.status == 0, "a run over every kind of file ends well", result.describe())
        for label, (_, outcome) in KINDS.items():
            record = instance.record(name_of(label))
            report.check(record["outcome"] == outcome, f"{label}: {outcome}", f"{record}")
            if outcome == "rejected":
                moved = instance.in_folder("rejected", name_of(label))
                report.check(
                    os.path.lexists(moved) and identity(moved) == before[label],
                    f"{label}: is in rejected/ as it was",
                )
        report.check(
            os.listdir(instance.spool / "rejected" / name_of("a directory with content")) == ["1.json"],
            "a directory keeps its content, which is no trigger",
        )
        outcomes = sorted(str(instance.record(name)["outcome"]) for name in ("twin-a.json", "twin-b.json"))
        report.check("rejected" in outcomes, "two names of one file: not both are run", str(outcomes))
        report.check(
            all(instance.record(name)["outcome"] == "succeeded" for name in ("0-first.json", "zz-last.json")),
            "the good triggers before and after them are run",
        )
        opened = [
            label
            for label, (_, outcome) in KINDS.items()
            if label not in OPENED and re.search(rf"open.*{re.escape(name_of(label))}", trace.read_text())
        ]
        report.check(not opened, "no link, FIFO, socket, device, directory or oversized file is ever opened", opened)
        executed = re.findall(r'execve\("[^"]*\.json', trace.read_text())
        report.check(
            not executed and not os.path.exists("/tmp/bobbin-proof-executed"), "no file is executed", executed
        )
        status = os.stat(secret)
        report.check(
            (status.st_atime, status.st_mtime) == (1, 1) and open(secret, "rb").read().endswith(b'"}'),
            "the secret is neither read nor written",
        )
        after(report, instance, "file kinds")


def look(report, instance, what):
    """All that shows what is pending, before a run."""
    for arguments in (("queue",), ("queue", "--json"), ("run", "--dry-run"), ("run", "--dry-run", "--json"), ("check",), ("status",)):
        result = instance.bobbin(*arguments)
        report.check(result.status is not None and 0 <= result.status < 128, f"{what}: bobbin {' '.join(arguments)} ends", result.describe())


def after(report, instance, what):
    """All that must hold once a run is over."""
    for arguments in (("history", "--limit", "1000"), ("history", "--json", "--limit", "1000"), ("status",), ("status", "--json"), ("queue",)):
        result = instance.bobbin(*arguments)
        report.check(result.status == 0, f"{what}: bobbin {' '.join(arguments)} answers", result.describe())
    problems = instance.undisciplined()
    report.check(not problems, f"{what}: one line an event, nothing in it that disturbs a terminal", problems)
    report.check(not instance.leaked(), f"{what}: no secret shows", instance.leaked())
    report.check_oracle(instance, f"{what}: nothing is lost")


# --- Contents.

DEEP = b'{"channel_id": 1, "x": ' + b"[" * 30_000 + b"]" * 30_000 + b"}"

CONTENTS = {
    "random bytes": (bytes(range(256)) * 8, "rejected"),
    "zero bytes": (b"\0" * 100, "rejected"),
    "a zero byte after an object": (b'{"channel_id":1}\0', "rejected"),
    "UTF-16, little end first": ("\ufeff" + '{"channel_id":1}').encode("utf-16-le").join([b"", b""]) or b"",
    "UTF-16, big end first": (("\ufeff" + '{"channel_id":1}').encode("utf-16-be"), "rejected"),
    "UTF-16 without a mark": ('{"channel_id":1}'.encode("utf-16-le"), "rejected"),
    "UTF-32": ('{"channel_id":1}'.encode("utf-32"), "rejected"),
    "a byte order mark and an object": (b'\xef\xbb\xbf{"channel_id":1}', "succeeded"),
    "a byte order mark and a scalar": (b"\xef\xbb\xbf1", "succeeded"),
    "two documents": (b'{"channel_id":1}{"channel_id":1}', "rejected"),
    "two documents on two lines": (b'{"channel_id":1}\n{"channel_id":3}\n', "rejected"),
    "two scalars": (b"1 3", "rejected"),
    "half a document": (b'{"channel_id":', "rejected"),
    "30,000 arrays in each other": (DEEP, "rejected"),
    "100,000 arrays in each other": (b"[" * 100_000, "rejected"),
    "60,000 opened objects": (b'{"a":' * 12_000, "rejected"),
    "a line feed in a field": (b'{"channel":"note\\nx"}', "rejected"),
    "an escape character in a field": (b'{"channel_id":1,"user":"\\u001b[2J"}', "rejected"),
    "a raw control character in a field": (b'{"channel_id":1,"user":"a\x1bb"}', "rejected"),
    "DEL in a field": (b'{"channel_id":1,"user":"a\\u007fb"}', "rejected"),
    "C1 in a field": (b'{"channel_id":1,"user":"a\\u009bb"}', "rejected"),
    "U+202E in a field": (b'{"channel_id":1,"user":"\\u202eanna"}', "rejected"),
    "raw U+202E in a field": ('{"channel_id":1,"user":"\u202eanna"}'.encode(), "rejected"),
    "U+2028 in a field": (b'{"channel_id":1,"user":"\\u2028anna"}', "rejected"),
    "a zero character in a field": (b'{"channel_id":1,"user":"a\\u0000b"}', "rejected"),
    "control characters in an unknown field": (b'{"channel_id":1,"note":"\\u001b\\u202e\\n"}', "succeeded"),
    "an unknown field of every sort": (b'{"channel_id":1,"x":[null,{"y":1e3}],"run":"rm -rf /","command":["/bin/sh"]}', "succeeded"),
    "a number out of range": (b'{"channel_id":99999999999999999999999}', "rejected"),
    "the largest number": (b'{"channel_id":9223372036854775807}', "failed"),
    "the smallest number": (b'{"channel_id":-9223372036854775808}', "failed"),
    "a negative number": (b'{"channel_id":-1}', "failed"),
    "a negative scalar": (b"-1", "failed"),
    "1e400": (b'{"channel_id":1e400}', "rejected"),
    "1e400 alone": (b"1e400", "rejected"),
    "-1e400 in an unknown field": (b'{"channel_id":1,"x":-1e400}', None),
    "a fraction": (b'{"channel_id":1.5}', "rejected"),
    "a number as text": (b'{"channel_id":"1"}', "rejected"),
    "a truth value": (b'{"channel_id":true}', "rejected"),
    "a lone high surrogate": (b'{"channel_id":1,"user":"\\ud800"}', "rejected"),
    "a lone low surrogate": (b'{"channel":"\\udc00"}', "rejected"),
    "a surrogate encoded in UTF-8": (b'{"channel_id":1,"user":"\xed\xa0\x80"}', "rejected"),
    "overlong UTF-8": (b'{"channel_id":1,"user":"\xc0\xaf"}', "rejected"),
    "an empty object": (b"{}", "rejected"),
    "an array": (b"[1]", "rejected"),
    "an empty array": (b"[]", "rejected"),
    "null": (b"null", "rejected"),
    "true": (b"true", "rejected"),
    "null for a channel": (b'{"channel_id":null}', "rejected"),
    "an empty string": (b'""', "failed"),
    "an empty channel": (b'{"channel":""}', "failed"),
    "the same field twice": (b'{"channel_id":1,"channel_id":3}', None),
    "two names of one channel": (b'{"channel_id":1,"channel":"note"}', "succeeded"),
    "two names of two channels": (b'{"channel_id":1,"channel":"fail"}', "failed"),
    "a channel that is a path": (b'"../../../bin/sh"', "failed"),
    "a channel that is a command": (b'"$(touch pwned)"', "failed"),
    "a disabled channel": (b"6", "failed"),
    "a comment": (b"/* x */ 1", "rejected"),
    "a trailing comma": (b'{"channel_id":1,}', None),
    "a single quote": (b"{'channel_id':1}", "rejected"),
    "not a number": (b"NaN", "rejected"),
    "a leading zero": (b"01", "rejected"),
    "a plus sign": (b"+1", "rejected"),
    "a user of 2,000 bytes": (b'{"channel_id":1,"user":"' + b"x" * 2000 + b'"}', "rejected"),
    "a user that is a number": (b'{"channel_id":1,"user":7}', "rejected"),
    "a timestamp that is none": (b'{"channel_id":1,"timestamp":"yesterday"}', "rejected"),
    "a timestamp on 30 February": (b'{"channel_id":1,"timestamp":"2026-02-30T00:00:00Z"}', "rejected"),
    "a timestamp before the year 0": (b'{"channel_id":1,"timestamp":"0000-01-01T00:00:00+23:59"}', ("rejected", "expired")),
    "a timestamp in the year 0": (b'{"channel_id":1,"timestamp":"0000-01-01T00:00:00Z"}', "expired"),
    "a timestamp after the year 9999": (b'{"channel_id":1,"timestamp":"9999-12-31T23:59:59-23:59"}', ("rejected", "succeeded")),
    "a timestamp in the future": (b'{"channel_id":1,"timestamp":"9999-12-31T23:59:59Z"}', "succeeded"),
    "a timestamp of 1,000 digits": (b'{"channel_id":1,"timestamp":"2026-01-01T00:00:00.' + b"9" * 1000 + b'Z"}', None),
    "spaces only": (b" \n\t\r\n", "failed"),
    "a form feed": (b"\f", "rejected"),
    "a shell script": (b"#!/bin/sh\nexit 0\n", "rejected"),
    "60,000 fields": (b"{" + b",".join(b'"%d":0' % number for number in range(6_000)) + b',"channel_id":1}', "succeeded"),
}
CONTENTS["UTF-16, little end first"] = (("\ufeff" + '{"channel_id":1}').encode("utf-16-le"), "rejected")


def contents(report):
    with Instance() as instance:
        for number, (label, (content, _)) in enumerate(CONTENTS.items()):
            instance.put(f"{number:03}.json", content)
        instance.put("zz-last.json", b"1")
        look(report, instance, "contents")
        result = instance.clean_run()
        report.check(result.status == 1, "a run over every content ends with 1", result.describe()[-2000:])
        for number, (label, (content, outcome)) in enumerate(CONTENTS.items()):
            record = instance.record(f"{number:03}.json")
            wanted = (outcome,) if isinstance(outcome, str) else outcome or ("succeeded", "failed", "rejected", "expired")
            report.check(record["outcome"] in wanted, f"content, {label}: {' or '.join(wanted)}", str(record))
            if record["outcome"] in ("rejected", "expired"):
                moved = instance.in_folder(record["outcome"], f"{number:03}.json")
                report.check(
                    os.path.exists(moved) and open(moved, "rb").read() == content, f"content, {label}: kept as it was"
                )
        report.check(instance.record("zz-last.json")["outcome"] == "succeeded", "the trigger after them is run")
        report.check(
            not list(instance.root.rglob("pwned")), "what reads like a command is not executed"
        )
        after(report, instance, "contents")
    report.figure(f"{len(CONTENTS)} contents, {len(KINDS)} file kinds, {len(NAMES)} names")


# --- Names.

LONGEST_CLAIM = 231
NAMES = {
    "255 bytes": b"a" * 250 + b".json",
    "255 bytes of two-byte letters": "é".encode() * 125 + b".json",
    "the longest that is claimed": b"b" * (LONGEST_CLAIM - 5) + b".json",
    "a byte longer than that": b"c" * (LONGEST_CLAIM - 4) + b".json",
    "a line feed": b"line\nfeed.json",
    "a forged log line": b"x\n2026-01-01T00:00:00.000Z error forged=1.json",
    "a carriage return": b"good\rbad.json",
    "ESC": b"\x1b]0;owned\x07\x1b[2J.json",
    "DEL and BEL": b"\x7f\x07.json",
    "C1": "\u0085\u009b31m.json".encode(),
    "U+202E": "\u202egpj.json".encode(),
    "U+2028": "a\u2028b.json".encode(),
    "a zero-width mark": "a\ufeff.json".encode(),
    "invalid UTF-8": b"\xff\xfe\x80.json",
    "half a character": b"caf\xc3.json",
    "invalid UTF-8, another one": b"caf\xc4.json",
    "a surrogate": b"\xed\xa0\x80.json",
    "composed": "caf\u00e9.json".encode(),
    "decomposed": "cafe\u0301.json".encode(),
    "a leading dash": b"-rf.json",
    "an option": b"--help.json",
    "a command": b"$(touch pwned).json",
    "a command in back quotes": b"`touch pwned`.json",
    "a semicolon": b"1;touch pwned;.json",
    "quotation marks": b"'\"'.json",
    "a backslash": b"back\\slash\\n.json",
    "a format": b"%s%n%d.json",
    "a pattern": b"*.json",
    "spaces": b"  two  spaces  .json",
    "only a space": b" .json",
    "a tab": b"\t.json",
    "a claim's name": b"5.1.x.json",
    "a claim's step": b"7.rejected.x.json",
    "a number appended": b"x.json.2.json",
    "two endings": b"x.json.json",
    "a name that is a number": b"99999999999999999999999999.json",
    "a time and nothing": b"20260131T103000Z-.json",
    "a time before all times": b"00000101T000000Z-1.json",
    "a time after all times": b"99991231T235959Z-1.json",
    "no time, though it looks so": b"20261331T256199Z-1.json",
    "one of Bobbin's own": b"history.jsonl.json",
    "an emoji": "\U0001f3a5.json".encode(),
}
# Not triggers by their names: left alone.
IGNORED = (b"..json", b".json", b".hidden.json", b"...json", b"x.JSON", b"x.jso", b"x.json~", b"x.json.swp", b"json", "x.json\u200b".encode())


def names(report):
    for content, label in ((b"1", "a channel inside"), (b"", "empty")):
        with Instance() as instance:
            for name in NAMES.values():
                instance.put(name, content)
            for name in IGNORED:
                with open(instance.path(name), "wb") as file:
                    file.write(b"1")
            what = f"names, {label}"
            look(report, instance, what)
            result = instance.clean_run()
            report.check(result.status in (0, 1), f"{what}: the run ends", result.describe()[-2000:])
            for described, name in NAMES.items():
                record = instance.record(name)
                if name.startswith((b"0000", b"20260131")):
                    wanted = ("expired",) if content else ("expired", "rejected")
                elif len(name) > LONGEST_CLAIM:
                    wanted = ("rejected",)
                elif content:
                    wanted = ("succeeded",)
                else:
                    wanted = ("failed", "rejected", "succeeded")
                report.check(
                    record["outcome"] in wanted, f"{what}, {described}: {' or '.join(wanted)}, under its own bytes",
                    f"{name!r}: {record}",
                )
            report.check(
                all(os.path.exists(instance.path(name)) for name in IGNORED), f"{what}: what is no trigger stays"
            )
            raw = [json.loads(line) for line in open(instance.spool / "history.jsonl", "rb")]
            kept = {base64.b64decode(record["trigger_b64"]) for record in raw if record.get("trigger_b64")}
            invalid = {name for name in NAMES.values() if not is_text(name)}
            report.check(kept == invalid, f"{what}: trigger_b64 has the bytes of those that are not UTF-8, and no others", f"{kept ^ invalid}")
            report.check(not list(instance.root.rglob("pwned")), f"{what}: no name is executed")
            after(report, instance, what)


def is_text(name):
    try:
        name.decode()
    except UnicodeDecodeError:
        return False
    return True


def names_taken(report):
    """Names that are taken where files end."""
    with Instance() as instance:
        long = b"l" * 250 + b".json"
        instance.bobbin("run", "--spool-only")
        for taken in (b"same.json", b"same.json.3", long):
            with open(instance.in_folder("rejected", taken), "wb") as file:
                file.write(b"earlier")
        for round_number in range(3):
            instance.put(b"same.json", b"no trigger %d" % round_number)
            instance.put(long, b"1")
            instance.clean_run()
        folder = instance.spool / "rejected"
        report.check(
            {path.name: path.read_bytes() for path in folder.glob("same*")}
            == {
                "same.json": b"earlier",
                "same.json.2": b"no trigger 0",
                "same.json.3": b"earlier",
                "same.json.4": b"no trigger 1",
                "same.json.5": b"no trigger 2",
            },
            "a name taken in rejected/ gets the next free number; nothing is replaced",
            sorted(path.name for path in folder.glob("same*")),
        )
        cut = {name for name in os.listdir(os.fsencode(folder)) if name.startswith(b"lll")}
        report.check(
            cut == {long, long[:253] + b".2", long[:253] + b".3", long[:253] + b".4"},
            "one of 255 bytes is cut to make room for the number",
            map(repr, cut),
        )
        # A directory in the way, and a name equal to one in done/ that is not a file.
        instance.put("1.json")
        os.mkdir(instance.in_folder("rejected", "fifo.json"))
        os.mkfifo(instance.path("fifo.json"))
        instance.expect("fifo.json")
        instance.clean_run()
        report.check(
            stat.S_ISFIFO(os.stat(instance.in_folder("rejected", "fifo.json.2")).st_mode),
            "a directory that has the name in rejected/ is no exception",
        )


# --- Users, attributes, terminals.


def not_readable(report):
    """A batch that is not root: what it may not read is rejected, and the run goes on."""
    with Instance() as instance:
        instance.program_for_all()
        instance.owned_by(BATCH)
        instance.put("a-private.json", b"1")
        os.chmod(instance.path("a-private.json"), 0)
        instance.put("b-roots.json", b"1")
        os.chmod(instance.path("b-roots.json"), 0o600)
        instance.put("c-acl.json", b"1")
        deny(instance.path("c-acl.json"), BATCH)
        instance.put("d-good.json", b"1")
        os.chown(instance.path("a-private.json"), SUBMITTER, SUBMITTER)
        instance.clean_run_began = time.time()
        result = instance.as_user(BATCH, "run", "--spool-only")
        report.check(result.status == 0, "a batch that is not root meets files it may not read, and ends well", result.describe())
        for name in ("a-private.json", "b-roots.json", "c-acl.json"):
            record = instance.record(name)
            report.check(
                record["outcome"] == "rejected" and "may not be read" in record["error_message"],
                f"{name}: rejected, and the record says why",
                str(record),
            )
        record = instance.record("d-good.json")
        report.check(record["outcome"] == "succeeded" and record["uid"] == 0, "a readable one of another user is run", str(record))
        report.check(instance.record("a-private.json").get("uid") == SUBMITTER, "the record has the owner of the file")
        after(report, instance, "unreadable")


def deny(path, user):
    """An access control list: readable for everybody but one user. As setfacl -m u:USER:--- does it."""
    entries = [(0x01, 6, -1), (0x02, 0, user), (0x04, 4, -1), (0x10, 4, -1), (0x20, 4, -1)]
    packed = b"".join(struct.pack("<HHi", *entry) for entry in entries)
    os.setxattr(path, "system.posix_acl_access", struct.pack("<I", 2) + packed)


def immutable(report):
    # Not in memory: the attribute is a matter of disk file systems.
    with Instance(parent=tempfile.gettempdir()) as instance:
        held = [instance.path("a-immutable.json"), instance.path("b-append-only.json")]
        instance.put("a-immutable.json", b"1")
        instance.put("b-append-only.json", b"1")
        instance.put("c-junk.json", b"no trigger")
        held.append(instance.path("c-junk.json"))
        instance.put("z-good.json", b"1")
        try:
            for path, attribute in zip(held, ("+i", "+a", "+i")):
                subprocess.run(["chattr", attribute, path], check=True)
            look(report, instance, "immutable")
            result = instance.bobbin("run", "--spool-only")
            report.check(result.status == 1, "files that cannot be moved: the run ends with 1", result.describe())
            report.check(instance.record("z-good.json")["outcome"] == "succeeded", "the trigger after them is run")
            report.check(
                all(os.path.basename(path).decode() in result.err for path in held), "each of them is warned about", result.err
            )
            report.check(
                not any(instance.ledger()[os.path.basename(path)] for path in held),
                "none is run that could not be claimed",
            )
            report.check(all(map(os.path.exists, held)), "they stay where they are")
            watch = instance.bobbin("watch", "--every", "50ms", timeout=2, environment=None)
            report.check(
                watch.err.count("left pending") <= 2 * len(held), "bobbin watch does not try them over and over", watch.err[-1500:]
            )
            instance.written.pop()
        finally:
            for path in held:
                subprocess.run(["chattr", "-ia", path], check=False)
        instance.clean_run()
        after(report, instance, "no longer immutable")


def while_running(report):
    """What shows of a hostile name while its job runs, and of a job's own output."""
    with Instance() as instance:
        instance.put(NAMES["ESC"], b"5")
        instance.put(b"shout-\n\xff.json", b"4")
        instance.put(b"zz\r\xe2\x80\xae.json", b"no trigger \x1b[2J")
        running = instance.start("run", "--spool-only", "--json")
        report.check(harness.wait_for(lambda: (instance.root / "holding").exists()), "a job of a hostile name runs")
        harness.wait_for(lambda: "job " in instance.bobbin("status").out, 5)
        for arguments in (("status",), ("status", "--json"), ("queue",), ("run", "--wait", "1ms"), ("trigger", "note")):
            shown = on_terminal(instance, *arguments)
            report.check(
                shown and not DISTURBING.search(shown), f"bobbin {arguments[0]} on a terminal, while it runs", repr(shown[:400])
            )
        for name in instance.pending():
            if harness.GENERATED.fullmatch(name):
                instance.expect(name)
        (instance.root / "release").touch()
        out, err = running.communicate(timeout=60)
        instance.written.append(harness.Result(0, out.decode(), err.decode(), 0))
        shouted = instance.record(b"shout-\n\xff.json")
        report.check("red" in str(shouted["error_message"]), "what a job said on standard error is in its record", str(shouted))
        for arguments in (("log", str(shouted.get("id"))), ("history",), ("history", "--json"), ("status",)):
            shown = on_terminal(instance, *arguments)
            report.check(
                shown and not DISTURBING.search(shown), f"bobbin {' '.join(arguments)} on a terminal", repr(shown[:400])
            )
        raw = subprocess.run(instance.command("log", str(shouted.get("id"))), capture_output=True, check=False).stdout
        report.check(b"\x1b]0;owned\x07" in raw, "into a pipe the log goes as the job wrote it", repr(raw))
        for name in (NAMES["ESC"], "caf\u00e9.json".encode()):
            instance.put(name, b"1")
            result = instance.bobbin("cancel", os.fsdecode(name))
            report.check(result.status == 0 and instance.record(name)["outcome"] == "cancelled", f"{name!r} can be cancelled", result.describe())
        result = instance.bobbin("trigger", "note", "--user", "\x1b[31m\u202e")
        report.check(result.status == 64, "bobbin trigger takes no user that disturbs", result.describe())
        instance.clean_run()
        instance.expected.clear()
        problems = instance.undisciplined()
        report.check(not problems, "while a job runs: one line an event", problems)


def odd_times(report):
    """File times as far away as file systems allow, with memory's own 64 bits."""
    moments = {
        "a year before 0": -70_000_000_000,
        "the earliest": -(1 << 63) + 1,
        "the latest": (1 << 63) - 1,
        "the year 10000": 253_402_300_800,
        "1901": -(1 << 31),
        "1969": -1,
    }
    with Instance() as instance:
        subprocess.run(["mount", "-t", "tmpfs", "none", instance.spool], check=True)
        try:
            instance.bobbin("run", "--spool-only")
            for number, moment in enumerate(moments.values()):
                for name in (f"{number}.json", f"0{number}-junk.json", f".bobbin-{number}"):
                    with open(instance.path(name), "wb") as file:
                        file.write(b"1" if name[1] == "." else b"no trigger")
                    set_time(instance.path(name), moment)
                    if name.endswith(".json"):
                        instance.expect(name)
                with open(instance.in_folder("done", f"old-{number}.json"), "wb") as file:
                    file.write(b"{}")
                set_time(instance.in_folder("done", f"old-{number}.json"), moment)
            look(report, instance, "file times")
            result = instance.bobbin("prune")
            report.check(result.status == 0, "bobbin prune copes with every file time", result.describe())
            result = instance.bobbin("run", "--spool-only")
            report.check(result.status in (0, 1), "a run copes with every file time", result.describe())
            outcomes = {label: instance.record(f"{number}.json")["outcome"] for number, label in enumerate(moments)}
            wanted = {label: "expired" if moment < 0 else "succeeded" for label, moment in moments.items()}
            report.check(outcomes == wanted, "times long ago expire, times to come do not", str(outcomes))
            for path in (instance.spool / "done").glob("old-*"):
                path.unlink()
            instance.clean_run_began = time.time()
            after(report, instance, "file times")
        finally:
            subprocess.run(["umount", instance.spool], check=False)


def set_time(path, seconds):
    """utimensat with any number of seconds; Python's own call stops at 292 years."""
    import ctypes

    library = ctypes.CDLL(None, use_errno=True)
    times = (ctypes.c_int64 * 4)(seconds, 0, seconds, 0)
    if library.utimensat(-100, path, times, 0) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), path)


def main():
    harness.options("hostile", __doc__)
    report = harness.Report("hostile")
    for topic in (kinds, contents, names, names_taken, not_readable, immutable, while_running, odd_times):
        topic(report)
    report.finish()


if __name__ == "__main__":
    main()
