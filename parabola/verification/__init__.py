"""What every run is held against before its time counts."""
