#!/usr/bin/env python3
"""Locking broken: flock(2) says yes to everybody, and the lock file goes away while it is held.

The lock reduces work; the rename decides ownership (promise 9). With a preloaded library that makes every flock a
success, several batches work on one spool at once, and still no trigger is run twice and none is lost. A run whose
lock file is deleted or replaced starts nothing more.

What is not promised then: that ids are unique (they are given out under a lock), and that one job of a channel
runs at a time.

    Tests/Proof/topics/broken_locking.py [--full] [--seed N]
"""

import os
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

import harness


def dynamic_binary():
    """A program that loads its C library when it starts: the release program is static, nothing can be preloaded."""
    return harness.locate("BOBBIN_DYNAMIC_BINARY", lambda: harness.build("-c", "debug"))


def library_without_locks(folder):
    """Compiles the library to be preloaded."""
    library = pathlib.Path(folder) / "no-locks.so"
    compiler = os.environ.get("CC") or "clang"
    source = pathlib.Path(__file__).resolve().parents[1] / "no-locks.c"
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o", library, source], check=True)
    return library


class Instance(harness.Instance):
    """Its commands run with the dynamic program, and without locks where `library` is set."""

    library = None

    def command(self, *arguments, instrumented=False):
        return [dynamic_binary(), *super().command(*arguments)[1:]]

    def environment(self, extra=None):
        preloaded = {"LD_PRELOAD": str(self.library)} if self.library else {}
        return super().environment({**preloaded, **(extra or {})})

    def duplicate_ids(self, records):
        return []

    def problems_of_result(self, name, folder, records):
        return []


def check_that_locks_are_broken(report, library):
    """The test of the test: two runs at once, which a lock would not allow."""
    with Instance() as instance:
        instance.library = library
        instance.configure(channels=[{"id": 5, "name": "hold", "command": ["handlers/hold"]}])
        instance.drop("a.json", "5")
        first = instance.start("run", "--spool-only")
        report.check(harness.wait_for(lambda: (instance.root / "holding").exists()), "without locks: a run is on")
        second = instance.bobbin("run", "--spool-only", "--json")
        report.check('"completed"' in second.out, "without locks: a second one begins all the same", second.describe())
        report.check(instance.ledger()[b"a.json"] == 1, "and leaves alone what the first, which lives, has claimed")
        (instance.root / "release").touch()
        first.communicate(timeout=30)
        instance.clean_run()
        report.check_oracle(instance, "without locks: a long job is run once", second.describe())


def many_batches(report, library, rounds, triggers, batches, chance):
    ids = executed = 0
    for number in range(rounds):
        with Instance() as instance:
            instance.library = library
            for index in range(triggers):
                instance.drop(
                    f"{index:05}.json", chance.choice(["1", "1", "2", "3", '{"channel":"note"}', "no trigger", "99"])
                )
            old = [f"old-{index}.json" for index in range(triggers // 10)]
            for name in old:
                instance.drop(name, "1", age=7200)
            running = [instance.start("run", "--spool-only", "--quiet") for _ in range(batches)]
            late = [f"late-{index}.json" for index in range(triggers // 10)]
            for name in late:
                instance.drop(name, "1")
            ended = [process.communicate(timeout=120) + (process.returncode,) for process in running]
            unexpected = [end for end in ended if end[2] not in (0, 1)]
            instance.library = None
            instance.clean_run()
            report.check(
                not unexpected,
                f"without locks, round {number + 1}: every batch ends",
                [str(end)[-1500:] for end in unexpected],
            )
            report.check_oracle(
                instance, f"without locks, round {number + 1}: {batches} batches run no trigger twice and lose none"
            )
            records = instance.records()
            ids += len(records) - len({record["id"] for record in records})
            executed += sum(instance.ledger().values())
    report.figure(
        f"{rounds} rounds of {batches} batches without locks, {executed} jobs, none run twice; {ids} ids given twice"
    )


def crash_without_locks(report, library, rounds):
    """A batch is killed while another works: what it had claimed is finished by a later run, and by one only."""
    for number in range(rounds):
        with Instance() as instance:
            instance.library = library
            for index in range(60):
                instance.drop(f"{index:05}.json", "1")
            victim = instance.start("run", "--spool-only", "--quiet")
            others = [instance.start("run", "--spool-only", "--quiet") for _ in range(2)]
            harness.wait_for(lambda: sum(instance.ledger().values()) > 5 + number)
            victim.kill()
            victim.communicate()
            for other in others:
                other.communicate(timeout=60)
            # What the victim had claimed without a record is found by one of the others, at whatever moment: any may be
            # run a second time for it, none a third time. The next two recover at once.
            instance.note_fault()
            instance.cut.update(instance.expected)
            recovering = [instance.start("run", "--spool-only", "--quiet") for _ in range(2)]
            for process in recovering:
                process.communicate(timeout=60)
            instance.library = None
            instance.clean_run()
            report.check_oracle(instance, f"without locks, one batch killed, round {number + 1}: nothing is lost")


def lock_file_gone(report, how, remove):
    with harness.Instance(
        channels=[
            {"id": 1, "name": "note", "command": ["handlers/note"]},
            {"id": 5, "name": "hold", "command": ["handlers/hold"]},
        ]
    ) as instance:
        instance.drop("a.json", "5")
        for index in range(5):
            instance.drop(f"b{index}.json", "1")
        first = instance.start("run", "--spool-only")
        report.check(harness.wait_for(lambda: (instance.root / "holding").exists()), f"lock file {how}: a job runs")
        remove(instance.spool / "scheduler.lock")
        second = instance.start("run", "--spool-only")
        report.check(
            harness.wait_for(lambda: instance.ledger()[b"b0.json"] or second.poll() is not None),
            f"lock file {how}: another run can begin; it takes the new file's lock",
        )
        _, second_said = second.communicate(timeout=60)
        before = instance.ledger()
        instance.drop("c.json", "1")
        (instance.root / "release").touch()
        _, said = first.communicate(timeout=60)
        report.check(
            first.returncode not in (0, 1) and b"lock" in said and b"removed or replaced" in said,
            f"lock file {how}: the run that held it notices, says so and ends",
            f"status {first.returncode}\n{said.decode()}",
        )
        after = instance.ledger()
        report.check(after == before, f"lock file {how}: it starts nothing more", f"{before} {after}")
        instance.clean_run()
        report.check_oracle(
            instance, f"lock file {how}: no trigger is run twice, none is lost", second_said.decode(), said.decode()
        )


def replace(path):
    new = path.with_name(".new-lock")
    new.touch()
    os.rename(new, path)


def truncate_note(report):
    """Somebody empties or scribbles over the note in the lock file: it is only a note."""
    for content in (b"", b"\xff\x00junk", b'{"pid":1}', b"9" * 100_000):
        with harness.Instance() as instance:
            instance.configure(channels=[{"id": 5, "name": "hold", "command": ["handlers/hold"]}])
            instance.drop("a.json", "5")
            first = instance.start("run", "--spool-only")
            harness.wait_for(lambda: (instance.root / "holding").exists())
            (instance.spool / "scheduler.lock").write_bytes(content)
            for arguments in (("status",), ("run", "--wait", "1ms"), ("trigger", "hold", "--json")):
                result = instance.bobbin(*arguments)
                report.check(
                    result.status in (0, 75),
                    f"a note of {content[:10]!r}: bobbin {arguments[0]} copes",
                    result.describe(),
                )
            (instance.root / "release").touch()
            first.communicate(timeout=30)
            for name in instance.pending():
                instance.expect(name)
            for path in (instance.spool / "done").glob("2*.json"):
                instance.expect(path.name)
            instance.clean_run()
            report.check_oracle(instance, f"a note of {content[:10]!r}: nothing is lost")


def main():
    options = harness.options("broken_locking", __doc__)
    report = harness.Report("broken_locking")
    with tempfile.TemporaryDirectory() as folder:
        library = library_without_locks(folder)
        check_that_locks_are_broken(report, library)
        if options.full:
            many_batches(report, library, 40, 300, 4, options.random)
            crash_without_locks(report, library, 40)
        else:
            many_batches(report, library, 3, 100, 2, options.random)
            many_batches(report, library, 2, 100, 4, options.random)
            crash_without_locks(report, library, 4)
    lock_file_gone(report, "deleted", os.unlink)
    lock_file_gone(report, "replaced", replace)
    truncate_note(report)
    report.finish()


if __name__ == "__main__":
    main()
