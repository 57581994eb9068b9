"""The page, in a real browser: it draws, answers to clicks and keys, is accessible, and asks nothing of the network."""

import os
import re
from collections.abc import Iterator
from datetime import UTC
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, sync_playwright

from benchmarks.studies.documents.measured import CHROMIUM, DRAWN
from parabola.records import reading
from parabola.report import answer, page, sections
from tests import made_records

pytestmark = [
    pytest.mark.end_to_end,
    pytest.mark.skipif(not CHROMIUM and "CI" not in os.environ, reason="no Chromium here"),
]

POINTS = "([panel, number]) => panel.querySelectorAll('svg .mark-symbol.role-mark path').length"


@pytest.fixture(scope="module")
def html(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page with two devices and a history of 60 commits that has a step."""
    folder = tmp_path_factory.mktemp("page")
    contents = made_records.noisy_history(60, {40: 1.15})
    newest = max(contents, key=lambda content: content["datetime"])  # measured last; all are in UTC
    newest["benchmarks"] += made_records.suite("gpu:0", faster_when_large=True)
    read = [reading.read(path) for path in made_records.write(folder, *contents)]
    path = folder / "page.html"
    path.write_text(page.page(sections.sections(read), answer.opening(read)), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Debian's Chromium, without a window."""
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture(scope="module", params=["light-1200", "dark-390"])
def shown(request: pytest.FixtureRequest, browser: Any, html: Path) -> Iterator[Page]:
    """The page, wide and light or narrow and dark; what the browser complains of or asks for is an error in the end.

    Drawing it takes far longer than a test, so all share it, and each leaves it as it was.
    """
    scheme, width = request.param.split("-")
    opened: Page = browser.new_page(viewport={"width": int(width), "height": 800}, color_scheme=scheme)
    said, asked = list[str](), list[str]()
    opened.on("console", lambda message: said.append(message.text))
    opened.on("pageerror", lambda error: said.append(str(error)))
    opened.on("request", lambda sent: asked.append(sent.url))
    opened.goto(html.as_uri())
    opened.wait_for_function(DRAWN)
    yield opened
    opened.close()
    assert said == []
    assert [url for url in asked if not url.startswith("data:")] == [html.as_uri()]


def test_every_picture_is_drawn(shown: Page) -> None:
    """As wide as its place, with marks in it, and the page itself does not scroll sideways."""
    charts = shown.locator(".chart")

    assert charts.count() == 9
    for chart in charts.all():
        place, drawn = chart.bounding_box(), chart.locator("svg.marks").bounding_box()
        assert place
        assert drawn
        assert 0.7 * place["width"] < drawn["width"] <= place["width"]
        assert chart.locator("svg.marks path").count() > 10
        for label in chart.locator("svg.marks .role-legend-label text").all():
            name = label.bounding_box()
            assert name
            assert name["x"] + name["width"] <= place["x"] + place["width"]
    assert shown.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_text_can_be_read_on_its_ground(shown: Page) -> None:
    """In light and dark, text of page and pictures has a contrast of 4.5 : 1 or more; the button turns it over."""
    for _ in range(2):
        for selector in ("body", "h2", "td", "thead th", "#answers li", "figcaption", ".more", ".chart svg.marks text"):
            assert contrast(shown, selector) >= 4.5, selector
        before = shown.evaluate("getComputedStyle(document.body).backgroundColor")
        shown.click("#theme")
        assert shown.evaluate("getComputedStyle(document.body).backgroundColor") != before


def contrast(shown: Page, selector: str) -> float:
    """Return the contrast of an element's text and the ground below it.

    Source: Web Content Accessibility Guidelines 2.1, "contrast ratio" and "relative luminance".
    """
    found = shown.evaluate(
        """selector => {
            const element = document.querySelector(selector), style = getComputedStyle(element);
            const ground = one => getComputedStyle(one).backgroundColor;
            let below = element;
            while (ground(below) === 'rgba(0, 0, 0, 0)') below = below.parentElement;
            return [element.namespaceURI.endsWith('svg') ? style.fill : style.color, ground(below)];
        }""",
        selector,
    )
    luminances = []
    for colour in found:
        shares = [int(value) / 255 for value in re.findall(r"\d+", colour)[:3]]
        linear = [value / 12.92 if value <= 0.03928 else ((value + 0.055) / 1.055) ** 2.4 for value in shares]
        luminances.append(0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2])
    return (max(luminances) + 0.05) / (min(luminances) + 0.05)


def test_a_line_is_picked_and_the_axis_fits_it(shown: Page) -> None:
    """From the list of a history: the other lines go, the axis fits what is left, and "all" brings them back."""
    panel = shown.locator(".panel", has=shown.locator("h5", has_text="compiled, cpu")).first
    select = panel.locator("select")
    points = panel.locator("svg .mark-symbol.role-mark path")
    axis = panel.locator("svg .role-axis-label text")
    every, before = points.count(), axis.all_inner_texts()
    select.select_option("batch 27, learning rate 0.001")
    shown.wait_for_function(POINTS + " < number", arg=[panel.element_handle(), every])

    assert select.locator("option").all_inner_texts()[:2] == ["all", "batch 1, learning rate 0.001"]
    assert every == 5 * points.count() == 5 * 60
    assert axis.all_inner_texts() != before
    select.select_option("all")
    shown.wait_for_function(POINTS + " == number", arg=[panel.element_handle(), every])
    assert axis.all_inner_texts() == before


def test_arrow_keys_go_from_point_to_point_and_each_is_told(shown: Page) -> None:
    """One point of a chart is reached by Tab; what a point says stands below the chart, for readers and hearers."""
    panel = shown.locator(".panel").first
    told = panel.locator(".point")
    points = panel.locator("svg .mark-symbol.role-mark path")
    assert [point.get_attribute("tabindex") for point in points.all()].count("0") == 1
    points.first.focus()
    assert told.inner_text() == "batch size 1, compiled, cpu: 30.7 µs, verified; learnt"
    shown.keyboard.press("ArrowRight")
    assert told.inner_text() == "batch size 9, compiled, cpu: 5.42 µs, verified; learnt"
    shown.keyboard.press("ArrowLeft")
    shown.keyboard.press("ArrowLeft")
    assert told.inner_text().startswith("batch size 1, compiled, cpu")
    assert shown.evaluate("document.activeElement.getAttribute('aria-label')") == told.inner_text()


def test_a_hint_says_what_a_picture_can_do(shown: Page) -> None:
    """Lines are picked from a list; only pictures over commits can be moved."""
    hints = {
        str(figure.locator("h4").inner_text()): figure.locator("figcaption").get_attribute("data-how")
        for figure in shown.locator("figure").all()
    }
    assert (
        hints["Time per epoch over batch size"] == "Pick a line from the list; hover, or go by arrow keys, for figures."
    )
    assert hints["Epoch time over commits"] == (
        "Pick a line from the list; drag to move, Shift and wheel to zoom, double click to see all; hover, or go by "
        "arrow keys, for figures."
    )
    assert None not in hints.values()


def test_a_table_that_is_wider_than_the_page_says_so(shown: Page) -> None:
    """No column is hidden without a cue, and where all are shown there is none."""
    for table in shown.locator("section > .table").all():
        cue = table.locator("xpath=following-sibling::p[1]")
        wider = table.evaluate("one => one.scrollWidth > one.clientWidth")
        assert cue.is_visible() == wider


@pytest.fixture
def printed(shown: Page) -> Iterator[Page]:
    """The page as it is on paper."""
    shown.emulate_media(media="print")
    yield shown
    shown.emulate_media(media="screen")


def test_print_has_no_controls(printed: Page) -> None:
    """Nothing that one could click is on paper, and every table has its full width."""
    for selector in ("button", "nav", "select", ".vega-embed > details", ".more"):
        assert not [one for one in printed.locator(selector).all() if one.is_visible()], selector
    hints = "[...document.querySelectorAll('figcaption')].map(one => getComputedStyle(one, '::after').content)"
    assert set(printed.evaluate(hints)) == {"none"}
    assert printed.locator("#answers li").first.is_visible()
    assert printed.evaluate("getComputedStyle(document.querySelector('.table')).overflowX") == "visible"
    for cell in printed.locator("section > .table td.right").all():
        assert cell.evaluate("one => getComputedStyle(one).whiteSpace") == "nowrap"  # no figure without its unit
    assert printed.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


@pytest.fixture(scope="module", params=[(width, scheme) for width in (360, 768, 1280) for scheme in ("light", "dark")])
def unfolded(request: pytest.FixtureRequest, browser: Any, html: Path) -> Iterator[Page]:
    """The page at three widths and in both colour schemes, with every fold open."""
    width, scheme = request.param
    opened: Page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
    opened.goto(html.as_uri())
    opened.wait_for_function(DRAWN)
    opened.evaluate("document.querySelectorAll('main details').forEach(fold => { fold.open = true; })")
    yield opened
    opened.close()


def test_commits_have_their_dates_below_and_no_label_is_cut_or_overlaps(unfolded: Page) -> None:
    """Each tick of a history is the short id of a commit over the day when it was made; changes have their sizes."""
    dates = {made_records.commit_id(at)[:9]: made_records.committed(at).astimezone(UTC) for at in range(60)}
    charts = unfolded.evaluate(
        """() => [...document.querySelectorAll('.chart')].map(chart => {
            const box = ({ left, right, top, bottom }) => ({ left, right, top, bottom });
            const said = one => one.textContent;
            const place = one => box(one.getBoundingClientRect());
            const labels = [...chart.querySelectorAll('svg.marks :is(.role-axis-label, .role-mark.mark-text) text')]
                .filter(one => one.textContent && one.getAttribute('opacity') !== '0')
                .map(one => ({ said: said(one), lines: [...one.children].map(said), ...place(one) }));
            return { panel: place(chart), labels };
        })"""
    )
    histories = 0
    for chart in charts:
        labels = chart["labels"]
        commits = [label["lines"] for label in labels if label["lines"]]
        histories += bool(commits)
        assert [made for _, made in commits] == [f"{dates[id].day} {dates[id]:%b %Y}" for id, _ in commits]
        assert len(commits) in ({0} | set(range(2, 9)))
        for label in labels:
            assert chart["panel"]["left"] <= label["left"] < label["right"] <= chart["panel"]["right"], label
        for one, other in combinations(labels, 2):
            apart = one["right"] <= other["left"] or other["right"] <= one["left"]
            assert apart or one["bottom"] <= other["top"] or other["bottom"] <= one["top"], (one, other)

    assert histories == 5
    told = [text for chart in charts for text in chart["labels"] if " to +" in text["said"]]
    assert len(told) == 3  # epoch times in two charts, and members


def test_axe_finds_nothing_serious(unfolded: Page) -> None:
    """At every width and in both colour schemes."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="no axe-core here")
    violations = axe.Axe().run(unfolded).response["violations"]

    found = {one["id"]: [node["html"][:150] for node in one["nodes"][:2]] for one in violations}
    serious = {one["id"] for one in violations if one["impact"] in ("serious", "critical")}
    assert {name: found[name] for name in serious} == {}


def test_a_point_tells_its_figures(shown: Page) -> None:
    """Hovering shows what, how large and how long."""
    figure = shown.locator("figure", has_text="Time per epoch over batch size").first
    figure.locator("svg.marks .mark-symbol.role-mark path").first.hover(force=True)
    tip = shown.locator("#vg-tooltip-element.visible")
    tip.wait_for()

    assert "compiled, cpu" in tip.inner_text()
    assert "30.7 µs" in tip.inner_text()
    assert "verified; learnt" in tip.inner_text()


def test_folds_open_and_links_lead_somewhere(shown: Page) -> None:
    """Every table that is folded away can be opened, and closed again, and every link has its place."""
    for fold in shown.locator("section > details").all():
        assert not fold.locator("table").is_visible()
        fold.locator("summary").click()
        assert fold.locator("td").first.is_visible()
        fold.locator("summary").click()
        assert not fold.locator("table").is_visible()
    for link in shown.locator("nav a, main a[href^='#word-']").all():
        assert shown.locator(str(link.get_attribute("href"))).count() == 1


def test_a_word_leads_to_its_meaning_from_where_it_stands_first(shown: Page) -> None:
    """The limit's is on the screen after a click; no word is a link twice."""
    links = shown.locator("main a[href^='#word-']").all()
    words = [str(link.get_attribute("href")) for link in links]
    shown.locator("#answers a[href='#word-limit']").click()
    box = shown.locator("#word-limit").bounding_box()

    assert {"#word-epoch", "#word-limit", "#word-verified", "#word-learnt", "#word-record"} <= set(words)
    assert len(words) == len(set(words))
    assert box
    assert 0 <= box["y"] < 800
    assert "about the fastest possible" in shown.locator("#word-limit + dd").inner_text()


def test_everything_is_there_without_scripts(browser: Any, html: Path) -> None:
    """Who runs no script reads the same figures in the tables."""
    context = browser.new_context(java_script_enabled=False)
    opened = context.new_page()
    opened.goto(html.as_uri())
    text = opened.locator("main").inner_text()
    context.close()

    assert "cpu against gpu:0" in text
    assert "all 15" in text or "15 of" in text
    assert "time to accuracy: compiled, cpu, batch 111, learning rate 0.1" in text
