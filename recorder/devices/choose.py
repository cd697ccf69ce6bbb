"""Which device a person drives with: what `--pad` says, or the best that is there."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kart_pipeline.core.errors import KartError
from recorder.devices.device import PLUG_IN, Device, NoDeviceError
from recorder.devices.found import Found, linux_hint
from recorder.devices.inputs_backend import InputsPad, inputs_pads
from recorder.devices.keys import open_keyboard
from recorder.devices.sdl import SdlPad, sdl_pads
from recorder.devices.settings import PadSettings

BACKENDS = ("sdl", "inputs", "keyboard")
AUTO = "auto"


@dataclass(frozen=True, slots=True)
class PadChoice:
    """What a person asked for.

    Attributes:
        backend: sdl, inputs, keyboard or auto.
        name: a part of the pad's name; "" takes any.
    """

    backend: str = AUTO
    name: str = ""

    @classmethod
    def parse(cls, text: str) -> "PadChoice":
        """From `auto`, `sdl`, `sdl:8bitdo`, `inputs`, `keyboard`.

        Raises:
            KartError: it is none of these.
        """
        backend, _, name = text.partition(":")
        if backend not in (AUTO, *BACKENDS) or (name and backend == "keyboard"):
            raise KartError(
                f"{text!r} is no way to read a pad; write {AUTO}, {', '.join(BACKENDS)}, and after a colon a part of a "
                "gamepad's name, as sdl:xbox."
            )
        return cls(backend, name)


@dataclass(frozen=True, slots=True)
class Chosen:
    """A device that is open, and why it is this one."""

    device: Device
    why: str

    def describe(self, choice: PadChoice) -> str:
        """What a person is told of it."""
        about = self.device.about
        asked = f"{choice.backend}:{choice.name}" if choice.name else choice.backend
        name = " ".join(filter(None, [about["device"], about.get("name")]))
        return f"--pad {asked} takes the {name} through {about['backend']}, {self.why}."


def choose(choice: PadChoice, settings: PadSettings, *, beside_program: bool = False) -> Chosen:
    """Open what was asked for; of its own accord a pad that SDL knows, else one through `inputs`, else the keyboard.

    Args:
        choice: what was asked for.
        settings: of pads and keys.
        beside_program: a program plays too, on a virtual pad that is not there yet, or on the keyboard: what that does
            must not be taken for the person's. So keys count only where a person presses them, and a pad that was
            unplugged does not come back, for the next that is found may be the virtual one.

    Raises:
        NoDeviceError: there is none; the sentence says what does work.
        KartError: the library for it is missing, or it cannot be opened.
    """
    ways: dict[str, Callable[[], Device]] = {
        "sdl": lambda: SdlPad(choice.name, settings.home, comes_back=not beside_program),
        "inputs": lambda: InputsPad(choice.name, comes_back=not beside_program),
        "keyboard": lambda: open_keyboard(settings.keys, by_hand=beside_program),
    }
    if choice.backend != AUTO:
        return Chosen(ways[choice.backend](), f"as --pad {choice.backend} asks for")
    if choice.name:
        del ways["keyboard"]
    reasons: list[str] = []
    for backend, open_device in ways.items():
        try:
            device = open_device()
        except NoDeviceError as nothing:
            reasons.append(f"{backend}: {nothing.reason}")
        except KartError as error:  # a library that is not installed is no reason not to try the next
            reasons.append(f"{backend}: {error}")
        else:
            why = "since " + "; ".join(reasons) if reasons else "the best way to read a pad"
            return Chosen(device, why)
    raise NoDeviceError("pad", "; ".join(reasons), linux_hint() or PLUG_IN)


def look_around(home: Path) -> list[Found]:
    """All devices that can be seen, and for every way of reading that fails, why it does."""
    ways: dict[str, Callable[[], list[Found]]] = {
        "sdl": lambda: sdl_pads(home),
        "inputs": inputs_pads,
        "keyboard": lambda: _keyboards(PadSettings.load(home)),
    }
    found: list[Found] = []
    for backend, look in ways.items():
        try:
            found += look() or [Found(backend, "", False, "none is seen")]
        except NoDeviceError as nothing:
            found.append(Found(backend, "", False, nothing.reason))
        except KartError as error:
            found.append(Found(backend, "", False, str(error)))
    return found


def _keyboards(settings: PadSettings) -> list[Found]:
    device = open_keyboard(settings.keys)
    device.close()
    keys = ", ".join(f"{control} {key}" for control, key in settings.keys.keys.items())
    return [Found("keyboard", device.name, True, f"heard in every window; {keys}")]
