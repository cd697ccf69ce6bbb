"""What the film of a drive on the screen tells beside the controls: who has them, and how late they come."""

from collections.abc import Callable
from dataclasses import replace

from player.live.cockpit import Cockpit
from player.live.who import who
from player.picture.overlay import Reading
from player.stages import LATENCY


def dress(cockpit: Cockpit) -> Callable[[Reading], Reading]:
    """A function that adds it to a reading, of the step that was just driven; it takes microseconds."""

    def dressed(reading: Reading) -> Reading:
        step, reason = cockpit.last, cockpit.reason
        if step is None:
            return reading
        words, colour = who(step.choice.actor, reason)
        measured = cockpit.stages.measured(LATENCY)
        return replace(
            reading,
            who="let go" if words.startswith("let go") else words,
            colour=colour,
            aside=step.choice.intervention,
            banner=reason or reading.banner,
            figures={"latency": f"{measured[-1] / 1e6:.1f} ms"} if measured else {},
        )

    return dressed
