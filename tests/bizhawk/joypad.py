"""BizHawk's `joypad` library and what it makes of a person's pad, sticky values and overrides (InputManager.cs)."""

from collections.abc import Callable, Mapping
from typing import Any

BUTTONS = ("P1 A", "P1 B", "P1 Z", "P1 R", "P1 L", "P1 Start")
AXES = ("P1 X Axis", "P1 Y Axis")


class Joypad:
    """The first pad of an N64.

    Args:
        analog: it is a BizHawk that has `set_analog`.

    Attributes:
        person: how the person's own pad stands: numbers of axes, names of buttons that are pressed.
    """

    def __init__(self, *, analog: bool) -> None:
        self._analog = analog
        self.person: dict[str, int | bool] = dict.fromkeys(AXES, 0) | dict.fromkeys(BUTTONS, False)
        self._overrides: dict[str, bool] = {}
        self._axis_overrides: dict[str, int] = {}
        self._sticky: dict[str, int] = {}

    def effective(self) -> dict[str, int | bool]:
        """What the core gets in the next frame; overrides are gone after that."""
        held: dict[str, int | bool] = {name: self._overrides.get(name, bool(self.person[name])) for name in BUTTONS}
        for name in AXES:
            own, sticky = int(self.person[name]), self._sticky.get(name, 0)
            value = self._axis_overrides.get(name, 0 if own and sticky else own or sticky)
            held[name] = (value + 128) % 256 - 128  # the core casts to a signed byte
        self._overrides, self._axis_overrides = {}, {}
        return held

    def _set(self, buttons: Mapping[str, Any], pad: int | None = None) -> None:
        if pad is not None:
            raise ValueError("kart.lua names buttons in full")
        self._overrides = {str(name): bool(held) for name, held in dict(buttons).items()}

    def _setanalog(self, axes: Mapping[str, Any]) -> None:
        for name, value in dict(axes).items():
            try:
                self._sticky[name] = int(str(value))  # as long.TryParse: "63.7" is none
            except ValueError:
                self._sticky.pop(name, None)

    def _set_analog(self, axes: Mapping[str, Any]) -> None:
        for name, value in dict(axes).items():
            if not isinstance(value, int):
                raise TypeError(f"{name} is no integer")
            self._axis_overrides[name] = value

    def library(self, table: Callable[[Mapping[str, Any]], Any]) -> dict[str, Callable[..., object]]:
        """By its names in Lua; `table` makes a Lua table."""
        found: dict[str, Callable[..., object]] = {
            "set": self._set,
            "setanalog": self._setanalog,
            "getimmediate": lambda: table(self.person),
        }
        return found | ({"set_analog": self._set_analog} if self._analog else {})
