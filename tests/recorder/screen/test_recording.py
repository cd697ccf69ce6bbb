"""What a person does at what is on the screen, recorded: labels that fit their frames, and pauses that say so."""

import random
import threading
import time
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from kart_pipeline.core.action import ActionSpec
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.frame import Step, now_ns
from kart_pipeline.core.store import Store
from kart_pipeline.desktop.key_layout import KeyLayout
from kart_pipeline.desktop.mapping import default_mapping
from kart_pipeline.desktop.pad import UNPLUGGED, PadState
from kart_pipeline.desktop.source import Grab, Where, open_source
from kart_pipeline.desktop.windows import MINIMISED, Hidden
from kart_pipeline.games.desktop import DesktopGame
from recorder.devices.keys import open_keyboard
from recorder.devices.timeline import Timeline
from recorder.episode import Dropped, Taken
from recorder.pads import DevicePad
from recorder.screen.capture import screen_header
from recorder.screen.recording import ScreenRecording, record_screen

SPEC = ActionSpec(axes=("steer",), buttons=("A",), mirrored_axes=("steer",))


class Slides:
    """A source that shows its number; it can be covered."""

    about: Mapping[str, Any] = {"kind": "screen", "seen": {"width": 16, "height": 16}}

    def __init__(self) -> None:
        self.shown = 0
        self.covered = False

    def grab(self) -> Grab | Hidden:
        if self.covered:
            return Hidden(MINIMISED)
        self.shown += 1
        return Grab(np.full((16, 16, 3), self.shown % 256, np.uint8), now_ns())

    def notes(self) -> Mapping[str, Any]:
        return {}

    def close(self) -> None:
        pass


class Lever:
    """A device that the test holds in its hands."""

    name = "lever"
    about: Mapping[str, Any] = {"device": "lever"}
    connected = True

    def __init__(self) -> None:
        self.states: Timeline[PadState] = Timeline(PadState())
        self.broken: KartError | None = None

    def at(self, t_ns: int) -> PadState:
        if self.broken:
            raise self.broken
        return self.states.at(t_ns)

    def close(self) -> None:
        pass


class Script:
    """Does something before chosen steps."""

    def __init__(self, deeds: dict[int, Callable[[], None]]) -> None:
        self.deeds = sorted(deeds.items())

    def on_step(self, step: Step) -> None:
        # An observer comes after the recording of this step; a late tick may take the clock over the next.
        while self.deeds and step.index + 1 >= self.deeds[0][0]:
            self.deeds.pop(0)[1]()


@pytest.fixture
def slides() -> Slides:
    return Slides()


@pytest.fixture
def lever() -> Lever:
    return Lever()


@pytest.fixture
def record(store: Store, slides: Slides, lever: Lever):
    """Record the slides at 100 Hz with deeds in between; what the person is told is in `told`."""
    told: list[str] = []

    def go(deeds: dict[int, Any], steps: int = 120) -> Taken | Dropped:
        game = DesktopGame(slides, "slides", "room-1", SPEC, 100)
        game.reset()
        pad = DevicePad(lever, default_mapping(SPEC), wait=True)
        header = screen_header(game, {"kind": "human", **pad.about}, "png")
        made: list[ScreenRecording] = []

        def parts(recording: ScreenRecording) -> list[Script]:
            made.append(recording)
            return [Script({at: lambda deed=deed: deed(recording) for at, deed in deeds.items()})]

        return record_screen(store, header, game, pad, parts=parts, max_steps=steps, say=told.append)

    go.told = told  # type: ignore[attr-defined]
    return go


def steps(store: Store, taken: Taken | Dropped) -> list[int]:
    assert isinstance(taken, Taken)
    return store.open(taken.manifest.id).table(["step"])["step"].to_pylist()


def gaps(recorded: list[int]) -> list[tuple[int, int]]:
    """First and last of the steps that are missing between others."""
    pairs = pairwise(recorded)
    return [(before + 1, after - 1) for before, after in pairs if after != before + 1]


def test_a_session_says_where_it_comes_from_and_how_it_went(record, store: Store) -> None:
    taken = record({})
    assert isinstance(taken, Taken)
    manifest = taken.manifest
    assert (manifest.game, manifest.track, manifest.group) == ("slides", "room-1", manifest.id)
    assert (manifest.rate_hz, manifest.codec, manifest.score) == (100, "png", None)
    assert (manifest.source["kind"], manifest.driver["kind"], manifest.driver["device"]) == ("screen", "human", "lever")
    assert manifest.driver["mapping"] == {"steer": "left_x", "A": "a"}
    assert manifest.ended == "step limit"
    assert manifest.labelled == manifest.steps
    assert set(manifest.notes) >= {"cadence", "writing"}
    assert manifest.notes["writing"]["encode"]["count"] == manifest.steps
    store.open(manifest.id).verify()


def test_labels_are_what_the_hands_did_at_the_time_of_the_frame(record, store: Store, lever: Lever) -> None:
    pressed = PadState({"left_x": 1.0}, frozenset({"a"}))
    changes: list[int] = []

    def press(state: PadState) -> Any:
        def deed(_: ScreenRecording) -> None:
            changes.append(now_ns())
            lever.states.push(changes[-1], state)

        return deed

    taken = record({40: press(pressed), 80: press(PadState())})
    assert isinstance(taken, Taken)
    table = store.open(taken.manifest.id).table(["t_ns", "steer", "label_steer", "label_A"])
    on, off = changes
    for t_ns, steer, label, a in zip(*(table[name].to_pylist() for name in table.column_names), strict=True):
        held = on <= t_ns < off
        assert (steer, label, bool(a)) == (float(held), float(held), held)


def test_while_nothing_is_seen_nothing_is_recorded_and_the_gap_is_noted(record, store: Store, slides: Slides) -> None:
    def cover(covered: bool) -> Any:
        return lambda _: setattr(slides, "covered", covered)

    taken = record({40: cover(True), 70: cover(False)})
    assert isinstance(taken, Taken)
    recorded = steps(store, taken)
    first, last = max(gaps(recorded), key=lambda gap: gap[1] - gap[0])  # a late tick makes one too
    assert last - first >= 20
    assert last >= 69
    ((noted_first, noted_last),) = taken.manifest.notes["marks"]["pauses"]
    assert first <= noted_first <= noted_last <= last
    assert record.told == [
        f"Paused: {MINIMISED}. Recording goes on when it is back.",
        "It is back; recording goes on.",
    ]
    frames = [int(step.frame.rgb[0, 0, 0]) for step in store.open(taken.manifest.id).steps()]
    assert len(set(frames)) == len(frames)  # the picture that stood still is not in it


def test_while_the_pad_is_unplugged_nothing_is_recorded(record, store: Store, lever: Lever) -> None:
    taken = record(
        {
            40: lambda _: lever.states.push(now_ns(), UNPLUGGED),
            70: lambda _: lever.states.push(now_ns(), PadState()),
        }
    )
    recorded = steps(store, taken)
    assert any(last - first >= 20 and last >= 69 for first, last in gaps(recorded))
    assert record.told[0].startswith("Paused: the lever is unplugged.")


def test_a_pause_of_the_person_outlasts_that_of_the_window(record, store: Store, slides: Slides) -> None:
    def cover_and_pause(recording: ScreenRecording) -> None:
        slides.covered = True
        recording.hold("person")

    def uncover(recording: ScreenRecording) -> None:
        slides.covered = False
        assert recording.holds == {"person", "window"}

    taken = record(
        {
            30: cover_and_pause,
            50: uncover,
            70: lambda recording: recording.release("person"),
            110: ScreenRecording.mark_lap,
        }
    )
    assert isinstance(taken, Taken)
    recorded = steps(store, taken)
    assert any(last - first >= 20 and last >= 69 for first, last in gaps(recorded))
    assert len(taken.manifest.notes["marks"]["pauses"]) == 1
    assert taken.manifest.notes["marks"]["laps"]
    assert record.told[-1] == "It is back."


def test_what_was_recorded_before_a_failure_is_kept(record, store: Store, lever: Lever) -> None:
    def break_it(_: ScreenRecording) -> None:
        lever.broken = KartError("The lever broke.")

    taken = record({115: break_it})
    assert isinstance(taken, Taken)
    assert taken.trouble == "The lever broke."
    assert taken.manifest.ended == "interrupted"
    assert steps(store, taken)[-1] >= 100


def test_a_failure_in_the_first_second_leaves_nothing_behind(record, store: Store, lever: Lever) -> None:
    def break_it(_: ScreenRecording) -> None:
        lever.broken = KartError("The lever broke.")

    with pytest.raises(KartError, match="The lever broke"):
        record({20: break_it})
    assert store.ids() == store.unfinished() == []


def test_labels_fit_what_a_window_shows(make_window, hands, store: Store) -> None:
    """The window changes its colour when it gets the key that the keyboard is heard to press."""
    make_window()
    source = open_source(Where(window="racing"), 64)
    keyboard = open_keyboard(KeyLayout(ramp=False))
    presses = [0.0]

    def drum() -> None:
        timing = random.Random(1)
        time.sleep(0.3)
        for down in [True, False] * 8:
            presses.append(hands.key("x", down))
            time.sleep(timing.uniform(0.12, 0.25))

    drummer = threading.Thread(target=drum)
    try:
        with DesktopGame(source, "painted", "", SPEC, 30) as game:
            game.reset()
            drummer.start()
            taken = record_screen(
                store,
                screen_header(game, {"kind": "human"}, "png"),
                game,
                DevicePad(keyboard, default_mapping(SPEC), wait=True),
                should_stop=lambda: not drummer.is_alive(),
            )
    finally:
        drummer.join()
        keyboard.close()
    assert isinstance(taken, Taken)
    session = store.open(taken.manifest.id)
    label = np.array([bool(step.choice.label["A"]) for step in session.steps() if step.choice.label])
    shown = np.array([step.frame.rgb[0, 0, 0] > 0x80 for step in session.steps()])
    pressed, drawn = np.flatnonzero(np.diff(label)), np.flatnonzero(np.diff(shown))
    assert len(pressed) == len(drawn) == 16
    late = drawn - pressed  # frames by which the picture follows the label
    assert set(late) <= {-1, 0, 1, 2}, late
    assert (np.abs(late) <= 1).sum() >= 14, late
