"""Drivers to compare a policy with, by the name that a person types."""

from kart_pipeline.core.contract import Contract
from kart_pipeline.core.errors import KartError
from kart_pipeline.driving.drivers import Driver, make_driver
from kart_pipeline.games.base import Game
from player.policy import NetworkKind, untrained_policy

OPPONENTS = ("expert", "straight", "untrained")


def parse_opponents(text: str) -> tuple[str, ...]:
    """Names from a list with commas; none from an empty text.

    Raises:
        KartError: one is unknown, or given twice.
    """
    names = tuple(name.strip() for name in text.split(",")) if text.strip() else ()
    if not set(names) <= set(OPPONENTS) or len(set(names)) != len(names):
        raise KartError(f"--compare takes each of {', '.join(OPPONENTS)} once, with commas; not {text!r}.")
    return names


def make_opponent(name: str, contract: Contract, network: NetworkKind, game: Game) -> Driver:
    """The driver of that name for this game.

    Args:
        name: one of `OPPONENTS`.
        contract: of the policy that it is compared with; the untrained network has the same.
        network: likewise.
        game: that is driven.

    Raises:
        KartError: the game has no expert.
    """
    if name == "untrained":
        return untrained_policy(contract, network)
    return make_driver("straight-ahead" if name == "straight" else name, game)
