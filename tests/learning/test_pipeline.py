import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from itertools import islice

import numpy as np
import pytest

from kart_pipeline.core.contract import Contract
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.prepare import FrameStack
from kart_pipeline.core.store import Store
from kart_pipeline.datasets.training_set import RowSet, TrainingSet
from kart_pipeline.learning.hyper import HyperParameters
from kart_pipeline.learning.pipeline import (
    BatchReader,
    ordered_batches,
    shuffled,
    some_rows,
    training_batches,
    without_history,
)

MakeSet = Callable[..., TrainingSet]


def test_nothing_waits_for_the_tuner_of_tensorflow(make_training_set: MakeSet, contract: Contract) -> None:
    """Who lets go of an iterator would, for up to a minute: see `untuned`."""
    training_set = make_training_set(contract, (9, 6))
    for batches in (training_batches(training_set, HyperParameters()), ordered_batches(training_set, "val", 4)):
        assert batches.options().autotune.enabled is False


@pytest.mark.parametrize("stack", [1, 3])
def test_a_row_is_read_exactly_as_the_player_would_see_it(
    make_training_set: MakeSet, contract: Contract, stack: int
) -> None:
    contract = replace(contract, stack=stack, stride=2)
    training_set = make_training_set(contract, (9, 6))
    rows = training_set.rows("train")
    images = BatchReader(training_set).read(rows.session_index, rows.row)
    store = Store(training_set.path.parents[3] / "sessions")
    seen = {}
    for index, entry in enumerate(training_set.sessions):
        frames = FrameStack(contract)
        for row, step in enumerate(store.open(entry.id).steps()):
            seen[index, row] = frames.push(step.frame.rgb)
    for image, session, row in zip(images, rows.session_index, rows.row, strict=True):
        assert np.array_equal(image, seen[session, row])


def test_every_row_comes_once_before_any_comes_again() -> None:
    stream = np.concatenate(list(islice(shuffled(10, 4, seed=1), 15)))
    for start in range(0, 60, 10):
        assert sorted(stream[start : start + 10]) == list(range(10))
    assert not np.array_equal(stream[:10], stream[10:20])


def test_each_batch_is_drawn_from_all_sessions_as_they_are_in_the_set() -> None:
    """Not from a window of neighbours: the share of a session in a batch errs as much as chance makes it, no more."""
    sizes = np.array([3200, 1600, 800, 400, 400])
    session, share, size, count = np.repeat(np.arange(5), sizes), sizes / sizes.sum(), 64, int(sizes.sum())
    spread = np.sqrt(size * share * (1 - share) * (count - size) / (count - 1))  # drawn without putting back

    def surprise(batches: list[np.ndarray]) -> np.ndarray:
        drawn = np.array([np.bincount(session[pick], minlength=5) for pick in batches])
        return ((drawn - size * share) / spread) ** 2

    epochs = list(islice(shuffled(count, size, seed=5), 3 * count // size))
    found = surprise(epochs)
    assert found.mean() == pytest.approx(1.0, abs=0.2)
    assert found.max() < 5**2
    for start in range(0, len(epochs), count // size):
        assert np.array_equal(np.sort(np.concatenate(epochs[start : start + count // size])), np.arange(count))
    window = np.random.default_rng(5).permuted(np.arange(count).reshape(-1, 800), axis=1).reshape(-1, size)
    assert surprise([*window]).mean() > 10, "a window of 800 rows would be seen"


def test_a_batch_may_be_larger_than_the_set() -> None:
    batch = next(shuffled(3, 8, seed=0))
    assert len(batch) == 8
    assert set(batch) == {0, 1, 2}


def test_training_batches_hold_the_rows_with_their_labels_and_weights(
    make_training_set: MakeSet, contract: Contract, hyper: HyperParameters
) -> None:
    training_set = make_training_set(contract)
    rows = training_set.rows("train")
    known = {
        image.tobytes(): (labels, weight)
        for image, labels, weight in zip(
            BatchReader(training_set).read(rows.session_index, rows.row), rows.labels, rows.weight, strict=True
        )
    }
    for images, labels, weights in training_batches(training_set, hyper).take(3).as_numpy_iterator():
        assert images.shape == (16, *contract.input_shape)
        vectors = np.concatenate([labels[name] for name in contract.spec.names], axis=1)
        for image, vector, weight in zip(images, vectors, weights, strict=True):
            assert np.array_equal(known[image.tobytes()][0], vector)
            assert known[image.tobytes()][1] == weight


def test_the_same_seed_gives_the_same_augmented_batches(make_training_set: MakeSet, contract: Contract) -> None:
    training_set = make_training_set(contract)

    def content(seed: int) -> list[bytes]:
        batches = training_batches(training_set, HyperParameters(batch_size=8, seed=seed))
        return [images.tobytes() for images, _, _ in batches.take(6).as_numpy_iterator()]

    assert content(1) == content(1)
    assert content(1) != content(2)


def test_as_many_stacks_as_wished_lose_their_history_and_keep_their_newest_frame(contract: Contract) -> None:
    stacked = replace(contract, stack=3, width=6, height=4)
    images = np.random.default_rng(0).integers(0, 256, (400, *stacked.input_shape), np.uint8)
    hyper = HyperParameters(history_dropout=0.3)
    seen = np.asarray(without_history(images, 5, stacked, hyper))
    assert np.array_equal(seen[..., 6:], images[..., 6:])
    lost = np.array([not np.array_equal(a, b) for a, b in zip(seen, images, strict=True)])
    assert lost.mean() == pytest.approx(0.3, abs=0.07)
    assert np.array_equal(seen[lost], np.tile(images[lost][..., 6:], 3))
    assert np.array_equal(seen, np.asarray(without_history(images, 5, stacked, hyper)))
    assert not np.array_equal(seen, np.asarray(without_history(images, 6, stacked, hyper)))


def test_training_batches_lose_history_where_that_is_wished(
    make_training_set: MakeSet, contract: Contract, hyper: HyperParameters
) -> None:
    training_set = make_training_set(replace(contract, stack=2))
    images = next(iter(training_batches(training_set, replace(hyper, history_dropout=1.0))))[0].numpy()
    assert np.array_equal(images[..., :3], images[..., 3:])


def test_history_cannot_be_dropped_from_single_frames(
    make_training_set: MakeSet, contract: Contract, hyper: HyperParameters
) -> None:
    with pytest.raises(KartError, match="the contract's stack is 1; set history_dropout to 0"):
        training_batches(make_training_set(contract), replace(hyper, history_dropout=0.5))


def test_held_out_rows_come_once_in_order_and_unchanged(make_training_set: MakeSet, contract: Contract) -> None:
    training_set = make_training_set(contract, (20, 21))
    rows = training_set.rows("val")
    batches = list(ordered_batches(training_set, "val", 8).as_numpy_iterator())
    assert len(batches) == len(ordered_batches(training_set, "val", 8)) == 3
    images = np.concatenate([images for images, _ in batches])
    assert np.array_equal(images, BatchReader(training_set).read(rows.session_index, rows.row))
    steer = np.concatenate([labels["steer"] for _, labels in batches])
    assert np.array_equal(steer[:, 0], rows.labels[:, 0])


def test_memory_does_not_grow_with_the_number_of_frames(make_training_set: MakeSet, contract: Contract) -> None:
    training_set = make_training_set(contract, (600, 20))
    batch_bytes = 8 * int(np.prod(contract.input_shape))
    reader, rows = BatchReader(training_set), training_set.rows("train")
    assert len(rows) == 600
    tracemalloc.start()
    try:
        for pick in islice(shuffled(len(rows), 8, seed=0), 75):
            reader.read(rows.session_index[pick], rows.row[pick])
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 5 * batch_bytes < 0.1 * 600 * batch_bytes / 8


def test_an_empty_side_is_refused(make_training_set: MakeSet, contract: Contract) -> None:
    training_set = make_training_set(contract)
    empty = replace(training_set, _table=training_set._table.slice(0, 0))
    with pytest.raises(KartError, match="no rows to hold out"):
        some_rows(empty, "val")


def test_a_label_that_is_not_finite_is_refused(
    make_training_set: MakeSet, contract: Contract, monkeypatch: pytest.MonkeyPatch
) -> None:
    training_set = make_training_set(contract)
    rows = training_set.rows("train")
    labels = rows.labels.copy()
    labels[3, 1] = np.nan
    damaged = RowSet(rows.session_index, rows.row, labels, rows.weight)
    monkeypatch.setattr(TrainingSet, "rows", lambda *_: damaged)
    with pytest.raises(KartError, match="not finite"):
        some_rows(training_set, "train")
