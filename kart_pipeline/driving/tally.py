"""What one drive came to, and the counting that leads there."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from kart_pipeline.core.action import ActionSpec
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.frame import Choice, Frame
from kart_pipeline.driving.clock import Cadence
from kart_pipeline.games.base import OFF_TRACK, PROGRESS


@dataclass(frozen=True, slots=True)
class Drive:
    """One drive from reset to its end.

    Attributes:
        seed: as asked for.
        track: as the game named it.
        steps: actions sent.
        score: in the game's own units.
        progress: share of the race done, 0 to 1; None where the game does not tell.
        ended: the game's own reason, or "step limit" or "stopped".
        off_track: share of steps spent off the road; None where the game does not tell.
        smoothness: mean absolute change of the steering axis (the spec's first mirrored axis) from step to step, lower
            is smoother; None where the spec has no such axis.
        game_seconds: by the frames' timestamps.
        wall_seconds: by the clock on the wall.
        interventions: how often a teacher took the controls.
        cadence: how the loop kept time.
    """

    seed: int | None
    track: str
    steps: int
    score: float
    progress: float | None
    ended: str
    off_track: float | None
    smoothness: float | None
    game_seconds: float
    wall_seconds: float
    interventions: int
    cadence: Cadence

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values; `from_dict` gives an equal drive back."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Drive":
        """Raises KartError where `data` is no drive."""
        try:
            return cls(**{**data, "cadence": Cadence(**data["cadence"])})
        except (KeyError, TypeError) as error:
            raise KartError(f"Not a drive: {error!r} in {data!r}.") from error


class Tally:
    """Counts along a drive: `begin` at the first frame, `count` after every step."""

    def __init__(self, spec: ActionSpec) -> None:
        self._steer = spec.axes.index(spec.mirrored_axes[0]) if spec.mirrored_axes else None

    def begin(self, frame: Frame) -> None:
        """Start at `frame`."""
        self._first = self._last = frame
        self._before: Choice | None = None
        self.steps = 0
        self._turned = 0.0
        self._off_track = 0
        self._interventions = 0

    def count(self, choice: Choice, frame: Frame) -> None:
        """One more step: `choice` was made, and led to `frame`."""
        self.steps += 1
        before, self._before, self._last = self._before, choice, frame
        if before is not None and self._steer is not None:
            self._turned += abs(choice.action.axes[self._steer] - before.action.axes[self._steer])
        self._off_track += frame.state.get(OFF_TRACK, 0.0) > 0
        self._interventions += choice.intervention and not (before is not None and before.intervention)

    def drive(self, *, seed: int | None, track: str, score: float, ended: str, wall: float, cadence: Cadence) -> Drive:
        """The sum of it."""
        told = OFF_TRACK in self._last.state
        return Drive(
            seed=seed,
            track=track,
            steps=self.steps,
            score=float(score),
            progress=self._last.state.get(PROGRESS),
            ended=ended,
            off_track=self._off_track / max(1, self.steps) if told else None,
            smoothness=None if self._steer is None else self._turned / max(1, self.steps - 1),
            game_seconds=(self._last.t_ns - self._first.t_ns) / 1e9,
            wall_seconds=wall,
            interventions=self._interventions,
            cadence=cadence,
        )
