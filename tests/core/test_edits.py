"""Edits of a session: left out, taken back, saved beside it, and never lost to whoever saves second."""

import json
import multiprocessing
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kart_pipeline.core.edits import FILE, Edits, EditsConflictError, check_range, read_edits, save_edits
from kart_pipeline.core.errors import KartError

RANGES = st.tuples(st.integers(0, 60), st.integers(0, 60)).map(lambda pair: (min(pair), max(pair)))
CHANGES = st.lists(st.tuples(st.booleans(), RANGES), max_size=12)
STEPS = np.arange(61)


def apply(edits: Edits, changes) -> Edits:
    for leave_out, (first, last) in changes:
        edits = edits.with_range(first, last) if leave_out else edits.without_range(first, last)
    return edits


@given(CHANGES)
def test_what_is_left_out_is_what_was_said_last_of_each_step(changes) -> None:
    kept = np.ones(61, bool)
    for leave_out, (first, last) in changes:
        kept[first : last + 1] = not leave_out
    edits = apply(Edits(), changes)
    np.testing.assert_array_equal(edits.kept(STEPS), kept)
    gaps = [later[0] - earlier[1] for earlier, later in zip(edits.left_out, edits.left_out[1:], strict=False)]
    assert all(gap > 1 for gap in gaps)  # sorted, and united where they touch
    assert (edits.mark == "") == bool(kept.all())


@given(CHANGES)
def test_every_change_can_be_taken_back_after_a_round_through_the_file(changes) -> None:
    edits = apply(Edits(), changes)
    edits = Edits.from_dict(json.loads(json.dumps(edits.to_dict())))
    while edits.history:
        edits = edits.undone()
    assert edits.left_out == ()
    with pytest.raises(KartError, match="There is no change to take back"):
        edits.undone()


def test_the_second_to_save_is_told_of_the_first_and_nothing_is_lost(tmp_path: Path) -> None:
    mine, theirs = read_edits(tmp_path), read_edits(tmp_path)
    saved = save_edits(tmp_path, theirs.with_range(3, 5), based_on=theirs.revision)
    with pytest.raises(EditsConflictError, match="changed elsewhere meanwhile") as told:
        save_edits(tmp_path, mine.with_range(8, 9), based_on=mine.revision)
    assert told.value.theirs == saved == read_edits(tmp_path)
    again = save_edits(tmp_path, told.value.theirs.with_range(8, 9), based_on=told.value.theirs.revision)
    assert (again.left_out, again.revision) == (((3, 5), (8, 9)), 2)


def one_of_many(folder: Path, number: int) -> None:
    while True:
        edits = read_edits(folder)
        try:
            save_edits(folder, edits.with_range(10 * number, 10 * number), based_on=edits.revision)
        except EditsConflictError:
            continue
        return


def test_processes_that_save_at_once_all_get_theirs_in(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=one_of_many, args=(tmp_path, number)) for number in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    edits = read_edits(tmp_path)
    assert (edits.left_out, edits.revision) == (((0, 0), (10, 10), (20, 20)), 3)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "is damaged"),
        ("[]", "is damaged"),
        ('{"format": 1, "revision": -1, "left_out": []}', "is damaged"),
        ('{"format": 1, "revision": 1, "left_out": [[5, 3]]}', "is damaged"),
        ('{"format": 1, "revision": 1, "left_out": [[5.5, 8]]}', "is damaged"),
        ('{"format": 2, "whatever": 0}', "are of format 2, and this release knows 1; install the newer"),
    ],
)
def test_what_cannot_be_read_is_said_and_never_overwritten(tmp_path: Path, text: str, sentence: str) -> None:
    (tmp_path / FILE).write_text(text, encoding="utf-8")
    with pytest.raises(KartError, match=sentence):
        read_edits(tmp_path)
    with pytest.raises(KartError, match=sentence):
        save_edits(tmp_path, Edits().with_range(1, 2), based_on=0)
    assert (tmp_path / FILE).read_text(encoding="utf-8") == text


def test_a_range_lies_in_the_session() -> None:
    steps = np.arange(10, 100)
    assert check_range(0, 20, steps) == (10, 20)
    with pytest.raises(KartError, match="no step from 200 to 300; its steps go from 10 to 99"):
        check_range(200, 300, steps)
    with pytest.raises(KartError, match="5 to 3 does not"):
        check_range(5, 3, steps)
