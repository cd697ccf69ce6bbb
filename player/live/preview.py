"""The preview of a drive: what the network sees, what is done with it and by whom, in a window beside the game."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kart_pipeline.core.frame import RGB, Step
from kart_pipeline.desktop.rect import Rect
from kart_pipeline.driving.instruments import Headline, panel_size
from kart_pipeline.learning.saliency import lit
from player.live.cockpit import Cockpit, Snapshot
from player.live.saliency import Saliency
from player.live.who import who
from player.stages import LATENCY
from recorder.live.preview_feed import PreviewFeed, small
from recorder.live.preview_window import CLICK, Shown
from recorder.live.view import clock

COVERED = "the preview lies over what the model sees"
_EXPLAINS = ("s", CLICK)
_FIGURES_S = 0.25  # percentiles of ten seconds cost a millisecond


@dataclass(slots=True)
class Cover:
    """Whether a window of ours lies over the game: what it shows would be taken for the road.

    Attributes:
        reason: why nothing is to be sent and kept now; None while all is well.
    """

    reason: str | None = None


class DrivePreview(PreviewFeed):
    """The observer that shows a drive in a window of another process; a context manager.

    Args:
        cockpit: of the drive.
        cover: is told when the window lies over the game.
        saliency: tells what the network looks at, while that is wished for.
        seen: where on the desktop the game is; it may move.
        monitors: of the desktop.
        say: tells the person.

    Raises:
        KartError: there is no room beside the game.
    """

    closed = "The preview was closed; the drive goes on."

    def __init__(
        self,
        cockpit: Cockpit,
        cover: Cover,
        saliency: Saliency,
        seen: Callable[[], Rect | None],
        monitors: Sequence[Rect],
        say: Callable[[str], None],
    ) -> None:
        contract = cockpit.policy.contract
        size = panel_size((contract.width, contract.height), note=True)
        super().__init__(
            f"Preview: {cockpit.game.name} {cockpit.policy.name}", contract.spec, seen, monitors, size, say
        )
        self._cockpit, self._cover, self._saliency = cockpit, cover, saliency
        self._told_step: Step | None = None
        self._figures: Snapshot | None = None
        self._figures_s = 0.0

    def on_step(self, step: Step) -> None:
        """Note the step; takes microseconds."""
        self._sample(step.choice.action, aside=step.choice.intervention)

    def _no_room(self) -> str:
        return (
            "The preview would lie over what the model sees, for there is no room beside that: make the game's window "
            "smaller, or use a second monitor."
        )

    def _covers(self, covers: bool) -> None:
        self._cover.reason = COVERED if covers else None

    def _pressed(self, key: str) -> None:
        if key in _EXPLAINS:
            self._saliency.toggle()

    def _shown(self) -> Shown | None:
        cockpit = self._cockpit
        step, seen = cockpit.last, cockpit.policy.seen
        if step is None or seen is None or step is self._told_step:
            return None
        self._told_step = step
        now = self._snapshot()
        advice = None if cockpit.advice == step.choice.action else cockpit.advice
        return Shown(small(self._explained(seen)), self._news(), self._headline(now, step), advice, sharp=True)

    def _snapshot(self) -> Snapshot:
        if self._figures is None or time.monotonic() - self._figures_s > _FIGURES_S:
            self._figures, self._figures_s = self._cockpit.snapshot(), time.monotonic()
        return self._figures

    def _explained(self, seen: RGB) -> RGB:
        """The network's input, or what of it matters most to the steering."""
        if (newest := self._cockpit.policy.newest) is not None:
            self._saliency.ask(newest)
        strength = self._saliency.strength
        return seen if strength is None else lit(seen, strength)

    def _headline(self, now: Snapshot, step: Step) -> Headline:
        reason = self._cockpit.reason
        text, colour = who(step.choice.actor, reason)
        latency = now.stages.get(LATENCY)
        figures = (
            "" if latency is None else " / ".join(f"{latency[f'{name}_ms']:.1f}" for name in ("p50", "p95", "p99"))
        )
        notes = [
            f"capture to command {figures} ms" if figures else "",
            f"{now.autonomy:.0%} by itself",
            f"{now.takeovers} takeover{'s' * (now.takeovers != 1)}",
            self._saliency.state,
        ]
        return Headline(
            text=f"{text}   {clock(now.seconds)}",
            lit=reason is None,
            right=f"{now.hz:.1f} Hz",
            alarm=f"{COVERED}: move it away" if self._cover.reason else "",
            lamp=colour,
            note="   ".join(note for note in notes if note),
        )
