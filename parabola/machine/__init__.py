"""Where it runs: backends, devices, the host and its worker processes."""
