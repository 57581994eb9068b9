"""What the suite is made of besides its benchmarks."""
