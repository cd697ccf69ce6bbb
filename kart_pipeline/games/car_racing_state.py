"""CarRacing's world as it stands at a moment, taken and put back: what a search through what might come needs.

Box2D has no such thing. Bodies are put back where they were, and with them all that gymnasium keeps beside Box2D. What
cannot be put back is what Box2D's solver remembers of its last step (the impulses in the wheels' joints, with which it
begins the next one) and of which wheel touches which tile. Both come about again when the last step is taken once more,
so a state also holds what the world was like one step before.
"""

from collections import deque
from dataclasses import dataclass
from typing import Any

_OF_WHEEL = ("gas", "brake", "steer", "phase", "omega")
_OF_ENV = ("reward", "prev_reward", "tile_visited_count", "t", "new_lap")


@dataclass(frozen=True, slots=True, eq=False)
class Moment:
    """The car, as far as it changes.

    Attributes:
        bodies: of hull and wheels: position and angle, velocity, angular velocity.
        wheels: of each wheel, what `_OF_WHEEL` names.
        on: the tiles that each wheel is on, as far as the game has noticed.
    """

    bodies: tuple[tuple[Any, Any, float], ...]
    wheels: tuple[tuple[float, ...], ...]
    on: tuple[frozenset[Any], ...]


@dataclass(frozen=True, slots=True, eq=False)
class WorldState:
    """A moment of one track; it means nothing on another.

    Attributes:
        before: the car one step earlier.
        command: what was done then, as the environment takes it.
        now: the car.
        tiles: of each tile of the track, whether it was visited, and its colour.
        counted: what `_OF_ENV` names.
        particles: skid marks, for whoever looks on.
    """

    before: Moment
    command: Any
    now: Moment
    tiles: tuple[tuple[bool, Any], ...]
    counted: tuple[Any, ...]
    particles: tuple[Any, ...]


class _Tiles(set[Any]):
    """Box2D tells that a wheel has left tiles on which it was before the state was put back: that is no error."""

    remove = set.discard


def moment(env: Any) -> Moment:
    """The car of `env` now."""
    car = env.car
    return Moment(
        tuple(
            ((tuple(body.position), float(body.angle)), tuple(body.linearVelocity), float(body.angularVelocity))
            for body in (car.hull, *car.wheels)
        ),
        tuple(tuple(getattr(wheel, name) for name in _OF_WHEEL) for wheel in car.wheels),
        tuple(frozenset(wheel.tiles) for wheel in car.wheels),
    )


def save(env: Any) -> WorldState:
    """Take the state of `env`, a `CarRacingEnv` between two steps."""
    return WorldState(
        env.before,
        env.command,
        moment(env),
        tuple((tile.road_visited, tile.color.copy()) for tile in env.road),
        tuple(getattr(env, name) for name in _OF_ENV),
        tuple(env.car.particles),
    )


def load(env: Any, state: WorldState) -> None:
    """Put a state of the same track back. The picture stays as it is until the next step that draws one."""
    drawing, env.drawing = env.drawing, False
    _place(env, state.before, _Tiles)
    env.move(state.command)
    env.drawing = drawing
    _place(env, state.now, set)
    for tile, (visited, colour) in zip(env.road, state.tiles, strict=True):
        tile.road_visited = visited
        tile.color[:] = colour
    for name, value in zip(_OF_ENV, state.counted, strict=True):
        setattr(env, name, value)
    env.before, env.command = state.before, state.command
    env.car.particles = deque(state.particles, maxlen=env.car.particles.maxlen)


def _place(env: Any, where: Moment, tiles: type[set[Any]]) -> None:
    car = env.car
    for body, (place, velocity, spin) in zip((car.hull, *car.wheels), where.bodies, strict=True):
        body.transform = place
        body.linearVelocity, body.angularVelocity = velocity, spin
    for wheel, values, on in zip(car.wheels, where.wheels, where.on, strict=True):
        for name, value in zip(_OF_WHEEL, values, strict=True):
            setattr(wheel, name, value)
        wheel.tiles = tiles(on)
        wheel.skid_start = wheel.skid_particle = None  # a mark that is begun would be drawn on in every future
