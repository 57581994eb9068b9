"""What a report says to other programs: rows for a notebook, the formats of other trackers, and a gate for CI."""
