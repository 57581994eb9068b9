"""What commands print at 80 and at 140 columns and in a pipe, as text files that a test compares with."""
