"""Whole photos as data: the faces in them, found and kept."""
