"""Figures of errors and of what a network looks at say what is so, and fit into an event log."""

import io

import numpy as np
import pytest
from PIL import Image

from kart_pipeline.core.action import ActionSpec
from kart_pipeline.core.contract import Contract
from kart_pipeline.learning.analysis import button_confusion, error_by_direction, where_it_looks
from kart_pipeline.learning.drawing import EMBEDDABLE
from kart_pipeline.learning.saliency import GRID

SPEC = ActionSpec(("steer", "pitch"), ("A", "B"), ("steer",))
KEYS = ActionSpec((), ("left", "right", "gas"), (), (("left", "right"),))


def opened(png: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(png))
    assert picture.format == "PNG"
    return picture.convert("RGB")


def answers(spec: ActionSpec, rows: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    axes, buttons = rng.uniform(-1, 1, (rows, len(spec.axes))), rng.random((rows, len(spec.buttons))) < 0.5
    true = np.concatenate([axes, buttons], axis=1).astype(np.float32)
    return true, np.clip(true + rng.normal(0, 0.3, true.shape), -1.2, 1.2).astype(np.float32)


@pytest.mark.parametrize("rows", [1, 3000])
@pytest.mark.parametrize("spec", [SPEC, KEYS], ids=["pad", "keys"])
def test_figures_of_errors_fit_into_an_event_log_for_any_spec(spec: ActionSpec, rows: int) -> None:
    true, predicted = answers(spec, rows)
    for figure in (error_by_direction, button_confusion):
        png = figure(true, predicted, spec, EMBEDDABLE)
        assert len(png) <= EMBEDDABLE
        assert opened(png).width >= 400


def test_a_network_without_errors_is_drawn_otherwise_than_one_that_steers_too_little() -> None:
    true, _ = answers(SPEC, 500)
    assert error_by_direction(true, true, SPEC) != error_by_direction(true, true * 0.5, SPEC)


def test_a_spec_that_does_not_steer_has_no_error_by_direction() -> None:
    with pytest.raises(ValueError, match="does not steer"):
        error_by_direction(np.zeros((3, 1), np.float32), np.zeros((3, 1), np.float32), ActionSpec((), ("A",)))


@pytest.mark.parametrize(("colour", "stack"), [("rgb", 1), ("yuv", 4), ("grey", 4)])
def test_what_matters_glows_at_its_place_and_fits(colour: str, stack: int) -> None:
    contract = Contract(SPEC, 10, width=96, height=96, colour=colour, stack=stack)  # type: ignore[arg-type]
    images = np.full((3, *contract.input_shape), 128, np.uint8)
    true, predicted = answers(SPEC, 3)
    still = np.zeros((3, GRID, GRID, len(SPEC)), np.float32)
    lit = still.copy()
    lit[:, 2:5, 2:5, 0] = 1.0
    dark, glowing = (
        np.asarray(opened(where_it_looks(images, found, true, predicted, contract)), int) for found in (still, lit)
    )
    yellow = [np.argwhere((drawn[..., 0] - drawn[..., 2] > 60) & (drawn[..., 1] > 100)) for drawn in (dark, glowing)]
    assert len(yellow[0]) == 0
    assert len(yellow[1]) > 500
    steering_row = (yellow[1][:, 0] - glowing.shape[0] * 0.25) / glowing.shape[0]
    assert 0 < steering_row.min() < steering_row.max() < 0.35, "it glows in another row than that of the steering"
    limited = where_it_looks(images, lit, true, predicted, contract, EMBEDDABLE)
    assert len(limited) <= EMBEDDABLE
    assert opened(limited).width >= 300
