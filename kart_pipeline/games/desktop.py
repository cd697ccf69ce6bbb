"""Whatever is on the screen, as a game that a person drives by themselves."""

from kart_pipeline.core.action import Action, ActionSpec, roles
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.frame import Frame, now_ns
from kart_pipeline.core.names import checked_id
from kart_pipeline.desktop.source import Source
from kart_pipeline.desktop.windows import Hidden
from kart_pipeline.games.base import Game

_MODERATE = 0.5  # of the throttle


class DesktopGame(Game):
    """Shows the screen and obeys nobody: what the person does reaches the game by itself. It never ends by itself.

    Args:
        source: of the frames; closed with the game.
        name: of the game that is played there.
        track: of the course; "" where it is not said.
        spec: what the person's controls are in this game.
        rate_hz: how often to look.

    Attributes:
        hidden: why the game cannot be seen now; meanwhile the last picture is shown again. None while it is seen.

    Raises:
        KartError: the name or the track is none.
    """

    simulated = False
    score = 0.0  # nobody tells; it is not recorded

    def __init__(self, source: Source, name: str, track: str, spec: ActionSpec, rate_hz: float) -> None:
        self.name = checked_id(name, "game name")
        self.track = checked_id(track, "track") if track else ""
        self.group = ""  # a session of its own each time
        self.spec = spec
        self.rate_hz = rate_hz
        self.source = source
        self.hidden: str | None = None
        self._last: Frame | None = None

    def reset(self, seed: int | None = None) -> Frame:  # noqa: ARG002 - as every game has it
        """The first look; `seed` chooses nothing here.

        Raises:
            KartError: there is nothing to see.
        """
        self._last = None
        return self.next_frame()

    def send(self, action: Action) -> None:
        """Nothing: the person's own pad or keys have reached the game already."""

    def next_frame(self) -> Frame:
        """What is seen now."""
        seen = self.source.grab()
        if isinstance(seen, Hidden):
            if self._last is None:
                raise KartError(f"There is nothing to record yet: {seen.reason}. Bring it on the screen first.")
            self.hidden = seen.reason
            return Frame(self._last.rgb, now_ns())
        self.hidden = None
        self._last = Frame(seen.rgb, seen.t_ns)
        return self._last

    def neutral(self) -> None:
        """Nothing is held."""

    def close(self) -> None:
        """Look no more."""
        self.source.close()

    def cruise(self) -> Action:
        """Half throttle, where there is one."""
        _, drive = roles(self.spec)
        return self.spec.action(**{drive: _MODERATE}) if drive else self.spec.neutral()
