"""What is told of a drive while it goes on, and who may press what."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from kart_pipeline.core.action import ActionSpec
from kart_pipeline.core.contract import Contract
from kart_pipeline.core.frame import now_ns
from kart_pipeline.desktop.controllers.dry import DryRun
from kart_pipeline.desktop.mapping import default_mapping
from kart_pipeline.desktop.pad import PadState
from kart_pipeline.desktop.source import Grab, Where
from kart_pipeline.desktop.windows import MINIMISED, Hidden
from kart_pipeline.driving.loop import drive
from kart_pipeline.games.desktop import DesktopGame, Output
from player.live.parts import assemble, leaving_channels
from player.live.person import Person
from player.live.seat import Seat
from player.live.status import LiveView, picture
from player.live.wishes import Wishes
from player.policy import Policy
from player.stages import LATENCY, Stages

SPEC = ActionSpec(axes=("steer", "throttle"), buttons=("A", "start"), mirrored_axes=("steer",))
HZ = 50.0


def lines(now) -> list[str]:
    """What the terminal shows."""
    out = Console(width=150)
    with out.capture() as captured:
        out.print(picture(now))
    return [line.rstrip() for line in captured.get().splitlines() if line.strip()]


class Scene:
    """A picture that moves, and can be hidden."""

    about: Mapping[str, Any] = {}

    def __init__(self) -> None:
        self.hidden = False
        self.shown = 0

    def grab(self) -> Grab | Hidden:
        self.shown += 1
        return (
            Hidden(MINIMISED) if self.hidden else Grab(np.full((24, 32, 3), self.shown % 200 + 50, np.uint8), now_ns())
        )

    def notes(self) -> Mapping[str, Any]:
        return {}

    def focused(self) -> bool:
        return True

    def close(self) -> None:
        pass


class Lever:
    name = "lever"
    connected = True
    about: Mapping[str, Any] = {"device": "lever"}

    def __init__(self) -> None:
        self.state = PadState()

    def at(self, _t_ns: int) -> PadState:
        return self.state

    def close(self) -> None:
        pass


class Cockpit:
    """All parts, with a network that presses everything."""

    def __init__(self, **wishes: Any) -> None:
        self.scene, self.lever, self.dry, self.told = Scene(), Lever(), DryRun(), []
        mapping, stages = default_mapping(SPEC), Stages()
        game = DesktopGame(self.scene, "karts", "", SPEC, HZ)
        person = Person(self.lever, mapping, away=lambda: game.obstacle)
        game.output = Output(self.dry, mapping, person.passed_on)
        contract = Contract(SPEC, HZ, width=16, height=12)
        policy = Policy("model", contract, lambda _: np.array([0.5, 1.0, 1.0, 1.0], np.float32), stages)
        seat = Seat(game, mapping, None, person)
        self.parts = assemble(seat, policy, Wishes(where=Where(monitor=1), **wishes), stages, self.told.append)
        self.game = game

    def drive(self, steps: int) -> None:
        drive(self.game, self.parts.driver, observers=[self.parts.cockpit], max_steps=steps)

    def now(self):
        return self.parts.cockpit.snapshot()


@pytest.fixture
def cockpit() -> Cockpit:
    return Cockpit()


def test_before_the_first_step_there_is_little_to_tell(cockpit):
    now = cockpit.now()
    assert (now.step, now.action, now.seen, now.actor, now.taken, now.reason) == (None, None, None, "", False, None)
    assert lines(now) == ["● looking"]


def test_a_drive_of_the_model(cockpit):
    cockpit.drive(10)
    now = cockpit.now()
    assert (now.actor, now.taken, now.autonomy, now.takeovers) == ("policy", False, 1.0, 0)
    assert now.action == now.advice == SPEC.action(steer=0.5, throttle=1.0, A=True)
    assert now.seen.shape == (12, 16, 3)
    assert now.stages[LATENCY]["count"] == 10
    assert now.hz == pytest.approx(HZ, rel=0.5)
    told = lines(now)
    assert told[0].startswith("● the model drives  00:00")
    assert "of 50 Hz   capture to command p50" in told[1]
    assert told[2] == "100% by itself, 0 takeovers"
    assert told[3].endswith("+0.50")
    assert "the model" not in told[3]


def test_a_person_who_takes_over_is_seen_and_the_model_is_still_heard(cockpit):
    cockpit.lever.state = PadState({"left_x": -1.0})
    cockpit.drive(4)
    now = cockpit.now()
    assert (now.actor, now.taken, now.autonomy, now.takeovers) == ("human", True, 0.0, 1)
    assert now.action["steer"] == -1.0
    assert now.advice["steer"] == 0.5
    told = lines(now)
    assert told[0].startswith("● you drive")
    assert told[3].endswith("-1.00 the model +0.50")


def test_the_reason_for_letting_go_is_told(cockpit):
    cockpit.game.reset()
    cockpit.scene.hidden = True
    cockpit.game.next_frame()
    assert cockpit.now().reason == MINIMISED
    assert lines(cockpit.now()) == [f"‖ let go: {MINIMISED}"]
    assert cockpit.dry.state == PadState()


def test_start_is_held_up_unless_it_is_allowed():
    mapping = default_mapping(SPEC)
    assert leaving_channels(mapping, frozenset()) == {"start"}
    assert leaving_channels(mapping, frozenset({"start"})) == frozenset()
    held, free = Cockpit(), Cockpit(allow=frozenset({"start"}))
    for cockpit, pressed in ((held, False), (free, True)):
        cockpit.drive(2)
        assert cockpit.now().action["start"] is pressed
    assert held.told == ["It cannot press start; --allow lets it."]


def test_the_line_is_drawn_where_there_is_a_terminal_and_a_closed_one_does_no_harm(cockpit):
    cockpit.drive(3)
    out = Console(force_terminal=True, width=150, record=True)
    with LiveView(out, cockpit.now):
        pass
    assert "the model" in out.export_text()
    with LiveView(Console(force_terminal=False), cockpit.now):
        pass
