"""The models, one file per family, found by name."""
