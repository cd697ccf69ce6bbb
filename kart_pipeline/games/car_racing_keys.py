"""CarRacing with four keys: the same world for a driver who can only press and let go."""

from dataclasses import dataclass, replace

from kart_pipeline.core.action import Action, ActionSpec
from kart_pipeline.core.frame import Frame
from kart_pipeline.games.base import Autopilot
from kart_pipeline.games.car_racing import CONTRACT, CarRacing

SPEC_OF_KEYS = ActionSpec(axes=(), buttons=("left", "right", "gas", "brake"), mirrored_buttons=(("left", "right"),))
CONTRACT_OF_KEYS = replace(CONTRACT, spec=SPEC_OF_KEYS)
BRAKE = 0.8  # of the pedal's way: as in gymnasium.envs.box2d.car_racing's own keyboard play; from 0.9 on wheels lock


class CarRacingKeys(CarRacing):
    """`left` and `right` turn the wheel all the way, together not at all; `gas` and `brake` may be held together.

    World, score and `Frame.state` are those of `CarRacing`, and so are its errors.
    """

    name = "car_racing_keys"
    spec = SPEC_OF_KEYS

    def cruise(self) -> Action:
        """Gas against the brake, which creeps at 5 units/s; gas alone soon does 100."""
        return self.spec.action(gas=True, brake=True)

    def expert(self) -> Autopilot:
        """Pure pursuit along the centre line, with keys."""
        return CarRacingKeysExpert(self)

    def _controls(self, action: Action) -> tuple[float, float, float]:
        left, right, gas, brake = map(float, action.buttons)
        return right - left, gas, BRAKE * brake


@dataclass(frozen=True, slots=True)
class Fingers:
    """When the expert presses a key.

    Found with the line's tuning by random search for score and few changes of keys on seeds 3000 to 3013, then rounded.

    Attributes:
        dead_zone: a key is held while the point ahead is farther from the heading than this, in radians.
        coast: the brake is held while the car is this much too fast, units/s.
        fastest_pull: above this speed no gas in a curve: it spins the rear-driven car; units/s.
    """

    dead_zone: float = 0.34
    coast: float = 5.5
    fastest_pull: float = 18.0


class CarRacingKeysExpert:
    """Presses what the angle to the point ahead and the speed call for, and nothing else.

    Both show in a single frame. What was pressed before and how the car rotates have no say: no picture shows them, so
    they could not be learned from pictures.
    """

    def __init__(self, game: CarRacingKeys) -> None:
        from kart_pipeline.games.car_racing_line import Pursuit, Tuning

        # slowed a little after the search, as for wheel and pedals: grip to come back with after a disturbance
        line = Tuning(
            margin=4.2,
            look_ahead_base=10.7,
            look_ahead_per_speed=0.147,
            lateral=215.0,
            braking=62.0,
            top_speed=78.0,
        )
        self._fingers = Fingers()
        self._pursuit = Pursuit(game, line)

    def reset(self) -> None:
        """Lay the line and the speeds for the game's present track."""
        self._pursuit.reset()

    def action(self, frame: Frame) -> Action:  # noqa: ARG002 - it reads the game, not the picture
        """Which keys to hold now."""
        fingers, aim = self._fingers, self._pursuit.aim()
        left, right = aim.error > fingers.dead_zone, aim.error < -fingers.dead_zone
        pulls = aim.car.speed < fingers.fastest_pull or not (left or right)
        return SPEC_OF_KEYS.action(
            left=left,
            right=right,
            gas=pulls and aim.car.speed < aim.speed,
            brake=aim.car.speed > aim.speed + fingers.coast,
        )
