"""What is known of a network's runtimes on this machine: `KART_HOME/runtimes/<network>/`.

bench-<machine>.json    figures of `python -m player bench`, and the runtime that it recommends
network-<releases>.*    the network converted for a runtime
"""

import hashlib
import json
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kart_pipeline.core.durable import write_json
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.machine import machine
from kart_pipeline.learning.package import DriverPackage


def digest(package: DriverPackage) -> str:
    """16 hex digits for the network and its contract: the same wherever the files came from."""
    found = hashlib.sha256(package.network.read_bytes())
    found.update(package.contract.hash.encode())
    return found.hexdigest()[:16]


def folder_of(home: Path, package: DriverPackage) -> Path:
    """Where conversions and figures of this network are kept; it need not exist yet."""
    return home / "runtimes" / digest(package)


def save_bench(folder: Path, found: Mapping[str, Any]) -> Path:
    """Keep what a bench found on this machine; returns the file.

    Raises:
        KartError: it cannot be written.
    """
    path = _file(folder)
    try:
        write_json(path, {"machine": machine(), **found})
    except OSError as error:
        raise KartError(f"The bench's result cannot be kept at {path}: {error}.") from error
    return path


def recommended(folder: Path) -> str | None:
    """The runtime that a bench on this machine recommended; None where there was no bench.

    Raises:
        KartError: the file is damaged.
    """
    path = _file(folder)
    try:
        return str(json.loads(path.read_text(encoding="utf-8"))["recommended"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise KartError(f"{path} cannot be read ({error}); run `python -m player bench` again.") from error


def _file(folder: Path) -> Path:
    # a KART_HOME may be shared by machines
    mark = hashlib.sha256(f"{platform.node()} {machine()}".encode()).hexdigest()[:8]
    return folder / f"bench-{mark}.json"
