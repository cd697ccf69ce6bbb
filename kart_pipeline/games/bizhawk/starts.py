"""Where drives begin in an emulated game: save states, each with a beginning that a seed chooses."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kart_pipeline.core.errors import KartError

LONGEST_WAIT_S = 0.5
LONGEST_PUSH_S = 1.0
HARDEST = 0.5  # of the wheel's way


@dataclass(frozen=True, slots=True)
class Start:
    """How one drive begins.

    An emulator does the same again where the same is done: begun alike, all drives from one state would be one drive.

    Attributes:
        state: file of the save state; None begins where the game is.
        wait_s: how long nothing is pressed at first, in seconds of game time.
        steer: where the wheel is then, while the gas is held.
        push_s: for how long.
    """

    state: Path | None
    wait_s: float = 0.0
    steer: float = 0.0
    push_s: float = 0.0

    @property
    def course(self) -> str:
        """What the save state is called, as a valid id, for games that do not tell their course; "" without one."""
        return re.sub(r"[^0-9A-Za-z]+", "-", self.state.stem).strip("-")[:64] if self.state is not None else ""


class Starts:
    """The beginnings of all drives.

    Args:
        states: files of save states, one a course; none begins wherever the game is.
        disturbed: whether the first second and a half go as the seed says; else each state has a single drive.

    Raises:
        KartError: a file is not there.
    """

    def __init__(self, states: Sequence[Path] = (), *, disturbed: bool = True) -> None:
        for state in states:
            if not state.is_file():
                raise KartError(
                    f"There is no save state {state}. Make one in BizHawk with File, Save State, Save Named State, "
                    "where a race is under way, and name that file."
                )
        self._states = tuple(state.absolute() for state in states)
        self._disturbed = disturbed

    @property
    def named(self) -> bool:
        """Whether there are save states."""
        return bool(self._states)

    def start(self, seed: int) -> Start:
        """The same seed begins in the same way; seeds in a row take the states in turn."""
        state = self._states[seed % len(self._states)] if self._states else None
        if not self._disturbed:
            return Start(state)
        random = np.random.default_rng(seed)
        return Start(
            state,
            wait_s=float(random.uniform(0, LONGEST_WAIT_S)),
            steer=float(random.uniform(-HARDEST, HARDEST)),
            push_s=float(random.uniform(0, LONGEST_PUSH_S)),
        )


def state_files(text: str) -> list[Path]:
    """Files from what a person types: one, or several with commas between; an empty text names none.

    Raises:
        KartError: one is named twice.
    """
    paths = [Path(part.strip()).expanduser() for part in text.split(",") if part.strip()]
    if len(set(paths)) != len(paths):
        raise KartError(f"The save states {text} name one twice.")
    return paths
