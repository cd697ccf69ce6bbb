"""A pygame window that shows the game and hears the keys; all of SDL's events pass through here."""

import os
from types import TracebackType
from typing import Any, Self

from kart_pipeline.core.errors import KartError
from kart_pipeline.core.frame import RGB, Step

_HEIGHT = 576  # about, of the picture: a whole multiple of the game's


class Window:
    """Shows frames at a whole multiple of their size, and keeps which keys are held.

    It is an observer of the drive: what it shows is what is recorded. SDL wants its events taken in the thread that
    opened the window.

    Attributes:
        held: pygame's codes of the keys that are down.
        done: closed, or Escape was pressed.

    Raises:
        KartError: pygame is not installed, or SDL finds no video at all.
    """

    def __init__(self, title: str) -> None:
        self.held: set[int] = set()
        self.done = False
        # The game has the focus in most cases, not this window; SDL would ignore the pad then.
        os.environ.setdefault("SDL_JOYSTICK_ALLOW_BACKGROUND_EVENTS", "1")
        os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
        try:
            import pygame
        except ImportError as error:
            raise KartError(
                f"Driving by hand needs pygame-ce ({error}): pip install 'kart-pipeline[recorder]'."
            ) from error
        self._pygame = pygame
        self._title = title
        self._surface: Any = None
        try:
            pygame.display.init()
        except pygame.error as error:
            raise KartError(f"There is no screen to show the game on ({error}).") from error

    def need_screen(self) -> None:
        """Make sure that a person can see something.

        Raises:
            KartError: SDL draws into nothing here.
        """
        driver = self._pygame.display.get_driver()
        if driver in ("dummy", "offscreen"):
            self.close()
            raise KartError(
                f"There is no screen here (SDL's video driver is {driver!r}); drive by hand on a desktop, without "
                "SDL_VIDEODRIVER set, or use --driver expert."
            )

    @property
    def keys(self) -> set[str]:
        """SDL's names of the keys that are down."""
        return {self._pygame.key.name(code) for code in self.held}

    def show(self, rgb: RGB) -> None:
        """Draw a uint8 `(H, W, 3)` frame."""
        pygame = self._pygame
        height, width = rgb.shape[:2]
        if self._surface is None:
            scale = max(1, round(_HEIGHT / height))
            try:
                self._surface = pygame.display.set_mode((width * scale, height * scale), pygame.RESIZABLE)
            except pygame.error as error:
                raise KartError(f"The window for the game cannot be opened ({error}).") from error
            pygame.display.set_caption(self._title)
        picture = pygame.image.frombuffer(rgb.tobytes(), (width, height), "RGB")
        self._surface = pygame.display.get_surface()  # another one after each resize
        shown = picture.get_rect().fit(self._surface.get_rect())
        self._surface.fill("black")
        self._surface.blit(pygame.transform.scale(picture, shown.size), shown)
        pygame.display.flip()

    def on_step(self, step: Step) -> None:
        """Show the step's frame."""
        self.show(step.frame.rgb)

    def pump(self) -> None:
        """Take in what happened since the last call."""
        pygame = self._pygame
        for event in pygame.event.get():
            if event.type == pygame.QUIT or (event.type == pygame.KEYDOWN and event.key == pygame.K_ESCAPE):
                self.done = True
            elif event.type == pygame.KEYDOWN:
                self.held.add(event.key)
            elif event.type == pygame.KEYUP:
                self.held.discard(event.key)
            elif event.type == pygame.WINDOWFOCUSLOST:
                self.held.clear()  # nobody will tell us that the keys came up

    def close(self) -> None:
        """Close it; may be called more than once."""
        self._pygame.display.quit()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
