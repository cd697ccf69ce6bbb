"""A region of the screen, drawn with the mouse over a picture of it."""

import os
from typing import Any

import numpy as np

from kart_pipeline.core.errors import KartError
from kart_pipeline.desktop.pixels import Pixels
from kart_pipeline.desktop.rect import Rect

_TICK_MS = 15
_DIM = 110  # of 255, of what is not in the region
_HELP = "Draw the region with the mouse, then press Enter; Escape gives up."


def draw_region() -> Rect:
    """Ask for a region of the first monitor.

    Raises:
        KartError: there is no screen, pygame is not installed, or the person gave up.
    """
    with Pixels() as pixels:
        monitor = pixels.monitors[0]
        picture = np.ascontiguousarray(pixels.grab(monitor)[..., 2::-1])
    os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
    try:
        import pygame
    except ImportError as error:
        raise KartError(
            f"Drawing a region needs pygame-ce ({error}): pip install 'kart-pipeline[recorder]'."
        ) from error
    try:
        pygame.display.init()
        pygame.font.init()
        if pygame.display.get_driver() in ("dummy", "offscreen"):
            raise KartError(
                "A region cannot be drawn without a screen; unset SDL_VIDEODRIVER, or use --region x,y,w,h."
            )
        screen = pygame.display.set_mode((monitor.width, monitor.height), pygame.NOFRAME)
        pygame.display.set_caption(_HELP)
        shot = pygame.image.frombuffer(picture.tobytes(), (monitor.width, monitor.height), "RGB")
        drawn = _Drawing(pygame, screen, shot).run()
    except pygame.error as error:
        raise KartError(f"The window to draw in cannot be opened ({error}); use --region x,y,w,h.") from error
    finally:
        pygame.display.quit()
    region = Rect(monitor.left + drawn.left, monitor.top + drawn.top, drawn.width, drawn.height)
    return Rect.parse(str(region))


class _Drawing:
    """The rectangle between where the mouse was pressed and where it is, or was let go."""

    def __init__(self, pygame: Any, screen: Any, shot: Any) -> None:
        self._pygame = pygame
        self._screen = screen
        self._shot = shot
        self._dim = shot.copy()
        self._dim.fill((_DIM, _DIM, _DIM), special_flags=pygame.BLEND_RGB_MULT)
        self._text = pygame.font.Font(None, 32).render(_HELP, True, "white", "black")
        self._rect = pygame.Rect(0, 0, 0, 0)
        self._corner: tuple[int, int] | None = None

    def run(self) -> Any:
        """The rectangle that Enter accepted."""
        pygame = self._pygame
        while True:
            self._show()
            for event in pygame.event.get():
                if event.type == pygame.QUIT or (event.type == pygame.KEYDOWN and event.key == pygame.K_ESCAPE):
                    raise KartError("No region was drawn; `--region x,y,w,h` sets one as well.")
                if event.type == pygame.KEYDOWN and event.key in (pygame.K_RETURN, pygame.K_KP_ENTER):
                    return self._rect
                self._drag(event)
            pygame.time.wait(_TICK_MS)

    def _drag(self, event: Any) -> None:
        pygame = self._pygame
        if event.type == pygame.MOUSEBUTTONDOWN and event.button == 1:
            self._corner = event.pos
        if self._corner is not None and event.type in (
            pygame.MOUSEMOTION,
            pygame.MOUSEBUTTONUP,
            pygame.MOUSEBUTTONDOWN,
        ):
            (left, top), (right, bottom) = self._corner, event.pos
            self._rect = pygame.Rect(left, top, right - left, bottom - top)
            self._rect.normalize()
        if event.type == pygame.MOUSEBUTTONUP and event.button == 1:
            self._corner = None

    def _show(self) -> None:
        self._screen.blit(self._dim, (0, 0))
        if self._rect.size != (0, 0):
            self._screen.blit(self._shot, self._rect, self._rect)
            self._pygame.draw.rect(self._screen, "yellow", self._rect, 2)
            size = self._pygame.font.Font(None, 28).render(f"{self._rect.w} x {self._rect.h}", True, "yellow", "black")
            self._screen.blit(size, self._rect.topleft)
        self._screen.blit(self._text, self._text.get_rect(midtop=self._screen.get_rect().midtop))
        self._pygame.display.flip()
