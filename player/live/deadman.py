"""A dead man's switch between a driver and its controller: who says nothing for too long holds nothing."""

import threading
from collections.abc import Callable, Mapping
from typing import Any

from kart_pipeline.core.errors import KartError
from kart_pipeline.core.frame import now_ns
from kart_pipeline.desktop.controllers.base import Controller
from kart_pipeline.desktop.pad import PadState

HOLD_S = 0.25  # at full speed a kart goes its own length or two in it


class DeadMan:
    """A controller that repeats the last state for a bounded time only, then lets go until the next one comes.

    A thread of its own keeps the time, for whoever is late may be stuck: in a network, in the X server, on a disk.

    Args:
        controller: is held; closed with this.
        hold_s: for how long a state is good, seconds.
        late: is told, in that thread, that the controls were let go of.

    Attributes:
        times: how often that happened.

    Raises:
        KartError: a time that is not above 0.
    """

    def __init__(
        self, controller: Controller, hold_s: float = HOLD_S, late: Callable[[float], None] = lambda _: None
    ) -> None:
        if not 0 < hold_s < 3600:  # NaN fails this too
            raise KartError(f"The last action is held for a time above 0 s, not {hold_s}.")
        self.name = controller.name
        self.hold_s = hold_s
        self.times = 0
        self._controller = controller
        self._late = late
        self._until: int | None = None  # the state that is held is good to that time; None: nothing is held
        self._closing = False
        self._change = threading.Condition()
        self._thread = threading.Thread(target=self._watch, name="dead man's switch", daemon=True)
        self._thread.start()

    @property
    def about(self) -> Mapping[str, Any]:
        """For the manifest: the controller's."""
        return self._controller.about

    def apply(self, state: PadState) -> None:
        """Hold `state`, for the time that it is good.

        Raises:
            KartError: the device is gone.
        """
        with self._change:
            asleep = self._until is None
            self._until = now_ns() + round(self.hold_s * 1e9)
            self._controller.apply(state)
            if asleep:
                self._change.notify()

    def neutral(self) -> None:
        """Let go."""
        with self._change:
            self._until = None
            self._controller.neutral()

    def close(self) -> None:
        """Let go, and give the controller back."""
        with self._change:
            self._until, self._closing = None, True
            self._change.notify()
        self._thread.join()
        self._controller.close()

    def _watch(self) -> None:
        with self._change:
            while not self._closing:
                if self._until is None:
                    self._change.wait()
                elif (left := self._until - now_ns()) > 0:
                    self._change.wait(left / 1e9)
                else:
                    self._until = None
                    self._controller.neutral()
                    self.times += 1
                    self._late(self.hold_s)
