"""A report as one HTML file that works offline: pictures, and all that they show as text."""

import json
import re
from collections.abc import Callable, Sequence
from functools import cache
from itertools import count
from typing import Any

from parabola.display.plain import plain
from parabola.report.answer import Opening
from parabola.report.parts import Section

# Vega draws in the colour of the text around it, so that one picture suits a light and a dark page.
LOOK = {
    "background": None,
    "font": "system-ui, sans-serif",
    "view": {"stroke": None},
    "axis": {
        **{f"{part}Color": "currentColor" for part in ("label", "title", "domain", "tick")},
        "gridColor": "#8888",
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": 500,
    },
    "legend": {"labelColor": "currentColor", "titleColor": "currentColor"},
}


def page(sections: Sequence[Section], opening: Opening) -> str:
    """Return the page: first the answers, then what it is, then a chapter for each thing that a reader may seek.

    Nothing in it is fetched from anywhere.

    Args:
        sections: the sections of the report, in order; those of a chapter need not stand together.
        opening: title and words of the page.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("parabola.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        finalize=lambda value: plain(value) if type(value) is str else value,
    )
    environment.filters["linked"] = _linking([*opening.words])
    number = count(1)
    chapters = dict[str, list[tuple[str, Section, list[Any]]]]()
    for section in sections:
        pictures = [
            (picture, [(next(number), panel, _specification(panel.chart)) for panel in picture.panels])
            for picture in section.pictures
        ]
        chapter = section.chapter or section.title
        title = section.title.removeprefix(chapter).removeprefix(": ")
        chapters.setdefault(chapter, []).append((title, section, pictures))
    return environment.get_template("page.html.jinja").render(
        opening=opening,
        answers=[section.answer for section in sections if section.answer],
        chapters=chapters,
        libraries=_libraries(),
    )


def _linking(words: Sequence[str]) -> Callable[[str], str]:
    """Return a filter for texts in their order on a page: the first mention of each word leads to what it means."""
    from markupsafe import Markup, escape

    several = [re.sub(r"^\w+", r"\g<0>s?", re.escape(word)) for word in words]
    mention = re.compile("|".join(rf"(?<![\w./-])({word})(?![\w/-]|\.\w)" for word in several) or "(?!)", re.IGNORECASE)
    places = {number: f"#word-{word.replace(' ', '-')}" for number, word in enumerate(words, 1)}

    def link(found: re.Match[str]) -> str:
        place = places.pop(found.lastindex or 0, "")
        return f'<a href="{escape(place)}">{found[0]}</a>' if place else found[0]

    return lambda text: Markup(mention.sub(link, escape(plain(text))))


def _specification(chart: Any) -> str:
    """Return a chart as JSON that may stand in a script element."""
    specification = {**chart.to_dict(validate=False), "config": LOOK}
    return json.dumps(specification).replace("<", "\\u003c")


@cache
def _libraries() -> str:
    """Return Vega, Vega-Lite and Vega-Embed as one script."""
    import altair
    import vl_convert

    version = "_".join(altair.SCHEMA_VERSION.split(".")[:2])
    bundle: str = vl_convert.javascript_bundle(vl_version=version)  # type: ignore[call-arg]
    return bundle.replace("</script", "<\\/script")
