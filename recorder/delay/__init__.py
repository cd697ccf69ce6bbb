"""How long it takes until what the hands do shows on the screen: measured, kept, and told to sessions."""
