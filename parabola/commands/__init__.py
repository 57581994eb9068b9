"""One file a command: it parses, calls and prints. What is heavy is imported only once a command runs."""
