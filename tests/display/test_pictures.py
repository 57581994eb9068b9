"""Pictures as they are saved."""

from pathlib import Path
from typing import Any

import altair
import pytest

from parabola.display import pictures


class Chart:
    """Stands for a chart: it writes with what options it was saved."""

    def save(self, path: str, **options: Any) -> None:
        """Write the options, and the suffix of the file."""
        options.pop("json_kwds", None)
        Path(path).write_text(f"{Path(path).suffix} {options}")


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("a.png", ".png {'scale_factor': 2}"),
        ("a.svg", ".svg {}"),
        ("a b.HTML", ".html {'inline': True}"),
        ("ü.PNG", ".png {'scale_factor': 2}"),
    ],
)
def test_a_picture_is_saved_as_its_suffix_says(name: str, written: str, tmp_path: Path) -> None:
    """PNG has twice the points, HTML holds its scripts so that it works offline; the suffix may be in capitals."""
    pictures.save(Chart(), tmp_path / name)

    assert {file.name: file.read_text() for file in tmp_path.iterdir()} == {name: written}


def test_a_text_in_a_picture_ends_no_script_of_its_page(tmp_path: Path) -> None:
    """A case that is called as a script's end would otherwise begin one of its own."""
    data = {"values": [{"case": "</script><script>alert(1)</script>"}]}
    pictures.save(altair.Chart.from_dict({"data": data, "mark": "point"}), tmp_path / "a.html")
    page = (tmp_path / "a.html").read_text(encoding="utf-8")

    assert "alert(1)" in page
    assert "<script>alert(1)" not in page
    assert "\\u003c/script>\\u003cscript>alert(1)" in page


def test_a_picture_of_an_unknown_format_is_not_written(tmp_path: Path) -> None:
    """The message names the path and the formats that are known."""
    path = tmp_path / "a.pdf"
    with pytest.raises(ValueError, match="unknown format") as caught:
        pictures.save(Chart(), path)

    assert str(caught.value) == f"unknown format '.pdf' of {path}; known: .png, .svg, .html"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("values", "labels"),
    [
        ([2.04e-6, 0.865], [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1]),
        ([3e-6, 4e-6], [1e-6, 2e-6, 5e-6, 1e-5]),
        ([1e-3], [1e-3, 2e-3, 5e-3, 1e-2]),
        ([9, 111], [1, 10, 100, 1000]),
        ([1, 100], [1, 2, 5, 10, 20, 50, 100]),
    ],
)
def test_every_power_of_ten_around_the_values_has_a_label(values: list[float], labels: list[float]) -> None:
    """Where few powers are drawn, twice and five times each have one, too."""
    assert pictures.powers_of_ten(values) == labels
