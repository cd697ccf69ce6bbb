"""`python drive_toy.py MODEL_FOLDER HOW`: the player as it is, but for a network that needs no TensorFlow to start.

HOW is drive, or what the network does after two seconds: break, or hang.
"""

import sys
import time

import numpy as np

from player.cli import main
from player.live import drive
from player.policy import Policy


def open_plain(name, package, *, stages=None, **_):
    height, width, _ = package.contract.input_shape
    columns = np.tile((np.arange(width) - (width - 1) / 2) / width, height) * 24 / 255 / (height * width)
    began = time.monotonic()

    def predict(frame):
        if time.monotonic() - began > 2 and sys.argv[2] == "break":
            raise ZeroDivisionError("the network broke")
        if time.monotonic() - began > 2 and sys.argv[2] == "hang":
            time.sleep(600)
        return np.array([frame.ravel() @ columns, 1.0], np.float32)

    return Policy(name, package.contract, predict, stages)


if __name__ == "__main__":  # not in the process of the preview, which imports this module again
    drive.open_policy = open_plain
    wishes = ["--game", "toy_road", "--window", "Toy road", "--controller", "keyboard", "--pad", "keyboard"]
    sys.exit(main(["--model-uri", sys.argv[1], *wishes, *sys.argv[3:]]))
