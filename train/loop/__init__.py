"""One training run: its data, its steps, what it saves."""
