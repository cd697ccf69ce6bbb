"""Buttons that a policy may never press, such as those that leave a race."""

from collections.abc import Collection

from kart_pipeline.core.frame import Choice, Frame
from kart_pipeline.driving.drivers import Driver

# What games call the buttons that pause or leave a race.
LEAVING = ("start", "select", "back", "pause", "menu", "escape", "home", "guide")


class Restrained:
    """A driver with some buttons held up, whatever it wants.

    Args:
        driver: wants.
        buttons: of the game, that it does not get.
    """

    def __init__(self, driver: Driver, buttons: Collection[str]) -> None:
        self.name = driver.name
        self._driver = driver
        self._buttons = frozenset(buttons)

    def reset(self) -> None:
        """A new drive begins."""
        self._driver.reset()

    def act(self, frame: Frame) -> Choice:
        """What the driver wants, without these buttons."""
        choice = self._driver.act(frame)
        spec = choice.action.spec
        wanted = {name: choice.action[name] for name in spec.names if name not in self._buttons}
        return Choice(spec.action(**wanted), choice.actor, choice.label, choice.intervention, choice.by_hand)
