"""Files that are written whole or not at all."""

import errno
import os
import re
import signal
import threading
import warnings
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from parabola import files


def numbered(folder: Path) -> Iterator[Path]:
    """Return names that end in numbers, from 0 on."""
    return (folder / f"{number}.json" for number in count())


@pytest.mark.parametrize("name", ["new.json", "NEW.Json", "old.json", "a.html.json", "Räksmörgås = [1].json"])
def test_a_path_of_a_known_format_in_a_folder_is_right(name: str, tmp_path: Path) -> None:
    """The suffix decides, in capitals too, and an old file may be there."""
    (tmp_path / "old.json").write_text("old")

    files.check_path(tmp_path / name, (".svg", ".json"))


@pytest.mark.parametrize(
    ("name", "received"),
    [("a.txt", "'.txt'"), ("a.json.TXT", "'.TXT'"), ("json", "'json'"), (".json", "'.json'"), ("a.jso", "'.jso'")],
)
def test_a_path_of_another_format_is_refused(name: str, received: str, tmp_path: Path) -> None:
    """The suffix is named, or the name where it has none, with the path and all that would be right."""
    with pytest.raises(ValueError, match="unknown format") as error:
        files.check_path(tmp_path / name, (".svg", ".json"))

    assert str(error.value) == f"unknown format {received} of {tmp_path / name}; known: .svg, .json"


LONG = "x" * 300 + ".json"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("folder.json", "it is no file"),
        ("pipe.json", "it is no file"),
        ("nowhere/a.json", "No such file or directory"),
        ("file.json/a.json", "Not a directory"),
        ("astray.json", "No such file or directory"),
        ("loop.json", "([Ss]ymlink loop|Too many levels of symbolic links).*"),
        (LONG, "File name too long"),
        ("zero\0.json", "embedded null (byte|character in path)"),
    ],
)
def test_a_path_that_cannot_be_written_is_refused(name: str, reason: str, tmp_path: Path) -> None:
    """A folder, a place in no folder or below a file, a link to nowhere or to itself, a name too long."""
    (tmp_path / "folder.json").mkdir()
    (tmp_path / "file.json").write_text("")
    (tmp_path / "astray.json").symlink_to(tmp_path / "nowhere/a.json")
    (tmp_path / "loop.json").symlink_to(tmp_path / "loop.json")
    os.mkfifo(tmp_path / "pipe.json")
    before = sorted(os.listdir(tmp_path))
    with pytest.raises(ValueError, match="cannot write") as error:
        files.check_path(tmp_path / name, (".json",))

    assert re.fullmatch(f"cannot write {re.escape(str(tmp_path / name))}: {reason}", str(error.value))
    assert sorted(os.listdir(tmp_path)) == before


@pytest.mark.parametrize("name", ["new", "empty", "file", "full", "nowhere/new", "file/new", "locked", "locked/new"])
def test_a_folder_that_is_to_be_filled_is_new_or_empty(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What has something in it, is no folder, lies in none or cannot be written is refused; nothing is made yet."""
    for folder in ("empty", "full", "locked"):
        (tmp_path / folder).mkdir()
    for file in ("file", "full/.hidden"):
        (tmp_path / file).write_text("")
    before = sorted(tmp_path.rglob("*"))
    monkeypatch.setattr("os.access", lambda path, mode: path != tmp_path / "locked" or not mode & os.W_OK)

    if name in ("new", "empty"):
        files.check_folder(tmp_path / name)
    else:
        with pytest.raises(ValueError, match="cannot fill") as error:
            files.check_folder(tmp_path / name)
        reason = "Not a directory" if name == "file/new" else "a file, not empty, in no folder, or not writable"
        assert str(error.value) == f"cannot fill {tmp_path / name}: {reason}"
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("name", ["new", "full", "nowhere/new", "", "link"])
def test_a_folder_that_others_fill_too_may_be_made_with_those_above_it(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is refused where the nearest that is there is a file, or may not be written to, by a relative path as well."""
    (tmp_path / "full").mkdir()
    (tmp_path / "full/file").write_text("")
    (tmp_path / "link").symlink_to(tmp_path / "full")
    monkeypatch.chdir(tmp_path)
    files.check_folder(Path(name), own=False)
    files.check_folder(tmp_path / name, own=False)
    monkeypatch.setattr("os.access", lambda path, mode: False)

    with pytest.raises(ValueError, match=f"cannot fill {Path(name)}: a file, or not writable"):
        files.check_folder(Path(name), own=False)
    with pytest.raises(ValueError, match="cannot fill full/file: a file, or not writable"):
        files.check_folder(Path("full/file"), own=False)


@pytest.mark.parametrize(
    ("number", "reason"),
    [(errno.ENOSPC, "No space left on device"), (errno.EROFS, "Read-only file system"), (errno.EACCES, "Permission")],
)
def test_a_place_where_a_draft_fails_is_refused(
    number: int, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some bytes are written beside the path to find out; the file that is there stays as it is."""
    (tmp_path / "a.json").write_text("old")

    def fail(path: Path, content: bytes) -> None:
        raise OSError(number, os.strerror(number), str(path))

    monkeypatch.setattr(Path, "write_bytes", fail)
    with pytest.raises(ValueError, match=f"cannot write .*/a.json: {reason}"):
        files.check_path(tmp_path / "a.json", (".json",))

    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"a.json": "old"}


def test_a_file_that_cannot_be_changed_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An immutable file lets nobody open it to be written, though a draft beside it is no trouble."""
    (tmp_path / "a.json").write_text("old")
    opened = Path.open

    def refuse(path: Path, mode: str = "r", **others: Any) -> Any:
        if mode == "r+b" and path == tmp_path / "a.json":
            raise PermissionError(errno.EPERM, "Operation not permitted", str(path))
        return opened(path, mode, **others)

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(ValueError, match=r"a\.json: Operation not permitted"):
        files.check_path(tmp_path / "a.json", (".json",))


def test_an_error_of_a_draft_names_the_file_that_was_asked_for(tmp_path: Path) -> None:
    """A full disk's error has no name, and that of a draft would name a file that nobody knows."""
    path = tmp_path / "a.json"
    with pytest.raises(OSError, match="No space left") as error, files.draft(path):
        raise OSError(errno.ENOSPC, "No space left on device")

    assert error.value.filename == str(path)
    assert list(tmp_path.iterdir()) == []


def test_a_draft_takes_the_place_when_it_is_done(tmp_path: Path) -> None:
    """It lies hidden beside the path and has its suffix; until the end the old file is there."""
    path = tmp_path / "a.b.svg"
    path.write_text("old")
    with files.draft(path) as beside:
        beside.write_text("new")
        during = path.read_text()
        place = beside.parent

    assert during == "old"
    assert path.read_text() == "new"
    assert beside.suffix == ".svg"
    assert place.parent == tmp_path
    assert place.name.startswith(".parabola-")
    assert [file.name for file in tmp_path.iterdir()] == ["a.b.svg"]


@pytest.mark.parametrize("old", ["old", None])
def test_a_draft_that_fails_changes_nothing(old: str | None, tmp_path: Path) -> None:
    """An old file stays, a new one does not come to be, and nothing is left beside it."""
    path = tmp_path / "a.svg"
    if old:
        path.write_text(old)

    def fail() -> None:
        with files.draft(path) as beside:
            beside.write_text("half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()

    assert [file.read_text() for file in tmp_path.iterdir()] == ([old] if old else [])


def test_a_text_is_written_through_a_link(tmp_path: Path) -> None:
    """The link stays one, and the file that it leads to is replaced, in its own folder."""
    (tmp_path / "real").mkdir()
    real, link = tmp_path / "real/a.txt", tmp_path / "link.txt"
    real.write_text("old")
    link.symlink_to(real)
    before = real.stat().st_ino
    files.write_text("µs × 2\n", link)

    assert link.is_symlink()
    assert real.read_bytes() == "µs × 2\n".encode()
    assert real.stat().st_ino != before
    assert sorted(file.name for file in tmp_path.rglob("*")) == ["a.txt", "link.txt", "real"]


def test_the_first_free_name_is_taken(tmp_path: Path) -> None:
    """What has a name is left as it is, a link that leads nowhere too, and the name that was taken is returned."""
    (tmp_path / "0.json").write_text("first")
    (tmp_path / "1.json").symlink_to(tmp_path / "gone")
    path = files.create_text("µs", numbered(tmp_path))

    assert path == tmp_path / "2.json"
    assert path.read_bytes() == "µs".encode()
    assert (tmp_path / "0.json").read_text() == "first"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["0.json", "1.json", "2.json"]
    assert not (tmp_path / "gone").exists()


def test_writing_at_once_creates_every_file(tmp_path: Path) -> None:
    """Threads that want one name get different ones, and no text is lost."""
    threads = [threading.Thread(target=lambda n=n: files.create_text(str(n), numbered(tmp_path))) for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(int(path.read_text()) for path in tmp_path.iterdir()) == list(range(20))


def test_what_a_killed_process_left_is_removed_by_the_next_that_writes_there(tmp_path: Path) -> None:
    """But no draft of a process that lives, no link, and nothing of another name."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # where another test has started threads
        child = os.fork()
    if not child:
        with files.draft(tmp_path / "a.json") as beside:
            beside.write_text("half")
            os._exit(9)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    (left,) = tmp_path.iterdir()
    (tmp_path / ".parabola-file").touch()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/kept").touch()
    (tmp_path / ".parabola-link").symlink_to("elsewhere")
    with files.draft(tmp_path / "b.json") as living:
        living.write_text("b")
        assert not left.exists()
        files.write_text("c", tmp_path / "c.json")
        assert living.exists()

    names = [".parabola-file", ".parabola-link", "b.json", "c.json", "elsewhere", "elsewhere/kept"]
    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")) == names


def test_where_folders_cannot_be_locked_files_are_written_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And what was left stays, as nobody knows whether a process drafts in it."""
    (tmp_path / ".parabola-left").mkdir()
    for lacking in (None, SimpleNamespace(LOCK_EX=2, LOCK_NB=4, flock=_no_locks)):
        monkeypatch.setattr(files, "fcntl", lacking)
        files.write_text("a", tmp_path / "a.json")

    assert sorted(os.listdir(tmp_path)) == [".parabola-left", "a.json"]


def _no_locks(*_: Any) -> None:
    raise OSError(errno.EOPNOTSUPP, "Operation not supported")


def test_one_block_at_a_time_has_a_file_alone(tmp_path: Path) -> None:
    """By whatever path it is named; others of like names are free, and no lock is left."""
    names = ["a.json", "b.json", "ü" * 120 + "a.json"]
    (tmp_path / "link.json").symlink_to("a.json")
    for _ in range(2):
        with files.alone(tmp_path / names[0]) as first, files.alone(tmp_path / names[1]) as second:
            with files.alone(tmp_path / names[2]) as third, files.alone(tmp_path / names[2]) as again:
                assert (first, second, third, again) == (True, True, True, False)
            for name in ("a.json", "link.json", "../" + tmp_path.name + "/a.json"):
                with files.alone(tmp_path / name) as free:
                    assert not free
    assert os.listdir(tmp_path) == ["link.json"]


def test_a_process_that_is_killed_holds_no_file(tmp_path: Path) -> None:
    """It does as long as it lives."""
    path, (reader, writer) = tmp_path / "a.json", os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # where another test has started threads
        child = os.fork()
    if not child:
        with files.alone(path):
            os.write(writer, b"held")
            signal.pause()
            os._exit(0)
    os.close(writer)
    assert os.read(reader, 4) == b"held"
    os.close(reader)
    with files.alone(path) as free:
        assert not free
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    with files.alone(path) as free:
        assert free
    assert os.listdir(tmp_path) == []


def test_where_there_are_no_locks_a_file_is_free(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And nothing is left beside it."""
    for lacking in (None, SimpleNamespace(LOCK_EX=2, LOCK_NB=4, flock=_no_locks)):
        monkeypatch.setattr(files, "fcntl", lacking)
        with files.alone(tmp_path / "a.json") as first, files.alone(tmp_path / "a.json") as second:
            assert first
            assert second
        assert os.listdir(tmp_path) == []
