"""The order in which the system calls of a run must make things durable, trigger by trigger.

Claim, job, record written, record synced, result written, result synced, result published under its name, its folder
synced, claim removed. A function here raises LookupError if something comes too early.
"""

import re

import layout


def first_after(events, line, description, holds):
    """The first event for which `holds` is true and that begins after a line of the trace."""
    for event in events:
        if event.start > line and holds(event):
            return event
    raise LookupError(f"no {description} follows")


def is_sync(event, path):
    return event.name == "syncfs" or event.name in ("fsync", "fdatasync") and event.arguments[0] == path


def is_write(event, path):
    return event.name == "write" and event.arguments[0] == path


def claims_of(events, spool):
    """The renames that claim a trigger."""
    return [
        event
        for event in events
        if event.name.startswith("rename") and event.path(2).startswith(spool + b"/running/")
    ]


def jobs_of(events):
    """The start of each job, by its history id."""
    jobs = {}
    for event in events:
        if event.name == "execve":
            for argument in event.arguments:
                if argument.startswith(b"BOBBIN_HISTORY_ID="):
                    jobs.setdefault(argument.partition(b"=")[2], event)
    return jobs


class ClaimOrder:
    """Follows one trigger from its claim to its end."""

    def __init__(self, events, spool, claim):
        self.events = events
        self.spool = spool
        self.claim = claim
        self.claimed = claim.path(2)
        self.owner, _, file_name = self.claimed.rpartition(b"/")
        self.id, self.state, self.name = file_name.split(b".", 2)
        # The line of the trace up to which the order was checked.
        self.line = claim.end
        self.steps = 1

    def follows(self, description, holds):
        event = first_after(self.events, self.line, f"{description} of {self.name!r}", holds)
        self.line = event.end
        self.steps += 1
        return event

    def check(self, jobs, never_repeated):
        """Returns how many steps were checked."""
        if self.state.isdigit() and self.id in jobs:
            self.check_job(jobs[self.id], never_repeated)
        self.check_record()
        synced = self.line
        published = self.follows(
            "publication",
            lambda event: event.name.startswith("rename")
            and re.match(re.escape(self.spool) + f"/{layout.ANY_FINAL_FOLDER}/".encode(), event.path(2))
            and event.path(2).endswith(b"/" + self.name),
        )
        has_result = published.path() != self.claimed
        if has_result:
            self.check_result(published)
            self.steps += 2
        folder = published.path(2).rpartition(b"/")[0]
        self.follows("sync of the folder", lambda event: is_sync(event, folder))
        if has_result:
            self.follows("removal of the claim", self.removes_claim)
        if any(self.removes_claim(event) and event.start < synced for event in self.events):
            raise LookupError(f"the claim of {self.name!r} was removed before its record was durable")
        return self.steps

    def removes_claim(self, event):
        return event.name == "unlinkat" and event.path() == self.claimed

    def check_job(self, job, never_repeated):
        if job.start < self.claim.end:
            raise LookupError(f"the job of {self.name!r} began before its claim")
        # If the number of attempts is limited, the claim must be durable before the job begins.
        if self.name in never_repeated or int(self.state) > 1:
            self.follows("sync of the claim before the job", lambda event: is_sync(event, self.owner))
            self.follows("sync of the spool before the job", lambda event: is_sync(event, self.spool))
        if job.start < self.line:
            raise LookupError(f"the job of {self.name!r} began before its claim was durable")
        self.line = job.end

    def check_record(self):
        history = self.spool + b"/" + layout.HISTORY.encode()
        record = b'{"id":%s,' % self.id
        written = self.follows(
            "record",
            lambda event: is_write(event, history)
            and any(line.startswith(record) for line in event.arguments[1].split(b"\n")),
        )
        # Otherwise a power cut could leave the record, and the trigger pending again.
        for path in (self.owner, self.spool):
            if not any(
                is_sync(event, path) and self.claim.end < event.start and event.end < written.start
                for event in self.events
            ):
                raise LookupError(f"the record of {self.name!r} was written before {path!r} was synced")
        self.follows("sync of the history", lambda event: is_sync(event, history))

    def check_result(self, published):
        """Checks that the result gets its name only after its content is durable."""
        temporary = published.path()
        written = first_after(self.events, -1, f"result of {self.name!r}", lambda event: is_write(event, temporary))
        synced = first_after(
            self.events, written.end, f"sync of the result of {self.name!r}", lambda event: is_sync(event, temporary)
        )
        if synced.end > published.start:
            raise LookupError(f"the result of {self.name!r} got its name before it was synced")


def check_submission(events, spool):
    """Checks that a trigger is complete, has its name and is synced before the submitter gets an answer."""
    written = first_after(
        events, -1, "trigger", lambda event: event.name == "write" and b"/.bobbin-" in event.arguments[0]
    )
    synced = first_after(events, written.end, "sync", lambda event: is_sync(event, written.arguments[0]))
    named = first_after(events, synced.end, "name", lambda event: event.name.startswith("rename"))
    durable = first_after(events, named.end, "sync of the spool", lambda event: is_sync(event, spool))
    first_after(events, durable.end, "answer", lambda event: event.name == "write" and b"{" in event.arguments[1][:1])
