"""Keys as a standard pad: held arrows turn the stick bit by bit, as a hand would."""

import math
from collections.abc import Collection
from dataclasses import dataclass

from kart_pipeline.desktop.key_layout import ARROWS, RETURN_PER_S, TURN_PER_S, KeyLayout
from kart_pipeline.desktop.pad import PadState
from recorder.devices.timeline import Timeline


@dataclass(frozen=True, slots=True)
class _Held:
    """From `t_ns` on the `controls` are held; the stick stood at `x` and `y` then."""

    t_ns: int
    controls: frozenset[str]
    x: float = 0.0
    y: float = 0.0


class KeyStick:
    """The pad that keys make; whoever hears the keys says which are held."""

    def __init__(self, layout: KeyLayout, t_ns: int) -> None:
        self.layout = layout
        self._held: Timeline[_Held] = Timeline(_Held(t_ns, frozenset()))

    def hold(self, t_ns: int, keys: Collection[str]) -> None:
        """From `t_ns` on exactly these keys are held, by our names; those that are not of the layout are not kept."""
        last = self._held.last
        controls = frozenset(control for control, key in self.layout.keys.items() if key in keys)
        if controls != last.controls:
            self._held.push(t_ns, _Held(t_ns, controls, *self._stick(last, t_ns)))

    def at(self, t_ns: int) -> PadState:
        """Where the keys have turned the stick by `t_ns`: left_x and left_y, and up and down as triggers too."""
        held = self._held.at(t_ns)
        x, y = self._stick(held, t_ns)
        axes = {"left_x": x, "left_y": y, "right_trigger": max(0.0, y), "left_trigger": max(0.0, -y)}
        buttons = {f"dpad_{name}" if name in ARROWS else name for name in held.controls}
        return PadState(axes, frozenset(buttons))

    def _stick(self, held: _Held, t_ns: int) -> tuple[float, float]:
        x = ("right" in held.controls) - ("left" in held.controls)
        y = ("up" in held.controls) - ("down" in held.controls)
        if not self.layout.ramp:
            return float(x), float(y)
        passed = (t_ns - held.t_ns) / 1e9
        return ramp(held.x, x, passed), ramp(held.y, y, passed)


def ramp(value: float, target: float, seconds: float) -> float:
    """`value` on its way to `target` after so many seconds; faster towards the middle than away from it."""
    if value * target < 0:
        back_s = abs(value) / RETURN_PER_S
        return ramp(value, 0.0, seconds) if seconds < back_s else ramp(0.0, target, seconds - back_s)
    step = (RETURN_PER_S if target == 0 else TURN_PER_S) * seconds
    return float(target) if abs(target - value) <= step else value + math.copysign(step, target - value)
