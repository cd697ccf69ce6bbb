import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from kart_pipeline.core.errors import KartError
from kart_pipeline.driving.clock import Cadence
from kart_pipeline.driving.scorecard import Scorecard, bootstrap, compare
from kart_pipeline.driving.tables import by_drive, by_track, markdown, table
from kart_pipeline.driving.tally import Drive

CADENCE = Cadence(50.0, 50.0, 0.0, 0, 0.5, {"driver": 1.0}, {"driver": 2.0})


def a_drive(score, seed=0, **changes):
    values = {
        "seed": seed,
        "track": f"seed-{seed}",
        "steps": 100,
        "score": float(score),
        "progress": 0.5,
        "ended": "time limit",
        "off_track": 0.1,
        "smoothness": 0.02,
        "game_seconds": 2.0,
        "wall_seconds": 1.0,
        "interventions": 0,
        "cadence": CADENCE,
    }
    return Drive(**{**values, **changes})


def a_card(scores, driver="model", game="line", seeds=None, **changes):
    seeds = range(len(scores)) if seeds is None else seeds
    return Scorecard(game, driver, tuple(a_drive(s, seed, **changes) for s, seed in zip(scores, seeds, strict=True)))


def test_a_scorecard_sums_up_its_drives():
    card = Scorecard(
        "line",
        "model",
        (
            a_drive(10, 1, ended="finished", progress=1.0, off_track=0.0, smoothness=0.1, game_seconds=4.0),
            a_drive(30, 2, progress=0.5, off_track=0.2, smoothness=0.3, game_seconds=8.0, interventions=2),
        ),
    )
    assert (card.mean, card.worst, card.best) == (20, 10, 30)
    assert card.finished == 0.5
    assert card.progress == pytest.approx(0.75)
    assert card.off_track == pytest.approx(0.1)
    assert card.smoothness == pytest.approx(0.2)
    assert card.game_seconds == pytest.approx(6.0)
    assert card.interventions == 2


def test_the_worst_decile_is_what_nine_drives_in_ten_reach():
    scores = np.random.default_rng(0).permutation(np.arange(0.0, 101.0))
    card = a_card(scores)
    assert card.decile == 10.0
    assert card.to_dict()["decile"] == 10.0
    assert "| worst decile | 10.0 |" in markdown([card])


def test_laps_collisions_and_standstills_are_averaged():
    card = Scorecard(
        "line",
        "model",
        (
            a_drive(1, 1, lap_times=(20.0, 22.0), collisions=3, stuck=0),
            a_drive(2, 2, lap_times=(), collisions=0, stuck=1),
            a_drive(3, 3, lap_times=(30.0,), collisions=0, stuck=0),
        ),
    )
    assert (card.lap_time, card.laps, card.collisions, card.stuck) == (24.0, 1.0, 1.0, pytest.approx(1 / 3))
    shown = markdown([card, a_card([1])])
    for row in (
        "| lap time, s | 24.00 | - |",
        "| collisions per drive | 1.0 | - |",
        "| times stuck per drive | 0.33 | - |",
    ):
        assert row in shown


def test_rows_that_no_driver_has_are_left_out():
    shown = markdown([a_card([1, 2])])
    for word in ("lap time", "collisions", "stuck"):
        assert word not in shown


def test_what_no_drive_tells_stays_unknown_in_summary_and_tables():
    card = a_card([1, 2], progress=None, off_track=None, smoothness=None)
    assert card.progress is None
    assert card.to_dict()["off_track"] is None
    assert "| progress | - |" in markdown([card])


def test_the_interval_of_the_mean_has_the_width_that_theory_gives():
    scores = np.random.default_rng(5).normal(900, 20, 100)
    low, high = a_card(scores).interval
    half = 1.96 * scores.std(ddof=1) / 10
    assert low == pytest.approx(scores.mean() - half, abs=0.6)
    assert high == pytest.approx(scores.mean() + half, abs=0.6)


def test_one_drive_has_no_interval():
    assert a_card([900]).interval is None
    assert "| 95 % interval | - |" in markdown([a_card([900])])


@settings(deadline=None)
@given(st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=12))
def test_the_interval_lies_between_worst_and_best_and_repeats(scores):
    low, high = bootstrap(np.array(scores))
    assert min(scores) - 1e-9 <= low <= high <= max(scores) + 1e-9
    assert bootstrap(np.array(scores)) == (low, high)


def test_neighbours_that_are_alike_tell_less_and_widen_the_interval():
    alike = np.repeat(np.random.default_rng(1).normal(size=20), 10)
    low, high = bootstrap(alike)
    wide_low, wide_high = bootstrap(alike, block=10)
    assert wide_high - wide_low > 2 * (high - low)


def test_a_block_of_everything_draws_nothing_else():
    values = np.arange(12.0)
    assert bootstrap(values, block=12) == (5.5, 5.5)


def test_a_scorecard_survives_json():
    card = a_card([1.5, 2.5], ended="finished")
    again = Scorecard.from_dict(json.loads(json.dumps(card.to_dict(), allow_nan=False)))
    assert again == card
    assert again.to_dict() == card.to_dict()


@pytest.mark.parametrize(
    "data", [{}, {"game": "g", "driver": "d"}, {"game": "g", "driver": "d", "drives": [{"seed": 1}]}, []]
)
def test_what_is_no_scorecard_is_refused(data):
    with pytest.raises(KartError, match="Not a"):
        Scorecard.from_dict(data)


def test_a_scorecard_without_drives_is_refused():
    with pytest.raises(KartError, match="at least one drive"):
        Scorecard("line", "model", ())


def test_drivers_are_compared_track_by_track():
    hard_and_easy = np.array([100.0, 500.0, 900.0, 300.0, 700.0])
    verdict = compare(a_card(hard_and_easy + np.array([5, 6, 7, 6, 5])), a_card(hard_and_easy))
    assert verdict.seeds == 5
    assert verdict.difference == pytest.approx(5.8)
    assert 5 <= verdict.low <= verdict.difference <= verdict.high <= 7
    assert verdict.better


def test_a_lead_that_hangs_on_one_track_is_not_called_better():
    verdict = compare(a_card([100, 0, 0, 0, 0, 0]), a_card([0, 0, 0, 0, 0, 0]))
    assert verdict.difference > 0
    assert not verdict.better


def test_only_seeds_that_both_drove_are_compared():
    verdict = compare(a_card([10, 20, 999], seeds=[1, 2, 3]), a_card([1, 2, -999], seeds=[1, 2, 4]))
    assert verdict.seeds == 2
    assert verdict.difference == pytest.approx(13.5)


def test_drivers_without_common_seeds_cannot_be_compared():
    with pytest.raises(KartError, match="1 seeds in common"):
        compare(a_card([1, 2], seeds=[1, 2]), a_card([1, 2], seeds=[2, 3]))


def test_scores_of_different_games_cannot_be_compared():
    with pytest.raises(KartError, match="cannot be compared"):
        compare(a_card([1, 2]), a_card([1, 2], game="other"))


def test_the_tables_set_drivers_side_by_side():
    cards = [a_card([900, 910], driver="expert", ended="finished"), a_card([-50, 50], driver="a|b")]
    console = Console(width=100)
    with console.capture() as capture:
        console.print(table(cards))
    text = capture.get()
    for word in ("expert", "905.0", "100%", "line: 2 drives each"):
        assert word in text
    lines = markdown(cards).splitlines()
    assert lines[0] == r"|  | expert | a\|b |"
    assert "| mean score | 905.0 | 0.0 |" in lines
    assert "| finished | 100% | 0% |" in lines
    assert not any("interventions" in line for line in lines)


def test_interventions_are_shown_where_there_were_any():
    assert "| interventions | 3 |" in markdown([a_card([1, 2, 3], interventions=1)])


def test_a_finish_has_a_time_and_what_did_not_finish_has_none():
    there = replace(a_drive(1), ended="finished", game_seconds=31.5)
    card = Scorecard("line", "model", (there, a_drive(2)))
    assert card.finish_time == 31.5
    assert [drive.finish_s for drive in card.drives] == [31.5, None]
    assert Scorecard("line", "model", (a_drive(2),)).finish_time is None


def test_an_intervention_costs_six_seconds_of_autonomy():
    drives = [replace(a_drive(1), game_seconds=300.0, interventions=count) for count in (10, 0)]
    assert Scorecard("line", "model", (drives[0],)).hands_off == pytest.approx(0.8)
    assert Scorecard("line", "model", tuple(drives)).hands_off == pytest.approx(0.9)
    assert Scorecard("line", "model", (replace(drives[0], interventions=60),)).hands_off == 0


def test_drive_by_drive_tells_what_the_game_tells():
    card = Scorecard(
        "line",
        "model",
        (
            a_drive(1, 7, lap_times=(20.0, 22.5), standstill=3.25, standstill_at=0.4),
            a_drive(2, None, lap_times=(), standstill=0.0, standstill_at=0.0),
        ),
    )
    heading, rows = by_drive(card)
    assert heading == (
        "seed",
        "score",
        "progress",
        "off track",
        "longest standstill",
        "laps, s",
        "steps",
        "finish, s",
        "game time",
        "ended",
    )
    assert rows[0] == (
        "7",
        "1.0",
        "50.0%",
        "10.0%",
        "3.2 s at 40%",
        "20.00, 22.50",
        "100",
        "DNF",
        "2.0 s",
        "time limit",
    )
    assert rows[1][0] == rows[1][5] == "-"


def test_track_by_track_tells_how_often_and_how_fast_the_goal_was_reached():
    luigi = {"track": "luigi-raceway", "lap_times": (40.0, 41.0)}
    card = Scorecard(
        "mario_kart_64",
        "model",
        (
            a_drive(1, 0, ended="finished", game_seconds=132.0, progress=1.0, **luigi),
            a_drive(2, 1, ended="finished", game_seconds=130.0, progress=1.0, **luigi),
            a_drive(3, 2, ended="stuck", game_seconds=60.0, progress=0.25, **luigi),
            a_drive(4, 3, track="moo-moo-farm", ended="stuck", progress=None),
        ),
    )
    heading, rows = by_track([card])
    assert heading == ("track", "driver", "finished", "mean time, s", "best time, s", "best lap, s", "progress")
    assert rows == [
        ("luigi-raceway", "model", "2 of 3", "131.00", "130.00", "40.00", "75.0%"),
        ("moo-moo-farm", "model", "0 of 1", "-", "-", "-", "-"),
    ]


def test_tracks_that_are_driven_once_each_make_no_table():
    assert by_track([a_card([1, 2, 3])])[1] == []
    assert len(by_track([a_card([1, 2]), a_card([1, 2], "other")])[1]) == 0
