"""A game of one window: its picture turns while Left or Right is held.

`python turning_window.py TITLE WIDTHS_PER_S` shows it on DISPLAY until it is killed.
"""

import sys
import time

import numpy as np
from Xlib import XK, X
from Xlib.display import Display

WIDTH, HEIGHT = 240, 160


def show(title: str, widths_per_s: float) -> None:
    """Until it is killed."""
    display = Display()
    screen = display.screen()
    window = screen.root.create_window(
        0, 0, WIDTH, HEIGHT, 0, screen.root_depth, background_pixel=0, event_mask=X.KeyPressMask
    )
    window.set_wm_name(title)
    window.change_property(display.intern_atom("_NET_WM_NAME"), display.intern_atom("UTF8_STRING"), 8, title.encode())
    window.map()
    window.set_input_focus(X.RevertToParent, X.CurrentTime)
    # A road seen from above would do as well: what matters is that there is something to see everywhere.
    rough = np.random.default_rng(1).integers(0, 256, (HEIGHT // 8, WIDTH // 8, 4), np.uint8)
    scene = np.kron(rough, np.ones((8, 8, 1), np.uint8))
    picture = window.create_pixmap(WIDTH, HEIGHT, screen.root_depth)
    pen = window.create_gc()
    picture.put_image(pen, 0, 0, WIDTH, HEIGHT, X.ZPixmap, screen.root_depth, 0, scene.tobytes())
    codes = [display.keysym_to_keycode(XK.string_to_keysym(name)) for name in ("Left", "Right")]
    turned, last = 0.0, time.monotonic()
    while True:
        held = display.query_keymap()
        left, right = (held[code // 8] >> code % 8 & 1 for code in codes)
        now = time.monotonic()
        turned += (right - left) * widths_per_s * WIDTH * (now - last)
        last = now
        start = int(turned) % WIDTH
        window.copy_area(pen, picture, start, 0, WIDTH - start, HEIGHT, 0, 0)
        window.copy_area(pen, picture, 0, 0, start, HEIGHT, WIDTH - start, 0)
        display.sync()
        time.sleep(1 / 60)


if __name__ == "__main__":
    show(sys.argv[1], float(sys.argv[2]))
