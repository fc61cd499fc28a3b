"""The trace of a program with failpoints: the calls that passed the gate of the C shim, and their subjects."""

import dataclasses
import re

import layout

HISTORY_PATH = f"spool/{layout.HISTORY}"


@dataclasses.dataclass(frozen=True)
class Call:
    """One line of a trace.

    - about: a path as seen from the instance, without the parts that change from run to run.
    """

    name: str
    about: str

    @property
    def concerns_one_job(self):
        """A failure of the call affects only one job: the run continues, and the job's record states the failure."""
        return self.name in ("spawn", "pipe", "wait") or self.about.startswith(("spool/logs/", "library/"))

    @property
    def writes_message(self):
        """The call writes to standard output or standard error, which are unnamed files here."""
        return self.name == "write" and not self.about.startswith("spool/")

    @property
    def finishes_triggers(self):
        """The call is made by the recorder, which finishes triggers while the next job runs."""
        return (
            re.match(rf"spool/(history\.jsonl|{layout.ANY_FINAL_FOLDER})(/|$)", self.about)
            or self.about in ("spool", "spool/running/OWNER")
            or self.removes_claim
        )

    @property
    def is_about_evidence(self):
        """The call is about a file or folder that must be durable before a claim is removed."""
        return re.match(rf"spool/(history\.jsonl|{layout.ANY_FINAL_FOLDER}(/\..*)?)$", self.about)

    @property
    def publishes(self):
        """The call moves a result or a trigger into a final folder."""
        return self.name == "rename" and re.match(rf"spool/{layout.ANY_FINAL_FOLDER}/", self.about)

    @property
    def removes_claim(self):
        return self.name == "unlink" and self.about.startswith("spool/running/OWNER/")

    @property
    def claims(self):
        """The call claims a trigger, or makes the owner's folder of claims."""
        return (self.name, self.about.count("/")) in (("rename", 3), ("mkdir", 2))


def trace_environment(instance):
    """The environment that makes a program with failpoints write its trace."""
    return {"BOBBIN_FAILPOINT_TRACE": str(instance.root / "trace")}


def read_trace(instance):
    path = instance.root / "trace"
    calls = []
    for line in path.read_text(errors="replace").splitlines() if path.exists() else []:
        _, name, about = line.split(" ", 2)
        about = about.replace(f"{instance.root}/", "")
        about = re.sub(r"^spool/running/[^/]+", "spool/running/OWNER", about)
        calls.append(Call(name, about))
    return calls
