"""Which state held when: any push, any question, from several threads."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kart_pipeline.core.errors import KartError
from recorder.devices.timeline import Timeline

CHANGES = st.lists(st.tuples(st.integers(0, 50), st.integers(0, 3)), max_size=60).map(
    lambda pairs: sorted(pairs, key=lambda pair: pair[0])
)


@given(CHANGES, st.integers(-5, 60))
def test_the_last_state_that_began_no_later_holds(changes: list[tuple[int, int]], t: int) -> None:
    timeline = Timeline(-1)
    for when, state in changes:
        timeline.push(when, state)
    expected = [-1, *(state for when, state in changes if when <= t)][-1]
    assert timeline.at(t) == expected
    assert timeline.last == [-1, *(state for _, state in changes)][-1]


@given(CHANGES, st.integers(1, 8), st.integers(-5, 60))
def test_what_is_forgotten_is_said_and_never_made_up(changes: list[tuple[int, int]], kept: int, t: int) -> None:
    timeline, whole = Timeline(-1, kept), Timeline(-1)
    for when, state in changes:
        timeline.push(when, state)
        whole.push(when, state)
    assert len(timeline) <= kept
    try:
        assert timeline.at(t) == whole.at(t)
    except KartError as error:
        assert len(whole) > kept
        assert "is no longer known" in str(error)


def test_a_state_that_lasts_takes_no_room() -> None:
    timeline = Timeline("up")
    for t in range(100_000):
        timeline.push(t, "up")
    assert len(timeline) == 1


def test_time_does_not_go_back() -> None:
    timeline = Timeline(0)
    timeline.push(10, 1)
    with pytest.raises(ValueError, match="9 lies before the last change at 10"):
        timeline.push(9, 2)


def test_many_may_ask_while_one_writes() -> None:
    timeline = Timeline(0, kept=64)
    wrong: list[object] = []
    done = threading.Event()

    def ask() -> None:
        while not done.is_set():
            newest = timeline.last
            try:
                if timeline.at(newest) < newest:
                    wrong.append(newest)
            except KartError as error:  # forgotten in between
                if "no longer known" not in str(error):
                    wrong.append(error)
            except BaseException as error:  # noqa: BLE001 - a thread's own would only be printed
                wrong.append(error)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for t in range(1, 3000):
        timeline.push(t, t)
    done.set()
    for thread in threads:
        thread.join()
    assert wrong == []
