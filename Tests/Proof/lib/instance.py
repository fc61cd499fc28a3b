"""Instances to break: each has a configuration, handlers, a spool and a ledger, in its own directory."""

import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import threading
import time

import binaries
import jobs
from oracle import Oracle
from processes import Result, wait_for
from spool_view import SpoolView


def scratch_directory():
    """The directory for instances: in memory if there is room, because thousands of instances are synced repeatedly.

    The effects of a kill or a failed call do not depend on the disk. $BOBBIN_PROOF_DIR chooses another directory.
    """
    chosen = os.environ.get("BOBBIN_PROOF_DIR")
    if chosen:
        return chosen
    shared = "/dev/shm"
    if os.access(shared, os.W_OK) and shutil.disk_usage(shared).free > 32 << 20:
        return shared
    return tempfile.gettempdir()


class Instance(SpoolView):
    """An instance of Bobbin, and the oracle that judges it. A context manager."""

    def __init__(self, channels=jobs.CHANNELS, handlers=None, parent=None, **settings):
        super().__init__(pathlib.Path(tempfile.mkdtemp(prefix="bobbin-proof-", dir=parent or scratch_directory())))
        self.config = self.root / "etc" / "bobbin.json5"
        self.oracle = Oracle(self, settings.get("max_attempts", 3))
        for directory in ("etc/handlers", "spool", "library"):
            (self.root / directory).mkdir(parents=True)
        self.ledger_path.touch()
        self.ledger_path.chmod(0o666)
        for name, text in {**jobs.HANDLERS, **(handlers or {})}.items():
            self.handler(name, text)
        self.configure(channels, **settings)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.release_jobs()
        shutil.rmtree(self.root, ignore_errors=True)

    def configure(self, channels=jobs.CHANNELS, **settings):
        document = {"spool": "../spool", "library": "../library", "settle": "0", **settings, "channels": list(channels)}
        self.config.write_text(json.dumps(document, indent=1))

    def handler(self, name, text):
        """Makes an executable beside the configuration; {root} and {ledger} in the text are this instance's paths."""
        path = self.root / "etc" / "handlers" / name
        path.write_text(text.replace("{root}", str(self.root)).replace("{ledger}", str(self.ledger_path)))
        path.chmod(0o755)

    # Dropping.

    def expect(self, name, times=1, rerun=True):
        """Tells the oracle of a trigger that was dropped by other means than `drop`."""
        self.oracle.expect(name, times, rerun)

    def drop(self, name, content=b"", age=0.0, rerun=True):
        """Drops a trigger with one rename.

        - age: seconds by which the file is made to look older.
        - rerun: false if the trigger asks for a channel with "rerun": false.
        """
        content = content if isinstance(content, bytes) else content.encode()
        temporary = os.path.join(os.fsencode(self.spool), b".dropping-%d" % threading.get_ident())
        with open(temporary, "wb") as file:
            file.write(content)
        if age:
            modified = time.time() - age
            os.utime(temporary, (modified, modified))
        self.expect(name, rerun=rerun)
        os.rename(temporary, self.path(name))

    # Running.

    def command(self, *arguments, instrumented=False):
        program = binaries.instrumented_binary() if instrumented else binaries.release_binary()
        return [program, "--config", str(self.config), *arguments]

    def environment(self, extra=None):
        environment = {
            key: value
            for key, value in os.environ.items()
            if not key.startswith("BOBBIN_FAILPOINT_") and key not in ("BOBBIN_CONFIG", "XDG_CONFIG_HOME")
        }
        return {**environment, **(extra or {})}

    def start(self, *arguments, instrumented=False, environment=None, prefix=(), **options):
        """Starts the program in the background; its output goes to pipes."""
        return subprocess.Popen(
            [*prefix, *self.command(*arguments, instrumented=instrumented)],
            env=self.environment(environment),
            cwd=self.root,
            stdin=subprocess.DEVNULL,
            stdout=options.pop("stdout", subprocess.PIPE),
            stderr=options.pop("stderr", subprocess.PIPE),
            **options,
        )

    def bobbin(self, *arguments, instrumented=False, environment=None, prefix=(), timeout=60.0, **options):
        """Runs the program until it ends, or until the deadline.

        Its output goes to files: a job of a killed batch would keep a pipe open.
        """
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            begin = time.monotonic()
            process = self.start(
                *arguments,
                instrumented=instrumented,
                environment=environment,
                prefix=prefix,
                stdout=out,
                stderr=err,
                **options,
            )
            try:
                status = process.wait(timeout)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                status = None
            seconds = time.monotonic() - begin
            texts = []
            for file in (out, err):
                file.seek(0)
                texts.append(file.read().decode(errors="backslashreplace"))
            return Result(status, texts[0], texts[1], seconds)

    def clean_run(self, scheduled=False, timeout=60.0):
        """A run without any fault, after the jobs of earlier runs have ended. Its status should be 0 or 1."""
        self.wait_until_idle()
        self.note_fault()
        self.oracle.note_clean_run()
        return self.bobbin("run", *([] if scheduled else ["--spool-only"]), timeout=timeout)

    def note_fault(self):
        self.oracle.note_fault()

    # Jobs of the handler `hold`.

    def wait_for_held_job(self, timeout=30.0):
        """Waits until a job has begun to hold; returns whether it has."""
        return wait_for((self.root / "holding").exists, timeout)

    def release_jobs(self):
        (self.root / "release").touch()

    def hold_jobs_again(self):
        for mark in ("holding", "release"):
            (self.root / mark).unlink(missing_ok=True)
