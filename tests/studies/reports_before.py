"""The study of reports on nothing, asking the rule before: each case by itself, without a level that all share.

It made that rule's figures, in a checkout of ceb7e09 into which this file and the study were copied:
python -m tests.studies.reports_before REPORTS.
"""

import sys
from importlib import import_module
from typing import Any

import numpy as np

from benchmarks.studies import reports_of_nothing as study


def main(reports: int) -> None:
    """Print for each kind of noise the share of reports of 20 and of 100 commits that have any change."""
    find_level_changes = import_module("parabola.records.changes").find_level_changes

    def judge(logs: Any) -> tuple[bool, bool]:
        return any(find_level_changes(np.exp(of_case)) for of_case in logs), False

    for kind in study.KINDS:
        shares = [study.shares(kind, study.CASES, commits, reports, judge)[0] for commits in (20, 100)]
        print(kind, *(f"{100 * share:.1f} %" for share in shares), sep=" | ", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]))
