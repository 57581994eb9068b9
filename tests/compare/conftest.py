"""What tests of comparisons share."""

from functools import partial
from pathlib import Path

import pytest

from parabola.compare import session
from parabola.compare.referee import Referee


@pytest.fixture
def less_sure(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a comparison in this process be content with a confidence of 80 %: six launches decide, ten for 99 %."""
    monkeypatch.setattr(session, "Referee", partial(Referee, confidence=0.8))


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder that is this machine's folder for what is temporary."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder
