"""Kill every command at random moments, by each signal, and print a table of what came of it.

python -m tests.kills                     # 20 moments for each of 5 commands and 4 signals: an hour or more
python -m tests.kills --trials 2 --seed 7 # fewer, and the same moments as another time
"""

import argparse
import json
import random
import signal
from collections import defaultdict
from dataclasses import asdict
from pathlib import Path

from tests.kills.commands import COMMANDS
from tests.kills.trials import SIGNALS, Trial, trial, usual_seconds


def table(trials: list[Trial]) -> str:
    """Return the rows of a table in Markdown: one for each command and signal."""
    cells = defaultdict[tuple[str, signal.Signals], list[Trial]](list)
    for one in trials:
        cells[one.name, one.sent].append(one)
    rows = ["| command | signal | trials | ended by it | faults |", "|---|---|---|---|---|"]
    for (name, sent), of_cell in sorted(cells.items()):
        faults = [one.fault for one in of_cell if one.fault]
        ended = sum(one.ended for one in of_cell)
        rows.append(f"| {name} | {sent.name} | {len(of_cell)} | {ended} | {len(faults)} |")
    return "\n".join(rows)


def main() -> None:
    """Run the trials, round by round over all commands and signals, so that a part of them is a fair one."""
    parser = argparse.ArgumentParser(prog="python -m tests.kills", description="Kill commands at random moments.")
    parser.add_argument("--trials", type=int, default=20, help="for each command and signal")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="decides the moments")
    parser.add_argument("--log", type=Path, help="a line of JSON is added here for each trial")
    given = parser.parse_args()
    print(f"seed {given.seed}", flush=True)
    chance = random.Random(given.seed)
    usual = {name: usual_seconds(name) for name in COMMANDS}
    done = list[Trial]()
    for _ in range(given.trials):
        for name in COMMANDS:
            for sent in SIGNALS:
                one = trial(name, sent, chance.random(), usual[name])
                done.append(one)
                if one.fault:
                    print(f"{name}, {sent.name} at {one.moment:.4f} of {usual[name]:.1f} s: {one.fault}", flush=True)
                if given.log:
                    with given.log.open("a") as log:
                        log.write(json.dumps(asdict(one)) + "\n")
    print(table(done))


if __name__ == "__main__":
    main()
