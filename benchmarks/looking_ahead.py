"""A source that looks in a thread of its own while the loop works: the way that the player does not go, measured."""

import threading
from collections.abc import Callable, Mapping
from typing import Any

from kart_pipeline.desktop.source import Grab, Source
from kart_pipeline.desktop.windows import Hidden

_ENDS_S = 5.0  # a look that is under way is waited for


class LookingAhead:
    """Gives the newest picture that the thread has taken, each only once: capture and inference overlap.

    Args:
        asked: the source in whose place this is; it is still asked for the focus, and closed with this.
        open_ahead: opens one like it, in the thread that looks: a connection to the screen belongs to one.
        all_the_time: looks on while nobody asks, so that what is given is young; else the next picture is taken when
            the last was given, and none for nothing.

    Raises:
        KartError: from `grab`, whatever broke in the thread.
    """

    def __init__(self, asked: Source, open_ahead: Callable[[], Source], *, all_the_time: bool) -> None:
        self._asked, self._open_ahead, self._all_the_time = asked, open_ahead, all_the_time
        self._changed = threading.Condition()
        self._newest: Grab | Hidden | None = None
        self._broken: BaseException | None = None
        self._ended = False
        self._thread = threading.Thread(target=self._look, name="looking ahead", daemon=True)
        self._thread.start()

    @property
    def about(self) -> Mapping[str, Any]:
        """Of the source in whose place this is."""
        return self._asked.about

    def grab(self) -> Grab | Hidden:
        """The newest picture; waits for one where the last was taken already."""
        with self._changed:
            while (newest := self._newest) is None:
                if self._broken is not None:
                    raise self._broken
                self._changed.wait()
            self._newest = None
            self._changed.notify()
            return newest

    def notes(self) -> Mapping[str, Any]:
        """Of the source in whose place this is."""
        return self._asked.notes()

    def focused(self) -> bool:
        """Whether keys that are pressed now reach what is shown."""
        return self._asked.focused()

    def close(self) -> None:
        """End the thread, and close both sources."""
        with self._changed:
            self._ended = True
            self._changed.notify()
        self._thread.join(_ENDS_S)
        self._asked.close()

    def _look(self) -> None:
        try:
            source = self._open_ahead()
            try:
                while not self._ended:
                    seen = source.grab()
                    with self._changed:
                        self._newest = seen
                        self._changed.notify()
                        while not (self._all_the_time or self._newest is None or self._ended):
                            self._changed.wait()
            finally:
                source.close()
        except BaseException as error:  # noqa: BLE001 - is raised by the next `grab`
            with self._changed:
                self._broken = error
                self._changed.notify()
