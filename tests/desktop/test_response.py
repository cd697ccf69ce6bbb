"""How far a virtual device goes for a value."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kart_pipeline.core.errors import KartError
from kart_pipeline.desktop.response import BIZHAWK_N64, N64_STICK, STICK_16, TRIGGER_8, Range, Response

RESPONSES = st.builds(Response, st.floats(0, 0.4), st.floats(0.2, 5), st.booleans(), st.floats(0.5, 1))


def test_as_it_comes_a_value_is_its_deflection() -> None:
    assert [Response().deflection(value) for value in (-1, -0.25, 0, 0.5, 1)] == [-1, -0.25, 0, 0.5, 1]


def test_the_smallest_value_is_beyond_the_dead_zone_and_the_largest_is_the_reach() -> None:
    response = Response(dead_zone=0.2, reach=0.8)
    assert response.deflection(1e-9) == pytest.approx(0.2)
    assert response.deflection(0.5) == pytest.approx(0.5)
    assert response.deflection(-1) == pytest.approx(-0.8)
    assert response.deflection(0) == 0


@given(RESPONSES, st.floats(-1, 1), st.floats(-1, 1))
def test_more_of_the_value_is_never_less_of_the_deflection(response: Response, one: float, other: float) -> None:
    sign = -1 if response.inverted else 1
    low, high = sorted((one, other))
    assert sign * response.deflection(low) <= sign * response.deflection(high)
    assert abs(response.deflection(one)) <= response.reach
    assert response.deflection(-one) == -response.deflection(one)


@pytest.mark.parametrize(
    "settings",
    [
        {"dead_zone": 1.0},
        {"dead_zone": -0.1},
        {"dead_zone": float("nan")},
        {"curve": 0.0},
        {"curve": 11},
        {"reach": 1.5},
        {"reach": 0.0},
        {"dead_zone": 0.5, "reach": 0.4},
    ],
)
def test_numbers_that_leave_nothing_of_the_axis_are_refused(settings: dict[str, float]) -> None:
    with pytest.raises(KartError):
        Response(**settings)


def test_it_tells_what_is_not_as_usual() -> None:
    assert Response().about == {}
    assert Response(curve=2, inverted=True).about == {"curve": 2, "inverted": True}


@given(RESPONSES)
def test_what_it_tells_gives_it_back(response: Response) -> None:
    assert Response.parse(response.about) == response


@pytest.mark.parametrize(
    ("numbers", "ends"),
    [
        (STICK_16, (-32768, 0, 32767)),
        (TRIGGER_8, (0, 0, 255)),
        (BIZHAWK_N64, (-128, 0, 127)),
        (N64_STICK, (-80, 0, 80)),
        (Range(0x8000, 0x4000, 1), (0x8000, 0x4000, 1)),
    ],
)
def test_a_device_is_told_its_own_numbers(numbers: Range, ends: tuple[int, int, int]) -> None:
    assert (numbers.of(-1.0), numbers.of(0.0), numbers.of(1.0)) == ends
    assert (numbers.of(-7.0), numbers.of(float("nan")), numbers.of(7.0)) == ends


@given(st.floats(-1, 1))
def test_the_middle_is_hit_exactly_and_halves_are_halves(value: float) -> None:
    assert abs(STICK_16.of(value) - value * 32768) <= 1.5
    assert abs(N64_STICK.of(value) - value * 80) <= 0.5
