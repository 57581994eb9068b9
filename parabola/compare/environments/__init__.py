"""An environment a side: the Python that measures it, how it is made, and what differs between the two."""
