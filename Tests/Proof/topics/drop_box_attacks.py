#!/usr/bin/env python3
"""What a submitter may plant in a drop box: Bobbin's own names, taken before Bobbin does, and links to other places.

The batch neither writes nor reads anywhere else for it, gives nothing away, believes nothing, and is not kept from
working. Needs root.

    Tests/Proof/topics/drop_box_attacks.py [--full] [--seed N]
"""

import contextlib
import json
import os
import pathlib
import shlex
import signal
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

import dropbox
import harness
import hostile_instance as odd


FOLDERS = ("running", "done", "failed", "expired", "rejected", "cancelled", "logs", "channels")
OWN_FILES = ("history.jsonl", "history.jsonl.1", ".history-id", "scheduler.lock")


KINDS = (
    "a directory",
    "a file",
    "a FIFO",
    "a link to a directory",
    "a link to a file",
    "a dangling link",
    "a hard link",
)


def taken(kind, box, name):
    """Lets the attacker take one of Bobbin's names. Returns what must stay as it is."""
    target = box.lair / "target"
    if kind == "a directory":
        box.shell(dropbox.MALLORY, f"mkdir -m 777 $S/{name}")
        return box.spool / name
    if kind == "a file":
        box.shell(dropbox.MALLORY, f"echo mallory >$S/{name}; chmod 666 $S/{name}")
    elif kind == "a FIFO":
        box.shell(dropbox.MALLORY, f"mkfifo -m 666 $S/{name}")
    elif kind == "a link to a directory":
        box.shell(dropbox.MALLORY, f"mkdir -m 777 $LAIR/target; ln -s $LAIR/target $S/{name}")
    elif kind == "a link to a file":
        target.write_text("valuable")
        os.chown(target, odd.BATCH, odd.BATCH)
        box.shell(dropbox.MALLORY, f"ln -s $LAIR/target $S/{name}")
    elif kind == "a dangling link":
        box.lair.chmod(0o777)
        box.shell(dropbox.MALLORY, f"ln -s $LAIR/target $S/{name}")
    elif kind == "a hard link":
        # Where fs.protected_hardlinks is 0, or with a file that the attacker owns.
        target.write_text("valuable")
        os.chown(target, odd.BATCH, odd.BATCH)
        os.link(target, box.spool / name)
    return target


def names_taken_first(report):
    """Each of Bobbin's names, taken by a submitter before the first run (or after logrotate), as each kind of file."""
    count = 0
    for name in FOLDERS + OWN_FILES:
        problems = []
        for kind in KINDS:
            count += 1
            with dropbox.DropBox() as box:
                target = taken(kind, box, name)
                original = target.lstat() if os.path.lexists(target) else None
                box.shell(dropbox.ANNA, "echo 1 >$S/anna.json; echo nothing >$S/junk.json")
                box.expect("anna.json")
                box.expect("junk.json")
                box.drop("old.json", "1", age=7200)
                result = box.run_batch("--spool-only", timeout=20)
                what = f"{kind} named {name}"
                if result.status != 0:
                    problems.append(f"{what}: {result.describe()}")
                    continue
                problems += [f"{what}: {problem}" for problem in box.violations()]
                if name != "history.jsonl.1" and "made by somebody else" not in result.err:
                    problems.append(f"{what}: no warning\n{result.err}")
                if kind in ("a link to a file", "a hard link") and target.read_text() != "valuable":
                    problems.append(f"{what}: written through: {target.read_text()[:200]}")
                if kind == "a dangling link" and os.path.lexists(target):
                    problems.append(f"{what}: made through the link")
                if kind == "a link to a directory" and os.listdir(target):
                    problems.append(f"{what}: written into: {os.listdir(target)}")
                made = box.spool / name
                if name != "history.jsonl.1":
                    status = made.lstat()
                    if (
                        status.st_uid != odd.BATCH
                        or status.st_mode & 0o027
                        or original
                        and status.st_ino == original.st_ino
                    ):
                        problems.append(f"{what}: now {oct(status.st_mode)} of {status.st_uid}")
                for attempt in (
                    "ls $S/done",
                    "cat $S/history.jsonl",
                    "flock -n $S/scheduler.lock true",
                    "ls $S/running",
                    "ls $S/logs",
                ):
                    if box.shell(dropbox.MALLORY, attempt).returncode == 0:
                        problems.append(f"{what}: {attempt} is allowed")
        report.check(
            not problems,
            f"{name} taken first by a submitter, as {len(KINDS)} kinds of file: set aside, nothing read, written or blocked",
            problems,
        )
    with dropbox.DropBox() as box:
        box.shell(
            dropbox.MALLORY,
            "mkdir -m 777 $S/.bobbin-1 $S/.foreign-running $S/.foreign-running.2 $S/running; touch $S/.bobbin-2; ln -s /etc/passwd $S/.bobbin-3",
        )
        box.shell(dropbox.ANNA, "echo 1 >$S/anna.json")
        box.expect("anna.json")
        result = box.run_batch()
        os.utime(box.spool / ".bobbin-2", (1, 1))
        tidied = box.as_user(odd.BATCH, "prune")
        report.check(
            result.status == 0 and tidied.status == 0 and box.record("anna.json")["outcome"] == "succeeded",
            "names of temporary files and of what was set aside, taken first, block nothing",
            result.describe() + tidied.describe(),
        )
    report.figure(f"{count} of Bobbin's names taken first by others")


def after_rotation(report):
    """logrotate has moved the history away: a submitter makes a new one, or an old one with records that never were."""
    with dropbox.DropBox() as box:
        box.run_batch("--spool-only")
        os.rename(box.spool / "history.jsonl", box.spool / "history.jsonl.1")
        box.shell(dropbox.MALLORY, "touch $S/history.jsonl; chmod 666 $S/history.jsonl; exec 3<$S/history.jsonl")
        box.shell(dropbox.ANNA, "echo 1 >$S/anna.json")
        box.expect("anna.json")
        result = box.run_batch()
        report.check(
            result.status == 0 and (box.spool / "history.jsonl").stat().st_uid == odd.BATCH,
            "a history begun by a submitter after rotation is not written to",
            result.describe(),
        )
        report.check_oracle(box, "and the batch begins its own")
    with dropbox.DropBox() as box:
        box.run_batch("--spool-only")
        box.shell(dropbox.ANNA, "echo 5 >$S/anna.json")
        box.expect("anna.json")
        running = box.start("run", "--spool-only", prefix=odd.become(odd.BATCH))
        harness.wait_for(lambda: (box.root / "holding").exists())
        running.kill()
        running.communicate()
        (box.root / "release").touch()
        claim = box.claims()[0]
        forged_record = {
            "id": claim.id,
            "run": 1,
            "kind": "manual",
            "channel_id": 5,
            "channel": "hold",
            "trigger": "anna.json",
            "finished_at": "2026-01-01T00:00:00Z",
            "outcome": "succeeded",
        }
        far = {**forged_record, "id": 9_223_372_036_854_775_807, "run": 9_223_372_036_854_775_807}
        text = json.dumps(forged_record, separators=(",", ":")) + "\n" + json.dumps(far, separators=(",", ":")) + "\n"
        box.shell(dropbox.MALLORY, f"printf %s {shlex.quote(text)} >$S/history.jsonl.1")
        box.wait_until_idle()
        box.note_fault()
        result = box.run_batch()
        report.check(
            result.status == 0 and box.ledger()[b"anna.json"] == 2 and box.record("anna.json")["attempt"] == 2,
            "a forged old history does not make a request that a crash cut short look finished",
            result.describe(),
        )
        report.check_oracle(box, "and ids go on as they were")


def links_to_secrets(report, seconds):
    """Links under triggers' names, also such that change while the batch looks at them."""
    with dropbox.DropBox() as box:
        secret = box.root / "secret"
        secret.write_bytes(b'{"channel_id":1,"user":"%s"}' % odd.SECRET)
        os.chown(secret, odd.BATCH, odd.BATCH)
        secret.chmod(0o600)
        box.shell(
            dropbox.MALLORY,
            f"ln -s {secret} $S/link.json; ln -s ../done $S/folder.json; ln -s ../etc/bobbin.json5 $S/configuration.json",
        )
        for name in ("link.json", "folder.json", "configuration.json"):
            box.expect(name)
        box.run_batch()
        report.check(not box.leaked(), "a link to what only the batch's user may read is not read", box.leaked())
        report.check_oracle(box, "links are rejected, not lost")
        program = (
            "import os,sys\n"
            "spool,secret,flag=sys.argv[1:]\n"
            "n=0\n"
            "while not os.path.exists(flag):\n"
            "  n+=1\n"
            "  a=spool+'/.a%d'%(n%7); b=spool+'/swap%d.json'%(n%3)\n"
            "  try:\n"
            "    if n%2: os.symlink(secret,a)\n"
            "    else:\n"
            "      f=open(a,'w'); f.write('{\"channel_id\":1}'); f.close()\n"
            "    os.rename(a,b)\n"
            "  except OSError: pass\n"
        )
        swapping = subprocess.Popen(
            [
                *odd.become(dropbox.MALLORY, [dropbox.SUBMITTERS]),
                "python3",
                "-c",
                program,
                str(box.spool),
                str(secret),
                str(box.root / "release"),
            ]
        )
        deadline = time.monotonic() + seconds
        statuses = set()
        while time.monotonic() < deadline:
            result = bounded_run(box, 2)
            statuses.add(result.status)
        (box.root / "release").touch()
        swapping.wait(30)
        report.check(
            statuses <= {0, 1, 143},
            "a trigger that changes into a link and back, over and over: every run ends",
            str(statuses),
        )
        report.check(not box.leaked(), "and the secret is not read", box.leaked())
        result = box.run_batch()
        report.check(
            result.status == 0 and not box.pending() and not list((box.spool / "running").iterdir()),
            "the next run finds all in order",
            result.describe(),
        )
        # A job that runs when its run is asked to stop is interrupted, and its trigger put back: that record is not final.
        records = [
            record
            for record in box.records()
            if record["name"] and record["name"].startswith(b"swap") and not record.get("requeued")
        ]
        kinds = {record["outcome"] for record in records}
        report.check(kinds == {"succeeded", "rejected"}, "links were rejected and files run", str(kinds))
        reasons = {record["error_message"] for record in records if record["outcome"] == "rejected"}
        report.check(
            reasons <= {"a symbolic link"},
            "nothing but links was rejected",
            str(reasons),
        )
        report.figure(f"{len(records)} triggers exchanged for links while the batch looked at them, and back")


def bounded_run(box, seconds):
    """A run that is asked to stop after some time: new triggers may come faster than it works."""
    process = box.start("run", "--spool-only", "--quiet", prefix=odd.become(odd.BATCH), stdout=subprocess.DEVNULL)
    with contextlib.suppress(subprocess.TimeoutExpired):
        _, err = process.communicate(timeout=seconds)
        return remember(box, process.returncode, err)
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=60)
    return remember(box, process.returncode, err)


def remember(box, status, err):
    result = harness.Result(status, "", err.decode(errors="backslashreplace"), 0)
    box.written.append(result)
    return result


def main():
    options = harness.options("drop_box_attacks", __doc__)
    report = harness.Report("drop_box_attacks")
    if os.geteuid() != 0:
        report.check(False, "needs root, to be several users")
        report.finish()
    names_taken_first(report)
    after_rotation(report)
    links_to_secrets(report, 60 if options.full else 4)
    report.finish()


if __name__ == "__main__":
    main()
