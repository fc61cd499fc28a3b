#!/usr/bin/env python3
"""Mounts file systems on a spool or in a spool: bind mount, tmpfs, overlay.

If renames would cross a mount, a run refuses to start, says why, and does not change anything. This topic needs root.

    Tests/Proof/topics/crashes/mounts.py [--full] [--seed N]
"""

import contextlib
import os
import pathlib
import subprocess
import sys
import tempfile

LIB = pathlib.Path(__file__).resolve().parents[2] / "lib"
sys.path[:0] = [str(LIB), str(LIB / "faults"), str(LIB / "samples")]

import hostile_instance
import layout
import topic
from hostile_instance import HostileInstance


@contextlib.contextmanager
def mounted(*arguments, on):
    subprocess.run(["mount", *map(str, arguments), str(on)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", str(on)], check=True)


@contextlib.contextmanager
def overlay(layers, on):
    options = "lowerdir={},upperdir={},workdir={}".format(*layers)
    with mounted("-t", "overlay", "overlay", "-o", options, on=on):
        yield


def make_layers(instance):
    """The lower, the upper and the work directory of an overlay."""
    layers = [instance.root / name for name in ("lower", "upper", "work")]
    for layer in layers:
        layer.mkdir()
    return layers


def drop_all_kinds(instance):
    """Drops one trigger for each final folder, and files that cannot be triggers."""
    instance.drop("good.json", "1")
    instance.drop("failing.json", "3")
    instance.drop("junk.json", "not a trigger")
    instance.drop("old.json", "1", age=7200)
    os.symlink("/etc/passwd", instance.path("link.json"))
    instance.expect("link.json")
    os.mkdir(instance.path("folder.json"))
    instance.expect("folder.json")
    instance.drop("cancelled.json", "1")


def check_working(report, instance, spool):
    """Drains a spool twice, because only the second run finds folders and a history."""
    for order in ("first", "second"):
        drop_all_kinds(instance)
        result = instance.bobbin("cancel", "cancelled.json")
        report.check(result.status == 0, f"the {order} `bobbin cancel` works in {spool}", result.describe())
        result = instance.clean_run()
        report.check(result.status == 1, f"the {order} run drains {spool}", result.describe())
    report.check_oracle(instance, f"no trigger is lost in {spool}")


def check_spool_on_mount(report):
    with HostileInstance() as instance, mounted("-t", "tmpfs", "none", on=instance.spool):
        check_working(report, instance, "a spool on tmpfs")
    with HostileInstance(parent=tempfile.gettempdir()) as instance:
        elsewhere = instance.root / "elsewhere"
        elsewhere.mkdir()
        with mounted("--bind", elsewhere, on=instance.spool):
            check_working(report, instance, "a spool that is a bind mount")


def check_overlay(report):
    """Drains an overlay whose lower layer already holds triggers and folders, as in the image of a container."""
    with HostileInstance() as instance:
        layers = make_layers(instance)
        with mounted("--bind", layers[0], on=instance.spool):
            drop_all_kinds(instance)
            instance.bobbin("cancel", "cancelled.json")
            instance.clean_run()
            drop_all_kinds(instance)
            # The kernel does not rename a directory of the lower layer (see `check_directory_in_lower_layer`).
            os.rmdir(instance.path("folder.json"))
            instance.oracle.expected[b"folder.json"] -= 1
        with overlay(layers, on=instance.spool):
            instance.bobbin("cancel", "cancelled.json")
            result = instance.clean_run()
            report.check(result.status == 1, "a run drains the lower layer of an overlay", result.describe())
            check_working(report, instance, "a spool on overlay")


def check_directory_in_lower_layer(report):
    """Checks that a directory in the lower layer, which cannot be renamed (EXDEV), does not block other triggers."""
    with HostileInstance() as instance:
        layers = make_layers(instance)
        (layers[0] / "a-folder.json").mkdir()
        with overlay(layers, on=instance.spool):
            instance.drop("b.json", "1")
            result = instance.clean_run()
            report.check(
                result.status == 1
                and "a-folder.json" in result.err
                and instance.outcome("b.json") == "succeeded",
                "a run warns about a directory in the lower layer of an overlay, and drains the rest",
                result.describe(),
            )
            with contextlib.suppress(OSError):
                os.rmdir(instance.path("a-folder.json"))
            instance.clean_run()
            report.check_oracle(instance, "no trigger is lost once that directory is gone")


def check_refusal(report, instance, where, folder):
    """Checks that every command that would move triggers refuses to."""
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
            f"`bobbin {' '.join(command)}` refuses and says why, with {where}",
            result.describe(),
        )
    for name in instance.pending():
        if layout.GENERATED_NAME.fullmatch(name):
            os.unlink(instance.path(name))
    result = instance.bobbin("watch", timeout=5)
    report.check(
        result.status in (73, 74, 78) and "mount" in result.err,
        f"`bobbin watch` refuses and says why, with {where}",
        result.describe(),
    )
    result = instance.bobbin("check")
    report.check(
        result.status not in (0, None) and "mount" in result.err,
        f"`bobbin check` reports {where}",
        result.describe(),
    )


def check_mounts_in_between(report):
    """Checks that a mount between the spool and a folder for moved triggers is refused, and that nothing is changed."""
    count = 0
    for folder in ("running", *layout.RETIRED_FOLDERS):
        for kind in ("bind", "tmpfs"):
            count += 1
            with HostileInstance() as instance:
                instance.configure([*hostile_instance.CHANNELS[:1]], **hostile_instance.SETTINGS)
                instance.bobbin("run", "--spool-only")
                drop_all_kinds(instance)
                before = [instance.listing(), instance.ledger()]
                place = instance.spool / folder
                arguments = ("--bind", place) if kind == "bind" else ("-t", "tmpfs", "-o", "mode=0750", "none")
                where = f"{folder}/ on another mount ({kind})"
                with mounted(*arguments, on=place):
                    check_refusal(report, instance, where, folder)
                after = [instance.listing(), instance.ledger()]
                report.check(
                    after == before, f"nothing is done with {where}", [f"before {before}", f"after {after}"]
                )
                instance.bobbin("cancel", "cancelled.json")
                instance.clean_run()
                report.check_oracle(instance, f"everything is drained without {where}")
    report.figure(f"{count} mounts in between refused")


def check_allowed_mounts(report):
    """Checks that folders of results and logs, which are written and not moved, may be on other mounts."""
    for folder in (*layout.RESULT_FOLDERS, "logs", "channels"):
        with HostileInstance() as instance:
            instance.bobbin("run", "--spool-only")
            with mounted("-t", "tmpfs", "-o", "mode=0750", "none", on=instance.spool / folder):
                check_working(report, instance, f"a spool with {folder}/ on another mount")


def main():
    _, report = topic.begin(__doc__)
    report.require_root()
    check_spool_on_mount(report)
    check_overlay(report)
    check_directory_in_lower_layer(report)
    check_mounts_in_between(report)
    check_allowed_mounts(report)
    report.finish()


if __name__ == "__main__":
    main()
