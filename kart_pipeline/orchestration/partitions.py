"""The two kinds of partitions: a session that was recorded, and a game that it was recorded in.

Their keys live in Dagster's memory; the truth is on the disk, and the sensor `sessions_on_disk` makes the two agree.
"""

import dagster as dg

SESSIONS = dg.DynamicPartitionsDefinition(name="sessions")
GAMES = dg.DynamicPartitionsDefinition(name="games")
