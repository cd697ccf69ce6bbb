"""Who becomes champion, and why not."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kart_pipeline.core.errors import KartError
from kart_pipeline.driving.clock import Cadence
from kart_pipeline.driving.scorecard import Scorecard
from kart_pipeline.driving.tally import Drive
from kart_pipeline.orchestration.promotion import LEAST_SEEDS, Decision, comparable, decide
from kart_pipeline.orchestration.report import HeldOut, Report

CADENCE = Cadence(50.0, 50.0, 0.0, 0, 0.5, {"driver": 1.0}, {"driver": 2.0})


def drives(*scores: float, first_seed: int = 0) -> Scorecard:
    made = [
        Drive(first_seed + place, f"seed-{place}", 10, score, 0.5, "finished", 0.0, 0.1, 1.0, 1.0, 0, CADENCE)
        for place, score in enumerate(scores)
    ]
    return Scorecard("game", "policy", tuple(made))


def report(version: int, *scores: float, error: float = 0.2, constant: float = 0.4, rows: str = "set") -> Report:
    return Report(version, HeldOut(rows, 100, error, constant), None, drives(*scores) if scores else None)


def test_the_first_version_is_champion():
    assert decide(report(1), None).promote


@pytest.mark.parametrize(("error", "warned"), [(0.39, False), (0.4, True)])
def test_a_first_champion_that_has_learned_nothing_is_told_so(error, warned):
    decision = decide(report(1, error=error, constant=0.4), None)
    assert decision.promote
    assert ("errs more than a driver who always does the same" in decision.reason) is warned


def test_the_champion_does_not_compete_with_itself():
    decision = decide(report(3, 5.0), report(3, 5.0))
    assert not decision.promote
    assert decision.reason == "Version 3 is the champion already."


def test_a_lead_whose_interval_lies_above_zero_wins_and_all_figures_are_told():
    decision = decide(report(2, *[10.0, 25.0] * 3), report(1, *[4.0, 19.0] * 3))
    assert decision == Decision(
        True,
        "Version 2 scores 17.5, the champion, version 1, 11.5 on the same 6 seeds "
        "(difference +6.0, 95 % interval +6.0 to +6.0).",
    )


def test_a_better_mean_that_hangs_on_one_seed_is_refused_with_the_interval():
    decision = decide(report(2, 120.0, *[0.0] * 5), report(1, *[0.0] * 6))
    assert not decision.promote
    assert "(difference +20.0, 95 % interval +0.0 to +60.0)" in decision.reason
    assert decision.reason.endswith(": not shown to be better, so the champion stays.")


@pytest.mark.parametrize("scores", [(10.0, 10.0), (9.0, 11.0), (1.0, 2.0)])
def test_an_equal_or_worse_score_is_refused_with_a_reason(scores):
    decision = decide(report(2, *scores * 3), report(1, *[10.0] * 6))
    assert not decision.promote
    assert decision.reason.endswith("not shown to be better, so the champion stays.")


@given(st.lists(st.tuples(st.floats(-1e3, 1e3), st.floats(-1e3, 1e3)), min_size=6, max_size=9))
@settings(deadline=None, max_examples=30)
def test_two_drivers_are_never_both_better_than_the_other(pairs):
    ours, theirs = zip(*pairs, strict=True)
    there = decide(report(2, *ours), report(1, *theirs))
    back = decide(report(2, *theirs), report(1, *ours))
    assert not (there.promote and back.promote)
    assert not decide(report(2, *ours), report(1, *ours)).promote


@pytest.mark.parametrize(("count", "said"), [(1, "on 1 seed, which"), (5, "on 5 seeds, which")])
def test_winning_on_a_few_seeds_shows_nothing(count, said):
    decision = decide(report(2, *[300.0] * count), report(1, *[2.0] * count))
    assert not decision.promote
    assert decision.reason.startswith("Version 2 scores 300.0, the champion, version 1, 2.0 " + said)
    assert decision.reason.endswith("Score on 6 or more.")


def test_fewer_seeds_than_needed_could_be_won_by_luck():
    assert 0.5**LEAST_SEEDS < 0.025 <= 0.5 ** (LEAST_SEEDS - 1)


NAN = float("nan")


@pytest.mark.parametrize(
    ("candidate", "champion"),
    [
        (report(2, NAN, 900.0), report(1, 1.0, 2.0)),
        (report(2, NAN, 900.0), None),
        (report(2, error=NAN), report(1, error=0.3)),
        (report(2, error=NAN), None),
    ],
)
def test_a_figure_that_is_not_a_number_never_wins(candidate, champion):
    decision = decide(candidate, champion)
    assert not decision.promote
    assert "not a number" in decision.reason


@pytest.mark.parametrize(
    ("candidate", "champion"),
    [(report(2, 1.0, 2.0), report(1, NAN, 900.0)), (report(2, error=0.3), report(1, error=NAN))],
)
def test_a_champion_without_a_number_gives_way(candidate, champion):
    assert decide(candidate, champion).promote


@pytest.mark.parametrize(
    ("ours", "straight", "words"),
    [
        ((100.0, 110.0), (10.0, 20.0), ""),
        ((100.0, 5.0), (10.0, 20.0), "not shown to drive better than straight ahead (52.5 against 15.0"),
        ((100.0,), (10.0,), ""),
        ((10.0,), (10.0,), "It does not drive better than straight ahead (10.0 against 10.0)"),
    ],
)
def test_a_first_champion_is_set_beside_a_driver_who_goes_straight_ahead(ours, straight, words):
    beside = replace(drives(*straight), driver="straight-ahead")
    decision = decide(replace(report(1, *ours), others=(beside,)), None)
    assert decision.promote
    if words:
        assert words in decision.reason
    else:
        assert decision.reason == "Version 1 is the first champion."


def test_the_game_decides_even_against_the_held_out_error():
    assert decide(report(2, *[10.0] * 6, error=0.9), report(1, *[5.0] * 6, error=0.1)).promote


def test_without_a_game_the_smaller_error_on_the_same_rows_wins():
    assert decide(report(2, error=0.19, constant=9), report(1, error=0.2, constant=1)).promote is True
    decision = decide(report(2, error=0.2), report(1, error=0.2))
    assert decision.promote is False
    assert "0.2000" in decision.reason


def test_errors_on_other_rows_are_compared_as_shares_of_the_best_constants():
    candidate = report(2, error=0.3, constant=1.0, rows="new")
    assert decide(candidate, report(1, error=0.2, constant=0.4, rows="old")).promote
    assert not decide(candidate, report(1, error=0.2, constant=0.8, rows="old")).promote


def test_other_seeds_or_limits_are_not_comparable():
    ours = report(2, 1.0, 2.0)
    assert comparable(ours, report(1, 5.0, 6.0))
    assert not comparable(ours, report(1, 5.0))
    assert not comparable(ours, replace(report(1, 5.0, 6.0), max_steps=10))
    assert not comparable(ours, report(1))
    assert not comparable(ours, None)
    with pytest.raises(KartError, match="did not drive the same seeds"):
        decide(ours, report(1, 5.0))


def test_without_any_figures_there_is_no_decision():
    with pytest.raises(KartError, match="were not judged on held-out sessions"):
        decide(Report(2, None), report(1))


def test_a_report_survives_json():
    import json

    for item in (Report(4, None), replace(report(2, 1.0, 2.0), others=(drives(3.0),), max_steps=7)):
        assert Report.from_dict(json.loads(json.dumps(item.to_dict()))) == item


@pytest.mark.parametrize("data", [{}, {"version": 1}, {**Report(1, None).to_dict(), "held_out": {"x": 1}}])
def test_what_is_no_report_is_refused(data):
    with pytest.raises(KartError, match="materialise `scorecard` again"):
        Report.from_dict(data)
