"""The study of looking again and again, asking the referee itself, launch by launch: for any commit's referee.

It is slow, but needs to know no rule. So it holds the study's own simulation against the referee, and it made the
figures of the rule before, in a checkout of that commit into which this file and the study were copied:
python -m tests.studies.one_by_one FOLDER COMPARISONS SPREAD.
"""

import sys
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

from benchmarks.studies import looking
from parabola.compare.referee import Referee


def simulate(
    centres: Any, noise: str, spread: float, comparisons: int, generator: np.random.Generator
) -> looking.Course:
    """Return what `looking.simulate` does, from as many referees as there are comparisons."""
    launches, verdicts, covered = (np.zeros((comparisons, len(centres)), kind) for kind in (int, int, bool))
    for row in range(comparisons):
        referee = Referee([str(case) for case in range(len(centres))])
        for launch in range(1, max(looking.BUDGETS) + 1):
            cases = np.array(referee.undecided, int)
            log_ratios = centres[cases] + looking.draw(generator, len(cases), noise, spread)
            referee.add({str(case): float(log_ratio) for case, log_ratio in zip(cases, log_ratios, strict=True)})
            decided = [case for case in cases.tolist() if str(case) in referee.decided]
            launches[row, decided] = launch
            if not referee.undecided:
                break
        for case, centre in enumerate(centres.tolist()):
            evidence = referee.evidence(str(case))
            verdicts[row, case] = looking.VERDICTS.index(evidence.verdict)
            covered[row, case] = evidence.low <= np.exp(centre) <= evidence.high
    return launches, verdicts, covered


if __name__ == "__main__":
    folder, comparisons, spread = sys.argv[1:]
    with patch.object(looking, "simulate", simulate):
        looking.main(Path(folder), int(comparisons), [float(spread)])
