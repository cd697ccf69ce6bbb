import io

import numpy as np
import pytest
from PIL import Image

from kart_pipeline.core.action import ActionSpec
from kart_pipeline.core.contract import Contract
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.prepare import prepare
from kart_pipeline.datasets.balance import histogram
from kart_pipeline.learning.figures import (
    EMBEDDABLE,
    contact_sheet,
    loss_curves,
    predicted_against_true,
    steering_histogram,
    visible,
)

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


def test_a_limit_that_nothing_fits_into_is_refused() -> None:
    with pytest.raises(KartError, match="fits into 100 bytes"):
        loss_curves(history(3), 1, max_bytes=100)


def test_a_contact_sheet_shows_each_input_at_its_place() -> None:
    contract = Contract(SPEC, 10, width=200, height=66, colour="rgb")
    frames = np.stack([np.full(contract.input_shape, level, np.uint8) for level in (10, 90, 170, 250)])
    sheet = opened(contact_sheet(frames, contract, columns=2))
    assert sheet.size == (404, 136)
    centres = [(100, 33), (304, 33), (100, 103), (304, 103)]
    assert [sheet.getpixel(centre)[0] for centre in centres] == [10, 90, 170, 250]  # type: ignore[index]


@pytest.mark.parametrize("colour", ["rgb", "yuv", "grey"])
@pytest.mark.parametrize("stack", [1, 3])
def test_a_sheet_of_noise_with_labels_still_fits(colour: str, stack: int) -> None:
    contract = Contract(SPEC, 10, colour=colour, stack=stack)  # type: ignore[arg-type]
    frames = np.random.default_rng(0).integers(0, 256, (8, *contract.input_shape), np.uint8)
    labels = drive(8)[0]
    assert len(contact_sheet(frames, contract, labels, max_bytes=EMBEDDABLE)) <= EMBEDDABLE
    assert opened(contact_sheet(frames, contract, labels)).width >= 4 * 200


def test_a_frame_of_yuv_is_shown_in_the_colours_it_came_from() -> None:
    rgb = np.random.default_rng(1).integers(0, 256, (66, 200, 3), np.uint8)
    for colour, tolerance in (("rgb", 0), ("yuv", 3)):
        contract = Contract(SPEC, 10, colour=colour)  # type: ignore[arg-type]
        shown = visible(prepare(contract, rgb), contract)
        assert np.abs(shown.astype(int) - rgb).max() <= tolerance


def test_a_sheet_of_nothing_is_refused() -> None:
    contract = Contract(SPEC, 10)
    with pytest.raises(KartError, match="at least one frame"):
        contact_sheet(np.empty((0, *contract.input_shape), np.uint8), contract)
