"""What a drive's session says of itself, whoever records it."""

from collections.abc import Mapping
from typing import Any

from kart_pipeline.core.manifest import Codec, SessionHeader
from kart_pipeline.core.names import new_session_id
from kart_pipeline.games.base import Game


def usual_codec(*, simulated: bool) -> Codec:
    """Of a game's frames: one that waits for us can afford the lossless way."""
    return "png" if simulated else "jpeg"


def session_header(
    game: Game, seed: int | None, driver: Mapping[str, Any], codec: Codec, *, displaced: bool = False
) -> SessionHeader:
    """The header of a session that begins now in `game`, which has been reset with `seed` and knows its track.

    Args:
        game: that is driven.
        seed: of its course.
        driver: who drives and with what.
        codec: of the frames.
        displaced: the drive began beside the line.
    """
    source = {"kind": "simulated" if game.simulated else "real-time", "seed": seed, **game.about}
    return SessionHeader(
        id=new_session_id(game.name),
        game=game.name,
        track=game.track,
        group=game.group,
        rate_hz=game.rate_hz,
        spec=game.spec,
        source=source | ({"displaced": True} if displaced else {}),
        driver=driver,
        codec=codec,
    )
