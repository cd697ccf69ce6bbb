"""The monitors and windows that can be recorded, as a table or JSON."""

from rich.table import Table

from kart_pipeline.core.errors import KartError
from kart_pipeline.desktop.pixels import Pixels
from kart_pipeline.desktop.rect import Rect
from kart_pipeline.desktop.windows import WindowInfo, open_windows
from recorder.display import console, print_json


def list_screens(*, as_json: bool = False) -> None:
    """Print them.

    Raises:
        KartError: the screen cannot be read here.
    """
    with Pixels() as pixels:
        monitors = list(pixels.monitors)
    try:
        windows = _windows()
        trouble = ""
    except KartError as error:  # regions and monitors are still there to record
        windows, trouble = [], str(error)
    if as_json:
        print_json(
            {
                "monitors": [{"number": number, **rect.to_dict()} for number, rect in enumerate(monitors, 1)],
                "windows": [
                    {"title": window.title, "inside": window.inside.to_dict() if window.inside else None}
                    for window in windows
                ],
            }
        )
        return
    out = console()
    out.print(_table(monitors, windows))
    if trouble:
        out.print(trouble, soft_wrap=True)


def _windows() -> list[WindowInfo]:
    windows = open_windows()
    try:
        return list(windows.all())
    finally:
        windows.close()


def _table(monitors: list[Rect], windows: list[WindowInfo]) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("record it with", no_wrap=True)
    table.add_column("size", justify="right", no_wrap=True)
    table.add_column("at", justify="right", no_wrap=True)
    for number, rect in enumerate(monitors, 1):
        table.add_row(f"--monitor {number}", rect.size, f"{rect.left},{rect.top}")
    for window in windows:
        inside = window.inside
        place = (inside.size, f"{inside.left},{inside.top}") if inside else ("minimised", "")
        table.add_row(f'--window "{window.title}"', *place)
    return table
