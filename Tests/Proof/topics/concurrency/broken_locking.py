#!/usr/bin/env python3
"""Breaks locking: flock(2) always succeeds, and the lock file disappears while it is held.

The lock saves work, and the rename decides ownership (promise 9). With a preloaded library that makes every flock
succeed, several batches process one spool at once, and still no trigger is run twice or lost. A run whose lock file
is deleted or replaced does not start another job.

Without locks two things are not promised: that ids are unique, because ids are given out under a lock, and that only
one job of a channel runs at a time.

    Tests/Proof/topics/concurrency/broken_locking.py [--full] [--seed N]
"""

import os
import pathlib
import subprocess
import sys
import tempfile

LIB = pathlib.Path(__file__).resolve().parents[2] / "lib"
sys.path[:0] = [str(LIB), str(LIB / "faults"), str(LIB / "samples")]

import binaries
import jobs
import topic
from instance import Instance
from processes import wait_for


def library_without_locks(folder):
    """Compiles the library that is to be preloaded."""
    library = pathlib.Path(folder) / "no-locks.so"
    compiler = os.environ.get("CC") or "clang"
    source = binaries.PROOF / "no-locks.c"
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o", library, source], check=True)
    return library


class LocklessInstance(Instance):
    """An instance whose commands run without locks, until `restore_locks`."""

    def __init__(self, library, *arguments):
        super().__init__(*arguments)
        self.library = library
        self.oracle.ids_are_unique = False

    def restore_locks(self):
        self.library = None

    def command(self, *arguments, instrumented=False):
        return [binaries.dynamic_binary(), *super().command(*arguments)[1:]]

    def environment(self, extra=None):
        preloaded = {"LD_PRELOAD": str(self.library)} if self.library else {}
        return super().environment({**preloaded, **(extra or {})})


def check_that_locks_are_broken(report, library):
    """Checks that the preloaded library works: two runs are active at once, which a lock would not allow."""
    with LocklessInstance(library, [jobs.HOLD_CHANNEL]) as instance:
        instance.drop("a.json", "5")
        first = instance.start("run", "--spool-only")
        report.check(instance.wait_for_held_job(), "without locks, a run starts a job")
        second = instance.bobbin("run", "--spool-only", "--json")
        report.check('"completed"' in second.out, "without locks, a second run begins meanwhile", second.describe())
        report.check(instance.ledger()[b"a.json"] == 1, "the second run leaves the claim of a living run alone")
        instance.release_jobs()
        first.communicate(timeout=30)
        instance.clean_run()
        report.check_oracle(instance, "without locks, a long job is run once", second.describe())


def check_many_batches(report, library, rounds, triggers, batches, chance):
    duplicate_ids = executed = 0
    for number in range(rounds):
        with LocklessInstance(library) as instance:
            for index in range(triggers):
                instance.drop(
                    f"{index:05}.json", chance.choice(["1", "1", "2", "3", '{"channel":"note"}', "no trigger", "99"])
                )
            for index in range(triggers // 10):
                instance.drop(f"old-{index}.json", "1", age=7200)
            running = [instance.start("run", "--spool-only", "--quiet") for _ in range(batches)]
            for index in range(triggers // 10):
                instance.drop(f"late-{index}.json", "1")
            ended = [process.communicate(timeout=120) + (process.returncode,) for process in running]
            unexpected = [end for end in ended if end[2] not in (0, 1)]
            instance.restore_locks()
            instance.clean_run()
            where = f"without locks, round {number + 1} of {batches} batches"
            report.check(
                not unexpected, f"{where}: every batch ends with 0 or 1", [str(end)[-1500:] for end in unexpected]
            )
            report.check_oracle(instance, f"{where}: no trigger is run twice or lost")
            records = instance.records()
            duplicate_ids += len(records) - len({record["id"] for record in records})
            executed += sum(instance.ledger().values())
    report.figure(
        f"{rounds} rounds of {batches} batches without locks, {executed} jobs, none run twice; "
        f"{duplicate_ids} ids given twice"
    )


def check_crash_without_locks(report, library, rounds):
    """Kills a batch while others are active: only one later run finishes its claims."""
    for number in range(rounds):
        with LocklessInstance(library) as instance:
            for index in range(60):
                instance.drop(f"{index:05}.json", "1")
            victim = instance.start("run", "--spool-only", "--quiet")
            others = [instance.start("run", "--spool-only", "--quiet") for _ in range(2)]
            wait_for(lambda: sum(instance.ledger().values()) > 5 + number)
            victim.kill()
            victim.communicate()
            for other in others:
                other.communicate(timeout=60)
            # RACE: one of the other batches may find the victim's claims without a record at any time. So any trigger
            # may be run a second time, but not a third time. The next two runs recover at the same time.
            instance.note_fault()
            instance.oracle.cut_short.update(instance.oracle.expected)
            recovering = [instance.start("run", "--spool-only", "--quiet") for _ in range(2)]
            for process in recovering:
                process.communicate(timeout=60)
            instance.restore_locks()
            instance.clean_run()
            report.check_oracle(instance, f"without locks, round {number + 1} with a killed batch: no trigger is lost")


def check_lock_file_gone(report, how, remove):
    where = f"if the lock file is {how}"
    with Instance([jobs.NOTE_CHANNEL, jobs.HOLD_CHANNEL]) as instance:
        instance.drop("a.json", "5")
        for index in range(5):
            instance.drop(f"b{index}.json", "1")
        first = instance.start("run", "--spool-only")
        report.check(instance.wait_for_held_job(), f"a run starts a job before the lock file is {how}")
        remove(instance.lock_path)
        second = instance.start("run", "--spool-only")
        report.check(
            wait_for(lambda: instance.ledger()[b"b0.json"] or second.poll() is not None),
            f"{where}, another run can begin and takes the lock of the new file",
        )
        _, second_errors = second.communicate(timeout=60)
        before = instance.ledger()
        instance.drop("c.json", "1")
        instance.release_jobs()
        _, errors = first.communicate(timeout=60)
        report.check(
            first.returncode not in (0, 1) and b"lock" in errors and b"removed or replaced" in errors,
            f"{where}, the run that held the lock notices, reports it and ends",
            f"status {first.returncode}\n{errors.decode()}",
        )
        after = instance.ledger()
        report.check(after == before, f"{where}, the run that held it does not start another job", f"{before} {after}")
        instance.clean_run()
        report.check_oracle(
            instance, f"{where}, no trigger is run twice or lost", second_errors.decode(), errors.decode()
        )


def replace(path):
    new = path.with_name(".new-lock")
    new.touch()
    os.rename(new, path)


def check_damaged_note(report):
    """Empties or overwrites the note in the lock file, which is only for information."""
    for content in (b"", b"\xff\x00junk", b'{"pid":1}', b"9" * 100_000):
        note = f"a note of {content[:10]!r}" if content else "an empty note"
        with Instance([jobs.HOLD_CHANNEL]) as instance:
            instance.drop("a.json", "5")
            first = instance.start("run", "--spool-only")
            instance.wait_for_held_job()
            instance.lock_path.write_bytes(content)
            for arguments in (("status",), ("run", "--wait", "1ms"), ("trigger", "hold", "--json")):
                result = instance.bobbin(*arguments)
                report.check(
                    result.status in (0, 75),
                    f"{note} in the lock file does not disturb `bobbin {arguments[0]}`",
                    result.describe(),
                )
            instance.release_jobs()
            first.communicate(timeout=30)
            for name in instance.pending():
                instance.expect(name)
            for path in (instance.spool / "done").glob("2*.json"):
                instance.expect(path.name)
            instance.clean_run()
            report.check_oracle(instance, f"{note} in the lock file loses no trigger")


def main():
    options, report = topic.begin(__doc__)
    with tempfile.TemporaryDirectory() as folder:
        library = library_without_locks(folder)
        check_that_locks_are_broken(report, library)
        if options.full:
            check_many_batches(report, library, 40, 300, 4, options.random)
            check_crash_without_locks(report, library, 40)
        else:
            check_many_batches(report, library, 3, 100, 2, options.random)
            check_many_batches(report, library, 2, 100, 4, options.random)
            check_crash_without_locks(report, library, 4)
    check_lock_file_gone(report, "deleted", os.unlink)
    check_lock_file_gone(report, "replaced", replace)
    check_damaged_note(report)
    report.finish()


if __name__ == "__main__":
    main()
