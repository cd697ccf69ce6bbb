"""The whole road in one command: record, materialise, train, register, drive, in a game that needs no screen."""
