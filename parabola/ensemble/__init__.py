"""Many runs at once, and the map of which of them learn."""
