"""The report of a topic: lines `ok - …` and `not ok - …`, a line of figures, and the totals."""

import os
import sys
import threading


class Report:
    def __init__(self, topic):
        self.topic = topic
        self.passed = 0
        self.failed = 0
        self.guard = threading.Lock()

    def check(self, holds, title, details=()):
        """Prints one line. On failure it is followed by the details, which are one or several strings.

        - title: a sentence that is true if the check holds.
        """
        with self.guard:
            if holds:
                self.passed += 1
                print(f"ok - {self.topic}: {title}", flush=True)
                return
            self.failed += 1
            print(f"not ok - {self.topic}: {title}", flush=True)
            for detail in [details] if isinstance(details, str) else details:
                for line in str(detail).splitlines()[:80]:
                    print(f"#   {line}", flush=True)

    def check_oracle(self, instance, title, *details):
        """Prints one line for all conditions of the oracle."""
        problems = instance.oracle.violations()
        self.check(not problems, title, [*problems, *details, *instance.listing()] if problems else ())

    def require_root(self):
        """Ends the topic as failed if it cannot act as several users."""
        if os.geteuid() != 0:
            self.check(False, "the topic runs as root, because it acts as several users")
            self.finish()

    def figure(self, text):
        """Prints a figure for the reader, and for the table in README.md."""
        print(f"{self.topic}: {text}", flush=True)

    def finish(self):
        print(f"{self.passed} passed, {self.failed} failed", flush=True)
        sys.exit(0 if self.failed == 0 and self.passed > 0 else 1)
