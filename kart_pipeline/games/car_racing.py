"""Gymnasium's CarRacing-v3 as a game: a top-down car on a random track, without a screen."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kart_pipeline.core.action import Action, ActionSpec
from kart_pipeline.core.contract import Contract, Region
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.frame import RGB, Frame
from kart_pipeline.games import car_racing_state as world
from kart_pipeline.games.base import FINISHED, LAP, OFF_TRACK, PROGRESS, SPEED, Autopilot, Game, X, Y
from kart_pipeline.games.car_racing_env import make_env
from kart_pipeline.games.search import Plan, fan

RATE_HZ = 50.0  # FPS in gymnasium.envs.box2d.car_racing
STEP_LIMIT = 1000  # max_episode_steps of CarRacing-v3
HALF_WIDTH = 40 / 6  # of the road, in world units: TRACK_WIDTH there
TILE_LENGTH = 21 / 6  # TRACK_DETAIL_STEP there

SPEC = ActionSpec(axes=("steer", "throttle"), mirrored_axes=("steer",))

# The whole frame at its own size, so nothing is resampled: PilotNet's five valid convolutions need 61 pixels or more.
# The lowest eighth is a black strip of instruments. Its speed bar (between 5/40 and 6/40 of the width) stays, for one
# frame shows no speed, and how hard to brake depends on it. All else there is painted over: the score at the left is
# no reason to steer, and the wheels' spin, the steering wheel and the gyroscope show the action just taken, which a
# network learns to repeat instead of looking at the road (de Haan et al., 2019, arXiv:1905.11979).
CONTRACT = Contract(
    SPEC,
    RATE_HZ,
    masks=(Region(0, 0.875, 0.125, 1), Region(0.16, 0.875, 1, 1)),
    width=96,
    height=96,
    colour="rgb",
)

# What a search for the right action tries. It looks half a second ahead, so it must be slow enough to stop within what
# it sees: the gas is mild, and after each try it brakes. Found by trial on seeds 1000 to 1007.
SEARCH = Plan(
    fan=fan(SPEC, 9, drives=(0.15, -0.4)),
    coast=SPEC.action(throttle=-0.3),
    hold_s=0.24,
    coast_s=0.3,
    off_track=0.05,
    change=0.0005,
)


@dataclass(frozen=True, slots=True)
class Car:
    """The car in world units (a road is 13.3 wide) and seconds; angles in radians, anticlockwise."""

    x: float
    y: float
    heading: float
    speed: float
    yaw_rate: float


@dataclass(frozen=True, slots=True, eq=False)
class Saved:
    """A moment of a drive: the world and what the game counts beside it."""

    world: world.WorldState
    score: float
    ended: str | None
    steps: int | None
    nearest: int


class CarRacing(Game):
    """Throttle above 0 is gas, below 0 the brake; steer +1 is right.

    The score is the environment's return: 1000 shared among the track's tiles, less 0.1 a step, 100 off for leaving the
    field. `Frame.state` tells `progress` (share of tiles visited; 0.95 and the line make a lap), `speed` in world units
    per second (full gas on the straight reaches about 100), `off_track`, 1 while all four wheels are on grass, `lap`, 1
    with the frame that ends a finished drive, and `x` and `y` in world units.

    Raises:
        KartError: gymnasium with Box2D is not installed.
    """

    name = "car_racing"
    spec = SPEC
    rate_hz = RATE_HZ
    simulated = True

    def __init__(self) -> None:
        self._env = make_env()
        self._seeds = np.random.default_rng()
        self._sent = self.spec.neutral()
        self._steps: int | None = None

    def reset(self, seed: int | None = None) -> Frame:
        """A new track from `seed`; None draws a seed, which `track` then names."""
        if seed is None:
            seed = int(self._seeds.integers(2**31))
        self.track = self.group = f"seed-{seed}"
        self.score, self.ended, self._steps, self._nearest = 0.0, None, 0, 0
        self._sent = self.spec.neutral()
        rgb, _ = self._env.reset(seed=seed)
        self._line = self.centre_line()
        return self._frame(rgb, 0)

    def displace(self, random: np.random.Generator) -> Frame:
        """Anywhere along the track, up to 12 units beside its middle, up to 60 degrees astray, at up to 50 units/s.

        The road, whose edges are 6.7 units from its middle, is in the picture from all such places. The camera's first
        second, in which it comes down from far above, is over: it would show places that no drive leads through so.

        Raises:
            KartError: the drive is over, or has not begun.
        """
        if self._steps != 0:
            raise KartError(f"{self.name} is displaced between its reset and the first step only.")
        self._nearest = int(random.integers(len(self._env.track)))
        _, along, x, y = self._env.track[self._nearest]
        beside, astray, speed = random.uniform(-12, 12), random.uniform(-1, 1) * np.pi / 3, random.uniform(0, 50)
        place = x + beside * np.cos(along), y + beside * np.sin(along)  # the road runs a quarter turn from `along`
        self._env.place_car(along + astray, place, speed)
        rgb, *_ = self._env.step(None)
        return self._frame(rgb, 0)

    def send(self, action: Action) -> None:
        """Keep the action for the coming step.

        Raises:
            KartError: the drive is over, or has not begun.
        """
        if self._steps is None or self.ended:
            raise KartError(f"{self.name} takes no action before its reset or after its end.")
        self._sent = action

    def next_frame(self) -> Frame:
        """Step the environment by 20 ms with the action sent last."""
        if self._steps is None or self.ended:
            raise KartError(f"{self.name} shows no next frame before its reset or after its end.")
        command = np.array(self._controls(self._sent), np.float32)
        rgb, reward, terminated, _, info = self._env.step(command)
        self.score += float(reward)
        self._steps += 1
        self._follow()
        if terminated:
            self.ended = FINISHED if info["lap_finished"] else "left the field"
        elif self._steps >= STEP_LIMIT:
            self.ended = "time limit"
        return self._frame(rgb, self._steps)

    def neutral(self) -> None:
        """Let go of the wheel and both pedals."""
        self._sent = self.spec.neutral()

    def close(self) -> None:
        """Release the environment."""
        self._env.close()

    def picture(self) -> RGB:
        """The scene at 600x400, uint8 `(400, 600, 3)`; drawing it takes longer than a step."""
        picture: RGB = self._env.render()
        return picture

    def cruise(self) -> Action:
        """A little gas."""
        return SPEC.action(throttle=0.1)

    def expert(self) -> Autopilot:
        """Pure pursuit along the centre line."""
        from kart_pipeline.games.car_racing_expert import CarRacingExpert

        return CarRacingExpert(self)

    def save(self) -> Saved:
        """The present moment, to come back to; `car_racing_state` says how exactly."""
        return Saved(world.save(self._env), self.score, self.ended, self._steps, self._nearest)

    def load(self, state: Saved) -> None:
        """Go back to a moment of the same track."""
        world.load(self._env, state.world)
        self.score, self.ended, self._steps, self._nearest = state.score, state.ended, state.steps, state.nearest

    def forget(self, state: Saved) -> None:
        """It is garbage like any other object."""

    def hurry(self, on: bool) -> None:
        """While on, a step draws nothing, which takes a thirtieth of the time, and shows the last picture again."""
        self._env.drawing = not on

    def advance(self, action: Action, steps: int) -> Mapping[str, float]:
        """Hold `action` for so many steps, or until the drive ends.

        Returns:
            The last frame's state. Progress is finer there than the share of tiles, and may be below 0: of two ways
            that reach no new tile the one is better that leads on along the road, or back to it.
        """
        for _ in range(steps):
            self.send(action)
            frame = self.next_frame()
            if self.ended:
                break
        return {**frame.state, PROGRESS: frame.state[PROGRESS] + self._along()}

    def _along(self) -> float:
        """How far along the road's middle the car is, as a share of the lap, less as much again as it is off the road.

        Behind the line at the start it is below 0.
        """
        beside = float(np.hypot(*(self._line[self._nearest % len(self._line)] - self._env.car.hull.position)))
        return (self._nearest - max(0.0, beside - HALF_WIDTH) / TILE_LENGTH) / len(self._line)

    def _follow(self) -> None:
        """Find the point of the road's middle that is nearest, near the last one: the road may pass close to itself."""
        window = self._nearest + np.arange(-5, 16)
        beside = self._line[window % len(self._line)] - self._env.car.hull.position
        self._nearest = int(window[(beside**2).sum(axis=1).argmin()])

    def car(self) -> Car:
        """Where the car is and how it moves."""
        hull = self._env.car.hull
        x, y = hull.position
        # The hull's own "forward" is +y: a quarter turn more than its angle.
        return Car(
            x=float(x),
            y=float(y),
            heading=float(hull.angle) + np.pi / 2,
            speed=float(np.hypot(*hull.linearVelocity)),
            yaw_rate=float(hull.angularVelocity),
        )

    def centre_line(self) -> npt.NDArray[np.float64]:
        """The road's middle as a closed line, float64 `(N, 2)` in world units, from the start in driving direction."""
        return np.array(self._env.track, np.float64)[:, 2:4]

    def _controls(self, action: Action) -> tuple[float, float, float]:
        """Steering in [-1, 1], gas and brake in [0, 1], as the environment takes them."""
        steer, throttle = action.axes
        return steer, max(throttle, 0.0), max(-throttle, 0.0)

    def _frame(self, rgb: RGB, steps: int) -> Frame:
        env, car = self._env, self.car()
        state = {
            PROGRESS: env.tile_visited_count / len(env.track),
            SPEED: car.speed,
            OFF_TRACK: float(not any(wheel.tiles for wheel in env.car.wheels)),
            LAP: float(self.ended == FINISHED),
            X: car.x,
            Y: car.y,
        }
        return Frame(rgb, round(steps * 1e9 / RATE_HZ), state)
