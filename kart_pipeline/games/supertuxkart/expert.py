"""The robot: pure pursuit along the road's middle, with what the game tells of the kart."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kart_pipeline.core.action import Action
from kart_pipeline.core.frame import Frame
from kart_pipeline.games.supertuxkart.line import Values

if TYPE_CHECKING:
    from kart_pipeline.games.supertuxkart.game import SuperTuxKart

_STANDS = 1.0  # m/s, below which the velocity says nothing of where the kart looks
_FASTEST_BACK = 6.0  # m/s, faster than which no kart reverses


@dataclass(frozen=True, slots=True)
class Tuning:
    """How the robot drives.

    Attributes:
        look_ahead_m, look_ahead_s: the point that is aimed for is so far ahead, metres and seconds of driving.
        gain: steering per radian between heading and aim.
        lift: with more radians than that between them, no gas, unless it is slow.
        slow: m/s, at which it never lifts.
        brake, brake_above: with more radians than that and faster than so many m/s, the brake.
        stuck_s: after standing so long with the gas on it reverses, for `reverse_s`, the wheel turned the other way.
    """

    look_ahead_m: float = 5.0
    look_ahead_s: float = 0.35
    gain: float = 2.2
    lift: float = 0.7
    slow: float = 6.0
    brake: float = 1.1
    brake_above: float = 12.0
    stuck_s: float = 1.5
    reverse_s: float = 1.2


class SuperTuxKartExpert:
    """Steers for a point ahead on the road's middle (Coulter, 1992, CMU-RI-TR-92-01)."""

    def __init__(self, game: "SuperTuxKart", tuning: Tuning | None = None) -> None:
        self._game = game
        self._tuning = tuning or Tuning()
        self.reset()

    def reset(self) -> None:
        """A new race begins."""
        self._heading: Values | None = None
        self._moved_ns: int | None = None
        self._reverse_until_ns = 0

    def action(self, frame: Frame) -> Action:
        """What to do now."""
        tuning, game = self._tuning, self._game
        kart, place, now = game.kart, game.course.place, frame.t_ns
        error = self._error(kart.velocity, kart.position, place.along, kart.speed)
        if self._moved_ns is None or kart.speed > _STANDS:
            self._moved_ns = now
        if now - self._moved_ns > tuning.stuck_s * 1e9:
            self._reverse_until_ns = now + round(tuning.reverse_s * 1e9)
            self._moved_ns = self._reverse_until_ns
        steer = float(np.clip(tuning.gain * error, -1.0, 1.0))
        if now < self._reverse_until_ns:
            return game.spec.action(steer=-steer, throttle=-1.0)
        throttle = 0.0
        if abs(error) < tuning.lift or kart.speed < tuning.slow:
            throttle = 1.0
        elif abs(error) > tuning.brake and kart.speed > tuning.brake_above:
            throttle = -1.0
        return game.spec.action(steer=steer, throttle=throttle)

    def _error(self, velocity: Values, position: Values, along: float, speed: float) -> float:
        """Radians from where the kart goes to the point ahead, right positive."""
        line = self._game.line
        moving = np.array([velocity[0], velocity[2]])
        if self._heading is None:
            ahead = line.point(along + 1.0) - line.point(along)
            self._heading = np.array([ahead[0], ahead[2]])
        if speed > _STANDS:
            # A kart that rolls backwards still looks the other way; it never does so fast.
            backwards = speed < _FASTEST_BACK and moving @ self._heading < 0
            self._heading = -moving if backwards else moving
        aim = line.point(along + self._tuning.look_ahead_m + self._tuning.look_ahead_s * speed) - position
        forward = self._heading
        right = np.array([forward[1], -forward[0]])
        target = np.array([aim[0], aim[2]])
        return float(np.arctan2(target @ right, target @ forward))
