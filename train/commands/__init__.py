"""The commands of the training side; each parses, calls one library function and prints."""
