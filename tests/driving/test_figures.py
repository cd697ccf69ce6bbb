"""Pictures of drives, drawn from real ones."""

import io
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from PIL import Image

from kart_pipeline.driving import figures
from kart_pipeline.driving.drivers import Driver, Noisy, make_driver
from kart_pipeline.driving.scorecard import Scorecard
from kart_pipeline.driving.scoring import score
from kart_pipeline.driving.trace import Trace
from kart_pipeline.games.base import Game
from kart_pipeline.games.registry import make_game
from kart_pipeline.learning.drawing import PREDICTED
from kart_pipeline.orchestration import pictures

pytest.importorskip("Box2D")

SEEDS = (1, 2, 3)
RED = np.array([0xD0, 0, 0])


def knocked(game: Game) -> Driver:
    return Noisy(make_driver("expert", game), {"steer": 1.5}, gap_s=0.2, length_s=(0.5, 1.0))


def driven(driver, seeds=SEEDS) -> tuple[Scorecard, tuple[Trace, ...]]:
    traces: list[Trace] = []
    card = score(partial(make_game, "car_racing"), driver, seeds, max_steps=200, traced=traces.append)
    return card, tuple(traces)


@pytest.fixture(scope="module")
def bad() -> tuple[Scorecard, tuple[Trace, ...]]:
    """A driver who leaves the road, with the expert's word as label."""
    return driven(knocked)


@pytest.fixture(scope="module")
def expert() -> tuple[Scorecard, tuple[Trace, ...]]:
    return driven(partial(make_driver, "expert"))


def opened(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)


def has(png: bytes, colour: np.ndarray) -> bool:
    """Whether a picture holds the colour, allowing for a palette."""
    return bool((np.abs(opened(png) - colour).max(axis=-1) < 12).any())


def test_all_pictures_fit_into_an_event_log(bad, expert):
    traces = {bad[0].driver: bad[1], "expert": expert[1]}
    made = figures.figures([bad[0], expert[0], expert[0]], traces, pictures.MOST_BYTES)
    assert list(made) == ["scores_by_seed", "where_it_fails", "error_along_track"]
    for png in made.values():
        assert len(png) <= pictures.MOST_BYTES
        assert min(opened(png).shape[:2]) > 200


def test_a_map_shows_red_exactly_where_somebody_left_the_road(bad, expert):
    assert any((trace.off_track > 0).any() for trace in bad[1])
    assert not any((trace.off_track > 0).any() for trace in expert[1])
    assert has(figures.where_it_fails(*bad, expert[1]), RED)
    assert not has(figures.where_it_fails(*expert, expert[1]), RED)


def test_only_so_many_of_the_worst_drives_are_mapped(bad, monkeypatch):
    whole = opened(figures.where_it_fails(*bad, ()))
    monkeypatch.setattr(figures, "MAPS", 1)
    (worst,) = (drive for drive in bad[0].drives if drive.score == bad[0].worst)
    single = figures.where_it_fails(*bad, ())
    assert opened(single).shape[1] < whole.shape[1]
    assert single == figures.where_it_fails(replace(bad[0], drives=(worst,)), bad[1], ())


def test_a_game_of_one_track_gets_one_map(bad):
    card = replace(bad[0], drives=tuple(replace(drive, track="oval") for drive in bad[0].drives))
    one = figures.where_it_fails(card, bad[1], ())
    assert opened(one).shape != opened(figures.where_it_fails(*bad, ())).shape


def test_a_game_that_tells_no_places_gets_no_map(bad):
    blind = [replace(trace, x=np.full_like(trace.x, np.nan)) for trace in bad[1]]
    assert figures.where_it_fails(bad[0], blind, ()) is None


def test_a_game_that_tells_no_speed_is_mapped_all_the_same(bad):
    slow = [replace(trace, speed=np.full_like(trace.speed, np.nan)) for trace in bad[1]]
    assert figures.where_it_fails(bad[0], slow, ()) is not None


def test_without_a_teacher_there_is_no_error_to_show(bad):
    alone = [replace(trace, label=np.full_like(trace.label, np.nan)) for trace in bad[1]]
    assert figures.error_along_track(bad[0], alone) is None
    assert figures.drift(alone) is None
    assert figures.drift([]) is None


def test_drift_is_the_mean_difference_to_the_experts_word(bad, expert):
    assert figures.drift(expert[1]) == 0
    differences = np.concatenate([np.abs(trace.steer - trace.label) for trace in bad[1]])
    assert figures.drift(bad[1]) == pytest.approx(differences.mean())
    assert figures.drift(bad[1]) > 0.05


def test_one_drive_can_be_shown(bad):
    card = replace(bad[0], drives=bad[0].drives[:1])
    made = figures.figures([card], {card.driver: bad[1][:1]}, pictures.MOST_BYTES)
    assert len(made) == 3
    assert has(made["scores_by_seed"], np.array([int(PREDICTED[at : at + 2], 16) for at in (1, 3, 5)]))


def test_a_hundred_drives_can_be_shown(bad):
    card = replace(bad[0], drives=tuple(replace(bad[0].drives[0], seed=at, score=float(at)) for at in range(100)))
    assert opened(figures.scores_by_seed([card, card], pictures.MOST_BYTES)).shape[1] > 400
