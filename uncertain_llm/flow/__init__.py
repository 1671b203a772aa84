"""Floor 4: a request from beginning to end, as a generator that does no I/O."""
