"""A report on a terminal, in Markdown and as a page: what of it each shows, to the character."""

import io
import json
import re
from typing import Any

import pytest
from rich.console import Console

from parabola.report import page
from parabola.report import text as report_text
from parabola.report.parts import Picture, Section
from tests.made_tables import made_table


class Chart:
    """What a page asks of a picture."""

    def __init__(self, **specification: Any) -> None:
        self.specification = specification

    def to_dict(self, validate: bool = True) -> dict[str, Any]:
        """Return the specification; checking it would take long."""
        assert not validate
        return self.specification


SECTIONS = [
    Section(
        title="Now: <b> [bold]x[/]",
        lines=("One | two & three of a sentence that is longer than the terminal is wide.", "[red]Two[/]"),
        tables=(
            made_table("Times <1>", {"case": "left", "median": "right"}, ("a|b", "1 ms")),
            made_table("", {"n": "right"}, ("7",)),
        ),
        details=(made_table("Folded & <2>", {"case": "left"}, ("<c>",), ("d",)),),
        pictures=(
            Picture("Over <size>", Chart(mark="<a>", config={"font": "other"}), "A & caption"),
            Picture("P2", Chart(mark="b"), "Second"),
        ),
    ),
    Section(title="History", pictures=(Picture("P3", Chart(mark="</script>"), "Third"),)),
]


def test_a_terminal_shows_headings_sentences_and_tables_but_no_folds_and_pictures() -> None:
    """Sentences are not wrapped, brackets are no markup, and an empty line ends each part."""
    stream = io.StringIO()
    report_text.print_report(SECTIONS, Console(file=stream, width=40, highlight=False))

    assert [line.rstrip() for line in stream.getvalue().splitlines()] == [
        "Now: <b> [bold]x[/]",
        "One | two & three of a sentence that is longer than the terminal is wide.",
        "[red]Two[/]",
        "Times <1>",
        "",
        "  case   median",
        " ───────────────",
        "  a|b      1 ms",
        "",
        "",
        "  n",
        " ───",
        "  7",
        "",
        "",
        "History",
        "",
    ]


def test_headings_are_bold_on_a_terminal() -> None:
    """Nothing else of the sentences is."""
    stream = io.StringIO()
    console = Console(file=stream, width=90, highlight=False, force_terminal=True, color_system="standard")
    report_text.print_report([Section("A", ("b",))], console)

    assert stream.getvalue() == "\x1b[1mA\x1b[0m\nb\n\n"


def test_markdown_has_headings_sentences_tables_and_folds_but_no_pictures() -> None:
    """All text is escaped; folds stand behind the tables, each with its title as its summary."""
    assert report_text.markdown(SECTIONS).split("\n") == [
        r"### Now: &lt;b&gt; \[bold\]x\[/\]",
        "",
        "- One \\| two &amp; three of a sentence that is longer than the terminal is wide.",
        r"- \[red\]Two\[/\]",
        "",
        "**Times &lt;1&gt;**",
        "",
        "| case | median |",
        "| --- | ---: |",
        "| a\\|b | 1 ms |",
        "",
        "| n |",
        "| ---: |",
        "| 7 |",
        "",
        "<details><summary>Folded &amp; &lt;2&gt;</summary>",
        "",
        "| case |",
        "| --- |",
        "| &lt;c&gt; |",
        "| d |",
        "",
        "</details>",
        "",
        "### History",
        "",
        "",
    ]


def page_lines(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the page's lines, with the drawing library, which is long, replaced by a word."""
    monkeypatch.setattr(page, "_libraries", lambda: "LIBRARY < >")
    return [line.strip() for line in page.page(SECTIONS, "T <1>").splitlines() if line.strip()]


def test_the_page_has_all_parts_pictures_tables_and_folds_in_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """Text is escaped; parts and pictures are numbered through; each has the title and caption that is its own."""
    lines = page_lines(monkeypatch)
    body = lines[lines.index("<body>") + 1 : lines.index("</main>")]
    charts = [
        json.loads(line.partition(">")[2].removesuffix("</script>")) for line in body if "application/json" in line
    ]
    told = [re.sub(r"(?<=\">)\{.*\}(?=</script>)", "…", line) for line in body]

    def figure(number: int, title: str, caption: str) -> list[str]:
        return [
            "<figure>",
            f"<h3>{title}</h3>",
            f'<div class="chart" role="img" aria-label="{title}" id="chart-{number}"></div>',
            f'<script type="application/json" data-chart="chart-{number}">…</script>',
            f"<figcaption>{caption}</figcaption>",
            "</figure>",
        ]

    def table(title: str, headings: str, *rows: str) -> list[str]:
        return [
            f'<div class="table" tabindex="0" role="region" aria-label="{title}">',
            "<table>",
            f"<caption>{title}</caption>",
            f"<thead><tr>{headings}</tr></thead>",
            "<tbody>",
            *(f"<tr>{row}</tr>" for row in rows),
            *("</tbody>", "</table>", "</div>"),
        ]

    left, right = '<th scope="col" class="left">', '<th scope="col" class="right">'
    assert told == [
        "<header>",
        "<h1>T &lt;1&gt;</h1>",
        '<button id="theme" type="button">light or dark</button>',
        "</header>",
        "<nav>",
        '<a href="#part-1">Now: &lt;b&gt; [bold]x[/]</a>',
        '<a href="#part-2">History</a>',
        "</nav>",
        "<main>",
        '<section id="part-1">',
        "<h2>Now: &lt;b&gt; [bold]x[/]</h2>",
        "<ul>",
        "<li>One | two &amp; three of a sentence that is longer than the terminal is wide.</li>",
        "<li>[red]Two[/]</li>",
        "</ul>",
        *figure(1, "Over &lt;size&gt;", "A &amp; caption"),
        *figure(2, "P2", "Second"),
        *table(
            "Times &lt;1&gt;",
            f"{left}case</th>{right}median</th>",
            '<td class="left">a|b</td><td class="right">1 ms</td>',
        ),
        *table("", f"{right}n</th>", '<td class="right">7</td>'),
        "<details><summary>Folded &amp; &lt;2&gt;</summary>",
        *table(
            "Folded &amp; &lt;2&gt;",
            f"{left}case</th>",
            *('<td class="left">&lt;c&gt;</td>', '<td class="left">d</td>'),
        ),
        "</details>",
        "</section>",
        '<section id="part-2">',
        "<h2>History</h2>",
        "<ul>",
        "</ul>",
        *figure(3, "P3", "Third"),
        "</section>",
    ]
    assert [chart["mark"] for chart in charts] == ["<a>", "b", "</script>"]
    assert not any("<a>" in line or "</script></script>" in line or '"</script' in line for line in body)


def test_pictures_have_the_look_of_the_page_in_place_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """They have no ground, the colour of the text around them, and legible sizes."""
    (line,) = [line for line in page_lines(monkeypatch) if 'data-chart="chart-1"' in line]
    text = dict.fromkeys(("labelColor", "titleColor"), "currentColor")

    assert json.loads(line.partition(">")[2].removesuffix("</script>"))["config"] == {
        "background": None,
        "font": "system-ui, sans-serif",
        "view": {"stroke": None},
        "axis": {
            **{**text, "domainColor": "currentColor", "tickColor": "currentColor", "gridColor": "#8888"},
            **{"labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": 500},
        },
        "legend": text,
    }


def test_the_page_fetches_nothing_and_has_the_library_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its policy forbids every source but what is in it; its title is escaped."""
    lines = page_lines(monkeypatch)

    assert lines[0] == "<!doctype html>"
    assert lines[-1] == "</html>"
    assert '<meta charset="utf-8">' in lines
    assert "<title>T &lt;1&gt;</title>" in lines
    assert "<script>LIBRARY < ></script>" in lines
    assert (
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; script-src 'unsafe-inline' "
        "'unsafe-eval'; style-src 'unsafe-inline'; img-src data: blob:\">"
    ) in lines
    assert not [line for line in lines if "src=" in line or ("http" in line and "http-equiv" not in line)]


def test_the_library_is_of_the_version_that_altair_draws_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is asked for by major and minor version, and no end of a script in it ends the page's."""
    asked = list[dict[str, Any]]()

    def bundle(**of: Any) -> str:
        asked.append(of)
        return "a </script> b </script c"

    monkeypatch.setattr("altair.SCHEMA_VERSION", "v6.17.3")
    monkeypatch.setattr("vl_convert.javascript_bundle", bundle)

    assert page._libraries.__wrapped__() == "a <\\/script> b <\\/script c"
    assert asked == [{"vl_version": "v6_17"}]
