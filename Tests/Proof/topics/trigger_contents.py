#!/usr/bin/env python3
"""Odd content: whatever a file under a trigger's name says, it becomes what the documentation says, and nothing crashes.

Tests/Proof/topics/trigger_contents.py [--full] [--seed N]
"""

import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

import harness
import hostile_instance as odd


# What each must become; None where more than one outcome is right.
DEEP = b'{"channel_id": 1, "x": ' + b"[" * 30_000 + b"]" * 30_000 + b"}"
CONTENTS = {
    "random bytes": (bytes(range(256)) * 8, "rejected"),
    "zero bytes": (b"\0" * 100, "rejected"),
    "a zero byte after an object": (b'{"channel_id":1}\0', "rejected"),
    "UTF-16, little end first": (("\ufeff" + '{"channel_id":1}').encode("utf-16-le"), "rejected"),
    "UTF-16, big end first": (("\ufeff" + '{"channel_id":1}').encode("utf-16-be"), "rejected"),
    "UTF-16 without a mark": ('{"channel_id":1}'.encode("utf-16-le"), "rejected"),
    "UTF-32": ('{"channel_id":1}'.encode("utf-32"), "rejected"),
    "a byte order mark and an object": (b'\xef\xbb\xbf{"channel_id":1}', "succeeded"),
    "a byte order mark and a scalar": (b"\xef\xbb\xbf1", "succeeded"),
    "two documents": (b'{"channel_id":1}{"channel_id":1}', "rejected"),
    "two documents on two lines": (b'{"channel_id":1}\n{"channel_id":3}\n', "rejected"),
    "two scalars": (b"1 3", "rejected"),
    "half a document": (b'{"channel_id":', "rejected"),
    "30,000 arrays in each other": (DEEP, "rejected"),
    "100,000 arrays in each other": (b"[" * 100_000, "rejected"),
    "60,000 opened objects": (b'{"a":' * 12_000, "rejected"),
    "a line feed in a field": (b'{"channel":"note\\nx"}', "rejected"),
    "an escape character in a field": (b'{"channel_id":1,"user":"\\u001b[2J"}', "rejected"),
    "a raw control character in a field": (b'{"channel_id":1,"user":"a\x1bb"}', "rejected"),
    "DEL in a field": (b'{"channel_id":1,"user":"a\\u007fb"}', "rejected"),
    "C1 in a field": (b'{"channel_id":1,"user":"a\\u009bb"}', "rejected"),
    "U+202E in a field": (b'{"channel_id":1,"user":"\\u202eanna"}', "rejected"),
    "raw U+202E in a field": ('{"channel_id":1,"user":"\u202eanna"}'.encode(), "rejected"),
    "U+2028 in a field": (b'{"channel_id":1,"user":"\\u2028anna"}', "rejected"),
    "a zero character in a field": (b'{"channel_id":1,"user":"a\\u0000b"}', "rejected"),
    "control characters in an unknown field": (b'{"channel_id":1,"note":"\\u001b\\u202e\\n"}', "succeeded"),
    "an unknown field of every sort": (
        b'{"channel_id":1,"x":[null,{"y":1e3}],"run":"rm -rf /","command":["/bin/sh"]}',
        "succeeded",
    ),
    "a number out of range": (b'{"channel_id":99999999999999999999999}', "rejected"),
    "the largest number": (b'{"channel_id":9223372036854775807}', "failed"),
    "the smallest number": (b'{"channel_id":-9223372036854775808}', "failed"),
    "a negative number": (b'{"channel_id":-1}', "failed"),
    "a negative scalar": (b"-1", "failed"),
    "1e400": (b'{"channel_id":1e400}', "rejected"),
    "1e400 alone": (b"1e400", "rejected"),
    "-1e400 in an unknown field": (b'{"channel_id":1,"x":-1e400}', None),
    "a fraction": (b'{"channel_id":1.5}', "rejected"),
    "a number as text": (b'{"channel_id":"1"}', "rejected"),
    "a truth value": (b'{"channel_id":true}', "rejected"),
    "a lone high surrogate": (b'{"channel_id":1,"user":"\\ud800"}', "rejected"),
    "a lone low surrogate": (b'{"channel":"\\udc00"}', "rejected"),
    "a surrogate encoded in UTF-8": (b'{"channel_id":1,"user":"\xed\xa0\x80"}', "rejected"),
    "overlong UTF-8": (b'{"channel_id":1,"user":"\xc0\xaf"}', "rejected"),
    "an empty object": (b"{}", "rejected"),
    "an array": (b"[1]", "rejected"),
    "an empty array": (b"[]", "rejected"),
    "null": (b"null", "rejected"),
    "true": (b"true", "rejected"),
    "null for a channel": (b'{"channel_id":null}', "rejected"),
    "an empty string": (b'""', "failed"),
    "an empty channel": (b'{"channel":""}', "failed"),
    "the same field twice": (b'{"channel_id":1,"channel_id":3}', None),
    "two names of one channel": (b'{"channel_id":1,"channel":"note"}', "succeeded"),
    "two names of two channels": (b'{"channel_id":1,"channel":"fail"}', "failed"),
    "a channel that is a path": (b'"../../../bin/sh"', "failed"),
    "a channel that is a command": (b'"$(touch pwned)"', "failed"),
    "a disabled channel": (b"6", "failed"),
    "a comment": (b"/* x */ 1", "rejected"),
    "a trailing comma": (b'{"channel_id":1,}', None),
    "a single quote": (b"{'channel_id':1}", "rejected"),
    "not a number": (b"NaN", "rejected"),
    "a leading zero": (b"01", "rejected"),
    "a plus sign": (b"+1", "rejected"),
    "a user of 2,000 bytes": (b'{"channel_id":1,"user":"' + b"x" * 2000 + b'"}', "rejected"),
    "a user that is a number": (b'{"channel_id":1,"user":7}', "rejected"),
    "a timestamp that is none": (b'{"channel_id":1,"timestamp":"yesterday"}', "rejected"),
    "a timestamp on 30 February": (b'{"channel_id":1,"timestamp":"2026-02-30T00:00:00Z"}', "rejected"),
    "a timestamp before the year 0": (
        b'{"channel_id":1,"timestamp":"0000-01-01T00:00:00+23:59"}',
        ("rejected", "expired"),
    ),
    "a timestamp in the year 0": (b'{"channel_id":1,"timestamp":"0000-01-01T00:00:00Z"}', "expired"),
    "a timestamp after the year 9999": (
        b'{"channel_id":1,"timestamp":"9999-12-31T23:59:59-23:59"}',
        ("rejected", "succeeded"),
    ),
    "a timestamp in the future": (b'{"channel_id":1,"timestamp":"9999-12-31T23:59:59Z"}', "succeeded"),
    "a timestamp of 1,000 digits": (b'{"channel_id":1,"timestamp":"2026-01-01T00:00:00.' + b"9" * 1000 + b'Z"}', None),
    "spaces only": (b" \n\t\r\n", "failed"),
    "a form feed": (b"\f", "rejected"),
    "a shell script": (b"#!/bin/sh\nexit 0\n", "rejected"),
    "60,000 fields": (
        b"{" + b",".join(b'"%d":0' % number for number in range(6_000)) + b',"channel_id":1}',
        "succeeded",
    ),
}


def contents(report):
    with odd.Instance() as instance:
        for number, (label, (content, _)) in enumerate(CONTENTS.items()):
            instance.put(f"{number:03}.json", content)
        instance.put("zz-last.json", b"1")
        odd.look(report, instance, "contents")
        result = instance.clean_run()
        report.check(result.status == 1, "a run over every content ends with 1", result.describe()[-2000:])
        for number, (label, (content, outcome)) in enumerate(CONTENTS.items()):
            record = instance.record(f"{number:03}.json")
            wanted = (
                (outcome,) if isinstance(outcome, str) else outcome or ("succeeded", "failed", "rejected", "expired")
            )
            report.check(record["outcome"] in wanted, f"content, {label}: {' or '.join(wanted)}", str(record))
            if record["outcome"] in ("rejected", "expired"):
                moved = instance.in_folder(record["outcome"], f"{number:03}.json")
                report.check(
                    os.path.exists(moved) and open(moved, "rb").read() == content, f"content, {label}: kept as it was"
                )
        report.check(instance.record("zz-last.json")["outcome"] == "succeeded", "the trigger odd.after them is run")
        report.check(not list(instance.root.rglob("pwned")), "what reads like a command is not executed")
        odd.after(report, instance, "contents")


def main():
    harness.options("trigger_contents", __doc__)
    report = harness.Report("trigger_contents")
    contents(report)
    report.figure(f"{len(CONTENTS)} contents")
    report.finish()


if __name__ == "__main__":
    main()
