"""What is told of a seat."""

from player.live.seat import sparingly


def test_what_happens_again_and_again_is_told_more_and_more_seldom():
    told: list[str] = []
    late = sparingly(told.append, "Late.")
    for _ in range(9):
        late()
    assert told == ["Late.", "Late.", "Late. This is the 4th time.", "Late. This is the 8th time."]
