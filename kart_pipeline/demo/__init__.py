"""The whole road in one command: record, materialise, train, register, drive, in any game that has an expert."""
