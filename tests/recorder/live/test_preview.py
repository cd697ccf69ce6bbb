"""The preview on a real screen: what it shows, and that it is never in the recording."""

import threading
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from kart_pipeline.core.store import Store
from kart_pipeline.desktop.pixels import Pixels
from kart_pipeline.desktop.rect import Rect
from kart_pipeline.desktop.source import Where, open_source
from kart_pipeline.desktop.windows import matching, open_windows
from kart_pipeline.driving.instruments import ALARM, LIT, STEER
from kart_pipeline.games.controls import N64_SPEC
from kart_pipeline.games.desktop import DesktopGame
from recorder.devices.keys import open_keyboard
from recorder.devices.settings import PadSettings
from recorder.episode import Taken
from recorder.live.preview import Preview
from recorder.pads import DevicePad
from recorder.screen.capture import screen_header
from recorder.screen.recording import ScreenRecording, record_screen

pytestmark = pytest.mark.e2e


class Session:
    """A recording with a preview in a thread of its own."""

    def __init__(self, store: Store, home) -> None:
        self.told: list[str] = []
        self.recording: ScreenRecording | None = None
        self.outcome: object = None
        self._store, self._home = store, home
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        source = open_source(Where(window="racing"), 120)
        settings = PadSettings.load(self._home)
        pad = DevicePad(open_keyboard(settings.keys), settings.mapping("kart", N64_SPEC), wait=True)
        previews: list[Preview] = []

        def parts(recording: ScreenRecording) -> list[Preview]:
            self.recording = recording
            frame = (source.about["frame"]["width"], source.about["frame"]["height"])
            where: Callable[[], Rect | None] = lambda: source.place  # noqa: E731
            previews.append(
                Preview(recording, N64_SPEC, "kart", where, source.monitors, frame, self.told.append).__enter__()
            )
            return previews

        with DesktopGame(source, "kart", "", N64_SPEC, 20) as game:
            game.reset()
            header = screen_header(game, {"kind": "human"}, "png")
            self.outcome = record_screen(
                self._store, header, game, pad, parts=parts, should_stop=self._end.is_set, say=self.told.append
            )
            for preview in previews:
                preview.__exit__()
        pad.close()

    def end(self) -> Taken:
        self._end.set()
        self._thread.join(60)
        assert isinstance(self.outcome, Taken)
        return self.outcome


@pytest.fixture
def session(make_window, store: Store, home, monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    monkeypatch.delenv("SDL_VIDEODRIVER", raising=False)
    make_window()
    made = Session(store, home)
    yield made
    made._end.set()
    made._thread.join(60)


def until(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, f"waited a minute for {what}"
        time.sleep(0.05)


@pytest.fixture
def place(desktop: str) -> Iterator[Callable[[], Rect | None]]:
    """Where the preview is."""
    windows = open_windows()

    def find() -> Rect | None:
        found = matching(windows.all(), "Preview: kart")
        return found[0].inside if found else None

    yield find
    windows.close()


def has(place: Rect | None, colour: tuple[int, int, int], part: slice = slice(None)) -> bool:
    """Whether the window shows a colour."""
    if place is None:
        return False
    with Pixels() as pixels:
        shown = pixels.grab(place)[part, :, 2::-1]
    return bool((np.abs(shown.astype(int) - colour).max(axis=2) < 12).any())


def test_the_preview_shows_frames_and_hands_beside_what_is_recorded_and_closes_with_it(
    session: Session, place, hands
) -> None:
    until(lambda: has(place(), STEER), "the stick")
    assert place().left >= 50 + 320 + 3
    hands.key("x", True)
    until(lambda: has(place(), LIT, slice(-40, None)), "the lamp of A")
    hands.key("x", False)
    assert session.recording is not None
    until(lambda: session.recording.seconds > 1.5, "a session worth keeping")
    session.end()
    assert place() is None
    assert session.told == []


def test_the_keys_still_go_to_the_game(session: Session, place, desktop: str) -> None:
    until(lambda: has(place(), STEER), "the stick")
    windows = open_windows()
    (game,) = matching(windows.all(), "racing")
    focused = windows.has_focus(game.handle)
    windows.close()
    assert focused


def test_recording_is_held_while_the_preview_lies_over_it_and_it_is_in_no_frame(
    session: Session, place, hands, store: Store, desktop: str
) -> None:
    until(lambda: has(place(), STEER), "the stick")
    time.sleep(2)
    windows = open_windows()
    (window,) = matching(windows.all(), "Preview: kart")
    move(desktop, window.handle, 100, 60)
    assert session.recording is not None
    until(lambda: session.recording.holds == {"preview"}, "the hold")
    until(lambda: has(place(), ALARM, slice(15, 60)), "the warning")
    move(desktop, window.handle, 400, 60)
    until(lambda: not session.recording.holds, "the release")
    time.sleep(1.5)
    windows.close()
    taken = session.end()
    assert any("Paused: the preview lies over what is recorded" in line for line in session.told)
    steps = [*store.open(taken.manifest.id).steps()]
    assert len(steps) > 20
    colours = {tuple(pixel) for step in steps for pixel in np.unique(step.frame.rgb.reshape(-1, 3), axis=0)}
    assert colours <= {(0x20, 0x40, 0xC0), (0xE0, 0xA0, 0x20)}


def test_a_preview_that_is_closed_leaves_the_recording_alone(session: Session, place) -> None:
    import multiprocessing

    until(lambda: has(place(), STEER), "the stick")
    (window,) = [child for child in multiprocessing.active_children() if child.name == "preview"]
    window.terminate()  # SDL makes of this what it makes of the window's cross
    until(lambda: "The preview was closed; recording goes on." in session.told, "the word")
    assert session.recording is not None
    before = session.recording.steps
    until(lambda: session.recording.steps > before + 20, "more steps")
    assert session.end().manifest.ended == "stopped"


def move(display: str, handle: int, x: int, y: int) -> None:
    from Xlib.display import Display

    connection = Display(display)
    connection.create_resource_object("window", handle).configure(x=x, y=y)
    connection.sync()
    connection.close()


def test_a_whole_monitor_leaves_no_room_and_that_is_said(make_window, run, store: Store, monkeypatch) -> None:
    monkeypatch.delenv("SDL_VIDEODRIVER", raising=False)
    make_window()
    game = ("--game", "mario_kart_64", "--pad", "keyboard", "--signals", "off")
    status, _, err = run("capture", "--monitor", "1", *game, "--rate", "5", "--max-steps", "8", "--preview")
    assert status == 0
    assert "there is no room beside that: record a window or a region, or use a second monitor." in err
    assert len(store.ids()) == 1
