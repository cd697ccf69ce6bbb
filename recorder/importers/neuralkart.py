"""NeuralKart's recordings: `recordings/<course>/<mode>/<id>/` with 1.png, 2.png … and a steering.txt, a number a line.

Its search through savestates drove, with the accelerator held; only the steering is in the files. What they hold is not
the stick: before it was sent, `util.lua` bent it, so that full lock is half of the stick's way.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kart_pipeline.core.errors import KartError
from kart_pipeline.games.controls import N64_SPEC
from recorder.importers.base import Format, LeftOut, Recording, Row
from recorder.importers.text import number, read_text

STEERING = "steering.txt"
RATE_HZ = 2.0  # a label lasts 30 frames of 60 a second
_SEARCH = "search-"  # with which the folders of the search begin
_SHOWN = 5  # names in a sentence

# Folders are named by NeuralKart's codes.
TRACKS: Mapping[str, str] = {
    "bb": "banshee-boardwalk",
    "bc": "bowsers-castle",
    "cm": "choco-mountain",
    "dk": "dks-jungle-parkway",
    "fs": "frappe-snowland",
    "kd": "kalimari-desert",
    "ktb": "koopa-troopa-beach",
    "lr": "luigi-raceway",
    "mmf": "moo-moo-farm",
    "mr": "mario-raceway",
    "rrd": "rainbow-road",
    "rry": "royal-raceway",
    "sl": "sherbet-land",
    "tt": "toads-turnpike",
    "ws": "wario-stadium",
    "yv": "yoshi-valley",
}


def bent(steer: float) -> float:
    """Where the stick was, in [-1, 1], for what NeuralKart decided: `convertSteerToJoystick` of its util.lua.

    There 0 is sent as a tenth to the right, since its sign of 0 is 1; here it stays 0, which is what was decided.
    """
    return math.copysign(math.sqrt(0.24 * abs(steer) + 0.01), steer) if steer else 0.0


@dataclass(frozen=True)
class NeuralKart(Format):
    """What NeuralKart recorded.

    Args:
        raw: its numbers are the stick's own, as in recordings from before it bent them.
    """

    name = "neuralkart"
    game = "mario_kart_64"
    marker = STEERING
    depth = 4

    raw: bool = False

    def read(self, folder: Path) -> list[Recording]:
        """See `Format.read`."""
        rows, left_out = self.read_steering(folder / STEERING)
        pictures = [path if (path := folder / row.picture).is_file() else None for row in rows]
        numbered = {int(path.stem): path for path in folder.glob("*.png") if path.stem.isdecimal()}
        lines = {row.line for row in rows} | {item.line for item in left_out}
        extra = sorted(set(numbered) - lines)
        notices: tuple[str, ...] = ()
        if extra:
            shown = ", ".join(f"{n}.png" for n in extra[:_SHOWN]) + (" …" if len(extra) > _SHOWN else "")
            notices = (f"{len(extra)} pictures have no line in {STEERING} and were left out: {shown}",)
        expert = folder.absolute().name.startswith(_SEARCH)
        return [
            Recording(
                folder=folder,
                labels=folder / STEERING,
                spec=N64_SPEC,
                rows=rows,
                left_out=left_out,
                pictures=pictures,
                ticks=[row.line - 1 for row in rows],
                rate_hz=RATE_HZ,
                track=_track(folder),
                driver={"kind": "expert", "device": "search"} if expert else {"kind": "human", "device": "gamepad"},
                source={"stick": "as written" if self.raw else "sqrt(0.24 |s| + 0.01), as it was sent"},
                notices=notices,
            )
        ]

    def read_steering(self, path: Path) -> tuple[list[Row], list[LeftOut]]:
        """The lines of a steering.txt, and those that cannot be used.

        Raises:
            KartError: it is empty, binary, or holds more than a number in a line.
        """
        file = read_text(path, "NeuralKart")
        actor = "expert" if path.absolute().parent.name.startswith(_SEARCH) else "human"
        rows: list[Row] = []
        left_out: list[LeftOut] = []
        lines = file.lines()
        for line, text in lines:
            steer = number(text)
            if line == lines[-1][0] and not file.whole:
                left_out.append(LeftOut(line, f"the line breaks off: {text!r}"))  # -0 may have been on its way to -0.8
            elif steer is None:
                if not rows and not left_out:
                    raise file.refusal(f"line {line} is {text[:60]!r}, no number.")
                left_out.append(LeftOut(line, f"steering is no number: {text[:60]!r}"))
            elif not abs(steer) <= 1:  # NaN fails this too
                left_out.append(LeftOut(line, f"steering is {steer:g}, outside [-1, 1]"))
            else:
                action = N64_SPEC.action(steer=steer if self.raw else bent(steer), A=True)
                rows.append(Row(line, f"{line}.png", action, actor=actor))
        if not rows and not left_out:
            raise KartError(f"{path} is empty.")
        return rows, left_out


def _track(folder: Path) -> str:
    """The course by the folder two above, "" where it is not one of NeuralKart's."""
    parts = folder.absolute().parts
    return TRACKS.get(parts[-3].lower(), "") if len(parts) > 2 else ""
