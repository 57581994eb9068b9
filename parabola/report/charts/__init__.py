"""The charts of a report: times over a size, times over commits, pass rates over commits."""
