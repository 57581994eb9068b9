"""TF_CONFIG: a process reads its own number among the workers, and what cannot be meant is refused."""

import json
import re
from typing import Any

import pytest

from parabola.machine import tf_config


def configuration(index: Any = 1, kind: str = "worker", cluster: Any = None) -> str:
    """Write a TF_CONFIG of two workers, or of another cluster."""
    cluster = {"worker": ["127.0.0.1:1", "127.0.0.1:2"]} if cluster is None else cluster
    return json.dumps({"cluster": cluster, "task": {"type": kind, "index": index}})


@pytest.mark.parametrize(("text", "index"), [("", None), (configuration(0), 0), (configuration(1), 1)])
def test_a_worker_reads_its_index(text: str, index: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the first to the last of the cluster; an empty variable is none."""
    monkeypatch.setenv("TF_CONFIG", text)
    assert tf_config.index_here() == index
    monkeypatch.delenv("TF_CONFIG")
    assert tf_config.index_here() is None


@pytest.mark.parametrize(
    "text",
    [
        configuration(-1),
        configuration(2),
        configuration("first"),
        configuration(None),
        configuration(kind="chief"),
        configuration(cluster={"worker": ["a:1", "a:2"], "ps": ["a:3"]}),
        configuration(cluster={"chief": ["a:1"], "worker": ["a:2", "a:3"]}),
        configuration(cluster={"worker": []}),
        configuration(cluster={"chief": ["a:1", "a:2"]}),
        configuration(cluster=[]),
        '{"cluster": {"worker": ["a:1", "a:2"]}, "task": {"index": 1}}',
        '{"cluster": {"worker": ["a:1", "a:2"]}}',
        "[]",
        "{",
        "[" * 100_000,
        '{"cluster":' * 10_000 + "1" + "}" * 10_000,
    ],
)
def test_a_configuration_that_cannot_be_meant_is_quoted(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says what is needed, and has the whole of what came."""
    monkeypatch.setenv("TF_CONFIG", text)
    needs = 'JSON of a cluster, whose one role is "worker", and a task of type "worker" with an index into it'
    with pytest.raises(ValueError, match=f"^{re.escape(f'TF_CONFIG needs {needs}. Received: {text}')}$"):
        tf_config.index_here()
