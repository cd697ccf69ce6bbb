"""A player: holds up and x and steers halfway to the left until it is killed; DISPLAY is its screen."""

import sys
import time

from kart_pipeline.desktop.controllers.choose import ControllerChoice, open_controller
from kart_pipeline.desktop.controllers.guarded import Guarded
from kart_pipeline.desktop.key_layout import KeyLayout
from kart_pipeline.desktop.pad import PadState

if __name__ == "__main__":
    choice, keys = ControllerChoice.parse(sys.argv[1]), KeyLayout()
    controller = Guarded(open_controller(choice, keys).controller, choice, keys, float(sys.argv[2]))
    hangs = sys.argv[3:] == ["hang"]
    sys.stdout.write("driving\n")
    sys.stdout.flush()
    while True:
        controller.apply(PadState({"left_x": -0.5, "left_y": 1.0}, frozenset({"a"})))
        time.sleep(1000 if hangs else 1 / 30)
