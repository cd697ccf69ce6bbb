"""Scorecards as tables for people: drivers side by side, one driver drive by drive, and track by track."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from kart_pipeline.driving.scorecard import Scorecard
from kart_pipeline.driving.tally import Drive

if TYPE_CHECKING:
    from rich.table import Table

UNKNOWN = "-"


def table(cards: Sequence[Scorecard]) -> "Table":
    """Scorecards side by side for the terminal, one column a driver."""
    from rich.table import Table

    result = Table(title=_title(cards))
    result.add_column("")
    for card in cards:
        result.add_column(card.driver, justify="right")
    for name, cells in _rows(cards):
        result.add_row(name, *cells)
    return result


def markdown(cards: Sequence[Scorecard]) -> str:
    """The same as a Markdown table."""
    lines = [["", *(card.driver.replace("|", r"\|") for card in cards)], ["---", *("---:" for _ in cards)]]
    lines += [[name, *cells] for name, cells in _rows(cards)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def by_drive(card: Scorecard) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """The drives of one driver as a heading and a row each; what the game tells of none has no column."""
    columns: list[tuple[str, Callable[[Drive], str | None]]] = [
        ("seed", lambda drive: None if drive.seed is None else str(drive.seed)),
        ("score", lambda drive: f"{drive.score:.1f}"),
        ("progress", lambda drive: _known(drive.progress, ".1%")),
        ("off track", lambda drive: _known(drive.off_track, ".1%")),
        ("longest standstill", _standstill),
        ("collisions", lambda drive: _known(drive.collisions, "d")),
        ("laps, s", _laps),
        ("steps", lambda drive: str(drive.steps)),
        ("finish, s", lambda drive: "DNF" if drive.finish_s is None else f"{drive.finish_s:.1f}"),
        ("game time", lambda drive: f"{drive.game_seconds:.1f} s"),
        ("ended", lambda drive: drive.ended),
    ]
    cells = {name: [tell(drive) for drive in card.drives] for name, tell in columns}
    told = {name: column for name, column in cells.items() if any(cell is not None for cell in column)}
    rows = zip(*told.values(), strict=True)
    return tuple(told), [tuple(UNKNOWN if cell is None else cell for cell in row) for row in rows]


def by_track(cards: Sequence[Scorecard]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """What each driver does on each track, as a heading and a row each; no rows where no track is driven twice.

    Times are of the drives that reached the goal.
    """
    heading = ("track", "driver", "finished", "mean time, s", "best time, s", "best lap, s", "progress")
    drives: dict[tuple[str, str], list[Drive]] = {}
    for card in cards:
        for drive in card.drives:
            drives.setdefault((drive.track, card.driver), []).append(drive)
    if all(len(driven) == 1 for driven in drives.values()):
        return heading, []
    rows = []
    for (track, driver), driven in sorted(drives.items(), key=lambda item: item[0][0]):
        times = [drive.finish_s for drive in driven if drive.finish_s is not None]
        laps = [lap for drive in driven for lap in drive.lap_times or ()]
        shares = [drive.progress for drive in driven if drive.progress is not None]
        cells = (
            _known(sum(times) / len(times) if times else None, ".2f"),
            _known(min(times, default=None), ".2f"),
            _known(min(laps, default=None), ".2f"),
            _known(sum(shares) / len(shares) if shares else None, ".1%"),
        )
        known = [UNKNOWN if cell is None else cell for cell in cells]
        rows.append((track, driver, f"{len(times)} of {len(driven)}", *known))
    return heading, rows


def _known(value: float | None, spec: str) -> str | None:
    return None if value is None else format(value, spec)


def _standstill(drive: Drive) -> str | None:
    if drive.standstill is None or drive.standstill_at is None:
        return None
    return f"{drive.standstill:.1f} s at {drive.standstill_at:.0%}"


def _laps(drive: Drive) -> str | None:
    return ", ".join(f"{seconds:.2f}" for seconds in drive.lap_times) if drive.lap_times else None


def _title(cards: Sequence[Scorecard]) -> str:
    games = sorted({card.game for card in cards})
    counts = sorted({len(card.drives) for card in cards})
    return f"{', '.join(games)}: {' or '.join(map(str, counts))} drives each"


def _rows(cards: Sequence[Scorecard]) -> list[tuple[str, list[str]]]:
    def interval(card: Scorecard) -> str:
        return UNKNOWN if card.interval is None else f"{card.interval[0]:.0f} to {card.interval[1]:.0f}"

    rows = [
        ("mean score", [f"{card.mean:.1f}" for card in cards]),
        ("95 % interval", [interval(card) for card in cards]),
        ("worst", [f"{card.worst:.1f}" for card in cards]),
        ("worst decile", [f"{card.decile:.1f}" for card in cards]),
        ("best", [f"{card.best:.1f}" for card in cards]),
        ("finished", [f"{card.finished:.0%}" for card in cards]),
        ("progress", [_format(card.progress, ".1%") for card in cards]),
        ("off track", [_format(card.off_track, ".1%") for card in cards]),
        ("steering change per step", [_format(card.smoothness, ".3f") for card in cards]),
        ("game seconds per drive", [f"{card.game_seconds:.1f}" for card in cards]),
    ]
    # Few games count these: a row of dashes would tell nobody anything.
    for name, figures, spec in (
        ("finish time, s", [card.finish_time for card in cards], ".1f"),
        ("lap time, s", [card.lap_time for card in cards], ".2f"),
        ("collisions per drive", [card.collisions for card in cards], ".1f"),
        ("times stuck per drive", [card.stuck for card in cards], ".2f"),
    ):
        if any(figure is not None for figure in figures):
            rows.append((name, [_format(figure, spec) for figure in figures]))
    if any(card.interventions for card in cards):
        rows.append(("interventions", [str(card.interventions) for card in cards]))
        rows.append(("autonomy, 6 s an intervention", [_format(card.hands_off, ".1%") for card in cards]))
    if any(card.recoveries for card in cards):
        rows.append(("recoveries", [str(card.recoveries) for card in cards]))
    if any(card.autonomy not in (None, 1.0) for card in cards):
        rows.append(("autonomy", [_format(card.autonomy, ".1%") for card in cards]))
    return rows


def _format(value: float | None, spec: str) -> str:
    return _known(value, spec) or UNKNOWN
