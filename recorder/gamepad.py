"""Any gamepad that SDL has a mapping for, Xbox and PlayStation alike, on every system."""

from kart_pipeline.core.action import Action, ActionSpec
from kart_pipeline.core.errors import KartError
from recorder.pads import roles
from recorder.window import Window

DEAD_ZONE = 0.06  # of the stick's way: worn sticks rest up to there, and zero must stay zero in the labels
_FULL = 32767  # SDL's axes reach from -32768 to 32767, its triggers from 0
_BUTTONS = ("A", "B", "X", "Y", "RIGHTSHOULDER", "LEFTSHOULDER")  # SDL's names, by position on an Xbox pad
_SHORT = {"R": "RIGHTSHOULDER", "RB": "RIGHTSHOULDER", "L": "LEFTSHOULDER", "LB": "LEFTSHOULDER"}


class GamepadPad:
    """The left stick steers; the triggers drive and brake, or the stick pitches where the game has a pitch.

    Args:
        spec: of the game.
        window: takes SDL's events; it stays the caller's to close.

    Raises:
        KartError: no gamepad is connected, or SDL has no mapping for those that are.
    """

    def __init__(self, spec: ActionSpec, window: Window) -> None:
        import pygame
        from pygame._sdl2 import controller

        controller.init()
        pads = range(controller.get_count())
        index = next((i for i in pads if controller.is_controller(i)), None)
        if index is None:
            found = f"SDL does not know the mapping of the {len(pads)} connected" if pads else "none is connected"
            raise KartError(f"There is no gamepad to drive with: {found}. Plug one in, or use --driver keyboard.")
        self._pad = controller.Controller(index)
        self._pygame = pygame
        self._spec = spec
        self._window = window
        self._steer, self._drive = roles(spec)
        names = buttons(spec)
        self._buttons = {button: getattr(pygame, f"CONTROLLER_BUTTON_{name}") for button, name in names.items()}
        mapping = {self._steer: "left stick x"} | {button: name.lower() for button, name in names.items()}
        if self._drive:
            mapping[self._drive] = "left stick y" if self._drive == "pitch" else "right trigger - left trigger"
        self.about = {"device": "gamepad", "name": self._pad.name, "mapping": mapping, "dead_zone": DEAD_ZONE}

    @property
    def done(self) -> bool:
        """Escape was pressed in the window, or it was closed."""
        return self._window.done

    def read(self) -> Action:
        """How stick, triggers and buttons stand now; up and right are positive."""
        self._window.pump()
        if not self._pad.attached():
            raise KartError("The gamepad was unplugged.")
        pygame, pad = self._pygame, self._pad
        values: dict[str, float] = {self._steer: stick(pad.get_axis(pygame.CONTROLLER_AXIS_LEFTX))}
        if self._drive == "pitch":
            values["pitch"] = -stick(pad.get_axis(pygame.CONTROLLER_AXIS_LEFTY))  # SDL's y grows downwards
        elif self._drive:
            gas = pad.get_axis(pygame.CONTROLLER_AXIS_TRIGGERRIGHT)
            brake = pad.get_axis(pygame.CONTROLLER_AXIS_TRIGGERLEFT)
            values[self._drive] = max(-1.0, min(1.0, (gas - brake) / _FULL))
        pressed = {name: bool(pad.get_button(code)) for name, code in self._buttons.items()}
        return self._spec.action(**values, **pressed)

    def close(self) -> None:
        """Release the pad; may be called more than once."""
        self._pad.quit()


def buttons(spec: ActionSpec) -> dict[str, str]:
    """SDL's button for each button of the game: the one of the same name, for other names the next free one.

    Raises:
        KartError: the game has more buttons than a pad.
    """
    found = {name: _SHORT.get(name, name) for name in spec.buttons if _SHORT.get(name, name) in _BUTTONS}
    free = [name for name in _BUTTONS if name not in found.values()]
    others = [name for name in spec.buttons if name not in found]
    if len(others) > len(free):
        raise KartError(f"A gamepad has no buttons left for {', '.join(others[len(free) :])} of the game.")
    return found | dict(zip(others, free, strict=False))


def stick(raw: int) -> float:
    """SDL's -32768 … 32767 as -1 … 1, with the dead zone cut out and the rest stretched to the full range."""
    value = max(-1.0, raw / _FULL)
    beyond = abs(value) - DEAD_ZONE
    return 0.0 if beyond <= 0 else (beyond if value > 0 else -beyond) / (1 - DEAD_ZONE)
