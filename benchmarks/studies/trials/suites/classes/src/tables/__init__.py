"""Small tables: columns of numbers by name, and what is asked of them most."""

from collections import defaultdict

import numpy as np


class Table:
    """Columns of equal length, by name."""

    def __init__(self, columns):
        self.columns = {name: np.asarray(values) for name, values in columns.items()}

    def __len__(self):
        return len(next(iter(self.columns.values()), ()))

    def rows(self):
        """Return a dict of Python's own numbers for each row."""
        names = list(self.columns)
        values = [column.tolist() for column in self.columns.values()]
        return [dict(zip(names, row)) for row in zip(*values)]

    def where(self, name, low, high):
        """Return the rows in which a column lies within bounds."""
        kept = (self.columns[name] >= low) & (self.columns[name] < high)
        return Table({other: column[kept] for other, column in self.columns.items()})

    def standardized(self, name):
        """Return a column with mean 0 and deviation 1."""
        column = self.columns[name]
        return (column - column.mean()) / column.std()

    def moving_mean(self, name, width):
        """Return the means of so many neighbours in a column."""
        sums = np.cumsum(np.concatenate(([0.0], self.columns[name])))
        return (sums[width:] - sums[:-width]) / width


def totals(rows, key, value):
    """Return the sum of a value over all rows that have the same key."""
    found = defaultdict(float)
    for row in rows:
        found[row[key]] += row[value]
    return dict(found)


def joined(left, right, key):
    """Return rows of both tables that have the same key, in one."""
    by_key = defaultdict(list)
    for row in right:
        by_key[row[key]].append(row)
    return [{**row, **other} for row in left for other in by_key[row[key]]]
