"""A change that follows the presses is found among changes that do not."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kart_pipeline.core.errors import KartError
from recorder.delay.change import COLUMNS, ROWS, Answer, Look, Looks, Window, cell_means
from recorder.delay.measuring import QUIET_S, SEARCH_S, measured

MS = 1_000_000
LOOK_MS = 8
PRESSES = 12

Mover = Callable[[np.random.Generator], "np.ndarray[tuple[int, int], np.dtype[np.float32]]"]


def still(_: np.random.Generator) -> np.ndarray:  # type: ignore[type-arg]
    return np.zeros((ROWS, COLUMNS), np.float32)


def restless(rng: np.random.Generator) -> np.ndarray:  # type: ignore[type-arg]
    """In the upper half something appears now and then, anywhere."""
    moved = still(rng)
    if rng.random() < 0.1:
        moved[rng.integers(0, ROWS // 2), rng.integers(COLUMNS)] = rng.uniform(1, 30)
    return moved


def noisy(rng: np.random.Generator) -> np.ndarray:  # type: ignore[type-arg]
    """The whole picture flickers."""
    return rng.uniform(0, 3, (ROWS, COLUMNS)).astype(np.float32)


def press(
    rng: np.random.Generator,
    delay_ms: float | None,
    *,
    mover: Mover = still,
    strength: float = 20.0,
    cell: tuple[int, int] = (9, 5),
    look_ms: float = LOOK_MS,
) -> Window:
    """A press at a random moment between two looks, which shows in one cell `delay_ms` later."""
    pressed = round(1e9 * (QUIET_S + SEARCH_S) + rng.uniform(0, look_ms) * MS)
    looks = []
    shown = delay_ms is None
    for t_ns in range(0, round(pressed + SEARCH_S * 1e9), round(look_ms * MS)):
        moved = mover(rng)
        if not shown and delay_ms is not None and t_ns >= pressed + delay_ms * MS:
            moved[cell] += strength
            shown = True
        looks.append(Look(t_ns, moved))
    start = pressed - round(SEARCH_S * 1e9)
    return Window(
        pressed,
        [look for look in looks if look.t_ns <= start],
        [look for look in looks if start < look.t_ns <= pressed],
        [look for look in looks if look.t_ns > pressed],
    )


@settings(max_examples=30)
@given(
    seed=st.integers(0, 10_000),
    delay=st.floats(0, 600),
    jitter=st.floats(0, 40),
    mover=st.sampled_from([still, restless, noisy]),
)
def test_the_delay_is_found_to_a_look_whatever_else_moves(seed: int, delay: float, jitter: float, mover: Mover) -> None:
    rng = np.random.default_rng(seed)
    true = delay + rng.uniform(0, jitter, PRESSES)
    found = measured([press(rng, value, mover=mover) for value in true])
    assert abs(found.delay_ms - np.median(true)) <= LOOK_MS
    assert found.spread_ms <= jitter + LOOK_MS
    assert (found.presses, found.asked) == (PRESSES, PRESSES)
    assert found.look_ms == pytest.approx(LOOK_MS)


def test_a_single_changed_digit_in_a_still_picture_is_enough() -> None:
    rng = np.random.default_rng(0)
    assert measured([press(rng, 50, strength=0.5) for _ in range(6)]).delay_ms == pytest.approx(50, abs=LOOK_MS)


@settings(max_examples=20)
@given(seed=st.integers(0, 10_000), mover=st.sampled_from([still, restless, noisy]))
def test_presses_that_nothing_answers_are_no_delay(seed: int, mover: Mover) -> None:
    rng = np.random.default_rng(seed)
    with pytest.raises(KartError, match=r"Nothing changed on the screen after 12 presses|No place of the picture"):
        measured([press(rng, None, mover=mover) for _ in range(PRESSES)])


def test_where_it_moves_by_itself_the_advice_is_to_find_a_quieter_moment() -> None:
    rng = np.random.default_rng(3)
    with pytest.raises(KartError, match=r"before \d+% of the presses something moved.*Choose a moment"):
        measured([press(rng, None, mover=restless) for _ in range(PRESSES)])
    with pytest.raises(KartError, match="Give the game's window the focus"):
        measured([press(rng, None) for _ in range(PRESSES)])


def test_presses_that_show_at_very_different_times_are_no_delay() -> None:
    rng = np.random.default_rng(4)
    with pytest.raises(KartError, match=r"too different times to show, half of them .* ms"):
        measured([press(rng, delay) for delay in np.linspace(20, 400, PRESSES)])


def test_a_machine_that_hardly_looked_is_no_ruler() -> None:
    rng = np.random.default_rng(5)
    with pytest.raises(KartError, match=r"too busy to look at the screen around 12 of 12 presses"):
        measured([press(rng, 250, look_ms=150) for _ in range(PRESSES)])
    with pytest.raises(KartError, match=r"around 7 of 12 presses"):
        measured([press(rng, 50) for _ in range(5)] + [None] * 7)


def test_a_third_of_the_presses_may_go_unseen() -> None:
    rng = np.random.default_rng(6)
    found = measured([press(rng, None if i % 4 == 0 else 60) for i in range(PRESSES)])
    assert found.delay_ms == pytest.approx(60, abs=LOOK_MS)
    assert found.presses == 9


def test_only_the_cells_that_answer_are_looked_at() -> None:
    rng = np.random.default_rng(7)
    cells = Answer.of([press(rng, 60, mover=restless, cell=(10, 3)) for _ in range(PRESSES)]).cells
    assert list(zip(*np.nonzero(cells), strict=True)) == [(10, 3)]


@given(height=st.integers(ROWS, 60), width=st.integers(COLUMNS, 60), seed=st.integers(0, 99))
def test_the_mean_of_a_cell_is_that_of_its_pixels(height: int, width: int, seed: int) -> None:
    change = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    means = cell_means(change)
    tops, lefts = np.linspace(0, height, ROWS + 1).astype(int), np.linspace(0, width, COLUMNS + 1).astype(int)
    for row, column in ((0, 0), (5, 7), (ROWS - 1, COLUMNS - 1)):
        cell = change[tops[row] : tops[row + 1], lefts[column] : lefts[column + 1]]
        assert means[row, column] == pytest.approx(cell.mean(), rel=1e-5)


def test_looks_reach_back_so_far_and_begin_anew_when_told() -> None:
    looks = Looks(seconds=0.1)
    for number in range(30):
        looks.add(np.full((ROWS, COLUMNS, 3), number * 8, np.uint8), number * 10 * MS)
    seen = looks.between(0, 300 * MS)
    assert [look.t_ns // MS for look in seen] == list(range(190, 300, 10))
    assert all((look.moved == 8).all() for look in seen)
    looks.forget()
    looks.add(np.zeros((ROWS, COLUMNS, 3), np.uint8), 301 * MS)
    assert looks.between(0, 400 * MS) == []
