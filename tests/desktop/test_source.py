"""Frames of a real window under a real X server: only its inside, wherever it goes, and a word when it is away."""

import json
import sys
import time

import numpy as np
import pytest

from kart_pipeline.core.errors import KartError
from kart_pipeline.core.frame import now_ns
from kart_pipeline.desktop.rect import Rect
from kart_pipeline.desktop.source import Grab, ScreenSource, Where, open_source
from kart_pipeline.desktop.windows import CLOSED, MINIMISED, Hidden

BLUE = (0x20, 0x40, 0xC0)


@pytest.fixture
def look(make_window):
    """What is seen of the window "racing", or of some other place."""
    opened: list[ScreenSource] = []

    def make(height: int = 0, **place) -> ScreenSource:
        opened.append(open_source(Where(**(place or {"window": "racing"})), height))
        return opened[-1]

    yield make
    for source in opened:
        source.close()


def seen(source: ScreenSource) -> np.ndarray:
    grab = source.grab()
    assert isinstance(grab, Grab), grab
    return grab.rgb


def test_a_window_is_its_inside_and_nothing_else(make_window, look) -> None:
    make_window()
    source = look()
    before = now_ns()
    grab = source.grab()
    assert isinstance(grab, Grab)
    assert before < grab.t_ns < now_ns()
    assert grab.rgb.shape == (240, 320, 3)
    assert (grab.rgb == BLUE).all()  # neither its border nor the desktop
    assert source.about == {
        "kind": "screen",
        "window": "Racing Game",
        "seen": {"width": 320, "height": 240},
        "frame": {"width": 320, "height": 240},
    }


def test_it_is_followed_when_it_moves(make_window, look, hands) -> None:
    window = make_window()
    source = look()
    for x, y in ((0, 0), (400, 300), (123, 77)):
        hands.do(window, "configure", x=x, y=y)
        assert (seen(source) == BLUE).all()
    assert source.notes() == {}


def test_what_of_it_is_off_the_screen_is_black(make_window, look, hands) -> None:
    window = make_window()
    source = look()
    hands.do(window, "configure", x=-103, y=-53)  # its border is 3 wide
    rgb = seen(source)
    assert rgb.shape == (240, 320, 3)
    assert (rgb[50:, 100:] == BLUE).all()
    assert not rgb[:50].any()
    assert not rgb[:, :100].any()
    hands.do(window, "configure", x=2000, y=0)
    assert source.grab() == Hidden("the window is off the screen")


def test_a_new_size_is_scaled_to_the_first_and_noted(make_window, look, hands) -> None:
    window = make_window()
    source = look(height=120)
    assert seen(source).shape == (120, 160, 3)
    hands.do(window, "configure", width=500, height=300)
    rgb = seen(source)
    assert rgb.shape == (120, 160, 3)
    assert (rgb == BLUE).all()
    assert [(size["width"], size["height"]) for size in source.notes()["sizes"]] == [(320, 240), (500, 300)]
    assert source.about["seen"] == {"width": 320, "height": 240}
    json.dumps([source.about, source.notes()])


def test_minimised_and_back(make_window, look, hands) -> None:
    window = make_window()
    source = look()
    hands.do(window, "unmap")
    assert source.grab() == Hidden(MINIMISED)
    hands.do(window, "map")
    assert (seen(source) == BLUE).all()


def test_closed_and_opened_anew(make_window, look, hands) -> None:
    window = make_window()
    source = look()
    hands.do(window, "destroy")
    assert source.grab() == Hidden(CLOSED)
    assert source.grab() == Hidden(CLOSED)
    make_window("The same Racing Game, again", (200, 100, 320, 240))
    time.sleep(1.1)  # it is looked for once a second
    assert (seen(source) == BLUE).all()


def test_a_part_of_the_title_will_do_where_only_one_has_it(make_window, look) -> None:
    make_window("Racing Game")
    make_window("Racing Game: settings", (400, 40, 200, 100))
    assert seen(look(window="racing game")).shape == (240, 320, 3)  # the whole of a title goes before a part of others
    with pytest.raises(KartError, match=r"2 windows have 'racing' in their title: .*'Racing Game: settings'"):
        look(window="racing")
    with pytest.raises(KartError, match=r"No window has 'kart' in its title; there are .*'Racing Game'.*Open the game"):
        look(window="kart")


def test_a_region_and_a_monitor_stay_where_they_are(make_window, look) -> None:
    make_window(place=(50, 40, 320, 240))
    region = seen(look(region=Rect(40, 30, 100, 100)))
    assert (region[13:, 13:] == BLUE).all()
    assert (region[10:13, 10:] == 255).all()  # the border
    assert not region[:10].any()
    monitor = look(monitor=1)
    assert seen(monitor).shape == (600, 800, 3)
    assert monitor.about["region"] == "0,0,800,600"


def test_what_is_not_on_the_screen_is_refused(desktop, look) -> None:
    with pytest.raises(KartError, match="The region 700,500,200,100 reaches beyond the screen, which is 800x600"):
        look(region=Rect(700, 500, 200, 100))
    with pytest.raises(KartError, match="There is no monitor 2; there is 1: see `python -m recorder screens`"):
        look(monitor=2)
    with pytest.raises(KartError, match="No window has 'anything' in its title"):
        look(window="anything")


@pytest.mark.e2e
def test_a_screen_that_goes_away_is_told(x_server, monkeypatch: pytest.MonkeyPatch) -> None:
    server, name = x_server()
    monkeypatch.setenv("DISPLAY", name)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.delenv("XDG_SESSION_TYPE", raising=False)
    source = open_source(Where(monitor=1), 0)
    assert isinstance(source.grab(), Grab)
    server.terminate()
    server.wait(10)
    with pytest.raises(KartError, match="cannot be read any more"):
        source.grab()
    source.close()


@pytest.mark.parametrize("text", ["", "1,2,3", "1,2,3,4,5", "a,b,c,d", "0,0,-5,5", "0,0,8,8", "0.5,0,100,100"])
def test_what_is_no_region_is_said(text: str) -> None:
    with pytest.raises(KartError, match="region"):
        Rect.parse(text)


def test_a_region_may_lie_left_of_the_first_monitor() -> None:
    assert Rect.parse(" -1920, 0,640,480") == Rect(-1920, 0, 640, 480)


@pytest.mark.skipif(sys.platform != "linux", reason="only there does the environment choose the screen")
@pytest.mark.parametrize(
    ("environ", "sentence"),
    [
        ({}, "There is no screen here .DISPLAY is not set."),
        ({"DISPLAY": ":7654"}, "The screen cannot be read"),
        ({"DISPLAY": ":0", "WAYLAND_DISPLAY": "wayland-0"}, "Wayland lets no program read the screen.*X11 session"),
    ],
)
def test_where_no_screen_can_be_read_a_sentence_says_what_works(
    environ: dict[str, str], sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "XDG_SESSION_TYPE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(KartError, match=sentence) as error:
        open_source(Where(monitor=1), 0)
    assert "\n" not in str(error.value)


def test_whether_keys_reach_a_window_is_known(make_window, look, hands) -> None:
    hands.mouse(700, 500)  # on neither: without a window manager the focus of a closed window goes to the mouse's
    window = make_window()
    source = look()
    assert source.focused()
    other = make_window("Another", (400, 40, 200, 100))  # takes the focus
    assert not source.focused()
    hands.do(other, "destroy")
    assert not source.focused()
    hands.do(window, "set_input_focus", revert_to=0, time=0)
    assert source.focused()
    hands.do(window, "destroy")
    assert not source.focused()


def test_without_a_window_manager_keys_go_to_what_is_under_the_mouse(make_window, look, hands) -> None:
    window = make_window()
    source = look()
    hands.do(window, "unmap")  # the focus falls back to the desktop
    hands.do(window, "map")
    hands.mouse(700, 500)
    assert not source.focused()
    hands.mouse(100, 100)
    assert source.focused()


def test_a_region_has_the_focus_of_the_window_on_it(make_window, look, hands) -> None:
    hands.mouse(700, 500)
    source = look(region=Rect(60, 50, 100, 80))
    assert not source.focused()
    make_window()
    assert source.focused()
    make_window("Another", (400, 40, 200, 100))
    assert not source.focused()
