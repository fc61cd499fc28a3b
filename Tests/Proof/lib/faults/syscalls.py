"""The system calls of a process and its jobs, in order, as strace(1) recorded them."""

import dataclasses
import os
import re

TRACED = (
    "openat,write,pwrite64,rename,renameat,renameat2,unlink,unlinkat,link,linkat,mkdir,mkdirat,rmdir,"
    "ftruncate,fsync,fdatasync,syncfs,execve"
)

HEX = re.compile(rb"\\x([0-9a-f]{2})")
# A string, or a descriptor with its path, as `strace -y` writes it.
ARGUMENT = re.compile(rb'"([^"]*)"|(?:AT_FDCWD|\b\d+)<([^>]*)>(\(deleted\))?')
LINE = re.compile(rb"(\d+) +(?:<\.\.\. (\w+) resumed>(.*)|(\w+)\((.*))", re.DOTALL)
RESULT = re.compile(rb"\) += (-?\d+|\?)(.*)$", re.DOTALL)


@dataclasses.dataclass(frozen=True)
class Event:
    """One call that succeeded. It took effect somewhere between the lines of the trace where it starts and ends."""

    start: int
    end: int
    process: int
    name: str
    # Decoded strings, and the paths of descriptors; numbers are left in `text`.
    arguments: tuple[bytes, ...]
    text: bytes

    def path(self, index=0):
        """The path that a directory's descriptor and a name form, beginning at that argument."""
        return os.path.normpath(os.path.join(self.arguments[index], self.arguments[index + 1]))


def prefix(path):
    """A prefix for a command: its calls are traced into a file."""
    # All strings are complete and in hexadecimal, and execve is shown with its environment.
    return ["strace", "-f", "-y", "-v", "-xx", "-s", "1048576", "-o", str(path), "-e", f"trace={TRACED}"]


def decode(text):
    return HEX.sub(lambda match: bytes([int(match[1], 16)]), text)


def read(path, offset=0):
    """The calls that succeeded, in the order in which they ended. Lines are numbered from `offset`."""
    events = []
    unfinished = {}
    with open(path, "rb") as file:
        for number, line in enumerate(file, start=offset):
            match = LINE.match(line.rstrip(b"\n"))
            if not match:
                continue
            process = int(match[1])
            if match[2]:
                start, name, text = unfinished.pop(process)
                text += match[3]
            else:
                start, name, text = number, match[4].decode(), match[5]
                if text.endswith(b" <unfinished ...>"):
                    unfinished[process] = (start, name, text.removesuffix(b" <unfinished ...>"))
                    continue
            result = RESULT.search(text)
            if not result or result[1] == b"?" or int(result[1]) < 0:
                continue
            arguments = tuple(
                decode(argument[1] if argument[1] is not None else argument[2])
                for argument in ARGUMENT.finditer(text[: result.start()])
            )
            events.append(Event(start, number, process, name, arguments, text))
    return events
