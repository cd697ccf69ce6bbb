"""Contracts: validated, serialised, hashed."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kart_pipeline.core.action import ActionSpec
from kart_pipeline.core.contract import Contract, Inset, Region
from kart_pipeline.core.errors import KartError

CONTRACT = Contract(ActionSpec(("steer",)), rate_hz=30)

EDGES = st.tuples(st.floats(0, 0.4), st.floats(0, 0.4), st.floats(0.6, 1), st.floats(0.6, 1))
REGIONS = EDGES.map(lambda edges: Region(*edges))
INSETS = st.builds(Inset, REGIONS, width=st.integers(1, 50).map(lambda half: 2 * half), height=st.integers(1, 100))
CONTRACTS = st.builds(
    Contract,
    st.just(ActionSpec(("steer", "pitch"), ("A",))),
    rate_hz=st.floats(1, 240),
    crop=REGIONS,
    masks=st.lists(REGIONS, max_size=3).map(tuple),
    width=st.integers(50, 200).map(lambda half: 2 * half),
    height=st.integers(1, 400),
    colour=st.sampled_from(["rgb", "yuv", "grey"]),
    stack=st.integers(1, 5),
    delay_ms=st.floats(0, 500),
    play_delay_ms=st.none() | st.floats(0, 500),
    inset=st.none() | INSETS,
)


@given(CONTRACTS)
def test_a_contract_survives_json_with_its_hash(contract: Contract) -> None:
    again = Contract.from_dict(contract.to_dict())
    assert again == contract
    assert again.hash == contract.hash


@pytest.mark.parametrize(
    "change",
    [
        {"crop": Region(0, 0.1, 1, 1)},
        {"masks": (Region(0, 0, 0.1, 0.1),)},
        {"width": 100},
        {"height": 100},
        {"filter": "box"},
        {"colour": "rgb"},
        {"stack": 2},
        {"stride": 2},
        {"rate_hz": 60},
        {"delay_ms": 50},
        {"play_delay_ms": 0},
        {"spec": ActionSpec(("steer", "pitch"))},
        {"inset": Inset(Region(0.5, 0.5, 1, 1), 32, 32)},
    ],
)
def test_every_field_is_part_of_the_hash(change: dict[str, Any]) -> None:
    assert replace(CONTRACT, **change).hash != CONTRACT.hash


def test_equal_contracts_have_equal_hashes_whatever_the_number_type() -> None:
    whole = Contract(ActionSpec(("steer",)), rate_hz=30, crop=Region(0, 0, 1, 1))
    real = Contract(ActionSpec(("steer",)), rate_hz=30.0, crop=Region(0.0, 0.0, 1.0, 1.0))
    assert whole.hash == real.hash


def test_the_hash_does_not_move_between_releases() -> None:
    # Frames on people's disks are filed under it: a change here must be a new VERSION.
    assert CONTRACT.hash == "633b8da5a84ac531"


def test_pilotnets_size_is_the_default() -> None:
    assert CONTRACT.input_shape == (66, 200, 3)
    assert replace(CONTRACT, colour="grey", stack=4).input_shape == (66, 200, 4)


def test_an_inset_adds_its_rows_below_the_picture() -> None:
    contract = replace(CONTRACT, inset=Inset(Region(0.5, 0.5, 1, 1), 40, 24), stack=2)
    assert contract.frame_shape == (66 + 24, 200, 3)
    assert contract.input_shape == (66 + 24, 200, 6)


@pytest.mark.parametrize(("width", "height"), [(0, 8), (201, 8), (40, 0), (40, 4031), (40.0, 8), (40, True)])
def test_an_inset_that_does_not_fit_below_the_picture_is_refused(width: int, height: int) -> None:
    with pytest.raises(KartError, match=r"A contract's inset has a (width|height) that is a whole number from 1 to"):
        replace(CONTRACT, inset=Inset(Region(0, 0, 1, 1), width, height))


def test_an_inset_that_would_move_when_mirrored_is_refused() -> None:
    with pytest.raises(KartError, match="make both widths even or both odd"):
        replace(CONTRACT, inset=Inset(Region(0, 0, 1, 1), 41, 8))


def test_the_delay_is_rounded_to_steps() -> None:
    assert replace(CONTRACT, delay_ms=100).delay_steps == 3
    assert replace(CONTRACT, delay_ms=10).delay_steps == 0


def test_a_region_in_fractions_follows_the_source_and_one_in_pixels_does_not() -> None:
    assert Region(0, 0.25, 1, 1).pixels(640, 480) == (0, 120, 640, 480)
    assert Region(10, 20, 30, 40, "pixel").pixels(640, 480) == (10, 20, 30, 40)
    with pytest.raises(KartError, match="does not fit a 20x20 frame"):
        Region(10, 20, 30, 40, "pixel").pixels(20, 20)
    with pytest.raises(KartError, match="does not fit"):
        Region(0, 0, 0.001, 1).pixels(100, 100)


@pytest.mark.parametrize(
    "edges", [(0, 0, 0, 1), (0.5, 0, 0.4, 1), (-0.1, 0, 1, 1), (0, 0, 1.1, 1), (0, 0, float("nan"), 1)]
)
def test_an_empty_or_outlying_region_is_refused(edges: tuple[float, float, float, float]) -> None:
    with pytest.raises(KartError, match="empty or outside"):
        Region(*edges)


@pytest.mark.parametrize(
    "change",
    [
        {"rate_hz": 0},
        {"width": 0},
        {"width": 1.5},
        {"stack": 0},
        {"stride": 0},
        {"colour": "hsv"},
        {"filter": "best"},
        {"delay_ms": -1},
        {"play_delay_ms": -1},
        {"play_delay_ms": float("nan")},
    ],
)
def test_nonsense_is_refused_in_a_sentence(change: dict[str, Any]) -> None:
    with pytest.raises(KartError, match="A contract's"):
        replace(CONTRACT, **change)


def test_a_contract_of_another_version_is_refused() -> None:
    with pytest.raises(KartError, match="version 99"):
        Contract.from_dict(CONTRACT.to_dict() | {"version": 99})
    with pytest.raises(KartError, match="Not a contract"):
        Contract.from_dict({"version": 1})
    with pytest.raises(KartError, match="Not a contract"):
        Contract.from_dict(CONTRACT.to_dict() | {"inset": {"width": 3}})
