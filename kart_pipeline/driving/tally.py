"""What one drive came to, and the counting that leads there."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from kart_pipeline.core.action import ActionSpec
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.frame import Choice, Frame
from kart_pipeline.driving.clock import Cadence
from kart_pipeline.driving.drivers import POLICY
from kart_pipeline.driving.trace import direction
from kart_pipeline.driving.unstick import RECOVERY
from kart_pipeline.games.base import COLLISION, FINISHED, LAP, OFF_TRACK, PROGRESS

STUCK_NS = 5_000_000_000  # game time without progress after which a drive counts as stuck


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
        smoothness: mean absolute change of the steering from step to step, lower is smoother: of the spec's first
            mirrored axis, or of its first pair of mirrored buttons as -1, 0 and 1; None where it has neither.
        game_seconds: by the frames' timestamps.
        wall_seconds: by the clock on the wall.
        interventions: how often a teacher took the controls.
        cadence: how the loop kept time.
        lap_times: game seconds of each lap that was completed; None where the game counts no laps.
        collisions: how often something was touched anew; None where the game does not tell.
        stuck: how often progress did not grow for 5 s of game time; None where the game tells no progress.
        standstill: longest stretch of game time without progress, in seconds; None likewise.
        standstill_at: the progress at which that was; None likewise.
        recoveries: how often the kart was backed out of where it was stuck.
        autonomy: share of steps that a policy alone decided, without a person, a teacher at the controls or a way out
            of being stuck; None where none did.
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
    # Scorecards that were kept before these were counted read as if the game had not told.
    lap_times: tuple[float, ...] | None = None
    collisions: int | None = None
    stuck: int | None = None
    standstill: float | None = None
    standstill_at: float | None = None
    recoveries: int = 0
    autonomy: float | None = None

    @property
    def finish_s(self) -> float | None:
        """Game seconds until the goal was reached; None where it was not (DNF)."""
        return self.game_seconds if self.ended == FINISHED else None

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values; `from_dict` gives an equal drive back."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Drive":
        """Raises KartError where `data` is no drive."""
        try:
            laps = data.get("lap_times")
            return cls(
                **{
                    **data,
                    "cadence": Cadence(**data["cadence"]),
                    "lap_times": None if laps is None else tuple(laps),
                }
            )
        except (AttributeError, KeyError, TypeError) as error:
            raise KartError(f"Not a drive: {error!r} in {data!r}.") from error


class Tally:
    """Counts along a drive: `begin` at the first frame, `count` after every step."""

    def __init__(self, spec: ActionSpec) -> None:
        self._steers = bool(spec.mirrored_axes or spec.mirrored_buttons)

    def begin(self, frame: Frame) -> None:
        """Start at `frame`."""
        self._first = self._last = frame
        self._before: Choice | None = None
        self.steps = 0
        self._turned = self._steer = 0.0
        self._off_track = 0
        self._interventions = 0
        self._collisions = 0
        self._recoveries = 0
        self._autonomous = 0
        self._laps = _Laps(frame)
        self._standstill = _Standstill(frame)

    def count(self, choice: Choice, frame: Frame) -> None:
        """One more step: `choice` was made, and led to `frame`."""
        self.steps += 1
        before, self._before = self._before, choice
        last, self._last = self._last, frame
        if self._steers:
            steer, self._steer = self._steer, direction(choice.action)
            self._turned += abs(self._steer - steer) if before is not None else 0.0
        self._off_track += frame.state.get(OFF_TRACK, 0.0) > 0
        self._collisions += frame.state.get(COLLISION, 0.0) > 0 >= last.state.get(COLLISION, 0.0)
        self._laps.count(frame)
        self._standstill.count(frame)
        self._interventions += choice.intervention and not (before is not None and before.intervention)
        self._recoveries += choice.actor == RECOVERY and not (before is not None and before.actor == RECOVERY)
        self._autonomous += choice.actor == POLICY

    def drive(self, *, seed: int | None, track: str, score: float, ended: str, wall: float, cadence: Cadence) -> Drive:
        """The sum of it."""
        told = self._last.state
        still = self._standstill if PROGRESS in told else None
        return Drive(
            seed=seed,
            track=track,
            steps=self.steps,
            score=float(score),
            progress=told.get(PROGRESS),
            ended=ended,
            off_track=self._off_track / max(1, self.steps) if OFF_TRACK in told else None,
            smoothness=self._turned / max(1, self.steps - 1) if self._steers else None,
            game_seconds=(self._last.t_ns - self._first.t_ns) / 1e9,
            wall_seconds=wall,
            interventions=self._interventions,
            cadence=cadence,
            lap_times=tuple(self._laps.seconds) if LAP in told else None,
            collisions=self._collisions if COLLISION in told else None,
            stuck=still.times if still else None,
            standstill=still.longest_ns / 1e9 if still else None,
            standstill_at=still.longest_at if still else None,
            recoveries=self._recoveries,
            autonomy=self._autonomous / self.steps if self._autonomous else None,
        )


class _Laps:
    """Times each lap from the line, or from the start of the drive, to the line."""

    def __init__(self, frame: Frame) -> None:
        self.seconds: list[float] = []
        self._done = frame.state.get(LAP, 0.0)
        self._since = frame.t_ns

    def count(self, frame: Frame) -> None:
        done = frame.state.get(LAP, 0.0)
        if done > self._done:  # a game that takes a lap back does not give it twice
            self.seconds.append((frame.t_ns - self._since) / 1e9)
            self._done, self._since = done, frame.t_ns


class _Standstill:
    """Watches how long progress does not grow beyond its highest value so far."""

    def __init__(self, frame: Frame) -> None:
        self.times = 0
        self.longest_ns = 0
        self.longest_at = self._best = frame.state.get(PROGRESS, 0.0)
        self._since = frame.t_ns
        self._counted = False

    def count(self, frame: Frame) -> None:
        still = frame.t_ns - self._since
        if still > self.longest_ns:
            self.longest_ns, self.longest_at = still, self._best
        if still >= STUCK_NS and not self._counted:
            self.times, self._counted = self.times + 1, True
        progress = frame.state.get(PROGRESS, 0.0)
        if progress > self._best:
            self._best, self._since, self._counted = progress, frame.t_ns, False
