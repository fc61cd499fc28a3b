#!/usr/bin/env python3
"""Puts spools on other file systems: FUSE file systems, disks behind a mergerfs, encrypted names, Btrfs subvolumes.

On each, two writers submit 50 triggers, a watcher is killed half-way and another one goes on: nothing is lost and
nothing is run twice. `bobbin check` says what does not hold there. A call of CIFS is made to fail by strace(1); what NFS
and CIFS make of leases is in Tests/BobbinTests. This topic needs root.

    Tests/Proof/topics/file_systems.py [--full] [--seed N]
"""

import contextlib
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

LIB = pathlib.Path(__file__).resolve().parents[2] / "lib"
sys.path[:0] = [str(LIB), str(LIB / "faults"), str(LIB / "samples")]

import jobs
import topic
from instance import Instance
from processes import wait_for

TRIGGERS = 50
SFTP_SERVER = "/usr/lib/openssh/sftp-server"
CHANNELS = [jobs.NOTE_CHANNEL, jobs.HOLD_CHANNEL]


def run(*command, text=None):
    subprocess.run(
        list(map(str, command)), input=text, text=True, check=True, timeout=60, stdout=subprocess.DEVNULL
    )


def unmount(point):
    """Waits until nobody uses it: the program behind a file system may lag behind its last user."""
    if not wait_for(lambda: subprocess.run(["umount", str(point)], stderr=subprocess.DEVNULL).returncode == 0, 10, 0.1):
        subprocess.run(["umount", "--lazy", str(point)], check=False)


# --- Each mounts a directory `source` on `point`.


@contextlib.contextmanager
def mounted_by(command, point, text=None):
    run(*command, text=text)
    try:
        if not wait_for(lambda: os.path.ismount(point), 10, 0.05):
            raise RuntimeError(f"{command[0]} mounted nothing on {point}")
        yield
    finally:
        unmount(point)


def bindfs(source, point):
    """The kernel may use what it knows of a file for a minute."""
    return mounted_by(["bindfs", "-o", "attr_timeout=60,entry_timeout=60", source, point], point)


def gocryptfs(source, point):
    password = source.parent / "password"
    password.write_text("correct horse\n")
    run("gocryptfs", "-q", "-init", "-scryptn", "10", "-passfile", password, source)
    return mounted_by(["gocryptfs", "-q", "-nosyslog", "-passfile", password, source, point], point)


def encfs(source, point):
    return mounted_by(["encfs", "-S", "--standard", source, point], point, text="correct horse\n")


@contextlib.contextmanager
def sshfs(source, point):
    """Without a network: sftp-server is at the other end of a socket."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        server = subprocess.Popen([SFTP_SERVER], stdin=theirs, stdout=theirs)
        client = subprocess.Popen(["sshfs", "-f", "-o", "passive", f":{source}", point], stdin=ours, stdout=ours)
    try:
        if not wait_for(lambda: os.path.ismount(point), 10, 0.05):
            raise RuntimeError("sshfs mounted nothing")
        yield
    finally:
        unmount(point)
        for process in (client, server):
            process.terminate()
            process.wait(20)


@contextlib.contextmanager
def rclone(source, point):
    process = subprocess.Popen(
        ["rclone", "mount", "--vfs-cache-mode", "writes", source, point],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        if not wait_for(lambda: os.path.ismount(point), 20, 0.05):
            raise RuntimeError("rclone mounted nothing")
        yield
    finally:
        unmount(point)
        process.terminate()
        process.wait(20)


@contextlib.contextmanager
def mergerfs(source, point, options=""):
    """Two disks, of which the second has more room."""
    disks = [source / "1", source / "2"]
    with contextlib.ExitStack() as stack:
        for disk, size in zip(disks, ("16m", "64m")):
            disk.mkdir()
            run("mount", "-t", "tmpfs", "-o", f"size={size}", "none", disk)
            stack.callback(unmount, disk)
        yield stack.enter_context(
            mounted_by(
                ["mergerfs", "-o", f"fsname=pool,minfreespace=0{options}", ":".join(map(str, disks)), point], point
            )
        )


def cured_mergerfs(source, point):
    return mergerfs(source, point, ",func.getattr=newest,ignorepponrename=true")


@contextlib.contextmanager
def spool_on(mount):
    """An instance whose spool is a folder of the mounted file system."""
    with Instance(CHANNELS, parent=tempfile.gettempdir(), settle="100ms") as instance:
        for name in ("source", "mounted"):
            (instance.root / name).mkdir()
        with mount(instance.root / "source", instance.root / "mounted"):
            instance.spool.rmdir()
            instance.spool.symlink_to("mounted/spool")
            (instance.root / "mounted/spool").mkdir()
            yield instance


# --- The work.


def submit(instance, writer, chance):
    """Half of the triggers, each by one of the means that people and programs use."""
    for number in range(TRIGGERS // 2):
        name = f"{writer}-{number:02}.json"
        means = chance.randrange(4)
        if means == 0:
            instance.expect(name)
            pathlib.Path(os.fsdecode(instance.path(name))).write_text('{"channel_id": 1}\n')
        elif means == 1:
            instance.expect(name)
            pathlib.Path(os.fsdecode(instance.path(name))).write_text("1\n")
        elif means == 2:
            name = f"20991231T235959.{writer}{number:05}Z-1.json"
            instance.expect(name)
            os.close(os.open(instance.path(name), os.O_CREAT | os.O_WRONLY, 0o644))
        else:
            instance.drop(name, '{"channel": "note"}')
        time.sleep(chance.random() * 0.02)


def start_watch(instance):
    return instance.start(
        "watch", "--every", "50ms", "--quiet", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def check_work(report, what, mount, chance):
    with spool_on(mount) as instance:
        watch = start_watch(instance)
        writers = [threading.Thread(target=submit, args=(instance, writer, chance)) for writer in (1, 2)]
        for writer in writers:
            writer.start()
        is_half_done = wait_for(lambda: sum(instance.ledger().values()) >= TRIGGERS // 3, 30)
        watch.kill()
        watch.wait(30)
        for writer in writers:
            writer.join()
        instance.note_fault()
        watch = start_watch(instance)
        is_drained = wait_for(lambda: not instance.pending() and not instance.claims(), 30, 0.05)
        watch.send_signal(signal.SIGTERM)
        watch.wait(30)
        report.check(
            is_half_done and is_drained, f"watchers process all triggers on {what}", [str(instance.pending())]
        )
        answer = instance.bobbin("trigger", "note", "--json")
        document = json.loads(answer.out) if answer.out else {}
        report.check(
            answer.status == 0 and document.get("status") == "completed",
            f"`bobbin trigger` is carried out at once on {what}",
            answer.describe(),
        )
        instance.expect(document.get("trigger", "none"))
        instance.clean_run()
        report.check_oracle(instance, f"nothing is lost or run twice on {what}")


def check_said(report, what, mount, kind, status=0):
    """`bobbin check` names the file system and says what does not hold on it."""
    with spool_on(mount) as instance:
        instance.bobbin("run", "--spool-only")
        result = instance.bobbin("check", "--json")
        document = json.loads(result.out) if result.out else {}
        said = [note for note in document.get("problems", []) + document.get("warnings", []) if kind in note["message"]]
        report.check(
            result.status == status and said and said[0]["remedy"],
            f"`bobbin check` says what does not hold on {what}, with {status}",
            result.describe(),
        )


def check_mergerfs_defaults(report):
    """The spool's folders are on one disk, and once another one has more room new triggers are made there."""
    with spool_on(mergerfs) as instance:
        instance.bobbin("run", "--spool-only")
        first, second = instance.root / "source/1", instance.root / "source/2"
        home, other = (first, second) if (first / "spool/running").exists() else (second, first)
        (other / "spool").mkdir(exist_ok=True)
        fill = int(os.statvfs(home).f_bavail * os.statvfs(home).f_frsize - (4 << 20))
        with open(home / "fill", "wb") as file:
            os.posix_fallocate(file.fileno(), 0, fill)
        answer = instance.bobbin("trigger", "note", "--json")
        cure = "func.getattr=newest,ignorepponrename=true"
        report.check(
            answer.status == 74 and not answer.out and "mergerfs" in answer.err and cure in answer.err,
            "`bobbin trigger` on a mergerfs that cannot rename says so and names the cure, with 74",
            answer.describe(),
        )
        result = instance.bobbin("run", "--spool-only")
        report.check(
            result.status == 1 and cure in result.err,
            "a run on a mergerfs that cannot rename warns and names the cure",
            result.describe(),
        )


def check_short_names(report):
    with spool_on(encfs) as instance:
        instance.drop("first.json", "1")
        length = 255
        while True:
            name = "a" * (length - 5) + ".json"
            try:
                (instance.spool / name).write_text("1\n")
                break
            except OSError:
                length -= 1
        result = instance.bobbin("run", "--spool-only")
        report.check(
            result.status == 1 and "File name too long" in result.err and instance.ledger()[b"first.json"] == 1,
            f"a name of {length} bytes, the longest on encfs, stays with a warning and blocks nothing",
            result.describe(),
        )
        cancel = instance.bobbin("cancel", name)
        report.check(
            cancel.status == 1 and "shorter name" in cancel.err,
            "`bobbin cancel` says that such a name is too long",
            cancel.describe(),
        )
        (instance.spool / name).rename(instance.spool / "short.json")
        instance.expect("short.json")
        instance.clean_run()
        report.check_oracle(instance, "nothing is lost on encfs once that name is shorter")


def check_uncounted_files(report):
    """rclone says that it has room for no further file, and files can be made all the same."""
    with spool_on(rclone) as instance:
        instance.drop("a.json", '{"channel_id": 1}')
        result = instance.bobbin("run", "--spool-only")
        report.check(
            result.status == 0 and instance.ledger()[b"a.json"] == 1,
            "a run on rclone does not stop for a lack of files",
            result.describe(),
        )


def check_subvolume(report):
    with tempfile.TemporaryDirectory() as folder, Instance(CHANNELS) as instance:
        image, point = pathlib.Path(folder, "image"), instance.spool
        with open(image, "wb") as file:
            file.truncate(150 << 20)
        run("mkfs.btrfs", "--quiet", image)
        with mounted_by(["mount", "-o", "loop", image, point], point):
            run("btrfs", "subvolume", "create", point / "running")
            os.chmod(point / "running", 0o750)
            result = instance.bobbin("check")
            report.check(
                result.status == 78 and "subvolume" in result.err and "umount" not in result.err,
                "`bobbin check` names a subvolume in the spool, and does not advise to unmount it",
                result.describe(),
            )
            instance.drop("a.json", "1")
            report.check(
                instance.bobbin("run", "--spool-only").status == 78, "a run refuses a subvolume in the spool"
            )
            remedy = next(line for line in result.err.splitlines() if "subvolume" in line and "mv " in line)
            run("sh", "-c", remedy.strip())
            instance.clean_run()
            report.check_oracle(instance, "the remedy makes the spool work")


# --- CIFS.


def check_denied_lock(report):
    """CIFS: a lock that somebody holds is denied."""
    with Instance(CHANNELS) as instance:
        strace = ("strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=flock", "-e", "inject=flock:error=EACCES")
        instance.bobbin("run", "--spool-only")
        result = instance.bobbin("run", prefix=strace, timeout=30)
        report.check(result.status == 75, "a run whose lock is denied ends with 75", result.describe())


def main():
    options, report = topic.begin(__doc__)
    report.require_root()
    for what, mount in (
        ("a bindfs with cached attributes", bindfs),
        ("gocryptfs", gocryptfs),
        ("encfs", encfs),
        ("sshfs", sshfs),
        ("a mergerfs that may rename", cured_mergerfs),
    ):
        check_work(report, what, mount, options.random)
    for what, mount, kind, status in (
        ("bindfs", bindfs, "fuse", 0),
        ("gocryptfs", gocryptfs, "fuse.gocryptfs", 0),
        ("encfs", encfs, "fuse.encfs", 0),
        ("sshfs", sshfs, "fuse.sshfs", 0),
        ("mergerfs", mergerfs, "fuse.mergerfs", 0),
        ("rclone", rclone, "fuse.rclone", 78),
    ):
        check_said(report, what, mount, kind, status)
    check_mergerfs_defaults(report)
    check_short_names(report)
    check_uncounted_files(report)
    check_subvolume(report)
    check_denied_lock(report)
    report.figure(f"{TRIGGERS} triggers on each of 5 FUSE file systems, a watcher killed on each")
    report.finish()


if __name__ == "__main__":
    main()
