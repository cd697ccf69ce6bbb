"""The person beside the model: what they hold, when it counts as taking over, and what of it is passed on."""

from collections.abc import Callable, Mapping
from typing import Any

from kart_pipeline.core.action import steering_channels
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.frame import now_ns
from kart_pipeline.desktop.mapping import PadMapping
from kart_pipeline.desktop.pad import AXES, BUTTONS, UNPLUGGED, PadState
from kart_pipeline.driving.takeover import Hands
from recorder.devices.device import Device

DEAD_ZONE = 0.15  # of a stick's or a trigger's way: worn ones rest up to a tenth
BACK = "back"  # the button that no kart game needs while driving

_SIDES = frozenset({"dpad_left", "dpad_right"})  # what arrow keys press at once, while they turn the stick by and by


class Person:
    """A pad or a keyboard as the hands that can take over.

    Args:
        device: that they hold; closed with this.
        mapping: to the channels of the game.
        dead_zone: share of a stick's or a trigger's way that counts as no movement.
        back: the button that gives the controls back; "" for none. The game does not get it.
        away: says why the person cannot mean the game now, as when another window has the focus; then hands rest.
        comes_back: an unplugged pad may come back; else the drive ends, for nobody could take over.

    Attributes:
        keys_to_keys: the model presses keys on the very keyboard that the person uses: what they hold is passed on as
            keys, for the pulses of a half-turned stick would tear at those that they hold down.

    Raises:
        KartError: a dead zone that is none, or no such button.
    """

    def __init__(
        self,
        device: Device,
        mapping: PadMapping,
        *,
        dead_zone: float = DEAD_ZONE,
        back: str = BACK,
        away: Callable[[], str | None] = lambda: None,
        comes_back: bool = True,
    ) -> None:
        if not 0 <= dead_zone < 1:
            raise KartError(f"A dead zone is at least 0 and below 1, not {dead_zone}.")
        if back and back not in BUTTONS:
            raise KartError(f"{back!r} is no button to give the controls back with; those are {', '.join(BUTTONS)}.")
        self.device = device
        self._mapping = mapping
        self._dead_zone = dead_zone
        self._back = back
        self.keys_to_keys = False
        self._away = away
        self._comes_back = comes_back
        steering = steering_channels(mapping.spec)
        self._steering = _SIDES.union(*(mapping.controls(name) for name in steering))

    @property
    def about(self) -> Mapping[str, Any]:
        """For the manifest: the device, what is mapped to what, the dead zone of taking over."""
        return {**self.device.about, **self._mapping.about, "takeover_dead_zone": self._dead_zone}

    def hands(self) -> Hands:
        """What they do now.

        Raises:
            KartError: the device is gone for good.
        """
        held = self._held()
        felt = self._felt(held)
        return Hands(
            self._mapping.action(held),
            moved=bool(felt - {self._back}),
            steers=bool(felt & self._steering),
            back=self._back in felt,
        )

    def passed_on(self) -> PadState:
        """How their pad stands now, for the game."""
        held = self._held()
        axes = {} if self.keys_to_keys else held.axes
        return PadState(axes, held.buttons - {self._back})

    def _held(self) -> PadState:
        if self._away() is not None:
            return UNPLUGGED
        held = self.device.at(now_ns())
        if not (held.connected or self._comes_back):
            raise KartError(f"The {self.device.name} was unplugged, so nobody could take over: the drive has ended.")
        return held

    def _felt(self, held: PadState) -> set[str]:
        """The controls that are beyond their dead zone."""
        return {name for name in AXES if abs(held.value(name)) > self._dead_zone} | set(held.buttons)

    def close(self) -> None:
        """Release the device."""
        self.device.close()
