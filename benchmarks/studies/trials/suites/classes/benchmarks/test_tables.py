import pytest

from tables import joined, totals


@pytest.mark.benchmark(group="columns")
@pytest.mark.parametrize("size", [1000, 4000])
class TestColumns:
    @pytest.fixture(autouse=True)
    def _given(self, table):
        self.table = table

    def test_standardized(self, benchmark, size):
        assert abs(benchmark(self.table.standardized, "length").std() - 1) < 1e-9

    def test_where(self, benchmark, size):
        assert 0 < len(benchmark(self.table.where, "width", 0.25, 0.5)) < size


@pytest.mark.benchmark(group="rows")
class TestRows:
    @pytest.mark.parametrize("size", [2000])
    def test_totals(self, benchmark, table):
        def setup():
            return (table.rows(), "key", "width"), {}

        assert len(benchmark.pedantic(totals, setup=setup, rounds=40, warmup_rounds=2)) == 20

    @pytest.mark.parametrize("size", [200])
    def test_joined(self, benchmark, table):
        rows = table.rows()
        assert len(benchmark.pedantic(joined, (rows, rows, "key"), rounds=40, iterations=2, warmup_rounds=2)) == 2000
