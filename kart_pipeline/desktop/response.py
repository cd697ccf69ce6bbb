"""How far a virtual device must go for a value of the action: as a share of its way, and in its own numbers."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from kart_pipeline.core.errors import KartError


@dataclass(frozen=True, slots=True)
class Response:
    """From the value of an axis to the deflection of the device that brings it about: the opposite of a dead zone.

    Attributes:
        dead_zone: share of the device's way of which the game does not take notice; any value but 0 begins beyond it.
        curve: exponent of the value: 1 is straight, below 1 begins steeply.
        inverted: the game has the axis the other way round.
        reach: share of the device's way at which the game has all of it.

    Raises:
        KartError: a number that leaves nothing of the axis.
    """

    dead_zone: float = 0.0
    curve: float = 1.0
    inverted: bool = False
    reach: float = 1.0

    def __post_init__(self) -> None:
        if not 0 <= self.dead_zone < 1:
            raise KartError(f"A dead zone is at least 0 and below 1, not {self.dead_zone}.")
        if not 0.1 <= self.curve <= 10:
            raise KartError(f"A curve is an exponent from 0.1 to 10, not {self.curve}.")
        if not self.dead_zone < self.reach <= 1:
            raise KartError(f"The reach is above the dead zone ({self.dead_zone}) and at most 1, not {self.reach}.")

    def deflection(self, value: float) -> float:
        """In [-reach, reach], for a value in [-1, 1]."""
        if not value:
            return 0.0
        size = self.dead_zone + (self.reach - self.dead_zone) * min(1.0, abs(value)) ** self.curve
        return math.copysign(size, -value if self.inverted else value)

    @classmethod
    def parse(cls, data: Any) -> "Response":
        """From a table of settings; what is not named is as usual.

        Raises:
            KartError: it is no table, or has something that a response has not.
        """
        usual = {field.name: field.default for field in fields(cls)}
        if not isinstance(data, Mapping):
            raise KartError(f"an output is a table with some of {', '.join(usual)}, not {data!r}.")
        unknown = sorted(set(data) - set(usual))
        if unknown:
            raise KartError(f"an output has no {', '.join(unknown)}; it has {', '.join(usual)}.")
        for name, value in data.items():
            if isinstance(usual[name], bool):
                if not isinstance(value, bool):
                    raise KartError(f"{name} is true or false, not {value!r}.")
            elif isinstance(value, bool) or not isinstance(value, int | float):
                raise KartError(f"{name} is a number, not {value!r}.")
        return cls(**data)

    @property
    def about(self) -> dict[str, Any]:
        """What of it is not as usual; `parse` gives an equal one back."""
        usual = Response()
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in values.items() if value != getattr(usual, name)}


@dataclass(frozen=True, slots=True)
class Range:
    """The whole numbers in which a device counts the way of an axis.

    Attributes:
        low, rest, high: at -1, 0 and 1; where `low` is above `high`, the device has the axis the other way round.
    """

    low: int
    rest: int
    high: int

    def of(self, value: float) -> int:
        """The nearest number for a value in [-1, 1]; what is beyond is cut, what is not finite rests."""
        if not math.isfinite(value):
            return self.rest
        return round(self.rest + min(1.0, abs(value)) * ((self.high if value > 0 else self.low) - self.rest))


STICK_16 = Range(-32768, 0, 32767)  # XInput, and Linux' xpad
TRIGGER_8 = Range(0, 0, 255)  # the same
BIZHAWK_N64 = Range(-128, 0, 127)  # its core takes the number as a signed byte: 128 would be full left
N64_STICK = Range(-80, 0, 80)  # how far the stick of a real N64 pad comes
