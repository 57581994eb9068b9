"""How often does `compare` cry wolf, and what does it find? Comparisons of a tree with itself, over and over."""
