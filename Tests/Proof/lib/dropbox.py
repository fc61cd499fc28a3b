"""A drop box with several real users: its owner is the batch's user, its group the submitters, and its mode 3730."""

import os
import subprocess

import hostile_instance
from hostile_instance import BATCH_USER, HostileInstance
from processes import become

# Users and a group. A number does not need an account.
ANNA = 64002
MALLORY = 64003
OUTSIDER = 64004
SUBMITTERS = 64100


class DropBox(HostileInstance):
    def __init__(self, channels=hostile_instance.CHANNELS, **settings):
        super().__init__(channels, **settings)
        self.copy_program()
        self.give_to(BATCH_USER)
        os.chown(self.spool, BATCH_USER, SUBMITTERS)
        self.spool.chmod(0o3730)
        # The attacker's own directory.
        self.lair = self.root / "lair"
        self.lair.mkdir()
        os.chown(self.lair, MALLORY, MALLORY)
        self.lair.chmod(0o755)

    def shell(self, user, script, **variables):
        """Runs a script as a submitter. $S is the spool, $LAIR the attacker's directory."""
        return subprocess.run(
            [*become(user, [SUBMITTERS]), "sh", "-c", f"umask 022; {script}"],
            cwd=self.root,
            env={**os.environ, "S": str(self.spool), "LAIR": str(self.lair), **variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=30,
            check=False,
        )

    def run_batch(self, **options):
        """Runs the batch over the spool, as the batch's user."""
        self.oracle.note_clean_run()
        return self.as_user(BATCH_USER, "run", "--spool-only", **options)

    def start_batch(self, **options):
        return self.start("run", "--spool-only", prefix=become(BATCH_USER), **options)

    def submit(self, user, *arguments):
        return self.as_user(user, "trigger", *arguments, groups=[SUBMITTERS])
