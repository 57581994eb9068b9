"""A report on a terminal, in Markdown and as a page: what of it each shows, to the character."""

import io
import json
import re
from typing import Any

import pytest
from rich.console import Console

from parabola.report import page
from parabola.report import text as report_text
from parabola.report.answer import Opening
from parabola.report.charts.panels import Panel, Picture
from parabola.report.parts import Answer, Section
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
        chapter="Now",
        answer=Answer("CPU & <b>", "1 ms <i>, /sort of, Sorts of", ("sort of <1>",)),
        lines=("One | two & three of a sentence that is longer than the terminal is wide.", "[red]Two[/]"),
        tables=(
            made_table("Times <1>", {"case": "left", "median": "right"}, ("a|b", "1 ms")),
            made_table("", {"n": "right"}, ("7",)),
        ),
        details=(made_table("Folded & <2>", {"case": "left"}, ("<c>",), ("d",)),),
        draw=lambda: (
            Picture("Over <size>", (Panel("", Chart(mark="<a>", config={"font": "other"})),), "A & caption"),
            Picture("P2", (Panel("left", Chart(mark="b")), Panel("right <1>", Chart(mark="c"))), "Second"),
        ),
    ),
    Section(title="History", draw=lambda: (Picture("P3", (Panel("", Chart(mark="</script>")),), "Third"),)),
    Section(title="Now: y", chapter="Now", lines=("Nothing", "at all.")),
    Section(title="Facts", details=(made_table("Folded away", {"n": "right"}, ("8",)),)),
]
OPENING = Opening("T <1>", ("About & more.",), {"<word>": "meaning", "sort of": "other"})


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
        "Now: y",
        "Nothing",
        "at all.",
        "",
    ]


def test_headings_are_bold_on_a_terminal() -> None:
    """Nothing else of the sentences is."""
    stream = io.StringIO()
    console = Console(file=stream, width=90, highlight=False, force_terminal=True, color_system="standard")
    report_text.print_report([Section("A", lines=("b",))], console)

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
        "### Now: y",
        "",
        "- Nothing",
        "- at all.",
        "",
        "### Facts",
        "",
        "",
        "<details><summary>Folded away</summary>",
        "",
        "| n |",
        "| ---: |",
        "| 8 |",
        "",
        "</details>",
        "",
    ]


def page_lines(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the page's lines, with the drawing library, which is long, replaced by a word."""
    monkeypatch.setattr(page, "_libraries", lambda: "LIBRARY < >")
    return [line.strip() for line in page.page(SECTIONS, OPENING).splitlines() if line.strip()]


def test_the_page_has_all_parts_pictures_tables_and_folds_in_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """Text is escaped; parts and pictures are numbered through; each has the title and caption that is its own."""
    lines = page_lines(monkeypatch)
    body = lines[lines.index("<body>") + 1 : lines.index("</main>")]
    charts = [
        json.loads(line.partition(">")[2].removesuffix("</script>")) for line in body if "application/json" in line
    ]
    told = [re.sub(r"(?<=\">)\{.*\}(?=</script>)", "…", line) for line in body]

    def panel(number: int, name: str, *heading: str) -> list[str]:
        return [
            '<div class="panel">',
            *heading,
            f'<div class="chart" id="chart-{number}" data-name="{name}"></div>',
            f'<script type="application/json" data-chart="chart-{number}">…</script>',
            '<p class="point" aria-live="polite"></p>',
            "</div>",
        ]

    def figure(title: str, caption: str, *panels: list[str]) -> list[str]:
        drawn = ['<div class="panels">', *(line for one in panels for line in one), "</div>"]
        return ["<figure>", f"<h4>{title}</h4>", *drawn, f"<figcaption>{caption}</figcaption>", "</figure>"]

    def table(title: str, headings: str, *rows: str) -> list[str]:
        return [
            f'<div class="table" tabindex="0" role="region" aria-label="{title or "table"}">',
            "<table>",
            *([f"<caption>{title}</caption>"] if title else []),
            f"<thead><tr>{headings}</tr></thead>",
            "<tbody>",
            *(f"<tr>{row}</tr>" for row in rows),
            *("</tbody>", "</table>", "</div>"),
            '<p class="more" hidden>scroll the table for more columns →</p>',
        ]

    left, right = '<th scope="col" class="left">', '<th scope="col" class="right">'
    row_left, row_right = left.replace("col", "row"), right.replace("col", "row")
    size = "Over &lt;size&gt;"
    assert told == [
        "<header>",
        "<h1>T &lt;1&gt;</h1>",
        '<button id="theme" type="button">light or dark</button>',
        "</header>",
        "<main>",
        *(
            '<section id="answers">',
            "<h2>In short</h2>",
            "<ul>",
            "<li>",
            "<p><strong>CPU &amp; &lt;b&gt;</strong>: 1 ms &lt;i&gt;, /sort of, "
            '<a href="#word-sort-of">Sorts of</a></p>',
            "<ul>",
            "<li>sort of &lt;1&gt;</li>",
            "</ul>",
            "</li>",
            "</ul>",
            "</section>",
        ),
        '<nav aria-label="parts of this page">',
        '<a href="#about">What is this page?</a>',
        '<a href="#part-1">Now</a>',
        '<a href="#part-2">History</a>',
        '<a href="#part-3">Facts</a>',
        "</nav>",
        *('<section id="about">', "<h2>What is this page?</h2>"),
        *("<ul>", "<li>About &amp; more.</li>", "</ul>"),
        *("<dl>", '<dt id="word-&lt;word&gt;">&lt;word&gt;</dt><dd>meaning</dd>'),
        *('<dt id="word-sort-of">sort of</dt><dd>other</dd>', "</dl>", "</section>"),
        *('<section id="part-1">', "<h2>Now</h2>"),
        "<h3>&lt;b&gt; [bold]x[/]</h3>",
        "<ul>",
        "<li>One | two &amp; three of a sentence that is longer than the terminal is wide.</li>",
        "<li>[red]Two[/]</li>",
        "</ul>",
        *figure(size, "A &amp; caption", panel(1, size)),
        *figure(
            "P2",
            "Second",
            panel(2, "P2: left", "<h5>left</h5>"),
            panel(3, "P2: right &lt;1&gt;", "<h5>right &lt;1&gt;</h5>"),
        ),
        *table(
            "Times &lt;1&gt;",
            f"{left}case</th>{right}median</th>",
            f'{row_left}a|b</th><td class="right">1 ms</td>',
        ),
        *table("", f"{right}n</th>", f"{row_right}7</th>"),
        "<details><summary>Folded &amp; &lt;2&gt;</summary>",
        *table("Folded &amp; &lt;2&gt;", f"{left}case</th>", f"{row_left}&lt;c&gt;</th>", f"{row_left}d</th>"),
        "</details>",
        "<p><strong>y</strong>: Nothing at all.</p>",
        "</section>",
        *('<section id="part-2">', "<h2>History</h2>", *figure("P3", "Third", panel(4, "P3")), "</section>"),
        *('<section id="part-3">', "<h2>Facts</h2>", "<details><summary>Folded away</summary>"),
        *(*table("Folded away", f"{right}n</th>", f"{row_right}8</th>"), "</details>", "</section>"),
    ]
    assert [chart["mark"] for chart in charts] == ["<a>", "b", "c", "</script>"]
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
