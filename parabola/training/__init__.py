"""One run: an experiment in, a fit out."""
