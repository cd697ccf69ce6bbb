"""Who says nothing for too long holds nothing."""

import threading
import time
from collections.abc import Mapping
from typing import Any

import pytest

from kart_pipeline.core.errors import KartError
from kart_pipeline.desktop.pad import PadState
from player.live.deadman import DeadMan

LEFT = PadState({"left_x": -1.0})


class Notebook:
    name = "notebook"
    about: Mapping[str, Any] = {"device": "notebook"}

    def __init__(self) -> None:
        self.held = PadState()
        self.neutrals = 0
        self.closed = False
        self.broken = False

    def apply(self, state: PadState) -> None:
        if self.broken:
            raise KartError("The pad is gone.")
        self.held = state

    def neutral(self) -> None:
        self.held = PadState()
        self.neutrals += 1

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def notebook() -> Notebook:
    return Notebook()


def switch(notebook, hold_s=0.05, **settings):
    return DeadMan(notebook, hold_s, **settings)


def test_what_is_said_in_time_is_held(notebook):
    dead_man = switch(notebook, 5.0)
    for _ in range(10):
        dead_man.apply(LEFT)
        assert notebook.held == LEFT
    assert (dead_man.times, notebook.neutrals) == (0, 0)
    dead_man.close()


def test_a_driver_that_falls_silent_holds_nothing_and_drives_on_when_it_speaks_again(notebook, soon):
    told: list[float] = []
    dead_man = switch(notebook, late=told.append)
    dead_man.apply(LEFT)
    soon(lambda: notebook.held == PadState())
    soon(lambda: told == [0.05])
    assert dead_man.times == 1
    dead_man.apply(LEFT)
    assert notebook.held == LEFT
    soon(lambda: dead_man.times == 2)
    dead_man.close()


def test_who_has_let_go_is_not_late(notebook):
    dead_man = switch(notebook, 0.02)
    dead_man.apply(LEFT)
    dead_man.neutral()
    time.sleep(0.1)
    assert dead_man.times == 0
    dead_man.close()


def test_closing_lets_go_ends_the_thread_and_gives_the_controller_back(notebook):
    before = threading.active_count()
    dead_man = switch(notebook, 5.0)
    dead_man.apply(LEFT)
    dead_man.close()
    assert notebook.closed
    assert threading.active_count() == before
    dead_man.close()


def test_a_controller_that_is_gone_is_told(notebook):
    dead_man = switch(notebook)
    notebook.broken = True
    with pytest.raises(KartError, match="gone"):
        dead_man.apply(LEFT)
    dead_man.close()


@pytest.mark.parametrize("hold_s", [0.0, -1.0, float("nan"), float("inf")])
def test_a_time_that_is_none_is_refused(notebook, hold_s):
    with pytest.raises(KartError, match="held for a time"):
        DeadMan(notebook, hold_s)
