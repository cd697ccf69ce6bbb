"""`python -m player calibrate`: measure how a game answers the stick, and keep it for the drives to come."""

import argparse
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from kart_pipeline.core.action import ActionSpec, roles
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.names import checked_id
from kart_pipeline.core.settings import Settings
from kart_pipeline.desktop.controllers.choose import AUTO, KINDS, ControllerChoice, open_controller
from kart_pipeline.desktop.controllers.guarded import Guarded
from kart_pipeline.desktop.mapping import PadMapping
from kart_pipeline.desktop.pad import PadState
from kart_pipeline.desktop.rect import Rect
from kart_pipeline.desktop.response import Response
from kart_pipeline.desktop.source import Where, open_source
from kart_pipeline.games.controls import controls
from player.calibration.fit import Fitted, Level, fit
from player.calibration.keep import keep, line
from player.calibration.sweep import Sweep
from recorder import arguments as kinds
from recorder.devices.settings import PadSettings
from recorder.display import console
from recorder.stopping import StopRequest

_HEIGHT = 120  # of the pictures that are compared
_SECONDS, _LEAST_S = 0.9, 0.4
_BAR = 20


def run(arguments: Sequence[str] | None) -> int:
    """Sweep, fit, print and keep.

    Returns:
        0.

    Raises:
        KartError: there is nothing to see or to hold, or the response cannot be told.
    """
    given = _parser().parse_args(arguments)
    checked_id(given.game, "game name")
    spec = controls(given.game, given.axes, given.buttons)
    axis = _axis(spec, given.axis)
    held = _held(spec, given.hold)
    home = Settings.from_env().home
    settings = PadSettings.load(home)
    mapping = settings.mapping(given.game, spec)
    choice = ControllerChoice.parse(given.controller)
    where = Where(given.window or "", Rect.parse(given.region) if given.region else None, given.monitor)
    out = console(stderr=True)
    with ExitStack() as stack:
        source = open_source(where, _HEIGHT)
        stack.callback(source.close)
        opened = open_controller(choice, settings.keys)
        stack.callback(opened.controller.close)
        out.print(opened.describe(choice), soft_wrap=True)
        guarded = Guarded(opened.controller, choice, settings.keys)
        stack.callback(guarded.close)
        stop = stack.enter_context(StopRequest())
        bar = stack.enter_context(Progress(console=out, transient=True, disable=not out.is_terminal))
        task = bar.add_task(f"{axis} from side to side", total=1.0)
        state = _states(mapping, axis, held)
        sweep = Sweep(source, guarded, state, given.seconds, stop, lambda done: bar.update(task, completed=done))
        levels, noise = sweep.run()
    _show(console(), levels, noise)
    fitted = fit(levels, noise)
    _tell(console(), axis, fitted)
    if given.no_keep:
        console().print(f"[output.{given.game}]\n{line(axis, fitted.response)}")
    else:
        path = keep(home, given.game, axis, fitted.response)
        console().print(f"Kept in {path}: {line(axis, fitted.response)}", soft_wrap=True)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m player calibrate",
        description="Hold a stick at one deflection after the other, look at how fast the picture turns, and keep what "
        "a virtual pad has to do so that half the steering is half the turning. Bring the kart on a wide place first.",
    )
    add = parser.add_argument
    add("--game", required=True, metavar="NAME", help="what is played there, as mario_kart_64")
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--window", metavar="TITLE", help="the inside of the window with TITLE in its title")
    where.add_argument("--region", metavar="X,Y,W,H", help="these pixels of the desktop")
    where.add_argument("--monitor", type=kinds.count, metavar="N", help="a whole monitor")
    add("--controller", default=AUTO, metavar="WAY", help=f"{AUTO} (default), {', '.join(KINDS[:-1])}")
    add("--axis", default="", metavar="NAME", help="of the game; the one that steers by default")
    add(
        "--hold", type=kinds.names, default=[], metavar="A,…", help="channels that make the kart roll, as A or throttle"
    )
    add("--axes", type=kinds.names, default=[], metavar="NAMES", help="of a game that is not known here")
    add("--buttons", type=kinds.names, default=[], metavar="NAMES", help="of a game that is not known here")
    add("--seconds", type=_seconds, default=_SECONDS, help=f"for which each is held; default {_SECONDS}")
    add("--no-keep", action="store_true", help="only print it")
    return parser


def _seconds(text: str) -> float:
    value = kinds.seconds(text)
    if value < _LEAST_S:
        raise argparse.ArgumentTypeError(f"{text} s are too short to see a turn; {_LEAST_S} is the least")
    return value


def _axis(spec: ActionSpec, wanted: str) -> str:
    axis = wanted or roles(spec)[0]
    if axis not in spec.axes:
        there = ", ".join(spec.axes) or "none"
        raise KartError(f"The game has no axis {axis or 'to steer with'} to calibrate; its axes are: {there}.")
    return axis


def _held(spec: ActionSpec, names: Sequence[str]) -> dict[str, float | bool]:
    unknown = [name for name in names if name not in spec.names]
    if unknown:
        raise KartError(f"--hold: the game has no {', '.join(unknown)}; it has {', '.join(spec.names)}.")
    return {name: 1.0 if name in spec.axes else True for name in names}


def _states(mapping: PadMapping, axis: str, held: dict[str, float | bool]) -> Callable[[float], PadState]:
    """How the pad stands for a deflection of the axis, which is passed on as it is."""
    plain = replace(mapping, output={**mapping.output, axis: Response()})
    return lambda deflection: plain.state(plain.spec.action(**{**held, axis: deflection}))


def _show(out: Console, levels: Sequence[Level], noise: float) -> None:
    most = max(abs(level.turning) for level in levels) or 1.0
    table = Table(title=f"Speed of the picture, in widths a second (at rest: {noise:.3f})")
    for name in ("deflection", "right", "left", "turning"):
        table.add_column(name, justify="right" if name != "turning" else "left")
    for level in levels:
        length = round(_BAR * abs(level.turning) / most)
        numbers = (f"{level.deflection:.2f}", f"{level.right:+.3f}", f"{level.left:+.3f}")
        table.add_row(*numbers, "█" * length + f" {level.turning:.3f}")
    out.print(table)


def _tell(out: Console, axis: str, fitted: Fitted) -> None:
    response = fitted.response
    out.print(
        f"The game takes no notice of {axis} up to {response.dead_zone:.0%} of the stick's way and has all of it at "
        f"{response.reach:.0%}; the fit leaves {fitted.left_over:.0%} over.",
        soft_wrap=True,
    )
    if fitted.backwards:
        out.print(
            "The picture goes where the stick goes; out of a kart it goes the other way. If the kart turned to the "
            "wrong side, set inverted = true.",
            soft_wrap=True,
        )
