"""A session as the page wants it: facts, a chart of any width, values of some rows, single pictures."""

import io
import threading
from collections import Counter
from typing import Any

import numpy as np
from PIL import Image

from kart_pipeline.core.edits import Edits, check_range, save_edits
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.mapped import MappedFrames, MappedVideo
from kart_pipeline.core.session import DAMAGE, Session
from kart_pipeline.datasets.labels import vectors
from kart_pipeline.datasets.spots import spots

MOST_COLUMNS = 4096  # of a chart: more than any screen has
MOST_ROWS = 2000  # of values at a time: a minute at 30 Hz

_NEEDED = ("step", "t_ns", "actor", "intervention")
_JPEG_QUALITY = 85  # of pictures out of a video


class Shown:
    """An open session: its rows without pictures are in memory, pictures are read one by one.

    Args:
        session: in a local store.

    Raises:
        KartError: it cannot be read.
    """

    def __init__(self, session: Session) -> None:
        if session.local_path is None:
            raise KartError(f"Session {session.id} is in a remote store; only those in a local folder can be viewed.")
        self.session = session
        self.manifest = session.manifest
        self._folder = session.local_path
        names = list(self.manifest.spec.names)
        self._table = session.table([*_NEEDED, *names, *(f"label_{name}" for name in names)])
        if not self._table.num_rows:
            raise KartError(f"Session {session.id} has no steps.")
        self._steps = self._table.column("step").to_numpy()
        self._seconds = (self._table.column("t_ns").to_numpy() - self._table.column("t_ns")[0].as_py()) / 1e9
        self._executed = vectors(self._table, names)
        labels = vectors(self._table, [f"label_{name}" for name in names])
        self._taught = np.where(np.isnan(labels), self._executed, labels)  # of what nobody taught, what was done
        actors = self._table.column("actor").to_pylist()
        # the rarest last: it is what a column of the chart shows, so that a moment of a teacher is seen in an hour
        self._kinds = [actor for actor, _ in Counter(sorted(actors)).most_common()]
        self._actor = np.array([self._kinds.index(actor) for actor in actors], np.int8)
        self._frames: MappedFrames | MappedVideo | None = session.map()
        self._lock = threading.Lock()

    def about(self) -> dict[str, Any]:
        """What the page asks for first."""
        manifest = self.manifest
        return {
            "id": manifest.id,
            "game": manifest.game,
            "track": manifest.track,
            "rate": manifest.rate_hz,
            "rows": len(self._steps),
            "seconds": float(self._seconds[-1]),
            "size": [manifest.width, manifest.height],
            "axes": list(manifest.spec.axes),
            "buttons": list(manifest.spec.buttons),
            "actors": self._kinds,
            "steps": self._breaks(),
            "spots": [
                {"kind": spot.kind, "first": spot.first, "last": spot.last, "text": spot.text}
                for spot in spots(manifest, self._table)
            ],
            "edits": self.edits(),
        }

    def edits(self) -> dict[str, Any]:
        """What is left out now, as it is saved."""
        return self.session.edits.to_dict()

    def save(self, left_out: list[tuple[int, int]], based_on: int) -> dict[str, Any]:
        """Save what is to be left out.

        Raises:
            EditsConflictError: somebody else has saved other edits meanwhile.
            KartError: a range is none of the session.
        """
        ranges = [check_range(first, last, self._steps) for first, last in left_out]
        edits: Edits = self.session.edits.changed(ranges)
        return save_edits(self._folder, edits, based_on=based_on).to_dict()

    def chart(self, columns: int) -> dict[str, Any]:
        """Least and greatest value of each channel in each column, and who acted there.

        Args:
            columns: how many are wanted; a session of fewer rows has one a row.

        Returns:
            "starts", the first row of each column; by channel "low" and "high", of labels; of the first axis also
            "done_low" and "done_high", what was executed; "actor", the rarest of those who
            acted there, by its place in `about()["actors"]`.
        """
        count = max(1, min(columns, MOST_COLUMNS, len(self._steps)))
        starts = np.linspace(0, len(self._steps), count, endpoint=False).astype(np.int64)
        found: dict[str, Any] = {"starts": starts.tolist(), "low": {}, "high": {}}
        for place, name in enumerate(self.manifest.spec.names):
            values = self._taught[:, place]
            found["low"][name] = _plain(np.minimum.reduceat(values, starts))
            found["high"][name] = _plain(np.maximum.reduceat(values, starts))
        found["done_low"] = _plain(np.minimum.reduceat(self._executed[:, 0], starts))
        found["done_high"] = _plain(np.maximum.reduceat(self._executed[:, 0], starts))
        found["actor"] = np.maximum.reduceat(self._actor, starts).tolist()
        return found

    def values(self, first: int, count: int) -> dict[str, Any]:
        """Some rows, from `first` on: step, seconds, actor, and all channels as labelled and as executed."""
        part = slice(max(0, first), max(0, first) + max(0, min(count, MOST_ROWS)))
        return {
            "first": part.start,
            "step": self._steps[part].tolist(),
            "seconds": np.round(self._seconds[part], 3).tolist(),
            "actor": self._actor[part].tolist(),
            "label": [_plain(row) for row in self._taught[part]],
            "done": [_plain(row) for row in self._executed[part]],
        }

    def picture(self, row: int) -> tuple[bytes, str]:
        """A picture as a file, and its media type.

        Raises:
            KartError: there is no such row, or the picture is damaged.
        """
        if not 0 <= row < len(self._steps):
            raise KartError(f"Session {self.session.id} has no row {row}.")
        try:
            with self._lock:
                if self._frames is None:
                    self._frames = self.session.map()
                if isinstance(self._frames, MappedFrames):
                    data = self._frames.encoded(row)
                    return data, "image/png" if data.startswith(b"\x89PNG") else "image/jpeg"
                rgb = self._frames[row]
        except DAMAGE as error:
            raise KartError(
                f"The frame of step {self._steps[row]} of session {self.session.id} cannot be read ({error}); "
                "restore the session from a copy."
            ) from error
        file = io.BytesIO()
        Image.fromarray(rgb).save(file, "JPEG", quality=_JPEG_QUALITY)
        return file.getvalue(), "image/jpeg"

    def close(self) -> None:
        """Unmap the pictures; whoever still asks for one has them mapped again."""
        with self._lock:
            if self._frames is not None:
                self._frames.close()
            self._frames = None

    def _breaks(self) -> list[tuple[int, int, float]]:
        """Row, step and second wherever steps are missing before, and at the beginning: what lies between counts on."""
        rows = np.concatenate([[0], np.flatnonzero(np.diff(self._steps) != 1) + 1])
        return [(int(row), int(self._steps[row]), round(float(self._seconds[row]), 3)) for row in rows]


def _plain(values: Any) -> list[float]:
    plain: list[float] = np.round(values.astype(np.float64), 3).tolist()
    return plain
