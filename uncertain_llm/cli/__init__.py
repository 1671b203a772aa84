"""Floor 8: the command line: a command a file, no logic."""
