"""The tables say what a search tries: the units are those of the stick that play uses too."""

import pytest

from kart_pipeline.core.action import ActionSpec
from kart_pipeline.core.errors import KartError
from kart_pipeline.games.bizhawk.plans import plan
from kart_pipeline.games.bizhawk.tables import load_tables
from kart_pipeline.games.controls import N64_SPEC

SNES_KEYS = ActionSpec((), ("left", "right", "B", "Y"), mirrored_buttons=(("left", "right"),))


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    return load_tables(tmp_path_factory.mktemp("home"))


def test_mario_kart_64_is_searched_as_neuralkart_did_over_the_whole_way_of_the_stick(tables):
    made = plan(tables["mario_kart_64"], N64_SPEC)
    steers = sorted(action["steer"] for action in made.fan)
    assert steers == pytest.approx([step / 5 for step in range(-5, 6)])
    assert all(action["A"] and not action["B"] for action in made.fan)
    assert (made.coast["steer"], made.coast["A"]) == (0.0, True)
    assert (made.hold_s, made.coast_s, made.depth) == (0.5, 1.0, 1)


def test_super_mario_kart_is_searched_with_its_keys(tables):
    made = plan(tables["super_mario_kart"], SNES_KEYS)
    assert [(action["left"], action["right"]) for action in made.fan] == [(False, False), (True, False), (False, True)]
    assert all(action["B"] for action in made.fan)


def test_a_button_that_the_game_lacks_is_named(tables):
    with pytest.raises(KartError, match="No channel A"):
        plan(tables["mario_kart_64"], SNES_KEYS)
