"""What a person wants to see of a drive while it goes on, in one object: for terminal, window and overlay."""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kart_pipeline.core.action import Action
from kart_pipeline.core.frame import RGB, Step, now_ns
from kart_pipeline.desktop.controllers.guarded import Guarded
from kart_pipeline.driving.drivers import POLICY
from kart_pipeline.driving.takeover import Shadow, Takeover
from kart_pipeline.driving.unstick import RECOVERY
from kart_pipeline.driving.watchdog import Watchdog
from kart_pipeline.games.desktop import DesktopGame
from player.live.recording import DriveRecording
from player.picture.video import Film
from player.policy import Policy
from player.stages import LATENCY, Stages

_WINDOW_S = 10.0  # of the rate and the percentiles that are shown live
_MOST = 1000  # steps of it


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """A drive at one moment.

    Attributes:
        step: the last one; None before the first.
        seconds: since the first step.
        hz, target_hz: steps per second in the last seconds, 0 before the second step; and as they should be.
        actor: who chose the last action: policy, human, assisted, recovery, watchdog.
        action: that was sent; None before the first step.
        advice: what the model would have done; None before the first step.
        taken: a person has the controls.
        reason: why nothing is sent now, as half a sentence; None while all is well.
        seen: the network's own input, in colours for people, uint8 `(h, w, 3)`; None before the first step.
        takeovers, recoveries, late: how often a person took over, a stuck kart was backed out, and the controls were
            let go of because the next action came too late.
        let_go: how often the watchdog let go of the controls.
        autonomy: share of the steps that the model alone decided.
        kept: steps that are recorded; None where nothing is to be.
        filmed, unfilmed: frames in the film, and those that were left out because encoding did not keep up.
        stages: by stage of a step, its percentiles over the last seconds, see `Stages.summary`; `LATENCY` is one.
    """

    step: Step | None
    seconds: float
    hz: float
    target_hz: float
    actor: str
    action: Action | None
    advice: Action | None
    taken: bool
    reason: str | None
    seen: RGB | None
    takeovers: int
    recoveries: int
    late: int
    let_go: int
    autonomy: float
    kept: int | None
    filmed: int
    unfilmed: int
    stages: Mapping[str, Mapping[str, Any]]


@dataclass(slots=True)
class Cockpit:
    """The observer that comes first, for it times how long the picture took to become a command.

    `snapshot` may be called from any thread; it takes a millisecond, so not at every step.

    Attributes:
        game, policy, driver, watchdog, controller: the parts of the drive; None where one is missing.
        stages: gets the latency, and holds what the others measured.
        recording, film: of the drive.
    """

    game: DesktopGame
    policy: Policy
    driver: Takeover | Shadow | None
    watchdog: Watchdog
    controller: Guarded | None
    stages: Stages
    recording: DriveRecording | None = field(default=None, init=False)
    film: Film | None = field(default=None, init=False)
    last: Step | None = field(default=None, init=False)
    takeovers: int = field(default=0, init=False)
    recoveries: int = field(default=0, init=False)
    steps: int = field(default=0, init=False)
    _alone: int = field(default=0, init=False)
    _first_ns: int = field(default=0, init=False)
    _times: deque[int] = field(default_factory=lambda: deque(maxlen=_MOST), init=False)

    def on_step(self, step: Step) -> None:
        """A step was sent just now."""
        if self.game.hidden is None:
            self.stages.add(LATENCY, now_ns() - step.frame.t_ns)
        before, choice = self.last, step.choice
        self._first_ns = step.frame.t_ns if before is None else self._first_ns
        self.takeovers += choice.intervention and not (before is not None and before.choice.intervention)
        self.recoveries += choice.actor == RECOVERY and not (before is not None and before.choice.actor == RECOVERY)
        self._alone += choice.actor == POLICY
        self.steps += 1
        self._times.append(step.frame.t_ns)
        self.last = step

    @property
    def late(self) -> int:
        """How often the controls were let go of because the next action came too late."""
        return 0 if self.controller is None else self.controller.times_late

    @property
    def reason(self) -> str | None:
        """Why nothing is sent now."""
        return self.game.obstacle or self.watchdog.reason

    @property
    def advice(self) -> Action | None:
        """What the model would have done in the last step."""
        if self.driver is not None:
            return self.driver.advice
        return None if self.last is None else self.last.choice.action

    def snapshot(self) -> Snapshot:
        """How things stand."""
        step, driver = self.last, self.driver
        seconds = 0.0 if step is None else (step.frame.t_ns - self._first_ns) / 1e9
        action = None if step is None else step.choice.action
        return Snapshot(
            step=step,
            seconds=seconds,
            hz=_rate([*self._times]),
            target_hz=self.game.rate_hz,
            actor="" if step is None else step.choice.actor,
            action=action,
            advice=self.advice,
            taken=driver is not None and driver.taken,
            reason=self.reason,
            seen=self.policy.seen,
            takeovers=self.takeovers,
            recoveries=self.recoveries,
            late=self.late,
            let_go=sum(self.watchdog.times.values()),
            autonomy=self._alone / max(1, self.steps),
            kept=None if self.recording is None else self.recording.kept,
            filmed=0 if self.film is None else self.film.frames,
            unfilmed=0 if self.film is None else self.film.dropped,
            stages=self.stages.summary(last=round(_WINDOW_S * self.game.rate_hz)),
        )


def _rate(times_ns: Sequence[int]) -> float:
    """Steps per second of the last seconds."""
    if not times_ns:
        return 0.0
    recent = [t_ns for t_ns in times_ns if times_ns[-1] - t_ns <= _WINDOW_S * 1e9]
    passed = recent[-1] - recent[0]
    return (len(recent) - 1) / passed * 1e9 if passed else 0.0
