"""Tables, units, pictures and the terminal: what several commands show, and how."""
