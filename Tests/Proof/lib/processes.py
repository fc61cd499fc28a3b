"""Processes: the result of a program, prefixes that delay its calls or change its user, and waiting for an event."""

import dataclasses
import pathlib
import signal
import time

# A script that starts a topic in its background makes the topic, and so every program started here, ignore SIGINT.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@dataclasses.dataclass
class Result:
    """The end of a program. A negative status is the signal that ended it; None means that it reached the deadline."""

    status: int | None
    out: str
    err: str
    seconds: float = 0.0

    @property
    def was_killed(self):
        return self.status == -signal.SIGKILL

    @property
    def ended_by_itself(self):
        """Whether it ended before the deadline and without a signal, whatever its exit status says."""
        return self.status is not None and 0 <= self.status < 128

    def describe(self):
        return f"status {self.status} after {self.seconds:.1f} s\n{self.out}{self.err}"


def wait_for(condition, timeout=30.0, interval=0.005):
    """Waits for an event: true once the condition holds, false after the deadline."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(interval)
    return True


def delayed(call, milliseconds):
    """A prefix for a command: every system call of that name is delayed by this number of milliseconds."""
    delay = f"inject={call}:delay_enter={milliseconds}ms"
    return ("strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e", delay)


def become(user, groups=()):
    """A prefix for a command: it runs as that user, in the user's own group and in these groups."""
    chosen = ["--groups=" + ",".join(map(str, groups))] if groups else ["--clear-groups"]
    return ["setpriv", f"--reuid={user}", f"--regid={user}", *chosen, "--"]


def is_alive(process):
    """Whether a process is running. A zombie is not running, and in a container it may never be reaped."""
    try:
        status = pathlib.Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] not in "ZX"
