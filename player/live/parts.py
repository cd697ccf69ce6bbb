"""Who drives, put together from the inside out: a policy, restrained, watched, under a person's hands, backed out."""

from collections.abc import Callable
from dataclasses import dataclass

from kart_pipeline.core.errors import KartError
from kart_pipeline.desktop.mapping import PadMapping
from kart_pipeline.driving.drivers import Driver
from kart_pipeline.driving.restraint import LEAVING, Restrained
from kart_pipeline.driving.takeover import Shadow, Takeover
from kart_pipeline.driving.unstick import GO_S, REVERSE_S, Unstick
from kart_pipeline.driving.watchdog import STILL_S, Watchdog
from player.live.cockpit import Cockpit
from player.live.seat import Seat
from player.live.wishes import Wishes
from player.policy import Policy
from player.stages import Stages


@dataclass(frozen=True, slots=True)
class Parts:
    """What drives.

    Attributes:
        driver: for the loop.
        watchdog: in it.
        shadow: the driver, where the person drives.
        cockpit: the observer that comes first.
    """

    driver: Driver
    watchdog: Watchdog
    shadow: Shadow | None
    cockpit: Cockpit


def assemble(
    seat: Seat,
    policy: Policy,
    wishes: Wishes,
    stages: Stages,
    tell: Callable[[str], None],
    covered: Callable[[], str | None] = lambda: None,
) -> Parts:
    """Put them together.

    Args:
        seat: what the drive has.
        policy: drives.
        wishes: how.
        stages: gets the latency.
        tell: tells the person.
        covered: why the model does not see the game alone now; None while it does.

    Raises:
        KartError: the game knows no way back out of a corner, and one is wished for.
    """

    def told(reason: str | None) -> None:
        tell("It drives on." if reason is None else f"Let go: {reason}. It drives on when that is over.")

    held_up = leaving_channels(seat.mapping, wishes.allow)
    if held_up:
        tell(f"It cannot press {', '.join(sorted(held_up))}; --allow lets it.")
    watchdog = Watchdog(
        Restrained(policy, held_up) if held_up else policy,
        obstacle=lambda: seat.game.obstacle or covered(),
        # A kart at a bare wall may show one picture only: backing out has to have had its try.
        still_s=STILL_S if wishes.unstick is None else wishes.unstick + REVERSE_S + GO_S + STILL_S,
        tell=told,
    )
    driver: Driver = watchdog
    hands: Takeover | Shadow | None = None
    if seat.person is not None:
        hands = (
            Shadow(watchdog, seat.person.hands)
            if wishes.shadow
            else Takeover(watchdog, seat.person.hands, calm_s=wishes.calm_s, assist=wishes.assist)
        )
        driver = hands
    if wishes.unstick is not None:
        if wishes.shadow:
            raise KartError("With --shadow you drive; leave out --unstick.")
        driver = Unstick(driver, policy.contract.spec, stuck_s=wishes.unstick)
    cockpit = Cockpit(seat.game, policy, hands, watchdog, seat.controller, stages)
    return Parts(driver, watchdog, hands if isinstance(hands, Shadow) else None, cockpit)


def leaving_channels(mapping: PadMapping, allowed: frozenset[str]) -> frozenset[str]:
    """The buttons of a game that pause or leave a race, by their name or by the control that they are."""
    found = set()
    for name in mapping.spec.buttons:
        called = {name.lower()} | mapping.controls(name)
        if called & set(LEAVING) and not called & allowed:
            found.add(name)
    return frozenset(found)
