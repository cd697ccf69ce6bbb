"""What a person holds, as the controls of one game, and the driver behind it."""

from collections.abc import Mapping
from typing import Any, Protocol

from kart_pipeline.core.action import Action
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.frame import Choice, Frame, now_ns
from kart_pipeline.desktop.mapping import PadMapping
from recorder.devices.device import Device
from recorder.window import Window


class Pad(Protocol):
    """The controls of a game in a person's hands."""

    @property
    def about(self) -> Mapping[str, Any]:
        """For the manifest: device, its own name, what is mapped to what."""

    @property
    def done(self) -> bool:
        """The person asked for the end (Escape, a closed window)."""

    def read(self, t_ns: int | None = None) -> Action:
        """How the controls stood at a time of `core.frame.now_ns`, None for now; never blocks.

        Raises:
            KartError: the device is gone.
        """

    def close(self) -> None:
        """Release the device; may be called more than once."""


class DevicePad:
    """A device whose controls are the channels of a game.

    Args:
        device: is closed with the pad.
        mapping: from the standard pad to the game.
        window: hears Escape, and takes in its events with each reading; it stays the caller's to close. None where the
            game has its own.
        wait: an unplugged pad is neutral until it comes back; else it ends the drive.
    """

    def __init__(
        self, device: Device, mapping: PadMapping, window: Window | None = None, *, wait: bool = False
    ) -> None:
        self.device = device
        self._mapping = mapping
        self._window = window
        self._wait = wait
        self.about = {**device.about, **mapping.about}

    @property
    def done(self) -> bool:
        """Escape was pressed in the window, or it was closed."""
        return self._window is not None and self._window.done

    def read(self, t_ns: int | None = None) -> Action:
        """The game's controls as the device stood."""
        if self._window is not None:
            self._window.pump()
        state = self.device.at(now_ns() if t_ns is None else t_ns)
        if not state.connected and not self._wait:
            raise KartError("The gamepad was unplugged.")
        return self._mapping.action(state)

    def close(self) -> None:
        """Release the device."""
        self.device.close()


class Human:
    """A person as a driver: what they do is the label.

    Args:
        pad: what they hold.
        live: frames carry the time at which they were on the screen, and what the person did at that very time belongs
            to them; a simulated game's frames have its own time, and what the person does now counts.
    """

    name = "human"

    def __init__(self, pad: Pad, *, live: bool = False) -> None:
        self._pad = pad
        self._live = live

    def reset(self) -> None:
        """Nothing to forget: the hands stay where they are."""

    def act(self, frame: Frame) -> Choice:
        """What the person does."""
        action = self._pad.read(frame.t_ns if self._live else None)
        return Choice(action, "human", label=action)
