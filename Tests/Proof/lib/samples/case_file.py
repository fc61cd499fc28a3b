"""A file of a fuzz case: how it gets into the spool, what happens to it there, and the outcome that it must have."""

import base64
import os
import stat
import time

import hostile_instance
import layout


class CaseFile:
    """One file of a case (see cases.py)."""

    def __init__(self, instance, document, secret):
        """secret: the path, as bytes, of a file that a hostile submitter may link to."""
        self.instance = instance
        self.secret = secret
        self.name = base64.b64decode(document["name"]) or b"x"
        self.content = base64.b64decode(document["content"])
        self.document = document
        self.kind = document["kind"]
        self.action = document["action"] if self.kind == "file" else "present"
        self.path = instance.path(self.name)
        # A name that Bobbin ignores, for the file before it is renamed or linked into place.
        self.temporary = os.path.join(os.fsencode(instance.spool), b".writing-%d" % id(self))

    @property
    def outcome(self):
        """The outcome that the file must have, or None if that is not certain."""
        if self.kind != "file" or len(self.name) > layout.LONGEST_CLAIMED_NAME:
            return "rejected"
        expected = self.document["outcome"]
        # The request time may also come from the name or the file, and may make the trigger stale.
        may_be_stale = self.document["modified"] < 0 or self.name[:4].isdigit()
        return None if may_be_stale and expected not in ("rejected", "expired") else expected

    def make(self, path):
        kind = self.kind
        if kind == "file":
            with open(path, "wb") as file:
                file.write(self.content)
                os.fchmod(file.fileno(), self.document["mode"])
            self.set_time(path)
        elif kind == "fifo":
            os.mkfifo(path)
        elif kind == "socket":
            hostile_instance.make_socket(path)
        elif kind == "device":
            os.mknod(path, 0o600 | stat.S_IFCHR, os.makedev(1, 3))
        elif kind in ("folder", "full"):
            os.mkdir(path)
            if kind == "full":
                with open(os.path.join(path, b"1.json"), "wb") as file:
                    file.write(b"1")
        elif kind == "symlink":
            os.symlink(self.secret, path)
        elif kind == "dangling":
            os.symlink(b"/nonexistent/\x1b[2J", path)
        elif kind == "loop":
            os.symlink(os.path.basename(path), path)
        elif kind == "hard link":
            os.link(self.secret, path)
        elif kind == "twin":
            other = os.path.join(os.fsencode(self.instance.root), b"twin-%d" % id(self))
            with open(other, "wb") as file:
                file.write(self.content)
            os.link(other, path)
        elif kind == "sparse":
            with open(path, "wb") as file:
                file.truncate(1 << 40)
        else:
            raise ValueError(f"the case has an unknown kind of file: {kind}")

    def set_time(self, path):
        modified = self.document["modified"]
        if modified:
            modified += time.time() if abs(modified) < 10_000 else 0
            try:
                hostile_instance.set_file_time(path, max(-(1 << 63), min(int(modified), (1 << 63) - 1)))
            except OSError:
                pass  # Not every file system can store such times.

    def expect(self, times=1):
        if layout.is_trigger(self.name):
            self.instance.expect(self.name, times)

    def act_before(self):
        """Does what must happen before the batches begin."""
        if self.action in ("present", "rewritten", "removed", "dropped again"):
            self.make(self.path)
            self.expect()

    def act_meanwhile(self):
        """Does what must happen while the batches run."""
        time.sleep(self.document["pause"])
        if self.action == "written late":
            self.make(self.path)
            self.expect()
        elif self.action == "renamed in":
            self.make(self.temporary)
            os.rename(self.temporary, self.path)
            self.expect()
        elif self.action == "linked in":
            self.make(self.temporary)
            os.link(self.temporary, self.path)
            os.unlink(self.temporary)
            self.expect()
        elif self.action == "written slowly":
            self.write_slowly()
        elif self.action == "rewritten":
            self.rewrite()
        elif self.action == "removed":
            self.remove()
        elif self.action == "dropped again":
            self.drop_again()
        elif self.action != "present":
            raise ValueError(f"the case has an unknown action: {self.action}")

    def write_slowly(self):
        """Writes as a shell or scp does: in place, in pieces, and with the file open all the time."""
        if os.path.lexists(self.path):
            return
        with open(self.path, "wb", buffering=0) as file:
            self.expect()
            for start in range(0, len(self.content), max(1, len(self.content) // 4)):
                file.write(self.content[start : start + max(1, len(self.content) // 4)])
                time.sleep(self.document["pause"])

    def rewrite(self):
        """Writes to the file again. Before the claim this is still the same request; afterwards the claimed file itself
        is changed, which is too late."""
        try:
            descriptor = os.open(self.path, os.O_WRONLY)
        except OSError:
            return
        with os.fdopen(descriptor, "wb") as file:
            file.write(self.content)

    def remove(self):
        try:
            os.rename(self.path, os.path.join(os.fsencode(self.instance.root), b"removed-%d" % id(self)))
        except FileNotFoundError:
            return
        self.expect(-1)

    def drop_again(self):
        """Drops the same name again. If the first file is still pending, there is only one request; otherwise the
        second file is another request."""
        self.make(self.temporary)
        try:
            os.link(self.temporary, self.path)
        except FileExistsError:
            os.unlink(self.temporary)
            return
        os.unlink(self.temporary)
        self.expect()

    def problems(self):
        """The problems of the recorded outcome."""
        # If the file changes after it was read, its outcome is not certain.
        is_certain = self.action in ("present", "written late", "renamed in", "linked in", "written slowly")
        if not layout.is_trigger(self.name) or not is_certain or self.outcome is None:
            return []
        actual = self.instance.outcome(self.name)
        if self.outcome == actual or self.instance.oracle.expected[self.name] != 1:
            return []
        return [f"{self.name!r} ({self.kind}, {self.action}): {actual} instead of {self.outcome}"]
