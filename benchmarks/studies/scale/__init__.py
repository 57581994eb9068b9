"""How times grow with samples, batch size, members, epochs and threads."""
