"""The mutation study: would the tests notice? `python -m tests.mutation`."""
