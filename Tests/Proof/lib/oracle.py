"""The oracle: the conditions that an instance must meet after any fault, once one clean run has been made.

Every trigger that was ever dropped is in exactly one of the final folders, with exactly one final record in the
history. It was executed at most once; if the fault cut its job or the record of its job short, it was executed a
bounded number of times. Nothing is left in between.

The oracle does not ask Bobbin what was executed: each job appends its trigger's name to a ledger outside the spool.
"""

import collections
import json
import os
import re
import time

import layout
from layout import OUTCOMES


class Oracle:
    """What is expected of an instance, and the verdict on its actual state."""

    def __init__(self, view, max_attempts=3):
        """view: the SpoolView of the instance."""
        self.view = view
        self.max_attempts = max_attempts
        # How often each trigger was dropped.
        self.expected = collections.Counter()
        # Triggers whose channel has "rerun": false: a crash must not repeat their jobs.
        self.never_repeated = set()
        # Triggers whose job or record a fault has cut short: see `note_fault`.
        self.cut_short = set()
        self.faults = 0
        self.power_was_cut = False
        # False if ids are given out without a lock. Then a result cannot be matched with its record either.
        self.ids_are_unique = True
        self.clean_run_began = None

    def expect(self, name, times=1, rerun=True):
        """Notes that a trigger was dropped. rerun=False: its channel has "rerun": false."""
        self.expected[layout.as_bytes(name)] += times
        if not rerun:
            self.never_repeated.add(layout.as_bytes(name))

    def note_fault(self):
        """Notes after a fault, before the next run, which jobs may be repeated: the jobs of claims without a record."""
        self.faults += 1
        recorded = {(record["id"], record["name"]) for record in self.view.records(strict=False)}
        for claim in self.view.claims():
            if claim.state.removeprefix("stop-").isdigit() and (claim.id, claim.trigger) not in recorded:
                self.cut_short.add(claim.trigger)
        self.expect_generated()

    def expect_generated(self):
        """Counts the trigger of a `bobbin trigger` that was killed, if it had already published its file."""
        claimed = [claim.trigger for claim in self.view.claims()]
        for name in [*self.view.pending(), *claimed, *self.folders_of_triggers()]:
            if layout.GENERATED_NAME.fullmatch(name) and name not in self.expected:
                self.expected[name] = 1

    def note_clean_run(self):
        """Notes that a clean run begins now: it must not leave temporary files of its own."""
        self.clean_run_began = time.time()

    def violations(self):
        """The conditions that the instance violates after its last clean run; empty if it meets all of them."""
        try:
            records = self.view.records()
        except ValueError as error:
            return [str(error)]
        problems = self.unrecorded_scheduled_jobs(records)
        if self.ids_are_unique:
            problems += self.duplicate_ids(records)
        final = collections.defaultdict(list)
        # A job that was stopped together with its batch: its trigger was requeued and may be executed once more.
        requeued = collections.Counter(record["name"] for record in records if record.get("requeued"))
        for record in records:
            if record["kind"] != "run" and record["name"] is not None and not record.get("requeued"):
                final[record["name"]].append(record)
        ledger = self.view.ledger()
        folders = self.folders_of_triggers()
        for name, times in sorted(self.expected.items()):
            executions = ledger.pop(self.view.name_in_ledger(name), 0)
            found = (final.pop(name, []), folders.pop(name, []))
            problems += self.problems_of(name, times, *found)
            problems += self.problems_of_executions(name, times, found[0], executions, requeued[name])
        problems += [f"a record of a trigger that was never dropped: {name!r}" for name in final]
        problems += [f"in {where}, but never dropped: {name!r}" for name, where in folders.items()]
        problems += [f"executed, but never dropped: {name!r}" for name in ledger if name]
        return problems + self.leftovers()

    def unrecorded_scheduled_jobs(self, records):
        """A scheduled job that was executed has a record. Only a power cut may take its record and its note away."""
        if self.power_was_cut:
            return []
        unrecorded = self.view.scheduled_jobs_in_ledger() - {record["id"] for record in records}
        return [f"the scheduled job {identifier} was executed and has no record" for identifier in sorted(unrecorded)]

    def duplicate_ids(self, records):
        ids = collections.Counter(record["id"] for record in records)
        runs = collections.Counter(record["run"] for record in records if record["kind"] == "run")
        return [f"the id {identifier} was given {count} times" for identifier, count in ids.items() if count > 1] + [
            f"the run {run} was recorded {count} times" for run, count in runs.items() if count > 1
        ]

    def folders_of_triggers(self):
        """The final folders in which each trigger's name is, without the number that Bobbin may have appended."""
        folders = collections.defaultdict(list)
        for folder in layout.FINAL_FOLDERS:
            path = os.fsencode(self.view.spool / folder)
            for name in sorted(os.listdir(path)) if os.path.isdir(path) else []:
                if name.startswith(b".bobbin-"):
                    continue
                if name not in self.expected and folder in layout.RETIRED_FOLDERS:
                    name = self.without_appended_number(name)
                folders[name].append(folder)
        return folders

    def without_appended_number(self, name):
        shorter = re.sub(rb"\.\d+$", b"", name)
        # A name that became too long for the number was cut.
        is_cut = len(name) == 255
        whole = [full for full in self.expected if full == shorter or is_cut and full.startswith(shorter)]
        return whole[0] if whole else name

    def problems_of(self, name, times, records, folders):
        problems = []
        if len(records) != times:
            outcomes = [record["outcome"] for record in records]
            problems.append(f"{name!r} has {len(records)} final records instead of {times}: {outcomes}")
        wanted = collections.Counter(
            OUTCOMES[record["outcome"]].folder if record["outcome"] in OUTCOMES else "an undocumented folder"
            for record in records
        )
        # A newer result replaces an older one, but the file of a retired trigger does not replace another.
        for folder in layout.RESULT_FOLDERS:
            wanted[folder] = min(1, wanted[folder])
        if collections.Counter(folders) != +wanted:
            problems.append(f"{name!r} is in {folders} instead of {sorted((+wanted).elements())}")
        if self.ids_are_unique:
            for folder in set(folders) & set(layout.RESULT_FOLDERS):
                problems += self.problems_of_result(name, folder, records)
        return problems

    def problems_of_result(self, name, folder, records):
        try:
            with open(self.view.in_folder(folder, name), "rb") as file:
                document = json.loads(file.read())
        except (ValueError, OSError) as error:
            return [f"{folder}/{name!r} is not a result: {error}"]
        if document.get("download_history_id") not in [record["id"] for record in records]:
            return [f"{folder}/{name!r} states the id {document.get('download_history_id')}, which no record has"]
        if document.get("success") != (folder == layout.SUCCESS_FOLDER):
            return [f"{folder}/{name!r} has success {document.get('success')}"]
        return []

    def problems_of_executions(self, name, times, records, executions, requeued):
        """One execution is allowed for each drop, and more only if a fault cut it short and "rerun" is not false."""
        limit = times
        if name in self.cut_short and name not in self.never_repeated:
            limit = times - 1 + min(self.max_attempts, 1 + self.faults)
        limit += requeued
        problems = []
        if executions > limit:
            problems.append(f"{name!r} was executed {executions} times, where at most {limit} are allowed")
        succeeded = sum(record["outcome"] == "succeeded" for record in records)
        if executions < succeeded:
            problems.append(f"{name!r} succeeded {succeeded} times and was executed {executions} times")
        retired = [record["outcome"] in OUTCOMES and not OUTCOMES[record["outcome"]].has_result for record in records]
        if executions and records and not requeued and all(retired):
            problems.append(f"{name!r} was executed, although it was {records[0]['outcome']}")
        return problems

    def leftovers(self):
        """Triggers that are still pending or claimed, locks that are still held, and temporary files."""
        view = self.view
        problems = [f"still pending: {name!r}" for name in view.pending()]
        unclaimed = view.root / "unclaimed"
        if unclaimed.exists():
            problems.append(f"jobs without a claim: {unclaimed.read_text()}")
        running = view.spool / "running"
        problems += [f"left in running/: {path.name}" for path in (running.rglob("*") if running.exists() else [])]
        problems += [f"still held: {lock}" for lock in view.held_locks()]
        for folder in (".", *layout.FINAL_FOLDERS):
            for path in (view.spool / folder).glob(".bobbin-*"):
                if self.clean_run_began is None or path.stat().st_ctime >= self.clean_run_began:
                    problems.append(f"temporary file left by a clean run: {folder}/{path.name}")
        return problems
