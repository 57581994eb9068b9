"""How lines are shared out to charts of few lines, and how they are called there."""

import pytest

from parabola.report.charts.panels import by_name, split
from tests.report.charts.drawn import line


def batches(engine: str, device: str, *sizes: int) -> list[str]:
    return [f"{engine}, {device}, batch {size}, learning rate 0.1" for size in sizes]


def test_six_lines_are_one_chart_whose_labels_lack_what_all_have_in_common() -> None:
    """A label keeps its last word in any case."""
    assert split(batches("a", "cpu", 1, 2, 3, 4, 5, 6)) == [
        (
            "a, cpu",
            {f"a, cpu, batch {size}, learning rate 0.1": f"batch {size}, learning rate 0.1" for size in range(1, 7)},
        )
    ]
    assert split(["a, cpu"]) == [("a", {"a, cpu": "cpu"})]
    assert split(["a, cpu", "b, cpu"]) == [("", {"a, cpu": "a, cpu", "b, cpu": "b, cpu"})]
    assert split([]) == []
    assert split(["test_one"]) == [("", {"test_one": "test_one"})]


def test_more_lines_are_parted_by_their_first_words_and_again_by_the_next() -> None:
    """Engines come first, then devices."""
    lines = [*batches("a", "cpu", 1, 2, 3, 4), *batches("a", "gpu:0", 1, 2, 3, 4), *batches("b", "cpu", 1, 2)]

    assert [(title, list(labels.values())) for title, labels in split(lines)] == [
        *(
            (f"a, {device}", [f"batch {size}, learning rate 0.1" for size in (1, 2, 3, 4)])
            for device in ("cpu", "gpu:0")
        ),
        ("b, cpu", ["batch 1, learning rate 0.1", "batch 2, learning rate 0.1"]),
    ]


@pytest.mark.parametrize(("number", "sizes"), [(7, [4, 3]), (12, [6, 6]), (13, [5, 5, 3]), (60, [6] * 10)])
def test_names_without_words_in_common_are_parted_evenly(number: int, sizes: list[int]) -> None:
    """The parts are counted in their titles."""
    charts = split([f"test_{at}" for at in range(number)])

    assert [len(labels) for _, labels in charts] == sizes
    assert [title for title, _ in charts] == [f"part {at} of {len(sizes)}" for at in range(1, len(sizes) + 1)]
    assert [name for _, labels in charts for name in labels.values()] == [f"test_{at}" for at in range(number)]


def test_a_large_group_is_parted_evenly_where_no_word_parts_it() -> None:
    """Its parts have the words in common in their titles, and a count."""
    charts = split(batches("a", "cpu", *range(8)))

    assert [(title, len(labels)) for title, labels in charts] == [
        ("a, cpu, part 1 of 2", 4),
        ("a, cpu, part 2 of 2", 4),
    ]


def test_lines_are_called_in_words_or_by_all_of_their_name_and_come_by_their_sizes() -> None:
    """A case that one commit alone has measured makes no line."""
    rated = "compiled-cpu-batch_{}-learning_rate_0.001"
    named = by_name(
        [
            line(rated.format(111), [0, 1], [1.0, 1.0], batch_size=111),
            line(rated.format(27), [0, 1], [1.0, 1.0], batch_size=27),
            line(rated.format(999), [1], [1.0], batch_size=999),
            line("x", [0, 1], [1.0, 1.0], function="bench_a"),
            line("x", [0, 1], [1.0, 1.0], function="bench_b"),
        ]
    )

    assert list(named) == [
        *("benchmarks/bench_a.py::bench_a[x]", "benchmarks/bench_b.py::bench_b[x]"),
        *(f"compiled, cpu, batch {size}, learning rate 0.001" for size in (27, 111)),
    ]
