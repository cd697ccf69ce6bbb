import numpy as np
import pytest

from kart_pipeline.core.action import ActionSpec
from kart_pipeline.core.contract import Contract
from kart_pipeline.core.errors import KartError
from kart_pipeline.learning.networks import build_network

STEER = ActionSpec(("steer",), mirrored_axes=("steer",))


def test_pilotnet_has_the_published_number_of_parameters_for_the_published_input() -> None:
    assert build_network("pilotnet", Contract(STEER, 10)).count_params() == 252_219


@pytest.mark.parametrize(("colour", "stack", "channels"), [("grey", 1, 1), ("grey", 4, 4), ("rgb", 2, 6)])
def test_the_input_is_what_the_contract_prepares_and_the_heads_are_its_channels(
    colour: str, stack: int, channels: int
) -> None:
    spec = ActionSpec(("steer", "pitch"), ("A", "B"))
    model = build_network("pilotnet", Contract(spec, 10, width=70, height=61, colour=colour, stack=stack))  # type: ignore[arg-type]
    assert model.input_shape == (None, 61, 70, channels)
    assert model.input.dtype == "uint8"
    assert {name: head.shape for name, head in model.output.items()} == dict.fromkeys(spec.names, (None, 1))


def test_axes_and_buttons_end_in_plain_sums_so_that_losses_and_sigmoid_stay_outside() -> None:
    model = build_network("pilotnet", Contract(ActionSpec(("steer",), ("A",)), 10))
    assert [model.get_layer(name).activation.__name__ for name in ("steer", "A")] == ["linear", "linear"]


def test_pixels_are_scaled_inside_the_network() -> None:
    model = build_network("pilotnet", Contract(STEER, 10))
    scaled = model.get_layer("input-scaled")(np.array([[[[0, 127, 255]]]], np.uint8))
    assert np.asarray(scaled).ravel() == pytest.approx([-1, -1 / 255, 1], abs=1e-6)


def test_an_input_too_small_for_the_convolutions_is_refused_with_the_least_size() -> None:
    assert build_network("pilotnet", Contract(STEER, 10, width=61, height=61)).count_params() > 0
    with pytest.raises(KartError, match=r"at least 61x61 pixels; the contract makes 200x60"):
        build_network("pilotnet", Contract(STEER, 10, width=200, height=60))


def test_dropout_adds_no_parameters() -> None:
    assert build_network("pilotnet", Contract(STEER, 10), dropout=0.5).count_params() == 252_219


def test_an_unknown_network_is_refused_with_the_known_ones() -> None:
    with pytest.raises(KartError, match=r"no network 'resnet'; choose one of pilotnet"):
        build_network("resnet", Contract(STEER, 10))


@pytest.mark.parametrize("name", ["val", "val_steer"])
def test_a_channel_whose_figures_could_not_be_told_from_validation_is_refused(name: str) -> None:
    with pytest.raises(KartError, match="validation figures"):
        build_network("pilotnet", Contract(ActionSpec((name,)), 10))
