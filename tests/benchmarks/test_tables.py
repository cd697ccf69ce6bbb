"""The tables of the benchmarks, from made-up results."""

import io
import json

import numpy as np
import pytest
from rich.console import Console

from benchmarks import leak, score
from benchmarks.recipe_list import BASE, RECIPES
from benchmarks.recipe_table import groups, show, together
from benchmarks.table import Row, interleaved
from benchmarks.table import show as show_rows
from kart_pipeline.correct import rounds
from kart_pipeline.driving.clock import Cadence
from kart_pipeline.driving.scorecard import Scorecard
from kart_pipeline.driving.seeds import PLAYER
from kart_pipeline.driving.tally import Drive
from kart_pipeline.learning.hyper import HyperParameters


def printed(*arguments, by) -> str:
    page = io.StringIO()
    by(*arguments, Console(file=page, width=200))
    return page.getvalue()


def training(*scores: float, **changes: object) -> dict[str, object]:
    """What `benchmarks.recipes` keeps of one."""
    figures = {"mean": float(np.mean(scores)), "low": min(scores), "high": max(scores), "worst": min(scores)}
    costs = {"parameters": 1000, "megaflops": 40.0, "latency_p50_ms": 1.0, "training_minutes": 2.0}
    rest = {"decile": min(scores), "finished": 0.5, "val": 0.1, "scores": list(scores), "machine": "a machine"}
    return {**figures, **costs, **rest, **changes}


def drive(seed: int, score: float) -> Drive:
    known = {"track": "t", "steps": 5, "progress": None, "ended": "finished", "off_track": None, "smoothness": None}
    cadence = Cadence(50.0, 50.0, 0.0, 0, 0.5, {}, {})
    return Drive(seed=seed, score=score, game_seconds=1.0, wall_seconds=1.0, interventions=0, cadence=cadence, **known)


def finished(count: int) -> tuple[rounds.Round, ...]:
    return tuple(rounds.Round(number=number, version=number + 1, champion=1) for number in range(count))


KNOWN = {
    "kart base steps=500 seeds=3 repeat=0": training(100, 200, 300),
    "kart base steps=500 seeds=3 repeat=1": training(200, 300, 400),
    "kart bins steps=500 seeds=3 repeat=0": training(260, 350, 470),
    "kart grey steps=500 seeds=2 repeat=0": training(150, 260),
    "kart bins steps=900 seeds=3 repeat=0": training(500, 500, 500),
    "boat base steps=500 seeds=3 repeat=0": training(1, 2, 3),
}


def test_trainings_of_one_recipe_with_as_many_steps_and_tracks_stand_together():
    found = [(group.name, group.steps, group.scores.shape) for group in groups(KNOWN, "kart")]
    assert found == [("base", 500, (2, 3)), ("bins", 500, (1, 3)), ("grey", 500, (1, 2)), ("bins", 900, (1, 3))]


def test_a_recipe_is_compared_with_the_base_track_by_track_and_only_under_the_same_terms():
    _, _, base, bins, fewer, longer = together(list(groups(KNOWN, "kart")))
    assert (base[3], base[4], base[8]) == ("200, 300", "250.0", "")
    assert bins[8].startswith("+110 (+100 to ")
    assert fewer[8].startswith("+5 (+0 to ")  # on the two that both drove
    assert longer[8] == ""


def test_the_page_shows_every_training_of_the_game_and_the_machine():
    page = printed(KNOWN, "kart", by=show)
    assert page.startswith("a machine\n")
    assert "| bins steps=900 seeds=3 repeat=0 | 500.0 |" in page
    assert "boat" not in page


def test_every_recipe_is_the_base_with_one_thing_changed():
    for recipe in RECIPES.values():
        HyperParameters.from_dict(recipe.hyper)
        assert recipe.start is None or RECIPES[recipe.start].start is None
    assert RECIPES["base"].hyper == BASE
    assert len({recipe.why for recipe in RECIPES.values()}) == len(RECIPES)


def test_rows_are_markdown_where_nobody_watches():
    rows = [Row("frames built", 1234.5, "frames/s", "Pillow", 1000.0, 1.2345, ">= 0.8", True)]
    rows.append(Row("import", 0.25, "s", "nothing", None, None, "< 0.2 s", False))
    lines = printed(rows, by=show_rows).splitlines()
    assert lines[-2] == "| frames built | 1,234 frames/s | Pillow | 1,000 frames/s | 1.23 | >= 0.8 | yes |"
    assert lines[-1] == "| import | 0.25 s | nothing |  |  | < 0.2 s | no |"


def test_a_pairwise_ratio_is_not_moved_by_a_machine_that_slows_down():
    speed = iter([8.0, 8.0, 4.0, 4.0, 2.0, 2.0])
    ours, theirs, ratio = interleaved(lambda: next(speed), lambda: 2 * next(speed), repeats=3)
    assert (ours, theirs, ratio) == (4.0, 8.0, 0.5)


def test_a_leak_is_measured_against_what_a_constant_does_on_the_same_rows():
    """Rows set aside may be harder than those of the validation, for everybody."""
    assert leak.gap(np.array([0.2, 0.4]), np.array([0.4, 0.8]), said=0.5)[0] == pytest.approx(0.0)
    middle, low, high = leak.gap(np.array([0.2, 0.4, 0.3]), np.array([0.4, 0.4, 0.4]), said=0.5)
    assert middle == pytest.approx(0.5)
    assert 0 <= low < middle < high <= 1


def test_the_score_is_told_beside_published_ones(tmp_path, capsys):
    rounds.save(
        tmp_path,
        "car_racing",
        rounds.Journal((rounds.Round(number=0, version=1, champion=1, mean=900.0, low=880.0, high=910.0),), 0),
    )
    drives = tuple(drive(PLAYER[number], 900.0 + number) for number in range(2))
    score._tell(tmp_path, "car_racing", [Scorecard("car_racing", "kart-car_racing v1", drives)])
    page = capsys.readouterr().out
    assert "| 0 | v1* | 900.0 | 880 to 910 | - |" in page
    assert "On 2 tracks that nobody has seen (seeds 2000000 to 2000001" in page
    assert "900.5" in page
    assert "World Models" in page


def test_the_same_champion_does_not_drive_the_same_tracks_again(tmp_path, monkeypatch):
    rounds.save(tmp_path, "car_racing", rounds.Journal((rounds.Round(number=0, version=3, champion=3),), 0))
    card = Scorecard("car_racing", "v3", (drive(1, 7.0),))
    of = {"game": "car_racing", "version": 3, "seeds": 1}
    (tmp_path / score.RESULTS).write_text(json.dumps({"of": of, "scorecards": [card.to_dict()]}), encoding="utf-8")
    monkeypatch.setattr(score.subprocess, "run", None)
    options = score._parser().parse_args(["--game", "car_racing", "--seeds", "1"])
    assert [found.mean for found in score._unseen(tmp_path, options)] == [7.0]


@pytest.mark.parametrize(
    ("journal", "asked"),
    [
        (rounds.Journal(), "2"),
        (rounds.Journal(finished(2), 1), "1"),  # one correction round is there
        (rounds.Journal(finished(2), 2, rounds.Begun(number=2)), "2"),  # the run that broke off goes on
        (rounds.Journal(finished(3), 5, rounds.Begun(number=3), before=2), "1"),  # it wanted more than is asked for now
    ],
)
def test_the_score_asks_for_the_rounds_that_are_missing(journal, asked, tmp_path, monkeypatch):
    told: list[list[str]] = []
    monkeypatch.setattr(score, "correct", lambda arguments: told.append(arguments) or 0)
    rounds.save(tmp_path, "car_racing", journal)
    assert score._rounds(tmp_path, score._parser().parse_args(["--game", "car_racing", "--rounds", "2"])) == 0
    ((_, _, option, wanted, *_),) = told
    assert (option, wanted) == ("--rounds", asked)
    assert journal.asked(int(asked)).last == 2


def test_nothing_is_asked_for_where_all_rounds_are_there(tmp_path, monkeypatch):
    monkeypatch.setattr(score, "correct", None)
    rounds.save(tmp_path, "car_racing", rounds.Journal(finished(3), 2))
    assert score._rounds(tmp_path, score._parser().parse_args(["--game", "car_racing", "--rounds", "2"])) == 0
