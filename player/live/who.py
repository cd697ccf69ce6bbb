"""Who drives, in words and in a colour: the same in the terminal, in the preview and in the film."""

from kart_pipeline.driving.drivers import POLICY
from kart_pipeline.driving.instruments import ALARM, BACKWARD, FAINT, FORWARD, LIT, STEER, Colour
from kart_pipeline.driving.takeover import ASSISTED, HUMAN
from kart_pipeline.driving.unstick import RECOVERY

_SHOWN: dict[str, tuple[str, Colour]] = {
    POLICY: ("the model drives", STEER),
    HUMAN: ("you drive", FORWARD),
    ASSISTED: ("the model steers", LIT),
    RECOVERY: ("backing out", BACKWARD),
}


def who(actor: str, reason: str | None) -> tuple[str, Colour]:
    """Words and colour for who chose an action, and for why nobody's is sent.

    Args:
        actor: as in `Choice.actor`; "" before the first step.
        reason: why nothing is sent now; None while all is well.
    """
    if reason is not None and actor != HUMAN:
        return f"let go: {reason}", ALARM
    return _SHOWN.get(actor, (actor or "looking", FAINT))
