"""`python -m recorder devices`: what can be driven with, live on the terminal; pads that SDL does not know."""

from pathlib import Path

from rich.console import Console
from rich.table import Table

from kart_pipeline.core.errors import KartError
from recorder.devices.choose import Chosen, PadChoice, choose, look_around
from recorder.devices.settings import PadSettings
from recorder.devices.view import watch
from recorder.devices.wizard import teach
from recorder.display import console, print_json
from recorder.stopping import StopRequest


def list_devices(home: Path, choice: PadChoice, *, as_json: bool) -> None:
    """Print what is there, and which of it would be taken.

    Raises:
        KartError: nothing fits `choice`; what was seen has been printed.
    """
    found = look_around(home)
    chosen, trouble = _chosen(home, choice)
    if as_json:
        taken = {"about": dict(chosen.device.about), "why": chosen.why} if chosen else None
        print_json(
            {"devices": [item.to_dict() for item in found], "chosen": taken, "trouble": str(trouble or "") or None}
        )
    else:
        out = console()
        table = Table(box=None, pad_edge=False)
        for name in ("--pad", "name", "usable", "note"):
            table.add_column(name, no_wrap=name != "note")
        for item in found:
            table.add_row(item.backend, item.name, "yes" if item.usable else "no", item.note)
        out.print(table)
        if chosen:
            out.print(chosen.describe(choice), soft_wrap=True)
    if chosen:
        chosen.device.close()
    if trouble and not as_json:
        raise trouble


def show_device(home: Path, choice: PadChoice, seconds: float | None) -> None:
    """Show the pad live, and what its dead zone ought to be.

    Raises:
        KartError: there is none, or it cannot be read any more.
    """
    out = console()
    chosen = choose(choice, PadSettings.load(home))
    try:
        out.print(chosen.describe(choice), soft_wrap=True)
        with StopRequest() as stop:
            drift = watch(chosen, out, seconds=seconds, stop=stop)
    finally:
        chosen.device.close()
    if chosen.device.about["device"] == "gamepad":
        out.print(drift.advice, soft_wrap=True)


def map_device(home: Path, choice: PadChoice) -> None:
    """Ask for every control of a pad that SDL does not know, and keep the answers.

    Raises:
        KartError: there is none, it was unplugged, or the answers cannot be kept.
    """
    out = console()
    if choice.backend not in ("auto", "sdl"):
        raise KartError(f"A layout is taught to SDL only; --pad {choice.backend} knows none. Use --pad sdl.")
    line = teach(home, choice.name, lambda text: _say(out, text))
    out.print(f"SDL knows this pad from now on: {line}", soft_wrap=True)


def _say(out: Console, text: str) -> None:
    out.print(text, soft_wrap=True)


def _chosen(home: Path, choice: PadChoice) -> tuple[Chosen | None, KartError | None]:
    try:
        return choose(choice, PadSettings.load(home)), None
    except KartError as trouble:
        return None, trouble
