"""What every device offers, and the thread that listens to it."""

import atexit
import threading
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

from kart_pipeline.core.errors import KartError
from kart_pipeline.desktop.pad import PadState

PLUG_IN = "Plug one in; `python -m recorder devices` shows what is seen."
_OPEN_S = 10.0  # some adapters need seconds to answer
_CLOSE_S = 1.0


class Device(Protocol):
    """Something in a person's hands, seen as a standard pad."""

    @property
    def name(self) -> str:
        """What the device calls itself."""

    @property
    def about(self) -> Mapping[str, Any]:
        """For the manifest: `device` (gamepad or keyboard), through which `backend`, its `name`."""

    @property
    def connected(self) -> bool:
        """False while it is unplugged; it comes back by itself."""

    def at(self, t_ns: int) -> PadState:
        """How it stood at a time of `state.now_ns`; neutral while it was unplugged.

        Raises:
            KartError: it cannot be read any more, and will not come back.
        """

    def close(self) -> None:
        """Release it; may be called more than once."""


@runtime_checkable
class Rumbling(Protocol):
    """A device that may have motors.

    Attributes:
        rumbles: it has.
    """

    rumbles: bool

    def rumble(self, seconds: float) -> None:
        """Run them, from soon on; may be called from any thread."""


class NoDeviceError(KartError):
    """There is no such device here.

    Attributes:
        reason: why, as half a sentence.
    """

    def __init__(self, what: str, reason: str, remedy: str) -> None:
        super().__init__(f"There is no {what} to drive with: {reason}. {remedy}")
        self.reason = reason


class Listener(ABC):
    """A thread of its own that reads a device, so that an event has the time at which it happened.

    All that touches the device happens in that thread. It never keeps the program from ending.
    """

    def __init__(self, what: str) -> None:
        self._what = what
        self._opened = threading.Event()
        self._closing = threading.Event()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name=f"listening to the {what}", daemon=True)

    @abstractmethod
    def _listen(self) -> None:
        """Open the device, set `_opened`, and read it until `_closing` is set.

        Raises:
            KartError: it cannot be opened, or not be read any more.
        """

    def _start(self) -> None:
        """Wait until the device is open.

        Raises:
            KartError: it cannot be opened.
        """
        self._thread.start()
        # A thread inside of a C library must not be there any more when that library is taken down.
        atexit.register(self.close)
        if not self._opened.wait(_OPEN_S):
            self.close()
            raise KartError(f"The {self._what} did not answer within {_OPEN_S:.0f} s; plug it in anew and try again.")
        try:
            self.check()
        except BaseException:
            self.close()
            raise

    def check(self) -> None:
        """Raise what ended the thread, if something did."""
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        try:
            self._listen()
        except BaseException as error:  # noqa: BLE001 - it is raised in the thread that asks
            self._error = error
        finally:
            self._opened.set()

    def close(self) -> None:
        """End the thread and release the device; may be called more than once."""
        self._closing.set()
        self._thread.join(_CLOSE_S)
        atexit.unregister(self.close)
