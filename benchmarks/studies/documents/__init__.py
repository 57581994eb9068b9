"""The blocks and pictures of README.md and the handbook that are made from records and code."""
