"""What BizHawk says, whatever it may be: understood, or refused in one of two ways."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kart_pipeline.core.errors import KartError
from kart_pipeline.games.bizhawk.link import messages
from kart_pipeline.games.bizhawk.link.messages import BadMessageError

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
FIELDS = ("protocol", "bizhawk", "system", "rom", "hash", "frame", "held", "numbers", "lag", "message")
SAID = st.binary(max_size=60) | st.dictionaries(st.sampled_from(FIELDS), JSON).map(
    lambda data: json.dumps(data).encode()
)


@given(st.sampled_from([b"", b"HELLO ", b"ERR "]), SAID)
def test_whatever_is_said_is_understood_or_refused(verb: bytes, said: bytes) -> None:
    for parse in (messages.parse_hello, messages.parse_info, messages.parse_json):
        try:
            parse(verb + said)
        except (KartError, BadMessageError) as error:
            assert str(error)


@pytest.mark.parametrize(
    "said", [b"[" * 100_000, b'{"frame":Infinity,"held":{},"numbers":{}}', b'{"frame":1,"held":{"A":"x"},"numbers":{}}']
)
def test_what_is_no_frame_is_refused(said: bytes) -> None:
    with pytest.raises(BadMessageError):
        messages.parse_info(said)


@given(st.dictionaries(st.text("AXY axis", min_size=1, max_size=8), st.booleans() | st.integers(-128, 127), max_size=6))
def test_how_a_pad_stands_comes_back_as_it_was(pad: dict[str, int | bool]) -> None:
    said = json.dumps({"frame": 3, "held": pad, "numbers": {"speed": None}}).encode()
    info = messages.parse_info(said)
    assert (info.count, info.held) == (3, pad)
    assert math.isnan(info.numbers["speed"])


@pytest.mark.parametrize(("version", "fine"), [("2.8", False), ("2.9", True), ("2.11.2", True), ("2.9.1", True)])
def test_bizhawk_is_new_enough_by_number_and_not_by_letter(version: str, fine: bool) -> None:
    hello = {"protocol": messages.PROTOCOL, "bizhawk": version, "system": "N64"}
    refusal = messages.refusal(messages.parse_hello(b"HELLO " + json.dumps(hello).encode()))
    assert (refusal == "") is fine
