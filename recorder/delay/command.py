"""The command `calibrate`: measure a game's delay on this machine and keep it for the sessions to come."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from kart_pipeline.core.names import checked_id
from kart_pipeline.core.settings import Settings
from kart_pipeline.desktop.controllers.choose import ControllerChoice, open_controller
from kart_pipeline.desktop.key_layout import KeyLayout
from kart_pipeline.desktop.source import Where, open_source
from recorder.delay.kept import KeptDelay, keep_delay
from recorder.delay.measuring import Gauge, Measured, measured
from recorder.delay.press import PRESSED_BUTTON, Person, Presser, Program
from recorder.devices.choose import PadChoice, choose
from recorder.devices.settings import PadSettings
from recorder.display import console, print_json
from recorder.stopping import StopRequest

HEIGHT = 240  # of the pictures that are looked at: a larger one takes longer and shows no earlier what changed


@dataclass(frozen=True, slots=True)
class Plan:
    """What is measured, and how.

    Attributes:
        game: whose delay it is.
        where: on the screen.
        key: that the program presses; None where a person presses a button of `pad`.
        pad: what the person holds.
        times: presses.
    """

    game: str
    where: Where
    key: str | None
    pad: PadChoice
    times: int


def calibrate(plan: Plan, *, as_json: bool) -> None:
    """Press, look, repeat; print what it comes to and keep it.

    Raises:
        KartError: there is nothing to see or to press with, or what was measured cannot be believed.
    """
    checked_id(plan.game, "game name")
    home = Settings.from_env().home
    with ExitStack() as stack:
        source = open_source(plan.where, HEIGHT)
        stack.callback(source.close)
        presser = _presser(plan, home, stack)
        stop = stack.enter_context(StopRequest())
        tell = stack.enter_context(_telling(plan.times))
        gauge = Gauge(source, presser, stop=stop, tell=tell.now)
        presses = []
        for _ in range(plan.times):
            presses.append(gauge.press())
            tell.one_more()
        seen = source.about["seen"]
    found = measured(presses)
    size = f"{seen['width']}x{seen['height']}"
    delay = _kept(found, presser.how)
    path = keep_delay(home, plan.game, size, delay)
    if as_json:
        print_json({"game": plan.game, "size": size, **delay.to_dict(), "kept_in": str(path)})
        return
    console().print(
        f"From a press to the first changed pixel: {found.delay_ms:.0f} ms, spread {found.spread_ms:.0f} ms "
        f"({found.presses} of {found.asked} presses by {presser.how}; a look every {found.look_ms:.1f} ms).\n"
        f"Kept in {path}: each session of {plan.game} that is recorded at {size} from now on carries it.",
        soft_wrap=True,
    )


def _presser(plan: Plan, home: Path, stack: ExitStack) -> Presser:
    if plan.key is None:
        device = choose(plan.pad, PadSettings.load(home)).device
        stack.callback(device.close)
        return Person(device)
    # The one button that is pressed is the key that was asked for, whatever it is.
    keyboard = open_controller(ControllerChoice("keyboard"), KeyLayout({PRESSED_BUTTON: plan.key})).controller
    stack.callback(keyboard.close)
    return Program(keyboard, plan.key)


def _kept(found: Measured, how: str) -> KeptDelay:
    return KeptDelay(
        delay_ms=found.delay_ms,
        spread_ms=found.spread_ms,
        presses=found.presses,
        asked=found.asked,
        look_ms=found.look_ms,
        pressed_by=how,
        measured_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )


class _Telling:
    """What the person sees while it is measured: a bar, or where the output is no terminal a line for each wish."""

    def __init__(self, out: Console, times: int) -> None:
        self._out = out
        self.bar = Progress(
            MofNCompleteColumn(),
            BarColumn(bar_width=20),
            TextColumn("{task.description}"),
            console=out,
            transient=True,
            disable=not out.is_terminal,
        )
        self._task = self.bar.add_task("", total=times)

    def now(self, text: str) -> None:
        """What the person is to do, or what goes on."""
        self.bar.update(self._task, description=text)
        if not self._out.is_terminal:
            self._out.print(text)

    def one_more(self) -> None:
        """A press is over."""
        self.bar.update(self._task, advance=1)


@contextmanager
def _telling(times: int) -> Iterator[_Telling]:
    telling = _Telling(console(stderr=True), times)
    with telling.bar:
        yield telling
