"""`make bench`, or `python -m benchmarks [NAME …]`: all benchmarks, or the named ones."""

import argparse
import importlib
import os
import sys

from rich.console import Console

from benchmarks.table import Row, show

NAMES = ("startup", "frames", "store", "training", "inference", "capture")


def main() -> int:
    """Run the benchmarks one after the other and print one table; the status is 0 whether or not an aim is met."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}; default all")
    names = parser.parse_args().names or NAMES
    unknown = set(names) - set(NAMES)
    if unknown:
        parser.error(f"no benchmark {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    os.environ.setdefault("SDL_VIDEODRIVER", "dummy")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    rows: list[Row] = []
    for name in names:
        sys.stderr.write(f"{name} …\n")
        rows += importlib.import_module(f"benchmarks.{name}").run()
    show(rows, Console())
    return 0


if __name__ == "__main__":
    sys.exit(main())
