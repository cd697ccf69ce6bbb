"""What is on the screen as a game: what of a driver's wishes is sent, and when nothing is."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kart_pipeline.core.action import ActionSpec
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.frame import Choice, now_ns
from kart_pipeline.desktop.mapping import default_mapping
from kart_pipeline.desktop.pad import AXES, BUTTONS, PadState
from kart_pipeline.desktop.source import Grab
from kart_pipeline.desktop.windows import CLOSED, MINIMISED, Hidden
from kart_pipeline.games import desktop
from kart_pipeline.games.desktop import UNFOCUSED, DesktopGame, Output, passed_on

SPEC = ActionSpec(axes=("steer", "throttle"), buttons=("A",), mirrored_axes=("steer",))
MAPPING = default_mapping(SPEC)
LEFT = SPEC.action(steer=-1.0, A=True)
EVERYTHING = frozenset(SPEC.names)


class Scene:
    """A source that can be covered, and lose the focus."""

    about: Mapping[str, Any] = {}

    def __init__(self) -> None:
        self.hidden: str | None = None
        self.focus = True

    def grab(self) -> Grab | Hidden:
        return Hidden(self.hidden) if self.hidden else Grab(np.zeros((4, 4, 3), np.uint8), now_ns())

    def notes(self) -> Mapping[str, Any]:
        return {}

    def focused(self) -> bool:
        return self.focus

    def close(self) -> None:
        pass


class Notebook:
    """A controller that writes down how it is held."""

    name = "notebook"
    about: Mapping[str, Any] = {"device": "notebook"}

    def __init__(self) -> None:
        self.held: list[PadState] = []

    def apply(self, state: PadState) -> None:
        self.held.append(state)

    def neutral(self) -> None:
        self.held.append(PadState())

    def close(self) -> None:
        pass


@pytest.fixture
def scene() -> Scene:
    return Scene()


@pytest.fixture
def notebook() -> Notebook:
    return Notebook()


@pytest.fixture
def game(scene, notebook) -> DesktopGame:
    made = DesktopGame(scene, "karts", "", SPEC, 30, Output(notebook, MAPPING))
    made.reset()
    return made


def test_what_a_driver_chooses_is_held_on_the_pad(game, notebook):
    game.obey(Choice(LEFT, "policy"))
    assert MAPPING.action(notebook.held[-1]) == LEFT
    game.send(SPEC.neutral())
    assert MAPPING.action(notebook.held[-1]) == SPEC.neutral()


def test_without_an_output_nothing_is_held(scene):
    game = DesktopGame(scene, "karts", "", SPEC, 30)
    game.reset()
    game.obey(Choice(LEFT, "policy"))
    game.send(LEFT)
    game.neutral()
    game.close()


@pytest.mark.parametrize("reason", [MINIMISED, CLOSED])
def test_what_cannot_be_seen_is_let_go_of_until_it_is_back(game, scene, notebook, reason):
    scene.hidden = reason
    game.next_frame()
    game.obey(Choice(LEFT, "policy"))
    assert (game.hidden, game.obstacle, notebook.held[-1]) == (reason, reason, PadState())
    scene.hidden = None
    game.next_frame()
    game.obey(Choice(LEFT, "policy"))
    assert (game.hidden, game.obstacle) == (None, None)
    assert MAPPING.action(notebook.held[-1]) == LEFT


def test_nothing_is_typed_into_another_window(game, scene, notebook):
    scene.focus = False
    game.obey(Choice(LEFT, "human", LEFT, True, EVERYTHING))
    assert (game.hidden, game.obstacle, notebook.held[-1]) == (None, UNFOCUSED, PadState())
    scene.focus = True
    game.obey(Choice(LEFT, "policy"))
    assert game.obstacle is None
    assert MAPPING.action(notebook.held[-1]) == LEFT


def test_a_pad_that_is_heard_without_the_focus_may_go_on(scene, notebook):
    game = DesktopGame(scene, "karts", "", SPEC, 30, Output(notebook, MAPPING, needs_focus=False))
    game.reset()
    scene.focus = False
    game.obey(Choice(LEFT, "policy"))
    assert MAPPING.action(notebook.held[-1]) == LEFT


def test_a_window_that_stays_closed_ends_the_drive(game, scene, monkeypatch):
    clock = [now_ns()]
    monkeypatch.setattr(desktop, "now_ns", lambda: clock[0])
    scene.hidden = CLOSED
    game.next_frame()
    clock[0] += 4_000_000_000
    game.next_frame()
    assert game.ended is None
    clock[0] += 1_000_000_000
    game.next_frame()
    assert game.ended == CLOSED


def test_a_window_that_was_opened_anew_in_time_goes_on(game, scene, monkeypatch):
    clock = [now_ns()]
    monkeypatch.setattr(desktop, "now_ns", lambda: clock[0])
    for hidden, seconds in ((CLOSED, 4), (None, 1), (CLOSED, 4), (MINIMISED, 9), (CLOSED, 4)):
        scene.hidden = hidden
        game.next_frame()
        clock[0] += seconds * 10**9
    assert game.ended is None


def test_the_persons_pad_is_passed_on_whole(scene, notebook):
    theirs = PadState({"right_x": 0.7, "left_x": 0.01}, frozenset({"start", "dpad_up"}))
    game = DesktopGame(scene, "karts", "", SPEC, 30, Output(notebook, MAPPING, lambda: theirs))
    game.reset()
    game.obey(Choice(SPEC.neutral(), "human", None, True, EVERYTHING))
    assert notebook.held[-1] == theirs
    game.obey(Choice(LEFT, "policy"))
    assert MAPPING.action(notebook.held[-1]) == LEFT


@given(
    st.fixed_dictionaries({name: st.floats(0, 1) for name in AXES}),
    st.frozensets(st.sampled_from(BUTTONS)),
    st.floats(-1, 1),
    st.frozensets(st.sampled_from(SPEC.names)),
)
def test_each_channel_is_moved_by_whom_it_belongs_to(axes, buttons, steer, by_hand):
    driven, held = MAPPING.state(SPEC.action(steer=steer, throttle=0.5, A=True)), PadState(axes, buttons)
    mixed = MAPPING.action(passed_on(driven, held, MAPPING, by_hand))
    for name in SPEC.names:
        assert mixed[name] == MAPPING.action(held if name in by_hand else driven)[name]


def test_it_lets_go_when_it_is_closed(game, notebook):
    game.obey(Choice(LEFT, "policy"))
    game.close()
    assert notebook.held[-1] == PadState()


def test_a_mapping_of_other_controls_is_refused(scene, notebook):
    with pytest.raises(KartError, match="does not suit"):
        DesktopGame(scene, "karts", "", ActionSpec(("steer",)), 30, Output(notebook, MAPPING))
