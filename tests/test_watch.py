"""What the tests' own conftest.py does for all of them."""

import gc
import weakref
from typing import Any

import pytest


def test_garbage_is_sought_in_what_tests_make_alone(request: pytest.FixtureRequest) -> None:
    """The search finds what a test leaves behind, and looks at nothing that was there before the first test."""
    ring: dict[str, Any] = {"set": {1}}
    ring["ring"] = ring
    left = weakref.ref(ring["set"])
    del ring

    assert gc.isenabled()
    gc.collect()
    assert left() is None
    assert all(known is not request.session.items for known in gc.get_objects())
    assert gc.get_freeze_count() > len(request.session.items)
