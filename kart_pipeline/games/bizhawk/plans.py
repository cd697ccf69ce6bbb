"""What a search for the right action tries in a game of the tables."""

from kart_pipeline.core.action import ActionSpec
from kart_pipeline.games.bizhawk.tables import GameTable
from kart_pipeline.games.search import Plan, fan


def plan(table: GameTable, spec: ActionSpec) -> Plan:
    """The plan of a game's table.

    Args:
        table: of the game.
        spec: what a driver does in it.

    Raises:
        KartError: there is no such button, or what the table says makes no search.
    """
    wish = table.search
    tried = fan(spec, wish.steers, held=wish.held)
    return Plan(
        fan=tried,
        coast=tried[0],
        hold_s=wish.hold_s,
        coast_s=wish.coast_s,
        depth=wish.depth,
        width=wish.width,
        speed=wish.speed,
        off_track=wish.off_track,
        hit=wish.hit,
        change=wish.change,
    )
