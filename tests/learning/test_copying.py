from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kart_pipeline.core.action import ActionSpec
from kart_pipeline.core.contract import Contract, Region
from kart_pipeline.core.frame import Choice, Frame, Step
from kart_pipeline.core.manifest import SessionHeader
from kart_pipeline.core.store import Store
from kart_pipeline.datasets.frames import build_frames
from kart_pipeline.datasets.training_set import TrainingSet, build_training_set
from kart_pipeline.learning.copying import copying, suspicions
from kart_pipeline.learning.evaluation import Evaluation
from kart_pipeline.learning.hyper import HyperParameters
from kart_pipeline.learning.training import train

SPEC = ActionSpec(("steer",), mirrored_axes=("steer",))
CORNER = Region(0, 0.75, 1, 1)
EDGE = 24
FRAMES = 500


def drive(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Pictures and steering of a drive: a faint stripe shows where the road is, a bright bar what was steered last."""
    rng = np.random.default_rng(seed)
    # held for some ten frames, as on straights and in bends
    steer = np.repeat(rng.uniform(-1, 1, FRAMES), rng.geometric(0.1, FRAMES))[:FRAMES].astype(np.float32)
    pictures = rng.integers(90, 110, (FRAMES, EDGE, EDGE, 3), np.uint8)
    for index, (picture, now) in enumerate(zip(pictures, steer, strict=True)):
        column = round(float((now + 1) / 2 * (EDGE - 4)))
        picture[: EDGE - 8, column : column + 4] += 20
        picture[EDGE - 6 :] = round(128 + 100 * float(steer[max(0, index - 1)]))
    return pictures, steer


def recorded(home: Path, contract: Contract) -> TrainingSet:
    store = Store(home / "sessions")
    for seed in (0, 1):
        header = SessionHeader(id=f"drive-{seed}", game="drawn", rate_hz=10, spec=SPEC)
        with store.create(header) as writer:
            for index, (picture, steer) in enumerate(zip(*drive(seed), strict=True)):
                action = SPEC.action(steer=float(steer))
                writer.append(Step(index, Frame(picture, index * 100_000_000), Choice(action, "human", action)))
        build_frames(store.open(header.id), contract, home / "datasets", threads=1)
    return build_training_set(home / "datasets", contract, "drawn", val_fraction=0.5, balance="none")


def evaluated(home: Path, *masks: Region) -> Evaluation:
    contract = Contract(SPEC, 10, masks=masks, width=EDGE, height=EDGE, colour="grey")
    hyper = HyperParameters(network="residual", epochs=8, mirror=0, shift=0, brightness=0, patches=0)
    return train(recorded(home, contract), hyper).evaluation


def test_a_network_that_is_shown_the_last_action_copies_it_and_one_whose_instruments_are_masked_looks_at_the_road(
    tmp_path: Path,
) -> None:
    shown, masked = evaluated(tmp_path / "shown"), evaluated(tmp_path / "masked", CORNER)
    assert shown.copying["steer"] > 0.4
    assert abs(masked.copying["steer"]) < 0.2
    assert masked.errors["network"].heads["steer"]["rmse"] < shown.errors["network"].heads["steer"]["rmse"]
    assert shown.metrics()["val/network/steer_copying"] == shown.copying["steer"]
    assert "may repeat the last steer" in shown.markdown()
    assert "may repeat" not in masked.markdown()


@given(st.floats(-1, 1.5), st.floats(0, 1.5), st.floats(-0.3, 0.3), st.integers(0, 1000))
def test_the_share_of_the_last_action_is_found_whatever_else_the_network_does(
    share: float, strength: float, bias: float, seed: int
) -> None:
    true, before = np.random.default_rng(seed).uniform(-1, 1, (2, 60, 1)).astype(np.float32)
    predicted = strength * true + share * before + bias
    assert copying(predicted, true, before, SPEC)["steer"] == pytest.approx(share, abs=1e-4)


def test_rows_where_nothing_changed_do_not_count() -> None:
    rng = np.random.default_rng(0)
    true, before = rng.uniform(-1, 1, (2, 100, 1)).astype(np.float32)
    before[:60] = true[:60]
    predicted = before.copy()
    predicted[:60] = 7.0
    assert copying(predicted, true, before, SPEC)["steer"] == pytest.approx(1, abs=1e-5)


def test_an_axis_that_cannot_be_judged_is_left_out() -> None:
    rng = np.random.default_rng(0)
    true, before = rng.uniform(-1, 1, (2, 15, 1)).astype(np.float32)
    assert copying(true, true, before, SPEC) == {}
    constant = np.full((50, 1), 0.5, np.float32)
    assert copying(constant, constant, constant * 0, SPEC) == {}


def test_only_axes_are_judged_and_a_suspicion_names_its_axis_and_what_helps() -> None:
    spec = ActionSpec(("steer", "gas"), ("A",))
    true, before = np.random.default_rng(0).uniform(-1, 1, (2, 50, 3)).astype(np.float32)
    predicted = true.copy()
    predicted[:, 1] = before[:, 1]
    found = copying(predicted, true, before, spec)
    assert found == pytest.approx({"steer": 0, "gas": 1}, abs=1e-5)
    (sentence,) = suspicions(found)
    assert "last gas" in sentence
    assert "100%" in sentence
    assert "history_dropout" in sentence
