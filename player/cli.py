"""The command line: how wishes, mistakes and interruptions end."""

import json
import os
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout

from kart_pipeline.core.errors import KartError
from kart_pipeline.core.settings import Settings
from player.options import parse
from player.report import Result, show
from recorder.display import console


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the player.

    Returns:
        The exit status: 0; 2 for a mistake, told in one sentence; 128 + the signal after Ctrl-C (130) or a kill.
    """
    os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a Windows console without the bars' characters
    result = Result()
    as_json = False
    try:
        options, as_json = parse(arguments)
        # Libraries greet on standard output now and then; a program that reads our JSON must not see it.
        with redirect_stdout(sys.stderr):
            from player.play import play

            status = play(options, Settings.from_env(), result)
    except KartError as error:
        sys.stderr.write(f"{error}\n")
        status = 2
    except KeyboardInterrupt:
        status = 130
    if status > 128:
        done = len(result.cards[0].drives) if result.cards else 0
        sys.stderr.write(f"Stopped: {done} of {len(result.seeds)} drives are done.\n")
    if as_json and status != 2:
        sys.stdout.write(json.dumps(result.to_dict() | {"interrupted": status != 0}, indent=2) + "\n")
    elif not as_json:
        show(result, console())
    return status
