"""``fer-edge convert`` and ``micro``."""
