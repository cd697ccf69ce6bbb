"""A spot matters as much as the network's answer changes with it, and not at all where it cannot look."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from kart_pipeline.core.contract import Contract
from kart_pipeline.learning.networks import NETWORKS, build_network
from kart_pipeline.learning.saliency import GRID, influence


@pytest.fixture
def one_eyed(contract: Contract) -> Any:
    """A network that steers by the brightness of the upper left quarter, and has constant answers otherwise."""
    import keras

    height, width, channels = contract.input_shape
    frame = keras.Input(contract.input_shape, dtype="uint8")
    scaled = keras.layers.Rescaling(1 / 255)(frame)
    quarter = keras.layers.Cropping2D(((0, height - height // 2), (0, width - width // 2)))(scaled)
    flat = keras.layers.Flatten()(quarter)
    heads = {name: keras.layers.Dense(1, kernel_initializer="zeros", name=name)(flat) for name in contract.spec.names}
    model = keras.Model(frame, heads)
    pixels = (height // 2) * (width // 2) * channels
    model.get_layer("steer").set_weights([np.full((pixels, 1), 1 / pixels, np.float32), np.zeros(1, np.float32)])
    return model


def noise(count: int, contract: Contract) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, *contract.input_shape), np.uint8)


def test_only_what_the_network_sees_has_influence_and_only_on_what_it_decides(
    one_eyed: Any, contract: Contract
) -> None:
    bright, dark = np.full((1, *contract.input_shape), 240, np.uint8), np.full((5, *contract.input_shape), 20, np.uint8)
    found = influence(one_eyed, bright, dark, contract)
    assert found.shape == (1, GRID, GRID, len(contract.spec))
    steer = found[0, :, :, 0]
    half = GRID // 2
    assert steer[: half - 1, : half - 1].min() > 0.3 * steer.max() > 0
    assert steer[half + 2 :, :].max() < 0.01 * steer.max()
    assert steer[:, half + 2 :].max() < 0.01 * steer.max()
    assert found[..., 1:].max() == 0


def test_where_the_picture_is_as_always_nothing_matters(one_eyed: Any, contract: Contract) -> None:
    usual = noise(1, contract)
    assert influence(one_eyed, usual, np.repeat(usual, 3, axis=0), contract).max() < 1e-5


@pytest.mark.parametrize("bins", [None, 21])
@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_every_network_and_head_can_be_asked_also_about_stacks(name: str, bins: int | None, contract: Contract) -> None:
    stacked = replace(contract, stack=3)
    found = influence(build_network(name, stacked, bins=bins), noise(2, stacked), noise(4, stacked), stacked)
    assert found.shape == (2, GRID, GRID, len(stacked.spec))
    assert np.isfinite(found).all()
    assert found.max() > 0
