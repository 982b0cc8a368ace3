"""A training run, from its configuration to what is said of it, and the runs that it needs."""
