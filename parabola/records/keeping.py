"""Records kept on a branch of their own, as CI keeps them: added one by one, never changed, with no working tree."""

import re
from dataclasses import dataclass
from pathlib import Path

from parabola import files
from parabola.git import GitError, git, identity
from parabola.records import reading
from parabola.records.schema import Unreadable

ATTEMPTS = 10  # to push, where others push at the same time
NAME = re.compile(r"\d{8}_\d{6}_[0-9a-f]{4,40}_[0-9a-f]{8}\.json")


@dataclass(frozen=True)
class Kept:
    """What became of a record.

    Attributes:
        name: the record's file on the branch: the commit's date in UTC and its id, and the record's own hash.
        added: False if the branch had it already.
    """

    name: str
    added: bool


def keep(record: Path, branch: str, remote: str, folder: Path) -> Kept:
    """Add a record to a branch of a remote repository; the working tree, the index and other branches stay as they are.

    Args:
        record: the file that is kept.
        branch: the branch's name; it is made if the remote does not have it.
        remote: the remote's name or address.
        folder: a folder of the repository whose commit was measured.

    Raises:
        ValueError: if the file is no record, the branch cannot be named so or holds anything but records, or git fails.
    """
    try:
        reading.read(record)
    except (OSError, Unreadable) as error:
        raise ValueError(f"{record} is no record that can be kept: {error}") from None
    form = "--date=format-local:%Y%m%d_%H%M%S", "--format=%cd_%h"
    when = git(folder, "show", "--no-patch", *form, extra={"TZ": "UTC"})
    reference = _reference(branch, folder)
    blob = git(folder, "hash-object", "-w", "--", str(record.resolve()))
    name = f"{when}_{blob[:8]}.json"
    for _ in range(ATTEMPTS):
        tip = _tip(reference, remote, folder)
        entries = git(folder, "ls-tree", tip).splitlines() if tip else []
        if foreign := [entry for entry in entries if not NAME.fullmatch(entry.partition("\t")[2])]:
            there = foreign[0].partition("\t")[2]
            raise ValueError(f"branch {branch} holds more than records, as {there}: choose a branch of their own")
        if any(entry.endswith(f"\t{name}") for entry in entries):
            return Kept(name, False)
        tree = git(folder, "mktree", given="".join(f"{line}\n" for line in [*entries, f"100644 blob {blob}\t{name}"]))
        parents = ["-p", tip] if tip else []
        commit = git(
            folder, "commit-tree", tree, *parents, "-m", f"Record of {name}", extra=identity("parabola@localhost")
        )
        try:
            git(folder, "push", "--quiet", remote, f"{commit}:{reference}", hooks=True)
        except GitError as error:
            rejected = error
        else:
            return Kept(name, True)
    raise ValueError(f"{branch} could not be pushed in {ATTEMPTS} attempts: {rejected}")


def extract(branch: str, remote: str, folder: Path, place: Path) -> int:
    """Write the records of a branch into a folder, which is made; files that are there already are left alone.

    Returns:
        How many records the branch has.
    """
    tip = _tip(_reference(branch, folder), remote, folder)
    names = git(folder, "ls-tree", "--name-only", tip).splitlines() if tip else []
    place.mkdir(parents=True, exist_ok=True)
    for name in filter(NAME.fullmatch, names):
        if not (place / name).exists():
            files.write_text(git(folder, "cat-file", "blob", f"{tip}:{name}"), place / name)
    return len(names)


def _reference(branch: str, folder: Path) -> str:
    """Return the full name of a branch. Raises ValueError unless git takes it for one."""
    try:
        git(folder, "check-ref-format", f"refs/heads/{branch}")
        if branch.startswith("-"):
            raise ValueError
    except ValueError:
        raise ValueError(f"no branch can be called {branch!r}: choose a name such as records") from None
    return f"refs/heads/{branch}"


def _tip(reference: str, remote: str, folder: Path) -> str:
    """Return the newest commit of a remote branch, which is fetched; empty if the remote does not have the branch."""
    found = git(folder, "ls-remote", "--", remote, reference)
    if not found:
        return ""
    tip = found.split()[0]
    git(folder, "fetch", "--quiet", "--depth", "1", "--no-write-fetch-head", "--", remote, reference)
    return tip
