"""What is installed for a side, and what differs between the two."""

import importlib.metadata
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from parabola.compare.environments import inside
from parabola.compare.environments.differences import Difference, Environment, differences, facts_of, named
from parabola.compare.environments.interpreter import find_python
from parabola.compare.sides.by_side import BySide
from tests.made_comparisons import FACTS

ALIKE = {"python": "3.11.7", "numpy": "2.1"}
BASE = Environment({**ALIKE, "keras": "3.10", "tensorflow": "2.20.0", "wrapt": "1.0", "jax": "0.5"})
HEAD = Environment({**ALIKE, "keras": "3.11", "tensorflow": "2.21.0", "zlib-ng": "1.0", "jax": "0.6"})


def test_packages_that_differ_are_named_with_both_versions() -> None:
    """Those that the install commands name come first, the others by name; what is alike is left out."""
    install = BySide("pip install -e . TensorFlow==2.20.*", "pip install zlib_ng 'tensorflow>=2.21'")

    assert differences(BySide(BASE, HEAD), install) == [
        Difference("tensorflow", "2.20.0", "2.21.0"),
        Difference("zlib-ng", None, "1.0"),
        Difference("jax", "0.5", "0.6"),
        Difference("keras", "3.10", "3.11"),
        Difference("wrapt", "1.0", None),
    ]
    assert differences(BySide(BASE, BASE), install) == []


def test_another_python_comes_first() -> None:
    """Before any package."""
    found = differences(
        BySide(Environment({"python": "3.9.18", "a": "1"}), Environment({"python": "3.10.1", "a": "2"})),
        BySide("a", ""),
    )

    assert found == [Difference("python", "3.9.18", "3.10.1"), Difference("a", "1", "2")]


@pytest.mark.parametrize(
    ("most", "words"),
    [
        (None, "a 1 → 2, b none → 1.0, c 3 → none"),
        (3, "a 1 → 2, b none → 1.0, c 3 → none"),
        (2, "a 1 → 2, b none → 1.0 and 1 more"),
        (1, "a 1 → 2 and 2 more"),
    ],
)
def test_differences_in_words(most: int | None, words: str) -> None:
    """All of them, or the first ones and how many more there are."""
    assert named([Difference("a", "1", "2"), Difference("b", None, "1.0"), Difference("c", "3", None)], most) == words


def test_the_machines_facts_have_the_software_of_the_sides() -> None:
    """One version where it is the same, else both; what this program runs with is no matter."""
    facts = facts_of(BySide(BASE, HEAD), {**FACTS, "backend": "jax 9.9", "python": "3.13.0"})

    assert facts == {
        **FACTS,
        "python": "3.11.7", "backend": "jax 0.5 → 0.6", "tensorflow": "2.20.0 → 2.21.0", "keras": "3.10 → 3.11",
        "numpy": "2.1", "numba": "none", "pytest_benchmark": "none", "cuda": "none",
    }  # fmt: skip
    cuda = Environment({"python": "3.12.1", "nvidia-cuda-runtime-cu12": "12.5"})
    assert facts_of(BySide(BASE, cuda), FACTS)["cuda"] == "none → 12.5"
    assert facts_of(BySide(BASE, cuda), FACTS)["python"] == "3.11.7 → 3.12.1"
    assert facts_of(BySide(BASE, HEAD), FACTS)["backend"] == "tensorflow"


def install(site: Path, name: str, version: str, url: dict[str, Any] | None = None) -> None:
    folder = site / f"{name.replace('-', '_')}-{version}.dist-info"
    folder.mkdir(parents=True)
    (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    if url:
        (folder / "direct_url.json").write_text(json.dumps(url))


@pytest.mark.parametrize(
    ("url", "own", "copied"),
    [
        ({"url": "file://{}/top", "dir_info": {}}, True, True),
        ({"url": "file://{}/top/d%69st/a.whl", "archive_info": {}}, True, True),
        ({"url": "file://{}/top/lib", "dir_info": {"editable": True}}, True, False),
        ({"url": "file://{}/top2", "dir_info": {}}, False, False),
        ({"url": "https://example.org/top", "dir_info": {}}, False, False),
        ({"url": "https://example.org{}/top", "archive_info": {}}, False, False),
    ],
)
def test_what_is_installed_in_an_environment(
    url: dict[str, Any], own: bool, copied: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All but the checkout's own: what was installed from it or has its name; a commit stands beside its version."""
    site = tmp_path / "site"
    install(site, "Some.Thing", "1.0", {**url, "url": url["url"].format(tmp_path)})
    install(site, "My_Lib", "0.5")
    install(site, "numpy", "2.1")
    install(site, "from-git", "1.2", {"url": "https://example.org/x", "vcs_info": {"commit_id": "0123456789abcdef"}})
    (site / "broken.dist-info").mkdir()
    install(tmp_path / "later", "numpy", "1.0")
    path = [str(site), str(tmp_path / "later")]
    discover = importlib.metadata.Distribution.discover
    monkeypatch.setattr(importlib.metadata, "distributions", lambda: discover(path=path))
    others = {"from-git": "1.2 at 012345678", "numpy": "2.1"}

    versions, a_copy = inside.installed(str(tmp_path / "top"), ["my-lib"])
    assert versions == ({**others} if own else {**others, "some-thing": "1.0"})
    assert a_copy == copied


@pytest.mark.parametrize(("version", "looked"), [((3, 9, 0), True), ((3, 8, 18), False)])
def test_an_old_python_says_only_that_it_is_old(
    version: tuple[int, ...], looked: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line of JSON, with nothing asked of what it may not have."""
    asked = list[Any]()

    def installed(*given: Any) -> tuple[dict[str, str], bool]:
        asked.append(given)
        return {"a": "1"}, True

    monkeypatch.setattr(inside, "installed", installed)
    monkeypatch.setattr(sys, "version_info", version)
    monkeypatch.setattr(sys, "argv", ["inside.py", "/top", "x", "y"])
    inside.main()

    said = json.loads(capsys.readouterr().out)
    assert said == {
        "packages": {"python": ".".join(map(str, version)), **({"a": "1"} if looked else {})}, "copied": looked
    }  # fmt: skip
    assert asked == ([("/top", ["x", "y"])] if looked else [])


def test_a_python_is_named_by_its_path_its_folder_or_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A link is not followed, as it may be an environment's; nothing is asked of an empty text."""
    environment = tmp_path / "environment/bin"
    environment.mkdir(parents=True)
    (environment / "python").symlink_to(sys.executable)
    (tmp_path / "text").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(environment))

    for text in ("environment", "environment/bin/python", str(environment), "python")[:2]:
        assert find_python(text) == str(environment / "python")
    assert find_python("python") == str(environment / "python")
    assert find_python("") == ""
    for text in ("nosuch", "text", str(tmp_path), "environment/bin"):
        with pytest.raises(ValueError, match=f"^--python needs a Python's path, .* Received: '{text}'$"):
            find_python(text)
