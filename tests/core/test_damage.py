"""Finished sessions whose files were cut short or changed: what cannot be read is refused in a sentence."""

import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kart_pipeline.core.errors import KartError
from kart_pipeline.core.frame import Step
from kart_pipeline.core.manifest import SessionHeader
from kart_pipeline.core.recording import MANIFEST, STEPS, STREAM
from kart_pipeline.core.session_writer import repair
from kart_pipeline.core.store import Store
from kart_pipeline.core.video import VIDEO

Header = Callable[..., SessionHeader]
Numbered = Callable[..., Iterator[Step]]

COUNT = 60
FILES = [("png", STEPS), ("png", MANIFEST), ("h264", STEPS), ("h264", VIDEO), ("h264", MANIFEST)]

Damage = Callable[[bytes], bytes]


def cut(share: float) -> Damage:
    """Only the beginning is left."""
    return lambda data: data[: int(share * len(data))]


def flipped(places: list[tuple[float, int]]) -> Damage:
    """Single bits are others."""

    def damage(data: bytes) -> bytes:
        changed = bytearray(data)
        for place, bit in places:
            changed[int(place * len(changed))] ^= 1 << bit
        return bytes(changed)

    return damage


def overwritten(place: float, seed: int) -> Damage:
    """A sector of the disk is another's."""

    def damage(data: bytes) -> bytes:
        start = int(place * len(data))
        return data[:start] + random.Random(seed).randbytes(512)[: len(data) - start] + data[start + 512 :]

    return damage


damages = st.one_of(
    st.floats(0, 0.999).map(cut),
    st.lists(st.tuples(st.floats(0, 0.999), st.integers(0, 7)), min_size=1, max_size=4).map(flipped),
    # The end, where Parquet's table of contents and Matroska's index are, is hit as often as all the rest.
    st.tuples(st.one_of(st.floats(0, 0.999), st.floats(0.9, 0.999)), st.integers(0, 999)).map(
        lambda pair: overwritten(*pair)
    ),
)


def record(folder: Path, header: SessionHeader, numbered: Numbered) -> dict[str, bytes]:
    """The files of a session, by name."""
    with Store(folder).create(header) as writer:
        for step in numbered(range(COUNT)):
            writer.append(step)
        writer.finish("finished", 1.0)
    return {path.name: path.read_bytes() for path in (folder / header.id).iterdir()}


class Whole:
    """The files of a session in pictures, and of one in a video; recorded once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[str, dict[str, bytes]] = {}

    def of(self, header: SessionHeader, numbered: Numbered) -> dict[str, bytes]:
        if header.codec not in self._files:
            self._files[header.codec] = record(self._folder / header.codec, header, numbered)
        return self._files[header.codec]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Whole:
    return Whole(tmp_path_factory.mktemp("whole"))


def read_everything(store: Store) -> None:
    """All that anybody reads of a session."""
    session = store.open("s1")
    manifest = session.manifest
    assert manifest.id == "s1"
    session.table()
    for picture in session.pictures():
        assert isinstance(picture, bytes | np.ndarray)
    steps = list(session.steps())
    assert len({step.frame.rgb.shape for step in steps}) <= 1
    mapped = session.map()
    try:
        for row in (0, len(mapped) - 1, len(mapped) // 2):
            assert mapped[row].dtype == np.uint8
    finally:
        mapped.close()


@pytest.mark.parametrize(("codec", "name"), FILES)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(damage=damages)
def test_a_damaged_session_is_read_or_refused_in_a_sentence(
    tmp_path_factory: pytest.TempPathFactory,
    whole: Whole,
    header: Header,
    numbered: Numbered,
    codec: str,
    name: str,
    damage: Damage,
) -> None:
    files = whole.of(header(codec=codec), numbered)
    store = Store(tmp_path_factory.mktemp("store"))
    folder = Path(store.url) / "s1"
    folder.mkdir()
    for other, data in files.items():
        (folder / other).write_bytes(damage(data) if other == name else data)
    changed = (folder / name).read_bytes() != files[name]
    try:
        read_everything(store)
    except KartError as error:
        assert changed
        assert str(error).endswith(".")
        assert name == MANIFEST or "s1" in str(error) or "frame" in str(error)
    if changed and name != MANIFEST:
        with pytest.raises(KartError):
            store.open("s1").verify()


@pytest.mark.parametrize("key", ["id", "format", "rate_hz", "spec", "steps", "codec", "digest", "delay_ms"])
@pytest.mark.parametrize("value", [None, -1, "x", [], {}, 1e400])
def test_a_manifest_with_one_wrong_value_is_read_or_refused_in_a_sentence(
    tmp_path: Path, whole: Whole, header: Header, numbered: Numbered, key: str, value: object
) -> None:
    files = whole.of(header(codec="png"), numbered)
    store = Store(tmp_path / "store")
    folder = Path(store.url) / "s1"
    folder.mkdir(parents=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    (folder / MANIFEST).write_text(json.dumps(json.loads(files[MANIFEST]) | {key: value}))
    try:
        read_everything(store)
        store.open("s1").verify()
    except KartError as error:
        assert str(error).endswith(".")


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(damage=damages)
def test_repair_of_a_stream_with_a_foreign_sector_gives_a_session_or_a_sentence(
    tmp_path_factory: pytest.TempPathFactory, header: Header, numbered: Numbered, damage: Damage
) -> None:
    store = Store(tmp_path_factory.mktemp("store"))
    writer = store.create(header())
    for step in numbered(range(COUNT)):
        writer.append(step)
        if step.index % 7 == 6:
            writer.flush()
    writer._release()
    stream = Path(store.url) / "s1" / STREAM
    stream.write_bytes(damage(stream.read_bytes()))
    try:
        repair(stream.parent)
    except KartError:
        assert stream.exists()  # whoever can do more still has it
        return
    session = store.open("s1")
    session.verify()
    kept = session.table(["step"]).column("step").to_pylist()
    assert len(kept) == session.manifest.steps > 0
