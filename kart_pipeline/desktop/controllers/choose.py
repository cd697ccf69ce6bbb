"""Which controller a program plays with: what `--controller` says, or the best that works here."""

import atexit
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from kart_pipeline.core.errors import KartError
from kart_pipeline.desktop.controllers.base import Controller, UnavailableError
from kart_pipeline.desktop.controllers.dry import DryRun
from kart_pipeline.desktop.controllers.key_senders import open_sender
from kart_pipeline.desktop.controllers.keyboard import Keyboard
from kart_pipeline.desktop.controllers.retroarch import RetroArchPad
from kart_pipeline.desktop.controllers.uinput import UinputPad
from kart_pipeline.desktop.controllers.vgamepad import VigemPad
from kart_pipeline.desktop.controllers.vjoy import VjoyPad
from kart_pipeline.desktop.key_layout import KeyLayout

AUTO = "auto"
KINDS = ("uinput", "vgamepad", "vjoy", "keyboard", "retroarch", "none")
RETROARCH_PORT = 55400  # of its first player
_NOTES = {
    "vgamepad": "Its driver ViGEmBus works, but its makers have given it up: there will be no newer one.",
    "vjoy": "Its driver vJoy works, but has had no new release for years.",
}


@dataclass(frozen=True, slots=True)
class ControllerChoice:
    """What a person asked for.

    Attributes:
        kind: auto, or one of `KINDS`.
        host, port: where RetroArch listens.
    """

    kind: str = AUTO
    host: str = "127.0.0.1"
    port: int = RETROARCH_PORT

    @classmethod
    def parse(cls, text: str) -> "ControllerChoice":
        """From `auto`, `uinput`, `vgamepad`, `vjoy`, `keyboard`, `retroarch`, `retroarch:host:port`, `none`.

        Raises:
            KartError: it is none of these.
        """
        kind, colon, place = text.partition(":")
        if kind not in (AUTO, *KINDS) or (colon and kind != "retroarch"):
            raise KartError(
                f"{text!r} is no controller; write {AUTO}, {', '.join(KINDS)}, and for a RetroArch elsewhere "
                "retroarch:HOST:PORT."
            )
        if not colon:
            return cls(kind)
        host, colon, number = place.rpartition(":") if place.rpartition(":")[2].isdecimal() else (place, "", "")
        port = int(number) if colon else RETROARCH_PORT
        if not host or not 0 < port < 65536 or (":" in host and not host.startswith("[")):
            raise KartError(
                f"{text!r} names no place of a RetroArch; write it as retroarch:192.168.1.5:{RETROARCH_PORT}."
            )
        return cls(kind, host.strip("[]"), port)

    def __str__(self) -> str:
        """As `parse` reads it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.kind}:{host}:{self.port}" if self.kind == "retroarch" else self.kind


@dataclass(frozen=True, slots=True)
class Opened:
    """A controller that is open, and why it is this one."""

    controller: Controller
    why: str

    def describe(self, choice: ControllerChoice) -> str:
        """What a person is told of it."""
        about = self.controller.about
        if self.controller.name == "none":
            return f"--controller {choice} presses nothing: a dry run."
        backend = f" through {about['backend']}" if "backend" in about else ""
        note = f" {_NOTES[self.controller.name]}" if self.controller.name in _NOTES else ""
        return f"--controller {choice} takes the {about['device']}{backend}, {self.why}.{note}"


def open_controller(choice: ControllerChoice, keys: KeyLayout, environ: Mapping[str, str] | None = None) -> Opened:
    """Open what was asked for; of its own accord a virtual gamepad, else the keyboard, never nothing.

    It lets go of everything when the program ends, however it ends but for a kill.

    Args:
        choice: what was asked for.
        keys: of the keyboard.
        environ: instead of this process's environment.

    Raises:
        UnavailableError: it cannot be had here; the sentence says what brings it.
    """
    ways = _ways(choice, keys, environ)
    if choice.kind != AUTO:
        return _kept(ways[choice.kind](), f"as --controller {choice.kind} asks for")
    reasons: list[str] = []
    for kind in _candidates():
        try:
            controller = ways[kind]()
        except UnavailableError as error:
            reasons.append(f"{kind}: {error.reason} ({error.remedy.removesuffix('.')})")
        else:
            return _kept(controller, "since " + "; ".join(reasons) if reasons else "the best that there is")
    remedy = "Or play RetroArch with --controller retroarch, or try everything but the keys with --controller none."
    raise UnavailableError(AUTO, "; ".join(reasons), remedy)


def _candidates() -> tuple[str, ...]:
    pads = {"linux": ("uinput",), "win32": ("vgamepad", "vjoy")}.get(sys.platform, ())
    return (*pads, "keyboard")


def _ways(
    choice: ControllerChoice, keys: KeyLayout, environ: Mapping[str, str] | None
) -> Mapping[str, Callable[[], Controller]]:
    return {
        "uinput": UinputPad,
        "vgamepad": VigemPad,
        "vjoy": VjoyPad,
        "keyboard": lambda: Keyboard(keys, open_sender(keys, environ)),
        "retroarch": lambda: RetroArchPad(choice.host, choice.port),
        "none": DryRun,
    }


def _kept(controller: Controller, why: str) -> Opened:
    atexit.register(controller.close)
    return Opened(controller, why)
