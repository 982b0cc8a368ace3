"""The models, found by name in the registry."""
