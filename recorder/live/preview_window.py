"""The window of the preview, in a process of its own: whatever it costs, it does not delay the capture."""

import os
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from kart_pipeline.core.action import Action, ActionSpec
from kart_pipeline.core.frame import RGB
from kart_pipeline.desktop.rect import Rect
from kart_pipeline.driving.instruments import Headline, History, panel
from recorder.live.quiet_window import open_quietly

_NICE = 10  # on a machine that has no time to spare, the game and the recorder come first
_LOOK_S = 0.03
_CHART_S = 8.0

CLICK = "mouse"


@dataclass(frozen=True, slots=True)
class Shown:
    """What the window is told.

    Attributes:
        rgb: the newest frame, uint8 `(H, W, 3)`.
        samples: what was done since the last time: seconds, action, and whether it is aside, see `History.add`.
        headline: above the frame.
        advice: what somebody else would do now.
        sharp: the frame's pixels are to be seen as they are.
    """

    rgb: RGB
    samples: Sequence[tuple[float, Action, bool]]
    headline: Headline
    advice: Action | None = None
    sharp: bool = False


@dataclass(frozen=True, slots=True)
class Pressed:
    """What a person did in the window.

    Attributes:
        key: its name; `CLICK` for one of the mouse.
    """

    key: str


@dataclass(frozen=True, slots=True)
class Opening:
    """How the window opens.

    Attributes:
        title: of the window.
        spec: of the actions to come.
        place: of its inside.
        scale: of the picture in it.
    """

    title: str
    spec: ActionSpec
    place: Rect
    scale: float


def show(told: Connection, opening: Opening) -> None:
    """Show what comes until the other end is closed, or the person closes the window.

    Args:
        told: gives objects of `Shown`; gets the window's place as a `Rect` whenever it changed, None while nothing of
            it is on the screen, a `Pressed`, and a text where it cannot be opened.
        opening: how it opens.
    """
    if hasattr(os, "nice"):
        os.nice(_NICE)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the recorder, which closes its end then
    os.environ["SDL_WINDOW_NO_ACTIVATION_WHEN_SHOWN"] = "1"  # see `open_quietly`
    os.environ["SDL_VIDEO_WINDOW_POS"] = f"{opening.place.left},{opening.place.top}"
    os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
    try:
        import pygame

        pygame.display.init()
        surface = open_quietly(pygame, (opening.place.width, opening.place.height))
    except (ImportError, pygame.error) as error:
        told.send(f"The preview cannot be shown ({error}).")
        return
    pygame.display.set_caption(opening.title)
    try:
        _Loop(pygame, surface, told, opening).run()
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return  # the recording has ended
    finally:
        pygame.display.quit()


class _Loop:
    """Draws, and tells where the window is."""

    def __init__(self, pygame: Any, surface: Any, told: Connection, opening: Opening) -> None:
        self._pygame, self._surface, self._told = pygame, surface, told
        self._history = History(opening.spec, _CHART_S)
        self._place: Rect | None = None

    def run(self) -> None:
        while self._open():
            self._tell()
            newest = None
            if self._told.poll(_LOOK_S):
                newest = self._take()
                while self._told.poll():
                    newest = self._take()
            if newest is not None:
                self._draw(newest)

    def _open(self) -> bool:
        """Whether nobody closed the window; what was pressed in it is told."""
        for event in self._pygame.event.get():
            if event.type == self._pygame.QUIT:
                return False
            if event.type == self._pygame.KEYDOWN:
                self._told.send(Pressed(self._pygame.key.name(event.key)))
            elif event.type == self._pygame.MOUSEBUTTONDOWN:
                self._told.send(Pressed(CLICK))
        return True

    def _take(self) -> Shown:
        shown: Shown = self._told.recv()
        for t_s, action, aside in shown.samples:
            self._history.add(t_s, action, aside=aside)
        return shown

    def _draw(self, shown: Shown) -> None:
        picture = panel(shown.rgb, self._history, shown.headline, advice=shown.advice, sharp=shown.sharp)
        size = picture.shape[1::-1]
        image = self._pygame.image.frombuffer(picture.tobytes(), size, "RGB")
        inside = self._surface.get_size()
        self._surface.blit(image if size == inside else self._pygame.transform.smoothscale(image, inside), (0, 0))
        self._pygame.display.flip()

    def _tell(self) -> None:
        display = self._pygame.display
        place = Rect(*display.get_window_position(), *self._surface.get_size()) if display.get_active() else None
        if place != self._place:
            self._place = place
            self._told.send(place)
