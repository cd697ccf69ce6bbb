"""Whose hand it was: a person's on a keyboard, or a program's."""

from collections.abc import Callable, Collection, Iterator

import pytest

from recorder.devices.hand_keys_x11 import X11HandKeys


@pytest.fixture
def heard(desktop: str) -> Iterator[Callable[[], set[str]]]:
    """The keys that a person holds."""
    now: list[set[str]] = [set()]

    def hold(_: int, keys: Collection[str]) -> None:
        now[0] = set(keys)

    keys = X11HandKeys(["left", "right", "x"], hold)
    yield lambda: now[0]
    keys.close()


def test_a_person_is_heard_and_a_program_is_not(heard, hands, soon) -> None:
    hands.key("x", True)
    hands.own_key("Left", True)
    soon(lambda: heard() == {"left"})
    hands.key("x", False)
    hands.own_key("Left", False)
    soon(lambda: heard() == set())


def test_both_may_hold_the_same_key(heard, hands, soon) -> None:
    hands.key("Left", True)
    hands.own_key("Left", True)
    soon(lambda: heard() == {"left"})
    hands.key("Left", False)  # by now the server says that the key is up
    hands.own_key("Right", True)
    soon(lambda: heard() == {"left", "right"})
    hands.own_key("Left", False)
    soon(lambda: heard() == {"right"})


def test_other_keys_are_not_looked_at(heard, hands, soon) -> None:
    hands.own_key("Return", True)
    hands.own_key("x", True)
    soon(lambda: heard() == {"x"})
