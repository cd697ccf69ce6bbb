"""SuperTuxKart: a real 3D kart game in its own window, seen through the screen and steered with keys."""
