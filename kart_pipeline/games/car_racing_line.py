"""Where to and how fast in CarRacing, from the game's inside: pure pursuit of a smoothed line.

The line is followed at the speed that the coming curves allow; an expert turns that into what its controls can do.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kart_pipeline.games.car_racing import HALF_WIDTH, Car, CarRacing

Line = npt.NDArray[np.float64]  # (N, 2), closed, world units
Values = npt.NDArray[np.float64]  # (N,)


@dataclass(frozen=True, slots=True)
class Tuning:
    """What a driver of the line counts on; the defaults suit wheel and pedals.

    Found by random search for score, smooth steering and smooth throttle on seeds 1000 to 1011, then rounded, and
    slowed a little: that costs 2 points and leaves grip to come back with after a disturbance.

    Attributes:
        margin: the line keeps this far from the road's middle at most; world units.
        horizon: how far ahead the driver looks. The picture shows 37 units ahead of the car: an expert that brakes for
            what no picture shows cannot be learned from pictures.
        look_ahead_base, look_ahead_per_speed: distance to the point that is steered for, in units and in seconds.
        lateral, braking: accelerations counted on, units/s². Tyres give at most 219 on the road: FRICTION_LIMIT of 400
            for each of 4 wheels and a car of mass 7.3.
        top_speed: units/s.
    """

    margin: float = 3.6
    horizon: float = 35.0
    look_ahead_base: float = 10.0
    look_ahead_per_speed: float = 0.17
    lateral: float = 170.0
    braking: float = 85.0
    top_speed: float = 78.0


@dataclass(frozen=True, slots=True)
class Aim:
    """What is right here.

    Attributes:
        error: angle from the car's heading to the way to the point ahead, in radians; positive is to the left.
        speed: the highest that suits this place, units/s.
        car: at this moment.
    """

    error: float
    speed: float
    car: Car


class Pursuit:
    """Follows a smoothed line around the track of a game (pure pursuit: Coulter, 1992, CMU-RI-TR-92-01)."""

    def __init__(self, game: CarRacing, tuning: Tuning) -> None:
        self._game = game
        self._tuning = tuning

    def reset(self) -> None:
        """Lay the line and the speeds for the game's present track."""
        tuning = self._tuning
        self._line = smoothed(self._game.centre_line(), tuning.margin)
        self._gap = np.linalg.norm(np.roll(self._line, -1, axis=0) - self._line, axis=1)
        self._speed = speeds(self._line, self._gap, tuning)
        self._nearest = 0

    def aim(self) -> Aim:
        """Where to and how fast at this moment; called once a step."""
        tuning, car = self._tuning, self._game.car()
        self._nearest = self._locate(car)
        reach = tuning.look_ahead_base + tuning.look_ahead_per_speed * car.speed
        x, y = self._ahead(reach)
        error = math.remainder(math.atan2(y - car.y, x - car.x) - car.heading, math.tau)
        # The arc to the point ahead has curvature 2 sin(error) / reach (Coulter, 1992): after a slide it may be tighter
        # than the line's own.
        arc = math.sqrt(tuning.lateral * reach / (2 * max(abs(math.sin(error)), 1e-3)))
        return Aim(error, min(float(self._speed[(self._nearest + 1) % len(self._line)]), arc), car)

    def _locate(self, car: Car) -> int:
        """Index of the line's point nearest to the car, near the last one: the track may pass close to itself."""
        count = len(self._line)
        window = (self._nearest + np.arange(-3, 12)) % count
        distance = np.hypot(*(self._line[window] - (car.x, car.y)).T)
        if distance.min() < 3 * HALF_WIDTH:
            return int(window[distance.argmin()])
        return int(np.hypot(*(self._line - (car.x, car.y)).T).argmin())

    def _ahead(self, reach: float) -> tuple[float, float]:
        """The point `reach` units along the line from the nearest point."""
        at = self._nearest
        while reach > self._gap[at]:
            reach -= self._gap[at]
            at = (at + 1) % len(self._line)
        here, there = self._line[at], self._line[(at + 1) % len(self._line)]
        x, y = here + (there - here) * (reach / self._gap[at])
        return float(x), float(y)


def smoothed(centre: Line, margin: float) -> Line:
    """`centre` bent as little as can be without leaving it by more than `margin`: wide in, close at the apex, wide out.

    Each point slides along its normal down the gradient of the summed squared second differences.
    """
    along = np.roll(centre, -1, axis=0) - np.roll(centre, 1, axis=0)
    normal = np.stack([-along[:, 1], along[:, 0]], axis=1) / np.linalg.norm(along, axis=1, keepdims=True)
    offset = np.zeros(len(centre))
    for _ in range(500):
        bend = _half_second_difference(centre + offset[:, None] * normal)
        step = 0.45 * (_half_second_difference(bend) * normal).sum(axis=1)  # stable below 0.5
        offset = np.clip(offset - step, -margin, margin)
    line: Line = centre + offset[:, None] * normal
    return line


def speeds(line: Line, gap: Values, tuning: Tuning) -> Values:
    """The speed for every point: curves at the lateral limit, braking in time for those within the horizon."""
    curve = np.sqrt(tuning.lateral / np.maximum(np.abs(curvature(line)), 1e-6))
    curve = np.minimum(curve, tuning.top_speed)
    result = curve.copy()
    distance = np.zeros(len(line))
    for ahead in range(1, round(tuning.horizon / gap.mean()) + 1):
        distance += np.roll(gap, 1 - ahead)
        result = np.minimum(result, np.sqrt(np.roll(curve, -ahead) ** 2 + 2 * tuning.braking * distance))
    return result


def curvature(line: Line) -> Values:
    """1 / radius of the circle through each point and those two before and two after it (Menger)."""
    before, after = np.roll(line, 2, axis=0) - line, line - np.roll(line, -2, axis=0)
    area = before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0]
    sides = np.linalg.norm(before, axis=1) * np.linalg.norm(after, axis=1) * np.linalg.norm(before + after, axis=1)
    result: Values = 2 * area / np.maximum(sides, 1e-9)
    return result


def _half_second_difference(values: Line) -> Line:
    return (np.roll(values, 1, axis=0) + np.roll(values, -1, axis=0)) / 2 - values
