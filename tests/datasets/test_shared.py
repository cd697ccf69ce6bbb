"""Machines without a folder in common: what one has built another finds, whole or not at all, over a real S3 server."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from kart_pipeline.core.contract import Contract
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.session import Session
from kart_pipeline.core.settings import Settings
from kart_pipeline.datasets.frames import build_frames
from kart_pipeline.datasets.frames_info import FRAMES, LABELS, read_frames_info
from kart_pipeline.datasets.shared import (
    FILES,
    OF_FRAMES,
    OF_TRAINING_SET,
    Shared,
    frames_path,
    open_training_set,
    training_set_path,
)
from kart_pipeline.datasets.training_set import build_training_set


@pytest.fixture
def url(bucket) -> str:
    return str(bucket.url).replace("/sessions", "/datasets")


@pytest.fixture
def here(url: str, root: Path) -> Shared:
    """The machine that builds."""
    return Shared(url, root)


@pytest.fixture
def elsewhere(url: str, tmp_path: Path) -> Shared:
    """The machine that trains."""
    return Shared(url, tmp_path / "elsewhere" / "datasets")


@pytest.fixture
def built(record: Callable[..., Session], contract: Contract, root: Path) -> str:
    """Frames of one session; their folder below the root."""
    build_frames(record("s1", [0.1] * 40), contract, root)
    return frames_path(contract.hash, "s1")


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_frames_that_one_machine_has_built_another_maps(
    here: Shared, elsewhere: Shared, built: str, contract: Contract, root: Path, tmp_path: Path
) -> None:
    size = sum(map(len, files(root / built).values()))
    heard: list[tuple[int, int]] = []
    assert here.put(built, OF_FRAMES, lambda _, done, total: heard.append((done, total))) == size
    assert heard[-1] == (size, size)
    assert elsewhere.fetch([built], OF_FRAMES) == size
    assert files(tmp_path / "elsewhere" / "datasets" / built) == files(root / built)
    found = read_frames_info(tmp_path / "elsewhere" / "datasets", contract.hash, "s1")
    assert found is not None
    np.testing.assert_array_equal(found.open(), np.load(root / built / FRAMES))


def test_what_is_there_already_is_neither_sent_nor_fetched_again(here: Shared, elsewhere: Shared, built: str) -> None:
    here.put(built, OF_FRAMES)
    assert here.put(built, OF_FRAMES) == 0
    elsewhere.fetch([built], OF_FRAMES)
    assert elsewhere.fetch([built], OF_FRAMES) == 0


def test_other_edits_cost_the_labels_and_not_the_pictures(
    here: Shared, elsewhere: Shared, built: str, root: Path, tmp_path: Path
) -> None:
    here.put(built, OF_FRAMES)
    elsewhere.fetch([built], OF_FRAMES)
    (root / built / LABELS).write_bytes(b"others")
    assert here.put(built, OF_FRAMES) == len(b"others")
    assert elsewhere.fetch([built], OF_FRAMES) == len(b"others")
    assert files(tmp_path / "elsewhere" / "datasets" / built) == files(root / built)


def test_what_was_never_brought_there_leaves_what_is_here(here: Shared, built: str, root: Path) -> None:
    before = files(root / built)
    assert here.fetch([built, "frames/none/s2"], OF_FRAMES) == 0
    assert files(root / built) == before
    assert not (root / "frames" / "none").exists()


def test_an_upload_that_broke_off_is_seen_by_nobody_and_goes_on(
    here: Shared, elsewhere: Shared, built: str, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put, sent = here.remote.put, []

    def cut(source: Path, path: str, progress: Callable[[int], None]) -> None:
        if sent:
            raise KeyboardInterrupt
        sent.append(source.stat().st_size)
        put(source, path, progress)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(here.remote, "put", cut)
        here.put(built, OF_FRAMES)
    assert elsewhere.fetch([built], OF_FRAMES) == 0
    assert here.put(built, OF_FRAMES) == sum(map(len, files(root / built).values())) - sent[0]
    assert elsewhere.fetch([built], OF_FRAMES) > 0


def test_a_file_that_was_changed_there_is_not_taken(
    here: Shared, elsewhere: Shared, built: str, bucket, tmp_path: Path
) -> None:
    here.put(built, OF_FRAMES)
    listing = json.loads(here.remote.read_all([f"{built}/{FILES}"])[f"{built}/{FILES}"])
    key = f"datasets/{built}/{listing['files'][LABELS]['sha256']}"
    bucket.client.put_object(Bucket=bucket.name, Key=key, Body=b"something else")
    with pytest.raises(KartError, match=r"labels\.parquet of frames/.* is not what was brought there"):
        elsewhere.fetch([built], OF_FRAMES)
    assert not (tmp_path / "elsewhere" / "datasets" / built).exists()


@pytest.mark.parametrize(
    "text",
    [
        b"{",
        b"[]",
        b'{"format": 1, "files": {}}',
        b'{"format": 1, "files": {"../../x": {"bytes": 1, "sha256": "00"}}}',
        b'{"format": 1, "files": {"frames.npy": 1, "labels.parquet": 1, "frames.json": 1}}',
    ],
)
def test_a_damaged_listing_is_named(here: Shared, elsewhere: Shared, built: str, bucket, text: bytes) -> None:
    here.put(built, OF_FRAMES)
    bucket.client.put_object(Bucket=bucket.name, Key=f"datasets/{built}/{FILES}", Body=text)
    with pytest.raises(KartError, match=rf"{built}/{FILES} in KART_DATASETS is damaged"):
        elsewhere.fetch([built], OF_FRAMES)


def test_a_training_set_is_learned_from_where_nothing_was_built(
    here: Shared, url: str, record: Callable[..., Session], contract: Contract, root: Path, tmp_path: Path
) -> None:
    for number in range(3):
        build_frames(record(f"s{number}", [0.1 * number] * 30, seed=number), contract, root)
        here.put(frames_path(contract.hash, f"s{number}"), OF_FRAMES)
    made = build_training_set(root, contract, "kart")
    here.put(training_set_path("kart"), OF_TRAINING_SET)
    settings = Settings.from_env({"KART_HOME": str(tmp_path / "other"), "KART_DATASETS": url})
    with pytest.raises(KartError, match="The frames of session s0 are not those"):
        open_training_set(settings, "kart", frames=False).frames(0)
    found = open_training_set(settings, "kart")
    assert found.version == made.version
    for place in range(3):
        np.testing.assert_array_equal(found.frames(place), made.frames(place))


def test_without_an_address_a_training_set_is_that_of_this_machine(tmp_path: Path) -> None:
    with pytest.raises(KartError, match="There is no training set"):
        open_training_set(Settings.from_env({"KART_HOME": str(tmp_path)}), "kart")
