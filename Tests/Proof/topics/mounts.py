#!/usr/bin/env python3
"""Where a spool may be mounted: bind mount, tmpfs, overlay. Where renames would cross a mount, a run refuses to start and
says why, and nothing is done. Needs root.

    Tests/Proof/topics/mounts.py [--full] [--seed N]
"""

import contextlib
import os
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

import harness
import hostile_instance as odd


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
    with odd.Instance() as instance, mounted("-t", "tmpfs", "none", on=instance.spool):
        work(report, instance, "a spool on tmpfs")
    with odd.Instance(parent=tempfile.gettempdir()) as instance:
        elsewhere = instance.root / "elsewhere"
        elsewhere.mkdir()
        with mounted("--bind", elsewhere, on=instance.spool):
            work(report, instance, "a spool that is a bind mount")
    # An overlay whose lower layer already holds triggers and folders, as in the image of a container.
    with odd.Instance() as instance:
        layers = [instance.root / name for name in ("lower", "upper", "work")]
        for layer in layers:
            layer.mkdir()
        with mounted("--bind", layers[0], on=instance.spool):
            fill(instance)
            instance.bobbin("cancel", "cancelled.json")
            instance.clean_run()
            fill(instance)
            # The kernel does not rename a directory of the lower layer: see `directory_below`.
            os.rmdir(instance.path("folder.json"))
            instance.expected[b"folder.json"] -= 1
        options = "lowerdir={},upperdir={},workdir={}".format(*layers)
        with mounted("-t", "overlay", "overlay", "-o", options, on=instance.spool):
            instance.bobbin("cancel", "cancelled.json")
            result = instance.clean_run()
            report.check(
                result.status == 1, "a spool on overlay: what the lower layer holds is worked off", result.describe()
            )
            work(report, instance, "a spool on overlay")
    directory_below(report)


def directory_below(report):
    """A directory in the lower layer of an overlay cannot be renamed (EXDEV): it stays, and keeps nothing else waiting."""
    with odd.Instance() as instance:
        layers = [instance.root / name for name in ("lower", "upper", "work")]
        for layer in layers:
            layer.mkdir()
        (layers[0] / "a-folder.json").mkdir()
        with mounted(
            "-t", "overlay", "overlay", "-o", "lowerdir={},upperdir={},workdir={}".format(*layers), on=instance.spool
        ):
            instance.drop("b.json", "1")
            result = instance.clean_run()
            report.check(
                result.status == 1
                and "a-folder.json" in result.err
                and instance.record("b.json")["outcome"] == "succeeded",
                "a directory in the lower layer of an overlay is warned about, and the rest is worked off",
                result.describe(),
            )
            with contextlib.suppress(OSError):
                os.rmdir(instance.path("a-folder.json"))
            instance.clean_run()
            report.check_oracle(instance, "and once it is gone all is in order")


def crossing(report):
    """A mount between the spool and a folder that triggers are moved into: refused before anything is done."""
    count = 0
    for folder in ("running", "expired", "rejected", "cancelled"):
        for kind in ("bind", "tmpfs"):
            count += 1
            with odd.Instance() as instance:
                instance.configure([*odd.CHANNELS[:1]], **odd.SETTINGS)
                instance.bobbin("run", "--spool-only")
                fill(instance)
                before = [instance.listing(), instance.ledger()]
                place = instance.spool / folder
                arguments = ("--bind", place) if kind == "bind" else ("-t", "tmpfs", "-o", "mode=0750", "none")
                with mounted(*arguments, on=place):
                    what = f"{folder}/ on another mount ({kind})"
                    for command in (
                        ("run",),
                        ("run", "--spool-only"),
                        ("trigger", "note"),
                        ("cancel", "cancelled.json"),
                        ("prune",),
                    ):
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
                        watching.status in (73, 74, 78) and "mount" in watching.err,
                        f"{what}: bobbin watch refuses, too",
                        watching.describe(),
                    )
                    result = instance.bobbin("check")
                    report.check(
                        result.status not in (0, None) and "mount" in result.err,
                        f"{what}: bobbin check says it",
                        result.describe(),
                    )
                report.check(
                    [instance.listing(), instance.ledger()] == before,
                    f"{what}: nothing has been done",
                    difference_of(before, instance),
                )
                instance.bobbin("cancel", "cancelled.json")
                instance.clean_run()
                report.check_oracle(instance, f"{what}: without the mount all is worked off")
    for folder in ("done", "failed", "logs", "channels"):
        with odd.Instance() as instance:
            instance.bobbin("run", "--spool-only")
            with mounted("-t", "tmpfs", "-o", "mode=0750", "none", on=instance.spool / folder):
                work(report, instance, f"{folder}/ on another mount")
    report.figure(f"{count} mounts in between refused")


def difference_of(before, instance):
    return [f"before {before[0]}", f"after {instance.listing()}", str(instance.ledger())]


def main():
    harness.options("mounts", __doc__)
    report = harness.Report("mounts")
    if os.geteuid() != 0:
        report.check(False, "needs root, to be several users")
        report.finish()
    mounts(report)
    crossing(report)
    report.finish()


if __name__ == "__main__":
    main()
