"""The two sides of a comparison: their checkouts, their processes, and the conversation with these."""
