"""The speed suite and the regression suite."""
