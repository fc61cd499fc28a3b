#!/usr/bin/env python3
"""Odd names: bytes that are no text, that drive a terminal, that read like an option, a command or another name.

Each is found, run and recorded under its own bytes, and shown with nothing in it that could disturb.

    Tests/Proof/topics/trigger_names.py [--full] [--seed N]
"""

import base64
import json
import os
import pathlib
import stat
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

import harness
import hostile_instance as odd


NAMES = {
    "255 bytes": b"a" * 250 + b".json",
    "255 bytes of two-byte letters": "é".encode() * 125 + b".json",
    "the longest that is claimed": b"b" * (odd.LONGEST_CLAIM - 5) + b".json",
    "a byte longer than that": b"c" * (odd.LONGEST_CLAIM - 4) + b".json",
    "a line feed": b"line\nfeed.json",
    "a forged log line": b"x\n2026-01-01T00:00:00.000Z error forged=1.json",
    "a carriage return": b"good\rbad.json",
    "ESC": b"\x1b]0;owned\x07\x1b[2J.json",
    "DEL and BEL": b"\x7f\x07.json",
    "C1": "\u0085\u009b31m.json".encode(),
    "U+202E": "\u202egpj.json".encode(),
    "U+2028": "a\u2028b.json".encode(),
    "a zero-width mark": "a\ufeff.json".encode(),
    "invalid UTF-8": b"\xff\xfe\x80.json",
    "half a character": b"caf\xc3.json",
    "invalid UTF-8, another one": b"caf\xc4.json",
    "a surrogate": b"\xed\xa0\x80.json",
    "composed": "caf\u00e9.json".encode(),
    "decomposed": "cafe\u0301.json".encode(),
    "a leading dash": b"-rf.json",
    "an option": b"--help.json",
    "a command": b"$(touch pwned).json",
    "a command in back quotes": b"`touch pwned`.json",
    "a semicolon": b"1;touch pwned;.json",
    "quotation marks": b"'\"'.json",
    "a backslash": b"back\\slash\\n.json",
    "a format": b"%s%n%d.json",
    "a pattern": b"*.json",
    "spaces": b"  two  spaces  .json",
    "only a space": b" .json",
    "a tab": b"\t.json",
    "a claim's name": b"5.1.x.json",
    "a claim's step": b"7.rejected.x.json",
    "a number appended": b"x.json.2.json",
    "two endings": b"x.json.json",
    "a name that is a number": b"99999999999999999999999999.json",
    "a time and nothing": b"20260131T103000Z-.json",
    "a time before all times": b"00000101T000000Z-1.json",
    "a time odd.after all times": b"99991231T235959Z-1.json",
    "no time, though it looks so": b"20261331T256199Z-1.json",
    "one of Bobbin's own": b"history.jsonl.json",
    "an emoji": "\U0001f3a5.json".encode(),
}
# Not triggers by their names: left alone.
IGNORED = (
    b"..json",
    b".json",
    b".hidden.json",
    b"...json",
    b"x.JSON",
    b"x.jso",
    b"x.json~",
    b"x.json.swp",
    b"json",
    "x.json\u200b".encode(),
)


def names(report):
    for content, label in ((b"1", "a channel inside"), (b"", "empty")):
        with odd.Instance() as instance:
            for name in NAMES.values():
                instance.put(name, content)
            for name in IGNORED:
                with open(instance.path(name), "wb") as file:
                    file.write(b"1")
            what = f"names, {label}"
            odd.look(report, instance, what)
            result = instance.clean_run()
            report.check(result.status in (0, 1), f"{what}: the run ends", result.describe()[-2000:])
            for described, name in NAMES.items():
                record = instance.record(name)
                if name.startswith((b"0000", b"20260131")):
                    wanted = ("expired",) if content else ("expired", "rejected")
                elif len(name) > odd.LONGEST_CLAIM:
                    wanted = ("rejected",)
                elif content:
                    wanted = ("succeeded",)
                else:
                    wanted = ("failed", "rejected", "succeeded")
                report.check(
                    record["outcome"] in wanted,
                    f"{what}, {described}: {' or '.join(wanted)}, under its own bytes",
                    f"{name!r}: {record}",
                )
            report.check(
                all(os.path.exists(instance.path(name)) for name in IGNORED), f"{what}: what is no trigger stays"
            )
            raw = [json.loads(line) for line in open(instance.spool / "history.jsonl", "rb")]
            kept = {base64.b64decode(record["trigger_b64"]) for record in raw if record.get("trigger_b64")}
            invalid = {name for name in NAMES.values() if not is_text(name)}
            report.check(
                kept == invalid,
                f"{what}: trigger_b64 has the bytes of those that are not UTF-8, and no others",
                f"{kept ^ invalid}",
            )
            report.check(not list(instance.root.rglob("pwned")), f"{what}: no name is executed")
            odd.after(report, instance, what)


def is_text(name):
    try:
        name.decode()
    except UnicodeDecodeError:
        return False
    return True


def names_taken(report):
    """Names that are taken where files end."""
    with odd.Instance() as instance:
        long = b"l" * 250 + b".json"
        instance.bobbin("run", "--spool-only")
        for taken in (b"same.json", b"same.json.3", long):
            with open(instance.in_folder("rejected", taken), "wb") as file:
                file.write(b"earlier")
        for round_number in range(3):
            instance.put(b"same.json", b"no trigger %d" % round_number)
            instance.put(long, b"1")
            instance.clean_run()
        folder = instance.spool / "rejected"
        report.check(
            {path.name: path.read_bytes() for path in folder.glob("same*")}
            == {
                "same.json": b"earlier",
                "same.json.2": b"no trigger 0",
                "same.json.3": b"earlier",
                "same.json.4": b"no trigger 1",
                "same.json.5": b"no trigger 2",
            },
            "a name taken in rejected/ gets the next free number; nothing is replaced",
            sorted(path.name for path in folder.glob("same*")),
        )
        cut = {name for name in os.listdir(os.fsencode(folder)) if name.startswith(b"lll")}
        report.check(
            cut == {long, long[:253] + b".2", long[:253] + b".3", long[:253] + b".4"},
            "one of 255 bytes is cut to make room for the number",
            map(repr, cut),
        )
        # A directory in the way, and a name equal to one in done/ that is not a file.
        instance.put("1.json")
        os.mkdir(instance.in_folder("rejected", "fifo.json"))
        os.mkfifo(instance.path("fifo.json"))
        instance.expect("fifo.json")
        instance.clean_run()
        report.check(
            stat.S_ISFIFO(os.stat(instance.in_folder("rejected", "fifo.json.2")).st_mode),
            "a directory that has the name in rejected/ is no exception",
        )


def while_running(report):
    """What shows of a hostile name while its job runs, and of a job's own output."""
    with odd.Instance() as instance:
        instance.put(NAMES["ESC"], b"5")
        instance.put(b"shout-\n\xff.json", b"4")
        instance.put(b"zz\r\xe2\x80\xae.json", b"no trigger \x1b[2J")
        running = instance.start("run", "--spool-only", "--json")
        report.check(harness.wait_for(lambda: (instance.root / "holding").exists()), "a job of a hostile name runs")
        harness.wait_for(lambda: "job " in instance.bobbin("status").out, 5)
        for arguments in (("status",), ("status", "--json"), ("queue",), ("run", "--wait", "1ms"), ("trigger", "note")):
            shown = odd.on_terminal(instance, *arguments)
            report.check(
                shown and not odd.DISTURBING.search(shown),
                f"bobbin {arguments[0]} on a terminal, while it runs",
                repr(shown[:400]),
            )
        for name in instance.pending():
            if harness.GENERATED.fullmatch(name):
                instance.expect(name)
        (instance.root / "release").touch()
        out, err = running.communicate(timeout=60)
        instance.written.append(harness.Result(0, out.decode(), err.decode(), 0))
        shouted = instance.record(b"shout-\n\xff.json")
        report.check(
            "red" in str(shouted["error_message"]), "what a job said on standard error is in its record", str(shouted)
        )
        for arguments in (("log", str(shouted.get("id"))), ("history",), ("history", "--json"), ("status",)):
            shown = odd.on_terminal(instance, *arguments)
            report.check(
                shown and not odd.DISTURBING.search(shown),
                f"bobbin {' '.join(arguments)} on a terminal",
                repr(shown[:400]),
            )
        raw = subprocess.run(instance.command("log", str(shouted.get("id"))), capture_output=True, check=False).stdout
        report.check(b"\x1b]0;owned\x07" in raw, "into a pipe the log goes as the job wrote it", repr(raw))
        for name in (NAMES["ESC"], "caf\u00e9.json".encode()):
            instance.put(name, b"1")
            result = instance.bobbin("cancel", os.fsdecode(name))
            report.check(
                result.status == 0 and instance.record(name)["outcome"] == "cancelled",
                f"{name!r} can be cancelled",
                result.describe(),
            )
        result = instance.bobbin("trigger", "note", "--user", "\x1b[31m\u202e")
        report.check(result.status == 64, "bobbin trigger takes no user that disturbs", result.describe())
        instance.clean_run()
        instance.expected.clear()
        problems = instance.undisciplined()
        report.check(not problems, "while a job runs: one line an event", problems)


def main():
    harness.options("trigger_names", __doc__)
    report = harness.Report("trigger_names")
    for topic in (names, names_taken, while_running):
        topic(report)
    report.figure(f"{len(NAMES)} names, each with content and empty")
    report.finish()


if __name__ == "__main__":
    main()
