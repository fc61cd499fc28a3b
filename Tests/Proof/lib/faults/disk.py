"""A disk that may lose everything that was not synced when the power fails.

The model is harsher than the file systems that Bobbin runs on. A change of a directory is durable once that directory
has been synced; until then it may be lost or kept, independently of the changes before and after it. A rename is one
change of both its directories. The content of a file is durable once the file has been synced; until then the last
writes may be lost, torn, or replaced by zeros. Syncing a file does not make its name durable.

Times are line numbers of the trace (syscalls.py).
"""

import dataclasses
import os
import re
import stat


class Node:
    """A file or a directory, independent of its name."""

    def __init__(self, kind, content=b"", mode=0o640, modified=None):
        self.kind = kind
        # Durable from the start: the content before the trace.
        self.content = content
        self.mode = mode
        self.modified = modified


@dataclasses.dataclass(frozen=True)
class NameChange:
    """Directory entries that change together: a directory, a name, and the new node (None: the entry is removed)."""

    end: int
    entries: tuple[tuple[Node, bytes, Node | None], ...]

    @property
    def touched(self):
        return {directory for directory, _, _ in self.entries}


@dataclasses.dataclass(frozen=True)
class ContentChange:
    """Bytes that are written at an offset, or None if the file is cut or extended to that offset."""

    end: int
    node: Node
    offset: int
    data: bytes | None

    @property
    def touched(self):
        return {self.node}

    def apply(self, content, limit=None, zeros=False):
        """The content after the change, or after the part of the change that reached the disk."""
        if self.data is None:
            return content[: self.offset].ljust(self.offset, b"\0")
        data = self.data if limit is None else self.data[:limit]
        if zeros:
            # The file has grown, and its last blocks were never written. Older content is not affected.
            data += content[self.offset + len(data) : self.offset + len(self.data)]
            data = data.ljust(len(self.data), b"\0")
        if not data:
            return content
        content = content.ljust(self.offset, b"\0")
        return content[: self.offset] + data + content[self.offset + len(data) :]


@dataclasses.dataclass(frozen=True)
class Sync:
    start: int
    end: int
    # The node that was synced; None means the whole file system.
    node: Node | None

    def covers(self, change):
        return change.end < self.start and (self.node is None or self.node in change.touched)


class Disk:
    """The history of one directory tree: its initial state, the changes, and the syncs."""

    def __init__(self, root):
        """root: a directory whose current state counts as durable."""
        self.root_path = os.fsencode(root)
        self.changes = []
        self.syncs = []
        # The tree that the processes see.
        self.live = {}
        self.sizes = {}
        self.root = self.scan(self.root_path)
        self.initial = {directory: dict(entries) for directory, entries in self.live.items()}

    def scan(self, path):
        node = Node("directory", mode=stat.S_IMODE(os.lstat(path).st_mode))
        self.live[node] = {}
        for name in os.listdir(path):
            below = os.path.join(path, name)
            status = os.lstat(below)
            if stat.S_ISDIR(status.st_mode):
                self.live[node][name] = self.scan(below)
                continue
            with open(below, "rb") as file:
                content = file.read()
            child = Node("file", content, stat.S_IMODE(status.st_mode), status.st_mtime_ns)
            self.live[node][name] = child
            self.sizes[child] = len(content)
        return node

    def holds(self, path):
        return path == self.root_path or path.startswith(self.root_path + b"/")

    def find(self, path):
        """The directory, the name in it, and the node or None. The root is its own directory and has an empty name."""
        if path == self.root_path:
            return self.root, b"", self.root
        directory = self.root
        *parents, name = path[len(self.root_path) + 1 :].split(b"/")
        for parent in parents:
            directory = self.live[directory][parent]
        return directory, name, self.live[directory].get(name)

    def change(self, end, *entries):
        for directory, name, node in entries:
            if node is None:
                self.live[directory].pop(name, None)
            else:
                self.live[directory][name] = node
        self.changes.append(NameChange(end, entries))

    def add(self, event):
        """Applies one system call."""
        kind = event.name
        if kind == "openat":
            if b"O_CREAT" in event.text and self.holds(event.path()):
                directory, name, node = self.find(event.path())
                if node is None:
                    node = Node("file")
                    self.sizes[node] = 0
                    self.change(event.end, (directory, name, node))
        elif kind == "mkdirat":
            if self.holds(event.path()):
                directory, name, _ = self.find(event.path())
                node = Node("directory", mode=0o750)
                self.live[node] = {}
                self.change(event.end, (directory, name, node))
        elif kind in ("write", "pwrite64", "ftruncate"):
            if self.holds(event.arguments[0]):
                self.add_content(event)
        elif kind in ("renameat", "renameat2"):
            if self.holds(event.path()):
                directory, name, node = self.find(event.path())
                to, new_name, _ = self.find(event.path(2))
                self.change(event.end, (directory, name, None), (to, new_name, node))
        elif kind == "unlinkat":
            if self.holds(event.path()):
                directory, name, _ = self.find(event.path())
                self.change(event.end, (directory, name, None))
        elif kind in ("fsync", "fdatasync"):
            if self.holds(event.arguments[0]):
                self.syncs.append(Sync(event.start, event.end, self.find(event.arguments[0])[2]))
        elif kind == "syncfs":
            self.syncs.append(Sync(event.start, event.end, None))
        elif kind != "execve" and any(map(self.holds, event.arguments)):
            raise NotImplementedError(f"the model does not support {kind}, which was called in the spool")

    def add_content(self, event):
        node = self.find(event.arguments[0])[2]
        number = int(re.search(rb", (\d+)\) +=", event.text)[1])
        if event.name == "ftruncate":
            change = ContentChange(event.end, node, number, None)
            self.sizes[node] = number
        else:
            written = int(re.search(rb"\) += (\d+)", event.text)[1])
            # Every write without an offset appends here: to a log, the history, a new file.
            offset = number if event.name == "pwrite64" else self.sizes[node]
            change = ContentChange(event.end, node, offset, event.arguments[1][:written])
            self.sizes[node] = max(self.sizes[node], offset + written)
        self.changes.append(change)

    def split(self, line):
        """The changes up to a line of the trace, in two lists: durable changes, and changes that may be lost."""
        past = [change for change in self.changes if change.end <= line]
        syncs = [sync for sync in self.syncs if sync.end <= line]
        durable, unsynced = [], []
        for change in past:
            (durable if any(sync.covers(change) for sync in syncs) else unsynced).append(change)
        return durable, unsynced

    def after_power_cut(self, line, chance, keep):
        """The disk after a power cut at a line of the trace.

        - keep: the probability, 0 to 1, that a change that was not synced survives.
        """
        durable, unsynced = self.split(line)
        kept = set(map(id, durable))
        contents = {}
        torn = set()
        for change in unsynced:
            if isinstance(change, NameChange) and chance.random() < keep:
                kept.add(id(change))
        entries = {directory: dict(names) for directory, names in self.initial.items()}
        for change in self.changes:
            if change.end > line:
                break
            if isinstance(change, NameChange):
                if id(change) in kept:
                    for directory, name, node in change.entries:
                        entries.setdefault(directory, {})[name] = node
                continue
            content = contents.get(change.node, change.node.content)
            if id(change) in kept or change.node not in torn and chance.random() < keep:
                contents[change.node] = change.apply(content)
            elif change.node not in torn:
                # A part of the first incomplete write may remain, and nothing of the writes after it.
                torn.add(change.node)
                part = chance.choice((0, chance.randrange(len(change.data or b"") + 1))) if keep else 0
                if change.data is not None:
                    contents[change.node] = change.apply(content, part, zeros=keep > 0 and chance.random() < 0.2)
        return Image(self.root, entries, contents)


@dataclasses.dataclass
class Image:
    """The content of the disk after a power cut."""

    root: Node
    entries: dict[Node, dict[bytes, Node | None]]
    contents: dict[Node, bytes]

    def files(self, directory=None, path=b""):
        """Every path that can be reached from the root, with its node, parents first."""
        for name, node in sorted(self.entries.get(directory or self.root, {}).items()):
            if node is None:
                continue
            below = os.path.join(path, name)
            yield below, node
            if node.kind == "directory":
                yield from self.files(node, below)

    def content(self, node):
        return self.contents.get(node, node.content)

    def key(self):
        """A value that is equal for images that a program cannot distinguish."""
        return tuple((path, node.kind, self.content(node)) for path, node in self.files())

    def write(self, root):
        """Writes the image as a directory tree below an existing directory."""
        root = os.fsencode(root)
        for path, node in self.files():
            path = os.path.join(root, path)
            if node.kind == "directory":
                os.mkdir(path, node.mode)
                continue
            with open(path, "wb") as file:
                file.write(self.content(node))
            os.chmod(path, node.mode)
            if node.modified is not None:
                os.utime(path, ns=(node.modified, node.modified))
