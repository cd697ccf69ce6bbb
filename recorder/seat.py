"""Who sits at the controls of a game: its expert, disturbed or not, or a person with a pad."""

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from kart_pipeline.core.errors import KartError
from kart_pipeline.core.settings import Settings
from kart_pipeline.core.store import Store
from kart_pipeline.driving.clock import Clock
from kart_pipeline.driving.drivers import Driver, Expert, Noisy, knocks
from kart_pipeline.games.base import Game
from recorder.devices.device import Device
from recorder.devices.keys import WindowKeyboard
from recorder.devices.sdl import SdlPad
from recorder.devices.settings import PadSettings
from recorder.episode import Dropped, Plan, Progress, Taken, record_episode
from recorder.pads import DevicePad, Human, Pad

DRIVERS = ("expert", "keyboard", "gamepad")


class Seat:
    """A game with the plan's driver at its controls.

    Args:
        plan: says who drives.
        game: stays the caller's to close.
        stack: closes pad and window.

    Raises:
        KartError: such a driver cannot drive this game here: no expert, no screen, no pad.
    """

    def __init__(self, plan: Plan, game: Game, stack: ExitStack) -> None:
        self._plan = plan
        self._game = game
        self._store = Store(plan.folder)
        self._pad: Pad | None = None
        self._window: Any = None
        if plan.driver == "expert":
            self._autopilot = game.expert()
        elif plan.noise:
            raise KartError("Noise disturbs the expert only; drive without --noise.")
        else:
            self._sit_down(stack)

    def _sit_down(self, stack: ExitStack) -> None:
        from recorder.window import Window

        window = stack.enter_context(Window(f"{self._game.name} - Escape ends"))
        if self._plan.driver == "keyboard" or self._game.simulated:
            window.need_screen()
            self._window = window
        settings = PadSettings.load(Settings.from_env().home)
        mapping = settings.mapping(self._game.name, self._game.spec)
        device: Device
        if self._plan.driver == "keyboard":
            device = WindowKeyboard(settings.keys, window)
        else:
            device = SdlPad(home=settings.home)
        self._pad = DevicePad(device, mapping, window)
        stack.callback(self._pad.close)

    @property
    def done(self) -> bool:
        """The person does not want to drive on."""
        return self._pad is not None and self._pad.done

    def record(self, seed: int, report: Callable[[Progress], None], interrupted: Callable[[], bool]) -> Taken | Dropped:
        """One episode; see `record_episode`."""
        driver, about = self._driver(seed)
        by_hand = self._pad is not None
        return record_episode(
            self._store,
            self._game,
            driver,
            self._plan,
            seed,
            about_driver=about,
            report=report,
            observers=[self._window] if self._window else [],
            # A simulated game would run as fast as it can, which no person could.
            clock=Clock(self._game.rate_hz) if by_hand and self._game.simulated else None,
            should_stop=lambda: self.done,
            interrupted=interrupted,
        )

    def _driver(self, seed: int) -> tuple[Driver, dict[str, Any]]:
        if self._pad is not None:
            return Human(self._pad, live=not self._game.simulated), {"kind": "human", **self._pad.about}
        expert = Expert(self._autopilot)
        if not self._plan.noise:
            return expert, {"kind": "expert"}
        # Each episode has its own random numbers: it is the same in whichever process it is recorded.
        noise = knocks(self._game.spec, self._plan.noise)
        return Noisy(expert, noise, seed=seed), {"kind": "expert", "noise": noise}
