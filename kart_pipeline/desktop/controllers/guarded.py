"""A controller that is let go of whatever happens to the process that plays: killed, stopped, or hanging."""

import contextlib
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import IO, Any, cast

from kart_pipeline.core.errors import KartError
from kart_pipeline.desktop.controllers import guard
from kart_pipeline.desktop.controllers.base import Controller
from kart_pipeline.desktop.controllers.choose import ControllerChoice
from kart_pipeline.desktop.key_layout import KeyLayout
from kart_pipeline.desktop.pad import PadState

STALL_S = 1.0  # for which what was applied last is held
_BEATS = 10  # in that time
_OWN_SHARE = 0.8  # of that time, after which this lets go by itself: before the guard does
_START_S, _END_S = 20.0, 5.0


class Guarded:
    """Passes everything on to a controller, and has a second process watch that it goes on doing so.

    Where nothing is applied for `stall_s`, though the process lives, this lets go by itself; where the process is
    stopped or killed, the guard does. The next `apply` holds the controls again.

    Args:
        controller: which is closed with this.
        choice: that it was opened for.
        keys: of the keyboard.
        stall_s: see above.
        late: is told, in a thread of its own, each time that this has let go because nothing was applied.

    Attributes:
        controller: the same.
        name: of it.
        times_late: how often that was.

    Raises:
        KartError: the guard does not start.
    """

    def __init__(
        self,
        controller: Controller,
        choice: ControllerChoice,
        keys: KeyLayout,
        stall_s: float = STALL_S,
        late: Callable[[], None] = lambda: None,
    ) -> None:
        self.controller = controller
        self.name = controller.name
        self.times_late = 0
        self._late = late
        self._stall_s = stall_s
        self._error: KartError | None = None
        self._applied_s = 0.0
        self._holds = False
        self._lock = threading.Lock()  # of the two above
        self._closing = threading.Event()
        self._start(replace(choice, kind=controller.name), keys)
        self._thread = threading.Thread(target=self._beat, name="beats for the guard", daemon=True)
        self._thread.start()

    @property
    def about(self) -> Mapping[str, Any]:
        """Of the controller."""
        return self.controller.about

    def apply(self, state: PadState) -> None:
        """Hold the controls like this, for `stall_s` at most.

        Raises:
            KartError: the controller is gone, or the guard is.
        """
        if self._error is not None:
            raise self._error
        with self._lock:
            self._applied_s, begins = time.monotonic(), not self._holds
            self._holds = True
        if begins:
            self._tell(guard.HELD)  # before anything is held
        self.controller.apply(state)

    def neutral(self) -> None:
        """Let go of everything."""
        self.controller.neutral()
        with self._lock:
            self._holds = False
        self._tell(guard.RESTING)

    def close(self) -> None:
        """Let go, give the device back, and end the guard."""
        self.controller.close()
        with self._lock:
            self._holds = False
        if not self._closing.is_set():
            self._closing.set()
            self._thread.join()
            self._tell(guard.BYE)
            self._end()

    def _start(self, choice: ControllerChoice, keys: KeyLayout) -> None:
        file = getattr(self.controller, "fileno", None)
        order = guard.Order(str(choice), dict(keys.keys), self._stall_s, file() if file else -1)
        # In a group of its own: Ctrl-C and the end of the terminal are for the player.
        apart: dict[str, Any] = {"start_new_session": True, "pass_fds": [order.pad_fd] if file else []}
        if sys.platform == "win32":
            apart = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW}
        process = subprocess.Popen(
            [sys.executable, "-m", guard.__name__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0, **apart
        )
        self._process, self._pipe, output = process, cast("IO[bytes]", process.stdin), cast("IO[bytes]", process.stdout)
        self._tell(order.line())
        answer: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        threading.Thread(target=lambda: answer.put(output.readline()), daemon=True).start()
        try:
            said = answer.get(timeout=_START_S).decode().strip()
        except queue.Empty:
            said = f"it did not answer within {_START_S:.0f} s"
        if said != guard.READY:
            self._end()
            raise KartError(f"The guard of the controls does not start: {said or 'it ended at once'}.")

    def _beat(self) -> None:
        while not self._closing.wait(self._stall_s / _BEATS):
            with self._lock:
                holds, age_s = self._holds, time.monotonic() - self._applied_s
            if not holds:
                continue
            if age_s < _OWN_SHARE * self._stall_s:
                self._tell(guard.HELD)
            else:
                self.neutral()
                self.times_late += 1
                self._late()

    def _tell(self, what: bytes) -> None:
        try:
            self._pipe.write(what)
        except (OSError, ValueError):  # broken, or closed by `close` in another thread
            if not self._closing.is_set():
                self._error = KartError(
                    "The guard of the controls has ended: nothing would let go of them if this program were killed. "
                    "Start again."
                )

    def _end(self) -> None:
        with contextlib.suppress(OSError):
            self._pipe.close()
        try:
            self._process.wait(_END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
