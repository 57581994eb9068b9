"""The harness, which measures: whether both sides have the same one, and how head's is laid over base."""
