"""What the player can be asked for, a module each, with `run(arguments) -> exit status`."""
