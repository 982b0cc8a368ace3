"""Learning from teachers."""
