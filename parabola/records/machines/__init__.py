"""Which records are of one machine, how its software changed, and what carries over to another machine."""
