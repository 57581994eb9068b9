"""What a GPU is worth: checked, held against the reference, and timed beside the CPU of its machine."""
