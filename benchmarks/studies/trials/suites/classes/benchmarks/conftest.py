import numpy as np
import pytest

from tables import Table


@pytest.fixture
def table(size):
    """A table with a key of twenty values and two columns of numbers, the same each time."""
    random = np.random.default_rng(size)
    return Table({"key": np.arange(size) % 20, "length": random.normal(size=size), "width": random.random(size)})
