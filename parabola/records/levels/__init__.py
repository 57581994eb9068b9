"""Where the cases of a history change their level: together, which is one event, or each alone."""
