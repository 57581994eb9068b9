"""The page, in a real browser: it draws, answers to clicks, complains of nothing and asks nothing of the network."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, sync_playwright

from benchmarks.studies.documents.measured import CHROMIUM, DRAWN
from parabola.records import reading
from parabola.report import page, sections
from tests import made_records

pytestmark = [
    pytest.mark.end_to_end,
    pytest.mark.skipif(not CHROMIUM and "CI" not in os.environ, reason="no Chromium here"),
]


@pytest.fixture(scope="module")
def html(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page with two devices and a history of 60 commits that has a step."""
    folder = tmp_path_factory.mktemp("page")
    contents = made_records.noisy_history(60, {40: 1.15})
    newest = max(contents, key=lambda content: content["datetime"])  # measured last; all are in UTC
    newest["benchmarks"] += made_records.suite("gpu:0", faster_when_large=True)
    read = [reading.read(path) for path in made_records.write(folder, *contents)]
    path = folder / "page.html"
    path.write_text(page.page(sections.sections(read), "parabola"), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Debian's Chromium, without a window."""
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture(params=["light-1200", "dark-390"])
def shown(request: pytest.FixtureRequest, browser: Any, html: Path) -> Iterator[Page]:
    """The page, wide and light or narrow and dark; what the browser complained of or asked for fails the test."""
    scheme, width = request.param.split("-")
    opened: Page = browser.new_page(viewport={"width": int(width), "height": 800}, color_scheme=scheme)
    opened.set_default_timeout(10_000)
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

    assert charts.count() == 8
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
        for selector in ("body", "h2", "td", "figcaption", ".chart svg.marks text"):
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


def test_a_case_is_picked(shown: Page) -> None:
    """From the list of a history: the other lines fade; "all" brings them back."""
    figure = shown.locator("figure", has_text="Epoch time over commits")
    select = figure.locator("select")
    options = select.locator("option").all_inner_texts()
    select.select_option(options[1])
    faded = figure.locator("svg path[opacity='0.06']")
    faded.first.wait_for(state="attached")
    assert faded.count() > 100

    select.select_option("all")
    shown.wait_for_function("!document.querySelector(\"figure svg path[opacity='0.06']\")")
    assert options[0] == "all"
    assert options[1] == "bench_epoch_time[compiled-cpu-batch_1-learning_rate_0.001]"


def test_a_point_tells_its_figures(shown: Page) -> None:
    """Hovering shows what, how large and how long."""
    figure = shown.locator("figure", has_text="Time per epoch over batch size").first
    figure.locator("svg.marks .mark-symbol.role-mark path").first.hover(force=True)
    tip = shown.locator("#vg-tooltip-element.visible")
    tip.wait_for()

    assert "compiled cpu" in tip.inner_text()
    assert "median, seconds" in tip.inner_text()


def test_folds_open_and_links_lead_somewhere(shown: Page) -> None:
    """Every table that is folded away can be opened, and every link has its place."""
    for fold in shown.locator("section > details").all():
        assert not fold.locator("table").is_visible()
        fold.locator("summary").click()
        assert fold.locator("td").first.is_visible()
    for link in shown.locator("nav a").all():
        assert shown.locator(str(link.get_attribute("href"))).count() == 1


def test_everything_is_there_without_scripts(browser: Any, html: Path) -> None:
    """Who runs no script reads the same figures in the tables."""
    context = browser.new_context(java_script_enabled=False)
    opened = context.new_page()
    opened.goto(html.as_uri())
    text = opened.locator("main").inner_text()
    context.close()

    assert "cpu against gpu:0" in text
    assert "all 15" in text or "15 of" in text
    assert len(re.findall(r"bench_time_to_accuracy", text)) >= 1
