"""Keys as a virtual pad: a stick that is halfway becomes presses, a button is held."""

import contextlib
import threading
from collections.abc import Collection, Mapping
from typing import Any, Protocol

from kart_pipeline.core.errors import KartError
from kart_pipeline.core.frame import now_ns
from kart_pipeline.desktop.controllers.pulse import Pulse
from kart_pipeline.desktop.key_layout import ARROWS, KeyLayout
from kart_pipeline.desktop.mapping import PadMapping
from kart_pipeline.desktop.pad import PadState, clamped

TICK_S = 1 / 30  # two frames of a game at 60 frames a second
# A pedal near its ends is noise of whoever drives: tapping keys for it would only slow the kart down.
_STEER, _DRIVE = (0.03, 0.97), (0.15, 0.85)


class KeySender(Protocol):
    """The system's way to press keys, by our names of them; used by one thread at a time.

    Attributes:
        backend: what it is called.
    """

    backend: str

    def down(self) -> Collection[str] | None:
        """The keys of the layout that are down now, whoever pressed them; None where the system does not tell.

        Raises:
            KartError: the keyboard is gone.
        """

    def send(self, key: str, down: bool) -> None:
        """Press it or let it go, at once.

        Raises:
            KartError: the keyboard is gone.
        """

    def close(self) -> None:
        """Release what this holds, but no key; may be called more than once."""


class Keyboard:
    """The keys of a layout, pressed by a program.

    It lets go of those keys only that it has pressed. A key that a person holds already is left to them, and one that
    was let go of by somebody else is pressed again.

    Args:
        layout: which key is which part of the pad.
        sender: of this system; it is closed with the keyboard.
    """

    name = "keyboard"

    def __init__(self, layout: KeyLayout, sender: KeySender) -> None:
        self.layout = layout
        self._sender = sender
        self._state = PadState()
        self._rest()
        self._held: frozenset[str] = frozenset()
        self._error: KartError | None = None
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._pulsing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="pulses of keys", daemon=True)
        self._thread.start()

    @property
    def about(self) -> Mapping[str, Any]:
        """For the manifest."""
        return {"device": "keyboard", "backend": self._sender.backend, "keys": dict(self.layout.keys)}

    @property
    def held(self) -> frozenset[str]:
        """Names of the keys that are down because of this; one that is let go of stays in it until it is up."""
        return self._held

    def apply(self, state: PadState) -> None:
        """Hold buttons and full deflections; what is in between is pulsed until the next call.

        Raises:
            KartError: the keyboard is gone.
        """
        with self._lock:
            if self._error is not None:
                raise self._error
            self._state = state
            self._step()

    def neutral(self) -> None:
        """Let go of every key that this has pressed."""
        with self._lock:
            self._pulsing.clear()
            self._state = PadState()
            self._rest()
            with contextlib.suppress(KartError):  # without a keyboard nothing is held
                self._hold(frozenset())

    def close(self) -> None:
        """The same, and the keyboard is given back."""
        self.neutral()
        with self._lock:  # else a pulse could be about to put the thread to sleep again
            self._closing.set()
            self._pulsing.set()
        self._thread.join()
        self._sender.close()

    def _rest(self) -> None:
        self._steer, self._drive = Pulse(TICK_S, *_STEER), Pulse(TICK_S, *_DRIVE)

    def _run(self) -> None:
        while True:
            self._pulsing.wait()
            if self._closing.wait(TICK_S):
                return
            with self._lock:
                if self._closing.is_set() or not self._pulsing.is_set():  # let go of in the meantime
                    continue
                try:
                    self._step()
                except KartError as error:
                    self._error = error
                    self._pulsing.clear()

    def _step(self) -> None:
        state, t_ns = self._state, now_ns()
        x = self._steer.step(state.value("left_x"), t_ns)
        y = self._drive.step(_drive_on(state), t_ns)
        if self._steer.between or self._drive.between:
            self._pulsing.set()
        else:
            self._pulsing.clear()
        self._hold(_keys(self.layout, x, y, state.buttons))

    def _hold(self, wanted: frozenset[str]) -> None:
        down = self._sender.down()
        if down is not None:
            self._held &= frozenset(down)
        for key in self._held - wanted:
            self._sender.send(key, False)
            self._held -= {key}
        for key in wanted - self._held - frozenset(down or ()):
            self._held |= {key}
            self._sender.send(key, True)


def without_key(mapping: PadMapping, layout: KeyLayout) -> list[str]:
    """The channels of a game that no key of the layout can move, at least to one side."""
    spec = mapping.spec
    full = [(name, value) for name in spec.axes for value in (-1.0, 1.0)] + [(name, True) for name in spec.buttons]

    def reaches(name: str, value: float) -> bool:
        state = mapping.state(spec.action(**{name: value}))
        x, y = (round(number) for number in (state.value("left_x"), _drive_on(state)))
        return bool(_keys(layout, x, y, state.buttons))

    return list(dict.fromkeys(name for name, value in full if not reaches(name, value)))


def _drive_on(state: PadState) -> float:
    """Both that which pitches and that which drives is up and down on a keyboard."""
    return clamped(state.value("left_y") + state.value("right_trigger") - state.value("left_trigger"))


def _keys(layout: KeyLayout, x: int, y: int, buttons: Collection[str]) -> frozenset[str]:
    """The keys for the arrows to the right and up (1), to the left and down (-1) and for buttons."""

    def control(button: str) -> str:  # the d-pad has the arrows, where it has no keys of its own
        arrow = button.removeprefix("dpad_")
        return arrow if arrow in ARROWS and button not in layout.keys else button

    controls = {("left", "", "right")[x + 1], ("down", "", "up")[y + 1], *map(control, buttons)}
    return frozenset(key for control, key in layout.keys.items() if control in controls)
