"""What people hold: gamepads and keyboards of every kind as one standard pad, whose state is known at any moment."""
