#!/usr/bin/env python3
"""Puts every kind of file under a trigger's name, and files that cannot be read or moved.

The files do not hang or crash the batch, are not lost, and are not followed, opened or executed unless that is allowed.
A secret that a submitter links to is not read.

    Tests/Proof/topics/input/file_kinds.py [--full] [--seed N]
"""

import dataclasses
import os
import pathlib
import re
import stat
import struct
import subprocess
import sys
import tempfile
import typing

LIB = pathlib.Path(__file__).resolve().parents[2] / "lib"
sys.path[:0] = [str(LIB), str(LIB / "faults"), str(LIB / "samples")]

import topic
from hostile_instance import (
    BATCH_USER,
    SUBMITTER,
    HostileInstance,
    check_after_run,
    check_before_run,
    make_socket,
    set_file_time,
)

EXECUTED_MARK = "/tmp/bobbin-proof-executed"


def write(path, content):
    with open(path, "wb") as file:
        file.write(content)


def make_full_directory(path, _secret):
    os.mkdir(path)
    write(os.path.join(path, b"1.json"), b"1")


def make_sparse(path, _secret):
    with open(path, "wb") as file:
        file.truncate(1 << 40)


def make_executable(path, _secret):
    write(path, f"#!/bin/sh\ntouch {EXECUTED_MARK}\n".encode())
    os.chmod(path, 0o6755)


@dataclasses.dataclass(frozen=True)
class Kind:
    """A kind of file.

    - make: a function that makes such a file at a path; it is also given the path of a secret.
    - may_be_opened: if false, the batch must decide without opening the file.
    """

    make: typing.Callable[[bytes, bytes], None]
    outcome: str = "rejected"
    may_be_opened: bool = False


KINDS = {
    "a FIFO": Kind(lambda path, _: os.mkfifo(path)),
    "a socket": Kind(lambda path, _: make_socket(path)),
    "a character device": Kind(lambda path, _: os.mknod(path, 0o666 | stat.S_IFCHR, os.makedev(1, 5))),
    "a block device": Kind(lambda path, _: os.mknod(path, 0o600 | stat.S_IFBLK, os.makedev(7, 0))),
    "a directory with content": Kind(make_full_directory),
    "an empty directory": Kind(lambda path, _: os.mkdir(path)),
    "a symbolic link to a secret": Kind(lambda path, secret: os.symlink(secret, path)),
    "a dangling symbolic link": Kind(lambda path, _: os.symlink(b"/nonexistent/place", path)),
    "a looping symbolic link": Kind(lambda path, _: os.symlink(os.path.basename(path), path)),
    "a symbolic link to a program": Kind(lambda path, _: os.symlink(b"/bin/sh", path)),
    "a symbolic link to an endless device": Kind(lambda path, _: os.symlink(b"/dev/zero", path)),
    "a symbolic link to a directory": Kind(lambda path, _: os.symlink(b"/", path)),
    "a hard link to a secret": Kind(lambda path, secret: os.link(secret, path)),
    "a sparse file of 1 TiB": Kind(make_sparse),
    "a file of 64 KiB and a byte": Kind(lambda path, _: write(path, b"1" + b" " * (64 << 10))),
    "a file of 64 KiB": Kind(lambda path, _: write(path, b"1" + b" " * ((64 << 10) - 1)), "succeeded", True),
    "an executable with the set-user-id bit": Kind(make_executable, "rejected", True),
}


def name_of(label):
    return label.replace(" ", "-") + ".json"


def identity(path):
    """The properties that must not change when a file is moved."""
    status = os.lstat(path)
    content = os.readlink(path) if stat.S_ISLNK(status.st_mode) else None
    return status.st_ino, status.st_mode, status.st_size, status.st_rdev, content


def drop_kinds(instance, secret):
    """Drops one file of each kind between good triggers; returns the identity of each file by its label."""
    instance.drop("0-first.json", "1")
    instance.drop("zz-last.json", "1")
    before = {}
    for label, kind in KINDS.items():
        kind.make(instance.path(name_of(label)), secret)
        instance.expect(name_of(label))
        before[label] = identity(instance.path(name_of(label)))
    # Two names of one file, which does not have a third name elsewhere.
    instance.put("twin-a.json", b"1")
    os.link(instance.path("twin-a.json"), instance.path("twin-b.json"))
    instance.expect("twin-b.json")
    return before


def check_kinds(report):
    with HostileInstance() as instance:
        secret = instance.write_secret()
        os.utime(secret, (1, 1))
        before = drop_kinds(instance, secret)
        trace = instance.root / "trace"
        where = "with every kind of file"
        check_before_run(report, instance, where)
        instance.oracle.note_clean_run()
        result = instance.bobbin(
            "run",
            "--spool-only",
            prefix=["strace", "-f", "-qq", "-s", "512", "-e", "trace=open,openat,openat2,execve", "-o", str(trace)],
        )
        report.check(result.status == 0, "a run over every kind of file ends with 0", result.describe())
        for label, kind in KINDS.items():
            record = instance.record(name_of(label))
            report.check(record["outcome"] == kind.outcome, f"{label} ends as {kind.outcome}", f"{record}")
            if kind.outcome == "rejected":
                moved = instance.in_folder("rejected", name_of(label))
                report.check(
                    os.path.lexists(moved) and identity(moved) == before[label],
                    f"{label} is unchanged in rejected/",
                )
        report.check(
            os.listdir(instance.spool / "rejected" / name_of("a directory with content")) == ["1.json"],
            "a rejected directory keeps its content, which is not a trigger",
        )
        outcomes = sorted(str(instance.outcome(name)) for name in ("twin-a.json", "twin-b.json"))
        report.check("rejected" in outcomes, "at most one of two names of one file is run", str(outcomes))
        report.check(
            all(instance.outcome(name) == "succeeded" for name in ("0-first.json", "zz-last.json")),
            "the good triggers before and after every kind of file are run",
        )
        check_trace(report, trace.read_text())
        status = os.stat(secret)
        report.check(
            (status.st_atime, status.st_mtime) == (1, 1) and open(secret, "rb").read().endswith(b'"}'),
            "the secret is neither read nor written",
        )
        check_after_run(report, instance, where)


def check_trace(report, trace):
    opened = [
        label
        for label, kind in KINDS.items()
        if not kind.may_be_opened and re.search(rf"open.*{re.escape(name_of(label))}", trace)
    ]
    report.check(not opened, "the batch does not open links, special files, directories or oversized files", opened)
    executed = re.findall(r'execve\("[^"]*\.json', trace)
    report.check(not executed and not os.path.exists(EXECUTED_MARK), "the batch does not execute a file", executed)


def check_unreadable(report):
    """Checks that a batch that is not root leaves files that it may not read, and that they expire in their time."""
    with HostileInstance() as instance:
        instance.copy_program()
        instance.give_to(BATCH_USER)
        instance.put("a-private.json", b"1")
        os.chmod(instance.path("a-private.json"), 0)
        instance.put("b-roots.json", b"1")
        os.chmod(instance.path("b-roots.json"), 0o600)
        instance.put("c-acl.json", b"1")
        deny(instance.path("c-acl.json"), BATCH_USER)
        instance.put("d-good.json", b"1")
        os.chown(instance.path("a-private.json"), SUBMITTER, SUBMITTER)
        instance.oracle.note_clean_run()
        result = instance.as_user(BATCH_USER, "run", "--spool-only")
        report.check(
            result.status == 0,
            "a batch that is not root and meets files it may not read ends with 0",
            result.describe(),
        )
        unreadable = ("a-private.json", "b-roots.json", "c-acl.json")
        for name in unreadable:
            report.check(
                os.fsencode(name) in instance.pending() and f"chmod a+r '{os.fsdecode(instance.path(name))}'" in result.err,
                f"{name}, which may not be read, stays pending, and a warning says what to do",
                result.describe(),
            )
            os.utime(instance.path(name), (0, 0))
        result = instance.as_user(BATCH_USER, "run", "--spool-only")
        for name in unreadable:
            record = instance.record(name)
            report.check(record["outcome"] == "expired", f"{name}, which may not be read, expires", str(record))
        record = instance.record("d-good.json")
        report.check(
            record["outcome"] == "succeeded" and record["uid"] == 0,
            "a readable file of another user is run",
            str(record),
        )
        report.check(
            instance.record("a-private.json").get("uid") == SUBMITTER,
            "the record of a file that may not be read has the owner of the file",
        )
        check_after_run(report, instance, "with files that may not be read")


def deny(path, user):
    """Sets an access control list that lets everybody except one user read, as `setfacl -m u:USER:---` does."""
    entries = [(0x01, 6, -1), (0x02, 0, user), (0x04, 4, -1), (0x10, 4, -1), (0x20, 4, -1)]
    packed = b"".join(struct.pack("<HHi", *entry) for entry in entries)
    os.setxattr(path, "system.posix_acl_access", struct.pack("<I", 2) + packed)


def check_immovable(report):
    # The instance is on a disk, because tmpfs does not have these attributes.
    with HostileInstance(parent=tempfile.gettempdir()) as instance:
        files = {
            "a-immutable.json": (b"1", "+i"),
            "b-append-only.json": (b"1", "+a"),
            "c-junk.json": (b"no trigger", "+i"),
        }
        for name, (content, _) in files.items():
            instance.put(name, content)
        instance.put("z-good.json", b"1")
        try:
            for name, (_, attribute) in files.items():
                subprocess.run(["chattr", attribute, instance.path(name)], check=True)
            check_before_run(report, instance, "with immutable files")
            result = instance.bobbin("run", "--spool-only")
            report.check(result.status == 1, "a run that meets files it cannot move ends with 1", result.describe())
            report.check(instance.outcome("z-good.json") == "succeeded", "the trigger after immovable files is run")
            report.check(
                all(name in result.err for name in files), "the run warns about each immovable file", result.err
            )
            report.check(
                not any(instance.ledger()[name.encode()] for name in files),
                "a trigger that cannot be claimed is not run",
            )
            report.check(
                all(os.path.exists(instance.path(name)) for name in files), "immovable files stay where they are"
            )
            watch = instance.bobbin("watch", "--every", "50ms", timeout=2)
            report.check(
                watch.err.count("left pending") <= 2 * len(files),
                "`bobbin watch` does not try immovable files at each poll",
                watch.err[-1500:],
            )
            # The watch was killed at the deadline, so its last line may be torn.
            instance.results.pop()
        finally:
            for name in files:
                subprocess.run(["chattr", "-ia", instance.path(name)], check=False)
        instance.clean_run()
        check_after_run(report, instance, "with files that were immutable")


# These times are as far away as file systems allow. tmpfs stores all 64 bits.
FILE_TIMES = {
    "a year before 0": -70_000_000_000,
    "the earliest": -(1 << 63) + 1,
    "the latest": (1 << 63) - 1,
    "the year 10000": 253_402_300_800,
    "1901": -(1 << 31),
    "1969": -1,
}


def put_with_times(instance):
    """Makes a trigger, a junk file, a temporary file and an old result with each file time."""
    for number, seconds in enumerate(FILE_TIMES.values()):
        for name in (f"{number}.json", f"0{number}-junk.json", f".bobbin-{number}"):
            write(instance.path(name), b"1" if name[1] == "." else b"no trigger")
            set_file_time(instance.path(name), seconds)
            if name.endswith(".json"):
                instance.expect(name)
        result = instance.in_folder("done", f"old-{number}.json")
        write(result, b"{}")
        set_file_time(result, seconds)


def check_file_times(report):
    with HostileInstance() as instance:
        subprocess.run(["mount", "-t", "tmpfs", "none", instance.spool], check=True)
        try:
            instance.bobbin("run", "--spool-only")
            put_with_times(instance)
            check_before_run(report, instance, "with extreme file times")
            result = instance.bobbin("prune")
            report.check(result.status == 0, "`bobbin prune` ends with 0 whatever the file times", result.describe())
            result = instance.bobbin("run", "--spool-only")
            report.check(result.status in (0, 1), "a run ends with 0 or 1 whatever the file times", result.describe())
            outcomes = {label: instance.outcome(f"{number}.json") for number, label in enumerate(FILE_TIMES)}
            right = {label: "expired" if seconds < 0 else "succeeded" for label, seconds in FILE_TIMES.items()}
            report.check(
                outcomes == right, "triggers of the distant past expire, triggers of the future do not", str(outcomes)
            )
            for path in (instance.spool / "done").glob("old-*"):
                path.unlink()
            instance.oracle.note_clean_run()
            check_after_run(report, instance, "with extreme file times")
        finally:
            subprocess.run(["umount", instance.spool], check=False)


def main():
    _, report = topic.begin(__doc__)
    check_kinds(report)
    check_unreadable(report)
    check_immovable(report)
    check_file_times(report)
    report.figure(f"{len(KINDS)} kinds of files")
    report.finish()


if __name__ == "__main__":
    main()
