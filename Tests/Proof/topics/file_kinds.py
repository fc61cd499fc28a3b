#!/usr/bin/env python3
"""Hostile files: every kind that somebody may put under a trigger's name, and files that cannot be read or moved.

None hangs the batch, is followed, opened or executed where it must not be, crashes it, or is lost; a secret that is
linked to is never read.

    Tests/Proof/topics/file_kinds.py [--full] [--seed N]
"""

import os
import pathlib
import re
import stat
import struct
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

import harness
import hostile_instance as odd


def fifo(path, _):
    os.mkfifo(path)


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


# What each must odd.become. Those that are opened are in OPENED.
KINDS = {
    "a FIFO": (fifo, "rejected"),
    "a socket": (odd.named_socket, "rejected"),
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
    with odd.Instance() as instance:
        secret = os.fsencode(instance.root / "secret")
        with open(secret, "wb") as file:
            file.write(b'{"channel_id": 1, "user": "%s"}' % odd.SECRET)
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
        odd.look(report, instance, "file kinds")
        instance.clean_run_began = time.time()
        result = instance.bobbin(
            "run",
            "--spool-only",
            prefix=["strace", "-f", "-qq", "-s", "512", "-e", "trace=open,openat,openat2,execve", "-o", str(trace)],
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
            "the good triggers before and odd.after them are run",
        )
        opened = [
            label
            for label, (_, outcome) in KINDS.items()
            if label not in OPENED and re.search(rf"open.*{re.escape(name_of(label))}", trace.read_text())
        ]
        report.check(not opened, "no link, FIFO, socket, device, directory or oversized file is ever opened", opened)
        executed = re.findall(r'execve\("[^"]*\.json', trace.read_text())
        report.check(not executed and not os.path.exists("/tmp/bobbin-proof-executed"), "no file is executed", executed)
        status = os.stat(secret)
        report.check(
            (status.st_atime, status.st_mtime) == (1, 1) and open(secret, "rb").read().endswith(b'"}'),
            "the secret is neither read nor written",
        )
        odd.after(report, instance, "file kinds")


def not_readable(report):
    """A batch that is not root: what it may not read is rejected, and the run goes on."""
    with odd.Instance() as instance:
        instance.program_for_all()
        instance.owned_by(odd.BATCH)
        instance.put("a-private.json", b"1")
        os.chmod(instance.path("a-private.json"), 0)
        instance.put("b-roots.json", b"1")
        os.chmod(instance.path("b-roots.json"), 0o600)
        instance.put("c-acl.json", b"1")
        deny(instance.path("c-acl.json"), odd.BATCH)
        instance.put("d-good.json", b"1")
        os.chown(instance.path("a-private.json"), odd.SUBMITTER, odd.SUBMITTER)
        instance.clean_run_began = time.time()
        result = instance.as_user(odd.BATCH, "run", "--spool-only")
        report.check(
            result.status == 0, "a batch that is not root meets files it may not read, and ends well", result.describe()
        )
        for name in ("a-private.json", "b-roots.json", "c-acl.json"):
            record = instance.record(name)
            report.check(
                record["outcome"] == "rejected" and "may not be read" in record["error_message"],
                f"{name}: rejected, and the record says why",
                str(record),
            )
        record = instance.record("d-good.json")
        report.check(
            record["outcome"] == "succeeded" and record["uid"] == 0,
            "a readable one of another user is run",
            str(record),
        )
        report.check(
            instance.record("a-private.json").get("uid") == odd.SUBMITTER, "the record has the owner of the file"
        )
        odd.after(report, instance, "unreadable")


def deny(path, user):
    """An access control list: readable for everybody but one user. As setfacl -m u:USER:--- does it."""
    entries = [(0x01, 6, -1), (0x02, 0, user), (0x04, 4, -1), (0x10, 4, -1), (0x20, 4, -1)]
    packed = b"".join(struct.pack("<HHi", *entry) for entry in entries)
    os.setxattr(path, "system.posix_acl_access", struct.pack("<I", 2) + packed)


def immutable(report):
    # Not in memory: the attribute is a matter of disk file systems.
    with odd.Instance(parent=tempfile.gettempdir()) as instance:
        held = [instance.path("a-immutable.json"), instance.path("b-append-only.json")]
        instance.put("a-immutable.json", b"1")
        instance.put("b-append-only.json", b"1")
        instance.put("c-junk.json", b"no trigger")
        held.append(instance.path("c-junk.json"))
        instance.put("z-good.json", b"1")
        try:
            for path, attribute in zip(held, ("+i", "+a", "+i")):
                subprocess.run(["chattr", attribute, path], check=True)
            odd.look(report, instance, "immutable")
            result = instance.bobbin("run", "--spool-only")
            report.check(result.status == 1, "files that cannot be moved: the run ends with 1", result.describe())
            report.check(instance.record("z-good.json")["outcome"] == "succeeded", "the trigger odd.after them is run")
            report.check(
                all(os.path.basename(path).decode() in result.err for path in held),
                "each of them is warned about",
                result.err,
            )
            report.check(
                not any(instance.ledger()[os.path.basename(path)] for path in held),
                "none is run that could not be claimed",
            )
            report.check(all(map(os.path.exists, held)), "they stay where they are")
            watch = instance.bobbin("watch", "--every", "50ms", timeout=2, environment=None)
            report.check(
                watch.err.count("left pending") <= 2 * len(held),
                "bobbin watch does not try them over and over",
                watch.err[-1500:],
            )
            instance.written.pop()
        finally:
            for path in held:
                subprocess.run(["chattr", "-ia", path], check=False)
        instance.clean_run()
        odd.after(report, instance, "no longer immutable")


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
    with odd.Instance() as instance:
        subprocess.run(["mount", "-t", "tmpfs", "none", instance.spool], check=True)
        try:
            instance.bobbin("run", "--spool-only")
            for number, moment in enumerate(moments.values()):
                for name in (f"{number}.json", f"0{number}-junk.json", f".bobbin-{number}"):
                    with open(instance.path(name), "wb") as file:
                        file.write(b"1" if name[1] == "." else b"no trigger")
                    odd.set_time(instance.path(name), moment)
                    if name.endswith(".json"):
                        instance.expect(name)
                with open(instance.in_folder("done", f"old-{number}.json"), "wb") as file:
                    file.write(b"{}")
                odd.set_time(instance.in_folder("done", f"old-{number}.json"), moment)
            odd.look(report, instance, "file times")
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
            odd.after(report, instance, "file times")
        finally:
            subprocess.run(["umount", instance.spool], check=False)


def main():
    harness.options("file_kinds", __doc__)
    report = harness.Report("file_kinds")
    for topic in (kinds, not_readable, immutable, odd_times):
        topic(report)
    report.figure(f"{len(KINDS)} kinds of files")
    report.finish()


if __name__ == "__main__":
    main()
