"""A person at a game: what they do with pad or keys is what is driven and recorded."""

import time
from pathlib import Path

import pygame
import pytest

from kart_pipeline.core.action import ActionSpec
from kart_pipeline.core.frame import Frame, Step, now_ns
from kart_pipeline.core.store import Store
from kart_pipeline.desktop.key_layout import KeyLayout
from kart_pipeline.desktop.mapping import DEAD_ZONE, default_mapping
from kart_pipeline.desktop.pad import PadState
from kart_pipeline.driving.clock import Clock
from recorder.devices.keys import WindowKeyboard
from recorder.devices.sdl import SdlPad
from recorder.devices.timeline import Timeline
from recorder.episode import Plan, Taken, record_episode
from recorder.pads import DevicePad, Human
from recorder.window import Window

SPEC = ActionSpec(axes=("steer", "throttle"), buttons=("A",), mirrored_axes=("steer",))


def key(kind: int, code: int) -> None:
    pygame.event.post(pygame.event.Event(kind, key=code))


def record(pad: DevicePad, road, store: Store, *observers, rate: float = 50) -> Taken:
    taken = record_episode(
        store,
        road,
        Human(pad),
        Plan("road", "by hand", Path(store.url)),
        seed=1,
        about_driver={"kind": "human", **pad.about},
        observers=observers,
        clock=Clock(rate),
        should_stop=lambda: pad.done,
    )
    assert isinstance(taken, Taken)
    return taken


class Script:
    """Does something at chosen steps."""

    def __init__(self, **deeds) -> None:
        self.deeds = {int(step.removeprefix("at_")): deed for step, deed in deeds.items()}
        self.steps: list[int] = []

    def on_step(self, step: Step) -> None:
        self.steps.append(step.index)
        self.deeds.get(len(self.steps), lambda: None)()


def test_a_drive_with_keys_is_paced_shown_and_recorded_until_escape(window: Window, road, store: Store) -> None:
    script = Script(
        at_10=lambda: key(pygame.KEYDOWN, pygame.K_RIGHT),
        at_70=lambda: key(pygame.KEYDOWN, pygame.K_ESCAPE),
    )
    pad = DevicePad(WindowKeyboard(KeyLayout(), window), default_mapping(road.spec), window)
    manifest = record(pad, road, store, window, script).manifest
    assert (manifest.ended, manifest.labelled) == ("stopped", manifest.steps)
    assert (manifest.driver["device"], manifest.driver["backend"]) == ("keyboard", "window")
    assert manifest.driver["mapping"] == {"steer": "left_x", "throttle": "right_trigger - left_trigger", "A": "a"}
    assert manifest.driver["keys"]["a"] == "x"
    assert manifest.notes["cadence"]["target_hz"] == 50
    assert manifest.notes["cadence"]["hz"] < 52
    table = store.open(manifest.id).table(["step", "steer", "label_steer", "actor"])
    assert table["step"].to_pylist() == script.steps
    assert len(script.steps) == 71  # Escape is heard in the step after
    steer = table["steer"].to_pylist()
    assert steer == table["label_steer"].to_pylist()
    assert set(table["actor"].to_pylist()) == {"human"}
    assert all(value == 0 for value in steer[:10])
    assert 0 <= steer[10] < steer[-1] == 1.0
    assert pygame.display.get_surface() is not None


def test_a_window_without_the_focus_lets_go_of_all_keys(window: Window) -> None:
    pad = DevicePad(WindowKeyboard(KeyLayout(ramp=False), window), default_mapping(SPEC), window)
    key(pygame.KEYDOWN, pygame.K_LEFT)
    key(pygame.KEYDOWN, pygame.K_x)
    assert pad.read() == SPEC.action(steer=-1.0, A=True)
    pygame.event.post(pygame.event.Event(pygame.WINDOWFOCUSLOST))
    assert pad.read() == SPEC.neutral()


def test_a_pad_that_is_unplugged_ends_the_drive_and_the_session_is_kept(
    virtual, soon, window: Window, road, store: Store
) -> None:
    virtual.axis(0, 16384)
    pad = DevicePad(SdlPad(), default_mapping(road.spec), window)

    def unplug() -> None:
        virtual.unplug()
        soon(lambda: not pad.device.connected)

    taken = record(pad, road, store, Script(at_60=unplug), rate=200)
    assert taken.trouble == "The gamepad was unplugged."
    assert taken.manifest.steps == 60
    assert taken.manifest.driver["name"] == "Virtual Controller"
    assert road.sent[-1] == road.spec.neutral()
    steer = store.open(taken.manifest.id).table(["steer"]).column("steer").to_pylist()
    assert steer[30] == pytest.approx((0.5 - DEAD_ZONE) / (1 - DEAD_ZONE), abs=1e-3)
    pad.close()


def test_whoever_waits_for_the_plug_drives_neutral_in_between(virtual, soon, home: Path) -> None:
    pad = DevicePad(SdlPad(), default_mapping(SPEC), wait=True)
    virtual.button(0, True)
    soon(lambda: pad.read()["A"])
    virtual.unplug()
    soon(lambda: not pad.device.connected)
    assert pad.read() == SPEC.neutral()
    virtual.plug_in()
    virtual.button(0, True)
    soon(lambda: pad.read()["A"])
    pad.close()


class Past:
    """A device whose stick went right at a known time."""

    name, connected, about = "past", True, {"device": "gamepad"}

    def __init__(self, turned_ns: int) -> None:
        self._states = Timeline(PadState())
        self._states.push(turned_ns, PadState({"left_x": 1.0}))

    def at(self, t_ns: int) -> PadState:
        return self._states.at(t_ns)

    def close(self) -> None:
        pass


def test_a_frame_of_the_screen_gets_the_stick_of_its_own_time(road) -> None:
    now = now_ns()
    pad = DevicePad(Past(now - 1_000_000), default_mapping(SPEC))
    rgb = road.reset(1).rgb
    live, simulated = Human(pad, live=True), Human(pad)
    assert live.act(Frame(rgb, now - 2_000_000)).label == SPEC.neutral()
    assert live.act(Frame(rgb, now)).label == SPEC.action(steer=1.0)
    assert simulated.act(Frame(rgb, 40_000_000)).label == SPEC.action(steer=1.0)


def seen(window) -> bool:
    """Whether an X window is on the screen."""
    from Xlib import X, error

    try:
        return window.get_attributes().map_state == X.IsViewable
    except error.BadWindow:  # gone meanwhile
        return False


@pytest.mark.e2e
def test_a_real_game_in_a_real_window_is_driven_with_pressed_keys(
    start, store: Store, x_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from Xlib import XK, X, display
    from Xlib.ext import xtest

    monkeypatch.setenv("DISPLAY", x_name)
    monkeypatch.setenv("SDL_VIDEODRIVER", "x11")
    process = start("capture", "--game", "car_racing", "--driver", "keyboard", "--max-steps", "120")
    server = display.Display(x_name)
    codes = {name: server.keysym_to_keycode(XK.string_to_keysym(name)) for name in ("Right", "Up")}
    end = time.monotonic() + 240
    while not (windows := [window for window in server.screen().root.query_tree().children if seen(window)]):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end, "no window came"
        time.sleep(0.1)
    windows[-1].set_input_focus(X.RevertToParent, X.CurrentTime)  # a window manager would
    while process.poll() is None:  # SDL takes the focus in 0.2 s after it was told, and forgets keys from before
        assert time.monotonic() < end, "the drive did not end"
        for kind in (X.KeyRelease, X.KeyPress):
            for code in codes.values():
                xtest.fake_input(server, kind, code)
        server.sync()
        time.sleep(1.0)
    for code in codes.values():
        xtest.fake_input(server, X.KeyRelease, code)
    server.sync()
    out, err = process.communicate()
    assert process.returncode == 0, err
    assert "1 session" in out
    (session_id,) = store.ids()
    table = store.open(session_id).table(["steer", "throttle", "actor"])
    assert max(table["steer"].to_pylist()) == max(table["throttle"].to_pylist()) == 1.0
    assert set(table["actor"].to_pylist()) == {"human"}
    assert store.manifest(session_id).driver["backend"] == "window"
    server.close()
