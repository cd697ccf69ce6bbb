"""The preview, seen from the recording: what it is told, and that it never gets into the picture."""

from collections.abc import Callable, Sequence

from kart_pipeline.core.action import ActionSpec
from kart_pipeline.core.frame import RGB, Step
from kart_pipeline.desktop.rect import Rect
from kart_pipeline.driving.instruments import Headline, panel_size
from recorder.live.preview_feed import PreviewFeed, small
from recorder.live.preview_window import Shown
from recorder.live.view import clock
from recorder.screen.recording import ScreenRecording

PREVIEW = "preview"  # the reason to hold while it is in the way
_UNNOTICED_S = 1.0  # more than passes between a move of the window and our hearing of it
_IN_THE_WAY = "the preview lies over what is recorded"


class Preview(PreviewFeed):
    """The observer that shows frames and hands in a window of another process; a context manager.

    While the window lies over what is recorded, recording is held: it would be in the frames.

    Args:
        recording: that is shown.
        spec: of the actions to come.
        title: what is recorded.
        recorded: where on the desktop; it may move.
        monitors: of the desktop.
        frame: width and height of the frames.
        say: tells the person.

    Raises:
        KartError: there is no room beside what is recorded.
    """

    closed = "The preview was closed; recording goes on."

    def __init__(
        self,
        recording: ScreenRecording,
        spec: ActionSpec,
        title: str,
        recorded: Callable[[], Rect | None],
        monitors: Sequence[Rect],
        frame: tuple[int, int],
        say: Callable[[str], None],
    ) -> None:
        super().__init__(f"Preview: {title}", spec, recorded, monitors, panel_size(frame), say)
        self._recording, self._title = recording, title
        self._rgb: RGB | None = None

    def on_step(self, step: Step) -> None:
        """Note the step; takes microseconds."""
        self._sample(step.choice.action, aside=bool(self._recording.holds))
        self._rgb = step.frame.rgb

    def _no_room(self) -> str:
        return (
            "The preview would lie over what is recorded, for there is no room beside that: record a window or a "
            "region, or use a second monitor."
        )

    def _shown(self) -> Shown | None:
        rgb, self._rgb = self._rgb, None
        return None if rgb is None else Shown(small(rgb), self._news(), self._headline())

    def _covers(self, covers: bool) -> None:
        if covers and PREVIEW not in self._recording.holds:
            self._recording.hold(PREVIEW, _IN_THE_WAY)
            self._recording.drop_last(_UNNOTICED_S)
            self._say(f"Paused: {_IN_THE_WAY}. Move it away. The last {_UNNOTICED_S:g} s are cut: it may be in them.")
        elif not covers and PREVIEW in self._recording.holds:
            self._recording.release(PREVIEW)
            self._say("The preview is out of the way.")

    def _pressed(self, key: str) -> None:
        """Nothing is to be done in it."""

    def _headline(self) -> Headline:
        recording = self._recording
        laps = f"{recording.laps} lap{'s' * (recording.laps != 1)}   " if recording.laps else ""
        why = recording.why
        return Headline(
            text=f"{why or 'recording'}   {clock(recording.seconds)}",
            lit=not why,
            right=laps + self._title,
            alarm=f"{_IN_THE_WAY}: move it away" if PREVIEW in recording.holds else "",
        )
