"""From how fast a game turns at each deflection to the response that makes its turning even."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kart_pipeline.core.errors import KartError
from kart_pipeline.desktop.response import Response

_SURE = 4.0  # times the noise, that the turning must be at the most
_WELL = 0.12  # root mean square of what a fit may leave over, as a share of the turning at full lock
# What is tried; finer than the deflections of a sweep can tell.
_DEAD_ZONES = np.arange(0.0, 0.51, 0.02)
_REACHES = np.arange(0.3, 1.001, 0.05)
_POWERS = np.geomspace(0.25, 4.0, 17)


@dataclass(frozen=True, slots=True)
class Level:
    """What one deflection of the stick did.

    Attributes:
        deflection: in (0, 1].
        right, left: speed of the picture to the right, in widths a second, while it was held to that side.
    """

    deflection: float
    right: float
    left: float

    @property
    def turning(self) -> float:
        """By how much the two sides differ, half of it: what the road does to both cancels out."""
        return (self.left - self.right) / 2


@dataclass(frozen=True, slots=True)
class Fitted:
    """A response, and how well it is known.

    Attributes:
        response: of the axis.
        left_over: root mean square of what it does not explain, as a share of the turning at full lock.
        backwards: the picture goes where the stick goes. Where one looks out of a kart it goes the other way.
    """

    response: Response
    left_over: float
    backwards: bool


def fit(levels: Sequence[Level], noise: float) -> Fitted:
    """The dead zone, reach and curve that explain best how the turning grows with the deflection.

    Args:
        levels: at least five.
        noise: how fast the picture is while nothing is held.

    Raises:
        KartError: it cannot be told: nothing turns, or not more for more.
    """
    deflections = np.array([level.deflection for level in levels])
    turning = np.array([level.turning for level in levels])
    full = turning[np.abs(turning).argmax()]
    if abs(full) < _SURE * noise or not full:
        raise KartError(
            f"It cannot be told: with the stick at its ends the picture moved sideways by {abs(full):.3f} widths a "
            f"second, and by {noise:.3f} while nothing was held. Let the kart roll (--hold), on a place with something "
            "to see."
        )
    shares = turning / full
    # The turning is `share = clip((deflection - dead) / (reach - dead), 0, 1) ** power`.
    dead, reach, power = np.meshgrid(_DEAD_ZONES, _REACHES, _POWERS, indexing="ij")
    valid = reach > dead + 0.1
    dead, reach, power = dead[valid], reach[valid], power[valid]
    # Held for less than a second a kart turns a little less at first: the scale of the fit is free, within reason.
    grown = np.clip((deflections - dead[:, None]) / (reach - dead)[:, None], 0, 1) ** power[:, None]
    scale = (grown * shares).sum(axis=1) / np.maximum((grown**2).sum(axis=1), 1e-9)
    errors = np.sqrt(((scale[:, None] * grown - shares) ** 2).mean(axis=1))
    best = int(errors.argmin())
    if errors[best] > _WELL:
        raise KartError(
            f"It cannot be told: the picture does not turn more for more of the stick (a fit leaves "
            f"{errors[best]:.0%} over). Try a wide, even place without other karts, or hold each deflection for longer "
            "(--seconds)."
        )
    response = Response(
        dead_zone=round(float(dead[best]), 2),
        curve=round(float(1 / power[best]), 2),
        reach=round(float(reach[best]), 2),
    )
    return Fitted(response, float(errors[best]), bool(full < 0))
