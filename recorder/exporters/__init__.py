"""Formats of other programs that a session can be handed on in, one module each; what they share is in `base`."""
