#!/usr/bin/env python3
"""Tries what submitters of a drop box can do (add files) and what they cannot do (everything else).

They cannot list, read, rename, replace or delete files of others, cannot impersonate another user, cannot take a lock,
and cannot keep a run from working. The topic also runs a batch that is not root in its own spool. It needs root.

    Tests/Proof/topics/strangers/drop_box_access.py [--full] [--seed N]
"""

import json
import os
import pathlib
import shlex
import stat
import subprocess
import sys
import time

LIB = pathlib.Path(__file__).resolve().parents[2] / "lib"
sys.path[:0] = [str(LIB), str(LIB / "faults"), str(LIB / "samples")]

import topic
from dropbox import ANNA, MALLORY, OUTSIDER, SUBMITTERS, DropBox
from hostile_instance import BATCH_USER, HostileInstance
from processes import become, wait_for

# The attempts of a submitter, each as the end of a sentence, and their scripts.
FORBIDDEN = {
    "list the spool": "ls $S",
    "list the spool by another name": "ls $S/.",
    "find a file in the spool": "find $S -mindepth 1 | grep .",
    "read the history": "cat $S/history.jsonl",
    "read the ids": "cat $S/.history-id",
    "read the note of the lock": "cat $S/scheduler.lock",
    "read a private trigger": "cat $S/private.json",
    "read a result": "cat $S/done/done.json",
    "read a job's log": "cat $S/logs/2.log",
    "read a rejected file": "cat $S/rejected/junk.json",
    "rename another user's trigger": "mv $S/anna.json $S/other.json",
    "move another user's trigger away": "mv $S/anna.json $LAIR/",
    "hide another user's trigger": "mv $S/anna.json $S/.anna.json",
    "replace another user's trigger": "mv $S/mine.json $S/anna.json",
    "replace another user's trigger from outside": "echo 3 >$LAIR/x; mv $LAIR/x $S/anna.json",
    "write into another user's trigger": "echo 3 >$S/anna.json",
    "append to another user's trigger": "echo 3 >>$S/anna.json",
    "touch another user's trigger": "touch -d 2001-01-01 $S/anna.json",
    "delete another user's trigger": "rm -f $S/anna.json; [ ! -e $S/anna.json ]",
    "change the mode of another user's trigger": "chmod 777 $S/anna.json",
    "give a trigger of their own to another user": f"chown {ANNA} $S/mine.json",
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
    "mount over the spool": "mount -t tmpfs none $S",
}
FORBIDDEN_COMMANDS = (
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
)


def check_adding(report):
    """Checks what a submitter can do."""
    with DropBox() as box:
        dropped = box.shell(
            ANNA, "touch $S/1.json && echo 1 >$S/anna.json && echo 1 >$S/.x.tmp && mv $S/.x.tmp $S/moved.json"
        )
        report.check(
            dropped.returncode == 0, "a submitter can touch, echo and mv into a drop box", dropped.stderr.decode()
        )
        for name in ("1.json", "anna.json", "moved.json"):
            box.expect(name)
        for arguments in (("note", "--json"), ("note", "--json", "--queue"), ("note", "--json", "--user", "anna")):
            result = box.submit(ANNA, *arguments)
            answer = json.loads(result.out or "{}")
            report.check(
                result.status == 0 and answer.get("status") == "queued" and answer.get("position") is None,
                f"`bobbin trigger {' '.join(arguments)}` of a submitter is answered with: queued",
                result.describe(),
            )
            box.expect(answer.get("trigger", ""))
        result = box.run_batch()
        report.check(result.status == 0, "the batch drains the drop box", result.describe())
        report.check_oracle(box, "no submitter's trigger is lost", result.describe())
        owners = {record["uid"] for record in box.records() if record["name"]}
        report.check(owners == {ANNA}, "the history has the user who dropped each trigger", str(owners))
        # Another run, after the first has made folders and a history.
        box.shell(ANNA, "touch $S/1.json")
        box.expect("1.json")
        result = box.submit(MALLORY, "fail", "--json")
        box.expect(json.loads(result.out)["trigger"])
        box.run_batch()
        report.check_oracle(box, "no submitter's trigger is lost after the first run either")
        readable = {
            path.name: (path.stat().st_gid, oct(path.stat().st_mode & 0o7777))
            for path in box.spool.rglob("*")
            if path.stat().st_gid == SUBMITTERS and path.stat().st_mode & 0o077
        }
        report.check(not readable, "the submitters' group may not read anything that Bobbin makes", str(readable))


def check_everything_else(report):
    """Checks what a submitter cannot do, by trying it."""
    with DropBox() as box:
        box.run_batch()
        box.shell(ANNA, "echo 1 >$S/done.json; echo 4 >$S/shout.json; echo not a trigger >$S/junk.json")
        box.run_batch()
        box.shell(ANNA, "echo 1 >$S/anna.json; umask 077; echo 1 >$S/private.json; mkdir $LAIR.anna; :")
        box.shell(MALLORY, "echo 1 >$S/mine.json; ln -s /etc/passwd $S/link.json")
        before = snapshot(box)
        for attempt, script in FORBIDDEN.items():
            result = box.shell(MALLORY, script)
            report.check(result.returncode != 0, f"a submitter cannot {attempt}", result.stdout.decode())
        for arguments in FORBIDDEN_COMMANDS:
            result = box.as_user(MALLORY, *arguments, groups=[SUBMITTERS], timeout=20)
            report.check(
                result.status == 77 and not result.out,
                f"`bobbin {' '.join(arguments)}` of a submitter ends with 77",
                result.describe(),
            )
        after = snapshot(box)
        report.check(
            after == before, "the attempts of a submitter do not change the spool", differences(before, after)
        )
        for script in ("ls $S", "cat $S/anna.json", "touch $S/outsider.json", "cat $S/history.jsonl"):
            outside = subprocess.run(
                [*become(OUTSIDER), "sh", "-c", script],
                env={**os.environ, "S": str(box.spool)},
                capture_output=True,
                check=False,
            )
            report.check(outside.returncode != 0, f"a user who is not a submitter cannot: {script}")
        result = box.as_user(OUTSIDER, "trigger", "note")
        report.check(result.status == 77, "a user who is not a submitter cannot ask for a channel", result.describe())
    report.figure(f"{len(FORBIDDEN) + len(FORBIDDEN_COMMANDS)} things that a submitter must not be able to do")


def snapshot(box):
    """Every path in the spool, with its identity and its content."""
    entries = {}
    for path in box.spool.rglob("*"):
        status = path.lstat()
        content = path.read_bytes() if stat.S_ISREG(status.st_mode) else b""
        entries[str(path.relative_to(box.spool))] = (
            status.st_ino,
            status.st_mode,
            status.st_uid,
            status.st_mtime_ns,
            content,
        )
    return entries


def differences(before, after):
    return [
        f"{name}: {before.get(name)} {after.get(name)}"
        for name in {**before, **after}
        if before.get(name) != after.get(name)
    ]


def check_forgery(report):
    """Checks that the history has the owner of a trigger's file, whatever the trigger says."""
    with DropBox() as box:
        forged = {
            "a.json": {"channel_id": 1, "uid": 0, "user": "root", "BOBBIN_USER": "root"},
            "b.json": {"channel_id": 1, "uid": ANNA, "record": {"uid": ANNA}, "id": 1, "outcome": "succeeded"},
        }
        for name, document in forged.items():
            box.shell(MALLORY, f"printf %s {shlex.quote(json.dumps(document))} >$S/{name}")
            box.expect(name)
        # A second name of another user's file. Root makes it, because the kernel does not allow submitters to do so.
        box.shell(ANNA, "echo 1 >$S/anna.json")
        os.link(box.path("anna.json"), box.path("forged.json"))
        box.expect("anna.json")
        box.expect("forged.json")
        box.run_batch()
        records = {record["name"]: record for record in box.records() if record["name"]}
        report.check(
            all(records[name.encode()]["uid"] == MALLORY for name in forged),
            "a trigger cannot say who owns it",
            str(records),
        )
        report.check(
            box.ledger()[b"forged.json"] + box.ledger()[b"anna.json"] <= 1,
            "a second name of another user's file is not another request",
        )
        report.check_oracle(box, "no trigger is lost because of forged triggers")


def check_blocking(report):
    """Checks that a run processes everything else, whatever a submitter leaves in the spool."""
    with DropBox() as box:
        box.shell(
            MALLORY,
            "mkdir $S/a-empty.json; mkdir -p $S/b-full.json/x; chmod 555 $S/b-full.json; mkfifo $S/c.json; "
            "truncate -s 1T $S/d.json",
        )
        box.shell(
            MALLORY,
            'printf \'{"channel_id":1,"timestamp":"0000-01-01T00:00:00+23:59"}\' >$S/e.json; '
            "printf '\\0\\1' >$S/f.json",
        )
        writer = subprocess.Popen(
            [
                *become(MALLORY, [SUBMITTERS]),
                "sh",
                "-c",
                "exec 3>$S/g-open.json; printf x >&3; while :; do sleep 1; done",
            ],
            env={**os.environ, "S": str(box.spool)},
        )
        wait_for(lambda: os.path.exists(box.path("g-open.json")) and os.path.getsize(box.path("g-open.json")))
        box.shell(ANNA, "echo 1 >$S/z-anna.json")
        begin = time.monotonic()
        result = box.as_user(BATCH_USER, "run", "--spool-only", timeout=120)
        report.check(
            result.status in (0, 1) and time.monotonic() - begin < 100,
            "a run ends, whatever a submitter leaves in the spool",
            result.describe(),
        )
        report.check(box.outcome("z-anna.json") == "succeeded", "the triggers of other submitters are run")
        rejected = {name: box.outcome(name) for name in ("c.json", "d.json", "f.json")}
        report.check(set(rejected.values()) == {"rejected"}, "obstacles that can be moved are rejected", str(rejected))
        for name in ("a-empty.json", "b-full.json"):
            if box.outcome(name) == "rejected":
                is_accounted_for = os.path.lexists(box.in_folder("rejected", name))
            else:
                is_accounted_for = os.path.lexists(box.path(name)) and name in result.err
            report.check(
                is_accounted_for,
                f"another user's directory {name} is rejected, or stays with a warning",
                result.describe(),
            )
        writer.kill()
        writer.wait()


def check_crash_with_trigger_of_another_user(report):
    """Checks that the batch does not forget a crash, even though the kernel does not tell it whether another user's
    file is being written."""
    channels = [
        {"id": 5, "name": "hold", "command": ["handlers/hold"], "rerun": False},
        {"id": 6, "name": "again", "command": ["handlers/hold"]},
    ]
    for channel, expected in (("5", [("interrupted", 1)]), ("6", [("interrupted", 3)])):
        with DropBox(channels, max_attempts=3, settle="1s") as box:
            # A scalar is complete only when it has not changed for the time to settle, an object as soon as it parses.
            box.shell(ANNA, f"echo {channel} >$S/anna.json")
            box.expect("anna.json", rerun=channel != "5")
            for _ in range(4):
                box.hold_jobs_again()
                running = box.start_batch()
                wait_for(lambda: (box.root / "holding").exists() or running.poll() is not None, 30)
                running.kill()
                running.communicate()
                box.note_fault()
                box.release_jobs()
                box.wait_until_idle()
            box.run_batch(timeout=30)
            record = box.record("anna.json")
            report.check(
                [(record["outcome"], record.get("attempt"))] == expected,
                f"a crash after the claim of another user's trigger counts as an attempt (channel {channel})",
                f"{record} {box.ledger()}",
            )
            report.check_oracle(box, f"another user's trigger is not run more often than allowed (channel {channel})")


def check_batch_of_user(report):
    """Checks a batch that is not root."""
    with HostileInstance() as instance:
        instance.copy_program()
        instance.give_to(BATCH_USER)
        instance.spool.chmod(0o755)
        for name, content in (("a.json", "1"), ("b.json", "3"), ("c.json", "not a trigger"), ("d.json", "1")):
            instance.drop(name, content, age=7200 if name == "d.json" else 0)
            os.chown(instance.path(name), BATCH_USER, BATCH_USER)
        report.check(
            instance.as_user(BATCH_USER, "check", "--quiet").status == 0,
            "`bobbin check` does not find a problem in the spool of a single user",
        )
        instance.oracle.note_clean_run()
        result = instance.as_user(BATCH_USER, "run", "--spool-only")
        report.check(result.status == 1, "a batch that is not root drains its spool", result.describe())
        report.check_oracle(instance, "a batch that is not root does not lose a trigger")
        modes = {path.name: oct(path.stat().st_mode & 0o7777) for path in instance.spool.iterdir() if path.is_dir()}
        report.check(set(modes.values()) == {"0o750"}, "the folders that a batch makes have the mode 0750", str(modes))
        lock = instance.lock_path.stat()
        report.check(lock.st_mode & 0o7777 == 0o600, "the lock that a batch makes has the mode 0600", oct(lock.st_mode))
        # Root runs the batch once, by mistake.
        instance.drop("root.json", "1")
        before = instance.listing()
        result = instance.bobbin("run", "--spool-only")
        report.check(
            result.status == 77 and instance.listing() == before,
            "root is refused in another user's spool, and writes nothing",
            result.describe(),
        )
        instance.drop("after.json", "1")
        instance.oracle.note_clean_run()
        result = instance.as_user(BATCH_USER, "run", "--spool-only")
        report.check(result.status == 0, "a refused run of root does not lock out the batch's user", result.describe())
        report.check_oracle(instance, "no trigger is lost between the batch's user and root")


def main():
    _, report = topic.begin(__doc__)
    report.require_root()
    check_adding(report)
    check_everything_else(report)
    check_forgery(report)
    check_blocking(report)
    check_crash_with_trigger_of_another_user(report)
    check_batch_of_user(report)
    report.finish()


if __name__ == "__main__":
    main()
