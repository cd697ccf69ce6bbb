"""Virtual pads and keys: what a program plays a game on a desktop with."""
