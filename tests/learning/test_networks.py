from typing import Any

import keras
import numpy as np
import pytest

from kart_pipeline.core.action import ActionSpec
from kart_pipeline.core.contract import Contract, Inset, Region
from kart_pipeline.core.errors import KartError
from kart_pipeline.learning.networks import LAYERS, NETWORKS, build_network

STEER = ActionSpec(("steer",), mirrored_axes=("steer",))
TILE = Inset(Region(0, 0.8, 0.5, 1), width=24, height=8)


def answer(model: Any, images: np.ndarray) -> np.ndarray:
    return np.asarray(model(images, training=False)["steer"])


def layers(config: Any) -> set[str]:
    """Class names of all layers in a configuration, at any depth."""
    if isinstance(config, list):
        return set().union(*map(layers, config))
    if not isinstance(config, dict):
        return set()
    own = {config["class_name"]} if config.get("module") == "keras.layers" else set()
    return own | layers(list(config.values()))


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


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("inset", [None, TILE])
def test_every_network_reads_any_picture_and_gives_any_head(name: str, inset: Inset | None) -> None:
    spec = ActionSpec(("steer", "gas"), ("A",))
    contract = Contract(spec, 10, width=70, height=62, colour="grey", stack=3, inset=inset)
    model = build_network(name, contract, dropout=0.1, bins=9)
    assert model.input_shape == (None, 62 + (8 if inset else 0), 70, 3)
    assert {channel: head.shape for channel, head in model.output.items()} == {
        "steer": (None, 9),
        "gas": (None, 9),
        "A": (None, 1),
    }
    assert model.name == name


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_answers_to_its_main_picture_and_its_tile_and_not_to_what_is_beside_the_tile(name: str) -> None:
    keras.utils.set_random_seed(1)
    contract = Contract(STEER, 10, width=70, height=62, colour="rgb", stack=2, inset=TILE)
    model = build_network(name, contract)
    plain = np.zeros((1, *contract.input_shape), np.uint8)
    for rows, columns, matters in (
        (slice(0, 62), slice(0, 70), True),
        (slice(62, 70), slice(23, 47), True),
        (slice(62, 70), slice(0, 23), False),
        (slice(62, 70), slice(47, 70), False),
    ):
        changed = plain.copy()
        changed[:, rows, columns] = 255
        assert (answer(model, changed) != answer(model, plain)).all() == matters


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_sees_every_frame_of_its_stack(name: str) -> None:
    keras.utils.set_random_seed(1)
    contract = Contract(STEER, 10, width=70, height=62, colour="rgb", stack=3)
    model = build_network(name, contract)
    plain = np.zeros((1, *contract.input_shape), np.uint8)
    for place in range(3):
        changed = plain.copy()
        changed[..., 3 * place : 3 * place + 3] = 255
        assert (answer(model, changed) != answer(model, plain)).all()


def test_the_recurrent_network_looks_at_each_frame_of_the_stack_alike_and_remembers_their_order() -> None:
    keras.utils.set_random_seed(1)
    contract = Contract(STEER, 10, width=40, height=30, colour="rgb", stack=3)
    model = build_network("recurrent", contract)
    frames = np.random.default_rng(0).integers(0, 256, (3, 30, 40, 3), np.uint8)
    upstream = keras.Model(model.input, model.get_layer("recurrent-each").output)
    seen = np.asarray(upstream(np.concatenate(list(frames), axis=-1)[None]))[0]
    turned = np.asarray(upstream(np.concatenate(list(frames[::-1]), axis=-1)[None]))[0]
    assert seen == pytest.approx(turned[::-1], abs=1e-5)
    assert np.abs(seen[0] - seen[1]).max() > 1e-3
    forward, backward = (np.concatenate(list(order), axis=-1)[None] for order in (frames, frames[::-1]))
    assert not np.allclose(answer(model, forward), answer(model, backward), atol=1e-5)


def test_a_recurrent_network_of_single_frames_is_refused_with_the_way_out() -> None:
    with pytest.raises(KartError, match=r"stack is 1; set it to 2 or more in contracts\.toml"):
        build_network("recurrent", Contract(STEER, 10))


def test_the_residual_network_has_the_shortcuts_that_make_it_one() -> None:
    model = build_network("residual", Contract(STEER, 10, width=96, height=96))
    for section in range(1, 5):
        model.get_layer(f"residual-section{section}-conv2").set_weights(
            [np.zeros_like(weight) for weight in model.get_layer(f"residual-section{section}-conv2").get_weights()]
        )
    dark, light = (np.full((1, 96, 96, 3), value, np.uint8) for value in (0, 255))
    assert answer(model, dark) != answer(model, light)


def test_the_list_of_safe_layers_is_what_networks_are_made_of_and_no_more() -> None:
    contract = Contract(STEER, 10, width=70, height=62, stack=2, inset=TILE)
    used = [layers(build_network(name, contract, dropout=0.1).get_config()) for name in NETWORKS]
    assert set().union(*used) == LAYERS


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
    with pytest.raises(KartError, match=r"no network 'resnet'; choose one of pilotnet, recurrent, residual"):
        build_network("resnet", Contract(STEER, 10))


@pytest.mark.parametrize("name", ["val", "val_steer"])
def test_a_channel_whose_figures_could_not_be_told_from_validation_is_refused(name: str) -> None:
    with pytest.raises(KartError, match="validation figures"):
        build_network("pilotnet", Contract(ActionSpec((name,)), 10))
