"""How a game answers a stick that a program holds: measured where the picture can be seen to turn."""
