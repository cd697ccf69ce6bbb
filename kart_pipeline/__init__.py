"""Record a person driving a kart game, learn from it, and drive."""

__version__ = "0.1.0"
