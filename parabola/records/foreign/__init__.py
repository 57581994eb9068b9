"""Records of any other suite of pytest-benchmark: what their JSON has, and the names that tell their cases apart."""
