"""Worlds that show frames and obey actions; `registry.make_game` opens one by name."""
