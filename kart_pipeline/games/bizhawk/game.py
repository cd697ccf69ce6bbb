"""A game in BizHawk, seen and driven over its own socket, some emulated frames a step."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from kart_pipeline.core.action import Action
from kart_pipeline.core.contract import Contract
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.frame import Choice, Frame
from kart_pipeline.core.settings import Settings
from kart_pipeline.games.base import Autopilot, Game
from kart_pipeline.games.bizhawk.consoles import FRAMES_PER_S, N64_SPEC, Pad, console
from kart_pipeline.games.bizhawk.lookahead import Lookahead
from kart_pipeline.games.bizhawk.meeting import Meeting, Wanted
from kart_pipeline.games.bizhawk.memory import Memory
from kart_pipeline.games.bizhawk.plans import plan
from kart_pipeline.games.bizhawk.race import Race
from kart_pipeline.games.bizhawk.remote import LostError, Remote, Seen
from kart_pipeline.games.bizhawk.searched import Searched
from kart_pipeline.games.bizhawk.starts import Starts, state_files
from kart_pipeline.games.bizhawk.tables import load_tables
from kart_pipeline.games.pictures import MARIO_KART_64
from kart_pipeline.games.search import SearchExpert

NAME = "bizhawk"
GAME = "mario_kart_64"  # what is played unless somebody says otherwise
FRAMES = 2  # emulated ones a step
CONTRACT = Contract(N64_SPEC, FRAMES_PER_S / FRAMES, **MARIO_KART_64)
PORT = 43_880
LOST = "link lost"
BACK = "went back"

_HARD_S = (0.5, 1.2)  # for which the wheel is hard over, to come beside the line


class BizHawk(Game):
    """What runs in BizHawk, which waits for us after every step. Steer +1 is right, pitch +1 is the stick up.

    Drives begin at save states, each seed in its own way; without any, where the game stood when BizHawk connected.
    In lockstep an action is held from the very frame on which it was chosen, and the game stands still meanwhile: the
    same again gives the same again. In real time the game runs on while it is chosen, and it is held from exactly
    `frames` later on.

    `Frame.state` tells what the game's table knows (`tables.py`) where the ROM is one that the table is right for:
    `progress`, `lap`, `speed` in the game's units … The score is 1000 for the whole race, less 1 a second.

    Args:
        game: what is played, a name of the tables.
        states: files of save states with commas between, one a course.
        frames: emulated frames a step, of 60 a second.
        realtime: the game does not wait while an action is chosen.
        disturbed: whether the first second and a half go as the seed says; else each state has a single drive.
        limit_s: how long a race may take, in seconds of game time; 0 leaves it open.
        fast: in lockstep, BizHawk runs without sound and limit of speed.
        port: on which BizHawk reaches us; 0 takes any that is free. By default any for one that is started here, else
            43880.
        emuhawk, rom: BizHawk's program and the game's file, to start them here; "" waits for a person to do so.
        core: BizHawk's core, such as Ares64, which it does not tell by itself.
        by_hand: a person drives in BizHawk: nothing is pressed, loaded or judged to be stuck.

    Attributes:
        ended: also "link lost", and "went back" where a person loaded a save state or reset the game.
        held: what the person's own pad did on the last frame, in the game's channels.
        meeting: with BizHawk.
        doubt: why the game's memory tells nothing, as a sentence; "" where it does.

    Raises:
        KartError: there is no such game or file, or a number makes no sense.
    """

    simulated = True
    group = ""

    def __init__(
        self,
        game: str = GAME,
        states: str = "",
        frames: int = FRAMES,
        realtime: bool = False,
        disturbed: bool = True,
        limit_s: float = 0,
        fast: bool = False,
        port: int | None = None,
        emuhawk: str = "",
        rom: str = "",
        core: str = "",
        by_hand: bool = False,
    ) -> None:
        home = Settings.from_env().home
        tables = load_tables(home)
        if game not in tables:
            raise KartError(
                f"There is no game {game!r} of BizHawk; there are {', '.join(sorted(tables))}. Add it to bizhawk.toml "
                "in KART_HOME, as docs/bizhawk.md says."
            )
        if isinstance(frames, bool) or not isinstance(frames, int) or not 1 <= frames <= 60:
            raise KartError(f"A step is a whole number of 1 to 60 emulated frames, not {frames!r}.")
        if not (isinstance(limit_s, int | float) and limit_s >= 0):
            raise KartError(f"A race may take 0 seconds (no limit) or more, not {limit_s!r}.")
        table = tables[game]
        kept = table.launch
        self.name, self._table = game, table
        self._console = console(table.system)
        self.spec = self._console.spec
        self.rate_hz = FRAMES_PER_S / frames
        self._frames, self._limit_s, self._by_hand = frames, float(limit_s), by_hand
        self._first = realtime or by_hand
        self._fast = fast and not self._first
        named = state_files(states) if states else [Path(path).expanduser() for path in kept.states] if kept else []
        self._starts = Starts(named, disturbed=disturbed and not by_hand)
        program = emuhawk or (kept.emuhawk if kept else "")
        self.meeting = Meeting(
            Wanted(
                table=table,
                tables=tables,
                port=(0 if program else PORT) if port is None else port,
                emuhawk=program,
                rom=rom or (kept.rom if kept else ""),
                core=core or (kept.core if kept else ""),
            ),
            home,
        )
        self._link: Remote | None = None
        self._memory: Memory | None = None
        self._home = ""  # the state in which BizHawk connected
        self.doubt = ""
        self.track, self.score, self.held = "", 0.0, self.spec.neutral()
        self._next: Pad | None = self._console.pad(self.spec.neutral())
        self._race = Race(None)
        self._begun = self._count = 0
        self._last: Frame | None = None

    @property
    def about(self) -> Mapping[str, Any]:
        """The emulator, its ROM and core, and how many of its frames a step takes."""
        way = "by hand" if self._by_hand else "real time" if self._first else "lockstep"
        return {"emulator": {**self.meeting.about, "frames": self._frames, "way": way}}

    def ready(self, say: Callable[[str], None], should_stop: Callable[[], object] = lambda: False) -> None:
        """Wait until BizHawk has connected, and see what runs there.

        Raises:
            KartError: nobody came, or somebody with another game.
        """
        self.meeting.say, self.meeting.should_stop = say, should_stop
        self._linked()

    def reset(self, seed: int | None = None) -> Frame:
        """Go to where a drive begins; BizHawk is waited for where it is not there.

        Raises:
            KartError: it does not come, or is gone again at once.
        """
        try:
            return self._begin(self._linked(), seed)
        except LostError:
            self._lose()
        try:
            return self._begin(self._linked(), seed)
        except LostError as error:
            self._lose()
            raise KartError(f"BizHawk connects and is gone again ({error}); its Lua Console says why.") from error

    def displace(self, random: np.random.Generator) -> Frame:
        """Hold the wheel hard over for about a second, to one side.

        Raises:
            KartError: BizHawk is gone.
        """
        steer = float(random.choice((-1.0, 1.0)))
        over = self._console.pad(self._turned(steer))
        link = self._linked()
        try:
            link.hold(over, round(random.uniform(*_HARD_S) * FRAMES_PER_S), picture=False)
            return self._told(link.hold(over, 1, first=self._first))
        except LostError as error:
            self._lose()
            raise KartError(f"BizHawk is gone: {error}") from error

    def send(self, action: Action) -> None:
        """Hold the pad so in the coming step."""
        self._next = self._console.pad(action)

    def obey(self, choice: Choice) -> None:
        """The same; a pad in the person's own hands is left to them: two sticks at once would be none to BizHawk."""
        self._next = None if choice.by_hand else self._console.pad(choice.action)

    def next_frame(self) -> Frame:
        """Some frames on; the last one again, and the drive has ended, where BizHawk is gone.

        Raises:
            KartError: there was no reset.
        """
        if self._last is None:
            raise KartError(f"{self.name} shows nothing before its reset.")
        if self._link is None:
            return self._last
        try:
            pad = None if self._by_hand else self._next
            return self._told(self._link.hold(pad, self._frames, first=self._first))
        except LostError as error:
            self.meeting.say(f"BizHawk is gone: {error}")
            self._lose()
            return self._last

    def neutral(self) -> None:
        """Let go of the pad; without BizHawk its script has done so."""
        self._next = self._console.pad(self.spec.neutral())
        if self._link is not None:
            try:
                self._link.neutral()
            except LostError:
                self._lose()

    def close(self) -> None:
        """Say goodbye; a BizHawk that was started here ends."""
        self._link = None
        self.meeting.close()

    def cruise(self) -> Action:
        """Straight ahead with the gas down, as a search begins; without a search in the game's table, hands off."""
        return plan(self._table, self.spec).coast

    def expert(self) -> Autopilot:
        """A search over save states, as the game's table says.

        Raises:
            KartError: nothing tells how far a race is, or the game is in real time, which no search can stop.
        """
        if self._first:
            raise KartError(f"The expert of {self.name} stops the time to search; leave out realtime=true.")
        if self._table.progress is None:
            raise KartError(
                f"There is no expert for {self._table.title}: its table says nothing of `progress`, by which to search."
            )
        return SearchExpert(self.ahead(), plan(self._table, self.spec))

    def ahead(self) -> Lookahead:
        """The game as a search sees it."""
        return Lookahead(
            Searched(self._running, self._console, always=self._fast),
            Memory(self._table),
            name=self.name,
            spec=self.spec,
            rate_hz=self.rate_hz,
            frames=self._frames,
        )

    def keep(self, path: Path) -> None:
        """Write the present moment as a save state, from which a drive can begin or be played again.

        Raises:
            KartError: it cannot be written, or BizHawk is gone.
        """
        self._running().save(path)

    def _linked(self) -> Remote:
        """BizHawk, which is waited for."""
        if self._link is None:
            self._link = link = self.meeting.link()
            self._memory, self.doubt = self.meeting.memory, self.meeting.doubt
            if self.doubt:
                self.meeting.say(self.doubt)
            if not self._by_hand and not self._starts.named:
                self._home = link.save()
        return self._link

    def _running(self) -> Remote:
        if self._link is None:
            raise KartError("BizHawk is not there.")
        return self._link

    def _begin(self, link: Remote, seed: int | None) -> Frame:
        start = self._starts.start(seed or 0)
        if self._fast:
            link.hurry(True)
        rest = self._console.pad(self.spec.neutral())
        if start.state is not None:
            link.load(str(start.state))
        elif self._home:
            link.load(self._home)
        for pad, seconds in ((rest, start.wait_s), (self._console.pad(self._turned(start.steer)), start.push_s)):
            if frames := round(seconds * FRAMES_PER_S):
                link.hold(pad, frames, picture=False)
        own = None if self._by_hand else rest
        if self._first:
            link.hold(own, 1, picture=False)  # what was loaded is not drawn yet
        seen = link.hold(own, self._frames if self._first else 1, first=self._first)
        doubt = self._memory.doubts(seen.numbers) if self._memory is not None else ""
        if doubt and doubt != self.doubt:
            self.meeting.say(doubt)
        self.doubt = doubt or self.meeting.doubt
        patience = {"stuck_s": None} if self._by_hand else {}  # a person may stop and think
        self._race = Race(None if doubt else self._memory, self._limit_s or None, **patience)
        self.ended, self.score, self._next = None, 0.0, rest
        self._begun = self._count = seen.count
        frame = self._told(seen)
        self.track = self._race.track or start.course
        return frame

    def _told(self, seen: Seen) -> Frame:
        """A frame with what the game's memory tells; sees whether the race is over."""
        if seen.rgb is None:
            raise LostError("it sent no picture")
        told = {} if self._memory is None or self.doubt else self._memory.state(seen.numbers)
        self._race.look(told, (seen.count - self._begun) / FRAMES_PER_S)
        self.score = self._race.score
        self.ended = BACK if seen.count < self._count else self._race.ended
        self._count = seen.count
        self.held = self._console.action(seen.held)
        self._last = Frame(seen.rgb, round(seen.count * 1e9 / FRAMES_PER_S), told)
        return self._last

    def _turned(self, steer: float) -> Action:
        """The gas down and the wheel there; buttons know left and right only."""
        action = self.cruise()
        channels = {name: action[name] for name in self.spec.names}
        if self.spec.mirrored_axes:
            return self.spec.action(**channels | {self.spec.mirrored_axes[0]: steer})
        return self.spec.action(**channels | {self.spec.mirrored_buttons[0][steer > 0]: True})

    def _lose(self) -> None:
        """BizHawk is gone: the drive has ended."""
        self._link, self.ended = None, LOST
        self.meeting.lose()
