"""Pictures that live in Dagster's event log."""

import base64
import io
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from kart_pipeline.core.contract import Colour, Contract
from kart_pipeline.datasets.frames import build_frames
from kart_pipeline.orchestration import pictures


def opened(markdown: str) -> Image.Image:
    kind, data = re.fullmatch(r"!\[\]\(data:image/(\w+);base64,(.*)\)", markdown).groups()
    picture = Image.open(io.BytesIO(base64.b64decode(data)))
    assert picture.format == kind.upper()
    return picture


@pytest.mark.parametrize("size", [(50, 40), (1200, 900), (3000, 2000)])
def test_even_noise_is_small_enough(size):
    noise = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), np.uint8)
    value = pictures.photo(Image.fromarray(noise)).value
    assert len(value) < 50_000
    assert opened(value).width <= size[0]


@pytest.mark.parametrize("colour", ["rgb", "yuv", "grey"])
@pytest.mark.parametrize("stack", [1, 3])
def test_inputs_show_a_session_as_the_network_gets_it(record, tmp_path: Path, colour: Colour, stack: int):
    session = record("a", 30)
    contract = Contract(session.manifest.spec, session.manifest.rate_hz, colour=colour, stack=stack)
    shown = pictures.inputs(build_frames(session, contract, tmp_path), contract)
    assert len(shown.value) < 50_000
    assert opened(shown.value).size > (300, 100)


def test_a_session_of_one_frame_can_be_shown(record, tmp_path: Path):
    session = record("a", 1)
    contract = Contract(session.manifest.spec, session.manifest.rate_hz)
    assert pictures.inputs(build_frames(session, contract, tmp_path), contract) is not None
    assert pictures.sources(session) is not None


def test_sources_are_pictures_from_first_to_last(record):
    picture = opened(pictures.sources(record("a", 40)).value)
    assert picture.width == 1200
    assert picture.height == 175  # six of 80x70
