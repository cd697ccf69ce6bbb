"""What a drive on the screen needs beside a model: something to see, something to play on, somebody to take over."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from kart_pipeline.core.contract import Contract
from kart_pipeline.core.errors import KartError
from kart_pipeline.desktop.controllers.choose import open_controller
from kart_pipeline.desktop.controllers.guarded import Guarded
from kart_pipeline.desktop.controllers.keyboard import without_key
from kart_pipeline.desktop.mapping import PadMapping
from kart_pipeline.desktop.source import open_source
from kart_pipeline.games.desktop import DesktopGame, Output
from player.live.person import Person
from player.live.wishes import Wishes
from recorder.devices.choose import choose
from recorder.devices.device import NoDeviceError
from recorder.devices.settings import PadSettings

_STEPS = 3  # for which an action is held at least: one that comes in its own time is not late

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Seat:
    """All of it, open.

    Attributes:
        game: on the screen.
        mapping: between its channels and a pad.
        controller: that the model plays on; None in shadow mode.
        person: who may take over; None for nobody.
    """

    game: DesktopGame
    mapping: PadMapping
    controller: Guarded | None
    person: Person | None

    @property
    def about(self) -> Mapping[str, Any]:
        """For the manifest: what the model and the person hold."""
        return {
            **({} if self.controller is None else {"controller": dict(self.controller.about)}),
            **self.mapping.about,
            **({"output": output} if (output := self.mapping.about_output) else {}),
            **({} if self.person is None else {"person": dict(self.person.about)}),
        }


def take_seat(
    game: str, contract: Contract, height: int, wishes: Wishes, pads: PadSettings, tell: Tell, stack: ExitStack
) -> Seat:
    """Look at the screen, take up the person's pad, and then plug in the virtual one: so neither passes for the other.

    Args:
        game: its name.
        contract: of the model.
        height: of the frames that it learned from.
        wishes: of the person.
        pads: settings of pads and keys.
        tell: is told what was chosen, and why.
        stack: closes everything, the controls first.

    Raises:
        KartError: there is nothing to see, or what was asked for is not there.
    """
    mapping = pads.mapping(game, contract.spec)
    source = open_source(wishes.where, height)
    seen = DesktopGame(source, game, wishes.track, contract.spec, contract.rate_hz)
    stack.callback(seen.close)
    person = _person(wishes, pads, mapping, seen, tell)
    if person is not None:
        stack.callback(person.close)
    controller = None if wishes.shadow else _controller(wishes, contract.rate_hz, pads, mapping, tell)
    if controller is not None:
        stack.callback(controller.close)
        seen.output = Output(
            controller,
            mapping,
            person.passed_on if person else None,
            needs_focus=not wishes.background and controller.name != "none",
        )
        if person is not None:
            person.keys_to_keys = controller.name == "keyboard" and person.device.about["device"] == "keyboard"
    return Seat(seen, mapping, controller, person)


def _controller(wishes: Wishes, rate_hz: float, pads: PadSettings, mapping: PadMapping, tell: Tell) -> Guarded:
    opened = open_controller(wishes.controller, pads.keys)
    if wishes.background and opened.controller.name == "keyboard":
        opened.controller.close()
        raise KartError("Here only keys can be pressed, and they reach the window that has the focus: no --background.")
    tell(opened.describe(wishes.controller))
    lacking = without_key(mapping, pads.keys) if opened.controller.name == "keyboard" else []
    if lacking:
        tell(f"No key moves {', '.join(lacking)}; the section [keyboard] of pads.toml can give them one.")

    hold_s = max(wishes.hold_s, _STEPS / rate_hz)
    late = sparingly(tell, f"Let go: no action came for {hold_s:.2g} s. It drives on with the next one.")
    try:
        return Guarded(opened.controller, wishes.controller, pads.keys, hold_s, late)
    except BaseException:
        opened.controller.close()
        raise


def _person(wishes: Wishes, pads: PadSettings, mapping: PadMapping, game: DesktopGame, tell: Tell) -> Person | None:
    if wishes.pad is None:
        tell("Nobody can take over (--pad none); Ctrl-C lets go and ends.")
        return None
    try:
        chosen = choose(wishes.pad, pads, beside_program=not wishes.shadow)
    except NoDeviceError as nothing:
        raise KartError(f"{nothing} To drive without anybody to take over, pass --pad none.") from nothing
    try:
        person = Person(
            chosen.device,
            mapping,
            dead_zone=wishes.dead_zone,
            back=wishes.back,
            away=lambda: game.obstacle,
            comes_back=wishes.shadow,
        )
    except BaseException:
        chosen.device.close()
        raise
    tell(chosen.describe(wishes.pad))
    return person


def sparingly(tell: Tell, sentence: str) -> Callable[[], None]:
    """Tells a sentence the 1st, 2nd, 4th, 8th … time that it is called: what happens all the time hides all else."""
    times = 0

    def again() -> None:
        nonlocal times
        times += 1
        if times.bit_count() == 1:
            tell(f"{sentence} This is the {times}th time." if times > 2 else sentence)

    return again
