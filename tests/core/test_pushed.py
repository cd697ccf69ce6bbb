"""The index of a pushed session, whose edits are newer, and fingerprints: for whatever they are given."""

import hashlib
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kart_pipeline.core import fingerprint
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.fingerprint import read_fingerprint
from kart_pipeline.core.pushed import Entry, Index, newer_edits, parse_index

SHA = hashlib.sha256(b"").hexdigest()
entries = st.builds(
    Entry, st.integers(0, 2**50), st.binary(max_size=4).map(lambda data: hashlib.sha256(data).hexdigest())
)
files = st.fixed_dictionaries(
    {"steps.parquet": entries, "manifest.json": entries}, optional={"video.mkv": entries, "edits.json": entries}
)


@given(files)
def test_an_index_comes_back_as_it_was(given_files) -> None:
    index = Index("s1", given_files)
    assert parse_index(index.to_json(), "s1") == index


@given(st.data())
def test_a_damaged_index_is_said_to_be_so_and_never_taken_for_another(data) -> None:
    text = Index("s1", {"steps.parquet": Entry(1, SHA), "manifest.json": Entry(2, SHA)}).to_json()
    at = data.draw(st.integers(0, len(text) - 1))
    flipped = text[:at] + bytes([text[at] ^ 1 << data.draw(st.integers(0, 7))]) + text[at + 1 :]
    try:
        found = parse_index(flipped, "s1")
    except KartError as error:
        assert "s1" in str(error)
    else:
        assert found.files.keys() == {"steps.parquet", "manifest.json"}


@pytest.mark.parametrize("name", ["../s2/steps.parquet", "recording.arrows", "/etc/passwd", "steps.parquet/x", ""])
def test_a_name_from_elsewhere_never_becomes_a_path(name: str) -> None:
    entry = {"bytes": 1, "sha256": SHA}
    data = {"format": 1, "session": "s1", "files": {"steps.parquet": entry, "manifest.json": entry, name: entry}}
    with pytest.raises(KartError, match="is damaged"):
        parse_index(json.dumps(data).encode(), "s1")


edits = st.sampled_from([None, "a", "b", "c"])


@given(edits, edits, edits)
def test_edits_are_only_replaced_by_what_was_made_on_them(ours, theirs, base) -> None:
    newer = newer_edits(ours, theirs, base)
    assert (newer == "same") == (ours == theirs)
    if newer == "ours":
        assert theirs in (None, base)  # at the other end nothing was changed
    if newer == "theirs":
        assert ours in (None, base)
    assert {"ours": "theirs", "theirs": "ours"}.get(newer, newer) == newer_edits(theirs, ours, base) or None in (
        ours,
        theirs,
    )


class Trickle(io.BytesIO):
    """A file that gives less than it is asked for."""

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(max(1, (size or 0) // 2))


@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 31, 32, 33, 40, 48])
def test_a_fingerprint_is_that_of_s3(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fingerprint, "PART", 16)
    data = bytes(range(size))
    found = read_fingerprint(Trickle(data))
    assert (found.size, found.sha256) == (size, hashlib.sha256(data).hexdigest())
    parts = [hashlib.md5(data[at : at + 16], usedforsecurity=False).digest() for at in range(0, size, 16)]
    whole = hashlib.md5(data, usedforsecurity=False).hexdigest()
    together = f"{hashlib.md5(b''.join(parts), usedforsecurity=False).hexdigest()}-{len(parts)}"
    assert found.etag == (whole if size < 32 else together)
