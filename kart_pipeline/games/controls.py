"""The controls of a game that is only seen: by its name, or as a person lists them."""

from collections.abc import Mapping, Sequence

from kart_pipeline.core.action import ActionSpec
from kart_pipeline.core.errors import KartError
from kart_pipeline.games.bizhawk.consoles import N64_SPEC, SNES_SPEC
from kart_pipeline.games.registry import GAMES

__all__ = ["N64_SPEC", "controls", "known_controls"]

_KNOWN: Mapping[str, ActionSpec] = {
    "mario_kart_64": N64_SPEC,
    "super_mario_kart": SNES_SPEC,
    **{name: info.contract.spec for name, info in GAMES.items()},
}


def known_controls(game: str) -> ActionSpec | None:
    """What a person does in `game`; None where that is not known here."""
    return _KNOWN.get(game)


def controls(game: str, axes: Sequence[str] = (), buttons: Sequence[str] = ()) -> ActionSpec:
    """What a person does in `game`.

    Args:
        game: what is played.
        axes: names, of which the first steers; with `buttons` they take the place of the game's own.
        buttons: names; a left and a right one change places in a mirrored picture.

    Raises:
        KartError: the game is not known and nothing is listed, or a name is none.
    """
    if axes or buttons:
        sides = (("left", "right"),) if {"left", "right"} <= set(buttons) else ()
        return ActionSpec(tuple(axes), tuple(buttons), tuple(axes[:1]), sides)
    if game not in _KNOWN:
        raise KartError(
            f"What the controls of {game} are is not known here (known: {', '.join(sorted(_KNOWN))}); list them, as "
            "--axes steer,throttle --buttons A,B. The first axis is the one that steers."
        )
    return _KNOWN[game]
