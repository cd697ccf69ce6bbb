"""SuperTuxKart as a game: started here, seen through the screen, steered with keys, in real time."""

import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from kart_pipeline.core.action import Action
from kart_pipeline.core.contract import Contract, Region
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.frame import Choice, Frame, now_ns
from kart_pipeline.desktop.controllers.base import Controller
from kart_pipeline.desktop.controllers.choose import ControllerChoice
from kart_pipeline.desktop.controllers.guarded import Guarded
from kart_pipeline.desktop.controllers.key_senders import open_sender
from kart_pipeline.desktop.controllers.keyboard import Keyboard
from kart_pipeline.desktop.pad import PadState
from kart_pipeline.desktop.source import Where, open_source
from kart_pipeline.games.base import LAP, OFF_TRACK, PROGRESS, SPEED, Autopilot, Game, X, Y
from kart_pipeline.games.desktop import DesktopGame, Output
from kart_pipeline.games.supertuxkart.course import Course
from kart_pipeline.games.supertuxkart.hands import MAPPING, RESCUE, SENT, SPEC
from kart_pipeline.games.supertuxkart.launcher import Race, RacePlan, executable
from kart_pipeline.games.supertuxkart.line import DriveLine, read_line
from kart_pipeline.games.supertuxkart.processes import OwnScreen
from kart_pipeline.games.supertuxkart.referee import PATIENCE, STUCK_S, Referee
from kart_pipeline.games.supertuxkart.telemetry import Kart
from kart_pipeline.games.supertuxkart.tracks import find_track, goes_both_ways

RATE_HZ = 30.0

# A band of the picture, from above the horizon to behind the kart, without clock, lap counter and speedometer. The map
# at the lower left would show where on the track it is. 64 rows are about the least for PilotNet's convolutions.
CONTRACT = Contract(
    SPEC,
    RATE_HZ,
    crop=Region(0, 66 / 240, 1, 180 / 240),
    masks=(Region(0, 0.58, 0.31, 1),),
    width=160,
    height=64,
)

TRACKS = ("lighthouse", "zengarden", "snowtuxpeak", "scotland")  # those that a seed chooses from
REVERSE = "reverse"  # behind a track's name: to a driver the other way round is another track
OWN = "own"  # in place of a display

_TAP_S = 0.1  # the game looks at its keys once a frame
_RESCUE_S = 4.0  # until the bird has let go
_TITLE = "SuperTuxKart"


class SuperTuxKart(Game):
    """A race against nobody, without items. Steer +1 is right; throttle above 0 is the gas, below 0 the brake.

    There are keys for all that, which are pressed for as much of the time as an axis says. The game is shown on the
    person's screen where DISPLAY names one, and gets keys only while it has the focus; else on an X server of its own.
    The seed chooses one of four tracks, and how the first seconds go: the gas is held and the wheel somewhere, so that
    no two drives begin alike.

    The score is 1000 for the whole race, less 100 for the time that it takes at top speed all the way, by the game's
    own clock: a good driver's lap has about 880, a drive that stood still after half of it less than 400.

    `Frame.state` tells `progress` over all laps, `lap`, `speed` in m/s, `off_track`, 1 while the kart is beside the
    road, `x` and `y` as on the game's map and `height`, in metres, and `race_s`, the game's own clock.

    Args:
        track: a name from the game; "" lets the seed choose.
        laps: of the race.
        reverse: drive the track the other way round.
        display: an X display that shows nothing else; "" is the person's, "own" one that nobody sees.
        disturbed: whether the first seconds go as the seed says.
        stuck_s: seconds without progress after which the race is given up.
        patience: how many times as long as at top speed all the way it may take.

    Attributes:
        display: the X display that the game is on.
        shared: that is the person's own, with whatever else they have there.
        person: how their keys stand, where they may take over; to be set before the reset.

    Raises:
        KartError: the game is not installed, the track is unknown or goes one way only, or there is no screen.
    """

    name = "supertuxkart"
    spec = SPEC
    rate_hz = RATE_HZ
    simulated = False
    group = ""  # each drive is a session of its own: all four tracks are learned from

    def __init__(
        self,
        track: str = "",
        laps: int = 1,
        reverse: bool = False,
        display: str = "",
        disturbed: bool = True,
        stuck_s: float = STUCK_S,
        patience: float = PATIENCE,
    ) -> None:
        if not isinstance(laps, int) or laps < 1:
            raise KartError(f"A race has at least one lap, not {laps}.")
        if not isinstance(reverse, bool):
            raise KartError(f"The option reverse is true or false, not {reverse!r}.")
        if not (isinstance(stuck_s, int | float) and stuck_s > 0):
            raise KartError(f"The option stuck_s is a time above 0, not {stuck_s!r}.")
        if not (isinstance(patience, int | float) and patience >= 1):
            raise KartError(f"The option patience is a number from 1, not {patience!r}.")
        executable()
        self._tracks = (track,) if track else TRACKS
        for name in self._tracks:
            if not goes_both_ways(find_track(name)) and reverse:
                raise KartError(f"The track {name} goes one way only; leave out the option reverse.")
        self._plan = RacePlan(self._tracks[0], laps, reverse=reverse)
        self._disturbed = disturbed
        self._stuck_s = stuck_s
        self._patience = patience
        self._seeds = np.random.default_rng()
        self._screen: OwnScreen | None = None
        self._race: Race | None = None
        self._desk: DesktopGame | None = None
        self._keys: Controller | None = None
        self.person: Callable[[], PadState] | None = None
        self.display = display or os.environ.get("DISPLAY") or OWN
        self.shared = not display and self.display != OWN
        if self.display == OWN:
            self._screen = OwnScreen(self._plan.width, self._plan.height)
            self.display = self._screen.display

    @property
    def kart(self) -> Kart:
        """What the game told last of the player's kart.

        Raises:
            KartError: there is no race.
        """
        return self._running().telemetry.latest or self._running().first

    @property
    def folder(self) -> Path:
        """Where the game writes what it is told to write.

        Raises:
            KartError: there is no race.
        """
        return self._running().folder

    def reset(self, seed: int | None = None) -> Frame:
        """A new race: the game is started anew, which takes some seconds."""
        if seed is None:
            seed = int(self._seeds.integers(2**31))
        random = np.random.default_rng(seed)
        self._leave()
        track = self._tracks[seed % len(self._tracks)]
        line = read_line(find_track(track))
        self.line: DriveLine = line.reversed() if self._plan.reverse else line
        self.track = f"{track}-{REVERSE}" if self._plan.reverse else track
        self._race = Race(replace(self._plan, track=track), self.display)
        self.course = Course(self.line, self._plan.laps, self._race.first.position)
        self._referee = Referee(self.course, now_ns(), self._stuck_s, self._patience)
        self.score, self.ended = 0.0, None
        frame = self._look().reset()
        if self._disturbed:
            frame = self._hold(steer=random.uniform(-0.5, 0.5), seconds=random.uniform(0.5, 2.0))
        return self._told(frame)

    def displace(self, random: np.random.Generator) -> Frame:
        """Drive on for up to 20 s as the expert does, then hold the wheel hard over for a second, to one side.

        Raises:
            KartError: there is no race.
        """
        expert, frame = self.expert(), self.next_frame()
        until = now_ns() + random.uniform(0, 20) * 1e9
        while now_ns() < until and not self.ended:
            self.send(expert.action(frame))
            time.sleep(1 / RATE_HZ)
            frame = self.next_frame()
        return self._hold(steer=float(random.choice((-1.0, 1.0))), seconds=random.uniform(0.5, 1.2))

    def send(self, action: Action) -> None:
        """Press and release keys.

        Raises:
            KartError: there is no race, or its X server is gone.
        """
        self._seen().send(action)

    def obey(self, choice: Choice) -> None:
        """The same, without those channels that a person's own hands have."""
        self._seen().obey(choice)

    def rescue(self) -> float:
        """Press the key for which a bird carries the kart to the middle of the road, turned the right way.

        Raises:
            KartError: there is no race.
        """
        self._running()
        if self._keys is not None and not self.obstacle:  # only into the game's own window
            self._keys.apply(PadState(buttons=frozenset({RESCUE})))
            time.sleep(_TAP_S)
            self._keys.neutral()
        return _RESCUE_S

    def next_frame(self) -> Frame:
        """What the screen shows now, with what the game told last."""
        desk = self._seen()
        frame = desk.next_frame()
        self.hidden, self.obstacle = desk.hidden, desk.obstacle
        return self._told(frame)

    def neutral(self) -> None:
        """Release all keys."""
        if self._desk is not None:
            self._desk.neutral()

    def close(self) -> None:
        """Release the keys, end the game and its X server."""
        try:
            self._leave()
        finally:
            if self._screen is not None:
                self._screen.close()
                self._screen = None

    def cruise(self) -> Action:
        """Full gas: at the lowest difficulty that is a moderate pace."""
        return SPEC.action(throttle=1.0)

    def expert(self) -> Autopilot:
        """Pure pursuit along the road's middle."""
        from kart_pipeline.games.supertuxkart.expert import SuperTuxKartExpert

        return SuperTuxKartExpert(self)

    def _told(self, frame: Frame) -> Frame:
        """A frame of the screen with the state of the race; sees whether that is over."""
        kart, course = self.kart, self.course
        course.look(kart.position)
        self._referee.judge(kart, frame.t_ns, alive=self._running().alive)
        self.score, self.ended = self._referee.score, self._referee.ended
        state = {
            PROGRESS: course.progress,
            SPEED: kart.speed,
            OFF_TRACK: float(course.off_track),
            LAP: float(course.lap),
            X: float(kart.position[0]),
            Y: float(kart.position[2]),
            "height": float(kart.position[1]),
            "race_s": kart.race_s,
        }
        return Frame(frame.rgb, frame.t_ns, state)

    def _hold(self, steer: float, seconds: float) -> Frame:
        """Keep gas and wheel where they are for a while."""
        action, until = SPEC.action(steer=steer, throttle=1.0), now_ns() + seconds * 1e9
        frame = self.next_frame()
        while now_ns() < until and not self.ended:
            self.send(action)
            time.sleep(1 / RATE_HZ)
            frame = self.next_frame()
        return frame

    def _look(self) -> DesktopGame:
        """Eyes and hands on the display where the race is."""
        where = Where(window=_TITLE) if self.shared else Where(monitor=1, display=self.display)
        source = open_source(where, 0)
        try:
            self._keys = keyboard = Keyboard(SENT, open_sender(SENT, {"DISPLAY": self.display}))
            if self.shared:  # with a screen of our own a key that stays pressed goes with it
                self._keys = Guarded(keyboard, ControllerChoice(keyboard.name), SENT)
        except BaseException:
            source.close()
            raise
        output = Output(self._keys, MAPPING, self.person, needs_focus=self.shared)
        self._desk = DesktopGame(source, self.name, self.track, SPEC, RATE_HZ, output)
        return self._desk

    def _seen(self) -> DesktopGame:
        if self._desk is None:
            raise KartError(f"{self.name} shows nothing and takes nothing before its reset.")
        return self._desk

    def _running(self) -> Race:
        if self._race is None:
            raise KartError(f"{self.name} has no race before its reset.")
        return self._race

    def _leave(self) -> None:
        """End the race that runs, if one does."""
        for part in (self._desk, self._keys, self._race):
            if part is not None:
                part.close()
        self._desk = self._keys = self._race = None
