"""Marks: what was cut stays cut, whatever else is marked; they survive their way through a file."""

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kart_pipeline.core.marks import UNMARKED, Marks

ranges = st.tuples(st.integers(0, 50), st.integers(0, 20)).map(lambda pair: (pair[0], pair[0] + pair[1]))


@given(st.lists(ranges, max_size=6))
def test_a_step_is_kept_exactly_where_no_cut_covers_it(cuts: list[tuple[int, int]]) -> None:
    marks = UNMARKED
    for first, last in cuts:
        marks = marks.cut(first, last)
    steps = np.arange(80)
    covered = {step for first, last in cuts for step in range(first, last + 1)}
    assert marks.kept(steps).tolist() == [step not in covered for step in range(80)]


@given(st.lists(ranges, max_size=4), st.lists(ranges, max_size=4), st.sets(st.integers(0, 79), min_size=1))
def test_of_the_missing_steps_those_are_wanted_that_a_cut_or_pause_covers(cuts, pauses, kept) -> None:  # type: ignore[no-untyped-def]
    steps = sorted(kept)
    covered = {step for first, last in [*cuts, *pauses] for step in range(first, last + 1)}
    found = Marks(cuts=tuple(cuts), pauses=tuple(pauses)).wanted_gaps(np.array(steps))
    assert found.tolist() == [len(covered & {*range(a + 1, b)}) for a, b in pairwise(steps)]


def test_a_cut_takes_the_place_of_cuts_within_it_and_the_laps_with_it() -> None:
    marks = UNMARKED.lap(3).cut(5, 6).lap(8).cut(9, 10).cut(4, 12)
    assert marks == Marks(cuts=((4, 12),), laps=(3,))


several = st.lists(ranges, max_size=4)


@given(several, st.lists(st.integers(0, 99), max_size=4), several, several)
def test_marks_come_back_from_their_text(cuts, laps, pauses, failures) -> None:  # type: ignore[no-untyped-def]
    marks = Marks(tuple(cuts), tuple(laps), tuple(pauses), tuple(failures))
    assert Marks.from_json(marks.to_json()) == marks


def test_marks_say_only_what_there_is() -> None:
    assert UNMARKED.to_dict() == {}
    assert UNMARKED.lap(7).pause(8, 9).to_dict() == {"laps": [7], "pauses": [[8, 9]]}
    assert UNMARKED.failure(1, 2).failure(5, 9).to_dict() == {"failures": [[1, 2], [5, 9]]}
