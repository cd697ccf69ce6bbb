"""donkeycar's tubs, version 2: manifest.json, catalog_N.catalog with a JSON record a line, and images/.

The manifest is five lines of JSON, of which the last names the catalogs and the records that a person deleted.
"""

import json
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

from kart_pipeline.core.action import ActionSpec
from kart_pipeline.core.errors import KartError
from recorder.importers.base import Format, LeftOut, Recording, Row
from recorder.importers.pictures import find_picture
from recorder.importers.text import read_text

MANIFEST = "manifest.json"
IMAGES = "images"
RATE_HZ = 20.0  # its loop's default; records have times
SPEC = ActionSpec(axes=("steer", "throttle"), mirrored_axes=("steer",))
_LINES = 5
_MOST = 2**40  # records; a number beyond is none of its
_FASTEST_NS = 5_000_000  # 200 Hz
_YEAR_2100_MS = 4_102_444_800_000
_PICTURE = "image_array"  # the type of an input that is a picture
_USER = ("user/angle", "user/throttle")
_PILOT = ("pilot/angle", "pilot/throttle")
# Who has which of the two, by `user/mode`.
_MODES = {"user": _USER, "local_angle": (_PILOT[0], _USER[1]), "local": _PILOT, "local_pilot": _PILOT}


class Donkeycar(Format):
    """What a donkeycar recorded."""

    name = "donkeycar"
    game = "donkeycar"
    marker = MANIFEST

    def read(self, folder: Path) -> list[Recording]:
        """See `Format.read`."""
        manifest, notices = _manifest(folder)
        picture = _picture_key(folder, manifest)
        deleted = frozenset(manifest["deleted"])
        rows: list[Row] = []
        left_out: list[LeftOut] = []
        times: list[int | None] = []
        at = 0
        for name in manifest["paths"]:
            catalog = read_text(folder / name, "donkeycar")
            for line, text in catalog.lines() if catalog.text.strip() else []:
                index, record = _record(text, at)
                at = index + 1
                if index in deleted:
                    continue
                if record is None:
                    left_out.append(LeftOut(index, f"line {line} of {name} is no whole record: {text[:60]!r}"))
                    continue
                found = _row(index, record, picture)
                if isinstance(found, LeftOut):
                    left_out.append(found)
                    continue
                rows.append(found)
                times.append(_time(record.get("_timestamp_ms")))
        if deleted:
            notices.append(f"{len(deleted)} records that were deleted in the tub were left out.")
        if any(row.actor == "policy" for row in rows):
            notices.append("Records in which the pilot drove are imported without a label: they teach nothing.")
        if not rows and not left_out:
            raise KartError(f"{folder} is a tub without records" + (" that are not deleted." if deleted else "."))
        known = [time for time in times if time is not None]
        if len(known) == len(rows) and _converted(known):
            notices.append(
                f"Its times are those of a conversion, not of the drive; {RATE_HZ:g} Hz is assumed (or --rate)."
            )
            known = []
        return [
            Recording(
                folder=folder,
                labels=folder / MANIFEST,
                spec=SPEC,
                rows=rows,
                left_out=left_out,
                pictures=[find_picture(row.picture, folder / IMAGES) for row in rows],
                ticks=[row.line for row in rows],
                rate_hz=RATE_HZ,
                times_ns=known if rows and len(known) == len(rows) else None,
                deleted=deleted,
                driver={"kind": "human"},
                notices=tuple(notices),
                unit="record",
            )
        ]


def _manifest(folder: Path) -> tuple[dict[str, Any], list[str]]:
    """Inputs, types, catalogs and deleted records, and what is wrong with them.

    donkeycar writes the last line anew with every record, so that it is lost where the power was.
    """
    file = read_text(folder / MANIFEST, "donkeycar")
    parsed: list[Any] = []
    for line, text in file.lines()[:_LINES]:
        try:
            parsed.append(json.loads(text))
        except ValueError:
            if line < _LINES:
                raise file.refusal(f"line {line} of {_LINES} is no JSON: {text[:60]!r}") from None
    if len(parsed) < _LINES - 1 or not isinstance(parsed[0], list) or not isinstance(parsed[1], list):
        raise file.refusal(f"it has not the {_LINES} lines of a tub's (inputs, types, metadata, sessions, catalogs).")
    found: dict[str, Any] = {"inputs": parsed[0], "types": parsed[1]}
    notices: list[str] = []
    if len(parsed) == _LINES:
        last = parsed[-1]
        try:
            found |= {
                "paths": [str(path) for path in last["paths"]],
                "deleted": [int(i) for i in last["deleted_indexes"]],
            }
        except (KeyError, TypeError, ValueError) as error:
            raise file.refusal(f"line {_LINES} does not say its catalogs and deleted records ({error!r}).") from error
    else:
        there = folder.glob("catalog_*.catalog")
        numbered = sorted((int(number), path.name) for path in there if (number := path.stem[8:]).isdecimal())
        found |= {"paths": [name for _, name in numbered], "deleted": []}
        notices.append(
            f"{file.path} breaks off before line {_LINES}: what was deleted is not known, so nothing is left out."
        )
    if any(Path(name).name != name for name in found["paths"]):
        raise file.refusal("a catalog lies outside the tub.")
    return found, notices


def _picture_key(folder: Path, manifest: Mapping[str, Any]) -> str:
    """The input with the pictures; the first camera where there are several."""
    inputs, types = manifest["inputs"], manifest["types"]
    found = [name for name, kind in zip(inputs, types, strict=False) if kind == _PICTURE]
    missing = [name for name in _USER if name not in inputs]
    if missing or not found:
        lacks = ", ".join([*missing, *([] if found else ["pictures"])])
        raise KartError(f"The tub {folder} has no {lacks}; it has {', '.join(map(str, inputs)) or 'nothing'}.")
    return str(found[0])


def _record(text: str, expected: int) -> tuple[int, dict[str, Any] | None]:
    """A record and its number; None where it is none, with the number that it should have."""
    try:
        record = json.loads(text)
    except (ValueError, RecursionError):
        return expected, None
    if not isinstance(record, dict):
        return expected, None
    index = record.get("_index", expected)
    return (index, record) if isinstance(index, int) and expected <= index < _MOST else (expected, record)


def _time(milliseconds: Any) -> int | None:
    """In ns; None where it is no time of a donkeycar's."""
    plausible = isinstance(milliseconds, int) and 0 < milliseconds < _YEAR_2100_MS
    return milliseconds * 1_000_000 if plausible else None


def _converted(times_ns: Sequence[int]) -> bool:
    """Whether the records were written faster than any car does.

    Tubs of version 1 have no times, and donkeycar's conversion stamps them with its own, as it did its own test tub.
    """
    gaps = [after - before for before, after in pairwise(times_ns)]
    return len(gaps) > 1 and median(gaps) < _FASTEST_NS


def _row(index: int, record: Mapping[str, Any], picture: str) -> Row | LeftOut:
    name, mode = record.get(picture), record.get("user/mode", "user")
    if not isinstance(name, str):
        return LeftOut(index, f"it names no picture ({picture})")
    if not isinstance(mode, str) or mode not in _MODES:
        return LeftOut(index, f"user/mode is {mode!r}, none of {', '.join(_MODES)}")
    values = []
    for key in _MODES[mode]:
        value = record.get(key)
        if value is None and mode != "user":
            return LeftOut(index, f"the pilot drove, and what it did ({key}) was not recorded")
        if isinstance(value, bool) or not isinstance(value, int | float):
            return LeftOut(index, f"{key} is no number: {value!r}")
        if not abs(value) <= 1:  # NaN fails this too
            return LeftOut(index, f"{key} is {value:g}, outside [-1, 1]")
        values.append(float(value))
    actor = "human" if mode == "user" else "policy"
    return Row(index, name, SPEC.clipped(values), actor=actor)
