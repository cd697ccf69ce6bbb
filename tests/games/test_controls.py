"""Which controls a game on the screen has."""

import pytest

from kart_pipeline.core.errors import KartError
from kart_pipeline.games.controls import controls


def test_mario_kart_64_has_those_of_imported_laps_so_that_both_train_one_model() -> None:
    assert controls("mario_kart_64").names == ("steer", "pitch", "A", "B", "RB")


def test_a_game_that_opens_here_has_the_same_on_the_screen() -> None:
    assert controls("car_racing").names == ("steer", "throttle")


def test_those_that_are_listed_take_the_place_of_known_ones() -> None:
    spec = controls("mario_kart_64", ["wheel", "pedal"], ["left", "horn", "right"])
    assert spec.names == ("wheel", "pedal", "left", "horn", "right")
    assert spec.mirrored_axes == ("wheel",)
    assert spec.mirrored_buttons == (("left", "right"),)
    assert controls("doom", [], ["A"]).names == ("A",)


def test_of_an_unknown_game_they_must_be_listed() -> None:
    with pytest.raises(KartError, match=r"controls of doom are is not known here .known: .*mario_kart_64.*--axes"):
        controls("doom")
