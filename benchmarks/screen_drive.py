"""One drive of the moving window by the player's own loop: as it is, with its preview, or looking ahead in a thread."""

from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.looking_ahead import LookingAhead
from benchmarks.moving_window import SIZE, TITLE
from kart_pipeline.core.action import ActionSpec
from kart_pipeline.core.contract import Contract
from kart_pipeline.core.errors import KartError
from kart_pipeline.desktop.controllers.choose import ControllerChoice
from kart_pipeline.desktop.source import ScreenSource, Where, open_source
from kart_pipeline.driving.clock import Clock
from kart_pipeline.driving.loop import Observer, drive
from kart_pipeline.learning.inference import Predict
from player.live.parts import assemble
from player.live.preview import Cover, DrivePreview
from player.live.saliency import Saliency
from player.live.seat import take_seat
from player.live.wishes import Wishes
from player.policy import Policy
from player.stages import LATENCY, Stages
from recorder.devices.choose import PadChoice
from recorder.devices.settings import PadSettings

RATE_HZ = 30.0
FIRST = 3  # steps that do not count: the first look and the first answer take long
CONTRACT = Contract(ActionSpec(("steer", "throttle"), mirrored_axes=("steer",)), RATE_HZ)
WISHES = Wishes(where=Where(window=TITLE), controller=ControllerChoice("keyboard"), pad=PadChoice("keyboard"))
_OPENS_S = 60.0  # a preview, on a machine that is very busy


@dataclass(frozen=True, slots=True)
class Driven:
    """What a drive showed.

    Attributes:
        ms: from each picture to its command.
        hz: steps a second.
    """

    ms: list[float]
    hz: float


def driven(predict: Predict, steps: int, *, preview: bool = False, ahead: bool = False, paced: bool = True) -> Driven:
    """Drive with all that is in the player's loop: guard, takeover, watchdog.

    Args:
        predict: the network.
        steps: of the drive.
        preview: with the window beside the game.
        ahead: the pictures are taken in a thread of their own, not when they are asked for: all the time where the
            drive is paced, for the way is shortest so; else one ahead, which costs least.
        paced: at `RATE_HZ`; else as fast as it goes.

    Raises:
        KartError: the preview was not there, or the model was kept from driving for a time.
    """
    stages, cover = Stages(), Cover()
    wishes = replace(WISHES, preview=preview)
    with ExitStack() as stack:
        seat = take_seat("moving", CONTRACT, SIZE[1], wishes, PadSettings(Path()), lambda _: None, stack)
        if ahead:
            asked = seat.game.source
            seat.game.source = LookingAhead(asked, lambda: open_source(wishes.where, SIZE[1]), all_the_time=paced)
        policy = Policy("pilotnet", CONTRACT, predict, stages)
        parts = assemble(seat, policy, wishes, stages, lambda _: None, lambda: cover.reason)
        observers: list[Observer] = [parts.cockpit]
        complaints: list[str] = []
        source = seat.game.source
        if preview and isinstance(source, ScreenSource):
            seat.game.reset()  # the preview asks where the game is
            saliency = Saliency(Path(), CONTRACT.spec, complaints.append)  # nobody asks for it
            beside = DrivePreview(
                parts.cockpit, cover, saliency, lambda: source.place, source.monitors, complaints.append
            )
            stack.enter_context(beside)
            beside.wait(_OPENS_S)
            observers.append(beside)
        clock = Clock(RATE_HZ, paced=paced)
        done = drive(seat.game, parts.driver, observers=observers, max_steps=steps, clock=clock)
        if complaints or parts.watchdog.times:
            raise KartError(f"The drive was not what is to be measured: {complaints or dict(parts.watchdog.times)}.")
    return Driven([ns / 1e6 for ns in stages.measured(LATENCY)[FIRST:]], done.cadence.hz)
