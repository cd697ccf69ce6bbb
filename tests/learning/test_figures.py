import io

import numpy as np
import pytest
from PIL import Image

from kart_pipeline.core.action import ActionSpec
from kart_pipeline.core.errors import KartError
from kart_pipeline.datasets.balance import histogram
from kart_pipeline.learning.drawing import EMBEDDABLE, shrunk
from kart_pipeline.learning.figures import loss_curves, predicted_against_true, steering_histogram

SPEC = ActionSpec(("steer", "pitch"), ("A", "B"), ("steer",))


def opened(png: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(png))
    assert picture.format == "PNG"
    return picture.convert("RGB")


def history(epochs: int) -> list[dict[str, float]]:
    names = [f"{prefix}{head}loss" for prefix in ("", "val_") for head in ("", "steer_", "pitch_", "A_", "B_")]
    return [dict.fromkeys(names, 1 / epoch) for epoch in range(1, epochs + 1)]


def drive(rows: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    true = np.stack([*rng.uniform(-1, 1, (2, rows)), *(rng.random((2, rows)) < 0.5)], axis=1).astype(np.float32)
    return true, np.clip(true + rng.normal(0, 0.2, true.shape), -1.2, 1.2).astype(np.float32)


@pytest.mark.parametrize("rows", [1, 5000])
def test_figures_fit_into_an_event_log_and_are_wide_enough_to_read(rows: int) -> None:
    true, predicted = drive(rows)
    steer = true[:, 0]
    made = [
        loss_curves(history(60), 50, EMBEDDABLE),
        predicted_against_true(true, predicted, SPEC, 10, max_bytes=EMBEDDABLE),
        steering_histogram(histogram(steer, np.ones_like(steer)), "steer", EMBEDDABLE),
    ]
    for png in made:
        assert len(png) <= EMBEDDABLE
        assert opened(png).width >= 400


def test_a_figure_without_a_limit_is_larger_than_one_with() -> None:
    whole, small = (opened(loss_curves(history(40), 3, limit)) for limit in (None, 15_000))
    assert small.width < whole.width


def test_a_figure_that_was_drawn_is_shrunk_without_being_drawn_again() -> None:
    whole = loss_curves(history(40), 3)
    small = shrunk(whole, 15_000)
    assert len(small) <= 15_000
    assert opened(small).width < opened(whole).width
    assert opened(shrunk(whole, len(whole))).size == opened(whole).size
    with pytest.raises(KartError, match="fits into 100 bytes"):
        shrunk(whole, 100)


def test_a_limit_that_nothing_fits_into_is_refused() -> None:
    with pytest.raises(KartError, match="fits into 100 bytes"):
        loss_curves(history(3), 1, max_bytes=100)
