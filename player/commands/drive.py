"""`python -m player --model-uri …`: let a model drive."""

import json
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout

from kart_pipeline.core.errors import KartError
from kart_pipeline.core.settings import Settings
from player.live.wishes import Wishes
from player.options import Options, parse
from player.report import Result, show
from recorder.display import console


def run(arguments: Sequence[str] | None) -> int:
    """Drive, and tell how it went also where it was broken off.

    Returns:
        The exit status: 0; 2 for a mistake, told in one sentence; 128 + the signal after Ctrl-C (130) or a kill.

    Raises:
        KartError: a mistake in the options.
    """
    options, as_json = parse(arguments)
    if options.screen is not None:
        return _on_screen(options, options.screen, as_json)
    result = Result()
    try:
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


def _on_screen(options: Options, wishes: Wishes, as_json: bool) -> int:
    """The same for what is on the screen."""
    from player.live.drive import drive_screen
    from player.live.outcome import Outcome
    from player.live.outcome import show as show_outcome

    outcome = Outcome()
    try:
        with redirect_stdout(sys.stderr):
            status = drive_screen(
                options.model_uri,
                options.game,
                wishes,
                Settings.from_env(),
                outcome,
                max_steps=options.max_steps,
                trust_remote=options.trust_remote,
                runtime=options.runtime,
            )
    except KartError as error:
        sys.stderr.write(f"{error}\n")
        status = 2
    if as_json and (status != 2 or outcome.drive or outcome.session):
        sys.stdout.write(json.dumps(outcome.to_dict(), indent=2) + "\n")
    elif not as_json:
        show_outcome(outcome, console())
    return status
