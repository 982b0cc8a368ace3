"""Readers of the data sets, all of which give a `Dataset`."""
