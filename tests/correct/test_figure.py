"""The picture of the rounds."""

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from kart_pipeline.correct.figure import rounds_figure
from kart_pipeline.correct.rounds import Round

FIRST = Round(number=0, version=1, champion=1, seeds=3, mean=880, low=860, high=900, decile=760, frames=800, minutes=9)
SECOND = Round(number=1, version=2, champion=1, seeds=3, mean=870, frames=1200, minutes=18, decile=800, drift=0.2)
UNSCORED = Round(number=0, version=1, champion=1)


def pixels(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))


@pytest.mark.parametrize("rounds", [[FIRST], [FIRST, SECOND], [UNSCORED], [UNSCORED, SECOND]])
def test_it_is_drawn_from_the_first_round_on(rounds):
    assert pixels(rounds_figure("kart", rounds)).shape[1] > 1000


def test_a_champion_looks_different_from_a_model_that_did_not_become_one():
    champion = replace(SECOND, champion=2)
    assert not np.array_equal(
        pixels(rounds_figure("kart", [FIRST, SECOND])), pixels(rounds_figure("kart", [FIRST, champion]))
    )


def test_it_keeps_within_the_bytes_that_it_is_given():
    assert len(rounds_figure("kart", [FIRST, SECOND], 20_000)) <= 20_000
