"""What a person is shown is what the network sees."""

import io

import numpy as np
import pytest
from PIL import Image

from kart_pipeline.core.action import ActionSpec
from kart_pipeline.core.contract import Contract
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.prepare import prepare
from kart_pipeline.learning.drawing import EMBEDDABLE
from kart_pipeline.learning.sheets import contact_sheet, visible

SPEC = ActionSpec(("steer", "pitch"), ("A", "B"), ("steer",))


def opened(png: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(png))
    assert picture.format == "PNG"
    return picture.convert("RGB")


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
    labels = np.tile(np.float32([-0.7, 0.4, 1, 0]), (8, 1))
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
