"""git, through its command: what it prints, and its own words where it fails."""

import os
import subprocess
from contextlib import suppress
from pathlib import Path

GRACE_SECONDS = 1  # that git may take to end when it is asked to

# They name a repository, as git sets them for its hooks (`git rev-parse --local-env-vars`). Those that say how to reach
# others (GIT_SSH_COMMAND, GIT_ASKPASS, GIT_CONFIG_COUNT, …) are passed on.
OF_A_REPOSITORY = (
    *("GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_COMMON_DIR", "GIT_DIR", "GIT_GRAFT_FILE", "GIT_IMPLICIT_WORK_TREE"),
    *("GIT_INDEX_FILE", "GIT_INTERNAL_SUPER_PREFIX", "GIT_NO_REPLACE_OBJECTS", "GIT_OBJECT_DIRECTORY", "GIT_PREFIX"),
    *("GIT_REPLACE_REF_BASE", "GIT_SHALLOW_FILE", "GIT_WORK_TREE"),
)


def identity(email: str) -> dict[str, str]:
    """Return the environment variables with which git takes this program for a commit's author and committer."""
    facts = {"NAME": "parabola", "EMAIL": email}
    return {f"GIT_{role}_{name}": value for role in ("AUTHOR", "COMMITTER") for name, value in facts.items()}


class GitError(ValueError):
    """git is not installed, or failed; the message has its own words, in one line."""


def git(
    folder: Path,
    *arguments: str,
    extra: dict[str, str] | None = None,
    given: str = "",
    hooks: bool = False,
    apart: bool = False,
) -> str:
    """Return what git prints, without the last line's end.

    Args:
        folder: the folder that git runs in.
        arguments: what git is called with.
        extra: environment variables to set, besides those that this process has and that name no repository.
        given: what git reads from its standard input.
        hooks: whether the repository's own hooks run, as a user expects of a push, and of nothing else here.
        apart: whether git goes on where Ctrl-C is typed, as it must where it clears up; it may then ask for nothing.

    Raises:
        GitError: if git is not installed, or fails.
    """
    without_hooks = [] if hooks else ["-c", f"core.hooksPath={os.devnull}"]
    clean = {name: value for name, value in os.environ.items() if name not in OF_A_REPOSITORY}
    try:
        process = subprocess.Popen(
            ["git", "-C", str(folder), *without_hooks, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="surrogateescape",  # names of files are any bytes
            env={**clean, **(extra or {})},
            process_group=0 if apart else None,
        )
    except FileNotFoundError:
        raise GitError("git is not installed") from None
    with process:
        try:
            said, complaint = process.communicate(given)
        except BaseException:  # a signal: unlike one that is killed, it removes the files by which it locks others out
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(GRACE_SECONDS)
            raise
    if process.returncode:
        words = " / ".join(filter(None, map(str.strip, complaint.splitlines()))) or f"exit code {process.returncode}"
        raise GitError(f"git {arguments[0]}: {words}")
    return said.removesuffix("\n")
