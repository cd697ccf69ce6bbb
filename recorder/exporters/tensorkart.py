"""To TensorKart: a folder of pictures and a data.csv for each session, as `python -m recorder import tensorkart` reads.

It has one action a row and learns from every row, so a row is written with its label, and without one it is left out.
"""

from collections.abc import Sequence
from pathlib import Path

from kart_pipeline.core.errors import KartError
from kart_pipeline.core.session import Session
from kart_pipeline.games.controls import N64_SPEC
from recorder.exporters.base import Exporter, Told, rows, suffix
from recorder.importers.tensorkart import CSV


class TensorKart(Exporter):
    """Folders for TensorKart's `utils.py prepare`, to be run beside the exported folder."""

    name = "tensorkart"

    def check(self, sessions: Sequence[Session]) -> None:
        """See `Exporter.check`."""
        for session in sessions:
            names = session.manifest.spec.names
            if set(names) != set(N64_SPEC.names):
                raise KartError(
                    f"TensorKart's columns are {', '.join(N64_SPEC.names)}; session {session.id} has "
                    f"{', '.join(names)}. `--to lerobot` takes any controls."
                )
            if not session.manifest.labelled:
                raise KartError(f"Session {session.id} has no labels: there is nothing in it for TensorKart to learn.")

    def write(self, sessions: Sequence[Session], folder: Path, told: Told) -> list[str]:
        """See `Exporter.write`."""
        return [self._session(session, folder / session.id, told) for session in sessions]

    def _session(self, session: Session, folder: Path, told: Told) -> str:
        folder.mkdir(parents=True)
        spec = session.manifest.spec
        written = unlabelled = 0
        with (folder / CSV).open("w", encoding="utf-8", newline="\n") as csv:
            for row in rows(session, told):
                if row.label is None:
                    unlabelled += 1
                    continue
                picture = f"img_{row.step}.{suffix(row.picture)}"
                (folder / picture).write_bytes(row.picture)
                values = dict(zip(spec.names, row.label, strict=True))
                # nine digits hold any float32
                axes = [f"{values[axis]:.9g}" for axis in N64_SPEC.axes]
                buttons = [f"{values[button]:.0f}" for button in N64_SPEC.buttons]
                csv.write(",".join([f"{self.target.absolute().name}/{session.id}/{picture}", *axes, *buttons]) + "\n")
                written += 1
        rate = session.manifest.rate_hz
        without = f", {unlabelled} without a label left out" if unlabelled else ""
        return f"{session.id}: {written} rows{without}; the format has no clock, the rate was {rate:g} Hz (--rate)"
