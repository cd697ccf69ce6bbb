"""`python -m player bench --model-uri …`: which runtime is fastest on this machine, and is it fast enough?"""

import argparse
import json
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout

from rich.console import Console
from rich.table import Table

from kart_pipeline.core.errors import KartError
from kart_pipeline.core.machine import machine
from kart_pipeline.core.settings import Settings
from kart_pipeline.learning.package import read_package
from kart_pipeline.learning.runtimes import RUNTIMES, runtime_named
from player.bench import Bench, bench
from player.courses import of_course
from player.locate import locate
from player.options import add_model
from player.progress import Bars
from recorder.display import console


def run(arguments: Sequence[str] | None) -> int:
    """Measure, tell, and keep what was found.

    Returns:
        0.

    Raises:
        KartError: the model is refused, or no runtime can drive it.
    """
    parser = argparse.ArgumentParser(
        prog="python -m player bench",
        description="Measure how fast a model answers on this machine in each runtime, one frame at a time, check that "
        "all answer alike, and remember the best for `--runtime auto`.",
    )
    add_model(parser)
    parser.add_argument(
        "--runtimes",
        default=",".join(RUNTIMES),
        metavar="NAMES",
        help=f"which to measure, with commas; default {','.join(RUNTIMES)}",
    )
    parser.add_argument(
        "--seconds", type=float, default=5.0, metavar="S", help="how long to ask each, default 5; 100 frames at least"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object, and nothing else")
    given = parser.parse_args(arguments)
    if not 0 < given.seconds <= 3600:
        raise KartError(f"--seconds is above 0 and at most 3600, not {given.seconds:g}.")
    names = list(dict.fromkeys(name.strip() for name in given.runtimes.split(",")))
    for name in names:
        runtime_named(name)
    settings = Settings.from_env()
    with redirect_stdout(sys.stderr), Bars() as bars:
        bars.begin("finding the model", 1)
        located = locate(of_course(given.model_uri), settings, trust_remote=given.trust_remote)
        package = read_package(located.folder)
        bars.done()
        found = bench(located.name, package, settings, names, given.seconds, bars.say)
    if given.json:
        sys.stdout.write(json.dumps(found.to_dict(), indent=2) + "\n")
    else:
        show(found, console())
    return 0


def show(found: Bench, out: Console) -> None:
    """Print a bench as a table and sentences."""
    best = found.recommended
    table = Table(title=f"{found.model}, one frame at a time")
    table.add_column("runtime")
    for column in ("p50 ms", "p95 ms", "p99 ms", "worst ms", "start s", "conversion s", "memory MB", "difference"):
        table.add_column(column, justify="right")
    for name, item in found.measured.items():
        times = (item.latency.p50_ms, item.latency.p95_ms, item.latency.p99_ms, item.latency.worst_ms)
        took = found.converted.get(name)
        table.add_row(
            f"{RUNTIMES[name].title} ({name}){' *' if best and name == best.runtime else ''}",
            *(f"{value:.2f}" for value in times),
            f"{item.start_s:.1f}",
            "" if took is None else f"{took:.1f}",
            f"{item.memory_mb:.0f}",
            f"{item.difference:.0e}",
        )
    out.print(table)
    out.print(machine(), soft_wrap=True)
    for problem in found.problems.values():
        out.print(problem, soft_wrap=True, markup=False)
    if best is not None:
        out.print(
            f"* Best here: {RUNTIMES[best.runtime].title}. `--runtime auto`, which is the default, now takes it for "
            "this model on this machine.",
            soft_wrap=True,
            markup=False,
        )
        out.print(found.verdict(best), soft_wrap=True, markup=False)
