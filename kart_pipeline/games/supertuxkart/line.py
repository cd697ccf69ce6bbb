"""The course of a track: the middle of its road, its width, and where on it a kart is."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import numpy.typing as npt

from kart_pipeline.core.errors import KartError

Values = npt.NDArray[np.float64]

_NEARBY_M = 60.0  # as far along the road as a kart can get between two looks; farther, it was put there by the game
_LOST = 3.0  # half widths beside the road from which on the whole course is searched


@dataclass(frozen=True, slots=True)
class Place:
    """Where a kart is on its course.

    Attributes:
        along: metres from the line along the road's middle, 0 up to the lap's length.
        beside: metres from the middle, seen from above.
        half_width: of the road there, metres.
    """

    along: float
    beside: float
    half_width: float


class DriveLine:
    """The road's middle as a closed line.

    Coordinates are the game's, in metres: x to the right, y up, z forward on its map.

    Args:
        points: float64 `(N, 3)`, from the finish line on in driving direction.
        half_widths: float64 `(N,)`, of the road at each point.

    Attributes:
        length: of a lap, metres.
    """

    def __init__(self, points: Values, half_widths: Values) -> None:
        self._points = points
        self._half_widths = half_widths
        self._steps = np.roll(points, -1, axis=0) - points
        gaps = np.linalg.norm(self._steps, axis=1)
        self._along = np.concatenate([[0.0], np.cumsum(gaps)])
        self.length = float(self._along[-1])

    def reversed(self) -> "DriveLine":
        """The same course driven the other way round, from the same point on."""
        return DriveLine(np.roll(self._points[::-1], 1, axis=0), np.roll(self._half_widths[::-1], 1))

    def place(self, position: Values, near: float | None = None) -> Place:
        """Project `position`, float64 `(3,)`, onto the line.

        Args:
            position: of the kart.
            near: where it was before, `Place.along`: where the course passes a place twice this says which time it is.
        """
        share = ((position - self._points) * self._steps).sum(axis=1) / np.maximum((self._steps**2).sum(axis=1), 1e-9)
        share = np.clip(share, 0.0, 1.0)
        feet = self._points + share[:, None] * self._steps
        distance = np.linalg.norm(position - feet, axis=1)
        along = self._along[:-1] + share * np.diff(self._along)
        best = int(distance.argmin())
        if near is not None:
            apart = np.abs((along - near + self.length / 2) % self.length - self.length / 2)
            close = int(np.where(apart < _NEARBY_M, distance, np.inf).argmin())
            if distance[close] < _LOST * self._half_widths[close]:
                best = close
        following = (best + 1) % len(self._points)
        half_width = (1 - share[best]) * self._half_widths[best] + share[best] * self._half_widths[following]
        across = position - feet[best]
        return Place(float(along[best] % self.length), float(np.hypot(across[0], across[2])), float(half_width))

    def point(self, along: float) -> Values:
        """The middle of the road so many metres from the line, float64 `(3,)`; beyond a lap it begins anew."""
        along %= self.length
        before = int(np.searchsorted(self._along, along, side="right")) - 1
        before = min(before, len(self._points) - 1)
        gap = self._along[before + 1] - self._along[before]
        share = (along - self._along[before]) / max(gap, 1e-9)
        point: Values = self._points[before] + share * self._steps[before]
        return point


def read_line(folder: Path) -> DriveLine:
    """The course from a track's `quads.xml` (pieces of road) and `graph.xml` (which follows which).

    A quad names its four corners, two at its beginning and two at its end, as a place or as a corner of an earlier
    quad, "12:3". Where the course forks, the first way is taken, which is the main one.

    Raises:
        KartError: a file is missing or damaged, or there is no closed course.
    """
    try:
        quads = _quads(ET.parse(folder / "quads.xml").getroot())  # noqa: S314 - files of an installed game
        order = _order(ET.parse(folder / "graph.xml").getroot())  # noqa: S314
        corners = quads[order]
    except OSError as error:
        raise KartError(f"The track in {folder} has no course to drive along ({error}).") from error
    except (ET.ParseError, KeyError, ValueError, IndexError) as error:
        raise KartError(f"The course of the track in {folder} cannot be read ({error!r}).") from error
    middle = (corners[:, 0] + corners[:, 1]) / 2
    half_widths = np.linalg.norm(corners[:, 0] - corners[:, 1], axis=1) / 2
    return DriveLine(middle, half_widths)


def _quads(root: Any) -> Values:
    """All quads, float64 `(Q, 4 corners, 3)`."""
    quads: list[list[list[float]]] = []
    for quad in root.iter("quad"):
        corners = []
        for name in ("p0", "p1", "p2", "p3"):
            text = quad.attrib[name]
            if ":" in text:
                other, corner = map(int, text.split(":"))
                corners.append(quads[other][corner])
            else:
                x, y, z = map(float, text.split())
                corners.append([x, y, z])
        quads.append(corners)
    return np.array(quads, np.float64)


def _order(root: Any) -> list[int]:
    """The quads of one lap, in driving direction."""
    quad_of: list[int] = []
    follower: dict[int, int] = {}
    for item in root:
        if item.tag == "node-list":
            quad_of.extend(range(int(item.attrib["from-quad"]), int(item.attrib["to-quad"]) + 1))
        elif item.tag == "node":
            quad_of.append(int(item.attrib["quad"]))
        elif item.tag in ("edge-loop", "edge-line"):
            first, last = int(item.attrib["from"]), int(item.attrib["to"])
            for node in range(first, last):
                follower.setdefault(node, node + 1)
            if item.tag == "edge-loop":
                follower.setdefault(last, first)
        elif item.tag == "edge":
            follower.setdefault(int(item.attrib["from"]), int(item.attrib["to"]))
    nodes = [0]
    while (node := follower[nodes[-1]]) != 0:
        if len(nodes) > len(quad_of):
            raise ValueError("it does not lead back to its beginning")
        nodes.append(node)
    return [quad_of[node] for node in nodes]
