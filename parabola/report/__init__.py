"""Many records: what they say now, of one device against another, and over commits."""
