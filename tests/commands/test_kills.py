"""Each command is ended at a random moment by each signal: nothing is lost, and nothing is left."""

import random
from pathlib import Path

import pytest

from tests.kills.commands import COMMANDS
from tests.kills.trials import SIGNALS, trial, usual_seconds


@pytest.mark.end_to_end
@pytest.mark.skipif(not Path("/proc").exists(), reason="a system that tells the environment of a process")
@pytest.mark.parametrize("name", COMMANDS)
def test_nothing_is_lost_or_left_by_a_command_that_is_killed(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Files are whole, no process, worktree or draft stays, the code is the signal's; after SIGKILL, once run again."""
    seed = random.randrange(10**6)
    with capsys.disabled():
        print(f"\nseed {seed}: {name}")
    chance, usual = random.Random(seed), usual_seconds(name)
    trials = [trial(name, sent, chance.random(), usual) for sent in SIGNALS]

    assert [(one.sent.name, one.moment, one.fault) for one in trials if one.fault] == [], f"seed {seed}"
