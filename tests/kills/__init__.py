"""Commands killed at random moments: nothing may be lost, and nothing left. Run in full: python -m tests.kills."""
