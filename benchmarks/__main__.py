"""`make bench`, or `python -m benchmarks [NAME …]`: all benchmarks, or the named ones."""

import argparse
import importlib
import os
import sys
from pathlib import Path

from rich.console import Console

from benchmarks.table import Row, load, show
from kart_pipeline.core.errors import KartError

NAMES = (
    *("startup", "frames", "store", "many", "view", "feed", "training", "memory", "inference", "runtimes", "floors"),
    *("capture", "cockpit", "killed", "codecs", "driving", "bizhawk"),
)


def main() -> int:
    """Run the benchmarks one after the other and print one table.

    Returns:
        0 whether or not an aim is met, 2 where a benchmark could not run.
    """
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}; default all")
    parser.add_argument("--frames", type=Path, metavar="FOLDER", help="of pictures that `codecs` is to measure too")
    parser.add_argument("--sessions", type=int, default=30, metavar="N", help="that `many` records and prepares")
    parser.add_argument("--simulated", type=int, default=500, metavar="M", help="manifests that it adds, or 0")
    args = parser.parse_args()
    names = args.names or NAMES
    unknown = set(names) - set(NAMES)
    if unknown:
        parser.error(f"no benchmark {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    os.environ.setdefault("SDL_VIDEODRIVER", "dummy")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    options = {"codecs": (args.frames,), "many": (args.sessions, args.simulated)}
    rows: list[Row] = []
    before, status = load(), 0
    for name in names:
        sys.stderr.write(f"{name} …\n")
        module = importlib.import_module(f"benchmarks.{name}")
        try:
            rows += module.run(*options.get(name, ()))
        except KartError as error:  # what was measured before it is shown
            sys.stderr.write(f"{name} could not be measured: {error}\n")
            status = 2
    show(rows, Console(), before)
    return status


if __name__ == "__main__":
    sys.exit(main())
