#!/usr/bin/env python3
"""Access: what other users can and cannot do in a drop box, what `bobbin check` finds, and where a spool may be mounted.

Everything is done by real, different users (numbers without an account will do). In a drop box (owner the batch's
user, group the submitters, mode 3730) a submitter can add files and nothing else: not list, read, rename, replace or
delete those of others, not be taken for somebody else, not take a lock, not keep a run from working, and not make the
batch write or read elsewhere by a link, or by taking one of Bobbin's own names first.

Needs root.

    Tests/Proof/access.py [--full] [--seed N]
"""

import contextlib
import json
import os
import re
import shlex
import signal
import stat
import subprocess
import tempfile
import time

import harness
import hostile

BATCH = hostile.BATCH
ANNA = 64002
MALLORY = 64003
OUTSIDER = 64004
SUBMITTERS = 64100

FOLDERS = ("running", "done", "failed", "expired", "rejected", "cancelled", "logs", "channels")
OWN_FILES = ("history.jsonl", "history.jsonl.1", ".history-id", "scheduler.lock")


class DropBox(hostile.Instance):
    def __init__(self, channels=hostile.CHANNELS, **settings):
        super().__init__(channels, **settings)
        self.program_for_all()
        self.owned_by(BATCH)
        os.chown(self.spool, BATCH, SUBMITTERS)
        self.spool.chmod(0o3730)
        # Where the one who attacks keeps things.
        self.lair = self.root / "lair"
        self.lair.mkdir()
        os.chown(self.lair, MALLORY, MALLORY)
        self.lair.chmod(0o755)

    def shell(self, user, script, **variables):
        """Runs a script in the spool as a submitter."""
        return subprocess.run(
            [*hostile.become(user, [SUBMITTERS]), "sh", "-c", f"umask 022; {script}"],
            cwd=self.root,
            env={**os.environ, "S": str(self.spool), "LAIR": str(self.lair), **variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=30,
            check=False,
        )

    def run_batch(self, *arguments, **options):
        self.clean_run_began = time.time()
        return self.as_user(BATCH, "run", *(arguments or ("--spool-only",)), **options)

    def submit(self, user, *arguments):
        return self.as_user(user, "trigger", *arguments, groups=[SUBMITTERS])


def adding(report):
    """What a submitter can do."""
    with DropBox() as box:
        dropped = box.shell(ANNA, "touch $S/1.json && echo 1 >$S/anna.json && echo 1 >$S/.x.tmp && mv $S/.x.tmp $S/moved.json")
        report.check(dropped.returncode == 0, "a submitter can touch, echo and mv into a drop box", dropped.stderr.decode())
        for name in ("1.json", "anna.json", "moved.json"):
            box.expect(name)
        for arguments in (("note", "--json"), ("note", "--json", "--queue"), ("note", "--json", "--user", "anna")):
            result = box.submit(ANNA, *arguments)
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
        report.check(owners == {ANNA}, "the history has the user who dropped each", str(owners))
        # Again, after the first run has made its folders.
        box.shell(ANNA, "touch $S/1.json")
        box.expect("1.json")
        result = box.submit(MALLORY, "fail", "--json")
        box.expect(json.loads(result.out)["trigger"])
        box.run_batch()
        report.check_oracle(box, "also when folders and history are there already")
        groups = {
            path.name: (path.stat().st_gid, oct(path.stat().st_mode & 0o7777))
            for path in box.spool.rglob("*")
            if path.stat().st_gid == SUBMITTERS and path.stat().st_mode & 0o077
        }
        report.check(not groups, "nothing that Bobbin makes may be read by the group of the submitters", str(groups))


def everything_else(report):
    """What a submitter cannot do, each tried for real."""
    with DropBox() as box:
        box.run_batch("--spool-only")
        box.shell(ANNA, "echo 1 >$S/done.json; echo 4 >$S/shout.json; echo nothing >$S/junk.json")
        box.run_batch("--spool-only")
        box.shell(ANNA, "echo 1 >$S/anna.json; umask 077; echo 1 >$S/private.json; mkdir $LAIR.anna; :")
        box.shell(MALLORY, "echo 1 >$S/mine.json; ln -s /etc/passwd $S/link.json")
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
            "give one's own to another": f"chown {ANNA} $S/mine.json",
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
            result = box.shell(MALLORY, script)
            report.check(result.returncode != 0, f"a submitter cannot {attempt}", result.stdout.decode())
        for arguments in (("run",), ("watch",), ("prune",), ("cancel", "anna.json"), ("cancel", "--all"), ("queue",), ("history",), ("status",), ("log", "1"), ("run", "--dry-run")):
            result = box.as_user(MALLORY, *arguments, groups=[SUBMITTERS], timeout=20)
            report.check(
                result.status == 77 and not result.out, f"bobbin {' '.join(arguments)} of a submitter: permission", result.describe()
            )
        report.check(snapshot(box) == before, "and nothing has changed by all that", difference(before, snapshot(box)))
        for script in ("ls $S", "cat $S/anna.json", "touch $S/outsider.json", "cat $S/history.jsonl"):
            outside = subprocess.run(
                [*hostile.become(OUTSIDER), "sh", "-c", script],
                env={**os.environ, "S": str(box.spool)}, capture_output=True, check=False,
            )
            report.check(outside.returncode != 0, f"one who is no submitter can do nothing: {script}")
        result = box.as_user(OUTSIDER, "trigger", "note")
        report.check(result.status == 77, "nor ask for a channel", result.describe())
    report.figure(f"{len(attempts) + 10} things that a submitter must not be able to do")


def snapshot(box):
    """Every name in the spool, what it is, and what it says."""
    found = {}
    for path in box.spool.rglob("*"):
        status = path.lstat()
        content = path.read_bytes() if stat.S_ISREG(status.st_mode) else b""
        found[str(path.relative_to(box.spool))] = (status.st_ino, status.st_mode, status.st_uid, status.st_mtime_ns, content)
    return found


def difference(before, after):
    return [f"{name}: {before.get(name)} {after.get(name)}" for name in {**before, **after} if before.get(name) != after.get(name)]


def forged(report):
    """Whatever a trigger says of itself, the history has the user whose file it is."""
    with DropBox() as box:
        said = {
            "a.json": {"channel_id": 1, "uid": 0, "user": "root", "BOBBIN_USER": "root"},
            "b.json": {"channel_id": 1, "uid": ANNA, "record": {"uid": ANNA}, "id": 1, "outcome": "succeeded"},
        }
        for name, document in said.items():
            box.shell(MALLORY, f"printf %s {shlex.quote(json.dumps(document))} >$S/{name}")
            box.expect(name)
        # As the kernel forbids it, root does it for them: one file with an own name and one of the victim's.
        box.shell(ANNA, "echo 1 >$S/anna.json")
        os.link(box.path("anna.json"), box.path("forged.json"))
        box.expect("anna.json")
        box.expect("forged.json")
        box.run_batch()
        records = {record["name"]: record for record in box.records() if record["name"]}
        report.check(
            all(records[name.encode()]["uid"] == MALLORY for name in said), "a trigger cannot say whose it is", str(records)
        )
        report.check(
            box.ledger()[b"forged.json"] + box.ledger()[b"anna.json"] <= 1, "a second name of another's file is not another request"
        )
        report.check_oracle(box, "nothing is lost by forgery")


def taken(kind, box, name):
    """Lets the attacker take one of Bobbin's names. Returns what must stay as it is."""
    target = box.lair / "target"
    if kind == "a directory":
        box.shell(MALLORY, f"mkdir -m 777 $S/{name}")
        return box.spool / name
    if kind == "a file":
        box.shell(MALLORY, f"echo mallory >$S/{name}; chmod 666 $S/{name}")
    elif kind == "a FIFO":
        box.shell(MALLORY, f"mkfifo -m 666 $S/{name}")
    elif kind == "a link to a directory":
        box.shell(MALLORY, f"mkdir -m 777 $LAIR/target; ln -s $LAIR/target $S/{name}")
    elif kind == "a link to a file":
        target.write_text("valuable")
        os.chown(target, BATCH, BATCH)
        box.shell(MALLORY, f"ln -s $LAIR/target $S/{name}")
    elif kind == "a dangling link":
        box.lair.chmod(0o777)
        box.shell(MALLORY, f"ln -s $LAIR/target $S/{name}")
    elif kind == "a hard link":
        # Where fs.protected_hardlinks is 0, or with a file that the attacker owns.
        target.write_text("valuable")
        os.chown(target, BATCH, BATCH)
        os.link(target, box.spool / name)
    return target


KINDS = ("a directory", "a file", "a FIFO", "a link to a directory", "a link to a file", "a dangling link", "a hard link")


def names_taken_first(report):
    """Each of Bobbin's names, taken by a submitter before the first run (or after logrotate), as each kind of file."""
    count = 0
    for name in FOLDERS + OWN_FILES:
        problems = []
        for kind in KINDS:
            count += 1
            with DropBox() as box:
                target = taken(kind, box, name)
                original = target.lstat() if os.path.lexists(target) else None
                box.shell(ANNA, "echo 1 >$S/anna.json; echo nothing >$S/junk.json")
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
                    if status.st_uid != BATCH or status.st_mode & 0o027 or original and status.st_ino == original.st_ino:
                        problems.append(f"{what}: now {oct(status.st_mode)} of {status.st_uid}")
                for attempt in ("ls $S/done", "cat $S/history.jsonl", "flock -n $S/scheduler.lock true", "ls $S/running", "ls $S/logs"):
                    if box.shell(MALLORY, attempt).returncode == 0:
                        problems.append(f"{what}: {attempt} is allowed")
        report.check(not problems, f"{name} taken first by a submitter, as {len(KINDS)} kinds of file: set aside, nothing read, written or blocked", problems)
    with DropBox() as box:
        box.shell(MALLORY, "mkdir -m 777 $S/.bobbin-1 $S/.foreign-running $S/.foreign-running.2 $S/running; touch $S/.bobbin-2; ln -s /etc/passwd $S/.bobbin-3")
        box.shell(ANNA, "echo 1 >$S/anna.json")
        box.expect("anna.json")
        result = box.run_batch()
        os.utime(box.spool / ".bobbin-2", (1, 1))
        tidied = box.as_user(BATCH, "prune")
        report.check(
            result.status == 0 and tidied.status == 0 and box.record("anna.json")["outcome"] == "succeeded",
            "names of temporary files and of what was set aside, taken first, block nothing",
            result.describe() + tidied.describe(),
        )
    report.figure(f"{count} of Bobbin's names taken first by others")


def after_rotation(report):
    """logrotate has moved the history away: a submitter makes a new one, or an old one with records that never were."""
    with DropBox() as box:
        box.run_batch("--spool-only")
        os.rename(box.spool / "history.jsonl", box.spool / "history.jsonl.1")
        box.shell(MALLORY, "touch $S/history.jsonl; chmod 666 $S/history.jsonl; exec 3<$S/history.jsonl")
        box.shell(ANNA, "echo 1 >$S/anna.json")
        box.expect("anna.json")
        result = box.run_batch()
        report.check(
            result.status == 0 and (box.spool / "history.jsonl").stat().st_uid == BATCH,
            "a history begun by a submitter after rotation is not written to",
            result.describe(),
        )
        report.check_oracle(box, "and the batch begins its own")
    with DropBox() as box:
        box.run_batch("--spool-only")
        box.shell(ANNA, "echo 5 >$S/anna.json")
        box.expect("anna.json")
        running = box.start("run", "--spool-only", prefix=hostile.become(BATCH))
        harness.wait_for(lambda: (box.root / "holding").exists())
        running.kill()
        running.communicate()
        (box.root / "release").touch()
        claim = box.claims()[0]
        forged_record = {
            "id": claim.id, "run": 1, "kind": "manual", "channel_id": 5, "channel": "hold", "trigger": "anna.json",
            "finished_at": "2026-01-01T00:00:00Z", "outcome": "succeeded",
        }
        far = {**forged_record, "id": 9_223_372_036_854_775_807, "run": 9_223_372_036_854_775_807}
        text = json.dumps(forged_record, separators=(",", ":")) + "\n" + json.dumps(far, separators=(",", ":")) + "\n"
        box.shell(MALLORY, f"printf %s {shlex.quote(text)} >$S/history.jsonl.1")
        box.wait_until_idle()
        box.note_fault()
        result = box.run_batch()
        report.check(
            result.status == 0 and box.ledger()[b"anna.json"] == 2 and box.record("anna.json")["attempt"] == 2,
            "a forged old history does not make a request that a crash cut short look finished",
            result.describe(),
        )
        report.check_oracle(box, "and ids go on as they were")


def crash_with_anothers_trigger(report):
    """The kernel does not tell the batch whether another user's file is being written: a crash must not be forgotten for it."""
    channels = [{"id": 5, "name": "hold", "command": ["handlers/hold"], "rerun": False}, {"id": 6, "name": "again", "command": ["handlers/hold"]}]
    for channel, wanted in (("5", [("interrupted", 1)]), ("6", [("interrupted", 3)])):
        with DropBox(channels, max_attempts=3, settle="5s") as box:
            # An object is complete as soon as it parses, and a scalar once it has been left alone for long.
            box.shell(ANNA, f"echo {channel} >$S/anna.json")
            box.expect("anna.json", once=channel == "5")
            for _ in range(4):
                (box.root / "holding").unlink(missing_ok=True)
                running = box.start("run", "--spool-only", prefix=hostile.become(BATCH))
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


def links_to_secrets(report, seconds):
    """Links under triggers' names, also such that change while the batch looks at them."""
    with DropBox() as box:
        secret = box.root / "secret"
        secret.write_bytes(b'{"channel_id":1,"user":"%s"}' % hostile.SECRET)
        os.chown(secret, BATCH, BATCH)
        secret.chmod(0o600)
        box.shell(MALLORY, f"ln -s {secret} $S/link.json; ln -s ../done $S/folder.json; ln -s ../etc/bobbin.json5 $S/configuration.json")
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
            [*hostile.become(MALLORY, [SUBMITTERS]), "python3", "-c", program, str(box.spool), str(secret), str(box.root / "release")]
        )
        deadline = time.monotonic() + seconds
        statuses = set()
        while time.monotonic() < deadline:
            result = bounded_run(box, 2)
            statuses.add(result.status)
        (box.root / "release").touch()
        swapping.wait(30)
        report.check(statuses <= {0, 1, 143}, "a trigger that changes into a link and back, over and over: every run ends", str(statuses))
        report.check(not box.leaked(), "and the secret is not read", box.leaked())
        result = box.run_batch()
        report.check(
            result.status == 0 and not box.pending() and not list((box.spool / "running").iterdir()),
            "the next run finds all in order",
            result.describe(),
        )
        records = [record for record in box.records() if record["name"] and record["name"].startswith(b"swap")]
        kinds = {record["outcome"] for record in records}
        report.check(kinds == {"succeeded", "rejected"}, "links were rejected and files run", str(kinds))
        # A file that was exchanged once more on its way has been replaced by its own submitter.
        reasons = {record["error_message"] for record in records if record["outcome"] == "rejected"}
        report.check(
            reasons <= {"a symbolic link", "replaced by a newer file of the same name"},
            "nothing but links, and what was replaced, was rejected",
            str(reasons),
        )
        report.figure(f"{len(records)} triggers exchanged for links while the batch looked at them, and back")


def bounded_run(box, seconds):
    """A run that is asked to stop after some time: new triggers may come faster than it works."""
    process = box.start("run", "--spool-only", "--quiet", prefix=hostile.become(BATCH), stdout=subprocess.DEVNULL)
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


def blocking(report):
    """What a submitter may try to keep a run from working: it goes on with everything else."""
    with DropBox() as box:
        box.shell(MALLORY, "mkdir $S/a-empty.json; mkdir -p $S/b-full.json/x; chmod 555 $S/b-full.json; mkfifo $S/c.json; truncate -s 1T $S/d.json")
        box.shell(MALLORY, "printf '{\"channel_id\":1,\"timestamp\":\"0000-01-01T00:00:00+23:59\"}' >$S/e.json; printf '\\0\\1' >$S/f.json")
        writer = subprocess.Popen(
            [*hostile.become(MALLORY, [SUBMITTERS]), "sh", "-c", "exec 3>$S/g-open.json; printf x >&3; while :; do sleep 1; done"],
            env={**os.environ, "S": str(box.spool)},
        )
        harness.wait_for(lambda: os.path.exists(box.path("g-open.json")) and os.path.getsize(box.path("g-open.json")))
        box.shell(ANNA, "echo 1 >$S/z-anna.json")
        begin = time.monotonic()
        result = box.as_user(BATCH, "run", "--spool-only", timeout=120)
        report.check(result.status in (0, 1) and time.monotonic() - begin < 100, "whatever a submitter leaves in the way, a run ends", result.describe())
        report.check(box.record("z-anna.json")["outcome"] == "succeeded", "and the others' triggers are run")
        rejected = {name: box.record(name)["outcome"] for name in ("c.json", "d.json", "f.json")}
        report.check(set(rejected.values()) == {"rejected"}, "what can be moved is rejected", str(rejected))
        for name in ("a-empty.json", "b-full.json"):
            where = "rejected" if box.record(name)["outcome"] == "rejected" else "pending"
            report.check(
                os.path.lexists(box.in_folder("rejected", name)) if where == "rejected" else os.path.lexists(box.path(name)) and name in result.err,
                f"{name}: a directory of another user is rejected, or left with a warning",
                result.describe(),
            )
        writer.kill()
        writer.wait()


# --- A batch that is not root.


def not_root(report):
    with hostile.Instance() as instance:
        instance.program_for_all()
        instance.owned_by(BATCH)
        instance.spool.chmod(0o755)
        for name, content in (("a.json", "1"), ("b.json", "3"), ("c.json", "nothing"), ("d.json", "1")):
            instance.drop(name, content, age=7200 if name == "d.json" else 0)
            os.chown(instance.path(name), BATCH, BATCH)
        report.check(instance.as_user(BATCH, "check", "--quiet").status == 0, "bobbin check has nothing to say about one user's spool")
        instance.clean_run_began = time.time()
        result = instance.as_user(BATCH, "run", "--spool-only")
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
        result = instance.as_user(BATCH, "run", "--spool-only")
        report.check(result.status == 0, "and that does not lock the batch's user out", result.describe())
        report.check_oracle(instance, "nothing is lost between the two users")


# --- bobbin check.

ONE_COMMAND = r"(?:chmod|chown|chgrp|mkdir -p) [^;,()']*'[^']*'"
COMMAND = re.compile(rf"{ONE_COMMAND}(?: && {ONE_COMMAND})*")


def spoil_modes(path, mode):
    return lambda instance: os.chmod(instance.root / path, mode)


def spoil_owner(path, user=0, group=0, mode=None):
    def spoil(instance):
        os.chown(instance.root / path, user, group)
        if mode is not None:
            os.chmod(instance.root / path, mode)

    return spoil


def drop_box_of_folders(instance):
    os.chown(instance.spool / "done", BATCH, SUBMITTERS)
    os.chmod(instance.spool / "done", 0o2770)


SPOILED = {
    "a spool that belongs to root": spoil_owner("spool"),
    "a spool that belongs to another user": spoil_owner("spool", MALLORY, MALLORY),
    "a running/ that everybody may write to": spoil_modes("spool/running", 0o777),
    "a done/ that a group may write to": spoil_modes("spool/done", 0o770),
    "a done/ of the submitters' group": drop_box_of_folders,
    "a rejected/ of another user": spoil_owner("spool/rejected", MALLORY, MALLORY),
    "a lock that everybody may take": spoil_modes("spool/scheduler.lock", 0o666),
    "a lock that everybody may read": spoil_modes("spool/scheduler.lock", 0o644),
    "a library of root": spoil_owner("library"),
    "a library that everybody may write to": spoil_modes("library", 0o777),
    "a configuration that everybody may write to": spoil_modes("etc/bobbin.json5", 0o666),
    "a program that is not executable": spoil_modes("etc/handlers/note", 0o644),
}


def checking(report):
    for label, spoil in SPOILED.items():
        with hostile.Instance() as instance:
            instance.program_for_all()
            instance.owned_by(BATCH)
            instance.as_user(BATCH, "run", "--spool-only")
            clean = instance.as_user(BATCH, "check", "--json")
            if clean.status != 0:
                report.check(False, f"check, {label}: nothing to say before", clean.describe())
                continue
            spoil(instance)
            found = instance.as_user(BATCH, "check", "--json")
            problems = json.loads(found.out)["problems"] if found.out else []
            report.check(
                found.status not in (0, None) and found.status < 128 and problems and all(problem["remedy"] for problem in problems),
                f"check finds {label}, and says what to do",
                found.describe(),
            )
            commands = [command for problem in problems for command in COMMAND.findall(problem["remedy"])[:1]]
            for command in commands:
                subprocess.run(["sh", "-c", command], check=False, capture_output=True)
            mended = instance.as_user(BATCH, "check", "--json")
            report.check(
                commands and mended.status == 0, f"and doing that mends {label}", [*commands, mended.describe(), found.out]
            )
            instance.drop("after.json", "1")
            instance.clean_run_began = time.time()
            result = instance.as_user(BATCH, "run", "--spool-only")
            report.check(result.status == 0, f"a run works after that: {label}", result.describe())
    with DropBox() as box:
        box.run_batch("--spool-only")
        result = box.as_user(BATCH, "check", "--json")
        report.check(result.status == 0, "check has nothing to say about a drop box as it should be", result.describe())
    report.figure(f"{len(SPOILED)} wrong modes and owners found and mended")


# --- Mounts.


@contextlib.contextmanager
def mounted(*arguments, on):
    subprocess.run(["mount", *map(str, arguments), str(on)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", str(on)], check=True)


def fill(instance):
    """One of each sort that a run moves."""
    instance.drop("good.json", "1")
    instance.drop("failing.json", "3")
    instance.drop("junk.json", "nothing")
    instance.drop("old.json", "1", age=7200)
    os.symlink("/etc/passwd", instance.path("link.json"))
    instance.expect("link.json")
    os.mkdir(instance.path("folder.json"))
    instance.expect("folder.json")
    instance.drop("cancelled.json", "1")


def work(report, instance, what):
    for again in ("", ", again"):
        fill(instance)
        result = instance.bobbin("cancel", "cancelled.json")
        report.check(result.status == 0, f"{what}: cancel{again}", result.describe())
        result = instance.clean_run()
        report.check(result.status == 1, f"{what}: a run{again}", result.describe())
    report.check_oracle(instance, f"{what}: nothing is lost")


def mounts(report):
    with hostile.Instance() as instance, mounted("-t", "tmpfs", "none", on=instance.spool):
        work(report, instance, "a spool on tmpfs")
    with hostile.Instance(parent=tempfile.gettempdir()) as instance:
        elsewhere = instance.root / "elsewhere"
        elsewhere.mkdir()
        with mounted("--bind", elsewhere, on=instance.spool):
            work(report, instance, "a spool that is a bind mount")
    # An overlay whose lower layer already holds triggers and folders, as in the image of a container.
    with hostile.Instance() as instance:
        layers = [instance.root / name for name in ("lower", "upper", "work")]
        for layer in layers:
            layer.mkdir()
        with mounted("--bind", layers[0], on=instance.spool):
            fill(instance)
            instance.bobbin("cancel", "cancelled.json")
            instance.clean_run()
            fill(instance)
            # The kernel does not rename a directory of the lower layer.
            os.rmdir(instance.path("folder.json"))
            instance.expected[b"folder.json"] -= 1
        options = "lowerdir={},upperdir={},workdir={}".format(*layers)
        with mounted("-t", "overlay", "overlay", "-o", options, on=instance.spool):
            instance.bobbin("cancel", "cancelled.json")
            result = instance.clean_run()
            report.check(result.status == 1, "a spool on overlay: what the lower layer holds is worked off", result.describe())
            work(report, instance, "a spool on overlay")


def crossing(report):
    """A mount between the spool and a folder that triggers are moved into: refused before anything is done."""
    count = 0
    for folder in ("running", "expired", "rejected", "cancelled"):
        for kind in ("bind", "tmpfs"):
            count += 1
            with hostile.Instance() as instance:
                instance.configure([*hostile.CHANNELS[:1]], **hostile.SETTINGS)
                instance.bobbin("run", "--spool-only")
                fill(instance)
                before = [instance.listing(), instance.ledger()]
                place = instance.spool / folder
                arguments = ("--bind", place) if kind == "bind" else ("-t", "tmpfs", "-o", "mode=0750", "none")
                with mounted(*arguments, on=place):
                    what = f"{folder}/ on another mount ({kind})"
                    for command in (("run",), ("run", "--spool-only"), ("trigger", "note"), ("cancel", "cancelled.json"), ("prune",)):
                        result = instance.bobbin(*command)
                        report.check(
                            result.status in (73, 74, 78) and "mount" in result.err and folder in result.err,
                            f"{what}: bobbin {' '.join(command)} refuses and says why",
                            result.describe(),
                        )
                    for name in instance.pending():
                        if harness.GENERATED.fullmatch(name):
                            os.unlink(instance.path(name))
                    watching = instance.bobbin("watch", timeout=5)
                    report.check(
                        watching.status in (73, 74, 78) and "mount" in watching.err, f"{what}: bobbin watch refuses, too", watching.describe()
                    )
                    result = instance.bobbin("check")
                    report.check(result.status not in (0, None) and "mount" in result.err, f"{what}: bobbin check says it", result.describe())
                report.check([instance.listing(), instance.ledger()] == before, f"{what}: nothing has been done", difference_of(before, instance))
                instance.bobbin("cancel", "cancelled.json")
                instance.clean_run()
                report.check_oracle(instance, f"{what}: without the mount all is worked off")
    for folder in ("done", "failed", "logs", "channels"):
        with hostile.Instance() as instance:
            instance.bobbin("run", "--spool-only")
            with mounted("-t", "tmpfs", "-o", "mode=0750", "none", on=instance.spool / folder):
                work(report, instance, f"{folder}/ on another mount")
    report.figure(f"{count} mounts in between refused")


def difference_of(before, instance):
    return [f"before {before[0]}", f"after {instance.listing()}", str(instance.ledger())]


def main():
    options = harness.options("access", __doc__)
    report = harness.Report("access")
    if os.geteuid() != 0:
        report.check(False, "needs root, to be several users")
        report.finish()
    adding(report)
    everything_else(report)
    forged(report)
    names_taken_first(report)
    after_rotation(report)
    crash_with_anothers_trigger(report)
    links_to_secrets(report, 60 if options.full else 4)
    blocking(report)
    not_root(report)
    checking(report)
    mounts(report)
    crossing(report)
    report.finish()


if __name__ == "__main__":
    main()
