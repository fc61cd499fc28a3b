"""The system calls of one or several consecutive commands, and their changes of the disk."""

import json
import signal

import disk
import syscalls


class Recording:
    """Traces commands on an instance. Times are line numbers of the trace."""

    def __init__(self, instance):
        self.instance = instance
        self.disk = disk.Disk(instance.spool)
        # The triggers that the oracle expected before the first command.
        self.expected = dict(instance.oracle.expected)
        self.never_repeated = set(instance.oracle.never_repeated)
        self.settings = {"max_attempts": instance.oracle.max_attempts}
        self.events = []
        # When a `bobbin trigger` answered, and with which trigger.
        self.answers = []
        self.faults = 0
        self.cut_short = set()
        # The line at which the last command began. Power cuts are tried from there.
        self.begin = 0
        self.end = 0

    def trace(self, *arguments, killed_at=None):
        """Runs the program under strace. If it is killed at a call, the next command must recover from that."""
        path = self.instance.root / "strace"
        self.begin = self.end
        result = self.instance.bobbin(
            *arguments,
            instrumented=killed_at is not None,
            environment={} if killed_at is None else {"BOBBIN_FAILPOINT_KILL": str(killed_at)},
            prefix=syscalls.prefix(path),
            timeout=120,
        )
        self.instance.wait_until_idle()
        events = syscalls.read(path, offset=self.begin)
        for event in events:
            self.disk.add(event)
            if event.name == "write" and result.out and event.arguments[1][:1] == b"{" and arguments[0] == "trigger":
                if event.arguments[1].decode() == result.out:
                    self.answers.append((event.start, json.loads(result.out)["trigger"]))
        self.events += events
        # The line after the last one, so that one of the cuts comes after the whole command.
        self.end = max([self.begin, *(event.end for event in events)]) + 1
        if result.status == -signal.SIGKILL:
            self.instance.note_fault()
            self.cut_short = set(self.instance.oracle.cut_short)
            self.faults += 1
        return result

    def last_events(self):
        """The calls of the last command."""
        return [event for event in self.events if event.start >= self.begin]

    def ledger_at(self, line):
        path = str(self.instance.ledger_path).encode()
        return b"".join(
            event.arguments[1]
            for event in self.events
            if event.name == "write" and event.arguments[0] == path and event.start <= line
        )

    def lines_of_cuts(self):
        """The lines after each call of the last command that changes or syncs the spool, or that notes an execution."""
        ends = {change.end for change in self.disk.changes} | {sync.end for sync in self.disk.syncs}
        ledger = str(self.instance.ledger_path).encode()
        ends |= {event.end for event in self.events if event.arguments[:1] == (ledger,)}
        return sorted(end for end in ends if end >= self.begin) + [self.end]
