"""Commands that made a figure in the documents."""
