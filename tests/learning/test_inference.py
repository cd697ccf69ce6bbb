from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf

from kart_pipeline.core.action import ActionSpec
from kart_pipeline.core.contract import Contract
from kart_pipeline.core.errors import KartError
from kart_pipeline.learning.inference import predict_batches, predictor
from kart_pipeline.learning.networks import build_network


def test_one_frame_is_answered_in_the_order_of_the_spec_with_buttons_as_probabilities(contract: Contract) -> None:
    model = build_network("pilotnet", contract)
    frame = np.random.default_rng(0).integers(0, 256, contract.input_shape, np.uint8)
    heads = model(frame[None], training=False)
    answer = predictor(model, contract)(frame)
    assert answer.dtype == np.float32
    assert answer[:2] == pytest.approx([float(heads[name][0, 0]) for name in ("steer", "throttle")], abs=1e-6)
    logits = np.array([float(heads[name][0, 0]) for name in ("A", "L", "R")])
    assert answer[2:] == pytest.approx(1 / (1 + np.exp(-logits)), abs=1e-6)


@pytest.mark.parametrize("bins", [None, 21])
def test_one_frame_and_whole_batches_are_answered_alike(contract: Contract, bins: int | None) -> None:
    model = build_network("pilotnet", contract, bins=bins)
    frames = np.random.default_rng(1).integers(0, 256, (5, *contract.input_shape), np.uint8)
    predict = predictor(model, contract)
    together = predict_batches(model, tf.data.Dataset.from_tensor_slices(frames).batch(2), contract.spec)
    assert together == pytest.approx(np.stack([predict(frame) for frame in frames]), abs=1e-5)


def test_a_button_never_pressed_has_a_probability_without_overflow(contract: Contract) -> None:
    model = build_network("pilotnet", contract)
    model.get_layer("A").set_weights([np.zeros((10, 1)), np.array([-500.0])])
    frames = tf.zeros((1, *contract.input_shape), tf.uint8)
    answer = predict_batches(model, tf.data.Dataset.from_tensors(frames), contract.spec)
    assert answer[0, 2] == 0


def test_dropout_is_off_while_driving(contract: Contract) -> None:
    predict = predictor(build_network("pilotnet", contract, dropout=0.5), contract)
    frame = np.full(contract.input_shape, 99, np.uint8)
    assert np.array_equal(predict(frame), predict(frame))


def test_a_frame_of_another_size_is_refused_by_the_graph(contract: Contract) -> None:
    predict = predictor(build_network("pilotnet", contract), contract)
    with pytest.raises((TypeError, ValueError)):
        predict(np.zeros((10, 10, 3), np.uint8))


def test_a_network_for_another_contract_is_refused(contract: Contract) -> None:
    model = build_network("pilotnet", Contract(ActionSpec(("steer",)), 10))
    with pytest.raises(KartError, match=r"maps \(66, 200, 3\) to steer, its contract \(62, 66, 3\) to steer, throttle"):
        predictor(model, contract)


def test_a_button_of_several_units_is_refused(contract: Contract) -> None:
    model = build_network("pilotnet", replace(contract, spec=ActionSpec(("steer",))), bins=7)
    with pytest.raises(KartError, match="head 'steer' has 7 units; a button has one"):
        predictor(model, replace(contract, spec=ActionSpec((), ("steer",))))
