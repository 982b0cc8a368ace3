"""The commands of the device side; each parses, calls one library function and prints."""
