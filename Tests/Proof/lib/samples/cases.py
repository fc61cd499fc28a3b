"""Random cases for the fuzz test: the same seed makes the same case."""

import base64
import json
import random

from content_samples import CONTENTS
from name_samples import NAMES

WORDS = ("note", "fail", "1", "3", "6", "99", "0", "-1", "off", "none", "", " ", "null", "9" * 30)


def random_name(chance):
    """The bytes of a name, which mostly ends in .json."""
    pieces = (
        lambda: chance.choice(WORDS).encode(),
        lambda: bytes(chance.choice(b"abcxyz019-_. ") for _ in range(chance.randrange(1, 12))),
        lambda: bytes(byte for byte in chance.randbytes(chance.randrange(1, 9)) if byte not in b"/\0"),
        lambda: chance.choice(list(NAMES.values()))[:-5],
        lambda: random_time(chance).encode(),
        lambda: b"x" * chance.choice((200, 226, 227, 240, 250)),
        lambda: chr(chance.choice((0x1B, 0x7F, 0x85, 0x202E, 0x2066, 0xFEFF, 0x301, 0x1F3A5, 0xE9, 0x0A))).encode(),
    )
    body = b"".join(chance.choice(pieces)() for _ in range(chance.choice((1, 1, 1, 2, 3))))
    ending = chance.choice((b".json",) * 12 + (b".json.json", b".JSON", b".jso", b""))
    return body[: 255 - len(ending)] + ending


def random_time(chance):
    """The beginning of a generated name, valid or nearly valid."""
    year, month, day = chance.choice((0, 1970, 2026, 2026, 9999)), chance.randrange(0, 14), chance.randrange(0, 33)
    text = f"{year:04}{month:02}{day:02}T{chance.randrange(25):02}{chance.randrange(61):02}{chance.randrange(62):02}"
    return text + chance.choice(("", ".", ".1", ".123456", "." + "9" * 25)) + chance.choice(("Z", "Z-", "", "z-"))


def random_value(chance, depth=0):
    """The text of a JSON value, as people and programs write it."""
    plain = (
        lambda: json.dumps(chance.choice(WORDS)),
        lambda: chance.choice(
            ("1", "3", "6", "1.0", "1e0", "1e400", "-0", "1e-400", "9223372036854775808", "true", "null")
        ),
        lambda: json.dumps(
            "".join(chr(chance.choice((0x41, 0x1B, 0x202E, 0x0A, 0x00, 0x1F600, 0x85))) for _ in range(4))
        ),
        lambda: chance.choice(
            ('"\\ud800"', '"\\u0000"', '"\\x41"', '"\x01"', "'1'", "NaN", "Infinity", "0x10", "+1", "01")
        ),
        lambda: json.dumps("y" * chance.choice((1, 1024, 1025, 5000))),
    )
    if depth < 3 and chance.random() < 0.2:
        inner = [random_value(chance, depth + 1) for _ in range(chance.randrange(3))]
        return "[" + ",".join(inner) + "]"
    return chance.choice(plain)()


def random_content(chance):
    """A content and its only right outcome, or None if several outcomes are right."""
    channel, outcome = chance.choice((("1", "succeeded"), ("3", "failed"), ("99", "failed"), ("6", "failed")))
    kind = chance.randrange(12)
    if kind < 3:
        return channel.encode(), outcome
    if kind == 3:
        return json.dumps({"channel_id": int(channel), "user": chance.choice(("anna", None))}).encode(), outcome
    if kind == 4:
        filler = {f"x{index}": "z" * chance.randrange(200) for index in range(chance.randrange(40))}
        return json.dumps({**filler, "channel_id": int(channel)}).encode(), outcome
    if kind == 5:
        timestamps = ("2020-01-01T00:00:00Z", "0000-01-01T00:00:00Z", "1969-12-31T23:59:59.999999999+23:59")
        timestamp = chance.choice(timestamps)
        return json.dumps({"channel_id": int(channel), "timestamp": timestamp}).encode(), "expired"
    if kind == 6:
        return chance.randbytes(chance.choice((1, 10, 1000, 70_000))), None
    if kind == 7:
        return b"{" + b"[" * chance.choice((1, 500, 20_000)), "rejected"
    if kind == 8:
        keys = chance.choices(
            ("channel_id", "channel", "user", "timestamp", "x", "channel_id "), k=chance.randrange(1, 5)
        )
        text = "{" + ",".join(f'"{key}":{random_value(chance)}' for key in keys) + chance.choice(("}", "", ",}", "}}"))
        return text.encode(errors="replace"), None
    if kind == 9:
        return chance.choice(list(CONTENTS.values()))[0], None
    if kind == 10:
        whole = bytearray(json.dumps({"channel_id": int(channel), "user": "anna"}).encode())
        for _ in range(chance.randrange(1, 4)):
            whole[chance.randrange(len(whole))] = chance.randrange(256)
        return bytes(whole), None
    return b"", None


KINDS = ("file",) * 14 + (
    "fifo",
    "socket",
    "device",
    "folder",
    "full",
    "symlink",
    "dangling",
    "loop",
    "hard link",
    "twin",
    "sparse",
)
# The file's modification time in seconds: 0 leaves it, a small number counts from now, a large number from 1970.
MODIFIED = (0,) * 8 + (-7200, -1790, 3600, -(1 << 31), 1 << 33, -70_000_000_000, -(1 << 63) + 1, (1 << 63) - 1)
# How the file gets into the spool, or changes while the batches run: see case_file.py.
ACTIONS = ("present",) * 8 + (
    "written late",
    "written slowly",
    "written slowly",
    "renamed in",
    "rewritten",
    "removed",
    "linked in",
    "dropped again",
)


def random_case(seed):
    chance = random.Random(seed)
    files = []
    for _ in range(chance.randrange(2, 14)):
        content, outcome = random_content(chance)
        files.append(
            {
                "name": base64.b64encode(random_name(chance)).decode(),
                "kind": chance.choice(KINDS),
                "content": base64.b64encode(content).decode(),
                "outcome": outcome,
                "modified": chance.choice(MODIFIED),
                "mode": chance.choice((0o644, 0o644, 0o600, 0o000, 0o7777)),
                "action": chance.choice(ACTIONS),
                "pause": chance.random() * 0.02,
            }
        )
    return {
        "seed": seed,
        "file_system": chance.choice(("memory", "memory", "disk")),
        "batches": chance.choice((1, 1, 2)),
        "command": chance.choice(("run", "run", "watch")),
        "killed": chance.random() < 0.15,
        "files": files,
    }
