"""A home of its own for each test, a small world with an expert, and TensorKart folders made to order."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pygame
import pytest
from PIL import Image

from kart_pipeline.core.action import Action, ActionSpec
from kart_pipeline.core.frame import Frame
from kart_pipeline.core.store import Store
from kart_pipeline.games.base import FINISHED, Autopilot, Game
from recorder.__main__ import main
from recorder.window import Window

SPEC = ActionSpec(axes=("steer", "throttle"), buttons=("A",), mirrored_axes=("steer",))


class Road(Game):
    """A straight road of 100 steps at 50 steps a second, on which every action is remembered."""

    name = "road"
    spec = SPEC
    rate_hz = 50.0
    simulated = True

    def __init__(self, length: int = 100) -> None:
        self.length = length
        self.sent: list[Action] = []

    def reset(self, seed: int | None = None) -> Frame:
        self.track = self.group = f"seed-{seed}"
        self.ended, self.score, self.at = None, 0.0, 0
        self.sent.clear()
        return self.frame()

    def send(self, action: Action) -> None:
        self.sent.append(action)

    def next_frame(self) -> Frame:
        self.at += 1
        self.score += 1.0
        if self.at == self.length:
            self.ended = FINISHED
        return self.frame()

    def frame(self) -> Frame:
        rgb = np.full((12, 16, 3), self.at % 256, np.uint8)
        return Frame(rgb, self.at * 20_000_000, {"progress": self.at / self.length})

    def neutral(self) -> None:
        self.sent.append(SPEC.neutral())

    def close(self) -> None:
        pass

    def cruise(self) -> Action:
        return SPEC.action(throttle=0.5)

    def expert(self) -> Autopilot:
        return Straight()


class Straight:
    """Full throttle, hands off the wheel."""

    def reset(self) -> None:
        pass

    def action(self, _: Frame) -> Action:
        return SPEC.action(throttle=1.0)


@pytest.fixture
def road() -> Road:
    return Road()


@pytest.fixture
def store(home: Path) -> Store:
    return Store(home / "sessions")


Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(home: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """The command line in this process: exit status, stdout, stderr."""

    def call(*argv: str | Path) -> tuple[int, str, str]:
        capsys.readouterr()
        status = main([str(part) for part in argv])
        return status, *capsys.readouterr()

    return call


Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(home: Path, tmp_path: Path) -> Iterator[Start]:
    """The command line as a process of its own, in a process group of its own as a terminal would have it."""
    begun: list[subprocess.Popen[str]] = []

    def call(*argv: str | Path) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "recorder", *map(str, argv)]
        process = subprocess.Popen(
            command,
            cwd=Path(__file__).parents[2],
            env=dict(os.environ),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        begun.append(process)
        return process

    yield call
    for process in begun:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MB, where this machine lets us mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount") if sys.platform == "linux" else None
    if not mount or subprocess.run([mount, "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], check=False).returncode:
        pytest.skip("a small disk can only be mounted by root on Linux")
    try:
        yield folder
    finally:
        subprocess.run([str(shutil.which("umount")), folder], check=True)


MakeLap = Callable[..., Path]


@pytest.fixture
def make_lap(tmp_path: Path) -> MakeLap:
    """A folder as TensorKart leaves it, with pictures of 16x12."""

    def make(
        name: str = "2021-10-11-1",
        labels: Sequence[Sequence[float]] = ((0.0, 0.0, 1, 0, 0), (-0.5, 0.25, 1, 0, 1), (1.0, -1.0, 0, 1, 0)),
        *,
        prefix: str | None = None,
        suffix: str = "png",
        pictures: bool = True,
    ) -> Path:
        folder = tmp_path / "laps" / name
        folder.mkdir(parents=True)
        lines = []
        for i, row in enumerate(labels):
            if pictures:
                rgb = np.random.default_rng(i).integers(0, 256, (12, 16, 3), np.uint8)
                Image.fromarray(rgb).save(folder / f"img_{i}.{suffix}")
            lines.append(f"{prefix or f'samples/{name}/'}img_{i}.{suffix}," + ",".join(map(str, row)))
        (folder / "data.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
        return folder

    return make


@pytest.fixture
def window(home: Path) -> Iterator[Window]:
    """A window on SDL's dummy screen, which takes events like any other."""
    with Window("test") as opened:
        pygame.event.clear()
        yield opened
