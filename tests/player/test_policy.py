"""The policy as a driver, around a network that is a plain function; real networks are in test_model.py."""

import numpy as np
import pytest

from kart_pipeline.core.action import ActionSpec
from kart_pipeline.core.contract import Contract
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.frame import Frame
from kart_pipeline.core.prepare import prepare
from player.policy import Policy
from player.stages import Stages

SPEC = ActionSpec(axes=("steer",), buttons=("A",), mirrored_axes=("steer",))


def frame(value: int) -> Frame:
    return Frame(np.full((20, 30, 3), value, np.uint8), 0)


def policy(predict, **contract) -> Policy:
    contract = Contract(SPEC, 20.0, width=10, height=8, **{"colour": "rgb"} | contract)
    return Policy("test", contract, predict)


def test_the_network_gets_exactly_what_training_made_of_the_same_frame():
    inputs = []

    def predict(x):
        inputs.append(x)
        return np.array([0.25, 0.9], np.float32)

    driver = policy(predict)
    driver.reset()
    rgb = np.random.default_rng(1).integers(0, 255, (20, 30, 3), np.uint8)
    choice = driver.act(Frame(rgb, 0))
    assert np.array_equal(inputs[0], prepare(driver.contract, rgb))
    assert (choice.action["steer"], choice.action["A"]) == (0.25, True)
    assert (choice.actor, choice.label, choice.intervention) == ("policy", None, False)


def test_a_stack_holds_the_last_frames_and_nothing_of_the_drive_before():
    inputs = []

    def predict(x):
        inputs.append(x[0, 0].tolist())
        return np.zeros(2, np.float32)

    driver = policy(predict, colour="grey", stack=3)
    for drive in ((10, 20, 30), (40, 50)):
        driver.reset()
        for value in drive:
            driver.act(frame(value))
    assert inputs == [[10, 10, 10], [10, 10, 20], [10, 20, 30], [40, 40, 40], [40, 40, 50]]


def test_steering_beyond_the_stop_is_clipped():
    driver = policy(lambda _: np.array([-7.0, 0.1], np.float32))
    driver.reset()
    assert driver.act(frame(0)).action["steer"] == -1.0


def test_an_answer_that_is_no_number_is_refused():
    driver = policy(lambda _: np.array([np.nan, 0.1], np.float32))
    driver.reset()
    with pytest.raises(KartError, match="finite"):
        driver.act(frame(0))


@pytest.mark.parametrize(("colour", "tolerance"), [("rgb", 0), ("yuv", 3)])
def test_what_the_network_sees_is_shown_in_colours_for_people(colour, tolerance):
    driver = policy(lambda _: np.zeros(2, np.float32), colour=colour, stack=2)
    driver.reset()
    assert driver.seen is None
    driver.act(frame(0))
    driver.act(Frame(np.full((20, 30, 3), (200, 40, 90), np.uint8), 0))
    assert driver.seen.shape == (8, 10, 3)
    assert np.abs(driver.seen.astype(int) - (200, 40, 90)).max() <= tolerance


def test_grey_is_shown_as_grey():
    driver = policy(lambda _: np.zeros(2, np.float32), colour="grey")
    driver.reset()
    driver.act(frame(77))
    assert (driver.seen == 77).all()


def test_preparation_and_inference_are_timed_apart():
    stages = Stages()
    contract = Contract(SPEC, 20.0, width=10, height=8)
    driver = Policy("test", contract, lambda _: np.zeros(2, np.float32), stages)
    driver.reset()
    for _ in range(3):
        driver.act(frame(1))
    assert {stage: figures["count"] for stage, figures in stages.summary().items()} == {"prepare": 3, "infer": 3}
