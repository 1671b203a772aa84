"""Floor 0: the nouns of the library, the ports a user may replace, and the error tree."""
