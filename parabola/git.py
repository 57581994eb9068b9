"""git, through its command: what it prints, and its own words where it fails."""

import os
import subprocess
from pathlib import Path

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
    """git is not installed, or failed; the message has its own words."""


def git(
    folder: Path, *arguments: str, extra: dict[str, str] | None = None, given: str = "", hooks: bool = False
) -> str:
    """Return what git prints, without the last line's end.

    Args:
        folder: the folder that git runs in.
        arguments: what git is called with.
        extra: environment variables to set, besides those that this process has and that name no repository.
        given: what git reads from its standard input.
        hooks: whether the repository's own hooks run, as a user expects of a push, and of nothing else here.

    Raises:
        GitError: if git is not installed, or fails.
    """
    without_hooks = [] if hooks else ["-c", f"core.hooksPath={os.devnull}"]
    clean = {name: value for name, value in os.environ.items() if name not in OF_A_REPOSITORY}
    try:
        answer = subprocess.run(
            ["git", "-C", str(folder), *without_hooks, *arguments],
            input=given,
            capture_output=True,
            encoding="utf-8",
            errors="surrogateescape",  # names of files are any bytes
            env={**clean, **(extra or {})},
            check=False,
        )
    except FileNotFoundError:
        raise GitError("git is not installed") from None
    if answer.returncode:
        words = answer.stderr.strip() or f"exit code {answer.returncode}"
        raise GitError(f"git {arguments[0]}: {words}")
    return answer.stdout.removesuffix("\n")
