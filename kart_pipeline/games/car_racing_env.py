"""Gymnasium's CarRacing with the same pixels drawn in about half the time."""

import math
from typing import Any

import numpy as np

from kart_pipeline.core.errors import KartError
from kart_pipeline.games.car_racing_state import Moment, moment


def make_env() -> Any:
    """The environment of `CarRacing-v3`, continuous, without the wrappers of `gymnasium.make`.

    Gymnasium transforms every polygon of the world in Python for every frame, some 700, to draw about 15. Leaving out
    those whose first corner is farther from the car than the screen and a polygon reach changes no pixel.

    Raises:
        KartError: gymnasium, Box2D or pygame is not installed.
    """
    official, dynamics = _gymnasium()

    class CarRacingEnv(official.CarRacing):  # type: ignore[misc, name-defined]
        """Draws faster, or not at all, can put the car elsewhere, and remembers its last step for `car_racing_state`.

        Attributes:
            drawing: off, a step costs a thirtieth and shows the last picture again.
            before: the car before the last step.
            command: what was done in that step.
        """

        drawing = True
        before: Moment
        command: Any

        def __init__(self) -> None:
            super().__init__(render_mode="rgb_array")
            self.state: Any = np.zeros((official.STATE_H, official.STATE_W, 3), np.uint8)
            side = official.GRASS_DIM
            cells = np.arange(-20, 20, 2) * side
            square = [(side, 0.0), (0.0, 0.0), (0.0, side), (side, side)]
            self._grass = np.array([[(x + dx, y + dy) for dx, dy in square] for x in cells for y in cells])

        def step(self, action: Any) -> Any:
            self.before, self.command = moment(self), action
            return self.move(action)

        def move(self, action: Any) -> Any:
            """A step of the world that is not remembered as the last one."""
            return super().step(action)

        def place_car(self, angle: float, position: tuple[float, float], speed: float) -> None:
            """A new car, rolling straight ahead, and the camera as after the first second."""
            self.car.destroy()
            self.car: Any = dynamics.Car(self.world, angle, *position)
            velocity = -speed * math.sin(angle), speed * math.cos(angle)
            self.car.hull.linearVelocity = velocity
            for wheel, (x, y) in zip(self.car.wheels, dynamics.WHEELPOS, strict=True):
                # Gymnasium leaves them where they would be if the car pointed to +y, and pulled into place they turn it
                wheel.position = self.car.hull.GetWorldPoint((dynamics.SIZE * x, dynamics.SIZE * y))
                wheel.linearVelocity = velocity
                wheel.omega = speed / wheel.wheel_rad
            self.t = 1.0

        def _create_track(self) -> bool:
            made: bool = super()._create_track()
            self._road_corner = np.array([corners[0] for corners, _ in self.road_poly])
            return made

        def _render(self, mode: str) -> Any:
            return self.state if mode == "state_pixels" and not self.drawing else super()._render(mode)

        def _render_road(self, zoom: float, translation: tuple[float, float], angle: float) -> None:
            view = zoom, translation, angle
            edge = official.PLAYFIELD
            field = [(edge, edge), (edge, -edge), (-edge, -edge), (-edge, edge)]
            self._draw_colored_polygon(self.surf, field, self.bg_color, *view, clip=False)
            # The car stands in the middle of the width and a quarter up: the far corner of the screen is the radius.
            # No polygon is wider than a square of grass.
            reach = math.hypot(official.WINDOW_W / 2, official.WINDOW_H * 3 / 4) / zoom + 1.5 * official.GRASS_DIM
            car = np.array(self.car.hull.position)
            for corners in self._grass[np.linalg.norm(self._grass[:, 0] - car, axis=1) < reach]:
                self._draw_colored_polygon(self.surf, corners.tolist(), self.grass_color, *view)
            for i in np.flatnonzero(np.linalg.norm(self._road_corner - car, axis=1) < reach):
                corners, colour = self.road_poly[i]
                self._draw_colored_polygon(self.surf, corners, [int(c) for c in colour], *view)

    return CarRacingEnv()


def _gymnasium() -> tuple[Any, Any]:
    """The modules of the environment and of its car."""
    try:
        from gymnasium.error import DependencyNotInstalled
    except ImportError as error:
        raise _not_installed(error) from error
    try:
        from gymnasium.envs.box2d import car_dynamics, car_racing
    except (ImportError, DependencyNotInstalled) as error:
        raise _not_installed(error) from error
    return car_racing, car_dynamics


def _not_installed(error: Exception) -> KartError:
    return KartError(f"CarRacing needs gymnasium with Box2D and pygame ({error}): pip install 'kart-pipeline[games]'.")
