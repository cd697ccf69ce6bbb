"""The window that a person drives in: what it shows, and which keys it knows to be held."""

import numpy as np
import pygame
import pytest

from kart_pipeline.core.errors import KartError
from recorder.window import Window


def post(kind: int, **values: object) -> None:
    pygame.event.post(pygame.event.Event(kind, **values))


def test_a_frame_is_shown_at_a_whole_multiple_with_its_own_pixels(window: Window) -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (96, 80, 3), np.uint8)
    window.show(rgb)
    shown = pygame.surfarray.array3d(pygame.display.get_surface()).swapaxes(0, 1)
    assert shown.shape == (576, 480, 3)
    np.testing.assert_array_equal(shown, rgb.repeat(6, axis=0).repeat(6, axis=1))


def test_keys_are_held_from_press_to_release(window: Window) -> None:
    post(pygame.KEYDOWN, key=pygame.K_LEFT)
    post(pygame.KEYDOWN, key=pygame.K_UP)
    window.pump()
    assert window.held == {pygame.K_LEFT, pygame.K_UP}
    post(pygame.KEYUP, key=pygame.K_LEFT)
    window.pump()
    assert window.held == {pygame.K_UP}


def test_a_window_that_loses_the_focus_lets_go_of_all_keys(window: Window) -> None:
    post(pygame.KEYDOWN, key=pygame.K_UP)
    post(pygame.WINDOWFOCUSLOST)
    window.pump()
    assert window.held == set()


@pytest.mark.parametrize("event", [(pygame.QUIT, {}), (pygame.KEYDOWN, {"key": pygame.K_ESCAPE})])
def test_escape_and_closing_end_the_drive(window: Window, event: tuple[int, dict[str, int]]) -> None:
    assert not window.done
    post(event[0], **event[1])
    window.pump()
    assert window.done


def test_a_screen_that_nobody_sees_is_refused(window: Window) -> None:
    with pytest.raises(KartError, match="There is no screen here"):
        window.need_screen()


def test_a_machine_without_any_video_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    pygame.display.quit()
    monkeypatch.setenv("SDL_VIDEODRIVER", "nosuchdriver")
    with pytest.raises(KartError, match="There is no screen to show the game on"):
        Window("test")
