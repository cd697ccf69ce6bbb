"""A model drives a real window by real keys, and a person takes over."""

import dataclasses
import threading
from collections.abc import Callable

import pytest

from kart_pipeline.core.settings import Settings
from kart_pipeline.desktop.controllers.choose import ControllerChoice
from kart_pipeline.desktop.source import Where
from player.live.drive import drive_screen
from player.live.outcome import Outcome
from player.live.wishes import Wishes
from recorder.devices.choose import PadChoice

WISHES = Wishes(where=Where(window="Toy road"), controller=ControllerChoice("keyboard"), pad=PadChoice("keyboard"))


@pytest.fixture
def settings(racer, tmp_path) -> Settings:
    """The racer's model, and a store of its own."""
    return dataclasses.replace(racer.settings, store_url=str(tmp_path / "sessions"))


@pytest.fixture
def drive(racer, settings, monkeypatch):
    """Drive so many steps while something else is done."""

    def go(steps: int, meanwhile: Callable[[], None] = lambda: None, **wishes) -> Outcome:
        outcome = Outcome()
        other = threading.Thread(target=meanwhile)
        other.start()
        try:
            drive_screen(
                racer.driver.uri, "toy_road", dataclasses.replace(WISHES, **wishes), settings, outcome, max_steps=steps
            )
        finally:
            other.join()
        return outcome

    return go


def test_the_model_keeps_the_car_on_the_road(toy, drive):
    outcome = drive(200)
    print(outcome.to_dict(), toy.on_road, toy.held[-50:])
    assert outcome.drive.autonomy == 1.0
