"""Records: what pytest-benchmark wrote, read and put in order."""
