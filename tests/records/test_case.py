"""A case's identity: its names, what its line over sizes has in common, and the same case on another device."""

from typing import Any

import pytest
from msgspec.structs import replace

from parabola.records.case import Axes, Case, Setting, case_of, short_name, short_names
from parabola.records.extra_info import Answer

CASE = Case(
    name="b/x.py::bench[fit-gpu:1-batch_9]",
    kind="epoch time",
    epochs=None,
    engine="fit",
    device="gpu:1",
    batch_size=9,
    learning_rate=0.01,
    samples=99,
    members=5,
)


@pytest.mark.parametrize(
    ("axes", "name"),
    [
        ({}, "fit-cpu"),
        ({"device": "gpu:1"}, "fit-gpu:1"),
        ({"engine": "", "members": 512}, "cpu-members_512"),
        ({"batch_size": 1, "learning_rate": 0.001, "samples": 999}, "fit-cpu-batch_1-learning_rate_0.001"),
        (
            {"batch_size": 32, "learning_rate": 2e-05, "samples": 998},
            "fit-cpu-batch_32-learning_rate_2e-05-samples_998",
        ),
        ({"batch_size": 32, "samples": 1_000_000}, "fit-cpu-batch_32-samples_1000000"),
    ],
)
def test_axes_make_a_name(axes: dict[str, Any], name: str) -> None:
    """It has the axes that the case has, in this order, and samples where they are not the published 999."""
    assert Axes(**{"engine": "fit", "device": "cpu", **axes}).id == name


def test_a_setting_sorts_by_samples_learning_rate_and_batch_size() -> None:
    """What a case does not have counts as 0."""
    assert CASE.setting == Setting(99, 0.01, 9)
    assert Axes(engine="fit", device="cpu").setting == Setting(0, 0.0, 0)
    assert Setting(9, 0.5, 3) < Setting(10, 0.1, 1) < Setting(10, 0.2, 0) < Setting(10, 0.2, 1)


@pytest.mark.parametrize(
    ("name", "epochs", "key", "parameters", "label"),
    [
        ("b/x.py::one[a-b]", None, ("b/x.py::one[a-b]", 0), "a-b", "one[a-b]"),
        ("b/x.py::C::one[a::b[c]]", 1, ("b/x.py::C::one[a::b[c]]", 1), "a::b[c]", "one[a::b[c]], 1 epochs a round"),
        ("b/x.py::one", 30, ("b/x.py::one", 30), "one", "one, 30 epochs a round"),
        ("one[]", None, ("one[]", 0), "one[]", "one[]"),
    ],
)
def test_a_case_has_a_key_a_label_and_parameters(
    name: str, epochs: int | None, key: tuple[str, int], parameters: str, label: str
) -> None:
    """They are told from its full name and its epochs."""
    case = replace(CASE, name=name, epochs=epochs)

    assert (case.key, case.parameters, case.label) == (key, parameters, label)


def test_a_short_name_is_without_the_file() -> None:
    """Colons between the brackets stay."""
    assert short_name("b/x.py::Class::one[a::b]") == "one[a::b]"
    assert short_name("one") == "one"


@pytest.mark.parametrize(
    ("names", "short"),
    [
        ([], []),
        (["a.py::test_run", "a.py::test_run[x]", "control"], ["test_run", "test_run[x]", "control"]),
        (["a.py::TestA::test_run", "a.py::TestB::test_run"], ["TestA::test_run", "TestB::test_run"]),
        (["a.py::TestA::test_run", "a.py::TestB::test_run[1]"], ["test_run", "test_run[1]"]),
        (["t/a.py::run", "t/b.py::run", "t/b.py::walk"], ["a.py::run", "b.py::run", "walk"]),
        (["t/a.py::run", "u/a.py::run", "u/b.py::run"], ["t/a.py::run", "u/a.py::run", "b.py::run"]),
        (["a.py::run", "t/a.py::run"], ["a.py::run", "t/a.py::run"]),
        (
            ["a.py::A::run", "b.py::A::run", "b.py::B::run", "b.py::run"],
            ["a.py::A::run", "b.py::A::run", "B::run", "b.py::run"],
        ),
        (["a.py::A::run[x/y::z]", "a.py::B::run[x/y::z]"], ["A::run[x/y::z]", "B::run[x/y::z]"]),
        (["a.py::A::B::run", "a.py::C::B::run"], ["A::B::run", "C::B::run"]),
        (["a.py::run", "a.py::run"], ["run", "run"]),
        (["", "[x]"], ["", "[x]"]),
    ],
)
def test_names_are_cut_to_what_tells_them_apart(names: list[str], short: list[str]) -> None:
    """Classes, files and folders are shown where two names would be the same without, and nowhere else."""
    assert [short_names(names)[name] for name in names] == short


RATED = {"engine": "compiled", "device": "cpu", "batch_size": 27, "learning_rate": 0.01}


@pytest.mark.parametrize(
    ("parameters", "axes", "words", "on_any_device"),
    [
        ("fit-gpu:1-batch_9", {}, "fit, gpu:1, batch 9", "fit, batch 9"),
        (
            *("compiled-cpu-batch_27-learning_rate_0.01", RATED),
            *("compiled, cpu, batch 27, learning rate 0.01", "compiled, batch 27, learning rate 0.01"),
        ),
        (
            *("fit-gpu:1-batch_9-learning_rate_2e-05-samples_10000", {"learning_rate": 2e-5, "samples": 10_000}),
            "fit, gpu:1, batch 9, learning rate 2e-05, 10,000 samples",
            "fit, batch 9, learning rate 2e-05, 10,000 samples",
        ),
        (
            *("gpu:1-members_5", {"members": 5, "batch_size": 111, "learning_rate": 0.1}),
            *("fit, gpu:1, 5 members, batch 111, learning rate 0.1", "fit, 5 members, batch 111, learning rate 0.1"),
        ),
        ("fit-gpu:1-9-0.1", {"learning_rate": 0.1}, "fit, gpu:1, batch 9, learning rate 0.1", None),
        ("1-0.1-fit-gpu:1", {"batch_size": 1, "learning_rate": 0.1}, "fit, gpu:1, batch 1, learning rate 0.1", None),
        (
            *("fit-gpu:1-recommended", {"learning_rate": 0.1, "final_learning_rate": 0.001}),
            *("fit, gpu:1, batch 9, learning rate 0.1 to 0.001", None),
        ),
        ("fit-gpu:1", {"epochs": 3, "batch_size": None}, "fit, gpu:1, 3 epochs a round", "fit, 3 epochs a round"),
        ("fit-gpu:1", {"engine": ""}, "fit-gpu:1", "fit-gpu:1"),
        ("fit-gpu:1-odd", {}, "fit-gpu:1-odd", "fit-gpu:1-odd"),
        ("fit-gpu:1-recommended", {}, "fit-gpu:1-recommended", "fit-gpu:1-recommended"),
        ("fit-gpu:1-batch_99", {}, "fit-gpu:1-batch_99", "fit-gpu:1-batch_99"),
        ("fit-fit-gpu:1", {"epochs": 3}, "fit-fit-gpu:1, 3 epochs a round", None),
    ],
)
def test_a_case_is_told_in_words_unless_its_name_says_more(
    parameters: str, axes: dict[str, Any], words: str, on_any_device: str | None
) -> None:
    """Axes come in one order, whatever the order of the name; a name that says more than axes stays as it is."""
    bare = replace(CASE, learning_rate=None, samples=None, members=None)
    case = replace(bare, name=f"b/x.py::bench[{parameters}]", **axes)
    said = words.removesuffix(", 3 epochs a round")

    assert case.words == words
    assert on_any_device is None or case.words_on_any_device == on_any_device
    assert case.label.startswith("epoch time: " if "," in said else "bench[")
    assert words in case.label or case.label.replace("bench[", "").replace("]", "") == words


def test_a_name_without_parameters_is_its_own_words() -> None:
    """Nothing is known of it but its name."""
    case = replace(CASE, name="b/x.py::one")

    assert (case.words, case.label) == ("one", "one")


@pytest.mark.parametrize(
    "other",
    [
        {"kind": "members"},
        {"engine": "native"},
        {"batch_size": 10},
        {"learning_rate": 0.011},
        {"samples": 98},
        {"members": 9},
        {"final_learning_rate": 0.001},
        {"epochs": 1},
    ],
)
def test_only_name_and_device_may_differ_on_another_device(other: dict[str, Any]) -> None:
    """The same case has the same identity on any device; a case of another kind or with other axes has not."""
    elsewhere = replace(CASE, name="b/x.py::bench[fit-cpu-batch_9]", device="cpu")

    assert elsewhere != CASE
    assert elsewhere.on_any_device == CASE.on_any_device
    assert hash(elsewhere.on_any_device) == hash(CASE.on_any_device)
    assert replace(elsewhere, **other).on_any_device != CASE.on_any_device


def test_a_line_over_sizes_has_all_in_common_but_the_size_and_the_device() -> None:
    """Of epoch times the size is the batch size, of blocks the members; other kinds have no size."""
    block = replace(CASE, kind="members")

    assert (CASE.size, block.size, replace(CASE, kind="cold start").size) == (9, 5, None)
    assert CASE.line == ("epoch time", "fit", "99 samples, learning rate 0.01")
    assert replace(CASE, batch_size=1, device="cpu", name="x").line == CASE.line
    assert replace(CASE, epochs=30).line[2] == "99 samples, learning rate 0.01, 30 epochs a round"
    assert replace(CASE, learning_rate=0.010000001).line[2] == "99 samples, learning rate 0.010000001"
    assert block.line == ("members", "fit", "99 samples, learning rate 0.01, batch size 9")
    assert replace(block, members=64).line == block.line


def test_a_case_takes_every_axis_from_what_a_benchmark_says() -> None:
    """And nothing else of it: the answer is not part of the identity."""
    values: dict[str, Any] = {axis: f"made {axis}" for axis in Axes.__struct_fields__}
    case, other = (case_of(Answer(**values, verdict=verdict), "n", "k", 3) for verdict in ("pass", "fail"))

    assert case == other == Case("n", "k", 3, **values)
    assert len(values) == 7
