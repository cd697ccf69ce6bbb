"""`python -m benchmarks.key_delay`: how long SuperTuxKart takes to show a key, by `recorder calibrate`.

The game runs on a screen of its own with the kart at rest, and the key is the one that looks back: while it is held
the whole picture is another, from the next frame that the game draws.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence

from kart_pipeline.core.errors import KartError
from kart_pipeline.games.supertuxkart.launcher import Race, RacePlan
from kart_pipeline.games.supertuxkart.processes import OwnScreen

LOOK_BACK = "b"  # the game's own key for it


def main(arguments: Sequence[str] | None = None) -> int:
    """Start a race, measure, end it; what is measured is kept in KART_HOME as `recorder calibrate` keeps it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.key_delay", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--track", default="lighthouse", help="default lighthouse")
    parser.add_argument("--times", type=int, default=24, help="presses (default 24)")
    given = parser.parse_args(arguments)
    plan = RacePlan(given.track, laps=1)
    try:
        screen = OwnScreen(plan.width, plan.height)
        try:
            race = Race(plan, screen.display)
            try:
                return _measure(screen.display, given.times)
            finally:
                race.close()
        finally:
            screen.close()
    except KartError as error:
        sys.stderr.write(f"{error}\n")
        return 2


def _measure(display: str, times: int) -> int:
    command = [sys.executable, "-m", "recorder", "calibrate", "--game", "supertuxkart", "--monitor", "1"]
    environ = os.environ | {"DISPLAY": display}
    return subprocess.run([*command, "--press", LOOK_BACK, "--times", str(times)], env=environ, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
