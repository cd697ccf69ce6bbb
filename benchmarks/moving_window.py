"""`python -m benchmarks.moving_window`: a window of 640x480 with a picture that moves at 60 Hz, as a game would."""

import sys
from itertools import count

TITLE = "A moving picture"
SIZE = (640, 480)
RATE_HZ = 60
_FRAMES = 180  # of the loop


def main() -> int:
    """Show it until the process is ended; a line on stdout says when it is there."""
    import pygame

    from kart_pipeline.driving.clock import Clock
    from recorder.moving import moving_picture

    frames = [pygame.image.frombuffer(rgb.tobytes(), SIZE, "RGB") for rgb in moving_picture(*SIZE, _FRAMES)]
    pygame.display.init()
    screen = pygame.display.set_mode(SIZE)
    pygame.display.set_caption(TITLE)
    clock = Clock(RATE_HZ)
    for tick in count():
        screen.blit(frames[tick % _FRAMES], (0, 0))
        pygame.display.flip()
        if any(event.type == pygame.QUIT for event in pygame.event.get()):  # SDL makes this of SIGTERM
            break
        if tick == 1:
            sys.stdout.write("shown\n")
            sys.stdout.flush()
        clock.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
