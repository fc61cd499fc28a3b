#!/usr/bin/env python3
"""Access: what a submitter of a drop box can do, which is to add files, and what he cannot, which is everything else.

Not list, read, rename, replace or delete what others dropped, not be taken for somebody else, not take a lock, and
not keep a run from working. And a batch of a user that is not root, in a spool of its own. Needs root.

    Tests/Proof/topics/drop_box_access.py [--full] [--seed N]
"""

import json
import os
import pathlib
import shlex
import stat
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

import dropbox
import harness
import hostile_instance as odd


def adding(report):
    """What a submitter can do."""
    with dropbox.DropBox() as box:
        dropped = box.shell(
            dropbox.ANNA, "touch $S/1.json && echo 1 >$S/anna.json && echo 1 >$S/.x.tmp && mv $S/.x.tmp $S/moved.json"
        )
        report.check(
            dropped.returncode == 0, "a submitter can touch, echo and mv into a drop box", dropped.stderr.decode()
        )
        for name in ("1.json", "anna.json", "moved.json"):
            box.expect(name)
        for arguments in (("note", "--json"), ("note", "--json", "--queue"), ("note", "--json", "--user", "anna")):
            result = box.submit(dropbox.ANNA, *arguments)
            answer = json.loads(result.out or "{}")
            report.check(
                result.status == 0 and answer.get("status") == "queued" and answer.get("position") is None,
                f"bobbin trigger {' '.join(arguments)} is answered: queued",
                result.describe(),
            )
            box.expect(answer.get("trigger", ""))
        result = box.run_batch()
        report.check(result.status == 0, "the batch works them off", result.describe())
        report.check_oracle(box, "nothing of it is lost", result.describe())
        owners = {record["uid"] for record in box.records() if record["name"]}
        report.check(owners == {dropbox.ANNA}, "the history has the user who dropped each", str(owners))
        # Again, after the first run has made its folders.
        box.shell(dropbox.ANNA, "touch $S/1.json")
        box.expect("1.json")
        result = box.submit(dropbox.MALLORY, "fail", "--json")
        box.expect(json.loads(result.out)["trigger"])
        box.run_batch()
        report.check_oracle(box, "also when folders and history are there already")
        groups = {
            path.name: (path.stat().st_gid, oct(path.stat().st_mode & 0o7777))
            for path in box.spool.rglob("*")
            if path.stat().st_gid == dropbox.SUBMITTERS and path.stat().st_mode & 0o077
        }
        report.check(not groups, "nothing that Bobbin makes may be read by the group of the submitters", str(groups))


def everything_else(report):
    """What a submitter cannot do, each tried for real."""
    with dropbox.DropBox() as box:
        box.run_batch("--spool-only")
        box.shell(dropbox.ANNA, "echo 1 >$S/done.json; echo 4 >$S/shout.json; echo nothing >$S/junk.json")
        box.run_batch("--spool-only")
        box.shell(dropbox.ANNA, "echo 1 >$S/anna.json; umask 077; echo 1 >$S/private.json; mkdir $LAIR.anna; :")
        box.shell(dropbox.MALLORY, "echo 1 >$S/mine.json; ln -s /etc/passwd $S/link.json")
        before = snapshot(box)
        attempts = {
            "list the spool": "ls $S",
            "list it by another name": "ls $S/.",
            "find in it": "find $S -mindepth 1 | grep .",
            "read the history": "cat $S/history.jsonl",
            "read the ids": "cat $S/.history-id",
            "read the note of the lock": "cat $S/scheduler.lock",
            "read a private trigger": "cat $S/private.json",
            "read a result": "cat $S/done/done.json",
            "read a job's log": "cat $S/logs/2.log",
            "read a rejected file": "cat $S/rejected/junk.json",
            "rename a trigger of another": "mv $S/anna.json $S/other.json",
            "rename it away": "mv $S/anna.json $LAIR/",
            "hide it": "mv $S/anna.json $S/.anna.json",
            "replace it": "mv $S/mine.json $S/anna.json",
            "replace it from outside": "echo 3 >$LAIR/x; mv $LAIR/x $S/anna.json",
            "write into it": "echo 3 >$S/anna.json",
            "append to it": "echo 3 >>$S/anna.json",
            "touch it": "touch -d 2001-01-01 $S/anna.json",
            "delete it": "rm -f $S/anna.json; [ ! -e $S/anna.json ]",
            "change its mode": "chmod 777 $S/anna.json",
            "give one's own to another": f"chown {dropbox.ANNA} $S/mine.json",
            "take the lock": "flock -n $S/scheduler.lock true",
            "share the lock": "flock -n -s $S/scheduler.lock true",
            "lock the spool's directory": "flock -n $S true",
            "take a channel's lock": "flock -n $S/channels/1.lock true",
            "lock the history": "flock -n $S/history.jsonl true",
            "delete the lock": "rm -f $S/scheduler.lock; [ ! -e $S/scheduler.lock ]",
            "rename the lock": "mv $S/scheduler.lock $S/x",
            "replace the history": "echo >$LAIR/h; mv $LAIR/h $S/history.jsonl",
            "rename the history": "mv $S/history.jsonl $S/history.jsonl.1",
            "write into the history": "echo >>$S/history.jsonl",
            "rename running/": "mv $S/running $S/x",
            "remove done/": "rmdir $S/done || rm -r $S/done",
            "write into done/": "echo x >$S/done/forged.json",
            "write into running/": "mkdir $S/running/x",
            "write into logs/": "ln -s /etc/passwd $S/logs/99.log",
            "link the history under a trigger's name": "ln $S/history.jsonl $S/history.json && [ -e $S/history.json ]",
            "change the spool's mode": "chmod 777 $S",
            "mount over it": "mount -t tmpfs none $S",
        }
        for attempt, script in attempts.items():
            result = box.shell(dropbox.MALLORY, script)
            report.check(result.returncode != 0, f"a submitter cannot {attempt}", result.stdout.decode())
        for arguments in (
            ("run",),
            ("watch",),
            ("prune",),
            ("cancel", "anna.json"),
            ("cancel", "--all"),
            ("queue",),
            ("history",),
            ("status",),
            ("log", "1"),
            ("run", "--dry-run"),
        ):
            result = box.as_user(dropbox.MALLORY, *arguments, groups=[dropbox.SUBMITTERS], timeout=20)
            report.check(
                result.status == 77 and not result.out,
                f"bobbin {' '.join(arguments)} of a submitter: permission",
                result.describe(),
            )
        report.check(snapshot(box) == before, "and nothing has changed by all that", difference(before, snapshot(box)))
        for script in ("ls $S", "cat $S/anna.json", "touch $S/outsider.json", "cat $S/history.jsonl"):
            outside = subprocess.run(
                [*odd.become(dropbox.OUTSIDER), "sh", "-c", script],
                env={**os.environ, "S": str(box.spool)},
                capture_output=True,
                check=False,
            )
            report.check(outside.returncode != 0, f"one who is no submitter can do nothing: {script}")
        result = box.as_user(dropbox.OUTSIDER, "trigger", "note")
        report.check(result.status == 77, "nor ask for a channel", result.describe())
    report.figure(f"{len(attempts) + 10} things that a submitter must not be able to do")


def snapshot(box):
    """Every name in the spool, what it is, and what it says."""
    found = {}
    for path in box.spool.rglob("*"):
        status = path.lstat()
        content = path.read_bytes() if stat.S_ISREG(status.st_mode) else b""
        found[str(path.relative_to(box.spool))] = (
            status.st_ino,
            status.st_mode,
            status.st_uid,
            status.st_mtime_ns,
            content,
        )
    return found


def difference(before, after):
    return [
        f"{name}: {before.get(name)} {after.get(name)}"
        for name in {**before, **after}
        if before.get(name) != after.get(name)
    ]


def forged(report):
    """Whatever a trigger says of itself, the history has the user whose file it is."""
    with dropbox.DropBox() as box:
        said = {
            "a.json": {"channel_id": 1, "uid": 0, "user": "root", "BOBBIN_USER": "root"},
            "b.json": {
                "channel_id": 1,
                "uid": dropbox.ANNA,
                "record": {"uid": dropbox.ANNA},
                "id": 1,
                "outcome": "succeeded",
            },
        }
        for name, document in said.items():
            box.shell(dropbox.MALLORY, f"printf %s {shlex.quote(json.dumps(document))} >$S/{name}")
            box.expect(name)
        # As the kernel forbids it, root does it for them: one file with an own name and one of the victim's.
        box.shell(dropbox.ANNA, "echo 1 >$S/anna.json")
        os.link(box.path("anna.json"), box.path("forged.json"))
        box.expect("anna.json")
        box.expect("forged.json")
        box.run_batch()
        records = {record["name"]: record for record in box.records() if record["name"]}
        report.check(
            all(records[name.encode()]["uid"] == dropbox.MALLORY for name in said),
            "a trigger cannot say whose it is",
            str(records),
        )
        report.check(
            box.ledger()[b"forged.json"] + box.ledger()[b"anna.json"] <= 1,
            "a second name of another's file is not another request",
        )
        report.check_oracle(box, "nothing is lost by forgery")


def blocking(report):
    """What a submitter may try to keep a run from working: it goes on with everything else."""
    with dropbox.DropBox() as box:
        box.shell(
            dropbox.MALLORY,
            "mkdir $S/a-empty.json; mkdir -p $S/b-full.json/x; chmod 555 $S/b-full.json; mkfifo $S/c.json; truncate -s 1T $S/d.json",
        )
        box.shell(
            dropbox.MALLORY,
            'printf \'{"channel_id":1,"timestamp":"0000-01-01T00:00:00+23:59"}\' >$S/e.json; printf \'\\0\\1\' >$S/f.json',
        )
        writer = subprocess.Popen(
            [
                *odd.become(dropbox.MALLORY, [dropbox.SUBMITTERS]),
                "sh",
                "-c",
                "exec 3>$S/g-open.json; printf x >&3; while :; do sleep 1; done",
            ],
            env={**os.environ, "S": str(box.spool)},
        )
        harness.wait_for(lambda: os.path.exists(box.path("g-open.json")) and os.path.getsize(box.path("g-open.json")))
        box.shell(dropbox.ANNA, "echo 1 >$S/z-anna.json")
        begin = time.monotonic()
        result = box.as_user(odd.BATCH, "run", "--spool-only", timeout=120)
        report.check(
            result.status in (0, 1) and time.monotonic() - begin < 100,
            "whatever a submitter leaves in the way, a run ends",
            result.describe(),
        )
        report.check(box.record("z-anna.json")["outcome"] == "succeeded", "and the others' triggers are run")
        rejected = {name: box.record(name)["outcome"] for name in ("c.json", "d.json", "f.json")}
        report.check(set(rejected.values()) == {"rejected"}, "what can be moved is rejected", str(rejected))
        for name in ("a-empty.json", "b-full.json"):
            where = "rejected" if box.record(name)["outcome"] == "rejected" else "pending"
            report.check(
                (
                    os.path.lexists(box.in_folder("rejected", name))
                    if where == "rejected"
                    else os.path.lexists(box.path(name)) and name in result.err
                ),
                f"{name}: a directory of another user is rejected, or left with a warning",
                result.describe(),
            )
        writer.kill()
        writer.wait()


def crash_with_anothers_trigger(report):
    """The kernel does not tell the batch whether another user's file is being written: a crash must not be forgotten for it."""
    channels = [
        {"id": 5, "name": "hold", "command": ["handlers/hold"], "rerun": False},
        {"id": 6, "name": "again", "command": ["handlers/hold"]},
    ]
    for channel, wanted in (("5", [("interrupted", 1)]), ("6", [("interrupted", 3)])):
        with dropbox.DropBox(channels, max_attempts=3, settle="5s") as box:
            # An object is complete as soon as it parses, and a scalar once it has been left alone for long.
            box.shell(dropbox.ANNA, f"echo {channel} >$S/anna.json")
            box.expect("anna.json", once=channel == "5")
            for _ in range(4):
                (box.root / "holding").unlink(missing_ok=True)
                running = box.start("run", "--spool-only", prefix=odd.become(odd.BATCH))
                harness.wait_for(lambda: (box.root / "holding").exists() or running.poll() is not None, 30)
                running.kill()
                running.communicate()
                box.note_fault()
                (box.root / "release").touch()
                box.wait_until_idle()
                (box.root / "release").unlink()
            (box.root / "release").touch()
            box.run_batch(timeout=30)
            record = box.record("anna.json")
            report.check(
                [(record["outcome"], record.get("attempt"))] == wanted,
                f"a crash right after the claim of another user's trigger counts as an attempt (channel {channel})",
                f"{record} {box.ledger()}",
            )
            report.check_oracle(box, f"and it is not run more often than it may be (channel {channel})")


def not_root(report):
    with odd.Instance() as instance:
        instance.program_for_all()
        instance.owned_by(odd.BATCH)
        instance.spool.chmod(0o755)
        for name, content in (("a.json", "1"), ("b.json", "3"), ("c.json", "nothing"), ("d.json", "1")):
            instance.drop(name, content, age=7200 if name == "d.json" else 0)
            os.chown(instance.path(name), odd.BATCH, odd.BATCH)
        report.check(
            instance.as_user(odd.BATCH, "check", "--quiet").status == 0,
            "bobbin check has nothing to say about one user's spool",
        )
        instance.clean_run_began = time.time()
        result = instance.as_user(odd.BATCH, "run", "--spool-only")
        report.check(result.status == 1, "a batch that is not root does all of it", result.describe())
        report.check_oracle(instance, "and loses nothing")
        modes = {path.name: oct(path.stat().st_mode & 0o7777) for path in instance.spool.iterdir() if path.is_dir()}
        report.check(set(modes.values()) == {"0o750"}, "its folders are 0750", str(modes))
        lock = (instance.spool / "scheduler.lock").stat()
        report.check(lock.st_mode & 0o7777 == 0o600, "the lock is 0600", oct(lock.st_mode))
        # Root runs it once, by mistake or on purpose.
        instance.drop("root.json", "1")
        result = instance.bobbin("run", "--spool-only")
        report.check(result.status == 0, "root can run it, too", result.describe())
        instance.drop("after.json", "1")
        instance.clean_run_began = time.time()
        result = instance.as_user(odd.BATCH, "run", "--spool-only")
        report.check(result.status == 0, "and that does not lock the batch's user out", result.describe())
        report.check_oracle(instance, "nothing is lost between the two users")


def main():
    harness.options("drop_box_access", __doc__)
    report = harness.Report("drop_box_access")
    if os.geteuid() != 0:
        report.check(False, "needs root, to be several users")
        report.finish()
    for topic in (adding, everything_else, forged, blocking, crash_with_anothers_trigger, not_root):
        topic(report)
    report.finish()


if __name__ == "__main__":
    main()
