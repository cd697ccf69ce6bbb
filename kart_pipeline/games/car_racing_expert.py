"""CarRacing's expert with wheel and pedals."""

from dataclasses import dataclass

from kart_pipeline.core.action import Action
from kart_pipeline.core.frame import Frame
from kart_pipeline.games.car_racing import SPEC, CarRacing
from kart_pipeline.games.car_racing_line import Pursuit, Tuning


@dataclass(frozen=True, slots=True)
class Hands:
    """How the expert handles its controls; found together with the line's `Tuning`.

    Attributes:
        gain: steering per radian between the heading and the way to the point ahead.
        yaw_damping: steering against the car's rotation, per rad/s.
        smoothing: share of the last steering that is kept at each step.
        speed_gain: throttle per unit/s too slow or too fast.
        hardest_brake: below 0.9, at which the wheels lock.
        gas_off_in_curves: gas left out per unit of steering: full gas in a curve spins the rear-driven car.
    """

    gain: float = 0.95
    yaw_damping: float = 0.06
    smoothing: float = 0.35
    speed_gain: float = 0.075
    hardest_brake: float = 0.55
    gas_off_in_curves: float = 1.0


class CarRacingExpert:
    """Knows the track and the car from the game's inside; what it does follows from what a frame shows."""

    def __init__(self, game: CarRacing) -> None:
        self._hands = Hands()
        self._pursuit = Pursuit(game, Tuning())

    def reset(self) -> None:
        """Lay the line and the speeds for the game's present track."""
        self._pursuit.reset()
        self._steer = 0.0

    def action(self, frame: Frame) -> Action:  # noqa: ARG002 - it reads the game, not the picture
        """Steer for the point ahead, at the speed for this place."""
        hands, aim = self._hands, self._pursuit.aim()
        steer = -(hands.gain * aim.error - hands.yaw_damping * aim.car.yaw_rate)
        self._steer += (1 - hands.smoothing) * (min(1.0, max(-1.0, steer)) - self._steer)
        most_gas = max(0.05, 1 - hands.gas_off_in_curves * abs(self._steer))
        throttle = min(most_gas, max(-hands.hardest_brake, hands.speed_gain * (aim.speed - aim.car.speed)))
        return SPEC.action(steer=self._steer, throttle=throttle)
