"""Floor 2: from measurements to probabilities."""
