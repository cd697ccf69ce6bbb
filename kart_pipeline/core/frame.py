"""One observation of a game, and one step of a drive."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from kart_pipeline.core.action import Action
from kart_pipeline.core.errors import KartError

RGB = npt.NDArray[np.uint8]

# The clock of frames and of what hands do. Windows' `monotonic_ns` has steps of 16 ms.
now_ns = time.perf_counter_ns


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """What a driver sees at one moment.

    Attributes:
        rgb: uint8 `(H, W, 3)`.
        t_ns: when the picture was made, in ns of a monotonic clock; the game's own clock where it is simulated.
        state: what the game itself tells, by name (progress, speed, lap …); empty for a mere screen.
    """

    rgb: RGB
    t_ns: int
    state: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.rgb.dtype != np.uint8 or self.rgb.ndim != 3 or self.rgb.shape[2] != 3 or 0 in self.rgb.shape:
            raise KartError(f"A frame is uint8 (height, width, 3); got {self.rgb.dtype} {self.rgb.shape}.")


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """What a driver decided on seeing a frame.

    Attributes:
        action: what is sent to the game.
        actor: who chose it: "human", "expert", "policy" …
        label: what a teacher says is right here, to learn from; None where nobody taught. A person's own action is
            its own label; a policy's never is.
        intervention: a teacher took the controls from a policy in this step.
        by_hand: the channels that a person moves in this step; what they do may reach the game by itself.
    """

    action: Action
    actor: str
    label: Action | None = None
    intervention: bool = False
    by_hand: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """A frame and what was done about it; `index` counts ticks of the loop, so a gap in it is a dropped frame."""

    index: int
    frame: Frame
    choice: Choice
