"""Formats of other recorders, one module each; what they share is in `base`, `text`, `pictures` and `clock`."""
