"""A drop box of DESIGN, with real and different users: owner the batch's user, group the submitters, mode 3730."""

import os
import subprocess
import time

import hostile_instance as odd

# Users and a group. Numbers without an account will do.
ANNA = 64002
MALLORY = 64003
OUTSIDER = 64004
SUBMITTERS = 64100


class DropBox(odd.Instance):
    def __init__(self, channels=odd.CHANNELS, **settings):
        super().__init__(channels, **settings)
        self.program_for_all()
        self.owned_by(odd.BATCH)
        os.chown(self.spool, odd.BATCH, SUBMITTERS)
        self.spool.chmod(0o3730)
        # Where the one who attacks keeps things.
        self.lair = self.root / "lair"
        self.lair.mkdir()
        os.chown(self.lair, MALLORY, MALLORY)
        self.lair.chmod(0o755)

    def shell(self, user, script, **variables):
        """Runs a script in the spool as a submitter."""
        return subprocess.run(
            [*odd.become(user, [SUBMITTERS]), "sh", "-c", f"umask 022; {script}"],
            cwd=self.root,
            env={**os.environ, "S": str(self.spool), "LAIR": str(self.lair), **variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=30,
            check=False,
        )

    def run_batch(self, *arguments, **options):
        self.clean_run_began = time.time()
        return self.as_user(odd.BATCH, "run", *(arguments or ("--spool-only",)), **options)

    def submit(self, user, *arguments):
        return self.as_user(user, "trigger", *arguments, groups=[SUBMITTERS])
