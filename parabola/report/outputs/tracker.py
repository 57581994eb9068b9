"""The trackers whose formats a report can be printed in: pure data, which the command's options are made of."""

from enum import StrEnum


class Tracker(StrEnum):
    """A format: github-action-benchmark's, for which the smaller value is better, or Bencher's."""

    CUSTOM_SMALLER_IS_BETTER = "customSmallerIsBetter"
    BMF = "bmf"
