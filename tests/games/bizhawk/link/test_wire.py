"""Messages on the socket, however the bytes come."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kart_pipeline.games.bizhawk.link.wire import MOST_BYTES, MessageReader, WireError, framed

PAYLOADS = st.lists(st.binary(min_size=1, max_size=300), max_size=8)


def test_the_bytes_are_those_of_bizhawk() -> None:
    assert framed(b"STEP n=2") == b"8 STEP n=2"
    assert framed("Ré".encode()) == b"3 R\xc3\xa9"


def test_an_empty_message_is_refused_for_bizhawk_takes_it_for_an_error() -> None:
    with pytest.raises(ValueError, match="empty"):
        framed(b"")


@given(PAYLOADS, st.lists(st.integers(1, 40), min_size=1))
def test_messages_come_out_as_they_went_in_wherever_the_stream_is_cut(payloads, sizes) -> None:
    stream = b"".join(map(framed, payloads))
    reader, found, at, turn = MessageReader(), [], 0, 0
    while at < len(stream):
        size = sizes[turn % len(sizes)]
        found += reader.feed(stream[at : at + size])
        at, turn = at + size, turn + 1
    assert found == payloads


@given(st.binary(max_size=200))
def test_anything_else_is_refused_or_waited_for_and_never_taken_for_more_than_it_is(junk: bytes) -> None:
    reader = MessageReader()
    try:
        found = reader.feed(junk)
    except WireError:
        return
    assert sum(map(len, found)) <= len(junk)


@pytest.mark.parametrize(
    "junk", [b"GET / HTTP/1.1", b"-1 x", b"\x89PNG", b" x", b"1234567890", b"%d x" % (MOST_BYTES + 1)]
)
def test_what_begins_no_message_is_seen_at_once(junk: bytes) -> None:
    with pytest.raises(WireError):
        MessageReader().feed(junk)
