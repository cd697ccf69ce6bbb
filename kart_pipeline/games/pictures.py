"""What of a game's picture a network is shown, where the game is known by its pictures alone."""

from collections.abc import Mapping
from typing import Any

from kart_pipeline.core.contract import Region

# In fractions, so that a window of 640x480 and the core's own picture of 320x240 come to the same: the road and the
# kart, without the sky, a window's title bar (the six uppermost rows in recordings of TensorKart) and the instruments
# above. The minimap shows where the kart is: a network would learn this course by heart from a few pixels.
MARIO_KART_64: Mapping[str, Any] = {
    "crop": Region(0, 130 / 480, 1, 430 / 480),
    "masks": (Region(505 / 640, 250 / 480, 585 / 640, 435 / 480),),
}

# Games whose sessions come from anywhere, at any rate; others that are not opened here get the plain contract.
PICTURES: Mapping[str, Mapping[str, Any]] = {"mario_kart_64": MARIO_KART_64}
