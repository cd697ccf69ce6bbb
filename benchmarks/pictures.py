"""Sessions to measure with: the game's own pictures at the sizes and codecs that people record."""

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from kart_pipeline.core.frame import RGB, Step
from kart_pipeline.core.manifest import Codec, SessionHeader
from kart_pipeline.core.session import Session
from kart_pipeline.core.store import Store
from kart_pipeline.driving.drivers import Expert
from kart_pipeline.driving.loop import drive
from kart_pipeline.games.base import Game
from kart_pipeline.games.registry import make_game


class _Album:
    """An observer that keeps every step, and every tenth picture as a spectator sees it."""

    def __init__(self, game: Game) -> None:
        self.steps: list[Step] = []
        self.large: list[RGB] = []
        self._game = game

    def on_step(self, step: Step) -> None:
        self.steps.append(step)
        picture = self._game.picture() if step.index % 10 == 0 else None
        if picture is not None:
            self.large.append(picture)


def sessions(folder: Path, count: int = 700) -> Iterator[tuple[str, Session]]:
    """Name and session of `count` frames each: CarRacing at 96x96, and its large picture as a screen would be."""
    os.environ.setdefault("SDL_VIDEODRIVER", "dummy")
    with make_game("car_racing") as game:
        album = _Album(game)
        drive(game, Expert(game.expert()), observers=[album], seed=0, max_steps=count)
    yield "96x96 PNG", _write(folder, "own", "png", album.steps, [step.frame.rgb for step in album.steps])
    for codec, size in (("jpeg", (320, 240)), ("png", (640, 480)), ("jpeg", (640, 480))):
        large = [np.asarray(Image.fromarray(rgb).resize(size)) for rgb in album.large]
        frames = [large[i % len(large)] for i in range(count)]
        name = f"{size[0]}x{size[1]} {codec.upper()}"
        yield name, _write(folder, f"{codec}{size[1]}", "jpeg" if codec == "jpeg" else "png", album.steps, frames)


def _write(folder: Path, session_id: str, codec: Codec, steps: list[Step], frames: list[RGB]) -> Session:
    store = Store(folder)
    spec = steps[0].choice.action.spec
    header = SessionHeader(id=session_id, game="car_racing", rate_hz=50, spec=spec, codec=codec)
    with store.create(header) as writer:
        for step, rgb in zip(steps, frames, strict=False):
            frame = type(step.frame)(rgb, step.frame.t_ns, step.frame.state)
            writer.append(Step(step.index, frame, step.choice))
    return store.open(session_id)
