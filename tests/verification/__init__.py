"""Does the check find wrong runs, and does it let right ones pass? Two studies that anyone can run again."""
