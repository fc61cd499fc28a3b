"""The programs that are tested: the released program, one with failpoints, a dynamically linked one, and mutants."""

import contextlib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

PROOF = pathlib.Path(__file__).resolve().parents[1]
PROJECT = PROOF.parents[1]
MUTANTS = PROOF / "mutants"


def build(*arguments, product="bobbin", package=PROJECT, environment=None):
    """Builds the product and returns the path of the program."""
    command = ["swift", "build", "--package-path", str(package), "--product", product, *arguments]
    environment = {**os.environ, **(environment or {})}
    subprocess.run(command, env=environment, check=True, stdout=sys.stderr, timeout=1800)
    shown = subprocess.run(
        [*command, "--show-bin-path"], env=environment, check=True, capture_output=True, text=True, timeout=600
    )
    return pathlib.Path(shown.stdout.strip()) / product


def locate(variable, builder):
    """The program that an environment variable names. If it names nothing, the program is built and named by it."""
    if variable not in os.environ:
        os.environ[variable] = str(builder())
    return str(pathlib.Path(os.environ[variable]).resolve(strict=True))


def release_binary():
    """The release program, as it is installed: $BOBBIN, otherwise it is built."""
    return locate("BOBBIN", lambda: build("-c", "release"))


def instrumented_binary():
    """The program with failpoints (Sources/CLinux/failpoint.h): $BOBBIN_FAILPOINTS_BINARY, otherwise it is built."""
    return locate(
        "BOBBIN_FAILPOINTS_BINARY",
        lambda: build("--scratch-path", str(PROJECT / ".build-failpoints"), environment={"BOBBIN_FAILPOINTS": "1"}),
    )


def dynamic_binary():
    """A dynamically linked program: $BOBBIN_DYNAMIC_BINARY, otherwise it is built.

    A release program may be static, and then nothing can be preloaded into it.
    """
    return locate("BOBBIN_DYNAMIC_BINARY", lambda: build("-c", "debug"))


def moments_program():
    """The program that says when schedules have their moments (Tests/Proof/moments): it is always built."""
    return str(build("-c", "release", product="moments"))


class PatchDoesNotApply(Exception):
    """The source text that a mutant changes is no longer what its patch expects."""


@contextlib.contextmanager
def mutant(patch):
    """A program built from a copy of the sources to which mutants/PATCH has been applied.

    A patch that does not apply raises PatchDoesNotApply: without the change, the mutant would prove nothing.
    """
    with tempfile.TemporaryDirectory(prefix="bobbin-mutant-") as folder:
        copy = pathlib.Path(folder)
        copy_sources(copy)
        # Without the ceiling, git would silently skip the files if the temporary directory were inside a repository.
        applied = subprocess.run(
            ["git", "apply", "--verbose", str(MUTANTS / patch)],
            cwd=copy,
            env={**os.environ, "GIT_CEILING_DIRECTORIES": str(copy.parent.resolve())},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        if applied.returncode != 0:
            raise PatchDoesNotApply(f"mutants/{patch}\n{applied.stderr}")
        yield str(build(package=copy))


def copy_sources(destination):
    """Copies the files that a build needs."""
    for name in ("Sources", "Tests", "Package.swift"):
        source = PROJECT / name
        if source.is_dir():
            shutil.copytree(source, destination / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, destination / name)
