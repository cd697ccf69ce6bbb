"""The games behind the stand-in: one that shows what was pressed, and CarRacing. Each step is an emulated frame."""

import io
import struct
from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from PIL import Image

from kart_pipeline.core.frame import RGB

Held = Mapping[str, int | bool]
STICK = 80  # what a real stick reaches


class World(Protocol):
    """A game in a console."""

    def step(self, held: Held) -> None:
        """One frame with the pad held so."""

    def picture(self) -> RGB:
        """The frame that was drawn last."""

    def memory(self) -> bytes:
        """The console's memory, big endian."""

    def save(self) -> Any:
        """The state, to come back to."""

    def load(self, state: Any) -> None:
        """Go back to a state."""


class Counter:
    """Counts frames and moves along as long as A is held; the picture is of 40x30 and shows all of it.

    Memory: 0 u32 frames, 4 f32 way, 8 s16 the X axis, 10 u8 A.
    """

    def __init__(self) -> None:
        self.frames, self.way, self.x, self.a = 0, 0.0, 0, False

    def step(self, held: Held) -> None:
        """See `World`."""
        self.frames += 1
        self.x, self.a = int(held["P1 X Axis"]), bool(held["P1 A"])
        self.way += self.a * (1 - abs(self.x) / 256)

    def picture(self) -> RGB:
        """Red is the number of the frame, green the X axis + 128, blue A."""
        rgb = np.empty((30, 40, 3), np.uint8)
        rgb[:] = self.frames % 256, self.x + 128, 255 * self.a
        return rgb

    def memory(self) -> bytes:
        """See `World`."""
        return struct.pack(">IfhB", self.frames, self.way, self.x, self.a)

    def save(self) -> Any:
        """See `World`."""
        return self.frames, self.way, self.x, self.a

    def load(self, state: Any) -> None:
        """See `World`."""
        self.frames, self.way, self.x, self.a = state


class Grain(Counter):
    """The same behind a picture of 320x240 whose PNG has 100 kB, as one of Mario Kart 64."""

    def __init__(self) -> None:
        super().__init__()
        smooth = np.linspace(0, 255, 320, dtype=np.uint8)
        self._grain = np.repeat(np.broadcast_to(smooth, (240, 320))[..., None], 3, axis=2).copy()
        self._grain[::2] += np.random.default_rng(0).integers(0, 200, (120, 320, 3), dtype=np.uint8)

    def picture(self) -> RGB:
        """See `World`; no two frames alike."""
        return np.roll(self._grain, self.frames, axis=1)


class Car:
    """CarRacing on an N64's pad: X steers, A is gas, B brakes. Where its drive has ended it stands still.

    Memory: 0 f32 share of the lap, 4 f32 speed, 8 u8 off the track.
    """

    def __init__(self, seed: int = 0) -> None:
        from kart_pipeline.games.car_racing import CarRacing

        self.game = CarRacing()
        self.game.reset(seed)
        self.game.hurry(True)
        self.told = self.game.advance(self.game.spec.neutral(), 1)

    def step(self, held: Held) -> None:
        """See `World`."""
        if self.game.ended:
            return
        throttle = 0.5 * bool(held["P1 A"]) - bool(held["P1 B"])
        steer = max(-1.0, min(1.0, int(held["P1 X Axis"]) / STICK))
        action = self.game.spec.action(steer=steer, throttle=0.1 if throttle > 0 else throttle)
        self.told = self.game.advance(action, 1)

    def picture(self) -> RGB:
        """See `World`."""
        self.game.hurry(False)  # a step that draws takes thirty times as long, so that only this does
        rgb: RGB = self.game._env.unwrapped._render("state_pixels")
        self.game.hurry(True)
        return rgb

    def memory(self) -> bytes:
        """See `World`."""
        return struct.pack(">ffB", self.told["progress"], self.told["speed"], int(self.told["off_track"]))

    def save(self) -> Any:
        """See `World`."""
        return self.game.save(), self.told

    def load(self, state: Any) -> None:
        """See `World`."""
        self.game.load(state[0])
        self.told = state[1]


WORLDS = {"counter": Counter, "grain": Grain, "car": Car}


def png(rgb: RGB) -> bytes:
    """As BizHawk encodes the core's picture."""
    file = io.BytesIO()
    Image.fromarray(rgb).save(file, "PNG", compress_level=1)
    return file.getvalue()
