"""Correction rounds: a model drives, its teacher says what would have been right, the next model learns from that."""
