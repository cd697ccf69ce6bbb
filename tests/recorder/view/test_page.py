"""The page in a real browser: looked at, played, marked, saved, and two of them on one session."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kart_pipeline.core.edits import Edits, read_edits, save_edits

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium: apt-get install chromium")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Headless."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield started
        started.close()


@pytest.fixture
def visit(browser: Any) -> Iterator[Callable[..., Any]]:
    """Opens pages; whatever a page complains of fails the test."""
    complaints: list[str] = []
    context = browser.new_context(viewport={"width": 1200, "height": 900})

    def go(address: str) -> Any:
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(address)
        page.locator(".picture[data-row='0']").wait_for()
        return page

    yield go
    context.close()
    assert complaints == []


def at(page: Any) -> int:
    return int(page.locator(".seek").input_value())


def drag(page: Any, start: float, end: float) -> None:
    """In the chart, from one share of the session to another."""
    box = page.locator(".chart").bounding_box()
    page.mouse.move(box["x"] + start * box["width"] + 1, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + end * box["width"] + 1, box["y"] + 60, steps=4)
    page.mouse.up()


def test_a_session_is_scrubbed_and_played(record, serve, visit) -> None:
    record("a", 200)
    page = visit(serve("a").address)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    assert at(page) == 21
    page.locator(".picture[data-row='21']").wait_for()
    assert "steer +0.98, done +0.00" in page.locator(".axes").inner_text()
    assert page.locator(".buttons .down").count() == 0
    page.keyboard.press("End")
    assert at(page) == 199
    page.keyboard.press("Home")
    page.select_option(".speed", "4")
    page.keyboard.press(" ")
    for _ in range(200):
        page.wait_for_timeout(25)
        if at(page) > 40:
            break
    page.keyboard.press(" ")
    stopped = at(page)
    assert 40 < stopped < 199
    page.wait_for_timeout(150)
    assert at(page) == stopped


def test_a_slider_that_is_faster_than_pictures_come_leaves_no_queue_of_them(record, serve, visit) -> None:
    record("a", 200)
    page = visit(serve("a").address)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url.rpartition("/")[2]))
    page.evaluate(
        """() => {
            const seek = document.querySelector('.seek');
            for (let row = 50; row <= 150; row += 1) { seek.value = row; seek.dispatchEvent(new Event('input')); }
        }"""
    )
    page.wait_for_function("() => document.querySelector('.picture').dataset.row === '150'")
    assert [name for name in asked if name.isdigit()] == ["50", "150"]


def test_times_go_on_after_a_pause_as_the_clock_did(record, serve, visit) -> None:
    record("a", 200, gap=600)
    page = visit(serve("a").address)
    assert page.locator(".time").inner_text() == "0:00.00 of 0:39.95, frame 0"
    assert page.locator(".spots").inner_text().startswith("0:04.95 30050 ms without a frame")
    page.keyboard.press("n")
    page.keyboard.press("ArrowRight")
    assert page.locator(".time").inner_text() == "0:35.00 of 0:39.95, frame 700"


def test_a_session_that_cannot_be_read_says_so_and_the_others_can_be_chosen(record, serve, visit) -> None:
    broken, _ = record("a", 20), record("b", 20)
    server = serve("b", "a")
    page = visit(server.address)
    (broken.local_path / "steps.parquet").write_bytes(b"nothing")
    page.get_by_title("a", exact=True).click()
    page.get_by_text("steps.parquet of session a is damaged").wait_for()
    page.keyboard.press(" ")
    page.keyboard.press("[")
    page.get_by_title("b", exact=True).click()
    page.wait_for_function("() => document.querySelector('.picture').dataset.row === '0'")


def test_marks_are_made_undone_saved_and_there_again(record, serve, visit) -> None:
    session = record("a", 200, gap=30)
    server = serve("a")
    page = visit(server.address)
    assert page.locator(".save").is_disabled()
    drag(page, 0.1, 0.2)
    assert "frames 20 to 40" in page.locator(".left-out").inner_text()
    page.keyboard.press("n")
    assert at(page) == 99
    page.keyboard.press("i")
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("]")
    assert "frames 99 to 149" in page.locator(".left-out").inner_text()  # a gap of 30 steps lies between
    page.keyboard.press("Control+z")
    assert page.locator(".left-out li").count() == 1
    page.keyboard.press("Control+y")
    assert read_edits(session.local_path).revision == 0
    page.keyboard.press("Control+s")
    page.get_by_text("Saved.").wait_for()
    assert read_edits(session.local_path).left_out == ((20, 40), (99, 149))
    again = visit(server.address)
    assert again.locator(".left-out li").count() == 2
    again.keyboard.press("Home")
    again.locator(".left-out button").nth(0).click()
    again.keyboard.press("Delete")
    again.locator(".save").click()
    again.get_by_text("Saved.").wait_for()
    assert read_edits(session.local_path).left_out == ((99, 149),)


def test_two_pages_on_one_session_lose_nothing_of_each_other(record, serve, visit) -> None:
    session = record("a", 200)
    save_edits(session.local_path, Edits().with_range(180, 190), based_on=0)
    server = serve("a")
    first, second = visit(server.address), visit(server.address)
    drag(first, 0.1, 0.2)
    first.locator(".save").click()
    first.get_by_text("Saved.").wait_for()
    drag(second, 0.5, 0.6)
    second.locator(".left-out button", has_text="Bring back").last.click()
    second.locator(".save").click()
    second.get_by_text("changed elsewhere meanwhile").wait_for()
    second.get_by_text("Put mine on top of theirs").click()
    second.locator(".save").click()
    second.get_by_text("Saved.").wait_for()
    assert read_edits(session.local_path).left_out == ((20, 40), (100, 120))


def test_sessions_are_changed_and_shown_beside_each_other(record, serve, visit, tmp_path: Path) -> None:
    record("a", 50)
    record("b", 80)
    page = visit(serve("a", "b").address)
    page.get_by_label("Show b beside").click()
    page.locator(".pane").nth(1).get_by_text("80 frames").wait_for()
    page.keyboard.press("End")
    assert [item.input_value() for item in page.locator(".seek").all()] == ["0", "79"]
    page.get_by_label("Close this session").nth(0).click()
    assert page.locator(".pane .name").all_inner_texts() == ["b"]


def test_two_sessions_move_together_with_the_distance_that_they_have(record, serve, visit) -> None:
    record("a", 200)
    record("b", 200, gap=20)
    page = visit(serve("a", "b").address)
    assert not page.get_by_label("Move together").is_visible()
    page.get_by_label("Show b beside").click()
    page.wait_for_function("() => document.querySelectorAll('.picture')[1]?.dataset.row === '0'")
    for _ in range(10):
        page.keyboard.press("ArrowRight")
    page.get_by_label("Move together").check()
    page.locator(".pane").nth(0).click(position={"x": 5, "y": 5})
    page.keyboard.press("Shift+ArrowRight")
    assert [item.input_value() for item in page.locator(".seek").all()] == ["20", "30"]
    page.locator(".seek").nth(0).fill("150")
    assert [item.input_value() for item in page.locator(".seek").all()] == ["150", "140"]  # b has 20 steps fewer there


def test_a_session_that_lacks_every_second_frame_opens_as_any_other(record, serve, visit) -> None:
    record("a", 3000, stride=2)
    page = visit(serve("a").address)
    assert page.locator(".spots li").count() == 201
    assert page.locator(".spots li").last.inner_text() == "And 2799 more: n goes from one to the next."
    page.keyboard.press("End")
    assert page.locator(".time").inner_text() == "4:59.90 of 4:59.90, frame 5998"


def test_a_page_with_unsaved_marks_asks_before_it_is_left(record, serve, visit) -> None:
    record("a", 50)
    page = visit(serve("a").address)
    drag(page, 0.1, 0.2)
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    page.evaluate("() => { setTimeout(() => location.reload(), 0); }")
    page.wait_for_timeout(500)
    assert asked == ["beforeunload"]
    assert page.locator(".left-out").inner_text().startswith("0:00.25 to")


def test_a_page_whose_program_has_ended_says_so_and_keeps_the_marks(record, serve, visit) -> None:
    record("a", 50)
    page = visit(serve("a").address)
    drag(page, 0.1, 0.2)
    page.context.set_offline(True)
    page.locator(".save").click()
    page.get_by_text("The program behind this page has ended").wait_for()
    assert page.locator(".left-out li").count() == 1
