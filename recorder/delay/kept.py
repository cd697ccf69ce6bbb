"""Delays that were measured on this machine, in KART_HOME by game and size of what is seen of it."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Self

from kart_pipeline.core.durable import write_json
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.manifest import SessionHeader

FILE = "delays.json"
NOTE = "delay"  # of a manifest: how its `delay_ms` was measured


@dataclass(frozen=True, slots=True)
class KeptDelay:
    """A delay and how it was measured.

    Attributes:
        delay_ms, spread_ms, presses, asked, look_ms: as in `measuring.Measured`.
        pressed_by: who pressed what.
        measured_at: ISO 8601.
    """

    delay_ms: float
    spread_ms: float
    presses: int
    asked: int
    look_ms: float
    pressed_by: str
    measured_at: str

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Inverse of `to_dict`; KeyError, TypeError or ValueError where `data` is something else."""
        return cls(
            delay_ms=float(data["delay_ms"]),
            spread_ms=float(data["spread_ms"]),
            presses=int(data["presses"]),
            asked=int(data["asked"]),
            look_ms=float(data["look_ms"]),
            pressed_by=str(data["pressed_by"]),
            measured_at=str(data["measured_at"]),
        )


def keep_delay(home: Path, game: str, size: str, delay: KeptDelay) -> Path:
    """Keep the delay of a game that is seen in `size`, as 640x480, in place of an older one; returns the file.

    Raises:
        KartError: the file that is there is damaged, or cannot be written.
    """
    kept = _load(home)
    kept.setdefault(game, {})[size] = delay.to_dict()
    try:
        write_json(home / FILE, kept)
    except OSError as error:
        raise KartError(f"{home / FILE} cannot be written ({error}); the delay is {delay.delay_ms:g} ms.") from error
    return home / FILE


def kept_delay(home: Path, game: str, size: str) -> KeptDelay | None:
    """The delay that was measured for a game in a size; None where none was.

    Raises:
        KartError: the file is damaged.
    """
    found = _load(home).get(game, {}).get(size)
    try:
        return None if found is None else KeptDelay.from_dict(found)
    except (KeyError, TypeError, ValueError) as error:
        raise _damaged(home, error) from error


def with_delay(header: SessionHeader, home: Path) -> SessionHeader:
    """The header of a session from the screen with the delay that was measured for it, where one was.

    Raises:
        KartError: the file of delays is damaged.
    """
    seen = header.source.get("seen", {})
    delay = kept_delay(home, header.game, f"{seen.get('width')}x{seen.get('height')}")
    if delay is None:
        return header
    about = {name: value for name, value in delay.to_dict().items() if name != "delay_ms"}
    return replace(header, delay_ms=delay.delay_ms, notes={**header.notes, NOTE: about})


def delay_line(header: SessionHeader) -> str:
    """The delay of a session in a few words; "" where it is not known."""
    if header.delay_ms is None:
        return ""
    line = f"{header.delay_ms:g} ms from a press to its first pixel"
    try:
        how = KeptDelay.from_dict({**header.notes[NOTE], "delay_ms": header.delay_ms})
    except (KeyError, TypeError, ValueError):  # another tool's session, which says it in its own way
        return line
    return f"{line}, spread {how.spread_ms:g} ms, {how.presses} presses by {how.pressed_by}, {how.measured_at}"


def _load(home: Path) -> dict[str, dict[str, Any]]:
    try:
        data = json.loads((home / FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise _damaged(home, error) from error
    if not isinstance(data, dict) or not all(isinstance(sizes, dict) for sizes in data.values()):
        raise _damaged(home, "no table of games")
    return data


def _damaged(home: Path, why: object) -> KartError:
    return KartError(f"{home / FILE} is damaged ({why}); delete it and run `python -m recorder calibrate` again.")
