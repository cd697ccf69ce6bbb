"""What the benchmark of the way from the screen to the keys makes of its drives, and its source that looks ahead."""

import threading
from itertools import count

import numpy as np
import pytest

from benchmarks.driving import beside_rows
from benchmarks.looking_ahead import LookingAhead
from benchmarks.screen_drive import Driven
from kart_pipeline.core.errors import KartError
from kart_pipeline.desktop.source import Grab
from kart_pipeline.desktop.windows import Hidden

PATIENCE_S = 10


class Pictures:
    """A source whose pictures are numbered; each is shown when the test lets it."""

    about = {"window": "toy"}  # noqa: RUF012 - as the protocol has it

    def __init__(self, *, error: Exception | None = None) -> None:
        self.error, self.closed, self.threads = error, 0, set()
        self._numbers, self._allowed = count(), threading.Semaphore(0)
        self.looked = threading.Semaphore(0)

    def allow(self, looks: int) -> None:
        for _ in range(looks):
            self._allowed.release()
        for _ in range(looks - 1):  # the last may still be on its way
            assert self.looked.acquire(timeout=PATIENCE_S)

    def grab(self) -> Grab | Hidden:
        self.threads.add(threading.get_ident())
        self._allowed.acquire(timeout=PATIENCE_S)
        if self.error is not None:
            raise self.error
        self.looked.release()
        return Grab(np.zeros((2, 2, 3), np.uint8), next(self._numbers))

    def notes(self) -> dict[str, str]:
        return {"of": "the asked"}

    def focused(self) -> bool:
        return False

    def close(self) -> None:
        self.closed += 1
        self.allow(0)


@pytest.fixture
def ahead():
    asked, looking = Pictures(), Pictures()
    source = LookingAhead(asked, lambda: looking, all_the_time=True)
    yield source, asked, looking
    looking.error = KartError("the test is over")
    looking._allowed.release()
    source.close()


def test_looking_goes_on_in_a_thread_of_its_own_while_nobody_asks(ahead):
    source, asked, looking = ahead
    looking.allow(1)
    first = source.grab()
    looking.allow(3)
    assert looking.threads.isdisjoint({threading.get_ident()})
    assert asked.threads == set()
    assert first.t_ns == 0
    assert source.grab().t_ns > 0


def test_the_newest_picture_is_given_and_each_only_once(ahead):
    source, _, looking = ahead
    looking.allow(1)
    given = [source.grab().t_ns]
    for looks in (3, 1, 2):
        looking.allow(looks)
        given.append(source.grab().t_ns)
    assert given == sorted(set(given))


def test_one_picture_ahead_waits_until_it_was_given():
    looking = Pictures()
    source = LookingAhead(Pictures(), lambda: looking, all_the_time=False)
    for _ in range(5):
        looking._allowed.release()
    for number in range(3):
        assert looking.looked.acquire(timeout=PATIENCE_S)
        assert not looking.looked.acquire(timeout=0.05)
        assert source.grab().t_ns == number
    source.close()
    assert looking.closed == 1


def test_the_focus_is_that_of_the_source_in_whose_place_it_is(ahead):
    source, asked, _ = ahead
    assert not source.focused()
    assert (source.about, source.notes()) == (asked.about, {"of": "the asked"})


def test_a_screen_that_cannot_be_read_any_more_is_told_to_who_asks():
    looking = Pictures(error=KartError("The screen is gone."))
    source = LookingAhead(Pictures(), lambda: looking, all_the_time=True)
    looking._allowed.release()
    with pytest.raises(KartError, match="The screen is gone"):
        source.grab()
    source.close()
    assert looking.closed == 1


def test_both_sources_are_closed():
    asked, looking = Pictures(), Pictures(error=KartError("over"))
    source = LookingAhead(asked, lambda: looking, all_the_time=True)
    looking._allowed.release()
    source.close()
    assert (asked.closed, looking.closed) == (1, 1)


def test_drives_beside_the_bare_one_are_compared_with_it():
    fast, slow = Driven([8.0, 8.0, 8.0], 30.0), Driven([10.0, 10.0, 20.0], 30.0)
    drives = {"bare": [fast, fast], "preview": [slow, slow], "ahead": [slow, fast]}
    drives |= {"fast": [Driven([], 90.0), Driven([], 110.0)], "fast ahead": [Driven([], 125.0)]}
    rows = {row.what: row for row in beside_rows("way", drives)}
    middle, worst = rows["way, with the preview, p50"], rows["way, with the preview, p99"]
    assert (middle.ours, middle.theirs, middle.ratio, middle.met) == (10.0, 8.0, 0.8, True)
    assert worst.ours > 16.7
    assert worst.met is False
    asked = rows["way, looking when asked, p99"]
    assert asked.ratio == pytest.approx(asked.theirs / 8.0)
    assert asked.met is True
    speed = rows["way, looking when asked, as fast as it goes"]
    assert (speed.ours, speed.theirs, speed.ratio, speed.met) == (100.0, 125.0, 0.8, None)
